/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hashes and HMAC come from nettle: as fast as OpenSSL's on the lengths that matter here, and
 * without the allocation that every EVP_MAC run makes, so that they cannot fail halfway.
 */
#include "base/secret.h"
#include "crypto/private.h"

#include <nettle/hmac.h>
#include <nettle/md4.h>
#include <nettle/md5.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <stdlib.h>

union hash_state {
    struct md4_ctx md4;
    struct md5_ctx md5;
    struct sha1_ctx sha1;
    struct sha256_ctx sha256;
    struct sha512_ctx sha512;
};

struct mac_ctx {
    const struct nettle_hash *hash;
    union hash_state outer, inner, state;
    const struct vault *vault;
};

static const struct {
    const char *name;
    const struct nettle_hash *hash;
} rows[] = {
    [HASH_MD5] = {"MD5", &nettle_md5},
    [HASH_SHA1] = {"SHA1", &nettle_sha1},
    [HASH_SHA256] = {"SHA2-256", &nettle_sha256},
    [HASH_SHA384] = {"SHA2-384", &nettle_sha384},
    [HASH_SHA512] = {"SHA2-512", &nettle_sha512},
    [HASH_MD4] = {"MD4", &nettle_md4},
};

static const struct nettle_hash *hash_row(enum hash_id h)
{
    return (unsigned)h < ARRAY_LEN(rows) ? rows[h].hash : NULL;
}

size_t hash_size(enum hash_id h)
{
    const struct nettle_hash *hash = hash_row(h);

    return hash ? hash->digest_size : 0;
}

const char *hash_name(enum hash_id h)
{
    return hash_row(h) ? rows[h].name : "none";
}

bool hash_parts(struct crypto *c, enum hash_id h, const struct span *parts, size_t n_parts,
                uint8_t *out)
{
    const struct nettle_hash *hash = hash_row(h);
    union hash_state state;

    (void)c;
    if (!hash)
        return false;
    hash->init(&state);
    for (size_t i = 0; i < n_parts; i++)
        if (parts[i].n > 0)
            hash->update(&state, parts[i].n, parts[i].p);
    hash->digest(&state, hash->digest_size, out);
    wipe(&state, sizeof(state));
    return true;
}

static void mac_init(struct mac_ctx *m, const struct nettle_hash *hash, struct span key)
{
    static const uint8_t none[1];

    m->hash = hash;
    hmac_set_key(&m->outer, &m->inner, &m->state, hash, key.n, key.n > 0 ? key.p : none);
}

bool hmac_parts(struct crypto *c, enum hash_id h, struct span key, const struct span *parts,
                size_t n_parts, uint8_t *out)
{
    const struct nettle_hash *hash = hash_row(h);
    struct mac_ctx m;

    (void)c;
    if (!hash)
        return false;
    mac_init(&m, hash, key);
    for (size_t i = 0; i < n_parts; i++)
        if (parts[i].n > 0)
            hmac_update(&m.state, hash, parts[i].n, parts[i].p);
    hmac_digest(&m.outer, &m.inner, &m.state, hash, hash->digest_size, out);
    wipe(&m, sizeof(m));
    return true;
}

struct mac_ctx *mac_ctx_new(struct crypto *c, enum hash_id h, struct span key)
{
    const struct nettle_hash *hash = hash_row(h);
    const struct vault *vault;
    struct mac_ctx *m;

    if (!hash || key.n == 0)
        return NULL;
    vault = c ? c->vault : NULL;
    m = vault_take(vault, sizeof(*m));
    if (m) {
        m->vault = vault;
        mac_init(m, hash, key);
    }
    return m;
}

void mac_ctx_free(struct mac_ctx *ctx)
{
    if (ctx)
        vault_give(ctx->vault, ctx, sizeof(*ctx));
}

bool mac_ctx_run(struct mac_ctx *ctx, struct span data, uint8_t *out)
{
    if (data.n > 0)
        hmac_update(&ctx->state, ctx->hash, data.n, data.p);
    /* Leaves the state ready for the next message. */
    hmac_digest(&ctx->outer, &ctx->inner, &ctx->state, ctx->hash, ctx->hash->digest_size, out);
    return true;
}
