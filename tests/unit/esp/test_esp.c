/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"
#include "fixture.h"

#include <string.h>

static const struct esp_suite aes = {CIPHER_AES_CBC, 256, HASH_SHA1, false};
static const struct esp_suite gcm = {CIPHER_AES_GCM, 256, HASH_NONE, false};

/* Bytes before the headroom's use and behind the packet must stay as they were. */
static bool is_all(const uint8_t *p, size_t n, uint8_t v)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] != v)
            return false;
    return true;
}

static void round_trip(struct ends *e, size_t n)
{
    uint8_t buffer[PACKET_MAX];
    uint8_t want[PACKET_MAX];
    struct mspan packet = {NULL, 0};
    struct mspan payload = {NULL, 0};

    memset(buffer, 0xee, sizeof(buffer));
    CHECK_INT(seal_bytes(e->client_out, buffer, n, 3, &packet), ESP_OK);
    CHECK_INT(packet.n, n + esp_overhead(&e->sa.suite, n));
    CHECK(packet.p >= buffer && packet.p + packet.n <= buffer + ESP_HEADROOM + n + ESP_TAILROOM);
    CHECK(is_all(buffer, (size_t)(packet.p - buffer), 0xee));
    CHECK(
        is_all(packet.p + packet.n, sizeof(buffer) - (size_t)(packet.p + packet.n - buffer), 0xee));
    CHECK_INT(esp_open(e->server_in, packet, &payload), ESP_OK);
    for (size_t i = 0; i < n; i++)
        want[i] = (uint8_t)(3 + i);
    CHECK_MEM(payload.p, payload.n, want, n);
    CHECK_INT(esp_open(e->server_in, packet, &payload), ESP_REPLAYED);
}

TEST(esp_round_trips_of_every_suite)
{
    for (size_t s = 0; s < n_all_suites; s++) {
        struct ends e;
        uint64_t bytes = 0;

        ends_init(&e, &all_suites[s]);
        e.sa.udp_encapsulated = s % 2 == 0;
        CHECK(ends_open(&e));
        for (size_t n = 0; n <= 300; n++) {
            round_trip(&e, n);
            bytes += n + esp_overhead(&e.sa.suite, n);
        }
        round_trip(&e, 2000);
        bytes += 2000 + esp_overhead(&e.sa.suite, 2000);
        CHECK_INT(esp_out_counters(e.client_out).packets, 302);
        CHECK_INT(esp_out_counters(e.client_out).bytes, bytes);
        CHECK_INT(esp_in_counters(e.server_in).packets, 302);
        CHECK_INT(esp_in_counters(e.server_in).bytes, bytes);
        CHECK_INT(esp_in_counters(e.server_in).replayed, 302);
        CHECK_INT(esp_in_counters(e.server_in).malformed, 0);
        CHECK_INT(esp_out_spi(e.client_out), esp_in_spi(e.server_in));
        ends_close(&e);
    }
}

TEST(esp_sizes_tell_the_truth)
{
    for (size_t s = 0; s < n_all_suites; s++)
        for (size_t packet = 0; packet <= 1600; packet++) {
            const struct esp_suite *suite = &all_suites[s];
            size_t n = esp_payload_max(suite, packet);

            CHECK(n + 1 + esp_overhead(suite, n + 1) > packet);
            CHECK(n == 0 || n + esp_overhead(suite, n) <= packet);
            CHECK(esp_overhead(suite, packet) <= ESP_HEADROOM + ESP_TAILROOM);
        }
    CHECK_INT(esp_payload_max(&aes, SIZE_MAX), 65527);
    CHECK_INT(esp_overhead(&(struct esp_suite){CIPHER_NONE, 0, HASH_SHA1, false}, 10), 0);
    CHECK_INT(esp_payload_max(&(struct esp_suite){CIPHER_NONE, 0, HASH_SHA1, false}, 1400), 0);
    CHECK_STR(esp_integ_name(&aes), "HMAC-SHA1-96");
    CHECK_STR(esp_integ_name(&gcm), "AEAD");
    CHECK_STR(esp_integ_name(&all_suites[3]), "HMAC-SHA2-256-96");
}

/* Every single bit of one packet: none may pass, and none may move the window. */
TEST(esp_accepts_no_flipped_bit)
{
    for (size_t s = 0; s < n_all_suites; s++) {
        uint8_t buffer[PACKET_MAX];
        uint8_t copy[PACKET_MAX];
        struct mspan packet = {NULL, 0};
        struct mspan payload = {NULL, 0};
        struct ends e;

        ends_init(&e, &all_suites[s]);
        CHECK(ends_open(&e));
        CHECK_INT(seal_bytes(e.client_out, buffer, 33, 0, &packet), ESP_OK);
        for (size_t bit = 0; bit < packet.n * 8; bit++) {
            enum esp_verdict v;

            memcpy(copy, packet.p, packet.n);
            copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
            v = esp_open(e.server_in, (struct mspan){copy, packet.n}, &payload);
            if (bit / 8 < 4)
                CHECK_INT(v, ESP_MALFORMED); /* another SPI */
            else if (bit == 7 * 8)
                CHECK_INT(v, ESP_REPLAYED); /* sequence number 0 */
            else
                CHECK_INT(v, ESP_BAD_ICV);
            CHECK(payload.p == NULL);
        }
        CHECK_INT(esp_in_counters(e.server_in).bad_icv, packet.n * 8 - 33);
        CHECK_INT(esp_in_counters(e.server_in).packets, 0);
        CHECK_INT(esp_open(e.server_in, packet, &payload), ESP_OK);
        ends_close(&e);
    }
}

