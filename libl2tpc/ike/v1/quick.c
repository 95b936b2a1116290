/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Quick mode as initiator (RFC 2409 5.5): transport mode for UDP port 1701. */
#include "ike/v1/engine.h"

#include <stdio.h>
#include <string.h>

#define UDP 17

/* ---- message 1 ---- */
static bool build_qm1(struct ike *ike, struct quick *q, struct build *b, struct span *out)
{
    struct esp_offer offer = quick_offer(ike, q->spi_in, q->pfs);
    struct wr_box box;
    size_t at;

    quick_build_start(ike, q, b);
    at = build_hash(b, ike->secrets->keys.n);
    box = build_payload(b, PAYLOAD_SA);
    proposal_write_esp(&b->w, &offer);
    wr_close(&b->w, box);
    build_bytes(b, PAYLOAD_NONCE, span_of(q->ni, q->n_ni));
    if (q->dh)
        build_bytes(b, PAYLOAD_KE, dh_public(q->dh));
    build_identity(b, UDP, ike->cfg.inner_port, &ike->cfg.local.addr);
    build_identity(b, UDP, L2TP_PORT, &ike->cfg.remote.addr);
    if (ike->facts.floated) {
        build_nat_oa(b, natt_oa_payload(ike->natt), &ike->cfg.local.addr);
        build_nat_oa(b, natt_oa_payload(ike->natt), &ike->cfg.remote.addr);
    }
    return quick_seal(ike, q, b, at, SPAN_NONE, out);
}

static bool prepare(struct ike *ike, struct quick *q)
{
    q->pfs = ike->root->pfs;
    q->n_ni = IKE_NONCE_LEN;
    if (!quick_new_spi(ike, &q->spi_in) || !env_rand(ike->cfg.env, q->ni, q->n_ni))
        return false;
    if (q->pfs != DH_NONE && !(q->dh = dh_new(ike->cfg.crypto, q->pfs, ike->cfg.env)))
        return false;
    return true;
}

static enum verdict fail_local(struct ike *ike, struct quick *q, const char *what)
{
    struct failure f = failure_make(FAILURE_LOCAL_CRYPTO);

    f.stage = STAGE_IKE_QUICK;
    failure_set_value(&f, span_str(what));
    return quick_fail(ike, q, &f);
}

static void send_qm1(struct ike *ike, l2tpc_us now)
{
    uint32_t message_id;
    struct quick *q = NULL;
    struct build b;
    struct span qm1;

    if (!ike_new_message_id(ike, &message_id) || !(q = quick_new(ike, message_id, now)) ||
        !prepare(ike, q) || !build_qm1(ike, q, &b, &qm1) ||
        !retransmit_start(&q->rtx, ike_own_port(ike), qm1, rtt_rto(ike->facts.rtt), now)) {
        (void)fail_local(ike, q, "quick mode 1");
        return;
    }
    ike_send(ike, ike_own_port(ike), qm1, now);
    ike_log(ike, LOG_LEVEL_DEBUG, "sent quick mode 1, %u suites, PFS %s", ike->cfg.policy.n_esp,
            q->pfs == DH_NONE ? "no" : dh_name(q->pfs));
    quick_set(q, QUICK_QM1_SENT, now);
}

void quick_start(struct ike *ike, l2tpc_us now)
{
    ike_push_stage(ike, STAGE_IKE_QUICK);
    send_qm1(ike, now);
}

/*
 * A server that insists on PFS says no more than "no proposal chosen". It means the group of phase
 * 1, as nearly all take none but that one. PFS that the policy asks for is never given up.
 */
