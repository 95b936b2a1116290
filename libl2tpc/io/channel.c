/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/channel.h"

#include "base/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 16 /* messages a round: the data plane has its turn too */

struct channel {
    struct loop *loop;
    struct loop_source *source;
    int fd;
    channel_fn fn;
    void *user;
    bool busy, freed; /* inside `fn`, where channel_free() was called */
    uint8_t bytes[CHANNEL_MAX];
};

static void close_source(struct channel *c)
{
    loop_remove(c->loop, c->source);
    c->source = NULL;
}

/* One message; false when there is none now. A length of 0 is the end. */
static bool receive(struct channel *c, struct span *out)
{
    struct iovec iov = {c->bytes, sizeof(c->bytes)};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
    ssize_t n;

    do
        n = recvmsg(c->fd, &m, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return false;
    *out = span_of(c->bytes, n > 0 && !(m.msg_flags & MSG_TRUNC) ? (size_t)n : 0);
    return true;
}

static void destroy(struct channel *c)
{
    close(c->fd);
    wipe_free(c, sizeof(*c));
}

static void on_readable(void *user, uint32_t events, l2tpc_us now)
{
    struct channel *c = user;
    struct span message;

    (void)events;
    c->busy = true;
    for (unsigned i = 0; i < BATCH && c->source && receive(c, &message); i++) {
        if (message.n == 0)
            close_source(c);
        c->fn(c->user, message.n > 0 ? &message : NULL, now);
        wipe(c->bytes, message.n); /* secrets come this way */
    }
    c->busy = false;
    if (c->freed)
        destroy(c);
}

struct channel *channel_new(struct loop *loop, int fd, channel_fn fn, void *user)
{
    struct channel *c = calloc(1, sizeof(*c));

    if (c) {
        c->loop = loop;
        c->fd = fd;
        c->fn = fn;
        c->user = user;
        c->source = loop_add(loop, fd, EPOLLIN, on_readable, c);
    }
    if (c && c->source)
        return c;
    free(c);
    close(fd);
    return NULL;
}

void channel_free(struct channel *c)
{
    if (!c)
        return;
    close_source(c);
    c->freed = true;
    if (!c->busy)
        destroy(c);
}

bool channel_send(struct channel *c, struct span message)
{
    ssize_t n;

    do
        n = send(c->fd, message.p, message.n, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n >= 0 && (size_t)n == message.n;
}
