/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Aggressive mode: only with consent, never by itself, and as robust as main mode. Row C14: a
 * server that takes nothing else gets no aggressive packet from a client that was not told to.
 */
#include "check.h"
#include "dial/internal.h"
#include "ike/v1/engine.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

static void aggressive(struct world_config *c)
{
    world_config_default(c);
    c->dial.aggressive = c->dial.aggressive_allowed = true;
    c->peer.aggressive = PEER_AGGRESSIVE_ONLY;
}

/* ---- it works ---- */
TEST(aggressive_every_flavour_and_encapsulation)
{
    for (unsigned f = PEER_PLAIN; f <= PEER_WINDOWS; f++) {
        for (enum encapsulation e = ENCAPSULATION_AUTO; e <= ENCAPSULATION_ESP; e++) {
            struct world_config c;
            struct world *w;

            aggressive(&c);
            c.peer.flavour = (enum peer_flavour)f;
            c.dial.encapsulation = e;
            w = world_new(&c);
            CHECK(world_dial(w, US_S(30)));
            CHECK(dial_facts(w->dial)->ike->aggressive);
            CHECK_INT(peer_facts(w->sim.peer)->main_modes, 0);
            CHECK_INT(peer_facts(w->sim.peer)->aggressive_modes, 1);
            CHECK_INT(dial_facts(w->dial)->udp_encapsulated, e != ENCAPSULATION_ESP);
            CHECK_INT(dial_facts(w->dial)->ike->resent, 0);
            CHECK_INT(w->needs[DIAL_NEED_PSK], 1);
            CHECK(world_close(w));
            world_free(w);
        }
    }
}

TEST(aggressive_behind_a_nat)
{
    struct world_config c;
    struct world *w;

    aggressive(&c);
    c.link.nat = true;
    c.link.nat_addr = inaddr_v4(0xc0000201);
    w = world_new(&c);
    CHECK(world_dial(w, US_S(30)));
    CHECK(peer_facts(w->sim.peer)->floated);
    CHECK(world_close(w));
    world_free(w);
}

/* The group of the first suite decides; our server complains about an offer of two. */
TEST(aggressive_offers_one_group)
{
    static const char *const names[] = {"strong", "compatible", "legacy"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct world_config c;
        struct world *w;

        aggressive(&c);
        c.policy = names[i];
        w = world_new(&c);
        CHECK(world_dial(w, US_S(30)));
        CHECK_INT(dial_facts(w->dial)->ike->suite.group, w->config.dial.policy.ike[0].group);
        world_free(w);
    }
}

/* ---- exactly one message lost, 1 to 5 times ---- */
struct loss {
    int dir;
    unsigned first, count, seen;
    bool on;
};

static bool is_ike(const struct simlink_packet *k)
{
    static const uint8_t marker[4];

    return k->port == PEER_UDP500 ||
           (k->port == PEER_UDP4500 && k->bytes.n >= 4 && !memcmp(k->bytes.p, marker, 4));
}

static bool lose(void *ctx, const struct simlink_packet *k)
{
    struct loss *l = ctx;
    unsigned number;

    if (!l->on || !is_ike(k) || (int)k->dir != l->dir)
        return false;
    number = l->seen++;
    return number >= l->first && number < l->first + l->count;
}

/* Message 3 and quick mode 1 go again for longer than a rung of the ladder would wait. */
TEST(aggressive_waits_for_message_3)
{
    struct loss loss = {.dir = SIMLINK_TO_PEER, .first = 1, .count = 12, .on = true};
    struct world_config c;
    struct world *w;

    aggressive(&c);
    c.link.hook = lose;
    c.link.hook_ctx = &loss;
    w = world_new(&c);
    CHECK(world_dial(w, US_S(60)));
    CHECK_INT(peer_facts(w->sim.peer)->aggressive_modes, 1);
    world_free(w);
}

