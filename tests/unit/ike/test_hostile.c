/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an engine under a living SA makes of hostile, late, doubled and broken input. */
#include "check.h"
#include "rig.h"

#include <stdlib.h>
#include <string.h>

static struct rig *rig_up(void)
{
    struct rig *r = rig_new();

    rig_start(r);
    rig_run(r, r->now + US_S(1));
    if (!rig_event(r, IKE_EVENT_SA_READY, 0))
        abort();
    r->n_events = 0;
    return r;
}

/* ---- every bit of every message ---- */
static unsigned flipped, accepted;

/* Header bits that RFC 2408 lets differ: the minor version, the flags but Encryption. */
static bool is_free_bit(size_t bit)
{
    size_t byte = bit / 8;

    return (byte == 17 && bit % 8 < 4) || (byte == 19 && bit % 8 != 0);
}

/* Every bit of the protected messages: all of them must be dropped, and then the original works. */
static void flip_protected(struct rig *r, const struct flight *f)
{
    enum phase1_state state = r->ike->state;

    if (!(f->bytes[19] & ISAKMP_FLAG_ENCRYPTION))
        return;
    for (size_t bit = 0; bit < f->n * 8; bit++) {
        uint8_t m[2048];

        if (is_free_bit(bit))
            continue;
        memcpy(m, f->bytes, f->n);
        m[bit / 8] ^= (uint8_t)(1u << bit % 8);
        flipped++;
        if (ike_input(r->ike, f->port, &f->from, span_of(m, f->n), r->now) != VERDICT_DROP ||
            r->ike->state != state || r->ike->out.used || r->ike->events.used)
            accepted++;
    }
}

TEST(c01_bit_flips_of_a_dial_change_nothing)
{
    struct rig *r = rig_new();

    flipped = accepted = 0;
    r->before = flip_protected;
    rig_start(r);
    rig_run(r, r->now + US_S(2));
    CHECK_INT(accepted, 0);
    CHECK(flipped > 2000);
    CHECK(rig_event(r, IKE_EVENT_AUTHENTICATED, 0));
    CHECK(rig_event(r, IKE_EVENT_SA_READY, 0));
    /* Informational: a Delete with one bit wrong deletes nothing. */
    flipped = 0;
    server_send_delete_ike(r);
    rig_run(r, r->now + US_S(1));
    CHECK_INT(accepted, 0);
    CHECK(flipped > 500);
    CHECK(rig_event(r, IKE_EVENT_CLOSED, 0));
    rig_free(r);
}

static size_t clear_bit, clear_bits;
static unsigned clear_message;
static enum verdict clear_verdict;

/* One bit of one clear message, delivered before the original. */
static void flip_clear(struct rig *r, const struct flight *f)
{
    uint8_t m[2048];

    if (f->bytes[19] & ISAKMP_FLAG_ENCRYPTION || clear_message-- != 0)
        return;
    clear_bits = f->n * 8;
    memcpy(m, f->bytes, f->n);
    m[clear_bit / 8] ^= (uint8_t)(1u << clear_bit % 8);
    clear_verdict = ike_input(r->ike, f->port, &f->from, span_of(m, f->n), r->now);
}

/* Nobody vouches for a clear message: a changed one may win, but a dropped one costs nothing. */
TEST(hostile_bit_flips_of_clear_messages)
{
    for (unsigned message = 0; message < 2; message++) {
        clear_bits = 8;
        for (clear_bit = 0; clear_bit < clear_bits; clear_bit += message ? 11 : 3) {
            struct rig *r = rig_new();

            clear_message = message;
            r->before = flip_clear;
            r->server.habits.transform = 2;
            rig_start(r);
            rig_run(r, r->now + US_MS(500));
            CHECK(clear_verdict != VERDICT_FATAL);
            if (clear_verdict == VERDICT_DROP)
                CHECK(rig_event(r, IKE_EVENT_SA_READY, 0));
            rig_free(r);
        }
        CHECK(clear_bits > 1000);
    }
}

