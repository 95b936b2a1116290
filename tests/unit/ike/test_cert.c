/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Main mode with signatures: our own responder, its bad habits, and a recorded dial. */
#include "check.h"
#include "rig.h"

#include "../crypto/x509_fixture.h"

#include <string.h>

struct parties {
    struct rig *r;
    struct credential *own, *server;
    struct trust *trust;
};

static struct parties meet(const char *own, const char *own_key, const char *server,
                           const char *server_key)
{
    struct parties p = {.r = rig_new()};

    p.own = credential_of(p.r->c, own, own_key);
    p.server = credential_of(p.r->c, server, server_key);
    p.trust = trust_of(p.r->c, "ca.pem");
    rig_use_certificates(p.r, p.own, p.trust, p.server);
    return p;
}

static struct parties meet_rsa(const char *server)
{
    return meet("client.pem", "client.key", server, "server.key");
}

static void part(struct parties *p)
{
    credential_free(p->own);
    credential_free(p->server);
    trust_free(p->trust);
    rig_free(p->r);
}

TEST(cert_main_mode_completes_with_every_kind_of_key)
{
    static const struct {
        const char *cert, *key, *server, *server_key;
        enum ike_auth auth;
    } rows[] = {
        {"client.pem", "client.key", "server.pem", "server.key", IKE_AUTH_RSA},
        {"ec256.pem", "ec256.key", "ec256.pem", "ec256.key", IKE_AUTH_ECDSA_256},
        {"ec384.pem", "ec384.key", "ec384.pem", "ec384.key", IKE_AUTH_ECDSA_384},
        {"ec521.pem", "ec521.key", "ec521.pem", "ec521.key", IKE_AUTH_ECDSA_521},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct parties p = meet(rows[i].cert, rows[i].key, rows[i].server, rows[i].server_key);

        if (i > 1)
            p.r->name = NULL;
        rig_start(p.r);
        rig_run(p.r, p.r->now + US_S(2));
        CHECK_STR(failure_code(rig_failure(p.r)->id), "none");
        CHECK_INT(p.r->verdict, CERT_GOOD);
        CHECK(rig_event(p.r, IKE_EVENT_SA_READY, 0));
        CHECK(!rig_event(p.r, IKE_EVENT_NEED_PSK, 0));
        CHECK_INT(ike_facts(p.r->ike)->auth, rows[i].auth);
        CHECK_STR(ike_facts(p.r->ike)->peer_id_type, "dn");
        CHECK_STR(ike_facts(p.r->ike)->peer_issuer, "O = l2tpc tests, CN = Test ca");
        CHECK(!ike_peer_cert(p.r->ike));
        part(&p);
    }
}

TEST(cert_main_mode_with_every_suite)
{
    struct policy policy;

    CHECK(policy_named("legacy", &policy));
    for (unsigned i = 0; i < policy.n_ike; i++) {
        struct parties p = meet_rsa("server.pem");

        p.r->server.habits.transform = i;
        rig_start(p.r);
        rig_run(p.r, p.r->now + US_S(2));
        CHECK(rig_event(p.r, IKE_EVENT_SA_READY, 0));
        part(&p);
    }
}

TEST(cert_chain_from_an_intermediate_and_as_pkcs7)
{
    for (unsigned bag = 0; bag < 2; bag++) {
        struct parties p = meet_rsa("server-inter.pem");
        struct cert_list certs = {0};
        struct file f;

        /* In the wrong order too. */
        list_file(p.r->c, &certs, "inter.pem");
        list_file(p.r->c, &certs, "server-inter.pem");
        p.r->server.habits.certs = &certs;
        p.r->server.habits.pkcs7 = bag;
        p.r->server.habits.bag = file_read(&f, "server.p7b");
        rig_start(p.r);
        rig_run(p.r, p.r->now + US_S(2));
        CHECK_STR(failure_code(rig_failure(p.r)->id), "none");
        CHECK(rig_event(p.r, IKE_EVENT_SA_READY, 0));
        part(&p);
    }
}

