/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/netlink.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>
#include <unistd.h>

struct talk {
    bool done;
    uint32_t seq;
    int error;
    void (*parse)(struct nlmsghdr *n, void *out);
    void *out;
};

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *e, void *arg)
{
    struct talk *t = arg;

    (void)from;
    t->error = e->error;
    t->done = true;
    return NL_STOP;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
    struct talk *t = arg;

    (void)msg;
    t->done = true;
    return NL_STOP;
}

static int on_valid(struct nl_msg *msg, void *arg)
{
    struct talk *t = arg;

    if (t->parse)
        t->parse(nlmsg_hdr(msg), t->out);
    return NL_OK;
}

/* libnl counts answers and is lost for good once a request could not be sent; here an answer
 * belongs to its request by its own number, and what belongs to an earlier one is skipped. */
static int on_seq(struct nl_msg *msg, void *arg)
{
    const struct talk *t = arg;

    return nlmsg_hdr(msg)->nlmsg_seq == t->seq ? NL_OK : NL_SKIP;
}

static int nle_errno(int nle)
{
    switch (-nle) {
    case NLE_NOMEM:
        return -ENOMEM;
    case NLE_PERM:
        return -EPERM;
    case NLE_NOACCESS:
        return -EACCES;
    case NLE_AF_NOSUPPORT:
        return -EAFNOSUPPORT;
    default:
        return -EIO;
    }
}

/* Sends, frees `msg`, and waits for the kernel's answer. A NULL message is out of memory. */
static int talk(struct nl_sock *s, struct nl_msg *msg, struct talk *t)
{
    struct nl_cb *cb;
    int rc;

    if (!msg)
        return -ENOMEM;
    cb = nl_cb_alloc(NL_CB_DEFAULT);
    if (!cb) {
        nlmsg_free(msg);
        return -ENOMEM;
    }
    nl_cb_err(cb, NL_CB_CUSTOM, on_error, t);
    nl_cb_set(cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_seq, t);
    nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, t);
    nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_ack, t);
    nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, t);
    nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_ACK;
    rc = nl_send_auto(s, msg); /* fills in the number, which is kept whatever comes of it */
    t->seq = nlmsg_hdr(msg)->nlmsg_seq;
    nlmsg_free(msg);
    while (rc >= 0 && !t->done)
        rc = nl_recvmsgs(s, cb);
    nl_cb_put(cb);
    return t->done ? t->error : nle_errno(rc);
}

static int ask(struct nl_sock *s, struct nl_msg *msg)
{
    struct talk t = {.done = false};

    return talk(s, msg, &t);
}

/* A message with its fixed header; NULL when out of memory. */
static struct nl_msg *start(int type, int flags, void *header, size_t n)
{
    struct nl_msg *msg = nlmsg_alloc_simple(type, flags | NLM_F_REQUEST);

    if (msg && nlmsg_append(msg, header, n, NLMSG_ALIGNTO) < 0) {
        nlmsg_free(msg);
        return NULL;
    }
    return msg;
}

/* Adds an attribute; frees the message and gives NULL when it does not fit. */
static struct nl_msg *put(struct nl_msg *msg, int type, const void *bytes, size_t n)
{
    if (msg && nla_put(msg, type, (int)n, bytes) < 0) {
        nlmsg_free(msg);
        return NULL;
    }
    return msg;
}

static struct nl_msg *put_u32(struct nl_msg *msg, int type, uint32_t v)
{
    return put(msg, type, &v, sizeof(v));
}

static struct nl_msg *put_addr(struct nl_msg *msg, int type, const struct inaddr *a)
{
    return put(msg, type, a->bytes, inaddr_len(a));
}

static uint8_t af_of(const struct inaddr *a)
{
    return a->family == 6 ? AF_INET6 : AF_INET;
}

int net_open(struct nl_sock **out)
{
    struct nl_sock *s = nl_socket_alloc();
    int rc;

    if (!s)
        return -ENOMEM;
    rc = nl_connect(s, NETLINK_ROUTE);
    if (rc < 0) {
        nl_socket_free(s);
        return nle_errno(rc);
    }
    *out = s;
    return 0;
}

