/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the driver may do to a dial: answer late, never or badly, stop early, cancel at any time. */
#include "check.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

/* ---- the end at any moment ---- */

enum stop {
    STOP_CLOSE,
    STOP_CANCEL,
    STOPS,
};

static void stop(struct world *w, enum stop how)
{
    struct failure f = failure_make(FAILURE_LOCAL_CANCELLED);

    if (how == STOP_CLOSE)
        dial_close(w->dial, w->sim.now);
    else
        dial_fail(w->dial, &f, w->sim.now);
}

/* Stops behind the first `lines` of the waterfall; false when something is not as it must be. */
static bool stopped_at(unsigned lines, enum stop how, bool deaf, enum encapsulation e, bool *was_up)
{
    struct world_config c;
    struct peer_facts before;
    struct world *w;
    bool something;
    l2tpc_us from;
    bool ok;

    world_config_default(&c);
    c.dial.encapsulation = e;
    w = world_new(&c);
    w->goal_lines = lines;
    (void)world_until(w, world_has_lines, US_S(10));
    *was_up = w->up;
    before = *peer_facts(w->sim.peer);
    something = dial_facts(w->dial)->has_sa;
    if (deaf)
        for (unsigned p = 0; p < PEER_PORTS; p++)
            simlink_config(w->sim.link)->blocked[p][SIMLINK_TO_CLIENT] = true;
    from = w->sim.now;
    stop(w, how);
    ok = world_until(w, world_is_down, US_S(6));
    ok = ok && w->down_at - from <= (something ? US_S(5) : US_MS(100));
    /* The other end is reachable: an answered goodbye takes a few round trips. */
    ok = ok && (deaf || w->down_at - from <= US_MS(300));
    world_run(w, US_S(3));
    ok = ok && w->violations == 0 && dial_deadline(w->dial) == US_NEVER;
    ok = ok && w->failed == (how == STOP_CANCEL);
    ok = ok && (!before.session_up || peer_facts(w->sim.peer)->stopccns > 0);
    ok = ok && (!before.lcp_up || peer_facts(w->sim.peer)->terminates > 0);
    ok = ok && (!dial_facts(w->dial)->was_authenticated || peer_facts(w->sim.peer)->deletes_ike);
    ok = ok && !peer_facts(w->sim.peer)->tunnel_up;
    /* Of a pair whose quick mode 2 has not arrived we cannot know. */
    ok = ok && (!something || !peer_facts(w->sim.peer)->esp_pairs);
    if (!ok) {
        printf(
            "    %s behind \"%s\"%s: %s after %.3f s; stopccn %u, deletes %u %u, esp %u; %s\n",
            how == STOP_CLOSE ? "closed" : "cancelled", lines ? w->line[lines - 1].text : "nothing",
            deaf ? " (deaf)" : "", w->down ? "down" : "not down", (double)(w->sim.now - from) / 1e6,
            peer_facts(w->sim.peer)->stopccns, peer_facts(w->sim.peer)->deletes_esp,
            peer_facts(w->sim.peer)->deletes_ike, peer_facts(w->sim.peer)->esp_pairs, w->violation);
    }
    world_free(w);
    return ok;
}

static bool stopped_everywhere(enum stop how, bool deaf, enum encapsulation e)
{
    bool all = true, up = false;
    unsigned n = 0;

    for (; !up && n < 200; n++)
        all &= stopped_at(n, how, deaf, e, &up);
    printf("    %u moments\n", n);
    return all && up;
}

TEST(drive_closed_at_every_step)
{
    CHECK(stopped_everywhere(STOP_CLOSE, false, ENCAPSULATION_AUTO));
    CHECK(stopped_everywhere(STOP_CLOSE, false, ENCAPSULATION_ESP));
}

TEST(drive_cancelled_at_every_step)
{
    CHECK(stopped_everywhere(STOP_CANCEL, false, ENCAPSULATION_AUTO));
    CHECK(stopped_everywhere(STOP_CANCEL, false, ENCAPSULATION_ESP));
}

TEST(drive_closed_at_every_step_unheard)
{
    CHECK(stopped_everywhere(STOP_CLOSE, true, ENCAPSULATION_AUTO));
    CHECK(stopped_everywhere(STOP_CANCEL, true, ENCAPSULATION_ESP));
}

