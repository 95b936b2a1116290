/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where secrets that outlive a call are kept. The seam through which io/ brings in memory that is
 * locked and not dumped (io/arena.h); without one, as in the pure core, it is the heap. Either way
 * a block comes zeroed and is wiped when it is given back.
 */
#ifndef L2TPC_BASE_VAULT_H
#define L2TPC_BASE_VAULT_H

#include "base/span.h"

struct vault {
    void *ctx;
    /* n zeroed bytes, aligned to a cache line (64); NULL without memory. */
    void *(*take)(void *ctx, size_t n);
    /* Wipes; `p` came from take() with this n. */
    void (*give)(void *ctx, void *p, size_t n);
};

/* `v` NULL: the heap. What was taken from a vault is given back to the same one. */
void *vault_take(const struct vault *v, size_t n) MUST_USE;
void vault_give(const struct vault *v, void *p, size_t n); /* NULL is fine */

#endif
