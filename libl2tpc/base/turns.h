/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When may memory go that other threads were reading? Each of those threads works in turns, between
 * which it holds nothing. Its number is odd during a turn: whoever has taken a pointer away and
 * then sees an even number, or later another one, knows that nobody has it any more. That costs a
 * turn two additions, and no thread waits for another.
 */
#ifndef L2TPC_BASE_TURNS_H
#define L2TPC_BASE_TURNS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define TURNS_MAX 2

struct turns {
    unsigned n; /* threads */
    _Atomic uint64_t turn[TURNS_MAX];
    atomic_bool paused;
    /*
     * Whoever brings the threads has these. `hold` returns when no turn is under way, and until
     * `let_go` none begins; they nest, and are for the control side alone. `yield` lets others run.
     */
    void *user;
    void (*hold)(void *user);
    void (*let_go)(void *user);
    void (*yield)(void *user);
    /* In a thread that wants to begin a turn while there is a hold: returns when it is over. */
    void (*wait)(void *user);
};

/* What the turns were at some time. */
struct turns_mark {
    uint64_t turn[TURNS_MAX];
};

static inline void turns_begin(struct turns *t, unsigned i)
{
    for (;;) {
        (void)atomic_fetch_add(&t->turn[i], 1);
        if (!atomic_load(&t->paused))
            return;
        (void)atomic_fetch_add(&t->turn[i], 1);
        t->wait(t->user);
    }
}

static inline void turns_end(struct turns *t, unsigned i)
{
    (void)atomic_fetch_add(&t->turn[i], 1);
}

/* Behind the store that took the pointer away. */
static inline struct turns_mark turns_now(struct turns *t)
{
    struct turns_mark m = {{0}};

    for (unsigned i = 0; i < t->n; i++)
        m.turn[i] = atomic_load(&t->turn[i]);
    return m;
}

/* Every turn that was under way at the mark is over. */
static inline bool turns_passed(struct turns *t, const struct turns_mark *m)
{
    for (unsigned i = 0; i < t->n; i++)
        if ((m->turn[i] & 1) && atomic_load(&t->turn[i]) == m->turn[i])
            return false;
    return true;
}

static inline void turns_await(struct turns *t, const struct turns_mark *m)
{
    while (!turns_passed(t, m))
        t->yield(t->user);
}

/* No threads: nothing to hold. */
static inline void turns_hold(struct turns *t)
{
    if (t)
        t->hold(t->user);
}

static inline void turns_let_go(struct turns *t)
{
    if (t)
        t->let_go(t->user);
}

#endif
