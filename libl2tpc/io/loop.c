/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/loop.h"

#include "io/env.h"
#include "io/standstill.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define ROUND_EVENTS 32

struct loop_source {
    int fd;
    bool dead;
    loop_source_fn fn;
    void *user;
    struct loop_source *next, *prev; /* of all living sources, or of the dead */
};

struct post {
    loop_post_fn fn;
    void *user;
};

struct loop {
    int epoll_fd, timer_fd, event_fd;
    struct turns *turns; /* NULL: nobody else has a hand in it */
    unsigned turn;
    unsigned removals, seen; /* sources that went between turns: events may still name them */
    unsigned depth;          /* of dispatching: dead sources wait until it is 0 */
    struct loop_source *sources, *dead;
    struct loop_source *timer_source, *event_source;
    struct loop_timer *timers; /* root of the pairing heap: the earliest */
    struct loop_watch *watches;
    struct standstill standstill;
    bool expects_more;    /* in this round */
    l2tpc_us armed;       /* what timer_fd is set to, US_NEVER when it is off */
    pthread_mutex_t lock; /* of what follows, the only state that threads share */
    struct post post[LOOP_POSTS_MAX];
    unsigned post_head, n_posts;
    bool quit;
};

/* Timers: an intrusive pairing heap, so that setting one cannot fail. */

static struct loop_timer *heap_meld(struct loop_timer *a, struct loop_timer *b)
{
    if (!a || !b)
        return a ? a : b;
    if (b->deadline < a->deadline) {
        struct loop_timer *t = a;

        a = b;
        b = t;
    }
    b->prev = a;
    b->next = a->child;
    if (a->child)
        a->child->prev = b;
    a->child = b;
    return a;
}

/* Two passes over a list of siblings; iterative, for its length has no bound. */
static struct loop_timer *heap_merge_siblings(struct loop_timer *first)
{
    struct loop_timer *pairs = NULL;
    struct loop_timer *root = NULL;

    while (first) {
        struct loop_timer *a = first;
        struct loop_timer *b = a->next;

        first = b ? b->next : NULL;
        a->next = a->prev = NULL;
        if (b)
            b->next = b->prev = NULL;
        a = heap_meld(a, b);
        a->next = pairs;
        pairs = a;
    }
    while (pairs) {
        struct loop_timer *t = pairs;

        pairs = t->next;
        t->next = NULL;
        root = heap_meld(root, t);
    }
    return root;
}

static void heap_remove(struct loop *loop, struct loop_timer *t)
{
    struct loop_timer *below = heap_merge_siblings(t->child);

    if (t == loop->timers) {
        loop->timers = below;
    } else {
        if (t->prev->child == t)
            t->prev->child = t->next;
        else
            t->prev->next = t->next;
        if (t->next)
            t->next->prev = t->prev;
        loop->timers = heap_meld(loop->timers, below);
    }
    t->child = t->next = t->prev = NULL;
    t->set = false;
}

/*
 * Arms the timerfd for the earliest deadline. One that is armed too early stays so: it costs one
 * empty wake-up, where following every move of a deadline would cost a call per batch of packets.
 */
