/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers to our offers, attribute for attribute, and the numbers that stand on the wire. */
#include "check.h"
#include "stage.h"

#include <stdlib.h>
#include <string.h>

/* ---- answers of any form ---- */
struct attr {
    uint16_t type;
    uint32_t value;
    bool wide;
};

#define ATTRS_MAX 10

struct answer {
    uint32_t doi, situation;
    uint8_t protocol, id;
    unsigned proposals, transforms;
    size_t spi;
    struct attr attr[ATTRS_MAX];
    unsigned n;
};

static void write_transform(struct wr *w, const struct answer *a, bool more)
{
    struct wr_box box;

    wr_u8(w, more ? 3 : 0);
    wr_u8(w, 0);
    box = wr_open(w, 2);
    wr_u8(w, 1);
    wr_u8(w, a->id);
    wr_u16(w, 0);
    for (unsigned i = 0; i < a->n; i++) {
        wr_u16(w, (uint16_t)(a->attr[i].wide ? a->attr[i].type : 0x8000 | a->attr[i].type));
        if (a->attr[i].wide)
            wr_u16(w, 4), wr_u32(w, a->attr[i].value);
        else
            wr_u16(w, (uint16_t)a->attr[i].value);
    }
    wr_close(w, box);
}

static struct span write_answer(const struct answer *a, uint8_t *m, size_t cap)
{
    struct wr w = wr_of(m, cap);
    struct span out;

    wr_u32(&w, a->doi);
    wr_u32(&w, a->situation);
    for (unsigned p = 0; p < a->proposals; p++) {
        struct wr_box box;

        wr_u8(&w, p + 1 < a->proposals ? 2 : 0);
        wr_u8(&w, 0);
        box = wr_open(&w, 2);
        wr_u8(&w, 1);
        wr_u8(&w, a->protocol);
        wr_u8(&w, (uint8_t)a->spi);
        wr_u8(&w, (uint8_t)a->transforms);
        for (size_t i = 0; i < a->spi; i++)
            wr_u8(&w, 0x21);
        for (unsigned t = 0; t < a->transforms; t++)
            write_transform(&w, a, t + 1 < a->transforms);
        wr_close(&w, box);
    }
    if (!wr_finish(&w, &out))
        abort();
    return out;
}

/* AES-CBC-256, SHA2-256, the key, group 14, 28800 s: the one suite of `one_ike`. */
static const struct answer good_p1 = {1,
                                      1,
                                      PROTOCOL_ISAKMP,
                                      1,
                                      1,
                                      1,
                                      0,
                                      {{P1_ATTR_ENCRYPTION, 7, false},
                                       {P1_ATTR_KEY_LENGTH, 256, false},
                                       {P1_ATTR_HASH, 4, false},
                                       {P1_ATTR_AUTH, 1, false},
                                       {P1_ATTR_GROUP, 14, false},
                                       {P1_ATTR_LIFE_TYPE, 1, false},
                                       {P1_ATTR_LIFE, 28800, true}},
                                      7};
/* AES-CBC-256, SHA1, UDP-encapsulated transport mode, 3600 s. */
static const struct answer good_p2 = {1,
                                      1,
                                      PROTOCOL_ESP,
                                      12,
                                      1,
                                      1,
                                      4,
                                      {{P2_ATTR_ENCAPSULATION, 4, false},
                                       {P2_ATTR_KEY_LENGTH, 256, false},
                                       {P2_ATTR_AUTH, 2, false},
                                       {P2_ATTR_LIFE_TYPE, 1, false},
                                       {P2_ATTR_LIFE, 3600, true}},
                                      5};

static struct policy one_suite(void)
{
    return (struct policy){.ike = {{CIPHER_AES_CBC, 256, HASH_SHA256, DH_MODP2048}},
                           .n_ike = 1,
                           .esp = {{CIPHER_AES_CBC, 256, HASH_SHA1, false}},
                           .n_esp = 1,
                           .auth = IKE_AUTH_PSK};
}

static enum offer_verdict read_p1(const struct answer *a, const struct policy *p)
{
    struct phase1_choice choice = {0};
    uint8_t m[1024];

    return proposal_read_phase1(write_answer(a, m, sizeof(m)), p, 28800, &choice);
}

static enum offer_verdict read_p2(const struct answer *a, const struct policy *p)
{
    struct esp_offer offer = {.policy = p, .encapsulation = 4, .lifetime_s = 3600};
    struct esp_choice choice = {0};
    uint8_t m[1024];

