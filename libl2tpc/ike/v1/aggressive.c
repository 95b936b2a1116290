/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Aggressive mode with a pre-shared key, as initiator (RFC 2409 5.4). Three messages; the server's
 * carries a hash of the key for anyone who asks, so that it is run with consent alone.
 *
 *   state          what comes                       what goes                    next
 *   P1_NEW         start                            (the key is asked for)       P1_PSK_ASKED
 *   P1_PSK_ASKED   the key                          HDR, SA, KE, Ni, IDii        P1_AM1_SENT
 *   P1_AM1_SENT    HDR, SA, KE, Nr, IDir, HASH_R    HDR*, HASH_I                 P1_UP
 *   P1_UP          message 2 again, or silence      HDR*, HASH_I                 P1_UP
 *
 * NAT-D stands in messages 2 and 3, and message 3 leaves from port 4500 (RFC 3947 3.2, 4). Message
 * 3 is encrypted, which RFC 2409 5 leaves open and strongSwan and Libreswan insist on.
 */
#include "ike/v1/engine.h"

#include <stdio.h>
#include <string.h>

/* ---- start, and message 1 ---- */
/* Whose g^xi stands in message 1 is settled before the server can choose. */
static void keep_one_group(struct policy *p)
{
    unsigned n = 0;

    for (unsigned i = 0; i < p->n_ike; i++)
        if (p->ike[i].group == p->ike[0].group)
            p->ike[n++] = p->ike[i];
    p->n_ike = n;
}

static bool build_am1(struct ike *ike, struct build *b, struct span *out)
{
    static const uint8_t no_cookie[ISAKMP_COOKIE_LEN];
    uint8_t id[4 + CERT_ID_MAX];

    build_start(b, ike->cky_i, no_cookie, EXCHANGE_AGGRESSIVE, 0, 0);
    build_bytes(b, PAYLOAD_SA, span_of(ike->sai_b, ike->n_sai_b));
    build_bytes(b, PAYLOAD_KE, span_of(ike->gxi, ike->n_gxi));
    build_bytes(b, PAYLOAD_NONCE, span_of(ike->ni, ike->n_ni));
    build_bytes(b, PAYLOAD_ID, span_of(id, identity_own(ike, id)));
    phase1_write_vendors(ike, b);
    return build_finish(b, out);
}

static bool make_share(struct ike *ike)
{
    struct span gxi;

    dh_free(ike->dh);
    ike->dh = dh_new(ike->cfg.crypto, ike->cfg.policy.ike[0].group, ike->cfg.env);
    if (!ike->dh || dh_public(ike->dh).n > sizeof(ike->gxi))
        return false;
    gxi = dh_public(ike->dh);
    memcpy(ike->gxi, gxi.p, gxi.n);
    ike->n_gxi = gxi.n;
    ike->n_ni = IKE_NONCE_LEN;
    return phase1_new_cookie(ike, ike->cky_i) && env_rand(ike->cfg.env, ike->ni, IKE_NONCE_LEN);
}

static void send_am1(struct ike *ike, l2tpc_us now)
{
    struct build b;
    struct span am1;

    keep_one_group(&ike->cfg.policy);
    if (!phase1_offer(ike))
        return;
    if (!make_share(ike) || !build_am1(ike, &b, &am1) ||
        !retransmit_start(&ike->rtx, ike_own_port(ike), am1, RTO_FIRST, now)) {
        (void)ike_fail_local(ike, "aggressive mode 1");
        return;
    }
    memcpy(ike->facts.cky_i, ike->cky_i, ISAKMP_COOKIE_LEN);
    ike_send(ike, ike_own_port(ike), am1, now);
    ike_log(ike, LOG_LEVEL_WARN, "aggressive mode: anyone who asks the server can guess the key");
    ike->stage_first = now;
    ike->state = P1_AM1_SENT;
}

