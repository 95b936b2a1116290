/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packets that broke other implementations (hostile.md C22 to C24). */
#include "check.h"
#include "fixture.h"

#include <stdlib.h>
#include <string.h>

/* A packet that ends where its memory does; what it was is kept beside it. */
struct exact {
    uint8_t *bytes, *before;
    size_t n;
};

static struct exact exact_of(const uint8_t *p, size_t n)
{
    struct exact e = {malloc(n ? n : 1), malloc(n ? n : 1), n};

    if (!e.bytes || !e.before)
        abort();
    if (n)
        memcpy(e.bytes, p, n), memcpy(e.before, p, n);
    return e;
}

static void exact_free(struct exact *e)
{
    free(e->bytes);
    free(e->before);
}

/* Inside the packet, behind its header, in front of its ICV. */
static bool lies_inside(const struct ends *e, const struct exact *x, struct mspan payload)
{
    const uint8_t *from = x->bytes + ESP_HEADER + e->client_in->key.sizes.iv;
    const uint8_t *to = x->bytes + x->n - e->client_in->key.sizes.icv;

    return payload.n == 0 || (payload.p >= from && payload.p + payload.n <= to);
}

/* Rubbish of every length, to right and to foreign SPIs: nothing is read or written outside. */
TEST(c22_every_length_of_rubbish)
{
    for (size_t s = 0; s < n_all_suites; s++) {
        struct ends e;

        ends_init(&e, &all_suites[s]);
        CHECK(ends_open(&e));
        for (size_t n = 0; n <= 1500; n += check_step()) {
            uint8_t packet[1500];
            struct mspan payload = {NULL, 0};
            struct exact x;

            for (size_t i = 0; i < n; i++)
                packet[i] = (uint8_t)(i * 7 + n);
            for (unsigned k = 0; k < 4 && k < n; k++)
                packet[k] = (uint8_t)(esp_in_spi(e.client_in) >> (24 - 8 * k));
            for (unsigned k = 4; k < 7 && k < n; k++)
                packet[k] = 0;
            x = exact_of(packet, n);
            CHECK(esp_open(e.client_in, (struct mspan){x.bytes, n}, &payload) != ESP_OK);
            CHECK(payload.p == NULL);
            exact_free(&x);
        }
        CHECK_INT(esp_in_counters(e.client_in).packets, 0);
        CHECK_INT(e.client_in->window.last, 0);
        ends_close(&e);
    }
}

/* Authentic packets of every length: opened in our own buffer alone, and in the same place. */
TEST(c22_opened_in_place_and_nowhere_else)
{
    for (size_t s = 0; s < n_all_suites; s++) {
        struct ends e;
        uint32_t seq = 0;

        ends_init(&e, &all_suites[s]);
        CHECK(ends_open(&e));
        for (size_t n = 0; n <= 1400; n += check_step()) {
            uint8_t buffer[PACKET_MAX], want[1400];
            struct mspan packet, payload = {NULL, 0};
            struct exact x;

            CHECK_INT(seal_bytes(e.server_out, buffer, n, (uint8_t)n, &packet), ESP_OK);
            x = exact_of(packet.p, packet.n);
            CHECK_INT(esp_open(e.client_in, (struct mspan){x.bytes, x.n}, &payload), ESP_OK);
            CHECK(lies_inside(&e, &x, payload));
            for (size_t i = 0; i < n; i++)
                want[i] = (uint8_t)(n + i);
            CHECK_MEM(payload.p, payload.n, want, n);
            /* Header, IV and ICV are as they came: whoever else holds the packet sees no change. */
            CHECK_MEM(x.bytes, ESP_HEADER + e.client_in->key.sizes.iv, x.before,
                      ESP_HEADER + e.client_in->key.sizes.iv);
            CHECK_MEM(x.bytes + x.n - e.client_in->key.sizes.icv, e.client_in->key.sizes.icv,
                      x.before + x.n - e.client_in->key.sizes.icv, e.client_in->key.sizes.icv);
            exact_free(&x);
            seq++;
        }
        CHECK_INT(esp_in_counters(e.client_in).packets, seq);
        ends_close(&e);
    }
}

