/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Main mode with signatures (RFC 2409 5.1): what is signed, what of the server's message 6 (5 when
 * it renews) proves the signature, and the two questions to whoever has the key and knows the CAs.
 * The signature is verified here; whether its certificate is the server's is the answer to
 * NEED_CERT_STATUS, and nothing goes on before it.
 */
#include "ike/v1/engine.h"

#include "wire/rd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUESTS_BYTES_MAX 1024 /* message 3 is to fit an Ethernet frame */

/* ---- messages 3 and 4: requests ---- */
void cert_write_requests(const struct ike *ike, struct build *b)
{
    const struct cert_list *cas = ike->cfg.credential->cas;
    size_t written = 0;
    unsigned sent = 0;

    for (unsigned i = 0; cas && i < cas->n; i++) {
        struct span dn = cert_list_get(cas, i);
        struct wr_box box;

        if (written + dn.n > REQUESTS_BYTES_MAX)
            break;
        box = build_payload(b, PAYLOAD_CR);
        wr_u8(&b->w, CERT_ENCODING_X509);
        wr_bytes(&b->w, dn);
        wr_close(&b->w, box);
        written += dn.n;
        sent++;
    }
    if (sent == 0) {
        /* An empty name asks for any (RFC 2408 3.10). */
        struct wr_box box = build_payload(b, PAYLOAD_CR);

        wr_u8(&b->w, CERT_ENCODING_X509);
        wr_close(&b->w, box);
    }
}

static bool we_are_issued_by(const struct ike *ike, struct span dn)
{
    const struct cert_list *chain = ike->cfg.credential->chain;
    uint8_t issuer[1024];
    size_t n;

    for (unsigned i = 0; i < chain->n; i++)
        if (cert_issuer(ike->cfg.crypto, cert_list_get(chain, i), issuer, sizeof(issuer), &n) &&
            span_eq(span_of(issuer, n), dn))
            return true;
    return false;
}

/* Whose certificates the server asks for. Only to explain a refusal: some servers ask in vain. */
static void read_requests(struct ike *ike, const struct chain *mm4)
{
    struct span body;

    ike->other_issuer[0] = '\0';
    for (unsigned i = 0; chain_get(mm4, PAYLOAD_CR, i, &body); i++) {
        struct rd r = rd_of(body);
        uint8_t encoding;
        struct span dn;

        if (!rd_u8(&r, &encoding) || encoding != CERT_ENCODING_X509)
            continue;
        dn = rd_rest(&r);
        if (dn.n == 0 || we_are_issued_by(ike, dn)) {
            ike->other_issuer[0] = '\0';
            return;
        }
        if (!ike->other_issuer[0])
            cert_name_text(ike->cfg.crypto, dn, ike->other_issuer, sizeof(ike->other_issuer));
    }
    if (ike->other_issuer[0])
        ike_log(ike, LOG_LEVEL_WARN, "the server asks for a certificate issued by %s",
                ike->other_issuer);
}

/* ---- message 5 ---- */
enum verdict cert_ask_signature(struct ike *ike, const struct chain *mm4)
{
    struct ike_event ev = {.type = IKE_EVENT_NEED_SIGN, .need = IKE_SIGN_NEED};
    uint8_t id[4 + CERT_ID_MAX];
    size_t n_id = identity_own(ike, id);

    read_requests(ike, mm4);
    if (n_id == 0 || !phase1_derive(ike, SPAN_NONE) ||
        !keymat_hash_phase1(ike->cfg.crypto, &ike->secrets->keys, span_of(ike->gxi, ike->n_gxi),
                            span_of(ike->gxr, ike->n_gxr), ike->cky_i, ike->cky_r,
                            span_of(ike->sai_b, ike->n_sai_b), span_of(id, n_id), ev.digest))
        return ike_fail_local(ike, "main mode 5");
    ev.n_digest = ike->secrets->keys.n;
    ike->state = P1_SIGN_ASKED;
    ike_push_event(ike, &ev);
    return VERDICT_OK;
}

