/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* IKEv1 main mode with a pre-shared key, as responder (RFC 2409 5.4, RFC 3947). */
#include "peer_i.h"

struct vendor {
    unsigned natt; /* enum peer_natt, 0 = DPD */
    uint8_t id[16];
};

static const struct vendor vendors[] = {
    {PEER_NATT_RFC,
     {0x4a, 0x13, 0x1c, 0x81, 0x07, 0x03, 0x58, 0x45, 0x5c, 0x57, 0x28, 0xf2, 0x0e, 0x95, 0x45,
      0x2f}},
    {PEER_NATT_DRAFT03,
     {0x7d, 0x94, 0x19, 0xa6, 0x53, 0x10, 0xca, 0x6f, 0x2c, 0x17, 0x9d, 0x92, 0x15, 0x52, 0x9d,
      0x56}},
    {PEER_NATT_DRAFT02, /* with the newline that everybody sends */
     {0x90, 0xcb, 0x80, 0x91, 0x3e, 0xbb, 0x69, 0x6e, 0x08, 0x63, 0x81, 0xb5, 0xec, 0x42, 0x7b,
      0x1f}},
    {PEER_NATT_DRAFT02,
     {0xcd, 0x60, 0x46, 0x43, 0x35, 0xdf, 0x21, 0xf8, 0x7c, 0xfd, 0xb2, 0xfc, 0x68, 0xb6, 0xa4,
      0x48}},
    {0,
     {0xaf, 0xca, 0xd7, 0x13, 0x68, 0xa1, 0xf1, 0xc9, 0x6b, 0x86, 0x96, 0xfc, 0x77, 0x57, 0x01,
      0x00}},
};

void peer_ike_sa_drop(struct peer *p, struct ike_sa *sa)
{
    (void)p;
    for (size_t i = 0; i < PEER_QUICK_MAX; i++)
        peer_quick_drop(&sa->quick[i]);
    dh_free(sa->dh);
    wipe(sa, sizeof(*sa));
}

struct ike_sa *peer_ike_newest(struct peer *p)
{
    struct ike_sa *best = NULL;

    for (size_t i = 0; i < PEER_IKE_MAX; i++)
        if (p->ike[i].state == IKE_UP && (!best || p->ike[i].generation > best->generation))
            best = &p->ike[i];
    return best;
}

static struct ike_sa *sa_find(struct peer *p, const struct isakmp *m)
{
    for (size_t i = 0; i < PEER_IKE_MAX; i++)
        if (p->ike[i].state != IKE_FREE && memcmp(p->ike[i].cky_i, m->cky_i, 8) == 0 &&
            (p->ike[i].state == IKE_SENT1 || memcmp(p->ike[i].cky_r, m->cky_r, 8) == 0))
            return &p->ike[i];
    return NULL;
}

/* A free place, or that of the oldest SA that is not up. */
struct ike_sa *peer_ike_sa_new(struct peer *p)
{
    struct ike_sa *best = NULL;

    for (size_t i = 0; i < PEER_IKE_MAX; i++) {
        struct ike_sa *sa = &p->ike[i];

        if (sa->state == IKE_FREE) {
            best = sa;
            break;
        }
        if (sa->state != IKE_UP && (!best || sa->generation < best->generation))
            best = sa;
    }
    if (!best)
        best = &p->ike[0];
    peer_ike_sa_drop(p, best);
    best->generation = ++p->generation;
    return best;
}

static const uint8_t vendor_fragmentation[20] = {0x40, 0x48, 0xb7, 0xd5, 0x6e, 0xbc,
                                                 0xe8, 0x85, 0x25, 0xe7, 0xde, 0x7f,
                                                 0x00, 0xd6, 0xc2, 0xd3, 0x80};

void peer_read_vendors(const struct peer *p, const struct chain *c, struct ike_sa *sa)
{
    unsigned common = 0;

    for (size_t i = 0; i < c->n; i++) {
        if (c->pl[i].type != PL_VID)
            continue;
        sa->fragments |= span_eq(c->pl[i].body, SPAN_ARRAY(vendor_fragmentation));
        for (size_t k = 0; k < ARRAY_LEN(vendors); k++) {
            if (!span_eq(c->pl[i].body, SPAN_ARRAY(vendors[k].id)))
                continue;
            common |= vendors[k].natt;
            if (vendors[k].natt == 0)
                sa->dpd = !p->config.no_dpd;
        }
    }
    common &= p->config.no_natt ? 0 : p->config.natt;
    sa->natt = common & PEER_NATT_RFC       ? PEER_NATT_RFC
               : common & PEER_NATT_DRAFT03 ? PEER_NATT_DRAFT03
                                            : common & PEER_NATT_DRAFT02;
}

