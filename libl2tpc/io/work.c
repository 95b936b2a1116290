/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/work.h"

#include "io/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define THREAD_STACK (1u << 20) /* modules of tokens and of the name service need some */
#define POST_RETRY_NS 20000000

/*
 * Held by the caller until answered or cancelled and by the thread until it is done: the last one
 * frees. The thread touches the loop only under the lock and only while it is not abandoned.
 */
struct work {
    pthread_mutex_t lock;
    bool abandoned;
    unsigned holders;
    struct loop *loop;
    struct work_verbs verbs;
    void *block, *user;
};

static void destroy(struct work *w)
{
    w->verbs.free(w->block);
    (void)pthread_mutex_destroy(&w->lock);
    free(w);
}

static void release(struct work *w)
{
    bool last;

    (void)pthread_mutex_lock(&w->lock);
    last = --w->holders == 0;
    (void)pthread_mutex_unlock(&w->lock);
    if (last)
        destroy(w);
}

/* In the loop's thread: the caller's hold goes over to this call. */
static void answer(void *user)
{
    struct work *w = user;

    w->verbs.done(w->user, w->block);
    release(w);
}

static void *thread_main(void *user)
{
    struct work *w = user;
    bool posted = false;

    w->verbs.run(w->block);
    while (!posted) {
        (void)pthread_mutex_lock(&w->lock);
        posted = w->abandoned || loop_post(w->loop, answer, w);
        (void)pthread_mutex_unlock(&w->lock);
        if (!posted)
            (void)nanosleep(&(struct timespec){.tv_nsec = POST_RETRY_NS}, NULL);
    }
    release(w);
    return NULL;
}

/* The answer is known, and comes later all the same: there is no thread to hold it. */
static bool post_only(struct work *w)
{
    w->holders = 1;
    return loop_post(w->loop, answer, w);
}

static bool start_detached(struct work *w)
{
    pthread_attr_t attr;
    pthread_t thread;
    bool ok;

    if (pthread_attr_init(&attr) != 0)
        return false;
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    (void)pthread_attr_setstacksize(&attr, THREAD_STACK);
    ok = thread_start(&thread, &attr, thread_main, w);
    (void)pthread_attr_destroy(&attr);
    return ok;
}

struct work *work_start(struct loop *loop, const struct work_verbs *verbs, void *block, void *user)
{
    struct work *w = calloc(1, sizeof(*w));

    if (!w) {
        verbs->free(block);
        return NULL;
    }
    *w = (struct work){.holders = 2, .loop = loop, .verbs = *verbs, .block = block, .user = user};
    (void)pthread_mutex_init(&w->lock, NULL);
    if (verbs->run ? start_detached(w) : post_only(w))
        return w;
    destroy(w);
    return NULL;
}

void work_cancel(struct work *w)
{
    if (!w)
        return;
    (void)pthread_mutex_lock(&w->lock);
    w->abandoned = true;
    (void)pthread_mutex_unlock(&w->lock);
    /* From here on the thread posts nothing; what it had posted is taken back. */
    (void)loop_unpost(w->loop, answer, w);
    release(w);
}
