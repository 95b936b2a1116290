/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/host.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The neighbours that a full tunnel leaves reachable: private, link-local. Nothing else, or a rogue
 * DHCP server could claim public addresses for the local network. */
const struct private_range private_ranges[] = {
    {{4, {10}}, 8},        {{4, {172, 16}}, 12}, {{4, {192, 168}}, 16},
    {{4, {169, 254}}, 16}, {{6, {0xfc}}, 7},     {{6, {0xfe, 0x80}}, 10},
};
const size_t n_private_ranges = ARRAY_LEN(private_ranges);

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

int l2tpc_host_name_valid(const char *name)
{
    size_t n = name ? strnlen(name, L2TPC_HOST_NAME_MAX + 1) : 0;

    if (n == 0 || n > L2TPC_HOST_NAME_MAX || name[0] == '.' || name[0] == '-')
        return 0;
    for (size_t i = 0; i < n; i++)
        if (!name_char(name[i]) || (name[i] == '.' && name[i + 1] == '.'))
            return 0;
    return 1;
}

bool ifname_valid(const char *name, size_t cap, bool pattern)
{
    size_t n = strnlen(name, cap);
    unsigned percents = 0;

    if (n == 0 || n == cap || n >= HOST_IFNAME || name[0] == '-' || name[0] == '.')
        return false;
    for (size_t i = 0; i < n; i++) {
        if (pattern && name[i] == '%' && name[i + 1] == 'd' && percents++ == 0) {
            i++;
            continue;
        }
        if (!name_char(name[i]))
            return false;
    }
    return true;
}

bool domain_valid(const char *name, size_t cap)
{
    size_t n = strnlen(name, cap);
    size_t label = 0;

    if (n == 0 || n == cap || n > 253)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (name[i] == '.') {
            if (label == 0)
                return false;
            label = 0;
            continue;
        }
        if (!name_char(name[i]) || ++label > 63 || (label == 1 && name[i] == '-'))
            return false;
    }
    return true;
}

bool host_addr_read(struct inaddr *out, const l2tpc_host_addr *a)
{
    if (a->family != 4 && a->family != 6)
        return false;
    return inaddr_from_bytes(out, span_of(a->bytes, a->family == 4 ? 4 : 16));
}

void host_addr_write(l2tpc_host_addr *out, const struct inaddr *a)
{
    *out = (l2tpc_host_addr){.family = a->family, .prefix_len = (uint8_t)(8 * inaddr_len(a))};
    memcpy(out->bytes, a->bytes, inaddr_len(a));
}

struct inaddr prefix_mask(struct inaddr a, uint8_t len)
{
    for (size_t i = 0; i < sizeof(a.bytes); i++) {
        size_t kept = len <= 8 * i ? 0 : len - 8 * i < 8 ? len - 8 * i : 8;

        a.bytes[i] &= (uint8_t)(0xff00u >> kept);
    }
    return a;
}

bool prefix_contains(const struct inaddr *prefix, uint8_t len, const struct inaddr *a)
{
    struct inaddr masked = prefix_mask(*a, len);

    return prefix->family == a->family && inaddr_eq(prefix, &masked);
}

bool addr_is_neighbourly(const struct inaddr *prefix, uint8_t len)
{
    for (size_t i = 0; i < n_private_ranges; i++)
        if (len >= private_ranges[i].len &&
            prefix_contains(&private_ranges[i].addr, private_ranges[i].len, prefix))
            return true;
    return false;
}

int reply_fail(l2tpc_host_reply *reply, int status, enum l2tpc_host_sentence sentence,
               const char *fmt, ...)
{
    va_list ap;

    reply->status = status;
    reply->sentence = sentence;
    va_start(ap, fmt);
    (void)vsnprintf(reply->detail, sizeof(reply->detail), fmt, ap);
    va_end(ap);
    return status;
}

static int bad(l2tpc_host_reply *reply, enum l2tpc_host_sentence sentence, const char *what)
{
    return reply_fail(reply, -EINVAL, sentence, "%s", what);
}

static bool usable(const struct inaddr *a)
{
    bool zero_net = a->family == 4 && a->bytes[0] == 0;

    return !zero_net && !inaddr_is_any(a) && !inaddr_is_loopback(a) && !inaddr_is_multicast(a);
}

static int check_addresses(const l2tpc_host_apply_ip *q, l2tpc_host_reply *reply)
{
    struct inaddr a;
    struct inaddr server;

    if (!host_addr_read(&server, &q->server) || !usable(&server))
        return bad(reply, L2TPC_HOST_SENTENCE_BAD_ADDRESS, "server");
    if (!host_addr_read(&a, &q->local) || a.family != 4 || !usable(&a) || inaddr_eq(&a, &server))
        return bad(reply, L2TPC_HOST_SENTENCE_BAD_ADDRESS, "local");
    if (q->peer.family != 0 && (!host_addr_read(&a, &q->peer) || a.family != 4))
        return bad(reply, L2TPC_HOST_SENTENCE_BAD_ADDRESS, "peer");
    for (uint32_t i = 0; i < q->n_dns; i++)
        if (!host_addr_read(&a, &q->dns[i]) || !usable(&a))
            return bad(reply, L2TPC_HOST_SENTENCE_BAD_ADDRESS, "dns");
    for (uint32_t i = 0; i < q->n_routes; i++)
        if (!host_addr_read(&a, &q->routes[i]) || q->routes[i].prefix_len > 8 * inaddr_len(&a) ||
            inaddr_is_multicast(&a) || inaddr_is_loopback(&a))
            return bad(reply, L2TPC_HOST_SENTENCE_BAD_ADDRESS, "route");
    return 0;
}

int apply_ip_check(const l2tpc_host_apply_ip *q, l2tpc_host_reply *reply)
{
    const uint32_t known = L2TPC_HOST_IP_FULL_TUNNEL | L2TPC_HOST_IP_BLOCK_IPV6 |
                           L2TPC_HOST_IP_PEER_ROUTE | L2TPC_HOST_IP_TRUST_MAIN |
                           L2TPC_HOST_IP_ROUTING_ONLY;

    if (!ifname_valid(q->interface, sizeof(q->interface), false))
        return bad(reply, L2TPC_HOST_SENTENCE_BAD_NAME, "interface name");
    if (!memchr(q->tunnel, '\0', sizeof(q->tunnel)) || !l2tpc_host_name_valid(q->tunnel))
        return bad(reply, L2TPC_HOST_SENTENCE_BAD_NAME, "tunnel name");
    if (q->n_dns > L2TPC_HOST_DNS_MAX || q->n_search > L2TPC_HOST_SEARCH_MAX ||
        q->n_routes > L2TPC_HOST_ROUTES_MAX)
        return bad(reply, L2TPC_HOST_SENTENCE_BAD_REQUEST, "count");
    if ((q->flags & ~known) || (q->mtu != 0 && (q->mtu < 68 || q->mtu > 65535)))
        return bad(reply, L2TPC_HOST_SENTENCE_BAD_REQUEST, "flags or mtu");
    for (uint32_t i = 0; i < q->n_search; i++)
        if (!domain_valid(q->search[i], sizeof(q->search[i])))
            return bad(reply, L2TPC_HOST_SENTENCE_BAD_REQUEST, "search domain");
    return check_addresses(q, reply);
}
