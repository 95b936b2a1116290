/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The engines and the peer against each other in virtual time, from message 1 to the last Delete.
 */
#include "check.h"
#include "engines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct run {
    struct peer_config peer;
    struct engines_config client;
    struct simlink_config link;
    struct sim sim;
    struct sim_env env;
    struct crypto *crypto;
    struct engines engines;
    unsigned clear;
    bool log;
};

/* Nothing of L2TP may be readable on the wire: port 1701 is never used, and no packet looks so. */
static bool watch(void *ctx, const struct simlink_packet *k)
{
    struct run *r = ctx;

    r->clear += k->port == PEER_CLEAR1701;
    if (r->log)
        printf("    %8.3f ms %3u %s %-4s %4zu bytes fate %d\n", (double)k->at / 1000.0, k->number,
               k->dir == SIMLINK_TO_PEER ? "->" : "<-",
               k->port == PEER_UDP500    ? "500"
               : k->port == PEER_UDP4500 ? "4500"
                                         : "esp",
               k->bytes.n, (int)k->fate);
    return false;
}

static struct run *run_new(void)
{
    struct run *r = calloc(1, sizeof(*r));

    if (!r)
        abort();
    r->peer = (struct peer_config){.psk = "a shared secret",
                                   .user = "alice",
                                   .password = "wonderland",
                                   .local = {.addr = inaddr_v4(0xc6336402), .port = 500},
                                   .client_ip = inaddr_v4(0x0a630010),
                                   .server_ip = inaddr_v4(0x0a630001),
                                   .dns = {inaddr_v4(0x0a630001), inaddr_v4(0x0a630002)}};
    r->client = (struct engines_config){.policy = "legacy",
                                        .psk = "a shared secret",
                                        .user = "alice",
                                        .password = "wonderland",
                                        .auth = PPP_AUTH_MSCHAPV2,
                                        .inner_port = 34567,
                                        .local = {.addr = inaddr_v4(0x0a000002), .port = 500},
                                        .remote = r->peer.local};
    r->link =
        (struct simlink_config){.seed = 1, .latency = US_MS(20), .hook = watch, .hook_ctx = r};
    r->log = getenv("L2TPC_SIM_WIRE") != NULL;
    return r;
}

static bool run_open(struct run *r, uint64_t seed)
{
    sim_env_init(&r->env, "peer", seed ^ 0x5eed);
    r->link.seed = seed;
    r->crypto = crypto_new();
    r->sim.peer = peer_new(&r->peer, &r->env.env, r->crypto);
    r->sim.link = simlink_new(&r->link);
    r->sim.peer_addr = r->peer.local;
    r->sim.peer_natt_port = 4500;
    if (!engines_init(&r->engines, &r->client, seed))
        return false;
    r->sim.client = engines_client(&r->engines);
    engines_start(&r->engines, 0);
    return true;
}

static void run_free(struct run *r)
{
    engines_wipe(&r->engines);
    peer_free(r->sim.peer);
    simlink_free(r->sim.link);
    crypto_free(r->crypto);
    free(r);
}

/* A whole dial to the first answered ping; false with the reason shown. */
static bool dial(struct run *r, uint64_t seed, l2tpc_us limit)
{
    r->engines.goal = GOAL_PING;
    if (!run_open(r, seed))
        return false;
    r->engines.goal = GOAL_PING;
    if (sim_run(&r->sim, limit) && !r->engines.failed && r->clear == 0)
        return true;
    printf("    seed %llu at %.3f s: failed %d (%s at %s), clear %u, peer: %s\n",
           (unsigned long long)seed, (double)r->sim.now / 1e6, r->engines.failed,
           failure_code(r->engines.failure.id), stage_name(r->engines.failure.stage), r->clear,
           peer_facts(r->sim.peer)->complaint);
    return false;
}

#define DIAL(r)                                                                                    \
    do {                                                                                           \
        CHECK(dial((r), 1, US_S(60)));                                                             \
        CHECK_STR(peer_facts((r)->sim.peer)->complaint, "");                                       \
    } while (0)

