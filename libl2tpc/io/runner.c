/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/runner.h"

#include "base/limits.h"
#include "io/env.h"
#include "io/plane.h"
#include "io/ports.h"
#include "io/resolver.h"
#include "io/runner_hooks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "io/record.h" /* last: test builds write down what the dial is told and says */

struct runner {
    struct loop *loop;
    struct hub *hub;
    struct port_options ports;
    struct runner_hooks hooks;
    struct dial *dial;
    struct plane *plane;
    struct hub_member member;
    struct loop_timer timer;
    struct loop_watch watch;
    struct work *resolve;
    uint32_t resolve_need;
    bool resolving;             /* somebody is asked for the name */
    struct loop_timer patience; /* ... and the address that worked is known */
    struct endpoint remote;
    struct inaddr local;
    int ifindex;
    unsigned outer_mtu;
    int tun_fd;
    bool kicking, again, down;
    bool prepared;       /* for the first ESP SA */
    bool natt_used;      /* a datagram has left by it */
    struct inaddr known; /* family 0: none */
    struct inaddr others[DIAL_ADDRESSES_MAX];
    unsigned n_others;
    bool ask;
    bool way_told;           /* by the owner, not looked up here */
    struct runner_test test; /* empty in a release */
};

static void kick(struct runner *r, l2tpc_us now);

/* ---- needs that the runner serves itself ---- */

static void add_address(struct inaddr *list, unsigned *n, const struct inaddr *a)
{
    for (unsigned i = 0; i < *n; i++)
        if (inaddr_eq(&list[i], a))
            return;
    if (*n < DIAL_ADDRESSES_MAX && a->family != 0)
        list[(*n)++] = *a;
}

/* What was looked up, and behind it the last good address and its neighbours. */
static void answer_resolve(struct runner *r, const struct inaddr *addresses, unsigned n,
                           const struct failure *failure, l2tpc_us now)
{
    struct inaddr all[DIAL_ADDRESSES_MAX];
    unsigned n_all = 0;

    loop_timer_cancel(r->loop, &r->patience);
    r->resolving = false;
    for (unsigned i = 0; i < n; i++)
        add_address(all, &n_all, &addresses[i]);
    add_address(all, &n_all, &r->known);
    for (unsigned i = 0; i < r->n_others; i++)
        add_address(all, &n_all, &r->others[i]);
    dial_answer_resolve(r->dial, r->resolve_need, all, n_all, n_all == 0 ? failure : NULL, now);
}

static void resolved(struct runner *r, const struct inaddr *addresses, unsigned n,
                     const struct failure *failure, l2tpc_us now)
{
    answer_resolve(r, addresses, n, failure, now);
    kick(r, now);
}

static void on_resolved(void *user, const struct inaddr *addresses, unsigned n,
                        const struct failure *failure)
{
    struct runner *r = user;

    r->resolve = NULL;
    resolved(r, addresses, n, failure, io_now());
}

/* A resolver behind the tunnel that was lost answers nobody. */
static void on_patience(void *user, l2tpc_us now)
{
    struct runner *r = user;

    work_cancel(r->resolve);
    r->resolve = NULL;
    resolved(r, NULL, 0, NULL, now);
}

void runner_answer_resolve(struct runner *r, uint32_t need, const struct inaddr *addresses,
                           unsigned n, const struct failure *failure, l2tpc_us now)
{
    if (r->resolving && need == r->resolve_need)
        resolved(r, addresses, n, failure, now);
}

static void serve_resolve(struct runner *r, const struct dial_event *e, const char *name,
                          l2tpc_us now)
{
    struct failure f = failure_make(FAILURE_LOCAL_MEMORY);

    r->resolve_need = e->need_id;
    if (r->known.family != 0 && !r->ask) {
        answer_resolve(r, NULL, 0, NULL, now);
        return;
    }
    r->resolving = true;
    if (r->known.family != 0)
        loop_timer_set(r->loop, &r->patience, us_add(now, RESOLVE_AGAIN_WAIT));
    if (r->hooks.resolve && r->hooks.resolve(r->hooks.user, e->need_id))
        return;
    r->resolve = resolve_start(r->loop, name, on_resolved, r);
    if (!r->resolve)
        resolved(r, NULL, 0, &f, now);
}

