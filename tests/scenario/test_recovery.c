/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Faults under a tunnel and in the middle of a dial, in virtual time: hostile.md F4 to F6, F14,
 * F28. */
#include "base/limits.h"
#include "check.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

static void block(struct world *w, enum peer_port port, bool on)
{
    simlink_config(w->sim.link)->blocked[port][0] = on;
    simlink_config(w->sim.link)->blocked[port][1] = on;
}

static void stream(struct world *w, l2tpc_us every)
{
    w->stream_every = every;
    w->stream_due = w->sim.now;
}

/* Up, with some life behind it. */
static struct world *up_with(const struct world_config *c)
{
    struct world *w = world_new(c);

    if (world_dial(w, US_S(30))) {
        world_run(w, US_S(7));
        return w;
    }
    world_free(w);
    return NULL;
}

static bool dead_within(struct world *w, l2tpc_us limit)
{
    l2tpc_us from = w->sim.now;

    if (!world_until(w, world_is_down, limit + US_S(10)) || !w->failed) {
        printf("    not noticed\n");
        return false;
    }
    printf("    noticed after %.1f s\n", (double)(w->failed_at - from) / 1e6);
    return strcmp(failure_code(w->failure.id), "up.peer-dead") == 0 &&
           w->failed_at - from <= limit && w->violations == 0;
}

/* IKE answers every probe, and nothing protected comes through any more. */
TEST(f06_half_dead_is_dead)
{
    static const enum peer_flavour flavours[] = {PEER_PLAIN, PEER_PPPD};

    for (unsigned i = 0; i < ARRAY_LEN(flavours); i++) {
        struct world_config c;
        struct world *w;

        world_config_default(&c);
        c.dial.encapsulation = ENCAPSULATION_ESP;
        c.peer.flavour = flavours[i];
        w = up_with(&c);
        CHECK(w);
        stream(w, US_MS(200));
        world_run(w, US_S(1));
        block(w, PEER_RAWESP, true);
        CHECK(dead_within(w, US_S(30)));
        CHECK(dial_facts(w->dial)->ike->dpd_answered >= 1);
        world_free(w);
    }
}

/* The other way round: IKE is deaf, and the tunnel works. */
TEST(f06_deaf_ike_is_alive)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.dial.encapsulation = ENCAPSULATION_ESP;
    w = up_with(&c);
    CHECK(w);
    stream(w, US_MS(500));
    block(w, PEER_UDP500, true);
    block(w, PEER_UDP4500, true);
    world_run(w, US_S(300));
    CHECK(!w->failed);
    w->stream_every = 0;
    world_run(w, US_S(2));
    CHECK_INT(w->pings - w->replies, 0);
    world_free(w);
}

/* Packets that need no answer are no sign of death: HELLO and echo ask after the server. */
TEST(f05_traffic_that_nobody_answers_is_no_loss)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    w = up_with(&c);
    CHECK(w);
    for (unsigned i = 0; i < 600; i++) {
        dial_note_esp_out(w->dial, w->sim.now);
        world_run(w, US_MS(500));
    }
    CHECK(!w->failed);
    CHECK(dial_facts(w->dial)->l2tp->resent == 0);
    world_free(w);
}

TEST(f05_forgotten_by_the_server)
{
    for (unsigned traffic = 0; traffic < 2; traffic++) {
        struct world_config c;
        struct world *w;

        world_config_default(&c);
        c.peer.no_dpd = true;
        w = up_with(&c);
        CHECK(w);
        if (traffic)
            stream(w, US_MS(200));
        world_run(w, US_S(1));
        peer_forget(w->sim.peer);
        CHECK(dead_within(w, traffic ? US_S(30) : US_S(50)));
        world_free(w);
    }
}

/* ---- a standstill of this computer ---- */

static void stand_still(struct world *w, l2tpc_us for_so_long)
{
    w->sim.now += for_so_long;
    dial_woke(w->dial, w->sim.now);
}

