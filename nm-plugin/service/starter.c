/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "service/starter.h"

#include "cli/processes.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- packets with descriptors ---- */

#define FDS_MAX 3

static bool send_fds(int to, const void *bytes, size_t n, const int *fds, size_t n_fds)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(FDS_MAX * sizeof(int))];
    } control = {0};
    struct iovec iov = {(void *)(uintptr_t)bytes, n};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

    if (n_fds > 0) {
        m.msg_control = &control;
        m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(&control.header), fds, n_fds * sizeof(int));
    }
    return sendmsg(to, &m, MSG_NOSIGNAL) == (ssize_t)n;
}

/* Bytes, 0 at the end, or -1; the descriptors that did not come are -1. */
static ssize_t receive_fds(int from, void *bytes, size_t n, int fds[FDS_MAX], int flags)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(FDS_MAX * sizeof(int))];
    } control = {0};
    struct iovec iov = {bytes, n};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof(control)};
    struct cmsghdr *c;
    ssize_t got;

    for (size_t i = 0; i < FDS_MAX; i++)
        fds[i] = -1;
    do
        got = recvmsg(from, &m, MSG_CMSG_CLOEXEC | flags);
    while (got < 0 && errno == EINTR);
    c = got >= 0 ? CMSG_FIRSTHDR(&m) : NULL;
    if (c && c->cmsg_type == SCM_RIGHTS && c->cmsg_len <= CMSG_LEN(FDS_MAX * sizeof(int)))
        memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
    return got;
}

/* ---- one tunnel ---- */

struct launch {
    struct wanted wanted;
    l2tpc_config *config;
    struct adapter adapter;
    struct processes_wish wish;
    struct processes processes;
    int report_fd;
};

static void tell(const struct launch *l, int kind, const char *code, const char *value)
{
    struct report r = {.kind = kind, .engine_fd = -1, .signer_fd = -1, .broker_fd = -1};

    (void)snprintf(r.code, sizeof(r.code), "%s", code);
    (void)snprintf(r.value, sizeof(r.value), "%s", value);
    (void)send_fds(l->report_fd, &r, sizeof(r), NULL, 0);
}

static void log_line(void *user, int level, const char *module, const char *line)
{
    (void)user;
    (void)fprintf(stderr, "%c %s: %s\n", "EWID"[level & 3], module, line);
}

typedef int (*set_bytes)(l2tpc_config *, const void *, size_t);

static bool set_place(const struct launch *l, const char *place, set_bytes set,
                      int (*set_uri)(l2tpc_config *, const char *))
{
    struct file_bytes f = {0};
    char value[256];
    bool ok;

    if (!place)
        return true;
    if (set_uri && is_token_uri(place)) {
        ok = token_uri_is_discreet(place) && set_uri(l->config, place) == L2TPC_OK;
        (void)snprintf(value, sizeof(value), "%s", place);
    } else {
        errno = 0;
        ok = file_read(place, &f);
        (void)snprintf(value, sizeof(value), "%s%s%s", place, errno ? ": " : "",
                       errno ? strerror(errno) : "");
        ok = ok && set(l->config, f.bytes, f.n) == L2TPC_OK;
        file_forget(&f);
    }
    if (!ok)
        tell(l, REPORT_REFUSED, "ike.auth.cert-file", value);
    return ok;
}

static bool set_certificate(const struct launch *l)
{
    const struct connect_options *o = &l->wanted.options;

    return set_place(l, o->certificate, l2tpc_config_set_certificate,
                     l2tpc_config_set_certificate_uri) &&
           set_place(l, o->key, l2tpc_config_set_key, l2tpc_config_set_key_uri) &&
           set_place(l, o->ca, l2tpc_config_set_ca, NULL);
}

/* A private profile names files that its owner can read, not those that root can. */
static int in_signer(void *user)
{
    const struct launch *l = user;
    const struct passwd *pw = l->wanted.owner ? getpwuid(l->wanted.owner) : NULL;
    bool ok;

    if (l->wanted.owner && (!pw || initgroups(pw->pw_name, pw->pw_gid) != 0 ||
                            setegid(pw->pw_gid) != 0 || seteuid(pw->pw_uid) != 0)) {
        tell(l, REPORT_REFUSED, "local.rights", strerror(errno));
        return EXIT_LOCAL;
    }
    ok = set_certificate(l);
    if (l->wanted.owner && (seteuid(0) != 0 || setegid(0) != 0))
        ok = false;
    return ok ? 0 : EXIT_LOCAL;
}

static void in_engine(void *user, int broker_fd, l2tpc_host_ops *out)
{
    struct launch *l = user;

    l->adapter.broker_fd = broker_fd;
    out->user = &l->adapter;
    out->serve = adapter_serve;
}

static void with_context(void *user, l2tpc_context *context)
{
    (void)user;
    servers_load(context, NULL);
}

static void in_broker(void *user)
{
    struct launch *l = user;

    l2tpc_config_free(l->config);
}

static void at_end(void *user)
{
    (void)user;
}

/* What was learned only root may read. */
static void recall(struct launch *l)
{
    l2tpc_host_options options = {
        .size = sizeof(options), .run_dir = run_dir(), .state_dir = state_dir()};

    if (l2tpc_host_new(&l->adapter.host, &options) != 0)
        return;
    memory_load(&l->adapter, l->config);
    l2tpc_host_free(l->adapter.host);
    l->adapter.host = NULL;
}

