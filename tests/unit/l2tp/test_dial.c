/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two parties in virtual time. */
#include "check.h"
#include "lns.h"

#include <string.h>

TEST(l2tp_dial_reaches_the_floor_of_round_trips)
{
    struct world w;
    const struct l2tp_facts *f;

    world_init(&w);
    world_start(&w);
    CHECK(world_run(&w, &w.call_up, US_S(5)));
    /* SCCRQ/SCCRP, then SCCCN and ICRQ in one flight: two round trips of 40 ms. */
    CHECK_INT(w.call_up_at - US_S(1), US_MS(80));
    CHECK_INT(w.first_seen[TO_LNS][3], w.first_seen[TO_LNS][10]);
    CHECK(world_run(&w, &w.up, US_S(5)));
    CHECK(w.tunnel_up && w.established && !w.out_of_place && !w.failed);
    f = l2tp_facts(w.rig.l);
    CHECK(f->tunnel_up && f->call_up && f->resent == 0 && f->dropped == 0);
    CHECK_INT(f->peer_tunnel_id, RIG_PEER_TUNNEL);
    CHECK_INT(f->peer_session_id, RIG_PEER_SESSION);
    CHECK_INT(f->peer_window, 4);
    CHECK_INT(f->rtt, US_MS(40));
    CHECK_STR(f->peer_hostname, "xx");
    (void)world_run(&w, NULL, US_S(2));
    CHECK_INT(w.seen[TO_LNS][1] + w.seen[TO_LNS][3] + w.seen[TO_LNS][10] + w.seen[TO_LNS][12], 4);
    CHECK_INT(w.seen[TO_LNS][0], 0); /* each acknowledgement rode on a message of ours */
    world_free(&w);
}

TEST(l2tp_dial_narrow_window_is_not_pipelined)
{
    struct world w;

    world_init(&w);
    w.window = 1;
    world_start(&w);
    CHECK(world_run(&w, &w.up, US_S(5)));
    CHECK(w.first_seen[TO_LNS][10] == w.first_seen[TO_LNS][3] + US_MS(40));
    world_free(&w);
}

static bool lose_one(struct world *w, int to, int type)
{
    return to == w->lose_to && type == w->lose_type && w->seen[to][type] <= w->lose_times;
}

/* F2: message k lost one to five times, for every k of dial, idle life and close. */
TEST(l2tp_dial_survives_the_loss_of_any_message)
{
    static const struct {
        int to, type;
    } messages[] = {{TO_LNS, 1},    {TO_CLIENT, 2},  {TO_LNS, 3},  {TO_LNS, 10},
                    {TO_CLIENT, 0}, {TO_CLIENT, 11}, {TO_LNS, 12}, {TO_LNS, 0},
                    {TO_LNS, 6},    {TO_LNS, 14},    {TO_LNS, 4},  {TO_CLIENT, 6}};

    for (unsigned i = 0; i < ARRAY_LEN(messages); i++) {
        for (unsigned times = 1; times <= 5; times++) {
            struct world w;

            world_init(&w);
            w.lose = lose_one;
            w.lose_to = messages[i].to;
            w.lose_type = messages[i].type;
            w.lose_times = times;
            world_start(&w);
            CHECK(world_run(&w, &w.up, US_S(15)));
            CHECK(w.call_up && !w.out_of_place && !w.failed);
            lns_send(&w, 0, "8008000000000006");
            (void)world_run(&w, NULL, w.now + US_S(90));
            CHECK_INT(w.queued, 0); /* the server's HELLO has been acknowledged */
            CHECK(w.hellos > 0 && !w.failed && !w.closed);
            l2tp_close(w.rig.l, w.now);
            CHECK(world_run(&w, &w.closed, w.now + US_S(2)));
            CHECK(!w.failed && !w.out_of_place);
            world_free(&w);
        }
    }
}

static bool lose_some(struct world *w, int to, int type)
{
    (void)to;
    (void)type;
    return world_random(w) % 100 < w->loss_percent;
}

static l2tpc_us shake(struct world *w)
{
    return world_random(w) % US_MS(60);
}

