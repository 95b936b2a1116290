/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptors that need rights: marked UDP and raw ESP sockets, the TUN device. */
#include "host/holder.h"
#include "host/host.h"
#include "host/netlink.h"

#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define IKE_PORT 500
/* Some hundred milliseconds of a fast path. Who gets the socket may not ask for that much. */
#define SOCKET_BUFFER (4 << 20)

static int mark_allowed(const l2tpc_host *h, uint8_t family, uint32_t mark, l2tpc_host_reply *reply)
{
    if (family != 4 && family != 6)
        return reply_fail(reply, -EAFNOSUPPORT, L2TPC_HOST_SENTENCE_BAD_REQUEST, "family %u",
                          family);
    if (mark != 0 && mark != h->mark)
        return reply_fail(reply, -EACCES, L2TPC_HOST_SENTENCE_NOT_ALLOWED, "mark 0x%x", mark);
    return 0;
}

static void set_buffers(int fd)
{
    int size = SOCKET_BUFFER;

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
}

static int open_marked(const l2tpc_host *h, uint8_t family, int type, int protocol,
                       l2tpc_host_reply *reply)
{
    int fd =
        socket(family == 6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    int on = 1;
    int error;

    if (fd < 0)
        return reply_fail(reply, -errno, L2TPC_HOST_SENTENCE_SOCKET, "socket: %s",
                          strerrorname_np(errno));
    if (setsockopt(fd, SOL_SOCKET, SO_MARK, &h->mark, sizeof(h->mark)) == 0 &&
        (family == 4 || type == SOCK_RAW ||
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0)) {
        set_buffers(fd);
        return fd;
    }
    error = errno;
    close(fd);
    return reply_fail(reply, -error, L2TPC_HOST_SENTENCE_SOCKET, "SO_MARK: %s",
                      strerrorname_np(error));
}

static int bind_port(int fd, uint8_t family, uint16_t port)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};

    if (family == 6)
        return bind(fd, (struct sockaddr *)&six, sizeof(six)) == 0 ? 0 : -errno;
    return bind(fd, (struct sockaddr *)&four, sizeof(four)) == 0 ? 0 : -errno;
}

static int bound_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } name = {.six = {.sin6_family = AF_UNSPEC}};
    socklen_t n = sizeof(name);

    if (getsockname(fd, &name.any, &n) != 0)
        return -errno;
    return ntohs(name.any.sa_family == AF_INET6 ? name.six.sin6_port : name.four.sin_port);
}

/* Told with the socket: who asks for it may look into no other process. */
static void tell_holder(uint8_t family, uint16_t port, l2tpc_host_reply *reply)
{
    struct holder h;

    if (holder_find(family, port, &h))
        holder_text(&h, reply->detail, sizeof(reply->detail));
}

int serve_open_udp(l2tpc_host *h, const l2tpc_host_open_udp *q, l2tpc_host_reply *reply)
{
    int fd;
    int rc = mark_allowed(h, q->family, q->mark, reply);

    if (rc < 0)
        return rc;
    if (q->port != 0 && q->port < 1024 && q->port != IKE_PORT)
        return reply_fail(reply, -EACCES, L2TPC_HOST_SENTENCE_NOT_ALLOWED, "port %u", q->port);
    fd = open_marked(h, q->family, SOCK_DGRAM, IPPROTO_UDP, reply);
    if (fd < 0)
        return fd;
    rc = bind_port(fd, q->family, q->port);
    if (q->port != 0 && rc == -EADDRINUSE)
        tell_holder(q->family, q->port, reply);
    if (q->port != 0 && (rc == -EADDRINUSE || rc == -EACCES))
        rc = bind_port(fd, q->family, 0);
    if (rc == 0)
        rc = bound_port(fd);
    if (rc < 0) {
        close(fd);
        return reply_fail(reply, rc, L2TPC_HOST_SENTENCE_SOCKET, "bind: %s", strerrorname_np(-rc));
    }
    reply->fd = fd;
    reply->port = (uint32_t)rc;
    return 0;
}

