/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The scripted responder: good manners by default, bad habits on request. */
#include "rig.h"

#include "ike/vendor.h"
#include "wire/rd.h"

#include <stdlib.h>
#include <string.h>

static void must(bool ok)
{
    if (!ok)
        abort();
}

/* ---- sending ---- */
static void send_datagram(struct rig *r, enum ike_port port, struct span bytes)
{
    struct flight *f;

    must(r->n_flight < RIG_FLIGHT && bytes.n <= sizeof(f->bytes));
    f = &r->flight[r->n_flight++];
    *f = (struct flight){.at = r->now + RIG_RTT, .port = port, .from = r->server.at, .n = bytes.n};
    f->from.port = port == IKE_PORT_4500 ? 4500 : 500;
    memcpy(f->bytes, bytes.p, bytes.n);
}

/* All under ID 1 and without the Encryption flag, as strongSwan and Libreswan do. */
static void send_fragments(struct rig *r, enum ike_port port, struct span bytes)
{
    size_t size = r->server.habits.fragment;
    uint8_t number = 1;

    for (size_t at = 0; at < bytes.n; at += size, number++) {
        size_t n = bytes.n - at < size ? bytes.n - at : size;
        uint8_t m[2048];

        must(n + 36 <= sizeof(m));
        memcpy(m, bytes.p, 28);
        m[16] = 132;
        m[19] &= 0xfe;
        m[24] = m[25] = m[28] = m[29] = m[32] = 0;
        m[26] = (uint8_t)((n + 36) >> 8);
        m[27] = (uint8_t)(n + 36);
        m[30] = (uint8_t)((n + 8) >> 8);
        m[31] = (uint8_t)(n + 8);
        m[33] = 1;
        m[34] = number;
        m[35] = at + n == bytes.n;
        memcpy(m + 36, bytes.p + at, n);
        send_datagram(r, port, span_of(m, n + 36));
    }
}

void server_send(struct rig *r, enum ike_port port, struct span bytes)
{
    const struct server *s = &r->server;

    if (s->habits.fragment && bytes.n > s->habits.fragment &&
        (s->client_fragments || s->habits.fragment_unasked))
        send_fragments(r, port, bytes);
    else
        send_datagram(r, port, bytes);
}

static enum ike_port own_port(const struct rig *r)
{
    return r->ike->facts.floated ? IKE_PORT_4500 : IKE_PORT_500;
}

enum verdict server_inject(struct rig *r, struct span bytes)
{
    struct endpoint from = r->server.at;

    from.port = own_port(r) == IKE_PORT_4500 ? 4500 : 500;
    return ike_input(r->ike, own_port(r), &from, bytes, r->now);
}

/* ---- offers ---- */
/* The n-th transform of the one proposal, its SPI, and the head of the answer. */
static struct span nth_transform(struct span sa, unsigned n, uint32_t *spi)
{
    struct rd rd = rd_of(sa);
    uint8_t spi_size = 0;
    uint16_t length;
    struct span t = SPAN_NONE;

    must(rd_skip(&rd, 8 + 6) && rd_u8(&rd, &spi_size) && rd_skip(&rd, 1));
    if (spi_size == 4)
        must(rd_u32(&rd, spi));
    for (unsigned i = 0; i <= n; i++) {
        must(rd_skip(&rd, 2) && rd_u16(&rd, &length) && rd_bytes(&rd, length - 4u, &t));
    }
    return t;
}

static void write_answer(struct wr *w, uint8_t protocol, uint32_t spi, struct span transform)
{
    struct wr_box p;
    struct wr_box t;

    wr_u32(w, 1);
    wr_u32(w, 1);
    wr_u16(w, 0);
    p = wr_open(w, 2);
    wr_u8(w, 1);
    wr_u8(w, protocol);
    wr_u8(w, protocol == PROTOCOL_ESP ? 4 : 0);
    wr_u8(w, 1);
    if (protocol == PROTOCOL_ESP)
        wr_u32(w, spi);
    wr_u16(w, 0);
    t = wr_open(w, 2);
    wr_bytes(w, transform);
    wr_close(w, t);
    wr_close(w, p);
}

