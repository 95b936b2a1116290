/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Encryption and integrity of ESP packets, several at a time and in place. Who computes them - the
 * back end - is chosen for each batch by what the processor has and by how many packets there are;
 * what comes out is the same bit for bit. Nothing here allocates per packet.
 *
 * Threads: over all SAs of one `struct crypto` one thread may seal while another one opens.
 */
#ifndef L2TPC_CRYPTO_ESP_BACKEND_H
#define L2TPC_CRYPTO_ESP_BACKEND_H

#include "crypto/crypto.h"

#define ESP_JOBS_MAX 64

/* SPI and sequence number: the AAD of GCM (RFC 4106 5), the first that an HMAC covers. */
#define ESP_JOB_HEADER 8

/* One packet as RFC 4303 2 draws it: header, IV, body, ICV, one behind the other. */
struct esp_job {
    uint8_t *packet;
    size_t body; /* bytes between IV and ICV, a multiple of the block */
    /*
     * Sealing: body and ICV are done. Opening: the ICV holds and the body is clear; otherwise the
     * packet is as it came, but for GCM, where its body is rubbish.
     */
    bool ok;
};

struct esp_crypt_config {
    enum cipher_id cipher;
    struct span key;       /* without salt */
    uint8_t salt[4];       /* GCM */
    enum hash_id integ;    /* HASH_NONE with GCM */
    struct span integ_key; /* of the hash's length */
    size_t icv;            /* 16 with GCM; else at most the hash */
    bool seal;
};

/* One direction of one SA. */
struct esp_crypt;

/* NULL for what cannot be, or without memory. */
struct esp_crypt *esp_crypt_new(struct crypto *c, const struct esp_crypt_config *config);
void esp_crypt_free(struct esp_crypt *x); /* wipes */
/* At most ESP_JOBS_MAX jobs; a failed one changes nothing for the others. The IV is in its place.
 */
void esp_crypt_seal(struct esp_crypt *x, struct esp_job *jobs, size_t n);
/* The ICV is compared in constant time. */
void esp_crypt_open(struct esp_crypt *x, struct esp_job *jobs, size_t n);
/* The whole HMAC of any bytes; false with GCM. */
bool esp_crypt_hmac(struct esp_crypt *x, struct span bytes, uint8_t out[HASH_MAX]) MUST_USE;
/* What computes a full batch: "OpenSSL", "ipsec-mb AVX-512". */
const char *esp_crypt_backend(const struct esp_crypt *x);

/* By hand, for tests and measurements. */
enum esp_backend {
    ESP_BACKEND_AUTO,
    ESP_BACKEND_OPENSSL,
    ESP_BACKEND_SSE, /* ipsec-mb, whatever the size of the batch */
    ESP_BACKEND_AVX2,
    ESP_BACKEND_AVX512,
#if L2TPC_TEST_HOOKS
    ESP_BACKEND_NULL, /* neither encrypts nor checks: what is left is the cost of all the rest */
#endif
};
/* For SAs made from now on; false when it cannot be had here. */
bool crypto_use_esp_backend(struct crypto *c, enum esp_backend backend) MUST_USE;

#endif
