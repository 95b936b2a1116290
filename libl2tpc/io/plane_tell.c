/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/plane_impl.h"

#include "base/limits.h"

void plane_detach(struct plane *plane)
{
    loop_remove(plane->loop, plane->source);
    plane->source = NULL;
    plane->tun = plane->to = (struct tun){.fd = -1};
    plane->gone_error = plane->lost_error = 0;
}

static void on_told_gone(const struct ring_record *r, struct mspan bytes, l2tpc_us now)
{
    struct plane *plane = r->owner;

    (void)bytes;
    if (plane->is_gone)
        return;
    turns_hold(hub_turns(plane->hub));
    plane_detach(plane);
    turns_let_go(hub_turns(plane->hub));
    plane->is_gone = true;
    plane->hooks.tun_gone(plane->hooks.user, r->value, now); /* may free the plane */
}

static void on_told_in(const struct ring_record *r, struct mspan bytes, l2tpc_us now)
{
    struct plane *plane = r->owner;

    (void)bytes;
    plane->hooks.esp_in(plane->hooks.user, &r->from, now);
}

static void on_told_out(const struct ring_record *r, struct mspan bytes, l2tpc_us now)
{
    struct plane *plane = r->owner;

    (void)bytes;
    plane->hooks.esp_out(plane->hooks.user, now);
}

static void on_told_refused(const struct ring_record *r, struct mspan bytes, l2tpc_us now)
{
    struct plane *plane = r->owner;

    (void)bytes;
    plane->hooks.unreachable(plane->hooks.user, r->value, now);
}

static void on_told_control(const struct ring_record *r, struct mspan bytes, l2tpc_us now)
{
    struct plane *plane = r->owner;

    plane->hooks.control(plane->hooks.user, (enum data_kind)r->what, span_ro(bytes), now);
}

static struct ring_record record_of(struct plane *plane, ring_fn fn)
{
    return (struct ring_record){.fn = fn, .owner = plane};
}

/* At once, or when the last one is long enough ago; never forgotten. */
static bool is_due(struct note *note, struct loop *loop, bool urgent, l2tpc_us now)
{
    if (urgent || note->told == 0 || now >= us_add(note->told, DATA_NOTE_GAP))
        return true;
    loop_timer_set(loop, &note->timer, us_add(note->told, DATA_NOTE_GAP));
    return false;
}

static void is_told(struct note *note, struct loop *loop, bool told, l2tpc_us now)
{
    note->told = now;
    loop_timer_set(loop, &note->timer, told ? US_NEVER : us_add(now, DATA_NOTE_GAP));
}

static void tell_in(struct plane *plane, l2tpc_us now)
{
    struct ring_record r = record_of(plane, on_told_in);

    r.from = plane->told_from = plane->from;
    plane->begun = false;
    is_told(&plane->in, lanes_rx(plane->lanes), lanes_tell_rx(plane->lanes, &r, SPAN_NONE), now);
}

static void tell_out(struct plane *plane, l2tpc_us now)
{
    struct ring_record r = record_of(plane, on_told_out);

    is_told(&plane->out, plane->loop, lanes_tell_tx(plane->lanes, &r, SPAN_NONE), now);
}

static void on_in_due(void *user, l2tpc_us now)
{
    tell_in(user, now);
}

static void on_out_due(void *user, l2tpc_us now)
{
    tell_out(user, now);
}

void plane_note_in(struct plane *plane, l2tpc_us now)
{
    if (!plane->lanes)
        plane->hooks.esp_in(plane->hooks.user, &plane->from, now);
    else if (is_due(&plane->in, lanes_rx(plane->lanes),
                    plane->begun || !endpoint_eq(&plane->from, &plane->told_from), now))
        tell_in(plane, now);
}

void plane_note_out(struct plane *plane, l2tpc_us now)
{
    if (!plane->lanes)
        plane->hooks.esp_out(plane->hooks.user, now);
    else if (is_due(&plane->out, plane->loop, false, now))
        tell_out(plane, now);
}

/* A hint: what finds no room is not missed. */
void plane_note_refused(struct plane *plane, int refused, l2tpc_us now)
{
    struct ring_record r = record_of(plane, on_told_refused);

    r.value = refused;
    if (!plane->hooks.unreachable)
        return;
    if (plane->lanes)
        (void)!lanes_tell_tx(plane->lanes, &r, SPAN_NONE);
    else
        plane->hooks.unreachable(plane->hooks.user, refused, now);
}

void plane_give_control(struct plane *plane, enum data_kind kind, struct span inner, l2tpc_us now)
{
    struct ring_record r = record_of(plane, on_told_control);

    r.what = (int)kind;
    if (plane->lanes)
        (void)!lanes_tell_rx(plane->lanes, &r, inner); /* counted, and sent again by the peer */
    else
        plane->hooks.control(plane->hooks.user, kind, inner, now);
}

/* By who sends; when there is no room the next look at the TUN finds the same. */
void plane_tell_gone(struct plane *plane, l2tpc_us now)
{
    struct ring_record r = record_of(plane, on_told_gone);

    r.value = plane->gone_error;
    if (!plane->lanes) {
        plane_detach(plane);
        plane->hooks.tun_gone(plane->hooks.user, r.value, now); /* may free the plane */
    } else if (lanes_tell_tx(plane->lanes, &r, SPAN_NONE)) {
        loop_remove(plane->loop, plane->source);
        plane->source = NULL;
        plane->tun.fd = -1;
        plane->gone_error = 0;
    }
}

/* The same by who receives. */
void plane_tell_lost(struct plane *plane, l2tpc_us now)
{
    struct ring_record r = record_of(plane, on_told_gone);

    r.value = plane->lost_error;
    if (!plane->lanes) {
        plane_detach(plane);
        plane->hooks.tun_gone(plane->hooks.user, r.value, now);
    } else if (lanes_tell_rx(plane->lanes, &r, SPAN_NONE)) {
        plane->to.fd = -1;
        plane->lost_error = 0;
    }
}

void plane_notes_init(struct plane *plane)
{
    plane->in.timer = (struct loop_timer){.fn = on_in_due, .user = plane};
    plane->out.timer = (struct loop_timer){.fn = on_out_due, .user = plane};
}

void plane_notes_drop(struct plane *plane)
{
    if (!plane->lanes)
        return;
    loop_timer_cancel(lanes_rx(plane->lanes), &plane->in.timer);
    loop_timer_cancel(plane->loop, &plane->out.timer);
    lanes_forget(plane->lanes, plane);
}
