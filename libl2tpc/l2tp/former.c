/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tunnels of ours that died without a goodbye. A server may hold such a one until its own timers
 * run out, and some (SoftEther: 60 s) serve no second tunnel to the same client meanwhile. Whoever
 * has come back through IPsec says the StopCCN that was missing (RFC 2661 5.7, 6.4): the header
 * carries the server's ID of the old tunnel, the Assigned Tunnel ID ours, and Ns and Nr go on as
 * far as we know them. Where something of ours was unacknowledged the server expects one of several
 * numbers, so that each is sent once: a duplicate is acknowledged, one too far ahead waits, and one
 * fits.
 */
#include "l2tp/engine.h"

#include <string.h>

#define RESULT_CLEAR 1 /* general request to clear control connection (4.4.2) */

static bool is_known(const struct l2tp *l)
{
    return l->facts.peer_tunnel_id != 0;
}

static struct l2tp_former now_of(const struct l2tp *l)
{
    const struct reliable_msg *oldest = reliable_oldest(&l->reliable);
    const struct reliable *r = &l->reliable;

    return (struct l2tp_former){
        .tunnel_id = l->facts.tunnel_id,
        .peer_tunnel_id = l->facts.peer_tunnel_id,
        .ns_from = oldest ? oldest->ns : r->ns,
        .ns_to = r->ns,
        .nr = r->nr,
    };
}

void former_note(struct l2tp *l)
{
    if (is_known(l) && !reliable_idle(&l->reliable))
        l->left = now_of(l);
}

bool l2tp_get_former(const struct l2tp *l, struct l2tp_former *out)
{
    bool open = l->control == CONTROL_ESTABLISHED || l->control == CONTROL_STOPCCN_SENT;

    if (l->left.peer_tunnel_id == 0 && !(open && is_known(l)))
        return false;
    *out = l->left.peer_tunnel_id != 0 ? l->left : now_of(l);
    return true;
}

unsigned l2tp_formers_left(const struct l2tp *l, struct l2tp_former out[L2TP_FORMER_MAX])
{
    unsigned n = 0;

    for (unsigned i = 0; i < l->config.n_former; i++)
        if (l->config.former[i].peer_tunnel_id != 0)
            out[n++] = l->config.former[i];
    return n;
}

static void send_one(struct l2tp *l, const struct l2tp_former *f, uint16_t ns)
{
    const uint8_t result[] = {0, RESULT_CLEAR};
    const struct message_header h = {.tunnel_id = f->peer_tunnel_id, .ns = ns, .nr = f->nr};
    uint8_t bytes[MESSAGE_HEADER + 64];
    struct l2tp_draft d;
    struct span avps;

    l2tp_draft(l, &d, STOPCCN, 0);
    avp_put_u16(&d.avps, AVP_ASSIGNED_TUNNEL_ID, f->tunnel_id);
    avp_put(&d.avps, AVP_RESULT_CODE, SPAN_ARRAY(result));
    if (wr_finish(&d.avps.w, &avps) && avps.n <= sizeof(bytes) - MESSAGE_HEADER) {
        size_t n = MESSAGE_HEADER + avps.n;

        memcpy(bytes + MESSAGE_HEADER, avps.p, avps.n);
        if (message_write_header((struct mspan){bytes, n}, &h) &&
            msgq_push(&l->out, 0, span_of(bytes, n)))
            env_log(l->config.env, LOG_LEVEL_INFO, "l2tp",
                    "sent StopCCN for the former tunnel %u (ours %u), ns %u nr %u",
                    f->peer_tunnel_id, f->tunnel_id, ns, f->nr);
    }
    wipe(&d, sizeof(d));
}

void former_send(struct l2tp *l, l2tpc_us now)
{
    bool any = false;

    for (unsigned i = 0; i < l->config.n_former; i++) {
        const struct l2tp_former *f = &l->config.former[i];
        uint16_t last = (uint16_t)(f->ns_to - f->ns_from) < L2TP_FORMER_NS
                            ? f->ns_to
                            : (uint16_t)(f->ns_from + L2TP_FORMER_NS - 1);

        /* Given to the new tunnel the number is free again: the old one is gone. */
        if (f->peer_tunnel_id == 0 || f->peer_tunnel_id == l->facts.peer_tunnel_id)
            continue;
        any = true;
        for (uint16_t ns = f->ns_from;; ns++) {
            send_one(l, f, ns);
            if (ns == last)
                break;
        }
    }
    l->former_sends++;
    l->former_due = any && l->former_sends < L2TP_FORMER_SENDS
                        ? us_add(now, RTO_FIRST << (l->former_sends - 1))
                        : US_NEVER;
}

bool former_answered(struct l2tp *l, const struct message_header *h)
{
    bool any = false;

    for (unsigned i = 0; i < l->config.n_former; i++) {
        struct l2tp_former *f = &l->config.former[i];

        if (f->peer_tunnel_id == 0 || f->tunnel_id != h->tunnel_id)
            continue;
        /* Nr behind all that we have sent for it: done. */
        if ((uint16_t)(h->nr - f->ns_from) != 0)
            f->peer_tunnel_id = 0;
        any = true;
    }
    return any;
}
