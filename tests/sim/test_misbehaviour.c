/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A peer that lies, refuses, repeats itself, falls silent or goes away. */
#include "check.h"
#include "run.h"

#include <stdio.h>
#include <stdlib.h>

/* Everything bad in front of everything good: the dial must not notice. */
TEST(engines_noise)
{
    static const struct {
        const char *name;
        uint64_t bug;
    } noise[] = {
        {"foreign cookie", BUG_IKE_FOREIGN_COOKIE},
        {"truncated", BUG_IKE_TRUNCATED},
        {"garbage chain", BUG_IKE_GARBAGE_CHAIN},
        {"clear refusals", BUG_IKE_CLEAR_REFUSALS},
        {"bad ICV", BUG_ESP_BAD_ICV},
        {"replay", BUG_ESP_REPLAY},
        {"wrong ports", BUG_ESP_WRONG_PORTS},
        {"dummy", BUG_ESP_DUMMY},
        {"ack of another id", BUG_LCP_ACK_WRONG_ID},
        {"early IP", BUG_PPP_EARLY_IP},
        {"unknown protocols", BUG_PPP_UNKNOWN_PROTOCOLS},
        {"hello storm", BUG_L2TP_HELLO_STORM},
        {"commit, connected", BUG_QM_COMMIT_CONNECTED},
        {"commit, message 4", BUG_QM_COMMIT_QM4},
        {"commit, never", BUG_QM_COMMIT_NEVER},
    };
    bool all = true;

    for (size_t i = 0; i < ARRAY_LEN(noise); i++) {
        struct run *r = run_new();

        r->peer.bugs = noise[i].bug;
        if (!run_dial(r, 1, US_S(60)) || peer_facts(r->sim.peer)->complaints) {
            printf("    noise: %s: %s\n", noise[i].name, peer_facts(r->sim.peer)->complaint);
            all = false;
        }
        if ((noise[i].bug & (BUG_ESP_BAD_ICV | BUG_ESP_REPLAY | BUG_ESP_WRONG_PORTS)) &&
            r->engines.esp_refused < 10) {
            printf("    noise: %s was not noticed\n", noise[i].name);
            all = false;
        }
        if ((noise[i].bug & (BUG_IKE_FOREIGN_COOKIE | BUG_IKE_TRUNCATED | BUG_IKE_GARBAGE_CHAIN)) &&
            ike_facts(r->engines.ike)->dropped < 4) {
            printf("    noise: %s was not noticed\n", noise[i].name);
            all = false;
        }
        run_free(r);
    }
    CHECK(all);
}

/* What must end the dial, and how. */
TEST(engines_refused)
{
    static const struct {
        uint64_t bug;
        enum failure_id id;
    } bad[] = {
        {BUG_L2TP_NO_TUNNEL_ID, FAILURE_L2TP_PROTOCOL},
        {BUG_L2TP_BAD_AVP, FAILURE_L2TP_PROTOCOL},
        {BUG_L2TP_CDN, FAILURE_L2TP_CALL_REFUSED},
        {BUG_L2TP_STOPCCN, FAILURE_L2TP_REFUSED},
        {BUG_LCP_INSIST_PAP, FAILURE_PPP_AUTH_WEAK},
        {BUG_LCP_NAK_LOOP, FAILURE_PPP_LCP_FAILED},
        {BUG_LCP_MAGIC_MIRROR, FAILURE_PPP_LCP_LOOPBACK},
        {BUG_AUTH_WRONG_S, FAILURE_PPP_AUTH_SERVER_UNVERIFIED},
        {BUG_AUTH_NO_S, FAILURE_PPP_AUTH_SERVER_UNVERIFIED},
        {BUG_AUTH_ERROR, FAILURE_PPP_AUTH_FAILED},
        {BUG_IPCP_LOOPBACK, FAILURE_PPP_IP_BAD_ADDRESS},
        {BUG_IPCP_REJECT_ALL, FAILURE_PPP_IP_REFUSED},
        {BUG_L2TP_MANDATORY_AVP, FAILURE_L2TP_PROTOCOL},
    };
    bool all = true;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct run *r = run_new();

        r->peer.bugs = bad[i].bug;
        CHECK(run_open(r, 1));
        r->engines.goal = GOAL_PING;
        if (!sim_run(&r->sim, US_S(200)) || r->engines.failure.id != bad[i].id) {
            printf("    bug %llx: %s instead of %s\n", (unsigned long long)bad[i].bug,
                   failure_code(r->engines.failure.id), failure_code(bad[i].id));
            all = false;
        }
        run_free(r);
    }
    CHECK(all);
}

