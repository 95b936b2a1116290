/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/signer_wire.h"

#include <string.h>

/* ---- requests ---- */

bool signer_request_write(const struct signer_request *q, uint8_t *bytes, size_t cap,
                          struct span *out)
{
    struct wr w = wr_of(bytes, cap);

    wr_u32(&w, q->type);
    wr_u32(&w, q->number);
    if (q->type == SIGNER_SIGN)
        put_box(&w, span_of(q->digest, q->n_digest));
    if (q->type == SIGNER_JUDGE) {
        wr_u32(&w, q->peer.leaf);
        wr_u8(&w, q->peer.id_type);
        put_box(&w, span_of(q->peer.id, q->peer.n_id));
        put_certs(&w, &q->peer.chain);
    }
    return wr_finish(&w, out);
}

static bool read_peer(struct rd *r, struct ike_peer_cert *peer)
{
    struct span id;
    uint32_t leaf = 0;

    if (!get_below(r, CERTS_MAX, &leaf) || !rd_u8(r, &peer->id_type) ||
        !get_box(r, sizeof(peer->id), &id) || !get_certs(r, &peer->chain) || leaf >= peer->chain.n)
        return false;
    peer->leaf = leaf;
    if (id.n > 0)
        memcpy(peer->id, id.p, id.n);
    peer->n_id = id.n;
    return true;
}

bool signer_request_read(struct span message, struct signer_request *out)
{
    struct rd r = rd_of(message);
    struct span digest;

    memset(out, 0, sizeof(*out));
    if (!rd_u32(&r, &out->type) || !rd_u32(&r, &out->number))
        return false;
    switch (out->type) {
    case SIGNER_OPEN:
    case SIGNER_RESOLVE:
    case SIGNER_FORGET:
        break;
    case SIGNER_SIGN:
        if (!get_box(&r, sizeof(out->digest), &digest) || digest.n == 0)
            return false;
        memcpy(out->digest, digest.p, digest.n);
        out->n_digest = digest.n;
        break;
    case SIGNER_JUDGE:
        if (!read_peer(&r, &out->peer))
            return false;
        break;
    default:
        return false;
    }
    return rd_end(&r);
}

/* ---- replies ---- */

static void write_opened(struct wr *w, const struct signer_reply *p)
{
    wr_u8(w, p->certified);
    if (!p->certified)
        return;
    wr_u32(w, (uint32_t)p->auth);
    wr_u8(w, p->id.type);
    put_box(w, span_of(p->id.bytes, p->id.n));
    put_certs(w, &p->chain);
    put_certs(w, &p->cas);
}

static bool read_opened(struct rd *r, struct signer_reply *p)
{
    struct span id;
    uint32_t auth = 0;

    if (!get_bool(r, &p->certified))
        return false;
    if (!p->certified)
        return true;
    if (!get_below(r, IKE_AUTH_ECDSA_521 + 1, &auth) ||
        (auth != IKE_AUTH_RSA && auth < IKE_AUTH_ECDSA_256) || !rd_u8(r, &p->id.type) ||
        !get_box(r, sizeof(p->id.bytes), &id) || !get_certs(r, &p->chain) || p->chain.n == 0 ||
        !get_certs(r, &p->cas))
        return false;
    p->auth = (enum ike_auth)auth;
    if (id.n > 0)
        memcpy(p->id.bytes, id.p, id.n);
    p->id.n = id.n;
    return true;
}

static void write_addresses(struct wr *w, const struct signer_reply *p)
{
    wr_u32(w, p->n_addresses);
    for (unsigned i = 0; i < p->n_addresses; i++)
        put_addr(w, &p->addresses[i]);
}

static bool read_addresses(struct rd *r, struct signer_reply *p)
{
    uint32_t n = 0;

    if (!get_below(r, DIAL_ADDRESSES_MAX + 1, &n) || n == 0)
        return false;
    for (p->n_addresses = 0; p->n_addresses < n; p->n_addresses++)
        if (!get_addr(r, &p->addresses[p->n_addresses]) || p->addresses[p->n_addresses].family == 0)
            return false;
    return true;
}

