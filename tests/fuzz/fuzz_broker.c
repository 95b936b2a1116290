/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the other end of a broker's socket may send: any packets at all. Whatever gets through is
 * judged again here, in another way, against the same policy. */
#include "fuzz.h"

#include "host/broker.h"

#include <errno.h>
#include <string.h>

#define TUNNEL "office"
#define OP_RAW                                                                                     \
    0 /* a packet as it is; any other op: a request of that type, filled from the start */

static const l2tpc_host_addr allowed_route = {4, 16, {0}, {10, 20}};

static void make_policy(l2tpc_host_policy *p, uint8_t flags)
{
    *p = (l2tpc_host_policy){.size = sizeof(*p),
                             .allow = flags & 0x80 ? 0x3fffeu & ~(1u << L2TPC_HOST_WAY) : 0x3fffeu,
                             .flags = flags & 63u,
                             .asker = flags & 0x40 ? 7 : 0,
                             .sockets_max = 2,
                             .tunnel = TUNNEL,
                             .interface = "l2tp%d",
                             .n_routes = 1,
                             .routes = {allowed_route}};
}

static bool is_text(const char *text, size_t cap, const char *wanted)
{
    size_t n = strlen(wanted) + 1;

    return n <= cap && memcmp(text, wanted, n) == 0;
}

static void check_apply(const l2tpc_host_apply_ip *q, uint32_t flags, bool has_tun)
{
    FUZZ_REQUIRE(has_tun && is_text(q->interface, sizeof(q->interface), "l2tp7"));
    FUZZ_REQUIRE(is_text(q->tunnel, sizeof(q->tunnel), TUNNEL));
    FUZZ_REQUIRE(!(q->flags & 3u) || (flags & L2TPC_HOST_POLICY_FULL_TUNNEL));
    FUZZ_REQUIRE(!(q->flags & 8u) || (flags & L2TPC_HOST_POLICY_TRUST_MAIN));
    FUZZ_REQUIRE((q->n_dns == 0 && q->n_search == 0) || (flags & L2TPC_HOST_POLICY_DNS));
    FUZZ_REQUIRE(q->n_routes <= L2TPC_HOST_ROUTES_MAX);
    for (uint32_t i = 0; i < q->n_routes; i++)
        FUZZ_REQUIRE(q->routes[i].family == 4 && q->routes[i].prefix_len == 16 &&
                     q->routes[i].bytes[0] == 10 && q->routes[i].bytes[1] == 20);
}

static void check_passed(const l2tpc_host_request *q, const l2tpc_host_policy *p, bool has_tun,
                         unsigned sockets)
{
    FUZZ_REQUIRE(q->size == sizeof(*q) && q->type >= 1 && q->type <= L2TPC_HOST_REPAIR_IP);
    FUZZ_REQUIRE(p->allow >> q->type & 1);
    switch (q->type) {
    case L2TPC_HOST_OPEN_UDP:
    case L2TPC_HOST_OPEN_RAW_ESP:
    case L2TPC_HOST_OPEN_TCP:
        FUZZ_REQUIRE(sockets < 2);
        break;
    case L2TPC_HOST_OPEN_TUN:
        FUZZ_REQUIRE(!has_tun && is_text(q->u.open_tun.name, 16, "l2tp%d"));
        break;
    case L2TPC_HOST_APPLY_IP:
        check_apply(&q->u.apply_ip, p->flags, has_tun);
        break;
    case L2TPC_HOST_RELEASE_IP:
    case L2TPC_HOST_REPAIR_IP:
        FUZZ_REQUIRE(has_tun && is_text(q->u.release_ip.interface, 16, "l2tp7"));
        break;
    case L2TPC_HOST_BLOCK:
        FUZZ_REQUIRE(p->flags & L2TPC_HOST_POLICY_BLOCK);
        FUZZ_REQUIRE(is_text(q->u.block.tunnel, sizeof(q->u.block.tunnel), TUNNEL));
        FUZZ_REQUIRE(!(q->u.block.flags & 1u) || (p->flags & L2TPC_HOST_POLICY_BLOCK_LAN));
        FUZZ_REQUIRE(!(q->u.block.flags & 2u) || (p->flags & L2TPC_HOST_POLICY_LOOKUPS));
        FUZZ_REQUIRE(q->u.block.asker == 0 || q->u.block.asker == p->asker);
        break;
    case L2TPC_HOST_STATE_PART:
        FUZZ_REQUIRE(is_text(q->u.state_part.tunnel, sizeof(q->u.state_part.tunnel), TUNNEL));
        break;
    case L2TPC_HOST_UNBLOCK:
        FUZZ_REQUIRE(p->flags & L2TPC_HOST_POLICY_BLOCK);
        FUZZ_REQUIRE(is_text(q->u.unblock.tunnel, sizeof(q->u.unblock.tunnel), TUNNEL));
        break;
    default:
        break;
    }
}

/* The longest request is longer than a script's step: what is missing is zero. */
static void make_request(l2tpc_host_request *q, uint8_t type, struct span bytes)
{
    *q = (l2tpc_host_request){.size = sizeof(*q), .type = type & 31u};
    memcpy(&q->u, bytes.p, bytes.n < sizeof(q->u) ? bytes.n : sizeof(q->u));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    l2tpc_host_policy policy;
    l2tpc_host_request made;
    l2tpc_host_request q;
    l2tpc_host_reply reply;
    struct broker b;
    struct fuzz_step s;
    struct rd r = rd_of(span_of(data, size));
    unsigned sockets = 0;
    uint8_t flags = 0;
    bool has_tun = false;

    if (!rd_u8(&r, &flags))
        return 0;
    make_policy(&policy, flags);
    FUZZ_REQUIRE(broker_init(&b, &policy));
    for (unsigned i = 0; i < FUZZ_STEPS_MAX && fuzz_step_next(&r, &s); i++) {
        struct span packet = span_ro(s.bytes);

        if (s.op != OP_RAW) {
            make_request(&made, s.op, packet);
            packet = span_of((const uint8_t *)&made, sizeof(made));
        }
        if (!broker_take(&b, packet, &q, &reply)) {
            FUZZ_REQUIRE(reply.status == -EACCES || reply.status == -EINVAL);
            FUZZ_REQUIRE(reply.fd == -1 && memchr(reply.detail, '\0', sizeof(reply.detail)));
        } else {
            check_passed(&q, &policy, has_tun, sockets);
            if (q.type == L2TPC_HOST_OPEN_TUN)
                memcpy(reply.name, "l2tp7", 6);
            sockets += q.type == L2TPC_HOST_OPEN_UDP || q.type == L2TPC_HOST_OPEN_RAW_ESP ||
                       q.type == L2TPC_HOST_OPEN_TCP;
            has_tun = has_tun || q.type == L2TPC_HOST_OPEN_TUN;
            broker_note(&b, &q, &reply);
        }
        fuzz_step_done(&s);
    }
    return 0;
}