/* Sockets of the owner's are taken before the library opens its own. */
static void take_given(struct runner *r, enum dial_path path, uint8_t family, uint16_t port)
{
    int fd;

    if (!r->hooks.open_socket || hub_socket(r->hub, path, family) >= 0)
        return;
    fd = r->hooks.open_socket(r->hooks.user, path, family, port);
    if (fd >= 0 && !hub_give(r->hub, path, family, fd))
        close(fd);
}

bool runner_find_way(struct runner *r, const struct endpoint *remote, struct runner_route *out)
{
    int told = r->hooks.route ? r->hooks.route(r->hooks.user, remote, out) : 0;

    r->way_told = told != 0;
    if (told < 0)
        errno = -told;
    if (told != 0)
        return told > 0;
    if (!io_route_to(remote, &r->ports, &out->local, &out->ifindex))
        return false;
    out->mtu = io_mtu_to(remote, &r->ports);
    return true;
}

bool runner_way_told(const struct runner *r)
{
    return r->way_told;
}

static bool find_way(struct runner *r, const struct endpoint *remote)
{
    struct runner_route way;

    if (!runner_find_way(r, remote, &way))
        return false;
    r->local = way.local;
    r->ifindex = way.ifindex;
    r->outer_mtu = way.mtu;
    return true;
}

static bool open_sockets(struct runner *r, const struct dial_event *e, struct failure *f)
{
    uint8_t family = e->remote.addr.family;

    if (!find_way(r, &e->remote)) {
        *f = failure_make(FAILURE_IKE_UNREACHABLE);
        f->os_error = errno;
        failure_set_value(f, span_str(strerror(errno)));
        return false;
    }
    take_given(r, DIAL_PATH_IKE, family, PORT_IKE);
    take_given(r, DIAL_PATH_NATT, family, PORT_NATT);
    if (!hub_open_udp(r->hub, &r->member, family, f))
        return false;
    if (!e->raw_esp)
        return true;
    take_given(r, DIAL_PATH_ESP, family, 0);
    return hub_open_esp(r->hub, &r->member, family, f);
}

static void serve_sockets(struct runner *r, const struct dial_event *e, l2tpc_us now)
{
    struct failure f = failure_make(FAILURE_LOCAL_SOCKET);
    uint8_t family = e->remote.addr.family;
    struct endpoint local = {0};
    bool ok;

    r->remote = r->member.remote = e->remote;
    ok = open_sockets(r, e, &f);
    if (ok) {
        local =
            (struct endpoint){.addr = r->local, .port = hub_port(r->hub, DIAL_PATH_IKE, family)};
        plane_set_local(r->plane, &r->local);
        dial_set_outer_mtu(r->dial, r->outer_mtu);
    }
    dial_answer_sockets(r->dial, e->need_id, &local, hub_port(r->hub, DIAL_PATH_NATT, family),
                        ok ? NULL : &f, now);
}

/* ---- what the dial says ---- */

static void follow_sas(struct runner *r)
{
    uint32_t spis[HUB_SPIS_MAX];
    unsigned n = dial_inbound_spis(r->dial, spis, HUB_SPIS_MAX);

    data_publish(dial_data(r->dial)); /* who is told of an SPI has it */
    hub_set_esp_spis(r->hub, &r->member, spis, n);
}

static void handle(struct runner *r, const struct dial_event *e, l2tpc_us now)
{
    switch (e->type) {
    case DIAL_EVENT_NEED:
        if (e->need == DIAL_NEED_RESOLVE) {
            serve_resolve(r, e, dial_server(r->dial), now);
            return;
        }
        if (e->need == DIAL_NEED_SOCKETS) {
            serve_sockets(r, e, now);
            return;
        }
        break;
    case DIAL_EVENT_SA_CHANGED:
        follow_sas(r);
        break;
    case DIAL_EVENT_DOWN:
        r->down = true; /* told when the last datagram has left */
        return;
    default:
        break;
    }
    r->hooks.event(r->hooks.user, e, now);
}

/* Before the first datagram leaves by it: what the server has kept of that port is not ours. */
static void renew_natt(struct runner *r)
{
    uint8_t family = r->remote.addr.family;
    bool given = hub_is_given(r->hub, DIAL_PATH_NATT, family);
    int fd = -1;

    r->natt_used = true;
    if (!dial_wants_own_port(r->dial))
        return;
    if (given && r->hooks.open_socket)
        fd = r->hooks.open_socket(r->hooks.user, DIAL_PATH_NATT, family, 0);
    if (given && fd < 0) /* who could not open the first one may not open this one either */
        return;
    if (hub_renew_natt(r->hub, &r->member, family, fd))
        dial_set_natt_port(r->dial, hub_port(r->hub, DIAL_PATH_NATT, family));
    else if (fd >= 0)
        close(fd);
}