TEST(c10_ike_lengths_of_every_exchange)
{
    struct rig *r = rig_up();
    uint8_t m[1500];
    struct endpoint from = r->ike->peer[IKE_PORT_4500];
    enum phase1_state state = r->ike->state;

    for (unsigned exchange = 0; exchange < 40; exchange++) {
        for (size_t n = 0; n <= sizeof(m); n += n < 300 ? 1 : 97) {
            memset(m, 0x5a, sizeof(m));
            memcpy(m, r->ike->cky_i, 8);
            memcpy(m + 8, r->ike->cky_r, 8);
            m[16] = PAYLOAD_HASH;
            m[17] = 0x10;
            m[18] = (uint8_t)exchange;
            m[19] = 1;
            m[24] = m[25] = 0;
            m[26] = (uint8_t)(n >> 8);
            m[27] = (uint8_t)n;
            CHECK_INT(ike_input(r->ike, IKE_PORT_4500, &from, span_of(m, n), r->now), VERDICT_DROP);
        }
    }
    CHECK_INT(r->ike->state, state);
    CHECK_INT(r->ike->out.used, 0);
    rig_free(r);
}

/* ---- Delete ---- */
TEST(h31_delete_of_an_esp_pair)
{
    struct rig *r = rig_up();

    server_send_delete_esp(r, 0x12345678); /* unknown: ignored */
    rig_run(r, r->now + US_S(1));
    CHECK_INT(r->n_events, 0);
    server_send_delete_esp(r, r->server.spi_in);
    server_send_delete_esp(r, r->server.spi_out); /* SoftEther names both directions */
    rig_run(r, r->now + US_S(1));
    CHECK_INT(r->n_events, 1);
    CHECK_INT(r->event[0].type, IKE_EVENT_SA_DELETED);
    CHECK_INT(r->event[0].spi, r->server.spi_in);
    CHECK(ike_facts(r->ike)->established);
    rig_free(r);
}

TEST(c03_one_spi_named_four_times)
{
    struct rig *r = rig_up();
    struct build b;
    struct span out;
    uint8_t body[8 + 4 * 4];
    struct wr w = wr_of(body, sizeof(body));

    wr_u32(&w, 1);
    wr_u8(&w, PROTOCOL_ESP);
    wr_u8(&w, 4);
    wr_u16(&w, 4);
    for (unsigned i = 0; i < 4; i++)
        wr_u32(&w, r->server.spi_in);
    CHECK(server_build_info(r, PAYLOAD_D, SPAN_ARRAY(body), 77, &out, &b));
    CHECK_INT(server_inject(r, out), VERDICT_OK);
    CHECK_INT(server_inject(r, out), VERDICT_OK);
    rig_run(r, r->now + US_S(1));
    CHECK_INT(r->n_events, 1);
    rig_free(r);
}

TEST(h31_late_deletes_after_the_ike_sa_is_gone)
{
    struct rig *r = rig_up();

    server_send_delete_ike(r);
    rig_run(r, r->now + US_S(1));
    CHECK_INT(r->n_events, 1);
    CHECK_INT(r->event[0].type, IKE_EVENT_CLOSED);
    CHECK(r->event[0].by_peer);
    CHECK(!ike_facts(r->ike)->established);
    server_send_dpd(r, NOTIFY_R_U_THERE, 9);
    server_send_delete_esp(r, r->server.spi_in);
    rig_run(r, r->now + US_S(1));
    CHECK_INT(r->server.acks, 0);
    CHECK_INT(r->n_events, 2);
    CHECK_INT(r->event[1].type, IKE_EVENT_SA_DELETED);
    rig_run(r, r->now + US_S(31));
    CHECK_INT(ike_deadline(r->ike), US_NEVER);
    CHECK(!r->ike->has_keys);
    rig_free(r);
}

TEST(h29_clear_informationals_are_dropped)
{
    struct rig *r = rig_up();
    struct build b;
    struct wr_box box;
    struct span out;

    build_start(&b, r->ike->cky_i, r->ike->cky_r, EXCHANGE_INFORMATIONAL, 0, 3);
    box = build_payload(&b, PAYLOAD_N);
    wr_u32(&b.w, 1);
    wr_u16(&b.w, 0x0100);
    wr_u16(&b.w, NOTIFY_INVALID_COOKIE);
    wr_close(&b.w, box);
    box = build_payload(&b, PAYLOAD_D);
    wr_u32(&b.w, 1);
    wr_u8(&b.w, PROTOCOL_ISAKMP);
    wr_u8(&b.w, 16);
    wr_u16(&b.w, 1);
    wr_bytes(&b.w, span_of(r->ike->cky_i, 8));
    wr_bytes(&b.w, span_of(r->ike->cky_r, 8));
    wr_close(&b.w, box);
    CHECK(build_finish(&b, &out));
    CHECK_INT(server_inject(r, out), VERDICT_DROP);
    rig_run(r, r->now + US_S(5));
    CHECK_INT(r->n_events, 0);
    CHECK_INT(r->ike->state, P1_UP);
    rig_free(r);
}