bool quick_try_pfs(struct ike *ike, l2tpc_us now)
{
    struct ike *root = ike->root;
    bool remembered = root->pfs == root->cfg.pfs_first && !root->pfs_dropped;

    if (root->pfs != DH_NONE && (root->cfg.policy.pfs != DH_NONE || !remembered))
        return false;
    for (unsigned i = 0; i < IKE_QUICK_SLOTS; i++) {
        if (ike->quick[i].state != QUICK_QM1_SENT)
            continue;
        ike_set_finished(ike, ike->quick[i].message_id);
        quick_release(&ike->quick[i]);
    }
    /* What was remembered is refused: without PFS, as the policy has it. */
    root->pfs_dropped = root->pfs_dropped || root->pfs != DH_NONE;
    root->pfs = root->pfs == DH_NONE ? ike->facts.suite.group : DH_NONE;
    send_qm1(ike, now);
    return true;
}

void ike_set_quick(struct ike *ike, const struct ike_quick_try *t)
{
    memcpy(ike->cfg.policy.esp, t->policy->esp, sizeof(ike->cfg.policy.esp));
    ike->cfg.policy.n_esp = t->policy->n_esp;
    ike->cfg.inner_port = t->inner_port;
    ike->cfg.quick_wait = t->wait;
}

bool ike_quick_again(struct ike *ike, l2tpc_us now)
{
    if (ike->state != P1_UP || !ike->has_keys || quick_is_pending(ike))
        return false;
    ike->renewal.settled = false; /* until this one has given a pair */
    send_qm1(ike, now);
    return true;
}

/* ---- message 2 ---- */
static enum verdict refuse(struct ike *ike, struct quick *q, const char *value)
{
    struct failure f = failure_make(FAILURE_IKE_QUICK_POLICY);

    failure_set_value(&f, span_str(value));
    return quick_fail(ike, q, &f);
}

/* Equal, narrowed or rewritten by a NAT: the addresses are not looked at. */
static bool ids_fit(const struct ike *ike, const struct chain *c)
{
    struct identity ci;
    struct identity cr;
    struct span a;
    struct span b;

    if (chain_count(c, PAYLOAD_ID) == 0)
        return true;
    return chain_get(c, PAYLOAD_ID, 0, &a) && chain_get(c, PAYLOAD_ID, 1, &b) &&
           isakmp_parse_identity(a, &ci) && isakmp_parse_identity(b, &cr) &&
           quick_id_fits(&ci, ike->cfg.inner_port) && quick_id_fits(&cr, L2TP_PORT);
}

/* RESPONDER-LIFETIME; false when it leaves too little. */
static bool lower_lifetimes(const struct chain *c, struct esp_choice *choice)
{
    struct span body;

    for (unsigned i = 0; chain_get(c, PAYLOAD_N, i, &body); i++) {
        struct notify n;

        if (isakmp_parse_notify(body, &n) && n.type == NOTIFY_RESPONDER_LIFETIME &&
            n.protocol == PROTOCOL_ESP &&
            !proposal_lower_lifetime(n.data, &choice->lifetime_s, &choice->lifetime_bytes))
            return false;
    }
    return true;
}

/*
 * The first of the server's two NAT-OA names us as it sees us: another address is the proof of a
 * NAT (RFC 3947 5.2). A single one, as in the drafts, names the server itself.
 */
static void judge_own_nat(struct ike *ike, const struct chain *c)
{
    uint8_t type = natt_oa_payload(ike->natt);
    struct span body;
    struct inaddr seen;

    if (!ike->facts.floated || chain_count(c, type) != 2 || !chain_get(c, type, 0, &body) ||
        !isakmp_parse_nat_oa(body, &seen))
        return;
    if (inaddr_is_any(&seen) || inaddr_is_loopback(&seen) || inaddr_is_multicast(&seen))
        return;
    if (ike->facts.nat_local == IKE_NAT_UNKNOWN && !inaddr_eq(&seen, &ike->cfg.local.addr))
        ike->facts.nat_local = IKE_NAT_YES;
}

static bool build_qm3(struct ike *ike, struct quick *q, struct build *b, struct span *out)
{
    uint8_t hash[HASH_MAX];

    quick_build_start(ike, q, b);
    if (!keymat_hash3(ike->cfg.crypto, &ike->secrets->keys, q->message_id, span_of(q->ni, q->n_ni),
                      span_of(q->nr, q->n_nr), hash))
        return false;
    build_bytes(b, PAYLOAD_HASH, span_of(hash, ike->secrets->keys.n));
    return build_seal(b, ike->cfg.crypto, &ike->secrets->keys, q->iv, out);
}

