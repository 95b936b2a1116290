/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by the files of crypto/ alone. */
#ifndef L2TPC_CRYPTO_PRIVATE_H
#define L2TPC_CRYPTO_PRIVATE_H

#include "crypto/crypto.h"

#include <openssl/err.h>
#include <openssl/evp.h>

/* Fetched once: a fetch takes longer than ten packets. NULL rows are what the provider lacks. */
struct crypto {
    OSSL_LIB_CTX *lib; /* private: the host's configuration and providers do not reach us */
    OSSL_PROVIDER *provider;
    EVP_CIPHER *des3;
    EVP_CIPHER *aes_cbc[3], *aes_gcm[3]; /* 128, 192, 256 */
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
