/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Renewal of ESP pairs and of phase 1 under traffic: nothing is lost, whoever begins, whatever part
 * of IKE is lost, and when both begin at once. Only IKE is lost here, so that every lost ping is
 * the fault of a renewal.
 */
#include "check.h"
#include "dial/internal.h"
#include "ike/v1/engine.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

/* ---- a link that loses IKE alone ---- */
struct ike_loss {
    bool on;
    unsigned per_10000; /* by chance */
    uint32_t state;
    int dir; /* exactly: this direction, the message with this number, so many times */
    unsigned first, count, seen;
};

static bool is_ike(const struct simlink_packet *k)
{
    static const uint8_t marker[4];

    return k->port == PEER_UDP500 ||
           (k->port == PEER_UDP4500 && k->bytes.n >= 4 && !memcmp(k->bytes.p, marker, 4));
}

static bool lose_ike(void *ctx, const struct simlink_packet *k)
{
    struct ike_loss *l = ctx;
    unsigned number;

    if (!l->on || !is_ike(k))
        return false;
    if (l->per_10000) {
        l->state = l->state * 1664525 + 1013904223;
        return (l->state >> 8) % 10000 < l->per_10000;
    }
    if ((int)k->dir != l->dir)
        return false;
    number = l->seen++;
    return number >= l->first && number < l->first + l->count;
}

/* ---- a dial with a stream in both directions ---- */
static struct world *streaming(struct world_config *c, struct ike_loss *loss, l2tpc_us every)
{
    struct world *w;

    if (loss) {
        c->link.hook = lose_ike;
        c->link.hook_ctx = loss;
    }
    w = world_new(c);
    if (!world_dial(w, US_S(30))) {
        world_free(w);
        return NULL;
    }
    w->stream_every = every;
    w->stream_due = w->sim.now;
    if (loss)
        loss->on = true;
    return w;
}

static unsigned lost(struct world *w)
{
    w->stream_every = 0;
    world_run(w, US_S(1));
    return w->pings - w->replies;
}

static bool fine(struct world *w, const char *what)
{
    const struct dial_facts *f = dial_facts(w->dial);
    unsigned gone = lost(w);
    bool ok = gone == 0 && w->refused == 0 && !w->failed && world_clean(w);

    if (!ok)
        printf(
            "    %s (seed %llu): %u of %u pings lost, %u refused, %u pairs, %u IKE SAs, %s %s%s\n",
            what, (unsigned long long)w->config.seed, gone, w->pings, w->refused, f->sa_pairs,
            f->ike ? f->ike->ike_sas : 0, w->failed ? failure_code(w->failure.id) : "up",
            w->violation, peer_facts(w->sim.peer)->complaint);
    return ok;
}

/* Both ends agree about the pair in use, and not more than one other is left. */
static bool settled(struct world *w)
{
    const struct peer_facts *p = peer_facts(w->sim.peer);
    const struct dial_facts *d = dial_facts(w->dial);
    uint32_t spis[8];
    unsigned n = dial_inbound_spis(w->dial, spis, 8);
    bool known = false;

    for (unsigned i = 0; i < n; i++)
        known = known || spis[i] == p->spi_out;
    /* Replaced pairs are read for half a minute; the server was told to forget them. */
    if (known && n <= DATA_PAIRS_MAX && p->esp_pairs <= 2 && d->ike->established &&
        p->ike_established <= 2)
        return true;
    printf("    %u and %u pairs, %u IKE SAs of the peer\n", n, p->esp_pairs, p->ike_established);
    return false;
}

/* ---- many ---- */
enum beginner {
    CLIENT,
    SERVER,
    BOTH
};

