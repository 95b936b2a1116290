/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "responder.h"

#include "ike/v1/parse.h"
#include "ike/vendor.h"

#include <string.h>

#define SPI_AT 16 /* of the first proposal, in the body of an SA payload */

static const struct ike_suite ike_suite = {CIPHER_AES_CBC, 128, HASH_SHA256, DH_X25519};
static const struct esp_suite esp_suite = {CIPHER_AES_CBC, 128, HASH_SHA1, false};

void responder_policy(struct policy *out)
{
    memset(out, 0, sizeof(*out));
    out->ike[0] = ike_suite;
    out->n_ike = 1;
    out->esp[0] = esp_suite;
    out->n_esp = 1;
}

void responder_init(struct responder *r, const struct env *env, bool natt)
{
    *r = (struct responder){.env = env, .natt = natt};
    FUZZ_REQUIRE(env_rand(env, r->cky_r, sizeof(r->cky_r)));
    r->cky_r[0] |= 1;
    FUZZ_REQUIRE(env_rand(env, r->nr, sizeof(r->nr)));
}

void responder_free(struct responder *r)
{
    dh_free(r->dh);
    r->dh = NULL;
}

/* ---- building ---- */
static void apply_patch(struct responder *r, struct build *b, size_t from)
{
    struct rd p = rd_of(r->patch);
    uint16_t at;
    uint8_t value;

    while (b->w.n > from && rd_u16(&p, &at) && rd_u8(&p, &value))
        wr_patch_u8(&b->w, from + at % (b->w.n - from), value);
    r->patch = SPAN_NONE;
}

static struct mspan finish_clear(struct responder *r, struct build *b)
{
    struct span out;

    apply_patch(r, b, ISAKMP_HEADER_LEN);
    FUZZ_REQUIRE(build_finish(b, &out));
    return fuzz_copy(out);
}

static struct mspan finish_sealed(struct responder *r, struct build *b, uint8_t *iv)
{
    struct span out;

    return build_seal(b, fuzz_crypto(), &r->keys, iv, &out) ? fuzz_copy(out) : fuzz_copy(SPAN_NONE);
}

static void hash_behind(struct responder *r, struct build *b, size_t at, uint32_t message_id,
                        struct span before)
{
    uint8_t hash[HASH_MAX];
    struct span behind;

    apply_patch(r, b, at + r->keys.n);
    behind = build_behind(b, at, r->keys.n);
    FUZZ_REQUIRE(keymat_hash_exchange(fuzz_crypto(), &r->keys, message_id, before, behind, hash));
    build_hash_fill(b, at, span_of(hash, r->keys.n));
}

static struct mspan build_mm2(struct responder *r, const uint8_t *cky_i, struct span sai)
{
    struct build b;

    build_start(&b, cky_i, r->cky_r, EXCHANGE_MAIN, 0, 0);
    build_bytes(&b, PAYLOAD_SA, sai); /* one offer: the answer is the offer */
    if (r->natt)
        build_bytes(&b, PAYLOAD_VID, vendor_bytes(VENDOR_RFC3947));
    build_bytes(&b, PAYLOAD_VID, vendor_bytes(VENDOR_DPD));
    return finish_clear(r, &b);
}

/* ---- main mode ---- */
static bool take(const struct chain *c, uint8_t type, unsigned index, uint8_t *out, size_t cap,
                 size_t *out_n)
{
    struct span s;

    if (!chain_get(c, type, index, &s) || s.n > cap)
        return false;
    memcpy(out, s.p, s.n);
    *out_n = s.n;
    return true;
}

static struct mspan answer_mm1(struct responder *r, const struct isakmp_header *h,
                               const struct chain *c)
{
    struct span sai;

    /* With keys already there it is a probe of port 4500: answered and forgotten. */
    if (r->has_keys)
        return chain_get(c, PAYLOAD_SA, 0, &sai) ? build_mm2(r, h->cky_i, sai)
                                                 : fuzz_copy(SPAN_NONE);
    memcpy(r->cky_i, h->cky_i, sizeof(r->cky_i));
    if (!take(c, PAYLOAD_SA, 0, r->sai, sizeof(r->sai), &r->n_sai))
        return fuzz_copy(SPAN_NONE);
    return build_mm2(r, r->cky_i, span_of(r->sai, r->n_sai));
}

