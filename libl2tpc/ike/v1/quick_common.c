/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What both roles of quick mode share: the table of exchanges, keys, selectors. */
#include "ike/v1/engine.h"

#include <string.h>

#define IPPROTO_UDP_NUMBER 17

/* ---- the table ---- */
struct quick *quick_find(struct ike *ike, uint32_t message_id)
{
    for (unsigned i = 0; i < IKE_QUICK_SLOTS; i++)
        if (ike->quick[i].state != QUICK_FREE && ike->quick[i].message_id == message_id)
            return &ike->quick[i];
    return NULL;
}

void quick_release(struct quick *q)
{
    retransmit_stop(&q->rtx);
    dh_free(q->dh);
    wipe(q, sizeof(*q));
}

/* A free slot, or the oldest one that is kept for duplicates only. */
struct quick *quick_new(struct ike *ike, uint32_t message_id, l2tpc_us now)
{
    struct quick *best = NULL;

    for (unsigned i = 0; i < IKE_QUICK_SLOTS; i++) {
        struct quick *q = &ike->quick[i];

        if (q->state == QUICK_FREE) {
            best = q;
            break;
        }
        if (q->state == QUICK_DONE && (!best || q->since < best->since))
            best = q;
    }
    if (!best)
        return NULL;
    quick_release(best);
    best->message_id = message_id;
    best->since = now;
    best->rekey = ike->root->renewal.settled;
    if (!keymat_iv_exchange(ike->cfg.crypto, &ike->secrets->keys, ike->iv, message_id, best->iv))
        return NULL;
    return best;
}

void quick_set(struct quick *q, enum quick_state state, l2tpc_us now)
{
    q->state = state;
    q->since = now;
}

bool quick_digest(struct ike *ike, struct span datagram, uint8_t *out)
{
    return hash_parts(ike->cfg.crypto, HASH_SHA256, &datagram, 1, out);
}

/* ---- checks ---- */
bool quick_nonce_ok(struct span nonce, struct span ours)
{
    return nonce.n >= IKE_NONCE_MIN && nonce.n <= IKE_NONCE_MAX && !span_eq(nonce, ours);
}

bool quick_new_spi(struct ike *ike, uint32_t *out)
{
    for (unsigned tries = 0; tries < 16; tries++) {
        uint32_t spi;
        bool used = false;

        if (!env_rand_u32(ike->cfg.env, &spi))
            return false;
        for (unsigned i = 0; i < IKE_SAS_MAX; i++)
            used = used || ike->root->sas[i].spi_in == spi;
        for (unsigned i = 0; i < IKE_QUICK_SLOTS; i++)
            used = used || ike->quick[i].spi_in == spi;
        /* RFC 4303 2.1: 1 to 255 are reserved, 0 is for local use. */
        if (spi > 255 && !used) {
            *out = spi;
            return true;
        }
    }
    return false;
}

bool quick_id_fits(const struct identity *id, uint16_t port)
{
    bool is_address = id->type == ID_TYPE_IPV4_ADDR || id->type == ID_TYPE_IPV6_ADDR ||
                      id->type == ID_TYPE_IPV4_ADDR_SUBNET || id->type == ID_TYPE_IPV6_ADDR_SUBNET;

    return is_address && (id->protocol == 0 || id->protocol == IPPROTO_UDP_NUMBER) &&
           (id->port == 0 || id->port == port);
}

struct esp_offer quick_offer(const struct ike *ike, uint32_t spi, enum dh_group pfs)
{
    return (struct esp_offer){
        .policy = &ike->cfg.policy,
        .pfs = pfs,
        .encapsulation = natt_encapsulation_mode(ike),
        .lifetime_s = ike->cfg.esp_lifetime_s,
        .lifetime_kb = ike->cfg.esp_lifetime_kb,
        .spi = spi,
    };
}

/* ---- the product ---- */
bool quick_fill_sa(struct ike *ike, struct quick *q, const struct esp_choice *choice,
                   struct span gxy)
{
    struct quick_inputs inputs = {
        .gxy = gxy, .ni = span_of(q->ni, q->n_ni), .nr = span_of(q->nr, q->n_nr)};

    if (choice->spi == q->spi_in ||
        !keymat_esp(ike->cfg.crypto, &ike->secrets->keys, &choice->suite, &inputs, q->spi_in,
                    &q->sa.in) ||
        !keymat_esp(ike->cfg.crypto, &ike->secrets->keys, &choice->suite, &inputs, choice->spi,
                    &q->sa.out))
        return false;
    q->sa.suite = choice->suite;
    q->sa.udp_encapsulated = ike->facts.floated;
    q->sa.behind_nat = ike->facts.nat_local != IKE_NAT_NO || ike->facts.nat_remote != IKE_NAT_NO;
    q->sa.local_port = ike->cfg.inner_port;
    q->sa.remote_port = L2TP_PORT;
    q->sa.lifetime_s = choice->lifetime_s;
    q->sa.lifetime_bytes = choice->lifetime_bytes;
    return true;
}