/* A packet that fails its check is not decrypted, with CBC at least: not one byte is written. */
TEST(c22_unauthentic_packets_are_not_touched)
{
    for (size_t s = 0; s < n_all_suites; s++) {
        uint8_t buffer[PACKET_MAX];
        struct mspan packet, payload = {NULL, 0};
        struct ends e;
        struct exact x;

        if (all_suites[s].cipher == CIPHER_AES_GCM)
            continue; /* one pass decrypts and checks; the rubbish is dropped */
        ends_init(&e, &all_suites[s]);
        CHECK(ends_open(&e));
        CHECK_INT(seal_bytes(e.server_out, buffer, 200, 0, &packet), ESP_OK);
        packet.p[packet.n - 1] ^= 1;
        x = exact_of(packet.p, packet.n);
        CHECK_INT(esp_open(e.client_in, (struct mspan){x.bytes, x.n}, &payload), ESP_BAD_ICV);
        CHECK_MEM(x.bytes, x.n, x.before, x.n);
        exact_free(&x);
        ends_close(&e);
    }
}

/* RFC 4303 3.4.3: window, then ICV, then the mark. */
TEST(c23_window_before_icv_before_mark)
{
    for (size_t s = 0; s < n_all_suites; s++) {
        uint8_t buffer[2][PACKET_MAX];
        struct mspan packet[2], payload = {NULL, 0};
        struct window before;
        struct ends e;

        ends_init(&e, &all_suites[s]);
        CHECK(ends_open(&e));
        for (unsigned i = 0; i < 2; i++)
            CHECK_INT(seal_bytes(e.server_out, buffer[i], 60, 0, &packet[i]), ESP_OK);
        before = e.client_in->window;
        packet[1].p[packet[1].n - 1] ^= 1;
        {
            struct exact x = exact_of(packet[1].p, packet[1].n);

            CHECK_INT(esp_open(e.client_in, (struct mspan){x.bytes, x.n}, &payload), ESP_BAD_ICV);
            exact_free(&x);
        }
        CHECK_MEM(&e.client_in->window, sizeof(before), &before, sizeof(before));
        packet[1].p[packet[1].n - 1] ^= 1;
        CHECK_INT(esp_open(e.client_in, packet[1], &payload), ESP_OK);
        CHECK_INT(esp_open(e.client_in, packet[0], &payload), ESP_OK);
        packet[0].p[packet[0].n - 1] ^= 1; /* seen: no ICV is computed for it */
        CHECK_INT(esp_open(e.client_in, packet[0], &payload), ESP_REPLAYED);
        CHECK_INT(esp_in_counters(e.client_in).bad_icv, 1);
        ends_close(&e);
    }
    _Static_assert(ESP_WINDOW == 1024, "the window of RFC 4303 3.4.3");
}

/* What was agreed on, and nothing else: 12 or 16 bytes at the one end and at the other. */
TEST(c24_matrix_of_icv_lengths)
{
    for (unsigned i = 0; i < 4; i++) {
        struct esp_suite suite = {CIPHER_AES_CBC, 128, HASH_SHA256, i & 1};
        uint8_t buffer[PACKET_MAX];
        struct mspan packet, payload = {NULL, 0};
        struct ends sender, receiver;

        ends_init(&sender, &suite);
        suite.truncate_96 = i & 2;
        ends_init(&receiver, &suite);
        CHECK(ends_open(&sender) && ends_open(&receiver));
        for (size_t n = 0; n <= 300; n++) {
            bool same = (i & 1) == i >> 1;

            CHECK_INT(seal_bytes(sender.client_out, buffer, n, 0, &packet), ESP_OK);
            CHECK_INT(packet.n - n - esp_overhead(&sender.sa.suite, n), 0);
            CHECK_INT(esp_open(receiver.server_in, packet, &payload) == ESP_OK, same);
        }
        ends_close(&sender);
        ends_close(&receiver);
    }
}
