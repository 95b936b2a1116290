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
    struct hub_reader *reader;
    enum dial_path path;
    struct endpoint from;
    struct inaddr to;
    struct mspan bytes;
    l2tpc_us now;
};

/* Engines run in another thread. */
static bool is_lane(const struct hub_reader *r)
{
    return r->index == 1;
}

static void touch(struct hub_reader *r, struct hub_member *member)
{
    if (member->of[r->index].touched)
        return;
    member->of[r->index].touched = true;
    member->of[r->index].next = r->touched;
    r->touched = member;
}

/* Hands on the ESP packets that were gathered. */
static void give_esp(struct hub_reader *r, l2tpc_us now)
{
    struct hub_member *m = r->esp.member;
    unsigned n = r->esp.n;

    r->esp.member = NULL;
    r->esp.n = 0;
    if (n == 0)
        return;
    m->joined_in = r->esp.joined_in;
    r->esp.joined_in = 0;
    touch(r, m);
    if (r->hub->offload.batch && n <= HUB_FEW)
        loop_expect_more(r->loop);
    m->esp(m->user, r->esp.path, &r->esp.from, r->esp.packet, n, now);
}

static void give(const struct arrival *a, struct hub_member *member, struct mspan bytes)
{
    give_esp(a->reader, a->now); /* what came before goes before */
    if (!member->joined)
        return;
    touch(a->reader, member);
    member->datagram(member->user, a->path, &a->from, &a->to, bytes, a->now);
}

/*
 * An exchange that the server started has a cookie that nobody knows yet: everyone who talks to
 * this server may look at it, each at a copy of its own, for it is opened in place.
 */
static void give_to_peers(const struct arrival *a)
{
    struct hub *hub = a->reader->hub;
    uint8_t *copy = a->reader->copy;
    bool any = false;

    for (struct hub_member *m = hub->members; m; m = hub->cursor) {
        hub->cursor = m->next;
        if (!inaddr_eq(&m->remote.addr, &a->from.addr))
            continue;
        any = true;
        memcpy(copy, a->bytes.p, a->bytes.n);
        give(a, m, (struct mspan){copy, a->bytes.n});
    }
    hub->cursor = NULL;
    if (!any)
        tally_add(&a->reader->unowned, 1);
}

static void recv_natt(const struct arrival *a);
static void end_batch(struct hub_reader *r, l2tpc_us now);

/* In the control thread: a datagram behind the marker that the data thread has received. */
static void on_passed(const struct ring_record *r, struct mspan bytes, l2tpc_us now)
{
    struct hub *hub = r->owner;
    struct arrival a = {.reader = &hub->reader,
                        .path = (enum dial_path)r->what,
                        .from = r->from,
                        .to = r->to,
                        .bytes = bytes,
                        .now = now};

    recv_natt(&a);
    end_batch(&hub->reader, now);
}

static void pass_on(const struct arrival *a)
{
    struct ring_record r = {.fn = on_passed,
                            .owner = a->reader->hub,
                            .what = (int)a->path,
                            .from = a->from,
                            .to = a->to};

    /* What finds no room is counted there, and sent again by who sent it. */
    (void)!lanes_tell_rx(a->reader->hub->lanes, &r, span_ro(a->bytes));
}

