/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The API from many threads at once, and what it leaves behind. Run it under TSan, too. */
#include "check.h"
#include "l2tpc.h"
#include "nowhere.h"

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define THREADS 6

static l2tpc_config *dead_config(void)
{
    l2tpc_config *config = NULL;

    if (l2tpc_config_new(&config) != L2TPC_OK ||
        l2tpc_config_set_server(config, NOWHERE) != L2TPC_OK ||
        l2tpc_config_set_user(config, "user", NULL) != L2TPC_OK ||
        l2tpc_config_set_password(config, "secret", 6) != L2TPC_OK ||
        l2tpc_config_set_psk(config, "example", 7) != L2TPC_OK) {
        l2tpc_config_free(config);
        return NULL;
    }
    return config;
}

static unsigned descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    while (d && readdir(d))
        n++;
    if (d)
        (void)closedir(d);
    return n;
}

/* Takes events until DOWN; false after five seconds without one. */
static bool wait_down(l2tpc_session *session)
{
    struct pollfd p = {.fd = l2tpc_session_get_fd(session), .events = POLLIN};
    bool down = false;

    while (!down && poll(&p, 1, 5000) > 0) {
        l2tpc_event *e;

        while ((e = l2tpc_session_next_event(session))) {
            down = down || l2tpc_event_get_type(e) == L2TPC_EVENT_DOWN;
            l2tpc_event_free(e);
        }
    }
    return down;
}

struct shared {
    l2tpc_context *context;
    l2tpc_config *config;
    l2tpc_session *watched; /* everybody asks and stops this one, one thread takes its events */
    unsigned rounds;
    _Atomic unsigned failed;
};

static bool ask(l2tpc_session *session)
{
    l2tpc_status *status = NULL;
    bool ok = l2tpc_session_get_status(session, &status) == L2TPC_OK &&
              l2tpc_status_to_json(status) && l2tpc_status_get(status, "state") &&
              !l2tpc_status_is_l2tp_in_ipsec(status);

    l2tpc_status_free(status);
    return ok;
}

static void *worker(void *user)
{
    struct shared *shared = user;

    for (unsigned i = 0; i < shared->rounds; i++) {
        l2tpc_session *s = NULL;
        bool ok = l2tpc_session_new(&s, shared->context, shared->config) == L2TPC_OK &&
                  l2tpc_session_start(s) == L2TPC_OK && l2tpc_session_start(s) == L2TPC_EBUSY &&
                  ask(s) && ask(shared->watched);

        if (ok && i % 3 != 0) {
            l2tpc_session_stop(s);
            l2tpc_session_stop(shared->watched);
            ok = i % 3 == 1 || wait_down(s);
        }
        l2tpc_session_free(s); /* every third one in the middle of its dial */
        if (!ok)
            shared->failed++;
    }
    return NULL;
}

static void storm(unsigned rounds, unsigned *out_failed)
{
    struct shared shared = {.rounds = rounds};
    pthread_t thread[THREADS];
    unsigned n = 0;

    shared.config = dead_config();
    if (shared.config && l2tpc_context_new(&shared.context, NULL) == L2TPC_OK &&
        l2tpc_session_new(&shared.watched, shared.context, shared.config) == L2TPC_OK &&
        l2tpc_session_start(shared.watched) == L2TPC_OK)
        while (n < THREADS && pthread_create(&thread[n], NULL, worker, &shared) == 0)
            n++;
    for (unsigned i = 0; i < n; i++)
        (void)pthread_join(thread[i], NULL);
    *out_failed = n == THREADS && wait_down(shared.watched) ? shared.failed : UINT32_MAX;
    l2tpc_session_free(shared.watched);
    l2tpc_context_free(shared.context);
    l2tpc_config_free(shared.config);
}

TEST(threads_share_a_context)
{
    unsigned before;
    unsigned failed;

    if (!nowhere()) {
        check_skip("no network namespace of its own");
        return;
    }
    storm(1, &failed);
    before = descriptors();
    storm(40, &failed);
    CHECK_INT(failed, 0);
    CHECK_INT(descriptors(), before);
}