/* Closing twice, failing behind it, answers and packets that come late: all without effect. */
TEST(drive_end_is_final)
{
    struct failure f = failure_make(FAILURE_LOCAL_CANCELLED);
    struct world_config c;
    struct world *w;
    unsigned lines;

    world_config_default(&c);
    c.peer.dpd = US_S(1);
    w = world_new(&c);
    CHECK(world_dial(w, US_S(10)));
    dial_close(w->dial, w->sim.now);
    dial_close(w->dial, w->sim.now);
    dial_fail(w->dial, &f, w->sim.now);
    CHECK(world_until(w, world_is_down, US_S(5)));
    CHECK(!w->failed);
    lines = w->n_lines;
    peer_send_ip(w->sim.peer, SPAN_ARRAY(((uint8_t[]){0x45, 0, 0, 20})), w->sim.now);
    peer_dpd_probe(w->sim.peer, w->sim.now);
    dial_timer(w->dial, w->sim.now + US_S(100));
    dial_answer_done(w->dial, 5, NULL, w->sim.now);
    CHECK(!world_ping(w));
    world_run(w, US_S(10));
    for (unsigned i = lines; i < w->n_lines; i++)
        CHECK(w->line[i].kind != LINE_EVENT);
    CHECK_INT(w->violations, 0);
    world_free(w);
}

/* ---- no further than this stage ---- */

TEST(drive_until_each_stage)
{
    for (enum stage s = STAGE_RESOLVE; s < STAGE_UP; s++) {
        struct world_config c;
        struct world *w;

        world_config_default(&c);
        c.dial.until = s;
        w = world_new(&c);
        (void)world_until(w, world_is_down, US_S(10));
        world_run(w, US_S(2));
        if (!w->down || w->failed || w->up || !world_clean(w) ||
            !dial_facts(w->dial)->stage[s].done ||
            (s + 1 < STAGE_UP && dial_facts(w->dial)->stage[s + 1].begun && s != STAGE_RESOLVE) ||
            w->needs[DIAL_NEED_TUN] || peer_facts(w->sim.peer)->tunnel_up ||
            peer_facts(w->sim.peer)->ike_established ||
            /* Quick mode 1 has left with the end of main mode. */
            (s != STAGE_IKE_AUTH && peer_facts(w->sim.peer)->esp_pairs)) {
            printf("    until %s: failed %d up %d, now at %s; %s%s\n", stage_name(s), w->failed,
                   w->up, stage_name(dial_facts(w->dial)->current), w->violation,
                   peer_facts(w->sim.peer)->complaint);
            CHECK(false);
        }
        world_free(w);
    }
}

/* ---- needs ---- */

TEST(drive_needs_answered_late)
{
    for (unsigned n = 0; n <= DIAL_NEED_APPLY_IP; n++) {
        struct world_config c;
        struct world *w;

        world_config_default(&c);
        c.script[n].delay = n == DIAL_NEED_PASSWORD || n == DIAL_NEED_TUN ? US_S(20) : US_S(8);
        w = world_new(&c);
        if (!world_dial(w, US_S(60))) {
            printf("    need %u answered after 8 s\n", n);
            CHECK(false);
        }
        CHECK(w->up_at - US_S(1000) >= c.script[n].delay);
        CHECK(w->up_at - US_S(1000) <= c.script[n].delay + US_S(5));
        CHECK(world_close(w));
        world_free(w);
    }
}

TEST(drive_needs_answered_with_failure)
{
    static const struct {
        enum dial_need_type need;
        enum failure_id id;
    } row[] = {
        {DIAL_NEED_RESOLVE, FAILURE_RESOLVE_NOT_FOUND},
        {DIAL_NEED_SOCKETS, FAILURE_LOCAL_SOCKET},
        {DIAL_NEED_PSK, FAILURE_LOCAL_SECRET},
        {DIAL_NEED_PASSWORD, FAILURE_LOCAL_SECRET},
        {DIAL_NEED_TUN, FAILURE_LOCAL_TUN},
        {DIAL_NEED_APPLY_IP, FAILURE_LOCAL_CONFIGURE},
    };

    for (size_t i = 0; i < ARRAY_LEN(row); i++) {
        for (unsigned late = 0; late < 2; late++) {
            struct world_config c;
            struct world *w;

            world_config_default(&c);
            c.script[row[i].need].answer = ANSWER_FAILURE;
            c.script[row[i].need].delay = late ? US_S(3) : 0;
            w = world_new(&c);
            CHECK(world_until(w, world_is_down, US_S(10)));
            CHECK(w->failed);
            CHECK_STR(failure_code(w->failure.id), failure_code(row[i].id));
            world_run(w, US_S(1));
            CHECK(world_clean(w));
            CHECK_INT(peer_facts(w->sim.peer)->ike_established, 0);
            world_free(w);
        }
    }
}

