/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole exchanges with the scripted responder in virtual time. */
#include "check.h"
#include "rig.h"

#include <string.h>

TEST(ike_main_and_quick_mode_complete)
{
    struct rig *r = rig_new();
    const struct ike_event *ev;

    rig_start(r);
    rig_run(r, r->now + US_S(2));
    CHECK_STR(failure_code(rig_failure(r)->id), "none");
    CHECK(rig_event(r, IKE_EVENT_AUTHENTICATED, 0));
    ev = rig_event(r, IKE_EVENT_SA_PAIR, 0);
    CHECK(ev);
    CHECK(r->server.qm_done);
    CHECK_INT(ev->sa.in.spi, r->server.out.spi);
    CHECK_INT(ev->sa.out.spi, r->server.in.spi);
    CHECK_MEM(ev->sa.in.cipher_key, ev->sa.in.cipher_key_len, r->server.out.cipher_key,
              r->server.out.cipher_key_len);
    CHECK_MEM(ev->sa.out.cipher_key, ev->sa.out.cipher_key_len, r->server.in.cipher_key,
              r->server.in.cipher_key_len);
    CHECK_MEM(ev->sa.out.integ_key, ev->sa.out.integ_key_len, r->server.in.integ_key,
              r->server.in.integ_key_len);
    CHECK(ev->sa.udp_encapsulated);
    CHECK(ev->sa.behind_nat);
    CHECK_INT(ev->sa.local_port, 41701);
    CHECK_INT(ev->sa.remote_port, 1701);
    CHECK_INT(ev->sa.lifetime_s, 3600);
    CHECK(rig_event(r, IKE_EVENT_SA_READY, 0));
    CHECK(ike_facts(r->ike)->established && ike_facts(r->ike)->floated && ike_facts(r->ike)->dpd);
    CHECK_INT(ike_facts(r->ike)->nat_local, IKE_NAT_UNKNOWN);
    CHECK_INT(ike_facts(r->ike)->nat_remote, IKE_NAT_NO);
    CHECK_STR(ike_facts(r->ike)->peer_id, "198.51.100.2");
    CHECK_STR(ike_facts(r->ike)->peer_id_type, "address");
    CHECK_STR(ike_facts(r->ike)->vendor_ids[0], "RFC 3947");
    CHECK_INT(ike_facts(r->ike)->resent, 0);
    CHECK_INT(r->server.qm3s, 1);
    rig_free(r);
}

/* ---- suites ---- */
TEST(ike_every_suite_of_legacy_completes)
{
    struct policy p;

    CHECK(policy_named("legacy", &p));
    for (unsigned i = 0; i < p.n_ike; i++) {
        struct rig *r = rig_new();
        const struct ike_event *ev;

        r->server.habits.transform = i;
        r->server.habits.esp_transform = i % p.n_esp;
        r->server.habits.draft_natt = i & 1;
        rig_start(r);
        rig_run(r, r->now + US_S(2));
        ev = rig_event(r, IKE_EVENT_SA_READY, 0);
        if (!ev)
            check_fail(__FILE__, __LINE__, "suite %u: %s", i, failure_code(rig_failure(r)->id));
        CHECK(ev);
        CHECK(r->ike->facts.suite.group == p.ike[i].group);
        CHECK_MEM(rig_event(r, IKE_EVENT_SA_PAIR, 0)->sa.in.cipher_key,
                  rig_event(r, IKE_EVENT_SA_PAIR, 0)->sa.in.cipher_key_len,
                  r->server.out.cipher_key, r->server.out.cipher_key_len);
        rig_free(r);
    }
}

TEST(ike_message_1_fits_one_datagram)
{
    struct rig *r = rig_new();
    struct msg m;

    rig_start(r);
    CHECK(ike_pop_out(r->ike, &m));
    CHECK(m.n <= 1200);
    CHECK_INT(m.tag, IKE_PORT_500);
    msg_done(&m);
    rig_free(r);
}

