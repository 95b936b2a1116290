/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Networks that lose, repeat, reorder and damage packets. */
#include "check.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Every packet of a dial, each way, 1 to 5 times in a row. A dial has about 20 each way. */
#define PACKETS 26
#define TIMES 5

static bool every_packet(enum simlink_dir dir, enum encapsulation e, enum peer_flavour flavour)
{
    l2tpc_us worst = 0;
    bool all = true;

    for (unsigned k = 0; k < PACKETS; k++) {
        for (unsigned times = 1; times <= TIMES; times++) {
            struct world_config c;
            struct world *w;

            world_config_default(&c);
            c.policy = "strong";
            c.dial.encapsulation = e;
            c.peer.flavour = flavour;
            c.link.drop_run.on = true;
            c.link.drop_run.dir = dir;
            c.link.drop_run.first = k;
            c.link.drop_run.count = times;
            w = world_new(&c);
            if (!world_dial(w, US_S(60))) {
                printf("    lost %u times: packet %u %s\n", times, k,
                       dir == SIMLINK_TO_PEER ? "to the server" : "to the client");
                all = false;
            } else {
                worst = us_max(worst, w->up_at - US_S(1000));
            }
            world_free(w);
        }
    }
    printf("    %u dials, the longest %.1f s\n", PACKETS * TIMES, (double)worst / 1e6);
    return all;
}

TEST(loss_every_packet_to_the_server)
{
    CHECK(every_packet(SIMLINK_TO_PEER, ENCAPSULATION_AUTO, PEER_PLAIN));
}

TEST(loss_every_packet_to_the_client)
{
    CHECK(every_packet(SIMLINK_TO_CLIENT, ENCAPSULATION_AUTO, PEER_PLAIN));
}

TEST(loss_every_packet_raw_esp)
{
    CHECK(every_packet(SIMLINK_TO_PEER, ENCAPSULATION_ESP, PEER_PLAIN));
    CHECK(every_packet(SIMLINK_TO_CLIENT, ENCAPSULATION_ESP, PEER_PLAIN));
}

TEST(loss_every_packet_pppd)
{
    CHECK(every_packet(SIMLINK_TO_PEER, ENCAPSULATION_AUTO, PEER_PPPD));
    CHECK(every_packet(SIMLINK_TO_CLIENT, ENCAPSULATION_AUTO, PEER_PPPD));
}

TEST(loss_every_packet_softether)
{
    CHECK(every_packet(SIMLINK_TO_PEER, ENCAPSULATION_AUTO, PEER_SOFTETHER));
    CHECK(every_packet(SIMLINK_TO_CLIENT, ENCAPSULATION_AUTO, PEER_SOFTETHER));
}

/* What a kernel does with a damaged UDP datagram: IKE has a checksum, ESP in UDP has none. */
static bool udp_checksum(void *ctx, const struct simlink_packet *k)
{
    static const uint8_t marker[4];

    (void)ctx;
    return k->fate == SIMLINK_CORRUPTED &&
           (k->port == PEER_UDP500 ||
            (k->port == PEER_UDP4500 && k->bytes.n >= 4 && memcmp(k->bytes.p, marker, 4) == 0));
}

struct weather {
    const char *name;
    bool no_checksum; /* damaged IKE reaches the engines: nothing saves the first four messages */
    unsigned loss, reorder, duplicate, corrupt;
    l2tpc_us jitter;
    unsigned seeds;
    unsigned per_100; /* so many must come up at the first dial */
};

