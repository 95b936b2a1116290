/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a checked request to the list of changes, in the order in which they are made: what holds a
 * full tunnel's traffic back, address, the tunnel's routes, what stays outside, then the rule that
 * sends traffic in, DNS last. */
#include "host/host.h"
#include "host/netlink.h"
#include "host/resolver.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#define STRICT 1
#define LOOSE 2

bool plan_add(struct plan *plan, const struct item *item)
{
    if (plan->n_items == HOST_ITEMS_MAX)
        return false;
    plan->item[plan->n_items++] = *item;
    return true;
}

static bool item_eq(const struct item *a, const struct item *b)
{
    return a->kind == b->kind && inaddr_eq(&a->dst, &b->dst) && a->dst_len == b->dst_len &&
           a->table == b->table && a->ifindex == b->ifindex && a->priority == b->priority &&
           a->mark == b->mark && strcmp(a->name, b->name) == 0 && inaddr_eq(&a->peer, &b->peer);
}

bool plan_has(const struct plan *plan, const struct item *item)
{
    for (size_t i = 0; i < plan->n_items; i++)
        if (item_eq(&plan->item[i], item))
            return true;
    return false;
}

bool plan_clashes(const struct plan *plan, const struct item *item)
{
    for (size_t i = 0; i < plan->n_items; i++)
        if (item->kind == ITEM_ADDR && plan->item[i].kind == ITEM_ADDR &&
            inaddr_eq(&plan->item[i].dst, &item->dst))
            return true;
    return false;
}

/* Where the pieces of one tunnel go. */
struct builder {
    const l2tpc_host *h;
    const l2tpc_host_apply_ip *q;
    struct plan *plan;
    const struct survey *survey;
    struct inaddr server;
    uint32_t table;
    uint32_t priority_routes, priority_local, priority_trust, priority_default;
    bool table_used[2]; /* IPv4, IPv6: the tunnel's table holds a route */
    bool whole[2];      /* and one so wide that neighbours must be let out before it */
    bool server_inside; /* the tunnel's routes hold the server's address */
    bool overflow;
};

static void add(struct builder *b, const struct item *item)
{
    if (!plan_add(b->plan, item))
        b->overflow = true;
}

static void add_rule(struct builder *b, uint32_t priority, uint32_t table, uint32_t mark,
                     const struct inaddr *dst, uint8_t len)
{
    const struct item item = {.kind = ITEM_RULE,
                              .priority = priority,
                              .table = table,
                              .mark = mark,
                              .dst = *dst,
                              .dst_len = len};

    add(b, &item);
}

static bool route_known(const struct plan *plan, const struct item *route)
{
    for (size_t i = 0; i < plan->n_items; i++)
        if (plan->item[i].kind == ITEM_ROUTE && plan->item[i].table == route->table &&
            plan->item[i].ifindex == route->ifindex && plan->item[i].dst_len == route->dst_len &&
            inaddr_eq(&plan->item[i].dst, &route->dst))
            return true;
    return false;
}

static bool holds_private_range(const struct inaddr *dst, uint8_t len)
{
    for (size_t i = 0; i < n_private_ranges; i++)
        if (len <= private_ranges[i].len && prefix_contains(dst, len, &private_ranges[i].addr))
            return true;
    return false;
}

/* Inside a private range the longer prefix of the local network must win, so table main; elsewhere,
 * and where the server's own packets would loop, the tunnel's table behind the mark. */
static void add_route(struct builder *b, struct inaddr dst, uint8_t len)
{
    struct item item = {.kind = ITEM_ROUTE, .dst_len = len, .ifindex = b->plan->ifindex};
    bool holds_server;

    item.dst = prefix_mask(dst, len);
    holds_server = prefix_contains(&item.dst, len, &b->server);
    if (holds_server || !addr_is_neighbourly(&item.dst, len)) {
        item.table = b->table;
        b->table_used[item.dst.family == 6] = true;
        if (addr_is_neighbourly(&item.dst, len) || holds_private_range(&item.dst, len))
            b->whole[item.dst.family == 6] = true;
        b->server_inside |= holds_server;
    } else {
        item.table = RT_TABLE_MAIN;
    }
    if (!route_known(b->plan, &item))
        add(b, &item);
}

