/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/hub_impl.h"

#include <errno.h>
#include <linux/udp.h>
#include <string.h>

/* What all datagrams of one call have in common. */
struct sending {
    struct hub_sender *sender;
    int fd;
    union sockaddr_any to;
    socklen_t n_to;
    const struct inaddr *from; /* NULL: the kernel chooses */
    uint32_t scope;
};

static bool sending_init(struct sending *s, struct hub *hub, unsigned who, enum dial_path path,
                         const struct inaddr *from, const struct endpoint *to)
{
    struct endpoint target = *to;

    if (path == DIAL_PATH_ESP)
        target.port = 0; /* a raw IPv6 socket takes it for a protocol number */
    *s = (struct sending){.sender = &hub->sender[who], .scope = to->scope};
    s->fd = hub_socket_of(hub, path, to->addr.family)->fd;
    s->n_to = sockaddr_from(&s->to, &target);
    if (from && from->family == to->addr.family && !inaddr_is_any(from))
        s->from = from;
    errno = s->n_to == 0 ? EAFNOSUPPORT : ENOTCONN;
    return s->n_to != 0 && s->fd >= 0;
}

/* One item of control data behind the others. */
static void put_item(struct msghdr *msg, int level, int type, const void *value, size_t n)
{
    size_t before = msg->msg_controllen;
    struct cmsghdr *c;

    msg->msg_controllen = before + CMSG_SPACE(n);
    c = (struct cmsghdr *)(void *)((uint8_t *)msg->msg_control + before);
    memset(c, 0, CMSG_SPACE(n));
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(n);
    memcpy(CMSG_DATA(c), value, n);
}