TEST(aggressive_each_message_lost)
{
    for (int dir = SIMLINK_TO_PEER; dir <= SIMLINK_TO_CLIENT; dir++) {
        for (unsigned k = 0; k < 4; k++) {
            for (unsigned times = 1; times <= 5; times++) {
                struct loss loss = {.dir = dir, .first = k, .count = times, .on = true};
                struct world_config c;
                struct world *w;

                aggressive(&c);
                c.peer.flavour = PEER_PPPD;
                c.dial.encapsulation = times & 1 ? ENCAPSULATION_AUTO : ENCAPSULATION_ESP;
                c.link.hook = lose;
                c.link.hook_ctx = &loss;
                w = world_new(&c);
                if (!world_dial(w, US_S(60)))
                    check_fail(__FILE__, __LINE__, "direction %d, message %u, %u times", dir, k,
                               times);
                CHECK(world_close(w));
                world_free(w);
            }
        }
    }
}

/* Nothing of it changes what the right messages do. */
TEST(aggressive_noise)
{
    static const uint64_t bugs[] = {BUG_IKE_FOREIGN_COOKIE, BUG_IKE_TRUNCATED,
                                    BUG_IKE_GARBAGE_CHAIN, BUG_IKE_CLEAR_REFUSALS};

    for (size_t i = 0; i < ARRAY_LEN(bugs); i++) {
        struct world_config c;
        struct world *w;

        aggressive(&c);
        c.peer.bugs = bugs[i];
        w = world_new(&c);
        CHECK(world_dial(w, US_S(30)));
        world_free(w);
    }
}

/* ---- it fails ---- */
static bool fails(const struct world_config *c, enum failure_id id, l2tpc_us within,
                  unsigned messages)
{
    struct world *w = world_new(c);
    bool ok = world_until(w, world_is_up, within) && w->failed && w->failure.id == id &&
              w->violations == 0;
    unsigned aggressive_modes = peer_facts(w->sim.peer)->aggressive_modes;

    if (!ok || (messages < 99 && aggressive_modes != messages)) {
        printf("    %s at %.3f s, %u aggressive messages; %s %s\n", failure_code(w->failure.id),
               (double)(w->sim.now - US_S(1000)) / 1e6, aggressive_modes, w->violation,
               peer_facts(w->sim.peer)->complaint);
        ok = false;
    }
    if (w->needs[DIAL_NEED_PASSWORD] > 0)
        ok = false;
    ok = ok && world_until(w, world_is_down, US_S(5)) && dial_deadline(w->dial) == US_NEVER;
    world_free(w);
    return ok;
}

/* The client itself sees that its key is another one: no message 3 leaves. */
TEST(aggressive_wrong_key)
{
    struct world_config c;

    aggressive(&c);
    c.psk = "another secret";
    CHECK(fails(&c, FAILURE_IKE_AUTH_PSK, US_S(5), 99));
    aggressive(&c);
    c.peer.bugs = BUG_IKE_WRONG_HASH_R;
    CHECK(fails(&c, FAILURE_IKE_AUTH_PSK, US_S(5), 99));
}

TEST(aggressive_refusals_and_silence)
{
    struct world_config c;

    aggressive(&c);
    c.peer.silent_from = STAGE_IKE_PHASE1;
    CHECK(fails(&c, FAILURE_IKE_NO_ANSWER, US_S(46), 99));
    aggressive(&c);
    c.peer.bugs = BUG_IKE_NO_PROPOSAL;
    CHECK(fails(&c, FAILURE_IKE_NO_PROPOSAL, US_S(5), 99));
    aggressive(&c);
    c.peer.bugs = BUG_AM_KE_ZERO;
    CHECK(fails(&c, FAILURE_IKE_PROTOCOL, US_S(46), 99));
    aggressive(&c);
    c.peer.bugs = BUG_IKE_NONCE_SHORT;
    c.peer.silent_from = STAGE_IKE_AUTH;
    CHECK(fails(&c, FAILURE_IKE_PORT_4500, US_S(47), 99));
    aggressive(&c);
    c.dial.encapsulation = ENCAPSULATION_ESP;
    c.peer.silent_from = STAGE_IKE_AUTH;
    CHECK(fails(&c, FAILURE_IKE_QUICK_TIMEOUT, US_S(47), 99));
    aggressive(&c);
    c.dial.encapsulation = ENCAPSULATION_UDP;
    c.peer.no_natt = true;
    CHECK(fails(&c, FAILURE_IKE_ENCAPSULATION, US_S(5), 99));
}

