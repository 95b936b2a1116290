/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every way to fail that a server or a network can cause: its own code, in its own time. */
#include "check.h"
#include "doctor/catalogue.h"
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool reached[FAILURE_COUNT];

/* What a failure must be. */
struct expected {
    enum failure_id id;
    enum stage stage;
    l2tpc_us within; /* of the dial's start */
};

static bool rendered(const struct failure *f)
{
    const struct catalogue_row *row = catalogue_of(f->id);
    char text[2][1024];

    if (!row)
        return false;
    (void)failure_render(row->sentence, f, "vpn.example.com", text[0], sizeof(text[0]));
    (void)failure_render(row->hint, f, "vpn.example.com", text[1], sizeof(text[1]));
    printf("    %s\n", text[0]);
    for (unsigned i = 0; i < 2; i++)
        if (strlen(text[i]) < 10 || strpbrk(text[i], "{}") || strstr(text[i], ": .") ||
            strstr(text[i], "( "))
            return false;
    return true;
}

static bool wrong(struct world *w, const char *what)
{
    printf("    %s: %s at %s after %.3f s; %s\n", what, failure_code(w->failure.id),
           stage_name(w->failed_stage), (double)(w->sim.now - US_S(1000)) / 1e6, w->violation);
    return false;
}

/* Whatever the server had for us is taken down again; a silent server is told all the same. */
static bool polite(struct world *w, const struct peer_facts *before)
{
    const struct peer_facts *f = peer_facts(w->sim.peer);
    bool ended_by_peer = w->config.peer.bugs & (BUG_L2TP_CDN | BUG_L2TP_STOPCCN);

    /* Behind an ICRQ that it never took, the silent server takes no StopCCN either. */
    if (w->config.peer.silent_from == STAGE_L2TP_CALL)
        return true;
    if (before->tunnel_up && !ended_by_peer && f->stopccns == before->stopccns)
        return wrong(w, "no StopCCN");
    if (dial_facts(w->dial)->was_authenticated && f->deletes_ike == before->deletes_ike &&
        w->config.peer.silent_from != STAGE_IKE_QUICK)
        return wrong(w, "no Delete of the IKE SA");
    return f->tunnel_up == false || wrong(w, "the tunnel stands");
}

static bool fails(struct world *w, const struct expected *x)
{
    struct peer_facts before;
    bool ok;

    if (!w->failed && !world_until(w, world_is_up, x->within))
        return wrong(w, "did not end in time");
    before = *peer_facts(w->sim.peer);
    if (w->failure.id < FAILURE_COUNT)
        reached[w->failure.id] = true;
    if (!w->failed || w->failure.id != x->id || w->failure.stage != x->stage)
        return wrong(w, "not the right failure");
    if (w->failed_at > US_S(1000) + x->within)
        return wrong(w, "too late");
    if (!rendered(&w->failure))
        return wrong(w, "not rendered");
    if (!world_until(w, world_is_down, US_S(5)))
        return wrong(w, "not down");
    world_run(w, US_S(1));
    ok = polite(w, &before);
    if (w->up || w->violations)
        return wrong(w, "an invariant");
    if (dial_deadline(w->dial) != US_NEVER)
        return wrong(w, "timers behind the end");
    return ok;
}

static bool dial_fails(const struct world_config *c, enum failure_id id, enum stage stage,
                       unsigned seconds)
{
    struct expected x = {id, stage, US_S(seconds)};
    struct world *w = world_new(c);
    bool ok = fails(w, &x);

    world_free(w);
    return ok;
}