static void begin_by(struct world_config *c, enum beginner who, bool phase1, uint32_t life_s)
{
    if (phase1 && who != SERVER)
        c->dial.ike_lifetime_s = life_s;
    if (phase1 && who != CLIENT)
        c->peer.main_every = US_S(life_s) * 85 / 100;
    if (!phase1 && who != SERVER)
        c->dial.esp_lifetime_s = life_s;
    if (!phase1 && who != CLIENT)
        c->peer.quick_every = US_S(life_s) * 85 / 100;
}

static bool many(enum beginner who, bool phase1, enum encapsulation e, enum peer_flavour flavour,
                 unsigned want, unsigned loss_per_10000, enum dh_group pfs)
{
    struct ike_loss loss = {.per_10000 = loss_per_10000, .state = 7};
    struct world_config c;
    struct world *w;
    unsigned got = 0;
    bool ok;

    world_config_default(&c);
    c.dial.encapsulation = e;
    c.peer.flavour = flavour;
    c.peer.delete_old = who == CLIENT ? 0 : US_S(10);
    if (!policy_named("legacy", &c.dial.policy))
        return false;
    c.dial.policy.pfs = pfs;
    c.policy = NULL;
    begin_by(&c, who, phase1, 20);
    w = streaming(&c, loss_per_10000 ? &loss : NULL, US_MS(60));
    if (!w)
        return false;
    for (unsigned i = 0; i < want * 3 && got < want + 1 && !w->down; i++) {
        world_run(w, US_S(10));
        got = phase1 ? dial_facts(w->dial)->ike->ike_sas : dial_facts(w->dial)->sa_pairs;
    }
    ok = fine(w, "many") && got > want && (loss_per_10000 || settled(w));
    if (!phase1 && w->rekeyed + 1 != dial_facts(w->dial)->sa_pairs)
        ok = false;
    printf("    %u %s renewals, %u pings, %u lost\n", got - 1, phase1 ? "phase 1" : "phase 2",
           w->pings, w->pings - w->replies);
    world_free(w);
    return ok;
}

TEST(rekey_100_times_by_the_client)
{
    CHECK(many(CLIENT, false, ENCAPSULATION_AUTO, PEER_PLAIN, 100, 0, DH_NONE));
}

TEST(rekey_100_times_by_the_server)
{
    CHECK(many(SERVER, false, ENCAPSULATION_AUTO, PEER_PLAIN, 100, 0, DH_NONE));
}

TEST(rekey_100_times_by_both)
{
    CHECK(many(BOTH, false, ENCAPSULATION_AUTO, PEER_PPPD, 100, 0, DH_NONE));
}

TEST(rekey_raw_esp)
{
    CHECK(many(CLIENT, false, ENCAPSULATION_ESP, PEER_PLAIN, 10, 0, DH_NONE));
    CHECK(many(SERVER, false, ENCAPSULATION_ESP, PEER_PLAIN, 10, 0, DH_NONE));
}

TEST(rekey_with_pfs)
{
    CHECK(many(CLIENT, false, ENCAPSULATION_AUTO, PEER_PLAIN, 5, 0, DH_MODP2048));
    CHECK(many(SERVER, false, ENCAPSULATION_AUTO, PEER_PLAIN, 5, 0, DH_MODP2048));
}

TEST(rekey_every_flavour)
{
    for (unsigned f = PEER_PLAIN; f <= PEER_WINDOWS; f++)
        for (enum beginner who = CLIENT; who <= BOTH; who++)
            CHECK(many(who, false, ENCAPSULATION_AUTO, (enum peer_flavour)f, 8, 0, DH_NONE));
}

TEST(rekey_with_10_percent_loss)
{
    CHECK(many(CLIENT, false, ENCAPSULATION_AUTO, PEER_PLAIN, 100, 1000, DH_NONE));
    CHECK(many(SERVER, false, ENCAPSULATION_AUTO, PEER_PLAIN, 100, 1000, DH_NONE));
    CHECK(many(BOTH, false, ENCAPSULATION_AUTO, PEER_PPPD, 100, 1000, DH_NONE));
}

