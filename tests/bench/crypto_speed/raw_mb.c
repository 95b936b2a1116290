/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ipsec-mb alone: its job queue for CBC with HMAC, its direct calls for GCM. */
#include "bench.h"

#include <intel-ipsec-mb.h>
#include <stdlib.h>
#include <string.h>

struct mbench {
    const struct cell *cell;
    struct ring *ring;
    struct esp_sizes sizes;
    uint8_t salt[4];
    IMB_MGR *m;
    struct gcm_key_data gcm;
    uint32_t enc[60] __attribute__((aligned(64))), dec[60] __attribute__((aligned(64)));
    uint64_t des[3][16];
    const void *des3[3];
    uint8_t ipad[64], opad[64], tags[RING][64];
    aes_gcm_enc_dec_t run;
    const void *enc_keys, *dec_keys;
    IMB_CIPHER_MODE mode;
    IMB_HASH_ALG hash;
    size_t key_len;
};

static void mb_destroy(void *self)
{
    struct mbench *x = self;

    free_mb_mgr(x->m);
    free(x);
}

static void one_block(struct mbench *x, enum hash_id h, const uint8_t *block, uint8_t *out)
{
    switch (h) {
    case HASH_SHA1:
        x->hash = IMB_AUTH_HMAC_SHA_1;
        IMB_SHA1_ONE_BLOCK(x->m, block, out);
        break;
    case HASH_SHA256:
        x->hash = IMB_AUTH_HMAC_SHA_256;
        IMB_SHA256_ONE_BLOCK(x->m, block, out);
        break;
    case HASH_SHA384:
        x->hash = IMB_AUTH_HMAC_SHA_384;
        IMB_SHA384_ONE_BLOCK(x->m, block, out);
        break;
    case HASH_SHA512:
        x->hash = IMB_AUTH_HMAC_SHA_512;
        IMB_SHA512_ONE_BLOCK(x->m, block, out);
        break;
    default:
        x->hash = IMB_AUTH_MD5;
        IMB_MD5_ONE_BLOCK(x->m, block, out);
        break;
    }
}

static void key_hash(struct mbench *x, const struct sa_pair *sa)
{
    uint8_t i[128], o[128];

    memset(i, 0x36, sizeof(i));
    memset(o, 0x5c, sizeof(o));
    for (size_t k = 0; k < sa->out.integ_key_len; k++) {
        i[k] ^= sa->out.integ_key[k];
        o[k] ^= sa->out.integ_key[k];
    }
    one_block(x, sa->suite.integ, i, x->ipad);
    one_block(x, sa->suite.integ, o, x->opad);
}

static void key_cipher(struct mbench *x, const struct sa_pair *sa)
{
    const uint8_t *key = sa->out.cipher_key;
    bool seal = x->cell->seal;

    x->enc_keys = x->enc;
    x->dec_keys = x->dec;
    x->mode = IMB_CIPHER_CBC;
    if (sa->suite.cipher == CIPHER_AES_GCM && x->key_len == 16) {
        IMB_AES128_GCM_PRE(x->m, key, &x->gcm);
        x->run = seal ? x->m->gcm128_enc : x->m->gcm128_dec;
    } else if (sa->suite.cipher == CIPHER_AES_GCM) {
        IMB_AES256_GCM_PRE(x->m, key, &x->gcm);
        x->run = seal ? x->m->gcm256_enc : x->m->gcm256_dec;
    } else if (sa->suite.cipher == CIPHER_AES_CBC && x->key_len == 16) {
        IMB_AES_KEYEXP_128(x->m, key, x->enc, x->dec);
    } else if (sa->suite.cipher == CIPHER_AES_CBC) {
        IMB_AES_KEYEXP_256(x->m, key, x->enc, x->dec);
    } else {
        for (size_t i = 0; i < 3; i++) {
            (void)IMB_DES_KEYSCHED(x->m, x->des[i], key + 8 * i);
            x->des3[i] = x->des[i];
        }
        x->mode = IMB_CIPHER_DES3;
        x->enc_keys = x->dec_keys = x->des3;
    }
}

