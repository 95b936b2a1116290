/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The end of a broker's socket that asks. */
#include "host/host.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MS 10000 /* D-Bus may take 2 s, other processes at the journals some more */

struct l2tpc_host_client {
    int fd;
    uint32_t mark;
    bool is_lost; /* an answer that comes too late must not be taken for the next one's */
};

static int lost(l2tpc_host_client *c, l2tpc_host_reply *reply)
{
    c->is_lost = true;
    *reply = (l2tpc_host_reply){.size = sizeof(*reply), .fd = -1};
    return reply_fail(reply, -EPIPE, L2TPC_HOST_SENTENCE_BROKER, "broker");
}

static int descriptor_of(struct msghdr *m)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    int fd = -1;

    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
        c->cmsg_len == CMSG_LEN(sizeof(fd)))
        memcpy(&fd, CMSG_DATA(c), sizeof(fd));
    return fd;
}

static bool receive(const l2tpc_host_client *c, l2tpc_host_reply *reply)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec iov = {reply, sizeof(*reply)};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = &control,
                       .msg_controllen = sizeof(control)};
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    ssize_t n;
    int fd;

    do
        n = poll(&p, 1, ANSWER_MS);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return false;
    n = recvmsg(c->fd, &m, MSG_CMSG_CLOEXEC);
    fd = n > 0 ? descriptor_of(&m) : -1;
    if (n == sizeof(*reply) && !(m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) &&
        reply->size == sizeof(*reply)) {
        reply->fd = fd;
        reply->name[sizeof(reply->name) - 1] = '\0';
        reply->detail[sizeof(reply->detail) - 1] = '\0';
        return true;
    }
    if (fd >= 0)
        close(fd);
    return false;
}

int l2tpc_host_client_request(l2tpc_host_client *c, const l2tpc_host_request *q,
                              l2tpc_host_reply *reply)
{
    ssize_t n;

    if (c->is_lost)
        return lost(c, reply);
    do
        n = send(c->fd, q, sizeof(*q), MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n != sizeof(*q) || !receive(c, reply))
        return lost(c, reply);
    return reply->status;
}

int l2tpc_host_client_new(l2tpc_host_client **out, int fd)
{
    l2tpc_host_request q = {.size = sizeof(q), .type = L2TPC_HOST_HELLO};
    l2tpc_host_client *c = calloc(1, sizeof(*c));
    l2tpc_host_reply reply;
    int rc;

    if (!c) {
        close(fd);
        return -ENOMEM;
    }
    c->fd = fd;
    rc = l2tpc_host_client_request(c, &q, &reply);
    if (rc < 0) {
        l2tpc_host_client_free(c);
        return rc;
    }
    c->mark = reply.observer;
    *out = c;
    return 0;
}

void l2tpc_host_client_free(l2tpc_host_client *c)
{
    if (!c)
        return;
    close(c->fd);
    free(c);
}

int l2tpc_host_client_state_write(l2tpc_host_client *c, const char *name, const void *bytes,
                                  size_t len)
{
    l2tpc_host_request q = {.size = sizeof(q), .type = L2TPC_HOST_STATE_PART};
    l2tpc_host_state_part *part = &q.u.state_part;
    l2tpc_host_reply reply;
    size_t done = 0;
    int rc;

    if (!l2tpc_host_name_valid(name) || (len > 0 && !bytes))
        return -EINVAL;
    if (len > L2TPC_HOST_STATE_MAX)
        return -EFBIG;
    memcpy(part->tunnel, name, strlen(name) + 1);
    part->total = (uint32_t)len;
    do {
        part->offset = (uint32_t)done;
        part->n = (uint32_t)(len - done < sizeof(part->bytes) ? len - done : sizeof(part->bytes));
        if (part->n > 0)
            memcpy(part->bytes, (const uint8_t *)bytes + done, part->n);
        rc = l2tpc_host_client_request(c, &q, &reply);
        done += part->n;
    } while (rc == 0 && done < len);
    return rc;
}

int l2tpc_host_client_fd(const l2tpc_host_client *c)
{
    return c->fd;
}

uint32_t l2tpc_host_client_get_mark(const l2tpc_host_client *c)
{
    return c->mark;
}