static int send_one(struct runner *r, enum dial_path path, const struct endpoint *to,
                    const struct msg *m)
{
    if (m->tag != DIAL_OUT_WHOLE)
        return hub_send(r->hub, path, &r->local, to, span_of(m->bytes, m->n));
    hub_send_whole(r->hub, path, &r->local, to, span_of(m->bytes, m->n));
    return 0;
}

static void send_all(struct runner *r, l2tpc_us now)
{
    enum dial_path path;
    struct endpoint to;
    struct msg m;
    bool sent = false;

    data_publish(dial_data(r->dial)); /* before the server knows of it */
    runner_test_keys(r->dial, &r->local, &r->remote.addr);
    while (dial_pop_out(r->dial, &path, &to, &m)) {
        int error;

        if (path == DIAL_PATH_NATT && !r->natt_used)
            renew_natt(r);
        error = send_one(r, path, &to, &m);

        runner_test_leak(&r->test, &r->remote.addr);
        if (error)
            dial_note_unreachable(r->dial, error, now);
        msg_done(&m);
        r->again = sent = true;
    }
    while (dial_pop_ip(r->dial, &m)) {
        plane_deliver(r->plane, span_of(m.bytes, m.n));
        msg_done(&m);
    }
    if (sent && !r->prepared) { /* message 1 is on its way: nothing else to do for a round trip */
        r->prepared = true;
        dial_prepare(r->dial);
    }
}

static void retire(struct runner *r, l2tpc_us now)
{
    struct dial_event e = {.type = DIAL_EVENT_DOWN, .stage = dial_facts(r->dial)->current};

    r->down = false;
    hub_leave(r->hub, &r->member);
    plane_free(r->plane);
    r->plane = NULL;
    if (r->tun_fd >= 0)
        close(r->tun_fd); /* the interface goes with it */
    r->tun_fd = -1;
    work_cancel(r->resolve);
    r->resolve = NULL;
    r->resolving = false;
    loop_timer_cancel(r->loop, &r->patience);
    loop_timer_cancel(r->loop, &r->timer);
    loop_watch_remove(r->loop, &r->watch);
    r->hooks.event(r->hooks.user, &e, now);
}

static void wait_on(struct runner *r, l2tpc_us now)
{
    l2tpc_us next = dial_deadline(r->dial);

    if (!data_sweep(dial_data(r->dial)))
        next = us_min(next, us_add(now, DATA_SWEEP_AFTER));
    loop_timer_set(r->loop, &r->timer, next);
}

/* Serves events and sends output until the dial is quiet. Answers from inside a hook only mark it.
 */
static void kick(struct runner *r, l2tpc_us now)
{
    struct dial_event e;

    if (r->kicking) {
        r->again = true;
        return;
    }
    r->kicking = true;
    do {
        r->again = false;
        while (dial_pop_event(r->dial, &e)) {
            handle(r, &e, now);
            r->again = true;
        }
        send_all(r, now);
    } while (r->again);
    r->kicking = false;
    if (r->down)
        retire(r, now);
    else
        wait_on(r, now);
}

/* ---- what comes in ---- */

static bool owns_cookie(void *user, const uint8_t cky_i[8])
{
    struct runner *r = user;

    return dial_owns_cookie(r->dial, cky_i);
}

static bool owns_spi(void *user, uint32_t spi)
{
    struct runner *r = user;

    return data_owns_spi(dial_data(r->dial), spi);
}

static void on_datagram(void *user, enum dial_path path, const struct endpoint *from,
                        const struct inaddr *to, struct mspan bytes, l2tpc_us now)
{
    struct runner *r = user;

    (void)to;
    (void)dial_input(r->dial, path, from, bytes, now);
}

static void on_esp(void *user, enum dial_path path, const struct endpoint *from,
                   const struct mspan *packets, unsigned n, l2tpc_us now)
{
    struct runner *r = user;
    bool udp = path == DIAL_PATH_NATT;

    /* ESP by the way that was not agreed on is nobody's (hostile.md H38). */
    if (data_udp_encapsulated(dial_data(r->dial)) == udp) {
        data_note_joined(dial_data(r->dial), r->member.joined_in, 0);
        plane_input(r->plane, packets, n, from, now);
    }
}

