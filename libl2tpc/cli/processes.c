/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/processes.h"

#include "cli/protect.h"
#include "cli/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BIT(type) (1u << (type))
#define GOODBYE_MS 400 /* for engine and signer, when the front is gone */
#define GONE_TRIES 40  /* of 25 ms: a process that outlives its broker */
#define KEPT_MAX 4
#define ENGINE_NICE (-10)
#define QUESTIONS_MAX 10000 /* sockets of the signer: each question takes one, for a moment */

/* ---- what every new process does first ---- */

/* No polite signal ends one of them alone, and no terminal is theirs. */
static void stand_apart(const char *name)
{
    static const int polite[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,
                                 SIGTSTP, SIGPIPE, SIGUSR1, SIGUSR2};
    (void)setsid();
    for (size_t i = 0; i < sizeof(polite) / sizeof(polite[0]); i++)
        (void)signal(polite[i], SIG_IGN);
    process_protect(); /* what the front has locked into memory is not locked in its children */
    (void)prctl(PR_SET_NAME, name);
    if (chdir("/") != 0)
        _exit(1);
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* Whoever reads our output must not have to wait for these processes; the rest is of others. */
static void close_others(int keep[KEPT_MAX], size_t n, bool speaks)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int from = 3;

    for (int i = 0; null >= 0 && i < (speaks || SANITIZED ? 2 : 3); i++)
        (void)dup2(null, i);
    qsort(keep, n, sizeof(keep[0]), by_number);
    for (size_t i = 0; i < n; i++) {
        if (keep[i] > from)
            (void)close_range((unsigned)from, (unsigned)keep[i] - 1, 0);
        if (keep[i] >= from)
            from = keep[i] + 1;
    }
    (void)close_range((unsigned)from, ~0u, 0);
}

/* What is wrong with a person's files was said. */
static void fall_silent(void)
{
    int null = SANITIZED ? -1 : open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0)
        return;
    (void)dup2(null, STDERR_FILENO);
    close(null);
}

static bool open_pair(int pair[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0;
}

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* ---- the signer ---- */

/* How it reaches name servers and CAs past the tunnel: several threads may. */
struct past {
    pthread_mutex_t lock;
    int fd; /* until there is a client; -1: none */
    l2tpc_host_client *client;
};

static int open_past(void *user, int family, int stream)
{
    struct past *p = user;
    l2tpc_host_request q = {.size = sizeof(q),
                            .type = stream ? L2TPC_HOST_OPEN_TCP : L2TPC_HOST_OPEN_UDP};
    l2tpc_host_reply reply;
    int fd = -1;

    if (stream)
        q.u.open_tcp.family = (uint8_t)family;
    else
        q.u.open_udp.family = (uint8_t)family;
    (void)pthread_mutex_lock(&p->lock);
    if (!p->client && p->fd >= 0 && l2tpc_host_client_new(&p->client, p->fd) != 0)
        p->client = NULL;
    p->fd = -1;
    if (p->client && l2tpc_host_client_request(p->client, &q, &reply) == 0)
        fd = reply.fd;
    (void)pthread_mutex_unlock(&p->lock);
    return fd;
}

static _Noreturn void signer_run(const struct processes_wish *w, int link, int front, int broker,
                                 int ready)
{
    struct past past = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = broker};
    l2tpc_signer_options o = {.size = sizeof(o),
                              .session_fd = link,
                              .user_fd = front,
                              .open_socket = open_past,
                              .user = &past};
    int keep[KEPT_MAX] = {link, front, broker, ready};
    unsigned char status = (unsigned char)w->in_signer(w->user);
    uid_t owner = w->owner ? *w->owner : privileges_owner();

    stand_apart("l2tpc-signer");
    close_others(keep, 4, false);
    if (status == 0 && ((w->uses_token && owner == 0 && !fence_root()) ||
                        !(w->uses_token ? privileges_drop_to(owner) : privileges_drop()) ||
                        !sandbox_close(SANDBOX_SIGNER) || (w->uses_token && !fence_holds())))
        status = 1;
    (void)!write(ready, &status, 1);
    close(ready);
    if (status == 0)
        (void)l2tpc_signer_serve(w->config, &o);
    l2tpc_config_free(w->config);
    _exit(status);
}