/* C20: whatever is wrong with the certificate, nothing goes on, and there is no ESP SA. */
TEST(c20_bad_certificates_end_before_quick_mode)
{
    static const struct {
        const char *server;
        enum cert_verdict verdict;
        const char *code;
    } rows[] = {
        {"server-expired.pem", CERT_EXPIRED, "ike.auth.cert-expired"},
        {"server-future.pem", CERT_NOT_YET_VALID, "ike.auth.cert-not-yet-valid"},
        {"server-ca2.pem", CERT_UNTRUSTED, "ike.auth.cert-untrusted"},
        {"server-inter.pem", CERT_UNTRUSTED, "ike.auth.cert-untrusted"},
        {"server-other.pem", CERT_NAME, "ike.auth.cert-name"},
        {"server-cn.pem", CERT_NAME, "ike.auth.cert-name"},
        {"server-eku.pem", CERT_USAGE, "ike.auth.cert-usage"},
        {"server-ku.pem", CERT_USAGE, "ike.auth.cert-usage"},
        {"server-sha1.pem", CERT_WEAK, "ike.auth.cert-weak"},
        {"server-by-client.pem", CERT_UNTRUSTED, "ike.auth.cert-untrusted"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct parties p = meet_rsa(rows[i].server);

        rig_start(p.r);
        rig_run(p.r, p.r->now + US_S(60));
        CHECK_INT(p.r->verdict, rows[i].verdict);
        CHECK_STR(failure_code(rig_failure(p.r)->id), rows[i].code);
        CHECK(!rig_event(p.r, IKE_EVENT_AUTHENTICATED, 0));
        CHECK(!rig_event(p.r, IKE_EVENT_SA_PAIR, 0));
        CHECK(!p.r->server.qm_done && p.r->server.n_last_qm1 == 0);
        CHECK_INT(p.r->server.deletes, 1); /* it believed that all was well */
        part(&p);
    }
}

TEST(cert_nothing_goes_on_before_the_answer)
{
    struct parties p = meet_rsa("server.pem");

    p.r->keep_cert_status = true;
    rig_start(p.r);
    rig_run(p.r, p.r->now + US_S(30));
    CHECK(rig_event(p.r, IKE_EVENT_NEED_CERT_STATUS, 0));
    CHECK(!rig_event(p.r, IKE_EVENT_NEED_CERT_STATUS, 1));
    CHECK(!rig_event(p.r, IKE_EVENT_AUTHENTICATED, 0));
    CHECK_INT(p.r->server.n_last_qm1, 0);
    ike_answer_cert_status(p.r->ike, IKE_SIGN_NEED, NULL, p.r->now); /* of another need */
    CHECK(!ike_facts(p.r->ike)->established);
    ike_answer_cert_status(p.r->ike, IKE_CERT_NEED, NULL, p.r->now);
    rig_run(p.r, p.r->now + US_S(2));
    CHECK(rig_event(p.r, IKE_EVENT_SA_READY, 0));
    part(&p);
}

TEST(h25_wrong_signature_fails_and_no_certificate_too)
{
    static const struct cert_list none;

    for (unsigned i = 0; i < 3; i++) {
        struct parties p = meet_rsa("server.pem");
        struct cert_list other = {0};

        list_file(p.r->c, &other, "ec256.pem");
        p.r->server.habits.bad_signature = i == 0;
        p.r->server.habits.certs = i == 1 ? &none : i == 2 ? &other : NULL;
        rig_start(p.r);
        rig_run(p.r, p.r->now + US_S(60));
        CHECK_STR(failure_code(rig_failure(p.r)->id),
                  i == 1 ? "ike.auth.cert-none" : "ike.auth.cert-signature");
        CHECK(!rig_event(p.r, IKE_EVENT_NEED_CERT_STATUS, 0));
        CHECK_INT(p.r->server.deletes, 1);
        part(&p);
    }
}

TEST(h24_too_many_certificates)
{
    struct parties p = meet_rsa("server.pem");
    struct cert_list many = {0};
    static struct cert_list eleven;

    list_file(p.r->c, &many, "ec256.pem");
    for (unsigned i = 0; i < CERTS_MAX; i++)
        CHECK(cert_list_add(&eleven, cert_list_get(&many, 0)));
    p.r->server.habits.certs = &eleven;
    p.r->server.habits.one_more = true;
    rig_start(p.r);
    rig_run(p.r, p.r->now + US_S(60));
    CHECK_STR(failure_code(rig_failure(p.r)->id), "ike.auth.cert-invalid");
    part(&p);
}

TEST(h23_identity_must_be_in_the_certificate)
{
    static const struct {
        const char *hex;
        enum cert_verdict verdict;
    } rows[] = {
        {"02000000 76706e2e6578616d706c652e636f6d", CERT_GOOD}, /* vpn.example.com */
        {"02000000 6576696c2e6578616d706c652e636f6d", CERT_ID},
        {"01000000 c0a80001", CERT_GOOD}, /* a server behind a NAT */
        {"0b000000 67726f7570", CERT_ID},
        {"09000000 3000", CERT_ID},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct parties p = meet_rsa("server.pem");
        uint8_t id[64];

        p.r->server.habits.id = span_of(id, check_hex(id, sizeof(id), rows[i].hex));
        rig_start(p.r);
        rig_run(p.r, p.r->now + US_S(5));
        CHECK_INT(p.r->verdict, rows[i].verdict);
        part(&p);
    }
}

TEST(cert_refusal_names_the_issuer_that_the_server_wants)
{
    for (unsigned i = 0; i < 2; i++) {
        struct parties p = meet_rsa("server.pem");
        struct trust *wanted = trust_of(p.r->c, i ? "ca2.pem" : "ca.pem");
        struct cert_list names;
        uint8_t body[256] = {CERT_ENCODING_X509};
        struct span dn;

        trust_names(wanted, &names);
        dn = cert_list_get(&names, 0);
        memcpy(body + 1, dn.p, dn.n);
        p.r->server.habits.request = span_of(body, 1 + dn.n);
        p.r->server.habits.refuse_mm5 = true;
        rig_start(p.r);
        rig_run(p.r, p.r->now + US_S(60));
        CHECK_STR(failure_code(rig_failure(p.r)->id),
                  i ? "ike.auth.cert-issuer" : "ike.auth.cert-refused");
        CHECK_STR(rig_failure(p.r)->value, i ? "O = l2tpc tests, CN = Test ca2" : "");
        CHECK_STR(rig_failure(p.r)->peer_text, "AUTHENTICATION-FAILED");
        trust_free(wanted);
        part(&p);
    }
}

/* A damaged message 6 is dropped; the repeated one is taken. */
static unsigned flip_at;

static bool damage_mm6(struct rig *r, bool to_server, enum ike_port port, struct span bytes)
{
    struct endpoint from = r->server.at;
    uint8_t copy[8192];

    if (to_server || bytes.p[18] != EXCHANGE_MAIN || !(bytes.p[19] & ISAKMP_FLAG_ENCRYPTION) ||
        r->lose_count++ > 0)
        return false;
    memcpy(copy, bytes.p, bytes.n);
    copy[28 + flip_at % (bytes.n - 28)] ^= 0x10;
    from.port = port == IKE_PORT_4500 ? 4500 : 500;
    (void)ike_input(r->ike, port, &from, span_of(copy, bytes.n), r->now);
    for (size_t n = 0; n < bytes.n; n += 1 + n / 32)
        (void)ike_input(r->ike, port, &from, span_of(bytes.p, n), r->now);
    return false;
}

TEST(cert_damaged_message_6_changes_nothing)
{
    unsigned rounds = check_rounds(118);

    for (unsigned i = 0; i < rounds; i++) {
        struct parties p = meet_rsa("server.pem");

        flip_at = 1300 * i / rounds;
        p.r->lose = damage_mm6;
        rig_start(p.r);
        rig_run(p.r, p.r->now + US_S(2));
        CHECK(rig_event(p.r, IKE_EVENT_SA_READY, 0));
        part(&p);
    }
}

/* ---- recorded: strongSwan 5.9.8 on both ends ---- */

static size_t get(const char *text, const char *name, uint8_t *out, size_t cap)
{
    static char line[8192];
    char key[40];
    const char *at;
    size_t n;

    (void)snprintf(key, sizeof(key), "\n%s=", name);
    at = strstr(text, key);
    if (!at)
        abort();
    at += strlen(key);
    n = strcspn(at, "\n");
    memcpy(line, at, n);
    line[n] = '\0';
    return check_hex(out, cap, line);
}

static struct span payload(struct span message, uint8_t type)
{
    struct isakmp_header h;
    struct span body;
    struct span out;
    struct chain c;

    if (!isakmp_parse_header(message, &h, &body) || !isakmp_split(h.next_payload, body, &c) ||
        !chain_get(&c, type, 0, &out))
        abort();
    return out;
}

struct recorded {
    struct crypto *c;
    uint8_t m[7][2048];
    struct span msg[7];
    struct ike_keys keys;
    uint8_t iv[16];
    uint8_t plain[2048];
    struct chain chain;
};

static void open_recorded(struct recorded *r, unsigned i)
{
    struct isakmp_header h;
    struct span body;

    if (!isakmp_parse_header(r->msg[i], &h, &body))
        abort();
    memcpy(r->plain, body.p, body.n);
    if (!cbc_crypt(r->c, r->keys.cipher, span_of(r->keys.ka, r->keys.n_ka), SPAN_ARRAY(r->iv),
                   false, (struct mspan){r->plain, body.n}) ||
        !isakmp_split(h.next_payload, span_of(r->plain, body.n), &r->chain))
        abort();
    memcpy(r->iv, body.p + body.n - 16, 16);
}

/* The hash is the recorded one, and the recorded signature over it is good; one bit off is not. */
static void check_recorded(struct recorded *r, const char *text, const char *name, bool server)
{
    struct span gxi = payload(r->msg[3], PAYLOAD_KE), gxr = payload(r->msg[4], PAYLOAD_KE);
    struct span id, cert, sig;
    uint8_t hash[HASH_MAX], want[HASH_MAX], bad[SIGN_MAX];
    const uint8_t *cky = r->m[3];

    CHECK(isakmp_check(MESSAGE_MM6_SIG, &r->chain));
    CHECK(chain_get(&r->chain, PAYLOAD_ID, 0, &id) &&
          chain_get(&r->chain, PAYLOAD_CERT, 0, &cert) &&
          chain_get(&r->chain, PAYLOAD_SIG, 0, &sig));
    CHECK(keymat_hash_phase1(r->c, &r->keys, server ? gxr : gxi, server ? gxi : gxr,
                             server ? cky + 8 : cky, server ? cky : cky + 8,
                             payload(r->msg[1], PAYLOAD_SA), id, hash));
    CHECK_INT(get(text, name, want, sizeof(want)), r->keys.n);
    CHECK_MEM(hash, r->keys.n, want, r->keys.n);
    CHECK_INT(cert.p[0], CERT_ENCODING_X509);
    cert = span_of(cert.p + 1, cert.n - 1);
    CHECK(cert_verify_hash(r->c, cert, IKE_AUTH_RSA, span_of(hash, r->keys.n), sig));
    memcpy(bad, sig.p, sig.n);
    bad[sig.n - 1] ^= 1;
    CHECK(
        !cert_verify_hash(r->c, cert, IKE_AUTH_RSA, span_of(hash, r->keys.n), span_of(bad, sig.n)));
    for (size_t n = 0; n < sig.n; n++)
        CHECK(!cert_verify_hash(r->c, cert, IKE_AUTH_RSA, span_of(hash, r->keys.n),
                                span_of(sig.p, n)));
}

TEST(cert_recorded_strongswan_rsa)
{
    static const struct ike_suite suite = {CIPHER_AES_CBC, 256, HASH_SHA256, DH_MODP2048};
    static char text[65536];
    struct recorded *r = calloc(1, sizeof(*r));
    struct phase1_inputs in;
    uint8_t gxy[512], want[64];
    FILE *f = fopen(VECTOR_DIR "/ike-strongswan-rsa.txt", "r");

    CHECK(r && f && fread(text, 1, sizeof(text) - 1, f) > 0);
    (void)fclose(f);
    r->c = crypto_new();
    for (unsigned i = 1; i <= 6; i++) {
        char name[12];

        (void)snprintf(name, sizeof(name), "message%u", i);
        r->msg[i] = span_of(r->m[i], get(text, name, r->m[i], sizeof(r->m[i])));
    }
    in = (struct phase1_inputs){.ni = payload(r->msg[3], PAYLOAD_NONCE),
                                .nr = payload(r->msg[4], PAYLOAD_NONCE),
                                .gxy = span_of(gxy, get(text, "gxy", gxy, sizeof(gxy))),
                                .cky_i = r->m[3],
                                .cky_r = r->m[3] + 8,
                                .signatures = true};
    CHECK(ike_keys_derive(r->c, &suite, &in, &r->keys));
    CHECK_INT(get(text, "skeyid", want, sizeof(want)), 32);
    CHECK_MEM(r->keys.skeyid, 32, want, 32);
    CHECK_INT(get(text, "skeyid_e", want, sizeof(want)), 32);
    CHECK_MEM(r->keys.skeyid_e, 32, want, 32);
    CHECK(keymat_iv_phase1(r->c, &r->keys, payload(r->msg[3], PAYLOAD_KE),
                           payload(r->msg[4], PAYLOAD_KE), r->iv));
    open_recorded(r, 5);
    check_recorded(r, text, "hash_i", false);
    open_recorded(r, 6);
    check_recorded(r, text, "hash_r", true);
    crypto_free(r->c);
    free(r);
}