void net_close(struct nl_sock *s)
{
    if (s)
        nl_socket_free(s);
}

static void parse_link(struct nlmsghdr *n, void *out)
{
    struct net_link *link = out;
    const struct ifinfomsg *i = nlmsg_data(n);
    struct nlattr *tb[IFLA_MAX + 1];
    struct nlattr *info[IFLA_INFO_MAX + 1];

    if (n->nlmsg_type != RTM_NEWLINK || nlmsg_parse(n, sizeof(*i), tb, IFLA_MAX, NULL) < 0)
        return;
    *link = (struct net_link){
        .ifindex = (uint32_t)i->ifi_index, .flags = i->ifi_flags, .type = i->ifi_type};
    if (tb[IFLA_MTU])
        link->mtu = nla_get_u32(tb[IFLA_MTU]);
    if (tb[IFLA_IFNAME])
        (void)nla_strlcpy(link->name, tb[IFLA_IFNAME], sizeof(link->name));
    if (tb[IFLA_LINKINFO] && nla_parse_nested(info, IFLA_INFO_MAX, tb[IFLA_LINKINFO], NULL) >= 0 &&
        info[IFLA_INFO_KIND])
        (void)nla_strlcpy(link->kind, info[IFLA_INFO_KIND], sizeof(link->kind));
}

int net_link_get(struct nl_sock *s, const char *name, uint32_t ifindex, struct net_link *out)
{
    struct ifinfomsg i = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};
    struct nl_msg *msg = start(RTM_GETLINK, 0, &i, sizeof(i));
    struct net_link link = {.ifindex = 0};
    struct talk t = {.parse = parse_link, .out = &link};
    int rc;

    if (name)
        msg = put(msg, IFLA_IFNAME, name, strlen(name) + 1);
    rc = talk(s, msg, &t);
    if (rc < 0)
        return rc;
    if (link.ifindex == 0)
        return -ENODEV;
    *out = link;
    return 0;
}

int net_link_set(struct nl_sock *s, uint32_t ifindex, uint32_t mtu, bool up)
{
    struct ifinfomsg i = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};
    struct nl_msg *msg;

    if (up)
        i.ifi_flags = i.ifi_change = IFF_UP;
    msg = start(RTM_NEWLINK, 0, &i, sizeof(i));
    if (mtu)
        msg = put_u32(msg, IFLA_MTU, mtu);
    return ask(s, msg);
}

int net_link_queue(struct nl_sock *s, uint32_t ifindex, uint32_t packets)
{
    struct ifinfomsg i = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};

    return ask(s, put_u32(start(RTM_NEWLINK, 0, &i, sizeof(i)), IFLA_TXQLEN, packets));
}

int net_link_no_autoconf(struct nl_sock *s, uint32_t ifindex)
{
    struct ifinfomsg i = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};
    struct nl_msg *msg = start(RTM_NEWLINK, 0, &i, sizeof(i));
    uint8_t mode = IN6_ADDR_GEN_MODE_NONE;
    struct nlattr *spec = msg ? nla_nest_start(msg, IFLA_AF_SPEC) : NULL;
    struct nlattr *inet6 = spec ? nla_nest_start(msg, AF_INET6) : NULL;
    int rc;

    if (!inet6) {
        nlmsg_free(msg);
        return -ENOMEM;
    }
    msg = put(msg, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof(mode));
    if (msg) {
        nla_nest_end(msg, inet6);
        nla_nest_end(msg, spec);
    }
    rc = ask(s, msg);
    /* A kernel without IPv6 gives no address either. */
    return rc == -EAFNOSUPPORT || rc == -EOPNOTSUPP ? 0 : rc;
}

int net_link_delete(struct nl_sock *s, uint32_t ifindex)
{
    struct ifinfomsg i = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};

    return ask(s, start(RTM_DELLINK, 0, &i, sizeof(i)));
}