static void timer_arm(struct loop *loop)
{
    l2tpc_us next = loop->timers ? us_max(loop->timers->deadline, 1) : US_NEVER;
    struct itimerspec at = {0};

    if (next >= loop->armed)
        return;
    loop->armed = next;
    at.it_value.tv_sec = (time_t)(next / 1000000);
    at.it_value.tv_nsec = (long)(next % 1000000 * 1000);
    (void)timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

void loop_timer_set(struct loop *loop, struct loop_timer *timer, l2tpc_us deadline)
{
    if (timer->set && timer->deadline == deadline)
        return;
    loop_timer_cancel(loop, timer);
    if (deadline == US_NEVER)
        return;
    timer->deadline = deadline;
    timer->set = true;
    loop->timers = heap_meld(loop->timers, timer);
    if (loop->depth == 0)
        timer_arm(loop);
}

void loop_timer_cancel(struct loop *loop, struct loop_timer *timer)
{
    if (timer->set)
        heap_remove(loop, timer);
}

static void timers_run(struct loop *loop, l2tpc_us now)
{
    /* A timer that sets itself to the past again waits for the next round: sockets come first. */
    for (unsigned budget = 1024; budget > 0; budget--) {
        struct loop_timer *t = loop->timers;

        if (!t || t->deadline > now)
            return;
        heap_remove(loop, t);
        t->fn(t->user, now);
    }
}

/* The timers themselves run at the end of every round. */
static void on_timer(void *user, uint32_t events, l2tpc_us now)
{
    struct loop *loop = user;
    uint64_t count;

    (void)events;
    (void)now;
    if (read(loop->timer_fd, &count, sizeof(count)) == (ssize_t)sizeof(count))
        loop->armed = US_NEVER;
}

/* Posts */

static void event_signal(const struct loop *loop)
{
    uint64_t one = 1;

    /* It fails only when the counter is at its end, and then the loop wakes up anyway. */
    (void)!write(loop->event_fd, &one, sizeof(one));
}

bool loop_post(struct loop *loop, loop_post_fn fn, void *user)
{
    bool room;

    (void)pthread_mutex_lock(&loop->lock);
    room = loop->n_posts < LOOP_POSTS_MAX;
    if (room) {
        loop->post[(loop->post_head + loop->n_posts) % LOOP_POSTS_MAX] = (struct post){fn, user};
        if (loop->n_posts++ == 0) /* otherwise a signal is under way */
            event_signal(loop);
    }
    (void)pthread_mutex_unlock(&loop->lock);
    return room;
}

unsigned loop_unpost(struct loop *loop, loop_post_fn fn, void *user)
{
    unsigned kept = 0;
    unsigned dropped;

    (void)pthread_mutex_lock(&loop->lock);
    for (unsigned i = 0; i < loop->n_posts; i++) {
        struct post p = loop->post[(loop->post_head + i) % LOOP_POSTS_MAX];

        if (p.fn != fn || p.user != user)
            loop->post[(loop->post_head + kept++) % LOOP_POSTS_MAX] = p;
    }
    dropped = loop->n_posts - kept;
    loop->n_posts = kept;
    (void)pthread_mutex_unlock(&loop->lock);
    return dropped;
}

static bool post_take(struct loop *loop, struct post *out)
{
    bool any;

    (void)pthread_mutex_lock(&loop->lock);
    any = loop->n_posts > 0;
    if (any) {
        *out = loop->post[loop->post_head];
        loop->post_head = (loop->post_head + 1) % LOOP_POSTS_MAX;
        loop->n_posts--;
    }
    (void)pthread_mutex_unlock(&loop->lock);
    return any;
}

static void on_event(void *user, uint32_t events, l2tpc_us now)
{
    struct loop *loop = user;
    unsigned budget;
    uint64_t count;
    struct post p;

    (void)events;
    (void)now;
    (void)!read(loop->event_fd, &count, sizeof(count));
    (void)pthread_mutex_lock(&loop->lock);
    budget = loop->n_posts; /* what is posted from now on waits for the next round */
    (void)pthread_mutex_unlock(&loop->lock);
    for (; budget > 0 && post_take(loop, &p); budget--)
        p.fn(p.user);
    (void)pthread_mutex_lock(&loop->lock);
    if (loop->n_posts > 0)
        event_signal(loop);
    (void)pthread_mutex_unlock(&loop->lock);
}

/* Sources */

struct loop_source *loop_add(struct loop *loop, int fd, uint32_t epoll_events, loop_source_fn fn,
                             void *user)
{
    struct loop_source *s = calloc(1, sizeof(*s));
    struct epoll_event e = {.events = epoll_events, .data = {.ptr = s}};

    if (!s)
        return NULL;
    *s = (struct loop_source){.fd = fd, .fn = fn, .user = user, .next = loop->sources};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &e) != 0) {
        free(s);
        return NULL;
    }
    if (s->next)
        s->next->prev = s;
    loop->sources = s;
    return s;
}

bool loop_modify(struct loop *loop, struct loop_source *source, uint32_t epoll_events)
{
    struct epoll_event e = {.events = epoll_events, .data = {.ptr = source}};

    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &e) == 0;
}

static void bury_the_dead(struct loop *loop)
{
    while (loop->dead) {
        struct loop_source *s = loop->dead;

        loop->dead = s->next;
        free(s);
    }
}

