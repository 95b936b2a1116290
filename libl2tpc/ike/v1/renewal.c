/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Renewal of phase 1 while ESP goes on: ours before the lifetime ends or after the server's Delete,
 * and the server's own. Whatever is authenticated last becomes the root's IKE SA; the one before is
 * kept until the server had time to move what it keeps under it.
 */
#include "ike/v1/engine.h"

#include <stdlib.h>
#include <string.h>

/* ---- the family ---- */
static struct ike *kin_of(const struct ike *root, enum ike_role role)
{
    for (unsigned i = 0; i < IKE_KIN_MAX; i++)
        if (root->renewal.kin[i] && root->renewal.kin[i]->role == role)
            return root->renewal.kin[i];
    return NULL;
}

static void drop(struct ike *root, struct ike *kin)
{
    for (unsigned i = 0; i < IKE_KIN_MAX; i++)
        if (root->renewal.kin[i] == kin)
            root->renewal.kin[i] = NULL;
    ike_free(kin);
}

void renewal_drop_all(struct ike *root)
{
    for (unsigned i = 0; i < IKE_KIN_MAX; i++)
        if (root->renewal.kin[i])
            drop(root, root->renewal.kin[i]);
    secret_wipe(root->renewal.psk);
    root->renewal.due = root->renewal.hard = US_NEVER;
}

/* A free place, or that of an old one: it has had its time. */
static struct ike **place_for(struct ike *root)
{
    struct ike *old;

    for (unsigned tries = 0; tries < 2; tries++) {
        for (unsigned i = 0; i < IKE_KIN_MAX; i++)
            if (!root->renewal.kin[i])
                return &root->renewal.kin[i];
        old = kin_of(root, IKE_ROLE_OLD);
        if (!old)
            return NULL;
        drop(root, old);
    }
    return NULL;
}

/* Same credentials, same ports, same kind of encapsulation: the ESP pairs go on under it. */
static struct ike *new_kin(struct ike *root, enum ike_role role)
{
    struct ike **place = place_for(root);
    struct ike *kin = place ? ike_new(&root->cfg) : NULL;

    if (!kin)
        return NULL;
    kin->root = root;
    kin->role = role;
    kin->facts.floated = root->facts.floated;
    kin->facts.rtt = root->facts.rtt;
    memcpy(kin->peer, root->peer, sizeof(kin->peer));
    if (!root->facts.floated)
        kin->cfg.encapsulation = ENCAPSULATION_ESP;
    *place = kin;
    return kin;
}

/* ---- when ---- */
static l2tpc_us soft_life(const struct ike *ike)
{
    /* The cookies are random, and nobody asks for more than is needed. */
    uint32_t random = (uint32_t)(ike->cky_i[0] << 8 | ike->cky_i[1]) ^
                      (uint32_t)(ike->cky_r[0] << 8 | ike->cky_r[1]);
    uint32_t span_percent = LIFE_SOFT_TO - LIFE_SOFT_FROM;
    l2tpc_us hundredth = US_S(ike->facts.lifetime_s) / 100;

    return hundredth * LIFE_SOFT_FROM + hundredth * span_percent / 1024 * (random % 1024);
}

void renewal_plan(struct ike *ike, l2tpc_us now)
{
    ike->up_at = now;
    ike->renewal.due = us_add(now, soft_life(ike));
    ike->renewal.hard = us_add(now, US_S(ike->facts.lifetime_s));
    ike->facts.expires = ike->renewal.hard;
    ike->facts.ike_sas++;
}

bool renewal_lower(struct ike *ike, struct span attributes)
{
    uint32_t seconds = ike->facts.lifetime_s;

    if (!proposal_lower_phase1_lifetime(attributes, &seconds))
        return false;
    if (seconds == ike->facts.lifetime_s)
        return true;
    ike->facts.lifetime_s = seconds;
    ike_log(ike, LOG_LEVEL_INFO, "the server shortens the IKE lifetime to %u s", seconds);
    if (ike->state == P1_UP && ike->renewal.due != US_NEVER) {
        ike->renewal.due = us_min(ike->renewal.due, us_add(ike->up_at, soft_life(ike)));
        ike->renewal.hard = us_min(ike->renewal.hard, us_add(ike->up_at, US_S(seconds)));
    }
    return true;
}

