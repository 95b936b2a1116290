/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"
#include "l2tp/message.h"
#include "rig.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

static uint32_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

static void flood(struct rig *rig, unsigned kind, uint64_t *seed)
{
    uint8_t buf[300];
    size_t n = next_random(seed) % sizeof(buf);

    for (size_t i = 0; i < n; i++)
        buf[i] = (uint8_t)next_random(seed);
    if (kind > 0 && n < 20)
        n = 20;
    if (kind > 0) { /* a good header, then wrong in one point */
        uint16_t tunnel = kind == 1 ? (uint16_t)(next_random(seed) | 1) : RIG_TUNNEL;
        uint16_t ns = kind == 2 ? (uint16_t)(rig->ns + 8 + next_random(seed) % 30000) : rig->ns;
        uint16_t nr = kind == 3 ? (uint16_t)(rig->nr + 1 + next_random(seed) % 30000) : rig->nr;

        if (kind == 1 && tunnel == RIG_TUNNEL)
            tunnel++;
        if (kind == 4)
            n = 12; /* a ZLB, of any Ns */
        (void)rig_build(buf, sizeof(buf), tunnel, (uint16_t)next_random(seed),
                        kind == 4 ? (uint16_t)next_random(seed) : ns, nr, "");
        buf[2] = (uint8_t)(n >> 8);
        buf[3] = (uint8_t)n;
    } else if (n > 5 && rig_u16(buf + 4) == RIG_TUNNEL) {
        buf[4] ^= 0xff;
    }
    (void)l2tp_input(rig->l, span_of(buf, n), 0);
}

/* C28: junk of each kind in each state: no reply, no growth, nothing changed. */
TEST(l2tp_hostile_junk_is_silent_and_free)
{
    uint64_t seed = 99;

    for (unsigned state = 0; state < 4; state++) {
        struct rig rig;
        struct l2tp_event e;
        struct l2tp_facts before;
        size_t held;
        l2tpc_us deadline;

        rig_init(&rig);
        if (state == 0)
            rig_start(&rig, 0);
        else if (state == 1)
            rig_to_tunnel(&rig, 0);
        else
            rig_to_call(&rig, 0);
        if (state == 3)
            l2tp_close(rig.l, 0);
        rig_drain(&rig);
        if (state == 0)
            rig.nr = 0;
        before = *l2tp_facts(rig.l);
        deadline = l2tp_deadline(rig.l);
        if (state == 0 || state == 1 || state == 3)
            rig.nr = (uint16_t)(state == 0 ? 1 : state == 1 ? 3 : 6);
        held = mallinfo2().uordblks;
        for (unsigned i = 0; i < 25000; i++) {
            unsigned kind = i % 5;

            /* An Nr that acknowledges nothing new for the ZLBs; beyond what was sent for kind 3. */
            if (kind == 4) {
                uint16_t nr = rig.nr;

                rig.nr = (uint16_t)(state == 0 ? 0 : state == 1 ? 1 : 4);
                flood(&rig, kind, &seed);
                rig.nr = nr;
            } else {
                flood(&rig, kind, &seed);
            }
        }
        CHECK_INT(mallinfo2().uordblks, held);
        CHECK_INT(rig_pop_type(&rig), -1);
        CHECK_INT(rig_event(&rig, &e), -1);
        CHECK_INT(l2tp_deadline(rig.l), deadline);
        CHECK(l2tp_facts(rig.l)->dropped >= before.dropped + 19900);
        CHECK_INT(l2tp_facts(rig.l)->sent, before.sent);
        CHECK_INT(l2tp_facts(rig.l)->peer_tunnel_id, before.peer_tunnel_id);
        rig_free(&rig);
    }
}

