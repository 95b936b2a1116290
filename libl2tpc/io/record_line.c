/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/record_line.h"

#include "io/record.h"

#if L2TPC_TEST_HOOKS

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t put_hex(char *to, struct span bytes)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;

    to[n++] = ' ';
    if (bytes.n == 0)
        to[n++] = '-';
    for (size_t i = 0; i < bytes.n; i++) {
        to[n++] = digits[bytes.p[i] >> 4];
        to[n++] = digits[bytes.p[i] & 15];
    }
    to[n++] = '\n';
    return n;
}

static void put_line(const char *line, size_t n)
{
    const char *path = getenv("L2TPC_RECORD");
    bool given; /* opened before the process could open nothing any more */
    int fd;

    given = sscanf(path, "fd:%d", &fd) == 1;
    if (!given)
        fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return;
    (void)!write(fd, line, n);
    if (!given)
        (void)close(fd);
}

/* The file is opened for each line: there is no state to keep in a library without globals. */
void record_line(struct span bytes, const char *fmt, ...)
{
    char head[512];
    char *line;
    va_list ap;
    int n;

    if (!record_is_on())
        return;
    va_start(ap, fmt);
    n = vsnprintf(head, sizeof(head), fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof(head))
        return;
    line = malloc((size_t)n + 2 * bytes.n + 4);
    if (!line)
        return;
    memcpy(line, head, (size_t)n);
    put_line(line, (size_t)n + put_hex(line + n, bytes));
    free(line);
}

bool record_is_on(void)
{
    const char *path = getenv("L2TPC_RECORD");

    return path && *path;
}

void record_rand(const uint8_t *bytes, size_t n)
{
    record_line(span_of(bytes, n), "rand");
}

#endif
