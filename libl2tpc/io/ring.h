/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What one thread hands to another one: records in a ring of fixed size, without a lock. Who puts
 * never waits; what finds no room is lost and counted, as on a network. Who takes may change what
 * he has been given, in place.
 */
#ifndef L2TPC_IO_RING_H
#define L2TPC_IO_RING_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/span.h"
#include "base/tally.h"

/* Bytes; a power of two. */
#define RING_SIZE 131072

struct ring_record;

typedef void (*ring_fn)(const struct ring_record *r, struct mspan bytes, l2tpc_us now);

struct ring_record {
    ring_fn fn;  /* who is to have it */
    void *owner; /* what ring_forget() knows it by */
    int what, value;
    struct endpoint from;
    struct inaddr to;
    l2tpc_us at;
    uint32_t n;    /* bytes behind it */
    uint32_t room; /* the ring's own: of the record as a whole */
};

struct ring {
    _Atomic uint64_t put, taken; /* bytes, ever */
    tally lost;
    uint64_t room[RING_SIZE / sizeof(uint64_t)];
};

/* False, and counted: no room. */
bool ring_put(struct ring *g, const struct ring_record *record, struct span bytes) MUST_USE;
/* Calls for what is there now, in order. A callback may forget, not take. */
void ring_take(struct ring *g, l2tpc_us now);
/* Nobody is called for this owner any more. While nobody puts, and by who takes. */
void ring_forget(struct ring *g, const void *owner);
bool ring_is_empty(const struct ring *g);

#endif