static void start_own(struct ike *root, l2tpc_us now)
{
    struct ike_renewal *r = &root->renewal;
    struct ike *kin;

    /* The server is at it; its result will do. */
    if (kin_of(root, IKE_ROLE_NEXT) || kin_of(root, IKE_ROLE_PEER)) {
        r->due = us_add(now, IKE_RENEW_PAUSE);
        return;
    }
    r->due = US_NEVER;
    kin = new_kin(root, IKE_ROLE_NEXT);
    if (!kin) {
        r->due = us_add(now, IKE_RENEW_PAUSE);
        return;
    }
    /* What was agreed on once, and nothing weaker. */
    kin->cfg.policy.ike[0] = root->facts.suite;
    kin->cfg.policy.n_ike = 1;
    ike_log(root, LOG_LEVEL_INFO, "renewing phase 1");
    phase1_start(kin, now);
}

/* ---- who ---- */
static void swap_bytes(void *a, void *b, size_t n)
{
    uint8_t *x = a;
    uint8_t *y = b;

    for (size_t i = 0; i < n; i++) {
        uint8_t t = x[i];

        x[i] = y[i];
        y[i] = t;
    }
}

#define SWAP_BACK(field) swap_bytes(&root->field, &kin->field, sizeof(root->field))

/* The two SAs change places; what belongs to the engine as a whole goes back to where it was. */
static void change_places(struct ike *root, struct ike *kin)
{
    swap_bytes(root, kin, sizeof(*root));
    SWAP_BACK(root);
    SWAP_BACK(role);
    SWAP_BACK(renewal);
    SWAP_BACK(cfg);
    SWAP_BACK(out);
    SWAP_BACK(events);
    SWAP_BACK(plain);
    SWAP_BACK(decrypted);
    SWAP_BACK(sas);
    SWAP_BACK(n_sas);
    SWAP_BACK(pfs);
    SWAP_BACK(peer);
    SWAP_BACK(facts.sent);
    SWAP_BACK(facts.received);
    SWAP_BACK(facts.resent);
    SWAP_BACK(facts.dropped);
    SWAP_BACK(facts.fragments_sent);
    SWAP_BACK(facts.fragments_received);
    SWAP_BACK(facts.dpd_sent);
    SWAP_BACK(facts.dpd_answered);
    SWAP_BACK(facts.ike_sas);
    SWAP_BACK(facts.nat_local);
    SWAP_BACK(facts.nat_remote);
}

static void promote(struct ike *root, struct ike *kin, l2tpc_us now)
{
    struct ike_renewal *r = &root->renewal;
    bool ours = kin->role == IKE_ROLE_NEXT;
    l2tpc_us last_in = root->live.last_in;
    l2tpc_us last_out = root->live.last_out;
    l2tpc_us unanswered = root->live.unanswered_since;

    r->due = kin->renewal.due;
    r->hard = kin->renewal.hard;
    r->tries = 0;
    change_places(root, kin);
    root->facts.ike_sas++;
    root->live.last_in = us_max(last_in, now);
    root->live.last_out = us_max(last_out, root->live.last_out);
    root->live.unanswered_since = unanswered;
    kin->role = IKE_ROLE_OLD;
    kin->retire_at =
        kin->state == P1_UP ? us_add(now, ours ? IKE_RETIRE_OWN : IKE_RETIRE_PEER) : US_NEVER;
    ike_log(root, LOG_LEVEL_INFO, "phase 1 was renewed%s", ours ? "" : " by the server");
    if (r->want_pair && !r->held) {
        r->want_pair = false;
        quick_start(root, now);
    }
}

/* A try has come to nothing. */
static void give_up(struct ike *root, struct ike *kin, l2tpc_us now)
{
    struct ike_renewal *r = &root->renewal;
    bool ours = kin->role == IKE_ROLE_NEXT;
    struct failure f = failure_make(FAILURE_IKE_NO_ANSWER);

    drop(root, kin);
    if (!ours)
        return;
    r->tries++;
    r->due = us_add(now, r->tries < IKE_RENEW_TRIES ? IKE_RENEW_PAUSE : IKE_RENEW_PAUSE_LONG);
    if (r->want_pair) {
        struct ike_event ev = {.type = IKE_EVENT_REKEY_FAILED, .failure = f};

        r->want_pair = false;
        ike_push_event(root, &ev);
    }
}

void renewal_settle(struct ike *root, l2tpc_us now)
{
    for (unsigned i = 0; i < IKE_KIN_MAX; i++) {
        struct ike *kin = root->renewal.kin[i];

        if (!kin)
            continue;
        if (kin->state == P1_UP && kin->role != IKE_ROLE_OLD)
            promote(root, kin, now);
        else if (kin->state == P1_CLOSED)
            give_up(root, kin, now);
    }
}

