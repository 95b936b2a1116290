/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by the back ends of ESP alone. */
#ifndef L2TPC_CRYPTO_ESP_PRIVATE_H
#define L2TPC_CRYPTO_ESP_PRIVATE_H

#include "base/vault.h"
#include "crypto/private.h"

#define ESP_GCM_TAG 16

/* A back end. Each call takes 1 to ESP_JOBS_MAX jobs and sets every `ok`. */
struct esp_backend_row {
    const char *name;
    void (*seal_batch)(struct esp_crypt *x, struct esp_job *jobs, size_t n);
    void (*open_batch)(struct esp_crypt *x, struct esp_job *jobs, size_t n);
};

/* A back end and the smallest batch for which it is the best; NULL: never. */
struct esp_choice {
    const struct esp_backend_row *row;
    size_t from;
};

struct esp_crypt {
    const struct vault *vault; /* where this and ipsec-mb's keys are */
    bool gcm;
    size_t iv, icv;
    uint8_t salt[4];
    struct esp_choice wide, narrow; /* in this order; what is left is `one` */
    const struct esp_backend_row *one;
    /* OpenSSL's keys, and nettle's for the HMAC */
    struct cipher_ctx *cipher;
    struct mac_ctx *mac; /* NULL with GCM */
    /* ipsec-mb's */
    struct mb_keys *mb;
    struct mb_lane *lane;
};

extern const struct esp_backend_row esp_evp_row;

/*
 * ipsec-mb. The managers belong to the context, one set per direction (`lane`): they keep the
 * packets of a batch that is under way.
 */
void esp_mb_prepare(struct crypto *c);
void esp_mb_free(struct mb *mb);
bool esp_mb_has(struct crypto *c, enum esp_backend backend);
/*
 * Gives `x` its rows and its keys. True also when there is nothing for this suite or processor;
 * false without memory.
 */
bool esp_mb_attach(struct esp_crypt *x, struct crypto *c,
                   const struct esp_crypt_config *config) MUST_USE;
void esp_mb_detach(struct esp_crypt *x);

/* Where the parts of a job stand. */
static inline uint8_t *job_iv(const struct esp_job *j)
{
    return j->packet + ESP_JOB_HEADER;
}

static inline struct mspan job_body(const struct esp_crypt *x, const struct esp_job *j)
{
    return (struct mspan){j->packet + ESP_JOB_HEADER + x->iv, j->body};
}

static inline struct span job_covered(const struct esp_crypt *x, const struct esp_job *j)
{
    return span_of(j->packet, ESP_JOB_HEADER + x->iv + j->body);
}

static inline uint8_t *job_icv(const struct esp_crypt *x, const struct esp_job *j)
{
    return j->packet + ESP_JOB_HEADER + x->iv + j->body;
}

/* RFC 4106 4: the salt, then the IV of the packet. */
static inline void job_nonce(const struct esp_crypt *x, const struct esp_job *j, uint8_t nonce[12])
{
    __builtin_memcpy(nonce, x->salt, 4);
    __builtin_memcpy(nonce + 4, job_iv(j), 8);
}

#endif
