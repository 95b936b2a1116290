/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What real servers said, recorded and decrypted, replayed to the engine. */
#include "check.h"
#include "rig.h"

#include <stdio.h>
#include <string.h>

static void feed(struct rig *rig, enum verdict want, const char *hex)
{
    enum verdict got = rig_raw(rig, hex, US_MS(10));

    if (got != want)
        check_fail(__FILE__, __LINE__, "verdict %d, not %d, of %s", got, want, hex);
}

/* SoftEther VPN Server; tunnel 0x6367 and session 0x8d91 as in the recording. */
#define SE_SCCRP                                                                                   \
    "c8020052636700000000000180080000000000028008000000020100000a0000000300000003000a000000040000" \
    "0003800800000007766d000a000000084c325450800800000009000100080000000a0010"
#define SE_ICRP "c802001c63678d9100010003800800000000000b80080000000e0001"
#define SE_ZLB "c802000c6367000000020004"
#define SE_CDN "c802002663678d9100020004800800000000000e80080000000e0001800a0000000100030000"
#define SE_STOPCCN                                                                                 \
    "c802002a636700000003000680080000000000048008000000090001800e000000010000060000000000"
#define SE_STOPCCN_UNASKED                                                                         \
    "c802002a636700000003000480080000000000048008000000090001800e000000010000060000000000"

TEST(l2tp_replay_softether)
{
    struct rig rig;
    struct l2tp_event e;
    const struct l2tp_facts *f;
    uint8_t buf[256];
    size_t n;

    rig_init(&rig);
    rig_start(&rig, 0);
    CHECK_INT(rig_pop(&rig, buf, sizeof(buf), &n), 1);
    feed(&rig, VERDICT_OK, SE_SCCRP);
    CHECK_INT(rig_event(&rig, &e), L2TP_EVENT_TUNNEL_UP);
    f = l2tp_facts(rig.l);
    CHECK_STR(f->peer_hostname, "vm");
    CHECK_STR(f->peer_vendor, "L2TP");
    CHECK_INT(f->peer_window, 16);
    CHECK_INT(rig_pop(&rig, buf, sizeof(buf), &n), 3); /* byte for byte as the recorded client's */
    CHECK_HEX(buf, n, "c802001400010000000100018008000000000003");
    CHECK_INT(rig_pop(&rig, buf, sizeof(buf), &n), 10);
    CHECK_HEX(buf, 34, "c80200300001000000020001800800000000000a80080000000e8d91800a0000000f");
    feed(&rig, VERDICT_OK, SE_ICRP);
    CHECK_INT(rig_event(&rig, &e), L2TP_EVENT_CALL_UP);
    CHECK_INT(rig_pop(&rig, buf, sizeof(buf), &n), 12);
    CHECK_HEX(buf, 30, "c80200280001000100030002800800000000000c800a0000001805f5e100");
    feed(&rig, VERDICT_OK, SE_ZLB);
    CHECK_INT(rig_pop_type(&rig), -1);
    feed(&rig, VERDICT_OK, SE_CDN);
    CHECK_INT(rig_event(&rig, &e), L2TP_EVENT_CALL_DOWN);
    CHECK(e.by_peer && e.failure.id == FAILURE_PEER_CLOSED && e.failure.peer_code == 3);
    CHECK_STR(e.failure.peer_text, "the call was ended for administrative reasons");
    CHECK_INT(rig_pop(&rig, buf, sizeof(buf), &n), 0);
    CHECK_HEX(buf, n, "c802000c0001000000040003");
    feed(&rig, VERDICT_OK, SE_STOPCCN_UNASKED); /* with its Result Code of eight bytes */
    CHECK_INT(rig_event(&rig, &e), L2TP_EVENT_CLOSED);
    CHECK(e.by_peer && e.failure.id == FAILURE_PEER_CLOSED);
    CHECK_INT(rig_pop_type(&rig), 0);
    rig_free(&rig);
}

