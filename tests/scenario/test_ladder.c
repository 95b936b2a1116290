/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ladder against servers and networks that need it, and what the next dial makes of it. */
#include "check.h"
#include "world.h"

#include <string.h>

static void ordinary(struct world_config *c)
{
    world_config_default(c);
    c->dial.inner_port = 0; /* ours to choose */
}

static const struct ladder *ladder_of(struct world *w)
{
    return dial_facts(w->dial)->ladder;
}

/* The last rung is this one, and it came up within so many milliseconds. */
static bool came_up(struct world *w, enum rung rung, unsigned ms)
{
    bool ok = world_dial(w, US_S(60)) && ladder_of(w)->now.rung == rung &&
              w->up_at <= US_S(1000) + US_MS(ms) && peer_facts(w->sim.peer)->mm5_modes <= 3;

    if (!ok)
        printf("    rung %s after %.3f s, %u message 5\n", rung_name(ladder_of(w)->now.rung),
               (double)(w->up_at - US_S(1000)) / 1e6, peer_facts(w->sim.peer)->mm5_modes);
    return ok && world_close(w);
}

static struct ike_suite likely(void)
{
    return (struct ike_suite){CIPHER_AES_CBC, 256, HASH_SHA1, DH_MODP2048};
}

static bool remembers(struct world_config *c, const struct world *w)
{
    char text[LEARNED_TEXT_MAX];
    size_t n = learned_text(&w->learned, text, sizeof(text));

    c->dial.has_learned = w->has_learned;
    return w->has_learned && learned_parse(span_of((const uint8_t *)text, n), &c->dial.learned);
}

/* Dials, then once more with what was learned. */
static struct world *second_dial(struct world_config *c, l2tpc_us *out_first)
{
    struct world *w = world_new(c);

    c->dial.has_learned = false;
    if (world_dial(w, US_S(60)) && !remembers(c, w))
        printf("    nothing was learned\n");
    *out_first = w->up_at - US_S(1000);
    world_free(w);
    c->seed++;
    return world_new(c);
}

/* ---- nothing but the first rung ---- */
TEST(ladder_not_needed)
{
    struct world_config c;
    struct world *w;

    ordinary(&c);
    w = world_new(&c);
    CHECK(came_up(w, RUNG_WHOLE, 600));
    CHECK(w->rungs == 0);
    CHECK(ladder_of(w)->n_rows == 1);
    world_free(w);
}

/* ---- one suite at a time ---- */
TEST(ladder_chokes_on_many_refusing)
{
    struct world_config c;
    struct world *w;

    ordinary(&c);
    c.peer.most_ike = 4;
    w = world_new(&c);
    CHECK(came_up(w, RUNG_ONE_IKE, 4000));
    CHECK(dial_facts(w->dial)->ike->suite.hash == HASH_SHA1);
    CHECK(peer_facts(w->sim.peer)->choked > 0);
    world_free(w);
}

TEST(ladder_chokes_on_many_silently)
{
    struct world_config c;
    struct world *w;

    ordinary(&c);
    c.peer.most_ike = 1;
    c.peer.chokes_silently = true;
    w = world_new(&c);
    CHECK(came_up(w, RUNG_ONE_IKE, 4500));
    world_free(w);
}

/* The fourth of the single suites: three refusals of half a second each before it. */
TEST(ladder_one_suite_that_is_old)
{
    struct world_config c;
    struct world *w;

    ordinary(&c);
    c.peer.most_ike = 1;
    c.peer.policy.ike[0] = (struct ike_suite){CIPHER_3DES_CBC, 0, HASH_SHA1, DH_MODP1024};
    c.peer.policy.n_ike = 1;
    w = world_new(&c);
    CHECK(came_up(w, RUNG_ONE_IKE, 6500));
    CHECK(ladder_of(w)->next_ike == 4);
    world_free(w);
}

/* The profile does not allow what the server wants: the ladder does not go there either. */
TEST(ladder_stays_inside_the_policy)
{
    struct world_config c;
    struct world *w;

    ordinary(&c);
    c.policy = "compatible";
    c.peer.most_ike = 1;
    c.peer.policy.ike[0] = (struct ike_suite){CIPHER_3DES_CBC, 0, HASH_SHA1, DH_MODP1024};
    c.peer.policy.n_ike = 1;
    w = world_new(&c);
    CHECK(world_until(w, world_is_up, US_S(50)));
    CHECK(w->failed && w->failure.id == FAILURE_IKE_NO_PROPOSAL);
    CHECK(ladder_of(w)->next_ike == LADDER_ONES);
    CHECK(w->failed_at < US_S(1000 + 10));
    world_free(w);
}

