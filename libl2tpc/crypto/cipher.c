/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/secret.h"
#include "crypto/private.h"

#include <limits.h>
#include <nettle/cbc.h>
#include <nettle/des.h>
#include <stdlib.h>
#include <string.h>

#define GCM_TAG 16

struct cipher_ctx {
    enum cipher_id id;
    size_t block;
    bool encrypt;
    EVP_CIPHER_CTX *evp; /* all but single DES */
    struct des_ctx des;
    const struct vault *vault;
};

const char *cipher_name(enum cipher_id id)
{
    switch (id) {
    case CIPHER_DES_CBC:
        return "DES-CBC";
    case CIPHER_3DES_CBC:
        return "3DES-CBC";
    case CIPHER_AES_CBC:
        return "AES-CBC";
    case CIPHER_AES_GCM:
        return "AES-GCM-16";
    case CIPHER_NONE:
        break;
    }
    return "none";
}

size_t cipher_block(enum cipher_id id)
{
    switch (id) {
    case CIPHER_DES_CBC:
    case CIPHER_3DES_CBC:
        return 8;
    case CIPHER_AES_CBC:
        return 16;
    case CIPHER_AES_GCM:
        return 1;
    case CIPHER_NONE:
        break;
    }
    return 0;
}

size_t cipher_iv(enum cipher_id id)
{
    return id == CIPHER_AES_GCM ? 8 : cipher_block(id);
}

size_t cipher_salt(enum cipher_id id)
{
    return id == CIPHER_AES_GCM ? 4 : 0;
}

size_t cipher_key_len(enum cipher_id id, unsigned key_bits)
{
    switch (id) {
    case CIPHER_DES_CBC:
        return key_bits == 0 ? 8 : 0;
    case CIPHER_3DES_CBC:
        return key_bits == 0 ? 24 : 0;
    case CIPHER_AES_CBC:
    case CIPHER_AES_GCM:
        return key_bits == 128 || key_bits == 192 || key_bits == 256 ? key_bits / 8 : 0;
    case CIPHER_NONE:
        break;
    }
    return 0;
}

static const EVP_CIPHER *cipher_evp(const struct crypto *c, enum cipher_id id, size_t key_len)
{
    size_t i = key_len / 8 - 2;

    if (id == CIPHER_3DES_CBC)
        return key_len == 24 ? c->des3 : NULL;
    if (key_len != 16 && key_len != 24 && key_len != 32)
        return NULL;
    if (id == CIPHER_AES_CBC)
        return c->aes_cbc[i];
    return id == CIPHER_AES_GCM ? c->aes_gcm[i] : NULL;
}

/* Keys the context; from here on only the IV changes. */
static bool evp_start(struct cipher_ctx *ctx, const struct crypto *c, struct span key)
{
    const EVP_CIPHER *evp = cipher_evp(c, ctx->id, key.n);

    if (!evp)
        return false;
    ctx->evp = EVP_CIPHER_CTX_new();
    return ctx->evp &&
           EVP_CipherInit_ex2(ctx->evp, evp, key.p, NULL, ctx->encrypt ? 1 : 0, NULL) == 1 &&
           EVP_CIPHER_CTX_set_padding(ctx->evp, 0) == 1;
}

struct cipher_ctx *cipher_ctx_new(struct crypto *c, enum cipher_id id, struct span key,
                                  bool encrypt)
{
    struct cipher_ctx *ctx = vault_take(c->vault, sizeof(*ctx));
    bool ok;

    if (!ctx)
        return NULL;
    ctx->vault = c->vault;
    ctx->id = id;
    ctx->block = cipher_block(id);
    ctx->encrypt = encrypt;
    errors_mark();
    if (id == CIPHER_DES_CBC) {
        ok = key.n == DES_KEY_SIZE;
        if (ok) /* whether a weak key may be used is the caller's question: des_key_is_weak() */
            (void)des_set_key(&ctx->des, key.p);
    } else {
        ok = evp_start(ctx, c, key);
    }
    errors_drop();
    if (!ok) {
        cipher_ctx_free(ctx);
        return NULL;
    }
    return ctx;
}

void cipher_ctx_free(struct cipher_ctx *ctx)
{
    if (!ctx)
        return;
    EVP_CIPHER_CTX_free(ctx->evp);
    vault_give(ctx->vault, ctx, sizeof(*ctx));
}

static void des_cbc(const struct cipher_ctx *ctx, const uint8_t *iv, struct mspan data)
{
    uint8_t chain[DES_BLOCK_SIZE];

    memcpy(chain, iv, sizeof(chain));
    if (ctx->encrypt)
        cbc_encrypt(&ctx->des, (nettle_cipher_func *)des_encrypt, DES_BLOCK_SIZE, chain, data.n,
                    data.p, data.p);
    else
        cbc_decrypt(&ctx->des, (nettle_cipher_func *)des_decrypt, DES_BLOCK_SIZE, chain, data.n,
                    data.p, data.p);
}