static bool only_500(void *ctx, const struct simlink_packet *k)
{
    (void)ctx;
    return k->port == PEER_UDP4500;
}

TEST(aggressive_port_4500_closed)
{
    struct world_config c;

    aggressive(&c);
    c.link.hook = only_500;
    CHECK(fails(&c, FAILURE_IKE_PORT_4500, US_S(47), 1));
}

/* ---- with the ladder, the memory and the table of servers ---- */
/* A quick mode under the same IKE SA may follow, a second exchange of this kind never does. */
TEST(aggressive_is_run_once)
{
    for (unsigned deletes = 0; deletes < 2; deletes++) {
        struct world_config c;
        struct world *w;

        aggressive(&c);
        c.dial.inner_port = 0; /* ours to choose */
        c.peer.wants_1701 = PEER_1701_REFUSED;
        c.peer.deletes_ike = deletes;
        w = world_new(&c);
        CHECK_INT(world_dial(w, US_S(60)), !deletes);
        CHECK_INT(peer_facts(w->sim.peer)->aggressive_modes, 1);
        CHECK_INT(peer_facts(w->sim.peer)->main_modes, 0);
        world_free(w);
    }
}

/* The vendor IDs that call for port 1701 come too late for the first quick mode. */
TEST(aggressive_leaves_port_1701_to_the_ladder)
{
    static const char own[] =
        "l2tpc-servers 1\nserver Old router\nno-vendor-id 0102\nquirk port-1701\n";
    struct servers *s = servers_new();
    struct servers_problem p;
    struct world_config c;
    struct world *w;

    CHECK(servers_add(s, "own", span_str(own), &p));
    aggressive(&c);
    c.dial.servers = s;
    c.dial.inner_port = 0;
    c.peer.wants_1701 = PEER_1701_REFUSED;
    w = world_new(&c);
    CHECK(world_dial(w, US_S(60)));
    CHECK_INT(peer_facts(w->sim.peer)->client_port, 1701);
    CHECK_INT(dial_facts(w->dial)->server_quirks, 0);
    world_free(w);
    servers_free(s);
}

TEST(aggressive_is_not_followed_down)
{
    struct world_config c;
    struct world *w;

    aggressive(&c);
    c.policy = NULL;
    c.dial.policy.ike[0] = (struct ike_suite){CIPHER_AES_CBC, 256, HASH_SHA256, DH_MODP2048};
    c.dial.policy.ike[1] = (struct ike_suite){CIPHER_3DES_CBC, 0, HASH_SHA1, DH_MODP2048};
    c.dial.policy.n_ike = 2;
    c.dial.policy.esp[0] = (struct esp_suite){CIPHER_AES_CBC, 256, HASH_SHA1, false};
    c.dial.policy.n_esp = 1;
    c.peer.policy.ike[0] = c.dial.policy.ike[1];
    c.peer.policy.n_ike = 1;
    w = world_new(&c);
    CHECK(world_dial(w, US_S(30)));
    world_free(w);
    c.dial.has_learned = true;
    c.dial.learned = (struct learned){.floor_ike = STRENGTH_STRONG, .floor_esp = STRENGTH_NONE};
    CHECK(fails(&c, FAILURE_IKE_DOWNGRADE, US_S(10), 99));
}

/* ---- consent ---- */
TEST(c14_aggressive_not_without_consent)
{
    struct world_config c;
    struct world *w;

    aggressive(&c);
    c.dial.aggressive_allowed = false;
    w = world_new(&c);
    CHECK(world_until(w, world_is_up, US_S(1)));
    CHECK_STR(failure_code(w->failure.id), "ike.aggressive-consent");
    CHECK_INT(w->needs[DIAL_NEED_PSK], 0);
    CHECK_INT(simlink_stats(w->sim.link)->sent[PEER_UDP500][SIMLINK_TO_PEER], 0);
    world_free(w);
}