TEST(ladder_dead_server_is_asked_politely)
{
    struct world_config c;
    struct world *w;

    ordinary(&c);
    c.peer.silent_from = STAGE_IKE_PHASE1;
    w = world_new(&c);
    CHECK(world_until(w, world_is_up, US_S(50)));
    CHECK(w->failed && w->failure.id == FAILURE_IKE_NO_ANSWER);
    CHECK(w->failed_at >= US_S(1000 + 44) && w->failed_at <= US_S(1000 + 46));
    CHECK(simlink_stats(w->sim.link)->sent[PEER_UDP500][SIMLINK_TO_PEER] < 40);
    world_free(w);
}

TEST(ladder_chokes_on_many_esp)
{
    for (unsigned silent = 0; silent < 2; silent++) {
        struct world_config c;
        struct world *w;

        ordinary(&c);
        c.peer.most_esp = 2;
        c.peer.chokes_silently = silent;
        w = world_new(&c);
        CHECK(came_up(w, RUNG_ONE_ESP, silent ? 4500 : 1200));
        CHECK(peer_facts(w->sim.peer)->main_modes == 1);
        CHECK(peer_facts(w->sim.peer)->client_port != 1701);
        world_free(w);
    }
}

/* ---- encapsulation ---- */
TEST(ladder_port_4500_closed)
{
    for (unsigned dir = 0; dir < 2; dir++) {
        struct world_config c;
        struct world *w;

        ordinary(&c);
        c.link.blocked[PEER_UDP4500][dir] = true;
        w = world_new(&c);
        CHECK(came_up(w, RUNG_RAW_ESP, 11000));
        CHECK(!peer_facts(w->sim.peer)->udp_encapsulated);
        CHECK(w->needs[DIAL_NEED_PSK] == 1); /* nobody is asked twice */
        world_free(w);
    }
}

TEST(ladder_port_4500_and_protocol_50_closed)
{
    struct world_config c;
    struct world *w;

    ordinary(&c);
    c.link.blocked[PEER_UDP4500][SIMLINK_TO_PEER] = true;
    c.link.blocked[PEER_RAWESP][SIMLINK_TO_CLIENT] = true;
    w = world_new(&c);
    CHECK(world_until(w, world_is_up, US_S(50)));
    CHECK(w->failed && w->failure.id == FAILURE_IKE_PORT_4500);
    CHECK(world_until(w, world_is_down, US_S(5)));
    CHECK(peer_facts(w->sim.peer)->mm5_modes <= 3);
    world_free(w);
}

TEST(ladder_port_4500_closed_by_the_users_word)
{
    struct world_config c;
    struct world *w;

    ordinary(&c);
    c.dial.encapsulation = ENCAPSULATION_UDP;
    c.link.blocked[PEER_UDP4500][SIMLINK_TO_PEER] = true;
    w = world_new(&c);
    CHECK(world_until(w, world_is_up, US_S(50)));
    CHECK(w->failed && w->failure.id == FAILURE_IKE_PORT_4500);
    CHECK(w->rungs == 0);
    world_free(w);
}

/* What was learned on one network does not hold on the next: raw ESP that is dropped there. */
TEST(ladder_raw_esp_dropped)
{
    struct world_config c;
    l2tpc_us first;
    struct world *w;

    ordinary(&c);
    c.link.blocked[PEER_UDP4500][SIMLINK_TO_PEER] = true;
    w = world_new(&c);
    CHECK(world_dial(w, US_S(60)) && remembers(&c, w));
    first = w->up_at - US_S(1000);
    world_free(w);
    CHECK(first > US_S(8));
    c.link.blocked[PEER_UDP4500][SIMLINK_TO_PEER] = false;
    c.link.blocked[PEER_RAWESP][SIMLINK_TO_PEER] = true;
    w = world_new(&c);
    CHECK(came_up(w, RUNG_UDP, 7500));
    CHECK(peer_facts(w->sim.peer)->udp_encapsulated || w->down);
    CHECK(peer_facts(w->sim.peer)->deletes_ike > 0);
    world_free(w);
}

