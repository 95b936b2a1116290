/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a broker lets through for a connection. */
#include "cli/cli.h"

#include <string.h>

/* Three for each family in all: a context keeps the ones it was given, also for its next dials. The
 * rest is for sockets that did not fit. */
#define SOCKETS_MAX 64

#define BIT(type) (1u << (type))

const char *server_routes_wanted(const struct connect_options *o)
{
    bool asked = o->server_routes && strcmp(o->server_routes, "yes") == 0;

    if (o->no_default_route)
        return o->server_routes ? o->server_routes : "yes";
    return asked ? "domains" : o->server_routes ? o->server_routes : "no";
}

l2tpc_host_policy connect_policy(const struct connect_options *o)
{
    l2tpc_host_policy p = {.size = sizeof(p), .sockets_max = SOCKETS_MAX, .n_routes = o->n_routes};

    p.allow = BIT(L2TPC_HOST_OPEN_UDP) | BIT(L2TPC_HOST_OPEN_RAW_ESP) | BIT(L2TPC_HOST_OPEN_TUN) |
              BIT(L2TPC_HOST_APPLY_IP) | BIT(L2TPC_HOST_RELEASE_IP) | BIT(L2TPC_HOST_REPAIR_IP) |
              BIT(L2TPC_HOST_OPEN_OBSERVER) | BIT(L2TPC_HOST_OBSERVER_SET_SPIS) |
              BIT(L2TPC_HOST_OBSERVER_READ) | BIT(L2TPC_HOST_OBSERVER_CLOSE) | BIT(L2TPC_HOST_WAY) |
              BIT(L2TPC_HOST_HELLO);
    if (!o->no_memory)
        p.allow |= BIT(L2TPC_HOST_STATE_PART);
    if (o->kill_switch) {
        p.allow |= BIT(L2TPC_HOST_BLOCK) | BIT(L2TPC_HOST_UNBLOCK) | BIT(L2TPC_HOST_BLOCK_READ);
        p.flags |= L2TPC_HOST_POLICY_BLOCK | L2TPC_HOST_POLICY_LOOKUPS |
                   (o->allow_lan ? L2TPC_HOST_POLICY_BLOCK_LAN : 0u);
    }
    if (!o->no_default_route)
        p.flags |= L2TPC_HOST_POLICY_FULL_TUNNEL;
    if (o->no_default_route && (strcmp(server_routes_wanted(o), "yes") == 0 || o->class_route))
        p.flags |= L2TPC_HOST_POLICY_SERVER_ROUTES;
    if (!o->no_dns && !o->configured_elsewhere)
        p.flags |= L2TPC_HOST_POLICY_DNS;
    (void)snprintf(p.tunnel, sizeof(p.tunnel), "%s", o->name);
    (void)snprintf(p.interface, sizeof(p.interface), "%s",
                   o->interface_name ? o->interface_name : "l2tp%d");
    memcpy(p.routes, o->route, sizeof(p.routes));
    return p;
}
