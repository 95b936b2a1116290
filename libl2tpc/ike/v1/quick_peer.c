/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Quick mode that the server starts under our IKE SA: some servers rekey by themselves. */
#include "ike/v1/engine.h"

#include <string.h>

/* What message 1 asked for, checked. */
struct request {
    struct esp_choice choice;
    uint8_t proposal;
    struct span ke;
    bool has_ke, has_ids;
    struct span id_ci, id_cr;
};

/* The same selectors as ours, seen from the other side; the server's own port may be open. */
static bool ids_fit(const struct ike *ike, struct request *r)
{
    struct identity ci;
    struct identity cr;

    return isakmp_parse_identity(r->id_ci, &ci) && isakmp_parse_identity(r->id_cr, &cr) &&
           quick_id_fits(&ci, L2TP_PORT) && quick_id_fits(&cr, ike->cfg.inner_port);
}

static bool read_request(const struct ike *ike, const struct chain *c, struct request *r)
{
    struct esp_offer ours = quick_offer(ike, 0, ike->root->pfs);
    struct span sa;

    memset(r, 0, sizeof(*r));
    r->has_ke = chain_get(c, PAYLOAD_KE, 0, &r->ke);
    r->has_ids = chain_count(c, PAYLOAD_ID) == 2;
    if (chain_count(c, PAYLOAD_ID) == 1)
        return false;
    if (r->has_ids && (!chain_get(c, PAYLOAD_ID, 0, &r->id_ci) ||
                       !chain_get(c, PAYLOAD_ID, 1, &r->id_cr) || !ids_fit(ike, r)))
        return false;
    return chain_get(c, PAYLOAD_SA, 0, &sa) &&
           proposal_choose_esp(sa, &ours, &r->choice, &r->proposal) == OFFER_OK &&
           esp_suite_strength(&r->choice.suite) >= ike->cfg.floor_esp &&
           r->has_ke == (r->choice.group != 0) &&
           (!r->has_ke || dh_public_size((enum dh_group)r->choice.group) > 0);
}

static bool build_qm2(struct ike *ike, struct quick *q, const struct request *r, struct build *b,
                      struct span *out)
{
    struct wr_box box;
    size_t at;

    quick_build_start(ike, q, b);
    at = build_hash(b, ike->secrets->keys.n);
    box = build_payload(b, PAYLOAD_SA);
    proposal_write_esp_answer(&b->w, &r->choice, r->proposal, q->spi_in);
    wr_close(&b->w, box);
    build_bytes(b, PAYLOAD_NONCE, span_of(q->nr, q->n_nr));
    if (q->dh)
        build_bytes(b, PAYLOAD_KE, dh_public(q->dh));
    if (r->has_ids) {
        build_bytes(b, PAYLOAD_ID, r->id_ci);
        build_bytes(b, PAYLOAD_ID, r->id_cr);
    }
    if (ike->facts.floated) {
        /* In the order of the exchange: its initiator first (RFC 3947 5.2). */
        build_nat_oa(b, natt_oa_payload(ike->natt), &ike->cfg.remote.addr);
        build_nat_oa(b, natt_oa_payload(ike->natt), &ike->cfg.local.addr);
    }
    return quick_seal(ike, q, b, at, span_of(q->ni, q->n_ni), out);
}

/* Our share, the keys and message 2; false when a primitive or the peer's value fails. */
static bool prepare(struct ike *ike, struct quick *q, const struct request *r, struct build *b,
                    struct span *qm2)
{
    enum dh_group group = (enum dh_group)r->choice.group;
    uint8_t gxy[DH_MAX];
    size_t n_gxy = 0;
    bool ok;

    q->n_nr = IKE_NONCE_LEN;
    if (!quick_new_spi(ike, &q->spi_in) || !env_rand(ike->cfg.env, q->nr, q->n_nr))
        return false;
    if (r->has_ke) {
        q->dh = dh_new(ike->cfg.crypto, group, ike->cfg.env);
        if (!q->dh || !dh_shared(q->dh, r->ke, gxy))
            return false;
        n_gxy = dh_secret_size(group);
        q->sa.pfs = group;
    }
    ok = quick_fill_sa(ike, q, &r->choice, span_of(gxy, n_gxy)) && build_qm2(ike, q, r, b, qm2);
    wipe(gxy, sizeof(gxy));
    q->sa.by_peer = true;
    return ok;
}