static void recv_ike(const struct arrival *a, struct span message)
{
    uint8_t cky_i[8];
    struct rd r = rd_of(message);

    if (message.n < IKE_HEADER || !rd_copy(&r, cky_i, sizeof(cky_i))) {
        tally_add(&a->reader->malformed, 1);
        return;
    }
    if (is_lane(a->reader)) {
        pass_on(a);
        return;
    }
    for (struct hub_member *m = a->reader->hub->members; m; m = m->next) {
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

/* Who has told it: engines are not asked by other threads. */
static struct hub_member *owner_in_lane(struct hub *hub, uint32_t spi)
{
    const struct hub_spis *spis = atomic_load(&hub->lane_spis);
    struct hub_member *m = spis ? spi_table_find(&spis->table, spi) : NULL;

    return m && m->esp && owns(m, spi) ? m : NULL;
}

static struct hub_member *owner_of_spi(struct hub_reader *r, uint32_t spi)
{
    struct hub *hub = r->hub;
    struct hub_member *m;

    if (is_lane(r))
        return owner_in_lane(hub, spi);
    m = spi_table_find(&hub->spis, spi);
    if (m && owns(m, spi))
        return m;
    /* What this batch has changed is told when it ends. */
    for (m = r->touched; m; m = m->of[r->index].next)
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
    struct hub_reader *r = a->reader;

    if (r->esp.n > 0 && (r->esp.n == HUB_ESP_MAX || r->esp.member != owner ||
                         r->esp.path != a->path || !same_endpoint(&r->esp.from, &a->from))) {
        give_esp(r, a->now);
        if (!owner->joined) /* it has left meanwhile */
            return;
    }
    if (r->esp.n == 0) {
        r->esp.member = owner;
        r->esp.path = a->path;
        r->esp.from = a->from;
    }
    r->esp.spi = spi;
    r->esp.packet[r->esp.n++] = a->bytes;
}

static void recv_esp(const struct arrival *a)
{
    struct rd r = rd_of(span_ro(a->bytes));
    struct hub_member *owner;
    uint32_t spi;

    if (a->bytes.n < ESP_HEADER || !rd_u32(&r, &spi) || spi == 0) {
        tally_add(&a->reader->malformed, 1);
        return;
    }
    if (a->reader->esp.n > 0 && a->reader->esp.spi == spi)
        owner = a->reader->esp.member; /* nothing that could change this has run since */
    else
        owner = owner_of_spi(a->reader, spi);
    if (!owner) {
        tally_add(&a->reader->unowned, 1);
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
        tally_add(&a->reader->keepalives, 1);
    else if (!rd_u32(&r, &marker))
        tally_add(&a->reader->malformed, 1);
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
    tally_add(&a->reader->in, 1);
    switch (a->path) {
    case DIAL_PATH_IKE:
        recv_ike(a, span_ro(a->bytes));
        break;
    case DIAL_PATH_NATT:
        recv_natt(a);
        break;
    case DIAL_PATH_ESP:
        if (a->from.addr.family == 4 && !strip_ip(&a->bytes))
            tally_add(&a->reader->malformed, 1);
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
    struct hub_reader *r = s->reader;
    unsigned n = s->gro ? HUB_GRO_BATCH : HUB_BATCH;
    struct iovec iov[HUB_BATCH];

    if (!s->hub->offload.batch)
        n = 1;
    for (unsigned i = 0; i < n; i++) {
        iov[i] = (struct iovec){r->rx + i * slot_length(s), slot_length(s)};
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = &r->from[i],
            .msg_namelen = sizeof(r->from[i]),
            .msg_iov = &iov[i],
            .msg_iovlen = 1,
            .msg_control = &r->control[i],
            .msg_controllen = sizeof(r->control[i]),
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
            tally_add(&s->reader->malformed, 1);
        else
            recv_datagram(a);
        if (at > 0 && s->reader->esp.n > 0)
            s->reader->esp.joined_in++;
        at += n;
    } while (at < all.n && s->generation == generation);
}

/* One batch per wake-up, so that no socket starves the others. */
static void receive_batch(struct hub_socket *s, l2tpc_us now)
{
    struct hub_reader *r = s->reader;
    unsigned generation = s->generation;
    struct mmsghdr messages[HUB_BATCH];
    /* A failed call has only reported an earlier ICMP error. */
    int n = receive(s, messages);

    for (int i = 0; i < n && s->generation == generation; i++) {
        struct arrival a = {
            .reader = r,
            .path = s->path,
            .bytes = {r->rx + (size_t)i * slot_length(s), messages[i].msg_len},
            .now = now,
        };

        if ((messages[i].msg_hdr.msg_flags & MSG_TRUNC) || !sockaddr_read(&r->from[i], &a.from)) {
            tally_add(&r->malformed, 1);
            continue;
        }
        if (a.path == DIAL_PATH_ESP)
            a.from.port = 0;
        recv_slot(s, &messages[i].msg_hdr, &a);
        if (r->esp.n >= HUB_GIVE)
            give_esp(r, now);
    }
    give_esp(r, now);
}

static void tell_unreachable(struct hub *hub, const struct endpoint *to, int os_error, l2tpc_us now)
{
    for (struct hub_member *m = hub->members; m; m = hub->cursor) {
        hub->cursor = m->next;
        if (!m->unreachable || !inaddr_eq(&m->remote.addr, &to->addr))
            continue;
        touch(&hub->reader, m);
        m->unreachable(m->user, to, os_error, now);
    }
    hub->cursor = NULL;
}

/* In the control thread: what the data thread has read from the error queue of its socket. */
static void on_passed_error(const struct ring_record *r, struct mspan bytes, l2tpc_us now)
{
    struct hub *hub = r->owner;

    (void)bytes;
    tell_unreachable(hub, &r->from, r->value, now);
    end_batch(&hub->reader, now);
}

static void note_unreachable(struct hub_reader *r, const struct endpoint *to, int os_error,
                             l2tpc_us now)
{
    struct ring_record record = {
        .fn = on_passed_error, .owner = r->hub, .value = os_error, .from = *to};

    if (is_lane(r))
        (void)!lanes_tell_rx(r->hub->lanes, &record, SPAN_NONE);
    else
        tell_unreachable(r->hub, to, os_error, now);
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
    struct hub_reader *r = s->reader;
    unsigned generation = s->generation;
    int pending;
    socklen_t n = sizeof(pending);

    for (unsigned i = 0; i < HUB_BATCH; i++) {
        struct iovec iov = {r->rx, HUB_RX_LEN};
        struct msghdr msg = {
            .msg_name = &r->from[0],
            .msg_namelen = sizeof(r->from[0]),
            .msg_iov = &iov,
            .msg_iovlen = 1,
            .msg_control = &r->control[0],
            .msg_controllen = sizeof(r->control[0]),
        };
        struct endpoint to;
        int os_error;

        if (recvmsg(s->fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            break;
        tally_add(&r->icmp, 1);
        os_error = read_error(&msg);
        /* Too large for the path is not unreachable: the kernel has taken note and fragments. */
        if (os_error == 0 || os_error == EMSGSIZE || msg.msg_namelen == 0 ||
            !sockaddr_read(&r->from[0], &to))
            continue;
        note_unreachable(r, &to, os_error, now);
        if (s->generation != generation)
            return;
    }
    /* Reading the queue leaves the last error pending, which would keep the socket readable. */
    (void)getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &pending, &n);
}

static void end_batch(struct hub_reader *r, l2tpc_us now)
{
    bool has_lane = r->hub->lane != NULL;

    while (r->touched) {
        struct hub_member *m = r->touched;

        r->touched = m->of[r->index].next;
        m->of[r->index].next = NULL;
        m->of[r->index].touched = false;
        if (m->esp_end && is_lane(r) == has_lane)
            m->esp_end(m->user, now);
        if (m->batch_end && !is_lane(r))
            m->batch_end(m->user, now);
    }
}

void hub_on_socket(void *user, uint32_t epoll_events, l2tpc_us now)
{
    struct hub_socket *s = user;
    unsigned generation = s->generation;

    if (epoll_events & EPOLLERR)
        drain_errors(s, now);
    if ((epoll_events & EPOLLIN) && s->generation == generation)
        receive_batch(s, now);
    end_batch(s->reader, now);
}