/* The first word of the signer: what was asked for can be read, or has been judged. */
static int await_ready(int fd)
{
    unsigned char status;
    ssize_t n;

    do
        n = read(fd, &status, 1);
    while (n < 0 && errno == EINTR);
    return n == 1 ? status : 1;
}

static int start_signer(struct processes *p, const struct processes_wish *w)
{
    int front[2];
    int ready[2];
    int status;

    if (!open_pair(front))
        return -1;
    if (pipe2(ready, O_CLOEXEC) < 0) {
        close(front[0]);
        close(front[1]);
        return -1;
    }
    p->signer = fork();
    if (p->signer == 0)
        signer_run(w, p->link[0], front[1], p->signer_broker[1], ready[1]);
    close(front[1]);
    close(ready[1]);
    p->signer_fd = front[0];
    status = p->signer > 0 ? await_ready(ready[0]) : -1;
    close(ready[0]);
    return status;
}

/* ---- the engine ---- */

/*
 * A tunnel of the kernel's own runs before every program, as all of its network does. Here a
 * program would wait for its turn behind those whose packets it carries, and they would wait longer
 * in its receive buffer. Without the right it is one among others.
 */
static void go_first(void)
{
    (void)setpriority(PRIO_PROCESS, 0, ENGINE_NICE);
}

static _Noreturn void engine_run(const struct processes_wish *w, int link, int front, int broker)
{
    l2tpc_host_ops ops = {.size = sizeof(ops)};
    l2tpc_context_options options = {.size = sizeof(options),
                                     .flags = L2TPC_CONTEXT_CALLER_LOOP,
                                     .host_ops = &ops,
                                     .log = w->log,
                                     .log_user = w->user,
                                     .data_threads = w->data_threads};
    int keep[KEPT_MAX] = {link, front, broker};
    l2tpc_context *context = NULL;
    l2tpc_session *session = NULL;

    stand_apart("l2tpc-engine");
    go_first();
    close_others(keep, 3, true);
    w->in_engine(w->user, broker, &ops);
    if (l2tpc_context_new(&context, &options) == L2TPC_OK) {
        w->with_context(w->user, context);
        if (!w->log)
            fall_silent();
        sandbox_prepare();
        if (l2tpc_session_new(&session, context, w->config) == L2TPC_OK &&
            l2tpc_session_set_signer(session, link) == L2TPC_OK && privileges_drop() &&
            sandbox_close(SANDBOX_ENGINE))
            (void)l2tpc_session_serve(session, front);
    }
    l2tpc_session_free(session);
    l2tpc_context_free(context);
    l2tpc_config_free(w->config);
    _exit(0);
}

static int start_engine(struct processes *p, const struct processes_wish *w)
{
    int front[2];

    if (!open_pair(front))
        return -1;
    p->engine = fork();
    if (p->engine == 0)
        engine_run(w, p->link[1], front[1], p->engine_broker[1]);
    close(front[1]);
    p->engine_fd = front[0];
    return p->engine > 0 ? 0 : -1;
}

int processes_start(struct processes *p, const struct processes_wish *w)
{
    int status = -1;

    *p = (struct processes){.signer_fd = -1,
                            .engine_fd = -1,
                            .broker_fd = -1,
                            .link = {-1, -1},
                            .engine_broker = {-1, -1},
                            .signer_broker = {-1, -1},
                            .front_broker = {-1, -1}};
    (void)fflush(NULL);
    if (open_pair(p->link) && open_pair(p->engine_broker) && open_pair(p->signer_broker) &&
        open_pair(p->front_broker)) {
        status = start_signer(p, w);
        if (status == 0)
            status = start_engine(p, w);
    }
    close_end(&p->link[0]);
    close_end(&p->link[1]);
    close_end(&p->engine_broker[1]);
    close_end(&p->signer_broker[1]);
    p->broker_fd = p->front_broker[1];
    p->front_broker[1] = -1;
    return status;
}

/* ---- the broker ---- */

