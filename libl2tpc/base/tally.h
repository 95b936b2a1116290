/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Counters that one thread writes and any thread reads: relaxed, so that counting costs what it
 * costs without threads, and nobody reads half a number.
 */
#ifndef L2TPC_BASE_TALLY_H
#define L2TPC_BASE_TALLY_H

#include <stdatomic.h>
#include <stdint.h>

typedef _Atomic uint64_t tally;

static inline uint64_t tally_read(const tally *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

/* The one writer's alone. */
static inline void tally_add(tally *c, uint64_t n)
{
    atomic_store_explicit(c, tally_read(c) + n, memory_order_relaxed);
}

#endif
