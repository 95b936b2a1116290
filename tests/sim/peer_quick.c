/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Quick mode in both roles (RFC 2409 5.5), transport mode for one UDP flow (RFC 3193). */
#include "peer_i.h"

void peer_quick_drop(struct quick *q)
{
    dh_free(q->dh);
    wipe(q, sizeof(*q));
}

static struct quick *quick_find(struct ike_sa *sa, uint32_t msgid)
{
    for (size_t i = 0; i < PEER_QUICK_MAX; i++)
        if (sa->quick[i].used && sa->quick[i].msgid == msgid)
            return &sa->quick[i];
    return NULL;
}

static struct quick *quick_new(struct ike_sa *sa, uint32_t msgid)
{
    struct quick *best = NULL;

    for (size_t i = 0; i < PEER_QUICK_MAX && !best; i++)
        if (!sa->quick[i].used)
            best = &sa->quick[i];
    for (size_t i = 0; i < PEER_QUICK_MAX && !best; i++)
        if (sa->quick[i].done)
            best = &sa->quick[i];
    if (!best)
        best = &sa->quick[0];
    peer_quick_drop(best);
    best->used = true;
    best->msgid = msgid;
    return best;
}

/* HASH(1) and HASH(2): over everything behind the HASH payload. `nonce` is empty for the first. */
static bool hash_rest(struct peer *p, const struct ike_sa *sa, uint32_t msgid, struct span nonce,
                      struct span rest, uint8_t *out)
{
    uint8_t id[4] = {(uint8_t)(msgid >> 24), (uint8_t)(msgid >> 16), (uint8_t)(msgid >> 8),
                     (uint8_t)msgid};
    struct span parts[3] = {SPAN_ARRAY(id), nonce, rest};

    return peer_ike_prf(p, sa->suite.hash, span_of(sa->skeyid_a, hash_size(sa->suite.hash)), parts,
                        3, out);
}

static bool hash_3(struct peer *p, const struct ike_sa *sa, const struct quick *q, uint8_t *out)
{
    uint8_t id[5] = {0, (uint8_t)(q->msgid >> 24), (uint8_t)(q->msgid >> 16),
                     (uint8_t)(q->msgid >> 8), (uint8_t)q->msgid};
    struct span parts[3] = {SPAN_ARRAY(id), peer_blob_span(&q->ni), peer_blob_span(&q->nr)};

    return peer_ike_prf(p, sa->suite.hash, span_of(sa->skeyid_a, hash_size(sa->suite.hash)), parts,
                        3, out);
}

/* Splits a decrypted message; nothing is believed before the HASH in front matches. */
static bool authentic(struct peer *p, const struct ike_sa *sa, const struct isakmp *m,
                      struct span plain, struct span nonce, struct chain *c)
{
    uint8_t h[HASH_MAX];
    size_t n;

    if (!peer_chain_split(plain, m->next, c) || c->n == 0 || c->pl[0].type != PL_HASH) {
        peer_complain(p, "quick mode: broken chain or no HASH in front");
        return false;
    }
    n = c->pl[0].whole.n;
    if (!hash_rest(p, sa, m->msgid, nonce, span_of(plain.p + n, c->used - n), h) ||
        !span_eq(c->pl[0].body, span_of(h, hash_size(sa->suite.hash)))) {
        peer_complain(p, "quick mode: HASH does not match");
        return false;
    }
    return true;
}

static bool read_selector(struct peer *p, const struct pl *pl, const char *name, uint8_t *copy,
                          size_t *copy_n, uint16_t *port)
{
    struct span b = pl->body;

    if (b.n < 8 || b.n > 64 || (b.p[0] == 1 && b.n != 8) || (b.p[0] == 5 && b.n != 20)) {
        peer_complain(p, "%s of %zu bytes", name, b.n);
        return false;
    }
    if (b.p[1] != 17)
        peer_complain(p, "%s: protocol %u instead of UDP", name, b.p[1]);
    *port = (uint16_t)(b.p[2] << 8 | b.p[3]);
    memcpy(copy, b.p, b.n);
    *copy_n = b.n;
    return true;
}

