/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The host itself and the dispatch of its requests. */
#include "host/host.h"
#include "host/netlink.h"
#include "host/observer.h"
#include "host/watch.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_MAX 30000 /* leaves room for every rule below the priority of table main */

/* They cross to another process as they stand: no padding, nothing that moves between compilers. */
_Static_assert(sizeof(l2tpc_host_addr) == 20, "address");
_Static_assert(sizeof(l2tpc_host_apply_ip) == 16 + 68 + 3 * 20 + 5 * 4 + 4 * 20 + 4 * 256 + 64 * 20,
               "apply_ip");
_Static_assert(sizeof(l2tpc_host_request) == 8 + sizeof(l2tpc_host_apply_ip), "request");
_Static_assert(sizeof(l2tpc_host_reply) == 7 * 4 + 16 + 4 + 3 * 8 + 128 + 20 + 4, "reply");

/* Reads the caller's options at the size they had when it was compiled. */
static int options_read(l2tpc_host_options *out, const l2tpc_host_options *options)
{
    *out = (l2tpc_host_options){.size = sizeof(*out)};
    if (options) {
        if (options->size == 0)
            return -EINVAL;
        memcpy(out, options, options->size < sizeof(*out) ? options->size : sizeof(*out));
    }
    if (!out->run_dir)
        out->run_dir = L2TPC_HOST_RUN_DIR;
    if (!out->resolv_conf)
        out->resolv_conf = L2TPC_HOST_RESOLV_CONF;
    if (!out->state_dir)
        out->state_dir = L2TPC_HOST_STATE_DIR;
    if (out->mark == 0)
        out->mark = L2TPC_HOST_MARK;
    if (out->table == 0)
        out->table = L2TPC_HOST_TABLE;
    if (out->run_dir[0] != '/' || out->state_dir[0] != '/' || out->resolv_conf[0] != '/' ||
        out->table <= RT_TABLE_LOCAL || out->table > TABLE_MAX ||
        out->dns_mode > L2TPC_HOST_DNS_OFF)
        return -EINVAL;
    return 0;
}

int l2tpc_host_new(l2tpc_host **out, const l2tpc_host_options *options)
{
    l2tpc_host_options o;
    l2tpc_host *h;
    int rc;

    if (!out)
        return -EINVAL;
    rc = options_read(&o, options);
    if (rc < 0)
        return rc;
    h = calloc(1, sizeof(*h));
    if (!h)
        return -ENOMEM;
    h->mark = o.mark;
    h->table = o.table;
    h->dns_mode = o.dns_mode;
    h->allow = o.allow ? o.allow : UINT32_MAX;
    h->run_dir = strdup(o.run_dir);
    h->resolv_conf = strdup(o.resolv_conf);
    h->state_dir = strdup(o.state_dir);
    rc = h->run_dir && h->resolv_conf && h->state_dir ? net_open(&h->nl) : -ENOMEM;
    if (rc < 0) {
        l2tpc_host_free(h);
        return rc;
    }
    host_recover(h);
    *out = h;
    return 0;
}

void l2tpc_host_free(l2tpc_host *h)
{
    if (!h)
        return;
    host_release_all(h);
    for (size_t i = 0; i < HOST_OBSERVERS_MAX; i++)
        host_observer_close(h->observer[i]);
    free(h->last_observer);
    watch_close(h);
    net_close(h->nl);
    free(h->state);
    free(h->run_dir);
    free(h->resolv_conf);
    free(h->state_dir);
    free(h);
}

void l2tpc_host_get_recovery(const l2tpc_host *h, l2tpc_host_recovery *out)
{
    *out = h->recovery;
}

uint32_t l2tpc_host_get_mark(const l2tpc_host *h)
{
    return h->mark;
}

static int serve_way(const l2tpc_host *h, const l2tpc_host_way_to *q, l2tpc_host_reply *reply)
{
    l2tpc_host_way way;
    int rc = l2tpc_host_route_to(&q->destination, h->mark, &way);

    if (rc < 0)
        return reply_fail(reply, rc, L2TPC_HOST_SENTENCE_ROUTE, "%s", strerrorname_np(-rc));
    reply->source = way.source;
    reply->ifindex = way.ifindex;
    reply->mtu = way.mtu;
    memcpy(reply->name, way.interface, sizeof(reply->name));
    return 0;
}

