/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every message in every state: what is not in the table is dropped and changes nothing. */
#include "../../crypto/x509_fixture.h"
#include "check.h"
#include "stage.h"

#include <stdio.h>
#include <string.h>

static const uint8_t exchanges[] = {0,
                                    1,
                                    EXCHANGE_MAIN,
                                    3,
                                    EXCHANGE_AGGRESSIVE,
                                    EXCHANGE_INFORMATIONAL,
                                    EXCHANGE_TRANSACTION,
                                    31,
                                    EXCHANGE_QUICK,
                                    33,
                                    34,
                                    37,
                                    255};

/* ---- the catalogue: chains of payloads that some message has, and some that none has ---- */
static uint8_t some[64], notify_body[64], delete_body[64], own_delete[64], probe_body[64];
static uint8_t sa_body[] = {0, 0, 0, 1, 0, 0, 0, 1};

#define CHAINS 16

static void chain(const struct rig *r, unsigned index, struct forged *f)
{
    uint8_t cookies[16], spi[4], seq[4] = {0, 0, 0, 9};
    struct wr w = wr_of(spi, 4);
    struct span any = span_of(some, 24);
    struct span id = span_of(some, 8);
    struct part parts[CHAINS][6] = {
        {{PAYLOAD_SA, SPAN_ARRAY(sa_body)}},
        {{PAYLOAD_KE, any}, {PAYLOAD_NONCE, any}},
        {{PAYLOAD_ID, id}, {PAYLOAD_HASH, any}},
        {{PAYLOAD_ID, id}, {PAYLOAD_CERT, any}, {PAYLOAD_SIG, any}},
        {{PAYLOAD_SA, SPAN_ARRAY(sa_body)}, {PAYLOAD_NONCE, any}},
        {{PAYLOAD_SA, SPAN_ARRAY(sa_body)},
         {PAYLOAD_NONCE, any},
         {PAYLOAD_KE, any},
         {PAYLOAD_ID, id},
         {PAYLOAD_ID, id}},
        {{PAYLOAD_N, span_of(notify_body, 8)}},
        {{PAYLOAD_D, span_of(delete_body, 12)}},
        {{PAYLOAD_D, span_of(own_delete, 12)}},
        {{PAYLOAD_N, span_of(probe_body, 28)}},
        {{PAYLOAD_HASH, any}},
        {{PAYLOAD_VID, any}},
        {{200, any}},
        {{PAYLOAD_N, span_of(some, 3)}},
        {{PAYLOAD_CR, any}, {PAYLOAD_CERT, any}},
        {{132, any}}, /* a fragment, for those who have asked for them */
    };

    wr_u32(&w, r->server.spi_in);
    cookies_of(r, cookies);
    (void)body_notify(notify_body, PROTOCOL_ESP, SPAN_NONE, NOTIFY_NO_PROPOSAL_CHOSEN, SPAN_NONE);
    (void)body_delete(delete_body, PROTOCOL_ESP, 4, 1, span_of(some, 4));
    (void)body_delete(own_delete, PROTOCOL_ESP, 4, 1, SPAN_ARRAY(spi));
    (void)body_notify(probe_body, PROTOCOL_ISAKMP, SPAN_ARRAY(cookies), NOTIFY_R_U_THERE,
                      SPAN_ARRAY(seq));
    some[0] = 2;
    for (f->n = 0; f->n < 6 && parts[index][f->n].type; f->n++)
        f->part[f->n] = parts[index][f->n];
}

/* What may be taken at all: informationals under keys that are proven, quick modes under them. */
static bool may_be_taken(enum at at, const struct forged *f)
{
    if (!(f->flags & ISAKMP_FLAG_ENCRYPTION) || f->plain || !f->hash)
        return false;
    return f->exchange == EXCHANGE_INFORMATIONAL &&
           (at == AT_QM1 || at == AT_COMMIT || at == AT_UP || at == AT_DELETED);
}