/* ---- main mode ---- */
static void recv_mm1(struct rig *r, enum ike_port port, const struct isakmp_header *h,
                     const struct chain *c)
{
    struct server *s = &r->server;
    struct build b;
    struct wr_box box;
    struct span sa;
    struct span out;
    struct phase1_choice choice;
    uint8_t answer[512];
    struct wr w = wr_of(answer, sizeof(answer));
    struct span body;
    uint32_t spi;

    s->mm1s++;
    must(chain_get(c, PAYLOAD_SA, 0, &sa));
    if (s->habits.refuse_mm1) {
        must(env_rand(&s->env, s->cky_r, 8));
        build_start(&b, h->cky_i, s->cky_r, EXCHANGE_INFORMATIONAL, 0, 7);
        box = build_payload(&b, PAYLOAD_N);
        wr_u32(&b.w, 1);
        wr_u8(&b.w, 1);
        wr_u8(&b.w, 0);
        wr_u16(&b.w, s->habits.refuse_mm1);
        wr_close(&b.w, box);
        must(build_finish(&b, &out));
        server_send(r, port, out);
        return;
    }
    if (port == IKE_PORT_500 && (s->mm1s == 1 || s->habits.new_cookie_each)) {
        memcpy(s->cky_i, h->cky_i, 8);
        must(env_rand(&s->env, s->cky_r, 8));
        memcpy(s->sai_b, sa.p, sa.n);
        s->n_sai_b = sa.n;
    }
    write_answer(&w, PROTOCOL_ISAKMP, 0, nth_transform(sa, s->habits.transform, &spi));
    must(wr_finish(&w, &body));
    must(proposal_read_phase1(body, &r->ike->cfg.policy, 28800, &choice) == OFFER_OK);
    s->suite = choice.suite;
    build_start(&b, h->cky_i, s->cky_r, EXCHANGE_MAIN, 0, 0);
    build_bytes(&b, PAYLOAD_SA, body);
    if (!s->habits.no_natt)
        build_bytes(&b, PAYLOAD_VID,
                    vendor_bytes(s->habits.draft_natt ? VENDOR_NATT_02N : VENDOR_RFC3947));
    if (!s->habits.no_dpd && !s->habits.late_dpd)
        build_bytes(&b, PAYLOAD_VID, vendor_bytes(VENDOR_DPD));
    build_bytes(&b, PAYLOAD_VID, span_str("a vendor nobody knows"));
    for (unsigned i = 0; i < c->n_vid; i++)
        s->client_fragments |= vendor_find(c->vid[i]) == VENDOR_FRAGMENTATION;
    if (s->habits.fragment)
        build_bytes(&b, PAYLOAD_VID, vendor_bytes(VENDOR_FRAGMENTATION));
    must(build_finish(&b, &out));
    server_send(r, port, out);
}

static void recv_mm3(struct rig *r, const struct chain *c)
{
    struct server *s = &r->server;
    uint8_t nat_d = s->habits.draft_natt ? PAYLOAD_NAT_D_DRAFT : PAYLOAD_NAT_D;
    struct build b;
    struct span ke;
    struct span ni;
    struct span out;
    uint8_t digest[HASH_MAX];

    if (s->n_mm4) {
        server_send(r, IKE_PORT_500, span_of(s->mm4, s->n_mm4));
        return;
    }
    must(chain_get(c, PAYLOAD_KE, 0, &ke) && chain_get(c, PAYLOAD_NONCE, 0, &ni));
    s->dh = dh_new(s->c, s->suite.group, &s->env);
    must(s->dh && dh_shared(s->dh, ke, s->gxy));
    s->n_gxy = dh_secret_size(s->suite.group);
    memcpy(s->gxi, ke.p, ke.n);
    s->n_gxi = ke.n;
    memcpy(s->ni, ni.p, ni.n);
    s->n_ni = ni.n;
    s->n_gxr = dh_public(s->dh).n;
    memcpy(s->gxr, dh_public(s->dh).p, s->n_gxr);
    must(env_rand(&s->env, s->nr, sizeof(s->nr)));
    build_start(&b, s->cky_i, s->cky_r, EXCHANGE_MAIN, 0, 0);
    build_bytes(&b, PAYLOAD_KE, dh_public(s->dh));
    build_bytes(&b, PAYLOAD_NONCE, SPAN_ARRAY(s->nr));
    if (s->habits.request.n)
        build_bytes(&b, PAYLOAD_CR, s->habits.request);
    for (int i = 0; !s->habits.no_natt && i < 2 + s->habits.natd_extra; i++) {
        bool ours = i > 0;

        if (ours || s->habits.natd_true)
            must(keymat_nat_d(s->c, s->suite.hash, s->cky_i, s->cky_r, ours ? &s->at : &s->client,
                              digest));
        else
            must(env_rand(&s->env, digest, sizeof(digest)));
        build_bytes(&b, nat_d, span_of(digest, hash_size(s->suite.hash) - s->habits.natd_cut));
    }
    if (s->habits.late_dpd)
        build_bytes(&b, PAYLOAD_VID, vendor_bytes(VENDOR_DPD));
    must(build_finish(&b, &out));
    memcpy(s->mm4, out.p, out.n);
    s->n_mm4 = out.n;
    server_send(r, IKE_PORT_500, out);
}

static void garbled_notify(struct rig *r, enum ike_port port)
{
    struct build b;
    uint8_t noise[64];
    struct span out;

    must(env_rand(&r->server.env, noise, sizeof(noise)));
    build_start(&b, r->server.cky_i, r->server.cky_r, EXCHANGE_INFORMATIONAL,
                ISAKMP_FLAG_ENCRYPTION, 0x1234);
    wr_patch_u8(&b.w, 16, PAYLOAD_HASH);
    wr_bytes(&b.w, SPAN_ARRAY(noise));
    must(build_finish(&b, &out));
    server_send(r, port, out);
}