TEST(ike_raw_esp_when_natt_is_not_offered)
{
    struct rig *r = rig_new();

    r->server.habits.no_natt = true;
    rig_start(r);
    rig_run(r, r->now + US_S(2));
    CHECK(rig_event(r, IKE_EVENT_SA_PAIR, 0));
    CHECK(!rig_event(r, IKE_EVENT_SA_PAIR, 0)->sa.udp_encapsulated);
    CHECK(!ike_facts(r->ike)->natt && !ike_facts(r->ike)->floated);
    rig_free(r);
}

TEST(ike_esp_announces_no_natt)
{
    struct rig *r = rig_new();

    r->cfg.encapsulation = ENCAPSULATION_ESP;
    r->server.habits.no_natt = true;
    rig_start(r);
    rig_run(r, r->now + US_S(2));
    CHECK(rig_event(r, IKE_EVENT_SA_PAIR, 0));
    CHECK(!rig_event(r, IKE_EVENT_SA_PAIR, 0)->sa.udp_encapsulated);
    rig_free(r);
}

TEST(ike_udp_insists_on_natt)
{
    struct rig *r = rig_new();
    l2tpc_us t0 = r->now;

    r->cfg.encapsulation = ENCAPSULATION_UDP;
    r->server.habits.no_natt = true;
    rig_start(r);
    rig_run(r, r->now + US_S(60));
    CHECK_STR(failure_code(rig_failure(r)->id), "ike.encapsulation");
    CHECK(r->sent[r->n_sent - 1].at < t0 + US_S(4));
    rig_free(r);
}

TEST(ike_nat_is_known_when_the_hash_matches)
{
    struct rig *r = rig_new();

    r->server.habits.natd_true = true;
    rig_start(r);
    rig_run(r, r->now + US_S(2));
    CHECK_INT(ike_facts(r->ike)->nat_local, IKE_NAT_NO);
    CHECK(!rig_event(r, IKE_EVENT_SA_PAIR, 0)->sa.behind_nat);
    rig_run(r, r->now + US_S(25));
    for (unsigned i = 0; i < r->n_sent; i++)
        CHECK(r->sent[i].port != IKE_PORT_KEEPALIVE);
    rig_free(r);
}

