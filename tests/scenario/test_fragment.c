/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Big IKE messages over a path that drops IP fragments. */
#include "check.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

/* What IPv4 carries in a packet of 576 bytes. */
#define NARROW (576 - 28)

/* A key exchange value of 512 bytes in main mode and in quick mode: longer than the path carries.
 */
static void big_messages(struct world_config *c)
{
    world_config_default(c);
    c->policy = NULL;
    if (!policy_named("strong", &c->dial.policy) ||
        !policy_parse_ike("aes256-sha256-modp4096", &c->dial.policy, NULL) ||
        !policy_parse_esp("aes256-sha256-modp4096", &c->dial.policy, NULL))
        c->dial.until = STAGE_RESOLVE;
    c->outer_mtu = 576;
    c->link.longest = NARROW;
    c->peer.fragment = 300;
}

TEST(fragment_dial_where_ip_fragments_are_dropped)
{
    static const enum encapsulation ways[] = {ENCAPSULATION_AUTO, ENCAPSULATION_ESP};

    for (size_t way = 0; way < ARRAY_LEN(ways); way++) {
        for (unsigned backwards = 0; backwards < 2; backwards++) {
            struct world_config c;
            struct world *w;

            big_messages(&c);
            c.dial.encapsulation = ways[way];
            c.peer.fragments_backwards = backwards;
            w = world_new(&c);
            CHECK(world_dial(w, US_S(60)));
            CHECK(world_clean(w));
            CHECK(peer_facts(w->sim.peer)->fragments_in >= 4);
            CHECK(peer_facts(w->sim.peer)->fragments_out >= 5);
            CHECK(dial_facts(w->dial)->ike->fragmentation);
            CHECK_INT(dial_facts(w->dial)->ike->fragments_sent,
                      peer_facts(w->sim.peer)->fragments_in);
            CHECK_INT(dial_facts(w->dial)->ike->fragments_received,
                      peer_facts(w->sim.peer)->fragments_out);
            /* Message 3, which is clear, goes whole at first. */
            CHECK_INT(dial_facts(w->dial)->ike->resent, 1);
            world_free(w);
        }
    }
}

TEST(fragment_dial_fails_without)
{
    for (unsigned whose = 0; whose < 2; whose++) {
        struct world_config c;
        struct world *w;

        big_messages(&c);
        if (whose == 0)
            c.dial.no_fragmentation = true;
        else
            c.peer.fragment = 0;
        w = world_new(&c);
        CHECK(world_until(w, world_is_down, US_S(120)));
        CHECK(w->failed);
        CHECK_STR(failure_code(w->failure.id), "ike.cut-off");
        CHECK_INT(peer_facts(w->sim.peer)->fragments_in, 0);
        CHECK_INT(peer_facts(w->sim.peer)->fragments_out, 0);
        world_free(w);
    }
}

/* Nobody cuts what fits. */
TEST(fragment_only_what_is_too_long)
{
    struct world_config c;
    struct world *w;

    big_messages(&c);
    c.outer_mtu = 1500;
    c.link.longest = 0;
    c.peer.fragment = 1200;
    w = world_new(&c);
    CHECK(world_dial(w, US_S(60)));
    CHECK(dial_facts(w->dial)->ike->fragmentation);
    CHECK_INT(dial_facts(w->dial)->ike->fragments_sent, 0);
    CHECK_INT(dial_facts(w->dial)->ike->fragments_received, 0);
    world_free(w);
}

/* ---- each fragment, one to five times in a row ---- */
struct loss {
    enum simlink_dir dir;
    unsigned number; /* of the fragment within its message, or its end */
    unsigned times, nth, seen;
};

static bool lose_fragment(void *ctx, const struct simlink_packet *k)
{
    static const uint8_t marker[4];
    struct loss *l = ctx;
    size_t at = k->port == PEER_UDP4500 && k->bytes.n > 4 && !memcmp(k->bytes.p, marker, 4) ? 4 : 0;

    if (k->port > PEER_UDP4500 || k->dir != l->dir || k->bytes.n < at + 36 ||
        k->bytes.p[at + 16] != 132)
        return false;
    l->seen++;
    return l->seen > l->nth && l->seen <= l->nth + l->times;
}

TEST(fragment_each_lost_one_to_five_times)
{
    l2tpc_us worst = 0;
    unsigned dials = 0;

    for (unsigned dir = 0; dir < 2; dir++) {
        unsigned there = 1;

        for (unsigned nth = 0; nth < there; nth++) {
            for (unsigned times = 1; times <= 5; times++, dials++) {
                struct loss loss = {.dir = (enum simlink_dir)dir, .times = times, .nth = nth};
                struct world_config c;
                struct world *w;

                big_messages(&c);
                c.link.hook = lose_fragment;
                c.link.hook_ctx = &loss;
                w = world_new(&c);
                if (!world_dial(w, US_S(60))) {
                    printf("    lost %u times: fragment %u, direction %u\n", times, nth, dir);
                    CHECK(false);
                }
                worst = us_max(worst, w->up_at - US_S(1000));
                world_free(w);
                there = nth == 0 && times == 1 ? loss.seen - 1 : there;
            }
        }
        CHECK(there >= 4);
    }
    printf("    %u dials, the longest %.1f s\n", dials, (double)worst / 1e6);
}

/* Fragments overtake each other, come twice and are lost, all at once. */
TEST(fragment_reordered_doubled_and_lost)
{
    for (unsigned seed = 1; seed <= 30; seed++) {
        struct world_config c;
        struct world *w;

        big_messages(&c);
        c.seed = seed;
        c.link.reorder = 2000;
        c.link.duplicate = 2000;
        c.link.loss = 500;
        w = world_new(&c);
        CHECK(world_dial(w, US_S(60)));
        world_free(w);
    }
}
