/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Signatures of IKEv1. RFC 2409 5.1: an RSA signature is the bare HASH in a PKCS#1 block of type 1,
 * without the DigestInfo that every other protocol puts around it. RFC 4754: an ECDSA signature is
 * r and s, each as long as the curve; like strongSwan we take HASH itself as the digest that is
 * signed and do not hash it again.
 */
#include "crypto/x509_private.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <string.h>

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192
#define RSA_E_BITS_MAX 64
#define RSA_E_MIN 65537
#define ECDSA_DER_MAX 160

static const struct {
    enum ike_auth auth;
    const char *group;
    size_t size;
} curves[] = {
    {IKE_AUTH_ECDSA_256, "prime256v1", 32},
    {IKE_AUTH_ECDSA_384, "secp384r1", 48},
    {IKE_AUTH_ECDSA_521, "secp521r1", 66},
};

static enum keyfile_result rsa_kind(EVP_PKEY *key)
{
    BIGNUM *e = NULL;
    int bits = EVP_PKEY_get_bits(key);
    enum keyfile_result r = KEYFILE_WEAK;

    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && bits >= RSA_BITS_MIN &&
        bits <= RSA_BITS_MAX && BN_is_odd(e) && BN_num_bits(e) <= RSA_E_BITS_MAX &&
        (BN_num_bits(e) > 32 || BN_get_word(e) >= RSA_E_MIN))
        r = KEYFILE_OK;
    BN_free(e);
    return r;
}

enum keyfile_result key_kind(EVP_PKEY *key, enum ike_auth *out)
{
    char group[64];
    size_t n;

    if (EVP_PKEY_is_a(key, "RSA")) {
        *out = IKE_AUTH_RSA;
        return rsa_kind(key);
    }
    if (!EVP_PKEY_is_a(key, "EC") || EVP_PKEY_get_group_name(key, group, sizeof(group), &n) != 1)
        return KEYFILE_KIND;
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        if (strcmp(curves[i].group, group) == 0) {
            *out = curves[i].auth;
            return KEYFILE_OK;
        }
    }
    return KEYFILE_KIND;
}

static size_t curve_size(enum ike_auth auth)
{
    for (size_t i = 0; i < ARRAY_LEN(curves); i++)
        if (curves[i].auth == auth)
            return curves[i].size;
    return 0;
}

/* ---- RSA ---- */

/* 00 01 ff..ff 00 HASH, at least eight ff (RFC 8017 9.2 without the DigestInfo). */
static bool pkcs1_block(uint8_t *out, size_t n, struct span hash)
{
    if (hash.n == 0 || n < hash.n + 11)
        return false;
    memset(out, 0xff, n);
    out[0] = 0;
    out[1] = 1;
    out[n - hash.n - 1] = 0;
    memcpy(out + n - hash.n, hash.p, hash.n);
    return true;
}

static bool rsa_sign(struct crypto *c, EVP_PKEY *key, struct span hash, uint8_t *out, size_t *n)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(c->lib, key, NULL);
    uint8_t block[SIGN_MAX];
    size_t size = (size_t)EVP_PKEY_get_size(key);
    size_t written = SIGN_MAX;
    bool ok = ctx && size <= SIGN_MAX && pkcs1_block(block, size, hash) &&
              EVP_PKEY_sign_init(ctx) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1 &&
              EVP_PKEY_sign(ctx, out, &written, block, size) == 1 && written == size;

    EVP_PKEY_CTX_free(ctx);
    *n = size;
    return ok;
}