/* ---- source port 1701 ---- */
TEST(ladder_port_1701_by_refusal)
{
    for (unsigned deletes = 0; deletes < 2; deletes++) {
        struct world_config c;
        struct world *w;

        ordinary(&c);
        c.peer.wants_1701 = PEER_1701_REFUSED;
        c.peer.deletes_ike = deletes;
        w = world_new(&c);
        CHECK(came_up(w, RUNG_PORT, 1200));
        CHECK(peer_facts(w->sim.peer)->client_port == 1701);
        CHECK(peer_facts(w->sim.peer)->main_modes == 1 + deletes);
        world_free(w);
    }
}

TEST(ladder_port_1701_by_silence)
{
    struct world_config c;
    struct world *w;

    ordinary(&c);
    c.peer.wants_1701 = PEER_1701_MUTE;
    w = world_new(&c);
    CHECK(came_up(w, RUNG_PORT, 3000));
    CHECK(peer_facts(w->sim.peer)->main_modes == 1);
    CHECK(peer_facts(w->sim.peer)->client_port == 1701);
    world_free(w);
}

/* Refused beside a pair that is there: the pair goes on, and with it the dial. */
static bool answers_late(void *ctx, const struct simlink_packet *k)
{
    (void)ctx;
    return k->port == PEER_UDP4500 && k->bytes.n > 4 &&
           memcmp(k->bytes.p, (uint8_t[4]){0}, 4) != 0 && k->at < US_S(1000) + US_MS(2600);
}

TEST(ladder_port_1701_is_not_it)
{
    struct world_config c;
    struct world *w;

    ordinary(&c);
    c.link.hook = answers_late;
    w = world_new(&c);
    CHECK(world_dial(w, US_S(60)));
    CHECK(peer_facts(w->sim.peer)->client_port == 1701);
    CHECK(world_close(w));
    world_free(w);
}

TEST(ladder_port_by_the_users_word)
{
    struct world_config c;
    struct world *w;

    ordinary(&c);
    c.dial.inner_port = 50000;
    c.peer.wants_1701 = PEER_1701_REFUSED;
    w = world_new(&c);
    CHECK(world_until(w, world_is_up, US_S(50)));
    CHECK(w->failed && w->failure.id == FAILURE_IKE_QUICK_REFUSED);
    world_free(w);
}

/* ---- 96 bits ---- */
static void cuts_to_96(struct world_config *c, bool client)
{
    struct esp_suite s = {CIPHER_AES_CBC, 256, HASH_SHA256, true};

    c->peer.policy.esp[0] = s;
    c->peer.policy.n_esp = 1;
    CHECK(policy_named("legacy", &c->dial.policy));
    c->policy = NULL;
    for (unsigned i = 0; client && i < c->dial.policy.n_esp; i++)
        c->dial.policy.esp[i].truncate_96 = c->dial.policy.esp[i].integ == HASH_SHA256;
}

/* C24: 12 or 16 bytes at either end. */
TEST(c24_icv_of_96_and_128_bits)
{
    for (unsigned server = 0; server < 2; server++) {
        for (unsigned client = 0; client < 2; client++) {
            struct world_config c;
            struct world *w;

            ordinary(&c);
            c.dial.inner_port = 50000;
            cuts_to_96(&c, client);
            c.peer.policy.esp[0].truncate_96 = server;
            w = world_new(&c);
            CHECK(world_until(w, world_is_up, US_S(60)));
            CHECK(w->up == (server == client));
            CHECK(w->up || w->failure.id == FAILURE_ESP_NOTHING_BACK ||
                  w->failure.id == FAILURE_ESP_BAD_ICV);
            world_free(w);
        }
    }
}