/* Decrypts in place of a copy; false when it is not for these keys. */
static bool open_message(struct server *s, const struct isakmp_header *h, struct span body,
                         uint8_t *iv, uint8_t *plain, struct chain *c)
{
    size_t block = cipher_block(s->keys.cipher);

    if (!s->has_keys || body.n == 0 || body.n % block)
        return false;
    memcpy(plain, body.p, body.n);
    must(cbc_crypt(s->c, s->keys.cipher, span_of(s->keys.ka, s->keys.n_ka), span_of(iv, block),
                   false, (struct mspan){plain, body.n}));
    memcpy(iv, body.p + body.n - block, block);
    return isakmp_split(h->next_payload, span_of(plain, body.n), c);
}

/* ---- message 5 and 6 with certificates ---- */
static void build_own_certs(const struct server *s, struct build *b)
{
    const struct cert_list *certs =
        s->habits.certs ? s->habits.certs : credential_chain(s->habits.credential);
    struct wr_box box;

    if (s->habits.pkcs7) {
        box = build_payload(b, PAYLOAD_CERT);
        wr_u8(&b->w, CERT_ENCODING_PKCS7);
        wr_bytes(&b->w, s->habits.bag);
        wr_close(&b->w, box);
        return;
    }
    for (unsigned i = 0; i < certs->n + s->habits.one_more; i++) {
        box = build_payload(b, PAYLOAD_CERT);
        wr_u8(&b->w, CERT_ENCODING_X509);
        wr_bytes(&b->w, cert_list_get(certs, i < certs->n ? i : certs->n - 1));
        wr_close(&b->w, box);
    }
    /* A revocation list, which nobody asked for: an encoding that is passed over. */
    box = build_payload(b, PAYLOAD_CERT);
    wr_u8(&b->w, 7);
    wr_u32(&b->w, 0);
    wr_close(&b->w, box);
}

static void check_client(struct rig *r, const struct chain *c, struct span id)
{
    struct server *s = &r->server;
    uint8_t want[HASH_MAX];
    struct span cert;
    struct span sig;

    must(keymat_hash_phase1(s->c, &s->keys, span_of(s->gxi, s->n_gxi), span_of(s->gxr, s->n_gxr),
                            s->cky_i, s->cky_r, span_of(s->sai_b, s->n_sai_b), id, want));
    must(chain_get(c, PAYLOAD_SIG, 0, &sig) && chain_get(c, PAYLOAD_CERT, 0, &cert) && cert.n > 1 &&
         cert.p[0] == CERT_ENCODING_X509);
    must(cert_verify_hash(s->c, span_of(cert.p + 1, cert.n - 1), r->shown.auth,
                          span_of(want, s->keys.n), sig));
}

static void recv_signed_mm5(struct rig *r, enum ike_port port, const struct isakmp_header *h,
                            struct span body)
{
    struct server *s = &r->server;
    struct phase1_inputs in = {.ni = span_of(s->ni, s->n_ni),
                               .nr = SPAN_ARRAY(s->nr),
                               .gxy = span_of(s->gxy, s->n_gxy),
                               .cky_i = s->cky_i,
                               .cky_r = s->cky_r,
                               .signatures = true};
    const struct cert_id *name = credential_id(s->habits.credential);
    struct chain c;
    struct build b;
    struct span id, out;
    uint8_t plain[8192], hash[HASH_MAX], own[4 + CERT_ID_MAX] = {name->type}, sig[SIGN_MAX];
    size_t n_sig;

    s->mm5s++;
    memcpy(own + 4, name->bytes, name->n);
    id = s->habits.id.n ? s->habits.id : span_of(own, 4 + name->n);
    if (s->n_mm6) {
        server_send(r, port, span_of(s->mm6, s->n_mm6));
        return;
    }
    must(ike_keys_derive(s->c, &s->suite, &in, &s->keys));
    s->has_keys = true;
    must(keymat_iv_phase1(s->c, &s->keys, span_of(s->gxi, s->n_gxi), span_of(s->gxr, s->n_gxr),
                          s->iv));
    must(open_message(s, h, body, s->iv, plain, &c));
    must(chain_get(&c, PAYLOAD_ID, 0, &out));
    check_client(r, &c, out);
    if (s->habits.refuse_mm5) {
        server_send_notify(r, NOTIFY_AUTHENTICATION_FAILED, SPAN_NONE, SPAN_NONE);
        return;
    }
    must(keymat_hash_phase1(s->c, &s->keys, span_of(s->gxr, s->n_gxr), span_of(s->gxi, s->n_gxi),
                            s->cky_r, s->cky_i, span_of(s->sai_b, s->n_sai_b), id, hash));
    must(credential_sign(s->habits.credential, span_of(hash, s->keys.n), sig, &n_sig));
    if (s->habits.bad_signature)
        sig[n_sig / 2] ^= 1;
    build_start(&b, s->cky_i, s->cky_r, EXCHANGE_MAIN, ISAKMP_FLAG_ENCRYPTION, 0);
    build_bytes(&b, PAYLOAD_ID, id);
    build_own_certs(s, &b);
    build_bytes(&b, PAYLOAD_SIG, span_of(sig, n_sig));
    must(build_seal(&b, s->c, &s->keys, s->iv, &out));
    memcpy(s->mm6, out.p, out.n);
    s->n_mm6 = out.n;
    s->up = true;
    server_send(r, port, out);
}

