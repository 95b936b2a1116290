/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ways that carry less than the interface takes: what the tunnel's MTU becomes, and when. */
#include "base/limits.h"
#include "check.h"
#include "world.h"

#include <stdio.h>

static struct world *up_with(const struct world_config *c)
{
    struct world *w = world_new(c);

    if (world_dial(w, US_S(30)))
        return w;
    world_free(w);
    return NULL;
}

static bool is_settled(struct world *w)
{
    enum path_mtu_state s = dial_facts(w->dial)->path_mtu;

    return s == PATH_MTU_SEARCH_COMPLETE || s == PATH_MTU_ERROR;
}

/* The UDP payload, or the raw packet, that an inner packet of this length makes. */
static size_t sealed(struct world *w, size_t n)
{
    static uint8_t room[DATA_HEADROOM + 2048 + DATA_TAILROOM];
    struct mspan ip = {room + DATA_HEADROOM, n};
    struct mspan packet;

    ip.p[0] = 0x45;
    ip.p[2] = (uint8_t)(n >> 8);
    ip.p[3] = (uint8_t)n;
    return data_seal_ip(dial_data(w->dial), ip, &packet) ? packet.n : 0;
}

/* As much as the way carries, but for a few bytes; all layers were told. */
static bool fits(struct world *w, size_t carries)
{
    unsigned mtu = dial_facts(w->dial)->ip.mtu;
    size_t block = 16 + PATH_MTU_CLOSE;

    if (sealed(w, mtu) <= carries && (mtu == PPP_MRU || sealed(w, mtu + block) > carries) &&
        w->ip.mtu == mtu && data_mtu(dial_data(w->dial)) == mtu)
        return true;
    printf("    MTU %u (%u, %u) seals to %zu, the way carries %zu\n", mtu, w->ip.mtu,
           data_mtu(dial_data(w->dial)), sealed(w, mtu), carries);
    return false;
}

static bool narrow(const struct world_config *c, size_t carries, bool holes)
{
    struct world *w = up_with(c);
    l2tpc_us up;
    unsigned cut;
    bool ok;

    if (!w)
        return false;
    up = w->sim.now;
    simlink_config(w->sim.link)->longest = holes ? carries : 0;
    ok = world_until(w, is_settled, US_S(20)) && fits(w, carries) && w->sim.now < up + US_S(11) &&
         w->needs[DIAL_NEED_APPLY_IP] == (w->ip.mtu == PPP_MRU ? 1 : 2);
    if (!ok)
        printf("    %u needs, %d ms, state %d\n", w->needs[DIAL_NEED_APPLY_IP],
               (int)((w->sim.now - up) / 1000), (int)dial_facts(w->dial)->path_mtu);
    cut = w->cut;
    world_run(w, US_S(60));
    ok = ok && w->cut == cut && !w->failed && world_ping(w) && world_close(w);
    world_free(w);
    return ok;
}

TEST(path_that_carries_all)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    w = up_with(&c);
    CHECK(w && world_until(w, is_settled, US_S(1)));
    CHECK_INT(dial_facts(w->dial)->path_mtu, PATH_MTU_SEARCH_COMPLETE);
    CHECK_INT(dial_facts(w->dial)->ip.mtu, 1400);
    CHECK_INT(peer_facts(w->sim.peer)->longest_echo, 1400);
    CHECK_INT(w->needs[DIAL_NEED_APPLY_IP], 1);
    CHECK(w->cut == 0 && w->too_long == 0 && world_close(w));
    world_free(w);
}

TEST(path_is_narrow)
{
    static const size_t carries[] = {1464, 1452, 1400, 1252, 1100, 548};
    static const char *const policies[] = {"legacy", "strong"};

    for (unsigned i = 0; i < ARRAY_LEN(carries) * ARRAY_LEN(policies); i++) {
        struct world_config c;

        world_config_default(&c);
        c.policy = policies[i % 2];
        c.carries = carries[i / 2];
        CHECK(narrow(&c, c.carries, false));
    }
}

