/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/room.h"

#include "cli/room_inside.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MS 5000 /* the process inside has nothing to wait for */
#define CLOSE_MOMENTS 60

static bool fail(struct room *r, const char *what, int why)
{
    (void)snprintf(r->error, sizeof(r->error), "%s%s%s", what, why ? ": " : "",
                   why ? strerror(why) : "");
    return false;
}

/* One answer, with the descriptor that came along, if any. */
static bool receive(struct room *r, struct room_answer *out, int *out_fd)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec iov = {out, sizeof(*out)};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof(control)};
    struct pollfd p = {.fd = r->socket, .events = POLLIN};
    struct cmsghdr *c;

    if (poll(&p, 1, ANSWER_MS) <= 0)
        return false;
    if (recvmsg(r->socket, &m, MSG_CMSG_CLOEXEC) != sizeof(*out))
        return false;
    c = CMSG_FIRSTHDR(&m);
    if (c && c->cmsg_type == SCM_RIGHTS && out_fd)
        memcpy(out_fd, CMSG_DATA(c), sizeof(*out_fd));
    out->what[sizeof(out->what) - 1] = '\0';
    return true;
}

static bool answered(struct room *r, int *out_fd)
{
    struct room_answer a;

    if (!receive(r, &a, out_fd))
        return fail(r, "the process inside is gone", 0);
    return a.error == 0 || fail(r, a.what, a.error);
}

bool room_open(struct room *r)
{
    int pair[2];

    *r = (struct room){.pid = -1, .socket = -1, .tun_fd = -1, .interface_name = ROOM_INTERFACE};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return fail(r, "socketpair", errno);
    r->pid = fork();
    if (r->pid == 0) {
        (void)close(pair[0]);
        room_inside(pair[1]);
    }
    (void)close(pair[1]);
    r->socket = pair[0];
    if (r->pid < 0)
        return fail(r, "fork", errno);
    return answered(r, &r->tun_fd);
}

bool room_configure(struct room *r, const l2tpc_need *need)
{
    struct room_order o = {.verb = ROOM_CONFIGURE, .mtu = need->mtu};

    memcpy(o.local, need->local.bytes, sizeof(o.local));
    for (unsigned i = 0; i < 2; i++)
        if (need->dns[i].family == 4)
            memcpy(o.dns[o.n_dns++], need->dns[i].bytes, sizeof(o.dns[0]));
    if (need->local.family != 4)
        return fail(r, "address", EAFNOSUPPORT);
    if (send(r->socket, &o, sizeof(o), MSG_NOSIGNAL) != sizeof(o))
        return fail(r, "the process inside is gone", 0);
    return answered(r, NULL);
}

bool room_start(struct room *r, char **argv)
{
    struct room_order o = {.verb = ROOM_START};
    char words[ROOM_WORDS_MAX];
    size_t n = 0;
    struct room_answer a;

    for (char **w = argv; *w; w++) {
        size_t len = strlen(*w) + 1;

        if (len > sizeof(words) - n)
            return fail(r, *w, E2BIG);
        memcpy(words + n, *w, len);
        n += len;
    }
    o.n_words = (unsigned)n;
    if (send(r->socket, &o, sizeof(o), MSG_NOSIGNAL) != sizeof(o) ||
        send(r->socket, words, n, MSG_NOSIGNAL) != (ssize_t)n)
        return fail(r, "the process inside is gone", 0);
    /* The socket closes on exec: silence that ends means that the program runs. */
    if (!receive(r, &a, NULL))
        return true;
    return fail(r, a.what, a.error);
}

bool room_lives(const struct room *r)
{
    return r->pid > 0;
}

bool room_ended(struct room *r, int *out_status)
{
    int status;

    if (r->pid <= 0 || waitpid(r->pid, &status, WNOHANG) != r->pid)
        return false;
    r->pid = -1;
    *out_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
}

void room_close(struct room *r)
{
    const struct timespec moment = {.tv_nsec = 50 * 1000 * 1000};
    int status;

    if (r->socket >= 0)
        (void)close(r->socket); /* whoever waits for orders ends by this */
    if (r->tun_fd >= 0)
        (void)close(r->tun_fd);
    if (r->pid > 0)
        (void)kill(r->pid, SIGTERM);
    for (unsigned i = 0; i < CLOSE_MOMENTS && r->pid > 0 && !room_ended(r, &status); i++)
        (void)nanosleep(&moment, NULL);
    if (r->pid > 0) {
        (void)kill(r->pid, SIGKILL);
        (void)waitpid(r->pid, NULL, 0);
    }
    *r = (struct room){.pid = -1, .socket = -1, .tun_fd = -1};
}

int room_serve(void *user, const l2tpc_need *need, l2tpc_answer *answer)
{
    struct room *r = user;

    if (need->type == L2TPC_NEED_TUN) {
        answer->fd = r->tun_fd;
        answer->status = r->tun_fd < 0 ? -ENODEV : 0;
        memcpy(answer->interface_name, r->interface_name, sizeof(answer->interface_name));
        r->tun_fd = -1;
        return 1;
    }
    if (need->type == L2TPC_NEED_APPLY_IP) {
        answer->status = room_configure(r, need) ? 0 : -EIO;
        answer->detail = r->error;
        return 1;
    }
    return need->type == L2TPC_NEED_RELEASE_IP;
}