/* RFC 2407 4.6.3.1, for the IKE SA. */
static void build_ike_lifetime(struct server *s, struct build *b)
{
    uint8_t bytes[44];
    struct wr w = wr_of(bytes, sizeof(bytes));
    struct span body;

    wr_u32(&w, DOI_IPSEC);
    wr_u8(&w, PROTOCOL_ISAKMP);
    wr_u8(&w, 16);
    wr_u16(&w, NOTIFY_RESPONDER_LIFETIME);
    wr_bytes(&w, SPAN_ARRAY(s->cky_i));
    wr_bytes(&w, SPAN_ARRAY(s->cky_r));
    wr_u32(&w, 0x80010001);
    wr_u32(&w, 0x00020004);
    wr_u32(&w, s->habits.mm6_lifetime);
    must(wr_finish(&w, &body));
    build_bytes(b, PAYLOAD_N, body);
}

static void recv_mm5(struct rig *r, enum ike_port port, const struct isakmp_header *h,
                     struct span body)
{
    struct server *s = &r->server;
    struct phase1_inputs in = {.psk = span_str(s->habits.psk ? s->habits.psk : r->psk),
                               .ni = span_of(s->ni, s->n_ni),
                               .nr = SPAN_ARRAY(s->nr),
                               .gxy = span_of(s->gxy, s->n_gxy),
                               .cky_i = s->cky_i,
                               .cky_r = s->cky_r};
    struct chain c;
    struct build b;
    struct span id;
    struct span hash;
    struct span out;
    uint8_t plain[2048];
    uint8_t want[HASH_MAX];
    uint8_t own_id[20] = {s->at.addr.family == 6 ? ID_TYPE_IPV6_ADDR : ID_TYPE_IPV4_ADDR};
    struct span own = s->habits.id.n ? s->habits.id : span_of(own_id, 4 + inaddr_len(&s->at.addr));

    s->mm5s++;
    memcpy(own_id + 4, s->at.addr.bytes, inaddr_len(&s->at.addr));
    if (s->n_mm6) {
        server_send(r, port, span_of(s->mm6, s->n_mm6));
        return;
    }
    must(ike_keys_derive(s->c, &s->suite, &in, &s->keys));
    s->has_keys = true;
    must(keymat_iv_phase1(s->c, &s->keys, span_of(s->gxi, s->n_gxi), span_of(s->gxr, s->n_gxr),
                          s->iv));
    if (!open_message(s, h, body, s->iv, plain, &c) || !chain_get(&c, PAYLOAD_ID, 0, &id) ||
        !chain_get(&c, PAYLOAD_HASH, 0, &hash)) {
        if (s->habits.garbles_on_psk)
            garbled_notify(r, port);
        return;
    }
    must(keymat_hash_phase1(s->c, &s->keys, span_of(s->gxi, s->n_gxi), span_of(s->gxr, s->n_gxr),
                            s->cky_i, s->cky_r, span_of(s->sai_b, s->n_sai_b), id, want));
    must(span_eq(hash, span_of(want, s->keys.n)));
    must(keymat_hash_phase1(s->c, &s->keys, span_of(s->gxr, s->n_gxr), span_of(s->gxi, s->n_gxi),
                            s->cky_r, s->cky_i, span_of(s->sai_b, s->n_sai_b), own, want));
    if (s->habits.wrong_hash_r)
        want[0] ^= 1;
    build_start(&b, s->cky_i, s->cky_r, EXCHANGE_MAIN, ISAKMP_FLAG_ENCRYPTION, 0);
    build_bytes(&b, PAYLOAD_ID, own);
    build_bytes(&b, PAYLOAD_HASH, span_of(want, s->keys.n));
    if (s->habits.mm6_lifetime)
        build_ike_lifetime(s, &b);
    must(build_seal(&b, s->c, &s->keys, s->iv, &out));
    memcpy(s->mm6, out.p, out.n);
    s->n_mm6 = out.n;
    s->up = true;
    server_send(r, port, out);
}

/* ---- quick mode ---- */
static void fill_hash(struct server *s, struct build *b, size_t at, uint32_t mid,
                      struct span before)
{
    uint8_t hash[HASH_MAX];

    must(keymat_hash_exchange(s->c, &s->keys, mid, before, build_behind(b, at, s->keys.n), hash) ||
         before.n);
    if (before.n)
        must(keymat_hash_exchange(s->c, &s->keys, mid, before, build_behind(b, at, s->keys.n),
                                  hash));
    build_hash_fill(b, at, span_of(hash, s->keys.n));
}

static void make_keys(struct server *s, struct span gxy)
{
    struct quick_inputs in = {
        .gxy = gxy, .ni = span_of(s->qm_ni, s->n_qm_ni), .nr = span_of(s->qm_nr, s->n_qm_nr)};

    must(keymat_esp(s->c, &s->keys, &s->esp, &in, s->spi_in, &s->in));
    must(keymat_esp(s->c, &s->keys, &s->esp, &in, s->spi_out, &s->out));
}