void aggressive_start(struct ike *ike, l2tpc_us now)
{
    struct ike_event ev = {.type = IKE_EVENT_NEED_PSK, .need = IKE_PSK_NEED};

    if (!ike->cfg.aggressive_allowed || ike->cfg.credential) {
        struct failure f = failure_make(ike->cfg.credential ? FAILURE_IKE_AGGRESSIVE_CERTIFICATE
                                                            : FAILURE_IKE_AGGRESSIVE_CONSENT);

        (void)ike_fail(ike, &f);
        return;
    }
    ike_push_stage(ike, STAGE_IKE_PHASE1);
    if (ike->root->renewal.psk->n > 0) {
        send_am1(ike, now);
        return;
    }
    /* The server's answer cannot be judged without it, and grows old while a person types. */
    ike->state = P1_PSK_ASKED;
    ike_push_event(ike, &ev);
}

void aggressive_answer_psk(struct ike *ike, struct span psk, l2tpc_us now)
{
    struct failure f = failure_make(FAILURE_LOCAL_SECRET);

    if (psk.n > 0 && psk.n <= SECRET_MAX && secret_set(ike->renewal.psk, psk)) {
        send_am1(ike, now);
        return;
    }
    failure_set_value(&f, span_str("pre-shared key"));
    (void)ike_fail(ike, &f);
}

/* ---- message 2 ---- */
struct am2 {
    struct chain c;
    struct span sa, ke, nonce, id, hash;
    struct phase1_choice choice;
    struct phase1_said said;
};

static enum verdict drop(struct ike *ike, enum failure_id id, const char *value, bool early,
                         l2tpc_us now)
{
    struct failure f = failure_make(id);

    failure_set_value(&f, span_str(value));
    ike_note_hint(ike, &f, early, now);
    return VERDICT_DROP;
}

static bool read_am2(const struct ike_in *in, struct am2 *m)
{
    return isakmp_split(in->header.next_payload, in->body, &m->c) &&
           isakmp_check(MESSAGE_AM2, &m->c) && chain_get(&m->c, PAYLOAD_SA, 0, &m->sa) &&
           chain_get(&m->c, PAYLOAD_KE, 0, &m->ke) &&
           chain_get(&m->c, PAYLOAD_NONCE, 0, &m->nonce) &&
           chain_get(&m->c, PAYLOAD_ID, 0, &m->id) && chain_get(&m->c, PAYLOAD_HASH, 0, &m->hash);
}

/* What can be told without the key; false when the message is dropped. */
static bool check_am2(struct ike *ike, struct am2 *m, l2tpc_us now)
{
    enum offer_verdict v =
        proposal_read_phase1(m->sa, &ike->cfg.policy, ike->cfg.ike_lifetime_s, &m->choice);

    if (v == OFFER_MISMATCH)
        (void)drop(ike, FAILURE_IKE_PROTOCOL, "aggressive mode 2 is none of our offers", false,
                   now);
    if (v == OFFER_POLICY)
        (void)drop(ike, FAILURE_IKE_POLICY, "the IKE lifetime is too short", true, now);
    if (v != OFFER_OK)
        return false;
    if (ike_suite_strength(&m->choice.suite) < ike->cfg.floor_ike) {
        struct failure weaker = downgrade_ike(ike, &m->choice.suite);

        ike_note_hint(ike, &weaker, true, now);
        return false;
    }
    if (!quick_nonce_ok(m->nonce, span_of(ike->ni, ike->n_ni))) {
        (void)drop(ike, FAILURE_IKE_PROTOCOL, "aggressive mode 2: bad nonce", false, now);
        return false;
    }
    m->said = phase1_read_vendors(&m->c);
    m->said.offers_natt = m->said.natt != NATT_NONE;
    if (ike->cfg.encapsulation == ENCAPSULATION_ESP)
        m->said.natt = NATT_NONE;
    return true;
}