static void one(enum at at, struct rig *r, struct memory *m, const struct forged *f)
{
    struct build b;
    enum verdict v = rig_give(r, forge_ike(r, f, &b));

    /* A refused quick mode is told so, which is the one answer to a message that is dropped. */
    if (f->exchange == EXCHANGE_QUICK && f->hash && at >= AT_QM1 && at < AT_DELETED)
        return;
    if (v != VERDICT_DROP)
        check_fail(__FILE__, __LINE__, "%s: exchange %u flags %u id %u first %u: %d", at_name(at),
                   f->exchange, f->flags, f->message_id, f->n ? f->part[0].type : 0, (int)v);
    else if (!memory_holds(m, r))
        check_fail(__FILE__, __LINE__, "%s: exchange %u flags %u id %u first %u changed something",
                   at_name(at), f->exchange, f->flags, f->message_id, f->n ? f->part[0].type : 0);
}

/* The HASH is right, so that nothing but the state decides. */
TEST(c21_all_messages_in_all_states)
{
    static const uint8_t flags[] = {0, ISAKMP_FLAG_ENCRYPTION, ISAKMP_FLAG_COMMIT, 3, 0xfc, 0xfd};
    static const uint32_t ids[] = {0, 1, 0xffffffff};

    for (enum at at = AT_NEW; at < AT_COUNT; at++) {
        struct rig *r = rig_at(at);
        struct memory *m;

        rig_forget_flights(r);
        m = memory_of(r);
        for (unsigned n = 0;
             n < ARRAY_LEN(exchanges) * ARRAY_LEN(flags) * ARRAY_LEN(ids) * CHAINS * 2;
             n += check_step()) {
            unsigned k = n;
            struct forged f = {.exchange = exchanges[k % ARRAY_LEN(exchanges)]};

            k /= ARRAY_LEN(exchanges);
            f.flags = flags[k % ARRAY_LEN(flags)];
            k /= ARRAY_LEN(flags);
            f.message_id = ids[k % ARRAY_LEN(ids)];
            k /= ARRAY_LEN(ids);
            chain(r, k % CHAINS, &f);
            f.hash = k / CHAINS;
            if (f.message_id != 0 && may_be_taken(at, &f))
                continue;
            if (f.exchange == EXCHANGE_QUICK && f.hash && (f.flags & 1) && f.message_id != 0 &&
                at >= AT_QM1 && at < AT_DELETED)
                continue; /* answered or refused: h08 */
            one(at, r, m, &f);
        }
        memory_free(m);
        rig_free(r);
    }
}

/* The keys are there and the server's certificate is not judged yet: nothing under them counts. */
TEST(c21_nothing_counts_while_a_certificate_is_judged)
{
    struct rig *r = rig_new();
    struct credential *own = credential_of(r->c, "client.pem", "client.key");
    struct credential *server = credential_of(r->c, "server.pem", "server.key");
    struct trust *trust = trust_of(r->c, "ca.pem");
    struct memory *m;

    rig_use_certificates(r, own, trust, server);
    r->keep_cert_status = true;
    rig_start(r);
    rig_run(r, r->now + US_S(1));
    CHECK_INT(r->ike->state, P1_CERT_ASKED);
    CHECK(r->ike->has_keys);
    m = memory_of(r);
    for (unsigned n = 0; n < ARRAY_LEN(exchanges) * CHAINS * 4; n++) {
        struct forged f = {.exchange = exchanges[n % ARRAY_LEN(exchanges)],
                           .flags = n / ARRAY_LEN(exchanges) / CHAINS % 2,
                           .hash = n / ARRAY_LEN(exchanges) / CHAINS / 2,
                           .message_id = 17};

        chain(r, n / ARRAY_LEN(exchanges) % CHAINS, &f);
        one(AT_MM5, r, m, &f);
    }
    memory_free(m);
    credential_free(own);
    credential_free(server);
    trust_free(trust);
    rig_free(r);
}

/* ---- logging ---- */
static unsigned long logged;