static enum verdict answer(struct ike *ike, const struct ike_in *in, const struct request *r,
                           struct span ni, const uint8_t *iv)
{
    struct quick *q = quick_new(ike, in->header.message_id, in->now);
    struct build b;
    struct span qm2;

    if (!q)
        return VERDICT_DROP;
    memcpy(q->iv, iv, sizeof(q->iv));
    memcpy(q->ni, ni.p, ni.n);
    q->n_ni = ni.n;
    if (!quick_digest(ike, in->datagram, q->last_in) || !prepare(ike, q, r, &b, &qm2) ||
        !retransmit_start(&q->rtx, ike_own_port(ike), qm2, RTO_MAX, in->now)) {
        quick_release(q);
        return VERDICT_DROP;
    }
    /* To be read with before message 3 comes: the server's first packets may overtake it. */
    quick_install(ike, q);
    ike_send(ike, ike_own_port(ike), qm2, in->now);
    ike_log(ike, LOG_LEVEL_INFO, "the server started a quick mode");
    ike_note_proof(ike, in->now);
    quick_set(q, QUICK_QM2_SENT, in->now);
    return VERDICT_OK;
}

enum verdict quick_recv_qm1(struct ike *ike, const struct ike_in *in)
{
    uint8_t iv[IKE_BLOCK_MAX];
    struct request r;
    struct chain c;
    struct span ni;

    if (ike->root->renewal.held)
        return VERDICT_DROP;
    if (!keymat_iv_exchange(ike->cfg.crypto, &ike->secrets->keys, ike->iv, in->header.message_id,
                            iv) ||
        !ike_open(ike, in, MESSAGE_QM1, iv, &c) || !ike_hash_matches(ike, in, &c, SPAN_NONE))
        return VERDICT_DROP;
    if (!chain_get(&c, PAYLOAD_NONCE, 0, &ni) || !quick_nonce_ok(ni, SPAN_NONE))
        return VERDICT_DROP;
    if (!read_request(ike, &c, &r)) {
        ike_set_finished(ike, in->header.message_id);
        ike_log(ike, LOG_LEVEL_WARN, "the server asked for ESP settings that are not ours");
        info_send_notify(ike, PROTOCOL_ESP, SPAN_NONE, NOTIFY_NO_PROPOSAL_CHOSEN, SPAN_NONE,
                         in->now);
        return VERDICT_DROP;
    }
    return answer(ike, in, &r, ni, iv);
}

void quick_peer_done(struct ike *ike, struct quick *q)
{
    retransmit_stop(&q->rtx);
    dh_free(q->dh);
    q->dh = NULL;
    ike_set_finished(ike, q->message_id);
    if (ike->root->pfs == DH_NONE)
        ike->root->pfs = q->sa.pfs; /* it may insist on it when we begin */
    quick_connected(ike, q, true);
    quick_stop_older(ike);
}

/* HASH(3) covers nothing of the message, so that it is compared with what we compute. */
enum verdict quick_recv_qm3(struct ike *ike, struct quick *q, const struct ike_in *in)
{
    uint8_t iv[IKE_BLOCK_MAX];
    uint8_t want[HASH_MAX];
    struct chain c;
    struct span got;

    memcpy(iv, q->iv, sizeof(iv));
    if (!ike_open(ike, in, MESSAGE_QM3, iv, &c) || !chain_get(&c, PAYLOAD_HASH, 0, &got) ||
        got.n != ike->secrets->keys.n ||
        !keymat_hash3(ike->cfg.crypto, &ike->secrets->keys, q->message_id, span_of(q->ni, q->n_ni),
                      span_of(q->nr, q->n_nr), want) ||
        !equal_ct(got.p, want, got.n))
        return VERDICT_DROP;
    ike_note_proof(ike, in->now);
    ike_follow_peer(ike, in);
    q->since = in->now;
    quick_peer_done(ike, q);
    return VERDICT_OK;
}
