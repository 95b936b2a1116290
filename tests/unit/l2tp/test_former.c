/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The StopCCN for a tunnel that died without one. */
#include "base/limits.h"
#include "check.h"
#include "rig.h"

#include <string.h>

/* What a former tunnel's StopCCN looks like, byte for byte: RFC 2661 3.1, 4.4.1, 4.4.3, 4.4.2. */
#define STOP(ns)                                                                                   \
    "c802 0024 0777 0000 " ns " 0009 8008 0000 0000 0004  8008 0000 0009 0333  8008 0000 0001 "    \
    "0001"

static void with_former(struct rig *rig, uint16_t from, uint16_t to)
{
    rig_init(rig);
    rig->config.former[0] = (struct l2tp_former){0x0333, 0x0777, from, to, 9};
    rig->config.n_former = 1;
}

TEST(former_is_stopped_before_a_tunnel_is_asked_for)
{
    struct rig rig;
    uint8_t bytes[256];
    size_t n;

    with_former(&rig, 5, 6);
    rig_start(&rig, US_S(1));
    CHECK_INT(rig_pop(&rig, bytes, sizeof(bytes), &n), 4);
    CHECK_HEX(bytes, n, STOP("0005"));
    CHECK_INT(rig_pop(&rig, bytes, sizeof(bytes), &n), 4);
    CHECK_HEX(bytes, n, STOP("0006"));
    CHECK_INT(rig_pop(&rig, bytes, sizeof(bytes), &n), 1);
    CHECK_INT(rig_u16(bytes + 8), 0); /* Ns of the new tunnel's SCCRQ */
    CHECK_INT(rig_pop_type(&rig), -1);
    rig_free(&rig);
}

TEST(former_is_repeated_until_answered_and_not_for_ever)
{
    struct rig rig;
    struct l2tp_former left[L2TP_FORMER_MAX];
    unsigned stops = 0;
    uint8_t ack[64];
    size_t n;
    int type;

    with_former(&rig, 5, 5);
    rig_start(&rig, 0);
    for (l2tpc_us now = 0; now < US_S(20); now += US_MS(100)) {
        l2tp_timer(rig.l, now);
        while ((type = rig_pop_type(&rig)) >= 0)
            stops += type == 4;
    }
    CHECK_INT(stops, L2TP_FORMER_SENDS);
    CHECK_INT(l2tp_formers_left(rig.l, left), 1);
    CHECK_INT(left[0].peer_tunnel_id, 0x0777);
    n = rig_build(ack, sizeof(ack), 0x0333, 0, 9, 5, "");
    CHECK_INT(l2tp_input(rig.l, (struct span){ack, n}, US_S(20)), VERDICT_OK);
    CHECK_INT(l2tp_formers_left(rig.l, left), 1); /* Nr 5: it still expects ours */
    n = rig_build(ack, sizeof(ack), 0x0333, 0, 9, 6, "");
    CHECK_INT(l2tp_input(rig.l, (struct span){ack, n}, US_S(20)), VERDICT_OK);
    CHECK_INT(l2tp_formers_left(rig.l, left), 0);
    n = rig_build(ack, sizeof(ack), 0x0444, 0, 9, 6, "");
    CHECK_INT(l2tp_input(rig.l, (struct span){ack, n}, US_S(20)), VERDICT_DROP);
    rig_free(&rig);
}

/* SoftEther counts its tunnels from 1: what was meant for the old one would end the new. */
TEST(former_never_stops_the_new_tunnel)
{
    struct rig rig;

    rig_init(&rig);
    rig.config.former[0] = (struct l2tp_former){0x0333, RIG_PEER_TUNNEL, 5, 5, 9};
    rig.config.n_former = 1;
    rig_to_call(&rig, 0);
    for (l2tpc_us now = 0; now < US_S(5); now += US_MS(100)) {
        l2tp_timer(rig.l, now);
        CHECK(rig_pop_type(&rig) != 4);
    }
    rig_free(&rig);
}

TEST(former_range_is_bounded)
{
    struct rig rig;
    unsigned stops = 0;
    int type;

    with_former(&rig, 0xfffe, 0x7000);
    rig_start(&rig, 0);
    while ((type = rig_pop_type(&rig)) >= 0)
        stops += type == 4;
    CHECK_INT(stops, L2TP_FORMER_NS);
    rig_free(&rig);
}

TEST(former_is_what_was_left_open)
{
    struct l2tp_former f;
    struct rig rig;

    rig_init(&rig);
    rig_start(&rig, 0);
    CHECK(!l2tp_get_former(rig.l, &f)); /* nobody has answered: there is no tunnel to name */
    rig_free(&rig);

    rig_init(&rig); /* the path dies under it */
    rig_to_call(&rig, US_S(1));
    CHECK(l2tp_get_former(rig.l, &f));
    CHECK_INT(f.tunnel_id, RIG_TUNNEL);
    CHECK_INT(f.peer_tunnel_id, RIG_PEER_TUNNEL);
    CHECK_INT(f.ns_from, f.ns_to);
    CHECK_INT(f.nr, rig.ns);

    l2tp_close(rig.l, US_S(2)); /* a goodbye that nobody answers */
    rig_drain(&rig);
    l2tp_timer(rig.l, US_S(2) + CLOSE_WAIT);
    CHECK(l2tp_get_former(rig.l, &f));
    CHECK_INT((uint16_t)(f.ns_to - f.ns_from), 2); /* CDN and StopCCN */
    rig_free(&rig);

    rig_init(&rig); /* the peer ends it */
    rig_to_call(&rig, US_S(1));
    CHECK_INT(rig_send(&rig, 0, AVPS_STOPCCN("800a 0000 0001 0006 0000"), US_S(2)), VERDICT_OK);
    CHECK(!l2tp_get_former(rig.l, &f));
    rig_free(&rig);
}