TEST(engines_refused_ike)
{
    static const uint64_t bad[] = {
        BUG_IKE_WRONG_HASH_R, BUG_IKE_WRONG_TRANSFORM, BUG_IKE_KE_ZERO,        BUG_IKE_KE_ONE,
        BUG_IKE_KE_SHORT,     BUG_IKE_KE_MIRROR,       BUG_IKE_NONCE_SHORT,    BUG_IKE_NATD_SIZE,
        BUG_IKE_NO_PROPOSAL,  BUG_IKE_LIFE_1S,         BUG_QM_WRONG_TRANSFORM, BUG_QM_NO_PROPOSAL};
    bool all = true;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct run *r = run_new();

        r->peer.bugs = bad[i];
        CHECK(run_open(r, 1));
        r->engines.goal = GOAL_SA;
        if (!sim_run(&r->sim, US_S(60)) || !r->engines.failed || r->engines.n_pairs) {
            printf("    bug %llx was not refused\n", (unsigned long long)bad[i]);
            all = false;
        }
        if (getenv("L2TPC_SIM_LOG"))
            printf("    bug %llx: %s at %.1f s\n", (unsigned long long)bad[i],
                   failure_code(r->engines.failure.id), (double)r->sim.now / 1e6);
        run_free(r);
    }
    CHECK(all);
}

TEST(engines_wrong_psk)
{
    static const enum peer_flavour flavour[] = {PEER_PLAIN, PEER_SOFTETHER, PEER_PPPD};

    for (size_t i = 0; i < ARRAY_LEN(flavour); i++) {
        struct run *r = run_new();

        r->peer.flavour = flavour[i];
        r->client.psk = "wrong";
        CHECK(run_open(r, 1));
        r->engines.goal = GOAL_SA;
        CHECK(sim_run(&r->sim, US_S(60)));
        CHECK(r->engines.failed);
        CHECK_INT(r->engines.failure.stage, STAGE_IKE_AUTH);
        run_free(r);
    }
}

/* The peer falls silent at each stage: the failure must name that stage. */
TEST(engines_silence)
{
    bool all = true;

    for (enum stage s = STAGE_IKE_PHASE1; s <= STAGE_PPP_IP; s++) {
        struct run *r = run_new();

        if (s == STAGE_ESP_CHECK) {
            free(r);
            continue;
        }
        r->peer.silent_from = s;
        CHECK(run_open(r, 1));
        r->engines.goal = GOAL_FAILED;
        if (r->engines.env.show)
            printf("    next: silent at %s\n", stage_name(s));
        if (!sim_run(&r->sim, US_S(200)) || r->engines.failure.stage != s) {
            printf("    silent at %s: %s (%s) at %.1f s\n", stage_name(s),
                   failure_code(r->engines.failure.id), stage_name(r->engines.failure.stage),
                   (double)r->sim.now / 1e6);
            all = false;
        }
        run_free(r);
    }
    CHECK(all);
}

/* How the server may end it, and what the client makes of it. */
TEST(engines_server_ends)
{
    for (unsigned how = 0; how < 4; how++) {
        struct run *r = run_new();

        DIAL(r);
        if (how == 0)
            peer_terminate(r->sim.peer, "maintenance", r->sim.now);
        else if (how == 1)
            peer_cdn(r->sim.peer, 3, 0, "kicked", r->sim.now);
        else if (how == 2)
            peer_stopccn(r->sim.peer, 6, 0, "shutting down", r->sim.now);
        else
            peer_delete_ike(r->sim.peer, r->sim.now);
        r->engines.goal = how >= 2 ? GOAL_CLOSED : GOAL_FAILED;
        CHECK(sim_run(&r->sim, r->sim.now + US_S(5)));
        CHECK_STR(peer_facts(r->sim.peer)->complaint, "");
        run_free(r);
    }
}