TEST(engines_plain_raw_esp)
{
    struct run *r = run_new();

    r->client.encapsulation = ENCAPSULATION_ESP;
    DIAL(r);
    CHECK(!peer_facts(r->sim.peer)->udp_encapsulated);
    CHECK_INT(peer_facts(r->sim.peer)->ip_echoed, 1);
    CHECK_INT(simlink_stats(r->sim.link)->sent[PEER_UDP4500][SIMLINK_TO_PEER], 0);
    CHECK_STR(peer_facts(r->sim.peer)->user, "alice");
    run_free(r);
}

TEST(engines_plain_udp)
{
    struct run *r = run_new();

    DIAL(r);
    CHECK(peer_facts(r->sim.peer)->udp_encapsulated);
    CHECK(peer_facts(r->sim.peer)->floated);
    run_free(r);
}

TEST(engines_through_nat)
{
    struct run *r = run_new();

    r->link.nat = true;
    r->link.nat_addr = inaddr_v4(0xcb007107);
    DIAL(r);
    CHECK(peer_facts(r->sim.peer)->udp_encapsulated);
    run_free(r);
}

TEST(engines_softether)
{
    struct run *r = run_new();

    r->peer.flavour = PEER_SOFTETHER;
    DIAL(r);
    run_free(r);
}

TEST(engines_pppd)
{
    struct run *r = run_new();

    r->peer.flavour = PEER_PPPD;
    DIAL(r);
    run_free(r);
}

TEST(engines_windows)
{
    struct run *r = run_new();

    r->peer.flavour = PEER_WINDOWS;
    DIAL(r);
    run_free(r);
}

TEST(engines_natt_drafts)
{
    static const unsigned only[] = {PEER_NATT_DRAFT02, PEER_NATT_DRAFT03};

    for (size_t i = 0; i < ARRAY_LEN(only); i++) {
        struct run *r = run_new();

        r->peer.natt = only[i];
        DIAL(r);
        CHECK(peer_facts(r->sim.peer)->udp_encapsulated);
        run_free(r);
    }
}

TEST(engines_pfs)
{
    struct run *r = run_new();

    r->client.pfs = DH_ECP256;
    DIAL(r);
    CHECK(peer_facts(r->sim.peer)->pfs);
    run_free(r);
}

TEST(engines_every_method)
{
    static const enum peer_auth method[] = {PEER_AUTH_PAP, PEER_AUTH_CHAP_MD5, PEER_AUTH_MSCHAPV2};
    static const unsigned allowed[] = {PPP_AUTH_PAP, PPP_AUTH_CHAP_MD5, PPP_AUTH_MSCHAPV2};

    for (size_t i = 0; i < ARRAY_LEN(method); i++) {
        struct run *r = run_new();

        r->peer.auth[0] = method[i];
        r->peer.n_auth = 1;
        r->client.auth = allowed[i];
        DIAL(r);
        CHECK_INT(peer_facts(r->sim.peer)->auth, method[i]);
        run_free(r);
    }
}

TEST(engines_tunnel_secret_and_hidden_avps)
{
    struct run *r = run_new();

    r->client.tunnel_secret = r->peer.tunnel_secret = "hush";
    r->peer.hide_avps = true;
    DIAL(r);
    run_free(r);
}

TEST(engines_close_politely)
{
    struct run *r = run_new();

    DIAL(r);
    engines_close_ppp(&r->engines, r->sim.now);
    CHECK(sim_run(&r->sim, r->sim.now + US_S(5)));
    r->engines.goal = GOAL_FAILED;
    CHECK(!sim_run(&r->sim, r->sim.now + US_S(1))); /* the last words arrive */
    CHECK_INT(peer_facts(r->sim.peer)->terminates, 1);
    CHECK_INT(peer_facts(r->sim.peer)->cdns, 1);
    CHECK_INT(peer_facts(r->sim.peer)->stopccns, 1);
    CHECK_INT(peer_facts(r->sim.peer)->deletes_esp, 1);
    CHECK_INT(peer_facts(r->sim.peer)->deletes_ike, 1);
    CHECK_STR(peer_facts(r->sim.peer)->complaint, "");
    run_free(r);
}

