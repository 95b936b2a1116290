/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"
#include "io/env.h"
#include "io/loop.h"
#include "io/standstill.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

struct tally {
    struct loop *loop;
    struct loop_timer timer[200];
    l2tpc_us fired[200];
    unsigned n;
};

static void note_deadline(void *user, l2tpc_us now)
{
    struct tally *t = user;

    t->fired[t->n++] = now;
}

TEST(timers_fire_in_time_and_once)
{
    struct tally t = {.loop = loop_new()};
    l2tpc_us start = io_now();

    CHECK(t.loop);
    t.timer[0] = (struct loop_timer){.fn = note_deadline, .user = &t};
    loop_timer_set(t.loop, &t.timer[0], start + US_MS(20));
    CHECK(loop_dispatch(t.loop, 0));
    CHECK_INT(t.n, 0);
    while (t.n == 0 && io_now() < start + US_S(5))
        CHECK(loop_dispatch(t.loop, 1000));
    CHECK_INT(t.n, 1);
    CHECK(t.fired[0] >= start + US_MS(20));
    CHECK(!t.timer[0].set);
    CHECK(loop_dispatch(t.loop, 30));
    CHECK_INT(t.n, 1);
    loop_timer_set(t.loop, &t.timer[0], 0); /* the past: next round */
    CHECK(loop_dispatch(t.loop, 1000));
    CHECK_INT(t.n, 2);
    loop_timer_set(t.loop, &t.timer[0], US_NEVER);
    CHECK(!t.timer[0].set);
    loop_free(t.loop);
}

struct ordered {
    struct loop_timer timer;
    struct order *order;
    l2tpc_us due;
};

struct order {
    l2tpc_us last;
    unsigned n, wrong;
};

static void note_order(void *user, l2tpc_us now)
{
    struct ordered *o = user;

    if (o->due < o->order->last || now < o->due)
        o->order->wrong++;
    o->order->last = o->due;
    o->order->n++;
}

TEST(many_timers_keep_their_order)
{
    static struct ordered o[500];
    struct order order = {0};
    struct loop *loop = loop_new();
    l2tpc_us start = io_now();
    unsigned cancelled = 0;
    unsigned seed = 12345;

    CHECK(loop);
    for (unsigned round = 0; round < 3; round++) { /* set, then move twice */
        for (unsigned i = 0; i < 500; i++) {
            seed = seed * 1103515245 + 12345;
            o[i].order = &order;
            o[i].timer.fn = note_order;
            o[i].timer.user = &o[i];
            o[i].due = start + US_MS(5) + (seed >> 8) % 20000;
            loop_timer_set(loop, &o[i].timer, o[i].due);
        }
    }
    for (unsigned i = 0; i < 500; i += 3, cancelled++)
        loop_timer_cancel(loop, &o[i].timer);
    while (order.n < 500 - cancelled && io_now() < start + US_S(5))
        CHECK(loop_dispatch(loop, 100));
    CHECK_INT(order.n, 500 - cancelled);
    CHECK_INT(order.wrong, 0);
    loop_free(loop);
}

TEST(an_idle_loop_sleeps)
{
    struct tally t = {.loop = loop_new()};
    l2tpc_us start = io_now();
    struct pollfd p;

    CHECK(t.loop);
    t.timer[0] = (struct loop_timer){.fn = note_deadline, .user = &t};
    loop_timer_set(t.loop, &t.timer[0], start + US_S(3600));
    p = (struct pollfd){.fd = loop_fd(t.loop), .events = POLLIN};
    CHECK_INT(poll(&p, 1, 50), 0);
    loop_timer_set(t.loop, &t.timer[0], io_now() + US_MS(10)); /* seen by a caller that polls */
    CHECK_INT(poll(&p, 1, 5000), 1);
    CHECK(loop_dispatch(t.loop, 0));
    CHECK_INT(t.n, 1);
    CHECK_INT(poll(&p, 1, 20), 0);
    loop_free(t.loop);
}

static void expect_more(void *user)
{
    loop_expect_more(user);
}