TEST(f28_standstill_keeps_what_the_server_keeps)
{
    struct world_config c;
    struct world *w;
    unsigned from;
    unsigned out = 0;

    world_config_default(&c);
    w = up_with(&c);
    CHECK(w);
    from = w->n_lines;
    stand_still(w, US_S(20));
    world_run(w, US_S(1) - 1);
    for (unsigned i = from; i < w->n_lines; i++)
        out += w->line[i].kind == LINE_OUT;
    printf("    %u messages in the first second\n", out);
    CHECK(out >= 2 && out <= 6);
    world_run(w, US_S(60));
    CHECK(!w->failed);
    CHECK(world_ping(w));
    CHECK(world_until(w, world_ping_answered, US_S(1)));
    CHECK(world_close(w));
    world_free(w);
}

TEST(f14_suspended_for_long)
{
    static const unsigned seconds[] = {10, 600, 8 * 3600};

    for (unsigned i = 0; i < ARRAY_LEN(seconds); i++) {
        struct world_config c;
        struct world *w;

        world_config_default(&c);
        w = up_with(&c);
        CHECK(w);
        peer_forget(w->sim.peer);
        stand_still(w, US_S(seconds[i]));
        if (seconds[i] < 3600) {
            CHECK(dead_within(w, US_S(3)));
        } else { /* the keys are older than they may be */
            CHECK(world_until(w, world_is_down, US_S(10)));
            CHECK(w->failed);
        }
        world_free(w);
    }
}

/* What lay in the socket since before the standstill comes in at once, and is no answer. */
TEST(f14_old_packets_are_no_answer)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    w = up_with(&c);
    CHECK(w);
    peer_forget(w->sim.peer);
    stand_still(w, US_S(600));
    dial_note_esp_in(w->dial, data_peer(dial_data(w->dial)), w->sim.now + US_MS(5));
    CHECK(dead_within(w, US_S(3)));
    world_free(w);
}

/* ---- F4: the server dies in the middle of a dial that is to bring a tunnel back ---- */

static unsigned dies_at;

static bool sent_so_many(struct world *w)
{
    unsigned out = 0;

    for (unsigned i = 0; i < w->n_lines; i++)
        out += w->line[i].kind == LINE_OUT;
    return out >= dies_at || w->up || w->failed;
}

TEST(f04_killed_at_each_message)
{
    unsigned stages = 0;

    for (dies_at = 1; dies_at < 40; dies_at++) {
        struct world_config c;
        struct world *w;
        l2tpc_us died;

        world_config_default(&c);
        c.dial.patience = REDIAL_PATIENCE;
        w = world_new(&c);
        CHECK(w);
        CHECK(world_until(w, sent_so_many, US_S(20)));
        if (w->up) {
            world_free(w);
            break;
        }
        died = w->sim.now;
        peer_forget(w->sim.peer);
        peer_silence(w->sim.peer, STAGE_IKE_PHASE1);
        world_run(w, US_S(5));
        peer_silence(w->sim.peer, STAGE_RESOLVE);
        CHECK(world_until(w, world_is_up, US_S(20)));
        printf("    message %2u, %-12s: %s after %.1f s\n", dies_at,
               stage_name(w->failed ? w->failed_stage : dial_facts(w->dial)->current),
               w->failed ? failure_code(w->failure.id) : "up",
               (double)((w->failed ? w->failed_at : w->up_at) - died) / 1e6);
        /* Given up, the next dial begins a second later and is up a second after that. */
        CHECK((w->failed ? w->failed_at : w->up_at) - died <= US_S(5 + 16));
        if (w->failed) {
            CHECK(w->failed_at - died <= US_S(12));
            stages |= 1u << w->failed_stage;
        }
        world_free(w);
    }
    CHECK(dies_at > 8);
    CHECK(stages & (1u << STAGE_IKE_AUTH));
    CHECK(stages & (1u << STAGE_PPP_AUTH));
}

/* Who types a password, and a directory that thinks, is not a server that died. */
TEST(f04_a_slow_login_is_waited_for)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.dial.patience = REDIAL_PATIENCE;
    c.script[DIAL_NEED_PASSWORD].delay = US_S(25);
    c.script[DIAL_NEED_PSK].delay = US_S(9);
    w = world_new(&c);
    CHECK(world_until(w, world_is_up, US_S(60)));
    if (!w->up)
        world_print(w);
    CHECK(w->up);
    world_free(w);
}