void loop_remove(struct loop *loop, struct loop_source *source)
{
    if (!source || source->dead)
        return;
    (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
    if (source->prev)
        source->prev->next = source->next;
    else
        loop->sources = source->next;
    if (source->next)
        source->next->prev = source->prev;
    source->dead = true;
    loop->removals++;
    source->prev = NULL;
    source->next = loop->dead;
    loop->dead = source;
    if (loop->depth == 0) /* otherwise events of this round may still point to it */
        bury_the_dead(loop);
}

/* Standstills */

void loop_watch_add(struct loop *loop, struct loop_watch *watch)
{
    watch->next = loop->watches;
    loop->watches = watch;
}

void loop_watch_remove(struct loop *loop, struct loop_watch *watch)
{
    struct loop_watch **at = &loop->watches;

    while (*at && *at != watch)
        at = &(*at)->next;
    if (*at)
        *at = watch->next;
}

/* One that is told may take itself away, and no other. */
static void standstill_tell(struct loop *loop, l2tpc_us now)
{
    l2tpc_us due = loop->timers ? loop->timers->deadline : US_NEVER;
    struct loop_watch *next;

    if (standstill_look(&loop->standstill, now, io_monotonic(), due) == 0)
        return;
    for (struct loop_watch *w = loop->watches; w; w = next) {
        next = w->next;
        w->fn(w->user, now);
    }
}

/* The loop itself */

int loop_fd(const struct loop *loop)
{
    return loop->epoll_fd;
}

static bool loop_open(struct loop *loop)
{
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    loop->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->epoll_fd < 0 || loop->timer_fd < 0 || loop->event_fd < 0)
        return false;
    loop->timer_source = loop_add(loop, loop->timer_fd, EPOLLIN, on_timer, loop);
    loop->event_source = loop_add(loop, loop->event_fd, EPOLLIN, on_event, loop);
    return loop->timer_source && loop->event_source;
}

struct loop *loop_new(void)
{
    struct loop *loop = calloc(1, sizeof(*loop));

    if (!loop)
        return NULL;
    loop->armed = US_NEVER;
    (void)pthread_mutex_init(&loop->lock, NULL);
    if (!loop_open(loop)) {
        int why = errno;

        loop_free(loop);
        errno = why;
        return NULL;
    }
    return loop;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    loop->depth = 0;
    while (loop->sources)
        loop_remove(loop, loop->sources);
    while (loop->timers)
        heap_remove(loop, loop->timers);
    close_fd(loop->event_fd);
    close_fd(loop->timer_fd);
    close_fd(loop->epoll_fd);
    (void)pthread_mutex_destroy(&loop->lock);
    free(loop);
}

void loop_expect_more(struct loop *loop)
{
    loop->expects_more = true;
}

/*
 * Who has just moved packets lets others run once before it sleeps: they often have the next
 * packets, and one that is awake need not be woken, which costs more than a look here does, above
 * all on another processor.
 */
static int wait_for_events(struct loop *loop, struct epoll_event *events, int timeout_ms)
{
    bool expects_more = loop->expects_more;
    int n;

    loop->expects_more = false;
    if (expects_more && timeout_ms != 0) {
        n = epoll_wait(loop->epoll_fd, events, ROUND_EVENTS, 0);
        if (n != 0)
            return n;
        (void)sched_yield();
    }
    return epoll_wait(loop->epoll_fd, events, ROUND_EVENTS, timeout_ms);
}

void loop_set_turns(struct loop *loop, struct turns *turns, unsigned i)
{
    loop->turns = turns;
    loop->turn = i;
}

/* What was told while others had their hands in here is asked for again: it is level-triggered. */
static int begin_turn(struct loop *loop, struct epoll_event *events, int n)
{
    turns_begin(loop->turns, loop->turn);
    if (loop->removals != loop->seen)
        n = epoll_wait(loop->epoll_fd, events, ROUND_EVENTS, 0);
    return n;
}

static void end_turn(struct loop *loop)
{
    loop->seen = loop->removals;
    turns_end(loop->turns, loop->turn);
}

bool loop_dispatch(struct loop *loop, int timeout_ms)
{
    struct epoll_event events[ROUND_EVENTS];
    l2tpc_us now;
    int n;

    if (!loop->turns) /* else it is armed: nothing sets a timer while no turn is under way */
        timer_arm(loop);
    n = wait_for_events(loop, events, timeout_ms);
    if (n < 0 && errno != EINTR)
        return false;
    if (loop->turns)
        n = begin_turn(loop, events, n);
    now = io_now();
    loop->depth++;
    standstill_tell(loop, now);
    for (int i = 0; i < n; i++) {
        struct loop_source *s = events[i].data.ptr;

        if (!s->dead)
            s->fn(s->user, events[i].events, now);
    }
    timers_run(loop, now);
    loop->depth--;
    if (loop->depth == 0)
        bury_the_dead(loop);
    timer_arm(loop);
    if (loop->turns)
        end_turn(loop);
    return true;
}

static bool quit_taken(struct loop *loop)
{
    bool quit;

    (void)pthread_mutex_lock(&loop->lock);
    quit = loop->quit;
    loop->quit = false;
    (void)pthread_mutex_unlock(&loop->lock);
    return quit;
}

void loop_run(struct loop *loop)
{
    while (!quit_taken(loop))
        if (!loop_dispatch(loop, -1))
            return;
}

void loop_quit(struct loop *loop)
{
    (void)pthread_mutex_lock(&loop->lock);
    loop->quit = true;
    event_signal(loop);
    (void)pthread_mutex_unlock(&loop->lock);
}
