/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lns.h"

#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LNS_REPEAT US_MS(300)

void world_init(struct world *w)
{
    memset(w, 0, sizeof(*w));
    rig_init(&w->rig);
    w->rig.random_ids = true;
    w->delay = US_MS(20);
    w->window = 4;
    w->lns_due = US_NEVER;
    w->now = US_S(1);
    w->lose_type = -1;
    w->seed = 7;
}

void world_free(struct world *w)
{
    rig_free(&w->rig);
}

uint32_t world_random(struct world *w)
{
    w->seed = w->seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(w->seed >> 33);
}

static int type_of(const uint8_t *bytes, size_t n)
{
    return n >= 20 ? rig_u16(bytes + 18) : 0;
}

static void post(struct world *w, int to, const uint8_t *bytes, size_t n)
{
    int type = type_of(bytes, n);
    unsigned copies = w->duplicate ? 2 : 1;

    if (w->seen[to][type]++ == 0)
        w->first_seen[to][type] = w->now;
    if (w->lose && w->lose(w, to, type)) {
        w->lost++;
        return;
    }
    for (unsigned i = 0; i < ARRAY_LEN(w->link) && copies > 0; i++) {
        struct packet *p = &w->link[i];

        if (p->used)
            continue;
        *p = (struct packet){.used = true, .to = to, .n = n, .order = w->order++};
        p->at = w->now + w->delay + (w->jitter ? w->jitter(w) : 0);
        memcpy(p->bytes, bytes, n);
        copies--;
    }
}

static void put16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void lns_transmit(struct world *w, struct lns_msg *m)
{
    put16(m->bytes + 10, w->nr);
    post(w, TO_CLIENT, m->bytes, m->n);
}

void lns_send(struct world *w, uint16_t session, const char *avps)
{
    struct lns_msg *m = &w->queue[w->queued];

    if (w->queued == ARRAY_LEN(w->queue))
        abort();
    m->ns = w->ns++;
    m->n = rig_build(m->bytes, sizeof(m->bytes), w->client_tunnel, session, m->ns, w->nr, avps);
    if (w->queued++ == 0)
        w->lns_due = w->now + LNS_REPEAT;
    lns_transmit(w, m);
}

static uint16_t find_u16(const uint8_t *bytes, size_t n, uint16_t attribute)
{
    for (size_t at = 12; at + 8 <= n; at += (size_t)(rig_u16(bytes + at) & 0x3ff))
        if (rig_u16(bytes + at + 4) == attribute)
            return rig_u16(bytes + at + 6);
    return 0;
}

static void lns_process(struct world *w, const uint8_t *bytes, size_t n)
{
    char sccrp[256];

    switch (type_of(bytes, n)) {
    case 1:
        w->client_tunnel = find_u16(bytes, n, 9);
        (void)snprintf(sccrp, sizeof(sccrp),
                       "8008000000000002 8008000000020100 800a0000000300000003 8008000000077878"
                       "8008000000090101 80080000000a%04x",
                       w->window);
        lns_send(w, 0, sccrp);
        break;
    case 3:
        w->established = true;
        break;
    case 4:
        w->saw_stop = true;
        break;
    case 6:
        w->hellos++;
        break;
    case 10:
        w->out_of_place |= !w->established;
        w->client_session = find_u16(bytes, n, 14);
        lns_send(w, w->client_session, AVPS_ICRP);
        break;
    case 12:
        w->out_of_place |= rig_u16(bytes + 6) != RIG_PEER_SESSION;
        w->up = true;
        break;
    case 14:
        w->saw_cdn = true;
        break;
    default:
        w->out_of_place = true;
    }
}

static void lns_input(struct world *w, const uint8_t *bytes, size_t n)
{
    uint16_t nr = rig_u16(bytes + 10);
    uint16_t early = (uint16_t)(rig_u16(bytes + 8) - w->nr);
    uint8_t zlb[12];
    unsigned posted = w->seen[TO_CLIENT][2] + w->seen[TO_CLIENT][11];

    if (w->lns_mute)
        return;
    w->lns_received++;
    while (w->queued > 0 && (uint16_t)(nr - w->queue[0].ns - 1) < 0x8000) {
        memmove(&w->queue[0], &w->queue[1], sizeof(w->queue) - sizeof(w->queue[0]));
        w->queued--;
        w->lns_due = w->queued > 0 ? w->now + LNS_REPEAT : US_NEVER;
    }
    if (n == 12 || (early > 0 && early < 0x8000))
        return;
    if (early == 0) {
        w->nr++;
        lns_process(w, bytes, n);
    }
    if (w->seen[TO_CLIENT][2] + w->seen[TO_CLIENT][11] != posted)
        return; /* the answer carried the acknowledgement */
    (void)rig_build(zlb, sizeof(zlb), w->client_tunnel, 0, w->ns, w->nr, "");
    post(w, TO_CLIENT, zlb, sizeof(zlb));
}

static void collect(struct world *w)
{
    struct l2tp_event e;
    uint8_t buf[L2TP_MESSAGE_MAX];
    size_t n;

    while (rig_pop(&w->rig, buf, sizeof(buf), &n) >= 0)
        post(w, TO_LNS, buf, n);
    while (l2tp_pop_event(w->rig.l, &e)) {
        w->tunnel_up |= e.type == L2TP_EVENT_TUNNEL_UP;
        w->call_up |= e.type == L2TP_EVENT_CALL_UP;
        w->call_down |= e.type == L2TP_EVENT_CALL_DOWN;
        w->closed |= e.type == L2TP_EVENT_CLOSED;
        w->failed |= e.type == L2TP_EVENT_FAILED || e.type == L2TP_EVENT_PEER_DEAD;
        if (e.type == L2TP_EVENT_CALL_UP)
            w->call_up_at = w->now;
        if (e.failure.id != FAILURE_NONE)
            w->failure = e.failure;
        w->end_at = w->now;
    }
}

void world_start(struct world *w)
{
    rig_start(&w->rig, w->now);
    collect(w);
}

static struct packet *earliest(struct world *w)
{
    struct packet *best = NULL;

    for (unsigned i = 0; i < ARRAY_LEN(w->link); i++) {
        struct packet *p = &w->link[i];

        if (p->used && (!best || p->at < best->at || (p->at == best->at && p->order < best->order)))
            best = p;
    }
    return best;
}

bool world_run(struct world *w, const bool *flag, l2tpc_us until)
{
    for (unsigned steps = 0; steps < 200000; steps++) {
        struct packet *p;
        l2tpc_us timer;
        l2tpc_us next;

        collect(w);
        if (flag && *flag)
            return true;
        p = earliest(w);
        timer = l2tp_deadline(w->rig.l);
        next = us_min(us_min(timer, w->lns_due), p ? p->at : US_NEVER);
        if (next > until) {
            w->now = until;
            return false;
        }
        w->now = us_max(w->now, next);
        if (p && p->at <= w->now) {
            p->used = false;
            if (p->to == TO_LNS)
                lns_input(w, p->bytes, p->n);
            else
                (void)l2tp_input(w->rig.l, span_of(p->bytes, p->n), w->now);
        } else if (timer <= w->now) {
            l2tp_timer(w->rig.l, w->now);
        } else {
            for (unsigned i = 0; i < w->queued; i++)
                lns_transmit(w, &w->queue[i]);
            w->lns_due = w->now + LNS_REPEAT;
        }
    }
    check_fail(__FILE__, __LINE__, "the world spins");
    return false;
}