void quick_stop_older(struct ike *ike)
{
    for (unsigned i = 0; i < IKE_KIN_MAX; i++) {
        struct ike *old = ike->root->renewal.kin[i];

        if (!old || old == ike || old->role != IKE_ROLE_OLD)
            continue;
        for (unsigned k = 0; k < IKE_QUICK_SLOTS; k++) {
            if (old->quick[k].state != QUICK_QM1_SENT)
                continue;
            ike_set_finished(old, old->quick[k].message_id);
            quick_release(&old->quick[k]);
        }
    }
}

void quick_install(struct ike *ike, struct quick *q)
{
    struct ike_event ev = {.type = IKE_EVENT_SA_PAIR, .sa = q->sa};

    ike->root->sas[ike->root->n_sas++ % IKE_SAS_MAX] =
        (struct ike_sa_record){.spi_in = q->sa.in.spi, .spi_out = q->sa.out.spi, .live = true};
    ike_push_event(ike, &ev);
    ike_log(ike, LOG_LEVEL_INFO, "ESP pair %08x in, %08x out, %s%s", q->sa.in.spi, q->sa.out.spi,
            q->sa.udp_encapsulated ? "UDP-encapsulated" : "protocol 50",
            q->sa.by_peer ? ", started by the server" : "");
    wipe(&ev, sizeof(ev));
}

enum verdict quick_fail(struct ike *ike, struct quick *q, const struct failure *f)
{
    struct ike_event ev = {.type = IKE_EVENT_REKEY_FAILED, .failure = *f};

    if (!ike->root->renewal.settled && !ike->cfg.quick_is_told)
        return ike_fail(ike, f);
    if (!ike->root->renewal.settled)
        ev.type = IKE_EVENT_QUICK_FAILED;
    for (unsigned i = 0; i < IKE_SAS_MAX; i++) /* the pair before is in use again */
        if (ike->root->sas[i].live)
            ike->root->renewal.settled = true;
    ike_log(ike, LOG_LEVEL_WARN, "no new ESP pair: %s", failure_code(f->id));
    if (q) {
        ike_set_finished(ike, q->message_id);
        quick_release(q);
    }
    ike_push_event(ike, &ev);
    return VERDICT_DROP;
}

void quick_forget(struct ike *ike, struct quick *q)
{
    for (unsigned i = 0; i < IKE_SAS_MAX; i++) {
        struct ike_sa_record *sa = &ike->root->sas[i];

        if (!sa->live || q->sa.in.spi == 0 || sa->spi_in != q->sa.in.spi)
            continue;
        sa->live = false;
        ike_push_spi(ike, IKE_EVENT_SA_DELETED, sa->spi_out);
    }
}

void quick_connected(struct ike *ike, struct quick *q, bool proven)
{
    struct ike_event ev = {.type = IKE_EVENT_SA_READY, .spi = q->sa.out.spi, .proven = proven};

    ike->root->renewal.settled = true;
    ike_push_event(ike, &ev);
    /* The keys are the taker's now; the slot lives on for duplicates. */
    wipe(&q->sa, sizeof(q->sa));
    q->state = QUICK_DONE;
}

/* ---- building ---- */
void quick_build_start(struct ike *ike, struct quick *q, struct build *b)
{
    build_start(b, ike->cky_i, ike->cky_r, EXCHANGE_QUICK, ISAKMP_FLAG_ENCRYPTION, q->message_id);
}

bool quick_seal(struct ike *ike, struct quick *q, struct build *b, size_t at, struct span before,
                struct span *out)
{
    uint8_t hash[HASH_MAX];

    if (!keymat_hash_exchange(ike->cfg.crypto, &ike->secrets->keys, q->message_id, before,
                              build_behind(b, at, ike->secrets->keys.n), hash))
        return false;
    build_hash_fill(b, at, span_of(hash, ike->secrets->keys.n));
    return build_seal(b, ike->cfg.crypto, &ike->secrets->keys, q->iv, out);
}

static unsigned add_offered(const struct ike *ike, uint32_t *out, unsigned n, unsigned max)
{
    for (unsigned i = 0; i < IKE_QUICK_SLOTS && n < max; i++)
        if (ike->quick[i].state == QUICK_QM1_SENT)
            out[n++] = ike->quick[i].spi_in;
    return n;
}

unsigned ike_offered_spis(const struct ike *ike, uint32_t *out, unsigned max)
{
    unsigned n = add_offered(ike, out, 0, max);

    for (unsigned i = 0; i < IKE_KIN_MAX; i++)
        if (ike->renewal.kin[i])
            n = add_offered(ike->renewal.kin[i], out, n, max);
    return n;
}
