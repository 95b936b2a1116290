/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Work that blocks - a token, a web server - in a thread of its own. It touches nothing but its own
 * block; the answer comes in the loop's thread.
 */
#ifndef L2TPC_IO_WORK_H
#define L2TPC_IO_WORK_H

#include "io/loop.h"

struct work;

struct work_verbs {
    void (*run)(void *block);              /* in the thread; NULL: there is nothing left to do */
    void (*done)(void *user, void *block); /* in the loop's thread; unless cancelled */
    void (*free)(void *block);             /* once, by whoever lets go last */
};

/* NULL: no memory or no thread, and `block` has been freed. */
struct work *work_start(struct loop *loop, const struct work_verbs *verbs, void *block, void *user);
/* Not from inside `done`. The thread goes on by itself and its result is thrown away. NULL is fine.
 */
void work_cancel(struct work *w);

#endif