static bool derive(struct responder *r)
{
    uint8_t gxy[64];
    struct phase1_inputs in = {.psk = span_str(RESPONDER_PSK),
                               .ni = span_of(r->ni, r->n_ni),
                               .nr = SPAN_ARRAY(r->nr),
                               .gxy = span_of(gxy, dh_secret_size(DH_X25519)),
                               .cky_i = r->cky_i,
                               .cky_r = r->cky_r};

    return dh_shared(r->dh, span_of(r->gxi, r->n_gxi), gxy) &&
           ike_keys_derive(fuzz_crypto(), &ike_suite, &in, &r->keys) &&
           keymat_iv_phase1(fuzz_crypto(), &r->keys, span_of(r->gxi, r->n_gxi),
                            span_of(r->gxr, r->n_gxr), r->iv);
}

static struct mspan answer_mm3(struct responder *r, const struct chain *c)
{
    static const uint8_t natd[32] = {0xda};
    struct build b;

    if (r->has_keys || !take(c, PAYLOAD_KE, 0, r->gxi, sizeof(r->gxi), &r->n_gxi) ||
        !take(c, PAYLOAD_NONCE, 0, r->ni, sizeof(r->ni), &r->n_ni))
        return fuzz_copy(SPAN_NONE);
    dh_free(r->dh);
    r->dh = dh_new(fuzz_crypto(), DH_X25519, r->env);
    FUZZ_REQUIRE(r->dh && dh_public(r->dh).n <= sizeof(r->gxr));
    r->n_gxr = dh_public(r->dh).n;
    memcpy(r->gxr, dh_public(r->dh).p, r->n_gxr);
    r->has_keys = derive(r);
    build_start(&b, r->cky_i, r->cky_r, EXCHANGE_MAIN, 0, 0);
    build_bytes(&b, PAYLOAD_KE, span_of(r->gxr, r->n_gxr));
    build_bytes(&b, PAYLOAD_NONCE, SPAN_ARRAY(r->nr));
    for (unsigned i = 0; r->natt && i < 2; i++)
        build_bytes(&b, PAYLOAD_NAT_D, SPAN_ARRAY(natd));
    return finish_clear(r, &b);
}

static struct mspan answer_mm5(struct responder *r)
{
    uint8_t id[] = {ID_TYPE_IPV4_ADDR, 0, 0, 0, 198, 51, 100, 7};
    struct rd p = rd_of(r->patch);
    uint8_t hash[HASH_MAX];
    struct build b;
    uint16_t at;
    uint8_t value;

    while (rd_u16(&p, &at) && rd_u8(&p, &value))
        id[at % sizeof(id)] = value;
    r->patch = SPAN_NONE;
    FUZZ_REQUIRE(keymat_hash_phase1(fuzz_crypto(), &r->keys, span_of(r->gxr, r->n_gxr),
                                    span_of(r->gxi, r->n_gxi), r->cky_r, r->cky_i,
                                    span_of(r->sai, r->n_sai), SPAN_ARRAY(id), hash));
    build_start(&b, r->cky_i, r->cky_r, EXCHANGE_MAIN, ISAKMP_FLAG_ENCRYPTION, 0);
    build_bytes(&b, PAYLOAD_ID, SPAN_ARRAY(id));
    build_bytes(&b, PAYLOAD_HASH, span_of(hash, r->keys.n));
    return finish_sealed(r, &b, r->iv);
}

