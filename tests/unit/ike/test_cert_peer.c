/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Main mode with signatures that the server begins: the same checks as at first, then ours. */
#include "check.h"
#include "rig.h"

#include "ike/vendor.h"

#include "../crypto/x509_fixture.h"

#include <string.h>

/* The server as initiator; it keeps the engine's suite. */
struct renewer {
    struct credential *own, *server, *shown; /* shown: who renews */
    struct trust *trust;
    struct rig *r;
    uint8_t cky_i[8], cky_r[8], ni[16], nr[256];
    size_t n_nr, n_gxr;
    struct dh *dh;
    uint8_t gxr[DH_MAX], gxy[DH_MAX], sai_b[512];
    size_t n_sai_b;
    struct ike_keys keys;
    uint8_t iv[16];
    struct span id; /* the body of IDii; empty: that of the certificate */
    bool bad_signature;
};

static struct renewer *begin(const char *renewing)
{
    struct renewer *n = calloc(1, sizeof(*n));

    if (!n)
        abort();
    n->r = rig_new();
    n->own = credential_of(n->r->c, "client.pem", "client.key");
    n->server = credential_of(n->r->c, "server.pem", "server.key");
    n->shown = credential_of(n->r->c, renewing, "server.key");
    n->trust = trust_of(n->r->c, "ca.pem");
    rig_use_certificates(n->r, n->own, n->trust, n->server);
    rig_start(n->r);
    rig_run(n->r, n->r->now + US_S(2));
    if (!rig_event(n->r, IKE_EVENT_SA_READY, 0))
        abort();
    ike_keep(n->r->ike);
    n->r->ike->renewal.settled = true;
    return n;
}

static void end(struct renewer *n)
{
    dh_free(n->dh);
    credential_free(n->own);
    credential_free(n->server);
    credential_free(n->shown);
    trust_free(n->trust);
    rig_free(n->r);
    free(n);
}

/* Hands the datagram to the engine at once and takes its answer; false when there is none. */
static bool exchange(struct renewer *n, struct span bytes, struct msg *out)
{
    struct endpoint from = n->r->server.at;
    enum ike_port port = ike_own_port(n->r->ike);

    from.port = port == IKE_PORT_4500 ? 4500 : 500;
    (void)ike_input(n->r->ike, port, &from, bytes, n->r->now);
    rig_answer(n->r);
    return ike_pop_out(n->r->ike, out);
}

static struct chain split(struct span message)
{
    struct isakmp_header h;
    struct span body;
    struct chain c;

    if (!isakmp_parse_header(message, &h, &body) || !isakmp_split(h.next_payload, body, &c))
        abort();
    return c;
}

static void first(struct renewer *n)
{
    static const uint8_t zero[8];
    struct policy p = n->r->ike->cfg.policy;
    struct wr w = wr_of(n->sai_b, sizeof(n->sai_b));
    struct span sa, out;
    struct build b;
    struct msg m;

    p.ike[0] = ike_facts(n->r->ike)->suite;
    p.n_ike = 1;
    proposal_write_phase1(&w, &p, 28800);
    CHECK(wr_finish(&w, &sa) && env_rand(&n->r->env, n->cky_i, 8) &&
          env_rand(&n->r->env, n->ni, 16));
    n->n_sai_b = sa.n;
    build_start(&b, n->cky_i, zero, EXCHANGE_MAIN, 0, 0);
    build_bytes(&b, PAYLOAD_SA, sa);
    build_bytes(&b, PAYLOAD_VID, vendor_bytes(VENDOR_RFC3947));
    CHECK(build_finish(&b, &out));
    CHECK(exchange(n, out, &m));
    memcpy(n->cky_r, m.bytes + 8, 8);
    msg_done(&m);
}

static void second(struct renewer *n)
{
    enum hash_id hash = ike_facts(n->r->ike)->suite.hash;
    struct span out, ke, nonce, request;
    uint8_t digest[HASH_MAX];
    struct build b;
    struct chain c;
    struct msg m;

    n->dh = dh_new(n->r->c, ike_facts(n->r->ike)->suite.group, &n->r->env);
    CHECK(n->dh);
    build_start(&b, n->cky_i, n->cky_r, EXCHANGE_MAIN, 0, 0);
    build_bytes(&b, PAYLOAD_KE, dh_public(n->dh));
    build_bytes(&b, PAYLOAD_NONCE, SPAN_ARRAY(n->ni));
    for (unsigned i = 0; i < 2; i++) {
        CHECK(env_rand(&n->r->env, digest, sizeof(digest)));
        build_bytes(&b, PAYLOAD_NAT_D, span_of(digest, hash_size(hash)));
    }
    CHECK(build_finish(&b, &out) && exchange(n, out, &m));
    c = split(span_of(m.bytes, m.n));
    CHECK(chain_get(&c, PAYLOAD_KE, 0, &ke) && chain_get(&c, PAYLOAD_NONCE, 0, &nonce));
    CHECK(chain_get(&c, PAYLOAD_CR, 0, &request) && request.p[0] == CERT_ENCODING_X509);
    memcpy(n->gxr, ke.p, ke.n);
    n->n_gxr = ke.n;
    memcpy(n->nr, nonce.p, nonce.n);
    n->n_nr = nonce.n;
    CHECK(dh_shared(n->dh, ke, n->gxy));
    msg_done(&m);
}

