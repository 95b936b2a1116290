/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rtnetlink requests. Each returns 0 or a negative errno value, the kernel's own where it gave one:
 * libnl's error numbers lose the difference between causes, so only its message code is used. */
#ifndef L2TPC_HOST_NETLINK_H
#define L2TPC_HOST_NETLINK_H

#include "host/host.h"

struct net_link {
    uint32_t ifindex;
    uint32_t mtu;
    uint32_t flags; /* IFF_* */
    uint16_t type;  /* ARPHRD_* */
    char name[HOST_IFNAME];
    char kind[16]; /* "tun", "" for hardware */
};

struct net_way {
    struct inaddr source;
    uint32_t ifindex;
    uint8_t type; /* RTN_* */
    uint32_t mtu; /* of the route or its path, 0: that of the interface */
};

int net_open(struct nl_sock **out);
void net_close(struct nl_sock *s);
int net_link_get(struct nl_sock *s, const char *name, uint32_t ifindex, struct net_link *out);
int net_link_set(struct nl_sock *s, uint32_t ifindex, uint32_t mtu, bool up);
int net_link_no_autoconf(struct nl_sock *s, uint32_t ifindex); /* no IPv6 address by itself */
int net_link_queue(struct nl_sock *s, uint32_t ifindex, uint32_t packets);
int net_link_delete(struct nl_sock *s, uint32_t ifindex);
int net_addr(struct nl_sock *s, bool add, const struct item *item);
int net_route(struct nl_sock *s, bool add, const struct item *item);
/* 1: it was gone and is there again, 0: nothing had to be done. */
int net_addr_again(struct nl_sock *s, const struct item *item);
int net_route_again(struct nl_sock *s, const struct item *item);
int net_rule(struct nl_sock *s, bool add, const struct item *item);
/* Marks the slots whose tables our rules already name, whoever added them. */
int net_slots_used(struct nl_sock *s, uint32_t table, bool used[L2TPC_HOST_TUNNELS_MAX]);
/* Packets that wait for the address of a neighbour have passed every filter: they are dropped. */
int net_waiting_drop(struct nl_sock *s);
int net_way_get(struct nl_sock *s, const struct inaddr *to, uint32_t mark, struct net_way *out);

#endif
