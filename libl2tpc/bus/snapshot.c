/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The status that calls are answered from. It is asked for when somebody wants it, and nobody but
 * its callers waits: an engine that stands still delays no loop.
 */
#include "bus/private.h"

static bool is_fresh(const struct bus_tunnel *t, uint64_t age)
{
    return t->snapshot[1] && bus_now() - t->snapshot_us < age;
}

l2tpc_status *snapshot_of(const struct bus_tunnel *t, bool sees)
{
    return is_fresh(t, STALE_US) ? t->snapshot[sees] : NULL;
}

uint64_t snapshot_age_ms(const struct bus_tunnel *t)
{
    return is_fresh(t, STALE_US) ? (bus_now() - t->snapshot_us) / 1000 : 0;
}

static bool is_silent(const struct bus_tunnel *t)
{
    return t->asked_us != 0 && bus_now() - t->asked_us >= SILENT_US;
}

static bool park(struct bus_tunnel *t, sd_bus_message *m, const struct caller *caller)
{
    for (unsigned i = 0; i < WAITING_MAX; i++) {
        if (t->parked[i].message)
            continue;
        t->parked[i] = (struct parked){.message = sd_bus_message_ref(m), .caller = *caller};
        return true;
    }
    return false;
}

bool snapshot_await(struct bus_tunnel *t, sd_bus_message *m, const struct caller *caller)
{
    if (is_fresh(t, FRESH_US) || is_silent(t))
        return false;
    if (t->asked_us == 0) {
        if (!t->options.ask(t->options.user))
            return false;
        t->asked_us = bus_now();
    }
    return park(t, m, caller);
}

/* Each is taken out before it is served: then it is not parked a second time. */
static void serve_parked(struct bus_tunnel *t)
{
    for (unsigned i = 0; i < WAITING_MAX; i++) {
        struct parked p = t->parked[i];
        int rc;

        if (!p.message)
            continue;
        t->parked[i].message = NULL;
        rc = serve_call(t, p.message, &p.caller);
        if (rc < 0)
            (void)sd_bus_reply_method_errno(p.message, rc, NULL);
        sd_bus_message_unref(p.message);
    }
}

void bus_tunnel_take(struct bus_tunnel *t, l2tpc_status *status)
{
    if (!t || !status) {
        l2tpc_status_free(status);
        return;
    }
    snapshot_forget(t);
    t->snapshot[1] = status;
    t->snapshot[0] = l2tpc_status_copy(status);
    l2tpc_status_hide_identity(t->snapshot[0]);
    t->snapshot_us = bus_now();
    t->asked_us = 0;
    if (t->bus)
        serve_parked(t);
}

void snapshot_tick(struct bus_tunnel *t)
{
    if (is_silent(t))
        serve_parked(t);
}

uint64_t snapshot_deadline(const struct bus_tunnel *t)
{
    for (unsigned i = 0; i < WAITING_MAX; i++)
        if (t->parked[i].message)
            return t->asked_us + SILENT_US;
    return UINT64_MAX;
}

void snapshot_forget(struct bus_tunnel *t)
{
    for (unsigned i = 0; i < 2; i++) {
        l2tpc_status_free(t->snapshot[i]);
        t->snapshot[i] = NULL;
    }
}

void snapshot_leave(struct bus_tunnel *t)
{
    for (unsigned i = 0; i < WAITING_MAX; i++) {
        sd_bus_message_unref(t->parked[i].message);
        t->parked[i].message = NULL;
    }
}
