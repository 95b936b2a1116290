/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ring between two threads: order, bounds, loss that is counted, owners that are gone. */
#include "check.h"
#include "io/ring.h"
#include "io/thread.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    unsigned next, got, sizes;
    bool bad;
};

static void on_record(const struct ring_record *r, struct mspan bytes, l2tpc_us now)
{
    struct reader *reader = r->owner;

    (void)now;
    reader->bad = reader->bad || (unsigned)r->what < reader->next || bytes.n != (size_t)r->value;
    for (size_t i = 0; i < bytes.n; i++)
        reader->bad = reader->bad || bytes.p[i] != (uint8_t)(r->what + (int)i);
    reader->next = (unsigned)r->what + 1;
    reader->got++;
    reader->sizes += (unsigned)bytes.n;
}

static bool put(struct ring *g, struct reader *reader, unsigned i, size_t n)
{
    struct ring_record r = {.fn = on_record, .owner = reader, .what = (int)i, .value = (int)n};
    uint8_t bytes[9000];

    for (size_t k = 0; k < n; k++)
        bytes[k] = (uint8_t)(i + k);
    return ring_put(g, &r, span_of(bytes, n));
}

TEST(records_come_out_in_order)
{
    struct ring *g = calloc(1, sizeof(*g));
    struct reader reader = {0};

    CHECK(g);
    for (unsigned i = 0; i < 1000; i++) {
        CHECK(put(g, &reader, i, i * 37 % 8500));
        if (i % 7 == 0)
            ring_take(g, 0);
    }
    ring_take(g, 0);
    CHECK(ring_is_empty(g));
    CHECK_INT(reader.got, 1000);
    CHECK(!reader.bad);
    free(g);
}

TEST(a_full_ring_loses_and_counts)
{
    struct ring *g = calloc(1, sizeof(*g));
    struct reader reader = {0};
    unsigned kept = 0;

    CHECK(g);
    for (unsigned i = 0; i < 100; i++)
        kept += put(g, &reader, i, 4000);
    CHECK(kept >= RING_SIZE / 4200 - 1 && kept < 100);
    CHECK_INT(tally_read(&g->lost), 100 - kept);
    CHECK(!put(g, &reader, 100, 9000));
    ring_take(g, 0);
    CHECK_INT(reader.got, kept);
    CHECK(put(g, &reader, 200, 4000)); /* there is room again */
    ring_take(g, 0);
    CHECK_INT(reader.next, 201);
    CHECK(!reader.bad);
    free(g);
}

TEST(who_is_gone_is_not_called)
{
    struct ring *g = calloc(1, sizeof(*g));
    struct reader a = {0};
    struct reader b = {0};

    CHECK(g);
    for (unsigned i = 0; i < 10; i++)
        CHECK(put(g, i % 2 ? &a : &b, i, 10));
    ring_forget(g, &a);
    ring_take(g, 0);
    CHECK_INT(a.got, 0);
    CHECK_INT(b.got, 5);
    free(g);
}

#define MANY 100000

struct both {
    struct ring *g;
    struct reader reader;
    unsigned kept;
};

static void *write_many(void *user)
{
    struct both *b = user;

    for (unsigned i = 0; i < MANY; i++)
        b->kept += put(b->g, &b->reader, i, i % 90);
    return NULL;
}

TEST(two_threads)
{
    struct both b = {.g = calloc(1, sizeof(*b.g))};
    pthread_t thread;

    CHECK(b.g);
    CHECK(thread_start(&thread, NULL, write_many, &b));
    while (b.reader.got + tally_read(&b.g->lost) < MANY) {
        ring_take(b.g, 0);
        (void)sched_yield();
    }
    (void)pthread_join(thread, NULL);
    CHECK_INT(b.reader.got, b.kept);
    CHECK(b.reader.got > 0);
    CHECK(!b.reader.bad);
    free(b.g);
}
