/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ends: ours, and the peer's StopCCN and CDN with whatever they carry. */
#include "check.h"
#include "lns.h"

#include <stdio.h>
#include <string.h>

TEST(l2tp_close_is_polite)
{
    struct world w;

    world_init(&w);
    world_start(&w);
    CHECK(world_run(&w, &w.up, US_S(5)));
    l2tp_close(w.rig.l, w.now);
    CHECK(world_run(&w, &w.closed, w.now + US_S(2)));
    CHECK(w.saw_cdn && w.saw_stop && !w.failed && !w.call_down);
    CHECK_INT(w.first_seen[TO_LNS][14], w.first_seen[TO_LNS][4]);
    CHECK_INT(w.end_at - w.first_seen[TO_LNS][4], US_MS(40));
    CHECK(!l2tp_facts(w.rig.l)->tunnel_up && !l2tp_facts(w.rig.l)->call_up);
    CHECK(l2tp_deadline(w.rig.l) == US_NEVER);
    w.closed = false;
    l2tp_close(w.rig.l, w.now);
    CHECK(!world_run(&w, &w.closed, w.now + US_S(5)));
    world_free(&w);
}

TEST(l2tp_close_waits_no_longer_than_close_wait)
{
    struct world w;
    l2tpc_us asked;

    world_init(&w);
    world_start(&w);
    CHECK(world_run(&w, &w.up, US_S(5)));
    w.lns_mute = true;
    asked = w.now;
    l2tp_close(w.rig.l, w.now);
    CHECK(world_run(&w, &w.closed, w.now + US_S(5)));
    CHECK_INT(w.end_at, asked + CLOSE_WAIT);
    CHECK(w.seen[TO_LNS][4] > 1);
    world_free(&w);
}

TEST(l2tp_close_in_every_state)
{
    struct rig rig;
    struct l2tp_event e;

    rig_init(&rig); /* never started */
    rig.l = l2tp_new(&rig.config);
    CHECK(rig.l);
    l2tp_close(rig.l, 0);
    CHECK_INT(rig_event(&rig, &e), L2TP_EVENT_CLOSED);
    CHECK_INT(rig_pop_type(&rig), -1);
    rig_free(&rig);

    rig_init(&rig); /* unanswered: StopCCN behind SCCRQ; then a late SCCRP gives it an address */
    rig_start(&rig, 0);
    l2tp_close(rig.l, US_MS(10));
    CHECK_INT(rig_pop_type(&rig), 1);
    CHECK_INT(rig_pop_type(&rig), 4);
    rig.nr = 1;
    CHECK_INT(rig_send(&rig, 0, AVPS_SCCRP, US_MS(20)), VERDICT_OK);
    {
        uint8_t buf[256];
        size_t n;

        CHECK_INT(rig_pop(&rig, buf, sizeof(buf), &n), 4);
        CHECK_INT(rig_u16(buf + 4), RIG_PEER_TUNNEL);
    }
    CHECK_INT(rig_event(&rig, &e), -1);
    rig.nr = 2;
    CHECK_INT(rig_send(&rig, 0, "", US_MS(30)), VERDICT_OK);
    CHECK_INT(rig_event(&rig, &e), L2TP_EVENT_CLOSED);
    CHECK(!e.by_peer);
    rig_free(&rig);

    rig_init(&rig); /* ICRQ unanswered */
    rig_to_tunnel(&rig, 0);
    l2tp_close(rig.l, 0);
    CHECK_INT(rig_pop_type(&rig), 14);
    CHECK_INT(rig_pop_type(&rig), 4);
    rig_free(&rig);
}

/* C30, H57: every length of the Result Code, in both messages, before and after the call is up. */
TEST(l2tp_close_result_code_of_any_length)
{
    for (size_t length = 0; length <= 300; length++) {
        for (unsigned variant = 0; variant < 4; variant++) {
            bool cdn = variant & 1;
            bool up = variant & 2;
            char avps[1024];
            char result[700] = "";
            struct rig rig;
            struct l2tp_event e;
            int n = snprintf(result, sizeof(result), "80%02x 0000 0001 ", 0);

            (void)snprintf(result, sizeof(result), "%04zx 0000 0001 ", 0x8000 | (length + 6));
            n = (int)strlen(result);
            for (size_t i = 0; i < length; i++)
                n += snprintf(result + n, sizeof(result) - (size_t)n, "%s",
                              i == 1       ? "03"
                              : i < 4      ? "00"
                              : i % 7 == 0 ? "1b"
                                           : "ff");
            (void)snprintf(avps, sizeof(avps), "%s%s",
                           cdn ? "800800000000000e 80080000000e0202"
                               : "8008000000000004 8008000000090101",
                           result);
            rig_init(&rig);
            if (up)
                rig_to_call(&rig, 0);
            else
                rig_to_tunnel(&rig, 0);
            CHECK_INT(rig_send(&rig, cdn ? RIG_SESSION : 0, avps, US_MS(1)),
                      cdn || up ? VERDICT_OK : VERDICT_FATAL);
            CHECK_INT(rig_pop_type(&rig), 0); /* acknowledged */
            CHECK_INT(rig_event(&rig, &e), cdn  ? L2TP_EVENT_CALL_DOWN
                                           : up ? L2TP_EVENT_CLOSED
                                                : L2TP_EVENT_FAILED);
            CHECK(e.by_peer);
            CHECK_INT(e.failure.id, up    ? FAILURE_PEER_CLOSED
                                    : cdn ? FAILURE_L2TP_CALL_REFUSED
                                          : FAILURE_L2TP_REFUSED);
            CHECK_INT(e.failure.has_peer_code, length >= 2);
            CHECK_INT(e.failure.peer_code, length >= 2 ? 3 : 0);
            CHECK(strlen(e.failure.peer_text) > 0 && strlen(e.failure.peer_text) < PEER_TEXT_MAX);
            for (const char *p = e.failure.peer_text; *p; p++)
                CHECK(*p >= 0x20 && *p < 0x7f);
            CHECK_INT(rig_event(&rig, &e), -1);
            rig_free(&rig);
        }
    }
}

