/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SUFFIX ".journal"
#define FILE_NAME_MAX (L2TPC_HOST_NAME_MAX + 32)
#define LOCK_TRIES 200
#define LOCK_PAUSE_NS 10000000

int run_dir_open(const char *path)
{
    struct stat st;
    int dir;
    int error;

    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return -errno;
    dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0)
        return -errno;
    if (fstat(dir, &st) != 0)
        error = errno;
    else
        error = st.st_uid != geteuid() || (st.st_mode & 022) ? EPERM : 0;
    if (error == 0)
        return dir;
    close(dir);
    return -error;
}

int run_dir_lock(int dir)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
    int error;
    /* The directory itself is the lock: there is no file to be left behind. */
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return fd;
        if (errno != EWOULDBLOCK && errno != EINTR)
            break;
        (void)nanosleep(&pause, NULL);
    }
    error = errno;
    close(fd);
    return -error;
}

static int write_all(int fd, struct span bytes)
{
    while (bytes.n > 0) {
        ssize_t n = write(fd, bytes.p, bytes.n);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -ENOSPC;
        bytes = span_of(bytes.p + n, bytes.n - (size_t)n);
    }
    return 0;
}

int run_file_write(int dir, const char *name, struct span bytes)
{
    char tmp[FILE_NAME_MAX + 8];

    (void)snprintf(tmp, sizeof(tmp), "%s.tmp", name);
    return run_file_replace(dir, tmp, name, bytes);
}

int run_file_replace(int dir, const char *tmp, const char *name, struct span bytes)
{
    int fd;
    int rc;

    if (unlinkat(dir, tmp, 0) != 0 && errno != ENOENT)
        return -errno;
    fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    rc = write_all(fd, bytes);
    if (rc == 0 && fsync(fd) != 0)
        rc = -errno;
    if (close(fd) != 0 && rc == 0)
        rc = -errno;
    if (rc == 0 && renameat(dir, tmp, dir, name) != 0)
        rc = -errno;
    if (rc < 0)
        (void)unlinkat(dir, tmp, 0);
    else
        (void)fsync(dir);
    return rc;
}

ssize_t run_file_read(int dir, const char *name, uint8_t *out, size_t cap)
{
    struct stat st;
    size_t n = 0;
    int error = 0;
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) != 0)
        error = errno;
    else if (!S_ISREG(st.st_mode))
        error = EINVAL;
    while (error == 0) {
        ssize_t got = read(fd, out + n, cap - n);

        if (got < 0 && errno != EINTR)
            error = errno;
        else if (got == 0)
            break;
        else if (got > 0 && (n += (size_t)got) == cap)
            error = EFBIG;
    }
    close(fd);
    return error ? -error : (ssize_t)n;
}

static const char *journal_name(char out[FILE_NAME_MAX], const char *tunnel)
{
    (void)snprintf(out, FILE_NAME_MAX, "%s" SUFFIX, tunnel);
    return out;
}

int journal_write(int dir, const struct plan *plan)
{
    char name[FILE_NAME_MAX];
    char *text = malloc(JOURNAL_MAX);
    size_t n;
    int rc;

    if (!text)
        return -ENOMEM;
    if (journal_format(plan, text, JOURNAL_MAX, &n))
        rc = run_file_write(dir, journal_name(name, plan->tunnel), span_of(text, n));
    else
        rc = -EFBIG;
    free(text);
    return rc;
}

int journal_read(int dir, const char *tunnel, struct plan *out)
{
    char name[FILE_NAME_MAX];
    uint8_t *text = malloc(JOURNAL_MAX);
    ssize_t n;

    if (!text)
        return -ENOMEM;
    n = run_file_read(dir, journal_name(name, tunnel), text, JOURNAL_MAX);
    if (n >= 0)
        journal_parse(out, span_of(text, (size_t)n));
    else if (n == -EFBIG)
        journal_parse(out, span_of(text, JOURNAL_MAX));
    free(text);
    if (n < 0 && n != -EFBIG)
        return (int)n;
    /* The file's name decides which tunnel it is, whatever its text says. */
    if (strcmp(out->tunnel, tunnel) != 0)
        out->whole = false;
    (void)snprintf(out->tunnel, sizeof(out->tunnel), "%s", tunnel);
    return 0;
}

