/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The IKE engine in each of its states. The input is: state, way, exchange, first payload type,
 * then bytes that are a whole datagram (way 0), a body behind our cookies (1), a body that is
 * encrypted with the right key (2), or one that has the right HASH in front as well (3): the
 * parsers behind the HASH are reached without breaking it.
 */
#include "ike/policy.h"
#include "ike/v1/engine.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum fuzz_state {
    AT_MM1,
    AT_MM3,
    AT_MM5,
    AT_QUICK,
    AT_UP,
    AT_COMMIT,
    AT_DELETED,
    N_STATES
};
enum fuzz_way {
    WAY_DATAGRAM,
    WAY_CLEAR,
    WAY_SEALED,
    WAY_HASHED,
    N_WAYS
};

static uint64_t seed;

static bool seeded(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    for (size_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        out[i] = (uint8_t)(seed >> 33);
    }
    return true;
}

static const struct env env = {.rand = seeded};

static struct crypto *shared_crypto(void)
{
    static struct crypto *c;

    if (!c && !(c = crypto_new()))
        abort();
    return c;
}

static void drain(struct ike *ike)
{
    struct msg m;
    struct ike_event ev;

    while (ike_pop_out(ike, &m))
        msg_done(&m);
    while (ike_pop_event(ike, &ev))
        if (ev.type == IKE_EVENT_NEED_PSK)
            ike_answer_psk(ike, ev.need, span_str("key"), US_S(2));
    while (ike_pop_out(ike, &m))
        msg_done(&m);
    if (ike->out.overflow || ike->events.overflow)
        abort();
}

/* Fixed keys, as if main mode had been through. */
static void give_keys(struct ike *ike)
{
    ike->facts.suite = (struct ike_suite){CIPHER_AES_CBC, 128, HASH_SHA1, DH_ECP256};
    ike->natt = NATT_RFC;
    ike->facts.floated = true;
    ike->facts.dpd = true;
    ike->has_keys = true;
    ike->secrets->keys = (struct ike_keys){
        .hash = HASH_SHA1, .cipher = CIPHER_AES_CBC, .n = 20, .n_ka = 16, .ka = {1, 2, 3}};
    ike->secrets->keys.skeyid_a[0] = 7;
}

static struct ike *engine_in(enum fuzz_state state)
{
    struct ike_config cfg = {.env = &env,
                             .crypto = shared_crypto(),
                             .local = {.addr = inaddr_v4(0x0a000002), .port = 500},
                             .local_natt_port = 4500,
                             .remote = {.addr = inaddr_v4(0x0a000001), .port = 500},
                             .remote_natt_port = 4500,
                             .inner_port = 1701,
                             .ike_lifetime_s = 28800,
                             .esp_lifetime_s = 3600,
                             .dpd = true,
                             .fragmentation = true};
    struct ike *ike;

    if (!policy_named("legacy", &cfg.policy) || !(ike = ike_new(&cfg)))
        abort();
    ike_start(ike, US_S(1));
    drain(ike);
    if (state == AT_MM1)
        return ike;
    memset(ike->cky_r, 0x11, sizeof(ike->cky_r));
    if (state == AT_MM3) {
        ike->facts.suite = (struct ike_suite){CIPHER_AES_CBC, 128, HASH_SHA1, DH_ECP256};
        ike->natt = NATT_RFC;
        ike->dh = dh_new(cfg.crypto, DH_ECP256, &env);
        ike->state = P1_MM3_SENT;
        return ike;
    }
    give_keys(ike);
    ike->state = P1_MM5_SENT;
    if (state == AT_MM5)
        return ike;
    retransmit_stop(&ike->rtx);
    ike->state = P1_UP;
    ike->facts.established = true;
    if (state == AT_QUICK || state == AT_COMMIT)
        quick_start(ike, US_S(2));
    if (state == AT_COMMIT)
        ike->quick[0].state = QUICK_COMMIT;
    ike->sas[0] = (struct ike_sa_record){.spi_in = 0x1000, .spi_out = 0x2000, .live = true};
    if (state == AT_DELETED)
        ike->state = P1_DELETED;
    drain(ike);
    return ike;
}