static void read_line(void *ctx, enum log_level level, const char *module, const char *line)
{
    (void)ctx;
    (void)level;
    logged += strlen(module) + strlen(line);
    for (const char *c = line; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            check_fail(__FILE__, __LINE__, "a log line with byte %d", *c);
}

/* The same catalogue with someone who reads the log, taken or not, then everybody goes home. */
TEST(c02_catalogue_in_every_state_with_a_log)
{
    for (enum at at = AT_NEW; at < AT_COUNT; at++) {
        struct rig *r = rig_at(at);

        r->env.log = read_line;
        for (unsigned n = 0; n < ARRAY_LEN(exchanges) * 2 * CHAINS * 2; n++) {
            unsigned k = n;
            struct forged f = {.exchange = exchanges[k % ARRAY_LEN(exchanges)],
                               .message_id = 5 + n};
            struct build b;

            k /= ARRAY_LEN(exchanges);
            f.flags = k % 2;
            k /= 2;
            chain(r, k % CHAINS, &f);
            f.hash = k / CHAINS;
            if (f.exchange == EXCHANGE_MAIN)
                f.message_id = 0;
            (void)rig_give(r, forge_ike(r, &f, &b));
        }
        rig_forget_flights(r);
        ike_close(r->ike, r->now);
        ike_timer(r->ike, r->now + US_S(100));
        rig_free(r);
    }
    CHECK(logged > 1000);
}

/* ---- lives that end at any moment ---- */
static bool lose_everything(struct rig *r, bool to_server, enum ike_port port, struct span bytes)
{
    (void)r;
    (void)to_server;
    (void)port;
    (void)bytes;
    return true;
}

/* From here on only the test speaks for the server. */
static struct rig *alone_at(enum at at)
{
    struct rig *r = rig_at(at);

    r->lose = lose_everything;
    return r;
}

TEST(c04_random_closes_timers_and_packets)
{
    uint32_t seed = 4;
    unsigned steps = check_rounds(100000); /* 10^6 in the long form */
    struct rig *r = alone_at(AT_UP);
    struct build b;

    for (unsigned i = 0; i < steps; i++) {
        struct forged f = {
            .exchange = EXCHANGE_INFORMATIONAL, .flags = 1, .hash = true, .message_id = i + 1};
        uint32_t what = dice(&seed) % 400;

        if (what < 1) { /* a new life, that ends wherever it stands */
            rig_free(r);
            r = alone_at((enum at)(dice(&seed) % AT_COUNT));
        } else if (what == 2) {
            ike_close(r->ike, r->now);
        } else if (what == 3) {
            ike_keep(r->ike);
        } else if (what == 4 && r->server.up) {
            server_send_delete_ike(r);
        } else if (what < 8 && r->ike->state == P1_UP) {
            (void)ike_rekey(r->ike, r->now);
        } else if (what < 12) {
            ike_delete_pair(r->ike, r->server.spi_in, r->now);
        } else if (what < 20) {
            r->now += US_S(dice(&seed) % 40);
            ike_timer(r->ike, r->now);
        } else if (what < 60) {
            rig_run(r, r->now + US_MS(dice(&seed) % 50));
        } else {
            unsigned k = dice(&seed) % CHAINS;

            chain(r, k, &f);
            if (what < 120)
                f.exchange = exchanges[dice(&seed) % ARRAY_LEN(exchanges)];
            if (what < 90)
                f.flags = 0;
            (void)rig_give(r, forge_ike(r, &f, &b));
        }
        if (r->ike->out.used > 4 || r->ike->events.used > 4 || r->n_flight > 8) {
            struct ike_event ev;
            struct msg m;

            while (ike_pop_out(r->ike, &m))
                msg_done(&m);
            while (ike_pop_event(r->ike, &ev))
                ;
            rig_forget_flights(r);
        }
        CHECK(ike_deadline(r->ike) > 0);
        CHECK(r->ike->events.overflow == 0 && r->ike->out.overflow == 0);
    }
    rig_free(r);
}

/* ---- before there are keys ---- */
TEST(c05_nothing_is_encrypted_or_decrypted_without_keys)
{
    static const enum at states[] = {AT_NEW, AT_MM1, AT_MM3, AT_PSK};

    for (size_t s = 0; s < ARRAY_LEN(states); s++) {
        struct rig *r = rig_at(states[s]);
        struct memory *m;

        rig_forget_flights(r);
        CHECK(!r->ike->has_keys);
        m = memory_of(r);
        CHECK_INT(r->ike->decrypted, 0);
        for (unsigned e = 0; e < 256; e += check_step()) {
            for (unsigned k = 0; k < CHAINS; k++) {
                struct forged f = {
                    .exchange = (uint8_t)e, .flags = 1, .message_id = k % 3, .plain = k & 1};
                struct build b;

                chain(r, k, &f);
                CHECK_INT(rig_give(r, forge_ike(r, &f, &b)), VERDICT_DROP);
                CHECK(memory_holds(m, r));
            }
        }
        CHECK_INT(r->ike->decrypted, 0);
        memory_free(m);
        /* And what ends such a dial says nothing that would need keys. */
        (void)ike_rekey(r->ike, r->now);
        ike_delete_pair(r->ike, 1, r->now);
        ike_close(r->ike, r->now);
        CHECK_INT(r->ike->out.used, 0);
        rig_free(r);
    }
}

/* ---- headers ---- */
enum patch_kind {
    PATCH_MINOR,
    PATCH_FLAGS,
    PATCH_TAIL,
    PATCH_RESERVED,
};

static struct {
    enum patch_kind what;
    unsigned patched;
} patch;

/* Every message of the server arrives with one thing changed that must not matter. */
static bool patched(struct rig *r, bool to_server, enum ike_port port, struct span bytes)
{
    struct endpoint from = r->server.at;
    uint8_t m[2048 + 64];
    size_t n = bytes.n;

    if (to_server)
        return false;
    memcpy(m, bytes.p, n);
    if (patch.what == PATCH_MINOR)
        m[17] |= 0x0f;
    else if (patch.what == PATCH_FLAGS)
        m[19] |= 0xfc;
    else if (patch.what == PATCH_TAIL)
        memset(m + n, 0x77, 64), n += 64;
    else if (!(m[19] & 1))
        m[28 + 1] = 0xff;
    patch.patched++;
    from.port = port == IKE_PORT_4500 ? 4500 : 500;
    (void)ike_input(r->ike, port, &from, span_of(m, n), r->now);
    return true;
}

static bool completes_with(enum patch_kind what)
{
    struct rig *r = rig_new();
    bool up;

    patch.what = what;
    patch.patched = 0;
    r->lose = patched;
    rig_start(r);
    rig_run(r, r->now + US_S(2));
    up =
        rig_event(r, IKE_EVENT_SA_READY, 0) && ike_facts(r->ike)->resent == 0 && patch.patched == 4;
    rig_free(r);
    return up;
}

TEST(h02_bytes_behind_the_header_length)
{
    CHECK(completes_with(PATCH_TAIL));
}

TEST(h04_minor_version_is_ignored)
{
    CHECK(completes_with(PATCH_MINOR));
}

TEST(h05_reserved_flags_are_ignored)
{
    CHECK(completes_with(PATCH_FLAGS));
}

TEST(h13_reserved_byte_is_ignored)
{
    CHECK(completes_with(PATCH_RESERVED));
}

/* The genuine answer of the server with cookies that are not those of the exchange. */
TEST(h03_cookies)
{
    static const enum at states[] = {AT_MM1, AT_MM3, AT_MM5, AT_QM1};

    for (size_t s = 0; s < ARRAY_LEN(states); s++) {
        struct rig *r = rig_at(states[s]);
        struct memory *m = memory_of(r);

        CHECK_INT(r->n_flight, 1);
        for (unsigned how = 0; how < 5; how++) {
            uint8_t bytes[2048];
            struct flight *f = &r->flight[0];

            memcpy(bytes, f->bytes, f->n);
            switch (how) {
            case 0: /* initiator not ours */
                bytes[3] ^= 1;
                break;
            case 1: /* responder zero */
                memset(bytes + 8, 0, 8);
                break;
            case 2: /* ours echoed as theirs */
                memcpy(bytes + 8, bytes, 8);
                break;
            case 3: /* changed after message 2 */
                bytes[15] ^= 1;
                break;
            default: /* swapped */
                memcpy(bytes, f->bytes + 8, 8);
                memcpy(bytes + 8, f->bytes, 8);
                break;
            }
            if (states[s] == AT_MM1 && how == 3)
                continue; /* the first answer may have any */
            CHECK_INT(rig_give(r, span_of(bytes, f->n)), VERDICT_DROP);
            CHECK(memory_holds(m, r));
        }
        memory_free(m);
        rig_run(r, r->now + US_S(2));
        CHECK(r->server.qm_done && r->ike->state == P1_UP);
        rig_free(r);
    }
}

/* The genuine answer as another exchange, with another major version. */
TEST(h04_unknown_exchanges_and_versions)
{
    static const enum at states[] = {AT_MM1, AT_MM3, AT_MM5, AT_QM1};

    for (size_t s = 0; s < ARRAY_LEN(states); s++) {
        struct rig *r = rig_at(states[s]);
        struct memory *m = memory_of(r);
        uint8_t bytes[2048];
        struct flight *f = &r->flight[0];

        for (unsigned v = 0; v < 512; v++) {
            memcpy(bytes, f->bytes, f->n);
            bytes[v < 256 ? 18 : 17] = (uint8_t)v;
            if (v < 256 ? v == f->bytes[18] : v % 256 / 16 == 1)
                continue;
            CHECK_INT(rig_give(r, span_of(bytes, f->n)), VERDICT_DROP);
            CHECK(memory_holds(m, r));
        }
        memory_free(m);
        rig_run(r, r->now + US_S(2));
        CHECK(r->server.qm_done && r->ike->state == P1_UP);
        rig_free(r);
    }
}

/* The genuine answer with its Encryption bit turned, and with a message id that cannot be. */
TEST(h05_encryption_bit_and_h06_message_ids)
{
    static const enum at states[] = {AT_MM1, AT_MM3, AT_MM5, AT_QM1};

    for (size_t s = 0; s < ARRAY_LEN(states); s++) {
        struct rig *r = rig_at(states[s]);
        struct memory *m = memory_of(r);
        struct flight *f = &r->flight[0];
        uint8_t bytes[2048];

        for (unsigned how = 0; how < 3; how++) {
            memcpy(bytes, f->bytes, f->n);
            if (how == 0)
                bytes[19] ^= ISAKMP_FLAG_ENCRYPTION;
            else if (how == 1)
                bytes[23] ^= 1; /* another id; in phase 1 not zero */
            else
                memset(bytes + 20, 0, 4); /* zero in phase 2 */
            if (how == 2 && states[s] != AT_QM1)
                continue;
            CHECK_INT(rig_give(r, span_of(bytes, f->n)), VERDICT_DROP);
            CHECK(memory_holds(m, r));
        }
        memory_free(m);
        rig_run(r, r->now + US_S(2));
        CHECK(r->server.qm_done && r->ike->state == P1_UP);
        rig_free(r);
    }
}

/* An exchange that is over does not begin again. */
TEST(h06_id_of_a_finished_exchange)
{
    struct rig *r = rig_at(AT_UP);
    struct memory *m;
    uint8_t body[64];
    struct forged f = {
        .exchange = EXCHANGE_INFORMATIONAL, .flags = 1, .hash = true, .message_id = 700, .n = 1};
    struct build b;

    f.part[0] = (struct part){PAYLOAD_D, body_delete(body, PROTOCOL_ESP, 4, 1, span_of(some, 4))};
    CHECK_INT(rig_give(r, forge_ike(r, &f, &b)), VERDICT_OK);
    {
        uint8_t spi[4];
        struct wr w = wr_of(spi, 4);

        wr_u32(&w, r->server.spi_in);
        (void)body_delete(body, PROTOCOL_ESP, 4, 1,
                          SPAN_ARRAY(spi)); /* the same id, now our pair */
    }
    m = memory_of(r);
    (void)rig_give(r, forge_ike(r, &f, &b));
    CHECK(memory_holds(m, r));
    f.exchange = EXCHANGE_QUICK;
    (void)rig_give(r, forge_ike(r, &f, &b));
    CHECK(memory_holds(m, r));
    memory_free(m);
    rig_free(r);
}

/* Before the tunnel is there nobody else begins anything. */
TEST(h07_no_main_mode_of_the_server_while_dialing)
{
    for (enum at at = AT_NEW; at < AT_UP; at++) {
        for (unsigned mode = 0; mode < 2; mode++) {
            struct rig *r = rig_at(at);
            struct memory *m = memory_of(r);
            uint8_t bytes[1024];
            struct rig *other = rig_at(AT_MM1); /* its own message 1 is a good one */
            size_t n = other->ike->rtx.n;

            memcpy(bytes, other->ike->rtx.bytes, n);
            bytes[0] ^= 0x80; /* of another initiator */
            bytes[18] = mode ? EXCHANGE_AGGRESSIVE : EXCHANGE_MAIN;
            CHECK_INT(rig_give(r, span_of(bytes, n)), VERDICT_DROP);
            CHECK(memory_holds(m, r));
            memory_free(m);
            rig_free(other);
            rig_free(r);
        }
    }
}
