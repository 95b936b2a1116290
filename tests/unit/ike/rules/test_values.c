/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Key exchange values, nonces, identities, original addresses, and lengths of everything. */
#include "check.h"
#include "stage.h"

#include <openssl/bn.h>
#include <stdlib.h>
#include <string.h>

/* The genuine message 4 with another KE or nonce; NAT-D payloads are left out. */
static struct span mm4_with(struct rig *r, struct span ke, struct span nonce, struct build *b)
{
    struct forged f = {
        .exchange = EXCHANGE_MAIN, .part = {{PAYLOAD_KE, ke}, {PAYLOAD_NONCE, nonce}}, .n = 2};

    return forge_ike(r, &f, b);
}

static bool is_modp(enum dh_group g)
{
    return g == DH_MODP1024 || g == DH_MODP1536 || g == DH_MODP2048 || g == DH_MODP3072;
}

/* p of RFC 2409 6.2 and RFC 3526, from the library. */
static void prime_of(enum dh_group g, uint8_t *out, size_t n)
{
    BIGNUM *p = g == DH_MODP1024   ? BN_get_rfc2409_prime_1024(NULL)
                : g == DH_MODP1536 ? BN_get_rfc3526_prime_1536(NULL)
                : g == DH_MODP2048 ? BN_get_rfc3526_prime_2048(NULL)
                                   : BN_get_rfc3526_prime_3072(NULL);

    if (!p || BN_bn2binpad(p, out, (int)n) != (int)n)
        abort();
    BN_free(p);
}

enum bad_value {
    KE_EMPTY,
    KE_ZERO,
    KE_ONE,
    KE_P_LESS_1,
    KE_P,
    KE_P_AND_1,
    KE_ALL_ONES,
    KE_SHORT,
    KE_LONG,
    KE_OURS,
    KE_OFF_CURVE,
    KE_KINDS,
};

/* SPAN_NONE with n = SIZE_MAX: this kind does not exist in that group. */
static bool bad_value(const struct rig *r, enum bad_value kind, uint8_t *v, size_t *n)
{
    enum dh_group g = r->ike->facts.suite.group;
    size_t size = dh_public_size(g);

    *n = size;
    memset(v, 0, size + 1);
    switch (kind) {
    case KE_EMPTY:
        *n = 0;
        return true;
    case KE_ZERO:
        return true;
    case KE_ONE:
        v[size - 1] = 1;
        return true;
    case KE_P_LESS_1:
    case KE_P:
    case KE_P_AND_1:
        if (!is_modp(g))
            return false;
        prime_of(g, v, size);
        if (kind == KE_P_LESS_1)
            v[size - 1]--;
        for (size_t i = size; kind == KE_P_AND_1 && i > 0 && ++v[i - 1] == 0; i--)
            ;
        return true;
    case KE_ALL_ONES:
        memset(v, 0xff, size);
        return true;
    case KE_SHORT: /* MODP: a server may strip leading zeros, so that shorter is no proof of harm */
        memcpy(v, r->server.gxr, size);
        *n = size - 1;
        return !is_modp(g);
    case KE_LONG:
        memcpy(v + 1, r->server.gxr, size);
        *n = size + 1;
        return true;
    case KE_OURS:
        memcpy(v, r->ike->gxi, size);
        return true;
    case KE_OFF_CURVE:
        memcpy(v, r->server.gxr, size);
        v[size - 1] ^= 1;
        return !is_modp(g);
    case KE_KINDS:
        break;
    }
    return false;
}

/* C9 in the exchange: every suite, every bad value dropped, and the genuine one is taken. */
TEST(h20_key_exchange_values)
{
    struct policy p;

    CHECK(policy_named("legacy", &p));
    for (unsigned i = 0; i < p.n_ike; i++) {
        struct server_habits habits = {.transform = i};
        struct rig *r = rig_at_with(AT_MM3, &habits);
        struct memory *m = memory_of(r);
        uint8_t v[DH_MAX + 1], nonce[16] = {7};

        for (enum bad_value kind = KE_EMPTY; kind < KE_KINDS; kind++) {
            struct build b;
            size_t n;

            if (!bad_value(r, kind, v, &n))
                continue;
            if (rig_give(r, mm4_with(r, span_of(v, n), SPAN_ARRAY(nonce), &b)) != VERDICT_DROP ||
                !memory_holds(m, r))
                check_fail(__FILE__, __LINE__, "%s takes the value of kind %u",
                           dh_name(p.ike[i].group), kind);
        }
        memory_free(m);
        rig_run(r, r->now + US_S(2));
        CHECK(rig_event(r, IKE_EVENT_SA_READY, 0));
        rig_free(r);
    }
}

