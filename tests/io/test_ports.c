/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"
#include "io/ports.h"
#include "own_net.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t n = sizeof(value);

    return getsockopt(fd, level, name, &value, &n) == 0 ? value : -1;
}

TEST(udp_port_is_the_wanted_one_or_any)
{
    struct failure f;
    uint16_t first = 0;
    uint16_t second = 0;
    int a, b;

    if (!own_net())
        SKIP("no right to make a network namespace: ports 500 and 4500 are not tested");
    a = port_open_udp(4, PORT_IKE, NULL, &first, &f);
    b = port_open_udp(4, PORT_IKE, NULL, &second, &f);
    CHECK(a >= 0 && b >= 0);
    CHECK_INT(first, PORT_IKE);
    CHECK(second != PORT_IKE && second != 0);
    CHECK(fcntl(a, F_GETFL) & O_NONBLOCK);
    CHECK(fcntl(a, F_GETFD) & FD_CLOEXEC);
    CHECK_INT(option(a, IPPROTO_IP, IP_PKTINFO), 1);
    CHECK_INT(option(a, IPPROTO_IP, IP_RECVERR), 1);
    CHECK_INT(option(a, IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_DONT);
    (void)close(b);
    b = port_open_udp(6, PORT_IKE, NULL, &second, &f); /* v6 only: no conflict */
    CHECK(b >= 0);
    CHECK_INT(second, PORT_IKE);
    CHECK_INT(option(b, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    CHECK_INT(option(b, IPPROTO_IPV6, IPV6_RECVERR), 1);
    (void)close(a);
    (void)close(b);
}

TEST(mark_is_set_or_refused)
{
    struct port_options marked = {.has_mark = true, .mark = 0x6c32};
    struct failure f = {0};
    int fd;

    (void)own_net();
    fd = port_open_udp(4, 0, &marked, NULL, &f);
    if (fd < 0) {
        CHECK_INT(f.id, FAILURE_LOCAL_RIGHTS);
        SKIP("no right to set a mark");
    }
    CHECK_INT(option(fd, SOL_SOCKET, SO_MARK), 0x6c32);
    (void)close(fd);
}

TEST(route_names_the_source)
{
    struct endpoint to = {.addr = inaddr_v4(0x7f000003)};
    struct inaddr local;
    int ifindex = -1;

    (void)own_net();
    CHECK(io_route_to(&to, NULL, &local, &ifindex));
    CHECK_INT(inaddr_to_v4(&local), 0x7f000001);
    CHECK_INT(ifindex, if_nametoindex("lo"));
    CHECK(io_mtu_to(&to, NULL) >= 1500);
    if (!own_net())
        SKIP("no right to make a network namespace: the missing route is not tested");
    to.addr = inaddr_v4(0xc0000201);
    CHECK(!io_route_to(&to, NULL, &local, NULL));
    CHECK_INT(errno, ENETUNREACH);
    CHECK_INT(io_mtu_to(&to, NULL), 0);
    to.addr = (struct inaddr){0};
    CHECK(!io_route_to(&to, NULL, &local, NULL));
}

TEST(tun_has_the_wanted_name)
{
    char name[TUN_NAME_MAX] = "";
    char other[TUN_NAME_MAX] = "";
    struct failure f = {0};
    int a, b;

    if (!own_net())
        SKIP("no right to make a network namespace: TUN is not tested");
    a = port_open_tun("office", name, &f);
    if (a < 0 && access("/dev/net/tun", R_OK | W_OK) != 0)
        SKIP("no usable /dev/net/tun");
    CHECK(a >= 0);
    CHECK_STR(name, "office");
    CHECK(fcntl(a, F_GETFL) & O_NONBLOCK);
    CHECK(port_open_tun("office", other, &f) < 0);
    CHECK_INT(f.id, FAILURE_LOCAL_TUN);
    CHECK_INT(f.os_error, EBUSY);
    CHECK(port_open_tun("a-name-that-is-too-long", other, &f) < 0);
    CHECK_INT(f.os_error, ENAMETOOLONG);
    b = port_open_tun(NULL, other, &f);
    CHECK(b >= 0);
    CHECK_STR(other, "l2tp0");
    CHECK(if_nametoindex("l2tp0") != 0);
    (void)close(a);
    (void)close(b);
    CHECK_INT(if_nametoindex("l2tp0"), 0);
}