/* A need that nobody answers holds the dial, but neither its timers nor its end. */
TEST(drive_needs_never_answered)
{
    for (unsigned n = 0; n <= DIAL_NEED_APPLY_IP; n++) {
        for (unsigned timeout = 0; timeout < 2; timeout++) {
            struct world_config c;
            struct world *w;

            world_config_default(&c);
            c.script[n].answer = ANSWER_NEVER;
            c.dial.timeout = timeout ? US_S(20) : 0;
            w = world_new(&c);
            world_run(w, US_S(19));
            CHECK(!w->up);
            if (timeout) {
                CHECK(world_until(w, world_is_down, US_S(7)));
                if (w->failure.id != FAILURE_LOCAL_TIMEOUT) {
                    printf("    need %u: %s\n", n, failure_code(w->failure.id));
                    CHECK(false);
                }
            } else {
                world_run(w, US_S(300));
                if (!w->down)
                    dial_close(w->dial, w->sim.now);
                CHECK(world_until(w, world_is_down, US_S(5)));
            }
            CHECK_INT(w->violations, 0);
            world_free(w);
        }
    }
}

/* Answers with wrong numbers, twice, or for another need. */
TEST(drive_needs_answered_wrongly)
{
    struct inaddr a = inaddr_v4(0x0a0a0a0a);
    struct span secret = span_str("x");
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.script[DIAL_NEED_PSK].delay = US_S(1);
    w = world_new(&c);
    world_run(w, US_MS(500));
    for (uint32_t id = 0; id < 12; id++) {
        if (dial_need_is_open(w->dial, id))
            continue;
        dial_answer_resolve(w->dial, id, &a, 1, NULL, w->sim.now);
        dial_answer_sockets(w->dial, id, &c.local, 4500, NULL, w->sim.now);
        dial_answer_secret(w->dial, id, &secret, w->sim.now);
        dial_answer_done(w->dial, id, NULL, w->sim.now);
    }
    CHECK(world_dial(w, US_S(20)));
    CHECK(world_close(w));
    CHECK(!dial_need_is_open(w->dial, 1));
    world_free(w);
}

/* ---- addresses ---- */

TEST(drive_first_address_is_dead)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.address[0] = inaddr_v4(0xc0000209);
    c.address[1] = inaddr_v4(0xc000020a);
    c.address[2] = c.peer.local.addr;
    c.n_address = 3;
    w = world_new(&c);
    CHECK(world_dial(w, US_S(30)));
    CHECK(w->elsewhere > 2);
    printf("    up after %.1f s by the third address\n", (double)(w->up_at - US_S(1000)) / 1e6);
    CHECK(w->up_at - US_S(1000) <= 2 * US_S(5) + US_S(2));
    CHECK(inaddr_eq(&dial_facts(w->dial)->remote.addr, &c.peer.local.addr));
    CHECK(world_close(w));
    world_free(w);
}

TEST(drive_every_address_is_dead)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.address[0] = inaddr_v4(0xc0000209);
    c.address[1] = inaddr_v4(0xc000020a);
    c.n_address = 2;
    w = world_new(&c);
    CHECK(world_until(w, world_is_down, US_S(60)));
    CHECK_STR(failure_code(w->failure.id), "ike.no-answer");
    CHECK(w->failed_at - US_S(1000) <= US_S(51));
    world_free(w);
}

TEST(drive_bad_addresses)
{
    static const char *const bad[] = {"127.0.0.1", "127.1.2.3",       "0.0.0.0",
                                      "224.0.0.1", "255.255.255.255", "::1",
                                      "::",        "ff02::1",         "10.0.0.2" /* our own */};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct world_config c;
        struct world *w;

        world_config_default(&c);
        CHECK(inaddr_parse(&c.address[0], bad[i]));
        w = world_new(&c);
        CHECK(world_until(w, world_is_down, US_S(1)));
        CHECK_STR(failure_code(w->failure.id), "resolve.bad-address");
        CHECK_STR(w->failure.value, bad[i]);
        CHECK_INT(simlink_stats(w->sim.link)->sent[PEER_UDP500][SIMLINK_TO_PEER], 0);
        world_free(w);
        /* With a good one beside it the bad one is passed over. */
        c.address[1] = c.peer.local.addr;
        c.n_address = 2;
        w = world_new(&c);
        if (!world_dial(w, US_S(20))) {
            printf("    %s in front of a good address\n", bad[i]);
            CHECK(false);
        }
        world_free(w);
    }
}

TEST(drive_no_address)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.n_address = 0;
    w = world_new(&c);
    CHECK(world_until(w, world_is_down, US_S(1)));
    CHECK_STR(failure_code(w->failure.id), "resolve.not-found");
    world_free(w);
}

/* ---- a name with more addresses than are kept ---- */

TEST(drive_many_addresses)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    for (unsigned i = 0; i < DIAL_ADDRESSES_MAX; i++)
        c.address[i] = inaddr_v4(0x7f000001 + i);
    c.address[DIAL_ADDRESSES_MAX - 1] = c.peer.local.addr;
    c.n_address = DIAL_ADDRESSES_MAX;
    w = world_new(&c);
    CHECK(world_dial(w, US_S(10)));
    world_free(w);
}
