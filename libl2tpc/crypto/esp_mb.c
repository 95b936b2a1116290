/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ipsec-mb: which of its implementations serves which SA, and their keys. */
#include "crypto/esp_mb.h"

#include "base/secret.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define MANAGER_ALIGN 64

/*
 * Asked of the compiler's run time, which knows whether the system saves these registers; the
 * library (until 1.3) looks at the processor alone, and a virtual machine that hides XSAVE then
 * ends in an illegal instruction.
 */
static bool cpu_has(enum mb_arch arch)
{
    bool sse = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("aes") &&
               __builtin_cpu_supports("pclmul");
    bool avx2 = sse && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");

    switch (arch) {
    case MB_SSE:
        return sse;
    case MB_AVX2:
        return avx2;
    case MB_AVX512:
        return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl");
    case MB_ARCHES:
        break;
    }
    return false;
}

/*
 * A manager holds states of HMACs while packets are in it. It is too large for what an ordinary
 * user may lock; with OpenSSL's own blocks it is as safe as its program wanted them to be
 * (crypto_set_memory()).
 */
static IMB_MGR *manager_take(void **block)
{
    size_t n = imb_get_mb_mgr_size() + MANAGER_ALIGN - 1;
    uintptr_t at;

    *block = OPENSSL_malloc(n);
    at = ((uintptr_t)*block + MANAGER_ALIGN - 1) / MANAGER_ALIGN * MANAGER_ALIGN;
    return *block ? imb_set_pointers_mb_mgr((void *)at, 0, 1) : NULL;
}

static void manager_free(void *block)
{
    OPENSSL_clear_free(block, imb_get_mb_mgr_size() + MANAGER_ALIGN - 1);
}

/* A manager whose self-test has passed, or NULL. */
static IMB_MGR *manager_new(enum mb_arch arch, void **block)
{
    static void (*const init[MB_ARCHES])(IMB_MGR *) = {
        [MB_SSE] = init_mb_mgr_sse,
        [MB_AVX2] = init_mb_mgr_avx2,
        [MB_AVX512] = init_mb_mgr_avx512,
    };
    IMB_MGR *m = cpu_has(arch) ? manager_take(block) : NULL;

    if (!m)
        return NULL;
    init[arch](m);
    if (imb_get_errno(m) == 0 &&
        (!(m->features & IMB_FEATURE_SELF_TEST) || m->features & IMB_FEATURE_SELF_TEST_PASS))
        return m;
    manager_free(*block);
    *block = NULL;
    return NULL;
}

/* The managers are made when an SA first wants them, and stay. */
static IMB_MGR *manager(struct mb_lane *lane, enum mb_arch arch)
{
    if (!lane->mgr[arch])
        lane->mgr[arch] = manager_new(arch, &lane->block[arch]);
    return lane->mgr[arch];
}

static struct mb *mb_of(struct crypto *c)
{
    if (!c->mb)
        c->mb = calloc(1, sizeof(*c->mb));
    return c->mb;
}

static enum mb_arch widest(void)
{
    if (cpu_has(MB_AVX512))
        return MB_AVX512;
    return cpu_has(MB_AVX2) ? MB_AVX2 : MB_SSE;
}

void esp_mb_prepare(struct crypto *c)
{
    struct mb *mb = mb_of(c);

    if (mb) /* the first one brings in the library's pages; further ones cost little */
        (void)manager(&mb->lane[true], widest());
}

void esp_mb_free(struct mb *mb)
{
    if (!mb)
        return;
    for (size_t i = 0; i < ARRAY_LEN(mb->lane); i++)
        for (size_t arch = 0; arch < MB_ARCHES; arch++)
            manager_free(mb->lane[i].block[arch]);
    wipe_free(mb, sizeof(*mb));
}

static enum mb_arch arch_of(enum esp_backend backend)
{
    if (backend == ESP_BACKEND_SSE)
        return MB_SSE;
    return backend == ESP_BACKEND_AVX2 ? MB_AVX2 : MB_AVX512;
}

bool esp_mb_has(struct crypto *c, enum esp_backend backend)
{
    struct mb *mb = mb_of(c);

    return mb && manager(&mb->lane[true], arch_of(backend)) != NULL;
}