static int addr_ask(struct nl_sock *s, bool add, int flags, const struct item *item)
{
    const struct inaddr *peer = item->peer.family ? &item->peer : &item->dst;
    struct ifaddrmsg a = {.ifa_family = af_of(&item->dst),
                          .ifa_prefixlen = (uint8_t)(8 * inaddr_len(&item->dst)),
                          .ifa_scope = RT_SCOPE_UNIVERSE,
                          .ifa_index = item->ifindex};
    struct nl_msg *msg = start(add ? RTM_NEWADDR : RTM_DELADDR, flags, &a, sizeof(a));

    msg = put_addr(msg, IFA_LOCAL, &item->dst);
    if (add) {
        /* No host route to the peer by itself: its address may be the server's outer one. */
        msg = put_addr(msg, IFA_ADDRESS, peer);
        msg = put_u32(msg, IFA_FLAGS, IFA_F_NOPREFIXROUTE);
    }
    return ask(s, msg);
}

int net_addr(struct nl_sock *s, bool add, const struct item *item)
{
    return addr_ask(s, add, add ? NLM_F_CREATE | NLM_F_REPLACE : 0, item);
}

int net_addr_again(struct nl_sock *s, const struct item *item)
{
    int rc = addr_ask(s, true, NLM_F_CREATE | NLM_F_EXCL, item);

    return rc == -EEXIST ? 0 : rc == 0 ? 1 : rc;
}

static int route_ask(struct nl_sock *s, bool add, int flags, const struct item *item)
{
    struct rtmsg r = {.rtm_family = af_of(&item->dst),
                      .rtm_dst_len = item->dst_len,
                      .rtm_table = item->table < 256 ? (uint8_t)item->table : RT_TABLE_UNSPEC,
                      .rtm_protocol = L2TPC_HOST_PROTOCOL,
                      .rtm_type = item->ifindex ? RTN_UNICAST : RTN_UNREACHABLE};
    bool backstop = item->ifindex == 0 && item->dst.family == 4;
    struct nl_msg *msg;

    if (item->ifindex && item->dst.family == 4)
        r.rtm_scope = RT_SCOPE_LINK;
    msg = start(add ? RTM_NEWROUTE : RTM_DELROUTE, flags, &r, sizeof(r));
    if (item->dst_len)
        msg = put_addr(msg, RTA_DST, &item->dst);
    msg = put_u32(msg, RTA_TABLE, item->table);
    msg = put_u32(msg, RTA_PRIORITY, backstop ? HOST_METRIC_BACKSTOP : HOST_METRIC);
    if (item->ifindex)
        msg = put_u32(msg, RTA_OIF, item->ifindex);
    return ask(s, msg);
}

int net_route(struct nl_sock *s, bool add, const struct item *item)
{
    return route_ask(s, add, add ? NLM_F_CREATE | NLM_F_APPEND : 0, item);
}

struct route_search {
    const struct item *item;
    bool found;
};

static void parse_route(struct nlmsghdr *n, void *out)
{
    struct route_search *search = out;
    const struct item *item = search->item;
    const struct rtmsg *r = nlmsg_data(n);
    struct nlattr *tb[RTA_MAX + 1];
    struct inaddr dst;

    if (n->nlmsg_type != RTM_NEWROUTE || nlmsg_parse(n, sizeof(*r), tb, RTA_MAX, NULL) < 0 ||
        r->rtm_protocol != L2TPC_HOST_PROTOCOL || r->rtm_dst_len != item->dst_len ||
        !tb[RTA_TABLE] || nla_get_u32(tb[RTA_TABLE]) != item->table)
        return;
    /* Without an interface it is unreachable, which IPv6 puts on the loopback's. */
    if (item->ifindex == 0 && r->rtm_type != RTN_UNREACHABLE)
        return;
    if (item->ifindex && (!tb[RTA_OIF] || nla_get_u32(tb[RTA_OIF]) != item->ifindex))
        return;
    if (item->dst_len &&
        (!tb[RTA_DST] ||
         !inaddr_from_bytes(&dst, span_of(nla_data(tb[RTA_DST]), (size_t)nla_len(tb[RTA_DST]))) ||
         !inaddr_eq(&dst, &item->dst)))
        return;
    search->found = true;
}