/* H51 */
TEST(l2tp_hostile_ns_and_nr)
{
    struct rig rig;
    const struct l2tp_facts *f;
    static const char hello[] = "8008 0000 0000 0006";

    rig_init(&rig);
    rig_to_call(&rig, 0);
    f = l2tp_facts(rig.l);
    rig.ns = 1; /* a duplicate: acknowledged again, not processed */
    CHECK_INT(rig_send(&rig, RIG_SESSION, AVPS_ICRP, 1), VERDICT_OK);
    CHECK_INT(rig_pop_type(&rig), 0);
    CHECK_INT(f->duplicates, 1);
    CHECK(f->call_up);
    rig.ns = (uint16_t)(2 + 0x8000); /* 32768 behind still counts as received */
    CHECK_INT(rig_send(&rig, 0, hello, 1), VERDICT_OK);
    CHECK_INT(rig_pop_type(&rig), 0);
    CHECK_INT(f->duplicates, 2);
    rig.ns = 2 + L2TP_WINDOW; /* beyond our window */
    CHECK_INT(rig_send(&rig, 0, hello, 1), VERDICT_DROP);
    rig.ns = 2 + L2TP_WINDOW - 1; /* its last place: held, nothing to acknowledge yet */
    CHECK_INT(rig_send(&rig, 0, hello, 1), VERDICT_OK);
    CHECK_INT(rig_pop_type(&rig), -1);
    CHECK_INT(f->reordered, 1);
    rig.ns = 2;
    rig.nr = 5; /* beyond what was sent */
    CHECK_INT(rig_send(&rig, 0, hello, 1), VERDICT_DROP);
    rig.ns = 2;
    rig.nr = 2; /* backwards: ignored, the message taken */
    CHECK_INT(rig_send(&rig, 0, hello, 1), VERDICT_OK);
    CHECK_INT(rig_pop_type(&rig), 0);
    for (unsigned i = 3; i < 2 + L2TP_WINDOW - 1; i++) {
        CHECK_INT(rig.ns, i);
        CHECK_INT(rig_send(&rig, 0, hello, 1), VERDICT_OK);
        rig_drain(&rig);
    }
    rig.ns = 2 + L2TP_WINDOW; /* the held one was taken on the way */
    CHECK_INT(rig_send(&rig, 0, hello, 1), VERDICT_OK);
    CHECK_INT(rig_pop_type(&rig), 0);
    CHECK_INT(f->duplicates, 2);
    rig_free(&rig);
}

/* Pain 27: out-of-order control messages are put in order; every order of four, each twice. */
TEST(l2tp_hostile_every_order)
{
    static const char *const avps[] = {AVPS_ICRP, "8008 0000 0000 0006", "8008 0000 0000 000f",
                                       "8008 0000 0000 0010 8010 0000 0023 0000 00010203 04050607"};

    for (unsigned code = 0; code < 256; code++) {
        unsigned order[4] = {code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6};
        struct l2tp_event e;
        struct rig rig;

        if ((1u << order[0] | 1u << order[1] | 1u << order[2] | 1u << order[3]) != 15)
            continue;
        rig_init(&rig);
        rig_to_tunnel(&rig, 0);
        rig.nr = 3;
        for (unsigned i = 0; i < 8; i++) {
            rig.ns = (uint16_t)(1 + order[i / 2]);
            CHECK_INT(rig_send(&rig, order[i / 2] == 1 ? 0 : RIG_SESSION, avps[order[i / 2]], 0),
                      VERDICT_OK);
        }
        CHECK_INT(rig_event(&rig, &e), L2TP_EVENT_CALL_UP);
        CHECK_INT(rig_event(&rig, &e), -1);
        CHECK_INT(l2tp_facts(rig.l)->sli, 1);
        CHECK_INT(l2tp_facts(rig.l)->wen, 1);
        CHECK_INT(l2tp_facts(rig.l)->accm_send, 0x00010203);
        CHECK_INT(l2tp_facts(rig.l)->accm_recv, 0x04050607);
        rig_free(&rig);
    }
}

static int fate(unsigned state, uint16_t session, const char *avps, struct failure *f)
{
    struct rig rig;
    struct l2tp_event e = {0};
    int out;
    int event;

    rig_init(&rig);
    if (state == 0) {
        rig_start(&rig, 0);
        rig.nr = 1;
        rig_drain(&rig);
    } else if (state == 1) {
        rig_to_tunnel(&rig, 0);
        rig.nr = 3;
    } else {
        rig_to_call(&rig, 0);
    }
    (void)rig_send(&rig, session, avps, 0);
    event = rig_event(&rig, &e);
    out = rig_pop_type(&rig);
    *f = e.failure;
    rig_free(&rig);
    return event < 0 ? out : 100 * (event + 1) + out;
}

#define STOPPED (100 * (L2TP_EVENT_FAILED + 1) + 4)
#define CUT (100 * (L2TP_EVENT_CALL_DOWN + 1) + 14)
#define ACKNOWLEDGED 0