static void write_judged(struct wr *w, const struct signer_reply *p)
{
    wr_u8(w, p->revocation.known);
    wr_u32(w, (uint32_t)p->revocation.state);
    wr_u32(w, (uint32_t)p->revocation.source);
    wr_u8(w, p->failed);
    if (p->failed)
        put_failure(w, &p->failure);
}

static bool read_judged(struct rd *r, struct signer_reply *p)
{
    uint32_t state = 0;
    uint32_t source = 0;

    if (!get_bool(r, &p->revocation.known) || !get_below(r, REVOCATION_REVOKED + 1, &state) ||
        !get_below(r, REVOCATION_CRL + 1, &source) || !get_bool(r, &p->failed) ||
        (p->failed && !get_failure(r, &p->failure)))
        return false;
    p->revocation.state = (enum revocation_state)state;
    p->revocation.source = (enum revocation_source)source;
    return true;
}

bool signer_reply_write(const struct signer_reply *p, uint8_t *bytes, size_t cap, struct span *out)
{
    struct wr w = wr_of(bytes, cap);

    wr_u32(&w, p->type);
    wr_u32(&w, p->number);
    if (p->type == SIGNER_OPENED)
        write_opened(&w, p);
    else if (p->type == SIGNER_ADDRESSES)
        write_addresses(&w, p);
    else if (p->type == SIGNER_SIGNED)
        put_box(&w, span_of(p->signature, p->n_signature));
    else if (p->type == SIGNER_JUDGED)
        write_judged(&w, p);
    else
        put_failure(&w, &p->failure);
    return wr_finish(&w, out);
}

static bool read_signed(struct rd *r, struct signer_reply *p)
{
    struct span signature;

    if (!get_box(r, sizeof(p->signature), &signature))
        return false;
    if (signature.n > 0)
        memcpy(p->signature, signature.p, signature.n);
    p->n_signature = signature.n;
    return true;
}

bool signer_reply_read(struct span message, struct signer_reply *out)
{
    struct rd r = rd_of(message);
    bool ok;

    memset(out, 0, sizeof(*out));
    if (!rd_u32(&r, &out->type) || !rd_u32(&r, &out->number))
        return false;
    switch (out->type) {
    case SIGNER_OPENED:
        ok = read_opened(&r, out);
        break;
    case SIGNER_ADDRESSES:
        ok = read_addresses(&r, out);
        break;
    case SIGNER_SIGNED:
        ok = read_signed(&r, out);
        break;
    case SIGNER_JUDGED:
        ok = read_judged(&r, out);
        break;
    case SIGNER_FAILED:
        ok = get_failure(&r, &out->failure);
        break;
    default:
        return false;
    }
    return ok && rd_end(&r);
}

/* ---- the passphrase ---- */

bool signer_question_write(const char *token_label, uint8_t *bytes, size_t cap, struct span *out)
{
    struct wr w = wr_of(bytes, cap);

    put_text(&w, token_label);
    return wr_finish(&w, out);
}

bool signer_question_read(struct span message, char label[TOKEN_LABEL_MAX])
{
    struct rd r = rd_of(message);

    return get_text(&r, label, TOKEN_LABEL_MAX, false) && rd_end(&r);
}

bool signer_answer_write(const struct secret *passphrase, uint8_t *bytes, size_t cap,
                         struct span *out)
{
    struct wr w = wr_of(bytes, cap);

    put_secret(&w, passphrase);
    return wr_finish(&w, out);
}

bool signer_answer_read(struct span message, bool *has, struct secret *passphrase)
{
    struct rd r = rd_of(message);

    return get_secret(&r, has, passphrase) && rd_end(&r);
}