int serve_open_raw_esp(l2tpc_host *h, const l2tpc_host_open_raw_esp *q, l2tpc_host_reply *reply)
{
    int rc = mark_allowed(h, q->family, q->mark, reply);

    if (rc < 0)
        return rc;
    rc = open_marked(h, q->family, SOCK_RAW, IPPROTO_ESP, reply);
    if (rc < 0)
        return rc;
    reply->fd = rc;
    return 0;
}

int serve_open_tcp(const l2tpc_host *h, const l2tpc_host_open_tcp *q, l2tpc_host_reply *reply)
{
    int rc = mark_allowed(h, q->family, q->mark, reply);

    if (rc < 0)
        return rc;
    rc = open_marked(h, q->family, SOCK_STREAM, IPPROTO_TCP, reply);
    if (rc < 0)
        return rc;
    reply->fd = rc;
    return 0;
}

/* Finishes a fresh TUN: its final name, no address of its own, the MTU. */
static int finish_tun(l2tpc_host *h, const l2tpc_host_open_tun *q, const char *name,
                      l2tpc_host_reply *reply)
{
    struct net_link link;
    int rc = h->nl ? 0 : net_open(&h->nl);

    if (rc == 0)
        rc = net_link_get(h->nl, name, 0, &link);
    if (rc == 0)
        rc = net_link_no_autoconf(h->nl, link.ifindex);
    if (rc == 0)
        rc = net_link_queue(h->nl, link.ifindex, TUN_QUEUE);
    if (rc == 0 && q->mtu)
        rc = net_link_set(h->nl, link.ifindex, q->mtu, false);
    if (rc < 0)
        return reply_fail(reply, rc, L2TPC_HOST_SENTENCE_TUN, "%s: %s", name, strerrorname_np(-rc));
    h->tun[h->tuns_made++ % HOST_TUNS_MAX] = link.ifindex;
    memcpy(reply->name, link.name, sizeof(reply->name));
    reply->ifindex = link.ifindex;
    return 0;
}

int serve_open_tun(l2tpc_host *h, const l2tpc_host_open_tun *q, l2tpc_host_reply *reply)
{
    /* EXCL: never attach to a device that somebody else made. */
    struct ifreq ifr = {.ifr_flags = (short)(IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL)};
    unsigned features = 0;
    int fd;
    int rc;

    if (!ifname_valid(q->name, sizeof(q->name), true))
        return reply_fail(reply, -EINVAL, L2TPC_HOST_SENTENCE_BAD_NAME, "interface name");
    if ((q->flags & ~(uint32_t)L2TPC_HOST_TUN_VNET_HEADER) ||
        (q->mtu != 0 && (q->mtu < 68 || q->mtu > 65535)))
        return reply_fail(reply, -EINVAL, L2TPC_HOST_SENTENCE_BAD_REQUEST, "mtu %u flags %u",
                          q->mtu, q->flags);
    fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return reply_fail(reply, -errno, L2TPC_HOST_SENTENCE_TUN, "/dev/net/tun: %s",
                          strerrorname_np(errno));
    memcpy(ifr.ifr_name, q->name, sizeof(ifr.ifr_name));
    if ((q->flags & L2TPC_HOST_TUN_VNET_HEADER) && ioctl(fd, TUNGETFEATURES, &features) == 0 &&
        (features & IFF_VNET_HDR))
        ifr.ifr_flags = (short)(ifr.ifr_flags | IFF_VNET_HDR);
    if (ioctl(fd, TUNSETIFF, &ifr) != 0) {
        rc = reply_fail(reply, -errno, L2TPC_HOST_SENTENCE_TUN, "%.15s: %s", q->name,
                        strerrorname_np(errno));
    } else {
        ifr.ifr_name[sizeof(ifr.ifr_name) - 1] = '\0';
        rc = finish_tun(h, q, ifr.ifr_name, reply);
    }
    if (rc < 0) {
        close(fd);
        return rc;
    }
    reply->fd = fd;
    return 0;
}