TEST(renew_10_times_by_the_client)
{
    CHECK(many(CLIENT, true, ENCAPSULATION_AUTO, PEER_PLAIN, 10, 0, DH_NONE));
    CHECK(many(CLIENT, true, ENCAPSULATION_ESP, PEER_PLAIN, 10, 0, DH_NONE));
}

TEST(renew_10_times_by_the_server)
{
    CHECK(many(SERVER, true, ENCAPSULATION_AUTO, PEER_PLAIN, 10, 0, DH_NONE));
    CHECK(many(SERVER, true, ENCAPSULATION_ESP, PEER_PLAIN, 10, 0, DH_NONE));
}

TEST(renew_10_times_by_both)
{
    CHECK(many(BOTH, true, ENCAPSULATION_AUTO, PEER_PPPD, 10, 0, DH_NONE));
}

TEST(renew_with_10_percent_loss)
{
    CHECK(many(CLIENT, true, ENCAPSULATION_AUTO, PEER_PPPD, 10, 1000, DH_NONE));
    CHECK(many(SERVER, true, ENCAPSULATION_AUTO, PEER_PLAIN, 10, 1000, DH_NONE));
    CHECK(many(BOTH, true, ENCAPSULATION_AUTO, PEER_PLAIN, 10, 1000, DH_NONE));
}

/* ---- by bytes: RESPONDER-LIFETIME and our own offer ---- */
static bool by_bytes(bool server_says)
{
    struct world_config c;
    struct world *w;
    unsigned got;
    bool ok;

    world_config_default(&c);
    if (server_says)
        c.peer.esp_life_kb = 1024;
    else
        c.dial.esp_lifetime_kb = 1024;
    w = streaming(&c, NULL, US_MS(10));
    if (!w)
        return false;
    world_run(w, US_S(300)); /* about 4 MB each way */
    got = dial_facts(w->dial)->sa_pairs;
    ok = fine(w, "by bytes") && got >= 3 && settled(w);
    printf("    %u pairs for %llu bytes\n", got,
           (unsigned long long)dial_facts(w->dial)->esp_out.bytes);
    world_free(w);
    return ok;
}

TEST(rekey_by_bytes)
{
    CHECK(by_bytes(true));
    CHECK(by_bytes(false));
}

/* ---- exactly one message lost, 1 to 5 times ---- */
static bool exact_loss(bool phase1, bool by_server, enum peer_flavour flavour)
{
    bool all = true;

    for (int dir = SIMLINK_TO_PEER; dir <= SIMLINK_TO_CLIENT; dir++) {
        for (unsigned k = 0; k < 4; k++) {
            for (unsigned times = 1; times <= 5; times++) {
                struct ike_loss loss = {.dir = dir, .first = k, .count = times};
                struct world_config c;
                struct world *w;
                char what[80];
                unsigned n;

                world_config_default(&c);
                c.peer.flavour = flavour;
                if (!by_server && phase1)
                    c.dial.ike_lifetime_s = 100;
                else if (!by_server)
                    c.dial.esp_lifetime_s = 100;
                w = streaming(&c, &loss, US_MS(20));
                if (!w)
                    return false;
                world_run(w, US_S(5));
                if (by_server && phase1)
                    peer_start_main(w->sim.peer, w->sim.now);
                else if (by_server)
                    peer_start_quick(w->sim.peer, w->sim.now);
                world_run(w, US_S(by_server ? 45 : 140));
                snprintf(what, sizeof(what), "message %u %s lost %u times", k,
                         dir == SIMLINK_TO_PEER ? "to the server" : "to the client", times);
                n = phase1 ? dial_facts(w->dial)->ike->ike_sas : dial_facts(w->dial)->sa_pairs;
                if (!fine(w, what) || (n < 2 && times < 5)) {
                    printf("    %s: %u\n", what, n);
                    all = false;
                }
                world_free(w);
            }
        }
    }
    return all;
}