/* The old pair goes on until message 3 must have arrived, or the peer shows that it has. */
static l2tpc_us switch_wait(const struct ike *ike)
{
    return us_max(2 * ike->facts.rtt, IKE_SWITCH_WAIT);
}

/* Keys, message 3, events: what cannot fail comes last. */
static enum verdict finish(struct ike *ike, struct quick *q, const struct ike_in *in,
                           const struct esp_choice *choice, struct span gxy)
{
    struct build b;
    struct span qm3;

    if (!quick_fill_sa(ike, q, choice, gxy) || !build_qm3(ike, q, &b, &qm3))
        return fail_local(ike, q, "quick mode keys");
    rtt_sample(&ike->facts.rtt, retransmit_answered(&q->rtx, in->now));
    if (!retransmit_start(&q->rtx, ike_own_port(ike), qm3, 0, in->now))
        return fail_local(ike, q, "quick mode 3");
    dh_free(q->dh);
    q->dh = NULL;
    ike_note_proof(ike, in->now);
    ike_follow_peer(ike, in);
    ike_send(ike, ike_own_port(ike), qm3, in->now);
    quick_install(ike, q);
    quick_stop_older(ike);
    ike_set_finished(ike, q->message_id);
    quick_set(q, QUICK_COMMIT, in->now);
    q->ready = us_add(in->now, IKE_COMMIT_WAIT);
    if (in->header.flags & ISAKMP_FLAG_COMMIT)
        return VERDICT_OK;
    if (q->rekey)
        q->ready = us_add(in->now, switch_wait(ike));
    else
        quick_connected(ike, q, true);
    return VERDICT_OK;
}

static enum verdict accept_answer(struct ike *ike, struct quick *q, const struct ike_in *in,
                                  const struct chain *c, struct esp_choice *choice)
{
    uint8_t gxy[DH_MAX];
    size_t n_gxy = 0;
    struct span ke;
    enum verdict v;
    bool has_ke = chain_get(c, PAYLOAD_KE, 0, &ke);

    if (has_ke && (!q->dh || choice->group != (uint16_t)q->pfs))
        return refuse(ike, q, "a key exchange that was not asked for");
    if (!ids_fit(ike, c))
        return refuse(ike, q, "other traffic selectors");
    if (!lower_lifetimes(c, choice))
        return refuse(ike, q, "the lifetime is too short");
    if (esp_suite_strength(&choice->suite) < ike->cfg.floor_esp) {
        struct failure weaker = downgrade_esp(ike, &choice->suite);

        return quick_fail(ike, q, &weaker);
    }
    if (has_ke) {
        if (!dh_shared(q->dh, ke, gxy))
            return VERDICT_DROP;
        n_gxy = dh_secret_size(q->pfs);
        q->sa.pfs = q->pfs;
    }
    judge_own_nat(ike, c);
    v = finish(ike, q, in, choice, span_of(gxy, n_gxy));
    wipe(gxy, sizeof(gxy));
    return v;
}

static enum verdict recv_qm2(struct ike *ike, struct quick *q, const struct ike_in *in)
{
    struct esp_offer offer = quick_offer(ike, q->spi_in, q->pfs);
    uint8_t iv[IKE_BLOCK_MAX];
    uint8_t digest[IKE_DIGEST_LEN];
    struct esp_choice choice = {0};
    struct chain c;
    struct span sa;
    struct span nonce;
    char text[48];