static void answer_qm1(struct rig *r, enum ike_port port, const struct chain *c)
{
    struct server *s = &r->server;
    enum dh_group pfs = s->habits.needs_pfs ? ike_facts(r->ike)->suite.group : r->cfg.policy.pfs;
    struct esp_offer offer = {.policy = &r->cfg.policy,
                              .pfs = pfs,
                              .encapsulation = natt_encapsulation_mode(r->ike),
                              .lifetime_s = 3600};
    struct esp_choice choice;
    uint8_t answer[512];
    struct wr w = wr_of(answer, sizeof(answer));
    struct build b;
    struct wr_box box;
    struct span sa, ni, ke, id, body, out;
    uint8_t gxy[DH_MAX];
    size_t n_gxy = 0;
    size_t at;

    must(chain_get(c, PAYLOAD_SA, 0, &sa) && chain_get(c, PAYLOAD_NONCE, 0, &ni));
    memcpy(s->qm_ni, ni.p, ni.n);
    s->n_qm_ni = ni.n;
    s->n_qm_nr = 16;
    must(env_rand(&s->env, s->qm_nr, 16));
    s->spi_in = 0xabcd0001;
    write_answer(&w, PROTOCOL_ESP, s->spi_in,
                 nth_transform(sa, s->habits.esp_transform, &s->spi_out));
    must(wr_finish(&w, &body));
    must(proposal_read_esp(body, &offer, &choice) == OFFER_OK);
    if (s->habits.esp_life) {
        /* The life duration stands behind encapsulation mode and life type. */
        w = wr_of(answer + 8 + 12 + 8 + 12, 4);
        wr_u32(&w, s->habits.esp_life);
    }
    s->esp = choice.suite;
    build_start(&b, s->cky_i, s->cky_r, EXCHANGE_QUICK,
                ISAKMP_FLAG_ENCRYPTION |
                    (s->habits.commit || s->habits.commit_silent ? ISAKMP_FLAG_COMMIT : 0),
                s->mid);
    at = build_hash(&b, s->keys.n);
    build_bytes(&b, PAYLOAD_SA, body);
    build_bytes(&b, PAYLOAD_NONCE, span_of(s->qm_nr, s->n_qm_nr));
    if (chain_get(c, PAYLOAD_KE, 0, &ke) && !s->habits.no_ke) {
        struct dh *dh = dh_new(s->c, pfs, &s->env);

        must(dh && dh_shared(dh, ke, gxy));
        n_gxy = dh_secret_size(pfs);
        build_bytes(&b, PAYLOAD_KE, dh_public(dh));
        dh_free(dh);
    }
    for (unsigned i = 0; chain_get(c, PAYLOAD_ID, i, &id); i++) {
        uint8_t body_id[32];

        memcpy(body_id, id.p, id.n);
        if (i == 0 && s->habits.id_port) {
            body_id[2] = (uint8_t)(s->habits.id_port >> 8);
            body_id[3] = (uint8_t)s->habits.id_port;
        }
        build_bytes(&b, PAYLOAD_ID, span_of(body_id, id.n));
    }
    for (size_t i = 0; i < 2 && s->habits.nat_oa[i].family; i++)
        build_nat_oa(&b, s->habits.draft_natt ? PAYLOAD_NAT_OA_DRAFT : PAYLOAD_NAT_OA,
                     &s->habits.nat_oa[i]);
    if (s->habits.responder_lifetime) {
        box = build_payload(&b, PAYLOAD_N);
        wr_u32(&b.w, 1);
        wr_u8(&b.w, PROTOCOL_ESP);
        wr_u8(&b.w, 4);
        wr_u16(&b.w, NOTIFY_RESPONDER_LIFETIME);
        wr_u32(&b.w, s->spi_in);
        wr_u32(&b.w, 0x80010001);
        wr_u32(&b.w, 0x00020004);
        wr_u32(&b.w, s->habits.responder_lifetime);
        wr_close(&b.w, box);
    }
    make_keys(s, span_of(gxy, n_gxy));
    fill_hash(s, &b, at, s->mid, span_of(s->qm_ni, s->n_qm_ni));
    must(build_seal(&b, s->c, &s->keys, s->qm_iv, &out));
    memcpy(s->qm2, out.p, out.n);
    s->n_qm2 = out.n;
    server_send(r, port, out);
}

static void send_connected(struct rig *r)
{
    struct server *s = &r->server;
    struct build b;
    struct wr_box box;
    struct span out;
    size_t at;

    build_start(&b, s->cky_i, s->cky_r, EXCHANGE_QUICK, ISAKMP_FLAG_ENCRYPTION, s->mid);
    at = build_hash(&b, s->keys.n);
    box = build_payload(&b, PAYLOAD_N);
    wr_u32(&b.w, 1);
    wr_u8(&b.w, PROTOCOL_ESP);
    wr_u8(&b.w, 4);
    wr_u16(&b.w, NOTIFY_CONNECTED);
    wr_u32(&b.w, s->spi_in);
    wr_close(&b.w, box);
    fill_hash(s, &b, at, s->mid, SPAN_NONE);
    must(build_seal(&b, s->c, &s->keys, s->qm_iv, &out));
    server_send(r, own_port(r), out);
}

