/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The policy of a broker, without one. tests/host has it with sockets and rights. */
#include "check.h"
#include "host/broker.h"

#include <errno.h>
#include <string.h>

static const l2tpc_host_policy office = {
    .size = sizeof(office),
    .allow = UINT32_MAX,
    .sockets_max = 1,
    .tunnel = "office",
    .interface = "l2tp%d",
    .n_routes = 1,
    .routes = {{4, 12, {0}, {172, 16, 5, 5}}},
};

static bool passes(const struct broker *b, const l2tpc_host_request *q)
{
    l2tpc_host_request out;
    l2tpc_host_reply reply;

    return broker_take(b, span_of((const uint8_t *)q, sizeof(*q)), &out, &reply) &&
           memcmp(&out, q, sizeof(out)) == 0;
}

TEST(broker_policy_must_be_definite)
{
    struct broker b;
    l2tpc_host_policy p = office;

    CHECK(broker_init(&b, &p));
    p.size--;
    CHECK(!broker_init(&b, &p));
    p = office;
    p.tunnel[0] = '\0';
    CHECK(!broker_init(&b, &p));
    memset(p.tunnel, 'x', sizeof(p.tunnel));
    CHECK(!broker_init(&b, &p));
    p = office;
    memcpy(p.interface, "a/b", 4);
    CHECK(!broker_init(&b, &p));
    p = office;
    p.n_routes = L2TPC_HOST_ROUTES_MAX + 1;
    CHECK(!broker_init(&b, &p));
    p = office;
    p.routes[0].prefix_len = 33;
    CHECK(!broker_init(&b, &p));
}

TEST(broker_takes_whole_packets_only)
{
    uint8_t bytes[sizeof(l2tpc_host_request) + 1] = {0};
    l2tpc_host_request q = {.size = sizeof(q), .type = L2TPC_HOST_HELLO};
    l2tpc_host_request out;
    l2tpc_host_reply reply;
    struct broker b;

    CHECK(broker_init(&b, &office));
    memcpy(bytes, &q, sizeof(q));
    CHECK(broker_take(&b, span_of(bytes, sizeof(q)), &out, &reply));
    for (size_t n = 0; n <= sizeof(bytes); n += n < 16 ? 1 : 97) {
        if (n == sizeof(q))
            continue;
        CHECK(!broker_take(&b, span_of(bytes, n), &out, &reply));
        CHECK(reply.status == -EINVAL);
        CHECK(reply.sentence == L2TPC_HOST_SENTENCE_BAD_REQUEST);
    }
    CHECK(!broker_take(&b, span_of(bytes, sizeof(bytes)), &out, &reply));
}

TEST(broker_refuses_types_beyond_its_own)
{
    struct broker b;
    l2tpc_host_request q = {.size = sizeof(q)};

    CHECK(broker_init(&b, &office));
    for (q.type = L2TPC_HOST_REPAIR_IP + 1; q.type < 40; q.type++)
        CHECK(!passes(&b, &q));
    q.type = 0;
    CHECK(!passes(&b, &q));
}

TEST(broker_knows_its_tun_and_its_sockets)
{
    struct broker b;
    l2tpc_host_request tun = {.size = sizeof(tun), .type = L2TPC_HOST_OPEN_TUN};
    l2tpc_host_request udp = {.size = sizeof(udp), .type = L2TPC_HOST_OPEN_UDP};
    l2tpc_host_request release = {.size = sizeof(release), .type = L2TPC_HOST_RELEASE_IP};
    l2tpc_host_request repair = {.size = sizeof(repair), .type = L2TPC_HOST_REPAIR_IP};
    l2tpc_host_reply made = {.name = "l2tp3"};
    l2tpc_host_reply refused = {.status = -EBUSY, .name = "l2tp3"};

    CHECK(broker_init(&b, &office));
    memcpy(tun.u.open_tun.name, "l2tp%d", 7);
    memcpy(release.u.release_ip.interface, "l2tp3", 6);
    memcpy(repair.u.release_ip.interface, "l2tp3", 6);
    CHECK(!passes(&b, &release));
    CHECK(!passes(&b, &repair));
    broker_note(&b, &tun, &refused);
    CHECK(passes(&b, &tun));
    broker_note(&b, &tun, &made);
    CHECK(!passes(&b, &tun));
    CHECK(passes(&b, &release));
    CHECK(passes(&b, &repair));
    repair.u.release_ip.interface[4] = '4';
    CHECK(!passes(&b, &repair));
    memset(release.u.release_ip.interface, 'x', 16);
    CHECK(!passes(&b, &release));
    broker_forget_tun(&b);
    CHECK(passes(&b, &tun));
    broker_note(&b, &tun, &made);
    CHECK(!passes(&b, &tun));
    broker_note(&b, &udp, &refused);
    CHECK(passes(&b, &udp));
    broker_note(&b, &udp, &made);
    CHECK(!passes(&b, &udp));
}