TEST(h21_nonces)
{
    struct rig *r = rig_at(AT_MM3);
    struct memory *m = memory_of(r);
    struct span ke = span_of(r->server.gxr, r->server.n_gxr);
    uint8_t nonce[600];
    struct build b;

    memset(nonce, 0x42, sizeof(nonce));
    for (size_t n = 0; n <= sizeof(nonce); n += check_step()) {
        if (n >= 8 && n <= 256)
            continue;
        CHECK_INT(rig_give(r, mm4_with(r, ke, span_of(nonce, n), &b)), VERDICT_DROP);
        CHECK(memory_holds(m, r));
    }
    CHECK_INT(rig_give(r, mm4_with(r, ke, span_of(r->ike->ni, r->ike->n_ni), &b)), VERDICT_DROP);
    CHECK(memory_holds(m, r));
    memory_free(m);
    rig_free(r);
    for (size_t n = 8; n <= 256; n += 248) {
        r = rig_at(AT_MM3);
        CHECK_INT(rig_give(r, mm4_with(r, span_of(r->server.gxr, r->server.n_gxr),
                                       span_of(nonce, n), &b)),
                  VERDICT_OK);
        rig_forget_flights(r);
        rig_free(r);
    }
    /* In quick mode the same. */
    r = rig_at(AT_QM1);
    m = memory_of(r);
    for (size_t n = 0; n < 8; n++)
        CHECK_INT(rig_give(r, forge_qm2(r, SPAN_ARRAY(nonce), span_of(nonce, n), &b)),
                  VERDICT_DROP);
    CHECK_INT(rig_give(r, forge_qm2(r, SPAN_ARRAY(nonce), span_of(nonce, 257), &b)), VERDICT_DROP);
    CHECK_INT(rig_give(r, forge_qm2(r, SPAN_ARRAY(nonce),
                                    span_of(r->ike->quick[0].ni, r->ike->quick[0].n_ni), &b)),
              VERDICT_DROP);
    CHECK(memory_holds(m, r));
    memory_free(m);
    rig_free(r);
}

/* A server that has the key and no identity that can be shown. */
TEST(h22_identities_that_cannot_be)
{
    static uint8_t long_name[4 + 513] = {2};
    static const uint8_t bodies[][12] = {
        {1, 0, 0, 0, 1, 2, 3},        /* an address of 3 bytes */
        {5, 0, 0, 0, 1, 2, 3, 4},     /* IPv6 of 4 */
        {2, 0, 0, 0, 'a', 0, 'b'},    /* NUL */
        {3, 0, 0, 0, 'a', '\n', 'b'}, /* a control byte */
        {2, 0, 0, 0, 0x7f, 'b', 'c'}, /* DEL */
        {0, 0, 0, 0, 1, 2, 3},        /* unknown types */
        {12, 0, 0, 0, 1, 2, 3},       {255, 0, 0, 0, 1, 2, 3},
    };
    static const uint8_t sizes[] = {7, 8, 7, 7, 7, 7, 7, 7};

    memset(long_name + 4, 'a', sizeof(long_name) - 4);
    for (size_t i = 0; i <= ARRAY_LEN(bodies) + 1; i++) {
        struct rig *r = rig_new();
        const char *value;

        r->server.habits.id = i < ARRAY_LEN(bodies)    ? span_of(bodies[i], sizes[i])
                              : i == ARRAY_LEN(bodies) ? SPAN_ARRAY(long_name)
                                                       : span_of(long_name, 4); /* empty */
        rig_start(r);
        rig_run(r, r->now + US_S(1));
        CHECK_STR(failure_code(rig_failure(r)->id), "ike.auth.peer-id");
        CHECK(!rig_event(r, IKE_EVENT_AUTHENTICATED, 0) && !rig_event(r, IKE_EVENT_SA_PAIR, 0));
        value = rig_failure(r)->value;
        CHECK(strlen(value) > 0 || i > ARRAY_LEN(bodies));
        for (const char *c = value; *c; c++)
            CHECK((unsigned char)*c >= 0x20 && *c != 0x7f);
        rig_free(r);
    }
    /* So is a distinguished name that is no DER. */
    {
        static const uint8_t dn[] = {9, 0, 0, 0, 0x30, 0x82, 0xff, 0xff, 0x31};
        struct rig *r = rig_new();

        r->server.habits.id = SPAN_ARRAY(dn);
        rig_start(r);
        rig_run(r, r->now + US_S(1));
        CHECK_STR(failure_code(rig_failure(r)->id), "ike.auth.peer-id");
        CHECK_STR(ike_facts(r->ike)->peer_id, "");
        rig_free(r);
    }
}

