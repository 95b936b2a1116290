/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every back end of ESP gives what is published, and what every other one gives. */
#include "check.h"
#include "crypto/esp_backend.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    enum esp_backend id;
    const char *name; /* of a full batch; NULL: whatever suits the processor */
} backends[] = {
    {ESP_BACKEND_OPENSSL, "OpenSSL"},
    {ESP_BACKEND_SSE, "ipsec-mb SSE"},
    {ESP_BACKEND_AVX2, "ipsec-mb AVX2"},
    {ESP_BACKEND_AVX512, "ipsec-mb AVX-512"},
    {ESP_BACKEND_AUTO, NULL},
};
#define N_BACKENDS ARRAY_LEN(backends)

static const struct suite {
    enum cipher_id cipher;
    unsigned bits;
    enum hash_id integ;
    size_t icv;
} suites[] = {
    {CIPHER_AES_GCM, 128, HASH_NONE, 16},   {CIPHER_AES_GCM, 192, HASH_NONE, 16},
    {CIPHER_AES_GCM, 256, HASH_NONE, 16},   {CIPHER_AES_CBC, 128, HASH_SHA1, 12},
    {CIPHER_AES_CBC, 192, HASH_SHA1, 12},   {CIPHER_AES_CBC, 256, HASH_SHA1, 12},
    {CIPHER_AES_CBC, 128, HASH_MD5, 12},    {CIPHER_AES_CBC, 128, HASH_SHA256, 16},
    {CIPHER_AES_CBC, 256, HASH_SHA256, 16}, {CIPHER_AES_CBC, 256, HASH_SHA256, 12},
    {CIPHER_AES_CBC, 192, HASH_SHA384, 24}, {CIPHER_AES_CBC, 256, HASH_SHA512, 32},
    {CIPHER_3DES_CBC, 0, HASH_SHA1, 12},    {CIPHER_3DES_CBC, 0, HASH_MD5, 12},
    {CIPHER_DES_CBC, 0, HASH_SHA256, 16},   {CIPHER_DES_CBC, 0, HASH_SHA1, 12},
};

static uint32_t seed = 1;

static uint32_t next(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(seed >> 8) * below >> 24);
}

static void fill(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)next(256);
}

/* A context that is told whom to use; NULL when that one is not here. */
static struct crypto *crypto_with(enum esp_backend id)
{
    struct crypto *c = crypto_new();

    if (c && crypto_use_esp_backend(c, id))
        return c;
    crypto_free(c);
    return NULL;
}

/* Both directions of one key. */
struct pair {
    struct esp_crypt *seal, *open;
};

struct key {
    uint8_t cipher[32], salt[4], integ[64];
};

static bool pair_init(struct pair *p, struct crypto *c, const struct suite *s, const struct key *k)
{
    struct esp_crypt_config config = {
        .cipher = s->cipher,
        .key = span_of(k->cipher, cipher_key_len(s->cipher, s->bits)),
        .integ = s->integ,
        .integ_key = span_of(k->integ, hash_size(s->integ)),
        .icv = s->icv,
        .seal = true,
    };

    memcpy(config.salt, k->salt, 4);
    p->seal = esp_crypt_new(c, &config);
    config.seal = false;
    p->open = esp_crypt_new(c, &config);
    return p->seal && p->open;
}

static void pair_free(struct pair *p)
{
    esp_crypt_free(p->seal);
    esp_crypt_free(p->open);
}

