/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Batches: each packet fares as if it had come alone, whoever computes it. */
#include "check.h"
#include "fixture.h"

#include <string.h>

#define RUN_BYTES (ESP_BATCH_MAX * 1600)

static const struct esp_suite sha1 = {CIPHER_AES_CBC, 128, HASH_SHA1, false};

/* Opens both ends with this back end; false when it is not here. */
static bool open_with(struct ends *e, const struct esp_suite *suite, enum esp_backend backend)
{
    ends_init(e, suite);
    e->backend = backend;
    if (ends_open(e))
        return true;
    ends_close(e);
    return false;
}

static bool is_des(const struct esp_suite *suite)
{
    return suite->cipher == CIPHER_DES_CBC || suite->cipher == CIPHER_3DES_CBC;
}

/* Payloads of many sizes, each where its packet will stand: one directly behind the other. */
static size_t lay_out(struct ends *e, uint8_t *run, struct esp_packet *packets, size_t n,
                      size_t step)
{
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        size_t size = i * step % 1401;

        packets[i].data = (struct mspan){run + at + esp_out_head(e->client_out), size};
        memset(packets[i].data.p, (int)i, size);
        at += esp_out_size(e->client_out, size);
    }
    return at;
}

static void back_to_back(struct ends *e, size_t n, size_t step)
{
    static uint8_t run[RUN_BYTES + 16], opened[RUN_BYTES];
    struct esp_packet packets[ESP_BATCH_MAX];
    size_t bytes;

    memset(run, 0xee, sizeof(run));
    bytes = lay_out(e, run, packets, n, step);
    CHECK_INT(esp_seal_batch(e->client_out, packets, n), n);
    for (size_t i = 0; i < 16; i++)
        CHECK_INT(run[bytes + i], 0xee);
    memcpy(opened, run, bytes);
    for (size_t i = 0; i < n; i++) {
        CHECK_INT(packets[i].verdict, ESP_OK);
        CHECK(packets[i].data.p == (i ? packets[i - 1].data.p + packets[i - 1].data.n : run));
    }
    CHECK(packets[n - 1].data.p + packets[n - 1].data.n == run + bytes);
    for (size_t i = 0; i < n; i++)
        packets[i].data.p = opened + (packets[i].data.p - run);
    CHECK_INT(esp_open_batch(e->server_in, packets, n), n);
    for (size_t i = 0; i < n; i++) {
        CHECK_INT(packets[i].data.n, i * step % 1401);
        for (size_t k = 0; k < packets[i].data.n; k += check_step())
            CHECK_INT(packets[i].data.p[k], (uint8_t)i);
    }
}

TEST(esp_batches_stand_back_to_back)
{
    unsigned seen = 0;

    for (int b = ESP_BACKEND_AUTO; b <= ESP_BACKEND_AVX512; b++)
        for (size_t s = 0; s < n_all_suites; s++) {
            struct ends e;

            if (is_des(&all_suites[s]) && b >= ESP_BACKEND_SSE)
                continue; /* milliseconds a packet; crypto's tests have them */
            if (!open_with(&e, &all_suites[s], (enum esp_backend)b))
                continue;
            seen++;
            for (size_t n = 1; n <= ESP_BATCH_MAX;
                 n += is_des(&all_suites[s]) ? 21 : 2 + check_step())
                back_to_back(&e, n, 37 * n);
            back_to_back(&e, ESP_BATCH_MAX, 0);
            CHECK_INT(esp_in_counters(e.server_in).packets, esp_out_counters(e.client_out).packets);
            CHECK_INT(esp_in_counters(e.server_in).bytes, esp_out_counters(e.client_out).bytes);
            ends_close(&e);
        }
    CHECK(seen >= 2 * n_all_suites);
}