/* ---- aggressive mode ---- */
static bool answer_share(struct responder *r, const struct chain *c)
{
    if (!take(c, PAYLOAD_SA, 0, r->sai, sizeof(r->sai), &r->n_sai) ||
        !take(c, PAYLOAD_KE, 0, r->gxi, sizeof(r->gxi), &r->n_gxi) ||
        !take(c, PAYLOAD_NONCE, 0, r->ni, sizeof(r->ni), &r->n_ni))
        return false;
    dh_free(r->dh);
    r->dh = dh_new(fuzz_crypto(), DH_X25519, r->env);
    FUZZ_REQUIRE(r->dh && dh_public(r->dh).n <= sizeof(r->gxr));
    r->n_gxr = dh_public(r->dh).n;
    memcpy(r->gxr, dh_public(r->dh).p, r->n_gxr);
    return derive(r);
}

/* A patch that begins at 0x8000 or above changes the identity, under a right HASH. */
static void patch_identity(struct responder *r, uint8_t *id, size_t n)
{
    struct rd p = rd_of(r->patch);
    uint16_t at;
    uint8_t value;

    if (r->patch.n < 3 || !(r->patch.p[0] & 0x80))
        return;
    while (rd_u16(&p, &at) && rd_u8(&p, &value))
        id[at % n] = value;
    r->patch = SPAN_NONE;
}

static struct mspan answer_am1(struct responder *r, const struct isakmp_header *h,
                               const struct chain *c)
{
    static const uint8_t natd[32] = {0xda};
    uint8_t id[] = {ID_TYPE_FQDN, 0, 0, 0, 'f', 'u', 'z', 'z'};
    uint8_t hash[HASH_MAX];
    struct build b;

    if (r->has_keys)
        return fuzz_copy(SPAN_NONE);
    memcpy(r->cky_i, h->cky_i, sizeof(r->cky_i));
    r->has_keys = answer_share(r, c);
    if (!r->has_keys)
        return fuzz_copy(SPAN_NONE);
    patch_identity(r, id, sizeof(id));
    FUZZ_REQUIRE(keymat_hash_phase1(fuzz_crypto(), &r->keys, span_of(r->gxr, r->n_gxr),
                                    span_of(r->gxi, r->n_gxi), r->cky_r, r->cky_i,
                                    span_of(r->sai, r->n_sai), SPAN_ARRAY(id), hash));
    build_start(&b, r->cky_i, r->cky_r, EXCHANGE_AGGRESSIVE, 0, 0);
    build_bytes(&b, PAYLOAD_SA, span_of(r->sai, r->n_sai));
    build_bytes(&b, PAYLOAD_KE, span_of(r->gxr, r->n_gxr));
    build_bytes(&b, PAYLOAD_NONCE, SPAN_ARRAY(r->nr));
    build_bytes(&b, PAYLOAD_ID, SPAN_ARRAY(id));
    build_bytes(&b, PAYLOAD_HASH, span_of(hash, r->keys.n));
    if (r->natt)
        build_bytes(&b, PAYLOAD_VID, vendor_bytes(VENDOR_RFC3947));
    build_bytes(&b, PAYLOAD_VID, vendor_bytes(VENDOR_DPD));
    for (unsigned i = 0; r->natt && i < 2; i++)
        build_bytes(&b, PAYLOAD_NAT_D, SPAN_ARRAY(natd));
    return finish_clear(r, &b);
}

/* ---- quick mode ---- */
static void fill_sa(struct responder *r, uint32_t spi_client, uint32_t spi_own)
{
    struct quick_inputs in = {.ni = span_of(r->quick.ni, r->quick.n_ni),
                              .nr = SPAN_ARRAY(r->quick.nr)};

    r->sa = (struct sa_pair){
        .suite = esp_suite, .udp_encapsulated = r->natt, .behind_nat = r->natt, .local_port = 1701};
    r->has_sa = keymat_esp(fuzz_crypto(), &r->keys, &esp_suite, &in, spi_own, &r->sa.in) &&
                keymat_esp(fuzz_crypto(), &r->keys, &esp_suite, &in, spi_client, &r->sa.out);
}

static struct mspan build_qm2(struct responder *r, struct mspan sa, const struct span id[2])
{
    uint8_t flags = ISAKMP_FLAG_ENCRYPTION;
    struct build b;
    size_t at;

