/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ike/v1/keymat.h"

#include "base/limits.h"
#include "base/secret.h"
#include "wire/wr.h"

#include <string.h>

static bool prf(struct crypto *c, const struct ike_keys *keys, const uint8_t *key,
                const struct span *parts, size_t n_parts, uint8_t *out)
{
    return hmac_parts(c, keys->hash, span_of(key, keys->n), parts, n_parts, out);
}

static void put_u32(uint8_t out[4], uint32_t v)
{
    struct wr w = wr_of(out, 4);

    wr_u32(&w, v);
}

/* SKEYID_d, _a and _e: prf(SKEYID, previous | g^xy | CKY-I | CKY-R | number). */
static bool skeyid_next(struct crypto *c, const struct ike_keys *keys,
                        const struct phase1_inputs *in, struct span previous, uint8_t number,
                        uint8_t *out)
{
    struct span parts[] = {previous, in->gxy, span_of(in->cky_i, ISAKMP_COOKIE_LEN),
                           span_of(in->cky_r, ISAKMP_COOKIE_LEN), span_of(&number, 1)};

    return prf(c, keys, keys->skeyid, parts, ARRAY_LEN(parts), out);
}

/* RFC 2409 appendix B: K1 = prf(SKEYID_e, 0), K2 = prf(SKEYID_e, K1), ... when it is too short. */
static bool expand_ka(struct crypto *c, struct ike_keys *keys)
{
    uint8_t block[HASH_MAX] = {0};
    struct span feed = span_of(block, 1);
    size_t done = 0;
    bool ok = true;

    if (keys->n_ka <= keys->n) {
        memcpy(keys->ka, keys->skeyid_e, keys->n_ka);
        return true;
    }
    while (ok && done < keys->n_ka) {
        size_t n = keys->n_ka - done < keys->n ? keys->n_ka - done : keys->n;
        uint8_t next[HASH_MAX];

        ok = prf(c, keys, keys->skeyid_e, &feed, 1, next);
        memcpy(block, next, sizeof(block));
        feed = span_of(block, keys->n);
        memcpy(keys->ka + done, block, n);
        done += n;
        wipe(next, sizeof(next));
    }
    wipe(block, sizeof(block));
    return ok;
}

static bool is_des(enum cipher_id id)
{
    return id == CIPHER_DES_CBC || id == CIPHER_3DES_CBC;
}

/* RFC 2409 5: prf(psk, Ni_b | Nr_b); with signatures prf(Ni_b | Nr_b, g^xy). */
static bool skeyid_first(struct crypto *c, const struct ike_keys *k, const struct phase1_inputs *in,
                         uint8_t *out)
{
    struct span nonces[] = {in->ni, in->nr};
    uint8_t key[2 * IKE_NONCE_MAX];

    if (!in->signatures)
        return hmac_parts(c, k->hash, in->psk, nonces, ARRAY_LEN(nonces), out);
    if (in->ni.n > IKE_NONCE_MAX || in->nr.n > IKE_NONCE_MAX)
        return false;
    memcpy(key, in->ni.p, in->ni.n);
    memcpy(key + in->ni.n, in->nr.p, in->nr.n);
    return hmac_parts(c, k->hash, span_of(key, in->ni.n + in->nr.n), &in->gxy, 1, out);
}

bool ike_keys_derive(struct crypto *c, const struct ike_suite *suite,
                     const struct phase1_inputs *in, struct ike_keys *out)
{
    struct ike_keys k = {.hash = suite->hash,
                         .cipher = suite->cipher,
                         .n = hash_size(suite->hash),
                         .n_ka = cipher_key_len(suite->cipher, suite->key_bits)};
    bool ok = k.n > 0 && k.n_ka > 0 && k.n_ka <= sizeof(k.ka);

    ok = ok && skeyid_first(c, &k, in, k.skeyid);
    ok = ok && skeyid_next(c, &k, in, SPAN_NONE, 0, k.skeyid_d);
    ok = ok && skeyid_next(c, &k, in, span_of(k.skeyid_d, k.n), 1, k.skeyid_a);
    ok = ok && skeyid_next(c, &k, in, span_of(k.skeyid_a, k.n), 2, k.skeyid_e);
    ok = ok && expand_ka(c, &k);
    ok = ok && !(is_des(k.cipher) && des_key_is_weak(span_of(k.ka, k.n_ka)));
    if (ok)
        *out = k;
    wipe(&k, sizeof(k));
    return ok;
}

bool keymat_hash_phase1(struct crypto *c, const struct ike_keys *keys, struct span g_mine,
                        struct span g_other, const uint8_t *cky_mine, const uint8_t *cky_other,
                        struct span sai_b, struct span id_b, uint8_t *out)
{
    struct span parts[] = {g_mine,
                           g_other,
                           span_of(cky_mine, ISAKMP_COOKIE_LEN),
                           span_of(cky_other, ISAKMP_COOKIE_LEN),
                           sai_b,
                           id_b};

    return prf(c, keys, keys->skeyid, parts, ARRAY_LEN(parts), out);
}

