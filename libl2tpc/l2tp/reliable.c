/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "l2tp/reliable.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(65536 % L2TP_WINDOW == 0, "slots by Ns modulo the window must survive the wrap");

/* How far b is ahead of a, modulo 2^16. */
static uint16_t ahead(uint16_t a, uint16_t b)
{
    return (uint16_t)(b - a);
}

static struct reliable_msg *at(struct reliable *r, unsigned i)
{
    return &r->queue[(r->head + i) % RELIABLE_QUEUE];
}

void reliable_init(struct reliable *r, struct l2tp_facts *facts, struct msgq *out,
                   const struct env *env)
{
    *r = (struct reliable){
        .facts = facts,
        .out = out,
        .env = env,
        .window = RELIABLE_WINDOW_UNSAID,
        .cwnd = 1,
        .ssthresh = RELIABLE_WINDOW_UNSAID,
        .rto = RTO_MIN, /* SCCRQ may have met a peer that was still installing its SA */
        .due = US_NEVER,
    };
}

void reliable_clear(struct reliable *r)
{
    while (r->used > 0) {
        wipe_free(at(r, 0)->bytes, at(r, 0)->n);
        *at(r, 0) = (struct reliable_msg){0};
        r->head = (r->head + 1) % RELIABLE_QUEUE;
        r->used--;
    }
    for (unsigned i = 0; i < L2TP_WINDOW; i++) {
        wipe_free(r->held[i].bytes, r->held[i].n);
        r->held[i] = (struct reliable_held){0};
    }
    r->flight = 0;
    r->due = US_NEVER;
}

bool reliable_queue(struct reliable *r, uint16_t type, uint16_t session_id, struct span avps)
{
    size_t n = MESSAGE_HEADER + avps.n;
    struct reliable_msg *m = at(r, r->used);
    uint8_t *bytes;

    if (r->used == RELIABLE_QUEUE || n > L2TP_MESSAGE_MAX || !(bytes = malloc(n)))
        return false;
    memcpy(bytes + MESSAGE_HEADER, avps.p, avps.n);
    *m = (struct reliable_msg){
        .bytes = bytes, .n = n, .type = type, .session_id = session_id, .ns = r->ns};
    r->sends[type] = 0;
    r->ns++;
    r->used++;
    return true;
}

void reliable_set_window(struct reliable *r, unsigned window)
{
    /* A window of 0 would be no channel at all; appendix A starts SSTHRESH at the window. */
    r->window = window == 0 ? 1 : window > L2TP_WINDOW_CAP ? L2TP_WINDOW_CAP : window;
    r->ssthresh = r->window;
    if (r->cwnd > r->window)
        r->cwnd = r->window;
}

static l2tpc_us rto_of(l2tpc_us rtt)
{
    return us_min(us_max(4 * rtt, RTO_MIN), RTO_MAX);
}

static l2tpc_us base_rto(const struct reliable *r)
{
    return r->measured ? rto_of(r->srtt) : RTO_FIRST;
}

void reliable_expect(struct reliable *r, l2tpc_us rtt)
{
    r->rto = rto_of(rtt);
}

static void transmit(struct reliable *r, struct reliable_msg *m, l2tpc_us now)
{
    const struct message_header h = {
        .tunnel_id = r->facts->peer_tunnel_id,
        .session_id = m->session_id,
        .ns = m->ns,
        .nr = r->nr,
    };

    if (!message_write_header((struct mspan){m->bytes, m->n}, &h))
        return;
    if (m->sends == 0)
        m->first = now;
    else
        r->facts->resent++;
    m->sends++;
    m->last = now;
    r->sends[m->type] = m->sends;
    if (ahead(m->ns, r->high) == 0)
        r->high++;
    /* Lost here is lost on the way: the timer repairs it. */
    (void)msgq_push(r->out, 0, span_of(m->bytes, m->n));
    r->facts->sent++;
    r->ack_due = false;
    env_log(r->env, LOG_LEVEL_DEBUG, "l2tp", "sent %s ns %u nr %u, try %u", message_name(m->type),
            h.ns, h.nr, m->sends);
}

static void send_up_to(struct reliable *r, unsigned limit, l2tpc_us now)
{
    while (r->flight < r->used && r->flight < limit) {
        transmit(r, at(r, r->flight), now);
        if (r->flight++ == 0)
            r->due = us_add(now, r->rto);
    }
}

void reliable_pump(struct reliable *r, l2tpc_us now)
{
    send_up_to(r, r->cwnd < r->window ? r->cwnd : r->window, now);
}

void reliable_force(struct reliable *r, l2tpc_us now)
{
    send_up_to(r, RELIABLE_QUEUE, now);
}

void reliable_repeat(struct reliable *r, l2tpc_us now)
{
    if (r->flight == 0)
        return;
    transmit(r, at(r, 0), now);
    r->due = us_add(now, r->rto);
}