bool renewal_survives(struct ike *root, l2tpc_us now)
{
    struct ike_event ev = {.type = IKE_EVENT_IKE_DELETED};
    struct ike *old = kin_of(root, IKE_ROLE_OLD);

    if (!root->renewal.keep || root->renewal.held)
        return false;
    for (unsigned i = 0; i < IKE_QUICK_SLOTS; i++) {
        struct quick *q = &root->quick[i];
        struct failure f = failure_make(FAILURE_IKE_QUICK_REFUSED);

        if (q->state == QUICK_QM1_SENT)
            (void)quick_fail(root, q, &f);
        else if (q->state == QUICK_COMMIT)
            quick_connected(root, q, false);
    }
    root->state = P1_DELETED;
    root->deleted_at = now;
    root->facts.established = false;
    /* The server kept the other one of two: it is in use again. */
    if (old && old->state == P1_UP) {
        l2tpc_us hard = old->renewal.hard;

        change_places(root, old);
        root->renewal.due = us_add(now, IKE_RENEW_PAUSE);
        root->renewal.hard = hard;
        root->retire_at = old->retire_at = US_NEVER;
        ike_log(root, LOG_LEVEL_INFO, "back to the IKE SA before");
        return true;
    }
    root->renewal.due = us_min(root->renewal.due, us_add(now, IKE_RENEW_SOON));
    root->renewal.hard = US_NEVER;
    ike_push_event(root, &ev);
    return true;
}

/* ---- input ---- */
static bool is_first(const struct isakmp_header *h)
{
    static const uint8_t zero[ISAKMP_COOKIE_LEN];

    return h->exchange == EXCHANGE_MAIN && h->message_id == 0 &&
           !(h->flags & ISAKMP_FLAG_ENCRYPTION) && memcmp(h->cky_r, zero, sizeof(zero)) == 0 &&
           memcmp(h->cky_i, zero, sizeof(zero)) != 0;
}

static bool is_from_peer(const struct ike *root, const struct ike_in *in)
{
    return in->port == ike_own_port(root) && endpoint_eq(in->from, &root->peer[in->port]);
}

/*
 * Libreswan begins its new main mode on port 500 although the old one floated, and deletes
 * everything when nobody answers. It is not answered there; we renew by ourselves, both phases, as
 * its clock runs ahead of ours. Anybody may have sent this, so it moves us once in a while only.
 */
static void take_nudge(struct ike *root, const struct ike_in *in)
{
    struct ike_renewal *r = &root->renewal;

    if (!root->facts.floated || in->port != IKE_PORT_500 || root->state != P1_UP || !r->settled ||
        r->held || !endpoint_eq(in->from, &root->peer[IKE_PORT_500]) ||
        kin_of(root, IKE_ROLE_NEXT) || (r->nudged && in->now < us_add(r->nudged, IKE_NUDGE_GAP)) ||
        memcmp(r->nudge, in->header.cky_i, ISAKMP_COOKIE_LEN) == 0 || !phase1_mm1_fits(root, in))
        return;
    r->nudged = in->now;
    memcpy(r->nudge, in->header.cky_i, ISAKMP_COOKIE_LEN);
    ike_log(root, LOG_LEVEL_INFO, "the server began a main mode on port 500");
    r->want_pair = true;
    r->due = us_min(r->due, in->now);
}

/* Only from exactly where a living IKE SA leads to, and one at a time. */
static enum verdict answer_first(struct ike *root, const struct ike_in *in)
{
    struct ike *kin;
    enum verdict v;

    take_nudge(root, in);
    if (!root->renewal.settled || root->renewal.held ||
        (root->state != P1_UP && root->state != P1_DELETED) || !is_from_peer(root, in) ||
        kin_of(root, IKE_ROLE_PEER))
        return VERDICT_DROP;
    kin = new_kin(root, IKE_ROLE_PEER);
    if (!kin)
        return VERDICT_DROP;
    v = phase1_recv_mm1(kin, in);
    if (v != VERDICT_OK)
        drop(root, kin);
    return v;
}

enum verdict renewal_input(struct ike *root, struct ike_in *in)
{
    for (unsigned i = 0; i < IKE_KIN_MAX; i++) {
        struct ike *kin = root->renewal.kin[i];

        if (kin && kin->state != P1_CLOSED &&
            memcmp(kin->cky_i, in->header.cky_i, ISAKMP_COOKIE_LEN) == 0)
            return is_first(&in->header) && kin->state == P1_MM2_SENT && is_from_peer(root, in)
                       ? phase1_peer_input(kin, in) /* message 1 again, without our cookie */
                       : ike_input_sa(kin, in);
    }
    return is_first(&in->header) ? answer_first(root, in) : VERDICT_DROP;
}