static void put_source(struct msghdr *msg, const struct inaddr *from, uint32_t scope)
{
    if (from->family == 4) {
        struct in_pktinfo info = {0};

        memcpy(&info.ipi_spec_dst, from->bytes, 4);
        put_item(msg, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
    } else {
        struct in6_pktinfo info = {.ipi6_ifindex = scope};

        memcpy(&info.ipi6_addr, from->bytes, 16);
        put_item(msg, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
    }
}

static void parcel_add(struct hub_parcel *p, const struct sending *s, const struct run_part *part)
{
    struct msghdr *msg = &p->message[p->n].msg_hdr;
    uint16_t size = (uint16_t)part->size;

    p->part[p->n] = *part;
    p->iov[p->n] = (struct iovec){(void *)(uintptr_t)part->bytes.p, part->bytes.n};
    *msg = (struct msghdr){
        .msg_name = (void *)(uintptr_t)&s->to,
        .msg_namelen = s->n_to,
        .msg_iov = &p->iov[p->n],
        .msg_iovlen = 1,
        .msg_control = &p->control[p->n],
    };
    if (s->from)
        put_source(msg, s->from, s->scope);
    if (part->n > 1)
        put_item(msg, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size));
    if (msg->msg_controllen == 0)
        msg->msg_control = NULL;
    p->n++;
}

static int parcel_send(struct hub_parcel *p, const struct sending *s, struct hub_gso *gso);

/*
 * The kernel would not cut: EIO where the interface cannot make checksums, EINVAL for packets
 * beyond the MTU and for kernels before 4.18, which do not know of it. Packet by packet all can be
 * sent.
 */
static bool is_for_the_run(int why)
{
    return why == EIO || why == EINVAL || why == EMSGSIZE || why == EOPNOTSUPP;
}

static int send_apart(const struct sending *s, const struct run_part *part)
{
    int hint = 0;

    for (size_t at = 0; at < part->bytes.n; at += part->size) {
        size_t left = part->bytes.n - at;
        size_t n = left < part->size ? left : part->size;
        struct run_part one = {span_of(part->bytes.p + at, n), n, 1};
        struct hub_parcel p;
        int refused;

        p.n = 0;
        parcel_add(&p, s, &one);
        refused = parcel_send(&p, s, NULL);
        hint = hint ? hint : refused;
    }
    return hint;
}

static void learn(struct hub_gso *gso, int why, const struct run_part *part)
{
    if (why != EINVAL && why != EMSGSIZE)
        gso->off = true;
    else if (gso->too_long == 0 || part->size < gso->too_long)
        gso->too_long = part->size;
}

/* All of the parcel, past single refusals. */
static int parcel_send(struct hub_parcel *p, const struct sending *s, struct hub_gso *gso)
{
    struct hub_sender *sender = s->sender;
    bool retried = false;
    int hint = 0;
    unsigned done = 0;

    while (done < p->n) {
        int sent = sendmmsg(s->fd, p->message + done, p->n - done, MSG_DONTWAIT | MSG_NOSIGNAL);

        for (int i = 0; i < sent; i++) {
            tally_add(&sender->joined_out, p->part[done].n - 1);
            tally_add(&sender->out, p->part[done].n);
            if (gso)
                gso->joined += p->part[done].n - 1;
            done++;
        }
        if (sent > 0) {
            retried = false;
        } else if (sent < 0 && errno == EINTR) {
            continue;
        } else if (sent == 0 || errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) {
            for (; done < p->n; done++)
                tally_add(&sender->lost, p->part[done].n);
        } else if (gso && p->part[done].n > 1 && is_for_the_run(errno)) {
            int refused;

            learn(gso, errno, &p->part[done]);
            refused = send_apart(s, &p->part[done++]);
            hint = hint ? hint : refused;
        } else if (!retried) {
            /* An earlier ICMP error is reported by the next call on the socket, whoever's it is:
             * only a second one means this datagram. */
            retried = true;
        } else {
            hint = hint ? hint : errno;
            tally_add(&sender->refused, p->part[done++].n);
            retried = false;
        }
    }
    p->n = 0;
    return hint;
}

static bool next_part(const struct run *run, unsigned *next, const struct hub_gso *gso, bool runs,
                      struct run_part *out)
{
    unsigned from = *next;

    if (!run_part(run, next, runs && !gso->off ? RUN_SEGMENTS : 1, out))
        return false;
    if (out->n == 1 || gso->too_long == 0 || out->size < gso->too_long)
        return true;
    *next = from;
    return run_part(run, next, 1, out);
}

int hub_send_run(struct hub *hub, enum dial_path path, const struct inaddr *from,
                 const struct endpoint *to, const struct run *run, struct hub_gso *gso)
{
    bool runs = path == DIAL_PATH_NATT && hub->offload.gso;
    unsigned most = hub->offload.batch ? HUB_BATCH : 1;
    struct run_part part;
    struct hub_parcel *parcel;
    struct sending s;
    unsigned next = 0;
    int hint = 0;
    int refused;

    if (!sending_init(&s, hub, hub->lanes ? 1 : 0, path, from, to))
        return errno;
    parcel = &s.sender->parcel;
    parcel->n = 0;
    while (next_part(run, &next, gso, runs, &part)) {
        parcel_add(parcel, &s, &part);
        if (parcel->n < most)
            continue;
        refused = parcel_send(parcel, &s, gso);
        hint = hint ? hint : refused;
    }
    refused = parcel_send(parcel, &s, gso);
    return hint ? hint : refused;
}

int hub_send(struct hub *hub, enum dial_path path, const struct inaddr *from,
             const struct endpoint *to, struct span datagram)
{
    struct run_part one = {datagram, datagram.n, 1};
    struct hub_parcel *parcel = &hub->sender[0].parcel;
    struct sending s;

    if (!sending_init(&s, hub, 0, path, from, to))
        return errno;
    parcel->n = 0;
    parcel_add(parcel, &s, &one);
    return parcel_send(parcel, &s, NULL);
}

void hub_send_whole(struct hub *hub, enum dial_path path, const struct inaddr *from,
                    const struct endpoint *to, struct span datagram)
{
    int fd = hub_socket_of(hub, path, to->addr.family)->fd;

    if (fd < 0)
        return;
    turns_hold(hub_turns(hub)); /* packets of a data thread leave by the same socket */
    port_set_whole(fd, to->addr.family, true);
    /* What is too long for the interface is a probe that was not answered. */
    (void)hub_send(hub, path, from, to, datagram);
    port_set_whole(fd, to->addr.family, false);
    turns_let_go(hub_turns(hub));
}
