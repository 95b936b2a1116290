/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/secret.h"
#include "crypto/private.h"

#include <openssl/obj_mac.h>
#include <stdlib.h>
#include <string.h>

struct dh {
    struct crypto *c;
    const struct dh_row *row;
    uint8_t priv[DH_PRIVATE_MAX];
    uint8_t pub[DH_MAX];
};

static const struct dh_row rows[] = {
    {DH_MODP768, "MODP768", DH_KIND_MODP, 96, 96, 32, 0},
    {DH_MODP1024, "MODP1024", DH_KIND_MODP, 128, 128, 32, 0},
    {DH_MODP1536, "MODP1536", DH_KIND_MODP, 192, 192, 32, 0},
    {DH_MODP2048, "MODP2048", DH_KIND_MODP, 256, 256, 40, 0},
    {DH_MODP3072, "MODP3072", DH_KIND_MODP, 384, 384, 53, 0},
    {DH_MODP4096, "MODP4096", DH_KIND_MODP, 512, 512, 60, 0},
    {DH_MODP6144, "MODP6144", DH_KIND_MODP, 768, 768, 68, 0},
    {DH_MODP8192, "MODP8192", DH_KIND_MODP, 1024, 1024, 78, 0},
    {DH_ECP256, "ECP256", DH_KIND_EC, 64, 32, 32, NID_X9_62_prime256v1},
    {DH_ECP384, "ECP384", DH_KIND_EC, 96, 48, 48, NID_secp384r1},
    {DH_ECP521, "ECP521", DH_KIND_EC, 132, 66, 66, NID_secp521r1},
    {DH_X25519, "X25519", DH_KIND_X25519, 32, 32, 32, 0},
};

static const struct dh_row *dh_row(enum dh_group g)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].group == g)
            return &rows[i];
    return NULL;
}

size_t dh_public_size(enum dh_group g)
{
    const struct dh_row *row = dh_row(g);

    return row ? row->public_size : 0;
}

size_t dh_secret_size(enum dh_group g)
{
    const struct dh_row *row = dh_row(g);

    return row ? row->secret_size : 0;
}

const char *dh_name(enum dh_group g)
{
    const struct dh_row *row = dh_row(g);

    return row ? row->name : "none";
}

static bool make_private(struct dh *dh, const struct env *env)
{
    switch (dh->row->kind) {
    case DH_KIND_MODP:
        return dh_modp_private(dh->row, env, dh->priv);
    case DH_KIND_EC:
        return dh_ec_private(dh->c, dh->row, env, dh->priv);
    case DH_KIND_X25519:
        return env_rand(env, dh->priv, dh->row->private_size);
    }
    return false;
}

static bool make_public(struct dh *dh)
{
    switch (dh->row->kind) {
    case DH_KIND_MODP:
        return dh_modp_public(dh->row, dh->priv, dh->pub);
    case DH_KIND_EC:
        return dh_ec_public(dh->c, dh->row, dh->priv, dh->pub);
    case DH_KIND_X25519:
        return dh_x25519_public(dh->c, dh->priv, dh->pub);
    }
    return false;
}

struct dh *dh_new(struct crypto *c, enum dh_group g, const struct env *env)
{
    const struct dh_row *row = dh_row(g);
    struct dh *dh;
    bool ok;

    if (!row)
        return NULL;
    dh = vault_take(c->vault, sizeof(*dh));
    if (!dh)
        return NULL;
    dh->c = c;
    dh->row = row;
    errors_mark();
    ok = make_private(dh, env) && make_public(dh);
    errors_drop();
    if (!ok) {
        dh_free(dh);
        return NULL;
    }
    return dh;
}

struct span dh_public(const struct dh *dh)
{
    return span_of(dh->pub, dh->row->public_size);
}

static bool shared(const struct dh *dh, struct span peer, uint8_t *out)
{
    if (dh->row->kind == DH_KIND_MODP)
        return dh_modp_shared(dh->row, dh->priv, dh->pub, peer, out);
    if (peer.n != dh->row->public_size || memcmp(peer.p, dh->pub, peer.n) == 0)
        return false;
    if (dh->row->kind == DH_KIND_EC)
        return dh_ec_shared(dh->c, dh->row, dh->priv, peer, out);
    return dh_x25519_shared(dh->c, dh->priv, peer, out);
}

bool dh_shared(const struct dh *dh, struct span peer, uint8_t *out)
{
    uint8_t secret[DH_MAX];
    bool ok;

    errors_mark();
    ok = shared(dh, peer, secret);
    errors_drop();
    if (ok)
        memcpy(out, secret, dh->row->secret_size);
    wipe(secret, sizeof(secret));
    return ok;
}

void dh_free(struct dh *dh)
{
    if (dh)
        vault_give(dh->c->vault, dh, sizeof(*dh));
}
