/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ipsec-mb: a processor with wide registers computes up to sixteen packets in the time of one. GCM
 * is parallel by itself and needs no batch.
 *
 * Packets are opened in two passes, hashes first: what is not authentic is never decrypted, and a
 * flood of forged packets costs no more than its hashes. It takes no longer than the library's own
 * chain of both.
 */
#include "base/secret.h"
#include "crypto/esp_mb.h"

#include <string.h>

/* The library counts bytes in 16 bits in places; no packet of a tunnel comes near it. */
#define MB_BODY_MAX 16384

static void gcm_seal(struct esp_crypt *x, struct esp_job *jobs, size_t n)
{
    struct gcm_context_data state;
    uint8_t nonce[12];

    for (size_t i = 0; i < n; i++) {
        struct mspan body = job_body(x, &jobs[i]);

        job_nonce(x, &jobs[i], nonce);
        x->mb->gcm_run(&x->mb->cipher.gcm, &state, body.p, body.p, body.n, nonce, jobs[i].packet,
                       ESP_JOB_HEADER, job_icv(x, &jobs[i]), ESP_GCM_TAG);
        jobs[i].ok = true;
    }
}

static void gcm_open(struct esp_crypt *x, struct esp_job *jobs, size_t n)
{
    struct gcm_context_data state;
    uint8_t nonce[12];
    uint8_t tag[ESP_GCM_TAG];

    for (size_t i = 0; i < n; i++) {
        struct mspan body = job_body(x, &jobs[i]);

        job_nonce(x, &jobs[i], nonce);
        x->mb->gcm_run(&x->mb->cipher.gcm, &state, body.p, body.p, body.n, nonce, jobs[i].packet,
                       ESP_JOB_HEADER, tag, ESP_GCM_TAG);
        jobs[i].ok = equal_ct(tag, job_icv(x, &jobs[i]), ESP_GCM_TAG);
    }
}

const struct esp_backend_row mb_gcm_rows[MB_ARCHES] = {
    [MB_SSE] = {"ipsec-mb SSE", gcm_seal, gcm_open},
    [MB_AVX2] = {"ipsec-mb AVX2", gcm_seal, gcm_open},
    [MB_AVX512] = {"ipsec-mb AVX-512", gcm_seal, gcm_open},
};

static void fill(const struct esp_crypt *x, const struct esp_job *j, IMB_JOB *out, uint8_t *tag,
                 bool seal)
{
    const struct mb_keys *k = x->mb;

    out->enc_keys = k->enc;
    out->dec_keys = k->dec;
    out->key_len_in_bytes = k->key_len;
    out->src = j->packet;
    out->dst = j->packet + ESP_JOB_HEADER + x->iv;
    out->cipher_start_src_offset_in_bytes = ESP_JOB_HEADER + x->iv;
    out->msg_len_to_cipher_in_bytes = j->body;
    out->hash_start_src_offset_in_bytes = 0;
    out->msg_len_to_hash_in_bytes = ESP_JOB_HEADER + x->iv + j->body;
    out->iv = job_iv(j);
    out->iv_len_in_bytes = x->iv;
    out->auth_tag_output = tag;
    out->auth_tag_output_len_in_bytes = k->tag;
    out->u.HMAC._hashed_auth_key_xor_ipad = k->ipad;
    out->u.HMAC._hashed_auth_key_xor_opad = k->opad;
    out->cipher_mode = k->mode;
    out->cipher_direction = seal ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
    out->hash_alg = k->hash;
    out->chain_order = seal ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
}

/* One of the two steps for all jobs through the library's queue, which knows every algorithm. */
static bool run_queue(IMB_MGR *m, const IMB_JOB *jobs, size_t n, IMB_CIPHER_MODE mode,
                      IMB_HASH_ALG hash)
{
    size_t done = 0;

    for (size_t i = 0; i < n; i++) {
        IMB_JOB *j = IMB_GET_NEXT_JOB(m);

        *j = jobs[i];
        j->cipher_mode = mode;
        j->hash_alg = hash;
        for (j = IMB_SUBMIT_JOB_NOCHECK(m); j; j = IMB_GET_COMPLETED_JOB(m))
            done += j->status == IMB_STATUS_COMPLETED;
    }
    for (IMB_JOB *j = IMB_FLUSH_JOB(m); j; j = IMB_FLUSH_JOB(m))
        done += j->status == IMB_STATUS_COMPLETED;
    return done == n;
}