/* Without an identity in the profile any is accepted, and shown. */
TEST(h23_any_identity_with_a_key_is_shown)
{
    static const uint8_t name[] = {2, 0, 0, 0, 'e', 'v', 'i', 'l', 0xc3, 0xa9};
    struct rig *r = rig_new();

    r->server.habits.id = SPAN_ARRAY(name);
    rig_start(r);
    rig_run(r, r->now + US_S(1));
    CHECK(rig_event(r, IKE_EVENT_SA_READY, 0));
    CHECK_STR(ike_facts(r->ike)->peer_id, "evil\xc3\xa9");
    rig_free(r);
}

TEST(h35_original_addresses_that_say_nothing)
{
    static const char *const addresses[] = {"127.0.0.1", "224.0.0.1", "0.0.0.0", "255.255.255.255"};

    for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
        struct rig *r = rig_new();

        CHECK(inaddr_parse(&r->server.habits.nat_oa[0], addresses[i]));
        r->server.habits.nat_oa[1] = r->cfg.remote.addr;
        rig_start(r);
        rig_run(r, r->now + US_S(1));
        CHECK(rig_event(r, IKE_EVENT_SA_READY, 0));
        CHECK_INT(ike_facts(r->ike)->nat_local,
                  i == 3 ? ike_facts(r->ike)->nat_local : IKE_NAT_UNKNOWN);
        rig_free(r);
    }
}

/* ---- lengths ---- */
TEST(c10_every_length_in_every_state)
{
    static const uint8_t exchanges[] = {EXCHANGE_MAIN,          EXCHANGE_AGGRESSIVE,
                                        EXCHANGE_INFORMATIONAL, EXCHANGE_TRANSACTION,
                                        EXCHANGE_QUICK,         34};

    for (enum at at = AT_NEW; at < AT_COUNT; at++) {
        struct rig *r = rig_at(at);
        struct memory *m;

        rig_forget_flights(r);
        m = memory_of(r);
        for (unsigned k = 0; k < ARRAY_LEN(exchanges) * 4; k++) {
            uint8_t bytes[1500];

            memset(bytes, k & 1 ? 0 : 0x5a, sizeof(bytes));
            memcpy(bytes, r->ike->cky_i, 8);
            memcpy(bytes + 8, r->ike->cky_r, 8);
            bytes[16] = k & 1 ? PAYLOAD_SA : PAYLOAD_HASH;
            bytes[17] = 0x10;
            bytes[18] = exchanges[k / 4];
            bytes[19] = k & 2 ? ISAKMP_FLAG_ENCRYPTION : 0;
            if (exchanges[k / 4] == EXCHANGE_MAIN)
                memset(bytes + 20, 0, 4);
            for (size_t n = 0; n <= sizeof(bytes); n += check_step()) {
                if (n >= 28) {
                    bytes[24] = bytes[25] = 0;
                    bytes[26] = (uint8_t)(n >> 8);
                    bytes[27] = (uint8_t)n;
                }
                CHECK_INT(rig_give(r, span_of(bytes, n)), VERDICT_DROP);
            }
            CHECK(memory_holds(m, r));
        }
        memory_free(m);
        rig_free(r);
    }
}

/* The parsers alone, every length on the heap, so that one byte too far is seen. */
TEST(c10_every_length_of_every_parser)
{
    struct policy p;
    struct chain *c = malloc(sizeof(*c));
    unsigned parsed = 0;

    CHECK(c && policy_named("legacy", &p));
    for (size_t n = 0; n <= 1500; n += check_step()) {
        uint8_t *bytes = malloc(n ? n : 1);
        struct span s = span_of(bytes, n);

        for (unsigned fill = 0; fill < 5; fill++) {
            static const uint8_t fills[] = {0, 0xff, 1, 4, 0x80};
            struct esp_offer offer = {.policy = &p, .encapsulation = 4, .lifetime_s = 3600};
            struct isakmp_header h;
            struct delete_payload d;
            struct notify notify;
            struct identity id;
            struct inaddr a;
            struct phase1_choice p1;
            struct esp_choice esp;
            struct span body;
            uint8_t number;
            uint64_t kb = 0;
            uint32_t seconds = 3600;

            memset(bytes, fills[fill], n);
            parsed += isakmp_parse_header(s, &h, &body);
            for (unsigned type = 0; type < 256; type += 13)
                parsed += isakmp_split((uint8_t)type, s, c);
            parsed += isakmp_parse_notify(s, &notify);
            parsed += isakmp_parse_delete(s, &d);
            parsed += isakmp_parse_identity(s, &id);
            parsed += isakmp_parse_nat_oa(s, &a);
            CHECK(proposal_read_phase1(s, &p, 28800, &p1) != OFFER_OK);
            CHECK(proposal_choose_phase1(s, &p, 28800, &p1) != OFFER_OK);
            CHECK(proposal_read_esp(s, &offer, &esp) != OFFER_OK);
            CHECK(proposal_choose_esp(s, &offer, &esp, &number) != OFFER_OK);
            parsed += proposal_lower_lifetime(s, &seconds, &kb);
        }
        free(bytes);
    }
    CHECK(parsed > 1000 / check_step());
    free(c);
}

