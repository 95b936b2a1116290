/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The root process: one request after the other, until whoever may end it is gone. */
#include "host/broker.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for one byte too many: a longer packet is seen as such. */
struct packet {
    uint8_t bytes[sizeof(l2tpc_host_request) + 1];
};

/* Descriptors that the other end sends along find no room, and the kernel closes them. */
static ssize_t receive(int fd, struct packet *p)
{
    struct iovec iov = {p->bytes, sizeof(p->bytes)};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t n;

    do
        n = recvmsg(fd, &m, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n;
}

/* Who asks and does not read the answers is waited for by nobody: there are others. The
 * descriptor is the other end's from now on, or nobody's. */
static bool answer(int fd, l2tpc_host_reply *reply)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec iov = {reply, sizeof(*reply)};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    int given = reply->fd;
    ssize_t n;

    if (given >= 0) {
        m.msg_control = &control;
        m.msg_controllen = sizeof(control);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.header), &given, sizeof(given));
        reply->fd = -1; /* our number means nothing over there */
    }
    do
        n = sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (given >= 0)
        close(given);
    return n == sizeof(*reply);
}

/*
 * One TUN at a time: when somebody has removed it, the client may have another, and what was asked
 * for the old one was to be undone before.
 */
static void forget_tun_that_is_gone(struct broker *b, struct span packet)
{
    l2tpc_host_request q;

    if (packet.n != sizeof(q) || b->interface[0] == '\0')
        return;
    memcpy(&q, packet.p, sizeof(q));
    if (q.type == L2TPC_HOST_OPEN_TUN && if_nametoindex(b->interface) == 0 && errno == ENODEV)
        broker_forget_tun(b);
}

/* Without a host every request is told why, so that the other end can say it to a person. */
static void serve(struct broker *b, l2tpc_host *host, int why, struct span packet,
                  l2tpc_host_reply *reply)
{
    l2tpc_host_request q;

    forget_tun_that_is_gone(b, packet);
    if (!broker_take(b, packet, &q, reply))
        return;
    if (!host) {
        (void)reply_fail(reply, why, L2TPC_HOST_SENTENCE_NONE, "%s", strerrorname_np(-why));
        return;
    }
    (void)l2tpc_host_request_serve(host, &q, reply);
    broker_note(b, &q, reply);
}

struct doors {
    uint32_t n;
    struct broker at[L2TPC_HOST_DOORS_MAX];
    struct pollfd poll[L2TPC_HOST_DOORS_MAX]; /* fd -1: closed */
    uint32_t flags[L2TPC_HOST_DOORS_MAX];
};

static bool open_doors(struct doors *d, const l2tpc_host_door *doors, uint32_t n)
{
    if (!doors || n == 0 || n > L2TPC_HOST_DOORS_MAX)
        return false;
    *d = (struct doors){.n = n};
    for (uint32_t i = 0; i < n; i++) {
        if (!broker_init(&d->at[i], &doors[i].policy))
            return false;
        d->poll[i] = (struct pollfd){.fd = doors[i].fd, .events = POLLIN};
        d->flags[i] = doors[i].flags;
    }
    return true;
}

/* One request of one door; false when it is to be closed. */
static bool serve_door(struct doors *d, uint32_t i, l2tpc_host *host, int why)
{
    struct packet p;
    l2tpc_host_reply reply;
    ssize_t n = receive(d->poll[i].fd, &p);

    if (n < 0 && errno == EAGAIN)
        return true;
    if (n <= 0)
        return false;
    serve(&d->at[i], host, why, span_of(p.bytes, (size_t)n), &reply);
    return answer(d->poll[i].fd, &reply);
}

/* What was changed on behalf of a door that is closed is undone, as at the end. */
static int start_anew(l2tpc_host **host, const l2tpc_host_options *options)
{
    l2tpc_host_free(*host);
    *host = NULL;
    return l2tpc_host_new(host, options);
}

int l2tpc_host_broker_serve_doors(const l2tpc_host_door *doors, uint32_t n,
                                  const l2tpc_host_options *options)
{
    struct doors d;
    l2tpc_host *host = NULL;
    bool over = false;
    int rc;

    if (!open_doors(&d, doors, n))
        return -EINVAL;
    rc = l2tpc_host_new(&host, options);
    while (!over) {
        if (poll(d.poll, d.n, -1) < 0)
            continue; /* EINTR */
        for (uint32_t i = 0; i < d.n && !over; i++) {
            if (!d.poll[i].revents || d.poll[i].fd < 0 || serve_door(&d, i, host, rc))
                continue;
            over = (d.flags[i] & L2TPC_HOST_DOOR_LAST) != 0;
            if (!over && (d.flags[i] & L2TPC_HOST_DOOR_TUNNEL))
                rc = start_anew(&host, options);
            (void)shutdown(d.poll[i].fd, SHUT_RDWR); /* others may hold its other end as well */
            d.poll[i].fd = -1;
        }
    }
    l2tpc_host_free(host);
    return rc;
}

int l2tpc_host_broker_serve(int fd, const l2tpc_host_options *options,
                            const l2tpc_host_policy *policy)
{
    l2tpc_host_door door = {.fd = fd, .flags = L2TPC_HOST_DOOR_LAST};

    if (!policy)
        return -EINVAL;
    door.policy = *policy;
    return l2tpc_host_broker_serve_doors(&door, 1, options);
}