static bool run_cipher(const struct mb_keys *k, IMB_MGR *m, IMB_JOB *jobs, size_t n, bool seal)
{
    if (k->mode != IMB_CIPHER_CBC)
        return run_queue(m, jobs, n, k->mode, IMB_AUTH_NULL);
    return IMB_SUBMIT_CIPHER_BURST_NOCHECK(m, jobs, (uint32_t)n, IMB_CIPHER_CBC,
                                           seal ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT,
                                           (IMB_KEY_SIZE_BYTES)k->key_len) == n;
}

static bool run_hash(const struct mb_keys *k, IMB_MGR *m, IMB_JOB *jobs, size_t n)
{
    if (k->hash == IMB_AUTH_MD5)
        return run_queue(m, jobs, n, IMB_CIPHER_NULL, k->hash);
    return IMB_SUBMIT_HASH_BURST_NOCHECK(m, jobs, (uint32_t)n, k->hash) == n;
}

static bool all_fit(const struct esp_crypt *x, const struct esp_job *jobs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (jobs[i].body == 0 || jobs[i].body > MB_BODY_MAX || jobs[i].body % x->mb->block != 0)
            return false;
    return true;
}

static void cbc_seal(struct esp_crypt *x, enum mb_arch arch, struct esp_job *jobs, size_t n)
{
    struct mb_lane *l = x->lane;
    bool ok;

    if (!all_fit(x, jobs, n)) {
        esp_evp_row.seal_batch(x, jobs, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        fill(x, &jobs[i], &l->jobs[i], l->tags[i], true);
    ok = run_cipher(x->mb, l->mgr[arch], l->jobs, n, true) &&
         run_hash(x->mb, l->mgr[arch], l->jobs, n);
    for (size_t i = 0; i < n; i++) {
        jobs[i].ok = ok;
        if (ok)
            memcpy(job_icv(x, &jobs[i]), l->tags[i], x->icv);
    }
}

static void cbc_open(struct esp_crypt *x, enum mb_arch arch, struct esp_job *jobs, size_t n)
{
    struct mb_lane *l = x->lane;
    size_t good = 0;
    bool ok;

    if (!all_fit(x, jobs, n)) {
        esp_evp_row.open_batch(x, jobs, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        fill(x, &jobs[i], &l->jobs[i], l->tags[i], false);
    ok = run_hash(x->mb, l->mgr[arch], l->jobs, n);
    for (size_t i = 0; i < n; i++) {
        jobs[i].ok = ok && equal_ct(l->tags[i], job_icv(x, &jobs[i]), x->icv);
        if (!jobs[i].ok)
            continue;
        if (good < i)
            l->jobs[good] = l->jobs[i];
        good++;
    }
    if (good > 0 && !run_cipher(x->mb, l->mgr[arch], l->jobs, good, false))
        for (size_t i = 0; i < n; i++)
            jobs[i].ok = false;
}

static void seal_sse(struct esp_crypt *x, struct esp_job *jobs, size_t n)
{
    cbc_seal(x, MB_SSE, jobs, n);
}

static void open_sse(struct esp_crypt *x, struct esp_job *jobs, size_t n)
{
    cbc_open(x, MB_SSE, jobs, n);
}

static void seal_avx2(struct esp_crypt *x, struct esp_job *jobs, size_t n)
{
    cbc_seal(x, MB_AVX2, jobs, n);
}

static void open_avx2(struct esp_crypt *x, struct esp_job *jobs, size_t n)
{
    cbc_open(x, MB_AVX2, jobs, n);
}

static void seal_avx512(struct esp_crypt *x, struct esp_job *jobs, size_t n)
{
    cbc_seal(x, MB_AVX512, jobs, n);
}

static void open_avx512(struct esp_crypt *x, struct esp_job *jobs, size_t n)
{
    cbc_open(x, MB_AVX512, jobs, n);
}

const struct esp_backend_row mb_cbc_rows[MB_ARCHES] = {
    [MB_SSE] = {"ipsec-mb SSE", seal_sse, open_sse},
    [MB_AVX2] = {"ipsec-mb AVX2", seal_avx2, open_avx2},
    [MB_AVX512] = {"ipsec-mb AVX-512", seal_avx512, open_avx512},
};