/* ---- strangers ---- */

/* From anywhere and from the server's own address, which anybody can write on a packet. */
TEST(c12_100000_spoofed_packets_bring_nothing_out)
{
    struct rig *up = rig_at(AT_UP);
    struct rig *early = rig_at(AT_MM1);
    struct memory *m[2];
    uint32_t seed = 12;

    rig_forget_flights(early);
    m[0] = memory_of(up);
    m[1] = memory_of(early);
    for (unsigned i = 0; i < check_rounds(100000); i++) {
        struct rig *r = i & 1 ? early : up;
        uint8_t bytes[200];
        size_t n = 28 + dice(&seed) % 170;
        struct endpoint from = {
            .addr = inaddr_v4(i % 3 ? dice(&seed) : inaddr_to_v4(&r->server.at.addr)),
            .port = (uint16_t)(i % 5 ? dice(&seed) : 500)};

        for (size_t k = 0; k < n; k++)
            bytes[k] = (uint8_t)dice(&seed);
        bytes[17] = 0x10;
        bytes[18] = (uint8_t)(i % 4 == 0   ? EXCHANGE_MAIN
                              : i % 4 == 1 ? EXCHANGE_INFORMATIONAL
                                           : dice(&seed) % 40);
        bytes[19] &= 1;
        if (i % 7 == 0) /* a fresh message 1, to become a responder */
            memset(bytes + 8, 0, 8), memset(bytes + 20, 0, 4), bytes[16] = PAYLOAD_SA,
                                                               bytes[19] = 0;
        if (i % 11 == 0)
            memcpy(bytes, r->ike->cky_i, 8);
        if (i % 13 == 0)
            memcpy(bytes + 8, r->ike->cky_r, 8);
        bytes[24] = bytes[25] = 0;
        bytes[26] = (uint8_t)(n >> 8);
        bytes[27] = (uint8_t)n;
        CHECK_INT(ike_input(r->ike, i & 2 ? IKE_PORT_4500 : IKE_PORT_500, &from, span_of(bytes, n),
                            r->now),
                  VERDICT_DROP);
    }
    CHECK(memory_holds(m[0], up) && memory_holds(m[1], early));
    CHECK_INT(up->ike->out.used + early->ike->out.used, 0);
    memory_free(m[0]);
    memory_free(m[1]);
    rig_free(up);
    rig_free(early);
}

/* Before the float not a byte is heard from elsewhere, be it as right as it may. */
TEST(h39_other_addresses_before_the_float)
{
    static const enum at states[] = {AT_MM1, AT_MM3, AT_MM5};

    for (size_t s = 0; s < ARRAY_LEN(states); s++) {
        struct server_habits habits = {.no_natt = true};
        struct rig *r = rig_at_with(states[s], &habits);
        struct memory *m = memory_of(r);
        struct flight *f = &r->flight[0];
        struct endpoint from = f->from;

        from.port ^= 1;
        CHECK_INT(ike_input(r->ike, f->port, &from, span_of(f->bytes, f->n), r->now), VERDICT_DROP);
        from = f->from;
        from.addr = inaddr_v4(0x08080808);
        CHECK_INT(ike_input(r->ike, f->port, &from, span_of(f->bytes, f->n), r->now), VERDICT_DROP);
        CHECK_INT(ike_input(r->ike, IKE_PORT_4500, &f->from, span_of(f->bytes, f->n), r->now),
                  VERDICT_DROP);
        CHECK(memory_holds(m, r));
        memory_free(m);
        rig_run(r, r->now + US_S(2));
        CHECK(r->server.qm_done);
        rig_free(r);
    }
}
