/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/journal.h"
#include "host/resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_CAP (L2TPC_HOST_NAME_MAX + 32)

/* Up to RUN_FILE_MAX bytes of a file; n is negative (an errno value) when it could not be read. */
struct file {
    ssize_t n;
    uint8_t bytes[RUN_FILE_MAX];
};

struct files {
    struct file now, old, new, other;
};

static struct span file_span(const struct file *f)
{
    return span_of(f->bytes, f->n < 0 ? 0 : (size_t)f->n);
}

static const char *old_name(char out[NAME_CAP], const char *tunnel)
{
    (void)snprintf(out, NAME_CAP, "%s" RESOLV_OLD, tunnel);
    return out;
}

static const char *new_name(char out[NAME_CAP], const char *tunnel)
{
    (void)snprintf(out, NAME_CAP, "%s" RESOLV_NEW, tunnel);
    return out;
}

static void read_saved(struct file *f, int dir, const char *name)
{
    f->n = run_file_read(dir, name, f->bytes, sizeof(f->bytes));
}

static void read_now(struct file *f, const char *path)
{
    char *real = realpath(path, NULL);

    f->n = real ? run_file_read(AT_FDCWD, real, f->bytes, sizeof(f->bytes)) : -errno;
    free(real);
}

static int write_fd(int fd, struct span bytes)
{
    off_t at = 0;

    while (at < (off_t)bytes.n) {
        ssize_t n = pwrite(fd, bytes.p + at, bytes.n - (size_t)at, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -ENOSPC;
        at += n;
    }
    return ftruncate(fd, at) == 0 ? 0 : -errno;
}

static int write_in_place(const char *path, struct span bytes)
{
    struct stat st;
    int rc;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0644);

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) != 0)
        rc = -errno;
    else if (!S_ISREG(st.st_mode))
        rc = -EINVAL;
    else
        rc = write_fd(fd, bytes);
    if (rc == 0)
        (void)fsync(fd); /* a pseudo file system may not have it */
    if (close(fd) != 0 && rc == 0)
        rc = -errno;
    return rc;
}

int resolv_prepare(const l2tpc_host *h, int dir, const l2tpc_host_apply_ip *q)
{
    char name[NAME_CAP];
    struct files *f = calloc(1, sizeof(*f));
    size_t n = 0;
    int rc = 0;

    if (!f)
        return -ENOMEM;
    resolv_forget(dir, q->tunnel);
    read_now(&f->now, h->resolv_conf);
    if (f->now.n < 0 && f->now.n != -ENOENT)
        rc = (int)f->now.n;
    else if (!resolv_compose(q, file_span(&f->now), (char *)f->new.bytes, sizeof(f->new.bytes), &n))
        rc = -EFBIG;
    /* No saved old file stands for: there was none. */
    if (rc == 0 && f->now.n >= 0)
        rc = run_file_write(dir, old_name(name, q->tunnel), file_span(&f->now));
    if (rc == 0)
        rc = run_file_write(dir, new_name(name, q->tunnel), span_of(f->new.bytes, n));
    if (rc < 0)
        resolv_forget(dir, q->tunnel);
    free(f);
    return rc;
}

bool resolv_same(int dir, const l2tpc_host_apply_ip *q)
{
    char name[NAME_CAP];
    struct files *f = calloc(1, sizeof(*f));
    size_t n;
    bool same;

    if (!f)
        return false;
    read_saved(&f->old, dir, old_name(name, q->tunnel));
    read_saved(&f->new, dir, new_name(name, q->tunnel));
    same = f->new.n >= 0 &&
           resolv_compose(q, file_span(&f->old), (char *)f->now.bytes, sizeof(f->now.bytes), &n) &&
           span_eq(file_span(&f->new), span_of(f->now.bytes, n));
    free(f);
    return same;
}

int resolv_write(const l2tpc_host *h, int dir, const char *tunnel)
{
    char name[NAME_CAP];
    struct file *f = malloc(sizeof(*f));
    int rc;

    if (!f)
        return -ENOMEM;
    read_saved(f, dir, new_name(name, tunnel));
    rc = f->n < 0 ? (int)f->n : write_in_place(h->resolv_conf, file_span(f));
    free(f);
    return rc;
}

/* Ours, also when we died between the writing and the cutting off of a longer old file. */
static bool still_ours(const struct files *f)
{
    struct span now = file_span(&f->now);
    struct span old = file_span(&f->old);
    struct span new = file_span(&f->new);

    if (span_eq(now, new))
        return true;
    return now.n == old.n && now.n > new.n &&memcmp(now.p, new.p, new.n) == 0 &&
           memcmp(now.p + new.n, old.p + new.n, now.n - new.n) == 0;
}

struct relink {
    int dir;
    const char *tunnel;
    struct files *f;
    bool done;
};

static int relink_one(void *ctx, const char *tunnel)
{
    struct relink *r = ctx;
    char name[NAME_CAP];

    if (strcmp(tunnel, r->tunnel) == 0)
        return 0;
    read_saved(&r->f->other, r->dir, old_name(name, tunnel));
    if (r->f->other.n < 0 || !span_eq(file_span(&r->f->other), file_span(&r->f->new)))
        return 0;
    r->done = true;
    if (r->f->old.n < 0)
        return unlinkat(r->dir, name, 0) == 0 ? 1 : -errno;
    return run_file_write(r->dir, name, file_span(&r->f->old)) < 0 ? -EIO : 1;
}

static int put_back(const l2tpc_host *h, const struct files *f)
{
    char *real;
    int rc;

    if (f->old.n >= 0)
        return write_in_place(h->resolv_conf, file_span(&f->old));
    real = realpath(h->resolv_conf, NULL);
    rc = real && unlink(real) == 0 ? 0 : -errno;
    free(real);
    return rc == -ENOENT ? 0 : rc;
}

static int restore(const l2tpc_host *h, int dir, const char *tunnel, struct files *f,
                   bool *out_foreign)
{
    struct relink relink = {.dir = dir, .tunnel = tunnel, .f = f};
    int rc;

    if (still_ours(f) && f->now.n >= 0)
        return put_back(h, f);
    if (span_eq(file_span(&f->now), file_span(&f->old)) && (f->now.n < 0) == (f->old.n < 0))
        return 0; /* never written */
    rc = journal_each(dir, relink_one, &relink);
    if (!relink.done)
        *out_foreign = true;
    return rc < 0 ? rc : 0;
}

int resolv_restore(const l2tpc_host *h, int dir, const char *tunnel, bool *out_foreign)
{
    char name[NAME_CAP];
    struct files *f = calloc(1, sizeof(*f));
    int rc = 0;

    if (!f)
        return -ENOMEM;
    read_saved(&f->new, dir, new_name(name, tunnel));
    read_saved(&f->old, dir, old_name(name, tunnel));
    read_now(&f->now, h->resolv_conf);
    if (f->new.n >= 0)
        rc = restore(h, dir, tunnel, f, out_foreign);
    free(f);
    if (rc == 0)
        resolv_forget(dir, tunnel);
    return rc;
}

void resolv_forget(int dir, const char *tunnel)
{
    char name[NAME_CAP];

    (void)unlinkat(dir, old_name(name, tunnel), 0);
    (void)unlinkat(dir, new_name(name, tunnel), 0);
}