static void derive(struct renewer *n)
{
    struct ike_suite suite = ike_facts(n->r->ike)->suite;
    struct phase1_inputs in = {.ni = SPAN_ARRAY(n->ni),
                               .nr = span_of(n->nr, n->n_nr),
                               .gxy = span_of(n->gxy, dh_secret_size(suite.group)),
                               .cky_i = n->cky_i,
                               .cky_r = n->cky_r,
                               .signatures = true};

    CHECK(ike_keys_derive(n->r->c, &suite, &in, &n->keys));
    CHECK(keymat_iv_phase1(n->r->c, &n->keys, dh_public(n->dh), span_of(n->gxr, n->n_gxr), n->iv));
}

static struct span own_id(const struct renewer *n, uint8_t out[4 + CERT_ID_MAX])
{
    const struct cert_id *id = credential_id(n->shown);

    if (n->id.n)
        return n->id;
    memset(out, 0, 4);
    out[0] = id->type;
    memcpy(out + 4, id->bytes, id->n);
    return span_of(out, 4 + id->n);
}

static void build_mm5(struct renewer *n, struct build *b, struct span *out)
{
    uint8_t id_bytes[4 + CERT_ID_MAX], hash[HASH_MAX], sig[SIGN_MAX];
    const struct cert_list *chain = credential_chain(n->shown);
    struct span id = own_id(n, id_bytes);
    struct wr_box box;
    size_t n_sig;

    derive(n);
    CHECK(keymat_hash_phase1(n->r->c, &n->keys, dh_public(n->dh), span_of(n->gxr, n->n_gxr),
                             n->cky_i, n->cky_r, span_of(n->sai_b, n->n_sai_b), id, hash));
    CHECK(credential_sign(n->shown, span_of(hash, n->keys.n), sig, &n_sig));
    sig[n_sig / 2] ^= n->bad_signature;
    build_start(b, n->cky_i, n->cky_r, EXCHANGE_MAIN, ISAKMP_FLAG_ENCRYPTION, 0);
    build_bytes(b, PAYLOAD_ID, id);
    box = build_payload(b, PAYLOAD_CERT);
    wr_u8(&b->w, CERT_ENCODING_X509);
    wr_bytes(&b->w, cert_list_get(chain, 0));
    wr_close(&b->w, box);
    build_bytes(b, PAYLOAD_SIG, span_of(sig, n_sig));
    CHECK(build_seal(b, n->r->c, &n->keys, n->iv, out));
}

/* Message 6 carries our certificate and a signature of its key over HASH_R. */
static void check_mm6(struct renewer *n, struct span message)
{
    struct isakmp_header h;
    struct span body, id, cert, sig;
    uint8_t plain[8192], hash[HASH_MAX];
    struct chain c;

    CHECK(isakmp_parse_header(message, &h, &body) && body.n <= sizeof(plain));
    memcpy(plain, body.p, body.n);
    CHECK(cbc_crypt(n->r->c, n->keys.cipher, span_of(n->keys.ka, n->keys.n_ka),
                    span_of(n->iv, cipher_block(n->keys.cipher)), false,
                    (struct mspan){plain, body.n}));
    CHECK(isakmp_split(h.next_payload, span_of(plain, body.n), &c));
    CHECK(chain_get(&c, PAYLOAD_ID, 0, &id) && chain_get(&c, PAYLOAD_CERT, 0, &cert) &&
          chain_get(&c, PAYLOAD_SIG, 0, &sig));
    CHECK(keymat_hash_phase1(n->r->c, &n->keys, span_of(n->gxr, n->n_gxr), dh_public(n->dh),
                             n->cky_r, n->cky_i, span_of(n->sai_b, n->n_sai_b), id, hash));
    CHECK(cert_verify_hash(n->r->c, span_of(cert.p + 1, cert.n - 1), IKE_AUTH_RSA,
                           span_of(hash, n->keys.n), sig));
}

