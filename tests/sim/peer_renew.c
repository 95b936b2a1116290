/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When the server renews by itself, and when it deletes what was replaced. */
#include "peer_i.h"

void peer_renew_note_pair(struct peer *p, struct esp_pair *e, l2tpc_us now)
{
    for (size_t i = 0; i < PEER_ESP_MAX; i++) {
        struct esp_pair *old = &p->esp[i];

        if (!old->used || old == e || old->client_port != e->client_port)
            continue;
        old->renewed = true;
        if (p->config.delete_old && !old->delete_due)
            old->delete_due = us_add(now, p->config.delete_old);
    }
    e->order = ++p->order; /* the newest that is whole sends */
    e->renewed = false;
    e->delete_due = 0;
    e->up_at = now;
}

void peer_renew_note_ike(struct peer *p, struct ike_sa *sa, l2tpc_us now)
{
    for (size_t i = 0; i < PEER_IKE_MAX; i++) {
        struct ike_sa *old = &p->ike[i];

        if (old->state != IKE_UP || old == sa || !inaddr_eq(&old->to.addr, &sa->to.addr))
            continue;
        old->renewed = true;
        if (p->config.delete_old && !old->delete_due)
            old->delete_due = us_add(now, p->config.delete_old);
    }
    sa->up_at = now;
}

static l2tpc_us pair_due(const struct peer *p, const struct esp_pair *e)
{
    l2tpc_us at = e->delete_due ? e->delete_due : US_NEVER;

    if (p->config.quick_every && e->out_on && !e->renewed)
        at = us_min(at, us_add(e->up_at, p->config.quick_every));
    return at;
}

static l2tpc_us ike_due(const struct peer *p, const struct ike_sa *sa)
{
    l2tpc_us at = sa->delete_due ? sa->delete_due : US_NEVER;

    if (p->config.main_every && !sa->renewed)
        at = us_min(at, us_add(sa->up_at, p->config.main_every));
    return at;
}

void peer_renew_timer(struct peer *p, l2tpc_us now)
{
    for (size_t i = 0; i < PEER_ESP_MAX; i++) {
        struct esp_pair *e = &p->esp[i];
        struct ike_sa *sa = peer_ike_newest(p);

        if (!e->used || !sa || pair_due(p, e) > now)
            continue;
        if (e->delete_due && e->delete_due <= now) {
            peer_send_delete_esp(p, sa, e->spi_in);
            p->last_pair = *e;
            memset(e, 0, sizeof(*e));
            continue;
        }
        e->renewed = true;
        peer_quick_start(p, sa, now);
    }
    for (size_t i = 0; i < PEER_IKE_MAX; i++) {
        struct ike_sa *sa = &p->ike[i];

        if (sa->state != IKE_UP || ike_due(p, sa) > now)
            continue;
        if (sa->delete_due && sa->delete_due <= now) {
            peer_send_delete_ike(p, sa);
            sa->state = IKE_DEAD;
            sa->dead_at = us_add(now, US_S(30));
            continue;
        }
        sa->renewed = true;
        peer_start_main(p, now);
    }
}

l2tpc_us peer_renew_deadline(const struct peer *p)
{
    bool up = false;
    l2tpc_us at = US_NEVER;

    for (size_t i = 0; i < PEER_IKE_MAX; i++) {
        if (p->ike[i].state != IKE_UP)
            continue;
        up = true;
        at = us_min(at, ike_due(p, &p->ike[i]));
    }
    for (size_t i = 0; up && i < PEER_ESP_MAX; i++)
        if (p->esp[i].used)
            at = us_min(at, pair_due(p, &p->esp[i]));
    return at;
}