int net_route_again(struct nl_sock *s, const struct item *item)
{
    struct rtmsg r = {.rtm_family = af_of(&item->dst)};
    struct route_search search = {.item = item};
    struct talk t = {.parse = parse_route, .out = &search};
    int rc = talk(s, start(RTM_GETROUTE, NLM_F_DUMP, &r, sizeof(r)), &t);

    if (rc < 0 || search.found)
        return rc;
    /* Another one of the same destination and metric in our table has taken its place. */
    rc = route_ask(s, true, NLM_F_CREATE | NLM_F_REPLACE, item);
    return rc < 0 ? rc : 1;
}

int net_rule(struct nl_sock *s, bool add, const struct item *item)
{
    const struct fib_rule_uid_range root = {.start = 0, .end = 0};
    uint8_t protocol = L2TPC_HOST_PROTOCOL;
    struct fib_rule_hdr r = {.family = af_of(&item->dst),
                             .dst_len = item->dst_len,
                             .table = item->table < 256 ? (uint8_t)item->table : RT_TABLE_UNSPEC,
                             .action = FR_ACT_TO_TBL,
                             .flags = item->mark ? FIB_RULE_INVERT : 0};
    struct nl_msg *msg =
        start(add ? RTM_NEWRULE : RTM_DELRULE, add ? NLM_F_CREATE | NLM_F_EXCL : 0, &r, sizeof(r));

    if (item->dst_len)
        msg = put_addr(msg, FRA_DST, &item->dst);
    msg = put_u32(msg, FRA_PRIORITY, item->priority);
    msg = put_u32(msg, FRA_TABLE, item->table);
    msg = put(msg, FRA_PROTOCOL, &protocol, sizeof(protocol));
    if (item->mark) {
        msg = put_u32(msg, FRA_FWMARK, item->mark);
        msg = put_u32(msg, FRA_FWMASK, UINT32_MAX);
    } else if (item->dst_len && item->dst_len == 8 * inaddr_len(&item->dst)) {
        /* Of the server: the kernel answers root's questions about the way to it, see plan.c. */
        msg = put(msg, FRA_UID_RANGE, &root, sizeof(root));
        msg = put(msg, FRA_IIFNAME, "lo", sizeof("lo")); /* what is forwarded counts as root's */
    } else {
        msg = put_u32(msg, FRA_SUPPRESS_PREFIXLEN, 0);
    }
    return ask(s, msg);
}

struct slots {
    uint32_t table;
    bool *used;
};

static void parse_rule(struct nlmsghdr *n, void *out)
{
    struct slots *slots = out;
    struct nlattr *tb[FRA_MAX + 1];
    uint32_t table;

    if (n->nlmsg_type != RTM_NEWRULE ||
        nlmsg_parse(n, sizeof(struct fib_rule_hdr), tb, FRA_MAX, NULL) < 0 || !tb[FRA_PROTOCOL] ||
        !tb[FRA_TABLE] || nla_get_u8(tb[FRA_PROTOCOL]) != L2TPC_HOST_PROTOCOL)
        return;
    table = nla_get_u32(tb[FRA_TABLE]);
    if (table >= slots->table && table - slots->table < L2TPC_HOST_TUNNELS_MAX)
        slots->used[table - slots->table] = true;
}

int net_slots_used(struct nl_sock *s, uint32_t table, bool used[L2TPC_HOST_TUNNELS_MAX])
{
    struct fib_rule_hdr r = {.family = AF_UNSPEC};
    struct slots slots = {.table = table, .used = used};
    struct talk t = {.parse = parse_rule, .out = &slots};

    return talk(s, start(RTM_GETRULE, NLM_F_DUMP, &r, sizeof(r)), &t);
}

