/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the time of a dial goes. 50 ms there and back and a server without waits of its own: what
 * is left are round trips, and no gap of ours.
 */
#include "check.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

#define ONE_WAY US_MS(25)
#define RTT (2 * ONE_WAY)

static struct world *dialed(enum encapsulation e, enum peer_flavour flavour)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.link.latency = ONE_WAY;
    c.dial.encapsulation = e;
    c.peer.flavour = flavour;
    w = world_new(&c);
    if (world_dial(w, US_S(20)))
        return w;
    world_free(w);
    return NULL;
}

static double rtts(const struct world *w)
{
    return (double)(w->up_at - US_S(1000)) / (double)RTT;
}

/*
 * The floor is eleven: main mode 3, quick mode 1, SCCRQ 1, ICRQ 1, LCP 1, the challenge 1, the
 * response 1, IPCP 2. Ten would need IPCP before the authentication has ended, which many servers
 * drop and the client does not do.
 */
TEST(waterfall_round_trips)
{
    struct world *w = dialed(ENCAPSULATION_AUTO, PEER_PLAIN);

    CHECK(w);
    world_print(w);
    printf("    up after %.2f round trips\n", rtts(w));
    CHECK(rtts(w) <= 11.0);
    world_free(w);
    w = dialed(ENCAPSULATION_ESP, PEER_PLAIN);
    CHECK(w);
    printf("    raw ESP: up after %.2f round trips\n", rtts(w));
    CHECK(rtts(w) <= 11.0);
    world_free(w);
}

/* The floor is the same far away: no timer of ours runs out before an answer can be there. */
TEST(waterfall_far_away)
{
    static const l2tpc_us one_way[] = {US_MS(60), US_MS(120), US_MS(200)};

    for (size_t i = 0; i < ARRAY_LEN(one_way); i++) {
        struct world_config c;
        struct world *w;
        double trips;

        world_config_default(&c);
        c.link.latency = one_way[i];
        w = world_new(&c);
        CHECK(world_dial(w, US_S(20)));
        trips = (double)(w->up_at - US_S(1000)) / (double)(2 * one_way[i]);
        printf("    %.0f ms: up after %.2f round trips\n", 2e-3 * (double)one_way[i], trips);
        CHECK(trips <= 11.0);
        CHECK_INT(dial_facts(w->dial)->l2tp->resent, 0);
        world_free(w);
    }
}

/* The flavours add waits of their own; what they cost is shown, and bounded. */
TEST(waterfall_flavours)
{
    static const char *const name[] = {"plain", "SoftEther", "pppd", "Windows"};

    for (unsigned f = PEER_PLAIN; f <= PEER_WINDOWS; f++) {
        struct world *w = dialed(ENCAPSULATION_AUTO, (enum peer_flavour)f);

        CHECK(w);
        printf("    %-9s up after %.0f ms\n", name[f], (double)(w->up_at - US_S(1000)) / 1e3);
        CHECK(w->up_at - US_S(1000) <= US_S(3));
        world_free(w);
    }
}

/* Every message of ours leaves at an instant at which one arrived (or the dial began). */
TEST(waterfall_no_gap_of_ours)
{
    struct world *w = dialed(ENCAPSULATION_AUTO, PEER_PLAIN);
    l2tpc_us arrived = US_S(1000);

    CHECK(w);
    for (unsigned i = 0; i < w->n_lines && w->line[i].at <= w->up_at; i++) {
        if (w->line[i].kind == LINE_IN)
            arrived = w->line[i].at;
        if (w->line[i].kind != LINE_PEER && w->line[i].at != arrived) {
            printf("    %s %.3f ms behind what came before\n", w->line[i].text,
                   (double)(w->line[i].at - arrived) / 1e3);
            CHECK(false);
        }
    }
    world_free(w);
}