/* ---- time ---- */
static void retire(struct ike *kin, l2tpc_us now)
{
    if (kin->state != P1_UP || now < kin->retire_at)
        return;
    if (kin->root->unproven) { /* the server may not have the new one */
        kin->retire_at = us_add(now, IKE_RENEW_PAUSE);
        return;
    }
    info_send_delete_ike(kin, now);
    kin->state = P1_DELETED;
    kin->deleted_at = now;
    kin->retire_at = US_NEVER;
}

void renewal_timer(struct ike *root, l2tpc_us now)
{
    struct ike_renewal *r = &root->renewal;

    for (unsigned i = 0; i < IKE_KIN_MAX; i++) {
        struct ike *kin = r->kin[i];

        if (!kin)
            continue;
        if (ike_deadline_sa(kin) <= now)
            ike_timer_sa(kin, now);
        if (kin->role == IKE_ROLE_OLD)
            retire(kin, now);
    }
    if (root->state != P1_UP && root->state != P1_DELETED)
        return;
    if (r->hard <= now) {
        /* Not a second longer than agreed; the server may end it without a word. */
        r->hard = US_NEVER;
        if (root->state == P1_UP && r->keep) {
            ike_log(root, LOG_LEVEL_WARN, "the IKE SA has run out before it was renewed");
            (void)renewal_survives(root, now);
        }
    }
    if (r->due <= now && !r->held)
        start_own(root, now);
}

l2tpc_us renewal_deadline(const struct ike *root)
{
    const struct ike_renewal *r = &root->renewal;
    l2tpc_us at = US_NEVER;

    if (root->state != P1_UP && root->state != P1_DELETED)
        return at;
    if (!r->held)
        at = us_min(r->due, r->hard);
    for (unsigned i = 0; i < IKE_KIN_MAX; i++) {
        const struct ike *kin = r->kin[i];

        if (!kin)
            continue;
        at = us_min(at, ike_deadline_sa(kin));
        if (kin->role == IKE_ROLE_OLD && kin->state == P1_UP)
            at = us_min(at, kin->retire_at);
    }
    return at;
}

/* ---- the driver's verbs ---- */
bool ike_rekey(struct ike *ike, l2tpc_us now)
{
    struct ike_renewal *r = &ike->renewal;

    if (r->held || (ike->state != P1_UP && ike->state != P1_DELETED))
        return false;
    if (quick_is_pending(ike) || r->want_pair)
        return true;
    if (quick_peer_is_busy(ike))
        return false;
    if (ike->state == P1_UP) {
        quick_start(ike, now);
        return true;
    }
    r->want_pair = true;
    if (!kin_of(ike, IKE_ROLE_NEXT) && !kin_of(ike, IKE_ROLE_PEER))
        r->due = us_min(r->due, us_add(now, IKE_RENEW_SOON));
    return true;
}

void ike_delete_pair(struct ike *ike, uint32_t spi_out, l2tpc_us now)
{
    for (unsigned i = 0; i < IKE_SAS_MAX; i++) {
        struct ike_sa_record *sa = &ike->sas[i];

        if (!sa->live || sa->spi_out != spi_out)
            continue;
        sa->live = false;
        if (ike->state == P1_UP)
            info_send_delete_esp(ike, sa->spi_in, now);
    }
}

static void note_used(struct ike *ike, uint32_t spi_out)
{
    for (unsigned i = 0; i < IKE_QUICK_SLOTS; i++) {
        struct quick *q = &ike->quick[i];

        if (q->sa.out.spi != spi_out || spi_out == 0)
            continue;
        if (q->state == QUICK_COMMIT)
            quick_connected(ike, q, true);
        else if (q->state == QUICK_QM2_SENT)
            quick_peer_done(ike, q);
    }
}

void ike_note_pair_used(struct ike *ike, uint32_t spi_out, l2tpc_us now)
{
    ike_note_alive(ike, now);
    note_used(ike, spi_out);
    for (unsigned i = 0; i < IKE_KIN_MAX; i++)
        if (ike->renewal.kin[i])
            note_used(ike->renewal.kin[i], spi_out);
}

void ike_keep(struct ike *ike)
{
    ike->renewal.keep = true;
}

void ike_hold(struct ike *ike)
{
    ike->renewal.held = true;
    for (unsigned i = 0; i < IKE_QUICK_SLOTS; i++)
        if (ike->quick[i].rekey && ike->quick[i].state == QUICK_QM1_SENT)
            quick_release(&ike->quick[i]);
    for (unsigned i = 0; i < IKE_KIN_MAX; i++)
        if (ike->renewal.kin[i] && ike->renewal.kin[i]->role != IKE_ROLE_OLD)
            drop(ike, ike->renewal.kin[i]);
}
