/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What APPLY_IP made and another program took away since: a link set down, an address, a route or a
 * rule. A link that goes down takes its routes along, so the order is that of the plan.
 */
#include "host/host.h"
#include "host/netlink.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>

/* 1: made again, 0: it was there; what is not the kernel's network is not looked at. */
static int repair_item(l2tpc_host *h, const struct item *item)
{
    int rc = 0;

    switch (item->kind) {
    case ITEM_ADDR:
        rc = net_addr_again(h->nl, item);
        break;
    case ITEM_ROUTE:
        rc = net_route_again(h->nl, item);
        break;
    case ITEM_RULE:
        rc = net_rule(h->nl, true, item);
        rc = rc == -EEXIST ? 0 : rc == 0 ? 1 : rc;
        break;
    case ITEM_TUN:
    case ITEM_RP_FILTER:
    case ITEM_RESOLV_CONF:
    case ITEM_RESOLVED:
        return 0;
    }
    /* A kernel without IPv6 has nothing to block. */
    if (item->dst.family == 6 && (rc == -EAFNOSUPPORT || rc == -EOPNOTSUPP))
        return 0;
    return rc;
}

int plan_repair(l2tpc_host *h, const struct plan *plan)
{
    struct net_link link;
    int made = 0;
    int rc = net_link_get(h->nl, NULL, plan->ifindex, &link);

    if (rc >= 0 && !(link.flags & IFF_UP)) {
        rc = net_link_set(h->nl, plan->ifindex, 0, true);
        made++;
    }
    for (size_t i = 0; rc >= 0 && i < plan->n_items; i++) {
        rc = repair_item(h, &plan->item[i]);
        made += rc > 0;
    }
    return rc < 0 ? rc : made;
}

static int repair_plan(l2tpc_host *h, const struct plan *plan, l2tpc_host_reply *reply)
{
    int rc = plan_repair(h, plan);

    if (rc > 0)
        reply->observer += (uint32_t)rc;
    if (rc < 0)
        return reply_fail(reply, rc, L2TPC_HOST_SENTENCE_INTERFACE, "%s: %s", plan->interface,
                          strerrorname_np(-rc));
    return 0;
}

int serve_repair_ip(l2tpc_host *h, const l2tpc_host_release_ip *q, l2tpc_host_reply *reply)
{
    if (!ifname_valid(q->interface, sizeof(q->interface), false))
        return reply_fail(reply, -EINVAL, L2TPC_HOST_SENTENCE_BAD_NAME, "interface name");
    for (const struct plan *p = h->plans; p; p = p->next)
        if (strcmp(p->interface, q->interface) == 0)
            return repair_plan(h, p, reply);
    return reply_fail(reply, -ENOENT, L2TPC_HOST_SENTENCE_NOT_FOUND, "%s", q->interface);
}