static void on_esp_end(void *user, l2tpc_us now)
{
    struct runner *r = user;

    plane_batch_end(r->plane, now);
}

static void on_batch_end(void *user, l2tpc_us now)
{
    kick(user, now);
}

/* With data threads there is no batch whose end would do it. */
static void kick_apart(struct runner *r, l2tpc_us now)
{
    if (hub_lanes(r->hub))
        kick(r, now);
}

static void on_unreachable(void *user, const struct endpoint *to, int os_error, l2tpc_us now)
{
    struct runner *r = user;

    if (!inaddr_eq(&to->addr, &r->remote.addr))
        return;
    dial_note_unreachable(r->dial, os_error, now);
    kick(r, now);
}

static void on_timer(void *user, l2tpc_us now)
{
    struct runner *r = user;

    dial_timer(r->dial, now);
    kick(r, now);
}

static void on_standstill(void *user, l2tpc_us now)
{
    struct runner *r = user;

    dial_woke(r->dial, now);
    kick(r, now);
}

static void on_control(void *user, enum data_kind kind, struct span inner, l2tpc_us now)
{
    struct runner *r = user;

    (void)dial_input_inner(r->dial, kind, inner, now);
    kick_apart(r, now);
}

static void on_esp_in(void *user, const struct endpoint *from, l2tpc_us now)
{
    struct runner *r = user;

    dial_note_esp_in(r->dial, from, now);
    kick_apart(r, now);
}

static void on_esp_out(void *user, l2tpc_us now)
{
    struct runner *r = user;

    dial_note_esp_out(r->dial, now);
    if (hub_lanes(r->hub))
        kick(r, now);
    else
        loop_timer_set(r->loop, &r->timer, dial_deadline(r->dial));
}

static void on_refused(void *user, int os_error, l2tpc_us now)
{
    struct runner *r = user;

    dial_note_unreachable(r->dial, os_error, now);
    kick_apart(r, now);
}

static void on_tun_gone(void *user, int os_error, l2tpc_us now)
{
    struct runner *r = user;
    struct failure f = failure_make(FAILURE_TUN_GONE);

    f.os_error = os_error;
    dial_fail(r->dial, &f, now);
    kick(r, now);
}

/* ---- life ---- */

struct runner *runner_new(struct loop *loop, struct hub *hub, const struct port_options *ports,
                          const struct dial_config *config, const struct runner_hooks *hooks)
{
    struct dial_config lab;
    struct runner *r = calloc(1, sizeof(*r));
    struct plane_hooks plane_hooks = {
        .user = r,
        .control = on_control,
        .esp_in = on_esp_in,
        .esp_out = on_esp_out,
        .unreachable = on_refused,
        .tun_gone = on_tun_gone,
    };

    if (!r)
        return NULL;
    r->loop = loop;
    r->hub = hub;
    r->ports = *ports;
    r->hooks = *hooks;
    r->tun_fd = -1;
    r->timer = (struct loop_timer){.fn = on_timer, .user = r};
    r->patience = (struct loop_timer){.fn = on_patience, .user = r};
    r->watch = (struct loop_watch){.fn = on_standstill, .user = r};
    r->member = (struct hub_member){
        .user = r,
        .owns_cookie = owns_cookie,
        .owns_spi = owns_spi,
        .datagram = on_datagram,
        .esp = on_esp,
        .esp_end = on_esp_end,
        .batch_end = on_batch_end,
        .unreachable = on_unreachable,
    };
    runner_test_init(&r->test);
    lab = *config;
    runner_test_life(&lab);
    runner_test_backend(lab.crypto);
    r->dial = dial_new(&lab);
    secret_wipe(&lab.tunnel_secret);
    if (r->dial && hub_turns(hub))
        data_set_turns(dial_data(r->dial), hub_turns(hub));
    if (r->dial)
        r->plane = plane_new(loop, hub, dial_data(r->dial), -1, &plane_hooks);
    if (!r->plane) {
        dial_free(r->dial);
        free(r);
        return NULL;
    }
    hub_join(hub, &r->member);
    hub_set_esp_spis(hub, &r->member, NULL, 0);
    loop_watch_add(loop, &r->watch);
    return r;
}

