/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands under the keys: HASH first, all payloads or none, Deletes at the end (hostile.md). */
#include "check.h"
#include "stage.h"

#include <string.h>

#define INFO .exchange = EXCHANGE_INFORMATIONAL, .flags = ISAKMP_FLAG_ENCRYPTION, .hash = true

/* The minor version and the flags but Encryption may differ (RFC 2408 3.1). */
static bool is_free_bit(size_t bit)
{
    return (bit / 8 == 17 && bit % 8 < 4) || (bit / 8 == 19 && bit % 8 != 0);
}

static bool flips_change_nothing(struct rig *r, struct span good)
{
    struct memory *m = memory_of(r);
    uint8_t bad[2048];
    bool same = true;

    memcpy(bad, good.p, good.n);
    for (size_t bit = 0; bit < good.n * 8 && same; bit++) {
        if (is_free_bit(bit))
            continue;
        bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
        same = server_inject(r, span_of(bad, good.n)) == VERDICT_DROP && memory_holds(m, r);
        bad[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    memory_free(m);
    return same;
}

/* 200 messages: notifies of all kinds, Deletes, quick modes of the server. */
TEST(c01_every_bit_of_200_messages)
{
    static const uint16_t types[] = {NOTIFY_R_U_THERE,          NOTIFY_R_U_THERE_ACK,
                                     NOTIFY_INVALID_SPI,        NOTIFY_CONNECTED,
                                     NOTIFY_RESPONDER_LIFETIME, NOTIFY_INITIAL_CONTACT,
                                     NOTIFY_NO_PROPOSAL_CHOSEN, 40501};
    struct rig *r = rig_at(AT_UP);
    uint32_t seed = 1;

    for (unsigned i = 0; i < check_rounds(200); i++) {
        uint8_t body[128], spi[16], spis[16];
        struct forged f = {INFO, .message_id = 1000 + i, .n = 1};
        struct build b;
        struct span good;

        cookies_of(r, spi);
        for (unsigned k = 0; k < 16; k++)
            spis[k] = (uint8_t)dice(&seed);
        if (i % 4 == 0) /* ours, foreign, of the IKE SA */
            f.part[0] = (struct part){
                PAYLOAD_D, i % 3 == 0 ? body_delete(body, PROTOCOL_ISAKMP, 16, 1, SPAN_ARRAY(spi))
                                      : body_delete(body, PROTOCOL_ESP, 4, 4, SPAN_ARRAY(spis))};
        else
            f.part[0] = (struct part){PAYLOAD_N, body_notify(body, PROTOCOL_ISAKMP, SPAN_ARRAY(spi),
                                                             types[i % 8], span_of(spis, 4))};
        good = forge_ike(r, &f, &b);
        if (!flips_change_nothing(r, good))
            check_fail(__FILE__, __LINE__, "message %u", i);
    }
    rig_free(r);
}

/* Nothing is looked at before HASH: a right Delete behind a wrong, short, late or missing one. */
TEST(c01_nothing_counts_before_the_hash)
{
    for (unsigned how = 0; how < 5; how++) {
        struct rig *r = rig_at(AT_UP);
        struct memory *m = memory_of(r);
        uint8_t body[64], cookies[16], hash[HASH_MAX] = {1, 2, 3};
        struct forged f = {INFO, .message_id = 77};
        struct build b;
        struct span d;

        cookies_of(r, cookies);
        d = body_delete(body, PROTOCOL_ISAKMP, 16, 1, SPAN_ARRAY(cookies));
        f.hash = how == 4;
        f.part[0] = (struct part){how == 2 ? PAYLOAD_D : PAYLOAD_HASH,
                                  span_of(hash, r->ike->secrets->keys.n)};
        f.part[1] = (struct part){PAYLOAD_D, d};
        f.n = 2;
        if (how == 1)
            f.part[0].body = span_of(hash, 8);
        else if (how == 2)
            f.part[0] = (struct part){PAYLOAD_D, d},
            f.part[1] = (struct part){PAYLOAD_HASH, span_of(hash, r->ike->secrets->keys.n)};
        else if (how == 3)
            f.part[0] = f.part[1], f.n = 1;
        else if (how == 4)
            f.part[0].type = PAYLOAD_HASH; /* a second HASH behind the right one */
        CHECK_INT(rig_give(r, forge_ike(r, &f, &b)), VERDICT_DROP);
        CHECK(memory_holds(m, r));
        memory_free(m);
        rig_free(r);
    }
}

/* ---- several payloads ---- */
static unsigned count_events(const struct rig *r, enum ike_event_type type)
{
    unsigned n = 0;

    for (unsigned i = 0; i < r->n_events; i++)
        n += r->event[i].type == type;
    return n;
}

/* D = Delete, N = a notify that asks for an answer; own, foreign, of the IKE SA. */
TEST(c03_deletes_and_notifies_in_one_message)
{
    static const struct {
        const char *parts; /* d: own ESP, f: foreign ESP, i: IKE SA, n: R-U-THERE */
        unsigned deleted, closed, acks;
    } rows[] = {
        {"dd", 1, 0, 0},  {"nd", 1, 0, 1}, {"dnd", 1, 0, 1},  {"ff", 0, 0, 0},
        {"fnd", 1, 0, 1}, {"ii", 0, 1, 0}, {"ini", 0, 1, 1},  {"id", 1, 1, 0},
        {"di", 1, 1, 0},  {"in", 0, 1, 1}, {"idni", 1, 1, 1}, {"iff", 0, 1, 0},
    };

    for (size_t row = 0; row < ARRAY_LEN(rows); row++) {
        struct rig *r = rig_at(AT_UP);
        uint8_t body[4][64], own[4], foreign[4] = {9, 9, 9, 9}, cookies[16], seq[4] = {0, 0, 1, 0};
        struct forged f = {INFO, .message_id = 9};
        struct wr w = wr_of(own, 4);
        struct build b;

        wr_u32(&w, r->server.spi_in);
        cookies_of(r, cookies);
        for (; rows[row].parts[f.n]; f.n++) {
            char c = rows[row].parts[f.n];
            uint8_t *to = body[f.n];

            f.part[f.n] = (struct part){
                c == 'n' ? PAYLOAD_N : PAYLOAD_D,
                c == 'n'   ? body_notify(to, PROTOCOL_ISAKMP, SPAN_ARRAY(cookies), NOTIFY_R_U_THERE,
                                         SPAN_ARRAY(seq))
                : c == 'i' ? body_delete(to, PROTOCOL_ISAKMP, 16, 1, SPAN_ARRAY(cookies))
                           : body_delete(to, PROTOCOL_ESP, 4, 1,
                                         c == 'd' ? SPAN_ARRAY(own) : SPAN_ARRAY(foreign))};
        }
        CHECK_INT(rig_give(r, forge_ike(r, &f, &b)), VERDICT_OK);
        rig_run(r, r->now + US_S(1));
        CHECK_INT(count_events(r, IKE_EVENT_SA_DELETED), rows[row].deleted);
        CHECK_INT(count_events(r, IKE_EVENT_CLOSED), rows[row].closed);
        CHECK_INT(r->server.acks, rows[row].acks);
        /* The same once more, as it is and behind the end. */
        (void)rig_give(r, forge_ike(r, &f, &b));
        rig_run(r, r->now + US_S(1));
        CHECK_INT(count_events(r, IKE_EVENT_SA_DELETED), rows[row].deleted);
        CHECK_INT(count_events(r, IKE_EVENT_CLOSED), rows[row].closed);
        rig_free(r);
    }
}

/* ---- ciphertext ---- */
TEST(h09_ciphertext_that_cannot_be)
{
    static const enum at states[] = {AT_MM5, AT_QM1, AT_UP};
    static const uint8_t exchanges[] = {EXCHANGE_MAIN, EXCHANGE_QUICK, EXCHANGE_INFORMATIONAL};

    for (size_t s = 0; s < ARRAY_LEN(states); s++) {
        struct rig *r = rig_at(states[s]);
        struct memory *m = memory_of(r);
        size_t block = cipher_block(r->ike->secrets->keys.cipher);
        uint32_t seed = 5;

        for (size_t e = 0; e < ARRAY_LEN(exchanges); e++) {
            for (size_t n = 0; n <= 600; n += check_step()) {
                struct build b;
                struct span out;
                uint32_t mid = exchanges[e] == EXCHANGE_MAIN    ? 0
                               : exchanges[e] == EXCHANGE_QUICK ? r->ike->quick[0].message_id
                                                                : 99;

                build_start(&b, r->ike->cky_i, r->ike->cky_r, exchanges[e], ISAKMP_FLAG_ENCRYPTION,
                            mid);
                wr_patch_u8(&b.w, 16, PAYLOAD_HASH);
                for (size_t i = 0; i < n; i++)
                    wr_u8(&b.w, (uint8_t)dice(&seed));
                CHECK(build_finish(&b, &out));
                /* Empty, no whole blocks, and whole blocks of garbage. */
                CHECK_INT(rig_give(r, out), VERDICT_DROP);
                CHECK(memory_holds(m, r));
                CHECK(n % block == 0 || r->ike->state != P1_CLOSED);
            }
        }
        memory_free(m);
        rig_run(r, r->now + US_S(5)); /* it has kept waiting */
        CHECK(r->server.qm_done && r->ike->state == P1_UP);
        rig_free(r);
    }
}

/* ---- in clear where encryption is due ---- */
TEST(h26_clear_where_encryption_is_due)
{
    static const struct {
        enum at at;
        uint8_t exchange;
        uint8_t type[3];
        uint8_t flags;
    } rows[] = {
        {AT_MM5, EXCHANGE_MAIN, {PAYLOAD_ID, PAYLOAD_HASH}, 0},
        {AT_MM5, EXCHANGE_MAIN, {PAYLOAD_ID, PAYLOAD_SIG}, 0},
        {AT_MM5, EXCHANGE_MAIN, {PAYLOAD_ID, PAYLOAD_HASH}, ISAKMP_FLAG_ENCRYPTION},
        {AT_QM1, EXCHANGE_QUICK, {PAYLOAD_SA, PAYLOAD_NONCE}, 0},
        {AT_QM1, EXCHANGE_QUICK, {PAYLOAD_SA, PAYLOAD_NONCE}, ISAKMP_FLAG_ENCRYPTION},
        {AT_UP, EXCHANGE_QUICK, {PAYLOAD_SA, PAYLOAD_NONCE}, 0},
        {AT_UP, EXCHANGE_INFORMATIONAL, {PAYLOAD_D}, 0},
        {AT_UP, EXCHANGE_INFORMATIONAL, {PAYLOAD_N}, 0},
        {AT_MM3, EXCHANGE_MAIN, {PAYLOAD_ID, PAYLOAD_HASH}, 0},
    };
    static const uint8_t bytes[32] = {2, 0, 0, 0, 'a', 'b'};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig *r = rig_at(rows[i].at);
        struct memory *m = memory_of(r);
        struct forged f = {.exchange = rows[i].exchange, .flags = rows[i].flags, .plain = true};
        struct build b;

        /* The HASH is right: nothing but the missing encryption is wrong with it. */
        f.hash = f.exchange != EXCHANGE_MAIN;
        if (rows[i].at == AT_QM1)
            f.before = span_of(r->ike->quick[0].ni, r->ike->quick[0].n_ni);
        f.message_id = f.exchange == EXCHANGE_MAIN ? 0 : r->ike->quick[0].message_id;
        for (; f.n < 3 && rows[i].type[f.n]; f.n++)
            f.part[f.n] = (struct part){rows[i].type[f.n], SPAN_ARRAY(bytes)};
        CHECK_INT(rig_give(r, forge_ike(r, &f, &b)), VERDICT_DROP);
        CHECK(memory_holds(m, r));
        memory_free(m);
        rig_run(r, r->now + US_S(5));
        CHECK(r->server.qm_done && r->ike->state == P1_UP);
        rig_free(r);
    }
}

/* ---- Deletes ---- */
TEST(h30_deletes_that_name_nothing_of_ours)
{
    static const struct {
        uint8_t protocol, size;
        unsigned count;
        bool malformed;
    } rows[] = {
        {PROTOCOL_ESP, 4, 65535, true}, {PROTOCOL_ESP, 4, 3, true},     {PROTOCOL_ESP, 4, 1, true},
        {PROTOCOL_ESP, 0, 8, true},     {PROTOCOL_ESP, 4, 0, true},     {PROTOCOL_ESP, 8, 1, false},
        {PROTOCOL_ESP, 4, 2, false},    {PROTOCOL_AH, 4, 2, false},     {4, 4, 2, false},
        {PROTOCOL_ISAKMP, 4, 2, false}, {PROTOCOL_ISAKMP, 8, 1, false}, {0, 4, 2, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig *r = rig_at(AT_UP);
        uint8_t body[64], spis[8];
        struct wr w = wr_of(spis, sizeof(spis));
        struct forged f = {INFO, .message_id = 9, .n = 1};
        struct build b;
        enum verdict v;

        /* Our own SPIs where it is malformed or of another protocol, foreign ones else. */
        wr_u32(&w, r->server.spi_in ^ (rows[i].protocol == PROTOCOL_ESP && !rows[i].malformed));
        wr_u32(&w, r->server.spi_out ^ (rows[i].protocol == PROTOCOL_ESP && !rows[i].malformed));
        f.part[0] = (struct part){PAYLOAD_D, body_delete(body, rows[i].protocol, rows[i].size,
                                                         rows[i].count, SPAN_ARRAY(spis))};
        v = rig_give(r, forge_ike(r, &f, &b));
        CHECK_INT(v, rows[i].malformed ? VERDICT_DROP : VERDICT_OK);
        rig_run(r, r->now + US_S(1));
        CHECK_INT(r->n_events, 0);
        CHECK_INT(r->ike->state, P1_UP);
        CHECK_INT(r->ike->sas[0].live, true);
        rig_free(r);
    }
}

/* A wrong cookie pair or a number of another length is no probe. */
TEST(h32_probes_of_another_sa)
{
    for (unsigned how = 0; how < 5; how++) {
        struct rig *r = rig_at(AT_UP);
        uint8_t body[64], spi[16], seq[8] = {0, 0, 0, 1};
        struct forged f = {INFO, .message_id = 9, .n = 1};
        struct build b;

        cookies_of(r, spi);
        spi[0] ^= how == 1;
        spi[15] ^= how == 2;
        f.part[0] = (struct part){
            PAYLOAD_N, body_notify(body, PROTOCOL_ISAKMP, span_of(spi, how == 3 ? 8 : 16),
                                   NOTIFY_R_U_THERE, span_of(seq, how == 4 ? 8 : 4))};
        CHECK_INT(rig_give(r, forge_ike(r, &f, &b)), how ? VERDICT_DROP : VERDICT_OK);
        rig_run(r, r->now + US_S(1));
        CHECK_INT(r->server.acks, how == 0);
        rig_free(r);
    }
}
