/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A server that never answers: 192.0.2.1, behind a TUN that nobody reads, in a network namespace of
 * the process's own. */
#ifndef TESTS_UNIT_API_NOWHERE_H
#define TESTS_UNIT_API_NOWHERE_H

#include "io/ports.h"
#include "own_net.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define NOWHERE "192.0.2.1"

static inline bool nowhere_set(unsigned long what, const char *interface, const char *address)
{
    struct ifreq request = {.ifr_flags = 0};
    struct sockaddr_in sa = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok;

    (void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
    (void)inet_pton(AF_INET, address, &sa.sin_addr);
    memcpy(&request.ifr_addr, &sa, sizeof(sa));
    ok = fd >= 0 && ioctl(fd, what, &request) == 0;
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

/* Made once per process; the device lives until it ends. */
static inline bool nowhere(void)
{
    static int state;
    char name[TUN_NAME_MAX];

    if (state == 0) {
        state = own_net() && port_open_tun("void%d", name, NULL) >= 0 &&
                        nowhere_set(SIOCSIFADDR, name, "192.0.2.2") &&
                        nowhere_set(SIOCSIFNETMASK, name, "255.255.255.0") &&
                        interface_up(name, true)
                    ? 1
                    : -1;
    }
    return state == 1;
}

#endif