/* Keys */

/* The state of the hash behind the one block that an HMAC's key makes (RFC 2104 2). */
static void hmac_block(IMB_MGR *m, enum hash_id h, struct span key, uint8_t with, uint8_t *out)
{
    uint8_t block[128];

    memset(block, with, sizeof(block));
    for (size_t i = 0; i < key.n; i++)
        block[i] ^= key.p[i];
    switch (h) {
    case HASH_MD5:
        IMB_MD5_ONE_BLOCK(m, block, out);
        break;
    case HASH_SHA1:
        IMB_SHA1_ONE_BLOCK(m, block, out);
        break;
    case HASH_SHA256:
        IMB_SHA256_ONE_BLOCK(m, block, out);
        break;
    case HASH_SHA384:
        IMB_SHA384_ONE_BLOCK(m, block, out);
        break;
    case HASH_SHA512:
        IMB_SHA512_ONE_BLOCK(m, block, out);
        break;
    case HASH_NONE:
    case HASH_MD4:
        break;
    }
    wipe(block, sizeof(block));
}

/* Numbers of the library; `tag` is the only length of an ICV that it can give for this hash. */
static const struct {
    IMB_HASH_ALG alg;
    size_t tag;
} hashes[] = {
    [HASH_MD5] = {IMB_AUTH_MD5, 12},
    [HASH_SHA1] = {IMB_AUTH_HMAC_SHA_1, 12},
    [HASH_SHA256] = {IMB_AUTH_HMAC_SHA_256, 16},
    [HASH_SHA384] = {IMB_AUTH_HMAC_SHA_384, 24},
    [HASH_SHA512] = {IMB_AUTH_HMAC_SHA_512, 32},
};

static void key_gcm(struct mb_keys *k, IMB_MGR *m, struct span key, bool seal)
{
    switch (key.n) {
    case 16:
        IMB_AES128_GCM_PRE(m, key.p, &k->cipher.gcm);
        k->gcm_run = seal ? m->gcm128_enc : m->gcm128_dec;
        break;
    case 24:
        IMB_AES192_GCM_PRE(m, key.p, &k->cipher.gcm);
        k->gcm_run = seal ? m->gcm192_enc : m->gcm192_dec;
        break;
    default:
        IMB_AES256_GCM_PRE(m, key.p, &k->cipher.gcm);
        k->gcm_run = seal ? m->gcm256_enc : m->gcm256_dec;
        break;
    }
}

static void key_aes(struct mb_keys *k, IMB_MGR *m, struct span key)
{
    switch (key.n) {
    case 16:
        IMB_AES_KEYEXP_128(m, key.p, k->cipher.aes.enc, k->cipher.aes.dec);
        break;
    case 24:
        IMB_AES_KEYEXP_192(m, key.p, k->cipher.aes.enc, k->cipher.aes.dec);
        break;
    default:
        IMB_AES_KEYEXP_256(m, key.p, k->cipher.aes.enc, k->cipher.aes.dec);
        break;
    }
    k->mode = IMB_CIPHER_CBC;
    k->enc = k->cipher.aes.enc;
    k->dec = k->cipher.aes.dec;
}

static void key_des(struct mb_keys *k, IMB_MGR *m, struct span key)
{
    for (size_t i = 0; i < key.n / 8; i++) {
        (void)IMB_DES_KEYSCHED(m, k->cipher.des[i], key.p + 8 * i);
        k->des3[i] = k->cipher.des[i];
    }
    k->mode = key.n == 8 ? IMB_CIPHER_DES : IMB_CIPHER_DES3;
    k->enc = k->dec = key.n == 8 ? (const void *)k->cipher.des[0] : (const void *)k->des3;
}

static void key_cbc(struct mb_keys *k, IMB_MGR *m, const struct esp_crypt_config *config)
{
    if (config->cipher == CIPHER_AES_CBC)
        key_aes(k, m, config->key);
    else
        key_des(k, m, config->key);
    hmac_block(m, config->integ, config->integ_key, 0x36, k->ipad);
    hmac_block(m, config->integ, config->integ_key, 0x5c, k->opad);
    k->hash = hashes[config->integ].alg;
    k->tag = hashes[config->integ].tag;
}