TEST(h33_protected_notifies_are_ignored)
{
    static const uint16_t types[] = {NOTIFY_INVALID_SPI, NOTIFY_INITIAL_CONTACT,
                                     NOTIFY_REPLAY_STATUS, 40501, NOTIFY_NO_PROPOSAL_CHOSEN};
    struct rig *r = rig_up();

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        server_send_notify(r, types[i], SPAN_NONE, SPAN_NONE);
    rig_run(r, r->now + US_S(1));
    CHECK_INT(r->n_events, 0);
    CHECK_INT(r->ike->state, P1_UP);
    rig_free(r);
}

/* ---- quick mode of the server ---- */
TEST(h08_server_starts_quick_mode)
{
    struct rig *r = rig_up();
    struct esp_suite suite = {CIPHER_AES_CBC, 128, HASH_SHA1, false};

    server_start_quick(r, &suite, 0xbeef);
    rig_run(r, r->now + US_S(1));
    CHECK_INT(r->n_events, 2);
    CHECK_INT(r->event[0].type, IKE_EVENT_SA_PAIR);
    CHECK(r->event[0].sa.by_peer);
    CHECK_INT(r->event[0].sa.out.spi, 0xabcd0002);
    CHECK_MEM(r->event[0].sa.in.cipher_key, 16, r->server.out.cipher_key, 16);
    CHECK_MEM(r->event[0].sa.out.integ_key, 20, r->server.in.integ_key, 20);
    CHECK_INT(r->event[1].type, IKE_EVENT_SA_READY);
    CHECK_INT(r->ike->out.used, 0);
    rig_free(r);
}

TEST(h08_foreign_transform_gets_no_proposal_chosen)
{
    struct rig *r = rig_up();
    struct esp_suite suite = {CIPHER_DES_CBC, 0, HASH_MD5, false};

    server_start_quick(r, &suite, 0xbeef);
    rig_run(r, r->now + US_S(1));
    CHECK_INT(r->n_events, 0);
    CHECK_INT(r->server.errors, 1);
    CHECK_INT(r->server.last_error, NOTIFY_NO_PROPOSAL_CHOSEN);
    rig_free(r);
}

static unsigned n_seen;
static uint8_t seen_bytes[2048];
static size_t n_seen_bytes;

static void keep_quick(struct rig *r, const struct flight *f)
{
    (void)r;
    if (f->bytes[18] != EXCHANGE_QUICK || n_seen++ > 0)
        return;
    memcpy(seen_bytes, f->bytes, f->n);
    n_seen_bytes = f->n;
}

TEST(h06_duplicates_are_answered_at_most_5_times)
{
    struct rig *r = rig_new();
    unsigned qm3s;

    n_seen = 0;
    r->before = keep_quick;
    rig_start(r);
    rig_run(r, r->now + US_S(1));
    r->n_events = 0;
    qm3s = r->server.qm3s;
    for (unsigned i = 0; i < 20; i++) {
        (void)server_inject(r, span_of(seen_bytes, n_seen_bytes));
        rig_run(r, r->now + US_MS(10));
    }
    CHECK_INT(r->server.qm3s - qm3s, IKE_RESENDS_MAX);
    CHECK_INT(r->n_events, 0);
    /* The same message id with other content. */
    seen_bytes[n_seen_bytes - 1] ^= 1;
    CHECK_INT(server_inject(r, span_of(seen_bytes, n_seen_bytes)), VERDICT_DROP);
    rig_free(r);
}