/* Cut or grown to any other length. */
TEST(esp_accepts_no_other_length)
{
    for (size_t s = 0; s < n_all_suites; s++) {
        uint8_t buffer[PACKET_MAX];
        uint8_t copy[PACKET_MAX] = {0};
        struct mspan packet = {NULL, 0};
        struct mspan payload = {NULL, 0};
        struct ends e;

        ends_init(&e, &all_suites[s]);
        CHECK(ends_open(&e));
        CHECK_INT(seal_bytes(e.client_out, buffer, 200, 0, &packet), ESP_OK);
        for (size_t n = 0; n <= 1500; n++) {
            if (n == packet.n)
                continue;
            memcpy(copy, packet.p, n < packet.n ? n : packet.n);
            CHECK(esp_open(e.server_in, (struct mspan){copy, n}, &payload) != ESP_OK);
            CHECK(payload.p == NULL);
        }
        CHECK_INT(esp_in_counters(e.server_in).malformed + esp_in_counters(e.server_in).bad_icv,
                  1500);
        CHECK_INT(esp_in_counters(e.server_in).replayed, 0);
        CHECK_INT(esp_open(e.server_in, packet, &payload), ESP_OK);
        ends_close(&e);
    }
}

/* Authentic bodies of every length: a hostile server has the keys. */
TEST(esp_survives_every_plaintext_length)
{
    for (size_t s = 0; s < n_all_suites; s++) {
        struct ends e;
        uint32_t seq = 0;

        ends_init(&e, &all_suites[s]);
        CHECK(ends_open(&e));
        for (size_t n = e.server_out->key.sizes.align; n <= 300;
             n += e.server_out->key.sizes.align) {
            for (unsigned v = 0; v < 256; v += 5) {
                uint8_t buffer[PACKET_MAX];
                uint8_t plain[300];
                struct mspan payload = {NULL, 0};

                memset(plain, (int)v, n);
                plain[n - 1] = NEXT_HEADER_UDP;
                CHECK_INT(
                    esp_open(e.client_in, forge(&e, buffer, ++seq, span_of(plain, n)), &payload),
                    ESP_MALFORMED);
            }
        }
        CHECK_INT(esp_in_counters(e.client_in).malformed, seq);
        ends_close(&e);
    }
}

TEST(esp_sequence_space_ends)
{
    static const struct esp_suite *const suites[] = {&aes, &gcm};

    for (size_t s = 0; s < ARRAY_LEN(suites); s++) {
        uint8_t buffer[PACKET_MAX];
        struct mspan packet = {NULL, 0};
        struct mspan payload = {NULL, 0};
        struct ends e;

        ends_init(&e, suites[s]);
        CHECK(ends_open(&e));
        CHECK(!esp_out_is_worn(e.client_out));
        e.client_out->seq = ESP_SEQ_SOFT - 1;
        CHECK(!esp_out_is_worn(e.client_out));
        CHECK_INT(seal_bytes(e.client_out, buffer, 9, 0, &packet), ESP_OK);
        CHECK(esp_out_is_worn(e.client_out));
        CHECK_INT(esp_open(e.server_in, packet, &payload), ESP_OK);
        e.client_out->seq = UINT32_MAX - 2;
        for (unsigned i = 0; i < 2; i++) {
            CHECK_INT(seal_bytes(e.client_out, buffer, 9, 0, &packet), ESP_OK);
            CHECK_INT(esp_open(e.server_in, packet, &payload), ESP_OK);
        }
        CHECK_INT(esp_out_seq(e.client_out), UINT32_MAX);
        packet.p = NULL;
        for (unsigned i = 0; i < 3; i++)
            CHECK_INT(seal_bytes(e.client_out, buffer, 9, 0, &packet), ESP_EXHAUSTED);
        CHECK(packet.p == NULL);
        CHECK_INT(esp_out_seq(e.client_out), UINT32_MAX);
        CHECK_INT(esp_out_counters(e.client_out).packets, 3);
        ends_close(&e);
    }
}

/* CBC: no IV twice and none from the counter; GCM: the counter itself. */
TEST(esp_ivs)
{
    static uint8_t seen[1000][16];
    uint8_t buffer[PACKET_MAX];
    struct mspan packet = {NULL, 0};
    struct ends e;

    ends_init(&e, &aes);
    CHECK(ends_open(&e));
    for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
        CHECK_INT(seal_bytes(e.client_out, buffer, 20, 0, &packet), ESP_OK);
        memcpy(seen[i], packet.p + 8, 16);
        for (size_t j = 0; j < i; j++)
            CHECK(memcmp(seen[i], seen[j], 16) != 0);
    }
    ends_close(&e);
    ends_init(&e, &gcm);
    CHECK(ends_open(&e));
    for (unsigned i = 1; i < 300; i++) {
        uint8_t want[8] = {[6] = (uint8_t)(i >> 8), [7] = (uint8_t)i};

        CHECK_INT(seal_bytes(e.client_out, buffer, 20, 0, &packet), ESP_OK);
        CHECK_MEM(packet.p + 8, 8, want, 8);
    }
    ends_close(&e);
}