/* What a batch makes is what one call after the other makes, bit for bit. */
TEST(esp_batches_are_what_single_packets_are)
{
    static uint8_t run[RUN_BYTES], alone[PACKET_MAX];

    for (size_t s = 0; s < n_all_suites; s++) {
        struct esp_packet packets[ESP_BATCH_MAX];
        struct ends one, many;

        ends_init(&one, &all_suites[s]);
        ends_init(&many, &all_suites[s]);
        CHECK(ends_open(&one) && ends_open(&many));
        (void)lay_out(&many, run, packets, ESP_BATCH_MAX, 91);
        CHECK_INT(esp_seal_batch(many.client_out, packets, ESP_BATCH_MAX), ESP_BATCH_MAX);
        for (size_t i = 0; i < ESP_BATCH_MAX; i++) {
            struct mspan payload = {alone + ESP_HEADROOM, i * 91 % 1401};
            struct mspan packet = {NULL, 0};

            memset(payload.p, (int)i, payload.n);
            CHECK_INT(esp_seal(one.client_out, payload, &packet), ESP_OK);
            CHECK_MEM(packets[i].data.p, packets[i].data.n, packet.p, packet.n);
        }
        ends_close(&one);
        ends_close(&many);
    }
}

enum fate {
    FATE_GOOD,
    FATE_DAMAGED,
    FATE_COPY,    /* of the one before it */
    FATE_CUT,     /* too short to be one */
    FATE_FOREIGN, /* another SPI */
    FATE_DUMMY,
    FATES
};

static const enum esp_verdict verdicts[FATES] = {
    [FATE_GOOD] = ESP_OK,       [FATE_DAMAGED] = ESP_BAD_ICV,   [FATE_COPY] = ESP_REPLAYED,
    [FATE_CUT] = ESP_MALFORMED, [FATE_FOREIGN] = ESP_MALFORMED, [FATE_DUMMY] = ESP_DUMMY,
};

struct mixed {
    uint8_t bytes[ESP_BATCH_MAX][PACKET_MAX];
    struct esp_packet packets[ESP_BATCH_MAX];
    enum fate fates[ESP_BATCH_MAX];
    uint32_t seqs[ESP_BATCH_MAX];
};

static void make_one(struct ends *e, struct mixed *m, size_t i, uint32_t seq)
{
    uint8_t *bytes = m->bytes[i];
    struct mspan packet = {NULL, 0};

    m->seqs[i] = seq;
    if (m->fates[i] == FATE_DUMMY) {
        uint8_t plain[48] = {0};

        plain[sizeof(plain) - 1] = NEXT_HEADER_NONE;
        packet = forge(e, bytes, seq, span_of(plain, sizeof(plain)));
    } else {
        e->server_out->seq = seq - 1;
        CHECK_INT(seal_bytes(e->server_out, bytes, 10 + 20 * i, (uint8_t)i, &packet), ESP_OK);
    }
    if (m->fates[i] == FATE_DAMAGED)
        packet.p[8 + (seq * 7) % (packet.n - 8)] ^= (uint8_t)(1u << seq % 8);
    if (m->fates[i] == FATE_CUT)
        packet.n = 9 + i % 8;
    if (m->fates[i] == FATE_FOREIGN)
        packet.p[0] ^= 1;
    m->packets[i].data = packet;
}

static void make_copy(struct mixed *m, size_t i)
{
    size_t at = (size_t)(m->packets[i - 1].data.p - m->bytes[i - 1]);

    memcpy(m->bytes[i], m->bytes[i - 1], sizeof(m->bytes[i]));
    m->seqs[i] = m->seqs[i - 1];
    m->packets[i].data = (struct mspan){m->bytes[i] + at, m->packets[i - 1].data.n};
}

/* A batch in which anything may follow anything; copies only behind good ones. */
static void mix(struct ends *e, struct mixed *m, size_t n, uint32_t first, uint32_t *seed)
{
    for (size_t i = 0; i < n; i++) {
        *seed = *seed * 1664525u + 1013904223u;
        m->fates[i] = (enum fate)(*seed >> 8) % FATES;
        if (m->fates[i] == FATE_COPY && (i == 0 || m->fates[i - 1] != FATE_GOOD))
            m->fates[i] = FATE_GOOD;
        if (m->fates[i] == FATE_COPY)
            make_copy(m, i);
        else /* out of order, far apart */
            make_one(e, m, i, first + (uint32_t)(i * 37 % 64) * 3);
    }
}