bool cipher_run_cbc(struct cipher_ctx *ctx, const uint8_t *iv, struct mspan data)
{
    int n = 0;

    if (ctx->block < 2 || data.n % ctx->block != 0 || data.n > INT_MAX)
        return false;
    if (data.n == 0)
        return true;
    if (ctx->id == CIPHER_DES_CBC) {
        des_cbc(ctx, iv, data);
        return true;
    }
    return EVP_CipherInit_ex2(ctx->evp, NULL, NULL, iv, -1, NULL) == 1 &&
           EVP_CipherUpdate(ctx->evp, data.p, &n, data.p, (int)data.n) == 1 && n == (int)data.n;
}

bool cipher_ctx_cbc(struct cipher_ctx *ctx, const uint8_t *iv, struct mspan data)
{
    bool ok;

    errors_mark();
    ok = cipher_run_cbc(ctx, iv, data);
    errors_drop();
    return ok;
}

static bool gcm_run(struct cipher_ctx *ctx, const uint8_t *nonce, struct span aad,
                    struct mspan data)
{
    int n = 0;

    if (EVP_CipherInit_ex2(ctx->evp, NULL, NULL, nonce, -1, NULL) != 1)
        return false;
    if (aad.n > 0 && EVP_CipherUpdate(ctx->evp, NULL, &n, aad.p, (int)aad.n) != 1)
        return false;
    return data.n == 0 ||
           (EVP_CipherUpdate(ctx->evp, data.p, &n, data.p, (int)data.n) == 1 && n == (int)data.n);
}

static bool gcm_allowed(const struct cipher_ctx *ctx, bool encrypt, struct span aad,
                        struct mspan data)
{
    return ctx->id == CIPHER_AES_GCM && ctx->encrypt == encrypt && aad.n <= INT_MAX &&
           data.n <= INT_MAX;
}

bool cipher_run_gcm_seal(struct cipher_ctx *ctx, const uint8_t nonce[12], struct span aad,
                         struct mspan data, uint8_t tag[16])
{
    uint8_t none[GCM_TAG];
    int n = 0;

    return gcm_allowed(ctx, true, aad, data) && gcm_run(ctx, nonce, aad, data) &&
           EVP_CipherFinal_ex(ctx->evp, none, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx->evp, EVP_CTRL_AEAD_GET_TAG, GCM_TAG, tag) == 1;
}

bool cipher_ctx_gcm_seal(struct cipher_ctx *ctx, const uint8_t nonce[12], struct span aad,
                         struct mspan data, uint8_t tag[16])
{
    bool ok;

    errors_mark();
    ok = cipher_run_gcm_seal(ctx, nonce, aad, data, tag);
    errors_drop();
    return ok;
}

bool cipher_run_gcm_open(struct cipher_ctx *ctx, const uint8_t nonce[12], struct span aad,
                         struct mspan data, const uint8_t tag[16])
{
    uint8_t expected[GCM_TAG]; /* OpenSSL wants it writable */
    uint8_t none[GCM_TAG];
    int n = 0;

    if (!gcm_allowed(ctx, false, aad, data))
        return false;
    memcpy(expected, tag, sizeof(expected));
    return gcm_run(ctx, nonce, aad, data) &&
           EVP_CIPHER_CTX_ctrl(ctx->evp, EVP_CTRL_AEAD_SET_TAG, GCM_TAG, expected) == 1 &&
           EVP_CipherFinal_ex(ctx->evp, none, &n) == 1;
}

bool cipher_ctx_gcm_open(struct cipher_ctx *ctx, const uint8_t nonce[12], struct span aad,
                         struct mspan data, const uint8_t tag[16])
{
    bool ok;

    errors_mark();
    ok = cipher_run_gcm_open(ctx, nonce, aad, data, tag);
    errors_drop();
    return ok;
}

bool cbc_crypt(struct crypto *c, enum cipher_id id, struct span key, struct span iv, bool encrypt,
               struct mspan data)
{
    struct cipher_ctx *ctx;
    bool ok;

    if (id == CIPHER_AES_GCM || cipher_block(id) == 0 || iv.n != cipher_block(id))
        return false;
    ctx = cipher_ctx_new(c, id, key, encrypt);
    if (!ctx)
        return false;
    ok = cipher_ctx_cbc(ctx, iv.p, data);
    cipher_ctx_free(ctx);
    return ok;
}