/* Published packets. Of RFC 3602 the ICV is none: what is checked is all before it. */
static const struct {
    const char *name;
    struct suite suite;
    const char *key, *salt, *header_iv, *plain, *sealed, *icv;
} known[] = {
    {"GCM test draft, 128",
     {CIPHER_AES_GCM, 128, HASH_NONE, 16},
     "feffe9928665731c6d6a8f9467308308",
     "cafebabe",
     "0000a5f80000000afacedbaddecaf888",
     "4500003e698f000080114dccc0a80102c0a801010a980035002a2343b2d00100"
     "0001000000000000037369700963796265726369747902646b00000100010001",
     "deb22cd9b07c72c16e3a65beeb8df304a5a5897d33ae530f1ba76d5d114d2a5c"
     "3de81827c10e9a4f51330d0eec416642cfbb85a5b47e48a4ec3b9ba95d918bd1",
     "83b70d3aa8bc6ee4c309e9d85a41ad4a"},
    {"GCM test draft, 192",
     {CIPHER_AES_GCM, 192, HASH_NONE, 16},
     "feffe9928665731c6d6a8f9467308308feffe9928665731c",
     "cafebabe",
     "0000a5f80000000afacedbaddecaf888",
     "45000028a4ad4000400678800a01038f0a010612802306b8cb712602dd6bb03e501016d075680001",
     "a5b1f8066029aea40e598b8122de02420938b3ab33f828e687b8858b5bfbdbd0315b27452144cc77",
     "95457b9652037f5318027b5b4cd7a636"},
    {"GCM test draft, 256",
     {CIPHER_AES_GCM, 256, HASH_NONE, 16},
     "abbccddef00112233445566778899aababbccddef00112233445566778899aab",
     "11223344",
     "4a2cbfe3000000020102030405060708",
     "4500003069a6400080062690c0a801029389155e0a9e008b2dc57ee000000000"
     "7002400020bf0000020405b40101040201020201",
     "ff425c9b724599df7a3bcd510194e00d6a78107f1b0b1cbf06efae9d65a5d763"
     "748a637985771d347f0545659f14e99def842d8e",
     "b335f4eecfdbf831824b4c4915956c96"},
    {"RFC 3602 case 5",
     {CIPHER_AES_CBC, 128, HASH_SHA1, 12},
     "90d382b410eeba7ad938c46cec1a82bf",
     "",
     "0000432100000001e96e8c08ab465763fd098d45dd3ff893",
     "08000ebda70a00008e9c083db95b070008090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
     "202122232425262728292a2b2c2d2e2f30313233343536370102030405060708090a0b0c0d0e0e01",
     "f663c25d325c18c6a9453e194e120849a4870b66cc6b9965330013b4898dc856a4699e523a55db08"
     "0b59ec3a8e4b7e52775b07d1db34ed9c538ab50c551b874aa269add047ad2d5913ac19b7cfbad4a6",
     NULL},
    {"SP 800-38A F.2.3",
     {CIPHER_AES_CBC, 192, HASH_SHA512, 32},
     "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
     "",
     "0000000000000000000102030405060708090a0b0c0d0e0f",
     "6bc1bee22e409f96e93d7e117393172a",
     "4f021db243bc633d7178183a9fa071e8",
     NULL},
    {"SP 800-38A F.2.5",
     {CIPHER_AES_CBC, 256, HASH_SHA256, 16},
     "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
     "",
     "0000000000000000000102030405060708090a0b0c0d0e0f",
     "6bc1bee22e409f96e93d7e117393172a",
     "f58c4c04d6e5f1ba779eabfb5f7bfbd6",
     NULL},
    {"FIPS 81 CBC",
     {CIPHER_DES_CBC, 0, HASH_SHA384, 24},
     "0123456789abcdef",
     "",
     "00000000000000001234567890abcdef",
     "4e6f77206973207468652074696d6520666f7220616c6c20",
     "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6",
     NULL},
    {"SP 800-67 block 2",
     {CIPHER_3DES_CBC, 0, HASH_MD5, 12},
     "0123456789abcdef23456789abcdef01456789abcdef0123",
     "",
     "00000000000000000000000000000000",
     "6b2062726f776e20",
     "cce21c8112256fe6",
     NULL},
};

static void known_answer(struct crypto *c, size_t row)
{
    const struct suite *s = &known[row].suite;
    struct key key = {{0}, {0}, {0}};
    uint8_t packet[256];
    struct esp_job job = {.packet = packet};
    uint8_t tag[HASH_MAX];
    struct pair p;
    size_t head;

    (void)check_hex(key.cipher, sizeof(key.cipher), known[row].key);
    (void)check_hex(key.salt, sizeof(key.salt), known[row].salt);
    memset(key.integ, 0x0b, sizeof(key.integ));
    CHECK(pair_init(&p, c, s, &key));
    head = check_hex(packet, sizeof(packet), known[row].header_iv);
    job.body = check_hex(packet + head, sizeof(packet) - head, known[row].plain);
    esp_crypt_seal(p.seal, &job, 1);
    CHECK(job.ok);
    CHECK_HEX(packet + head, job.body, known[row].sealed);
    if (known[row].icv) {
        CHECK_HEX(packet + head + job.body, s->icv, known[row].icv);
    } else {
        CHECK(esp_crypt_hmac(p.seal, span_of(packet, head + job.body), tag));
        CHECK_MEM(packet + head + job.body, s->icv, tag, s->icv);
    }
    esp_crypt_open(p.open, &job, 1);
    CHECK(job.ok);
    CHECK_HEX(packet + head, job.body, known[row].plain);
    pair_free(&p);
}