static bool read_selectors(struct peer *p, struct quick *q, const struct chain *c)
{
    const struct pl *ci = peer_chain_find(c, PL_ID, 0), *cr = peer_chain_find(c, PL_ID, 1);
    uint16_t server_port = 0;

    if (!ci && !cr)
        return true;
    if (!ci || !cr ||
        !read_selector(p, ci, "IDci", q->idci, &q->idci_n,
                       q->by_us ? &server_port : &q->client_port) ||
        !read_selector(p, cr, "IDcr", q->idcr, &q->idcr_n,
                       q->by_us ? &q->client_port : &server_port))
        return false;
    if (server_port != 1701 && server_port != 0) {
        peer_complain(p, "selector with server port %u", server_port);
        return false;
    }
    return true;
}

static void write_natoa(struct peer *p, const struct ike_sa *sa, struct build *b, bool client_first)
{
    const struct inaddr *a[2] = {client_first ? &sa->to.addr : &p->config.local.addr,
                                 client_first ? &p->config.local.addr : &sa->to.addr};

    for (size_t i = 0; i < 2; i++) {
        uint8_t body[20] = {a[i]->family == 6 ? 5 : 1};

        memcpy(body + 4, a[i]->bytes, inaddr_len(a[i]));
        peer_build_payload(b, sa->natt == PEER_NATT_RFC ? PL_NATOA : PL_NATOA_DRAFT,
                           span_of(body, 4 + inaddr_len(a[i])));
    }
}

/* The peer's part of a PFS exchange: our public value, and the shared one once theirs is there. */
static bool pfs_begin(struct peer *p, struct quick *q)
{
    q->dh = dh_new(p->crypto, q->pfs, p->env);
    return q->dh != NULL;
}

static bool pfs_end(struct peer *p, struct quick *q, const struct chain *c)
{
    const struct pl *ke = peer_chain_find(c, PL_KE, 0);

    if (!ke || !dh_shared(q->dh, ke->body, q->shared.bytes)) {
        peer_complain(p, "quick mode: PFS without a good KE");
        return false;
    }
    q->shared.n = dh_secret_size(q->pfs);
    return true;
}

static void new_nonce_and_spi(struct peer *p, struct quick *q, struct blob *nonce)
{
    peer_rand(p, nonce->bytes, 16);
    nonce->n = 16;
    q->spi_in = peer_rand_u32(p) | 0x1000;
}

static bool finish_protected(struct peer *p, const struct ike_sa *sa, struct quick *q,
                             struct build *b, size_t hash_at, struct span nonce, struct span *out)
{
    size_t n = hash_size(sa->suite.hash);
    size_t rest = hash_at + n;
    uint8_t h[HASH_MAX];

    if (b->w.failed ||
        !hash_rest(p, sa, q->msgid, nonce, span_of(b->bytes + rest, b->w.n - rest), h))
        return false;
    memcpy(b->bytes + hash_at, h, n);
    return peer_build_seal(p, b, sa, q->iv, out);
}

/* RFC 2407 4.6.3.1: what of ours is shorter than what the client offered. */
static void write_responder_lifetime(struct peer *p, struct quick *q, struct build *b)
{
    bool seconds = p->config.esp_life_s && p->config.esp_life_s < q->life_s;
    bool kb = p->config.esp_life_kb && (!q->life_kb || p->config.esp_life_kb < q->life_kb);
    struct wr_box box;

    if (!seconds && !kb)
        return;
    box = peer_build_open(b, PL_N);
    wr_u32(&b->w, 1);
    wr_u8(&b->w, 3);
    wr_u8(&b->w, 4);
    wr_u16(&b->w, 24576); /* RESPONDER-LIFETIME */
    wr_u32(&b->w, q->spi_in);
    if (seconds) {
        wr_u32(&b->w, 0x80010001);
        wr_u32(&b->w, 0x80020000 | p->config.esp_life_s);
        q->life_s = p->config.esp_life_s;
    }
    if (kb) {
        wr_u32(&b->w, 0x80010002);
        wr_u32(&b->w, 0x00020004);
        wr_u32(&b->w, p->config.esp_life_kb);
        q->life_kb = p->config.esp_life_kb;
    }
    wr_close(&b->w, box);
}