    memcpy(iv, q->iv, sizeof(iv));
    if (!quick_digest(ike, in->datagram, digest) || !ike_open(ike, in, MESSAGE_QM1, iv, &c) ||
        !ike_hash_matches(ike, in, &c, span_of(q->ni, q->n_ni)))
        return VERDICT_DROP;
    if (!chain_get(&c, PAYLOAD_SA, 0, &sa) || !chain_get(&c, PAYLOAD_NONCE, 0, &nonce) ||
        !quick_nonce_ok(nonce, span_of(q->ni, q->n_ni)))
        return VERDICT_DROP;
    switch (proposal_read_esp(sa, &offer, &choice)) {
    case OFFER_MALFORMED:
        return refuse(ike, q, "a malformed SA payload");
    case OFFER_MISMATCH:
        return refuse(ike, q, "it is none of our offers");
    case OFFER_POLICY:
        (void)snprintf(text, sizeof(text), "a lifetime of %u s", choice.lifetime_s);
        return refuse(ike, q, text);
    case OFFER_OK:
        break;
    }
    memcpy(q->nr, nonce.p, nonce.n);
    q->n_nr = nonce.n;
    memcpy(q->iv, iv, sizeof(iv));
    memcpy(q->last_in, digest, sizeof(digest));
    return accept_answer(ike, q, in, &c, &choice);
}

/* ---- message 4: CONNECTED after the Commit bit (RFC 2408 3.1) ---- */
static enum verdict recv_qm4(struct ike *ike, struct quick *q, const struct ike_in *in)
{
    uint8_t iv[IKE_BLOCK_MAX];
    struct chain c;
    struct span body;
    struct notify n;

    memcpy(iv, q->iv, sizeof(iv));
    if (!ike_open(ike, in, MESSAGE_QM3, iv, &c) || !ike_hash_matches(ike, in, &c, SPAN_NONE))
        return VERDICT_DROP;
    for (unsigned i = 0; chain_get(&c, PAYLOAD_N, i, &body); i++) {
        if (isakmp_parse_notify(body, &n) && n.type == NOTIFY_CONNECTED) {
            ike_note_proof(ike, in->now);
            quick_connected(ike, q, true);
            return VERDICT_OK;
        }
    }
    return VERDICT_DROP;
}

/* ---- the table ---- */
static bool is_duplicate(struct ike *ike, struct quick *q, const struct ike_in *in)
{
    uint8_t digest[IKE_DIGEST_LEN];

    return quick_digest(ike, in->datagram, digest) &&
           memcmp(digest, q->last_in, sizeof(digest)) == 0;
}

/* An exact duplicate: our answer was lost. */
static enum verdict resend_answer(struct ike *ike, struct quick *q, l2tpc_us now)
{
    if (!q->rtx.bytes || q->resends >= IKE_RESENDS_MAX)
        return VERDICT_DROP;
    q->resends++;
    if (q->state == QUICK_COMMIT)
        q->ready = us_max(q->ready, us_add(now, switch_wait(ike)));
    ike_resend(ike, &q->rtx, IKE_BACKOFF_CAP, now);
    return VERDICT_OK;
}

enum verdict quick_input(struct ike *ike, const struct ike_in *in)
{
    struct quick *q = quick_find(ike, in->header.message_id);

    if (ike->state != P1_UP || in->header.message_id == 0)
        return VERDICT_DROP;
    if (!q)
        return ike_is_finished(ike, in->header.message_id) ? VERDICT_DROP : quick_recv_qm1(ike, in);
    if (q->state != QUICK_QM1_SENT && is_duplicate(ike, q, in))
        return resend_answer(ike, q, in->now);
    switch (q->state) {
    case QUICK_QM1_SENT:
        return recv_qm2(ike, q, in);
    case QUICK_QM2_SENT:
        return quick_recv_qm3(ike, q, in);
    case QUICK_COMMIT:
        return recv_qm4(ike, q, in);
    case QUICK_FREE:
    case QUICK_DONE:
        break;
    }
    return VERDICT_DROP;
}

/* ---- time ---- */
static l2tpc_us patience(const struct ike *ike, const struct quick *q)
{
    l2tpc_us wait = ike->cfg.quick_wait;

    if (q->rekey)
        return IKE_REKEY_DEADLINE;
    /* Aggressive mode's message 3 may be what was lost, and nothing else will be tried. */
    if (ike->unproven && ike->facts.floated)
        return IKE_PROBE_WAIT;
    return wait ? us_max(wait, 8 * ike->facts.rtt) : IKE_DEADLINE;
}