/* Message 6 with the body as IDir and the right HASH_R. */
static bool wrap_mm6(struct ike *ike, struct span id, struct build *b, struct span *out)
{
    uint8_t hash[HASH_MAX];
    uint8_t iv[IKE_BLOCK_MAX];

    memcpy(iv, ike->iv, sizeof(iv));
    if (!keymat_hash_phase1(ike->cfg.crypto, &ike->secrets->keys, span_of(ike->gxr, ike->n_gxr),
                            span_of(ike->gxi, ike->n_gxi), ike->cky_r, ike->cky_i,
                            span_of(ike->sai_b, ike->n_sai_b), id, hash))
        return false;
    build_bytes(b, PAYLOAD_ID, id);
    build_bytes(b, PAYLOAD_HASH, span_of(hash, ike->secrets->keys.n));
    return build_seal(b, ike->cfg.crypto, &ike->secrets->keys, iv, out);
}

/* A message in the right envelope; false when it does not fit. */
static bool wrap(struct ike *ike, enum fuzz_way way, uint8_t exchange, uint8_t first,
                 struct span body, struct build *b, struct span *out)
{
    uint32_t mid = exchange == EXCHANGE_MAIN ? 0
                   : exchange == EXCHANGE_QUICK && ike->quick[0].state != QUICK_FREE
                       ? ike->quick[0].message_id
                       : 0x5555;
    uint8_t iv[IKE_BLOCK_MAX];
    size_t at = 0;

    static const uint8_t cky_r[ISAKMP_COOKIE_LEN] = {0x11, 0x11, 0x11, 0x11,
                                                     0x11, 0x11, 0x11, 0x11};

    build_start(b, ike->cky_i, cky_r, exchange, way >= WAY_SEALED ? ISAKMP_FLAG_ENCRYPTION : 0,
                mid);
    if (way == WAY_HASHED && exchange == EXCHANGE_MAIN)
        return wrap_mm6(ike, body, b, out);
    if (way == WAY_HASHED)
        at = build_hash(b, ike->secrets->keys.n);
    wr_patch_u8(&b->w, b->next_at, first);
    wr_bytes(&b->w, body);
    if (way < WAY_SEALED)
        return build_finish(b, out);
    if (exchange == EXCHANGE_MAIN)
        memcpy(iv, ike->iv, sizeof(iv));
    else if (exchange == EXCHANGE_QUICK && mid != 0x5555)
        memcpy(iv, ike->quick[0].iv, sizeof(iv));
    else if (!keymat_iv_exchange(ike->cfg.crypto, &ike->secrets->keys, ike->iv, mid, iv))
        return false;
    if (way == WAY_HASHED) {
        uint8_t hash[HASH_MAX];
        bool answer = exchange == EXCHANGE_QUICK && ike->quick[0].state == QUICK_QM1_SENT;
        struct span behind = build_behind(b, at, ike->secrets->keys.n);
        struct span before = answer ? span_of(ike->quick[0].ni, ike->quick[0].n_ni) : SPAN_NONE;

        /* The HASH ends where the chain ends; without padding in the input that is the same. */
        if (!keymat_hash_exchange(ike->cfg.crypto, &ike->secrets->keys, mid, before, behind, hash))
            return false;
        build_hash_fill(b, at, span_of(hash, ike->secrets->keys.n));
    }
    return build_seal(b, ike->cfg.crypto, &ike->secrets->keys, iv, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ike *ike;
    struct build b;
    struct span message;
    struct endpoint from;
    enum ike_port port;
    enum fuzz_way way;
    l2tpc_us now = US_S(3);

    if (size < 4)
        return 0;
    seed = 1;
    ike = engine_in((enum fuzz_state)(data[0] % N_STATES));
    way = (enum fuzz_way)(data[1] % N_WAYS);
    if (!ike->has_keys && way >= WAY_SEALED)
        way = WAY_CLEAR;
    message = span_of(data + 4, size - 4);
    port = ike_own_port(ike);
    from = *ike_peer(ike, port);
    if (way == WAY_DATAGRAM || wrap(ike, way, data[2], data[3], message, &b, &message))
        (void)ike_input(ike, port, &from, message, now);
    drain(ike);
    for (unsigned i = 0; i < 8 && ike_deadline(ike) != US_NEVER; i++) {
        now = us_max(now, ike_deadline(ike));
        ike_timer(ike, now);
        drain(ike);
    }
    ike_close(ike, now);
    drain(ike);
    ike_free(ike);
    return 0;
}
