/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Serves the needs of libl2tpc through the typed requests of libl2tpc-host. */
#include "cli/cli.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of the user who started it, also when the process has become another since. */
static const char *choose_run_dir(void)
{
    static char user_dir[128];
    const char *set = getenv("L2TPC_RUN_DIR");
    const char *xdg = getenv("XDG_RUNTIME_DIR");

    if (set && set[0] == '/' && strlen(set) < 96)
        return set;
    if (geteuid() == 0)
        return L2TPC_HOST_RUN_DIR;
    if (xdg && xdg[0] == '/' && strlen(xdg) < 90) {
        (void)snprintf(user_dir, sizeof(user_dir), "%s/l2tpc", xdg);
        return user_dir;
    }
    (void)snprintf(user_dir, sizeof(user_dir), "/tmp/l2tpc-%u", (unsigned)geteuid());
    return user_dir;
}

const char *run_dir(void)
{
    static const char *chosen;

    if (!chosen)
        chosen = choose_run_dir();
    return chosen;
}

int adapter_ask(const struct adapter *a, const l2tpc_host_request *request, l2tpc_host_reply *reply)
{
    return a->client ? l2tpc_host_client_request(a->client, request, reply)
                     : l2tpc_host_request_serve(a->host, request, reply);
}

const char *run_dir_make(char *value)
{
    const char *dir = run_dir();
    struct stat st;

    if (mkdir(dir, 0700) < 0 && errno != EEXIST) {
        (void)snprintf(value, 256, "%s: %s", dir, strerror(errno));
        return errno == EACCES || errno == EPERM ? "local.rights" : "local.journal";
    }
    if (lstat(dir, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
        (st.st_mode & 022)) {
        (void)snprintf(value, 256, _("%s is not a private directory of this user"), dir);
        return "local.journal";
    }
    return NULL;
}

static l2tpc_host_addr host_addr(const l2tpc_address *a)
{
    l2tpc_host_addr out = {.family = a->family};

    memcpy(out.bytes, a->bytes, sizeof(out.bytes));
    return out;
}

static bool has_route(const l2tpc_host_apply_ip *q, const l2tpc_route *r)
{
    for (uint32_t i = 0; i < q->n_routes; i++)
        if (q->routes[i].family == 4 && q->routes[i].prefix_len == r->prefix_len &&
            memcmp(q->routes[i].bytes, r->destination.bytes, 4) == 0)
            return true;
    return false;
}

/* Behind those of the profile, as many as fit. Into a full tunnel everything goes by its default
 * route; one of a server beside it could only take from what is meant to stay outside. */
static void add_pushed(const struct connect_options *o, const l2tpc_need *need,
                       l2tpc_host_apply_ip *out)
{
    for (uint32_t i = 0; i < need->n_routes && o->no_default_route; i++) {
        const l2tpc_route *r = &need->routes[i];

        if (out->n_routes == L2TPC_HOST_ROUTES_MAX || has_route(out, r))
            continue;
        out->routes[out->n_routes] = host_addr(&r->destination);
        out->routes[out->n_routes++].prefix_len = r->prefix_len;
    }
    for (uint32_t i = 0; i < need->n_domains && !o->no_dns; i++)
        if (out->n_search < L2TPC_HOST_SEARCH_MAX)
            memcpy(out->search[out->n_search++], need->domains[i], sizeof(out->search[0]));
}

static const char *origin_of(const l2tpc_need *need, const l2tpc_host_addr *route, bool of_profile)
{
    for (uint32_t i = 0; i < need->n_routes && !of_profile; i++)
        if (need->routes[i].prefix_len == route->prefix_len &&
            memcmp(need->routes[i].destination.bytes, route->bytes, 4) == 0)
            return need->routes[i].origin == L2TPC_ROUTE_SERVER ? "server" : "guessed";
    return "profile";
}

/* The same as text; whoever makes the routes, they are these. */
static void tell_routes(struct adapter *a, const l2tpc_need *need, const l2tpc_host_apply_ip *q)
{
    char address[INET6_ADDRSTRLEN];
    size_t at = 0;

    a->routes[0] = '\0';
    if (!a->options->no_default_route)
        at = (size_t)snprintf(a->routes, sizeof(a->routes), "0.0.0.0/0 default\n");
    for (uint32_t i = 0; i < q->n_routes; i++)
        if (inet_ntop(q->routes[i].family == 6 ? AF_INET6 : AF_INET, q->routes[i].bytes, address,
                      sizeof(address)))
            at += (size_t)snprintf(a->routes + at, sizeof(a->routes) - at, "%s/%u %s\n", address,
                                   q->routes[i].prefix_len,
                                   origin_of(need, &q->routes[i], i < a->options->n_routes));
}

static void fill_apply(struct adapter *a, const l2tpc_need *need, l2tpc_host_apply_ip *out)
{
    const struct connect_options *o = a->options;

    memcpy(out->interface, need->interface_name, sizeof(out->interface));
    (void)snprintf(out->tunnel, sizeof(out->tunnel), "%s", need->session_name);
    out->local = host_addr(&need->local);
    out->peer = host_addr(&need->peer);
    out->server = host_addr(&need->server);
    out->n_routes = o->n_routes;
    memcpy(out->routes, o->route, sizeof(o->route));
    add_pushed(o, need, out);
    tell_routes(a, need, out);
    if (!o->no_default_route)
        out->flags |= L2TPC_HOST_IP_FULL_TUNNEL | (o->keep_ipv6 ? 0u : L2TPC_HOST_IP_BLOCK_IPV6);
    if (o->configured_elsewhere) {
        out->flags |= L2TPC_HOST_IP_ROUTING_ONLY;
        out->n_routes = out->n_search = 0;
        return;
    }
    out->mtu = need->mtu;
    out->flags |= L2TPC_HOST_IP_PEER_ROUTE;
    for (unsigned i = 0; i < 2 && !o->no_dns; i++)
        if (need->dns[i].family)
            out->dns[out->n_dns++] = host_addr(&need->dns[i]);
}

/* The kernel's own word on the way out, where the library could only guess from the address. */
static uint32_t outer_interface(const struct adapter *a, const l2tpc_need *need)
{
    l2tpc_host_request q = {.size = sizeof(q), .type = L2TPC_HOST_WAY};
    l2tpc_host_reply reply;

    q.u.way.destination = host_addr(&need->server);
    return adapter_ask(a, &q, &reply) == 0 ? reply.ifindex : need->interface_index;
}

static void fill_request(struct adapter *a, const l2tpc_need *need, l2tpc_host_request *r)
{
    switch (need->type) {
    case L2TPC_NEED_UDP_SOCKET:
        r->type = L2TPC_HOST_OPEN_UDP;
        r->u.open_udp.family = need->family;
        r->u.open_udp.port = need->port;
        break;
    case L2TPC_NEED_RAW_ESP_SOCKET:
        r->type = L2TPC_HOST_OPEN_RAW_ESP;
        r->u.open_raw_esp.family = need->family;
        break;
    case L2TPC_NEED_TUN:
        r->type = L2TPC_HOST_OPEN_TUN;
        memcpy(r->u.open_tun.name, need->interface_name, sizeof(r->u.open_tun.name));
        r->u.open_tun.flags = L2TPC_HOST_TUN_VNET_HEADER;
        break;
    case L2TPC_NEED_APPLY_IP:
        r->type = L2TPC_HOST_APPLY_IP;
        fill_apply(a, need, &r->u.apply_ip);
        break;
    case L2TPC_NEED_RELEASE_IP:
        r->type = L2TPC_HOST_RELEASE_IP;
        memcpy(r->u.release_ip.interface, need->interface_name, sizeof(r->u.release_ip.interface));
        break;
    case L2TPC_NEED_REPAIR_IP:
        r->type = L2TPC_HOST_REPAIR_IP;
        memcpy(r->u.release_ip.interface, need->interface_name, sizeof(r->u.release_ip.interface));
        break;
    case L2TPC_NEED_OBSERVER_OPEN:
        r->type = L2TPC_HOST_OPEN_OBSERVER;
        r->u.open_observer.ifindex = outer_interface(a, need);
        r->u.open_observer.server = host_addr(&need->server);
        break;
    case L2TPC_NEED_OBSERVER_SPIS:
        r->type = L2TPC_HOST_OBSERVER_SET_SPIS;
        r->u.observer_set_spis.observer = need->observer;
        r->u.observer_set_spis.out_spi = need->spi_out;
        r->u.observer_set_spis.in_spi = need->spi_in;
        r->u.observer_set_spis.local_port = need->local_port;
        r->u.observer_set_spis.remote_port = need->remote_port;
        break;
    case L2TPC_NEED_OBSERVER_READ:
        r->type = L2TPC_HOST_OBSERVER_READ;
        r->u.observer.observer = need->observer;
        break;
    case L2TPC_NEED_OBSERVER_CLOSE:
        r->type = L2TPC_HOST_OBSERVER_CLOSE;
        r->u.observer.observer = need->observer;
        break;
    case L2TPC_NEED_ROUTE:
        /* Who marks its own sockets can look for itself, with the mark that it uses. */
        r->type = a->client ? L2TPC_HOST_WAY : 0;
        r->u.way.destination = host_addr(&need->server);
        break;
    default:
        break;
    }
}

/* What could not be done, in the words of the system, and to what: "lo", "10.0.0.0/8". */
static void describe(struct adapter *a, const l2tpc_host_reply *reply)
{
    const char *what = reply->sentence == L2TPC_HOST_SENTENCE_JOURNAL ? run_dir() : reply->detail;
    const char *number = strrchr(what, ':'); /* the name of the errno would say it twice */
    int n = (int)(number && number[1] == ' ' && number[2] == 'E' ? number - what
                                                                 : (ptrdiff_t)strlen(what));

    (void)snprintf(a->detail, sizeof(a->detail), "%s%s%.*s", strerror(-reply->status),
                   n > 0 ? ": " : "", n, what);
}

/*
 * The name is known and no packet has left yet: from here on nothing goes past the tunnel. And
 * before anything is routed into the tunnel, it may leave there.
 */
static int guard(struct adapter *a, const l2tpc_need *need, l2tpc_host_reply *reply)
{
    l2tpc_host_addr local = host_addr(&need->local);

    if (!a->options->kill_switch)
        return 0;
    if ((need->type == L2TPC_NEED_UDP_SOCKET || need->type == L2TPC_NEED_RAW_ESP_SOCKET) &&
        !a->blocking)
        return kill_switch_hold(a, "", NULL, reply);
    if (need->type == L2TPC_NEED_APPLY_IP)
        return kill_switch_hold(a, need->interface_name, &local, reply);
    return 0;
}

#if L2TPC_TEST_HOOKS
/* L2TPC_TEST_FORBIDDEN=broker: what an engine that was taken over would ask for. */
static void try_forbidden(const struct adapter *a)
{
    static const uint32_t users[] = {L2TPC_HOST_UNBLOCK, L2TPC_HOST_STATE_PART};
    const char *what = getenv("L2TPC_TEST_FORBIDDEN");
    l2tpc_host_request q = {.size = sizeof(q)};
    l2tpc_host_reply reply;

    for (size_t i = 0; what && strcmp(what, "broker") == 0 && i < 2; i++) {
        q.type = users[i]; /* the name of the tunnel comes first in both */
        (void)snprintf(q.u.unblock.tunnel, sizeof(q.u.unblock.tunnel), "%s", a->options->name);
        if (l2tpc_host_client_request(a->client, &q, &reply) != -EACCES)
            _exit(1);
        (void)fprintf(stderr, "the broker refuses request %u\n", q.type);
    }
}
#else
static void try_forbidden(const struct adapter *a)
{
    (void)a;
}
#endif

/* The broker may be there later than the process that asks it. */
static int connect_broker(struct adapter *a)
{
    int rc = -EPIPE;

    if (!a->by_broker || a->client)
        return 0;
    if (a->broker_fd >= 0)
        rc = l2tpc_host_client_new(&a->client, a->broker_fd);
    a->broker_fd = -1;
    if (rc == 0)
        try_forbidden(a);
    return rc;
}

int adapter_serve(void *user, const l2tpc_need *need, l2tpc_answer *answer)
{
    struct adapter *a = user;
    l2tpc_host_request request = {.size = sizeof(request)};
    l2tpc_host_reply reply = {.size = sizeof(reply), .fd = -1};
    int guarded = connect_broker(a);

    if (guarded == 0)
        guarded = guard(a, need, &reply);
    if (guarded != 0) {
        reply.status = answer->status = guarded;
        describe(a, &reply);
        answer->detail = a->detail;
        return 1;
    }

    fill_request(a, need, &request);
    if (request.type == 0)
        return 0;
    answer->status = adapter_ask(a, &request, &reply);
    describe(a, &reply);
    answer->detail = a->detail;
    if (request.type == L2TPC_HOST_OPEN_UDP && answer->status == 0 && reply.detail[0]) {
        (void)snprintf(a->detail, sizeof(a->detail), "%s", reply.detail);
        answer->port_holder = a->detail;
    }
    if (request.type == L2TPC_HOST_APPLY_IP)
        answer->routes = a->routes;
    answer->fd = reply.fd;
    answer->observer = answer->repaired = reply.observer;
    answer->clear = reply.clear;
    answer->esp_out = reply.esp_out;
    answer->esp_in = reply.esp_in;
    memcpy(answer->interface_name, reply.name, sizeof(answer->interface_name));
    answer->local.family = reply.source.family;
    memcpy(answer->local.bytes, reply.source.bytes, sizeof(answer->local.bytes));
    answer->server = answer->local; /* of an observer it is the address that it looks at */
    answer->interface_index = reply.ifindex;
    answer->mtu = reply.mtu;
    return 1;
}