static void build_certs(const struct ike *ike, struct build *b)
{
    const struct cert_list *chain = ike->cfg.credential->chain;

    for (unsigned i = 0; i < chain->n; i++) {
        struct wr_box box = build_payload(b, PAYLOAD_CERT);

        wr_u8(&b->w, CERT_ENCODING_X509);
        wr_bytes(&b->w, cert_list_get(chain, i));
        wr_close(&b->w, box);
    }
}

/*
 * Whose answer it is: the first phase 1, or one that renews it. At most one of the family waits,
 * since cert_may_ask() holds the others back.
 */
static struct ike *in_state(struct ike *root, enum phase1_state state)
{
    if (root->state == state)
        return root;
    for (unsigned i = 0; i < IKE_KIN_MAX; i++)
        if (root->renewal.kin[i] && root->renewal.kin[i]->state == state)
            return root->renewal.kin[i];
    return NULL;
}

bool cert_may_ask(const struct ike *root)
{
    static const enum phase1_state asked[] = {P1_SIGN_ASKED, P1_CERT_ASKED};

    for (unsigned i = 0; i < IKE_KIN_MAX; i++)
        for (unsigned k = 0; k < ARRAY_LEN(asked); k++)
            if (root->state == asked[k] ||
                (root->renewal.kin[i] && root->renewal.kin[i]->state == asked[k]))
                return false;
    return true;
}

/* Message 5, or 6 to a server that renews. */
static void send_signed(struct ike *ike, struct span signature, l2tpc_us now)
{
    uint8_t id[4 + CERT_ID_MAX];
    struct build b;
    struct span message;

    if (signature.n == 0 || signature.n > SIGN_MAX) {
        (void)ike_fail_local(ike, "signature");
        return;
    }
    build_start(&b, ike->cky_i, ike->cky_r, EXCHANGE_MAIN, ISAKMP_FLAG_ENCRYPTION, 0);
    build_bytes(&b, PAYLOAD_ID, span_of(id, identity_own(ike, id)));
    build_certs(ike, &b);
    build_bytes(&b, PAYLOAD_SIG, signature);
    if (!build_seal(&b, ike->cfg.crypto, &ike->secrets->keys, ike->iv, &message)) {
        (void)ike_fail_local(ike, "signed message");
        return;
    }
    if (ike->responder)
        phase1_peer_mm6_ready(ike, message, now);
    else
        phase1_mm5_sent(ike, message, now);
}

void ike_answer_sign(struct ike *root, uint32_t need, struct span signature, l2tpc_us now)
{
    struct ike *ike = in_state(root, P1_SIGN_ASKED);

    if (!ike || need != IKE_SIGN_NEED)
        return;
    send_signed(ike, signature, now);
    renewal_settle(root, now);
}

/* ---- message 6, or 5 of a server that renews ---- */
/* The next message 6 may be better. Until then the server believes that all is well. */
static void keep_for_goodbye(struct ike *ike, const struct ike_mm6 *m)
{
    ike->mm6_refused = !ike->responder;
    memcpy(ike->mm6_iv, m->iv, sizeof(ike->mm6_iv));
}

static enum verdict drop(struct ike *ike, const struct ike_mm6 *m, enum failure_id id,
                         const char *value, l2tpc_us now)
{
    struct failure f = failure_make(id);

    failure_set_value(&f, span_str(value));
    ike_note_hint(ike, &f, true, now);
    keep_for_goodbye(ike, m);
    return VERDICT_DROP;
}