TEST(rekey_each_message_lost)
{
    CHECK(exact_loss(false, false, PEER_PLAIN));
    CHECK(exact_loss(false, false, PEER_PPPD));
    CHECK(exact_loss(false, true, PEER_PLAIN));
}

TEST(renew_each_message_lost)
{
    CHECK(exact_loss(true, false, PEER_PPPD));
    CHECK(exact_loss(true, true, PEER_PPPD));
}

/* ---- a server that is slow to answer while the pair fills up ---- */
static struct world *fast_by_bytes(struct ike_loss *loss, uint64_t bugs)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.dial.esp_lifetime_kb = 1024;
    w = streaming(&c, loss, US_MS(1));
    if (w)
        peer_set_bugs(w->sim.peer, bugs);
    return w;
}

static bool is_rekeyed(struct world *w)
{
    return w->rekeyed > 0 || w->down;
}

static uint64_t sent(const struct world *w)
{
    return dial_facts(w->dial)->esp_out.bytes;
}

/* About 150 kB/s: 1 MiB would last 7 s, and at 90 % of it only 0.7 s are left. */
TEST(rekey_by_bytes_the_earlier_the_faster)
{
    struct world *w = fast_by_bytes(NULL, 0);

    CHECK(w != NULL);
    CHECK(world_until(w, is_rekeyed, US_S(30)));
    CHECK(sent(w) > 520000 && sent(w) < 800000);
    world_run(w, US_S(30));
    CHECK(w->rekeyed >= 5);
    CHECK(fine(w, "fast by bytes"));
    world_free(w);
}

/* Message 1 is not heard for a while: the full pair goes on. */
TEST(rekey_by_bytes_with_a_server_that_answers_late)
{
    struct ike_loss loss = {.dir = SIMLINK_TO_PEER, .count = 9};
    struct world *w = fast_by_bytes(&loss, 0);

    CHECK(w != NULL);
    CHECK(world_until(w, is_rekeyed, US_S(60)));
    CHECK_INT(w->rekeyed, 1);
    CHECK(sent(w) > UINT64_C(1) << 20); /* or nothing was tried here */
    CHECK(fine(w, "answered late"));
    world_free(w);
}

/* Nobody ever gives another pair: the full one ends as one does whose seconds are over. */
TEST(f10_a_full_pair_ends_after_the_grace)
{
    struct world *w = fast_by_bytes(NULL, BUG_QM_NO_PROPOSAL);
    l2tpc_us full = 0;

    CHECK(w != NULL);
    while (!w->down && sent(w) < UINT64_C(1) << 20)
        world_run(w, US_MS(20));
    full = w->sim.now;
    CHECK(!w->failed);
    world_run(w, SA_GRACE - US_S(1));
    CHECK(!w->failed && w->pings - w->replies < 100); /* but what is under way */
    CHECK(world_until(w, world_is_down, US_S(5)));
    CHECK_STR(failure_code(w->failure.id), "up.sa-expired");
    CHECK(w->failed_at >= full + SA_GRACE - US_S(1) && w->failed_at <= full + SA_GRACE + US_S(1));
    CHECK_INT(w->rekeyed, 0);
    world_free(w);
}

/* The server sends on the new pair while its message 2 is still to come. */
static bool sends_early(enum encapsulation e, l2tpc_us every, unsigned lost_answers)
{
    struct ike_loss loss = {.dir = SIMLINK_TO_CLIENT, .first = 0, .count = lost_answers};
    struct world_config c;
    struct world *w;
    bool ok;

    world_config_default(&c);
    c.dial.encapsulation = e;
    c.peer.send_early = true;
    c.dial.esp_lifetime_s = 100;
    w = streaming(&c, &loss, every);
    if (!w)
        return false;
    world_run(w, US_S(140));
    ok = loss.seen > lost_answers && fine(w, "sent early") && dial_facts(w->dial)->sa_pairs == 2;
    world_free(w);
    return ok;
}