void reliable_flush(struct reliable *r, l2tpc_us now)
{
    uint8_t zlb[MESSAGE_HEADER];
    const struct message_header h = {
        .tunnel_id = r->facts->peer_tunnel_id,
        .ns = r->high, /* of the next message, which it does not use up (5.8) */
        .nr = r->nr,
    };

    (void)now;
    if (!r->ack_due || !message_write_header((struct mspan){zlb, sizeof(zlb)}, &h))
        return;
    /* Still owed when the driver does not drain us: an unbounded peer must not fill the queue. */
    if (r->out->used == MSGQ_SLOTS || !msgq_push(r->out, 0, SPAN_ARRAY(zlb)))
        return;
    r->ack_due = false;
    r->facts->sent++;
}

/* Appendix A: one more for each acknowledgement in slow start, one a round trip behind it. */
static void open_window(struct reliable *r)
{
    if (r->cwnd >= r->window)
        return;
    if (r->cwnd < r->ssthresh) {
        r->cwnd++;
        return;
    }
    if (++r->credit >= r->cwnd) {
        r->credit = 0;
        r->cwnd++;
    }
}

static void measure(struct reliable *r, l2tpc_us sample)
{
    r->srtt = r->measured ? (7 * r->srtt + sample) / 8 : sample;
    r->measured = true;
    r->facts->rtt = r->srtt;
}

/* Takes an Nr that is known to be between the oldest unacknowledged and `high`. */
static void acknowledge(struct reliable *r, uint16_t nr, l2tpc_us now)
{
    bool clean = true; /* Karn: nothing under this acknowledgement went out twice */
    unsigned taken = 0;
    l2tpc_us sent = 0;

    while (r->used > 0 && ahead(at(r, 0)->ns, nr) != 0 && ahead(at(r, 0)->ns, nr) < 0x8000) {
        struct reliable_msg *m = at(r, 0);

        clean = clean && m->sends == 1;
        sent = m->last;
        wipe_free(m->bytes, m->n);
        *m = (struct reliable_msg){0};
        r->head = (r->head + 1) % RELIABLE_QUEUE;
        r->used--;
        if (r->flight > 0)
            r->flight--;
        taken++;
        open_window(r);
    }
    if (taken == 0)
        return;
    if (clean && now >= sent)
        measure(r, now - sent);
    r->rto = base_rto(r);
    r->due = r->flight > 0 ? us_add(now, r->rto) : US_NEVER;
}

static enum reliable_verdict hold(struct reliable *r, uint16_t ns, struct span bytes)
{
    struct reliable_held *slot = &r->held[ns % L2TP_WINDOW];

    if (slot->bytes) {
        r->facts->duplicates++;
        return RELIABLE_ACK;
    }
    if (!(slot->bytes = malloc(bytes.n)))
        return RELIABLE_DROP;
    memcpy(slot->bytes, bytes.p, bytes.n);
    slot->n = bytes.n;
    r->facts->reordered++;
    return RELIABLE_ACK;
}

enum reliable_verdict reliable_receive(struct reliable *r, const struct message_header *h,
                                       struct span bytes, l2tpc_us now)
{
    uint16_t oldest = r->used > 0 ? at(r, 0)->ns : r->ns;
    uint16_t early = ahead(r->nr, h->ns);

    /* Row H51: an Nr beyond what was ever sent; one that goes backwards is stale, not wrong. */
    if (ahead(oldest, h->nr) < 0x8000 && ahead(oldest, h->nr) > ahead(oldest, r->high))
        return RELIABLE_DROP;
    if (h->avps.n > 0 && early < 0x8000 && early >= L2TP_WINDOW)
        return RELIABLE_DROP;
    acknowledge(r, h->nr, now);
    if (h->avps.n == 0)
        return RELIABLE_ACK; /* a ZLB, which is never answered */
    if (early >= 0x8000) {
        r->facts->duplicates++;
        r->ack_due = true; /* 5.8: MUST be acknowledged, ours may have been lost */
        return RELIABLE_ACK;
    }
    if (early > 0)
        return hold(r, h->ns, bytes);
    r->nr++;
    r->ack_due = true;
    return RELIABLE_FRESH;
}

bool reliable_take_held(struct reliable *r, struct msg *out)
{
    struct reliable_held *slot = &r->held[r->nr % L2TP_WINDOW];

    if (!slot->bytes)
        return false;
    *out = (struct msg){.bytes = slot->bytes, .n = slot->n};
    *slot = (struct reliable_held){0};
    r->nr++;
    r->ack_due = true;
    return true;
}

void reliable_timer(struct reliable *r, l2tpc_us now)
{
    if (now < r->due || r->flight == 0)
        return;
    /* Appendix A: half the window becomes the threshold, and from one it starts again. */
    r->ssthresh = r->cwnd > 1 ? r->cwnd / 2 : 1;
    r->cwnd = 1;
    r->credit = 0;
    r->flight = 0;
    r->rto = us_min(2 * r->rto, L2TP_BACKOFF_CAP);
    reliable_pump(r, now);
}

l2tpc_us reliable_deadline(const struct reliable *r)
{
    return r->flight > 0 ? r->due : US_NEVER;
}
