/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The back end that is always there: OpenSSL's ciphers and nettle's HMAC, one packet after the
 * other. Contexts are keyed once; a packet brings its IV and nothing else.
 */
#include "crypto/esp_private.h"

#include "base/secret.h"

#include <string.h>

static bool seal_one(struct esp_crypt *x, const struct esp_job *j)
{
    uint8_t tag[HASH_MAX];
    uint8_t nonce[12];

    if (x->gcm) {
        job_nonce(x, j, nonce);
        return cipher_run_gcm_seal(x->cipher, nonce, span_of(j->packet, ESP_JOB_HEADER),
                                   job_body(x, j), job_icv(x, j));
    }
    if (!cipher_run_cbc(x->cipher, job_iv(j), job_body(x, j)) ||
        !mac_ctx_run(x->mac, job_covered(x, j), tag))
        return false;
    memcpy(job_icv(x, j), tag, x->icv);
    return true;
}

static bool open_one(struct esp_crypt *x, const struct esp_job *j)
{
    uint8_t tag[HASH_MAX];
    uint8_t nonce[12];

    if (x->gcm) {
        job_nonce(x, j, nonce);
        return cipher_run_gcm_open(x->cipher, nonce, span_of(j->packet, ESP_JOB_HEADER),
                                   job_body(x, j), job_icv(x, j));
    }
    return mac_ctx_run(x->mac, job_covered(x, j), tag) && equal_ct(tag, job_icv(x, j), x->icv) &&
           cipher_run_cbc(x->cipher, job_iv(j), job_body(x, j));
}

/*
 * The library's queue of errors is kept as it was (crypto/private.h), but for GCM: a wrong tag
 * leaves no error there, and asking for the queue is some per cent of a packet.
 */
static void seal_batch(struct esp_crypt *x, struct esp_job *jobs, size_t n)
{
    bool marked = !x->gcm && errors_mark_any();
    bool failed = false;

    for (size_t i = 0; i < n; i++) {
        jobs[i].ok = seal_one(x, &jobs[i]);
        failed = failed || !jobs[i].ok;
    }
    errors_drop_any(marked, !x->gcm && failed);
}

static void open_batch(struct esp_crypt *x, struct esp_job *jobs, size_t n)
{
    bool marked = !x->gcm && errors_mark_any();
    bool failed = false;

    for (size_t i = 0; i < n; i++) {
        jobs[i].ok = open_one(x, &jobs[i]);
        failed = failed || !jobs[i].ok;
    }
    errors_drop_any(marked, !x->gcm && failed);
}

const struct esp_backend_row esp_evp_row = {"OpenSSL", seal_batch, open_batch};