static void send_qm2(struct peer *p, struct ike_sa *sa, struct quick *q,
                     const struct esp_choice *ch, const struct chain *c, l2tpc_us now)
{
    bool commit = peer_bug(p, BUG_QM_COMMIT_CONNECTED | BUG_QM_COMMIT_QM4 | BUG_QM_COMMIT_NEVER);
    uint8_t oa = sa->natt == PEER_NATT_RFC ? PL_NATOA : PL_NATOA_DRAFT;
    struct build b;
    struct span reply;
    size_t at;

    peer_build_start(&b, sa, EXCH_QUICK, commit ? ISAKMP_E | ISAKMP_C : ISAKMP_E, q->msgid);
    at = peer_build_hash_room(&b, hash_size(sa->suite.hash));
    peer_proposal_write_esp(&b, ch, q->spi_in, p->config.bugs);
    peer_build_payload(&b, PL_NONCE, peer_blob_span(&q->nr));
    if (q->pfs != DH_NONE)
        peer_build_payload(&b, PL_KE, dh_public(q->dh));
    if (q->idci_n) {
        peer_build_payload(&b, PL_ID, span_of(q->idci, q->idci_n));
        peer_build_payload(&b, PL_ID, span_of(q->idcr, q->idcr_n));
    }
    if (peer_chain_find(c, oa, 0))
        write_natoa(p, sa, &b, true);
    write_responder_lifetime(p, q, &b);
    if (!finish_protected(p, sa, q, &b, at, peer_blob_span(&q->ni), &reply))
        return;
    if (p->config.flavour != PEER_PPPD && !peer_bug(p, BUG_QM_COMMIT_CONNECTED | BUG_QM_COMMIT_QM4))
        if (!peer_esp_install(p, sa, q, now))
            return;
    peer_resend_arm(&q->resend, reply, now, p->config.flavour == PEER_SOFTETHER ? US_S(2) : US_S(1),
                    5);
    peer_ike_send(p, sa, reply);
}

/* Answered with an error, or with nothing at all. */
static bool is_refused(struct peer *p, struct ike_sa *sa, const struct chain *c, struct span offer,
                       l2tpc_us now)
{
    const struct pl *id = peer_chain_find(c, PL_ID, 0);
    bool port = p->config.wants_1701 == PEER_1701_REFUSED && id && id->body.n >= 4 &&
                (id->body.p[2] << 8 | id->body.p[3]) != 1701;
    bool chokes = p->config.most_esp && peer_proposal_count(offer) > p->config.most_esp;

    p->facts.choked += chokes;
    if (!port && !chokes)
        return false;
    if (chokes && p->config.chokes_silently)
        return true;
    peer_send_notify(p, sa, 3, SPAN_NONE, port ? 18 : 14, SPAN_NONE);
    if (p->config.deletes_ike)
        peer_delete_ike(p, now);
    return true;
}

static void recv_qm1(struct peer *p, struct ike_sa *sa, const struct isakmp *m, struct span message,
                     l2tpc_us now)
{
    uint8_t plain[PEER_MESSAGE_MAX], iv[16];
    const struct pl *pl_sa, *nonce;
    struct esp_choice ch;
    struct chain c;
    struct quick *q;

    if (sa->left && p->config.only_newest)
        return;
    peer_ike_phase2_iv(p, sa, m->msgid, iv);
    if (!peer_ike_decrypt(p, sa, iv, m->body, plain) ||
        !authentic(p, sa, m, span_of(plain, m->body.n), SPAN_NONE, &c))
        return;
    peer_ike_proven(p, sa);
    if (!(pl_sa = peer_chain_find(&c, PL_SA, 0)) || !(nonce = peer_chain_find(&c, PL_NONCE, 0)) ||
        nonce->body.n < 8) {
        peer_complain(p, "quick mode 1 lacks SA or NONCE");
        return;
    }
    p->facts.quick_modes++;
    if (is_refused(p, sa, &c, pl_sa->body, now))
        return;
    if (peer_bug(p, BUG_QM_NO_PROPOSAL) || !peer_proposal_pick_esp(p, sa, pl_sa->body, &ch)) {
        peer_send_notify(p, sa, 3, SPAN_NONE, 14, SPAN_NONE);
        return;
    }
    q = quick_new(sa, m->msgid);
    memcpy(q->iv, iv, sizeof(iv));
    q->suite = ch.suite;
    q->encap = ch.encap;
    q->pfs = ch.pfs;
    q->life_s = ch.life_s;
    q->life_kb = ch.life_kb;
    q->spi_out = ch.spi;
    new_nonce_and_spi(p, q, &q->nr);
    if (peer_bug(p, BUG_QM_NO_KE))
        q->pfs = DH_NONE; /* as SoftEther does with a group that it does not know */
    if (!peer_blob_set(&q->ni, nonce->body) || !read_selectors(p, q, &c) ||
        (q->pfs != DH_NONE && (!pfs_begin(p, q) || !pfs_end(p, q, &c)))) {
        peer_quick_drop(q);
        return;
    }
    peer_digest(p, message, q->last_in);
    send_qm2(p, sa, q, &ch, &c, now);
}

