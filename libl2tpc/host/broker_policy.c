/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the other end of a broker's socket may ask for. */
#include "host/broker.h"

#include <errno.h>
#include <string.h>

static bool refuse(l2tpc_host_reply *reply, const char *what)
{
    (void)reply_fail(reply, -EACCES, L2TPC_HOST_SENTENCE_NOT_ALLOWED, "%s", what);
    return false;
}

static bool has_end(const char *text, size_t cap)
{
    return memchr(text, '\0', cap) != NULL;
}

bool broker_init(struct broker *b, const l2tpc_host_policy *policy)
{
    const l2tpc_host_policy *p = policy;
    struct inaddr a;

    if (p->size != sizeof(*p) || !has_end(p->tunnel, sizeof(p->tunnel)) ||
        !l2tpc_host_name_valid(p->tunnel) ||
        !ifname_valid(p->interface, sizeof(p->interface), true) ||
        p->n_routes > L2TPC_HOST_ROUTES_MAX)
        return false;
    for (uint32_t i = 0; i < p->n_routes; i++)
        if (!host_addr_read(&a, &p->routes[i]) || p->routes[i].prefix_len > 8 * inaddr_len(&a))
            return false;
    *b = (struct broker){.policy = *p};
    return true;
}

static bool may(const struct broker *b, enum l2tpc_host_policy_flags flag)
{
    return (b->policy.flags & (uint32_t)flag) != 0;
}

static bool is_our_tunnel(const struct broker *b, const char *tunnel, size_t cap)
{
    return has_end(tunnel, cap) && strcmp(tunnel, b->policy.tunnel) == 0;
}

static bool is_our_interface(const struct broker *b, const char *interface)
{
    return b->interface[0] != '\0' && has_end(interface, HOST_IFNAME) &&
           strcmp(interface, b->interface) == 0;
}

static bool route_allowed(const struct broker *b, const l2tpc_host_addr *route)
{
    struct inaddr asked;
    struct inaddr allowed;

    if (!host_addr_read(&asked, route) || route->prefix_len > 8 * inaddr_len(&asked))
        return false;
    asked = prefix_mask(asked, route->prefix_len);
    for (uint32_t i = 0; i < b->policy.n_routes; i++) {
        const l2tpc_host_addr *p = &b->policy.routes[i];

        if (!host_addr_read(&allowed, p) || p->prefix_len != route->prefix_len)
            continue;
        allowed = prefix_mask(allowed, p->prefix_len);
        if (inaddr_eq(&allowed, &asked))
            return true;
    }
    return false;
}

/* What the engine may have been told by anybody behind the server. */
static bool route_harmless(const struct broker *b, const l2tpc_host_addr *route,
                           const l2tpc_host_addr *server)
{
    struct inaddr a;
    struct inaddr outer;

    if (!may(b, L2TPC_HOST_POLICY_SERVER_ROUTES) || !host_addr_read(&a, route) || a.family != 4 ||
        route->prefix_len < 8 || route->prefix_len > 32)
        return false;
    if (route->prefix_len == 32 && host_addr_read(&outer, server) && inaddr_eq(&a, &outer))
        return false;
    return a.bytes[0] != 0 && !inaddr_is_loopback(&a) && !inaddr_is_multicast(&a) &&
           !inaddr_is_link_local(&a) && a.bytes[0] < 224;
}

static bool take_apply_ip(const struct broker *b, const l2tpc_host_apply_ip *q,
                          l2tpc_host_reply *reply)
{
    uint32_t full = L2TPC_HOST_IP_FULL_TUNNEL | L2TPC_HOST_IP_BLOCK_IPV6;

    if (!is_our_tunnel(b, q->tunnel, sizeof(q->tunnel)))
        return refuse(reply, "tunnel name");
    if (!is_our_interface(b, q->interface))
        return refuse(reply, "interface");
    if ((q->flags & full) && !may(b, L2TPC_HOST_POLICY_FULL_TUNNEL))
        return refuse(reply, "default route");
    if ((q->flags & L2TPC_HOST_IP_TRUST_MAIN) && !may(b, L2TPC_HOST_POLICY_TRUST_MAIN))
        return refuse(reply, "routes of others");
    if ((q->n_dns > 0 || q->n_search > 0) && !may(b, L2TPC_HOST_POLICY_DNS))
        return refuse(reply, "dns");
    if (q->n_routes > L2TPC_HOST_ROUTES_MAX)
        return refuse(reply, "count");
    for (uint32_t i = 0; i < q->n_routes; i++)
        if (!route_allowed(b, &q->routes[i]) && !route_harmless(b, &q->routes[i], &q->server))
            return refuse(reply, "route");
    return true;
}