TEST(broker_counts_tcp_sockets_as_well)
{
    struct broker b;
    l2tpc_host_request tcp = {.size = sizeof(tcp), .type = L2TPC_HOST_OPEN_TCP};
    l2tpc_host_reply made = {.fd = 3};

    CHECK(broker_init(&b, &office) && passes(&b, &tcp));
    broker_note(&b, &tcp, &made);
    CHECK(!passes(&b, &tcp));
}

TEST(broker_compares_routes_by_their_prefix)
{
    struct broker b;
    l2tpc_host_request tun = {.size = sizeof(tun), .type = L2TPC_HOST_OPEN_TUN};
    l2tpc_host_request q = {.size = sizeof(q), .type = L2TPC_HOST_APPLY_IP};
    l2tpc_host_reply made = {.name = "l2tp3"};
    l2tpc_host_apply_ip *a = &q.u.apply_ip;

    CHECK(broker_init(&b, &office));
    broker_note(&b, &tun, &made);
    memcpy(a->interface, "l2tp3", 6);
    memcpy(a->tunnel, "office", 7);
    CHECK(passes(&b, &q));
    a->n_routes = 1;
    a->routes[0] = (l2tpc_host_addr){4, 12, {0}, {172, 31, 0, 1}};
    CHECK(passes(&b, &q));
    a->routes[0].bytes[1] = 32;
    CHECK(!passes(&b, &q));
    a->routes[0] = (l2tpc_host_addr){4, 11, {0}, {172, 16}};
    CHECK(!passes(&b, &q));
    a->routes[0] = (l2tpc_host_addr){6, 12, {0}, {172, 16}};
    CHECK(!passes(&b, &q));
    a->n_routes = UINT32_MAX;
    CHECK(!passes(&b, &q));
}

/* Networks that a server pushes: only where the user wants them, and never those that would make a
 * full tunnel of a split one or take the server's own packets in. */
TEST(broker_lets_servers_push_networks_of_the_world)
{
    static const struct {
        l2tpc_host_addr route;
        bool passes;
    } rows[] = {
        {{4, 24, {0}, {10, 98}}, true},
        {{4, 8, {0}, {10}}, true},
        {{4, 24, {0}, {203, 0, 113}}, true},
        {{4, 7, {0}, {10}}, false},
        {{4, 0, {0}, {0}}, false},
        {{4, 1, {0}, {128}}, false},
        {{4, 33, {0}, {10}}, false},
        {{4, 32, {0}, {203, 0, 113, 5}}, false}, /* the server */
        {{4, 8, {0}, {127}}, false},
        {{4, 16, {0}, {169, 254}}, false},
        {{4, 8, {0}, {224}}, false},
        {{4, 8, {0}, {240}}, false},
        {{4, 8, {0}, {0}}, false},
        {{6, 32, {0}, {0x20, 1, 0xd, 0xb8}}, false},
    };
    struct broker b;
    l2tpc_host_request tun = {.size = sizeof(tun), .type = L2TPC_HOST_OPEN_TUN};
    l2tpc_host_request q = {.size = sizeof(q), .type = L2TPC_HOST_APPLY_IP};
    l2tpc_host_reply made = {.name = "l2tp3"};
    l2tpc_host_policy p = office;

    memcpy(q.u.apply_ip.interface, "l2tp3", 6);
    memcpy(q.u.apply_ip.tunnel, "office", 7);
    q.u.apply_ip.server = (l2tpc_host_addr){4, 0, {0}, {203, 0, 113, 5}};
    q.u.apply_ip.n_routes = 1;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        q.u.apply_ip.routes[0] = rows[i].route;
        p.flags &= ~(uint32_t)L2TPC_HOST_POLICY_SERVER_ROUTES;
        CHECK(broker_init(&b, &p));
        broker_note(&b, &tun, &made);
        CHECK(!passes(&b, &q));
        p.flags |= L2TPC_HOST_POLICY_SERVER_ROUTES;
        CHECK(broker_init(&b, &p));
        broker_note(&b, &tun, &made);
        CHECK_INT(passes(&b, &q), rows[i].passes);
    }
}