TEST(esp_backends_known_answers)
{
    unsigned seen = 0;

    for (size_t b = 0; b < N_BACKENDS; b++) {
        struct crypto *c = crypto_with(backends[b].id);

        if (!c)
            continue;
        seen++;
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            known_answer(c, i);
        crypto_free(c);
    }
    CHECK(seen >= 2); /* OpenSSL, and what is chosen */
}

/* RFC 4868 2.7.2: keys as long as the hash, as ESP has them; RFC 2202 the same for the old two. */
TEST(esp_backends_hmac_known_answers)
{
    static const struct {
        struct suite suite;
        const char *want;
    } rows[] = {
        {{CIPHER_AES_CBC, 128, HASH_MD5, 12}, "9294727a3638bb1c13f48ef8158bfc9d"},
        {{CIPHER_AES_CBC, 128, HASH_SHA1, 12}, "b617318655057264e28bc0b6fb378c8ef146be00"},
        {{CIPHER_AES_CBC, 128, HASH_SHA256, 16},
         "198a607eb44bfbc69903a0f1cf2bbdc5ba0aa3f3d9ae3c1c7a3b1696a0b68cf7"},
        {{CIPHER_AES_CBC, 128, HASH_SHA384, 24},
         "b6a8d5636f5c6a7224f9977dcf7ee6c7fb6d0c48cbdee9737a959796489bddbc"
         "4c5df61d5b3297b4fb68dab9f1b582c2"},
        {{CIPHER_AES_CBC, 128, HASH_SHA512, 32},
         "637edc6e01dce7e6742a99451aae82df23da3e92439e590e43e761b33e910fb8"
         "ac2878ebd5803f6f0b61dbce5e251ff8789a4722c1be65aea45fd464e89f8f5b"},
    };
    struct crypto *c = crypto_new();

    CHECK(c);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct key key = {{0}, {0}, {0}};
        uint8_t tag[HASH_MAX];
        struct pair p;

        memset(key.integ, 0x0b, sizeof(key.integ));
        CHECK(pair_init(&p, c, &rows[i].suite, &key));
        CHECK(esp_crypt_hmac(p.open, span_of("Hi There", 8), tag));
        CHECK_HEX(tag, hash_size(rows[i].suite.integ), rows[i].want);
        pair_free(&p);
    }
    crypto_free(c);
}

#define RUN_MAX (64 * (1600 + 64))

/* Packets back to back, as in a run that leaves with one call. */
struct run {
    uint8_t bytes[RUN_MAX];
    struct esp_job jobs[ESP_JOBS_MAX];
    size_t n, n_bytes;
};

static void run_make(struct run *r, const struct suite *s, size_t n, uint32_t longest)
{
    size_t block = s->cipher == CIPHER_AES_GCM ? 4 : cipher_block(s->cipher);

    r->n = n;
    r->n_bytes = 0;
    for (size_t i = 0; i < n; i++) {
        r->jobs[i] = (struct esp_job){.packet = r->bytes + r->n_bytes,
                                      .body = block * (1 + next((uint32_t)(longest / block)))};
        r->n_bytes += ESP_JOB_HEADER + cipher_iv(s->cipher) + r->jobs[i].body + s->icv;
    }
    fill(r->bytes, r->n_bytes);
}

static void run_copy(struct run *to, const struct run *from)
{
    to->n = from->n;
    to->n_bytes = from->n_bytes;
    memcpy(to->bytes, from->bytes, from->n_bytes);
    for (size_t i = 0; i < from->n; i++) {
        to->jobs[i] = from->jobs[i];
        to->jobs[i].packet = to->bytes + (from->jobs[i].packet - from->bytes);
    }
}