static bool take_block(const struct broker *b, const l2tpc_host_block *q, l2tpc_host_reply *reply)
{
    if (!may(b, L2TPC_HOST_POLICY_BLOCK))
        return refuse(reply, "kill switch");
    if (!is_our_tunnel(b, q->tunnel, sizeof(q->tunnel)))
        return refuse(reply, "tunnel name");
    if (q->interface[0] != '\0' && !is_our_interface(b, q->interface))
        return refuse(reply, "interface");
    if ((q->flags & L2TPC_HOST_BLOCK_LAN) && !may(b, L2TPC_HOST_POLICY_BLOCK_LAN))
        return refuse(reply, "local network");
    if ((q->flags & L2TPC_HOST_BLOCK_LOOKUPS) && !may(b, L2TPC_HOST_POLICY_LOOKUPS))
        return refuse(reply, "lookups");
    if (q->asker != 0 && q->asker != b->policy.asker)
        return refuse(reply, "asker");
    return true;
}

static bool take_socket(const struct broker *b, l2tpc_host_reply *reply)
{
    return b->sockets < b->policy.sockets_max || refuse(reply, "sockets");
}

static bool take_tun(const struct broker *b, const l2tpc_host_open_tun *q, l2tpc_host_reply *reply)
{
    if (b->interface[0] != '\0')
        return refuse(reply, "a second TUN");
    if (!has_end(q->name, sizeof(q->name)) || strcmp(q->name, b->policy.interface) != 0)
        return refuse(reply, "interface");
    return true;
}

static bool allowed(const struct broker *b, const l2tpc_host_request *q, l2tpc_host_reply *reply)
{
    switch (q->type) {
    case L2TPC_HOST_OPEN_UDP:
    case L2TPC_HOST_OPEN_RAW_ESP:
    case L2TPC_HOST_OPEN_TCP:
        return take_socket(b, reply);
    case L2TPC_HOST_OPEN_TUN:
        return take_tun(b, &q->u.open_tun, reply);
    case L2TPC_HOST_APPLY_IP:
        return take_apply_ip(b, &q->u.apply_ip, reply);
    case L2TPC_HOST_RELEASE_IP:
    case L2TPC_HOST_REPAIR_IP:
        return is_our_interface(b, q->u.release_ip.interface) || refuse(reply, "interface");
    case L2TPC_HOST_BLOCK:
        return take_block(b, &q->u.block, reply);
    case L2TPC_HOST_UNBLOCK:
        if (!may(b, L2TPC_HOST_POLICY_BLOCK))
            return refuse(reply, "kill switch");
        return is_our_tunnel(b, q->u.unblock.tunnel, sizeof(q->u.unblock.tunnel)) ||
               refuse(reply, "tunnel name");
    case L2TPC_HOST_STATE_PART:
        return is_our_tunnel(b, q->u.state_part.tunnel, sizeof(q->u.state_part.tunnel)) ||
               refuse(reply, "tunnel name");
    case L2TPC_HOST_OPEN_OBSERVER:
    case L2TPC_HOST_OBSERVER_SET_SPIS:
    case L2TPC_HOST_OBSERVER_READ:
    case L2TPC_HOST_OBSERVER_CLOSE:
    case L2TPC_HOST_BLOCK_READ:
    case L2TPC_HOST_WAY:
    case L2TPC_HOST_HELLO:
        return true; /* they name nothing that is not this end's own, and change nothing */
    default:
        return refuse(reply, "type");
    }
}

bool broker_take(const struct broker *b, struct span packet, l2tpc_host_request *out,
                 l2tpc_host_reply *reply)
{
    *reply = (l2tpc_host_reply){.size = sizeof(*reply), .fd = -1};
    if (packet.n != sizeof(*out)) {
        (void)reply_fail(reply, -EINVAL, L2TPC_HOST_SENTENCE_BAD_REQUEST, "%zu bytes", packet.n);
        return false;
    }
    memcpy(out, packet.p, sizeof(*out));
    if (out->size != sizeof(*out) || out->type == 0 || out->type > 31) {
        (void)reply_fail(reply, -EINVAL, L2TPC_HOST_SENTENCE_BAD_REQUEST, "size %u type %u",
                         out->size, out->type);
        return false;
    }
    if (!(b->policy.allow >> out->type & 1))
        return refuse(reply, "type");
    return allowed(b, out, reply);
}

void broker_note(struct broker *b, const l2tpc_host_request *q, const l2tpc_host_reply *reply)
{
    if (reply->status != 0)
        return;
    if (q->type == L2TPC_HOST_OPEN_UDP || q->type == L2TPC_HOST_OPEN_RAW_ESP ||
        q->type == L2TPC_HOST_OPEN_TCP)
        b->sockets++;
    else if (q->type == L2TPC_HOST_OPEN_TUN)
        memcpy(b->interface, reply->name, sizeof(b->interface));
}

void broker_forget_tun(struct broker *b)
{
    b->interface[0] = '\0';
}
