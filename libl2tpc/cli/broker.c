/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Three for each family in all: a context keeps the ones it was given, also for its next dials. The
 * rest is for sockets that did not fit. */
#define SOCKETS_MAX 64

#define BIT(type) (1u << (type))

/* All that this connection will ever ask for, from its options alone. */
static l2tpc_host_policy policy_of(const struct connect_options *o)
{
    l2tpc_host_policy p = {.size = sizeof(p), .sockets_max = SOCKETS_MAX, .n_routes = o->n_routes};

    p.allow = BIT(L2TPC_HOST_OPEN_UDP) | BIT(L2TPC_HOST_OPEN_RAW_ESP) | BIT(L2TPC_HOST_OPEN_TUN) |
              BIT(L2TPC_HOST_APPLY_IP) | BIT(L2TPC_HOST_RELEASE_IP) | BIT(L2TPC_HOST_REPAIR_IP) |
              BIT(L2TPC_HOST_OPEN_OBSERVER) | BIT(L2TPC_HOST_OBSERVER_SET_SPIS) |
              BIT(L2TPC_HOST_OBSERVER_READ) | BIT(L2TPC_HOST_OBSERVER_CLOSE) | BIT(L2TPC_HOST_WAY) |
              BIT(L2TPC_HOST_HELLO);
    if (!o->no_memory)
        p.allow |= BIT(L2TPC_HOST_STATE_PART);
    if (o->kill_switch) {
        p.allow |= BIT(L2TPC_HOST_BLOCK) | BIT(L2TPC_HOST_UNBLOCK);
        p.flags |= L2TPC_HOST_POLICY_BLOCK | (o->allow_lan ? L2TPC_HOST_POLICY_BLOCK_LAN : 0u);
    }
    if (!o->no_default_route)
        p.flags |= L2TPC_HOST_POLICY_FULL_TUNNEL;
    if (!o->no_dns)
        p.flags |= L2TPC_HOST_POLICY_DNS;
    (void)snprintf(p.tunnel, sizeof(p.tunnel), "%s", o->name);
    (void)snprintf(p.interface, sizeof(p.interface), "%s",
                   o->interface_name ? o->interface_name : "l2tp%d");
    memcpy(p.routes, o->route, sizeof(p.routes));
    return p;
}

/* Only the end of the other process ends this one, so that nothing is left half undone. */
static void stand_apart(void)
{
    static const int polite[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,
                                 SIGTSTP, SIGPIPE, SIGUSR1, SIGUSR2};
    const struct rlimit none = {0};

    (void)setsid();
    for (size_t i = 0; i < sizeof(polite) / sizeof(polite[0]); i++)
        (void)signal(polite[i], SIG_IGN);
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_NAME, "l2tpc-broker");
    if (chdir("/") != 0)
        _exit(1);
}

/* Whoever reads our output must not have to wait for this process; the rest is of the other. */
static void close_others(int fd, int lock_fd)
{
    int keep[2] = {fd < lock_fd ? fd : lock_fd, fd < lock_fd ? lock_fd : fd};
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int from = 3;

    for (int i = 0; null >= 0 && i < (SANITIZED ? 2 : 3); i++)
        if (i != fd && i != lock_fd)
            (void)dup2(null, i);
    for (size_t i = 0; i < 2; i++) {
        if (keep[i] > from)
            (void)close_range((unsigned)from, (unsigned)keep[i] - 1, 0);
        if (keep[i] >= from)
            from = keep[i] + 1;
    }
    (void)close_range((unsigned)from, ~0u, 0);
}

static _Noreturn void broker_run(int fd, const struct connect_options *o, struct control *control)
{
    const l2tpc_host_options host = {
        .size = sizeof(host), .run_dir = run_dir(), .state_dir = state_dir()};
    const l2tpc_host_policy policy = policy_of(o);

    stand_apart();
    close_others(fd, control->lock_fd);
    (void)l2tpc_host_broker_serve(fd, &host, &policy);
    control_remove(control);
    _exit(0);
}

const char *broker_start(struct broker *b, const struct connect_options *o, l2tpc_config *config,
                         struct control *control, char *value)
{
    int pair[2];

    *b = (struct broker){.fd = -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        (void)snprintf(value, 256, "%s", strerror(errno));
        return "local.socket";
    }
    (void)fflush(NULL);
    b->pid = fork();
    if (b->pid == 0) {
        l2tpc_config_free(config); /* wipes its secrets */
        broker_run(pair[1], o, control);
    }
    (void)close(pair[1]);
    b->fd = pair[0];
    if (b->pid > 0) {
        control->is_brokers = true;
        return NULL;
    }
    b->pid = 0;
    (void)close(b->fd);
    b->fd = -1;
    return "local.memory";
}

bool broker_wanted(const struct connect_options *o)
{
    return geteuid() == 0 && !(o->certificate && is_token_uri(o->certificate)) &&
           !(o->key && is_token_uri(o->key));
}

void broker_wait(struct broker *b)
{
    if (b->pid <= 0)
        return;
    while (waitpid(b->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    b->pid = 0;
}
