/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Blocking work beside the loop: its answer, its cancelling, who frees. */
#include "check.h"
#include "io/work.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct shared {
    pthread_mutex_t lock;
    unsigned runs, dones, frees;
    unsigned wait_us;
};

static void count(struct shared *s, unsigned *what)
{
    (void)pthread_mutex_lock(&s->lock);
    (*what)++;
    (void)pthread_mutex_unlock(&s->lock);
}

static unsigned read_count(struct shared *s, const unsigned *what)
{
    unsigned n;

    (void)pthread_mutex_lock(&s->lock);
    n = *what;
    (void)pthread_mutex_unlock(&s->lock);
    return n;
}

static void run(void *block)
{
    struct shared *s = block;

    (void)usleep(s->wait_us);
    count(s, &s->runs);
}

static void done(void *user, void *block)
{
    (void)block;
    count(user, &((struct shared *)user)->dones);
}

static void forget(void *block)
{
    struct shared *s = block;

    count(s, &s->frees);
}

static const struct work_verbs verbs = {run, done, forget};

TEST(work_answers_in_the_loop)
{
    struct shared s = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct loop *loop = loop_new();

    CHECK(loop && work_start(loop, &verbs, &s, &s));
    for (unsigned i = 0; i < 100 && s.dones == 0; i++)
        CHECK(loop_dispatch(loop, 50));
    for (unsigned i = 0; i < 100 && read_count(&s, &s.frees) == 0; i++)
        (void)usleep(1000);
    CHECK_INT(read_count(&s, &s.runs), 1);
    CHECK_INT(s.dones, 1);
    CHECK_INT(read_count(&s, &s.frees), 1);
    loop_free(loop);
}

TEST(work_that_is_cancelled_says_nothing)
{
    for (unsigned wait = 0; wait < 2; wait++) { /* when it has posted, and before that */
        struct shared s = {.lock = PTHREAD_MUTEX_INITIALIZER, .wait_us = wait ? 50000 : 0};
        struct loop *loop = loop_new();
        struct work *w = work_start(loop, &verbs, &s, &s);

        CHECK(w);
        for (unsigned i = 0; !wait && i < 200 && read_count(&s, &s.runs) == 0; i++)
            (void)usleep(1000);
        (void)usleep(wait ? 0 : 5000);
        work_cancel(w);
        CHECK(loop_dispatch(loop, 0));
        loop_free(loop); /* the thread must not miss it */
        for (unsigned i = 0; i < 500 && read_count(&s, &s.frees) == 0; i++)
            (void)usleep(1000);
        CHECK_INT(s.dones, 0);
        CHECK_INT(read_count(&s, &s.frees), 1);
    }
}