/* Fragmentation is what strongSwan and Libreswan offer and SoftEther does not. */
void peer_write_vendors(const struct peer *p, struct build *b)
{
    for (unsigned i = 0; i < p->config.n_vendor_ids; i++)
        peer_build_payload(b, PL_VID, p->config.vendor_id[i]);
    if (p->config.n_vendor_ids > 0)
        return;
    if (p->config.flavour == PEER_PPPD || p->config.fragment)
        peer_build_payload(b, PL_VID, SPAN_ARRAY(vendor_fragmentation));
    for (size_t k = 0; k < ARRAY_LEN(vendors); k++) {
        bool wanted = vendors[k].natt ? !p->config.no_natt && (p->config.natt & vendors[k].natt)
                                      : !p->config.no_dpd;

        if (wanted)
            peer_build_payload(b, PL_VID, SPAN_ARRAY(vendors[k].id));
    }
}

static void answer_phase1(struct peer *p, struct ike_sa *sa, struct span reply, l2tpc_us now)
{
    bool by_itself = p->config.flavour == PEER_SOFTETHER;

    peer_resend_arm(&sa->resend, reply, now, US_S(2), by_itself ? 5 : 0);
    peer_ike_send(p, sa, reply);
}

static void recv_mm1(struct peer *p, enum peer_port port, const struct endpoint *from,
                     const struct isakmp *m, struct span message, l2tpc_us now)
{
    struct chain c;
    struct build b;
    struct span reply;
    const struct pl *pl;
    struct ike_sa *sa;
    bool chokes;

    if (m->flags != 0 || m->msgid != 0 || !peer_chain_split(m->body, m->next, &c) ||
        c.used != m->body.n || c.n == 0 || c.pl[0].type != PL_SA) {
        peer_complain(p, "malformed main mode message 1");
        return;
    }
    sa = peer_ike_sa_new(p);
    p->facts.main_modes++;
    if (p->config.aggressive == PEER_AGGRESSIVE_ONLY) {
        memcpy(sa->cky_i, m->cky_i, 8);
        sa->to = *from;
        sa->port = port;
        peer_send_clear_notify(p, sa, 7);
        peer_ike_sa_drop(p, sa);
        return;
    }
    memcpy(sa->cky_i, m->cky_i, 8);
    peer_rand(p, sa->cky_r, 8);
    sa->to = *from;
    sa->port = port;
    sa->state = IKE_SENT2;
    pl = &c.pl[0];
    memcpy(sa->sai_b, pl->body.p, pl->body.n);
    sa->sai_n = pl->body.n;
    peer_read_vendors(p, &c, sa);
    peer_build_start(&b, sa, EXCH_MAIN, 0, 0);
    chokes = p->config.most_ike && peer_proposal_count(pl->body) > p->config.most_ike;
    p->facts.choked += chokes;
    if (chokes || peer_bug(p, BUG_IKE_NO_PROPOSAL) ||
        !peer_proposal_pick_ike(p, pl->body, &sa->suite, &sa->life_s, &b)) {
        if (p->config.flavour != PEER_SOFTETHER && !(chokes && p->config.chokes_silently))
            peer_send_clear_notify(p, sa, 14);
        peer_ike_sa_drop(p, sa);
        return;
    }
    peer_write_vendors(p, &b);
    peer_digest(p, message, sa->last_in);
    if (peer_build_done(&b, &reply))
        answer_phase1(p, sa, reply, now);
}

static bool natd_hash(struct peer *p, const struct ike_sa *sa, const struct endpoint *e,
                      uint8_t out[HASH_MAX])
{
    uint8_t port[2] = {(uint8_t)(e->port >> 8), (uint8_t)e->port};
    struct span parts[4] = {SPAN_ARRAY(sa->cky_i), SPAN_ARRAY(sa->cky_r),
                            span_of(e->addr.bytes, inaddr_len(&e->addr)), SPAN_ARRAY(port)};

    return hash_parts(p->crypto, sa->suite.hash, parts, 4, out);
}