static bool all_ok(const struct run *r)
{
    for (size_t i = 0; i < r->n; i++)
        if (!r->jobs[i].ok)
            return false;
    return true;
}

/* Damages some packets; what each was damaged to stands in `before`. */
static size_t damage(struct run *r, const struct suite *s, bool hurt[ESP_JOBS_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++) {
        size_t whole = ESP_JOB_HEADER + cipher_iv(s->cipher) + r->jobs[i].body + s->icv;

        hurt[i] = next(3) == 0;
        if (hurt[i])
            r->jobs[i].packet[next((uint32_t)whole)] ^= (uint8_t)(1 + next(255));
        n += hurt[i];
    }
    return n;
}

/* Exactly the damaged ones are bad, and with CBC they are as they came. */
static void check_opened(const struct run *r, const struct run *came, const struct run *clear,
                         const struct suite *s, const bool *hurt)
{
    for (size_t i = 0; i < r->n; i++) {
        size_t from = (size_t)(r->jobs[i].packet - r->bytes);
        size_t head = ESP_JOB_HEADER + cipher_iv(s->cipher);

        CHECK_INT(r->jobs[i].ok, !hurt[i]);
        if (!hurt[i])
            CHECK_MEM(r->bytes + from + head, r->jobs[i].body, clear->bytes + from + head,
                      r->jobs[i].body);
        else if (s->cipher != CIPHER_AES_GCM)
            CHECK_MEM(r->bytes + from, head + r->jobs[i].body + s->icv, came->bytes + from,
                      head + r->jobs[i].body + s->icv);
    }
}

static struct run clear, want, got, came;

static void agree_once(struct pair *reference, struct pair *p, const struct suite *s, size_t n,
                       uint32_t longest)
{
    bool hurt[ESP_JOBS_MAX];

    run_make(&clear, s, n, longest);
    run_copy(&want, &clear);
    run_copy(&got, &clear);
    esp_crypt_seal(reference->seal, want.jobs, n);
    esp_crypt_seal(p->seal, got.jobs, n);
    CHECK(all_ok(&want) && all_ok(&got));
    CHECK_MEM(got.bytes, got.n_bytes, want.bytes, want.n_bytes);
    (void)damage(&got, s, hurt);
    run_copy(&came, &got);
    esp_crypt_open(p->open, got.jobs, n);
    check_opened(&got, &came, &clear, s, hurt);
}

static void agree(const struct suite *s, size_t b)
{
    struct crypto *reference = crypto_with(ESP_BACKEND_OPENSSL);
    struct crypto *c = crypto_with(backends[b].id);
    bool des = s->cipher == CIPHER_DES_CBC || s->cipher == CIPHER_3DES_CBC;
    unsigned rounds = check_rounds(des ? 4 : 60);
    struct pair one, two;
    struct key key;

    CHECK(reference);
    if (!c) {
        crypto_free(reference);
        return;
    }
    fill((uint8_t *)&key, sizeof(key));
    CHECK(pair_init(&one, reference, s, &key) && pair_init(&two, c, s, &key));
    if (backends[b].name)
        CHECK_STR(esp_crypt_backend(two.seal), backends[b].name);
    for (unsigned i = 0; i < rounds; i++)
        agree_once(&one, &two, s, 1 + next(des ? 17 : 64), des ? 64 : 1500);
    pair_free(&one);
    pair_free(&two);
    crypto_free(c);
    crypto_free(reference);
}

TEST(esp_backends_agree_on_random_batches)
{
    seed = 20;
    for (size_t b = 0; b < N_BACKENDS; b++)
        for (size_t s = 0; s < ARRAY_LEN(suites); s++)
            agree(&suites[s], b);
}