/* ---- memory ---- */
TEST(memory_second_dial_is_faster)
{
    static const struct {
        unsigned most_ike, most_esp;
        enum peer_wants_1701 port;
        bool silent, closed_4500;
    } servers[] = {
        {1, 0, PEER_ANY_PORT, true, false},      {1, 0, PEER_ANY_PORT, false, false},
        {0, 1, PEER_ANY_PORT, true, false},      {0, 1, PEER_ANY_PORT, false, false},
        {0, 0, PEER_1701_REFUSED, false, false}, {0, 0, PEER_1701_MUTE, false, false},
        {0, 0, PEER_ANY_PORT, false, true},      {1, 1, PEER_1701_MUTE, true, false},
    };

    for (unsigned i = 0; i < ARRAY_LEN(servers); i++) {
        struct world_config c;
        struct world *w;
        l2tpc_us first;

        ordinary(&c);
        c.peer.most_ike = servers[i].most_ike;
        c.peer.most_esp = servers[i].most_esp;
        c.peer.wants_1701 = servers[i].port;
        c.peer.chokes_silently = servers[i].silent;
        c.link.blocked[PEER_UDP4500][SIMLINK_TO_PEER] = servers[i].closed_4500;
        w = second_dial(&c, &first);
        CHECK(came_up(w, RUNG_LEARNED, 700));
        CHECK(w->rungs == 0);
        CHECK(first > w->up_at - US_S(1000));
        printf("    server %u: %.3f s, then %.3f s\n", i, (double)first / 1e6,
               (double)(w->up_at - US_S(1000)) / 1e6);
        world_free(w);
    }
}

/* The server was changed meanwhile: what was learned fails, the whole ladder stands behind it. */
TEST(memory_that_holds_no_longer)
{
    struct world_config c;
    struct world *w;
    l2tpc_us first;

    ordinary(&c);
    c.peer.most_ike = 1;
    c.peer.wants_1701 = PEER_1701_REFUSED;
    w = second_dial(&c, &first);
    world_free(w);
    c.peer.most_ike = 0;
    c.peer.wants_1701 = PEER_ANY_PORT;
    c.peer.policy.ike[0] = (struct ike_suite){CIPHER_AES_CBC, 256, HASH_SHA256, DH_MODP2048};
    c.peer.policy.n_ike = 1;
    w = world_new(&c);
    CHECK(came_up(w, RUNG_WHOLE, 4500));
    CHECK(w->learned.one_ike == false);
    world_free(w);
}

/* On a line that loses packets silence is no sign of the server's: the next dial asks in full. */
static bool loses_the_first(void *ctx, const struct simlink_packet *k)
{
    (void)ctx;
    return k->dir == SIMLINK_TO_PEER && (k->dir_number < 3 || k->dir_number == 4);
}

TEST(memory_of_a_lossy_line)
{
    struct world_config c;
    struct world *w;

    ordinary(&c);
    c.link.hook = loses_the_first;
    w = world_new(&c);
    CHECK(world_dial(w, US_S(60)));
    CHECK(ladder_of(w)->now.rung == RUNG_ONE_IKE);
    CHECK(w->has_learned && !w->learned.one_ike);
    world_free(w);
}

TEST(memory_of_pfs)
{
    struct world_config c;
    struct world *w;
    l2tpc_us first;

    ordinary(&c);
    w = second_dial(&c, &first);
    world_free(w);
    c.dial.learned.pfs = DH_MODP2048;
    w = world_new(&c);
    CHECK(came_up(w, RUNG_LEARNED, 900));
    CHECK(dial_facts(w->dial)->pfs == DH_MODP2048);
    world_free(w);
}

/* ---- who it was ---- */
TEST(pin_is_kept_and_a_change_is_told)
{
    struct world_config c;
    struct world *w;
    l2tpc_us first;

    ordinary(&c);
    w = second_dial(&c, &first);
    CHECK(world_dial(w, US_S(60)));
    CHECK(w->warning.id == FAILURE_NONE);
    CHECK(!dial_facts(w->dial)->peer_id_changed);
    world_free(w);
    (void)snprintf(c.dial.learned.peer_id, sizeof(c.dial.learned.peer_id), "%s", "192.0.2.77");
    w = world_new(&c);
    CHECK(world_dial(w, US_S(60)));
    CHECK(w->warning.id == FAILURE_IKE_PEER_ID_CHANGED);
    CHECK(strstr(w->warning.value, "192.0.2.77"));
    CHECK(dial_facts(w->dial)->peer_id_changed);
    CHECK(w->has_learned && strcmp(w->learned.peer_id, "192.0.2.77") != 0);
    world_free(w);
}

