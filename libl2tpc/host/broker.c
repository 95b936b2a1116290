/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The root process: one request after the other, until the other end is gone. */
#include "host/broker.h"

#include <errno.h>
#include <net/if.h>
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
        n = recvmsg(fd, &m, 0);
    while (n < 0 && errno == EINTR);
    return n;
}

/* The descriptor is the other end's from now on, or nobody's. */
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
        n = sendmsg(fd, &m, MSG_NOSIGNAL);
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

int l2tpc_host_broker_serve(int fd, const l2tpc_host_options *options,
                            const l2tpc_host_policy *policy)
{
    struct broker b;
    struct packet p;
    l2tpc_host_reply reply;
    l2tpc_host *host = NULL;
    ssize_t n;
    int rc;

    if (!policy || !broker_init(&b, policy))
        return -EINVAL;
    rc = l2tpc_host_new(&host, options);
    while ((n = receive(fd, &p)) > 0) {
        serve(&b, host, rc, span_of(p.bytes, (size_t)n), &reply);
        if (!answer(fd, &reply))
            break;
    }
    l2tpc_host_free(host);
    return rc;
}
