/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/lanes.h"

#include "io/notify.h"
#include "io/thread.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>

#define LANE_STACK (1u << 20)

struct lane {
    struct loop *loop;
    pthread_t thread;
    bool runs;
    atomic_bool quit;
};

struct lanes {
    struct turns turns;
    pthread_mutex_t gate; /* held by who holds; a lane that is stopped waits at it */
    unsigned holds;       /* the control side's */
    unsigned n;
    struct lane lane[TURNS_MAX];
    struct loop *control;
    struct loop_source *source;
    int event_fd;
    atomic_bool told; /* the control side has been woken and has not looked yet */
    struct ring from_rx, from_tx;
};

static void *lane_main(void *user)
{
    struct lane *lane = user;

    while (!atomic_load(&lane->quit))
        if (!loop_dispatch(lane->loop, -1))
            break;
    return NULL;
}

/* ---- holding ---- */

/* A turn is a batch or a few: its end is waited for awake. */
static void hold(void *user)
{
    struct lanes *l = user;

    if (l->holds++ > 0)
        return;
    (void)pthread_mutex_lock(&l->gate);
    atomic_store(&l->turns.paused, true);
    for (unsigned i = 0; i < l->n; i++)
        while (atomic_load(&l->turns.turn[i]) & 1)
            (void)sched_yield();
}

static void let_go(void *user)
{
    struct lanes *l = user;

    if (--l->holds > 0)
        return;
    atomic_store(&l->turns.paused, false);
    (void)pthread_mutex_unlock(&l->gate);
}

static void wait_for_it(void *user)
{
    struct lanes *l = user;

    (void)pthread_mutex_lock(&l->gate);
    (void)pthread_mutex_unlock(&l->gate);
}

static void yield(void *user)
{
    (void)user;
    (void)sched_yield();
}

/* ---- to the control side ---- */

static void on_told(void *user, uint32_t events, l2tpc_us now)
{
    struct lanes *l = user;

    (void)events;
    notify_clear(l->event_fd);
    atomic_store(&l->told, false); /* whoever puts from here on wakes us again */
    ring_take(&l->from_rx, now);
    ring_take(&l->from_tx, now);
}

static bool tell(struct lanes *l, struct ring *g, const struct ring_record *record,
                 struct span bytes)
{
    bool kept = ring_put(g, record, bytes);

    if (!atomic_exchange(&l->told, true))
        notify_set(l->event_fd);
    return kept;
}

bool lanes_tell_rx(struct lanes *l, const struct ring_record *record, struct span bytes)
{
    return tell(l, &l->from_rx, record, bytes);
}

bool lanes_tell_tx(struct lanes *l, const struct ring_record *record, struct span bytes)
{
    return tell(l, &l->from_tx, record, bytes);
}

void lanes_forget(struct lanes *l, const void *owner)
{
    ring_forget(&l->from_rx, owner);
    ring_forget(&l->from_tx, owner);
}

uint64_t lanes_lost(const struct lanes *l)
{
    return tally_read(&l->from_rx.lost) + tally_read(&l->from_tx.lost);
}

/* ---- life ---- */

static bool lane_open(struct lanes *l, unsigned i)
{
    l->lane[i].loop = loop_new();
    if (!l->lane[i].loop)
        return false;
    loop_set_turns(l->lane[i].loop, &l->turns, i);
    return true;
}

static bool lane_start(struct lane *lane)
{
    pthread_attr_t attr;

    if (pthread_attr_init(&attr) != 0)
        return false;
    (void)pthread_attr_setstacksize(&attr, LANE_STACK);
    lane->runs = thread_start(&lane->thread, &attr, lane_main, lane);
    (void)pthread_attr_destroy(&attr);
    return lane->runs;
}

struct lanes *lanes_new(struct loop *control, unsigned threads)
{
    struct lanes *l = calloc(1, sizeof(*l));
    bool ok = l && threads > 0 && threads <= TURNS_MAX;
    int why;

    if (!l)
        return NULL;
    (void)pthread_mutex_init(&l->gate, NULL);
    l->n = ok ? threads : 0;
    l->turns = (struct turns){
        .n = l->n, .user = l, .hold = hold, .let_go = let_go, .yield = yield, .wait = wait_for_it};
    l->control = control;
    l->event_fd = notify_open();
    if (l->event_fd >= 0)
        l->source = loop_add(control, l->event_fd, EPOLLIN, on_told, l);
    ok = ok && l->source;
    for (unsigned i = 0; i < l->n && ok; i++)
        ok = lane_open(l, i);
    for (unsigned i = 0; i < l->n && ok; i++)
        ok = lane_start(&l->lane[i]);
    if (ok)
        return l;
    why = errno;
    lanes_free(l);
    errno = why;
    return NULL;
}

void lanes_free(struct lanes *l)
{
    if (!l)
        return;
    for (unsigned i = 0; i < l->n; i++) {
        if (l->lane[i].runs) {
            atomic_store(&l->lane[i].quit, true);
            loop_quit(l->lane[i].loop); /* wakes it */
            (void)pthread_join(l->lane[i].thread, NULL);
        }
        loop_free(l->lane[i].loop);
    }
    loop_remove(l->control, l->source);
    notify_close(l->event_fd);
    (void)pthread_mutex_destroy(&l->gate);
    free(l);
}

struct loop *lanes_rx(const struct lanes *l)
{
    return l->lane[0].loop;
}

struct loop *lanes_tx(const struct lanes *l)
{
    return l->lane[l->n - 1].loop;
}

struct turns *lanes_turns(struct lanes *l)
{
    return &l->turns;
}
