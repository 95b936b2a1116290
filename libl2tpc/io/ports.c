/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/ports.h"

#include "base/limits.h"
#include "io/offload.h"
#include "io/sockaddr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/in6.h>
#include <linux/udp.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Room for some hundred milliseconds of a fast path; the default loses bursts. */
#define SOCKET_BUFFER (4 << 20)
#define FILTER_SPIS_MAX 512

static int failed(struct failure *out, enum failure_id id, const char *what, int why)
{
    char text[PEER_TEXT_MAX];

    if (why == EPERM || why == EACCES)
        id = FAILURE_LOCAL_RIGHTS;
    if (out) {
        *out = failure_make(id);
        (void)snprintf(text, sizeof(text), "%s: %s", what, strerrordesc_np(why));
        failure_set_value(out, span_str(text));
        out->os_error = why;
    }
    errno = why;
    return -1;
}

static void set_int(int fd, int level, int name, int value)
{
    /* Each of these makes things better and none is needed: a kernel without it is served too. */
    (void)setsockopt(fd, level, name, &value, sizeof(value));
}

/* A socket that was opened for us by who has the rights may have more than we could ask for. */
static void set_buffer(int fd, int forced, int plain)
{
    int size = SOCKET_BUFFER;
    int now = 0;
    socklen_t n = sizeof(now);

    if (setsockopt(fd, SOL_SOCKET, forced, &size, sizeof(size)) == 0 ||
        (getsockopt(fd, SOL_SOCKET, plain, &now, &n) == 0 && now >= size))
        return;
    (void)setsockopt(fd, SOL_SOCKET, plain, &size, sizeof(size));
}

void port_set_whole(int fd, uint8_t family, bool whole)
{
    if (family == 4)
        set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER, whole ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT);
    else
        set_int(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
                whole ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_DONT);
}

void port_prepare(int fd, uint8_t family)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags >= 0)
        (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
    set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
    /* DF is for probes alone: should the path become narrower, it cuts what is too long by then. */
    port_set_whole(fd, family, false);
    if (family == 4) {
        set_int(fd, IPPROTO_IP, IP_PKTINFO, 1);
        set_int(fd, IPPROTO_IP, IP_RECVERR, 1);
    } else {
        set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
        set_int(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
    }
}

bool port_join_runs(int fd)
{
    int on = 1;

    return setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)) == 0;
}

static bool set_mark(int fd, const struct port_options *options)
{
    if (!options || !options->has_mark)
        return true;
    return setsockopt(fd, SOL_SOCKET, SO_MARK, &options->mark, sizeof(options->mark)) == 0;
}

static int open_socket(uint8_t family, int type, int protocol, const struct port_options *options)
{
    int fd =
        socket(family == 4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    int on = 1;
    int why;

    if (fd < 0)
        return -1;
    if (set_mark(fd, options) &&
        (family == 4 || (type == SOCK_RAW) || /* raw sockets are of one family anyway */
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) == 0)) {
        port_prepare(fd, family);
        return fd;
    }
    why = errno;
    (void)close(fd);
    errno = why;
    return -1;
}

static bool bind_port(int fd, uint8_t family, uint16_t port)
{
    struct endpoint any = {.addr.family = family, .port = port};
    union sockaddr_any sa;
    socklen_t n = sockaddr_from(&sa, &any);

    return bind(fd, &sa.sa, n) == 0;
}

static uint16_t bound_port(int fd)
{
    union sockaddr_any sa;
    socklen_t n = sizeof(sa);
    struct endpoint e;

    if (getsockname(fd, &sa.sa, &n) != 0 || !sockaddr_read(&sa, &e))
        return 0;
    return e.port;
}

int port_open_udp(uint8_t family, uint16_t port, const struct port_options *options,
                  uint16_t *out_port, struct failure *out_failure)
{
    int fd = open_socket(family, SOCK_DGRAM, IPPROTO_UDP, options);
    int why;

    if (fd < 0)
        return failed(out_failure, FAILURE_LOCAL_SOCKET, "UDP", errno);
    /* The wanted port may be in use or beyond our rights; a server must take any. */
    if (!bind_port(fd, family, port) && !bind_port(fd, family, 0)) {
        why = errno;
        (void)close(fd);
        return failed(out_failure, FAILURE_LOCAL_SOCKET, "UDP", why);
    }
    if (out_port)
        *out_port = bound_port(fd);
    return fd;
}

int port_open_esp(uint8_t family, const struct port_options *options, struct failure *out_failure)
{
    int fd = open_socket(family, SOCK_RAW, IPPROTO_ESP, options);

    if (fd < 0)
        return failed(out_failure, FAILURE_LOCAL_SOCKET, "ESP", errno);
    return fd;
}