static void recv_quick(struct rig *r, enum ike_port port, const struct isakmp_header *h,
                       struct span body, struct span whole)
{
    struct server *s = &r->server;
    uint8_t plain[2048];
    uint8_t want[HASH_MAX];
    struct chain c;
    struct span hash;

    if (s->n_last_qm1 && span_eq(whole, span_of(s->last_qm1, s->n_last_qm1))) {
        server_send(r, port, span_of(s->qm2, s->n_qm2));
        return;
    }
    if (h->message_id != s->mid) {
        s->mid = h->message_id;
        memcpy(s->last_qm1, whole.p, whole.n);
        s->n_last_qm1 = whole.n;
        must(keymat_iv_exchange(s->c, &s->keys, s->iv, s->mid, s->qm_iv));
        must(open_message(s, h, body, s->qm_iv, plain, &c));
        must(keymat_hash_exchange(s->c, &s->keys, s->mid, c.after_first, SPAN_NONE, want) &&
             chain_get(&c, PAYLOAD_HASH, 0, &hash) && span_eq(hash, span_of(want, s->keys.n)));
        if (s->habits.refuse_qm1)
            server_send_notify(r, s->habits.refuse_qm1, SPAN_NONE, SPAN_NONE);
        else if (s->habits.needs_pfs && chain_count(&c, PAYLOAD_KE) == 0)
            server_send_notify(r, NOTIFY_NO_PROPOSAL_CHOSEN, SPAN_NONE, SPAN_NONE);
        else
            answer_qm1(r, port, &c);
        return;
    }
    s->qm3s++;
    if (s->qm_done)
        return;
    must(open_message(s, h, body, s->qm_iv, plain, &c));
    must(keymat_hash3(s->c, &s->keys, s->mid, span_of(s->qm_ni, s->n_qm_ni),
                      span_of(s->qm_nr, s->n_qm_nr), want) &&
         chain_get(&c, PAYLOAD_HASH, 0, &hash) && span_eq(hash, span_of(want, s->keys.n)));
    s->qm_done = true;
    if (s->habits.commit)
        send_connected(r);
}

/* The server as initiator: message 2 of the client came back. */
static void recv_own_qm2(struct rig *r, const struct isakmp_header *h, struct span body)
{
    struct server *s = &r->server;
    uint8_t plain[2048];
    uint8_t want[HASH_MAX];
    uint8_t iv[16];
    struct chain c;
    struct span hash, nr, out;
    struct span sa = SPAN_NONE;
    struct span ke;
    uint8_t gxy[DH_MAX];
    size_t n_gxy = 0;
    struct build b;
    struct esp_choice choice;
    struct esp_offer offer = {.policy = &r->cfg.policy,
                              .pfs = s->habits.own_pfs,
                              .encapsulation = natt_encapsulation_mode(r->ike),
                              .lifetime_s = 3600};

    memcpy(iv, s->qm_iv, sizeof(iv));
    must(open_message(s, h, body, iv, plain, &c));
    must(chain_get(&c, PAYLOAD_HASH, 0, &hash) && chain_get(&c, PAYLOAD_SA, 0, &sa) &&
         chain_get(&c, PAYLOAD_NONCE, 0, &nr));
    must(keymat_hash_exchange(s->c, &s->keys, s->mid, span_of(s->qm_ni, s->n_qm_ni), c.after_first,
                              want) &&
         span_eq(hash, span_of(want, s->keys.n)));
    must(proposal_read_esp(sa, &offer, &choice) == OFFER_OK);
    s->spi_out = choice.spi;
    s->esp = choice.suite;
    memcpy(s->qm_nr, nr.p, nr.n);
    s->n_qm_nr = nr.n;
    memcpy(s->qm_iv, iv, sizeof(iv));
    if (s->qm_dh) {
        must(chain_get(&c, PAYLOAD_KE, 0, &ke) && dh_shared(s->qm_dh, ke, gxy));
        n_gxy = dh_secret_size(s->habits.own_pfs);
    }
    make_keys(s, span_of(gxy, n_gxy));
    must(keymat_hash3(s->c, &s->keys, s->mid, span_of(s->qm_ni, s->n_qm_ni),
                      span_of(s->qm_nr, s->n_qm_nr), want));
    build_start(&b, s->cky_i, s->cky_r, EXCHANGE_QUICK, ISAKMP_FLAG_ENCRYPTION, s->mid);
    build_bytes(&b, PAYLOAD_HASH, span_of(want, s->keys.n));
    must(build_seal(&b, s->c, &s->keys, s->qm_iv, &out));
    server_send(r, own_port(r), out);
    s->mid = 0;
}