static double cpu_now(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static bool bad_weather(const struct weather *x)
{
    unsigned dials = 0, up = 0, unclean = 0;
    double begin = cpu_now();
    /* The same seeds in every run, unless a long form is asked for. */
    double more = getenv("L2TPC_LONG") ? atof(getenv("L2TPC_LONG")) : 0;
    l2tpc_us worst = 0, sum = 0;

    while (dials < x->seeds || cpu_now() - begin < more) {
        struct world_config c;
        struct world *w;

        world_config_default(&c);
        c.policy = dials % 2 ? "strong" : "compatible";
        c.seed = ++dials;
        c.peer.flavour = (enum peer_flavour)(dials % 4);
        c.dial.encapsulation = dials % 8 < 4 ? ENCAPSULATION_AUTO : ENCAPSULATION_ESP;
        c.link.loss = x->loss;
        c.link.reorder = x->reorder;
        c.link.duplicate = x->duplicate;
        c.link.corrupt = x->corrupt;
        c.link.jitter = x->jitter;
        c.link.hook = x->corrupt && !x->no_checksum ? udp_checksum : NULL;
        w = world_new(&c);
        if (world_until(w, world_is_up, US_S(120)) && w->up) {
            up++;
            worst = us_max(worst, w->up_at - US_S(1000));
            sum += w->up_at - US_S(1000);
        } else {
            printf("    seed %u: %s at %s\n", dials, failure_code(w->failure.id),
                   stage_name(w->failed_stage));
        }
        if (w->up)
            dial_close(w->dial, w->sim.now);
        if (!world_until(w, world_is_down, US_S(10)) || w->violations ||
            /* Out of order, the peer's complaints are about the network. */
            (!x->no_checksum && x->reorder == 0 && !world_clean(w))) {
            printf("    seed %u: not clean: %s%s\n", dials, w->violation,
                   peer_facts(w->sim.peer)->complaint);
            unclean++;
        }
        world_free(w);
    }
    printf(
        "    %s: %u of %u dials came up, %u would have to dial again; mean %.2f s, worst %.1f s\n",
        x->name, up, dials, dials - up, up ? (double)sum / up / 1e6 : 0.0, (double)worst / 1e6);
    return unclean == 0 && up * 100 >= dials * x->per_100;
}

#define WEATHER(test_name, ...)                                                                    \
    TEST(test_name)                                                                                \
    {                                                                                              \
        static const struct weather x = {.name = #test_name, __VA_ARGS__};                         \
        CHECK(bad_weather(&x));                                                                    \
    }

WEATHER(loss_10_percent, .loss = 1000, .seeds = 150, .per_100 = 100)
WEATHER(loss_20_percent, .loss = 2000, .seeds = 150, .per_100 = 98)
WEATHER(loss_30_percent, .loss = 3000, .seeds = 150, .per_100 = 90)
WEATHER(loss_jitter_50_ms, .jitter = US_MS(50), .seeds = 150, .per_100 = 100)
WEATHER(loss_reorder_25_percent, .reorder = 2500, .jitter = US_MS(20), .seeds = 150, .per_100 = 100)
WEATHER(loss_duplicates_20_percent, .duplicate = 2000, .seeds = 150, .per_100 = 100)
WEATHER(loss_corruption_5_percent, .corrupt = 500, .seeds = 150, .per_100 = 100)
WEATHER(loss_corruption_without_checksums, .corrupt = 500, .no_checksum = true, .seeds = 150,
        .per_100 = 85)
WEATHER(loss_all_at_once, .loss = 1000, .reorder = 2500, .duplicate = 2000, .corrupt = 500,
        .jitter = US_MS(50), .seeds = 150, .per_100 = 98)

/* ---- a damaged packet changes nothing ---- */

/*
 * Sends a copy of each packet to the client with one bit flipped in front of the right one: from
 * main mode 6 on, as nothing protects the two messages before.
 */
struct damage {
    struct world *w;
    unsigned bit; /* moves on with every packet */
    unsigned made;
};

static bool damage(void *ctx, const struct simlink_packet *k)
{
    struct damage *d = ctx;
    uint8_t copy[4096];
    struct world *w = d->w;
    struct simlink_config *link;

    if (!w || k->dir != SIMLINK_TO_CLIENT || k->dir_number < 2 || k->bytes.n > sizeof(copy))
        return false;
    memcpy(copy, k->bytes.p, k->bytes.n);
    d->bit = (d->bit * 5 + 7) % (unsigned)(k->bytes.n * 8);
    copy[d->bit / 8] ^= (uint8_t)(1u << d->bit % 8);
    link = simlink_config(w->sim.link);
    link->hook = NULL;
    simlink_send(w->sim.link, k->dir, k->port, &k->from, &k->to, span_of(copy, k->bytes.n), k->at);
    link->hook = damage;
    d->made++;
    return false;
}

TEST(loss_damaged_copies_before_every_packet)
{
    unsigned slower = 0;

    for (unsigned seed = 0; seed < 60; seed++) {
        struct damage d = {.bit = seed * 37};
        struct world_config c;
        struct world *w;

        world_config_default(&c);
        c.policy = "strong";
        c.dial.encapsulation = seed % 2 ? ENCAPSULATION_AUTO : ENCAPSULATION_ESP;
        c.link.hook = damage;
        c.link.hook_ctx = &d;
        c.seed = seed + 1;
        w = world_new(&c);
        d.w = w;
        if (!world_dial(w, US_S(60)) || d.made < 15) {
            printf("    seed %u\n", seed);
            CHECK(false);
        }
        slower += w->up_at - US_S(1000) > US_MS(40) * 11;
        CHECK(world_close(w));
        world_free(w);
    }
    printf("    %u of 60 dials took longer than without\n", slower);
    CHECK_INT(slower, 0);
}
