/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the server pushed beside IPCP's addresses: for the host, for the next dial, for the status.
 */
#include "api/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(L2TPC_ROUTES_MAX > DHCPINFORM_ROUTES_MAX, "and one that is guessed");
_Static_assert(L2TPC_DOMAINS_MAX == DHCPINFORM_DOMAINS_MAX, "domains");

static void add_route(l2tpc_need *need, const struct dhcp_route *r, uint8_t origin)
{
    struct inaddr a = inaddr_v4(r->destination);

    need->routes[need->n_routes++] =
        (l2tpc_route){.destination = address_of(&a), .prefix_len = r->prefix_len, .origin = origin};
}

static bool has_route(const l2tpc_need *need, const struct dhcp_route *r)
{
    struct inaddr a = inaddr_v4(r->destination);

    for (uint32_t i = 0; i < need->n_routes; i++)
        if (need->routes[i].prefix_len == r->prefix_len &&
            memcmp(need->routes[i].destination.bytes, a.bytes, 4) == 0)
            return true;
    return false;
}

void need_add_pushed(const l2tpc_session *s, l2tpc_need *need, const struct dial_facts *facts)
{
    const struct dhcp_answer *p = facts->pushed;

    for (unsigned i = 0; p && i < p->n_routes && !s->config.server_domains_only; i++)
        add_route(need, &p->route[i], L2TPC_ROUTE_SERVER);
    for (unsigned i = 0; p && i < p->n_domains; i++)
        (void)snprintf(need->domains[need->n_domains++], sizeof(need->domains[0]), "%s",
                       p->domain[i]);
    if (facts->has_class_route && !has_route(need, &facts->class_route))
        add_route(need, &facts->class_route, L2TPC_ROUTE_GUESSED);
}

/* The next dial of this session begins with it. Without memory it asks anew all the same. */
void session_keep_pushed(l2tpc_session *s, const struct dial_facts *facts)
{
    if (!facts->pushed)
        return;
    if (!s->pushed)
        s->pushed = malloc(sizeof(*s->pushed));
    if (s->pushed)
        *s->pushed = *facts->pushed;
}

void session_keep_routes(l2tpc_session *s, const l2tpc_need *need, const char *told)
{
    char text[L2TPC_ROUTES_MAX * 32] = "";
    size_t at = 0;

    for (uint32_t i = 0; i < need->n_routes; i++) {
        const uint8_t *b = need->routes[i].destination.bytes;

        at += (size_t)snprintf(text + at, sizeof(text) - at, "%u.%u.%u.%u/%u %s\n", b[0], b[1],
                               b[2], b[3], need->routes[i].prefix_len,
                               need->routes[i].origin == L2TPC_ROUTE_SERVER ? "server" : "guessed");
    }
    free(s->routes);
    s->routes = strdup(told ? told : text);
}

void session_forget_routes(l2tpc_session *s)
{
    free(s->routes);
    free(s->pushed);
    s->routes = NULL;
    s->pushed = NULL;
}