/* Unknown encodings are passed over (hostile.md H24); false when there is too much. */
static bool read_certs(struct ike *ike, const struct chain *c, struct cert_list *out)
{
    struct span body;

    for (unsigned i = 0; chain_get(c, PAYLOAD_CERT, i, &body); i++) {
        struct rd r = rd_of(body);
        uint8_t encoding;

        if (!rd_u8(&r, &encoding))
            return false;
        if (encoding == CERT_ENCODING_X509 && !cert_list_add(out, rd_rest(&r)))
            return false;
        if (encoding == CERT_ENCODING_PKCS7 &&
            !cert_list_add_pkcs7(ike->cfg.crypto, out, rd_rest(&r)))
            return false;
    }
    return true;
}

/* The order of certificates says nothing: the leaf is the one whose key made the signature. */
static bool find_leaf(struct ike *ike, struct ike_peer_cert *pc, struct span id, struct span sig)
{
    uint8_t hash[HASH_MAX];

    if (!(ike->responder ? phase1_hash_i(ike, id, hash) : phase1_hash_r(ike, id, hash)))
        return false;
    for (pc->leaf = 0; pc->leaf < pc->chain.n; pc->leaf++)
        if (cert_verify_hash(ike->cfg.crypto, cert_list_get(&pc->chain, pc->leaf), ike->facts.auth,
                             span_of(hash, ike->secrets->keys.n), sig))
            return true;
    return false;
}

static void note_issuer(struct ike *ike, const struct ike_peer_cert *pc)
{
    uint8_t issuer[1024];
    size_t n;

    if (cert_issuer(ike->cfg.crypto, cert_list_get(&pc->chain, pc->leaf), issuer, sizeof(issuer),
                    &n))
        cert_name_text(ike->cfg.crypto, span_of(issuer, n), ike->facts.peer_issuer,
                       sizeof(ike->facts.peer_issuer));
}

static enum verdict judge_proof(struct ike *ike, const struct ike_in *in, struct ike_mm6 *m)
{
    struct ike_peer_cert *pc = &m->cert;
    struct chain c;
    struct span body;
    struct span sig;
    struct failure f;

    memcpy(m->iv, ike->iv, sizeof(m->iv));
    if (!ike_open(ike, in, MESSAGE_MM6_SIG, m->iv, &c) || !chain_get(&c, PAYLOAD_ID, 0, &body) ||
        !chain_get(&c, PAYLOAD_SIG, 0, &sig))
        return VERDICT_DROP;
    if (!read_certs(ike, &c, &pc->chain))
        return drop(ike, m, FAILURE_IKE_AUTH_CERT_INVALID, "main mode 6", in->now);
    if (pc->chain.n == 0)
        return drop(ike, m, FAILURE_IKE_AUTH_CERT_NONE, "", in->now);
    if (!find_leaf(ike, pc, body, sig))
        return drop(ike, m, FAILURE_IKE_AUTH_CERT_SIGNATURE, "", in->now);
    keep_for_goodbye(ike, m);
    if (!identity_accept(ike, body, &m->id, &f)) {
        cert_say_goodbye(ike, in->now);
        return ike_fail(ike, &f);
    }
    pc->id_type = m->id.type;
    pc->n_id = m->id.data.n;
    memcpy(pc->id, m->id.data.p, pc->n_id);
    m->id.data = span_of(pc->id, pc->n_id);
    if (!phase1_keep_lifetime(ike, &c)) {
        cert_say_goodbye(ike, in->now);
        return phase1_fail_lifetime(ike);
    }
    phase1_keep_vendors(ike, &c);
    return VERDICT_OK;
}

enum verdict cert_recv_proof(struct ike *ike, const struct ike_in *in)
{
    struct ike_event ev = {.type = IKE_EVENT_NEED_CERT_STATUS, .need = IKE_CERT_NEED};
    struct ike_mm6 *m = calloc(1, sizeof(*m));
    enum verdict v = VERDICT_DROP;

    /* Another of the family waits for an answer: the repeated message will find it idle. */
    if (m && cert_may_ask(ike->root) && quick_digest(ike, in->datagram, m->digest))
        v = judge_proof(ike, in, m);

