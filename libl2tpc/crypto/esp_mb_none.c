/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Built without ipsec-mb: OpenSSL computes every batch. */
#include "crypto/esp_private.h"

void esp_mb_prepare(struct crypto *c)
{
    (void)c;
}

void esp_mb_free(struct mb *mb)
{
    (void)mb;
}

bool esp_mb_has(struct crypto *c, enum esp_backend backend)
{
    (void)c;
    (void)backend;
    return false;
}

bool esp_mb_attach(struct esp_crypt *x, struct crypto *c, const struct esp_crypt_config *config)
{
    (void)x;
    (void)c;
    (void)config;
    return true;
}

void esp_mb_detach(struct esp_crypt *x)
{
    (void)x;
}