/* A dial that goes wrong because of what `setup` changes in an ordinary one. */
#define FAILS(test_name, failure, at, seconds, ...)                                                \
    TEST(test_name)                                                                                \
    {                                                                                              \
        struct world_config c;                                                                     \
                                                                                                   \
        world_config_default(&c);                                                                  \
        __VA_ARGS__;                                                                               \
        CHECK(dial_fails(&c, FAILURE_##failure, STAGE_##at, seconds));                             \
    }

/* ---- silence ---- */
FAILS(failure_silent_phase1, IKE_NO_ANSWER, IKE_PHASE1, 46, c.peer.silent_from = STAGE_IKE_PHASE1)
FAILS(failure_silent_auth, IKE_AUTH_PSK, IKE_AUTH, 46, c.peer.silent_from = STAGE_IKE_AUTH)
FAILS(failure_other_identity, IKE_AUTH_PEER_ID, IKE_AUTH, 5, {
    c.dial.peer_id.type = CERT_ID_KEY_ID;
    c.dial.peer_id.n = 5;
    memcpy(c.dial.peer_id.bytes, "group", 5);
})
FAILS(failure_aggressive_without_consent, IKE_AGGRESSIVE_CONSENT, IKE_PHASE1, 1,
      c.dial.aggressive = true)
FAILS(failure_aggressive_only, IKE_AGGRESSIVE_ONLY, IKE_PHASE1, 5,
      c.peer.aggressive = PEER_AGGRESSIVE_ONLY)
FAILS(failure_silent_auth_raw_esp, IKE_AUTH_TIMEOUT, IKE_AUTH, 46, {
    c.peer.silent_from = STAGE_IKE_AUTH;
    c.dial.encapsulation = ENCAPSULATION_ESP;
})
FAILS(failure_silent_quick, IKE_QUICK_TIMEOUT, IKE_QUICK, 47, c.peer.silent_from = STAGE_IKE_QUICK)
FAILS(failure_silent_l2tp, ESP_NOTHING_BACK, ESP_CHECK, 32, c.peer.silent_from = STAGE_L2TP_TUNNEL)
FAILS(failure_silent_call, L2TP_CALL_NO_ANSWER, L2TP_CALL, 97, c.peer.silent_from = STAGE_L2TP_CALL)
FAILS(failure_silent_lcp, PPP_LCP_NO_ANSWER, PPP_LCP, 32, c.peer.silent_from = STAGE_PPP_LCP)
FAILS(failure_silent_login, PPP_AUTH_TIMEOUT, PPP_AUTH, 32, c.peer.silent_from = STAGE_PPP_AUTH)
FAILS(failure_login_that_nobody_answers, PPP_AUTH_TIMEOUT, PPP_AUTH, 93,
      c.peer.login_delay = US_S(300))
FAILS(failure_silent_ip, PPP_IP_TIMEOUT, PPP_IP, 33, c.peer.silent_from = STAGE_PPP_IP)

/* A person has to press a button first: the server acknowledges our HELLOs meanwhile. */
TEST(failure_not_yet_of_a_login_that_waits_for_a_person)
{
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.peer.auth[0] = PEER_AUTH_MSCHAPV2;
    c.peer.n_auth = 1;
    c.peer.login_delay = US_S(75);
    w = world_new(&c);
    CHECK(world_dial(w, US_S(85)));
    CHECK(w->sim.now > US_S(75));
    CHECK(world_close(w));
    world_free(w);
    /* Whoever is to be connected sooner says so: the dial's own time ends it. */
    c.dial.timeout = US_S(50);
    CHECK(dial_fails(&c, FAILURE_LOCAL_TIMEOUT, STAGE_PPP_AUTH, 51));
    /* A server that has gone meanwhile is not waited for. */
    c.dial.timeout = 0;
    w = world_new(&c);
    CHECK(!world_dial(w, US_S(5)));
    simlink_config(w->sim.link)->blocked[PEER_UDP4500][SIMLINK_TO_PEER] = true;
    CHECK(world_until(w, world_is_down, US_S(45)));
    CHECK_INT(dial_facts(w->dial)->failure.id, FAILURE_PPP_AUTH_TIMEOUT);
    world_free(w);
}

/* The same on raw ESP. */
TEST(failure_silent_everywhere_raw_esp)
{
    for (enum stage s = STAGE_IKE_PHASE1; s <= STAGE_PPP_IP; s++) {
        struct world_config c;
        struct world *w;

        world_config_default(&c);
        c.dial.encapsulation = ENCAPSULATION_ESP;
        c.peer.silent_from = s;
        w = world_new(&c);
        CHECK(world_until(w, world_is_up, US_S(100)));
        CHECK(w->failed);
        CHECK(w->failed_stage == s ||
              (s == STAGE_L2TP_TUNNEL && w->failed_stage == STAGE_ESP_CHECK));
        CHECK(world_until(w, world_is_down, US_S(5)));
        world_free(w);
    }
}

static bool only_short_esp(void *ctx, const struct simlink_packet *k)
{
    (void)ctx;
    return k->dir == SIMLINK_TO_CLIENT && k->port == PEER_RAWESP && k->bytes.n > 100;
}

/* ESP comes back, but never an SCCRP. */
FAILS(failure_l2tp_never_answers, L2TP_NO_ANSWER, L2TP_TUNNEL, 97, {
    c.dial.encapsulation = ENCAPSULATION_ESP;
    c.link.hook = only_short_esp;
})
FAILS(failure_cut_off, IKE_CUT_OFF, IKE_PHASE1, 47, {
    c.link.drop_run.on = true;
    c.link.drop_run.dir = SIMLINK_TO_CLIENT;
    c.link.drop_run.first = 1;
    c.link.drop_run.count = 100000;
})

/* ---- ports and protocols that a firewall drops ---- */
FAILS(failure_port_500_blocked, IKE_NO_ANSWER, IKE_PHASE1, 46,
      c.link.blocked[PEER_UDP500][SIMLINK_TO_PEER] = true)
FAILS(failure_port_4500_blocked, IKE_PORT_4500, IKE_AUTH, 25, {
    c.dial.encapsulation = ENCAPSULATION_UDP;
    c.link.blocked[PEER_UDP4500][SIMLINK_TO_PEER] = true;
})
FAILS(failure_port_4500_blocked_inward, IKE_PORT_4500, IKE_AUTH, 25, {
    c.dial.encapsulation = ENCAPSULATION_UDP;
    c.link.blocked[PEER_UDP4500][SIMLINK_TO_CLIENT] = true;
})
FAILS(failure_protocol_50_blocked, ESP_NOTHING_BACK, ESP_CHECK, 32, {
    c.dial.encapsulation = ENCAPSULATION_ESP;
    c.link.blocked[PEER_RAWESP][SIMLINK_TO_PEER] = true;
})
FAILS(failure_protocol_50_blocked_inward, ESP_NOTHING_BACK, ESP_CHECK, 32, {
    c.dial.encapsulation = ENCAPSULATION_ESP;
    c.link.blocked[PEER_RAWESP][SIMLINK_TO_CLIENT] = true;
})
FAILS(failure_every_icv_bad, ESP_BAD_ICV, ESP_CHECK, 32, c.peer.bugs = BUG_ESP_ALL_BAD_ICV)
FAILS(failure_no_natt_when_required, IKE_ENCAPSULATION, IKE_QUICK, 5, {
    c.dial.encapsulation = ENCAPSULATION_UDP;
    c.peer.no_natt = true;
})

TEST(failure_unreachable)
{
    struct expected x = {FAILURE_IKE_UNREACHABLE, STAGE_IKE_PHASE1, US_S(46)};
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.peer.silent_from = STAGE_IKE_PHASE1;
    w = world_new(&c);
    world_run(w, US_MS(50));
    dial_note_unreachable(w->dial, ECONNREFUSED, w->sim.now);
    CHECK(fails(w, &x));
    world_free(w);
}

/* ---- secrets ---- */
FAILS(failure_wrong_psk_softether, IKE_AUTH_PSK, IKE_AUTH, 20, {
    c.peer.flavour = PEER_SOFTETHER;
    c.psk = "a shared secreT";
})
FAILS(failure_wrong_psk_softether_4500_blocked, IKE_AUTH_TIMEOUT, IKE_AUTH, 30, {
    c.peer.flavour = PEER_SOFTETHER;
    c.psk = "a shared secreT";
    c.link.blocked[PEER_UDP4500][SIMLINK_TO_PEER] = true;
})
FAILS(failure_wrong_psk_pppd, IKE_AUTH_PSK, IKE_AUTH, 20, {
    c.peer.flavour = PEER_PPPD;
    c.psk = "a shared secreT";
})
FAILS(failure_wrong_psk_plain, IKE_AUTH_PSK, IKE_AUTH, 20, c.psk = "a shared secreT")
FAILS(failure_wrong_psk_windows, IKE_AUTH_PSK, IKE_AUTH, 20, {
    c.peer.flavour = PEER_WINDOWS;
    c.psk = "a shared secreT";
})
FAILS(failure_server_proves_nothing, IKE_AUTH_PEER, IKE_AUTH, 46,
      c.peer.bugs = BUG_IKE_WRONG_HASH_R)
FAILS(failure_wrong_password, PPP_AUTH_FAILED, PPP_AUTH, 20, c.password = "Wonderland")
FAILS(failure_wrong_password_softether, PPP_AUTH_FAILED, PPP_AUTH, 20, {
    c.peer.flavour = PEER_SOFTETHER;
    c.password = "Wonderland";
})
FAILS(failure_wrong_user, PPP_AUTH_FAILED, PPP_AUTH, 20, strcpy(c.dial.user, "bob"))
FAILS(failure_wrong_password_pap, PPP_AUTH_FAILED, PPP_AUTH, 20, {
    c.password = "Wonderland";
    c.peer.auth[0] = PEER_AUTH_PAP;
    c.peer.n_auth = 1;
    c.dial.auth = PPP_AUTH_PAP;
})
FAILS(failure_wrong_password_chap, PPP_AUTH_FAILED, PPP_AUTH, 20, {
    c.password = "Wonderland";
    c.peer.auth[0] = PEER_AUTH_CHAP_MD5;
    c.peer.n_auth = 1;
    c.dial.auth = PPP_AUTH_CHAP_MD5;
})
FAILS(failure_login_ended_by_cdn, PPP_AUTH_ENDED, PPP_AUTH, 20, {
    c.password = "Wonderland";
    c.peer.bugs = BUG_AUTH_HANG_UP;
})
FAILS(failure_login_ended_by_terminate, PPP_AUTH_ENDED, PPP_AUTH, 20, {
    c.password = "Wonderland";
    c.peer.bugs = BUG_AUTH_TERMINATE;
})
FAILS(failure_e646, PPP_AUTH_RESTRICTED_HOURS, PPP_AUTH, 20, {
    c.peer.bugs = BUG_AUTH_ERROR;
    c.peer.auth_error = 646;
})
FAILS(failure_e647, PPP_AUTH_DISABLED, PPP_AUTH, 20, {
    c.peer.bugs = BUG_AUTH_ERROR;
    c.peer.auth_error = 647;
})
FAILS(failure_e648, PPP_AUTH_PASSWORD_EXPIRED, PPP_AUTH, 20, {
    c.peer.bugs = BUG_AUTH_ERROR;
    c.peer.auth_error = 648;
})
FAILS(failure_e649, PPP_AUTH_NO_PERMISSION, PPP_AUTH, 20, {
    c.peer.bugs = BUG_AUTH_ERROR;
    c.peer.auth_error = 649;
})
FAILS(failure_e691, PPP_AUTH_FAILED, PPP_AUTH, 20, {
    c.peer.bugs = BUG_AUTH_ERROR;
    c.peer.auth_error = 691;
})
FAILS(failure_wrong_s, PPP_AUTH_SERVER_UNVERIFIED, PPP_AUTH, 20, c.peer.bugs = BUG_AUTH_WRONG_S)
FAILS(failure_no_s, PPP_AUTH_SERVER_UNVERIFIED, PPP_AUTH, 20, c.peer.bugs = BUG_AUTH_NO_S)
FAILS(failure_rechallenged_for_ever, PPP_AUTH_TIMEOUT, PPP_AUTH, 60,
      c.peer.bugs = BUG_AUTH_RECHALLENGE)
FAILS(failure_weak_login, PPP_AUTH_WEAK, PPP_AUTH, 20, c.peer.bugs = BUG_LCP_INSIST_PAP)
FAILS(failure_no_login, PPP_AUTH_NONE, PPP_AUTH, 20, {
    c.peer.auth[0] = PEER_AUTH_NONE;
    c.peer.n_auth = 1;
})

/* ---- proposals ---- */
FAILS(failure_no_proposal, IKE_NO_PROPOSAL, IKE_PHASE1, 10, {
    c.policy = "strong";
    c.peer.policy.n_ike = 1;
    c.peer.policy.ike[0] = (struct ike_suite){CIPHER_3DES_CBC, 0, HASH_MD5, DH_MODP1024};
})
FAILS(failure_no_proposal_softether, IKE_NO_ANSWER, IKE_PHASE1, 46, {
    c.policy = "strong";
    c.peer.flavour = PEER_SOFTETHER;
    c.peer.policy.n_ike = 1;
    c.peer.policy.ike[0] = (struct ike_suite){CIPHER_3DES_CBC, 0, HASH_MD5, DH_MODP1024};
})
FAILS(failure_no_proposal_quick, IKE_QUICK_NO_PROPOSAL, IKE_QUICK, 10, {
    CHECK(policy_named("legacy", &c.peer.policy));
    c.peer.policy.n_esp = 1;
    c.peer.policy.esp[0] = (struct esp_suite){CIPHER_DES_CBC, 0, HASH_MD5, false};
})

/* ---- L2TP and PPP ---- */
FAILS(failure_tunnel_secret_differs, L2TP_AUTH_PEER, L2TP_TUNNEL, 20, {
    c.dial.has_tunnel_secret = true;
    CHECK(secret_set(&c.dial.tunnel_secret, span_str("hush")));
    c.peer.tunnel_secret = "Hush";
})

TEST(failure_cdn_results)
{
    for (uint16_t code = 1; code <= 11; code++) {
        struct world_config c;
        struct world *w;

        world_config_default(&c);
        c.peer.bugs = BUG_L2TP_CDN;
        c.peer.result_code = code;
        w = world_new(&c);
        CHECK(world_until(w, world_is_up, US_S(10)));
        CHECK(w->failed);
        reached[w->failure.id] = true;
        CHECK_INT(w->failed_stage, STAGE_L2TP_CALL);
        CHECK(w->failure.id == FAILURE_L2TP_CALL_REFUSED || w->failure.id == FAILURE_L2TP_BUSY);
        CHECK(w->failure.has_peer_code);
        CHECK_INT(w->failure.peer_code, code);
        CHECK(rendered(&w->failure));
        CHECK(world_until(w, world_is_down, US_S(5)));
        world_run(w, US_S(1));
        CHECK_INT(peer_facts(w->sim.peer)->stopccns, 1);
        world_free(w);
    }
}

TEST(failure_stopccn_results)
{
    for (uint16_t code = 1; code <= 7; code++) {
        struct world_config c;
        struct world *w;

        world_config_default(&c);
        c.peer.bugs = BUG_L2TP_STOPCCN;
        c.peer.result_code = code;
        w = world_new(&c);
        CHECK(world_until(w, world_is_up, US_S(10)));
        CHECK(w->failed);
        reached[w->failure.id] = true;
        CHECK_INT(w->failed_stage, STAGE_L2TP_TUNNEL);
        CHECK(w->failure.id == FAILURE_L2TP_REFUSED || w->failure.id == FAILURE_L2TP_BUSY ||
              w->failure.id == FAILURE_L2TP_AUTH);
        CHECK(w->failure.has_peer_code);
        CHECK_INT(w->failure.peer_code, code);
        CHECK(rendered(&w->failure));
        CHECK(world_until(w, world_is_down, US_S(5)));
        world_run(w, US_S(1));
        CHECK_INT(peer_facts(w->sim.peer)->deletes_ike, 1);
        world_free(w);
    }
}

FAILS(failure_ip_loopback, PPP_IP_BAD_ADDRESS, PPP_IP, 20, c.peer.bugs = BUG_IPCP_LOOPBACK)
FAILS(failure_ip_rejected, PPP_IP_REFUSED, PPP_IP, 20, c.peer.bugs = BUG_IPCP_REJECT_ALL)

/* The server ends LCP in the middle of the login. */
TEST(failure_terminated)
{
    struct expected x = {FAILURE_PPP_TERMINATED, STAGE_PPP_AUTH, US_S(10)};
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    c.script[DIAL_NEED_PASSWORD].answer = ANSWER_NEVER;
    w = world_new(&c);
    world_run(w, US_S(2));
    CHECK_INT(dial_facts(w->dial)->current, STAGE_PPP_AUTH);
    peer_terminate(w->sim.peer, "maintenance\x1b[2J", w->sim.now);
    CHECK(fails(w, &x));
    CHECK(strstr(w->failure.peer_text, "maintenance") != NULL);
    CHECK(strchr(w->failure.peer_text, 0x1b) == NULL);
    world_free(w);
}

/* ---- servers that break the rules ---- */
FAILS(failure_bug_wrong_transform, IKE_PROTOCOL, IKE_PHASE1, 47,
      c.peer.bugs = BUG_IKE_WRONG_TRANSFORM)
FAILS(failure_bug_ke_zero, IKE_PROTOCOL, IKE_PHASE1, 47, c.peer.bugs = BUG_IKE_KE_ZERO)
FAILS(failure_bug_ke_one, IKE_PROTOCOL, IKE_PHASE1, 47, c.peer.bugs = BUG_IKE_KE_ONE)
FAILS(failure_bug_ke_short, IKE_PROTOCOL, IKE_PHASE1, 47, c.peer.bugs = BUG_IKE_KE_SHORT)
FAILS(failure_bug_ke_mirror, IKE_PROTOCOL, IKE_PHASE1, 47, c.peer.bugs = BUG_IKE_KE_MIRROR)
FAILS(failure_bug_nonce_short, IKE_PROTOCOL, IKE_PHASE1, 47, c.peer.bugs = BUG_IKE_NONCE_SHORT)
FAILS(failure_bug_natd_size, IKE_PROTOCOL, IKE_PHASE1, 47, c.peer.bugs = BUG_IKE_NATD_SIZE)
FAILS(failure_bug_no_proposal, IKE_NO_PROPOSAL, IKE_PHASE1, 10, c.peer.bugs = BUG_IKE_NO_PROPOSAL)
FAILS(failure_bug_life_1s, IKE_QUICK_POLICY, IKE_QUICK, 47, c.peer.bugs = BUG_IKE_LIFE_1S)
FAILS(failure_bug_qm_wrong_transform, IKE_QUICK_POLICY, IKE_QUICK, 47,
      c.peer.bugs = BUG_QM_WRONG_TRANSFORM)
FAILS(failure_bug_qm_no_proposal, IKE_QUICK_NO_PROPOSAL, IKE_QUICK, 10,
      c.peer.bugs = BUG_QM_NO_PROPOSAL)
FAILS(failure_bug_no_tunnel_id, L2TP_PROTOCOL, L2TP_TUNNEL, 97, c.peer.bugs = BUG_L2TP_NO_TUNNEL_ID)
FAILS(failure_bug_bad_avp, L2TP_PROTOCOL, L2TP_TUNNEL, 97, c.peer.bugs = BUG_L2TP_BAD_AVP)
FAILS(failure_bug_mandatory_avp, L2TP_PROTOCOL, L2TP_TUNNEL, 97,
      c.peer.bugs = BUG_L2TP_MANDATORY_AVP)
FAILS(failure_bug_wrong_response, L2TP_AUTH_PEER, L2TP_TUNNEL, 20, {
    c.peer.bugs = BUG_L2TP_WRONG_RESPONSE;
    c.peer.tunnel_secret = "hush";
    c.dial.has_tunnel_secret = true;
    CHECK(secret_set(&c.dial.tunnel_secret, span_str("hush")));
})
FAILS(failure_bug_nak_loop, PPP_LCP_FAILED, PPP_LCP, 32, c.peer.bugs = BUG_LCP_NAK_LOOP)
FAILS(failure_bug_magic_mirror, PPP_LCP_LOOPBACK, PPP_LCP, 32, c.peer.bugs = BUG_LCP_MAGIC_MIRROR)

/* ---- this computer ---- */
FAILS(failure_whole_time, LOCAL_TIMEOUT, L2TP_TUNNEL, 4, {
    c.dial.timeout = US_S(3);
    c.dial.encapsulation = ENCAPSULATION_ESP;
    c.link.hook = only_short_esp;
})

TEST(failure_random)
{
    struct expected x = {FAILURE_LOCAL_RANDOM, STAGE_IKE_PHASE1, US_S(10)};
    struct world_config c;
    struct world *w;

    world_config_default(&c);
    w = world_new(&c);
    w->client_env.fail_rand = true;
    CHECK(fails(w, &x));
    world_free(w);
}

/* The rows that only real sockets, memory, a person or a second life can bring about. */
TEST(failure_coverage)
{
    static const enum failure_id elsewhere[] = {
        FAILURE_LOCAL_MEMORY,
        FAILURE_LOCAL_CRYPTO,
        FAILURE_LOCAL_RIGHTS,
        FAILURE_LOCAL_SOCKET,
        FAILURE_LOCAL_PORT_BUSY,
        FAILURE_LOCAL_TUN,
        FAILURE_LOCAL_CONFIGURE,
        FAILURE_LOCAL_JOURNAL,
        FAILURE_LOCAL_ALREADY_UP,
        FAILURE_LOCAL_CANCELLED,
        FAILURE_LOCAL_BROKER,
        FAILURE_LOCAL_ENGINE,
        FAILURE_LOCAL_SIGNER,
        FAILURE_LOCAL_SECRET,
        FAILURE_LOCAL_LEARNED,
        FAILURE_LOCAL_MEMORY_LOCK,
        FAILURE_LOCAL_NOT_RUNNING,
        FAILURE_LOCAL_NOT_YOURS,
        FAILURE_LOCAL_NOT_ANSWERING,
        FAILURE_RESOLVE_NOT_FOUND,
        FAILURE_RESOLVE_TEMPORARY,
        FAILURE_RESOLVE_BAD_NAME,
        FAILURE_RESOLVE_BAD_ADDRESS,
        FAILURE_PEER_DEAD,
        FAILURE_PEER_CLOSED,
        FAILURE_SA_EXPIRED,
        FAILURE_TUN_GONE,
        FAILURE_NETWORK_CHANGED,
        /* test_ladder.c: they compare with the dial before. */
        FAILURE_IKE_DOWNGRADE,
        FAILURE_IKE_PEER_ID_CHANGED,
        /* Words that our server does not say; tests/unit/ike says them. */
        FAILURE_IKE_REFUSED,
        FAILURE_IKE_POLICY,
        FAILURE_IKE_AGGRESSIVE_CERTIFICATE,
        FAILURE_IKE_AUTH_REFUSED,
        FAILURE_IKE_QUICK_REFUSED,
    };
    bool all = true;

    if (!reached[FAILURE_LOCAL_RANDOM])
        SKIP("only with all the others");
    for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++)
        reached[elsewhere[i]] = true;
    /* Our server has no certificate; those of tests/unit/ike and tests/lab/interop have. */
    for (unsigned i = FAILURE_IKE_AUTH_CERT_FILE; i <= FAILURE_IKE_AUTH_CERT_UNCHECKED; i++)
        reached[i] = true;
    /* Nor a token; that of tests/io has softhsm2. */
    for (unsigned i = FAILURE_LOCAL_TOKEN_SUPPORT; i <= FAILURE_LOCAL_TOKEN_FAILED; i++)
        reached[i] = true;
    for (unsigned i = 1; i < FAILURE_COUNT; i++) {
        if (!reached[i]) {
            printf("    never reached: %s\n", failure_code((enum failure_id)i));
            all = false;
        }
    }
    CHECK(all);
}
