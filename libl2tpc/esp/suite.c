/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/secret.h"
#include "esp/private.h"

#include <string.h>

#define GCM_ALIGN 4 /* RFC 4303 2.4: the trailer ends on a 4-byte boundary */

/* ICV in bytes: RFC 2403, 2404, 4868. Half the hash, but for the two oldest. */
static size_t icv_of(const struct esp_suite *suite)
{
    switch (suite->integ) {
    case HASH_MD5:
    case HASH_SHA1:
        return ESP_ICV_96;
    case HASH_SHA256:
        return suite->truncate_96 ? ESP_ICV_96 : ESP_ICV_128;
    case HASH_SHA384:
        return 24;
    case HASH_SHA512:
        return 32;
    case HASH_NONE:
    case HASH_MD4:
        break;
    }
    return 0;
}

bool esp_sizes_of(const struct esp_suite *suite, struct esp_sizes *out)
{
    bool gcm = suite->cipher == CIPHER_AES_GCM;
    size_t icv = gcm ? ESP_ICV_128 : icv_of(suite);

    if (cipher_key_len(suite->cipher, suite->key_bits) == 0 || icv == 0)
        return false;
    if (gcm && suite->integ != HASH_NONE)
        return false;
    out->iv = cipher_iv(suite->cipher);
    out->align = gcm ? GCM_ALIGN : cipher_block(suite->cipher);
    out->icv = icv;
    out->integ_key = hash_size(suite->integ);
    return true;
}

bool esp_key_init(struct esp_key *k, struct crypto *c, const struct esp_suite *suite,
                  const struct sa_keys *keys, bool seal)
{
    size_t n_key = cipher_key_len(suite->cipher, suite->key_bits);
    size_t n_salt = cipher_salt(suite->cipher);
    struct span key = span_of(keys->cipher_key, n_key);
    struct esp_crypt_config config;

    if (!esp_sizes_of(suite, &k->sizes) || keys->cipher_key_len != n_key + n_salt ||
        keys->integ_key_len != k->sizes.integ_key)
        return false;
    if ((suite->cipher == CIPHER_DES_CBC || suite->cipher == CIPHER_3DES_CBC) &&
        des_key_is_weak(key))
        return false;
    k->spi = keys->spi;
    k->gcm = suite->cipher == CIPHER_AES_GCM;
    config = (struct esp_crypt_config){
        .cipher = suite->cipher,
        .key = key,
        .integ = suite->integ,
        .integ_key = span_of(keys->integ_key, keys->integ_key_len),
        .icv = k->sizes.icv,
        .seal = seal,
    };
    memcpy(config.salt, keys->cipher_key + n_key, n_salt);
    k->crypt = esp_crypt_new(c, &config);
    wipe(&config, sizeof(config));
    return k->crypt != NULL;
}

void esp_key_wipe(struct esp_key *k)
{
    esp_crypt_free(k->crypt);
    wipe(k, sizeof(*k));
}

size_t esp_sealed_size(const struct esp_sizes *s, size_t n)
{
    size_t body = UDP_HEADER + n + ESP_TRAILER;

    return ESP_HEADER + s->iv + (body + s->align - 1) / s->align * s->align + s->icv;
}

size_t esp_overhead(const struct esp_suite *suite, size_t n)
{
    struct esp_sizes s;

    return esp_sizes_of(suite, &s) ? esp_sealed_size(&s, n) - n : 0;
}

size_t esp_payload_max(const struct esp_suite *suite, size_t packet)
{
    struct esp_sizes s;
    size_t body;
    size_t n;

    if (!esp_sizes_of(suite, &s) || packet < esp_sealed_size(&s, 0))
        return 0;
    body = (packet - ESP_HEADER - s.iv - s.icv) / s.align * s.align;
    n = body - UDP_HEADER - ESP_TRAILER;
    return n < UDP_PAYLOAD_MAX ? n : UDP_PAYLOAD_MAX;
}

const char *esp_integ_name(const struct esp_suite *suite)
{
    if (suite->cipher == CIPHER_AES_GCM)
        return "AEAD";
    switch (suite->integ) {
    case HASH_MD5:
        return "HMAC-MD5-96";
    case HASH_SHA1:
        return "HMAC-SHA1-96";
    case HASH_SHA256:
        return suite->truncate_96 ? "HMAC-SHA2-256-96" : "HMAC-SHA2-256-128";
    case HASH_SHA384:
        return "HMAC-SHA2-384-192";
    case HASH_SHA512:
        return "HMAC-SHA2-512-256";
    case HASH_NONE:
    case HASH_MD4:
        break;
    }
    return "none";
}