    return proposal_read_esp(write_answer(a, m, sizeof(m)), &offer, &choice);
}

static enum offer_verdict read_any(const struct answer *a, const struct policy *p)
{
    return a->protocol == PROTOCOL_ISAKMP ? read_p1(a, p) : read_p2(a, p);
}

static void each_attribute(const struct answer *good, uint16_t life, const struct policy *p)
{
    CHECK_INT(read_any(good, p), OFFER_OK);
    for (unsigned i = 0; i < good->n; i++) {
        struct answer a = *good;

        /* Every value but the offered one; a lifetime may be any that can be lived with. */
        for (uint32_t v = 0; v < 65536; v += check_step()) {
            enum offer_verdict got;

            if (v == good->attr[i].value)
                continue;
            a.attr[i].value = v;
            got = read_any(&a, p);
            /* Kilobytes in place of seconds: a lifetime too, of 3600 KiB. */
            if (good->attr[i].type == P2_ATTR_LIFE_TYPE && life == P2_ATTR_LIFE && v == 2)
                continue;
            if (good->attr[i].type == life ? (got == OFFER_OK) != (v >= LIFE_MIN_S)
                                           : got == OFFER_OK)
                check_fail(__FILE__, __LINE__, "attribute %u value %u: %d", good->attr[i].type, v,
                           (int)got);
        }
        /* Missing, twice, and as another number that nobody offered. */
        a = *good;
        memmove(&a.attr[i], &a.attr[i + 1], (a.n - i - 1) * sizeof(a.attr[0]));
        a.n--;
        CHECK(read_any(&a, p) != OFFER_OK || good->attr[i].type == life);
        a = *good;
        a.attr[a.n++] = good->attr[i];
        CHECK(read_any(&a, p) != OFFER_OK);
        for (uint16_t type = 0; type < 32768; type = (uint16_t)(type + 1 + type / 64)) {
            a = *good;
            a.attr[a.n++] = (struct attr){type, 1, false};
            CHECK(read_any(&a, p) != OFFER_OK);
        }
    }
}

TEST(c07_answer_equals_one_offer_attribute_for_attribute)
{
    struct policy p = one_suite();

    each_attribute(&good_p1, P1_ATTR_LIFE, &p);
    each_attribute(&good_p2, P2_ATTR_LIFE, &p);
    /* An offer with a group: one that is answered is the one. */
    for (unsigned g = 0; g < 65536; g += check_step()) {
        struct esp_offer offer = {
            .policy = &p, .pfs = DH_MODP2048, .encapsulation = 4, .lifetime_s = 3600};
        struct esp_choice choice = {0};
        struct answer a = good_p2;
        uint8_t m[1024];

        a.attr[a.n++] = (struct attr){P2_ATTR_GROUP, g, false};
        CHECK_INT(proposal_read_esp(write_answer(&a, m, sizeof(m)), &offer, &choice) == OFFER_OK,
                  g == DH_MODP2048 || g == 0);
    }
}

/* ---- numbers ---- */

/* What may come out of the whole legacy list: exactly the numbers of the RFCs. */
static bool is_known(uint16_t attribute, uint32_t v)
{
    switch (attribute) {
    case P1_ATTR_HASH:
        return v == 2 || v == 4 || v == 5;
    case P1_ATTR_GROUP:
        return v == 2 || v == 5 || v == 14 || v == 15 || v == 19 || v == 20;
    default:
        return v == 7;
    }
}

