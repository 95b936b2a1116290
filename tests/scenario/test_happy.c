/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Dials that go well: every flavour of server, each encapsulation, login methods, suites. */
#include "check.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

enum way {
    WAY_UDP,
    WAY_ESP,
    WAY_NAT,
    WAYS,
};

static const char *const way_name[] = {"udp", "esp", "nat"};

static void set_way(struct world_config *c, enum way way)
{
    c->dial.encapsulation = way == WAY_ESP ? ENCAPSULATION_ESP : ENCAPSULATION_AUTO;
    c->link.nat = way == WAY_NAT;
    c->link.nat_addr = inaddr_v4(0xcb007107);
}

static bool complain(const struct world_config *c, const char *what)
{
    printf("    flavour %d auth %d: %s\n", (int)c->peer.flavour, (int)c->peer.auth[0], what);
    return false;
}

/* The last words arrive in the order that lets the server follow. */
static bool said_goodbye(struct world *w)
{
    static const char *const order[] = {"Terminate", "CDN", "StopCCN", "Delete ESP", "Delete IKE"};
    int at = -1;

    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        int next = world_find(w, LINE_PEER, order[i], 0);

        if (next <= at) {
            printf("    %s is missing or out of order\n", order[i]);
            return false;
        }
        at = next;
    }
    return true;
}

static bool facts_agree(struct world *w)
{
    const struct dial_facts *f = dial_facts(w->dial);
    const struct peer_facts *p = peer_facts(w->sim.peer);

    return f->up && f->was_authenticated && f->was_call_up && f->spi_in == p->spi_out &&
           f->spi_out == p->spi_in && f->udp_encapsulated == p->udp_encapsulated &&
           f->data.ip_in == w->replies && f->data.ip_out == w->pings &&
           inaddr_eq(&f->ip.local, &w->config.peer.client_ip) &&
           strcmp(p->user, w->config.dial.user) == 0 && f->failure.id == FAILURE_NONE &&
           f->sa_pairs == 1 && w->needs[DIAL_NEED_APPLY_IP] == 1;
}

static bool all_gone(struct world *w)
{
    const struct peer_facts *p = peer_facts(w->sim.peer);

    return p->esp_pairs == 0 && p->ike_established == 0 && !p->tunnel_up && !p->session_up &&
           !p->lcp_up && !p->ip_up && w->released && !w->failed;
}

static bool happy(const struct world_config *c)
{
    struct world *w = world_new(c);
    bool ok = world_dial(w, US_S(60));

    if (ok && !facts_agree(w))
        ok = complain(c, "client and server do not tell the same story");
    if (ok && !world_close(w))
        ok = complain(c, "the end is not clean");
    if (ok && !said_goodbye(w))
        ok = complain(c, "the end is not polite");
    if (ok && !all_gone(w))
        ok = complain(c, "something was left behind");
    if (ok && w->failed)
        ok = complain(c, "an ordinary end is no failure");
    world_free(w);
    return ok;
}

/* Every way for one flavour and method; the window of the data plane and the whole input. */
static bool happy_every_way(struct world_config *c)
{
    bool all = true;

    for (unsigned way = 0; way < WAYS; way++) {
        set_way(c, (enum way)way);
        c->whole_input = way % 2 == 0;
        if (!happy(c)) {
            printf("    way %s\n", way_name[way]);
            all = false;
        }
    }
    return all;
}

static bool flavour(enum peer_flavour f)
{
    static const enum peer_auth method[] = {PEER_AUTH_MSCHAPV2, PEER_AUTH_CHAP_MD5, PEER_AUTH_PAP};
    static const unsigned allowed[] = {PPP_AUTH_MSCHAPV2, PPP_AUTH_CHAP_MD5, PPP_AUTH_PAP};
    bool all = true;

    for (size_t i = 0; i < ARRAY_LEN(method); i++) {
        struct world_config c;

        world_config_default(&c);
        c.peer.flavour = f;
        if (f != PEER_SOFTETHER) {
            c.peer.auth[0] = method[i];
            c.peer.n_auth = 1;
        } else if (method[i] == PEER_AUTH_CHAP_MD5) {
            continue; /* it knows none */
        }
        c.dial.auth = allowed[i];
        all &= happy_every_way(&c);
    }
    return all;
}