/* Routers there drop fragments too, and tell nobody. */
TEST(path_is_a_hole_for_what_is_long)
{
    struct world_config c;

    world_config_default(&c);
    c.carries = 1252;
    CHECK(narrow(&c, 1252, true));
    world_config_default(&c);
    c.dial.encapsulation = ENCAPSULATION_ESP;
    c.carries = 1260;
    CHECK(narrow(&c, 1260, false));
}

TEST(path_over_ipv6)
{
    struct world_config c;

    world_config_default(&c);
    if (!inaddr_parse(&c.peer.local.addr, "fd00::1") || !inaddr_parse(&c.local.addr, "fd00::2"))
        abort();
    c.address[0] = c.peer.local.addr;
    c.carries = 1300;
    CHECK(narrow(&c, 1300, true));
}

TEST(path_to_a_server_that_answers_little)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.peer.longest_echo = 64;
    w = up_with(&c);
    CHECK(w && world_until(w, is_settled, US_S(10)));
    CHECK_INT(dial_facts(w->dial)->path_mtu, PATH_MTU_ERROR);
    CHECK_INT(dial_facts(w->dial)->ip.mtu, 1400);
    CHECK_INT(w->needs[DIAL_NEED_APPLY_IP], 1);
    world_run(w, US_S(700));
    CHECK(!w->failed && world_close(w));
    world_free(w);
    c.peer.longest_echo = 7; /* none at all */
    w = up_with(&c);
    CHECK(w);
    world_run(w, US_S(10));
    CHECK_INT(dial_facts(w->dial)->path_mtu, PATH_MTU_DISABLED);
    CHECK(!w->failed && world_close(w));
    world_free(w);
}

TEST(path_becomes_wide_and_narrow_again)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.carries = 1252;
    w = up_with(&c);
    CHECK(w && world_until(w, is_settled, US_S(20)) && fits(w, 1252));
    w->config.carries = 0;
    world_run(w, PATH_MTU_RAISE - US_S(20));
    CHECK(fits(w, 1252));
    world_run(w, US_S(40));
    CHECK_INT(w->ip.mtu, 1400);
    /* What is sent is lost, for it is too long: the server is there, and the way is not. */
    w->config.carries = 1100;
    w->stream_every = US_MS(500);
    w->stream_due = w->sim.now;
    world_run(w, US_S(1));
    simlink_config(w->sim.link)->longest = 60;
    world_run(w, ALIVE_UNANSWERED + US_MS(600));
    simlink_config(w->sim.link)->longest = 1100;
    world_run(w, US_S(20));
    CHECK(fits(w, 1100));
    w->stream_every = 0;
    CHECK(!w->failed && world_close(w));
    world_free(w);
}

/* Every probe and answer may be lost: the MTU may come out low, but is put right in the end. */
TEST(path_that_loses_much)
{
    for (unsigned seed = 1; seed <= 20; seed++) {
        struct world_config c;
        struct world *w;

        world_config_default(&c);
        c.seed = c.link.seed = seed;
        c.link.loss = 500;
        w = world_new(&c);
        CHECK(world_dial(w, US_S(60)));
        world_run(w, US_S(30));
        simlink_config(w->sim.link)->loss = 0;
        world_run(w, PATH_MTU_RAISE + US_S(20));
        CHECK_INT(w->ip.mtu, 1400);
        CHECK(!w->failed);
        world_free(w);
    }
}

TEST(path_mtu_that_cannot_be_set)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.carries = 1252;
    w = up_with(&c);
    CHECK(w);
    w->config.script[DIAL_NEED_APPLY_IP].answer = ANSWER_FAILURE;
    CHECK(world_until(w, is_settled, US_S(20)));
    world_run(w, US_S(5));
    CHECK(!w->failed && data_mtu(dial_data(w->dial)) < 1252);
    CHECK(world_ping(w));
    world_run(w, US_S(1));
    CHECK(world_ping_answered(w) && world_close(w));
    world_free(w);
}

TEST(path_is_left_alone_when_told_so)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.dial.no_path_mtu = true;
    c.carries = 1252;
    w = up_with(&c);
    CHECK(w);
    world_run(w, US_S(10));
    CHECK_INT(dial_facts(w->dial)->path_mtu, PATH_MTU_DISABLED);
    CHECK(w->too_long == 0 && w->ip.mtu == 1400 && world_close(w));
    world_free(w);
}