static bool uses_token(const struct connect_options *o)
{
    return (o->certificate && is_token_uri(o->certificate)) || (o->key && is_token_uri(o->key));
}

static bool make_config(struct launch *l)
{
    const char *wrong = wanted_read(&l->wanted);

    if (!wrong && (l2tpc_config_new(&l->config) != L2TPC_OK ||
                   l2tpc_config_keep_on_fork(l->config) != L2TPC_OK)) {
        tell(l, REPORT_REFUSED, "local.memory", "");
        return false;
    }
    if (!wrong)
        wrong = wanted_fill(&l->wanted, l->config);
    if (wrong)
        tell(l, REPORT_REFUSED, "local.configure", wrong);
    return !wrong;
}

static void hand_over(struct launch *l)
{
    struct report r = {.kind = REPORT_STARTED, .engine_fd = -1, .signer_fd = -1, .broker_fd = -1};
    int *fds[FDS_MAX] = {&l->processes.engine_fd, &l->processes.signer_fd, &l->processes.broker_fd};
    int copies[FDS_MAX];

    for (size_t i = 0; i < FDS_MAX; i++)
        copies[i] = *fds[i];
    (void)send_fds(l->report_fd, &r, sizeof(r), copies, FDS_MAX);
    for (size_t i = 0; i < FDS_MAX; i++) {
        close(*fds[i]);
        *fds[i] = -1;
    }
}

/* One tunnel from its start until all is undone. */
static void launch(struct launch *l)
{
    const char *who;
    int number;
    int rc;

    if (!make_config(l))
        return;
    l->adapter = (struct adapter){.options = &l->wanted.options, .broker_fd = -1};
    recall(l);
    l->adapter.by_broker = true;
    l->wish = (struct processes_wish){.user = l,
                                      .config = l->config,
                                      .in_signer = in_signer,
                                      .uses_token = uses_token(&l->wanted.options),
                                      .in_engine = in_engine,
                                      .with_context = with_context,
                                      .log = l->wanted.verbose ? log_line : NULL,
                                      .in_broker = in_broker,
                                      .at_end = at_end,
                                      .lock_fd = -1,
                                      .run_dir = run_dir(),
                                      .state_dir = state_dir(),
                                      .policy = connect_policy(&l->wanted.options),
                                      .owner = &l->wanted.owner};
    rc = processes_start(&l->processes, &l->wish);
    if (rc != 0 || !processes_start_broker(&l->processes, &l->wish)) {
        if (rc <= 0)
            tell(l, REPORT_REFUSED, "local.memory", strerror(errno));
        (void)processes_end(&l->processes, &who, &number);
        return;
    }
    hand_over(l);
    if (processes_end(&l->processes, &who, &number)) {
        char value[64];

        (void)snprintf(value, sizeof(value), "%s, signal %d", who, number);
        tell(l, REPORT_CRASHED, "", value);
    }
}

/* ---- the starter itself ---- */

static _Noreturn void serve(int fd)
{
    static struct launch l;
    int fds[FDS_MAX];
    ssize_t n;

    while ((n = receive_fds(fd, &l.wanted.order.bytes, ORDER_MAX, fds, 0)) > 0) {
        l.wanted.order.n = (size_t)n;
        l.report_fd = fds[0];
        (void)fflush(NULL);
        if (fork() == 0) {
            close(fd);
            (void)signal(SIGCHLD, SIG_DFL); /* its own children it waits for */
            (void)prctl(PR_SET_NAME, "l2tpc-tunnel");
            launch(&l);
            _exit(0);
        }
        for (size_t i = 0; i < FDS_MAX; i++)
            if (fds[i] >= 0)
                close(fds[i]);
    }
    _exit(0);
}

bool starter_open(struct starter *s)
{
    static const int polite[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2};
    int pair[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return false;
    pid = fork();
    if (pid == 0) {
        close(pair[0]);
        (void)setsid();
        for (size_t i = 0; i < sizeof(polite) / sizeof(polite[0]); i++)
            (void)signal(polite[i], SIG_IGN);
        (void)signal(SIGCHLD, SIG_IGN);
        (void)prctl(PR_SET_NAME, "l2tpc-starter");
        serve(pair[1]);
    }
    close(pair[1]);
    *s = (struct starter){.fd = pair[0]};
    return pid > 0;
}

void starter_close(struct starter *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

int starter_order(struct starter *s, const struct order *order)
{
    int pair[2];
    bool sent;

    if (s->fd < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -1;
    sent = send_fds(s->fd, order->bytes, order->n, &pair[1], 1);
    close(pair[1]);
    if (sent)
        return pair[0];
    close(pair[0]);
    return -1;
}

int starter_report(int fd, struct report *out)
{
    int fds[FDS_MAX];
    ssize_t n = receive_fds(fd, out, sizeof(*out), fds, MSG_DONTWAIT);

    if (n < 0)
        return errno == EAGAIN ? 0 : -1;
    if (n != sizeof(*out))
        return -1;
    out->code[sizeof(out->code) - 1] = '\0';
    out->value[sizeof(out->value) - 1] = '\0';
    out->engine_fd = fds[0];
    out->signer_fd = fds[1];
    out->broker_fd = fds[2];
    return 1;
}