/* ---- DPD and keepalive ---- */
TEST(h32_dpd_numbers_and_rate)
{
    struct rig *r = rig_up();

    server_send_dpd(r, NOTIFY_R_U_THERE, 100);
    rig_run(r, r->now + US_S(1));
    CHECK_INT(r->server.acks, 1);
    server_send_dpd(r, NOTIFY_R_U_THERE, 100);
    rig_run(r, r->now + US_S(1));
    CHECK_INT(r->server.acks, 2);
    server_send_dpd(r, NOTIFY_R_U_THERE, 99);
    rig_run(r, r->now + US_S(1));
    CHECK_INT(r->server.acks, 2);
    for (uint32_t i = 0; i < 20; i++) {
        server_send_dpd(r, NOTIFY_R_U_THERE, 101 + i);
        rig_run(r, r->now + US_MS(25));
    }
    CHECK_INT(r->server.acks, 2 + DPD_ANSWERS_PER_S);
    rig_free(r);
}

TEST(hostile_idle_peer_is_probed_and_kept_alive)
{
    struct rig *r = rig_up();

    rig_run(r, r->now + US_S(100));
    CHECK(r->server.r_u_theres >= 2 && r->server.r_u_theres <= 4);
    CHECK_INT(ike_facts(r->ike)->dpd_answered, r->server.r_u_theres);
    CHECK(!rig_event(r, IKE_EVENT_PEER_DEAD, 0));
    {
        unsigned keepalives = 0;

        for (unsigned i = 0; i < r->n_sent; i++)
            keepalives += r->sent[i].port == IKE_PORT_KEEPALIVE;
        CHECK(keepalives >= 2);
    }
    rig_free(r);
}

static bool lose_everything(struct rig *r, bool to_server, enum ike_port port, struct span bytes)
{
    (void)r;
    (void)to_server;
    (void)port;
    (void)bytes;
    return true;
}

TEST(hostile_dead_peer_is_found_in_30_s_of_unanswered_traffic)
{
    struct rig *r = rig_up();
    l2tpc_us t0 = r->now;

    r->lose = lose_everything;
    ike_note_esp_out(r->ike, r->now);
    rig_run(r, t0 + US_S(30));
    CHECK(rig_event(r, IKE_EVENT_PEER_DEAD, 0));
    CHECK(!rig_event(r, IKE_EVENT_PEER_DEAD, 1));
    CHECK_INT(ike_facts(r->ike)->dpd_sent, DPD_TRIES);
    rig_free(r);
}

/* ---- addresses ---- */
TEST(h39_moved_peer_is_followed_on_proof_only)
{
    struct rig *r = rig_up();
    struct endpoint moved = r->server.at;
    struct build b;
    struct span out;
    uint8_t body[28];
    struct wr w = wr_of(body, sizeof(body));

    moved.addr = inaddr_v4(0x08080808);
    moved.port = 33333;
    wr_u32(&w, 1);
    wr_u8(&w, PROTOCOL_ISAKMP);
    wr_u8(&w, 16);
    wr_u16(&w, NOTIFY_R_U_THERE);
    wr_bytes(&w, span_of(r->ike->cky_i, 8));
    wr_bytes(&w, span_of(r->ike->cky_r, 8));
    wr_u32(&w, 500);
    CHECK(server_build_info(r, PAYLOAD_N, SPAN_ARRAY(body), 78, &out, &b));
    CHECK_INT(ike_input(r->ike, IKE_PORT_500, &moved, out, r->now), VERDICT_DROP);
    b.bytes[40] ^= 1;
    CHECK_INT(ike_input(r->ike, IKE_PORT_4500, &moved, out, r->now), VERDICT_DROP);
    CHECK(!endpoint_eq(ike_peer(r->ike, IKE_PORT_4500), &moved));
    b.bytes[40] ^= 1;
    CHECK_INT(ike_input(r->ike, IKE_PORT_4500, &moved, out, r->now), VERDICT_OK);
    CHECK(endpoint_eq(ike_peer(r->ike, IKE_PORT_4500), &moved));
    /* A replay from elsewhere moves nothing. */
    moved.port = 44444;
    (void)ike_input(r->ike, IKE_PORT_4500, &moved, out, r->now);
    CHECK(!endpoint_eq(ike_peer(r->ike, IKE_PORT_4500), &moved));
    rig_free(r);
}