/* Every size of a batch, the edges of what a processor takes at once among them. */
TEST(esp_backends_agree_on_every_size_of_a_batch)
{
    struct crypto *reference = crypto_with(ESP_BACKEND_OPENSSL);

    CHECK(reference);
    seed = 30;
    for (size_t b = 0; b < N_BACKENDS; b++) {
        struct crypto *c = crypto_with(backends[b].id);

        for (size_t s = 0; c && s < ARRAY_LEN(suites); s++) {
            struct pair one, two;
            struct key key;

            if (cipher_block(suites[s].cipher) == 8)
                continue;
            fill((uint8_t *)&key, sizeof(key));
            CHECK(pair_init(&one, reference, &suites[s], &key) &&
                  pair_init(&two, c, &suites[s], &key));
            for (size_t n = 1; n <= ESP_JOBS_MAX; n += check_step())
                agree_once(&one, &two, &suites[s], n, 200);
            pair_free(&one);
            pair_free(&two);
        }
        crypto_free(c);
    }
    crypto_free(reference);
}

/* Longer than ipsec-mb counts: OpenSSL takes over. */
TEST(esp_backends_agree_on_huge_packets)
{
    static uint8_t bytes[2][66000];
    static const struct suite s = {CIPHER_AES_CBC, 128, HASH_SHA1, 12};
    struct crypto *c = crypto_with(ESP_BACKEND_AUTO);
    struct pair p;
    struct key key;

    CHECK(c);
    fill((uint8_t *)&key, sizeof(key));
    CHECK(pair_init(&p, c, &s, &key));
    for (size_t body = 16368; body <= 65536; body += 16) {
        struct esp_job job = {.packet = bytes[0], .body = body};

        if (body > 16400 && body < 65520)
            continue;
        fill(bytes[0], sizeof(bytes[0]));
        memcpy(bytes[1], bytes[0], sizeof(bytes[0]));
        esp_crypt_seal(p.seal, &job, 1);
        CHECK(job.ok);
        esp_crypt_open(p.open, &job, 1);
        CHECK(job.ok);
        CHECK_MEM(bytes[0], 24 + body, bytes[1], 24 + body);
    }
    pair_free(&p);
    crypto_free(c);
}

TEST(esp_backends_refuse_what_cannot_be)
{
    static struct esp_job jobs[ESP_JOBS_MAX + 1];
    static uint8_t packet[256];
    static const struct suite bad[] = {
        {CIPHER_NONE, 0, HASH_SHA1, 12},        {CIPHER_AES_CBC, 128, HASH_NONE, 12},
        {CIPHER_AES_GCM, 128, HASH_SHA1, 16},   {CIPHER_AES_GCM, 128, HASH_NONE, 12},
        {CIPHER_AES_CBC, 128, HASH_SHA1, 0},    {CIPHER_AES_CBC, 128, HASH_SHA1, 21},
        {CIPHER_AES_CBC, 100, HASH_SHA256, 16}, {CIPHER_3DES_CBC, 192, HASH_SHA256, 16},
    };

    for (size_t b = 0; b < N_BACKENDS; b++) {
        struct crypto *c = crypto_with(backends[b].id);
        struct key key = {{1}, {2}, {3}};
        struct pair p;

        if (!c)
            continue;
        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
            CHECK(!pair_init(&p, c, &bad[i], &key));
            pair_free(&p);
        }
        CHECK(pair_init(&p, c, &suites[3], &key));
        for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
            jobs[i] = (struct esp_job){.packet = packet, .body = 16, .ok = true};
        esp_crypt_seal(p.seal, jobs, ARRAY_LEN(jobs));
        for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
            CHECK(!jobs[i].ok);
        esp_crypt_seal(p.seal, jobs, 0);
        jobs[0].body = 17; /* no whole blocks */
        esp_crypt_seal(p.seal, jobs, 1);
        CHECK(!jobs[0].ok);
        esp_crypt_open(p.open, jobs, 1);
        CHECK(!jobs[0].ok);
        pair_free(&p);
        crypto_free(c);
    }
}

/* One thread seals while another opens, with one context. */
struct both {
    struct pair *p;
    bool ok;
};

static struct run sealing, opening;

static void *seal_much(void *arg)
{
    struct both *both = arg;

    for (unsigned i = 0; i < check_rounds(200); i++) {
        esp_crypt_seal(both->p->seal, sealing.jobs, sealing.n);
        both->ok = both->ok && all_ok(&sealing);
    }
    return NULL;
}