/* The client's NAT-D payloads: first ours as it sees us, then its own addresses. */
void peer_read_natd(struct peer *p, struct ike_sa *sa, const struct chain *c)
{
    uint8_t type = sa->natt == PEER_NATT_RFC ? PL_NATD : PL_NATD_DRAFT;
    struct endpoint us = p->config.local;
    uint8_t h[HASH_MAX];
    bool local_ok, remote_ok = false;
    const struct pl *pl = peer_chain_find(c, type, 0);

    if (sa->natt == 0) {
        if (peer_chain_find(c, PL_NATD, 0) || peer_chain_find(c, PL_NATD_DRAFT, 0))
            peer_complain(p, "NAT-D although no NAT traversal is common");
        return;
    }
    if (!pl || !peer_chain_find(c, type, 1)) {
        peer_complain(p, "NAT traversal announced, but fewer than two NAT-D payloads");
        sa->natt = 0;
        return;
    }
    if (sa->port == PEER_UDP4500)
        us.port = p->config.natt_port;
    if (!natd_hash(p, sa, &us, h))
        return;
    local_ok = span_eq(pl->body, span_of(h, hash_size(sa->suite.hash)));
    if (!natd_hash(p, sa, &sa->to, h))
        return;
    for (unsigned i = 1; (pl = peer_chain_find(c, type, i)) != NULL; i++) {
        if (pl->body.n != hash_size(sa->suite.hash))
            peer_complain(p, "NAT-D of %zu bytes", pl->body.n);
        remote_ok |= span_eq(pl->body, span_of(h, hash_size(sa->suite.hash)));
    }
    sa->nat = !local_ok || !remote_ok;
}

void peer_write_natd(struct peer *p, struct ike_sa *sa, struct build *b)
{
    uint8_t type = sa->natt == PEER_NATT_RFC ? PL_NATD : PL_NATD_DRAFT;
    struct endpoint us = p->config.local;
    size_t n = peer_bug(p, BUG_IKE_NATD_SIZE) ? 7 : hash_size(sa->suite.hash);
    uint8_t h[HASH_MAX];

    if (sa->natt == 0)
        return;
    if (!natd_hash(p, sa, &sa->to, h))
        b->w.failed = true;
    if (p->config.natd_random)
        peer_rand(p, h, sizeof(h));
    peer_build_payload(b, type, span_of(h, n));
    if (sa->port == PEER_UDP4500)
        us.port = p->config.natt_port;
    if (!natd_hash(p, sa, &us, h))
        b->w.failed = true;
    peer_build_payload(b, type, span_of(h, n));
}

/* RFC 2409 5 and appendix B. */
bool peer_derive(struct peer *p, struct ike_sa *sa)
{
    enum hash_id h = sa->suite.hash;
    size_t n = hash_size(h);
    struct span cookies[2] = {SPAN_ARRAY(sa->cky_i), SPAN_ARRAY(sa->cky_r)};
    struct span nonces[2] = {peer_blob_span(&sa->ni), peer_blob_span(&sa->nr)};
    struct span gx[2] = {peer_blob_span(&sa->gxi), peer_blob_span(&sa->gxr)};
    static const uint8_t number[3] = {0, 1, 2};
    uint8_t *keys[3] = {sa->skeyid_d, sa->skeyid_a, sa->skeyid_e};
    uint8_t ka[2 * HASH_MAX], iv[HASH_MAX];

    if (!peer_ike_prf(p, h, span_str(p->config.psk), nonces, 2, sa->skeyid))
        return false;
    for (size_t i = 0; i < 3; i++) {
        struct span parts[5] = {i ? span_of(keys[i ? i - 1 : 0], n) : SPAN_NONE,
                                peer_blob_span(&sa->gxy), cookies[0], cookies[1],
                                span_of(&number[i], 1)};

        if (!peer_ike_prf(p, h, span_of(sa->skeyid, n), i ? parts : parts + 1, i ? 5 : 4, keys[i]))
            return false;
    }
    sa->key_n = cipher_key_len(sa->suite.cipher, sa->suite.key_bits);
    if (sa->key_n <= n) {
        memcpy(sa->key, sa->skeyid_e, sa->key_n);
    } else {
        struct span zero = span_of(&number[0], 1), k1 = span_of(ka, n);

        if (!peer_ike_prf(p, h, span_of(sa->skeyid_e, n), &zero, 1, ka) ||
            !peer_ike_prf(p, h, span_of(sa->skeyid_e, n), &k1, 1, ka + n))
            return false;
        memcpy(sa->key, ka, sa->key_n);
    }
    if (!hash_parts(p->crypto, h, gx, 2, iv))
        return false;
    memcpy(sa->iv, iv, sizeof(sa->iv));
    return true;
}

