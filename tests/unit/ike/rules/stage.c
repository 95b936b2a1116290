/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stage.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- where it stands ---- */

const char *at_name(enum at at)
{
    static const char *const name[] = {"new",
                                       "message 1 sent",
                                       "message 3 sent",
                                       "PSK asked",
                                       "message 5",
                                       "quick mode 1 sent",
                                       "commit",
                                       "up",
                                       "deleted",
                                       "closed"};

    return at < AT_COUNT ? name[at] : "?";
}

static bool quick_is(const struct rig *r, enum quick_state state)
{
    for (unsigned i = 0; i < IKE_QUICK_SLOTS; i++)
        if (r->ike->quick[i].state == state)
            return true;
    return false;
}

static bool is_there(const struct rig *r, enum at at)
{
    const struct ike *ike = r->ike;

    switch (at) {
    case AT_MM1:
        return ike->state == P1_MM1_SENT;
    case AT_MM3:
        return ike->state == P1_MM3_SENT;
    case AT_PSK:
        return ike->state == P1_PSK_ASKED;
    case AT_MM5:
        return ike->state == P1_MM5_SENT;
    case AT_QM1:
        return ike->state == P1_UP && quick_is(r, QUICK_QM1_SENT);
    case AT_COMMIT:
        return ike->state == P1_UP && quick_is(r, QUICK_COMMIT);
    default:
        return ike->state == P1_UP && quick_is(r, QUICK_DONE) && r->n_flight == 0;
    }
}

static bool lose_connected(struct rig *r, bool to_server, enum ike_port port, struct span bytes)
{
    (void)r;
    (void)port;
    /* What SA_READY waits for; quick mode 2 is longer. */
    return !to_server && bytes.n > 18 && bytes.p[18] == EXCHANGE_QUICK && bytes.n < 150;
}

struct rig *rig_at_with(enum at at, const struct server_habits *habits)
{
    struct rig *r = rig_new();
    l2tpc_us limit = r->now + US_S(3);

    r->server.habits = *habits;
    if (at == AT_COMMIT) {
        r->server.habits.commit = true;
        r->lose = lose_connected;
    }
    if (at == AT_PSK)
        r->psk = NULL;
    if (at == AT_NEW) {
        r->server.at = r->cfg.remote;
        r->server.client = r->cfg.local;
        r->ike = ike_new(&r->cfg);
        return r;
    }
    rig_start(r);
    rig_run(r, r->now);
    while (!is_there(r, at)) {
        if (r->now >= limit)
            abort();
        rig_run(r, r->now + US_MS(1));
    }
    if (at == AT_DELETED) {
        server_send_delete_ike(r);
        rig_run(r, r->now + US_S(1));
    } else if (at == AT_CLOSED) {
        ike_close(r->ike, r->now);
        rig_run(r, r->now + US_S(1));
    }
    r->n_events = 0;
    return r;
}

struct rig *rig_at(enum at at)
{
    static const struct server_habits good;

    return rig_at_with(at, &good);
}

void rig_forget_flights(struct rig *r)
{
    r->n_flight = 0;
}

/* ---- what may not change ---- */

struct memory {
    struct ike ike;
    struct ike_secrets secrets;
};

struct memory *memory_of(const struct rig *r)
{
    struct memory *m = malloc(sizeof(*m));

    if (!m)
        abort();
    memcpy(&m->ike, r->ike, sizeof(m->ike));
    memcpy(&m->secrets, r->ike->secrets, sizeof(m->secrets));
    return m;
}

void memory_free(struct memory *m)
{
    free(m);
}

bool memory_holds(struct memory *m, const struct rig *r)
{
    const uint8_t *a = (const uint8_t *)r->ike;
    const uint8_t *b = (const uint8_t *)&m->ike;
    size_t from = offsetof(struct ike, facts);
    size_t to = offsetof(struct ike, plain);

    /* Counted, kept for the error text, or a sign of an open port: all that an unproven message may
     * do. */
    m->ike.facts.received = r->ike->facts.received;
    m->ike.facts.dropped = r->ike->facts.dropped;
    m->ike.hint = r->ike->hint;
    m->ike.probe = r->ike->probe;
    m->ike.transaction_seen = r->ike->transaction_seen;
    return r->ike->out.used == m->ike.out.used && r->ike->events.used == m->ike.events.used &&
           r->ike->state == m->ike.state && memcmp(a + from, b + from, to - from) == 0 &&
           memcmp(r->ike->secrets, &m->secrets, sizeof(m->secrets)) == 0;
}