void server_start_quick(struct rig *r, const struct esp_suite *suite, uint32_t mid)
{
    struct server *s = &r->server;
    struct policy p = {.esp = {*suite}, .n_esp = 1};
    struct esp_offer offer = {.policy = &p,
                              .pfs = s->habits.own_pfs,
                              .encapsulation = natt_encapsulation_mode(r->ike),
                              .lifetime_s = 3600,
                              .spi = 0xabcd0002};
    struct build b;
    struct wr_box box;
    struct span out;
    size_t at;

    s->mid = mid;
    s->spi_in = offer.spi;
    s->qm_done = false;
    s->n_qm_ni = 16;
    must(env_rand(&s->env, s->qm_ni, 16));
    must(keymat_iv_exchange(s->c, &s->keys, s->iv, mid, s->qm_iv));
    build_start(&b, s->cky_i, s->cky_r, EXCHANGE_QUICK, ISAKMP_FLAG_ENCRYPTION, mid);
    at = build_hash(&b, s->keys.n);
    box = build_payload(&b, PAYLOAD_SA);
    proposal_write_esp(&b.w, &offer);
    wr_close(&b.w, box);
    build_bytes(&b, PAYLOAD_NONCE, span_of(s->qm_ni, s->n_qm_ni));
    if (s->habits.own_pfs) {
        s->qm_dh = dh_new(s->c, s->habits.own_pfs, &s->env);
        must(s->qm_dh != NULL);
        build_bytes(&b, PAYLOAD_KE, dh_public(s->qm_dh));
    }
    build_identity(&b, 17, 1701, &s->at.addr);
    build_identity(&b, 17, r->cfg.inner_port, &s->client.addr);
    fill_hash(s, &b, at, mid, SPAN_NONE);
    must(build_seal(&b, s->c, &s->keys, s->qm_iv, &out));
    server_send(r, own_port(r), out);
}

/* ---- informational ---- */
bool server_build_info(struct rig *r, uint8_t payload, struct span body, uint32_t mid,
                       struct span *out, struct build *b)
{
    struct server *s = &r->server;
    uint8_t iv[16];
    size_t at;

    must(keymat_iv_exchange(s->c, &s->keys, s->iv, mid, iv));
    build_start(b, s->cky_i, s->cky_r, EXCHANGE_INFORMATIONAL, ISAKMP_FLAG_ENCRYPTION, mid);
    at = build_hash(b, s->keys.n);
    build_bytes(b, payload, body);
    fill_hash(s, b, at, mid, SPAN_NONE);
    return build_seal(b, s->c, &s->keys, iv, out);
}

static void send_info(struct rig *r, uint8_t payload, struct span body)
{
    struct build b;
    struct span out;
    uint32_t mid;

    must(env_rand_u32(&r->server.env, &mid));
    must(server_build_info(r, payload, body, mid, &out, &b));
    server_send(r, own_port(r), out);
}

void server_send_lifetime(struct rig *r, uint32_t spi, const uint32_t *attributes, unsigned n)
{
    uint8_t bytes[64];
    struct wr w = wr_of(bytes, sizeof(bytes));
    struct span body;

    wr_u32(&w, DOI_IPSEC);
    wr_u8(&w, spi ? PROTOCOL_ESP : PROTOCOL_ISAKMP);
    wr_u8(&w, spi ? 4 : 0);
    wr_u16(&w, NOTIFY_RESPONDER_LIFETIME);
    if (spi)
        wr_u32(&w, spi);
    for (unsigned i = 0; i < n; i++)
        wr_u32(&w, attributes[i]);
    must(wr_finish(&w, &body));
    send_info(r, PAYLOAD_N, body);
}

void server_send_notify(struct rig *r, uint16_t type, struct span spi, struct span data)
{
    uint8_t bytes[64];
    struct wr w = wr_of(bytes, sizeof(bytes));
    struct span body;

    wr_u32(&w, 1);
    wr_u8(&w, spi.n == 16 ? PROTOCOL_ISAKMP : PROTOCOL_ESP);
    wr_u8(&w, (uint8_t)spi.n);
    wr_u16(&w, type);
    wr_bytes(&w, spi);
    wr_bytes(&w, data);
    must(wr_finish(&w, &body));
    send_info(r, PAYLOAD_N, body);
}

void server_send_dpd(struct rig *r, uint16_t type, uint32_t seq)
{
    uint8_t spi[16];
    uint8_t data[4] = {(uint8_t)(seq >> 24), (uint8_t)(seq >> 16), (uint8_t)(seq >> 8),
                       (uint8_t)seq};

    memcpy(spi, r->server.cky_i, 8);
    memcpy(spi + 8, r->server.cky_r, 8);
    server_send_notify(r, type, SPAN_ARRAY(spi), SPAN_ARRAY(data));
}

void server_send_delete_esp(struct rig *r, uint32_t spi)
{
    uint8_t bytes[12];
    struct wr w = wr_of(bytes, sizeof(bytes));

    wr_u32(&w, 1);
    wr_u8(&w, PROTOCOL_ESP);
    wr_u8(&w, 4);
    wr_u16(&w, 1);
    wr_u32(&w, spi);
    send_info(r, PAYLOAD_D, SPAN_ARRAY(bytes));
}