TEST(threads_thousand_sessions_leak_no_descriptor)
{
    l2tpc_config *config;
    l2tpc_context *context;
    l2tpc_session *s;
    unsigned before = 0;

    if (!nowhere()) {
        check_skip("no network namespace of its own");
        return;
    }
    config = dead_config();
    CHECK(config && l2tpc_context_new(&context, NULL) == L2TPC_OK);
    for (unsigned i = 0; i < 1000; i++) {
        if (i == 10)
            before = descriptors();
        CHECK_INT(l2tpc_session_new(&s, context, config), L2TPC_OK);
        CHECK_INT(l2tpc_session_start(s), L2TPC_OK);
        if (i % 2) {
            l2tpc_session_stop(s);
            CHECK(wait_down(s));
        }
        l2tpc_session_free(s);
    }
    CHECK_INT(descriptors(), before);
    l2tpc_context_free(context);
    l2tpc_config_free(config);
}

TEST(threads_caller_loop)
{
    l2tpc_context_options options = {.size = sizeof(options), .flags = L2TPC_CONTEXT_CALLER_LOOP};
    l2tpc_config *config;
    l2tpc_context *context;
    l2tpc_session *s;
    bool down = false;

    if (!nowhere()) {
        check_skip("no network namespace of its own");
        return;
    }
    config = dead_config();
    CHECK(config && l2tpc_context_new(&context, &options) == L2TPC_OK);
    CHECK(l2tpc_context_get_fd(context) >= 0);
    CHECK_INT(l2tpc_context_dispatch(context), L2TPC_OK);
    CHECK_INT(l2tpc_session_new(&s, context, config), L2TPC_OK);
    CHECK_INT(l2tpc_session_start(s), L2TPC_OK);
    for (unsigned i = 0; i < 20 && !down; i++) {
        struct pollfd p[] = {{.fd = l2tpc_context_get_fd(context), .events = POLLIN},
                             {.fd = l2tpc_session_get_fd(s), .events = POLLIN}};
        l2tpc_event *e;

        CHECK(poll(p, 2, 5000) > 0);
        CHECK_INT(l2tpc_context_dispatch(context), L2TPC_OK);
        while ((e = l2tpc_session_next_event(s))) {
            down = down || l2tpc_event_get_type(e) == L2TPC_EVENT_DOWN;
            l2tpc_event_free(e);
        }
        if (i == 3)
            l2tpc_session_stop(s);
    }
    CHECK(down);
    CHECK(ask(s));
    l2tpc_session_free(s);
    l2tpc_context_free(context);
    l2tpc_config_free(config);
}

static _Atomic bool here;

static void on_signal(int number)
{
    (void)number;
    here = true;
}

/* "No function installs signal handlers": nor may the library's thread take a program's signals. */
TEST(threads_leave_signals_alone)
{
    struct sigaction action = {.sa_handler = on_signal};
    l2tpc_context *context;
    sigset_t set;
    sigset_t before;
    const struct timespec moment = {.tv_nsec = 100000000};

    CHECK_INT(sigaction(SIGUSR1, &action, NULL), 0);
    CHECK_INT(l2tpc_context_new(&context, NULL), L2TPC_OK);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    (void)pthread_sigmask(SIG_BLOCK, &set, &before);
    here = false;
    CHECK_INT(kill(getpid(), SIGUSR1), 0);
    (void)nanosleep(&moment, NULL);
    CHECK(!here); /* it waits for the one who has blocked it, who may use sigwait() */
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    CHECK(here);
    l2tpc_context_free(context);
}

/* With a loop of the caller's or without; the option is the last of the struct, and bounded. */
TEST(threads_that_move_packets)
{
    l2tpc_context_options options = {.size = sizeof(options)};
    l2tpc_context *context;
    unsigned before = descriptors();

    options.data_threads = 3;
    CHECK_INT(l2tpc_context_new(&context, &options), L2TPC_EINVAL);
    for (uint32_t i = 0; i < 6; i++) {
        options.data_threads = i % 3;
        options.flags = i < 3 ? 0 : L2TPC_CONTEXT_CALLER_LOOP;
        CHECK_INT(l2tpc_context_new(&context, &options), L2TPC_OK);
        l2tpc_context_free(context);
    }
    CHECK_INT(descriptors(), before);
}
