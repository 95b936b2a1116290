/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Main mode as responder (RFC 2409 5.4): some servers renew phase 1 themselves. Only for a living
 * tunnel, with its own key or certificate, its own suite or another one of the policy, and its own
 * identity.
 */
#include "ike/v1/engine.h"

#include "ike/vendor.h"

#include <stdio.h>
#include <string.h>

/* ---- messages 1 and 2 ---- */
static bool build_mm2(struct ike *ike, const struct phase1_choice *choice,
                      const struct phase1_said *said, struct build *b, struct span *out)
{
    struct wr_box box;

    build_start(b, ike->cky_i, ike->cky_r, EXCHANGE_MAIN, 0, 0);
    box = build_payload(b, PAYLOAD_SA);
    proposal_write_phase1_answer(&b->w, choice);
    wr_close(&b->w, box);
    if (said->natt == NATT_RFC)
        build_bytes(b, PAYLOAD_VID, vendor_bytes(VENDOR_RFC3947));
    else if (said->natt == NATT_DRAFT)
        build_bytes(b, PAYLOAD_VID, vendor_bytes(VENDOR_NATT_02N));
    if (said->dpd)
        build_bytes(b, PAYLOAD_VID, vendor_bytes(VENDOR_DPD));
    if (ike->cfg.fragmentation)
        build_bytes(b, PAYLOAD_VID, vendor_bytes(VENDOR_FRAGMENTATION));
    return build_finish(b, out);
}

/* The suite in use before any other of the policy. */
static enum offer_verdict choose(const struct ike *ike, struct span sa, struct phase1_choice *out)
{
    struct policy same = ike->cfg.policy;
    enum offer_verdict v;

    same.ike[0] = ike->root->facts.suite;
    same.n_ike = 1;
    v = proposal_choose_phase1(sa, &same, ike->cfg.ike_lifetime_s, out);
    if (v == OFFER_MISMATCH)
        v = proposal_choose_phase1(sa, &ike->cfg.policy, ike->cfg.ike_lifetime_s, out);
    if (v == OFFER_OK && ike_suite_strength(&out->suite) < ike->cfg.floor_ike)
        v = OFFER_POLICY;
    return v;
}

/* Keeps the message to send it again when the other side repeats its own. */
static bool send_kept(struct ike *ike, struct span message, l2tpc_us now)
{
    if (!retransmit_start(&ike->rtx, ike_own_port(ike), message, 0, now))
        return false;
    ike_send(ike, ike_own_port(ike), message, now);
    ike->stage_first = now;
    return true;
}

static bool send(struct ike *ike, const struct ike_in *in, struct span message)
{
    return quick_digest(ike, in->datagram, ike->last_in) && send_kept(ike, message, in->now);
}

bool phase1_mm1_fits(struct ike *ike, const struct ike_in *in)
{
    struct phase1_choice choice = {0};
    struct chain c;
    struct span sa;

    return isakmp_split(in->header.next_payload, in->body, &c) && isakmp_check(MESSAGE_MM2, &c) &&
           chain_get(&c, PAYLOAD_SA, 0, &sa) && choose(ike, sa, &choice) == OFFER_OK;
}

enum verdict phase1_recv_mm1(struct ike *ike, const struct ike_in *in)
{
    struct phase1_choice choice = {0};
    struct phase1_said said;
    struct chain c;
    struct build b;
    struct span sa;
    struct span mm2;