static void send_connected(struct peer *p, struct ike_sa *sa, struct quick *q)
{
    uint8_t exchange = peer_bug(p, BUG_QM_COMMIT_QM4) ? EXCH_QUICK : EXCH_INFO;
    struct wr_box box;
    struct build b;
    struct span out;
    size_t at;

    /* RFC 2408 3.1: under the message id of the quick mode, whichever exchange carries it. */
    if (exchange == EXCH_INFO)
        peer_ike_phase2_iv(p, sa, q->msgid, q->iv);
    peer_build_start(&b, sa, exchange, ISAKMP_E, q->msgid);
    at = peer_build_hash_room(&b, hash_size(sa->suite.hash));
    box = peer_build_open(&b, PL_N);
    wr_u32(&b.w, 1);
    wr_u8(&b.w, 3);
    wr_u8(&b.w, 4);
    wr_u16(&b.w, 16384);
    wr_u32(&b.w, q->spi_in);
    wr_close(&b.w, box);
    if (finish_protected(p, sa, q, &b, at, SPAN_NONE, &out))
        peer_ike_send(p, sa, out);
}

static void recv_qm3(struct peer *p, struct ike_sa *sa, struct quick *q, const struct isakmp *m,
                     struct span message, l2tpc_us now)
{
    uint8_t plain[PEER_MESSAGE_MAX], iv[16], h[HASH_MAX];
    struct chain c;

    memcpy(iv, q->iv, sizeof(iv));
    if (!peer_ike_decrypt(p, sa, iv, m->body, plain) ||
        !peer_chain_split(span_of(plain, m->body.n), m->next, &c) || c.n == 0 ||
        c.pl[0].type != PL_HASH || !hash_3(p, sa, q, h) ||
        !span_eq(c.pl[0].body, span_of(h, hash_size(sa->suite.hash)))) {
        peer_complain(p, "quick mode 3: HASH does not match");
        return;
    }
    peer_ike_proven(p, sa);
    memcpy(q->iv, iv, sizeof(iv));
    peer_digest(p, message, q->last_in);
    q->done = true;
    q->resend.left = 0;
    q->resend.n = 0;
    if (peer_bug(p, BUG_QM_COMMIT_CONNECTED | BUG_QM_COMMIT_QM4)) {
        q->connected_due = us_add(now, US_MS(100));
        return;
    }
    if (!peer_esp_install(p, sa, q, now))
        peer_complain(p, "ESP pair could not be installed");
}

static void recv_qm2(struct peer *p, struct ike_sa *sa, struct quick *q, const struct isakmp *m,
                     struct span message, l2tpc_us now)
{
    uint8_t plain[PEER_MESSAGE_MAX], iv[16], h[HASH_MAX];
    const struct pl *pl_sa, *nonce;
    struct esp_choice ch;
    struct chain c;
    struct build b;
    struct span reply;

    memcpy(iv, q->iv, sizeof(iv));
    if (!peer_ike_decrypt(p, sa, iv, m->body, plain) ||
        !authentic(p, sa, m, span_of(plain, m->body.n), peer_blob_span(&q->ni), &c))
        return;
    peer_ike_proven(p, sa);
    if (!(pl_sa = peer_chain_find(&c, PL_SA, 0)) || !(nonce = peer_chain_find(&c, PL_NONCE, 0)) ||
        !peer_proposal_pick_esp(p, sa, pl_sa->body, &ch) || ch.suite.cipher != q->suite.cipher ||
        ch.suite.integ != q->suite.integ || ch.encap != q->encap || ch.pfs != q->pfs ||
        !peer_blob_set(&q->nr, nonce->body) || !read_selectors(p, q, &c) ||
        (q->pfs != DH_NONE && !pfs_end(p, q, &c))) {
        peer_complain(p, "quick mode 2 of the client is not what was offered");
        return;
    }
    memcpy(q->iv, iv, sizeof(iv));
    q->spi_out = ch.spi;
    peer_build_start(&b, sa, EXCH_QUICK, ISAKMP_E, q->msgid);
    if (!hash_3(p, sa, q, h))
        return;
    peer_build_payload(&b, PL_HASH, span_of(h, hash_size(sa->suite.hash)));
    if (!peer_build_seal(p, &b, sa, q->iv, &reply))
        return;
    q->done = true;
    p->facts.own_quicks++;
    if (!peer_esp_install(p, sa, q, now))
        peer_complain(p, "ESP pair could not be installed");
    peer_digest(p, message, q->last_in);
    peer_resend_arm(&q->resend, reply, now, 0, 0);
    peer_ike_send(p, sa, reply);
}

