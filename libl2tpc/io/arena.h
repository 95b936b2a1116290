/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory for secrets: pages of their own that are never swapped out (mlock), stand in no core dump
 * (MADV_DONTDUMP), lie between two pages that nobody can touch, and are wiped when a block is given
 * back. A process that is forked off sees zeros there (MADV_WIPEONFORK): the broker and whatever an
 * application starts have no business with them. Where memory must not be locked (RLIMIT_MEMLOCK),
 * everything else still holds, and arena_is_locked() says so.
 */
#ifndef L2TPC_IO_ARENA_H
#define L2TPC_IO_ARENA_H

#include "base/vault.h"

struct arena;

/* NULL without memory, or when what was given back is found not to be wiped. */
struct arena *arena_new(void);
/* A thread that may outlive whoever started it holds the arena, too. */
struct arena *arena_hold(struct arena *a);
void arena_free(struct arena *a); /* the last holder wipes all that is left; NULL is fine */
/* May be used by several threads. */
const struct vault *arena_vault(struct arena *a);
/* All that was handed out so far is locked into memory. */
bool arena_is_locked(struct arena *a);
/* This process was forked off: what the arena held is gone. */
bool arena_is_lost(const struct arena *a);
/* From now on a child sees what is in it; false when the kernel refuses. */
bool arena_keep_on_fork(struct arena *a) MUST_USE;

/* What a program may lock here, such as "64 kB", for people. */
#define ARENA_LIMIT_TEXT 32
void arena_limit_text(char out[ARENA_LIMIT_TEXT]);

/* For tests and figures. */
struct arena_use {
    size_t bytes;  /* handed out */
    size_t blocks; /* not given back yet */
    size_t pages;  /* bytes of pages, without their guards */
};
struct arena_use arena_use(struct arena *a);

#endif