static void add_routes(struct builder *b)
{
    const l2tpc_host_apply_ip *q = b->q;
    struct inaddr a;

    for (uint32_t i = 0; i < q->n_routes; i++)
        if (host_addr_read(&a, &q->routes[i]))
            add_route(b, a, q->routes[i].prefix_len);
    for (uint32_t i = 0; i < q->n_dns && b->h->dns_mode != L2TPC_HOST_DNS_OFF; i++)
        if (host_addr_read(&a, &q->dns[i]))
            add_route(b, a, (uint8_t)(8 * inaddr_len(&a)));
    if ((q->flags & L2TPC_HOST_IP_PEER_ROUTE) && host_addr_read(&a, &q->peer))
        add_route(b, a, 32);
    if (q->flags & L2TPC_HOST_IP_FULL_TUNNEL)
        add_route(b, (struct inaddr){.family = 4}, 0);
    if (q->flags & L2TPC_HOST_IP_BLOCK_IPV6) {
        const struct item unreachable = {
            .kind = ITEM_ROUTE, .table = b->table, .dst = {.family = 6}, .ifindex = 0};

        add(b, &unreachable);
        b->whole[1] = true;
    }
}

/*
 * Who configures addresses elsewhere makes the route to the server there, and asks the kernel for
 * the way, by an uplink's name and without our mark (NetworkManager does): the tunnel's table would
 * say "unreachable", no route would be made, and the tunnel's packets would follow the default
 * route into the tunnel. Packets of users still go through the tunnel, to the server's address too.
 */
static void add_server_rule(struct builder *b, uint8_t family)
{
    if ((b->q->flags & L2TPC_HOST_IP_ROUTING_ONLY) && b->server.family == family)
        add_rule(b, b->priority_local, RT_TABLE_MAIN, 0, &b->server,
                 (uint8_t)(8 * inaddr_len(&b->server)));
}

static void add_rules(struct builder *b, uint8_t family)
{
    const struct inaddr any = {.family = family};

    if (!b->whole[family == 6]) {
        if (b->table_used[family == 6])
            add_rule(b, b->priority_routes, b->table, b->h->mark, &any, 0);
        return;
    }
    add_server_rule(b, family);
    if (b->q->flags & L2TPC_HOST_IP_TRUST_MAIN)
        add_rule(b, b->priority_trust, RT_TABLE_MAIN, 0, &any, 0);
    for (size_t i = 0; i < n_private_ranges && !(b->q->flags & L2TPC_HOST_IP_TRUST_MAIN); i++)
        if (private_ranges[i].addr.family == family)
            add_rule(b, b->priority_local, RT_TABLE_MAIN, 0, &private_ranges[i].addr,
                     private_ranges[i].len);
    add_rule(b, b->priority_default, b->table, b->h->mark, &any, 0);
}

/* A strict reverse path filter would drop the server's packets: seen without their mark the way
 * back leads into the tunnel. Loose still demands a known source. The larger of "all" and the
 * interface's own value counts, so raising the latter is enough. */
static int add_rp_filter(struct builder *b, l2tpc_host_reply *reply)
{
    struct item item = {.kind = ITEM_RP_FILTER, .new_value = LOOSE};
    struct net_way way;
    struct net_link link;
    uint8_t all;
    uint8_t own;
    int rc;

    if (!b->server_inside || b->server.family != 4 ||
        net_way_get(b->h->nl, &b->server, b->h->mark, &way) < 0 || way.type == RTN_LOCAL)
        return 0;
    rc = net_link_get(b->h->nl, NULL, way.ifindex, &link);
    if (rc == 0)
        rc = rp_filter_read("all", &all);
    if (rc == 0)
        rc = rp_filter_read(link.name, &own);
    if (rc < 0)
        return reply_fail(reply, rc, L2TPC_HOST_SENTENCE_SYSCTL, "rp_filter");
    memcpy(item.name, link.name, sizeof(item.name));
    item.old_value = own;
    /* Loosened by another tunnel: it must stay so until the last of them ends. */
    for (size_t i = 0; i < b->survey->n_loosened; i++) {
        if (strcmp(b->survey->loosened[i].name, link.name) == 0) {
            add(b, &b->survey->loosened[i]);
            return 0;
        }
    }
    if (all != LOOSE && own != LOOSE && (all == STRICT || own == STRICT))
        add(b, &item);
    return 0;
}