TEST(c08_every_number_of_every_field)
{
    struct policy p;
    unsigned taken = 0;

    CHECK(policy_named("legacy", &p));
    for (unsigned i = 0; i < good_p1.n; i++) {
        uint16_t type = good_p1.attr[i].type;

        if (type != P1_ATTR_HASH && type != P1_ATTR_GROUP && type != P1_ATTR_ENCRYPTION)
            continue;
        for (uint32_t v = 0; v < 65536; v += check_step()) {
            struct answer a = good_p1;

            a.attr[i].value = v;
            if (read_p1(&a, &p) != OFFER_OK)
                continue;
            taken++;
            if (!is_known(type, v))
                check_fail(__FILE__, __LINE__, "attribute %u value %u", type, v);
        }
    }
    CHECK(taken >= 5 || check_step() > 1);
    /* Names of ciphers, hashes and groups that are ours alone never stand on the wire. */
    for (uint32_t v = 0; v < 65536; v += check_step()) {
        struct answer a = good_p2;

        CHECK(isakmp_p1_cipher(v) == CIPHER_NONE || v == 1 || v == 5 || v == 7);
        CHECK(isakmp_p1_hash(v) == HASH_NONE || (v >= 1 && v <= 6));
        CHECK(isakmp_esp_auth(v) == HASH_NONE || (v >= 1 && v <= 7));
        a.attr[0].value = v; /* encapsulation mode */
        CHECK_INT(read_p2(&a, &p) == OFFER_OK, v == 4);
        a = good_p2;
        a.attr[2].value = v; /* authentication algorithm */
        CHECK_INT(read_p2(&a, &p) == OFFER_OK, v == 2 || v == 5);
        if (v < 256) {
            a = good_p2;
            a.id = (uint8_t)v; /* transform: AES-CBC alone has these attributes */
            CHECK_INT(read_p2(&a, &p) == OFFER_OK, v == 12);
            a = good_p2;
            a.protocol = (uint8_t)v;
            CHECK_INT(read_p2(&a, &p) == OFFER_OK, v == PROTOCOL_ESP);
            a = good_p1;
            a.id = (uint8_t)v;
            CHECK_INT(read_p1(&a, &p) == OFFER_OK, v == 1);
            a = good_p1;
            a.doi = v;
            CHECK_INT(read_p1(&a, &p) == OFFER_OK, v == 1);
            a.doi = 1 | v << 24; /* CVE-2015-3204: unassigned bits */
            CHECK_INT(read_p1(&a, &p) == OFFER_OK, v == 0);
            a.doi = 1;
            a.situation = v;
            CHECK_INT(read_p1(&a, &p) == OFFER_OK, v == 1);
        }
    }
}

/* Payload types of IKEv2 and of old drafts, in each place of every message of the dial. */
TEST(c08_payload_types_of_other_protocols)
{
    static const uint8_t bytes[16] = {0};
    struct rig *r = rig_at(AT_MM1);
    struct memory *m = memory_of(r);
    uint8_t sa[512];
    struct span body = write_answer(&good_p1, sa, sizeof(sa));

    for (unsigned type = 14; type < 128; type++) {
        struct forged f = {.exchange = EXCHANGE_MAIN,
                           .part = {{PAYLOAD_SA, body}, {(uint8_t)type, SPAN_ARRAY(bytes)}},
                           .n = 2};
        struct build b;

        if (type == PAYLOAD_NAT_D || type == PAYLOAD_NAT_OA)
            continue;
        for (unsigned first = 0; first < 2; first++) {
            struct span out = forge_ike(r, &f, &b);

            memset(b.bytes + 8, 0x31, 8);
            CHECK_INT(rig_give(r, out), VERDICT_DROP);
            CHECK(memory_holds(m, r));
            f.part[1] = f.part[0];
            f.part[0] = (struct part){(uint8_t)type, SPAN_ARRAY(bytes)};
        }
    }
    memory_free(m);
    rig_free(r);
}

/* Only the method that was offered; those with RSA encryption (2, 4, 5) never are. */
TEST(c15_authentication_methods)
{
    static const enum ike_auth ours[] = {IKE_AUTH_PSK, IKE_AUTH_RSA, IKE_AUTH_ECDSA_256,
                                         IKE_AUTH_ECDSA_384, IKE_AUTH_ECDSA_521};

    for (size_t k = 0; k < ARRAY_LEN(ours); k++) {
        struct policy p = one_suite();
        uint8_t offer[512];
        struct wr w = wr_of(offer, sizeof(offer));
        struct span sa;

        p.auth = ours[k];
        for (uint32_t v = 0; v < 65536; v += check_step()) {
            struct answer a = good_p1;

            a.attr[3].value = v;
            CHECK_INT(read_p1(&a, &p) == OFFER_OK, v == (uint32_t)ours[k]);
        }
        proposal_write_phase1(&w, &p, 28800);
        CHECK(wr_finish(&w, &sa));
        for (size_t i = 0; i + 4 <= sa.n; i++) /* 80 03: the method, in its basic form */
            if (sa.p[i] == 0x80 && sa.p[i + 1] == 3 && sa.p[i + 2] == 0)
                CHECK_INT(sa.p[i + 3], ours[k]);
    }
}

/* ---- in the exchange ---- */