static struct span ke_with_bugs(const struct peer *p, const struct ike_sa *sa, uint8_t *room)
{
    struct span v = peer_blob_span(&sa->gxr);

    if (peer_bug(p, BUG_IKE_KE_MIRROR))
        return peer_blob_span(&sa->gxi);
    if (peer_bug(p, BUG_IKE_KE_SHORT))
        return span_of(v.p, v.n / 2);
    if (!peer_bug(p, BUG_IKE_KE_ZERO | BUG_IKE_KE_ONE))
        return v;
    memset(room, 0, v.n);
    room[v.n - 1] = peer_bug(p, BUG_IKE_KE_ONE);
    return span_of(room, v.n);
}

static void recv_mm3(struct peer *p, struct ike_sa *sa, const struct isakmp *m, struct span message,
                     l2tpc_us now)
{
    struct chain c;
    struct build b;
    struct span reply;
    const struct pl *ke, *nonce;
    uint8_t room[DH_MAX], nr[16];

    if (m->flags != 0 || m->msgid != 0 || !peer_chain_split(m->body, m->next, &c) ||
        c.used != m->body.n || !(ke = peer_chain_find(&c, PL_KE, 0)) ||
        !(nonce = peer_chain_find(&c, PL_NONCE, 0)) || nonce->body.n < 8 || nonce->body.n > 256) {
        peer_complain(p, "malformed main mode message 3");
        return;
    }
    if (ke->body.n != dh_public_size(sa->suite.group))
        peer_complain(p, "KE of %zu bytes", ke->body.n);
    peer_read_natd(p, sa, &c);
    peer_rand(p, nr, sizeof(nr));
    dh_free(sa->dh);
    sa->dh = dh_new(p->crypto, sa->suite.group, p->env);
    if (!sa->dh || !peer_blob_set(&sa->ni, nonce->body) || !peer_blob_set(&sa->gxi, ke->body) ||
        !peer_blob_set(&sa->nr, span_of(nr, peer_bug(p, BUG_IKE_NONCE_SHORT) ? 4 : sizeof(nr))) ||
        !peer_blob_set(&sa->gxr, dh_public(sa->dh)) ||
        !dh_shared(sa->dh, ke->body, sa->gxy.bytes)) {
        peer_complain(p, "Diffie-Hellman failed");
        return;
    }
    sa->gxy.n = dh_secret_size(sa->suite.group);
    if (!peer_derive(p, sa)) {
        peer_complain(p, "key derivation failed");
        return;
    }
    peer_build_start(&b, sa, EXCH_MAIN, 0, 0);
    peer_build_payload(&b, PL_KE, ke_with_bugs(p, sa, room));
    peer_build_payload(&b, PL_NONCE, peer_blob_span(&sa->nr));
    peer_write_natd(p, sa, &b);
    if (!peer_build_done(&b, &reply))
        return;
    peer_digest(p, message, sa->last_in);
    sa->state = IKE_SENT4;
    answer_phase1(p, sa, reply, now);
}

bool peer_auth_hash(struct peer *p, const struct ike_sa *sa, bool of_initiator, struct span id,
                    uint8_t *out)
{
    const struct blob *mine = of_initiator ? &sa->gxi : &sa->gxr;
    const struct blob *other = of_initiator ? &sa->gxr : &sa->gxi;
    struct span parts[6] = {peer_blob_span(mine),
                            peer_blob_span(other),
                            span_of(of_initiator ? sa->cky_i : sa->cky_r, 8),
                            span_of(of_initiator ? sa->cky_r : sa->cky_i, 8),
                            span_of(sa->sai_b, sa->sai_n),
                            id};

    return peer_ike_prf(p, sa->suite.hash, span_of(sa->skeyid, hash_size(sa->suite.hash)), parts, 6,
                        out);
}

struct span peer_own_id(const struct peer *p, uint8_t body[PEER_ID_MAX])
{
    const struct inaddr *a = &p->config.local.addr;
    struct span id = p->config.id;

    memset(body, 0, 4);
    if (id.n == 0) {
        body[0] = a->family == 6 ? 5 : 1;
        memcpy(body + 4, a->bytes, inaddr_len(a));
        return span_of(body, 4 + inaddr_len(a));
    }
    body[0] = id.p[0];
    memcpy(body + 4, id.p + 1, id.n - 1);
    return span_of(body, 3 + id.n);
}