    /* Message 1 has the form of message 2. */
    if (!isakmp_split(in->header.next_payload, in->body, &c) || !isakmp_check(MESSAGE_MM2, &c) ||
        !chain_get(&c, PAYLOAD_SA, 0, &sa) || sa.n > sizeof(ike->sai_b) ||
        choose(ike, sa, &choice) != OFFER_OK)
        return VERDICT_DROP;
    said = phase1_read_vendors(&c);
    said.offers_natt = said.natt != NATT_NONE;
    if (ike->cfg.encapsulation == ENCAPSULATION_ESP)
        said.natt = NATT_NONE;
    said.dpd = said.dpd && ike->cfg.dpd;
    if (ike->facts.floated && said.natt == NATT_NONE)
        return VERDICT_DROP;
    memcpy(ike->cky_i, in->header.cky_i, ISAKMP_COOKIE_LEN);
    if (!phase1_new_cookie(ike, ike->cky_r) || !build_mm2(ike, &choice, &said, &b, &mm2) ||
        !send(ike, in, mm2))
        return VERDICT_DROP;
    memcpy(ike->sai_b, sa.p, sa.n);
    ike->n_sai_b = sa.n;
    memcpy(ike->facts.cky_i, ike->cky_i, ISAKMP_COOKIE_LEN);
    memcpy(ike->facts.cky_r, ike->cky_r, ISAKMP_COOKIE_LEN);
    ike->facts.suite = choice.suite;
    ike->facts.lifetime_s = choice.lifetime_s;
    ike->facts.natt = said.offers_natt;
    ike->facts.dpd = said.dpd;
    ike->natt = said.natt;
    phase1_keep_vendors(ike, &c);
    ike->responder = true;
    ike->facts.aggressive = false;
    ike->state = P1_MM2_SENT;
    ike_log(ike, LOG_LEVEL_INFO, "the server started a main mode");
    return VERDICT_OK;
}

/* ---- messages 3 and 4 ---- */
static bool build_mm4(struct ike *ike, struct build *b, struct span *out)
{
    build_start(b, ike->cky_i, ike->cky_r, EXCHANGE_MAIN, 0, 0);
    build_bytes(b, PAYLOAD_KE, span_of(ike->gxr, ike->n_gxr));
    build_bytes(b, PAYLOAD_NONCE, span_of(ike->nr, ike->n_nr));
    if (ike->cfg.credential)
        cert_write_requests(ike, b);
    if (ike->natt != NATT_NONE && !natt_write(ike, b, ike->cky_r, ike->natt, ike->facts.suite.hash))
        return false;
    return build_finish(b, out);
}

/* Our share and all keys: with the secret that the dial was authenticated by, or, with
 * certificates, of the nonces (RFC 2409 5). */
static bool agree(struct ike *ike, struct span ke)
{
    struct dh *dh = dh_new(ike->cfg.crypto, ike->facts.suite.group, ike->cfg.env);
    bool ok = dh && dh_public(dh).n <= sizeof(ike->gxr) && ke.n > 0 && ke.n <= sizeof(ike->gxi) &&
              dh_shared(dh, ke, ike->secrets->gxy) &&
              env_rand(ike->cfg.env, ike->nr, IKE_NONCE_LEN);

    if (ok) {
        ike->n_gxr = dh_public(dh).n;
        memcpy(ike->gxr, dh_public(dh).p, ike->n_gxr);
        memcpy(ike->gxi, ke.p, ke.n);
        ike->n_gxi = ke.n;
        ike->n_nr = IKE_NONCE_LEN;
        ike->n_gxy = dh_secret_size(ike->facts.suite.group);
        ok = phase1_derive(ike, secret_span(ike->root->renewal.psk));
    }
    dh_free(dh);
    return ok;
}

static enum verdict recv_mm3(struct ike *ike, const struct ike_in *in)
{
    struct chain c;
    struct build b;
    struct span ke;
    struct span nonce;
    struct span mm4;
    bool natt_usable;

    /* Message 3 has the form of message 4. */
    if (!isakmp_split(in->header.next_payload, in->body, &c) || !isakmp_check(MESSAGE_MM4, &c) ||
        !chain_get(&c, PAYLOAD_KE, 0, &ke) || !chain_get(&c, PAYLOAD_NONCE, 0, &nonce) ||
        !quick_nonce_ok(nonce, SPAN_NONE) || !natt_read(ike, &c, &natt_usable) ||
        (ike->facts.floated && !natt_usable))
        return VERDICT_DROP;
    memcpy(ike->ni, nonce.p, nonce.n);
    ike->n_ni = nonce.n;
    if (!natt_usable)
        ike->natt = NATT_NONE;
    if (!agree(ike, ke) || !build_mm4(ike, &b, &mm4) || !send(ike, in, mm4))
        return ike_fail_local(ike, "main mode 4");
    ike->state = P1_MM4_SENT;
    return VERDICT_OK;
}