void runner_free(struct runner *r)
{
    if (!r)
        return;
    work_cancel(r->resolve);
    loop_timer_cancel(r->loop, &r->patience);
    loop_timer_cancel(r->loop, &r->timer);
    loop_watch_remove(r->loop, &r->watch);
    plane_free(r->plane);
    hub_leave(r->hub, &r->member);
    dial_free(r->dial);
    if (r->tun_fd >= 0)
        close(r->tun_fd);
    free(r);
}

void runner_start(struct runner *r, l2tpc_us now)
{
    dial_start(r->dial, now);
    kick(r, now);
}

void runner_stop(struct runner *r, l2tpc_us now)
{
    struct failure f = failure_make(FAILURE_LOCAL_CANCELLED);

    if (dial_facts(r->dial)->up)
        dial_close(r->dial, now);
    else
        dial_fail(r->dial, &f, now);
    kick(r, now);
}

bool runner_rekey(struct runner *r, l2tpc_us now)
{
    bool ok = dial_rekey(r->dial, now);

    kick(r, now);
    return ok;
}

bool runner_answer_secret(struct runner *r, uint32_t need, const struct span *secret, l2tpc_us now)
{
    if (!dial_need_is_open(r->dial, need))
        return false;
    dial_answer_secret(r->dial, need, secret, now);
    kick(r, now);
    return true;
}

void runner_answer_tun(struct runner *r, uint32_t need, int fd, const struct failure *failure,
                       l2tpc_us now)
{
    struct failure f = failure_make(FAILURE_LOCAL_TUN);

    if (fd >= 0) {
        r->tun_fd = fd;
        if (!plane_set_tun(r->plane, fd)) {
            failure_set_value(&f, span_str(strerror(errno)));
            failure = &f;
        }
    }
    dial_answer_done(r->dial, need, failure, now);
    kick(r, now);
}

void runner_answer_done(struct runner *r, uint32_t need, const struct failure *failure,
                        l2tpc_us now)
{
    dial_answer_done(r->dial, need, failure, now);
    kick(r, now);
}

const struct dial_facts *runner_facts(struct runner *r)
{
    return runner_test_facts(&r->test, dial_facts(r->dial));
}

bool runner_learned(const struct runner *r, struct learned *out)
{
    return dial_learned(r->dial, out);
}

const struct endpoint *runner_peer(const struct runner *r)
{
    return data_peer(dial_data(r->dial));
}

int runner_outer_ifindex(const struct runner *r)
{
    return r->ifindex;
}

void runner_wall_clock(char out[32])
{
    time_t now = time(NULL);
    struct tm tm;

    if (!gmtime_r(&now, &tm) || strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        out[0] = '\0';
}

int64_t runner_wall_seconds(void)
{
    return runner_test_wall((int64_t)time(NULL));
}

void runner_answer_sign(struct runner *r, uint32_t need, const struct span *signature, l2tpc_us now)
{
    dial_answer_sign(r->dial, need, signature, now);
    kick(r, now);
}

const struct ike_peer_cert *runner_peer_cert(const struct runner *r)
{
    return dial_peer_cert(r->dial);
}

void runner_fail(struct runner *r, const struct failure *failure, l2tpc_us now)
{
    dial_fail(r->dial, failure, now);
    kick(r, now);
}

void runner_set_credential(struct runner *r, const struct ike_credential *credential)
{
    dial_set_credential(r->dial, credential);
}

void runner_know_address(struct runner *r, const struct inaddr *address, bool ask)
{
    r->known = *address;
    r->ask = ask;
}

void runner_know_others(struct runner *r, const struct inaddr *addresses, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        add_address(r->others, &r->n_others, &addresses[i]);
}

unsigned runner_addresses(const struct runner *r, struct inaddr out[DIAL_ADDRESSES_MAX])
{
    return dial_addresses(r->dial, out);
}

/* Documentation addresses (RFC 5737, RFC 3849): no packet is sent. */
bool runner_has_network(struct runner *r)
{
    static const char *const far[] = {"192.0.2.1", "2001:db8::1"};

    for (unsigned i = 0; i < ARRAY_LEN(far); i++) {
        struct endpoint e = {.port = PORT_IKE};
        struct runner_route way;

        if (inaddr_parse(&e.addr, far[i]) && runner_find_way(r, &e, &way))
            return true;
    }
    return false;
}

void runner_end(struct runner *r, l2tpc_us now)
{
    dial_end(r->dial, now);
    kick(r, now);
}

unsigned runner_former(const struct runner *r, struct l2tp_former out[L2TP_FORMER_MAX])
{
    return dial_former(r->dial, out);
}
