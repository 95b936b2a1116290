/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One epoll, one timerfd, one eventfd. Everything belongs to the one thread that dispatches, except
 * loop_post() and loop_quit(), which any thread may call; with turns, whoever holds those may call
 * all but loop_dispatch(). An idle loop never wakes up.
 */
#ifndef L2TPC_IO_LOOP_H
#define L2TPC_IO_LOOP_H

#include "base/clock.h"
#include "base/span.h"
#include "base/turns.h"

/* How many posted calls may wait; a poster that finds the queue full is told so. */
#define LOOP_POSTS_MAX 1024

struct loop;
struct loop_source;

typedef void (*loop_source_fn)(void *user, uint32_t epoll_events, l2tpc_us now);
typedef void (*loop_timer_fn)(void *user, l2tpc_us now);
typedef void (*loop_post_fn)(void *user);

/*
 * Storage of its owner; fill in `fn` and `user`, leave the rest zero. It must be cancelled before
 * its memory goes away and must not move while it is set.
 */
struct loop_timer {
    loop_timer_fn fn;
    void *user;
    /* The loop's own: */
    l2tpc_us deadline;
    bool set;
    struct loop_timer *child, *next, *prev; /* pairing heap; prev is the parent of a first child */
};

/* Storage of its owner, as a timer: told before anything else runs behind a standstill. */
struct loop_watch {
    loop_timer_fn fn;
    void *user;
    struct loop_watch *next; /* the loop's own */
};

struct loop *loop_new(void); /* NULL, with errno, when the system has no more descriptors */
/* Sources that are left are forgotten (their descriptors stay open), waiting posts are dropped. */
void loop_free(struct loop *loop);

/* Before it is first dispatched: what it runs, it runs in turns of thread `i`; it waits between. */
void loop_set_turns(struct loop *loop, struct turns *turns, unsigned i);

/* Readable when loop_dispatch() has something to do: for callers with a main loop of their own. */
int loop_fd(const struct loop *loop);

/* Watches fd, level-triggered; NULL with errno on failure. The descriptor stays the caller's. */
struct loop_source *loop_add(struct loop *loop, int fd, uint32_t epoll_events, loop_source_fn fn,
                             void *user);
bool loop_modify(struct loop *loop, struct loop_source *source, uint32_t epoll_events);
/* Allowed anywhere, inside callbacks too: the source's callback is not called again. NULL is fine.
 * To be called before the descriptor is closed. */
void loop_remove(struct loop *loop, struct loop_source *source);

/* Sets or moves; US_NEVER cancels. One-shot. A deadline in the past fires in the next round. */
void loop_timer_set(struct loop *loop, struct loop_timer *timer, l2tpc_us deadline);
void loop_timer_cancel(struct loop *loop, struct loop_timer *timer);

void loop_watch_add(struct loop *loop, struct loop_watch *watch);
void loop_watch_remove(struct loop *loop, struct loop_watch *watch); /* none of it is fine */

/* Any thread: fn(user) runs in the loop's thread, in the order of posting. False: queue full. */
bool loop_post(struct loop *loop, loop_post_fn fn, void *user) MUST_USE;
/* Loop's thread: forgets the posts of this fn and user that still wait; returns how many. */
unsigned loop_unpost(struct loop *loop, loop_post_fn fn, void *user);

/*
 * One round: waits at most timeout_ms (0: not at all, -1: for ever), then runs what is due. False
 * with errno only when the epoll itself failed.
 */
bool loop_dispatch(struct loop *loop, int timeout_ms);
/* From a callback: packets were moved and the next ones may be near. Other programs then get the
 * processor once before the loop sleeps. Not for bulk flows, whose packets would wait for them. */
void loop_expect_more(struct loop *loop);
/* Rounds until loop_quit(); a quit that came before is honoured and used up. */
void loop_run(struct loop *loop);
void loop_quit(struct loop *loop); /* any thread */

#endif