TEST(l2tp_replay_softether_close)
{
    struct rig rig;
    struct l2tp_event e;

    rig_init(&rig);
    rig_start(&rig, 0);
    feed(&rig, VERDICT_OK, SE_SCCRP);
    feed(&rig, VERDICT_OK, SE_ICRP);
    feed(&rig, VERDICT_OK, SE_ZLB);
    rig_drain(&rig);
    l2tp_close(rig.l, US_MS(10));
    CHECK_INT(rig_pop_type(&rig), 14);
    CHECK_INT(rig_pop_type(&rig), 4);
    feed(&rig, VERDICT_OK, SE_CDN);
    CHECK_INT(rig_event(&rig, &e), -1);
    CHECK_INT(rig_pop_type(&rig), 0);
    feed(&rig, VERDICT_OK, SE_STOPCCN);
    CHECK_INT(rig_event(&rig, &e), L2TP_EVENT_CLOSED);
    CHECK(!e.by_peer && e.failure.id == FAILURE_NONE);
    CHECK_INT(rig_event(&rig, &e), -1);
    CHECK_INT(rig_pop_type(&rig), 0);
    rig_free(&rig);
}

/* xl2tpd 1.3.18 behind strongSwan, three dials; ZLBs carry a session ID there. */
TEST(l2tp_replay_xl2tpd)
{
    static const char *const sessions[3] = {"dde2", "2508", "4733"};
    static const char *const tunnels[3] = {"949a", "d73a", "81f3"};
    static const char *const peers[3] = {"b537", "ca6f", "8e90"};
    static const char *const peer_sessions[3] = {"e8d4", "21e8", "1b74"};

    for (unsigned i = 0; i < 3; i++) {
        char hex[512];
        uint8_t ids[8];
        struct rig rig;
        struct l2tp_event e;

        (void)check_hex(ids, 2, tunnels[i]);
        (void)check_hex(ids + 2, 2, sessions[i]);
        (void)check_hex(ids + 4, 2, peers[i]);
        (void)check_hex(ids + 6, 2, peer_sessions[i]);
        rig_init(&rig);
        rig.ids[0] = rig_u16(ids);
        rig.ids[1] = rig_u16(ids + 2);
        rig_start(&rig, 0);
        rig_drain(&rig);
        (void)snprintf(
            hex, sizeof(hex),
            "c802006a%s00000000000180080000000000028008000000020100800a0000000300000003"
            "800a00000004000000000008000000060690800f000000076c61627365727665720013000000"
            "0878656c6572616e63652e636f6d800800000009%s80080000000a0004",
            tunnels[i], peers[i]);
        feed(&rig, VERDICT_OK, hex);
        CHECK_INT(rig_event(&rig, &e), L2TP_EVENT_TUNNEL_UP);
        CHECK_STR(l2tp_facts(rig.l)->peer_hostname, "labserver");
        CHECK_STR(l2tp_facts(rig.l)->peer_vendor, "xelerance.com");
        CHECK_INT(l2tp_facts(rig.l)->peer_firmware, 0x0690);
        CHECK_INT(l2tp_facts(rig.l)->peer_window, 4);
        CHECK_INT(l2tp_facts(rig.l)->peer_tunnel_id, rig_u16(ids + 4));
        (void)snprintf(hex, sizeof(hex), "c802000c%s000000010002", tunnels[i]);
        feed(&rig, VERDICT_OK, hex);
        (void)snprintf(hex, sizeof(hex), "c802001c%s%s00010003800800000000000b80080000000e%s",
                       tunnels[i], sessions[i], peer_sessions[i]);
        feed(&rig, VERDICT_OK, hex);
        CHECK_INT(rig_event(&rig, &e), L2TP_EVENT_CALL_UP);
        CHECK_INT(l2tp_facts(rig.l)->peer_session_id, rig_u16(ids + 6));
        (void)snprintf(hex, sizeof(hex), "c802000c%s000000020003", tunnels[i]);
        feed(&rig, VERDICT_OK, hex);
        (void)snprintf(hex, sizeof(hex), "c802000c%s%s00020004", tunnels[i], sessions[i]);
        feed(&rig, VERDICT_OK, hex);
        rig_drain(&rig);
        l2tp_close(rig.l, US_MS(10));
        (void)snprintf(hex, sizeof(hex), "c802000c%s000000020005", tunnels[i]);
        feed(&rig, VERDICT_OK, hex); /* the recorded client sent no CDN: one more is wanted here */
        CHECK_INT(rig_event(&rig, &e), -1);
        (void)snprintf(hex, sizeof(hex), "c802000c%s000000020006", tunnels[i]);
        feed(&rig, VERDICT_OK, hex);
        CHECK_INT(rig_event(&rig, &e), L2TP_EVENT_CLOSED);
        rig_free(&rig);
    }
}