bool port_filter_esp(int fd, uint8_t family, const uint32_t *spis, unsigned n_spis)
{
    struct sock_filter code[4 + FILTER_SPIS_MAX * 2];
    struct sock_fprog program = {.filter = code};
    unsigned n = 0;
    int none = 0;

    if (n_spis == 0 || n_spis > FILTER_SPIS_MAX) {
        (void)setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none));
        return n_spis == 0;
    }
    if (family == 4) { /* skip the IP header, whose length is in words */
        code[n++] = (struct sock_filter)BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0);
        code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0);
    } else {
        code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0);
    }
    for (unsigned i = 0; i < n_spis; i++) {
        code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, spis[i], 0, 1);
        code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
    }
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
    program.len = (unsigned short)n;
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}

/* Best effort: an interface that was made for us beforehand may have to stay as it is. */
static void shorten_queue(const struct ifreq *tun)
{
    struct ifreq request = *tun;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    request.ifr_qlen = TUN_QUEUE;
    if (fd < 0)
        return;
    (void)ioctl(fd, SIOCSIFTXQLEN, &request);
    (void)close(fd);
}

int port_open_tun(const char *name, char out_name[TUN_NAME_MAX], struct failure *out_failure)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    unsigned features = 0;
    const char *wanted = name && *name ? name : "l2tp%d";
    int fd;
    int why;

    if (strlen(wanted) >= TUN_NAME_MAX)
        return failed(out_failure, FAILURE_LOCAL_TUN, wanted, ENAMETOOLONG);
    memcpy(request.ifr_name, wanted, strlen(wanted) + 1);
    fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return failed(out_failure, FAILURE_LOCAL_TUN, "/dev/net/tun", errno);
    if (offload_wanted().tso && ioctl(fd, TUNGETFEATURES, &features) == 0)
        request.ifr_flags = (short)(IFF_TUN | IFF_NO_PI | ((int)features & IFF_VNET_HDR));
    /* Without IFF_TUN_EXCL: an interface that root made for this user beforehand is taken over. */
    if (ioctl(fd, TUNSETIFF, &request) != 0) {
        why = errno;
        (void)close(fd);
        return failed(out_failure, FAILURE_LOCAL_TUN, wanted, why);
    }
    if (offload_wanted().batch)
        shorten_queue(&request);
    if (out_name)
        memcpy(out_name, request.ifr_name, TUN_NAME_MAX);
    return fd;
}

static int interface_of(const struct inaddr *local)
{
    struct ifaddrs *all;
    int found = 0;

    if (getifaddrs(&all) != 0)
        return 0;
    for (const struct ifaddrs *i = all; i && !found; i = i->ifa_next) {
        union sockaddr_any sa = {0};
        struct endpoint e;

        if (!i->ifa_addr)
            continue;
        if (i->ifa_addr->sa_family == AF_INET)
            memcpy(&sa.v4, i->ifa_addr, sizeof(sa.v4));
        else if (i->ifa_addr->sa_family == AF_INET6)
            memcpy(&sa.v6, i->ifa_addr, sizeof(sa.v6));
        if (sockaddr_read(&sa, &e) && inaddr_eq(&e.addr, local))
            found = (int)if_nametoindex(i->ifa_name);
    }
    freeifaddrs(all);
    return found;
}

/* A socket that is connected, which chooses source and route and sends nothing; -1 with errno. */
static int connected_socket(const struct endpoint *remote, const struct port_options *options)
{
    struct endpoint to = *remote;
    union sockaddr_any sa;
    socklen_t n;
    int why;
    int fd;

    if (to.port == 0)
        to.port = PORT_IKE;
    n = sockaddr_from(&sa, &to);
    if (n == 0) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    fd = open_socket(to.addr.family, SOCK_DGRAM, IPPROTO_UDP, options);
    if (fd < 0 || connect(fd, &sa.sa, n) == 0)
        return fd;
    why = errno;
    (void)close(fd);
    errno = why;
    return -1;
}

bool io_route_to(const struct endpoint *remote, const struct port_options *options,
                 struct inaddr *out_local, int *out_ifindex)
{
    union sockaddr_any sa;
    struct endpoint local;
    socklen_t n = sizeof(sa);
    int fd = connected_socket(remote, options);
    bool ok;
    int why;

    if (fd < 0)
        return false;
    ok = getsockname(fd, &sa.sa, &n) == 0 && sockaddr_read(&sa, &local);
    why = errno;
    (void)close(fd);
    if (!ok) {
        errno = why;
        return false;
    }
    *out_local = local.addr;
    if (out_ifindex)
        *out_ifindex = interface_of(&local.addr);
    return true;
}

unsigned io_mtu_to(const struct endpoint *remote, const struct port_options *options)
{
    bool six = remote->addr.family == 6;
    int fd = connected_socket(remote, options);
    int mtu = 0;
    socklen_t n = sizeof(mtu);

    if (fd < 0)
        return 0;
    if (getsockopt(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_MTU : IP_MTU, &mtu, &n) != 0)
        mtu = 0;
    (void)close(fd);
    return mtu > 0 ? (unsigned)mtu : 0;
}

int port_keep(int fd)
{
    return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

void port_close(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}