/* The consent alone does not begin it either. */
TEST(c14_aggressive_never_by_itself)
{
    for (unsigned consent = 0; consent < 2; consent++) {
        struct world_config c;

        aggressive(&c);
        c.dial.aggressive = false;
        c.dial.aggressive_allowed = consent;
        CHECK(fails(&c, FAILURE_IKE_AGGRESSIVE_ONLY, US_S(5), 0));
    }
}

/* ---- the unencrypted identity ---- */
TEST(aggressive_clear_identity_needs_consent)
{
    for (unsigned consent = 0; consent < 2; consent++) {
        struct world_config c;
        struct world *w;

        world_config_default(&c);
        c.dial.aggressive_allowed = consent;
        c.peer.bugs = BUG_IKE_CLEAR_MM6;
        w = world_new(&c);
        if (consent) {
            CHECK(world_dial(w, US_S(30)));
            CHECK(dial_facts(w->dial)->ike->clear_identity);
            CHECK(world_close(w));
        } else {
            CHECK(world_until(w, world_is_up, US_S(60)));
            CHECK(w->failed && w->failed_stage == STAGE_IKE_AUTH);
        }
        world_free(w);
    }
}

/* In clear it must prove the key all the same. */
TEST(aggressive_clear_identity_is_checked)
{
    struct world_config c;

    world_config_default(&c);
    c.dial.aggressive_allowed = true;
    c.peer.bugs = BUG_IKE_CLEAR_MM6 | BUG_IKE_WRONG_HASH_R;
    CHECK(fails(&c, FAILURE_IKE_AUTH_PEER, US_S(60), 0));
}

/* ---- the key is typed ---- */
TEST(aggressive_key_typed_late)
{
    struct world_config c;
    struct world *w;

    aggressive(&c);
    c.script[DIAL_NEED_PSK].delay = US_S(60);
    w = world_new(&c);
    CHECK(world_dial(w, US_S(90)));
    CHECK_INT(peer_facts(w->sim.peer)->aggressive_modes, 1);
    world_free(w);
}

TEST(aggressive_key_typed_late_and_the_first_address_is_dead)
{
    struct world_config c;
    struct world *w;

    aggressive(&c);
    c.script[DIAL_NEED_PSK].delay = US_S(20);
    c.address[1] = c.address[0];
    c.address[0] = inaddr_v4(0xc6336405);
    c.n_address = 2;
    w = world_new(&c);
    CHECK(world_dial(w, US_S(90)));
    CHECK_INT(peer_facts(w->sim.peer)->aggressive_modes, 1);
    world_free(w);
}

TEST(aggressive_key_not_given)
{
    struct world_config c;

    aggressive(&c);
    c.script[DIAL_NEED_PSK].answer = ANSWER_FAILURE;
    CHECK(fails(&c, FAILURE_LOCAL_SECRET, US_S(5), 0));
}

/* ---- renewal ---- */
static struct world *streaming(struct world_config *c, struct loss *loss)
{
    struct world *w;

    c->link.hook = lose;
    c->link.hook_ctx = loss;
    w = world_new(c);
    if (!world_dial(w, US_S(30))) {
        world_free(w);
        return NULL;
    }
    w->stream_every = US_MS(60);
    w->stream_due = w->sim.now;
    loss->on = true;
    return w;
}

static bool nothing_lost(struct world *w)
{
    w->stream_every = 0;
    world_run(w, US_S(1));
    if (w->pings == w->replies && w->refused == 0 && !w->failed && world_clean(w))
        return true;
    printf("    %u of %u pings lost, %u refused, %s %s %s\n", w->pings - w->replies, w->pings,
           w->refused, failure_code(w->failure.id), w->violation,
           peer_facts(w->sim.peer)->complaint);
    return false;
}