/* Choice */

#define NEVER SIZE_MAX

/*
 * From how many packets on the SSE and the widest manager are the fastest. A wide batch costs
 * nearly the same whether it holds one packet or all that there is room for, so that few are
 * cheaper elsewhere. Measured with packets of 64 to 1400 bytes (docs/MEASURED.md);
 * tests/bench/crypto shows it anew.
 */
struct turns {
    size_t open, seal; /* SSE, when it has the processor's SHA instructions */
    size_t avx512, avx2, avx2_without_sha;
};

static struct turns turns_of(const struct esp_crypt_config *config)
{
    if (config->cipher != CIPHER_AES_CBC) /* only AVX-512 is faster than one after the other */
        return (struct turns){NEVER, NEVER, 6, NEVER, NEVER};
    switch (config->integ) {
    case HASH_SHA1:
        return (struct turns){1, 2, 6, 6, 4};
    case HASH_SHA256:
        return (struct turns){1, 2, 12, NEVER, 4};
    case HASH_MD5:
        return (struct turns){NEVER, NEVER, 2, 2, 2};
    default: /* SHA-384, SHA-512 */
        return (struct turns){NEVER, NEVER, 2, 3, 3};
    }
}

static struct esp_choice choice(const struct esp_crypt *x, struct crypto *c, enum mb_arch arch,
                                size_t from)
{
    /* GCM keeps nothing between packets: one manager gives both directions their functions. */
    struct mb_lane *lane = x->gcm ? &c->mb->lane[true] : x->lane;

    if (from == NEVER || !manager(lane, arch))
        return (struct esp_choice){NULL, 0};
    return (struct esp_choice){x->gcm ? &mb_gcm_rows[arch] : &mb_cbc_rows[arch], from};
}

static void choose(struct esp_crypt *x, struct crypto *c, const struct esp_crypt_config *config)
{
    struct turns t = turns_of(config);
    enum mb_arch wide = widest();
    IMB_MGR *m;
    bool has_sha;

    if (c->esp_backend != ESP_BACKEND_AUTO) {
        x->wide = choice(x, c, arch_of(c->esp_backend), 1);
        return;
    }
    if (x->gcm) {
        x->wide = choice(x, c, wide, 1);
        return;
    }
    m = manager(&c->mb->lane[true], wide);
    has_sha = m && m->features & IMB_FEATURE_SHANI;
    if (has_sha)
        x->narrow = choice(x, c, MB_SSE, config->seal ? t.seal : t.open);
    if (wide == MB_AVX512)
        x->wide = choice(x, c, wide, t.avx512);
    else if (wide == MB_AVX2)
        x->wide = choice(x, c, wide, has_sha ? t.avx2 : t.avx2_without_sha);
}

/* The heap has no cache lines to offer; vaults do (base/vault.h). */
static struct mb_keys *keys_take(const struct vault *v)
{
    struct mb_keys *k;

    if (v)
        return vault_take(v, sizeof(*k));
    k = aligned_alloc(64, sizeof(*k));
    if (k)
        memset(k, 0, sizeof(*k));
    return k;
}

bool esp_mb_attach(struct esp_crypt *x, struct crypto *c, const struct esp_crypt_config *config)
{
    struct mb *mb = mb_of(c);
    const struct esp_choice *any;
    IMB_MGR *m;

    if (!mb)
        return false;
    x->lane = &mb->lane[config->seal];
    choose(x, c, config);
    any = x->wide.row ? &x->wide : &x->narrow;
    if (!any->row)
        return true;
    x->mb = keys_take(x->vault);
    if (!x->mb)
        return false;
    x->mb->block = cipher_block(config->cipher);
    x->mb->key_len = config->key.n;
    if (x->gcm) {
        m = mb->lane[true].mgr[any->row - mb_gcm_rows];
        key_gcm(x->mb, m, config->key, config->seal);
    } else { /* expanded keys are the same in all implementations */
        m = x->lane->mgr[any->row - mb_cbc_rows];
        key_cbc(x->mb, m, config);
    }
    return true;
}

void esp_mb_detach(struct esp_crypt *x)
{
    vault_give(x->vault, x->mb, sizeof(*x->mb));
}
