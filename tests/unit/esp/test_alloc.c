/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The data path asks for no memory: every allocation of the program is counted here. */
#include "check.h"
#include "fixture.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED 1
#endif
#ifndef __GLIBC__
#define SANITIZED 1 /* nothing to wrap */
#endif

#ifdef SANITIZED

TEST(esp_allocates_nothing_per_packet)
{
    SKIP("the allocator is the sanitizer's");
}

#else

#include <stdlib.h>

static size_t calls;

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

void *malloc(size_t n)
{
    calls++;
    return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    calls++;
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    calls++;
    return __libc_realloc(p, n);
}

static void one_by_one(struct ends *e, uint8_t buffer[PACKET_MAX], size_t n)
{
    struct mspan packet = {NULL, 0};
    struct mspan payload = {NULL, 0};

    CHECK_INT(seal_bytes(e->client_out, buffer, n, 0, &packet), ESP_OK);
    CHECK_INT(esp_open(e->server_in, packet, &payload), ESP_OK);
    CHECK_INT(seal_bytes(e->client_out, buffer, n, 0, &packet), ESP_OK);
    packet.p[packet.n - 1] ^= 1;
    CHECK_INT(esp_open(e->server_in, packet, &payload), ESP_BAD_ICV);
}

static void as_batch(struct ends *e, uint8_t buffer[][PACKET_MAX], size_t n)
{
    struct esp_packet packets[ESP_BATCH_MAX];

    for (size_t i = 0; i < n; i++)
        packets[i].data = (struct mspan){buffer[i] + ESP_HEADROOM, 40 * (i % 5)};
    CHECK_INT(esp_seal_batch(e->client_out, packets, n), n);
    packets[n / 2].data.p[30] ^= 1;
    CHECK_INT(esp_open_batch(e->server_in, packets, n), n - 1);
}

static void count(size_t s, enum esp_backend backend)
{
    static uint8_t buffer[ESP_BATCH_MAX][PACKET_MAX];
    struct ends e;
    size_t before;

    ends_init(&e, &all_suites[s]);
    e.backend = backend;
    before = calls;
    CHECK(ends_open(&e));
    CHECK(calls > before); /* the counter works */
    before = calls;
    for (size_t n = 0; n < 200; n++)
        one_by_one(&e, buffer[0], 2 * n);
    for (size_t n = 1; n <= ESP_BATCH_MAX; n += 7)
        as_batch(&e, buffer, n);
    CHECK_INT(calls, before);
    ends_close(&e);
}

TEST(esp_allocates_nothing_per_packet)
{
    for (size_t s = 0; s < n_all_suites; s++) {
        count(s, ESP_BACKEND_AUTO);
        count(s, ESP_BACKEND_OPENSSL);
    }
}

#endif