static int serve(l2tpc_host *h, const l2tpc_host_request *q, l2tpc_host_reply *reply)
{
    switch (q->type) {
    case L2TPC_HOST_OPEN_UDP:
        return serve_open_udp(h, &q->u.open_udp, reply);
    case L2TPC_HOST_OPEN_RAW_ESP:
        return serve_open_raw_esp(h, &q->u.open_raw_esp, reply);
    case L2TPC_HOST_OPEN_TUN:
        return serve_open_tun(h, &q->u.open_tun, reply);
    case L2TPC_HOST_APPLY_IP:
        return serve_apply_ip(h, &q->u.apply_ip, reply);
    case L2TPC_HOST_RELEASE_IP:
        return serve_release_ip(h, &q->u.release_ip, reply);
    case L2TPC_HOST_REPAIR_IP:
        return serve_repair_ip(h, &q->u.release_ip, reply);
    case L2TPC_HOST_OPEN_OBSERVER:
        return serve_open_observer(h, &q->u.open_observer, reply);
    case L2TPC_HOST_OBSERVER_SET_SPIS:
        return serve_observer_set_spis(h, &q->u.observer_set_spis, reply);
    case L2TPC_HOST_OBSERVER_READ:
        return serve_observer_read(h, &q->u.observer, reply);
    case L2TPC_HOST_OBSERVER_CLOSE:
        return serve_observer_close(h, &q->u.observer, reply);
    case L2TPC_HOST_BLOCK:
        return serve_block(h, &q->u.block, reply);
    case L2TPC_HOST_UNBLOCK:
        return serve_unblock(h, &q->u.unblock, reply);
    case L2TPC_HOST_BLOCK_READ:
        return serve_block_read(reply);
    case L2TPC_HOST_WAY:
        return serve_way(h, &q->u.way, reply);
    case L2TPC_HOST_HELLO:
        reply->observer = h->mark;
        return 0;
    case L2TPC_HOST_OPEN_TCP:
        return serve_open_tcp(h, &q->u.open_tcp, reply);
    case L2TPC_HOST_STATE_PART:
        return serve_state_part(h, &q->u.state_part, reply);
    default:
        return reply_fail(reply, -EOPNOTSUPP, L2TPC_HOST_SENTENCE_BAD_REQUEST, "type %u", q->type);
    }
}

int l2tpc_host_request_serve(l2tpc_host *h, const l2tpc_host_request *q, l2tpc_host_reply *reply)
{
    *reply = (l2tpc_host_reply){.size = sizeof(*reply), .fd = -1};
    if (q->size != sizeof(*q) || q->type == 0 || q->type > 31)
        return reply_fail(reply, -EINVAL, L2TPC_HOST_SENTENCE_BAD_REQUEST, "size %u type %u",
                          q->size, q->type);
    if (!(h->allow >> q->type & 1))
        return reply_fail(reply, -EACCES, L2TPC_HOST_SENTENCE_NOT_ALLOWED, "type %u", q->type);
    return serve(h, q, reply);
}

int l2tpc_host_route_to(const l2tpc_host_addr *destination, uint32_t mark, l2tpc_host_way *out)
{
    struct nl_sock *nl = NULL;
    struct net_way way;
    struct net_link link;
    struct inaddr to;
    int rc;

    if (!host_addr_read(&to, destination))
        return -EINVAL;
    rc = net_open(&nl);
    if (rc == 0)
        rc = net_way_get(nl, &to, mark, &way);
    if (rc == 0 && way.type == RTN_BROADCAST) /* as connect() says */
        rc = -EACCES;
    if (rc == 0)
        rc = net_link_get(nl, NULL, way.ifindex, &link);
    net_close(nl);
    if (rc < 0)
        return rc;
    *out = (l2tpc_host_way){.ifindex = way.ifindex,
                            .mtu = way.mtu && way.mtu < link.mtu ? way.mtu : link.mtu,
                            .is_local = way.type == RTN_LOCAL};
    host_addr_write(&out->source, &way.source);
    memcpy(out->interface, link.name, sizeof(out->interface));
    return 0;
}