/* The genuine message 2 with another SA payload. */
static struct span mm2_with(struct rig *r, struct span sa, struct build *b)
{
    struct forged f = {.exchange = EXCHANGE_MAIN, .part = {{PAYLOAD_SA, sa}}, .n = 1};
    struct span out = forge_ike(r, &f, b);

    memcpy(b->bytes + 8, r->flight[0].bytes + 8, 8);
    return out;
}

/* Phase 1: dropped, and the genuine one is taken. Phase 2: the server has refused what we asked. */
static void refused_in_both_phases(const struct answer *p1, const struct answer *p2,
                                   const char *value)
{
    struct rig *r = rig_at(AT_MM1);
    struct memory *m = memory_of(r);
    uint8_t sa[1024], nonce[16] = {1, 2, 3};
    struct build b;

    CHECK_INT(rig_give(r, mm2_with(r, write_answer(p1, sa, sizeof(sa)), &b)), VERDICT_DROP);
    CHECK(memory_holds(m, r));
    memory_free(m);
    rig_run(r, r->now + US_S(2));
    CHECK(rig_event(r, IKE_EVENT_SA_READY, 0));
    rig_free(r);
    r = rig_at(AT_QM1);
    CHECK_INT(rig_give(r, forge_qm2(r, write_answer(p2, sa, sizeof(sa)), SPAN_ARRAY(nonce), &b)),
              VERDICT_FATAL);
    rig_run(r, r->now + US_S(2));
    CHECK_STR(failure_code(rig_failure(r)->id), "ike.quick.policy");
    if (value)
        CHECK_STR(rig_failure(r)->value, value);
    CHECK(!rig_event(r, IKE_EVENT_SA_PAIR, 0));
    rig_free(r);
}

TEST(h14_doi_situation_and_counts)
{
    for (unsigned how = 0; how < 5; how++) {
        struct answer p1 = good_p1, p2 = good_p2;

        p1.doi = p2.doi = how == 0 ? 0 : how == 4 ? 2 : 1;
        p1.situation = p2.situation = how == 1 ? 2 : 1;
        p1.proposals = p2.proposals = how == 2 ? 2 : 1;
        p1.transforms = p2.transforms = how == 3 ? 2 : 1;
        refused_in_both_phases(&p1, &p2, NULL);
    }
}

TEST(h15_answers_that_are_no_offer)
{
    struct answer p1 = good_p1, p2 = good_p2;

    p1.attr[1].value = p2.attr[1].value = 192;
    refused_in_both_phases(&p1, &p2, "it is none of our offers");
    p1 = good_p1, p2 = good_p2;
    p1.attr[4].value = 1;
    p2.attr[p2.n++] = (struct attr){P2_ATTR_GROUP, 14, false};
    refused_in_both_phases(&p1, &p2, "it is none of our offers");
    p1 = good_p1, p2 = good_p2;
    p1.n--;
    p2.attr[0].type = 99;
    refused_in_both_phases(&p1, &p2, "it is none of our offers");
}

TEST(h16_attribute_forms)
{
    struct answer p1 = good_p1, p2 = good_p2;

    p1.attr[p1.n++] = p1.attr[0]; /* twice */
    p2.attr[p2.n++] = p2.attr[0];
    refused_in_both_phases(&p1, &p2, "a malformed SA payload");
    p1 = good_p1, p2 = good_p2;
    p1.attr[0].wide = p2.attr[0].wide = true; /* the variable form of what is basic */
    refused_in_both_phases(&p1, &p2, "a malformed SA payload");
    p1 = good_p1, p2 = good_p2;
    p1.attr[5].wide = p2.attr[3].wide = true; /* of the life type too */
    refused_in_both_phases(&p1, &p2, "a malformed SA payload");
}