TEST(rekey_with_esp_before_message_2)
{
    CHECK(sends_early(ENCAPSULATION_AUTO, US_MS(40), 1));
    CHECK(sends_early(ENCAPSULATION_ESP, US_MS(40), 1));
}

/* A busy server: its kernel has the new pair long before its message 2 is out. */
TEST(rekey_with_hundreds_of_esp_before_message_2)
{
    CHECK(sends_early(ENCAPSULATION_AUTO, US_MS(4), 4));
    CHECK(sends_early(ENCAPSULATION_ESP, US_MS(4), 4));
}

/* The server begins its main modes where nobody listens to it: we renew in its place. */
TEST(renew_when_the_server_begins_on_port_500)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.peer.main_on_500 = true;
    c.peer.main_every = US_S(20);
    w = streaming(&c, NULL, US_MS(40));
    CHECK(w != NULL);
    world_run(w, US_S(110));
    CHECK(fine(w, "began on port 500"));
    CHECK_INT(dial_facts(w->dial)->ike->ike_sas, 6);
    CHECK_INT(dial_facts(w->dial)->sa_pairs, 6);
    CHECK_INT(peer_facts(w->sim.peer)->own_mains, 0);
    world_free(w);
}

static bool is_up_to_date(struct world *w)
{
    return dial_facts(w->dial)->sa_pairs > 1 || w->down;
}

/* Our quick mode is under way when the server renews phase 1, and hears no more of the one before:
 * it goes out again under the new one, long before the 10 s of a try are over. */
TEST(rekey_asked_under_an_ike_sa_that_the_server_leaves)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.peer.only_newest = true;
    CHECK(w = streaming(&c, NULL, US_MS(5)));
    world_run(w, US_S(2));
    peer_start_main(w->sim.peer, w->sim.now);
    CHECK(ike_rekey(w->dial->ike, w->sim.now));
    CHECK(world_until(w, is_up_to_date, US_S(1)));
    CHECK_INT(dial_facts(w->dial)->sa_pairs, 2);
    CHECK_INT(dial_facts(w->dial)->ike->ike_sas, 2);
    world_run(w, US_S(60)); /* the first try comes to nothing meanwhile */
    CHECK_INT(dial_facts(w->dial)->sa_pairs, 2);
    CHECK(fine(w, "asked under the one before") && settled(w));
    world_free(w);
}

/* ---- both at once ---- */
static void client_rekeys(struct world *w)
{
    (void)ike_rekey(w->dial->ike, w->sim.now);
}

/* The server begins `offset` before or behind the client, in steps of a quarter of a one-way trip.
 */
static bool collision(bool phase1, enum peer_flavour flavour, l2tpc_us delete_old, bool nat)
{
    bool all = true;

    for (int step = -16; step <= 16; step++) {
        struct world_config c;
        struct world *w;
        l2tpc_us offset = US_MS(5) * (l2tpc_us)(step < 0 ? -step : step);
        unsigned n, pairs;
        char what[64];

        world_config_default(&c);
        c.seed = (uint64_t)(step + 100);
        c.peer.flavour = flavour;
        c.peer.delete_old = delete_old;
        c.link.nat = nat;
        if (nat)
            c.link.nat_addr = inaddr_v4(0xc6336464);
        w = streaming(&c, NULL, US_MS(5));
        if (!w)
            return false;
        world_run(w, US_MS(700));
        for (int turn = 0; turn < 2; turn++) {
            if ((turn == 0) == (step >= 0)) {
                if (phase1)
                    w->dial->ike->renewal.due = w->sim.now;
                else
                    client_rekeys(w);
            } else if (phase1) {
                peer_start_main(w->sim.peer, w->sim.now);
            } else {
                peer_start_quick(w->sim.peer, w->sim.now);
            }
            world_run(w, turn == 0 ? offset : US_S(65));
        }
        snprintf(what, sizeof(what), "collision, server %+d ms", step * 5);
        pairs = dial_facts(w->dial)->sa_pairs;
        n = phase1 ? dial_facts(w->dial)->ike->ike_sas : pairs;
        if (!fine(w, what) || !settled(w) || n < 2) {
            printf("    %s: %u renewals\n", what, n - 1);
            all = false;
        }
        if (!phase1) { /* after 30 s and a bit one pair is left */
            uint32_t spis[8];

            if (dial_inbound_spis(w->dial, spis, 8) != 1) {
                printf("    %s: a spare pair stays\n", what);
                all = false;
            }
        }
        world_free(w);
    }
    return all;
}

