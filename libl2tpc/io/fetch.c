/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/fetch.h"

#include "io/env.h"
#include "io/sockaddr.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX (HTTP_HEAD_MAX + HTTP_BODY_MAX)
#define CHUNK 4096
#define ADDRESSES_MAX 8

/* ---- waiting ---- */

static bool wait_for(int fd, short events, l2tpc_us deadline)
{
    struct pollfd p = {.fd = fd, .events = events};
    int r;

    do {
        l2tpc_us now = io_now();

        if (now >= deadline)
            return false;
        r = poll(&p, 1, (int)((deadline - now) / 1000) + 1);
    } while (r < 0 && errno == EINTR);
    return r > 0;
}

/* ---- connecting ---- */

static bool may_ask(const union sockaddr_any *sa)
{
    struct endpoint e;

    if (!sockaddr_read(sa, &e))
        return false;
    inaddr_unmap(&e.addr);
    return !inaddr_is_any(&e.addr) && !inaddr_is_loopback(&e.addr) &&
           !inaddr_is_multicast(&e.addr) && !inaddr_is_link_local(&e.addr);
}

/* Marked by somebody else, or by ourselves if we may. */
static int open_stream(const struct fetch *f, int family)
{
    int fd = f->ports.open_socket
                 ? f->ports.open_socket(f->ports.open_user, family == AF_INET6 ? 6 : 4, true)
                 : -1;

    return fd >= 0 ? fd : socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int try_address(const union sockaddr_any *sa, socklen_t len, const struct fetch *f)
{
    int fd;
    int error = 0;
    socklen_t n = sizeof(error);

    if (!may_ask(sa))
        return -1;
    fd = open_stream(f, sa->sa.sa_family);
    if (fd < 0)
        return -1;
    /* Who may not mark sockets has had no tunnel made without it: the answer is signed anyway. */
    if ((!f->ports.has_mark ||
         setsockopt(fd, SOL_SOCKET, SO_MARK, &f->ports.mark, sizeof(f->ports.mark)) == 0 ||
         errno == EPERM) &&
        (connect(fd, &sa->sa, len) == 0 || errno == EINPROGRESS) &&
        wait_for(fd, POLLOUT, f->deadline) &&
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0 && error == 0)
        return fd;
    close(fd);
    return -1;
}

/* By the name servers that were there before any tunnel. */
static int connect_past(const struct http_url *u, const struct fetch *f)
{
    struct inaddr addresses[ADDRESSES_MAX];
    l2tpc_us now = io_now();
    unsigned n = dns_look_up(&f->servers, &f->ports, u->host, now + (f->deadline - now) / 2,
                             addresses, ADDRESSES_MAX);
    int fd = -1;

    for (unsigned i = 0; i < n && fd < 0; i++) {
        struct endpoint to = {.addr = addresses[i], .port = (uint16_t)strtoul(u->port, NULL, 10)};
        union sockaddr_any sa = {0};
        socklen_t len = sockaddr_from(&sa, &to);

        fd = try_address(&sa, len, f);
    }
    return fd;
}

static int connect_to(const struct http_url *u, const struct fetch *f)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int fd = connect_past(u, f);

    if (fd >= 0 || getaddrinfo(u->host, u->port, &hints, &list) != 0)
        return fd;
    for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        union sockaddr_any sa = {0};

        if (a->ai_addrlen > sizeof(sa))
            continue;
        memcpy(&sa, a->ai_addr, a->ai_addrlen);
        fd = try_address(&sa, a->ai_addrlen, f);
    }
    freeaddrinfo(list);
    return fd;
}

/* ---- talking ---- */

static bool send_all(int fd, struct span bytes, l2tpc_us deadline)
{
    while (bytes.n > 0) {
        ssize_t put = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);

        if (put > 0)
            bytes = span_of(bytes.p + put, bytes.n - (size_t)put);
        else if (put < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (bytes.n > 0 && !wait_for(fd, POLLOUT, deadline))
            return false;
    }
    return true;
}

static bool receive(int fd, l2tpc_us deadline, uint8_t *buffer, struct span *body)
{
    size_t n = 0;

    while (wait_for(fd, POLLIN, deadline)) {
        size_t room = ANSWER_MAX - n;
        ssize_t got = recv(fd, buffer + n, room < CHUNK ? room : CHUNK, 0);
        enum http_result r;

        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (got < 0 || room == 0)
            return false;
        n += (size_t)got;
        r = http_response(span_of(buffer, n), got == 0, body);
        if (r != HTTP_MORE)
            return r == HTTP_DONE;
    }
    return false;
}

bool fetch_http(const struct fetch *f, uint8_t **out, size_t *n)
{
    char head[HTTP_HEAD_MAX];
    struct http_url u;
    uint8_t *buffer;
    struct span body = SPAN_NONE;
    size_t n_head;
    int fd;
    bool ok;

    if (!http_url_split(f->url, &u))
        return false;
    n_head = http_request(&u, f->type, f->body.n, head);
    buffer = malloc(ANSWER_MAX);
    fd = buffer && n_head > 0 ? connect_to(&u, f) : -1;
    ok = fd >= 0 && send_all(fd, span_of(head, n_head), f->deadline) &&
         send_all(fd, f->type ? f->body : SPAN_NONE, f->deadline) &&
         receive(fd, f->deadline, buffer, &body);
    if (ok) {
        memmove(buffer, body.p, body.n);
        *out = buffer;
        *n = body.n;
    } else {
        free(buffer);
    }
    if (fd >= 0)
        close(fd);
    return ok;
}
