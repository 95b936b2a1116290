/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/dns.h"

#include "io/dns_wire.h"
#include "io/env.h"
#include "io/sockaddr.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT 53
#define TRY US_MS(700) /* for one server; there are as many tries as time */

/* ---- whom to ask ---- */

static void read_from(const char *path, struct dns_servers *out)
{
    FILE *f = fopen(path, "re");
    char line[256];
    char text[80];

    out->n = 0;
    while (f && out->n < DNS_SERVERS_MAX && fgets(line, sizeof(line), f))
        if (sscanf(line, "nameserver %79s", text) == 1 && inaddr_parse(&out->at[out->n], text))
            out->n++;
    if (f)
        (void)fclose(f);
}

void dns_servers_read(struct dns_servers *out)
{
    read_from("/etc/resolv.conf", out);
    if (out->n == 1 && inaddr_is_loopback(&out->at[0])) {
        struct dns_servers behind;

        read_from("/run/systemd/resolve/resolv.conf", &behind);
        if (behind.n > 0)
            *out = behind;
    }
}

/* ---- asking ---- */

static int open_to(const struct inaddr *server, const struct port_options *ports)
{
    struct endpoint to = {.addr = *server, .port = PORT};
    int fd = ports->open_socket(ports->open_user, server->family, false);
    union sockaddr_any sa;
    socklen_t n = sockaddr_from(&sa, &to);

    if (fd >= 0 && connect(fd, &sa.sa, n) == 0)
        return fd;
    port_close(fd);
    return -1;
}

/* Answers to other queries, and what is none, are passed over. */
static bool await(int fd, struct span query, l2tpc_us deadline, struct inaddr *out, unsigned cap,
                  unsigned *n)
{
    uint8_t bytes[DNS_ANSWER_MAX];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    l2tpc_us now;

    while ((now = io_now()) < deadline) {
        int ready = poll(&p, 1, (int)((deadline - now) / 1000) + 1);
        ssize_t got = ready > 0 ? recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) : 0;

        if (got < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (got > 0 && dns_answer(query, span_of(bytes, (size_t)got), out, cap, n))
            return true;
    }
    return false;
}

static bool ask(const struct inaddr *server, const struct port_options *ports, const char *name,
                enum dns_type type, l2tpc_us deadline, struct inaddr *out, unsigned cap,
                unsigned *n)
{
    uint8_t query[DNS_QUERY_MAX];
    uint16_t id;
    size_t len;
    int fd;
    bool ok;

    if (getrandom(&id, sizeof(id), 0) != sizeof(id) || !dns_query(name, type, id, query, &len))
        return false;
    fd = open_to(server, ports);
    ok = fd >= 0 && send(fd, query, len, MSG_NOSIGNAL) == (ssize_t)len &&
         await(fd, span_of(query, len), deadline, out, cap, n);
    port_close(fd);
    return ok;
}

/* The first server that answers has the word; of both families, the first one first. */
unsigned dns_look_up(const struct dns_servers *servers, const struct port_options *ports,
                     const char *name, l2tpc_us deadline, struct inaddr *out, unsigned cap)
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA};
    unsigned found = 0;
    l2tpc_us now;

    if (!ports->open_socket)
        return 0;
    for (unsigned i = 0; i < servers->n && found == 0 && (now = io_now()) < deadline; i++) {
        for (unsigned t = 0; t < ARRAY_LEN(types); t++) {
            l2tpc_us until = us_add(io_now(), TRY);
            unsigned n = 0;

            if (!ask(&servers->at[i], ports, name, types[t], until < deadline ? until : deadline,
                     out + found, cap - found, &n) &&
                t == 0)
                break; /* it is not there */
            found += n;
        }
    }
    return found;
}
