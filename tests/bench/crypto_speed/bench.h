/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pure speed of ESP: what is measured, and who takes part. */
#ifndef TESTS_BENCH_CRYPTO_SPEED_BENCH_H
#define TESTS_BENCH_CRYPTO_SPEED_BENCH_H

#include "crypto/esp_backend.h"
#include "esp/private.h"

#define RING 64   /* packets: what one burst of the kernel may bring, and inside the second cache */
#define SLOT 2048 /* room for one of them */

struct suite {
    const char *name;
    struct esp_suite esp;
};

/* One row of what is measured: a suite, a direction, a size, a batch. */
struct cell {
    const struct suite *suite;
    bool seal;
    size_t payload; /* bytes inside UDP */
    size_t batch;
};

/* The packets that every contender works on. */
struct ring {
    uint8_t bytes[RING][SLOT] __attribute__((aligned(64)));
    uint8_t sealed[RING][SLOT]; /* as they are sealed, to open them more than once */
    size_t packet;              /* length of each */
    size_t body;
};

/*
 * A contender works on the whole ring, in batches of the cell. NULL from _new: it has no part in
 * this cell. Keys are those of `sa.out`.
 */
struct contender {
    const char *name;
    void *(*create)(const struct cell *cell, const struct sa_pair *sa, struct ring *ring);
    void (*run)(void *self);
    void (*destroy)(void *self);
};

extern const struct contender raw_evp;
extern const struct contender raw_mb_narrow, raw_mb_wide;
extern const struct contender ours_openssl, ours_auto;                  /* the table of back ends */
extern const struct contender packet_openssl, packet_auto, packet_null; /* ESP as a whole */

/* Makes the ring's packets, sealed, with numbers from 1 on. */
bool ring_make(struct ring *ring, const struct cell *cell, const struct sa_pair *sa);
/* As they were before the last run. */
void ring_reset(struct ring *ring, const struct cell *cell);

#endif
