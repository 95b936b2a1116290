/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was learned of a connection's server, in a file of its name. What it means is not read here.
 */
#include "host/host.h"
#include "host/journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The directory above is made too; what lies above that is the system's. */
static int state_dir_open(const l2tpc_host *h, bool make)
{
    char above[256];
    const char *slash = strrchr(h->state_dir, '/');
    struct stat st;

    if (!make && stat(h->state_dir, &st) != 0)
        return -errno;
    if (slash && slash != h->state_dir &&
        (size_t)snprintf(above, sizeof(above), "%.*s", (int)(slash - h->state_dir), h->state_dir) <
            sizeof(above) &&
        mkdir(above, 0700) != 0 && errno != EEXIST)
        return -errno;
    return run_dir_open(h->state_dir);
}

int l2tpc_host_state_read(l2tpc_host *h, const char *name, void *buffer, size_t size)
{
    ssize_t n;
    int dir;

    if (!h || !buffer || size == 0 || size > INT32_MAX || !l2tpc_host_name_valid(name))
        return -EINVAL;
    dir = state_dir_open(h, false);
    if (dir < 0)
        return dir;
    n = run_file_read(dir, name, buffer, size);
    close(dir);
    return (int)n;
}

int l2tpc_host_state_write(l2tpc_host *h, const char *name, const void *bytes, size_t len)
{
    char tmp[L2TPC_HOST_NAME_MAX + 8];
    int dir;
    int lock;
    int rc;

    if (!h || (len > 0 && !bytes) || !l2tpc_host_name_valid(name))
        return -EINVAL;
    if (len > L2TPC_HOST_STATE_MAX)
        return -EFBIG;
    dir = state_dir_open(h, true);
    if (dir < 0)
        return dir;
    /* No name begins with a dot: a half-written file is nobody's. */
    (void)snprintf(tmp, sizeof(tmp), ".%s.tmp", name);
    lock = run_dir_lock(dir);
    rc = lock < 0 ? lock : run_file_replace(dir, tmp, name, span_of(bytes, len));
    if (lock >= 0)
        close(lock);
    close(dir);
    return rc;
}

int l2tpc_host_state_forget(l2tpc_host *h, const char *name)
{
    int dir;
    int rc;

    if (!h || !l2tpc_host_name_valid(name))
        return -EINVAL;
    dir = state_dir_open(h, false);
    if (dir < 0)
        return dir;
    rc = unlinkat(dir, name, 0) == 0 ? 0 : -errno;
    if (rc == 0)
        (void)fsync(dir);
    close(dir);
    return rc;
}

int serve_state_part(l2tpc_host *h, const l2tpc_host_state_part *q, l2tpc_host_reply *reply)
{
    int rc;

    if (!memchr(q->tunnel, '\0', sizeof(q->tunnel)) || !l2tpc_host_name_valid(q->tunnel))
        return reply_fail(reply, -EINVAL, L2TPC_HOST_SENTENCE_BAD_NAME, "tunnel name");
    if (q->offset == 0)
        h->state_have = 0;
    if (q->total > L2TPC_HOST_STATE_MAX || q->n > sizeof(q->bytes) || q->offset != h->state_have ||
        q->n > q->total - q->offset || (q->n == 0 && q->total > 0))
        return reply_fail(reply, -EINVAL, L2TPC_HOST_SENTENCE_BAD_REQUEST, "part");
    if (!h->state)
        h->state = malloc(L2TPC_HOST_STATE_MAX);
    if (!h->state)
        return reply_fail(reply, -ENOMEM, L2TPC_HOST_SENTENCE_STATE, "ENOMEM");
    memcpy(h->state + q->offset, q->bytes, q->n);
    h->state_have += q->n;
    if (h->state_have < q->total)
        return 0;
    h->state_have = 0;
    rc = l2tpc_host_state_write(h, q->tunnel, h->state, q->total);
    return rc == 0 ? 0
                   : reply_fail(reply, rc, L2TPC_HOST_SENTENCE_STATE, "%s", strerrorname_np(-rc));
}
