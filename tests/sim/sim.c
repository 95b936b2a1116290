/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sim.h"

/* Deadlines that do not move although their timer ran would spin for ever. */
#define ROUNDS_MAX 100000

static bool from_client(struct sim *s)
{
    struct endpoint from, to;
    enum peer_port port;
    struct msg m;
    bool any = false;

    while (s->client.pop_out(s->client.ctx, &port, &from, &to, &m)) {
        simlink_send(s->link, SIMLINK_TO_PEER, port, &from, &to, span_of(m.bytes, m.n), s->now);
        msg_done(&m);
        any = true;
    }
    return any;
}

static bool from_peer(struct sim *s)
{
    struct endpoint from, to;
    enum peer_port port;
    struct msg m;
    bool any = false;

    while (peer_pop_out(s->peer, &port, &to, &m)) {
        from = s->peer_addr;
        from.port = port == PEER_UDP500    ? s->peer_addr.port
                    : port == PEER_UDP4500 ? s->peer_natt_port
                                           : 0;
        simlink_send(s->link, SIMLINK_TO_CLIENT, port, &from, &to, span_of(m.bytes, m.n), s->now);
        msg_done(&m);
        any = true;
    }
    return any;
}

static bool deliver(struct sim *s)
{
    struct endpoint from, to;
    enum simlink_dir dir;
    enum peer_port port;
    struct msg m;

    if (!simlink_pop(s->link, s->now, &dir, &port, &from, &to, &m))
        return false;
    if (dir == SIMLINK_TO_PEER)
        peer_input(s->peer, port, &from, span_of(m.bytes, m.n), s->now);
    else
        s->client.input(s->client.ctx, port, &from, span_of(m.bytes, m.n), s->now);
    msg_done(&m);
    return true;
}

static bool timers(struct sim *s)
{
    bool any = false;

    if (s->client.deadline(s->client.ctx) <= s->now) {
        s->client.timer(s->client.ctx, s->now);
        any = true;
    }
    if (peer_deadline(s->peer) <= s->now) {
        peer_timer(s->peer, s->now);
        any = true;
    }
    return any;
}

bool sim_run(struct sim *s, l2tpc_us until)
{
    for (unsigned rounds = 0; rounds < ROUNDS_MAX; rounds++) {
        bool any = false;
        l2tpc_us next;

        if (s->client.done(s->client.ctx, s->now))
            return true;
        any |= from_client(s);
        any |= from_peer(s);
        any |= deliver(s);
        if (!any)
            any |= timers(s);
        if (any)
            continue;
        next = us_min(us_min(s->client.deadline(s->client.ctx), peer_deadline(s->peer)),
                      simlink_deadline(s->link));
        if (next > until) {
            s->now = until;
            return false;
        }
        if (next > s->now) {
            s->now = next;
            rounds = 0;
        }
    }
    return false;
}
