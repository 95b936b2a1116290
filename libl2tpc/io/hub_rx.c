/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/hub_impl.h"

#include "wire/rd.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <linux/udp.h>
#include <string.h>
#include <sys/epoll.h>

#define IKE_HEADER 28
#define ESP_HEADER 8

/* One datagram and where it came from. */
struct arrival {
    struct hub *hub;
    enum dial_path path;
    struct endpoint from;
    struct inaddr to;
    struct mspan bytes;
    l2tpc_us now;
};

static void touch(struct hub *hub, struct hub_member *member)
{
    if (member->touched)
        return;
    member->touched = true;
    member->next_touched = hub->touched;
    hub->touched = member;
}

/* Hands on the ESP packets that were gathered. */
static void give_esp(struct hub *hub, l2tpc_us now)
{
    struct hub_member *m = hub->esp.member;
    unsigned n = hub->esp.n;

    hub->esp.member = NULL;
    hub->esp.n = 0;
    if (n == 0)
        return;
    m->joined_in = hub->esp.joined_in;
    hub->esp.joined_in = 0;
    touch(hub, m);
    if (hub->offload.batch && n <= HUB_FEW)
        loop_expect_more(hub->loop);
    m->esp(m->user, hub->esp.path, &hub->esp.from, hub->esp.packet, n, now);
}

static void give(const struct arrival *a, struct hub_member *member, struct mspan bytes)
{
    give_esp(a->hub, a->now); /* what came before goes before */
    if (!member->joined)
        return;
    touch(a->hub, member);
    member->datagram(member->user, a->path, &a->from, &a->to, bytes, a->now);
}

/*
 * An exchange that the server started has a cookie that nobody knows yet: everyone who talks to
 * this server may look at it, each at a copy of its own, for it is opened in place.
 */
static void give_to_peers(const struct arrival *a)
{
    struct hub *hub = a->hub;
    bool any = false;

    for (struct hub_member *m = hub->members; m; m = hub->cursor) {
        hub->cursor = m->next;
        if (!inaddr_eq(&m->remote.addr, &a->from.addr))
            continue;
        any = true;
        memcpy(hub->copy, a->bytes.p, a->bytes.n);
        give(a, m, (struct mspan){hub->copy, a->bytes.n});
    }
    hub->cursor = NULL;
    if (!any)
        hub->counters.unowned++;
}

static void recv_ike(const struct arrival *a, struct span message)
{
    uint8_t cky_i[8];
    struct rd r = rd_of(message);

    if (message.n < IKE_HEADER || !rd_copy(&r, cky_i, sizeof(cky_i))) {
        a->hub->counters.malformed++;
        return;
    }
    for (struct hub_member *m = a->hub->members; m; m = m->next) {
        if (m->owns_cookie && m->owns_cookie(m->user, cky_i)) {
            give(a, m, a->bytes);
            return;
        }
    }
    give_to_peers(a);
}

static bool owns(const struct hub_member *m, uint32_t spi)
{
    return m->owns_spi && m->owns_spi(m->user, spi);
}

static struct hub_member *owner_of_spi(struct hub *hub, uint32_t spi)
{
    struct hub_member *m = spi_table_find(&hub->spis, spi);

    if (m && owns(m, spi))
        return m;
    /* What this batch has changed is told when it ends. */
    for (m = hub->touched; m; m = m->next_touched)
        if (owns(m, spi))
            return m;
    for (m = hub->n_silent > 0 ? hub->members : NULL; m; m = m->next)
        if (!m->told && owns(m, spi))
            return m;
    return NULL;
}

static bool same_endpoint(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && a->scope == b->scope && inaddr_eq(&a->addr, &b->addr);
}

/* Together with others of the same member and sender. */
static void gather_esp(const struct arrival *a, struct hub_member *owner, uint32_t spi)
{
    struct hub *hub = a->hub;

    if (hub->esp.n > 0 && (hub->esp.n == HUB_ESP_MAX || hub->esp.member != owner ||
                           hub->esp.path != a->path || !same_endpoint(&hub->esp.from, &a->from))) {
        give_esp(hub, a->now);
        if (!owner->joined) /* it has left meanwhile */
            return;
    }
    if (hub->esp.n == 0) {
        hub->esp.member = owner;
        hub->esp.path = a->path;
        hub->esp.from = a->from;
    }
    hub->esp.spi = spi;
    hub->esp.packet[hub->esp.n++] = a->bytes;
}