static void check_mixed(struct ends *e, struct mixed *m, size_t n)
{
    static struct window want;
    static uint8_t *places[ESP_BATCH_MAX];
    size_t good = 0;

    want = e->client_in->window;
    for (size_t i = 0; i < n; i++) {
        bool marks = m->fates[i] == FATE_GOOD || m->fates[i] == FATE_DUMMY;

        places[i] = m->packets[i].data.p;
        good += m->fates[i] == FATE_GOOD;
        if (marks)
            window_mark(&want, m->seqs[i]);
    }
    CHECK_INT(esp_open_batch(e->client_in, m->packets, n), good);
    for (size_t i = 0; i < n; i++) {
        CHECK_INT(m->packets[i].verdict, verdicts[m->fates[i]]);
        if (m->fates[i] != FATE_GOOD)
            CHECK(m->packets[i].data.p == places[i]);
        else
            CHECK_INT(m->packets[i].data.n, 10 + 20 * i);
        for (size_t k = 0; m->fates[i] == FATE_GOOD && k < m->packets[i].data.n; k++)
            CHECK_INT(m->packets[i].data.p[k], (uint8_t)(i + k));
    }
    CHECK_MEM(&e->client_in->window, sizeof(want), &want, sizeof(want));
}

/* Exactly the damaged ones are bad, and no bad one moves the window. */
TEST(c23_batches_move_the_window_for_good_packets_alone)
{
    static struct mixed m;
    unsigned seen = 0;

    for (int b = ESP_BACKEND_AUTO; b <= ESP_BACKEND_AVX512; b++)
        for (size_t s = 0; s < n_all_suites; s++) {
            uint32_t seed = (uint32_t)s;
            uint32_t first = 1;
            struct ends e;

            if (is_des(&all_suites[s]) && b >= ESP_BACKEND_SSE)
                continue;
            if (!open_with(&e, &all_suites[s], (enum esp_backend)b))
                continue;
            seen++;
            for (size_t n = 1; n <= ESP_BATCH_MAX; n += 8 + check_step(), first += 300) {
                mix(&e, &m, n, first, &seed);
                check_mixed(&e, &m, n);
            }
            ends_close(&e);
        }
    CHECK(seen >= 2 * n_all_suites);
}

/* A packet that its own batch pushes out of the window is as old as it would be alone. */
TEST(c23_batches_know_the_window_that_they_moved)
{
    static struct mixed m;
    struct ends e;

    ends_init(&e, &sha1);
    CHECK(ends_open(&e));
    make_one(&e, &m, 0, 1);
    make_one(&e, &m, 1, 1 + ESP_WINDOW);
    make_one(&e, &m, 2, 2);
    make_one(&e, &m, 3, 1);
    m.packets[3].data.p[20] ^= 1;
    CHECK_INT(esp_open_batch(e.client_in, m.packets + 1, 3), 2);
    CHECK_INT(m.packets[1].verdict, ESP_OK);
    CHECK_INT(m.packets[2].verdict, ESP_OK);       /* the last one that still fits */
    CHECK_INT(m.packets[3].verdict, ESP_REPLAYED); /* too old before it is bad */
    CHECK_INT(esp_open_batch(e.client_in, m.packets, 1), 0);
    CHECK_INT(m.packets[0].verdict, ESP_REPLAYED);
    ends_close(&e);
}