/* ---- messages 5 and 6 ---- */
static bool build_mm6(struct ike *ike, uint8_t *iv, struct build *b, struct span *out)
{
    uint8_t id[4 + CERT_ID_MAX];
    size_t n_id = identity_own(ike, id);
    uint8_t hash[HASH_MAX];

    build_start(b, ike->cky_i, ike->cky_r, EXCHANGE_MAIN, ISAKMP_FLAG_ENCRYPTION, 0);
    if (!phase1_hash_r(ike, span_of(id, n_id), hash))
        return false;
    build_bytes(b, PAYLOAD_ID, span_of(id, n_id));
    build_bytes(b, PAYLOAD_HASH, span_of(hash, ike->secrets->keys.n));
    return build_seal(b, ike->cfg.crypto, &ike->secrets->keys, iv, out);
}

static void up(struct ike *ike, l2tpc_us now)
{
    ike->facts.established = true;
    ike->state = P1_UP;
    renewal_plan(ike, now);
}

static enum verdict recv_mm5(struct ike *ike, const struct ike_in *in)
{
    uint8_t iv[IKE_BLOCK_MAX];
    uint8_t want[HASH_MAX];
    struct identity id;
    struct chain c;
    struct build b;
    struct span body;
    struct span got;
    struct span mm6;
    struct failure f;

    memcpy(iv, ike->iv, sizeof(iv));
    /* Message 5 has the form of message 6. */
    if (!ike_open(ike, in, MESSAGE_MM6, iv, &c) || !chain_get(&c, PAYLOAD_ID, 0, &body) ||
        !chain_get(&c, PAYLOAD_HASH, 0, &got) || got.n != ike->secrets->keys.n ||
        !phase1_hash_i(ike, body, want) || !equal_ct(got.p, want, got.n))
        return VERDICT_DROP;
    if (!identity_accept(ike, body, &id, &f))
        return ike_fail(ike, &f);
    identity_note(ike, &id);
    if (!build_mm6(ike, iv, &b, &mm6) || !send(ike, in, mm6))
        return ike_fail_local(ike, "main mode 6");
    memcpy(ike->iv, iv, sizeof(iv));
    ike_note_alive(ike, in->now);
    ike_follow_peer(ike, in);
    up(ike, in->now);
    return VERDICT_OK;
}

void phase1_peer_mm6_ready(struct ike *ike, struct span mm6, l2tpc_us now)
{
    if (send_kept(ike, mm6, now))
        up(ike, now);
    else
        (void)ike_fail_local(ike, "main mode 6");
}

/* ---- the table ---- */
static bool is_repeated(struct ike *ike, const struct ike_in *in)
{
    uint8_t digest[IKE_DIGEST_LEN];

    return quick_digest(ike, in->datagram, digest) &&
           memcmp(digest, ike->last_in, sizeof(digest)) == 0;
}

enum verdict phase1_peer_input(struct ike *ike, const struct ike_in *in)
{
    bool encrypted = in->header.flags & ISAKMP_FLAG_ENCRYPTION;

    if (!ike->responder)
        return VERDICT_DROP;
    if (is_repeated(ike, in)) {
        if (!ike->rtx.bytes || ike->rtx.sends > IKE_RENEW_RESENDS_MAX)
            return VERDICT_DROP;
        ike_resend(ike, &ike->rtx, 0, in->now);
        return VERDICT_OK;
    }
    if (ike->state == P1_MM2_SENT)
        return encrypted ? VERDICT_DROP : recv_mm3(ike, in);
    if (ike->state == P1_MM4_SENT && encrypted)
        return ike->cfg.credential ? cert_recv_proof(ike, in) : recv_mm5(ike, in);
    return VERDICT_DROP;
}

void phase1_peer_timer(struct ike *ike, l2tpc_us now)
{
    if (now < phase1_peer_deadline(ike))
        return;
    ike_log(ike, LOG_LEVEL_INFO, "the server's main mode came to nothing");
    ike_forget_keys(ike);
    ike->state = P1_CLOSED;
}

l2tpc_us phase1_peer_deadline(const struct ike *ike)
{
    return us_add(ike->stage_first, IKE_RENEW_HALF_OPEN);
}