/* ---- messages ---- */

struct span forge_ike(const struct rig *r, const struct forged *f, struct build *b)
{
    const struct ike *ike = r->ike;
    bool secret = (f->flags & ISAKMP_FLAG_ENCRYPTION) && !f->plain;
    uint8_t iv[IKE_BLOCK_MAX];
    uint8_t hash[HASH_MAX];
    struct span out = SPAN_NONE;
    size_t at = 0;

    build_start(b, ike->cky_i, ike->cky_r, f->exchange, f->flags, f->message_id);
    if (f->hash && ike->has_keys)
        at = build_hash(b, ike->secrets->keys.n);
    for (unsigned i = 0; i < f->n; i++)
        build_bytes(b, f->part[i].type, f->part[i].body);
    if (f->hash && ike->has_keys) {
        struct span behind = build_behind(b, at, ike->secrets->keys.n);

        if (!keymat_hash_exchange(r->c, &ike->secrets->keys, f->message_id,
                                  f->before.n ? f->before : behind,
                                  f->before.n ? behind : SPAN_NONE, hash))
            abort();
        build_hash_fill(b, at, span_of(hash, ike->secrets->keys.n));
    }
    if (!secret || !ike->has_keys) {
        if (secret)
            wr_zeros(&b->w, 48);
        if (!build_finish(b, &out))
            abort();
        return out;
    }
    if (f->iv)
        memcpy(iv, f->iv, sizeof(iv));
    else if (!keymat_iv_exchange(r->c, &ike->secrets->keys, ike->iv, f->message_id, iv))
        abort();
    if (!build_seal(b, r->c, &ike->secrets->keys, iv, &out))
        abort();
    return out;
}

enum verdict rig_give(struct rig *r, struct span bytes)
{
    uint8_t *exact = malloc(bytes.n + 1);
    enum verdict v;

    if (!exact)
        abort();
    if (bytes.n)
        memcpy(exact, bytes.p, bytes.n);
    /* The heap's end stands right behind the bytes, so that ASan sees one too many being read. */
    exact = realloc(exact, bytes.n ? bytes.n : 1);
    v = server_inject(r, span_of(exact, bytes.n));
    free(exact);
    return v;
}

struct span body_delete(uint8_t *out, uint8_t protocol, uint8_t size, unsigned count,
                        struct span spis)
{
    struct wr w = wr_of(out, 8 + spis.n);
    struct span body;

    wr_u32(&w, DOI_IPSEC);
    wr_u8(&w, protocol);
    wr_u8(&w, size);
    wr_u16(&w, (uint16_t)count);
    wr_bytes(&w, spis);
    if (!wr_finish(&w, &body))
        abort();
    return body;
}

struct span body_notify(uint8_t *out, uint8_t protocol, struct span spi, uint16_t type,
                        struct span data)
{
    struct wr w = wr_of(out, 8 + spi.n + data.n);
    struct span body;

    wr_u32(&w, DOI_IPSEC);
    wr_u8(&w, protocol);
    wr_u8(&w, (uint8_t)spi.n);
    wr_u16(&w, type);
    wr_bytes(&w, spi);
    wr_bytes(&w, data);
    if (!wr_finish(&w, &body))
        abort();
    return body;
}

void cookies_of(const struct rig *r, uint8_t out[16])
{
    memcpy(out, r->ike->cky_i, 8);
    memcpy(out + 8, r->ike->cky_r, 8);
}

struct span forge_qm2(const struct rig *r, struct span sa, struct span nonce, struct build *b)
{
    const struct quick *q = &r->ike->quick[0];
    struct forged f = {.exchange = EXCHANGE_QUICK,
                       .flags = ISAKMP_FLAG_ENCRYPTION,
                       .message_id = q->message_id,
                       .part = {{PAYLOAD_SA, sa}, {PAYLOAD_NONCE, nonce}},
                       .n = 2,
                       .hash = true,
                       .before = span_of(q->ni, q->n_ni),
                       .iv = q->iv};

    return forge_ike(r, &f, b);
}

/* ---- numbers ---- */

uint32_t dice(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}