/* RFC 2407 4.5: what the server announces is never extended; 10 s and 1 MiB can be lived with. */
TEST(h17_seconds_and_bytes)
{
    static const struct {
        uint32_t seconds, kilobytes;
        bool ok;
        uint32_t want;
    } rows[] = {
        {0, 0, false, 0},
        {1, 0, false, 0},
        {9, 0, false, 0},
        {10, 0, true, 10},
        {3599, 0, true, 3599},
        {3600, 0, true, 3600},
        {UINT32_MAX, 0, true, 3600},
        {3600, 1, false, 0},
        {3600, 1023, false, 0},
        {3600, 1024, true, 3600},
        {3600, UINT32_MAX, true, 3600},
    };
    struct policy p = one_suite();

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct esp_offer offer = {.policy = &p, .encapsulation = 4, .lifetime_s = 3600};
        struct esp_choice choice = {0};
        struct answer a = good_p2;
        uint8_t m[1024];

        a.attr[4].value = rows[i].seconds;
        if (rows[i].kilobytes) {
            a.attr[a.n++] = (struct attr){P2_ATTR_LIFE_TYPE, 2, false};
            a.attr[a.n++] = (struct attr){P2_ATTR_LIFE, rows[i].kilobytes, true};
        }
        CHECK_INT(proposal_read_esp(write_answer(&a, m, sizeof(m)), &offer, &choice),
                  rows[i].ok ? OFFER_OK : OFFER_POLICY);
        if (rows[i].ok)
            CHECK_INT(choice.lifetime_s, rows[i].want);
        if (rows[i].kilobytes)
            CHECK_INT(choice.lifetime_bytes, (uint64_t)rows[i].kilobytes * 1024);
    }
}

TEST(h18_protocols_modes_and_spis)
{
    for (unsigned how = 0; how < 7; how++) {
        struct answer a = good_p2;
        struct rig *r = rig_at(AT_QM1);
        uint8_t sa[1024], nonce[16] = {1};
        struct build b;

        switch (how) {
        case 0:
            a.spi = 8;
            break;
        case 1:
            a.spi = 0;
            break;
        case 2:
            a.protocol = PROTOCOL_AH;
            break;
        case 3:
            a.protocol = 4; /* IPCOMP */
            break;
        case 4:
            a.attr[0].value = 1; /* tunnel mode */
            break;
        case 5:
            a.id = 11; /* NULL */
            break;
        default:
            a.id = 2; /* DES */
            break;
        }
        CHECK_INT(
            rig_give(r, forge_qm2(r, write_answer(&a, sa, sizeof(sa)), SPAN_ARRAY(nonce), &b)),
            VERDICT_FATAL);
        rig_run(r, r->now + US_S(1));
        CHECK_STR(failure_code(rig_failure(r)->id), "ike.quick.policy");
        rig_free(r);
    }
}

/* Selectors and suites of a quick mode that the server begins. */
TEST(h08_selectors_that_are_not_ours)
{
    static const struct {
        uint8_t protocol;
        uint16_t theirs, ours;
        bool fits;
    } rows[] = {
        {17, 1701, 41701, true}, {17, 0, 41701, true},     {17, 1701, 0, true},
        {0, 0, 0, true},         {17, 1702, 41701, false}, {17, 1701, 1701, false},
        {6, 1701, 41701, false}, {17, 41701, 1701, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig *r = rig_at(AT_UP);
        uint8_t sa[1024], nonce[16] = {1}, ids[2][8] = {{0}};
        struct forged f = {
            .exchange = EXCHANGE_QUICK, .flags = 1, .hash = true, .message_id = 4711, .n = 4};
        struct build b;

        for (unsigned k = 0; k < 2; k++) {
            struct wr w = wr_of(ids[k], 8);

            wr_u8(&w, ID_TYPE_IPV4_ADDR);
            wr_u8(&w, rows[i].protocol);
            wr_u16(&w, k ? rows[i].ours : rows[i].theirs);
            wr_bytes(&w, span_of((k ? r->cfg.local : r->cfg.remote).addr.bytes, 4));
        }
        f.part[0] = (struct part){PAYLOAD_SA, write_answer(&good_p2, sa, sizeof(sa))};
        f.part[1] = (struct part){PAYLOAD_NONCE, SPAN_ARRAY(nonce)};
        f.part[2] = (struct part){PAYLOAD_ID, SPAN_ARRAY(ids[0])};
        f.part[3] = (struct part){PAYLOAD_ID, SPAN_ARRAY(ids[1])};
        r->server.mid = 0;
        r->server.n_qm_ni = 0;
        if (rows[i].fits) {
            CHECK_INT(rig_give(r, forge_ike(r, &f, &b)), VERDICT_OK);
            CHECK_INT(r->ike->quick[1].state, QUICK_QM2_SENT);
            r->ike->out.used ? (void)0 : check_fail(__FILE__, __LINE__, "no answer");
        } else {
            CHECK_INT(rig_give(r, forge_ike(r, &f, &b)), VERDICT_DROP);
            rig_run(r, r->now + US_S(1));
            CHECK_INT(r->server.last_error, NOTIFY_NO_PROPOSAL_CHOSEN);
            CHECK_INT(r->n_events, 0);
        }
        rig_free(r);
    }
}
