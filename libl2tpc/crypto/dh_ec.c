/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ECP groups (RFC 5903: public value X | Y, secret X) and Curve25519 (RFC 7748, RFC 8031). */
#include "base/secret.h"
#include "crypto/private.h"

#include <openssl/ec.h>
#include <string.h>

/* A good source misses P-256's order less than once in 2^32; a broken one must not loop. */
#define EC_TRIES 64

struct curve {
    BN_CTX *ctx;
    EC_GROUP *group;
    BIGNUM *k;
    EC_POINT *point, *result;
};

static void curve_close(struct curve *e)
{
    EC_POINT_free(e->point);
    EC_POINT_clear_free(e->result);
    EC_GROUP_free(e->group);
    BN_clear_free(e->k);
    BN_CTX_free(e->ctx);
}

static bool curve_open(struct curve *e, struct crypto *c, const struct dh_row *row)
{
    *e = (struct curve){
        .ctx = BN_CTX_secure_new_ex(c->lib),
        .group = EC_GROUP_new_by_curve_name_ex(c->lib, NULL, row->nid),
        .k = BN_secure_new(),
    };
    if (!e->ctx || !e->group || !e->k)
        return false;
    BN_set_flags(e->k, BN_FLG_CONSTTIME);
    e->point = EC_POINT_new(e->group);
    e->result = EC_POINT_new(e->group);
    return e->point && e->result;
}

/* `octets` has room for the form byte in front of X and Y. */
static bool curve_octets(const struct curve *e, const struct dh_row *row, uint8_t *octets)
{
    size_t n = EC_POINT_point2oct(e->group, e->result, POINT_CONVERSION_UNCOMPRESSED, octets,
                                  1 + row->public_size, e->ctx);

    return n == 1 + row->public_size;
}

bool dh_ec_private(struct crypto *c, const struct dh_row *row, const struct env *env, uint8_t *priv)
{
    struct curve e;
    bool ok = curve_open(&e, c, row);
    bool found = false;

    for (unsigned i = 0; ok && !found && i < EC_TRIES; i++) {
        ok = env_rand(env, priv, row->private_size);
        if (row->nid == NID_secp521r1)
            priv[0] &= 0x01;
        ok = ok && BN_bin2bn(priv, (int)row->private_size, e.k) != NULL;
        found = ok && !BN_is_zero(e.k) && BN_cmp(e.k, EC_GROUP_get0_order(e.group)) < 0;
    }
    curve_close(&e);
    return found;
}

bool dh_ec_public(struct crypto *c, const struct dh_row *row, const uint8_t *priv, uint8_t *pub)
{
    uint8_t octets[1 + DH_MAX];
    struct curve e;
    bool ok = curve_open(&e, c, row) && BN_bin2bn(priv, (int)row->private_size, e.k) != NULL &&
              EC_POINT_mul(e.group, e.result, e.k, NULL, NULL, e.ctx) == 1 &&
              curve_octets(&e, row, octets);

    if (ok)
        memcpy(pub, octets + 1, row->public_size);
    curve_close(&e);
    return ok;
}

bool dh_ec_shared(struct crypto *c, const struct dh_row *row, const uint8_t *priv, struct span peer,
                  uint8_t *out)
{
    uint8_t octets[1 + DH_MAX];
    struct curve e;
    bool ok = curve_open(&e, c, row) && peer.n == row->public_size &&
              BN_bin2bn(priv, (int)row->private_size, e.k) != NULL;

    if (ok) {
        octets[0] = POINT_CONVERSION_UNCOMPRESSED;
        memcpy(octets + 1, peer.p, peer.n);
        /* Refuses coordinates outside the field and points off the curve. Cofactor 1. */
        ok = EC_POINT_oct2point(e.group, e.point, octets, 1 + peer.n, e.ctx) == 1 &&
             EC_POINT_is_on_curve(e.group, e.point, e.ctx) == 1 &&
             EC_POINT_mul(e.group, e.result, NULL, e.point, e.k, e.ctx) == 1 &&
             EC_POINT_is_at_infinity(e.group, e.result) == 0 && curve_octets(&e, row, octets);
    }
    if (ok)
        memcpy(out, octets + 1, row->secret_size);
    wipe(octets, sizeof(octets));
    curve_close(&e);
    return ok;
}

static EVP_PKEY *x25519_key(struct crypto *c, const uint8_t *priv)
{
    return EVP_PKEY_new_raw_private_key_ex(c->lib, "X25519", NULL, priv, 32);
}

bool dh_x25519_public(struct crypto *c, const uint8_t *priv, uint8_t *pub)
{
    EVP_PKEY *key = x25519_key(c, priv);
    size_t n = 32;
    bool ok = key && EVP_PKEY_get_raw_public_key(key, pub, &n) == 1 && n == 32;

    EVP_PKEY_free(key);
    return ok;
}

bool dh_x25519_shared(struct crypto *c, const uint8_t *priv, struct span peer, uint8_t *out)
{
    static const uint8_t zeros[32];
    EVP_PKEY *key = x25519_key(c, priv);
    EVP_PKEY *other = EVP_PKEY_new_raw_public_key_ex(c->lib, "X25519", NULL, peer.p, peer.n);
    EVP_PKEY_CTX *ctx = key ? EVP_PKEY_CTX_new_from_pkey(c->lib, key, NULL) : NULL;
    size_t n = 32;
    bool ok = other && ctx && EVP_PKEY_derive_init(ctx) == 1 &&
              EVP_PKEY_derive_set_peer(ctx, other) == 1 && EVP_PKEY_derive(ctx, out, &n) == 1 &&
              n == 32 && !equal_ct(out, zeros, sizeof(zeros)); /* small order: RFC 7748 6.1 */

    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(other);
    EVP_PKEY_free(key);
    return ok;
}
