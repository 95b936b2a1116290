/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes of links, addresses and routes as small events. */
#include "host/watch.h"

#include "base/queue.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdlib.h>

#define EVENTS 256

DEFINE_RING(event_ring, l2tpc_host_event, EVENTS, EVENTS)

struct watch_queue {
    struct event_ring ring;
    bool lost;
};

static enum l2tpc_host_change link_change(const struct nlmsghdr *n, const struct ifinfomsg *i)
{
    if (n->nlmsg_type == RTM_DELLINK)
        return L2TPC_HOST_CHANGE_LINK_GONE;
    return (i->ifi_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING)
               ? L2TPC_HOST_CHANGE_LINK_UP
               : L2TPC_HOST_CHANGE_LINK_DOWN;
}

static l2tpc_host_event route_event(struct nlmsghdr *n)
{
    const struct rtmsg *r = nlmsg_data(n);
    l2tpc_host_event event = {.change = L2TPC_HOST_CHANGE_NONE};
    struct nlattr *tb[RTA_MAX + 1];

    if (r->rtm_protocol == L2TPC_HOST_PROTOCOL) {
        if (n->nlmsg_type == RTM_DELROUTE)
            event.change = L2TPC_HOST_CHANGE_OURS;
        return event;
    }
    if (r->rtm_table == RT_TABLE_LOCAL || (r->rtm_flags & RTM_F_CLONED) ||
        nlmsg_parse(n, sizeof(*r), tb, RTA_MAX, NULL) < 0)
        return event;
    event.change = L2TPC_HOST_CHANGE_ROUTE;
    if (tb[RTA_OIF])
        event.ifindex = nla_get_u32(tb[RTA_OIF]);
    return event;
}

static int on_valid(struct nl_msg *msg, void *arg)
{
    struct watch_queue *q = arg;
    struct nlmsghdr *n = nlmsg_hdr(msg);
    l2tpc_host_event event = {.change = L2TPC_HOST_CHANGE_NONE};

    switch (n->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK: {
        const struct ifinfomsg *i = nlmsg_data(n);

        if (!nlmsg_valid_hdr(n, sizeof(*i)) || i->ifi_family != AF_UNSPEC)
            return NL_OK;
        event.change = link_change(n, i);
        event.ifindex = (uint32_t)i->ifi_index;
        break;
    }
    case RTM_NEWADDR:
    case RTM_DELADDR:
        if (!nlmsg_valid_hdr(n, sizeof(struct ifaddrmsg)))
            return NL_OK;
        event.change = L2TPC_HOST_CHANGE_ADDRESS;
        event.ifindex = ((const struct ifaddrmsg *)nlmsg_data(n))->ifa_index;
        break;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
        if (nlmsg_valid_hdr(n, sizeof(struct rtmsg)))
            event = route_event(n);
        break;
    case RTM_DELRULE:
        event.change = L2TPC_HOST_CHANGE_OURS; /* anybody's: they are few */
        break;
    default:
        break;
    }
    if (event.change != L2TPC_HOST_CHANGE_NONE && !event_ring_push(&q->ring, &event))
        q->lost = true;
    return NL_OK;
}

static int watch_open(l2tpc_host *h)
{
    struct nl_sock *s = nl_socket_alloc();

    h->watch_queue = calloc(1, sizeof(*h->watch_queue));
    h->watch = s;
    if (!s || !h->watch_queue) {
        watch_close(h);
        return -ENOMEM;
    }
    nl_socket_disable_seq_check(s);
    nl_socket_modify_cb(s, NL_CB_VALID, NL_CB_CUSTOM, on_valid, h->watch_queue);
    if (nl_connect(s, NETLINK_ROUTE) < 0 || nl_socket_set_nonblocking(s) < 0 ||
        nl_socket_add_memberships(s, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
                                  RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE,
                                  RTNLGRP_IPV6_RULE, 0) < 0) {
        watch_close(h);
        return -EIO;
    }
    return 0;
}

void watch_close(l2tpc_host *h)
{
    if (h->watch)
        nl_socket_free(h->watch);
    free(h->watch_queue);
    h->watch = NULL;
    h->watch_queue = NULL;
}

int l2tpc_host_watch_fd(l2tpc_host *h)
{
    int rc = h->watch ? 0 : watch_open(h);

    return rc < 0 ? rc : nl_socket_get_fd(h->watch);
}

int l2tpc_host_watch_next(l2tpc_host *h, l2tpc_host_event *out)
{
    int rc = l2tpc_host_watch_fd(h);

    if (rc < 0)
        return rc;
    if (h->watch_queue->ring.used == 0) {
        rc = nl_recvmsgs_default(h->watch);
        /* The socket's own buffer ran over (ENOBUFS, which libnl calls "no memory"). */
        if (rc == -NLE_NOMEM)
            h->watch_queue->lost = true;
    }
    if (h->watch_queue->lost) {
        *h->watch_queue = (struct watch_queue){.lost = false};
        *out = (l2tpc_host_event){.change = L2TPC_HOST_CHANGE_LOST};
        return 1;
    }
    return event_ring_pop(&h->watch_queue->ring, out) ? 1 : 0;
}
