/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/esp_private.h"

#include <openssl/provider.h>
#include <stdlib.h>

static void fetch_all(struct crypto *c)
{
    static const char *const cbc[] = {"AES-128-CBC", "AES-192-CBC", "AES-256-CBC"};
    static const char *const gcm[] = {"AES-128-GCM", "AES-192-GCM", "AES-256-GCM"};

    for (size_t i = 0; i < ARRAY_LEN(cbc); i++) {
        c->aes_cbc[i] = EVP_CIPHER_fetch(c->lib, cbc[i], NULL);
        c->aes_gcm[i] = EVP_CIPHER_fetch(c->lib, gcm[i], NULL);
    }
    c->des3 = EVP_CIPHER_fetch(c->lib, "DES-EDE3-CBC", NULL);
}

struct crypto *crypto_new(void)
{
    struct crypto *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    errors_mark();
    /* It reads its configuration file when it is first used, which may be too late to open one. */
    (void)OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
    c->lib = OSSL_LIB_CTX_new();
    if (c->lib)
        c->provider = OSSL_PROVIDER_load(c->lib, "default");
    if (c->provider)
        fetch_all(c);
    errors_drop();
    /* Whoever built OpenSSL without 3DES still gets a dialer. */
    if (!c->aes_cbc[0] || !c->aes_cbc[2]) {
        crypto_free(c);
        return NULL;
    }
    return c;
}

void crypto_set_vault(struct crypto *c, const struct vault *vault)
{
    c->vault = vault;
}

void crypto_free(struct crypto *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < ARRAY_LEN(c->aes_cbc); i++) {
        EVP_CIPHER_free(c->aes_cbc[i]);
        EVP_CIPHER_free(c->aes_gcm[i]);
    }
    EVP_CIPHER_free(c->des3);
    esp_mb_free(c->mb);
    if (c->provider)
        (void)OSSL_PROVIDER_unload(c->provider);
    OSSL_LIB_CTX_free(c->lib);
    free(c);
}
