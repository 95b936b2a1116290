/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NAT keepalives (RFC 3948 4) and dead peer detection (RFC 3706), both ways. */
#include "ike/v1/engine.h"

#include "wire/rd.h"

#include <string.h>

#define COOKIES_LEN (2 * ISAKMP_COOKIE_LEN)

static void own_cookies(const struct ike *ike, uint8_t out[COOKIES_LEN])
{
    memcpy(out, ike->cky_i, ISAKMP_COOKIE_LEN);
    memcpy(out + ISAKMP_COOKIE_LEN, ike->cky_r, ISAKMP_COOKIE_LEN);
}

static void send_dpd(struct ike *ike, uint16_t type, uint32_t seq, l2tpc_us now)
{
    uint8_t cookies[COOKIES_LEN];
    uint8_t data[4];
    struct wr w = wr_of(data, sizeof(data));

    own_cookies(ike, cookies);
    wr_u32(&w, seq);
    info_send_notify(ike, PROTOCOL_ISAKMP, SPAN_ARRAY(cookies), type, SPAN_ARRAY(data), now);
}

/* ---- receiving ---- */
static bool read_dpd(const struct ike *ike, const struct notify *n, uint32_t *seq)
{
    uint8_t cookies[COOKIES_LEN];
    struct rd r = rd_of(n->data);

    own_cookies(ike, cookies);
    return span_eq(n->spi, SPAN_ARRAY(cookies)) && rd_u32(&r, seq) && rd_end(&r);
}

static bool may_answer(struct ike_liveness *l, l2tpc_us now)
{
    if (now >= us_add(l->answers_from, US_S(1))) {
        l->answers_from = now;
        l->answers = 0;
    }
    return l->answers++ < DPD_ANSWERS_PER_S;
}

enum verdict liveness_recv_r_u_there(struct ike *ike, const struct notify *n,
                                     const struct ike_in *in)
{
    struct ike_liveness *l = &ike->live;
    uint32_t seq;

    if (!read_dpd(ike, n, &seq) || (l->peer_seq_known && seq < l->peer_seq) ||
        !may_answer(l, in->now))
        return VERDICT_DROP;
    /* Only a number never seen proves that the message is no replay from elsewhere. */
    if (!l->peer_seq_known || seq > l->peer_seq)
        ike_follow_peer(ike, in);
    l->peer_seq_known = true;
    l->peer_seq = seq;
    send_dpd(ike, NOTIFY_R_U_THERE_ACK, seq, in->now);
    return VERDICT_OK;
}

enum verdict liveness_recv_ack(struct ike *ike, const struct notify *n, const struct ike_in *in)
{
    struct ike_liveness *l = &ike->live;
    uint32_t seq;

    /* A late answer to an earlier try of this round counts too. */
    if (!read_dpd(ike, n, &seq) || !l->waiting || seq > l->seq || l->seq - seq >= l->tries)
        return VERDICT_DROP;
    if (seq == l->seq && l->tries == 1 && in->now > l->sent_at)
        rtt_sample(&ike->facts.rtt, in->now - l->sent_at);
    ike_follow_peer(ike, in);
    l->waiting = false;
    l->tries = 0;
    l->unanswered_since = 0;
    ike->facts.dpd_answered++;
    return VERDICT_OK;
}

/* ---- time ---- */
static bool uses_dpd(const struct ike *ike)
{
    return ike->facts.dpd && !ike->live.dead;
}

static l2tpc_us dpd_due(const struct ike *ike)
{
    const struct ike_liveness *l = &ike->live;
    l2tpc_us at;

    if (!uses_dpd(ike))
        return US_NEVER;
    if (l->waiting)
        return us_add(l->sent_at, DPD_RETRY);
    at = us_add(l->last_in, DPD_IDLE);
    if (l->unanswered_since != 0)
        at = us_min(at, us_add(l->unanswered_since, DPD_UNANSWERED));
    return at;
}

static l2tpc_us keepalive_due(const struct ike *ike)
{
    if (!ike->facts.floated || ike->facts.nat_local == IKE_NAT_NO || ike->live.dead)
        return US_NEVER;
    return us_add(ike->live.last_out, NATT_KEEPALIVE);
}

void liveness_probe(struct ike *ike, l2tpc_us now)
{
    struct ike_liveness *l = &ike->live;

    /* The number rises with every try (RFC 3706 6.2), from a random start below 2^31. */
    if (l->seq == 0) {
        if (!env_rand_u32(ike->cfg.env, &l->seq))
            l->seq = 1;
        l->seq = (l->seq & UINT32_MAX >> 1) | 1;
    } else {
        l->seq++;
    }
    l->waiting = true;
    l->tries++;
    l->sent_at = now;
    ike->facts.dpd_sent++;
    send_dpd(ike, NOTIFY_R_U_THERE, l->seq, now);
}

void liveness_timer(struct ike *ike, l2tpc_us now)
{
    struct ike_liveness *l = &ike->live;
    static const uint8_t keepalive = 0xff;

    /* Anything authenticated since the probe is as good as its answer. */
    if (l->waiting && l->last_in > l->sent_at) {
        l->waiting = false;
        l->tries = 0;
        l->unanswered_since = 0;
    }
    if (now >= dpd_due(ike)) {
        if (l->waiting && l->tries >= DPD_TRIES) {
            struct ike_event ev = {.type = IKE_EVENT_PEER_DEAD};

            l->dead = true;
            l->waiting = false;
            ike_push_event(ike, &ev);
            ike_log(ike, LOG_LEVEL_WARN, "the server is dead: %u probes unanswered", l->tries);
            return;
        }
        liveness_probe(ike, now);
    }
    if (now >= keepalive_due(ike))
        ike_send(ike, IKE_PORT_KEEPALIVE, span_of(&keepalive, 1), now);
}

l2tpc_us liveness_deadline(const struct ike *ike)
{
    return us_min(dpd_due(ike), keepalive_due(ike));
}

/* Anybody can send ICMP: it does no more than begin what traffic without answers begins later. */
void liveness_note_unreachable(struct ike *ike, l2tpc_us now)
{
    if (uses_dpd(ike) && !ike->live.waiting && now > us_add(ike->live.last_in, DPD_UNREACHABLE))
        ike->live.unanswered_since = now > DPD_UNANSWERED ? now - DPD_UNANSWERED : 1;
}