static bool rsa_verify(struct crypto *c, EVP_PKEY *key, struct span hash, struct span signature)
{
    EVP_PKEY_CTX *ctx;
    uint8_t want[SIGN_MAX];
    uint8_t got[SIGN_MAX];
    size_t size = (size_t)EVP_PKEY_get_size(key);
    size_t n = sizeof(got);
    bool ok;

    if (signature.n != size || size > SIGN_MAX || !pkcs1_block(want, size, hash))
        return false;
    ctx = EVP_PKEY_CTX_new_from_pkey(c->lib, key, NULL);
    ok = ctx && EVP_PKEY_verify_recover_init(ctx) == 1 &&
         EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1 &&
         EVP_PKEY_verify_recover(ctx, got, &n, signature.p, signature.n) == 1 && n == size &&
         equal_ct(got, want, size);
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

/* ---- ECDSA ---- */

static bool ecdsa_sign(struct crypto *c, EVP_PKEY *key, size_t size, struct span hash, uint8_t *out,
                       size_t *n)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(c->lib, key, NULL);
    unsigned char der[ECDSA_DER_MAX];
    size_t n_der = sizeof(der);
    const unsigned char *p = der;
    ECDSA_SIG *sig = NULL;
    bool ok =
        ctx && EVP_PKEY_sign_init(ctx) == 1 && EVP_PKEY_sign(ctx, der, &n_der, hash.p, hash.n) == 1;

    if (ok)
        sig = d2i_ECDSA_SIG(NULL, &p, (long)n_der);
    ok = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, (int)size) == (int)size &&
         BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + size, (int)size) == (int)size;
    ECDSA_SIG_free(sig);
    EVP_PKEY_CTX_free(ctx);
    *n = 2 * size;
    return ok;
}

static bool ecdsa_verify(struct crypto *c, EVP_PKEY *key, size_t size, struct span hash,
                         struct span signature)
{
    EVP_PKEY_CTX *ctx = NULL;
    ECDSA_SIG *sig = NULL;
    BIGNUM *r = NULL;
    BIGNUM *s = NULL;
    unsigned char *der = NULL;
    int n_der = 0;
    bool ok = false;

    if (signature.n != 2 * size || hash.n == 0)
        return false;
    sig = ECDSA_SIG_new();
    r = BN_bin2bn(signature.p, (int)size, NULL);
    s = BN_bin2bn(signature.p + size, (int)size, NULL);
    if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
        r = s = NULL;
        n_der = i2d_ECDSA_SIG(sig, &der);
    }
    ctx = EVP_PKEY_CTX_new_from_pkey(c->lib, key, NULL);
    ok = n_der > 0 && ctx && EVP_PKEY_verify_init(ctx) == 1 &&
         EVP_PKEY_verify(ctx, der, (size_t)n_der, hash.p, hash.n) == 1;
    EVP_PKEY_CTX_free(ctx);
    OPENSSL_free(der);
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return ok;
}

/* ---- both ---- */

bool credential_sign(const struct credential *cr, struct span hash, uint8_t out[SIGN_MAX],
                     size_t *n)
{
    bool ok;

    if (!cr->leaf || hash.n == 0 || hash.n > HASH_MAX)
        return false;
    errors_mark();
    if (cr->auth == IKE_AUTH_RSA)
        ok = rsa_sign(cr->bag.c, cr->bag.key, hash, out, n);
    else
        ok = ecdsa_sign(cr->bag.c, cr->bag.key, curve_size(cr->auth), hash, out, n);
    errors_drop();
    return ok;
}

bool cert_verify_hash(struct crypto *c, struct span der, enum ike_auth auth, struct span hash,
                      struct span signature)
{
    X509 *cert;
    EVP_PKEY *key;
    enum ike_auth kind;
    bool ok = false;

    errors_mark();
    cert = cert_parse(c, der);
    key = cert ? X509_get0_pubkey(cert) : NULL;
    if (key && key_kind(key, &kind) == KEYFILE_OK && kind == auth) {
        if (auth == IKE_AUTH_RSA)
            ok = rsa_verify(c, key, hash, signature);
        else
            ok = ecdsa_verify(c, key, curve_size(auth), hash, signature);
    }
    X509_free(cert);
    errors_drop();
    return ok;
}