    if (r->commit)
        flags |= ISAKMP_FLAG_COMMIT;
    build_start(&b, r->cky_i, r->cky_r, EXCHANGE_QUICK, flags, r->quick.message_id);
    at = build_hash(&b, r->keys.n);
    build_bytes(&b, PAYLOAD_SA, span_ro(sa));
    build_bytes(&b, PAYLOAD_NONCE, SPAN_ARRAY(r->quick.nr));
    build_bytes(&b, PAYLOAD_ID, id[0]);
    build_bytes(&b, PAYLOAD_ID, id[1]);
    hash_behind(r, &b, at, r->quick.message_id, span_of(r->quick.ni, r->quick.n_ni));
    return finish_sealed(r, &b, r->quick.iv);
}

static struct mspan answer_qm1(struct responder *r, const struct chain *c)
{
    struct mspan answer;
    struct mspan sa;
    struct span body;
    struct span id[2];
    uint32_t theirs;
    uint32_t own;
    struct rd spi;

    if (!chain_get(c, PAYLOAD_SA, 0, &body) || !chain_get(c, PAYLOAD_ID, 0, &id[0]) ||
        !chain_get(c, PAYLOAD_ID, 1, &id[1]) || body.n < SPI_AT + 4 ||
        !take(c, PAYLOAD_NONCE, 0, r->quick.ni, sizeof(r->quick.ni), &r->quick.n_ni))
        return fuzz_copy(SPAN_NONE);
    sa = fuzz_copy(body);
    spi = rd_of(span_of(sa.p + SPI_AT, 4));
    FUZZ_REQUIRE(rd_u32(&spi, &theirs) && env_rand(r->env, sa.p + SPI_AT, 4));
    FUZZ_REQUIRE(env_rand(r->env, r->quick.nr, sizeof(r->quick.nr)));
    sa.p[SPI_AT] |= 0x40;
    spi = rd_of(span_of(sa.p + SPI_AT, 4));
    FUZZ_REQUIRE(rd_u32(&spi, &own));
    fill_sa(r, theirs, own);
    if (id[0].n >= 4)
        r->sa.remote_port = (uint16_t)(id[0].p[2] << 8 | id[0].p[3]);
    answer = build_qm2(r, sa, id);
    free(sa.p);
    return answer;
}

/* The client answered our quick mode: HASH(3) ends it. */
static struct mspan answer_qm2(struct responder *r, const struct chain *c)
{
    uint8_t hash[HASH_MAX];
    struct span nr;
    struct build b;

    if (!chain_get(c, PAYLOAD_NONCE, 0, &nr) ||
        !keymat_hash3(fuzz_crypto(), &r->keys, r->own.message_id, span_of(r->own.ni, r->own.n_ni),
                      nr, hash))
        return fuzz_copy(SPAN_NONE);
    build_start(&b, r->cky_i, r->cky_r, EXCHANGE_QUICK, ISAKMP_FLAG_ENCRYPTION, r->own.message_id);
    build_bytes(&b, PAYLOAD_HASH, span_of(hash, r->keys.n));
    return finish_sealed(r, &b, r->own.iv);
}

/* ---- reading ---- */
static bool open_message(struct responder *r, const struct isakmp_header *h, struct mspan body,
                         uint8_t *iv, struct chain *out)
{
    uint8_t last[IKE_BLOCK_MAX];

    if (!r->has_keys || body.n < IKE_BLOCK_MAX || body.n % IKE_BLOCK_MAX != 0)
        return false;
    memcpy(last, body.p + body.n - IKE_BLOCK_MAX, IKE_BLOCK_MAX);
    if (!cbc_crypt(fuzz_crypto(), r->keys.cipher, span_of(r->keys.ka, r->keys.n_ka),
                   span_of(iv, IKE_BLOCK_MAX), false, body))
        return false;
    memcpy(iv, last, IKE_BLOCK_MAX);
    return isakmp_split(h->next_payload, span_ro(body), out);
}