static void recv_esp(const struct arrival *a)
{
    struct rd r = rd_of(span_ro(a->bytes));
    struct hub_member *owner;
    uint32_t spi;

    if (a->bytes.n < ESP_HEADER || !rd_u32(&r, &spi) || spi == 0) {
        a->hub->counters.malformed++;
        return;
    }
    if (a->hub->esp.n > 0 && a->hub->esp.spi == spi)
        owner = a->hub->esp.member; /* nothing that could change this has run since */
    else
        owner = owner_of_spi(a->hub, spi);
    if (!owner) {
        a->hub->counters.unowned++;
    } else if (owner->esp) {
        gather_esp(a, owner, spi);
    } else {
        give(a, owner, a->bytes);
    }
}

/* RFC 3948 2.2 to 2.4: a marker of four zeros before IKE, an SPI, or a keepalive. */
static void recv_natt(const struct arrival *a)
{
    struct rd r = rd_of(span_ro(a->bytes));
    uint32_t marker;

    if (a->bytes.n == 1 && a->bytes.p[0] == 0xff)
        a->hub->counters.keepalives++;
    else if (!rd_u32(&r, &marker))
        a->hub->counters.malformed++;
    else if (marker == 0)
        recv_ike(a, rd_rest(&r));
    else
        recv_esp(a);
}

/* Raw IPv4 input starts with the IP header. */
static bool strip_ip(struct mspan *bytes)
{
    struct rd r = rd_of(span_ro(*bytes));
    uint8_t version_ihl;
    size_t header;

    if (!rd_u8(&r, &version_ihl) || version_ihl >> 4 != 4)
        return false;
    header = (size_t)(version_ihl & 15) * 4;
    if (header < 20 || header > bytes->n)
        return false;
    *bytes = (struct mspan){bytes->p + header, bytes->n - header};
    return true;
}

static void recv_datagram(struct arrival *a)
{
    a->hub->counters.in++;
    switch (a->path) {
    case DIAL_PATH_IKE:
        recv_ike(a, span_ro(a->bytes));
        break;
    case DIAL_PATH_NATT:
        recv_natt(a);
        break;
    case DIAL_PATH_ESP:
        if (a->from.addr.family == 4 && !strip_ip(&a->bytes))
            a->hub->counters.malformed++;
        else
            recv_esp(a);
        break;
    }
}

/* Our address that the datagram was sent to. */
static struct inaddr read_local(struct msghdr *msg)
{
    struct inaddr local = {0};

    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;

            memcpy(&info, CMSG_DATA(c), sizeof(info));
            local.family = 4;
            memcpy(local.bytes, &info.ipi_spec_dst, 4);
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;

            memcpy(&info, CMSG_DATA(c), sizeof(info));
            local.family = 6;
            memcpy(local.bytes, &info.ipi6_addr, 16);
        }
    }
    return local;
}

/* The length of each datagram of a run that came as one; that of all when it is none. */
static size_t read_stride(struct msghdr *msg, size_t n)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        int size;

        if (c->cmsg_level != IPPROTO_UDP || c->cmsg_type != UDP_GRO)
            continue;
        memcpy(&size, CMSG_DATA(c), sizeof(size));
        if (size > 0 && (size_t)size < n)
            return (size_t)size;
    }
    return n;
}

static size_t slot_length(const struct hub_socket *s)
{
    return s->gro ? HUB_GRO_LEN : HUB_RX_LEN;
}

static int receive(struct hub_socket *s, struct mmsghdr messages[HUB_BATCH])
{
    struct hub *hub = s->hub;
    unsigned n = s->gro ? HUB_GRO_BATCH : HUB_BATCH;
    struct iovec iov[HUB_BATCH];

    if (!hub->offload.batch)
        n = 1;
    for (unsigned i = 0; i < n; i++) {
        iov[i] = (struct iovec){hub->rx + i * slot_length(s), slot_length(s)};
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = &hub->from[i],
            .msg_namelen = sizeof(hub->from[i]),
            .msg_iov = &iov[i],
            .msg_iovlen = 1,
            .msg_control = &hub->control[i],
            .msg_controllen = sizeof(hub->control[i]),
        };
    }
    return recvmmsg(s->fd, messages, n, MSG_DONTWAIT, NULL);
}