TEST(aggressive_renewed_10_times)
{
    for (unsigned i = 0; i < 4; i++) {
        struct loss loss = {0};
        struct world_config c;
        struct world *w;

        aggressive(&c);
        c.dial.encapsulation = i & 1 ? ENCAPSULATION_ESP : ENCAPSULATION_AUTO;
        c.dial.ike_lifetime_s = 20;
        c.dial.esp_lifetime_s = i & 2 ? 30 : 3600;
        c.peer.no_dpd = i == 3;
        w = streaming(&c, &loss);
        CHECK(w);
        world_run(w, US_S(200));
        CHECK(nothing_lost(w));
        CHECK(dial_facts(w->dial)->ike->ike_sas > 10);
        CHECK(dial_facts(w->dial)->ike->aggressive);
        CHECK_INT(peer_facts(w->sim.peer)->main_modes, 0);
        CHECK(peer_facts(w->sim.peer)->ike_established <= (c.peer.no_dpd ? 4 : 2));
        CHECK(world_close(w));
        world_free(w);
    }
}

TEST(aggressive_renewal_each_message_lost)
{
    for (int dir = SIMLINK_TO_PEER; dir <= SIMLINK_TO_CLIENT; dir++) {
        for (unsigned k = 0; k < 4; k++) {
            for (unsigned times = 1; times <= 5; times++) {
                struct loss loss = {.dir = dir, .first = k, .count = times};
                struct world_config c;
                struct world *w;

                aggressive(&c);
                c.dial.ike_lifetime_s = 100;
                w = streaming(&c, &loss);
                CHECK(w);
                world_run(w, US_S(140));
                if (!nothing_lost(w) || dial_facts(w->dial)->ike->ike_sas < 2 ||
                    peer_facts(w->sim.peer)->ike_established == 0)
                    check_fail(__FILE__, __LINE__, "direction %d, message %u, %u times", dir, k,
                               times);
                world_free(w);
            }
        }
    }
}

static bool lose_am3(void *ctx, const struct simlink_packet *k)
{
    const struct loss *l = ctx;

    return l->on && k->dir == SIMLINK_TO_PEER && k->port == PEER_UDP4500 && is_ike(k) &&
           k->bytes.n > 32 && k->bytes.p[4 + 18] == EXCHANGE_AGGRESSIVE && k->bytes.p[4 + 19] != 0;
}

/* No message 3 of a renewal arrives, for a while or until we give up: the SA before goes on. */
TEST(aggressive_renewal_not_taken)
{
    static const unsigned seconds[] = {98, 125};

    for (size_t i = 0; i < ARRAY_LEN(seconds); i++) {
        struct loss loss = {0};
        struct world_config c;
        struct world *w;

        aggressive(&c);
        c.dial.ike_lifetime_s = 100;
        c.link.hook = lose_am3;
        c.link.hook_ctx = &loss;
        w = world_new(&c);
        CHECK(world_dial(w, US_S(30)));
        w->stream_every = US_MS(60);
        w->stream_due = w->sim.now;
        loss.on = true;
        world_run(w, US_S(seconds[i]));
        CHECK(dial_facts(w->dial)->ike->established);
        CHECK_INT(peer_facts(w->sim.peer)->ike_established, 1);
        loss.on = false;
        world_run(w, US_S(100));
        CHECK(dial_facts(w->dial)->ike->established);
        CHECK(dial_facts(w->dial)->ike->ike_sas >= 3);
        CHECK(nothing_lost(w));
        world_free(w);
    }
}

/* Row H7: main mode of the server renews; its aggressive mode is not answered, here neither. */
TEST(h07_aggressive_server_begins)
{
    struct loss loss = {0};
    struct world_config c;
    struct world *w;
    unsigned sent;

    aggressive(&c);
    w = streaming(&c, &loss);
    CHECK(w);
    w->stream_every = 0;
    world_run(w, US_S(1));
    sent = (unsigned)dial_facts(w->dial)->ike->sent;
    peer_start_aggressive(w->sim.peer, w->sim.now);
    world_run(w, US_S(1));
    CHECK_INT(dial_facts(w->dial)->ike->sent, sent);
    peer_start_main(w->sim.peer, w->sim.now);
    world_run(w, US_S(2));
    CHECK_INT(peer_facts(w->sim.peer)->own_mains, 1);
    CHECK(!dial_facts(w->dial)->ike->aggressive);
    CHECK(nothing_lost(w));
    world_free(w);
}