void peer_note_id(struct peer *p, struct span body)
{
    if (body.n < 5 || (body.p[0] == 1 && body.n != 8) || (body.p[0] == 5 && body.n != 20))
        peer_complain(p, "identity of type %u with %zu bytes", body.n ? body.p[0] : 0, body.n);
    /* RFC 2407 4.6.2 */
    if (body.n >= 4 && (body.p[1] || body.p[2] || body.p[3]) &&
        (body.p[1] != 17 || body.p[2] != 1 || body.p[3] != 0xf4))
        peer_complain(p, "identity of protocol %u", body.p[1]);
    if (body.n > sizeof(p->facts.client_id))
        return;
    if (p->facts.client_id_n && !span_eq(body, span_of(p->facts.client_id, p->facts.client_id_n)))
        peer_complain(p, "the client calls itself something else now");
    memcpy(p->facts.client_id, body.p, body.n);
    p->facts.client_id_n = body.n;
}

static void send_mm6(struct peer *p, struct ike_sa *sa, uint8_t iv[16], l2tpc_us now)
{
    size_t n = hash_size(sa->suite.hash);
    uint8_t id[PEER_ID_MAX], h[HASH_MAX];
    struct span reply, body = peer_own_id(p, id);
    bool clear = peer_bug(p, BUG_IKE_CLEAR_MM6);
    struct build b;

    if (!peer_auth_hash(p, sa, false, body, h))
        return;
    if (peer_bug(p, BUG_IKE_WRONG_HASH_R))
        h[n / 2] ^= 0x08;
    peer_build_start(&b, sa, EXCH_MAIN, clear ? 0 : ISAKMP_E, 0);
    peer_build_payload(&b, PL_ID, body);
    peer_build_payload(&b, PL_HASH, span_of(h, n));
    if (!(clear ? peer_build_done(&b, &reply) : peer_build_seal(p, &b, sa, iv, &reply)))
        return;
    memcpy(sa->iv, iv, sizeof(sa->iv));
    sa->state = IKE_UP;
    peer_renew_note_ike(p, sa, now);
    sa->dpd_due = sa->dpd && p->config.dpd ? us_add(now, p->config.dpd) : US_NEVER;
    peer_resend_arm(&sa->resend, reply, now, 0, 0);
    peer_ike_send(p, sa, reply);
}

static void mm5_failed(struct peer *p, struct ike_sa *sa, enum peer_port port,
                       const struct endpoint *from)
{
    p->facts.mm5_failed++;
    if (p->config.flavour != PEER_PPPD)
        return; /* SoftEther: silence, and message 4 again */
    sa->to = *from;
    sa->port = port;
    peer_send_notify(p, sa, 1, SPAN_NONE, 16, SPAN_NONE);
}

static void recv_mm5(struct peer *p, struct ike_sa *sa, enum peer_port port,
                     const struct endpoint *from, const struct isakmp *m, struct span message,
                     l2tpc_us now)
{
    uint8_t plain[PEER_MESSAGE_MAX], iv[16], h[HASH_MAX];
    const struct pl *id, *hash;
    struct chain c;

    p->facts.mm5_seen++;
    p->facts.mm5_modes += !sa->mm5_came;
    sa->mm5_came = true;
    if (m->flags != ISAKMP_E || m->msgid != 0)
        peer_complain(p, "message 5: flags %u", m->flags);
    if (sa->nat && sa->natt && port != PEER_UDP4500 && !p->config.natd_random)
        peer_complain(p, "a NAT was found, but message 5 came to port 500");
    memcpy(iv, sa->iv, sizeof(iv));
    if (!peer_ike_decrypt(p, sa, iv, m->body, plain) ||
        !peer_chain_split(span_of(plain, m->body.n), m->next, &c) ||
        !(id = peer_chain_find(&c, PL_ID, 0)) || !(hash = peer_chain_find(&c, PL_HASH, 0)) ||
        !peer_auth_hash(p, sa, true, id->body, h) ||
        !span_eq(hash->body, span_of(h, hash_size(sa->suite.hash)))) {
        mm5_failed(p, sa, port, from);
        return;
    }
    peer_note_id(p, id->body);
    if (port == PEER_UDP4500)
        p->facts.floated = true;
    sa->to = *from;
    sa->port = port;
    peer_digest(p, message, sa->last_in);
    send_mm6(p, sa, iv, now);
}

static bool repeated(struct peer *p, struct ike_sa *sa, struct span message)
{
    uint8_t d[32];

    peer_digest(p, message, d);
    if (memcmp(d, sa->last_in, sizeof(d)) != 0)
        return false;
    if (p->config.flavour != PEER_SOFTETHER || sa->state == IKE_UP)
        peer_ike_send(p, sa, span_of(sa->resend.bytes, sa->resend.n));
    return true;
}