TEST(collision_of_quick_modes)
{
    CHECK(collision(false, PEER_PLAIN, 0, false));
    CHECK(collision(false, PEER_PPPD, 0, false));
    CHECK(collision(false, PEER_PLAIN, US_S(1), false));
    CHECK(collision(false, PEER_PPPD, US_S(9), true));
    CHECK(collision(false, PEER_PLAIN, US_S(25), false));
}

TEST(collision_of_main_modes)
{
    CHECK(collision(true, PEER_PLAIN, 0, false));
    CHECK(collision(true, PEER_PPPD, US_S(1), false));
    CHECK(collision(true, PEER_PPPD, US_S(9), true));
    CHECK(collision(true, PEER_PLAIN, US_S(10), false));
}

/* ---- Delete of one kind alone ---- */
TEST(f7_only_the_ike_sa_is_deleted)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    CHECK(w = streaming(&c, NULL, US_MS(5)));
    world_run(w, US_S(2));
    peer_delete_ike(w->sim.peer, w->sim.now);
    world_run(w, US_S(1));
    CHECK(dial_facts(w->dial)->ike->established);
    CHECK_INT(dial_facts(w->dial)->ike->ike_sas, 2);
    CHECK(fine(w, "IKE SA deleted"));
    CHECK(world_close(w));
    CHECK_INT(peer_facts(w->sim.peer)->ike_established, 0);
    CHECK_INT(peer_facts(w->sim.peer)->esp_pairs, 0);
    world_free(w);
}

TEST(h31_only_the_pair_is_deleted)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    CHECK(w = streaming(&c, NULL, 0));
    peer_delete_esp(w->sim.peer, w->sim.now);
    world_run(w, US_S(1));
    CHECK_INT(dial_facts(w->dial)->sa_pairs, 2);
    CHECK_INT(w->rekeyed, 1);
    CHECK(world_ping(w));
    CHECK(world_until(w, world_ping_answered, US_S(1)));
    CHECK(fine(w, "pair deleted"));
    world_free(w);
}

/* The IKE SA goes, and later the pair wears out: phase 1 first, then quick mode. */
TEST(rekey_behind_a_new_phase_1)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.dial.esp_lifetime_s = 30;
    CHECK(w = streaming(&c, NULL, US_MS(20)));
    for (unsigned i = 0; i < 6; i++) {
        world_run(w, US_S(17));
        peer_delete_ike(w->sim.peer, w->sim.now);
    }
    world_run(w, US_S(30));
    CHECK(dial_facts(w->dial)->sa_pairs >= 4);
    CHECK_INT(dial_facts(w->dial)->ike->ike_sas, 7);
    CHECK(fine(w, "both renewed"));
    world_free(w);
}

/* ---- refused ---- */
TEST(f10_refused_until_the_hard_limit)
{
    struct world_config c;
    struct world *w;
    unsigned before;

    world_config_default(&c);
    c.dial.esp_lifetime_s = 60;
    CHECK(w = streaming(&c, NULL, US_MS(100)));
    before = peer_facts(w->sim.peer)->quick_modes;
    peer_set_bugs(w->sim.peer, BUG_QM_NO_PROPOSAL);
    world_run(w, US_S(80));
    CHECK(!w->failed);
    /* Three tries, each without PFS and with it. */
    CHECK_INT(peer_facts(w->sim.peer)->quick_modes - before, 6);
    CHECK_INT(w->rekeyed, 0);
    CHECK(world_until(w, world_is_down, US_S(30)));
    CHECK_STR(failure_code(w->failure.id), "up.sa-expired");
    world_free(w);
}