/* ---- never weaker ---- */
static bool is_downgraded(struct world_config *c, enum stage stage)
{
    struct world *w = world_new(c);
    bool ok = world_until(w, world_is_up, US_S(60)) && w->failed &&
              w->failure.id == FAILURE_IKE_DOWNGRADE && w->failed_stage == stage;

    if (!ok)
        printf("    %s at %s\n", failure_code(w->failure.id), stage_name(w->failed_stage));
    world_free(w);
    return ok;
}

TEST(downgrade_is_refused)
{
    struct world_config c;
    struct world *w;
    l2tpc_us first;

    ordinary(&c);
    w = second_dial(&c, &first);
    CHECK(world_dial(w, US_S(60)));
    CHECK(w->learned.floor_ike == STRENGTH_STRONG && w->learned.floor_esp == STRENGTH_STRONG);
    world_free(w);
    c.peer.policy.ike[0] = likely();
    c.peer.policy.n_ike = 1;
    CHECK(is_downgraded(&c, STAGE_IKE_PHASE1));
    c.peer.policy.n_ike = 0;
    c.peer.policy.esp[0] = (struct esp_suite){CIPHER_AES_CBC, 256, HASH_SHA1, false};
    c.peer.policy.n_esp = 1;
    CHECK(is_downgraded(&c, STAGE_IKE_QUICK));
    c.dial.has_learned = false; /* l2tpc forget */
    w = world_new(&c);
    CHECK(came_up(w, RUNG_WHOLE, 700));
    world_free(w);
}

/* A profile that itself allows nothing better than this has its owner's consent. */
TEST(downgrade_by_the_users_word)
{
    struct world_config c;
    struct world *w;
    l2tpc_us first;

    ordinary(&c);
    w = second_dial(&c, &first);
    world_free(w);
    c.policy = NULL;
    c.dial.policy.ike[0] = likely();
    c.dial.policy.n_ike = 1;
    c.dial.policy.esp[0] = (struct esp_suite){CIPHER_AES_CBC, 256, HASH_SHA1, false};
    c.dial.policy.n_esp = 1;
    w = world_new(&c);
    CHECK(came_up(w, RUNG_LEARNED, 700));
    CHECK(w->learned.floor_ike == STRENGTH_STRONG); /* of the profile, not of this dial */
    world_free(w);
}

/* ---- over all rungs ---- */
TEST(ladder_never_more_than_three_message_5)
{
    for (unsigned n = 0; n < 400; n++) {
        struct world_config c;
        const struct peer_facts *f;
        struct world *w;
        bool auth_failed;

        ordinary(&c);
        c.seed = 1000 + n;
        c.peer.most_ike = n % 3;
        c.peer.most_esp = n / 3 % 2;
        c.peer.chokes_silently = n / 6 % 2;
        c.peer.wants_1701 = (enum peer_wants_1701)(n / 12 % 3);
        c.peer.deletes_ike = n / 36 % 2;
        c.link.blocked[PEER_UDP4500][SIMLINK_TO_PEER] = n / 72 % 2;
        c.link.blocked[PEER_RAWESP][SIMLINK_TO_PEER] = n / 144 % 2;
        c.psk = n % 5 == 0 ? "a wrong secret" : c.psk;
        c.link.loss = n % 7 == 0 ? 1500 : 0;
        c.dial.has_learned = n % 4 == 0;
        c.dial.learned = (struct learned){
            .has_ike = true, .ike = likely(), .one_ike = true, .encapsulation = ENCAPSULATION_ESP};
        w = world_new(&c);
        CHECK(world_until(w, world_is_up, US_S(120)));
        f = peer_facts(w->sim.peer);
        auth_failed = ladder_of(w)->authentication_failed;
        CHECK(f->main_modes <= 60);
        if (f->mm5_modes > 3)
            printf("    world %u: %u message 5\n", n, f->mm5_modes);
        CHECK(f->mm5_modes <= 3);
        CHECK(!auth_failed || w->failed);
        CHECK(w->needs[DIAL_NEED_PSK] <= 1);
        for (unsigned i = 1; i < ladder_of(w)->n_rows; i++)
            CHECK(ladder_of(w)->row[i].why != FAILURE_IKE_AUTH_PSK);
        CHECK(w->violations == 0);
        world_free(w);
    }
}