/* ---- we begin, to renew ---- */
static bool arm(struct ike_sa *sa, struct peer *p, struct span message, l2tpc_us now)
{
    peer_resend_arm(&sa->resend, message, now, US_S(1), 6);
    peer_ike_send(p, sa, message);
    return true;
}

void peer_start_main(struct peer *p, l2tpc_us now)
{
    const struct ike_sa *like = peer_ike_newest(p);
    struct endpoint to;
    struct ike_sa *sa;
    enum peer_port port;
    struct ike_suite suite;
    struct build b;
    struct span out;
    uint32_t life;

    if (!like)
        return;
    to = like->to;
    port = p->config.main_on_500 ? PEER_UDP500 : like->port;
    if (p->config.main_on_500)
        to.port = 500;
    suite = like->suite;
    life = like->life_s;
    for (size_t i = 0; i < PEER_IKE_MAX; i++)
        p->ike[i].left = true;
    sa = peer_ike_sa_new(p);
    sa->to = to;
    sa->port = port;
    sa->suite = suite;
    sa->life_s = life;
    peer_rand(p, sa->cky_i, 8);
    peer_build_start(&b, sa, EXCH_MAIN, 0, 0);
    peer_proposal_offer_ike(&b, &suite, life);
    sa->sai_n = b.w.n - 32;
    memcpy(sa->sai_b, b.bytes + 32, sa->sai_n);
    peer_write_vendors(p, &b);
    if (peer_build_done(&b, &out) && arm(sa, p, out, now))
        sa->state = IKE_SENT1;
}

void peer_start_aggressive(struct peer *p, l2tpc_us now)
{
    const struct ike_sa *like = peer_ike_newest(p);
    struct ike_sa sa = {0};
    struct build b;
    struct span out;

    (void)now;
    if (!like)
        return;
    sa.to = like->to;
    sa.port = like->port;
    peer_rand(p, sa.cky_i, 8);
    peer_build_start(&b, &sa, 4, 0, 0);
    peer_proposal_offer_ike(&b, &like->suite, like->life_s);
    if (peer_build_done(&b, &out))
        peer_ike_send(p, &sa, out);
}

static void recv_mm2(struct peer *p, struct ike_sa *sa, const struct isakmp *m, struct span message,
                     l2tpc_us now)
{
    struct chain c;
    struct build b;
    struct span out;

    if (m->flags != 0 || !peer_chain_split(m->body, m->next, &c) || c.n == 0 ||
        c.pl[0].type != PL_SA) {
        peer_complain(p, "malformed main mode message 2");
        return;
    }
    memcpy(sa->cky_r, m->cky_r, 8);
    peer_read_vendors(p, &c, sa);
    if (sa->port == PEER_UDP4500 && sa->natt == 0)
        peer_complain(p, "a renewal on port 4500 without NAT traversal");
    sa->dh = dh_new(p->crypto, sa->suite.group, p->env);
    sa->ni.n = 16;
    peer_rand(p, sa->ni.bytes, 16);
    if (!sa->dh || !peer_blob_set(&sa->gxi, dh_public(sa->dh)))
        return;
    peer_build_start(&b, sa, EXCH_MAIN, 0, 0);
    peer_build_payload(&b, PL_KE, peer_blob_span(&sa->gxi));
    peer_build_payload(&b, PL_NONCE, peer_blob_span(&sa->ni));
    peer_write_natd(p, sa, &b);
    (void)message;
    if (peer_build_done(&b, &out) && arm(sa, p, out, now))
        sa->state = IKE_SENT3;
}

static void recv_mm4(struct peer *p, struct ike_sa *sa, const struct isakmp *m, struct span message,
                     l2tpc_us now)
{
    size_t n = hash_size(sa->suite.hash);
    uint8_t id[PEER_ID_MAX], h[HASH_MAX];
    struct span out, body = peer_own_id(p, id);
    const struct pl *ke, *nonce;
    struct chain c;
    struct build b;

    (void)message;
    if (m->flags != 0)
        return; /* message 2 again */
    if (!peer_chain_split(m->body, m->next, &c) || c.n == 0)
        return;
    if (c.pl[0].type == PL_SA)
        return;
    if (!(ke = peer_chain_find(&c, PL_KE, 0)) || !(nonce = peer_chain_find(&c, PL_NONCE, 0))) {
        peer_complain(p, "malformed main mode message 4");
        return;
    }
    peer_read_natd(p, sa, &c);
    if (!peer_blob_set(&sa->gxr, ke->body) || !peer_blob_set(&sa->nr, nonce->body) ||
        !dh_shared(sa->dh, ke->body, sa->gxy.bytes)) {
        peer_complain(p, "main mode 4: Diffie-Hellman failed");
        return;
    }
    sa->gxy.n = dh_secret_size(sa->suite.group);
    if (!peer_derive(p, sa) || !peer_auth_hash(p, sa, true, body, h))
        return;
    peer_build_start(&b, sa, EXCH_MAIN, ISAKMP_E, 0);
    peer_build_payload(&b, PL_ID, body);
    peer_build_payload(&b, PL_HASH, span_of(h, n));
    if (peer_build_seal(p, &b, sa, sa->iv, &out) && arm(sa, p, out, now))
        sa->state = IKE_SENT5;
}

