/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* IKEv1 aggressive mode with a pre-shared key, as responder (RFC 2409 5.4, RFC 3947 3.2). */
#include "peer_i.h"

/* Which g^x we get is settled with message 1, so that all that is offered must be of one group. */
static bool has_one_group(struct span sai)
{
    struct rd r = rd_of(sai);
    uint16_t group = 0;
    struct span t;

    if (!rd_skip(&r, 8 + 8))
        return false;
    while (!rd_end(&r)) {
        uint16_t length, type, value;
        struct rd attrs;

        if (!rd_skip(&r, 2) || !rd_u16(&r, &length) || length < 8 || !rd_bytes(&r, length - 4u, &t))
            return false;
        attrs = rd_of(t);
        if (!rd_skip(&attrs, 4))
            return false;
        while (rd_u16(&attrs, &type) && rd_u16(&attrs, &value)) {
            if (!(type & 0x8000) && !rd_skip(&attrs, value))
                return false;
            if ((type & 0x7fff) != 4)
                continue;
            if (group && value != group)
                return false;
            group = value;
        }
    }
    return group != 0;
}

static bool take(struct peer *p, struct ike_sa *sa, const struct chain *c)
{
    const struct pl *ke = peer_chain_find(c, PL_KE, 0);
    const struct pl *nonce = peer_chain_find(c, PL_NONCE, 0);
    const struct pl *id = peer_chain_find(c, PL_ID, 0);
    uint8_t nr[20];

    if (!ke || !nonce || !id || nonce->body.n < 8 || nonce->body.n > 256) {
        peer_complain(p, "aggressive mode 1: a payload is missing");
        return false;
    }
    peer_note_id(p, id->body);
    peer_rand(p, nr, sizeof(nr));
    sa->dh = dh_new(p->crypto, sa->suite.group, p->env);
    if (!sa->dh || id->body.n > sizeof(sa->idii) || !peer_blob_set(&sa->ni, nonce->body) ||
        !peer_blob_set(&sa->gxi, ke->body) || !peer_blob_set(&sa->nr, SPAN_ARRAY(nr)) ||
        !peer_blob_set(&sa->gxr, dh_public(sa->dh)) ||
        !dh_shared(sa->dh, ke->body, sa->gxy.bytes)) {
        peer_complain(p, "aggressive mode 1: Diffie-Hellman failed");
        return false;
    }
    memcpy(sa->idii, id->body.p, id->body.n);
    sa->idii_n = id->body.n;
    sa->gxy.n = dh_secret_size(sa->suite.group);
    return peer_derive(p, sa);
}

static bool finish_am2(struct peer *p, struct ike_sa *sa, struct build *b, struct span *reply)
{
    static const uint8_t zero[DH_MAX];
    uint8_t id[PEER_ID_MAX], h[HASH_MAX];
    struct span body = peer_own_id(p, id);
    struct span ke = peer_blob_span(&sa->gxr);

    if (!peer_auth_hash(p, sa, false, body, h))
        return false;
    if (peer_bug(p, BUG_IKE_WRONG_HASH_R))
        h[3] ^= 0x20;
    peer_build_payload(b, PL_KE, peer_bug(p, BUG_AM_KE_ZERO) ? span_of(zero, ke.n) : ke);
    peer_build_payload(b, PL_NONCE, peer_blob_span(&sa->nr));
    peer_build_payload(b, PL_ID, body);
    peer_build_payload(b, PL_HASH, span_of(h, hash_size(sa->suite.hash)));
    peer_write_vendors(p, b);
    peer_write_natd(p, sa, b);
    return peer_build_done(b, reply);
}

void peer_recv_am1(struct peer *p, enum peer_port port, const struct endpoint *from,
                   const struct isakmp *m, struct span message, l2tpc_us now)
{
    struct chain c;
    struct build b;
    struct span reply;
    struct ike_sa *sa;

    if (m->flags != 0 || m->msgid != 0 || !peer_chain_split(m->body, m->next, &c) ||
        c.used != m->body.n || c.n == 0 || c.pl[0].type != PL_SA || !has_one_group(c.pl[0].body)) {
        peer_complain(p, "malformed aggressive mode message 1");
        return;
    }
    sa = peer_ike_sa_new(p);
    memcpy(sa->cky_i, m->cky_i, 8);
    peer_rand(p, sa->cky_r, 8);
    sa->to = *from;
    sa->port = port;
    memcpy(sa->sai_b, c.pl[0].body.p, c.pl[0].body.n);
    sa->sai_n = c.pl[0].body.n;
    peer_read_vendors(p, &c, sa);
    peer_build_start(&b, sa, EXCH_AGGRESSIVE, 0, 0);
    if (peer_bug(p, BUG_IKE_NO_PROPOSAL) ||
        !peer_proposal_pick_ike(p, c.pl[0].body, &sa->suite, &sa->life_s, &b)) {
        peer_send_clear_notify(p, sa, 14);
        peer_ike_sa_drop(p, sa);
        return;
    }
    if (!take(p, sa, &c) || !finish_am2(p, sa, &b, &reply)) {
        peer_ike_sa_drop(p, sa);
        return;
    }
    peer_digest(p, message, sa->last_in);
    sa->state = IKE_AM2;
    peer_resend_arm(&sa->resend, reply, now, US_S(4), 5);
    peer_ike_send(p, sa, reply);
}

void peer_recv_am3(struct peer *p, struct ike_sa *sa, enum peer_port port,
                   const struct endpoint *from, const struct isakmp *m, l2tpc_us now)
{
    uint8_t plain[PEER_MESSAGE_MAX], iv[16], h[HASH_MAX];
    const struct pl *hash;
    struct chain c;

    if (sa->state != IKE_AM2 || peer_silent(p, STAGE_IKE_AUTH))
        return; /* message 3 again */
    memcpy(iv, sa->iv, sizeof(iv));
    if (m->flags != ISAKMP_E || m->msgid != 0 || !peer_ike_decrypt(p, sa, iv, m->body, plain) ||
        !peer_chain_split(span_of(plain, m->body.n), m->next, &c) ||
        !(hash = peer_chain_find(&c, PL_HASH, 0)) ||
        !peer_auth_hash(p, sa, true, span_of(sa->idii, sa->idii_n), h) ||
        !span_eq(hash->body, span_of(h, hash_size(sa->suite.hash)))) {
        peer_complain(p, "aggressive mode 3 does not prove the client");
        return;
    }
    if (sa->natt && port != PEER_UDP4500)
        peer_complain(p, "aggressive mode 3 with NAT traversal came to port 500");
    sa->to = *from;
    sa->port = port;
    peer_read_natd(p, sa, &c);
    if (port == PEER_UDP4500)
        p->facts.floated = true;
    memcpy(sa->iv, iv, sizeof(iv));
    sa->resend.left = 0;
    sa->state = IKE_UP;
    sa->dpd_due = sa->dpd && p->config.dpd ? us_add(now, p->config.dpd) : US_NEVER;
    peer_renew_note_ike(p, sa, now);
}