static int add_dns(struct builder *b, l2tpc_host_reply *reply)
{
    struct item item = {.kind = ITEM_RESOLV_CONF, .ifindex = b->plan->ifindex};
    int rc;

    if (b->h->dns_mode == L2TPC_HOST_DNS_OFF || (b->q->flags & L2TPC_HOST_IP_ROUTING_ONLY) ||
        (b->q->n_dns == 0 && b->q->n_search == 0))
        return 0;
    if (b->h->dns_mode != L2TPC_HOST_DNS_FILE) {
        rc = resolved_present();
        if (rc <= 0 && b->h->dns_mode == L2TPC_HOST_DNS_RESOLVED)
            return reply_fail(reply, rc < 0 ? rc : -ENOENT, L2TPC_HOST_SENTENCE_DNS,
                              "systemd-resolved is not there");
        if (rc > 0)
            item.kind = ITEM_RESOLVED;
    }
    if (item.kind == ITEM_RESOLVED || b->q->n_dns > 0)
        add(b, &item);
    return 0;
}

/*
 * Behind the tunnel's own default route, and without an interface: the kernel takes the tunnel's
 * along with the TUN's last address or with the TUN, and what finds nothing in this table would go
 * on to table main and leave in clear.
 */
static void add_backstop(struct builder *b)
{
    const struct item unreachable = {
        .kind = ITEM_ROUTE, .table = b->table, .dst = {.family = 4}, .ifindex = 0};

    if (b->q->flags & L2TPC_HOST_IP_FULL_TUNNEL)
        add(b, &unreachable);
}

static void add_device(struct builder *b)
{
    struct item tun = {.kind = ITEM_TUN, .ifindex = b->plan->ifindex};
    struct item addr = {.kind = ITEM_ADDR, .ifindex = b->plan->ifindex};

    for (size_t i = 0; i < HOST_TUNS_MAX; i++) {
        if (b->h->tun[i] != b->plan->ifindex)
            continue;
        memcpy(tun.name, b->plan->interface, sizeof(tun.name));
        add(b, &tun);
        break;
    }
    if (b->q->flags & L2TPC_HOST_IP_ROUTING_ONLY)
        return;
    if (!host_addr_read(&addr.dst, &b->q->local))
        b->overflow = true;
    /* A peer that calls itself by its outer address is no peer of this network. */
    if (!host_addr_read(&addr.peer, &b->q->peer) || inaddr_eq(&addr.peer, &b->server) ||
        inaddr_is_any(&addr.peer))
        addr.peer.family = 0;
    add(b, &addr);
}

int plan_build(l2tpc_host *h, const l2tpc_host_apply_ip *q, const struct survey *survey,
               struct plan *plan, l2tpc_host_reply *reply)
{
    uint32_t high = h->table + L2TPC_HOST_TUNNELS_MAX + 3 * plan->slot;
    struct builder b = {.h = h,
                        .q = q,
                        .plan = plan,
                        .survey = survey,
                        .table = h->table + plan->slot,
                        .priority_routes = h->table + plan->slot,
                        .priority_local = high,
                        /* Its own: for the kernel a rule without prefix equals any with one. */
                        .priority_trust = high + 1,
                        .priority_default = high + 2};
    int rc;

    if (!host_addr_read(&b.server, &q->server))
        return reply_fail(reply, -EINVAL, L2TPC_HOST_SENTENCE_BAD_ADDRESS, "server");
    add_backstop(&b);
    add_device(&b);
    add_routes(&b);
    rc = add_rp_filter(&b, reply);
    if (rc < 0)
        return rc;
    add_rules(&b, 6);
    add_rules(&b, 4);
    rc = add_dns(&b, reply);
    if (rc < 0)
        return rc;
    if (b.overflow)
        return reply_fail(reply, -E2BIG, L2TPC_HOST_SENTENCE_BAD_REQUEST, "too many routes");
    return 0;
}