/* F1: loss, duplicates and reordering together; a hundred seeds each. */
TEST(l2tp_dial_survives_a_bad_path)
{
    for (unsigned loss = 0; loss <= 30; loss += 10) {
        for (unsigned seed = 1; seed <= 100; seed++) {
            struct world w;

            world_init(&w);
            w.lose = lose_some;
            w.loss_percent = loss;
            w.jitter = shake;
            w.duplicate = true;
            w.seed = seed;
            world_start(&w);
            CHECK(world_run(&w, &w.up, US_S(60)));
            CHECK(!w.out_of_place && !w.failed);
            world_free(&w);
        }
    }
}

TEST(l2tp_dial_no_answer_takes_95_seconds)
{
    struct world w;

    world_init(&w);
    w.lns_mute = true;
    world_start(&w);
    CHECK(world_run(&w, &w.failed, US_S(200)));
    CHECK_INT(w.end_at, US_S(1) + L2TP_DEADLINE);
    CHECK_INT(w.failure.id, FAILURE_L2TP_NO_ANSWER);
    CHECK_STR(w.failure.waited_for, "SCCRP");
    /* 0, .2, .6, 1.4, 3, 6.2, 12.6 and then every 8 s. */
    CHECK_INT(w.failure.sends, 17);
    CHECK_INT(w.seen[TO_LNS][1], 17);
    CHECK(l2tp_deadline(w.rig.l) == US_NEVER);
    world_free(&w);
}

static bool lose_icrp(struct world *w, int to, int type)
{
    (void)w;
    return to == TO_CLIENT && type == 11;
}

TEST(l2tp_dial_call_no_answer_takes_95_seconds)
{
    struct world w;

    world_init(&w);
    w.lose = lose_icrp;
    world_start(&w);
    CHECK(world_run(&w, &w.failed, US_S(200)));
    CHECK_INT(w.end_at, w.first_seen[TO_LNS][10] + L2TP_DEADLINE);
    CHECK_INT(w.failure.id, FAILURE_L2TP_CALL_NO_ANSWER);
    CHECK_INT(w.failure.stage, STAGE_L2TP_CALL);
    CHECK_STR(w.failure.waited_for, "ICRP");
    CHECK(world_run(&w, &w.saw_stop, w.now + US_S(1)));
    world_free(&w);
}

TEST(l2tp_dial_established_peer_that_goes_silent_is_dead)
{
    struct world w;
    l2tpc_us silent;

    world_init(&w);
    world_start(&w);
    CHECK(world_run(&w, &w.up, US_S(5)));
    (void)world_run(&w, NULL, US_S(10));
    silent = w.now;
    w.lns_mute = true;
    CHECK(world_run(&w, &w.failed, US_S(400)));
    CHECK_INT(w.failure.id, FAILURE_PEER_DEAD);
    CHECK(w.end_at - silent <= L2TP_HELLO + L2TP_DEADLINE);
    CHECK(w.seen[TO_LNS][6] >= 12);
    world_free(&w);
}

TEST(l2tp_dial_data_counts_as_life)
{
    struct world w;
    l2tpc_us until;

    world_init(&w);
    world_start(&w);
    CHECK(world_run(&w, &w.up, US_S(5)));
    for (until = US_S(10); until < US_S(400); until += US_S(20)) {
        (void)world_run(&w, NULL, until);
        l2tp_note_data(w.rig.l, w.now);
    }
    CHECK_INT(w.seen[TO_LNS][6], 0); /* no HELLO while data comes in */
    (void)world_run(&w, NULL, w.now + US_S(61));
    CHECK_INT(w.hellos, 1);
    world_free(&w);
}

TEST(l2tp_dial_hello_comes_after_the_configured_idle_time)
{
    struct world w;

    world_init(&w);
    w.rig.config.hello = US_S(7);
    world_start(&w);
    CHECK(world_run(&w, &w.up, US_S(5)));
    (void)world_run(&w, NULL, US_S(1) + US_S(80));
    CHECK_INT(w.hellos, 11); /* one each 7.04 s */
    world_free(&w);
}
