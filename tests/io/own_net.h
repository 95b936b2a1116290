/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A network namespace of the test process's own, with nothing in it but loopback. */
#ifndef TESTS_IO_OWN_NET_H
#define TESTS_IO_OWN_NET_H

#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Sets interface flags; false when there is no such interface or we may not. */
static inline bool interface_up(const char *name, bool up)
{
    struct ifreq request = {.ifr_flags = 0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok;

    (void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    ok = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0;
    if (ok) {
        request.ifr_flags = (short)(up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP);
        ok = ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    }
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

static inline bool interface_mtu(const char *name, int mtu)
{
    struct ifreq request = {.ifr_mtu = mtu};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok;

    (void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    ok = fd >= 0 && ioctl(fd, SIOCSIFMTU, &request) == 0;
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

/* As root, or by way of a user namespace where that is allowed. Tried once per process. */
static inline bool own_net(void)
{
    static int state;

    if (state == 0) {
        bool made = unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;

        state = made && interface_up("lo", true) ? 1 : -1;
    }
    return state == 1;
}

#endif