/* What one slot holds: a datagram, or several of them. */
static void recv_slot(struct hub_socket *s, struct msghdr *msg, struct arrival *a)
{
    struct mspan all = a->bytes;
    size_t stride = read_stride(msg, all.n);
    unsigned generation = s->generation;
    size_t at = 0;

    a->to = read_local(msg);
    do {
        size_t n = all.n - at < stride ? all.n - at : stride;

        a->bytes = (struct mspan){all.p + at, n};
        if (n > HUB_RX_LEN)
            s->hub->counters.malformed++;
        else
            recv_datagram(a);
        if (at > 0 && s->hub->esp.n > 0)
            s->hub->esp.joined_in++;
        at += n;
    } while (at < all.n && s->generation == generation);
}

/* One batch per wake-up, so that no socket starves the others. */
static void receive_batch(struct hub_socket *s, l2tpc_us now)
{
    struct hub *hub = s->hub;
    unsigned generation = s->generation;
    struct mmsghdr messages[HUB_BATCH];
    /* A failed call has only reported an earlier ICMP error. */
    int n = receive(s, messages);

    for (int i = 0; i < n && s->generation == generation; i++) {
        struct arrival a = {
            .hub = hub,
            .path = s->path,
            .bytes = {hub->rx + (size_t)i * slot_length(s), messages[i].msg_len},
            .now = now,
        };

        if ((messages[i].msg_hdr.msg_flags & MSG_TRUNC) || !sockaddr_read(&hub->from[i], &a.from)) {
            hub->counters.malformed++;
            continue;
        }
        if (a.path == DIAL_PATH_ESP)
            a.from.port = 0;
        recv_slot(s, &messages[i].msg_hdr, &a);
        if (hub->esp.n >= HUB_GIVE)
            give_esp(hub, now);
    }
    give_esp(hub, now);
}

static void tell_unreachable(struct hub *hub, const struct endpoint *to, int os_error, l2tpc_us now)
{
    for (struct hub_member *m = hub->members; m; m = hub->cursor) {
        hub->cursor = m->next;
        if (!m->unreachable || !inaddr_eq(&m->remote.addr, &to->addr))
            continue;
        touch(hub, m);
        m->unreachable(m->user, to, os_error, now);
    }
    hub->cursor = NULL;
}

/* The errno of a queued error, 0 when there was none in it. */
static int read_error(struct msghdr *msg)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
            (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR)) {
            struct sock_extended_err e;

            memcpy(&e, CMSG_DATA(c), sizeof(e));
            return (int)e.ee_errno;
        }
    }
    return 0;
}

static void drain_errors(struct hub_socket *s, l2tpc_us now)
{
    struct hub *hub = s->hub;
    unsigned generation = s->generation;
    int pending;
    socklen_t n = sizeof(pending);

    for (unsigned i = 0; i < HUB_BATCH; i++) {
        struct iovec iov = {hub->rx, HUB_RX_LEN};
        struct msghdr msg = {
            .msg_name = &hub->from[0],
            .msg_namelen = sizeof(hub->from[0]),
            .msg_iov = &iov,
            .msg_iovlen = 1,
            .msg_control = &hub->control[0],
            .msg_controllen = sizeof(hub->control[0]),
        };
        struct endpoint to;
        int os_error;

        if (recvmsg(s->fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            break;
        hub->counters.icmp++;
        os_error = read_error(&msg);
        /* Too large for the path is not unreachable: the kernel has taken note and fragments. */
        if (os_error == 0 || os_error == EMSGSIZE || msg.msg_namelen == 0 ||
            !sockaddr_read(&hub->from[0], &to))
            continue;
        tell_unreachable(hub, &to, os_error, now);
        if (s->generation != generation)
            return;
    }
    /* Reading the queue leaves the last error pending, which would keep the socket readable. */
    (void)getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &pending, &n);
}

void hub_on_socket(void *user, uint32_t epoll_events, l2tpc_us now)
{
    struct hub_socket *s = user;
    struct hub *hub = s->hub;
    unsigned generation = s->generation;

    if (epoll_events & EPOLLERR)
        drain_errors(s, now);
    if ((epoll_events & EPOLLIN) && s->generation == generation)
        receive_batch(s, now);
    while (hub->touched) {
        struct hub_member *m = hub->touched;

        hub->touched = m->next_touched;
        m->next_touched = NULL;
        m->touched = false;
        if (m->batch_end)
            m->batch_end(m->user, now);
    }
}