static void *mb_new(const struct cell *cell, const struct sa_pair *sa, struct ring *ring,
                    void (*init)(IMB_MGR *))
{
    struct mbench *x = aligned_alloc(64, (sizeof(*x) + 63) / 64 * 64);

    if (!x)
        abort();
    memset(x, 0, sizeof(*x));
    x->cell = cell;
    x->ring = ring;
    x->m = alloc_mb_mgr(0);
    if (!x->m)
        abort();
    init(x->m);
    if (imb_get_errno(x->m) != 0 || !esp_sizes_of(&sa->suite, &x->sizes)) {
        mb_destroy(x);
        return NULL;
    }
    x->key_len = cipher_key_len(sa->suite.cipher, sa->suite.key_bits);
    memcpy(x->salt, sa->out.cipher_key + x->key_len, cipher_salt(sa->suite.cipher));
    key_cipher(x, sa);
    if (!x->run)
        key_hash(x, sa);
    return x;
}

static void *narrow_new(const struct cell *cell, const struct sa_pair *sa, struct ring *ring)
{
    /* Its 3DES takes milliseconds, and GCM has no reason to go this way. */
    if (cell->suite->esp.cipher != CIPHER_AES_CBC || !__builtin_cpu_supports("aes"))
        return NULL;
    return mb_new(cell, sa, ring, init_mb_mgr_sse);
}

static void *wide_new(const struct cell *cell, const struct sa_pair *sa, struct ring *ring)
{
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl"))
        return mb_new(cell, sa, ring, init_mb_mgr_avx512);
    if (!__builtin_cpu_supports("avx2") || cell->suite->esp.cipher == CIPHER_3DES_CBC)
        return NULL;
    return mb_new(cell, sa, ring, init_mb_mgr_avx2);
}

static void run_gcm(struct mbench *x)
{
    struct gcm_context_data state;
    uint8_t nonce[12];
    uint8_t tag[16];

    memcpy(nonce, x->salt, 4);
    for (size_t i = 0; i < RING; i++) {
        uint8_t *packet = x->ring->bytes[i];
        uint8_t *body = packet + ESP_HEADER + 8;
        uint8_t *icv = body + x->ring->body;

        memcpy(nonce + 4, packet + ESP_HEADER, 8);
        x->run(&x->gcm, &state, body, body, x->ring->body, nonce, packet, ESP_HEADER,
               x->cell->seal ? icv : tag, 16);
        if (!x->cell->seal && memcmp(tag, icv, 16) != 0)
            abort();
    }
}

static void fill(struct mbench *x, IMB_JOB *j, size_t i)
{
    uint8_t *packet = x->ring->bytes[i];
    size_t head = ESP_HEADER + x->sizes.iv;

    j->cipher_direction = x->cell->seal ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
    j->chain_order = x->cell->seal ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
    j->cipher_mode = x->mode;
    j->key_len_in_bytes = x->key_len;
    j->enc_keys = x->enc_keys;
    j->dec_keys = x->dec_keys;
    j->iv = packet + ESP_HEADER;
    j->iv_len_in_bytes = x->sizes.iv;
    j->src = packet;
    j->dst = packet + head;
    j->cipher_start_src_offset_in_bytes = head;
    j->msg_len_to_cipher_in_bytes = x->ring->body;
    j->hash_alg = x->hash;
    j->u.HMAC._hashed_auth_key_xor_ipad = x->ipad;
    j->u.HMAC._hashed_auth_key_xor_opad = x->opad;
    j->hash_start_src_offset_in_bytes = 0;
    j->msg_len_to_hash_in_bytes = head + x->ring->body;
    j->auth_tag_output = x->cell->seal ? packet + head + x->ring->body : x->tags[i];
    j->auth_tag_output_len_in_bytes = x->sizes.icv;
}

static void run_jobs(struct mbench *x)
{
    size_t icv_at = ESP_HEADER + x->sizes.iv + x->ring->body;

    for (size_t i = 0; i < RING; i += x->cell->batch) {
        for (size_t k = 0; k < x->cell->batch; k++) {
            IMB_JOB *j = IMB_GET_NEXT_JOB(x->m);

            fill(x, j, i + k);
            for (j = IMB_SUBMIT_JOB_NOCHECK(x->m); j; j = IMB_GET_COMPLETED_JOB(x->m))
                continue;
        }
        while (IMB_FLUSH_JOB(x->m))
            continue;
        for (size_t k = 0; !x->cell->seal && k < x->cell->batch; k++)
            if (memcmp(x->tags[i + k], x->ring->bytes[i + k] + icv_at, x->sizes.icv) != 0)
                abort();
    }
}

static void mb_run(void *self)
{
    struct mbench *x = self;

    if (x->run)
        run_gcm(x);
    else
        run_jobs(x);
}

const struct contender raw_mb_narrow = {"raw ipsec-mb SSE", narrow_new, mb_run, mb_destroy};
const struct contender raw_mb_wide = {"raw ipsec-mb widest", wide_new, mb_run, mb_destroy};