/* H52, H53, H54 */
TEST(l2tp_hostile_faulty_messages)
{
    struct failure f;

    for (unsigned state = 0; state < 3; state++) {
        CHECK_INT(fate(state, 0, "8008000000000006 800500000000", &f), STOPPED);
        CHECK_INT(f.id, FAILURE_L2TP_PROTOCOL);
        CHECK_INT(fate(state, 0, "8008000000000006 80ff00000000", &f), STOPPED);
        CHECK_INT(fate(state, 0, "8008000000000006 00", &f), STOPPED);
        CHECK_INT(fate(state, 0, "8008000000090101 8008000000000006", &f), STOPPED);
        /* M=1 in a message of the tunnel, M=0 */
        CHECK_INT(fate(state, 0, "8008000000000006 800600000063", &f), STOPPED);
        CHECK_STR(f.value, "HELLO: unknown mandatory attribute 99 of vendor 0");
        CHECK_INT(fate(state, 0, "8008000000000006 80060de90002", &f), STOPPED);
        CHECK_STR(f.value, "HELLO: unknown mandatory attribute 2 of vendor 3561");
        CHECK_INT(fate(state, 0, "8008000000000006 000600000063", &f), ACKNOWLEDGED);
        CHECK_INT(fate(state, 0, "8008000000000006 00060de90002", &f), ACKNOWLEDGED);
        /* message types */
        CHECK_INT(fate(state, 0, "8008000000000063", &f), STOPPED);
        CHECK_STR(f.value, "message: unknown mandatory message type 99");
        CHECK_INT(fate(state, 0, "0008000000000063", &f), ACKNOWLEDGED);
    }
    /* M=1 in a message of the session */
    CHECK_INT(fate(1, RIG_SESSION, AVPS_ICRP "800600000063", &f), CUT);
    CHECK_INT(f.id, FAILURE_L2TP_PROTOCOL);
    CHECK_INT(f.stage, STAGE_L2TP_CALL);
    CHECK_INT(fate(2, RIG_SESSION, "8008000000000010 800600000063", &f), CUT);
    CHECK_INT(fate(2, RIG_SESSION + 1, "8008000000000010 800600000063", &f), ACKNOWLEDGED);
    CHECK_INT(fate(2, RIG_SESSION, "8008000000000010 000600000063", &f), ACKNOWLEDGED);
    /* A call of the server's own is refused, whatever its request carries. */
    CHECK_INT(fate(2, 0, "800800000000000a 80080000000e0303 800600000063", &f), 14);
    /* ICRP without a session */
    CHECK_INT(fate(1, RIG_SESSION, "800800000000000b", &f), CUT);
    CHECK_INT(fate(1, RIG_SESSION, "800800000000000b 80080000000e0000", &f), CUT);
}

/* H56 */
TEST(l2tp_hostile_sccrp_must_be_complete)
{
    static const char *const parts[] = {"8008 0000 0002 0100", "800a 0000 0003 00000003",
                                        "8008 0000 0007 766d", "8008 0000 0009 0101"};
    static const char *const missing[] = {"SCCRP: no Protocol Version",
                                          "SCCRP: no Framing Capabilities", "SCCRP: no Host Name",
                                          "SCCRP: no Assigned Tunnel ID"};
    struct failure f;
    char avps[256];

    for (unsigned without = 0; without < 4; without++) {
        (void)snprintf(avps, sizeof(avps), "8008000000000002 %s %s %s %s",
                       without == 0 ? "" : parts[0], without == 1 ? "" : parts[1],
                       without == 2 ? "" : parts[2], without == 3 ? "" : parts[3]);
        CHECK_INT(fate(0, 0, avps, &f), STOPPED);
        CHECK_STR(f.value, missing[without]);
    }
    CHECK_INT(fate(0, 0,
                   "8008000000000002 8008000000020100 800a0000000300000003 800800000007766d"
                   "8008000000090000",
                   &f),
              STOPPED);
    CHECK_STR(f.value, "SCCRP: Assigned Tunnel ID 0");
    CHECK_INT(fate(0, 0,
                   "8008000000000002 8008000000020200 800a0000000300000003 800800000007766d"
                   "8008000000090101",
                   &f),
              STOPPED);
    /* Revision 1 of version 1 is still version 1. */
    CHECK_INT(fate(0, 0,
                   "8008000000000002 8008000000020101 800a0000000300000003 800800000007766d"
                   "8008000000090101",
                   &f),
              100 * (L2TP_EVENT_TUNNEL_UP + 1) + 3);
}