static bool iv_of(struct crypto *c, const struct ike_keys *keys, const struct span *parts,
                  size_t n_parts, uint8_t *out)
{
    uint8_t digest[HASH_MAX];
    size_t block = cipher_block(keys->cipher);

    if (block > keys->n || !hash_parts(c, keys->hash, parts, n_parts, digest))
        return false;
    memcpy(out, digest, block);
    return true;
}

bool keymat_iv_phase1(struct crypto *c, const struct ike_keys *keys, struct span gxi,
                      struct span gxr, uint8_t *out)
{
    struct span parts[] = {gxi, gxr};

    return iv_of(c, keys, parts, ARRAY_LEN(parts), out);
}

bool keymat_iv_exchange(struct crypto *c, const struct ike_keys *keys, const uint8_t *last_block,
                        uint32_t message_id, uint8_t *out)
{
    uint8_t mid[4];
    struct span parts[] = {span_of(last_block, cipher_block(keys->cipher)), SPAN_ARRAY(mid)};

    put_u32(mid, message_id);
    return iv_of(c, keys, parts, ARRAY_LEN(parts), out);
}

bool keymat_hash_exchange(struct crypto *c, const struct ike_keys *keys, uint32_t message_id,
                          struct span a, struct span b, uint8_t *out)
{
    uint8_t mid[4];
    struct span parts[] = {SPAN_ARRAY(mid), a, b};

    put_u32(mid, message_id);
    return prf(c, keys, keys->skeyid_a, parts, ARRAY_LEN(parts), out);
}

bool keymat_hash3(struct crypto *c, const struct ike_keys *keys, uint32_t message_id,
                  struct span ni, struct span nr, uint8_t *out)
{
    static const uint8_t zero;
    uint8_t mid[4];
    struct span parts[] = {span_of(&zero, 1), SPAN_ARRAY(mid), ni, nr};

    put_u32(mid, message_id);
    return prf(c, keys, keys->skeyid_a, parts, ARRAY_LEN(parts), out);
}

bool keymat_nat_d(struct crypto *c, enum hash_id hash, const uint8_t *cky_i, const uint8_t *cky_r,
                  const struct endpoint *end, uint8_t *out)
{
    uint8_t port[2] = {(uint8_t)(end->port >> 8), (uint8_t)end->port};
    struct span parts[] = {span_of(cky_i, ISAKMP_COOKIE_LEN), span_of(cky_r, ISAKMP_COOKIE_LEN),
                           span_of(end->addr.bytes, inaddr_len(&end->addr)), SPAN_ARRAY(port)};

    return hash_parts(c, hash, parts, ARRAY_LEN(parts), out);
}

/* Bytes of salt behind the key (RFC 4106 8.1). */
#define GCM_SALT_LEN 4

static bool esp_key_lens(const struct esp_suite *suite, size_t *cipher, size_t *integ)
{
    *cipher = cipher_key_len(suite->cipher, suite->key_bits);
    if (*cipher == 0)
        return false;
    if (suite->cipher == CIPHER_AES_GCM)
        *cipher += GCM_SALT_LEN;
    /* RFC 2403, 2404 and 4868: the HMAC key is as long as the hash. */
    *integ = suite->integ == HASH_NONE ? 0 : hash_size(suite->integ);
    return *cipher <= SA_CIPHER_KEY_MAX && *integ <= SA_INTEG_KEY_MAX;
}

bool keymat_esp(struct crypto *c, const struct ike_keys *keys, const struct esp_suite *suite,
                const struct quick_inputs *in, uint32_t spi, struct sa_keys *out)
{
    static const uint8_t protocol = PROTOCOL_ESP;
    uint8_t keymat[SA_CIPHER_KEY_MAX + SA_INTEG_KEY_MAX + HASH_MAX];
    uint8_t spi_bytes[4];
    size_t n_cipher;
    size_t n_integ;
    size_t done = 0;
    bool ok = esp_key_lens(suite, &n_cipher, &n_integ);

    put_u32(spi_bytes, spi);
    /* RFC 2409 5.5: K1 = prf(SKEYID_d, [g^xy |] protocol | SPI | Ni_b | Nr_b), K2 = prf(SKEYID_d,
     * K1 | ...) */
    while (ok && done < n_cipher + n_integ) {
        struct span parts[] = {done ? span_of(keymat + done - keys->n, keys->n) : SPAN_NONE,
                               in->gxy,
                               span_of(&protocol, 1),
                               SPAN_ARRAY(spi_bytes),
                               in->ni,
                               in->nr};

        ok = prf(c, keys, keys->skeyid_d, parts, ARRAY_LEN(parts), keymat + done);
        done += keys->n;
    }
    ok = ok && !(is_des(suite->cipher) && des_key_is_weak(span_of(keymat, n_cipher)));
    if (ok) {
        *out = (struct sa_keys){
            .spi = spi, .cipher_key_len = (uint8_t)n_cipher, .integ_key_len = (uint8_t)n_integ};
        memcpy(out->cipher_key, keymat, n_cipher);
        memcpy(out->integ_key, keymat + n_cipher, n_integ);
    }
    wipe(keymat, sizeof(keymat));
    return ok;
}
