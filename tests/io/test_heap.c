/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The heap that OpenSSL works in: what is handed out, what is left of it, and who sees it. */
#include "base/limits.h"
#include "base/secret.h"
#include "check.h"
#include "crypto/crypto.h"
#include "io/heap.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define USUAL true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define USUAL true
#endif
#endif
#ifndef USUAL
#define USUAL false
#endif

static void *take(size_t n)
{
    return heap_malloc(n, "", 0);
}

static void give(void *p)
{
    heap_free(p, "", 0);
}

/* The flags of the mapping that holds `p`, such as "rd wr mr mw me lo ac dd". */
static bool has_flag(const void *p, const char *flag)
{
    FILE *f = fopen("/proc/self/smaps", "re");
    char line[512];
    char word[8];
    bool here = false;
    bool found = false;

    (void)snprintf(word, sizeof(word), " %s ", flag);
    while (f && fgets(line, sizeof(line), f)) {
        uintptr_t from;
        uintptr_t to;

        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2)
            here = (uintptr_t)p >= from && (uintptr_t)p < to;
        if (here && strncmp(line, "VmFlags:", 8) == 0)
            found = strstr(line, word) != NULL;
    }
    if (f)
        (void)fclose(f);
    return found;
}

static bool is_clean(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (((const volatile uint8_t *)p)[i] != 0)
            return false;
    return true;
}

/* A user who may lock little still has the arena: half of it is left. First of all, as what was
 * locked under another limit stays so. */
static void with_a_limit(void)
{
    const struct rlimit little = {.rlim_cur = 256 << 10, .rlim_max = 256 << 10};
    bool ok = setrlimit(RLIMIT_MEMLOCK, &little) == 0 && heap_start();
    void *p = ok ? take(1 << 20) : NULL;

    ok = p && heap_use().locked <= 128 << 10;
    give(p);
    _exit(ok ? 0 : 1);
}

TEST(heap_leaves_the_arena_its_part)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0)
        with_a_limit();
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK_INT(status, 0);
}

TEST(heap_pages_are_locked_and_not_dumped)
{
    uint8_t *p;

    CHECK(heap_start());
    p = take(100);
    CHECK(p);
    CHECK(USUAL || has_flag(p, "dd"));
    CHECK(USUAL || !has_flag(p, "wf"));
    CHECK(USUAL || has_flag(p, "lo") == (heap_use().locked > 0));
    give(p);
}

TEST(heap_wipes_what_is_given_back)
{
    static const size_t sizes[] = {1, 16, 17, 200, 1360, 4096, 4097, 100000};
    size_t before;

    CHECK(heap_start());
    before = heap_use().bytes;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        uint8_t *p = take(sizes[i]);
        uint8_t *other = take(sizes[i]); /* or the whole slab goes */

        CHECK(p && other && p != other && (uintptr_t)p % 16 == 0);
        memset(p, 0xa5, sizes[i]);
        memset(other, 0x5a, sizes[i]);
        give(p);
        /* A list goes through the first bytes. */
        CHECK(USUAL || sizes[i] <= 16 || is_clean(p + 16, sizes[i] - 16));
        CHECK(other[0] == 0x5a && other[sizes[i] - 1] == 0x5a);
        give(other);
        CHECK(USUAL || is_clean(other, sizes[i]));
    }
    CHECK_INT(heap_use().bytes, before);
}

TEST(heap_gives_nobody_what_another_one_has)
{
    enum {
        N = 600
    };
    static uint8_t *p[N];
    static size_t n[N];
    unsigned seed = 1;
    size_t before;

    CHECK(heap_start());
    before = heap_use().bytes;
    for (unsigned round = 0; round < 20000; round++) {
        unsigned i;

        seed = seed * 1103515245 + 12345;
        i = (seed >> 8) % N;
        if (p[i]) {
            for (size_t k = 0; k < n[i]; k++)
                if (p[i][k] != (uint8_t)i)
                    CHECK_INT(p[i][k], (uint8_t)i);
            if (seed & 0x40000000) { /* grows or shrinks, with what is in it */
                size_t want = 1 + (seed >> 4) % 3000;
                uint8_t *q = heap_realloc(p[i], want, "", 0);

                CHECK(q && q[0] == (uint8_t)i && q[(want < n[i] ? want : n[i]) - 1] == (uint8_t)i);
                p[i] = q;
                n[i] = want;
                memset(q, (int)i, want);
                continue;
            }
            give(p[i]);
            p[i] = NULL;
            continue;
        }
        n[i] = 1 + (seed >> 4) % ((seed >> 16) % 8 ? 600 : 30000);
        p[i] = take(n[i]);
        CHECK(p[i]);
        memset(p[i], (int)i, n[i]);
    }
    for (unsigned i = 0; i < N; i++)
        give(p[i]);
    CHECK_INT(heap_use().bytes, before);
}

/* A list of revoked certificates may be larger than all of the room. */
TEST(heap_takes_what_has_no_room_from_elsewhere)
{
    uint8_t *p;

    CHECK(heap_start());
    p = take(HEAP_ROOM + 1);
    CHECK(p);
    p[0] = p[HEAP_ROOM] = 1;
    give(p);
    CHECK(!take(0));
    give(NULL);
    p = heap_realloc(NULL, 10, "", 0);
    CHECK(p);
    CHECK(!heap_realloc(p, 0, "", 0));
}

static void *churn(void *p)
{
    volatile bool *stop = p;

    while (!*stop)
        give(take(300));
    return NULL;
}

/* A child goes on with what is there, and is not stopped by a thread that it has not. */
TEST(heap_is_whole_in_a_child)
{
    volatile bool stop = false;
    pthread_t other;
    uint8_t *p;

    CHECK(heap_start());
    p = take(64);
    CHECK(p);
    memset(p, 7, 64);
    CHECK(pthread_create(&other, NULL, churn, (void *)&stop) == 0);
    for (int i = 0; i < 50; i++) {
        pid_t child = fork();
        int status = -1;

        if (child == 0) {
            uint8_t *q = take(64);
            bool ok = q && p[63] == 7 && (USUAL || has_flag(p, "lo") == (heap_use().locked > 0));

            give(q);
            give(p);
            _exit(ok && heap_start() ? 0 : 1);
        }
        CHECK(child > 0 && waitpid(child, &status, 0) == child);
        CHECK_INT(status, 0);
    }
    stop = true;
    CHECK(pthread_join(other, NULL) == 0);
    CHECK(p[0] == 7);
    give(p);
}

/* Everything of OpenSSL comes from it, once and for all; afterwards it is too late. */
static void with_openssl(void)
{
    struct crypto *c;
    size_t used;
    bool ok = heap_start() && heap_serve_crypto();

    c = ok ? crypto_new() : NULL;
    used = heap_use().bytes;
    ok = c && (USUAL || used > 100000) && heap_serve_crypto();
    crypto_free(c);
    ok = ok && (USUAL || heap_use().bytes < used);
    exit(ok ? 0 : 1);
}

static void too_late(void)
{
    OPENSSL_free(OPENSSL_malloc(1));
    _exit(heap_start() && heap_serve_crypto() ? 1 : 0);
}

TEST(heap_serves_openssl)
{
    void (*const run[])(void) = {with_openssl, too_late};

    for (size_t i = 0; i < ARRAY_LEN(run); i++) {
        int status = -1;
        pid_t child = fork();

        if (child == 0)
            run[i]();
        CHECK(child > 0 && waitpid(child, &status, 0) == child);
        CHECK_INT(status, 0);
    }
}
