/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* MODP groups of RFC 2409 6 and RFC 3526: safe primes, generator 2. */
#include "crypto/private.h"

#include <openssl/bn.h>

struct modp {
    BN_CTX *ctx;
    BN_MONT_CTX *mont;
    BIGNUM *p, *x, *y, *z; /* prime, private value, base, result */
};

static BIGNUM *modp_prime(enum dh_group g)
{
    switch (g) {
    case DH_MODP768:
        return BN_get_rfc2409_prime_768(NULL);
    case DH_MODP1024:
        return BN_get_rfc2409_prime_1024(NULL);
    case DH_MODP1536:
        return BN_get_rfc3526_prime_1536(NULL);
    case DH_MODP2048:
        return BN_get_rfc3526_prime_2048(NULL);
    case DH_MODP3072:
        return BN_get_rfc3526_prime_3072(NULL);
    case DH_MODP4096:
        return BN_get_rfc3526_prime_4096(NULL);
    case DH_MODP6144:
        return BN_get_rfc3526_prime_6144(NULL);
    case DH_MODP8192:
        return BN_get_rfc3526_prime_8192(NULL);
    default:
        return NULL;
    }
}

static void modp_close(struct modp *m)
{
    BN_free(m->p);
    BN_clear_free(m->x);
    BN_free(m->y);
    BN_clear_free(m->z);
    BN_MONT_CTX_free(m->mont);
    BN_CTX_free(m->ctx);
}

static bool modp_open(struct modp *m, const struct dh_row *row, const uint8_t *priv)
{
    *m = (struct modp){
        .ctx = BN_CTX_secure_new(),
        .mont = BN_MONT_CTX_new(),
        .p = modp_prime(row->group),
        .x = BN_secure_new(),
        .y = BN_new(),
        .z = BN_secure_new(),
    };
    if (!m->ctx || !m->mont || !m->p || !m->x || !m->y || !m->z)
        return false;
    BN_set_flags(m->x, BN_FLG_CONSTTIME);
    return BN_bin2bn(priv, (int)row->private_size, m->x) != NULL &&
           BN_MONT_CTX_set(m->mont, m->p, m->ctx) == 1;
}

/* z = y^x, left-padded to the size of the prime. */
static bool modp_power(struct modp *m, const struct dh_row *row, uint8_t *out)
{
    return BN_mod_exp_mont_consttime(m->z, m->y, m->x, m->p, m->ctx, m->mont) == 1 &&
           BN_bn2binpad(m->z, out, (int)row->public_size) == (int)row->public_size;
}

bool dh_modp_private(const struct dh_row *row, const struct env *env, uint8_t *priv)
{
    if (!env_rand(env, priv, row->private_size))
        return false;
    /* The top bit fixes the length, so that no exponent is short. */
    priv[0] |= 0x80;
    return true;
}

bool dh_modp_public(const struct dh_row *row, const uint8_t *priv, uint8_t *pub)
{
    struct modp m;
    bool ok = modp_open(&m, row, priv) && BN_set_word(m.y, 2) == 1 && modp_power(&m, row, pub);

    modp_close(&m);
    return ok;
}

/* 1 < y < p - 1, and not ours. A safe prime has no other small subgroup. */
static bool modp_peer_is_good(struct modp *m, const struct dh_row *row, const uint8_t *own)
{
    if (BN_is_zero(m->y) || BN_is_one(m->y))
        return false;
    if (BN_copy(m->z, m->p) == NULL || BN_sub_word(m->z, 1) != 1 || BN_cmp(m->y, m->z) >= 0)
        return false;
    return BN_bin2bn(own, (int)row->public_size, m->z) != NULL && BN_cmp(m->y, m->z) != 0;
}

bool dh_modp_shared(const struct dh_row *row, const uint8_t *priv, const uint8_t *own,
                    struct span peer, uint8_t *out)
{
    struct modp m;
    bool ok;

    if (peer.n == 0 || peer.n > row->public_size)
        return false;
    ok = modp_open(&m, row, priv) && BN_bin2bn(peer.p, (int)peer.n, m.y) != NULL &&
         modp_peer_is_good(&m, row, own) && modp_power(&m, row, out);
    modp_close(&m);
    return ok;
}