/* `second` leaves at the same instant as the `nth` message of the name `first`, behind it. */
static bool together(const struct world *w, const char *first, unsigned nth, const char *second)
{
    int a = world_find(w, LINE_OUT, first, 0);
    int b;

    while (a >= 0 && nth-- > 0)
        a = world_find(w, LINE_OUT, first, (unsigned)a + 1);
    b = a < 0 ? -1 : world_find(w, LINE_OUT, second, (unsigned)a);
    if (b >= 0 && w->line[a].at == w->line[b].at)
        return true;
    printf("    %s does not leave right behind %s\n", second, first);
    return false;
}

TEST(waterfall_pipelined)
{
    struct world *w = dialed(ENCAPSULATION_AUTO, PEER_PLAIN);

    CHECK(w);
    CHECK(together(w, "quick", 1, "SCCRQ"));
    CHECK(together(w, "SCCCN", 0, "ICRQ"));
    CHECK(together(w, "ICCN", 0, "LCP Request"));
    world_free(w);
}

/* A window of one lets nothing stand behind SCCCN. */
TEST(waterfall_window_of_one)
{
    struct world_config c;
    struct world *w;
    int sccrp, icrq;

    world_config_default(&c);
    c.peer.window = 1;
    w = world_new(&c);
    CHECK(world_dial(w, US_S(20)));
    sccrp = world_find(w, LINE_OUT, "SCCCN", 0);
    icrq = world_find(w, LINE_OUT, "ICRQ", 0);
    CHECK(sccrp >= 0 && icrq > sccrp);
    CHECK(w->line[icrq].at > w->line[sccrp].at);
    world_free(w);
}

/* The stages cover the dial without a hole, each ends where the next begins or later. */
TEST(waterfall_stages)
{
    struct world *w = dialed(ENCAPSULATION_AUTO, PEER_SOFTETHER);
    const struct dial_facts *f;

    CHECK(w);
    f = dial_facts(w->dial);
    for (unsigned s = STAGE_RESOLVE; s < STAGE_UP; s++) {
        const struct dial_stage_time *t = &f->stage[s];

        CHECK(t->begun);
        CHECK(t->done);
        CHECK(t->end >= t->start);
        CHECK(f->stage[s + 1].start >= t->start);
        CHECK(f->stage[s + 1].start <= t->end || s == STAGE_RESOLVE);
        printf("    %-12s %8.3f ms\n", stage_name((enum stage)s),
               (double)(t->end - t->start) / 1e3);
    }
    CHECK(f->stage[STAGE_UP].begun);
    CHECK_INT(f->current, STAGE_UP);
    world_free(w);
}

/* Answers that take a person's time are no fault of the dial: nothing is sent meanwhile twice. */
TEST(waterfall_waits_for_a_person)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.link.latency = ONE_WAY;
    c.script[DIAL_NEED_PASSWORD].delay = US_S(2);
    w = world_new(&c);
    CHECK(world_dial(w, US_S(30)));
    printf("    up after %.0f ms with a password after 2 s\n",
           (double)(w->up_at - US_S(1000)) / 1e3);
    CHECK(w->up_at - US_S(1000) <= US_S(2) + 11 * RTT);
    world_free(w);
}

/* A key that is typed after the server has forgotten its half-made SA is tried with a fresh one. */
TEST(waterfall_waits_long_for_the_key)
{
    for (unsigned seconds = 5; seconds <= 90; seconds += 85) {
        struct world_config c;
        struct world *w;

        world_config_default(&c);
        c.link.latency = ONE_WAY;
        c.peer.flavour = PEER_SOFTETHER;
        c.script[DIAL_NEED_PSK].delay = US_S(seconds);
        w = world_new(&c);
        CHECK(world_dial(w, US_S(120)));
        CHECK_INT(world_find(w, LINE_OUT, "SCCRQ", 0) >= 0, true);
        CHECK_INT(peer_facts(w->sim.peer)->main_modes >= 2, seconds > 10);
        world_free(w);
    }
}
