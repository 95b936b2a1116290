/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Servers with bugs that a client must live with: the dial comes up, and IP flows, all the same. */
#include "check.h"
#include "world.h"

#include <stdio.h>

static bool lives_with(uint64_t bugs)
{
    bool all = true;

    for (unsigned i = 0; i < 4; i++) {
        struct world_config c;
        struct world *w;

        world_config_default(&c);
        c.peer.bugs = bugs;
        c.peer.flavour = i < 2 ? PEER_PLAIN : i == 2 ? PEER_PPPD : PEER_WINDOWS;
        c.dial.encapsulation = i % 2 ? ENCAPSULATION_ESP : ENCAPSULATION_AUTO;
        c.whole_input = i == 0;
        w = world_new(&c);
        if (!world_dial(w, US_S(30)) || w->up_at - US_S(1000) > US_S(4)) {
            printf("    round %u: up after %.3f s\n", i, (double)(w->up_at - US_S(1000)) / 1e6);
            all = false;
        }
        world_run(w, US_S(5));
        if (w->down || !world_close(w))
            all = false;
        world_free(w);
    }
    return all;
}

#define LIVES_WITH(test_name, bugs)                                                                \
    TEST(test_name)                                                                                \
    {                                                                                              \
        CHECK(lives_with(bugs));                                                                   \
    }

LIVES_WITH(noise_foreign_cookie, BUG_IKE_FOREIGN_COOKIE)
LIVES_WITH(noise_truncated, BUG_IKE_TRUNCATED)
LIVES_WITH(noise_garbage_chain, BUG_IKE_GARBAGE_CHAIN)
LIVES_WITH(noise_clear_refusals, BUG_IKE_CLEAR_REFUSALS)
LIVES_WITH(noise_bad_icv, BUG_ESP_BAD_ICV)
LIVES_WITH(noise_replay, BUG_ESP_REPLAY)
LIVES_WITH(noise_wrong_ports, BUG_ESP_WRONG_PORTS)
LIVES_WITH(noise_dummy, BUG_ESP_DUMMY)
LIVES_WITH(noise_ack_of_another_id, BUG_LCP_ACK_WRONG_ID)
LIVES_WITH(noise_early_ip, BUG_PPP_EARLY_IP)
LIVES_WITH(noise_unknown_protocols, BUG_PPP_UNKNOWN_PROTOCOLS)
LIVES_WITH(noise_hello_storm, BUG_L2TP_HELLO_STORM)
LIVES_WITH(noise_commit_connected, BUG_QM_COMMIT_CONNECTED)
LIVES_WITH(noise_commit_message_4, BUG_QM_COMMIT_QM4)
LIVES_WITH(noise_commit_never, BUG_QM_COMMIT_NEVER)
LIVES_WITH(noise_all_of_ike, BUG_IKE_FOREIGN_COOKIE | BUG_IKE_TRUNCATED | BUG_IKE_GARBAGE_CHAIN |
                                 BUG_IKE_CLEAR_REFUSALS)
LIVES_WITH(noise_all_of_esp, BUG_ESP_BAD_ICV | BUG_ESP_REPLAY | BUG_ESP_WRONG_PORTS | BUG_ESP_DUMMY)
LIVES_WITH(noise_all_of_ppp, BUG_LCP_ACK_WRONG_ID | BUG_PPP_EARLY_IP | BUG_PPP_UNKNOWN_PROTOCOLS)

/* PFS was asked for and granted, but no KE came: there is none, and the facts say so. */
TEST(noise_pfs_without_ke)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    CHECK(policy_named("strong", &c.dial.policy));
    c.policy = NULL;
    c.dial.policy.pfs = DH_MODP2048;
    c.peer.bugs = BUG_QM_NO_KE;
    w = world_new(&c);
    CHECK(world_dial(w, US_S(30)));
    CHECK_INT(dial_facts(w->dial)->pfs, DH_NONE);
    CHECK(world_close(w));
    world_free(w);
    c.peer.bugs = 0;
    w = world_new(&c);
    CHECK(world_dial(w, US_S(30)));
    CHECK_INT(dial_facts(w->dial)->pfs, DH_MODP2048);
    world_free(w);
}

/* What is damaged, repeated or foreign is counted. */
TEST(noise_is_counted)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.peer.bugs = BUG_ESP_BAD_ICV | BUG_ESP_REPLAY | BUG_ESP_WRONG_PORTS;
    w = world_new(&c);
    CHECK(world_dial(w, US_S(30)));
    CHECK(dial_facts(w->dial)->esp_in.bad_icv > 5);
    CHECK(dial_facts(w->dial)->esp_in.replayed > 5);
    CHECK_INT(w->strays, 0);
    CHECK_INT(dial_facts(w->dial)->data.ip_in, 1);
    world_free(w);
    c.peer.bugs = BUG_PPP_EARLY_IP;
    w = world_new(&c);
    CHECK(world_dial(w, US_S(30)));
    CHECK(dial_facts(w->dial)->data.not_open > 0);
    CHECK_INT(w->strays, 0);
    world_free(w);
}

/* The server deletes the only SA in the middle of the traffic, and waits for the client. */
TEST(noise_delete_midlife)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.peer.bugs = BUG_ESP_DELETE_MIDLIFE;
    w = world_new(&c);
    CHECK(world_dial(w, US_S(30)));
    for (unsigned i = 0; i < 3; i++) {
        (void)world_ping(w);
        world_run(w, US_MS(200));
    }
    /* The client makes one, and the server may do so too. */
    peer_start_quick(w->sim.peer, w->sim.now);
    world_run(w, US_S(1));
    CHECK(peer_facts(w->sim.peer)->esp_pairs >= 1);
    CHECK(world_ping(w));
    CHECK(world_until(w, world_ping_answered, US_S(1)));
    world_run(w, US_S(20));
    CHECK(!w->failed);
    CHECK(world_close(w));
    world_free(w);
}
