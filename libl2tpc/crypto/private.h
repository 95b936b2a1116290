/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by the files of crypto/ alone. */
#ifndef L2TPC_CRYPTO_PRIVATE_H
#define L2TPC_CRYPTO_PRIVATE_H

#include "crypto/crypto.h"
#include "crypto/esp_backend.h"

#include <openssl/err.h>
#include <openssl/evp.h>

/* Fetched once: a fetch takes longer than ten packets. NULL rows are what the provider lacks. */
struct crypto {
    OSSL_LIB_CTX *lib; /* private: the host's configuration and providers do not reach us */
    OSSL_PROVIDER *provider;
    EVP_CIPHER *des3;
    EVP_CIPHER *aes_cbc[3], *aes_gcm[3]; /* 128, 192, 256 */
    enum esp_backend esp_backend;        /* of SAs to come */
    struct mb *mb;                       /* NULL: not used yet, or not there */
    const struct vault *vault;
};

/*
 * OpenSSL keeps a queue of errors per thread, which also belongs to whoever embeds us: what is
 * pushed between these two is taken off again, and nothing else.
 */
static inline void errors_mark(void)
{
    (void)ERR_set_mark();
}

static inline void errors_drop(void)
{
    (void)ERR_pop_to_mark();
}

/*
 * The same for a packet, of which the two are several per cent. There is nothing to mark in an
 * empty queue, and nothing to take off again when all went well.
 */
static inline bool errors_mark_any(void)
{
    return ERR_set_mark() == 1;
}

static inline void errors_drop_any(bool marked, bool failed)
{
    if (marked || failed)
        (void)ERR_pop_to_mark();
}

/* The verbs of cipher_ctx without the two above: for who runs many packets between them. */
bool cipher_run_cbc(struct cipher_ctx *ctx, const uint8_t *iv, struct mspan data) MUST_USE;
bool cipher_run_gcm_seal(struct cipher_ctx *ctx, const uint8_t nonce[12], struct span aad,
                         struct mspan data, uint8_t tag[16]) MUST_USE;
bool cipher_run_gcm_open(struct cipher_ctx *ctx, const uint8_t nonce[12], struct span aad,
                         struct mspan data, const uint8_t tag[16]) MUST_USE;

/* Diffie-Hellman back-ends. Values are big-endian and already have the sizes of the row. */
struct dh_row {
    enum dh_group group;
    const char *name;
    enum {
        DH_KIND_MODP,
        DH_KIND_EC,
        DH_KIND_X25519
    } kind;
    size_t public_size, secret_size;
    /* MODP: the larger estimate of RFC 3526 8, at least 256 bits; EC: of the group's order. */
    size_t private_size;
    int nid; /* EC */
};

#define DH_PRIVATE_MAX 80

bool dh_modp_private(const struct dh_row *row, const struct env *env, uint8_t *priv) MUST_USE;
bool dh_modp_public(const struct dh_row *row, const uint8_t *priv, uint8_t *pub) MUST_USE;
bool dh_modp_shared(const struct dh_row *row, const uint8_t *priv, const uint8_t *own,
                    struct span peer, uint8_t *out) MUST_USE;

bool dh_ec_private(struct crypto *c, const struct dh_row *row, const struct env *env,
                   uint8_t *priv) MUST_USE;
bool dh_ec_public(struct crypto *c, const struct dh_row *row, const uint8_t *priv,
                  uint8_t *pub) MUST_USE;
bool dh_ec_shared(struct crypto *c, const struct dh_row *row, const uint8_t *priv, struct span peer,
                  uint8_t *out) MUST_USE;

bool dh_x25519_public(struct crypto *c, const uint8_t *priv, uint8_t *pub) MUST_USE;
bool dh_x25519_shared(struct crypto *c, const uint8_t *priv, struct span peer,
                      uint8_t *out) MUST_USE;

#endif