TEST(esp_backends_seal_and_open_at_the_same_time)
{
    static struct run copy;

    for (size_t s = 0; s < ARRAY_LEN(suites); s++) {
        struct crypto *c = crypto_with(ESP_BACKEND_AUTO);
        struct pair p;
        struct both both = {&p, true};
        struct key key;
        pthread_t thread;

        CHECK(c);
        if (cipher_block(suites[s].cipher) == 8) {
            crypto_free(c);
            continue;
        }
        fill((uint8_t *)&key, sizeof(key));
        CHECK(pair_init(&p, c, &suites[s], &key));
        run_make(&sealing, &suites[s], 64, 1400);
        run_make(&opening, &suites[s], 64, 1400);
        esp_crypt_seal(p.seal, opening.jobs, opening.n);
        CHECK_INT(pthread_create(&thread, NULL, seal_much, &both), 0);
        for (unsigned i = 0; i < check_rounds(200); i++) {
            run_copy(&copy, &opening);
            esp_crypt_open(p.open, copy.jobs, copy.n);
            CHECK(all_ok(&copy));
        }
        CHECK_INT(pthread_join(thread, NULL), 0);
        CHECK(both.ok);
        pair_free(&p);
        crypto_free(c);
    }
}

TEST(esp_backends_prepare_and_name)
{
    struct crypto *c = crypto_new();
    struct pair p;
    struct key key = {{1}, {2}, {3}};

    CHECK(c);
    crypto_prepare_esp(c);
    crypto_prepare_esp(c);
    CHECK(pair_init(&p, c, &suites[0], &key));
    if (!crypto_use_esp_backend(c, ESP_BACKEND_SSE))
        CHECK_STR(esp_crypt_backend(p.seal), "OpenSSL");
    else
        CHECK(strncmp(esp_crypt_backend(p.seal), "ipsec-mb ", 9) == 0);
    pair_free(&p);
    crypto_free(c);
}

/* ---- where the keys are ---- */

struct safe {
    uint8_t *block[32];
    size_t n[32], used, given;
};

static void *safe_take(void *ctx, size_t n)
{
    struct safe *s = ctx;
    size_t whole = (n + 63) / 64 * 64;
    uint8_t *p = s->used < 32 ? aligned_alloc(64, whole) : NULL;

    if (!p)
        return NULL;
    memset(p, 0, whole);
    s->block[s->used] = p;
    s->n[s->used++] = n;
    return p;
}

static void safe_give(void *ctx, void *p, size_t n)
{
    struct safe *s = ctx;

    for (size_t i = 0; i < s->used; i++)
        if (s->block[i] == p && s->n[i] == n) {
            s->given++;
            s->block[i] = NULL;
            free(p);
            return;
        }
}

static bool safe_holds(const struct safe *s, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < s->used; i++)
        if (s->block[i] && memmem(s->block[i], s->n[i], bytes, n))
            return true;
    return false;
}

/* FIPS 197 A.1: the last round key. */
TEST(expanded_keys_stand_in_the_vault)
{
    static const uint8_t key[] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,
                                  0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};
    static const uint8_t last[] = {0xd0, 0x14, 0xf9, 0xa8, 0xc9, 0xee, 0x25, 0x89,
                                   0xe1, 0x3f, 0x0c, 0xc8, 0xb6, 0x63, 0x0c, 0xa6};
    static const uint8_t mac[20] = {1, 2, 3};
    const struct esp_crypt_config config = {.cipher = CIPHER_AES_CBC,
                                            .key = span_of(key, sizeof(key)),
                                            .integ = HASH_SHA1,
                                            .integ_key = span_of(mac, sizeof(mac)),
                                            .icv = 12,
                                            .seal = true};
    struct safe s = {.used = 0};
    const struct vault vault = {&s, safe_take, safe_give};
    struct crypto *c = crypto_new();
    struct esp_crypt *x;

    CHECK(c);
    crypto_set_vault(c, &vault);
    if (crypto_use_esp_backend(c, ESP_BACKEND_SSE)) {
        x = esp_crypt_new(c, &config);
        CHECK(x && safe_holds(&s, last, sizeof(last)));
        esp_crypt_free(x);
    } else {
        check_skip("no ipsec-mb here");
    }
    CHECK(s.used == s.given);
    crypto_free(c);
}
