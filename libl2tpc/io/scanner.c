/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/scanner.h"

#include "io/env.h"
#include "io/resolver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_CAP 256

struct scanner {
    struct loop *loop;
    struct hub *hub;
    struct port_options ports;
    struct scanner_hooks hooks;
    struct scan *scan;
    struct hub_member member;
    struct loop_timer timer;
    struct work *resolve;
    char server[NAME_CAP];
    uint16_t port;
    struct inaddr address[DIAL_ADDRESSES_MAX];
    unsigned n_addresses, next;
    struct endpoint remote;
    struct inaddr local;
    struct failure failure; /* of the last address that could not be asked at all */
    bool over;
};

static void kick(struct scanner *r, l2tpc_us now);

static void finish(struct scanner *r, const struct failure *failure)
{
    r->over = true;
    hub_leave(r->hub, &r->member);
    loop_timer_cancel(r->loop, &r->timer);
    r->hooks.changed(r->hooks.user, failure);
}

/* ---- addresses ---- */
static bool open_sockets(struct scanner *r, uint8_t family, struct failure *f)
{
    int fd;

    if (r->hooks.open_socket && hub_socket(r->hub, DIAL_PATH_IKE, family) < 0) {
        fd = r->hooks.open_socket(r->hooks.user, DIAL_PATH_IKE, family, PORT_IKE);
        if (fd >= 0 && !hub_give(r->hub, DIAL_PATH_IKE, family, fd))
            close(fd);
    }
    return hub_open_udp(r->hub, &r->member, family, f);
}

/* False: nobody can be asked there. */
static bool reach(struct scanner *r, const struct inaddr *a)
{
    struct failure f = failure_make(FAILURE_RESOLVE_BAD_ADDRESS);
    char text[ADDR_TEXT_MAX];

    r->remote = (struct endpoint){.addr = *a, .port = r->port};
    failure_set_value(&f, span_str(inaddr_text(a, text)));
    if (a->family == 0 || inaddr_is_any(a) || inaddr_is_loopback(a) || inaddr_is_multicast(a)) {
        r->failure = f;
        return false;
    }
    if (!io_route_to(&r->remote, &r->ports, &r->local, NULL)) {
        r->failure = failure_make(FAILURE_IKE_UNREACHABLE);
        r->failure.os_error = errno;
        failure_set_value(&r->failure, span_str(strerror(errno)));
        return false;
    }
    if (inaddr_eq(&r->local, a)) {
        r->failure = f;
        return false;
    }
    return open_sockets(r, a->family, &r->failure);
}

/* The next address that there is a way to; false when none is left. */
static bool try_next(struct scanner *r, l2tpc_us now)
{
    while (r->next < r->n_addresses) {
        if (!reach(r, &r->address[r->next++]))
            continue;
        r->member.remote = r->remote;
        scan_start(r->scan, &r->remote, r->next < r->n_addresses, now);
        return true;
    }
    return false;
}

static void on_resolved(void *user, const struct inaddr *addresses, unsigned n,
                        const struct failure *failure)
{
    struct scanner *r = user;
    l2tpc_us now = io_now();

    r->resolve = NULL;
    r->n_addresses = n < DIAL_ADDRESSES_MAX ? n : DIAL_ADDRESSES_MAX;
    if (r->n_addresses > 0)
        memcpy(r->address, addresses, r->n_addresses * sizeof(addresses[0]));
    for (unsigned i = 0; i < r->n_addresses; i++)
        inaddr_unmap(&r->address[i]);
    if (r->n_addresses == 0)
        finish(r, failure);
    else if (!try_next(r, now))
        finish(r, &r->failure);
    else
        kick(r, now);
}

/* ---- what the engine says ---- */
static void on_over(struct scanner *r, const struct failure *failure, l2tpc_us now)
{
    if (scan_facts(r->scan)->end != SCAN_FAILED || scan_facts(r->scan)->answers > 0 ||
        !try_next(r, now))
        finish(r, failure);
}

static void kick(struct scanner *r, l2tpc_us now)
{
    struct scan_event e;
    struct msg m;
    bool again = true;

    while (again && !r->over) {
        again = false;
        while (!r->over && scan_pop_event(r->scan, &e)) {
            if (e.type == SCAN_EVENT_OVER)
                on_over(r, &e.failure, now);
            else
                r->hooks.changed(r->hooks.user, NULL);
            again = true;
        }
        while (scan_pop_out(r->scan, &m)) {
            int error =
                hub_send(r->hub, DIAL_PATH_IKE, &r->local, &r->remote, span_of(m.bytes, m.n));

            if (error)
                scan_note_unreachable(r->scan, error);
            msg_done(&m);
            again = true;
        }
    }
    if (!r->over)
        loop_timer_set(r->loop, &r->timer, scan_deadline(r->scan));
}

/* ---- what comes in ---- */
static bool owns_cookie(void *user, const uint8_t cky_i[8])
{
    struct scanner *r = user;

    return scan_owns_cookie(r->scan, cky_i);
}

static void on_datagram(void *user, enum dial_path path, const struct endpoint *from,
                        const struct inaddr *to, struct mspan bytes, l2tpc_us now)
{
    struct scanner *r = user;

    (void)to;
    if (path == DIAL_PATH_IKE)
        (void)scan_input(r->scan, from, span_ro(bytes), now);
}

static void on_batch_end(void *user, l2tpc_us now)
{
    kick(user, now);
}

static void on_unreachable(void *user, const struct endpoint *to, int os_error, l2tpc_us now)
{
    struct scanner *r = user;

    (void)now;
    if (inaddr_eq(&to->addr, &r->remote.addr))
        scan_note_unreachable(r->scan, os_error);
}

static void on_timer(void *user, l2tpc_us now)
{
    struct scanner *r = user;

    scan_timer(r->scan, now);
    kick(r, now);
}

/* ---- life ---- */
struct scanner *scanner_new(struct loop *loop, struct hub *hub, const struct port_options *ports,
                            const char *server, uint16_t port, const struct scan_config *config,
                            const struct scanner_hooks *hooks)
{
    struct scanner *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->scan = scan_new(config);
    if (!r->scan) {
        free(r);
        return NULL;
    }
    r->loop = loop;
    r->hub = hub;
    r->ports = *ports;
    r->hooks = *hooks;
    r->port = port;
    (void)snprintf(r->server, sizeof(r->server), "%s", server);
    r->timer = (struct loop_timer){.fn = on_timer, .user = r};
    r->member = (struct hub_member){
        .user = r,
        .owns_cookie = owns_cookie,
        .datagram = on_datagram,
        .batch_end = on_batch_end,
        .unreachable = on_unreachable,
    };
    hub_join(hub, &r->member);
    return r;
}

void scanner_free(struct scanner *r)
{
    if (!r)
        return;
    work_cancel(r->resolve);
    loop_timer_cancel(r->loop, &r->timer);
    hub_leave(r->hub, &r->member);
    scan_free(r->scan);
    free(r);
}

void scanner_start(struct scanner *r)
{
    struct failure f = failure_make(FAILURE_LOCAL_MEMORY);

    r->resolve = resolve_start(r->loop, r->server, on_resolved, r);
    if (!r->resolve)
        finish(r, &f);
}

void scanner_stop(struct scanner *r)
{
    if (r->over)
        return;
    work_cancel(r->resolve);
    r->resolve = NULL;
    scan_close(r->scan);
    kick(r, io_now());
}

const struct scan *scanner_scan(const struct scanner *r)
{
    return r->scan;
}

const struct endpoint *scanner_remote(const struct scanner *r)
{
    return &r->remote;
}