/* The keys that this message 2 would make, and whether its HASH_R stands under them. */
static bool prove_am2(struct ike *ike, const struct ike_in *in, const struct am2 *m)
{
    uint8_t want[HASH_MAX];

    memcpy(ike->cky_r, in->header.cky_r, ISAKMP_COOKIE_LEN);
    memcpy(ike->gxr, m->ke.p, m->ke.n);
    ike->n_gxr = m->ke.n;
    memcpy(ike->nr, m->nonce.p, m->nonce.n);
    ike->n_nr = m->nonce.n;
    ike->facts.suite = m->choice.suite;
    ike->n_gxy = dh_secret_size(m->choice.suite.group);
    return phase1_derive(ike, secret_span(ike->root->renewal.psk)) &&
           m->hash.n == ike->secrets->keys.n && phase1_hash_r(ike, m->id, want) &&
           equal_ct(m->hash.p, want, m->hash.n);
}

/* Nothing of it counts: the next message 2 may be the server's own. */
static enum verdict undo(struct ike *ike, const struct ike_facts *before)
{
    ike->facts = *before;
    ike->has_keys = false;
    wipe(&ike->secrets->keys, sizeof(ike->secrets->keys));
    return VERDICT_DROP;
}

/* ---- message 3 ---- */
static bool build_am3(struct ike *ike, struct build *b, struct span *out)
{
    uint8_t id[4 + CERT_ID_MAX];
    size_t n_id = identity_own(ike, id);
    uint8_t hash[HASH_MAX];

    build_start(b, ike->cky_i, ike->cky_r, EXCHANGE_AGGRESSIVE, ISAKMP_FLAG_ENCRYPTION, 0);
    if (!phase1_hash_i(ike, span_of(id, n_id), hash))
        return false;
    build_bytes(b, PAYLOAD_HASH, span_of(hash, ike->secrets->keys.n));
    if (ike->natt != NATT_NONE && !natt_write(ike, b, ike->cky_r, ike->natt, ike->facts.suite.hash))
        return false;
    return build_seal(b, ike->cfg.crypto, &ike->secrets->keys, ike->iv, out);
}

/* ---- has message 3 arrived? ---- */
/*
 * Nothing answers message 3. Behind the first phase 1 quick mode shows that it came, and its
 * failure ends the dial; behind a renewal, an answer to dead peer detection does.
 */
static bool is_renewal(const struct ike *ike)
{
    return ike->root->renewal.settled;
}

/* Goes around the rounds of dead peer detection: the pairs live, whatever comes of this SA. */
static void ask_for_proof(struct ike *ike, l2tpc_us now)
{
    if (!is_renewal(ike) || !ike->facts.dpd || quick_is_pending(ike))
        return;
    liveness_probe(ike, now);
    ike->live.waiting = false;
    ike->live.tries = 0;
}

static enum verdict accept_am2(struct ike *ike, const struct ike_in *in, const struct am2 *m,
                               const struct identity *id)
{
    struct build b;
    struct span am3;

    ike->facts.floated = ike->natt != NATT_NONE;
    if (!quick_digest(ike, in->datagram, ike->last_in) || !build_am3(ike, &b, &am3))
        return ike_fail_local(ike, "aggressive mode 3");
    dh_free(ike->dh);
    ike->dh = NULL;
    memcpy(ike->facts.cky_r, ike->cky_r, ISAKMP_COOKIE_LEN);
    ike->facts.lifetime_s = m->choice.lifetime_s;
    ike->facts.natt = m->said.offers_natt;
    phase1_keep_vendors(ike, &m->c);
    phase1_note_mm6(ike, in, id);
    if (!retransmit_start(&ike->rtx, ike_own_port(ike), am3, rtt_rto(ike->facts.rtt), in->now))
        return ike_fail_local(ike, "aggressive mode 3");
    ike_push_stage(ike, STAGE_IKE_AUTH);
    ike_send(ike, ike_own_port(ike), am3, in->now);
    ike->unproven = true;
    ask_for_proof(ike, in->now);
    return phase1_up(ike, in->now);
}