TEST(h34_nat_d_payloads)
{
    static const struct {
        int extra;
        unsigned cut;
        const char *failure;
        bool floated;
    } rows[] = {
        {-2, 0, "none", false}, {-1, 0, "none", false}, {0, 0, "none", true},
        {8, 0, "none", true},   {9, 0, "none", false},  {0, 1, "ike.protocol", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig *r = rig_new();

        r->server.habits.natd_extra = rows[i].extra;
        r->server.habits.natd_cut = rows[i].cut;
        rig_start(r);
        rig_run(r, r->now + US_S(60));
        CHECK_STR(failure_code(rig_failure(r)->id), rows[i].failure);
        CHECK_INT(ike_facts(r->ike)->floated, rows[i].floated);
        rig_free(r);
    }
}

TEST(ike_ipv6)
{
    struct rig *r = rig_new();

    CHECK(inaddr_parse(&r->cfg.local.addr, "2001:db8::2"));
    CHECK(inaddr_parse(&r->cfg.remote.addr, "2001:db8::1"));
    r->server.habits.natd_true = true;
    rig_start(r);
    rig_run(r, r->now + US_S(1));
    CHECK(rig_event(r, IKE_EVENT_SA_READY, 0));
    CHECK_STR(ike_facts(r->ike)->peer_id, "2001:db8::1");
    CHECK_INT(ike_facts(r->ike)->nat_local, IKE_NAT_NO);
    CHECK_INT(ike_facts(r->ike)->nat_remote, IKE_NAT_NO);
    rig_free(r);
}

/* ---- PFS and lifetimes ---- */
TEST(ike_pfs_is_what_happened)
{
    for (unsigned no_ke = 0; no_ke < 2; no_ke++) {
        struct rig *r = rig_new();

        r->cfg.policy.pfs = DH_MODP1024;
        r->server.habits.no_ke = no_ke;
        rig_start(r);
        rig_run(r, r->now + US_S(2));
        CHECK(rig_event(r, IKE_EVENT_SA_PAIR, 0));
        CHECK_INT(rig_event(r, IKE_EVENT_SA_PAIR, 0)->sa.pfs, no_ke ? DH_NONE : DH_MODP1024);
        CHECK_MEM(rig_event(r, IKE_EVENT_SA_PAIR, 0)->sa.in.cipher_key, 32,
                  r->server.out.cipher_key, 32);
        rig_free(r);
    }
}

TEST(ike_server_that_insists_on_pfs_gets_it)
{
    struct rig *r = rig_new();

    r->server.habits.needs_pfs = true;
    rig_start(r);
    rig_run(r, r->now + US_S(2));
    CHECK(rig_event(r, IKE_EVENT_SA_PAIR, 0));
    CHECK_INT(rig_event(r, IKE_EVENT_SA_PAIR, 0)->sa.pfs, ike_facts(r->ike)->suite.group);
    CHECK_MEM(rig_event(r, IKE_EVENT_SA_PAIR, 0)->sa.in.cipher_key, 32, r->server.out.cipher_key,
              32);
    rig_free(r);
    /* A group that the policy names stays: there is nothing else to try. */
    r = rig_new();
    r->cfg.policy.pfs = DH_MODP1024;
    r->server.habits.refuse_qm1 = NOTIFY_NO_PROPOSAL_CHOSEN;
    rig_start(r);
    rig_run(r, r->now + US_S(2));
    CHECK_STR(failure_code(rig_failure(r)->id), "ike.quick.no-proposal");
    CHECK(!rig_event(r, IKE_EVENT_SA_PAIR, 0));
    rig_free(r);
}

TEST(h33_responder_lifetime_lowers)
{
    struct rig *r = rig_new();

    r->server.habits.responder_lifetime = 600;
    rig_start(r);
    rig_run(r, r->now + US_S(2));
    CHECK(rig_event(r, IKE_EVENT_SA_PAIR, 0));
    CHECK_INT(rig_event(r, IKE_EVENT_SA_PAIR, 0)->sa.lifetime_s, 600);
    rig_free(r);
    r = rig_new();
    r->server.habits.responder_lifetime = 1;
    rig_start(r);
    rig_run(r, r->now + US_S(2));
    CHECK_STR(failure_code(rig_failure(r)->id), "ike.quick.policy");
    rig_free(r);
}

TEST(ike_responder_lifetime_in_message_6)
{
    struct rig *r = rig_new();

    r->server.habits.mm6_lifetime = 900;
    rig_start(r);
    rig_run(r, r->now + US_S(2));
    CHECK_INT(ike_facts(r->ike)->lifetime_s, 900);
    CHECK(r->ike->renewal.hard <= r->now + US_S(900));
    rig_free(r);
    r = rig_new();
    r->server.habits.mm6_lifetime = 9;
    rig_start(r);
    rig_run(r, r->now + US_S(2));
    CHECK_STR(failure_code(rig_failure(r)->id), "ike.policy");
    rig_free(r);
}

TEST(ike_responder_lifetime_later)
{
    static const uint32_t p1_s[] = {0x800b0001, 0x800c0384};           /* 900 s, RFC 2409 */
    static const uint32_t p2_s[] = {0x80010001, 0x8002012c};           /* 300 s, RFC 2407 */
    static const uint32_t longer[] = {0x80010001, 0x00020004, 864000}; /* never raises */
    static const uint32_t kb[] = {0x80010002, 0x80027d00};
    static const uint32_t shortest[] = {0x80010001, 0x80020001};
    struct rig *r = rig_new();
    uint32_t spi;

    rig_start(r);
    rig_run(r, r->now + US_S(2));
    spi = rig_event(r, IKE_EVENT_SA_PAIR, 0)->sa.out.spi;
    server_send_lifetime(r, 0, longer, 3);
    server_send_lifetime(r, 0, shortest, 2);
    rig_run(r, r->now + US_S(1));
    CHECK_INT(ike_facts(r->ike)->lifetime_s, 28800);
    server_send_lifetime(r, 0, p1_s, 2);
    rig_run(r, r->now + US_S(1));
    CHECK_INT(ike_facts(r->ike)->lifetime_s, 900);
    server_send_lifetime(r, 0, p2_s, 2);
    rig_run(r, r->now + US_S(1));
    CHECK_INT(ike_facts(r->ike)->lifetime_s, 300);
    CHECK(r->ike->renewal.due < r->now + US_S(300));
    CHECK(!rig_event(r, IKE_EVENT_SA_LIFETIME, 0));
    server_send_lifetime(r, spi ^ 1, p2_s, 2);
    server_send_lifetime(r, spi, shortest, 2);
    server_send_lifetime(r, spi, p1_s, 2);
    rig_run(r, r->now + US_S(1));
    CHECK(!rig_event(r, IKE_EVENT_SA_LIFETIME, 0));
    server_send_lifetime(r, spi, p2_s, 2);
    server_send_lifetime(r, spi, kb, 2);
    rig_run(r, r->now + US_S(1));
    CHECK(rig_event(r, IKE_EVENT_SA_LIFETIME, 1));
    CHECK_INT(rig_event(r, IKE_EVENT_SA_LIFETIME, 0)->spi, spi);
    CHECK_INT(rig_event(r, IKE_EVENT_SA_LIFETIME, 0)->sa.lifetime_s, 300);
    CHECK_INT(rig_event(r, IKE_EVENT_SA_LIFETIME, 1)->sa.lifetime_s, UINT32_MAX);
    CHECK(rig_event(r, IKE_EVENT_SA_LIFETIME, 1)->sa.lifetime_bytes == UINT64_C(0x7d00) * 1024);
    rig_free(r);
}

/* ---- the Commit bit ---- */
TEST(h05_commit_bit_waits_for_connected)
{
    struct rig *r = rig_new();

    r->server.habits.commit = true;
    rig_start(r);
    rig_run(r, r->now + US_S(1));
    CHECK(rig_event(r, IKE_EVENT_SA_READY, 0));
    rig_free(r);
    r = rig_new();
    r->server.habits.commit_silent = true;
    rig_start(r);
    rig_run(r, r->now + US_S(1));
    CHECK(rig_event(r, IKE_EVENT_SA_PAIR, 0));
    CHECK(!rig_event(r, IKE_EVENT_SA_READY, 0));
    rig_run(r, r->now + US_S(2));
    CHECK(rig_event(r, IKE_EVENT_SA_READY, 0));
    rig_free(r);
}

/* ---- loss ---- */
/* Loses the first `lose_count` datagrams of one message: exchange, encrypted or not, direction. */
static struct {
    bool to_server;
    unsigned index, left;
} cut;

static unsigned kind_of(struct span b)
{
    static const uint8_t zero[8];
    bool encrypted = b.n > 19 && b.p[19] & 1;

    if (b.n < 28)
        return 9;
    if (b.p[18] == EXCHANGE_MAIN)
        return memcmp(b.p + 8, zero, 8) == 0 ? 0 : b.p[16] == PAYLOAD_SA ? 1 : encrypted ? 3 : 2;
    if (b.p[18] == EXCHANGE_QUICK)
        return b.n > 150 ? 4 : 5;
    return 9;
}

static bool lose_kind(struct rig *r, bool to_server, enum ike_port port, struct span bytes)
{
    (void)port;
    (void)r;
    if (to_server != cut.to_server || kind_of(bytes) != cut.index || cut.left == 0)
        return false;
    cut.left--;
    return true;
}

TEST(ike_survives_each_message_lost_up_to_5_times)
{
    static const struct {
        bool to_server;
        unsigned kind;
    } messages[] = {{true, 0}, {false, 1}, {true, 2}, {false, 2},
                    {true, 3}, {false, 3}, {true, 4}, {false, 4}};

    for (unsigned k = 0; k < ARRAY_LEN(messages); k++) {
        for (unsigned n = 1; n <= 5; n++) {
            struct rig *r = rig_new();

            cut.to_server = messages[k].to_server;
            cut.index = messages[k].kind;
            cut.left = n;
            r->lose = lose_kind;
            rig_start(r);
            rig_run(r, r->now + US_S(60));
            if (!rig_event(r, IKE_EVENT_SA_READY, 0))
                check_fail(__FILE__, __LINE__, "message %u lost %u times: %s", k, n,
                           failure_code(rig_failure(r)->id));
            CHECK_INT(cut.left, 0);
            rig_free(r);
        }
    }
}

static bool lose_all(struct rig *r, bool to_server, enum ike_port port, struct span bytes)
{
    (void)r;
    (void)to_server;
    (void)port;
    (void)bytes;
    return true;
}

static bool lose_4500(struct rig *r, bool to_server, enum ike_port port, struct span bytes)
{
    (void)r;
    (void)to_server;
    (void)bytes;
    return port == IKE_PORT_4500;
}

static bool lose_answers_after_mm2(struct rig *r, bool to_server, enum ike_port port,
                                   struct span bytes)
{
    (void)r;
    (void)port;
    return !to_server && kind_of(bytes) != 1;
}

static bool lose_quick(struct rig *r, bool to_server, enum ike_port port, struct span bytes)
{
    (void)r;
    (void)port;
    return !to_server && kind_of(bytes) == 4;
}

TEST(ike_no_answer_takes_45_s)
{
    struct rig *r = rig_new();
    l2tpc_us t0 = r->now;

    r->lose = lose_all;
    rig_start(r);
    rig_run(r, t0 + IKE_DEADLINE - 1);
    CHECK(!rig_event(r, IKE_EVENT_FAILED, 0));
    rig_run(r, t0 + IKE_DEADLINE);
    CHECK_STR(failure_code(rig_failure(r)->id), "ike.no-answer");
    CHECK_STR(rig_failure(r)->waited_for, "main mode 2");
    CHECK_INT(rig_failure(r)->sends, r->n_sent);
    CHECK_INT(r->sent[1].at - r->sent[0].at, RTO_FIRST);
    for (unsigned i = 1; i < r->n_sent; i++)
        CHECK(r->sent[i].at - r->sent[i - 1].at <= IKE_BACKOFF_CAP);
    CHECK_INT(ike_deadline(r->ike), US_NEVER);
    rig_free(r);
}

TEST(ike_unreachable_when_only_icmp_came)
{
    struct rig *r = rig_new();

    r->lose = lose_all;
    rig_start(r);
    ike_note_unreachable(r->ike, 111, r->now);
    rig_run(r, r->now + US_S(60));
    CHECK_STR(failure_code(rig_failure(r)->id), "ike.unreachable");
    CHECK_INT(rig_failure(r)->os_error, 111);
    rig_free(r);
}

TEST(ike_cut_off_after_message_3)
{
    struct rig *r = rig_new();

    r->lose = lose_answers_after_mm2;
    rig_start(r);
    rig_run(r, r->now + US_S(60));
    CHECK_STR(failure_code(rig_failure(r)->id), "ike.cut-off");
    CHECK_STR(rig_failure(r)->waited_for, "main mode 4");
    rig_free(r);
}

TEST(ike_quick_timeout_names_its_message)
{
    struct rig *r = rig_new();

    r->lose = lose_quick;
    rig_start(r);
    rig_run(r, r->now + US_S(60));
    CHECK_STR(failure_code(rig_failure(r)->id), "ike.quick.timeout");
    CHECK_STR(rig_failure(r)->waited_for, "quick mode 2");
    CHECK(rig_failure(r)->sends > 10);
    rig_free(r);
}

/* ---- wrong key, closed port ---- */
TEST(ike_wrong_psk_and_port_4500_open)
{
    struct rig *r = rig_new();
    l2tpc_us t0 = r->now;
    unsigned probes = 0;

    r->server.habits.psk = "another key";
    rig_start(r);
    rig_run(r, t0 + US_S(60));
    CHECK_STR(failure_code(rig_failure(r)->id), "ike.auth.psk");
    CHECK_STR(rig_failure(r)->waited_for, "main mode 6");
    CHECK(r->sent[r->n_sent - 1].at < t0 + US_S(12));
    for (unsigned i = 0; i < r->n_sent; i++)
        probes += r->sent[i].port == IKE_PORT_4500 && r->sent[i].exchange == EXCHANGE_MAIN;
    CHECK(probes >= 7);
    rig_free(r);
}

TEST(ike_port_4500_silent)
{
    struct rig *r = rig_new();
    l2tpc_us t0 = r->now;

    r->lose = lose_4500;
    rig_start(r);
    rig_run(r, t0 + US_S(60));
    CHECK_STR(failure_code(rig_failure(r)->id), "ike.port-4500");
    CHECK(r->sent[r->n_sent - 1].at <= t0 + US_S(21));
    rig_free(r);
}

TEST(ike_wrong_psk_with_garbled_answer)
{
    struct rig *r = rig_new();
    l2tpc_us t0 = r->now;

    r->server.habits.psk = "another key";
    r->server.habits.garbles_on_psk = true;
    r->server.habits.no_natt = true;
    rig_start(r);
    rig_run(r, t0 + US_S(60));
    CHECK_STR(failure_code(rig_failure(r)->id), "ike.auth.psk");
    CHECK(r->sent[r->n_sent - 1].at < t0 + US_S(5));
    rig_free(r);
}

TEST(ike_wrong_psk_silent_without_float)
{
    struct rig *r = rig_new();

    r->server.habits.psk = "another key";
    r->server.habits.no_natt = true;
    rig_start(r);
    rig_run(r, r->now + US_S(60));
    CHECK_STR(failure_code(rig_failure(r)->id), "ike.auth.timeout");
    rig_free(r);
}

TEST(ike_empty_psk_is_refused_here)
{
    struct rig *r = rig_new();

    r->psk = "";
    rig_start(r);
    rig_run(r, r->now + US_S(1));
    CHECK_STR(failure_code(rig_failure(r)->id), "local.secret");
    rig_free(r);
}

TEST(ike_psk_may_come_late)
{
    struct rig *r = rig_new();

    r->psk = NULL;
    rig_start(r);
    rig_run(r, r->now + IKE_PSK_FRESH - US_S(1));
    CHECK(rig_event(r, IKE_EVENT_NEED_PSK, 0));
    CHECK(!rig_event(r, IKE_EVENT_NEED_PSK, 1));
    CHECK(!rig_event(r, IKE_EVENT_FAILED, 0));
    r->psk = "the key";
    ike_answer_psk(r->ike, rig_event(r, IKE_EVENT_NEED_PSK, 0)->need, span_str(r->psk), r->now);
    rig_run(r, r->now + US_S(1));
    CHECK(rig_event(r, IKE_EVENT_SA_READY, 0));
    rig_free(r);
}

/* Later than that the server has forgotten its half: main mode begins anew, with other cookies. */
TEST(ike_psk_that_comes_very_late_begins_anew)
{
    struct rig *r = rig_new();
    uint8_t before[8];

    r->psk = NULL;
    rig_start(r);
    rig_run(r, r->now + US_S(60));
    CHECK(rig_event(r, IKE_EVENT_NEED_PSK, 0));
    memcpy(before, ike_facts(r->ike)->cky_i, sizeof(before));
    ike_answer_psk(r->ike, rig_event(r, IKE_EVENT_NEED_PSK, 0)->need, span_str("the key"), r->now);
    CHECK(memcmp(before, ike_facts(r->ike)->cky_i, sizeof(before)) != 0);
    CHECK(ike_deadline(r->ike) > r->now);
    rig_free(r);
}

/* ---- refusals ---- */
TEST(h28_clear_refusal_is_a_hint)
{
    struct rig *r = rig_new();
    l2tpc_us t0 = r->now;

    r->server.habits.refuse_mm1 = NOTIFY_NO_PROPOSAL_CHOSEN;
    rig_start(r);
    rig_run(r, t0 + US_S(2));
    CHECK(!rig_event(r, IKE_EVENT_FAILED, 0));
    rig_run(r, t0 + US_S(60));
    CHECK_STR(failure_code(rig_failure(r)->id), "ike.no-proposal");
    CHECK_INT(rig_failure(r)->peer_code, 14);
    CHECK_STR(rig_failure(r)->peer_text, "NO-PROPOSAL-CHOSEN");
    CHECK(r->sent[r->n_sent - 1].at < t0 + US_S(4));
    rig_free(r);
    r = rig_new();
    r->server.habits.refuse_mm1 = NOTIFY_PAYLOAD_MALFORMED;
    rig_start(r);
    rig_run(r, r->now + US_S(60));
    CHECK_STR(failure_code(rig_failure(r)->id), "ike.refused");
    rig_free(r);
}

TEST(ike_quick_refusals_fail_at_once)
{
    struct rig *r = rig_new();
    l2tpc_us t0 = r->now;

    r->server.habits.refuse_qm1 = NOTIFY_NO_PROPOSAL_CHOSEN;
    rig_start(r);
    rig_run(r, t0 + US_S(1));
    CHECK_STR(failure_code(rig_failure(r)->id), "ike.quick.no-proposal");
    CHECK_INT(r->server.deletes, 1);
    rig_free(r);
    r = rig_new();
    r->server.habits.refuse_qm1 = NOTIFY_INVALID_ID_INFORMATION;
    rig_start(r);
    rig_run(r, r->now + US_S(1));
    CHECK_STR(failure_code(rig_failure(r)->id), "ike.quick.refused");
    CHECK_STR(rig_failure(r)->peer_text, "INVALID-ID-INFORMATION");
    rig_free(r);
}

TEST(h03_keeps_to_the_first_cookie)
{
    struct rig *r = rig_new();

    rig_start(r);
    rig_run(r, r->now + US_MS(30));
    CHECK_INT(r->ike->state, P1_MM3_SENT);
    {
        uint8_t first[8];
        uint8_t mm2[28] = {0};
        struct endpoint from = r->cfg.remote;

        memcpy(first, r->ike->cky_r, 8);
        /* Any other answer to message 1, with another cookie. */
        memcpy(mm2, r->ike->cky_i, 8);
        memset(mm2 + 8, 0x77, 8);
        mm2[16] = PAYLOAD_SA;
        mm2[17] = 0x10;
        mm2[18] = EXCHANGE_MAIN;
        mm2[27] = 28;
        CHECK_INT(ike_input(r->ike, IKE_PORT_500, &from, SPAN_ARRAY(mm2), r->now), VERDICT_DROP);
        CHECK_MEM(r->ike->cky_r, 8, first, 8);
    }
    rig_run(r, r->now + US_S(2));
    CHECK(rig_event(r, IKE_EVENT_SA_READY, 0));
    rig_free(r);
}