TEST(happy_plain)
{
    CHECK(flavour(PEER_PLAIN));
}

TEST(happy_softether)
{
    CHECK(flavour(PEER_SOFTETHER));
}

TEST(happy_pppd)
{
    CHECK(flavour(PEER_PPPD));
}

TEST(happy_windows)
{
    CHECK(flavour(PEER_WINDOWS));
}

TEST(happy_no_authentication_when_allowed)
{
    struct world_config c;

    world_config_default(&c);
    c.peer.auth[0] = PEER_AUTH_NONE;
    c.peer.n_auth = 1;
    c.peer.user = "";
    c.dial.user[0] = 0;
    c.dial.auth = PPP_AUTH_MSCHAPV2 | PPP_AUTH_NONE_OK;
    CHECK(happy_every_way(&c));
}

TEST(happy_suites)
{
    static const struct {
        const char *ike, *esp;
        enum dh_group pfs;
    } suite[] = {
        {"3des-sha1-modp1024", "3des-sha1", DH_NONE},
        {"aes128-sha1-modp1024", "aes128-sha1", DH_MODP1024},
        {"aes256-sha1-modp1536", "aes256-sha1", DH_NONE},
        {"aes256-sha256-modp2048", "aes256-sha256", DH_MODP2048},
        {"aes128-sha256-ecp256", "aes128gcm16", DH_ECP256},
        {"aes256-sha384-ecp384", "aes256gcm16", DH_ECP384},
        {"aes256-sha256-modp3072", "aes128-sha256", DH_NONE},
    };

    for (size_t i = 0; i < ARRAY_LEN(suite); i++) {
        struct world_config c;
        char bad[64];

        world_config_default(&c);
        c.policy = NULL;
        memset(&c.dial.policy, 0, sizeof(c.dial.policy));
        CHECK(policy_parse_ike(suite[i].ike, &c.dial.policy, bad));
        CHECK(policy_parse_esp(suite[i].esp, &c.dial.policy, bad));
        c.dial.policy.pfs = suite[i].pfs;
        if (!happy_every_way(&c)) {
            printf("    suite %s, %s\n", suite[i].ike, suite[i].esp);
            CHECK(false);
        }
    }
}

/* The named policies against a server that knows only one suite of each. */
TEST(happy_policies)
{
    static const char *const policy[] = {"strong", "compatible", "legacy"};

    for (size_t i = 0; i < ARRAY_LEN(policy); i++) {
        struct world_config c;

        world_config_default(&c);
        c.policy = policy[i];
        CHECK(policy_named(policy[i], &c.peer.policy));
        c.peer.policy.ike[0] = c.peer.policy.ike[c.peer.policy.n_ike - 1];
        c.peer.policy.esp[0] = c.peer.policy.esp[c.peer.policy.n_esp - 1];
        c.peer.policy.n_ike = c.peer.policy.n_esp = 1;
        CHECK(happy(&c));
    }
}

TEST(happy_natt_drafts)
{
    static const unsigned only[] = {PEER_NATT_DRAFT02, PEER_NATT_DRAFT03, PEER_NATT_RFC};

    for (size_t i = 0; i < ARRAY_LEN(only); i++) {
        struct world_config c;

        world_config_default(&c);
        c.peer.natt = only[i];
        set_way(&c, WAY_NAT);
        CHECK(happy(&c));
    }
}

TEST(happy_tunnel_secret_and_hidden_avps)
{
    struct world_config c;

    world_config_default(&c);
    c.peer.tunnel_secret = "hush";
    c.peer.hide_avps = true;
    c.dial.has_tunnel_secret = true;
    CHECK(secret_set(&c.dial.tunnel_secret, span_str("hush")));
    CHECK(happy_every_way(&c));
    secret_wipe(&c.dial.tunnel_secret);
}

TEST(happy_window_of_one)
{
    struct world_config c;

    world_config_default(&c);
    c.peer.window = 1;
    CHECK(happy(&c));
}