    if (v != VERDICT_OK) {
        free(m);
        return v;
    }
    m->port = in->port;
    m->from = *in->from;
    ike->mm6 = m;
    ike->state = P1_CERT_ASKED;
    ike_push_event(ike, &ev);
    return VERDICT_OK;
}

const struct ike_peer_cert *ike_peer_cert(const struct ike *root)
{
    if (root->mm6)
        return &root->mm6->cert;
    for (unsigned i = 0; i < IKE_KIN_MAX; i++)
        if (root->renewal.kin[i] && root->renewal.kin[i]->mm6)
            return &root->renewal.kin[i]->mm6->cert;
    return NULL;
}

void cert_say_goodbye(struct ike *ike, l2tpc_us now)
{
    if (!ike->mm6_refused)
        return;
    ike->mm6_refused = false;
    memcpy(ike->iv, ike->mm6_iv, sizeof(ike->iv));
    info_send_delete_ike(ike, now);
}

/*
 * HASH_R does not cover the certificates: one that leads to no CA may have been damaged by somebody
 * in between, and the next message 6 may bring the right one.
 */
static bool may_be_damaged(const struct failure *f)
{
    return f->id == FAILURE_IKE_AUTH_CERT_UNTRUSTED || f->id == FAILURE_IKE_AUTH_CERT_INVALID ||
           f->id == FAILURE_IKE_AUTH_CERT_WEAK;
}

/* The server's message 5 is good: our signature makes message 6. */
static void ask_signature_of_mm6(struct ike *ike, const struct ike_in *in)
{
    struct ike_event ev = {.type = IKE_EVENT_NEED_SIGN, .need = IKE_SIGN_NEED};
    uint8_t id[4 + CERT_ID_MAX];
    size_t n_id = identity_own(ike, id);

    if (n_id == 0 || !phase1_hash_r(ike, span_of(id, n_id), ev.digest)) {
        (void)ike_fail_local(ike, "main mode 6");
        return;
    }
    ev.n_digest = ike->secrets->keys.n;
    ike_note_alive(ike, in->now);
    ike_follow_peer(ike, in);
    ike->state = P1_SIGN_ASKED;
    ike_push_event(ike, &ev);
}

static void accept_proof(struct ike *ike, const struct ike_mm6 *m, l2tpc_us now)
{
    struct ike_in in = {.port = m->port, .from = &m->from, .now = now};

    memcpy(ike->iv, m->iv, sizeof(ike->iv));
    note_issuer(ike, &m->cert);
    if (ike->responder) {
        identity_note(ike, &m->id);
        memcpy(ike->last_in, m->digest, sizeof(ike->last_in));
        ask_signature_of_mm6(ike, &in);
        return;
    }
    phase1_note_mm6(ike, &in, &m->id);
    (void)phase1_up(ike, now);
}

static void refuse_proof(struct ike *ike, const struct ike_mm6 *m, const struct failure *failure,
                         l2tpc_us now)
{
    if (may_be_damaged(failure)) {
        ike_note_hint(ike, failure, true, now);
        keep_for_goodbye(ike, m);
        ike->state = ike->responder ? P1_MM4_SENT : P1_MM5_SENT;
        return;
    }
    keep_for_goodbye(ike, m);
    cert_say_goodbye(ike, now);
    (void)ike_fail(ike, failure);
}

void ike_answer_cert_status(struct ike *root, uint32_t need, const struct failure *failure,
                            l2tpc_us now)
{
    struct ike *ike = in_state(root, P1_CERT_ASKED);
    struct ike_mm6 *m = ike ? ike->mm6 : NULL;

    if (!m || need != IKE_CERT_NEED)
        return;
    ike->mm6 = NULL;
    if (failure)
        refuse_proof(ike, m, failure, now);
    else
        accept_proof(ike, m, now);
    free(m);
    renewal_settle(root, now);
}
