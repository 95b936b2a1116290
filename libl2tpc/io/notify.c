/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/notify.h"

#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

int notify_open(void)
{
    return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

void notify_set(int fd)
{
    const uint64_t one = 1;

    if (write(fd, &one, sizeof(one)) < 0)
        return; /* the counter is full: it is readable anyway */
}

void notify_clear(int fd)
{
    uint64_t count;

    if (read(fd, &count, sizeof(count)) < 0)
        return; /* it was not readable: nothing to clear */
}

void notify_close(int fd)
{
    if (fd >= 0)
        close(fd);
}

void notify_wait(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    (void)poll(&p, 1, -1);
}