/* One that expects more is awake for one look; after that it sleeps as any other. */
TEST(a_loop_that_expects_more_sleeps_all_the_same)
{
    struct loop *loop = loop_new();
    struct rusage before;
    struct rusage after;
    l2tpc_us start;

    CHECK(loop);
    CHECK(loop_post(loop, expect_more, loop));
    CHECK(loop_dispatch(loop, 1000));
    (void)getrusage(RUSAGE_THREAD, &before);
    start = io_now();
    CHECK(loop_dispatch(loop, 60));
    CHECK(io_now() - start >= US_MS(59));
    (void)getrusage(RUSAGE_THREAD, &after);
    CHECK(after.ru_utime.tv_sec * 1000000 + after.ru_utime.tv_usec +
              after.ru_stime.tv_sec * 1000000 + after.ru_stime.tv_usec -
              before.ru_utime.tv_sec * 1000000 - before.ru_utime.tv_usec -
              before.ru_stime.tv_sec * 1000000 - before.ru_stime.tv_usec <
          20000);
    loop_free(loop);
}

struct source_case {
    struct loop *loop;
    struct loop_source *source[2];
    int fd[2][2];
    unsigned calls;
};

static void remove_both(void *user, uint32_t events, l2tpc_us now)
{
    struct source_case *c = user;

    (void)events;
    (void)now;
    c->calls++;
    for (unsigned i = 0; i < 2; i++) {
        loop_remove(c->loop, c->source[i]);
        c->source[i] = NULL;
    }
}

TEST(sources_may_go_inside_callbacks)
{
    struct source_case c = {.loop = loop_new()};

    CHECK(c.loop);
    for (unsigned i = 0; i < 2; i++) {
        CHECK_INT(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, c.fd[i]), 0);
        CHECK_INT(send(c.fd[i][1], "x", 1, 0), 1);
        c.source[i] = loop_add(c.loop, c.fd[i][0], EPOLLIN, remove_both, &c);
        CHECK(c.source[i]);
    }
    CHECK(loop_dispatch(c.loop, 1000));
    CHECK_INT(c.calls, 1);
    CHECK(loop_dispatch(c.loop, 0));
    CHECK_INT(c.calls, 1);
    for (unsigned i = 0; i < 2; i++) {
        c.source[i] = loop_add(c.loop, c.fd[i][0], 0, remove_both, &c);
        CHECK(c.source[i]);
    }
    CHECK(loop_dispatch(c.loop, 0));
    CHECK_INT(c.calls, 1);
    CHECK(loop_modify(c.loop, c.source[0], EPOLLIN));
    CHECK(loop_dispatch(c.loop, 1000));
    CHECK_INT(c.calls, 2);
    loop_free(c.loop);
    for (unsigned i = 0; i < 4; i++)
        (void)close(c.fd[i / 2][i % 2]);
}

struct posts {
    struct loop *loop;
    unsigned ran, wrong, refused;
};

static void note_post(void *user)
{
    ((struct posts *)user)->ran++;
}

static void post_again(void *user)
{
    struct posts *p = user;

    p->ran++;
    if (!loop_post(p->loop, post_again, p))
        p->refused++;
}

TEST(posts_run_in_the_next_round)
{
    struct posts p = {.loop = loop_new()};
    struct posts other = {0};

    CHECK(p.loop);
    CHECK(loop_post(p.loop, note_post, &p));
    CHECK(loop_post(p.loop, note_post, &other));
    CHECK(loop_post(p.loop, note_post, &p));
    CHECK_INT(loop_unpost(p.loop, note_post, &other), 1);
    CHECK(loop_dispatch(p.loop, 1000));
    CHECK_INT(p.ran, 2);
    CHECK_INT(other.ran, 0);
    CHECK(loop_post(p.loop, post_again, &p));
    CHECK(loop_dispatch(p.loop, 1000)); /* one that posts itself does not hold the round */
    CHECK_INT(p.ran, 3);
    CHECK(loop_dispatch(p.loop, 1000));
    CHECK_INT(p.ran, 4);
    CHECK_INT(loop_unpost(p.loop, post_again, &p), 1);
    for (unsigned i = 0; i < LOOP_POSTS_MAX; i++)
        CHECK(loop_post(p.loop, note_post, &p));
    CHECK(!loop_post(p.loop, note_post, &p));
    CHECK(loop_dispatch(p.loop, 1000));
    CHECK_INT(p.ran, 4 + LOOP_POSTS_MAX);
    loop_free(p.loop);
}