void peer_recv_quick(struct peer *p, struct ike_sa *sa, const struct isakmp *m, struct span message,
                     l2tpc_us now)
{
    struct quick *q = quick_find(sa, m->msgid);
    uint8_t d[32];

    if (!q) {
        if (sa->state == IKE_UP)
            recv_qm1(p, sa, m, message, now);
        return;
    }
    peer_digest(p, message, d);
    if (memcmp(d, q->last_in, sizeof(d)) == 0) {
        if (q->resend.n)
            peer_ike_send(p, sa, span_of(q->resend.bytes, q->resend.n));
        return;
    }
    if (q->done)
        return;
    if (q->by_us)
        recv_qm2(p, sa, q, m, message, now);
    else
        recv_qm3(p, sa, q, m, message, now);
}

static size_t selector(uint8_t out[64], const struct inaddr *a, uint16_t port)
{
    out[0] = a->family == 6 ? 5 : 1;
    out[1] = 17;
    out[2] = (uint8_t)(port >> 8);
    out[3] = (uint8_t)port;
    memcpy(out + 4, a->bytes, inaddr_len(a));
    return 4 + inaddr_len(a);
}

void peer_quick_start(struct peer *p, struct ike_sa *sa, l2tpc_us now)
{
    const struct esp_pair *like = peer_esp_newest(p);
    struct build b;
    struct span out;
    struct quick *q;
    size_t at;

    if (!like)
        like = &p->last_pair; /* all were deleted: as the last one was */
    if (like->suite.cipher == CIPHER_NONE)
        return;
    q = quick_new(sa, peer_rand_u32(p) | 1);
    q->by_us = true;
    q->suite = like->suite;
    q->pfs = like->pfs;
    q->encap = !like->udp ? 2 : sa->natt == PEER_NATT_RFC ? 4 : 61444;
    q->life_s = like->life_s ? like->life_s : 3600;
    new_nonce_and_spi(p, q, &q->ni);
    peer_ike_phase2_iv(p, sa, q->msgid, q->iv);
    q->idci_n = selector(q->idci, &p->config.local.addr, 1701);
    q->idcr_n = selector(q->idcr, &sa->to.addr, like->client_port);
    q->client_port = like->client_port;
    if (q->pfs != DH_NONE && !pfs_begin(p, q))
        return;
    peer_build_start(&b, sa, EXCH_QUICK, ISAKMP_E, q->msgid);
    at = peer_build_hash_room(&b, hash_size(sa->suite.hash));
    peer_proposal_offer_esp(&b, &q->suite, q->pfs, q->encap, q->life_s, q->spi_in);
    peer_build_payload(&b, PL_NONCE, peer_blob_span(&q->ni));
    if (q->pfs != DH_NONE)
        peer_build_payload(&b, PL_KE, dh_public(q->dh));
    peer_build_payload(&b, PL_ID, span_of(q->idci, q->idci_n));
    peer_build_payload(&b, PL_ID, span_of(q->idcr, q->idcr_n));
    if (like->udp)
        write_natoa(p, sa, &b, false);
    if (!finish_protected(p, sa, q, &b, at, SPAN_NONE, &out))
        return;
    peer_resend_arm(&q->resend, out, now, US_S(2), 5);
    peer_ike_send(p, sa, out);
}

void peer_quick_timer(struct peer *p, struct ike_sa *sa, struct quick *q, l2tpc_us now)
{
    struct resend *r = &q->resend;

    if (!q->used)
        return;
    if (q->connected_due && q->connected_due <= now) {
        q->connected_due = 0;
        if (!peer_esp_install(p, sa, q, now))
            peer_complain(p, "ESP pair could not be installed");
        send_connected(p, sa, q);
    }
    if (q->done || r->left == 0 || r->due > now)
        return;
    r->left--;
    r->due = r->left ? us_add(now, r->step) : US_NEVER;
    peer_ike_send(p, sa, span_of(r->bytes, r->n));
}

l2tpc_us peer_quick_deadline(const struct quick *q)
{
    l2tpc_us d = US_NEVER;

    if (!q->used)
        return d;
    if (q->connected_due)
        d = q->connected_due;
    if (!q->done && q->resend.left)
        d = us_min(d, q->resend.due);
    return d;
}