TEST(cert_server_renews_phase_1)
{
    struct renewer *n = begin("server.pem");
    uint8_t again[8192];
    size_t n_again;
    struct build b;
    struct span mm5;
    struct msg m;

    first(n);
    second(n);
    build_mm5(n, &b, &mm5);
    CHECK(exchange(n, mm5, &m));
    check_mm6(n, span_of(m.bytes, m.n));
    n_again = m.n;
    memcpy(again, m.bytes, m.n);
    msg_done(&m);
    CHECK_INT(ike_facts(n->r->ike)->ike_sas, 2);
    CHECK_MEM(ike_facts(n->r->ike)->cky_i, 8, n->cky_i, 8);
    CHECK_STR(ike_facts(n->r->ike)->peer_issuer, "O = l2tpc tests, CN = Test ca");
    /* The next renewal is held against it. */
    CHECK_STR(ike_facts(n->r->ike)->peer_id, "O = l2tpc tests, CN = vpn.example.com");
    CHECK_STR(ike_facts(n->r->ike)->peer_id_type, "dn");
    CHECK(!ike_peer_cert(n->r->ike));
    /* Message 6 was lost: the same one comes again, without another question. */
    CHECK(exchange(n, mm5, &m));
    CHECK_MEM(m.bytes, m.n, again, n_again);
    msg_done(&m);
    CHECK(!rig_event(n->r, IKE_EVENT_FAILED, 0));
    end(n);
}

/* The IKE SA before stays in use, whatever is wrong with the one that renews. */
TEST(cert_server_that_renews_is_judged_as_at_first)
{
    static const struct {
        const char *cert;
        enum cert_verdict verdict;
    } rows[] = {
        {"server-expired.pem", CERT_EXPIRED}, {"server-ca2.pem", CERT_UNTRUSTED},
        {"server-other.pem", CERT_NAME},      {"server-eku.pem", CERT_USAGE},
        {"server-sha1.pem", CERT_WEAK},       {"server-by-client.pem", CERT_UNTRUSTED},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct renewer *n = begin(rows[i].cert);
        uint8_t id[4 + CERT_ID_MAX] = {credential_id(n->server)->type};
        struct build b;
        struct span mm5;
        struct msg m;

        /* It calls itself what it did at first. */
        memcpy(id + 4, credential_id(n->server)->bytes, credential_id(n->server)->n);
        n->id = span_of(id, 4 + credential_id(n->server)->n);
        first(n);
        second(n);
        build_mm5(n, &b, &mm5);
        CHECK(!exchange(n, mm5, &m));
        CHECK_INT(n->r->verdict, rows[i].verdict);
        CHECK_INT(ike_facts(n->r->ike)->ike_sas, 1);
        CHECK(ike_facts(n->r->ike)->established);
        rig_run(n->r, n->r->now + IKE_RENEW_HALF_OPEN + US_S(1));
        CHECK(!rig_event(n->r, IKE_EVENT_FAILED, 0) && ike_facts(n->r->ike)->established);
        first(n); /* the place is free again */
        end(n);
    }
}

TEST(cert_server_that_renews_must_sign_and_be_the_same)
{
    static const uint8_t other[] = "\2\0\0\0vpn.example.com";

    for (unsigned i = 0; i < 2; i++) {
        struct renewer *n = begin("server.pem");
        struct build b;
        struct span mm5;
        struct msg m;

        n->bad_signature = i == 0;
        if (i == 1) /* in its certificate, but not what it called itself */
            n->id = span_of(other, sizeof(other) - 1);
        first(n);
        second(n);
        build_mm5(n, &b, &mm5);
        CHECK(!exchange(n, mm5, &m));
        CHECK(!rig_event(n->r, IKE_EVENT_NEED_CERT_STATUS, 1)); /* nothing to ask about */
        CHECK_INT(ike_facts(n->r->ike)->ike_sas, 1);
        end(n);
    }
}

/* Whoever judges may take long: the server's own main mode is then over. */
TEST(cert_server_renews_and_the_verdict_is_late)
{
    struct renewer *n = begin("server.pem");
    struct build b;
    struct span mm5;
    struct msg m;

    n->r->keep_cert_status = true;
    first(n);
    second(n);
    build_mm5(n, &b, &mm5);
    CHECK(!exchange(n, mm5, &m));
    CHECK(ike_peer_cert(n->r->ike));
    CHECK(!exchange(n, mm5, &m)); /* repeated meanwhile */
    CHECK(!rig_event(n->r, IKE_EVENT_NEED_CERT_STATUS, 2));
    rig_run(n->r, n->r->now + IKE_RENEW_HALF_OPEN + US_S(1));
    CHECK(!ike_peer_cert(n->r->ike));
    ike_answer_cert_status(n->r->ike, IKE_CERT_NEED, NULL, n->r->now);
    CHECK_INT(ike_facts(n->r->ike)->ike_sas, 1);
    CHECK(ike_facts(n->r->ike)->established);
    end(n);
}