static void parse_way(struct nlmsghdr *n, void *out)
{
    struct net_way *way = out;
    const struct rtmsg *r = nlmsg_data(n);
    struct nlattr *tb[RTA_MAX + 1];
    struct nlattr *metric[RTAX_MAX + 1];

    if (n->nlmsg_type != RTM_NEWROUTE || nlmsg_parse(n, sizeof(*r), tb, RTA_MAX, NULL) < 0)
        return;
    way->type = r->rtm_type;
    if (tb[RTA_OIF])
        way->ifindex = nla_get_u32(tb[RTA_OIF]);
    if (tb[RTA_PREFSRC] &&
        !inaddr_from_bytes(&way->source,
                           span_of(nla_data(tb[RTA_PREFSRC]), (size_t)nla_len(tb[RTA_PREFSRC]))))
        way->source.family = 0;
    if (tb[RTA_METRICS] && nla_parse_nested(metric, RTAX_MAX, tb[RTA_METRICS], NULL) == 0 &&
        metric[RTAX_MTU])
        way->mtu = nla_get_u32(metric[RTAX_MTU]);
}

int net_way_get(struct nl_sock *s, const struct inaddr *to, uint32_t mark, struct net_way *out)
{
    struct rtmsg r = {.rtm_family = af_of(to), .rtm_dst_len = (uint8_t)(8 * inaddr_len(to))};
    struct nl_msg *msg = start(RTM_GETROUTE, 0, &r, sizeof(r));
    struct net_way way = {.ifindex = 0};
    struct talk t = {.parse = parse_way, .out = &way};
    int rc;

    msg = put_addr(msg, RTA_DST, to);
    if (mark)
        msg = put_u32(msg, RTA_MARK, mark);
    rc = talk(s, msg, &t);
    if (rc < 0)
        return rc;
    if (way.ifindex == 0)
        return -ENETUNREACH;
    *out = way;
    return 0;
}

#define NEIGHBOURS_AT_ONCE 64
#define NEIGHBOURS_TURNS 16

struct neighbours {
    unsigned n;
    struct ndmsg header[NEIGHBOURS_AT_ONCE];
    struct inaddr addr[NEIGHBOURS_AT_ONCE];
};

static void parse_neighbour(struct nlmsghdr *n, void *out)
{
    struct neighbours *all = out;
    const struct ndmsg *d = nlmsg_data(n);
    struct nlattr *tb[NDA_MAX + 1];

    if (n->nlmsg_type != RTM_NEWNEIGH || all->n == NEIGHBOURS_AT_ONCE ||
        nlmsg_parse(n, sizeof(*d), tb, NDA_MAX, NULL) < 0 || !(d->ndm_state & NUD_INCOMPLETE) ||
        !tb[NDA_DST] ||
        !inaddr_from_bytes(&all->addr[all->n],
                           span_of(nla_data(tb[NDA_DST]), (size_t)nla_len(tb[NDA_DST]))))
        return;
    all->header[all->n++] =
        (struct ndmsg){.ndm_family = d->ndm_family, .ndm_ifindex = d->ndm_ifindex};
}

/* Only whose address is not known yet can have any: everybody else stays. */
int net_waiting_drop(struct nl_sock *s)
{
    struct neighbours all = {.n = NEIGHBOURS_AT_ONCE};
    int rc = 0;

    for (unsigned i = 0; rc == 0 && all.n == NEIGHBOURS_AT_ONCE && i < NEIGHBOURS_TURNS; i++) {
        struct ndmsg any = {.ndm_family = AF_UNSPEC};
        struct talk t = {.parse = parse_neighbour, .out = &all};

        all.n = 0;
        rc = talk(s, start(RTM_GETNEIGH, NLM_F_DUMP, &any, sizeof(any)), &t);
        for (unsigned k = 0; rc == 0 && k < all.n; k++) {
            rc = ask(s, put_addr(start(RTM_DELNEIGH, 0, &all.header[k], sizeof(any)), NDA_DST,
                                 &all.addr[k]));
            if (rc == -ENOENT) /* has answered, or given up */
                rc = 0;
        }
    }
    return rc;
}