/* C29: names of any length, and with anything in them. */
TEST(l2tp_hostile_names_are_capped_and_escaped)
{
    for (size_t length = 1; length <= 1017; length += length < 300 ? 1 : 31) {
        static char avps[4096];
        struct rig rig;
        const struct l2tp_facts *f;
        int n = snprintf(avps, sizeof(avps),
                         "8008000000000002 8008000000020100 800a0000000300000003 8008000000090101"
                         "%04zx00000007",
                         0x8000 | (length + 6));

        for (size_t i = 0; i < length; i++)
            n += snprintf(avps + n, sizeof(avps) - (size_t)n, "%02x", (unsigned)(i * 37 + 1) & 255);
        rig_init(&rig);
        rig_start(&rig, 0);
        rig.nr = 1;
        CHECK_INT(rig_send(&rig, 0, avps, 0), VERDICT_OK);
        f = l2tp_facts(rig.l);
        CHECK(strlen(f->peer_hostname) > 0 && strlen(f->peer_hostname) < PEER_TEXT_MAX);
        for (const char *p = f->peer_hostname; *p; p++)
            CHECK(*p >= 0x20 && *p != 0x7f);
        rig_free(&rig);
    }
}

/* H59 */
TEST(l2tp_hostile_receive_window)
{
    static const struct {
        unsigned said, pipelined;
    } cases[] = {{0, 0}, {1, 0}, {2, 1}, {16, 1}, {65535, 1}};

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        char avps[256];
        struct rig rig;

        (void)snprintf(avps, sizeof(avps),
                       "8008000000000002 8008000000020100 800a0000000300000003 800800000007766d"
                       "8008000000090101 80080000000a%04x",
                       cases[i].said);
        rig_init(&rig);
        rig_start(&rig, 0);
        rig_drain(&rig);
        rig.nr = 1;
        CHECK_INT(rig_send(&rig, 0, avps, 0), VERDICT_OK);
        CHECK_INT(rig_pop_type(&rig), 3);
        CHECK_INT(rig_pop_type(&rig), cases[i].pipelined ? 10 : -1);
        rig_free(&rig);
    }
}

/* H58: calls of the server's own are refused within a bound. */
TEST(l2tp_hostile_calls_of_the_server)
{
    struct rig rig;
    unsigned refusals = 0;
    size_t n;
    uint8_t buf[256];
    int type;

    rig_init(&rig);
    rig_to_call(&rig, 0);
    for (unsigned i = 0; i < 1000; i++)
        CHECK_INT(rig_send(&rig, 0, "800800000000000a 80080000000e0303 800a0000000f00000001", 0),
                  VERDICT_OK);
    while ((type = rig_pop(&rig, buf, sizeof(buf), &n)) >= 0) {
        if (type == 14) {
            CHECK_INT(rig_u16(buf + 6), 0x0303);
            refusals++;
        }
    }
    CHECK(refusals >= 1 && refusals < 12);
    CHECK(l2tp_facts(rig.l)->call_up);
    rig_free(&rig);
}

TEST(l2tp_hostile_no_randomness_no_engine)
{
    struct rig rig;

    rig_init(&rig);
    rig.no_random = true;
    CHECK(!l2tp_new(&rig.config));
    rig_free(&rig);
}

/* Sequence numbers go round: 70 000 HELLOs of the server, in order. */
TEST(l2tp_hostile_sequence_numbers_wrap)
{
    struct rig rig;

    rig_init(&rig);
    rig_to_call(&rig, 0);
    for (unsigned i = 0; i < 70000; i++) {
        CHECK_INT(rig_send(&rig, 0, "8008 0000 0000 0006", i), VERDICT_OK);
        CHECK_INT(rig_pop_type(&rig), 0);
    }
    CHECK_INT(l2tp_facts(rig.l)->duplicates, 0);
    rig_free(&rig);
}

/* Ours go round too. */
TEST(l2tp_hostile_own_sequence_numbers_wrap)
{
    struct rig rig;
    l2tpc_us now = 0;

    rig_init(&rig);
    rig.config.hello = US_S(1);
    rig_to_call(&rig, 0);
    for (unsigned i = 0; i < 70000; i++) {
        now += US_S(1);
        l2tp_timer(rig.l, now);
        CHECK_INT(rig_pop_type(&rig), 6);
        rig.nr++;
        CHECK_INT(rig_send(&rig, 0, "", now), VERDICT_OK);
    }
    CHECK_INT(l2tp_facts(rig.l)->dropped, 0);
    CHECK_INT(l2tp_facts(rig.l)->resent, 0);
    rig_free(&rig);
}