static void recv_mm6(struct peer *p, struct ike_sa *sa, const struct isakmp *m, l2tpc_us now)
{
    uint8_t plain[PEER_MESSAGE_MAX], iv[16], h[HASH_MAX];
    const struct pl *id, *hash;
    struct chain c;

    if (m->flags != ISAKMP_E)
        return;
    memcpy(iv, sa->iv, sizeof(iv));
    if (!peer_ike_decrypt(p, sa, iv, m->body, plain) ||
        !peer_chain_split(span_of(plain, m->body.n), m->next, &c) ||
        !(id = peer_chain_find(&c, PL_ID, 0)) || !(hash = peer_chain_find(&c, PL_HASH, 0)) ||
        !peer_auth_hash(p, sa, false, id->body, h) ||
        !span_eq(hash->body, span_of(h, hash_size(sa->suite.hash)))) {
        peer_complain(p, "main mode 6 of the client does not prove it");
        return;
    }
    peer_note_id(p, id->body);
    memcpy(sa->iv, iv, sizeof(iv));
    sa->resend.left = 0;
    sa->state = IKE_UP;
    sa->dpd_due = sa->dpd && p->config.dpd ? us_add(now, p->config.dpd) : US_NEVER;
    p->facts.own_mains++;
    peer_renew_note_ike(p, sa, now);
}

static void recv_main(struct peer *p, struct ike_sa *sa, enum peer_port port,
                      const struct endpoint *from, const struct isakmp *m, struct span message,
                      l2tpc_us now)
{
    if (repeated(p, sa, message))
        return;
    if (sa->state == IKE_SENT1)
        recv_mm2(p, sa, m, message, now);
    else if (sa->state == IKE_SENT3)
        recv_mm4(p, sa, m, message, now);
    else if (sa->state == IKE_SENT5)
        recv_mm6(p, sa, m, now);
    else if (sa->state == IKE_SENT2)
        recv_mm3(p, sa, m, message, now);
    else if (sa->state == IKE_SENT4 && (m->flags & ISAKMP_E) && !peer_silent(p, STAGE_IKE_AUTH))
        recv_mm5(p, sa, port, from, m, message, now);
}

/* Without a responder cookie: a new exchange, or the first message once more. */
static void recv_first(struct peer *p, enum peer_port port, const struct endpoint *from,
                       const struct isakmp *m, struct span message, l2tpc_us now)
{
    for (size_t i = 0; i < PEER_IKE_MAX && p->config.flavour != PEER_SOFTETHER; i++) {
        struct ike_sa *sa = &p->ike[i];

        if (sa->state == IKE_FREE || memcmp(sa->cky_i, m->cky_i, 8) != 0)
            continue;
        if (sa->state == IKE_SENT2 || sa->state == IKE_AM2)
            (void)repeated(p, sa, message);
        return;
    }
    if (m->exchange == EXCH_MAIN)
        recv_mm1(p, port, from, m, message, now);
    else if (m->exchange == EXCH_AGGRESSIVE && p->config.aggressive)
        peer_recv_am1(p, port, from, m, message, now);
    else if (m->exchange != EXCH_INFO)
        peer_complain(p, "exchange type %u", m->exchange);
}

void peer_ike_input(struct peer *p, enum peer_port port, const struct endpoint *from,
                    struct span message, l2tpc_us now)
{
    static const uint8_t none[8];
    struct isakmp m;
    struct ike_sa *sa;