/* The server's quick mode in the middle of a session: traffic goes on over the new pair. */
TEST(engines_server_starts_quick_mode)
{
    struct run *r = run_new();
    uint32_t before;

    DIAL(r);
    before = peer_facts(r->sim.peer)->spi_in;
    peer_start_quick(r->sim.peer, r->sim.now);
    r->engines.goal = GOAL_CLOSED;
    sim_run(&r->sim, r->sim.now + US_S(2));
    CHECK_INT(r->engines.n_pairs, 2);
    CHECK(peer_facts(r->sim.peer)->spi_in != before);
    peer_delete_esp(r->sim.peer, r->sim.now);
    peer_dpd_probe(r->sim.peer, r->sim.now);
    sim_run(&r->sim, r->sim.now + US_S(2));
    CHECK_INT(peer_facts(r->sim.peer)->dpd_answers, 1);
    engines_ping(&r->engines, 2, r->sim.now);
    sim_run(&r->sim, r->sim.now + US_S(1));
    CHECK_INT(r->engines.replies, 2);
    CHECK_STR(peer_facts(r->sim.peer)->complaint, "");
    run_free(r);
}

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
        if (!dial(r, 1, US_S(60)) || peer_facts(r->sim.peer)->complaints) {
            printf("    noise: %s: %s\n", noise[i].name, peer_facts(r->sim.peer)->complaint);
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

/* Every packet of the dial lost one to five times in a row, each way. */
TEST(engines_every_packet_lost)
{
    bool all = true;

    for (unsigned k = 0; k < 2 * 24; k++) {
        for (unsigned times = 1; times <= 5; times += 2) {
            struct run *r = run_new();

            r->client.policy = "strong";
            r->link.drop_run.on = true;
            r->link.drop_run.dir = k % 2 ? SIMLINK_TO_CLIENT : SIMLINK_TO_PEER;
            r->link.drop_run.first = k / 2;
            r->link.drop_run.count = times;
            if (!dial(r, 1, US_S(60))) {
                printf("    lost: packet %u %s, %u times\n", k / 2,
                       k % 2 ? "to the client" : "to the peer", times);
                all = false;
            }
            run_free(r);
        }
    }
    CHECK(all);
}

TEST(engines_bad_network)
{
    unsigned up = 0;

    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct run *r = run_new();

        r->link.loss = 2000;
        r->link.reorder = 2000;
        r->link.duplicate = 1000;
        r->link.jitter = US_MS(30);
        up += dial(r, seed, US_S(120));
        run_free(r);
    }
    CHECK_INT(up, 40);
}

TEST(engines_same_seed_same_trace)
{
    uint64_t trace[2];

    for (unsigned i = 0; i < 2; i++) {
        struct run *r = run_new();

        r->link.loss = 1000;
        CHECK(dial(r, 77, US_S(60)));
        trace[i] = simlink_stats(r->sim.link)->trace;
        run_free(r);
    }
    CHECK(trace[0] == trace[1]);
}

/* 20 ms each way and a peer without waits: nothing but round trips may be in a dial. */
TEST(engines_no_gap_of_ours)
{
    struct run *r = run_new();

    DIAL(r);
    printf("    auth %.0f quick %.0f l2tp %.0f lcp %.0f login %.0f ip %.0f up %.0f ms\n",
           (double)r->engines.at[STAGE_IKE_AUTH] / 1e3,
           (double)r->engines.at[STAGE_IKE_QUICK] / 1e3,
           (double)r->engines.at[STAGE_L2TP_TUNNEL] / 1e3,
           (double)r->engines.at[STAGE_PPP_LCP] / 1e3, (double)r->engines.at[STAGE_PPP_AUTH] / 1e3,
           (double)r->engines.at[STAGE_PPP_IP] / 1e3, (double)r->engines.at[STAGE_UP] / 1e3);
    CHECK_INT(r->sim.now % US_MS(20), 0);
    CHECK(r->sim.now <= US_MS(40) * 12);
    run_free(r);
}
