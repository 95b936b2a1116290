/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Servers with habits of their own: identities, selectors, lifetimes, PFS, XAUTH. */
#include "check.h"
#include "rig.h"

#include <string.h>

TEST(h22_identities_of_each_type)
{
    static const struct {
        const char *hex, *type, *text, *failure;
    } rows[] = {
        {"01000000c0a80001", "address", "192.168.0.1", "none"},
        {"0111 01f4 c0a80001", "address", "192.168.0.1", "none"},
        {"0100000000000000", "address", "0.0.0.0", "none"},
        {"02000000 76706e2e6c61622e74657374", "fqdn", "vpn.lab.test", "none"},
        {"03000000 61406c61622e74657374", "user-fqdn", "a@lab.test", "none"},
        {"0b000000 67726f7570", "key-id", "group", "none"},
        {"0b000000 ff00", "key-id", "ff00", "none"},
        {"09000000 3000", "dn", "3000", "none"},
        {"02000000 610062", "", "", "ike.auth.peer-id"},
        {"01000000 c0a800", "", "", "ike.auth.peer-id"},
        {"02000000", "", "", "ike.auth.peer-id"},
        {"63000000 c0a80001", "", "", "ike.auth.peer-id"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig *r = rig_new();
        uint8_t id[64];

        r->server.habits.id = span_of(id, check_hex(id, sizeof(id), rows[i].hex));
        rig_start(r);
        rig_run(r, r->now + US_S(1));
        CHECK_STR(failure_code(rig_failure(r)->id), rows[i].failure);
        CHECK_STR(ike_facts(r->ike)->peer_id_type, rows[i].type);
        CHECK_STR(ike_facts(r->ike)->peer_id, rows[i].text);
        rig_free(r);
    }
}

TEST(peer_behind_nat_is_seen_by_its_identity)
{
    struct rig *r = rig_new();
    uint8_t id[] = {1, 0, 0, 0, 192, 168, 0, 1};

    r->server.habits.id = SPAN_ARRAY(id);
    r->server.habits.no_natt = true;
    rig_start(r);
    rig_run(r, r->now + US_S(1));
    CHECK_INT(ike_facts(r->ike)->nat_remote, IKE_NAT_YES);
    rig_free(r);
}

/* Two NAT-OA name us and the server; a single one, as in the drafts, names the server. */
TEST(peer_says_how_it_sees_us)
{
    for (unsigned n = 1; n <= 2; n++) {
        struct rig *r = rig_new();

        r->server.habits.draft_natt = n == 1;
        r->server.habits.nat_oa[n - 1] = r->cfg.remote.addr;
        if (n == 2)
            r->server.habits.nat_oa[0] = inaddr_v4(0xcb007107);
        rig_start(r);
        rig_run(r, r->now + US_S(1));
        CHECK(rig_event(r, IKE_EVENT_SA_READY, 0));
        CHECK_INT(ike_facts(r->ike)->nat_local, n == 1 ? IKE_NAT_UNKNOWN : IKE_NAT_YES);
        rig_free(r);
    }
}

TEST(h25_peer_that_cannot_prove_the_key)
{
    struct rig *r = rig_new();

    r->server.habits.wrong_hash_r = true;
    rig_start(r);
    rig_run(r, r->now + US_S(2));
    CHECK(!rig_event(r, IKE_EVENT_AUTHENTICATED, 0));
    CHECK(!rig_event(r, IKE_EVENT_FAILED, 0));
    rig_run(r, r->now + US_S(60));
    CHECK_STR(failure_code(rig_failure(r)->id), "ike.auth.peer");
    rig_free(r);
}

TEST(h14_selector_of_the_answer)
{
    struct rig *r = rig_new();

    r->server.habits.id_port = 1701;
    rig_start(r);
    rig_run(r, r->now + US_S(1));
    CHECK_STR(failure_code(rig_failure(r)->id), "ike.quick.policy");
    rig_free(r);
}

TEST(h17_announced_lifetimes)
{
    static const struct {
        unsigned life, want;
        const char *failure;
    } rows[] = {{600, 600, "none"},
                {86400, 3600, "none"},
                {10, 10, "none"},
                {9, 0, "ike.quick.policy"},
                {1, 0, "ike.quick.policy"}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig *r = rig_new();
        const struct ike_event *ev;

        r->server.habits.esp_life = rows[i].life;
        rig_start(r);
        rig_run(r, r->now + US_S(1));
        CHECK_STR(failure_code(rig_failure(r)->id), rows[i].failure);
        ev = rig_event(r, IKE_EVENT_SA_PAIR, 0);
        CHECK_INT(ev ? ev->sa.lifetime_s : 0, rows[i].want);
        rig_free(r);
    }
}

TEST(peer_starts_quick_mode_with_pfs)
{
    struct rig *r = rig_new();
    struct esp_suite suite = {CIPHER_AES_GCM, 128, HASH_NONE, false};

    rig_start(r);
    rig_run(r, r->now + US_S(1));
    r->n_events = 0;
    r->server.habits.own_pfs = DH_MODP1536;
    server_start_quick(r, &suite, 0xbeef);
    rig_run(r, r->now + US_S(1));
    CHECK_INT(r->n_events, 2);
    CHECK_INT(r->event[0].sa.pfs, DH_MODP1536);
    CHECK_INT(r->event[0].sa.in.cipher_key_len, 20);
    CHECK_MEM(r->event[0].sa.in.cipher_key, 20, r->server.out.cipher_key, 20);
    rig_free(r);
}

/* The server's message 3 is lost, and so is whatever we send of that quick mode afterwards. */
static bool lose_from_qm3(struct rig *r, bool to_server, enum ike_port port, struct span bytes)
{
    (void)port;
    if (bytes.n < 28 || bytes.p[18] != EXCHANGE_QUICK)
        return false;
    if (!to_server && bytes.n < 150)
        r->lose_count++;
    return r->lose_count > 0;
}

TEST(peer_quick_mode_that_it_does_not_end)
{
    struct rig *r = rig_new();
    struct esp_suite suite = {CIPHER_AES_CBC, 256, HASH_SHA256, false};

    rig_start(r);
    rig_run(r, r->now + US_S(1));
    r->n_events = 0;
    r->lose = lose_from_qm3;
    server_start_quick(r, &suite, 0xbeef);
    rig_run(r, r->now + US_S(1));
    CHECK_INT(r->n_events, 1);
    CHECK_INT(r->event[0].type, IKE_EVENT_SA_PAIR); /* to be read with */
    CHECK(r->lose_count > 0);
    rig_run(r, r->now + US_S(50));
    CHECK(!rig_event(r, IKE_EVENT_SA_READY, 0));
    CHECK(rig_event(r, IKE_EVENT_SA_DELETED, 0)); /* taken back */
    CHECK(!rig_event(r, IKE_EVENT_FAILED, 0));
    CHECK_INT(r->ike->quick[1].state, QUICK_FREE);
    CHECK_INT(r->ike->state, P1_UP);
    rig_free(r);
}

static bool lose_quick_answers(struct rig *r, bool to_server, enum ike_port port, struct span bytes)
{
    (void)r;
    (void)port;
    return !to_server && bytes.n > 18 && bytes.p[18] == EXCHANGE_QUICK;
}

TEST(h27_xauth_is_named)
{
    struct rig *r = rig_new();
    struct build b;
    struct span out;

    r->lose = lose_quick_answers;
    rig_start(r);
    rig_run(r, r->now + US_S(1));
    build_start(&b, r->ike->cky_i, r->ike->cky_r, EXCHANGE_TRANSACTION, ISAKMP_FLAG_ENCRYPTION, 9);
    wr_zeros(&b.w, 32);
    CHECK(build_finish(&b, &out));
    CHECK_INT(server_inject(r, out), VERDICT_DROP);
    rig_run(r, r->now + US_S(60));
    CHECK_STR(failure_code(rig_failure(r)->id), "ike.policy");
    CHECK_STR(rig_failure(r)->value, "XAUTH or mode config");
    CHECK_INT(rig_failure(r)->stage, STAGE_IKE_QUICK);
    rig_free(r);
}

/* Cisco IOS names what it speaks in message 4. */
TEST(peer_announces_dpd_in_message_4)
{
    struct rig *r = rig_new();

    r->server.habits.late_dpd = true;
    rig_start(r);
    rig_run(r, r->now + US_S(1));
    CHECK(rig_event(r, IKE_EVENT_SA_READY, 0));
    CHECK(ike_facts(r->ike)->dpd);
    rig_run(r, r->now + 2 * DPD_IDLE);
    CHECK(r->server.r_u_theres > 0);
    rig_free(r);
}