#define THREAD_POSTS 20000

static void *poster(void *user)
{
    struct posts *p = user;

    for (unsigned i = 0; i < THREAD_POSTS;)
        if (loop_post(p->loop, note_post, p))
            i++;
        else
            (void)usleep(100);
    loop_quit(p->loop);
    return NULL;
}

TEST(posts_come_from_another_thread)
{
    struct posts p = {.loop = loop_new()};
    pthread_t thread;

    CHECK(p.loop);
    CHECK_INT(pthread_create(&thread, NULL, poster, &p), 0);
    loop_run(p.loop);
    CHECK_INT(pthread_join(thread, NULL), 0);
    CHECK(loop_dispatch(p.loop, 0));
    CHECK_INT(p.ran, THREAD_POSTS);
    loop_quit(p.loop);
    loop_run(p.loop); /* returns: the quit came before */
    loop_free(p.loop);
}

TEST(system_env_is_random)
{
    struct env env = io_env_make(NULL, NULL);
    uint8_t a[64] = {0};
    uint8_t b[64] = {0};

    CHECK(env_rand(&env, a, sizeof(a)));
    CHECK(env_rand(&env, b, sizeof(b)));
    CHECK(memcmp(a, b, sizeof(a)) != 0);
    env_log(&env, LOG_LEVEL_INFO, "test", "goes nowhere");
    CHECK(io_now() > 0);
}

/* ---- standstills ---- */

TEST(standstill_by_the_clocks)
{
    struct standstill s = {.looked = false};
    l2tpc_us boot = US_S(50000);
    l2tpc_us mono = US_S(20000); /* it has slept before we began: that is no business of ours */

    CHECK_INT(standstill_look(&s, boot, mono, US_NEVER), 0);
    CHECK_INT(standstill_look(&s, boot + US_S(60), mono + US_S(60), US_NEVER), 0);
    CHECK_INT(standstill_look(&s, boot + US_S(670), mono + US_S(70), US_NEVER), US_S(600));
    CHECK_INT(standstill_look(&s, boot + US_S(671), mono + US_S(71), US_NEVER), 0);
    /* A second that was suspended is not worth a word. */
    CHECK_INT(standstill_look(&s, boot + US_MS(672900), mono + US_S(72), US_NEVER), 0);
}

TEST(standstill_by_a_late_timer)
{
    struct standstill s = {.looked = false};

    CHECK_INT(standstill_look(&s, US_S(100), US_S(100), US_S(99)), 0);
    CHECK_INT(standstill_look(&s, US_S(130), US_S(130), US_S(110)), US_S(20));
    CHECK_INT(standstill_look(&s, US_S(131), US_S(131), US_S(140)), 0);
}

static void note_standstill(void *user, l2tpc_us now)
{
    l2tpc_us *told = user;

    *told = now;
}

TEST(standstill_is_told_before_timers)
{
    struct tally t = {.loop = loop_new()};
    l2tpc_us told = 0;
    struct loop_watch watch = {.fn = note_standstill, .user = &told};
    l2tpc_us start = io_now();

    CHECK(t.loop);
    loop_watch_add(t.loop, &watch);
    t.timer[0] = (struct loop_timer){.fn = note_deadline, .user = &t};
    loop_timer_set(t.loop, &t.timer[0], start - US_MS(500));
    CHECK(loop_dispatch(t.loop, 100));
    CHECK_INT(told, 0); /* a busy computer */
    CHECK_INT(t.n, 1);
    loop_timer_set(t.loop, &t.timer[0], start - US_S(5));
    CHECK(loop_dispatch(t.loop, 100));
    CHECK_INT(t.n, 2);
    CHECK_INT(told, t.fired[1]);
    loop_watch_remove(t.loop, &watch);
    loop_watch_remove(t.loop, &watch);
    told = 0;
    loop_timer_set(t.loop, &t.timer[0], start - US_S(5));
    CHECK(loop_dispatch(t.loop, 100));
    CHECK_INT(told, 0);
    loop_free(t.loop);
}
