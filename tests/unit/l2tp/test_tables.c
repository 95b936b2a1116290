/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every cell of the state tables: RFC 2661 7.2.1 and 7.4.1, seen from outside. */
#include "check.h"
#include "rig.h"

#include <stdio.h>

/*
 * What a message does, one letter for each of the types 1 to 16:
 *   -  dropped, not even acknowledged       .  acknowledged, nothing else
 *   O  SCCCN goes out, TUNNEL_UP            C  ICCN goes out, CALL_UP
 *   X  StopCCN goes out, FAILED             D  CDN goes out, CALL_DOWN
 *   s  FAILED by the peer                   c  CLOSED by the peer
 *   d  CALL_DOWN by the peer                e  CLOSED, as we had asked for
 *   r  a CDN for the peer's own call, nothing else
 */
enum state {
    IDLE,
    SCCRQ_SENT,
    WAIT_TUNNEL, /* SCCCN unacknowledged in a window of one: what is refused waits behind it */
    ICRQ_SENT,
    UP,
    CALL_OVER,
    STOPCCN_SENT,
    CLOSED,
    FAILED,
};

static const char *const expected[] = {
    /*                 types 1 to 16; 5 and 13 are reserved and come without the M bit */
    [IDLE] = "----------------",         [SCCRQ_SENT] = ".OXs............",
    [WAIT_TUNNEL] = ".XXs............",  [ICRQ_SENT] = ".XXs..rDDrCD.d..",
    [UP] = ".XXc..rDDrDD.d..",           [CALL_OVER] = ".XXc..r..r......",
    [STOPCCN_SENT] = "...e............", [CLOSED] = "................",
    [FAILED] = "----------------",
};

static const char narrow_sccrp[] =
    "8008 0000 0000 0002  8008 0000 0002 0100  800a 0000 0003 00000003"
    "8008 0000 0007 766d  8008 0000 0009 0101  8008 0000 000a 0001";

static void reach(struct rig *rig, enum state state)
{
    rig_init(rig);
    switch (state) {
    case IDLE:
        rig->l = l2tp_new(&rig->config);
        break;
    case SCCRQ_SENT:
        rig_start(rig, 0);
        rig->nr = 1;
        break;
    case WAIT_TUNNEL:
        rig_start(rig, 0);
        rig->nr = 1;
        (void)rig_send(rig, 0, narrow_sccrp, 0);
        break;
    case ICRQ_SENT:
        rig_to_tunnel(rig, 0);
        rig->nr = 3;
        break;
    case UP:
        rig_to_call(rig, 0);
        break;
    case CALL_OVER:
        rig_to_call(rig, 0);
        (void)rig_send(rig, RIG_SESSION, AVPS_CDN("8008 0000 0001 0003"), 0);
        break;
    case STOPCCN_SENT:
        rig_to_call(rig, 0);
        l2tp_close(rig->l, 0);
        break;
    case CLOSED:
        rig_to_call(rig, 0);
        (void)rig_send(rig, 0, AVPS_STOPCCN("8008 0000 0001 0006"), 0);
        break;
    case FAILED:
        rig_to_call(rig, 0);
        (void)rig_send(rig, 0, AVPS_SCCRP, 0);
        break;
    }
    rig_drain(rig);
}

static enum verdict send_type(struct rig *rig, unsigned type)
{
    static const char *const body[] = {
        [1] = "8008 0000 0009 0101",
        [2] = NULL,
        [4] = "8008 0000 0001 0001",
        [7] = "8008 0000 000e 0303",
        [8] = "8008 0000 000e 0202",
        [10] = "8008 0000 000e 0303",
        [11] = "8008 0000 000e 0202",
        [14] = "8008 0000 000e 0202 8008 0000 0001 0003",
        [16] = NULL,
    };
    char avps[256];
    bool session = type >= 8 && type != 10;

    (void)snprintf(avps, sizeof(avps), "%s %04x %s",
                   type == 5 || type == 13 ? "000800000000" : "800800000000", type,
                   body[type] ? body[type] : "");
    return rig_send(rig, session ? RIG_SESSION : 0, type == 2 ? AVPS_SCCRP : avps, 0);
}

static char outcome(struct rig *rig, enum verdict v)
{
    struct l2tp_event e;
    int event = rig_event(rig, &e);
    int out = rig_pop_type(rig);

    if (v == VERDICT_DROP)
        return event < 0 && out < 0 ? '-' : '?';
    switch (event) {
    case -1:
        return out == 0 ? '.' : out == 14 ? 'r' : '?';
    case L2TP_EVENT_TUNNEL_UP:
        return out == 3 ? 'O' : '?';
    case L2TP_EVENT_CALL_UP:
        return out == 12 ? 'C' : '?';
    case L2TP_EVENT_CALL_DOWN:
        return e.by_peer ? (out == 0 ? 'd' : '?') : out == 14 ? 'D' : '?';
    case L2TP_EVENT_CLOSED:
        return out != 0 ? '?' : e.by_peer ? 'c' : 'e';
    case L2TP_EVENT_FAILED:
        if (v != VERDICT_FATAL)
            return '?';
        if (e.by_peer)
            return out == 0 ? 's' : '?';
        return e.failure.id == FAILURE_L2TP_PROTOCOL && (out == 4 || rig_pop_type(rig) == 4) ? 'X'
                                                                                             : '?';
    default:
        return '?';
    }
}

TEST(l2tp_tables_every_cell)
{
    for (unsigned state = 0; state < ARRAY_LEN(expected); state++) {
        char row[17] = "";

        for (unsigned type = 1; type <= 16; type++) {
            struct rig rig;

            reach(&rig, (enum state)state);
            row[type - 1] = outcome(&rig, send_type(&rig, type));
            rig_free(&rig);
        }
        CHECK_STR(row, expected[state]);
    }
}

/* The same messages to a session that is not ours: acknowledged only (row H50). */
TEST(l2tp_tables_foreign_session_is_acknowledged_only)
{
    static const unsigned types[] = {8, 9, 11, 12, 14, 15, 16};

    for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
        struct rig rig;
        char avps[128];

        reach(&rig, UP);
        (void)snprintf(avps, sizeof(avps), "800800000000%04x 80080000000e0303 8008000000010003",
                       types[i]);
        CHECK_INT(outcome(&rig, rig_send(&rig, RIG_SESSION + 1, avps, 0)), '.');
        CHECK_INT(outcome(&rig, rig_send(&rig, 0, avps, 0)), '.');
        CHECK(l2tp_facts(rig.l)->call_up);
        rig_free(&rig);
    }
}

/* RFC 2661 4.4.4: a CDN with session ID 0 in its header is matched by its AVP. */
TEST(l2tp_tables_cdn_without_session_id)
{
    struct rig rig;

    reach(&rig, UP);
    CHECK_INT(outcome(&rig, rig_send(&rig, 0, AVPS_CDN("8008 0000 0001 0003"), 0)), 'd');
    rig_free(&rig);
    reach(&rig, ICRQ_SENT);
    CHECK_INT(outcome(&rig, rig_send(&rig, 0, "800800000000000e 8008000000010004", 0)), 'd');
    rig_free(&rig);
}