/* R-U-THERE is answered with its own data (RFC 3706 5.3). */
static struct mspan answer_info(struct responder *r, const struct isakmp_header *h,
                                struct mspan body)
{
    uint8_t iv[IKE_BLOCK_MAX];
    uint8_t ack[64];
    struct span n;
    struct chain c;

    if (!r->has_keys)
        return fuzz_copy(SPAN_NONE);
    FUZZ_REQUIRE(keymat_iv_exchange(fuzz_crypto(), &r->keys, r->iv, h->message_id, iv));
    if (!open_message(r, h, body, iv, &c) || !chain_get(&c, PAYLOAD_N, 0, &n) || n.n < 8 ||
        n.n + 4 > sizeof(ack) || n.p[6] != NOTIFY_R_U_THERE >> 8 ||
        n.p[7] != (NOTIFY_R_U_THERE & 255))
        return fuzz_copy(SPAN_NONE);
    memcpy(ack, (const uint8_t[]){0, 0, 0, (uint8_t)(n.n + 4)}, 4);
    memcpy(ack + 4, n.p, n.n);
    ack[4 + 6] = NOTIFY_R_U_THERE_ACK >> 8;
    ack[4 + 7] = NOTIFY_R_U_THERE_ACK & 255;
    return responder_seal(r, RESPONDER_INFO, true, PAYLOAD_N, span_of(ack, n.n + 4));
}

static struct mspan answer_encrypted(struct responder *r, const struct isakmp_header *h,
                                     struct mspan body)
{
    uint8_t iv[IKE_BLOCK_MAX];
    struct chain c;

    if (h->exchange == EXCHANGE_MAIN) {
        memcpy(iv, r->iv, sizeof(iv));
        if (!open_message(r, h, body, iv, &c))
            return fuzz_copy(SPAN_NONE);
        memcpy(r->iv, iv, sizeof(iv));
        return answer_mm5(r);
    }
    if (h->exchange == EXCHANGE_AGGRESSIVE) { /* message 3: taken once, never answered */
        memcpy(iv, r->iv, sizeof(iv));
        if (!r->am3_seen && open_message(r, h, body, iv, &c)) {
            memcpy(r->iv, iv, sizeof(iv));
            r->am3_seen = true;
        }
        return fuzz_copy(SPAN_NONE);
    }
    if (h->exchange == EXCHANGE_INFORMATIONAL)
        return answer_info(r, h, body);
    if (h->exchange != EXCHANGE_QUICK || h->message_id == r->quick.message_id || !r->has_keys)
        return fuzz_copy(SPAN_NONE);
    if (h->message_id == r->own.message_id)
        return open_message(r, h, body, r->own.iv, &c) ? answer_qm2(r, &c) : fuzz_copy(SPAN_NONE);
    r->quick.message_id = h->message_id;
    FUZZ_REQUIRE(keymat_iv_exchange(fuzz_crypto(), &r->keys, r->iv, h->message_id, r->quick.iv));
    if (!open_message(r, h, body, r->quick.iv, &c))
        return fuzz_copy(SPAN_NONE);
    memcpy(r->quick.qm1_iv, r->quick.iv, sizeof(r->quick.qm1_iv));
    return answer_qm1(r, &c);
}

struct mspan responder_answer(struct responder *r, struct span message)
{
    static const uint8_t zero[8];
    struct isakmp_header h;
    struct span body;
    struct mspan copy;
    struct mspan answer;
    struct chain c;

    if (!isakmp_parse_header(message, &h, &body))
        return fuzz_copy(SPAN_NONE);
    if (h.flags & ISAKMP_FLAG_ENCRYPTION) {
        copy = fuzz_copy(body);
        answer = answer_encrypted(r, &h, copy);
        free(copy.p);
        return answer;
    }
    if (h.exchange == EXCHANGE_AGGRESSIVE && isakmp_split(h.next_payload, body, &c))
        return answer_am1(r, &h, &c);
    if (h.exchange != EXCHANGE_MAIN || !isakmp_split(h.next_payload, body, &c))
        return fuzz_copy(SPAN_NONE);
    if (memcmp(h.cky_r, zero, sizeof(zero)) == 0)
        return answer_mm1(r, &h, &c);
    return answer_mm3(r, &c);
}