static void time_out(struct ike *ike, struct quick *q)
{
    struct failure f;

    if (q->state == QUICK_QM2_SENT) {
        /* The server's exchange, and it did not end it: nothing of ours depends on it. */
        quick_forget(ike, q);
        ike_set_finished(ike, q->message_id);
        quick_release(q);
        return;
    }
    /* Aggressive mode floats with its last message: nothing has come from port 4500 at all. */
    f = failure_timeout(ike->unproven && ike->facts.floated ? FAILURE_IKE_PORT_4500
                                                            : FAILURE_IKE_QUICK_TIMEOUT,
                        "quick mode 2", q->rtx.sends);
    if (ike->transaction_seen) {
        f = failure_timeout(FAILURE_IKE_POLICY, "quick mode 2", q->rtx.sends);
        f.stage = STAGE_IKE_QUICK;
        failure_set_value(&f, span_str("XAUTH or mode config"));
    }
    (void)quick_fail(ike, q, &f);
}

static bool is_asking(const struct ike *ike)
{
    for (unsigned i = 0; i < IKE_QUICK_SLOTS; i++)
        if (ike->quick[i].state == QUICK_QM1_SENT)
            return true;
    return false;
}

/*
 * The IKE SA was renewed while message 1 was on its way. The server may hear no quick mode under
 * the one before (strongSwan: one that it renews itself), or its answer may be late: both are
 * waited for.
 */
static void ask_under_the_new_one(struct ike *old, l2tpc_us now)
{
    struct ike *root = old->root;

    if (old->role == IKE_ROLE_OLD && root->state == P1_UP && !root->renewal.held &&
        !is_asking(root) && !quick_peer_is_busy(root))
        quick_start(root, now);
}

void quick_timer(struct ike *ike, l2tpc_us now)
{
    for (unsigned i = 0; i < IKE_QUICK_SLOTS && ike->state == P1_UP; i++) {
        struct quick *q = &ike->quick[i];

        if (q->state == QUICK_COMMIT && now >= q->ready)
            quick_connected(ike, q, false);
        if (q->state != QUICK_QM1_SENT && q->state != QUICK_QM2_SENT)
            continue;
        if (now >= us_add(q->rtx.first, patience(ike, q))) {
            time_out(ike, q);
        } else if (now >= retransmit_due(&q->rtx)) {
            ike_resend(ike, &q->rtx, IKE_BACKOFF_CAP, now);
            if (q->state == QUICK_QM1_SENT)
                ask_under_the_new_one(ike, now);
        }
    }
}

l2tpc_us quick_deadline(const struct ike *ike)
{
    l2tpc_us at = US_NEVER;

    for (unsigned i = 0; i < IKE_QUICK_SLOTS; i++) {
        const struct quick *q = &ike->quick[i];

        if (q->state == QUICK_COMMIT)
            at = us_min(at, q->ready);
        if (q->state != QUICK_QM1_SENT && q->state != QUICK_QM2_SENT)
            continue;
        at = us_min(at, us_add(q->rtx.first, patience(ike, q)));
        at = us_min(at, retransmit_due(&q->rtx));
    }
    return at;
}

static bool has_quick(const struct ike *ike, enum quick_state state)
{
    for (unsigned i = 0; i < IKE_QUICK_SLOTS; i++)
        if (ike->quick[i].state == state)
            return true;
    for (unsigned i = 0; i < IKE_KIN_MAX; i++)
        if (ike->renewal.kin[i] && has_quick(ike->renewal.kin[i], state))
            return true;
    return false;
}

bool quick_is_pending(const struct ike *ike)
{
    return has_quick(ike, QUICK_QM1_SENT);
}

bool quick_peer_is_busy(const struct ike *ike)
{
    return has_quick(ike, QUICK_QM2_SENT);
}
