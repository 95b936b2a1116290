/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by the two files of the ipsec-mb back end: whose managers and keys they are. */
#ifndef L2TPC_CRYPTO_ESP_MB_H
#define L2TPC_CRYPTO_ESP_MB_H

#include "crypto/esp_private.h"

#include <intel-ipsec-mb.h>

enum mb_arch {
    MB_SSE,
    MB_AVX2,
    MB_AVX512,
    MB_ARCHES
};

/* What one thread computes with; the library keeps 200 kB in each manager. */
struct mb_lane {
    IMB_MGR *mgr[MB_ARCHES]; /* NULL: not asked for yet, or not for this processor */
    void *block[MB_ARCHES];  /* in which it stands */
    IMB_JOB jobs[ESP_JOBS_MAX];
    uint8_t tags[ESP_JOBS_MAX][HASH_MAX];
};

struct mb {
    struct mb_lane lane[2]; /* open, seal */
};

/* The keys of one direction as the library wants them. */
struct mb_keys {
    union {
        struct gcm_key_data gcm;
        struct {
            uint32_t enc[60], dec[60];
        } aes;
        uint64_t des[3][16];
    } cipher __attribute__((aligned(64)));
    uint8_t ipad[64], opad[64]; /* the hash's state behind the HMAC's key */
    const void *des3[3];
    const void *enc, *dec;
    aes_gcm_enc_dec_t gcm_run;
    IMB_CIPHER_MODE mode;
    IMB_HASH_ALG hash;
    size_t key_len, block;
    size_t
        tag; /* of an ICV as RFC 2403, 2404 and 4868 cut it, the only lengths the library knows */
};

extern const struct esp_backend_row mb_gcm_rows[MB_ARCHES], mb_cbc_rows[MB_ARCHES];

#endif