void server_send_delete_ike(struct rig *r)
{
    uint8_t bytes[24];
    struct wr w = wr_of(bytes, sizeof(bytes));

    wr_u32(&w, 1);
    wr_u8(&w, PROTOCOL_ISAKMP);
    wr_u8(&w, 16);
    wr_u16(&w, 1);
    wr_bytes(&w, SPAN_ARRAY(r->server.cky_i));
    wr_bytes(&w, SPAN_ARRAY(r->server.cky_r));
    send_info(r, PAYLOAD_D, SPAN_ARRAY(bytes));
}

static void recv_info(struct rig *r, const struct isakmp_header *h, struct span body)
{
    struct server *s = &r->server;
    uint8_t plain[2048];
    uint8_t iv[16];
    uint8_t want[HASH_MAX];
    struct chain c;
    struct span hash;
    struct span n_body;
    struct notify n;
    struct rd rd;
    uint32_t seq;

    must(keymat_iv_exchange(s->c, &s->keys, s->iv, h->message_id, iv));
    must(open_message(s, h, body, iv, plain, &c));
    must(keymat_hash_exchange(s->c, &s->keys, h->message_id, c.after_first, SPAN_NONE, want) &&
         chain_get(&c, PAYLOAD_HASH, 0, &hash) && span_eq(hash, span_of(want, s->keys.n)));
    s->deletes += chain_count(&c, PAYLOAD_D);
    if (!chain_get(&c, PAYLOAD_N, 0, &n_body) || !isakmp_parse_notify(n_body, &n))
        return;
    rd = rd_of(n.data);
    if (n.type == NOTIFY_R_U_THERE) {
        s->r_u_theres++;
        must(rd_u32(&rd, &seq));
        server_send_dpd(r, NOTIFY_R_U_THERE_ACK, seq);
    } else if (n.type == NOTIFY_R_U_THERE_ACK) {
        s->acks++;
    } else if (n.type < NOTIFY_STATUS_FIRST) {
        s->errors++;
        s->last_error = n.type;
    }
}

/* Puts pieces together until the last one and all before it are there. */
static void recv_fragment(struct rig *r, enum ike_port port, struct span bytes)
{
    struct server *s = &r->server;
    uint8_t whole[IKE_MESSAGE_MAX];
    size_t n = 0;
    unsigned number = bytes.p[34];

    must(s->habits.fragment && bytes.n > 36 && bytes.p[28] == 0 && number > 0 && number <= 16);
    must((bytes.p[19] & ISAKMP_FLAG_ENCRYPTION) == 0 && bytes.n <= 576 - 28);
    must((bytes.p[30] << 8 | bytes.p[31]) == (int)bytes.n - 28);
    s->fragments++;
    memcpy(s->piece[number - 1], bytes.p, bytes.n);
    s->n_piece[number - 1] = bytes.n;
    for (unsigned i = 0; i < 16 && s->n_piece[i]; i++) {
        must(n + s->n_piece[i] - 36 <= sizeof(whole));
        memcpy(whole + n, s->piece[i] + 36, s->n_piece[i] - 36);
        n += s->n_piece[i] - 36;
        if (s->piece[i][35] & 1) {
            memset(s->n_piece, 0, sizeof(s->n_piece));
            server_recv(r, port, span_of(whole, n));
            return;
        }
    }
}

void server_recv(struct rig *r, enum ike_port port, struct span bytes)
{
    struct server *s = &r->server;
    struct isakmp_header h;
    struct span body;
    struct chain c;
    static const uint8_t zero[8];
    bool encrypted;

    must(isakmp_parse_header(bytes, &h, &body));
    if (h.next_payload == 132) {
        recv_fragment(r, port, bytes);
        return;
    }
    encrypted = h.flags & ISAKMP_FLAG_ENCRYPTION;
    if (!encrypted)
        must(isakmp_split(h.next_payload, body, &c));
    if (h.exchange == EXCHANGE_MAIN && memcmp(h.cky_r, zero, 8) == 0)
        recv_mm1(r, port, &h, &c);
    else if (memcmp(h.cky_i, s->cky_i, 8) != 0 || memcmp(h.cky_r, s->cky_r, 8) != 0)
        return;
    else if (h.exchange == EXCHANGE_MAIN && !encrypted)
        recv_mm3(r, &c);
    else if (h.exchange == EXCHANGE_MAIN && s->habits.credential)
        recv_signed_mm5(r, port, &h, body);
    else if (h.exchange == EXCHANGE_MAIN)
        recv_mm5(r, port, &h, body);
    else if (h.exchange == EXCHANGE_QUICK && h.message_id == s->mid && s->n_qm_ni &&
             s->spi_in == 0xabcd0002)
        recv_own_qm2(r, &h, body);
    else if (h.exchange == EXCHANGE_QUICK)
        recv_quick(r, port, &h, body, bytes);
    else if (h.exchange == EXCHANGE_INFORMATIONAL && s->up)
        recv_info(r, &h, body);
}
