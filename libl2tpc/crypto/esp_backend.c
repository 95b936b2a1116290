/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/esp_backend.h"

#include "base/secret.h"
#include "crypto/esp_private.h"

#include <stdlib.h>
#include <string.h>

#if L2TPC_TEST_HOOKS

static void do_nothing(struct esp_crypt *x, struct esp_job *jobs, size_t n)
{
    (void)x;
    for (size_t i = 0; i < n; i++)
        jobs[i].ok = true;
}

static const struct esp_backend_row null_row = {"null", do_nothing, do_nothing};

static bool is_null(const struct crypto *c)
{
    return c->esp_backend == ESP_BACKEND_NULL;
}

static const struct esp_backend_row *only_row(const struct crypto *c)
{
    return is_null(c) ? &null_row : &esp_evp_row;
}

#else

static bool is_null(const struct crypto *c)
{
    (void)c;
    return false;
}

static const struct esp_backend_row *only_row(const struct crypto *c)
{
    (void)c;
    return &esp_evp_row;
}

#endif

static bool can_be(const struct esp_crypt_config *config)
{
    if (config->cipher == CIPHER_AES_GCM)
        return config->integ == HASH_NONE && config->icv == ESP_GCM_TAG;
    return cipher_block(config->cipher) > 1 && config->icv > 0 &&
           config->integ_key.n == hash_size(config->integ) && config->icv <= config->integ_key.n;
}

struct esp_crypt *esp_crypt_new(struct crypto *c, const struct esp_crypt_config *config)
{
    struct esp_crypt *x;
    bool ok;

    if (!can_be(config))
        return NULL;
    x = vault_take(c->vault, sizeof(*x));
    if (!x)
        return NULL;
    x->vault = c->vault;
    x->gcm = config->cipher == CIPHER_AES_GCM;
    x->iv = cipher_iv(config->cipher);
    x->icv = config->icv;
    memcpy(x->salt, config->salt, sizeof(x->salt));
    x->one = only_row(c);
    x->cipher = cipher_ctx_new(c, config->cipher, config->key, config->seal);
    if (!x->gcm)
        x->mac = mac_ctx_new(c, config->integ, config->integ_key);
    ok = x->cipher && (x->gcm || x->mac);
    if (ok && c->esp_backend != ESP_BACKEND_OPENSSL && !is_null(c))
        ok = esp_mb_attach(x, c, config);
    if (ok)
        return x;
    esp_crypt_free(x);
    return NULL;
}

void esp_crypt_free(struct esp_crypt *x)
{
    if (!x)
        return;
    esp_mb_detach(x);
    cipher_ctx_free(x->cipher);
    mac_ctx_free(x->mac);
    vault_give(x->vault, x, sizeof(*x));
}

static const struct esp_backend_row *choose(const struct esp_crypt *x, size_t n)
{
    if (x->wide.row && n >= x->wide.from)
        return x->wide.row;
    return x->narrow.row && n >= x->narrow.from ? x->narrow.row : x->one;
}

/* More than a batch is a mistake of the caller, which must not become ours. */
static bool is_batch(struct esp_job *jobs, size_t n)
{
    for (size_t i = 0; n > ESP_JOBS_MAX && i < n; i++)
        jobs[i].ok = false;
    return n > 0 && n <= ESP_JOBS_MAX;
}

void esp_crypt_seal(struct esp_crypt *x, struct esp_job *jobs, size_t n)
{
    if (is_batch(jobs, n))
        choose(x, n)->seal_batch(x, jobs, n);
}

void esp_crypt_open(struct esp_crypt *x, struct esp_job *jobs, size_t n)
{
    if (is_batch(jobs, n))
        choose(x, n)->open_batch(x, jobs, n);
}

bool esp_crypt_hmac(struct esp_crypt *x, struct span bytes, uint8_t out[HASH_MAX])
{
    return x->mac && mac_ctx_run(x->mac, bytes, out);
}

const char *esp_crypt_backend(const struct esp_crypt *x)
{
    return choose(x, ESP_JOBS_MAX)->name;
}

bool crypto_use_esp_backend(struct crypto *c, enum esp_backend backend)
{
    switch (backend) {
    case ESP_BACKEND_SSE:
    case ESP_BACKEND_AVX2:
    case ESP_BACKEND_AVX512:
        if (!esp_mb_has(c, backend))
            return false;
        break;
    default:
        break;
    }
    c->esp_backend = backend;
    return true;
}

void crypto_prepare_esp(struct crypto *c)
{
    if (c->esp_backend != ESP_BACKEND_OPENSSL && !is_null(c))
        esp_mb_prepare(c);
}