static enum verdict recv_am2(struct ike *ike, const struct ike_in *in)
{
    struct ike_facts before = ike->facts;
    struct am2 m;
    struct identity id;
    struct failure f;
    bool natt_usable;

    if (!read_am2(in, &m) || !check_am2(ike, &m, in->now) ||
        ike->wrong_hashes >= IKE_WRONG_HASHES_MAX)
        return VERDICT_DROP;
    if (m.ke.n == 0 || m.ke.n > sizeof(ike->gxr) || !dh_shared(ike->dh, m.ke, ike->secrets->gxy))
        return drop(ike, FAILURE_IKE_PROTOCOL, "aggressive mode 2: bad key exchange value", false,
                    in->now);
    if (!prove_am2(ike, in, &m)) {
        ike->wrong_hashes++;
        (void)undo(ike, &before);
        return drop(ike, FAILURE_IKE_AUTH_PSK, "", true, in->now);
    }
    if (!identity_accept(ike, m.id, &id, &f))
        return ike_fail(ike, &f);
    ike->natt = m.said.natt;
    if (!natt_read(ike, &m.c, &natt_usable)) {
        (void)undo(ike, &before);
        return drop(ike, FAILURE_IKE_PROTOCOL, "aggressive mode 2: bad NAT-D", false, in->now);
    }
    if (!natt_usable)
        ike->natt = NATT_NONE;
    if (ike->natt == NATT_NONE &&
        (ike->cfg.encapsulation == ENCAPSULATION_UDP || ike->facts.floated)) {
        (void)undo(ike, &before);
        return drop(ike, FAILURE_IKE_ENCAPSULATION, "", true, in->now);
    }
    return accept_am2(ike, in, &m, &id);
}

/* The server repeats its message 2: it has not got message 3. */
static enum verdict recv_again(struct ike *ike, const struct ike_in *in)
{
    uint8_t digest[IKE_DIGEST_LEN];

    if (!ike->unproven || ike->rtx.sends > IKE_RENEW_RESENDS_MAX ||
        !quick_digest(ike, in->datagram, digest) ||
        memcmp(digest, ike->last_in, sizeof(digest)) != 0)
        return VERDICT_DROP;
    ike_resend(ike, &ike->rtx, IKE_BACKOFF_CAP, in->now);
    return VERDICT_OK;
}

enum verdict aggressive_input(struct ike *ike, const struct ike_in *in)
{
    /* Message 2 is in clear, and the server begins nothing of this kind with us (H7). */
    if (!ike->cfg.aggressive || in->header.flags & ISAKMP_FLAG_ENCRYPTION)
        return VERDICT_DROP;
    if (ike->state == P1_AM1_SENT)
        return recv_am2(ike, in);
    return ike->state == P1_UP ? recv_again(ike, in) : VERDICT_DROP;
}

/* ---- time ---- */
void aggressive_timer(struct ike *ike, l2tpc_us now)
{
    if (now < aggressive_deadline(ike))
        return;
    if (!is_renewal(ike) || ike->rtx.sends <= IKE_RENEW_RESENDS_MAX) {
        ike_resend(ike, &ike->rtx, IKE_BACKOFF_CAP, now);
        ask_for_proof(ike, now);
        return;
    }
    ike->unproven = false;
    if (ike->facts.dpd && ike->role == IKE_ROLE_ROOT) {
        ike_log(ike, LOG_LEVEL_WARN, "the server did not take the renewed IKE SA");
        (void)renewal_survives(ike, now);
    }
}

l2tpc_us aggressive_deadline(const struct ike *ike)
{
    return ike->unproven ? retransmit_due(&ike->rtx) : US_NEVER;
}

/* ---- the unencrypted identity of some servers, in main mode ---- */
bool aggressive_open_clear(const struct ike *ike, const struct ike_in *in, struct chain *out)
{
    return ike->cfg.aggressive_allowed && !ike->cfg.aggressive &&
           isakmp_split(in->header.next_payload, in->body, out) && isakmp_check(MESSAGE_MM6, out);
}