TEST(f10_refused_twice_then_taken)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.dial.esp_lifetime_s = 60;
    CHECK(w = streaming(&c, NULL, US_MS(20)));
    peer_set_bugs(w->sim.peer, BUG_QM_NO_PROPOSAL);
    world_run(w, US_S(40));
    while (!w->down && peer_facts(w->sim.peer)->quick_modes < 3)
        world_run(w, US_MS(100));
    peer_set_bugs(w->sim.peer, 0);
    world_run(w, US_S(10));
    CHECK_INT(dial_facts(w->dial)->sa_pairs, 2);
    CHECK(fine(w, "refused twice"));
    world_free(w);
}

/* ---- what is not answered ---- */
TEST(h07_main_mode_only_from_the_servers_place)
{
    struct world_config c;
    struct world *w;
    unsigned sent;

    world_config_default(&c);
    CHECK(w = streaming(&c, NULL, 0));
    sent = (unsigned)dial_facts(w->dial)->ike->sent;
    peer_start_aggressive(w->sim.peer, w->sim.now);
    world_run(w, US_S(1));
    CHECK_INT(dial_facts(w->dial)->ike->sent, sent);
    w->config.psk = "another secret"; /* of the world; the engine keeps its own */
    peer_start_main(w->sim.peer, w->sim.now);
    world_run(w, US_S(1));
    CHECK_INT(peer_facts(w->sim.peer)->own_mains, 1);
    CHECK_INT(w->needs[DIAL_NEED_PSK], 1);
    world_free(w);
}

/* Keeps the server's first message 1 from port 4500 for itself. */
struct kept {
    uint8_t bytes[2048];
    size_t n;
};

static bool keep_mm1(void *ctx, const struct simlink_packet *k)
{
    struct kept *kept = ctx;

    if (k->dir != SIMLINK_TO_CLIENT || !is_ike(k) || k->bytes.n < 32 || k->bytes.n > 2048 ||
        k->bytes.p[4 + 18] != 2)
        return false;
    if (kept->n == 0) {
        memcpy(kept->bytes, k->bytes.p, k->bytes.n);
        kept->n = k->bytes.n;
    }
    return true;
}

static uint64_t answers(struct world *w, const struct kept *kept, uint32_t address, uint16_t port,
                        uint8_t cookie)
{
    struct endpoint from = {.addr = inaddr_v4(address), .port = port};
    uint64_t before = dial_facts(w->dial)->ike->sent;
    uint8_t copy[2048];

    memcpy(copy, kept->bytes, kept->n);
    copy[4] ^= cookie;
    (void)dial_input(w->dial, DIAL_PATH_NATT, &from, (struct mspan){copy, kept->n}, w->sim.now);
    return dial_facts(w->dial)->ike->sent - before;
}

TEST(h07_hostile_main_mode_of_the_server)
{
    struct kept kept = {.n = 0};
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    CHECK(w = streaming(&c, NULL, 0));
    simlink_config(w->sim.link)->hook = keep_mm1;
    simlink_config(w->sim.link)->hook_ctx = &kept;
    peer_start_main(w->sim.peer, w->sim.now);
    world_run(w, US_MS(100));
    CHECK(kept.n > 100);
    CHECK_INT(answers(w, &kept, 0xc6336403, 4500, 0), 0); /* another address */
    CHECK_INT(answers(w, &kept, 0xc6336402, 4501, 0), 0); /* another port */
    CHECK_INT(answers(w, &kept, 0xc6336402, 4500, 0), 1);
    CHECK_INT(answers(w, &kept, 0xc6336402, 4500, 1), 0); /* one at a time */
    CHECK_INT(answers(w, &kept, 0xc6336402, 4500, 0), 1); /* again: our answer was lost */
    for (unsigned i = 0; i < 50; i++)
        (void)answers(w, &kept, 0xc6336402, 4500, 0);
    CHECK_INT(answers(w, &kept, 0xc6336402, 4500, 0), 0); /* not for ever */
    world_run(w, US_S(11));
    CHECK_INT(answers(w, &kept, 0xc6336402, 4500, 1), 1); /* the first has come to nothing */
    CHECK_INT(dial_facts(w->dial)->ike->ike_sas, 1);
    CHECK(!w->failed);
    world_free(w);
}