    if (message.n > PEER_MESSAGE_MAX || !peer_isakmp_read(message, &m)) {
        peer_complain(p, "malformed ISAKMP message of %zu bytes", message.n);
        return;
    }
    if (peer_silent(p, STAGE_IKE_PHASE1))
        return;
    if (m.next == PL_FRAGMENT) {
        uint8_t room[PEER_MESSAGE_MAX];
        struct span whole;

        if (sa_find(p, &m) && peer_fragment_recv(p, &m, room, &whole))
            peer_ike_input(p, port, from, whole, now);
        return;
    }
    if (memcmp(m.cky_r, none, sizeof(none)) == 0) {
        p->facts.aggressive_modes += m.exchange == EXCH_AGGRESSIVE;
        recv_first(p, port, from, &m, message, now);
        return;
    }
    sa = sa_find(p, &m);
    if (!sa)
        return;
    if (m.exchange == EXCH_MAIN) {
        recv_main(p, sa, port, from, &m, message, now);
        return;
    }
    if (m.exchange == EXCH_AGGRESSIVE && p->config.aggressive) {
        peer_recv_am3(p, sa, port, from, &m, now);
        return;
    }
    if (sa->state < IKE_UP || !(m.flags & ISAKMP_E) || m.msgid == 0) {
        /* Behind a message 3 of aggressive mode that was lost. */
        if (m.exchange != EXCH_INFO && sa->state != IKE_AM2)
            peer_complain(p, "phase 2 message without phase 1 or in clear");
        return;
    }
    if (peer_silent(p, STAGE_IKE_QUICK))
        return;
    sa->from = *from;
    sa->from_port = port;
    if (m.exchange == EXCH_QUICK)
        peer_recv_quick(p, sa, &m, message, now);
    else if (m.exchange == EXCH_INFO)
        peer_recv_info(p, sa, &m, now);
}

void peer_ike_proven(struct peer *p, struct ike_sa *sa)
{
    if (sa->port == sa->from_port && endpoint_eq(&sa->to, &sa->from))
        return;
    for (size_t i = 0; i < PEER_ESP_MAX; i++)
        if (p->esp[i].used && p->esp[i].udp && endpoint_eq(&p->esp[i].to, &sa->to))
            p->esp[i].to = sa->from;
    for (size_t i = 0; i < PEER_TUNNEL_MAX; i++)
        if (p->tunnel[i].used && endpoint_eq(&p->tunnel[i].client, &sa->to))
            p->tunnel[i].client = sa->from;
    sa->to = sa->from;
    sa->port = sa->from_port;
}

static void sa_timer(struct peer *p, struct ike_sa *sa, l2tpc_us now)
{
    struct resend *r = &sa->resend;

    if (sa->state >= IKE_SENT2 && sa->state < IKE_UP && r->left && r->due <= now) {
        r->left--;
        r->due = r->left ? us_add(now, r->step) : US_NEVER;
        peer_ike_send(p, sa, span_of(r->bytes, r->n));
    }
    if (sa->state == IKE_UP && sa->dpd_due <= now) {
        peer_send_dpd(p, sa);
        sa->dpd_due = us_add(now, p->config.dpd);
    }
    if (sa->state == IKE_UP && sa->quick_due && sa->quick_due <= now) {
        sa->quick_due = 0;
        peer_quick_start(p, sa, now);
    }
    for (size_t i = 0; i < PEER_QUICK_MAX; i++)
        peer_quick_timer(p, sa, &sa->quick[i], now);
    if (sa->state == IKE_DEAD && sa->dead_at <= now)
        peer_ike_sa_drop(p, sa);
}

void peer_ike_timer(struct peer *p, l2tpc_us now)
{
    for (size_t i = 0; i < PEER_IKE_MAX; i++)
        if (p->ike[i].state != IKE_FREE)
            sa_timer(p, &p->ike[i], now);
}

l2tpc_us peer_ike_deadline(const struct peer *p)
{
    l2tpc_us d = US_NEVER;

    for (size_t i = 0; i < PEER_IKE_MAX; i++) {
        const struct ike_sa *sa = &p->ike[i];

        if (sa->state == IKE_FREE)
            continue;
        if (sa->state >= IKE_SENT2 && sa->state < IKE_UP && sa->resend.left)
            d = us_min(d, sa->resend.due);
        if (sa->state == IKE_UP)
            d = us_min(d, sa->dpd_due);
        if (sa->state == IKE_UP && sa->quick_due)
            d = us_min(d, sa->quick_due);
        if (sa->state == IKE_DEAD)
            d = us_min(d, sa->dead_at);
        for (size_t k = 0; k < PEER_QUICK_MAX; k++)
            d = us_min(d, peer_quick_deadline(&sa->quick[k]));
    }
    return d;
}