static uint8_t own_bytes[2048];
static size_t n_own_bytes;

/* Keeps the first informational of ours and loses everything. */
static bool keep_own_probe(struct rig *r, bool to_server, enum ike_port port, struct span bytes)
{
    (void)r;
    (void)port;
    if (to_server && n_own_bytes == 0 && bytes.n > 18 && bytes.p[18] == EXCHANGE_INFORMATIONAL) {
        memcpy(own_bytes, bytes.p, bytes.n);
        n_own_bytes = bytes.n;
    }
    return true;
}

/* HASH(1) of an informational is the same from either side. */
TEST(hostile_mirrored_probe_is_no_peer)
{
    struct rig *r = rig_up();
    struct endpoint mirror = r->server.at;
    l2tpc_us t0 = r->now;

    n_own_bytes = 0;
    r->lose = keep_own_probe;
    mirror.addr = inaddr_v4(0x08080808);
    ike_note_esp_out(r->ike, r->now);
    while (n_own_bytes == 0 && r->now < t0 + US_S(30))
        rig_run(r, r->now + US_MS(500));
    CHECK(n_own_bytes > 0);
    CHECK_INT(ike_input(r->ike, IKE_PORT_4500, &mirror, span_of(own_bytes, n_own_bytes), r->now),
              VERDICT_DROP);
    CHECK(!endpoint_eq(ike_peer(r->ike, IKE_PORT_4500), &mirror));
    for (unsigned i = 0; i < 60; i++) {
        (void)server_inject(r, span_of(own_bytes, n_own_bytes));
        rig_run(r, r->now + US_MS(500));
    }
    CHECK(rig_event(r, IKE_EVENT_PEER_DEAD, 0));
    CHECK_INT(r->server.acks, 0);
    rig_free(r);
}

static void keep_info(struct rig *r, const struct flight *f)
{
    (void)r;
    if (f->bytes[18] != EXCHANGE_INFORMATIONAL)
        return;
    memcpy(seen_bytes, f->bytes, f->n);
    n_seen_bytes = f->n;
}

/* An old message that somebody sends again and again keeps no dead server alive. */
TEST(hostile_replayed_message_is_no_sign_of_life)
{
    struct rig *r = rig_up();
    l2tpc_us t0;

    n_seen_bytes = 0;
    r->before = keep_info;
    server_send_dpd(r, NOTIFY_R_U_THERE_ACK, 7);
    rig_run(r, r->now + US_S(1));
    r->before = NULL;
    CHECK(n_seen_bytes > 0);
    t0 = r->now;
    r->lose = lose_everything;
    ike_note_esp_out(r->ike, r->now);
    while (r->now < t0 + US_S(40)) {
        (void)server_inject(r, span_of(seen_bytes, n_seen_bytes));
        rig_run(r, r->now + US_MS(500));
    }
    CHECK(rig_event(r, IKE_EVENT_PEER_DEAD, 0));
    rig_free(r);
}

/* ---- the end ---- */
TEST(hostile_close_deletes_both)
{
    struct rig *r = rig_up();

    ike_close(r->ike, r->now);
    rig_run(r, r->now + US_S(1));
    CHECK_INT(r->server.deletes, 2);
    CHECK_INT(r->n_events, 1);
    CHECK_INT(r->event[0].type, IKE_EVENT_CLOSED);
    CHECK(!r->event[0].by_peer);
    CHECK(!r->ike->has_keys);
    rig_free(r);
}

static bool no_rand(void *ctx, uint8_t *out, size_t n)
{
    unsigned *left = ctx;

    memset(out, 0x42, n);
    out[0] = (uint8_t)*left;
    return (*left)-- > 0;
}

TEST(c17_every_random_call_may_fail)
{
    for (unsigned good = 0; good < 12; good++) {
        struct rig *r = rig_new();
        unsigned left = good;

        r->env = (struct env){.ctx = &left, .rand = no_rand};
        rig_start(r);
        rig_run(r, r->now + US_S(1));
        /* The first two fill the cookie and the nonce; later ones stand behind the library. */
        if (left == (unsigned)-1)
            CHECK_STR(failure_code(rig_failure(r)->id), good < 2 ? "local.random" : "local.crypto");
        rig_free(r);
    }
}