int journal_remove(int dir, const char *tunnel)
{
    char name[FILE_NAME_MAX];

    return unlinkat(dir, journal_name(name, tunnel), 0) == 0 || errno == ENOENT ? 0 : -errno;
}

/* Cuts `suffix` off a file's name; false when it has none, or the rest names no tunnel. */
static bool tunnel_of(char out[L2TPC_HOST_NAME_MAX + 1], const char *file, const char *suffix)
{
    size_t n = strlen(file);
    size_t tail = strlen(suffix);

    if (n <= tail || n - tail > L2TPC_HOST_NAME_MAX || strcmp(file + n - tail, suffix) != 0)
        return false;
    memcpy(out, file, n - tail);
    out[n - tail] = '\0';
    return l2tpc_host_name_valid(out);
}

/* Calls `each` with every file's name until it returns non-zero. */
static int each_file(int dir, int (*each)(void *ctx, const char *file), void *ctx)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *e;
    int rc = 0;

    if (!d) {
        rc = -errno;
        if (fd >= 0)
            close(fd);
        return rc;
    }
    while (rc == 0 && (e = readdir(d)))
        rc = each(ctx, e->d_name);
    closedir(d);
    return rc;
}

struct journal_walk {
    int (*each)(void *ctx, const char *tunnel);
    void *ctx;
};

static int each_journal(void *ctx, const char *file)
{
    const struct journal_walk *w = ctx;
    char tunnel[L2TPC_HOST_NAME_MAX + 1];

    return tunnel_of(tunnel, file, SUFFIX) ? w->each(w->ctx, tunnel) : 0;
}

int journal_each(int dir, int (*each)(void *ctx, const char *tunnel), void *ctx)
{
    struct journal_walk w = {.each = each, .ctx = ctx};

    return each_file(dir, each_journal, &w);
}

static int sweep_file(void *ctx, const char *file)
{
    static const char *const unfinished[] = {SUFFIX ".tmp", RESOLV_OLD ".tmp", RESOLV_NEW ".tmp"};
    static const char *const saved[] = {RESOLV_OLD, RESOLV_NEW};
    char tunnel[L2TPC_HOST_NAME_MAX + 1];
    char name[FILE_NAME_MAX];
    int dir = *(const int *)ctx;

    for (size_t i = 0; i < ARRAY_LEN(unfinished); i++)
        if (tunnel_of(tunnel, file, unfinished[i]))
            (void)unlinkat(dir, file, 0);
    for (size_t i = 0; i < ARRAY_LEN(saved); i++)
        if (tunnel_of(tunnel, file, saved[i]) &&
            faccessat(dir, journal_name(name, tunnel), F_OK, AT_SYMLINK_NOFOLLOW) != 0)
            (void)unlinkat(dir, file, 0);
    return 0;
}

void run_dir_sweep(int dir)
{
    (void)each_file(dir, sweep_file, &dir);
}

/* Field 22 of /proc/PID/stat; the command in field 2 may hold spaces and brackets. */
static int start_time(pid_t pid, uint64_t *out)
{
    char path[48];
    uint8_t text[1024];
    const char *p;
    ssize_t n;

    (void)snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
    n = run_file_read(AT_FDCWD, path, text, sizeof(text) - 1);
    if (n < 0)
        return (int)n;
    text[n] = '\0';
    p = strrchr((const char *)text, ')');
    if (p && p[1] == ' ' && (p[2] == 'Z' || p[2] == 'X'))
        return -ESRCH; /* dead, only nobody has waited for it yet */
    for (int field = 2; p && field < 22; field++) {
        p = strchr(p, ' ');
        p = p ? p + 1 : NULL;
    }
    return p && sscanf(p, "%" SCNu64, out) == 1 ? 0 : -EIO;
}

int owner_self(pid_t *out_pid, uint64_t *out_start)
{
    *out_pid = getpid();
    return start_time(*out_pid, out_start);
}

bool owner_alive(const struct plan *plan)
{
    uint64_t start;

    return plan->has_owner && start_time(plan->owner_pid, &start) == 0 &&
           start == plan->owner_start;
}