static bool starts_while_closing(struct world *w)
{
    return dial_facts(w->dial)->closing;
}

TEST(no_quick_mode_while_closing)
{
    struct world_config c;
    struct world *w;
    unsigned before;

    world_config_default(&c);
    c.link.latency = US_MS(200);
    CHECK(w = streaming(&c, NULL, 0));
    before = peer_facts(w->sim.peer)->own_quicks;
    peer_start_quick(w->sim.peer, w->sim.now);
    peer_start_main(w->sim.peer, w->sim.now);
    dial_close(w->dial, w->sim.now);
    CHECK(starts_while_closing(w));
    CHECK(!ike_rekey(w->dial->ike, w->sim.now));
    CHECK(world_until(w, world_is_down, US_S(10)));
    world_run(w, US_S(2));
    CHECK_INT(peer_facts(w->sim.peer)->own_quicks, before);
    CHECK_INT(peer_facts(w->sim.peer)->own_mains, 0);
    CHECK_INT(peer_facts(w->sim.peer)->ike_established, 0);
    world_free(w);
}

/* H31: StopCCN and Deletes in any order start nothing new. */
TEST(no_quick_mode_behind_stopccn)
{
    struct world_config c;
    struct world *w;
    unsigned before;

    world_config_default(&c);
    CHECK(w = streaming(&c, NULL, 0));
    before = peer_facts(w->sim.peer)->quick_modes + peer_facts(w->sim.peer)->main_modes;
    peer_stopccn(w->sim.peer, 6, 0, "bye", w->sim.now);
    peer_delete_esp(w->sim.peer, w->sim.now);
    CHECK(world_until(w, world_is_down, US_S(10)));
    world_run(w, US_S(3));
    CHECK_INT(peer_facts(w->sim.peer)->quick_modes + peer_facts(w->sim.peer)->main_modes, before);
    world_free(w);
}

/* Before its time, once: when it comes to nothing the pair lives on until its time has come. */
TEST(rekey_on_demand)
{
    struct ike_loss loss = {.dir = SIMLINK_TO_PEER, .count = 1000};
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.dial.esp_lifetime_s = 300;
    CHECK(w = streaming(&c, &loss, US_MS(60)));
    loss.on = false;
    CHECK(dial_rekey(w->dial, w->sim.now));
    CHECK(dial_rekey(w->dial, w->sim.now)); /* no second one of it */
    world_run(w, US_S(3));
    CHECK_INT(dial_facts(w->dial)->sa_pairs, 2);
    CHECK_INT(w->rekeyed, 1);
    loss.on = true;
    CHECK(dial_rekey(w->dial, w->sim.now));
    world_run(w, US_S(100));
    CHECK_INT(dial_facts(w->dial)->sa_pairs, 2);
    CHECK(w->up && !w->failed && !w->dial->rekey.wanted && w->dial->rekey.tries == 0);
    loss.on = false;
    world_run(w, US_S(200)); /* now its time has come */
    CHECK_INT(dial_facts(w->dial)->sa_pairs, 3);
    CHECK(fine(w, "on demand"));
    CHECK(world_close(w));
    CHECK(!dial_rekey(w->dial, w->sim.now));
    world_free(w);
}