static struct failure refused(bool cdn, const char *result_avp)
{
    struct rig rig;
    struct l2tp_event e = {0};
    char avps[512];

    (void)snprintf(avps, sizeof(avps), "%s %s",
                   cdn ? "800800000000000e 80080000000e0202" : "8008000000000004 8008000000090101",
                   result_avp);
    rig_init(&rig);
    rig_to_tunnel(&rig, 0);
    (void)rig_send(&rig, cdn ? RIG_SESSION : 0, avps, 1);
    (void)rig_event(&rig, &e);
    rig_free(&rig);
    return e.failure;
}

TEST(l2tp_close_codes_become_failures)
{
    struct failure f = refused(false, "8008 0000 0001 0006");

    CHECK_INT(f.id, FAILURE_L2TP_REFUSED);
    CHECK_INT(f.stage, STAGE_L2TP_TUNNEL);
    CHECK_STR(f.peer_text, "the server is being shut down");
    f = refused(false, "800a 0000 0001 0002 0004");
    CHECK_INT(f.id, FAILURE_L2TP_BUSY);
    CHECK_INT(f.peer_code, 2);
    f = refused(false, "8008 0000 0001 0004");
    CHECK_INT(f.id, FAILURE_L2TP_AUTH);
    f = refused(false, "800f 0000 0001 0001 0000 4279652179");
    CHECK_STR(f.peer_text, "Bye!y");
    f = refused(true, "8008 0000 0001 0004");
    CHECK_INT(f.id, FAILURE_L2TP_BUSY);
    CHECK_INT(f.stage, STAGE_L2TP_CALL);
    f = refused(true, "800a 0000 0001 0002 0004");
    CHECK_INT(f.id, FAILURE_L2TP_BUSY);
    CHECK_STR(f.peer_text, "insufficient resources at the moment");
    f = refused(true, "800a 0000 0001 0003 0000");
    CHECK_INT(f.id, FAILURE_L2TP_CALL_REFUSED);
    CHECK_STR(f.peer_text, "the call was ended for administrative reasons");
    /* A failed login at SoftEther: with the PPP Disconnect Cause Code of RFC 3145. */
    f = refused(true, "800a 0000 0001 0003 0000 000b 0000 002e 000f c021 01");
    CHECK_STR(f.value, "PPP disconnect cause 15, protocol 0xc021");
    f = refused(true, "800a 0000 0001 ffff ffff");
    CHECK_STR(f.peer_text, "no known reason");
    f = refused(true, "");
    CHECK_STR(f.peer_text, "no reason given");
    /* A goodbye is one, whatever else it carries: an unknown mandatory AVP, a torn one. */
    f = refused(false, "8008 0000 0001 0004 8006 0000 03e7");
    CHECK_INT(f.id, FAILURE_L2TP_AUTH);
    f = refused(false, "8008 0000 0001 0004 80ff 00");
    CHECK_INT(f.id, FAILURE_L2TP_AUTH);
}

TEST(l2tp_close_refused_sccrq)
{
    struct rig rig;
    struct l2tp_event e;
    uint8_t buf[64];
    size_t n;

    rig_init(&rig);
    rig_start(&rig, 0);
    rig_drain(&rig);
    rig.nr = 1;
    CHECK_INT(rig_send(&rig, 0, AVPS_STOPCCN("8008 0000 0001 0004"), 1), VERDICT_FATAL);
    CHECK_INT(rig_event(&rig, &e), L2TP_EVENT_FAILED);
    CHECK(e.by_peer && e.failure.id == FAILURE_L2TP_AUTH && e.failure.peer_code == 4);
    CHECK_INT(rig_pop(&rig, buf, sizeof(buf), &n), 0);
    CHECK_INT(rig_u16(buf + 4), RIG_PEER_TUNNEL); /* taken from the StopCCN */
    CHECK(l2tp_deadline(rig.l) == US_NEVER);
    /* Its repetition is acknowledged as well. */
    rig.ns = 0;
    CHECK_INT(rig_send(&rig, 0, AVPS_STOPCCN("8008 0000 0001 0004"), 2), VERDICT_OK);
    CHECK_INT(rig_pop_type(&rig), 0);
    CHECK_INT(rig_event(&rig, &e), -1);
    rig_free(&rig);
}