/* A server that is slow to install its SAs: the first SCCRQ is lost on it. */
TEST(happy_slow_installation)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.peer.install_delay = US_MS(150);
    CHECK(happy(&c));
    w = world_new(&c);
    CHECK(world_dial(w, US_S(10)));
    printf("    up after %.0f ms\n", (double)(w->up_at - US_S(1000)) / 1e3);
    CHECK(w->up_at - US_S(1000) <= US_S(1));
    world_free(w);
}

/* A daemon beside the kernel needs some milliseconds: the hold spares it the first loss. */
TEST(happy_installation_within_the_hold)
{
    struct world_config c;
    struct world *w;
    int first;

    world_config_default(&c);
    c.peer.flavour = PEER_PPPD;
    c.peer.install_delay = SCCRQ_HOLD - US_MS(1);
    w = world_new(&c);
    CHECK(world_dial(w, US_S(10)));
    first = world_find(w, LINE_OUT, "SCCRQ", 0);
    CHECK(first >= 0);
    CHECK_INT(world_find(w, LINE_OUT, "SCCRQ", (unsigned)first + 1), -1);
    world_free(w);
}

/* The server's falsified NAT-D makes the client float although there is no NAT. */
TEST(happy_server_forces_encapsulation)
{
    struct world_config c;

    world_config_default(&c);
    c.peer.natd_random = true;
    CHECK(happy(&c));
}

TEST(happy_no_natt_offered)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.peer.no_natt = true;
    CHECK(happy(&c));
    w = world_new(&c);
    CHECK(world_dial(w, US_S(10)));
    CHECK(!peer_facts(w->sim.peer)->udp_encapsulated);
    /* Raw ESP was not sure beforehand: the sockets are asked for again. */
    CHECK_INT(w->needs[DIAL_NEED_SOCKETS], 2);
    world_free(w);
}

TEST(happy_random_inner_port)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.dial.inner_port = 0;
    CHECK(happy(&c));
    w = world_new(&c);
    CHECK(world_dial(w, US_S(10)));
    CHECK(peer_facts(w->sim.peer)->client_port >= 49152);
    world_free(w);
}

/* The largest packet that the TUN will give us leaves in one piece, whatever the way out carries;
 * the server is asked to send no larger one either. */
TEST(happy_small_mtu_outside)
{
    static const unsigned mtus[] = {0, 9000, 1500, 1492, 1420, 1280, 576};
    struct world_config c;

    for (size_t i = 0; i < ARRAY_LEN(mtus); i++) {
        for (unsigned way = 0; way < WAYS; way++) {
            unsigned outer = mtus[i] == 0 || mtus[i] > 1500 ? 1500 : mtus[i];
            unsigned header = way == WAY_ESP ? 20 : 28;
            uint8_t bytes[DATA_HEADROOM + 1500 + DATA_TAILROOM] = {[DATA_HEADROOM] = 0x45};
            struct mspan packet;
            struct world *w;

            world_config_default(&c);
            set_way(&c, (enum way)way);
            c.outer_mtu = mtus[i];
            w = world_new(&c);
            CHECK(world_dial(w, US_S(60)));
            CHECK(w->ip.mtu <= PPP_MRU);
            CHECK(data_seal_ip(dial_data(w->dial), (struct mspan){bytes + DATA_HEADROOM, w->ip.mtu},
                               &packet));
            CHECK(packet.n + header <= outer);
            /* and no smaller than it has to be */
            CHECK(w->ip.mtu == PPP_MRU || packet.n + header + 16 > outer);
            CHECK(dial_facts(w->dial)->ppp->mru <= w->ip.mtu);
            world_free(w);
        }
    }
}

TEST(happy_same_seed_same_trace)
{
    uint64_t trace[2];

    for (unsigned i = 0; i < 2; i++) {
        struct world_config c;
        struct world *w;

        world_config_default(&c);
        c.seed = 77;
        c.link.loss = c.link.duplicate = c.link.reorder = 1000;
        c.link.jitter = US_MS(10);
        w = world_new(&c);
        CHECK(world_dial(w, US_S(60)));
        CHECK(world_close(w));
        trace[i] = simlink_stats(w->sim.link)->trace;
        world_free(w);
    }
    CHECK(trace[0] == trace[1]);
}