void processes_policies(const l2tpc_host_policy *whole, l2tpc_host_policy *engine,
                        l2tpc_host_policy *front, l2tpc_host_policy *signer)
{
    const uint32_t users =
        BIT(L2TPC_HOST_UNBLOCK) | BIT(L2TPC_HOST_BLOCK_READ) | BIT(L2TPC_HOST_STATE_PART);

    *engine = *front = *signer = *whole;
    engine->allow &= ~users;
    front->allow &= users;
    front->allow |= BIT(L2TPC_HOST_HELLO) | BIT(L2TPC_HOST_OBSERVER_READ);
    front->sockets_max = 0;
    signer->allow = BIT(L2TPC_HOST_HELLO) | BIT(L2TPC_HOST_OPEN_UDP) | BIT(L2TPC_HOST_OPEN_TCP);
    signer->sockets_max = QUESTIONS_MAX;
}

static int open_process(pid_t pid)
{
    return pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
}

/* What is stopped, or was taken over, holds sockets and the TUN for as long as it lives. */
static void end_process(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    if (fd >= 0 && poll(&p, 1, ms) == 0)
        (void)syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
}

static _Noreturn void broker_run(const struct processes *p, const struct processes_wish *w)
{
    const l2tpc_host_options host = {
        .size = sizeof(host), .run_dir = w->run_dir, .state_dir = w->state_dir};
    l2tpc_host_door doors[3] = {
        {.fd = p->front_broker[0], .flags = L2TPC_HOST_DOOR_LAST},
        {.fd = p->engine_broker[0], .flags = L2TPC_HOST_DOOR_TUNNEL},
        {.fd = p->signer_broker[0]},
    };
    int keep[KEPT_MAX] = {p->front_broker[0], p->engine_broker[0], p->signer_broker[0]};
    size_t n = 3;
    int engine;
    int signer;

    w->in_broker(w->user);
    processes_policies(&w->policy, &doors[1].policy, &doors[0].policy, &doors[2].policy);
    stand_apart("l2tpc-broker");
    if (w->lock_fd >= 0)
        keep[n++] = w->lock_fd;
    close_others(keep, n, false);
    engine = open_process(p->engine);
    signer = open_process(p->signer);
    (void)l2tpc_host_broker_serve_doors(doors, 3, &host);
    end_process(engine, GOODBYE_MS);
    end_process(signer, GOODBYE_MS);
    w->at_end(w->user);
    _exit(0);
}

bool processes_start_broker(struct processes *p, const struct processes_wish *w)
{
    (void)fflush(NULL);
    p->broker = fork();
    if (p->broker == 0)
        broker_run(p, w);
    close_end(&p->front_broker[0]);
    close_end(&p->engine_broker[0]);
    close_end(&p->signer_broker[0]);
    return p->broker > 0;
}

/* ---- the end ---- */

static int wait_for(pid_t pid, int *status, int options)
{
    int r;

    do
        r = (int)waitpid(pid, status, options);
    while (r < 0 && errno == EINTR);
    return r;
}

/* The broker has ended it, unless the broker was killed: then it ends by itself, or nobody can. */
static int reap(pid_t pid)
{
    int status = 0;

    for (unsigned i = 0; pid > 0 && i < GONE_TRIES && wait_for(pid, &status, WNOHANG) == 0; i++)
        (void)nanosleep(&(struct timespec){.tv_nsec = 25000000}, NULL);
    /* The broker's own way to end what is stuck. */
    return WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL ? WTERMSIG(status) : 0;
}

bool processes_end(struct processes *p, const char **who, int *signal)
{
    const struct {
        pid_t pid;
        const char *name;
    } others[] = {{p->engine, "l2tpc-engine"}, {p->signer, "l2tpc-signer"}};
    int killed;

    close_end(&p->signer_fd);
    close_end(&p->engine_fd);
    close_end(&p->broker_fd);
    close_end(&p->front_broker[0]);
    close_end(&p->engine_broker[0]);
    close_end(&p->signer_broker[0]);
    if (p->broker > 0)
        (void)wait_for(p->broker, NULL, 0);
    *signal = 0;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        killed = others[i].pid > 0 ? reap(others[i].pid) : 0;
        if (killed && !*signal) {
            *who = others[i].name;
            *signal = killed;
        }
    }
    p->signer = p->engine = p->broker = 0;
    return *signal != 0;
}