static bool no_rand(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    (void)out;
    (void)n;
    return false;
}

TEST(esp_without_randomness_seals_nothing)
{
    uint8_t buffer[PACKET_MAX];
    struct mspan packet = {NULL, 0};
    struct ends e;

    ends_init(&e, &aes);
    CHECK(ends_open(&e));
    e.client_out->env.rand = no_rand;
    CHECK_INT(seal_bytes(e.client_out, buffer, 20, 0, &packet), ESP_FAILED);
    CHECK(packet.p == NULL);
    CHECK_INT(esp_out_counters(e.client_out).packets, 0);
    e.client_out->env = ends_env(&e);
    CHECK_INT(seal_bytes(e.client_out, buffer, 20, 0, &packet), ESP_OK);
    ends_close(&e);
}

static bool can_make(struct ends *e, const struct sa_pair *sa)
{
    struct env env = ends_env(e);
    struct esp_out *o = esp_out_new(e->crypto, &env, sa, &e->client, &e->server);
    struct esp_in *i = esp_in_new(e->crypto, sa, &e->client, &e->server);
    bool both = o && i;

    esp_out_free(o);
    esp_in_free(i);
    return both;
}

TEST(esp_refuses_suites_and_keys_that_cannot_be)
{
    struct ends e;
    struct sa_pair sa;

    ends_init(&e, &aes);
    CHECK(ends_open(&e));
    for (int cipher = CIPHER_NONE; cipher <= CIPHER_AES_GCM; cipher++)
        for (int hash = HASH_NONE; hash <= HASH_MD4; hash++) {
            bool is_gcm = cipher == CIPHER_AES_GCM;

            sa = e.sa;
            sa.suite =
                (struct esp_suite){(enum cipher_id)cipher, cipher >= CIPHER_AES_CBC ? 128 : 0,
                                   (enum hash_id)hash, false};
            sa.in.cipher_key_len = sa.out.cipher_key_len =
                (uint8_t)(cipher_key_len(sa.suite.cipher, sa.suite.key_bits) +
                          cipher_salt(sa.suite.cipher));
            sa.in.integ_key_len = sa.out.integ_key_len = (uint8_t)hash_size(sa.suite.integ);
            CHECK(can_make(&e, &sa) ==
                  (cipher != CIPHER_NONE && hash != HASH_MD4 && is_gcm == (hash == HASH_NONE)));
        }
    sa = e.sa;
    CHECK(can_make(&e, &sa));
    sa.in.cipher_key_len--;
    CHECK(!can_make(&e, &sa));
    sa = e.sa;
    sa.out.integ_key_len = 0;
    CHECK(!can_make(&e, &sa));
    sa = e.sa;
    sa.suite.key_bits = 0;
    CHECK(!can_make(&e, &sa));
    sa.suite.cipher = CIPHER_3DES_CBC;
    sa.in.cipher_key_len = sa.out.cipher_key_len = 24;
    CHECK(can_make(&e, &sa));
    memcpy(sa.in.cipher_key, sa.in.cipher_key + 8, 8); /* K1 = K2: single DES */
    CHECK(!can_make(&e, &sa));
    ends_close(&e);
}

/* One end cuts SHA2-256 to 96 bits and the other does not: nothing passes, and it is known why. */
TEST(c24_tells_another_truncation)
{
    for (unsigned i = 0; i < 4; i++) {
        struct esp_suite suite = {i & 2 ? CIPHER_3DES_CBC : CIPHER_AES_CBC, i & 2 ? 0 : 128,
                                  HASH_SHA256, i & 1};
        uint8_t buffer[PACKET_MAX];
        struct mspan packet = {NULL, 0};
        struct mspan payload = {NULL, 0};
        struct ends client;
        struct ends server;

        ends_init(&client, &suite);
        suite.truncate_96 = !suite.truncate_96;
        ends_init(&server, &suite);
        CHECK(ends_open(&client) && ends_open(&server));
        for (unsigned n = 1; n <= 5; n++) {
            CHECK_INT(seal_bytes(client.client_out, buffer, 40, 0, &packet), ESP_OK);
            CHECK_INT(esp_open(server.server_in, packet, &payload), ESP_MALFORMED);
            CHECK_INT(esp_in_counters(server.server_in).cut_otherwise, n);
        }
        packet.p[packet.n - 1] ^= 1; /* noise of the same length says nothing */
        CHECK_INT(esp_open(server.server_in, packet, &payload), ESP_MALFORMED);
        CHECK_INT(esp_in_counters(server.server_in).cut_otherwise, 5);
        CHECK_INT(esp_in_counters(server.server_in).malformed, 6);
        ends_close(&client);
        ends_close(&server);
    }
}