TEST(esp_batches_end_with_the_sequence_space)
{
    static uint8_t run[RUN_BYTES];
    struct esp_packet packets[ESP_BATCH_MAX];
    struct ends e;

    ends_init(&e, &sha1);
    CHECK(ends_open(&e));
    e.client_out->seq = UINT32_MAX - 5;
    (void)lay_out(&e, run, packets, 8, 50);
    CHECK_INT(esp_seal_batch(e.client_out, packets, 8), 5);
    for (size_t i = 0; i < 8; i++)
        CHECK_INT(packets[i].verdict, i < 5 ? ESP_OK : ESP_EXHAUSTED);
    CHECK_INT(esp_open_batch(e.server_in, packets, 5), 5);
    CHECK_INT(esp_out_counters(e.client_out).packets, 5);
    ends_close(&e);
}

TEST(esp_batches_are_bounded)
{
    static struct esp_packet packets[ESP_BATCH_MAX + 1];
    static uint8_t byte[ESP_HEADROOM + ESP_TAILROOM];
    struct ends e;

    ends_init(&e, &sha1);
    CHECK(ends_open(&e));
    for (size_t i = 0; i < ARRAY_LEN(packets); i++)
        packets[i].data = (struct mspan){byte + ESP_HEADROOM, 0};
    CHECK_INT(esp_seal_batch(e.client_out, packets, 0), 0);
    CHECK_INT(esp_open_batch(e.server_in, packets, 0), 0);
    CHECK_INT(esp_seal_batch(e.client_out, packets, ARRAY_LEN(packets)), 0);
    CHECK_INT(packets[ESP_BATCH_MAX].verdict, ESP_FAILED);
    CHECK_INT(esp_open_batch(e.server_in, packets, ARRAY_LEN(packets)), 0);
    CHECK_INT(packets[0].verdict, ESP_FAILED);
    CHECK_INT(esp_out_seq(e.client_out), 0);
    packets[0].data.n = UDP_PAYLOAD_MAX + 1; /* no number is spent on what cannot be sent */
    CHECK_INT(esp_seal_batch(e.client_out, packets, 1), 0);
    CHECK_INT(packets[0].verdict, ESP_MALFORMED);
    CHECK_INT(esp_out_seq(e.client_out), 0);
    ends_close(&e);
}

static bool no_rand(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    (void)out;
    (void)n;
    return false;
}

/* Without randomness for its IV a packet fails, and those around it do not. */
TEST(esp_batches_survive_a_failing_packet)
{
    static uint8_t run[RUN_BYTES];
    struct esp_packet packets[8];
    struct ends e;

    ends_init(&e, &sha1);
    CHECK(ends_open(&e));
    (void)lay_out(&e, run, packets, 8, 50);
    CHECK_INT(esp_seal_batch(e.client_out, packets, 1), 1); /* fills the pool */
    e.client_out->env.rand = no_rand;
    e.client_out->pool_left = 5 * 16;
    (void)lay_out(&e, run, packets, 8, 50);
    CHECK_INT(esp_seal_batch(e.client_out, packets, 8), 5);
    for (size_t i = 0; i < 8; i++)
        CHECK_INT(packets[i].verdict, i < 5 ? ESP_OK : ESP_FAILED);
    CHECK_INT(esp_open_batch(e.server_in, packets, 5), 5);
    ends_close(&e);
}

#if L2TPC_TEST_HOOKS

/* The null back end of measurements: sizes and order of all others, and nothing in between. */
TEST(esp_null_backend_leaves_the_payload)
{
    static uint8_t run[RUN_BYTES];
    struct esp_packet packets[8];
    struct ends e;

    CHECK(open_with(&e, &sha1, ESP_BACKEND_NULL));
    (void)lay_out(&e, run, packets, 8, 50);
    CHECK_INT(esp_seal_batch(e.client_out, packets, 8), 8);
    CHECK_STR(esp_out_backend(e.client_out), "null");
    CHECK_INT(packets[7].data.p[ESP_HEADER + 16 + UDP_HEADER], 7);
    CHECK_INT(esp_open_batch(e.server_in, packets, 8), 8);
    CHECK_INT(packets[7].data.n, 350);
    ends_close(&e);
}

#endif
