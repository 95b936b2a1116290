/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/record_line.h"

#include "io/record.h"

#if L2TPC_TEST_HOOKS

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void put_hex(FILE *f, struct span bytes)
{
    (void)fputc(' ', f);
    if (bytes.n == 0)
        (void)fputc('-', f);
    for (size_t i = 0; i < bytes.n; i++)
        (void)fprintf(f, "%02x", bytes.p[i]);
}

/* The file is opened for each line: there is no state to keep in a library without globals. */
void record_line(struct span bytes, const char *fmt, ...)
{
    const char *path = getenv("L2TPC_RECORD");
    va_list ap;
    FILE *f;
    int fd;

    if (!path || !*path)
        return;
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    f = fd < 0 ? NULL : fdopen(fd, "a");
    if (!f) {
        if (fd >= 0)
            (void)close(fd);
        return;
    }
    va_start(ap, fmt);
    (void)vfprintf(f, fmt, ap);
    va_end(ap);
    put_hex(f, bytes);
    (void)fputc('\n', f);
    (void)fclose(f);
}

bool record_is_on(void)
{
    return getenv("L2TPC_RECORD") != NULL;
}

void record_rand(const uint8_t *bytes, size_t n)
{
    record_line(span_of(bytes, n), "rand");
}

#endif