TEST(engines_refused_by_account)
{
    static const struct {
        unsigned code;
        enum failure_id id;
    } refusal[] = {{691, FAILURE_PPP_AUTH_FAILED},
                   {646, FAILURE_PPP_AUTH_RESTRICTED_HOURS},
                   {647, FAILURE_PPP_AUTH_DISABLED},
                   {648, FAILURE_PPP_AUTH_PASSWORD_EXPIRED},
                   {649, FAILURE_PPP_AUTH_NO_PERMISSION}};

    for (size_t i = 0; i < ARRAY_LEN(refusal); i++) {
        struct run *r = run_new();

        r->peer.bugs = BUG_AUTH_ERROR;
        r->peer.auth_error = refusal[i].code;
        CHECK(run_open(r, 1));
        r->engines.goal = GOAL_FAILED;
        CHECK(sim_run(&r->sim, US_S(60)));
        CHECK_INT(r->engines.failure.id, refusal[i].id);
        run_free(r);
    }
}

/* It falls silent, it forgets everything, or only its ESP dies while DPD is still answered. */
TEST(engines_peer_dies)
{
    for (unsigned how = 0; how < 3; how++) {
        struct run *r = run_new();
        l2tpc_us up;

        DIAL(r);
        if (how == 0)
            peer_silence(r->sim.peer, STAGE_IKE_PHASE1);
        else if (how == 1)
            peer_forget(r->sim.peer);
        else
            peer_silence(r->sim.peer, STAGE_UP);
        up = r->sim.now;
        r->engines.goal = GOAL_DEAD;
        CHECK(sim_run(&r->sim, up + US_S(300)));
        printf("    %s: noticed after %.1f s\n",
               how == 0   ? "silence"
               : how == 1 ? "reboot"
                          : "ESP alone",
               (double)(r->sim.now - up) / 1e6);
        CHECK(r->sim.now - up <= US_S(120));
        run_free(r);
    }
}

/* PFS was agreed and no KE came: the pair works and says that it has none. */
TEST(engines_pfs_without_ke)
{
    struct run *r = run_new();

    r->client.pfs = DH_MODP2048;
    r->peer.bugs = BUG_QM_NO_KE;
    DIAL(r);
    CHECK(!peer_facts(r->sim.peer)->pfs);
    CHECK_MEM(ppp_facts(r->engines.ppp)->local_ip.bytes, 4, r->peer.client_ip.bytes, 4);
    run_free(r);
}

TEST(engines_wrong_challenge_response)
{
    struct run *r = run_new();

    r->client.tunnel_secret = r->peer.tunnel_secret = "hush";
    r->peer.bugs = BUG_L2TP_WRONG_RESPONSE;
    CHECK(run_open(r, 1));
    r->engines.goal = GOAL_FAILED;
    CHECK(sim_run(&r->sim, US_S(60)));
    CHECK_INT(r->engines.failure.id, FAILURE_L2TP_AUTH_PEER);
    run_free(r);
}

/* Every ESP packet of the peer is damaged: none is believed. */
TEST(engines_all_icvs_bad)
{
    struct run *r = run_new();

    r->peer.bugs = BUG_ESP_ALL_BAD_ICV;
    CHECK(run_open(r, 1));
    r->engines.goal = GOAL_FAILED;
    CHECK(sim_run(&r->sim, US_S(200)));
    CHECK_INT(r->engines.failure.stage, STAGE_L2TP_TUNNEL);
    CHECK_INT(r->engines.esp_opened, 0);
    CHECK(r->engines.esp_refused > 0);
    run_free(r);
}

/* SoftEther renews a pair that the client or itself has deleted while the IKE SA lives. */
TEST(engines_pair_deleted_midlife)
{
    struct run *r = run_new();

    r->peer.flavour = PEER_SOFTETHER;
    r->peer.bugs = BUG_ESP_DELETE_MIDLIFE;
    DIAL(r);
    r->engines.goal = GOAL_FAILED;
    for (uint16_t i = 2; i < 8; i++) {
        engines_ping(&r->engines, i, r->sim.now);
        CHECK(!sim_run(&r->sim, r->sim.now + US_S(1)));
    }
    CHECK_INT(r->engines.n_pairs, 2);
    CHECK(r->engines.replies >= 4);
    CHECK_STR(peer_facts(r->sim.peer)->complaint, "");
    run_free(r);
}