/* ---- messages of the caller's making ---- */
static uint8_t *choose_exchange(struct responder *r, enum responder_exchange kind,
                                uint8_t *exchange, uint32_t *message_id, struct span *before,
                                uint8_t *scratch)
{
    *exchange = kind == RESPONDER_INFO ? EXCHANGE_INFORMATIONAL : EXCHANGE_QUICK;
    *before = SPAN_NONE;
    switch (kind) {
    case RESPONDER_QM2:
        *message_id = r->quick.message_id;
        *before = span_of(r->quick.ni, r->quick.n_ni);
        memcpy(scratch, r->quick.qm1_iv, IKE_BLOCK_MAX);
        return scratch;
    case RESPONDER_MM6:
        *exchange = EXCHANGE_MAIN;
        *message_id = 0;
        memcpy(scratch, r->iv, IKE_BLOCK_MAX);
        return scratch;
    case RESPONDER_QM1:
        FUZZ_REQUIRE(env_rand_u32(r->env, &r->own.message_id));
        *message_id = r->own.message_id;
        scratch = r->own.iv;
        break;
    default:
        FUZZ_REQUIRE(env_rand_u32(r->env, message_id));
        break;
    }
    FUZZ_REQUIRE(keymat_iv_exchange(fuzz_crypto(), &r->keys, r->iv, *message_id, scratch));
    return scratch;
}

/* What a script cannot know stands in it as a word: the SPI of our inbound SA, the cookies. */
static struct mspan fill_in(const struct responder *r, struct span chain)
{
    struct mspan m = fuzz_copy(chain);
    uint32_t spi = r->sa.in.spi;

    for (size_t i = 0; i + 4 <= m.n; i++)
        if (memcmp(m.p + i, "SPI!", 4) == 0)
            for (unsigned k = 0; k < 4; k++)
                m.p[i + k] = (uint8_t)(spi >> (24 - 8 * k));
    for (size_t i = 0; i + 16 <= m.n; i++) {
        if (memcmp(m.p + i, "ISAKMP-COOKIES!!", 16) != 0)
            continue;
        memcpy(m.p + i, r->cky_i, 8);
        memcpy(m.p + i + 8, r->cky_r, 8);
    }
    return m;
}

struct mspan responder_seal(struct responder *r, enum responder_exchange kind, bool hash,
                            uint8_t first, struct span chain)
{
    uint8_t scratch[IKE_BLOCK_MAX];
    uint8_t exchange;
    uint32_t message_id;
    struct span before;
    struct build b;
    struct chain c;
    uint8_t *iv;
    size_t at = 0;
    struct mspan filled;

    if (!r->has_keys || chain.n > FUZZ_STEP_MAX)
        return fuzz_copy(SPAN_NONE);
    iv = choose_exchange(r, kind, &exchange, &message_id, &before, scratch);
    if (kind == RESPONDER_QM1)
        r->own.n_ni = 0;
    if (kind == RESPONDER_QM1 && isakmp_split(first, chain, &c))
        (void)take(&c, PAYLOAD_NONCE, 0, r->own.ni, sizeof(r->own.ni), &r->own.n_ni);
    build_start(&b, r->cky_i, r->cky_r, exchange, ISAKMP_FLAG_ENCRYPTION, message_id);
    if (hash)
        at = build_hash(&b, r->keys.n);
    wr_patch_u8(&b.w, b.next_at, first);
    filled = fill_in(r, chain);
    wr_bytes(&b.w, span_ro(filled));
    free(filled.p);
    if (hash)
        hash_behind(r, &b, at, message_id, before);
    if (b.w.n == ISAKMP_HEADER_LEN)
        return fuzz_copy(SPAN_NONE);
    return finish_sealed(r, &b, iv);
}
