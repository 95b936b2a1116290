/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"
#include "crypto/esp_backend.h"

#include <openssl/err.h>
#include <string.h>

struct cbc_vector {
    const char *name;
    enum cipher_id cipher;
    const char *key, *iv, *plain, *sealed;
};

static const struct cbc_vector vectors[] = {
    {"RFC 3602 case 1", CIPHER_AES_CBC, "06a9214036b8a15b512e03d534120006",
     "3dafba429d9eb430b422da802c9fac41", "53696e676c6520626c6f636b206d7367",
     "e353779c1079aeb82708942dbe77181a"},
    {"RFC 3602 case 2", CIPHER_AES_CBC, "c286696d887c9aa0611bbb3e2025a45a",
     "562e17996d093d28ddb3ba695a2e6f58",
     "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "d296cd94c2cccf8a3a863028b5e1dc0a7586602d253cfff91b8266bea6d61ab1"},
    {"RFC 3602 case 4", CIPHER_AES_CBC, "56e47a38c5598974bc46903dba290349",
     "8ce82eefbea0da3c44699ed7db51b7d9",
     "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
     "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf",
     "c30e32ffedc0774e6aff6af0869f71aa0f3af07a9a31a9c684db207eb0ef8e4e"
     "35907aa632c3ffdf868bb7b29d3d46ad83ce9f9a102ee99d49a53e87f4c3da55"},
    {"SP 800-38A F.2.3", CIPHER_AES_CBC, "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
     "000102030405060708090a0b0c0d0e0f", "6bc1bee22e409f96e93d7e117393172a",
     "4f021db243bc633d7178183a9fa071e8"},
    {"SP 800-38A F.2.5", CIPHER_AES_CBC,
     "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
     "000102030405060708090a0b0c0d0e0f", "6bc1bee22e409f96e93d7e117393172a",
     "f58c4c04d6e5f1ba779eabfb5f7bfbd6"},
    {"FIPS 81 CBC", CIPHER_DES_CBC, "0123456789abcdef", "1234567890abcdef",
     "4e6f77206973207468652074696d6520666f7220616c6c20",
     "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6"},
    {"SP 800-67 block 1", CIPHER_3DES_CBC, "0123456789abcdef23456789abcdef01456789abcdef0123",
     "0000000000000000", "5468652071756663", "a826fd8ce53b855f"},
    {"SP 800-67 block 2", CIPHER_3DES_CBC, "0123456789abcdef23456789abcdef01456789abcdef0123",
     "0000000000000000", "6b2062726f776e20", "cce21c8112256fe6"},
    {"SP 800-67 block 3", CIPHER_3DES_CBC, "0123456789abcdef23456789abcdef01456789abcdef0123",
     "0000000000000000", "666f78206a756d70", "68d5c05dd9b6b900"},
};

TEST(crypto_cbc_known_answers)
{
    struct crypto *c = crypto_new();

    CHECK(c);
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        const struct cbc_vector *v = &vectors[i];
        uint8_t key[32];
        uint8_t iv[16];
        uint8_t data[64];
        struct span k = span_of(key, check_hex(key, sizeof(key), v->key));
        struct span initial = span_of(iv, check_hex(iv, sizeof(iv), v->iv));
        size_t n = check_hex(data, sizeof(data), v->plain);
        struct mspan d = {data, n};
        struct cipher_ctx *seal = cipher_ctx_new(c, v->cipher, k, true);
        struct cipher_ctx *open = cipher_ctx_new(c, v->cipher, k, false);

        CHECK(cbc_crypt(c, v->cipher, k, initial, true, d));
        CHECK_HEX(data, n, v->sealed);
        CHECK(cbc_crypt(c, v->cipher, k, initial, false, d));
        CHECK_HEX(data, n, v->plain);
        CHECK(seal && open);
        for (unsigned again = 0; again < 3; again++) { /* the chain starts anew every time */
            CHECK(cipher_ctx_cbc(seal, iv, d));
            CHECK_HEX(data, n, v->sealed);
            CHECK(cipher_ctx_cbc(open, iv, d));
            CHECK_HEX(data, n, v->plain);
        }
        cipher_ctx_free(seal);
        cipher_ctx_free(open);
    }
    crypto_free(c);
}

#define GCM_KEY "feffe9928665731c6d6a8f9467308308"
#define GCM_PLAIN                                                                                  \
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"                             \
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"

/* Cases 2, 4, 10 and 16 of the GCM specification. */
static const struct {
    const char *key, *nonce, *aad, *plain, *sealed, *tag;
} gcm_vectors[] = {
    {"00000000000000000000000000000000", "000000000000000000000000", "",
     "00000000000000000000000000000000", "0388dace60b6a392f328c2b971b2fe78",
     "ab6e47d42cec13bdf53a67b21257bddf"},
    {GCM_KEY, "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2", GCM_PLAIN,
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
     "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
     "5bc94fbc3221a5db94fae95ae7121a47"},
    {GCM_KEY "feffe9928665731c", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2", GCM_PLAIN,
     "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c"
     "7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710",
     "2519498e80f1478f37ba55bd6d27618c"},
    {GCM_KEY GCM_KEY, "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     GCM_PLAIN,
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

TEST(crypto_gcm_known_answers)
{
    struct crypto *c = crypto_new();

    CHECK(c);
    for (size_t i = 0; i < ARRAY_LEN(gcm_vectors); i++) {
        uint8_t key[32], nonce[12], aad[20], data[64], tag[16];
        struct span k = span_of(key, check_hex(key, sizeof(key), gcm_vectors[i].key));
        struct span a = span_of(aad, check_hex(aad, sizeof(aad), gcm_vectors[i].aad));
        size_t n = check_hex(data, sizeof(data), gcm_vectors[i].plain);
        struct mspan d = {data, n};
        struct cipher_ctx *seal = cipher_ctx_new(c, CIPHER_AES_GCM, k, true);
        struct cipher_ctx *open = cipher_ctx_new(c, CIPHER_AES_GCM, k, false);

        CHECK_INT(check_hex(nonce, sizeof(nonce), gcm_vectors[i].nonce), 12);
        CHECK(seal && open);
        for (unsigned bit = 0; bit < 128; bit++) {
            CHECK(cipher_ctx_gcm_seal(seal, nonce, a, d, tag));
            CHECK_HEX(data, n, gcm_vectors[i].sealed);
            CHECK_HEX(tag, 16, gcm_vectors[i].tag);
            tag[bit / 8] ^= (uint8_t)(1u << bit % 8);
            CHECK(!cipher_ctx_gcm_open(open, nonce, a, d, tag));
            check_hex(data, sizeof(data), gcm_vectors[i].sealed);
            tag[bit / 8] ^= (uint8_t)(1u << bit % 8);
            CHECK(cipher_ctx_gcm_open(open, nonce, a, d, tag));
            CHECK_HEX(data, n, gcm_vectors[i].plain);
        }
        CHECK(!cipher_ctx_gcm_open(seal, nonce, a, d, tag)); /* the wrong direction */
        CHECK(!cipher_ctx_gcm_seal(open, nonce, a, d, tag));
        CHECK(!cipher_ctx_cbc(seal, nonce, d));
        cipher_ctx_free(seal);
        cipher_ctx_free(open);
    }
    crypto_free(c);
}

TEST(crypto_cipher_sizes)
{
    CHECK_INT(cipher_key_len(CIPHER_DES_CBC, 0), 8);
    CHECK_INT(cipher_key_len(CIPHER_3DES_CBC, 0), 24);
    CHECK_INT(cipher_key_len(CIPHER_3DES_CBC, 192), 0);
    CHECK_INT(cipher_key_len(CIPHER_AES_CBC, 0), 0);
    CHECK_INT(cipher_key_len(CIPHER_AES_CBC, 160), 0);
    CHECK_INT(cipher_key_len(CIPHER_AES_CBC, 192), 24);
    CHECK_INT(cipher_key_len(CIPHER_AES_GCM, 256), 32);
    CHECK_INT(cipher_key_len(CIPHER_NONE, 128), 0);
    CHECK_INT(cipher_salt(CIPHER_AES_GCM), 4);
    CHECK_INT(cipher_salt(CIPHER_AES_CBC), 0);
    CHECK_INT(cipher_block(CIPHER_AES_GCM), 1);
    CHECK_INT(cipher_block(CIPHER_3DES_CBC), 8);
    CHECK_INT(cipher_iv(CIPHER_AES_GCM), 8);
    CHECK_INT(cipher_iv(CIPHER_AES_CBC), 16);
    CHECK_INT(cipher_iv(CIPHER_NONE), 0);
    CHECK_STR(cipher_name(CIPHER_AES_CBC), "AES-CBC");
}

TEST(crypto_cipher_refuses_wrong_sizes)
{
    static const enum cipher_id ids[] = {CIPHER_NONE, CIPHER_DES_CBC, CIPHER_3DES_CBC,
                                         CIPHER_AES_CBC, CIPHER_AES_GCM};
    struct crypto *c = crypto_new();
    uint8_t bytes[64] = {0};

    CHECK(c);
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        for (size_t n = 0; n <= 40; n++) {
            struct cipher_ctx *ctx = cipher_ctx_new(c, ids[i], span_of(bytes, n), true);
            bool valid = n > 0 && (n == cipher_key_len(ids[i], 0) ||
                                   n == cipher_key_len(ids[i], (unsigned)n * 8));

            CHECK((ctx != NULL) == valid);
            cipher_ctx_free(ctx);
            CHECK(!cbc_crypt(c, ids[i], span_of(bytes, 16), span_of(bytes, 7), true,
                             (struct mspan){bytes, 16}));
        }
    }
    for (size_t n = 0; n <= 48; n++) {
        struct mspan d = {bytes, n};

        CHECK(cbc_crypt(c, CIPHER_AES_CBC, span_of(bytes + 48, 16), span_of(bytes + 48, 16), true,
                        d) == (n % 16 == 0));
        CHECK(cbc_crypt(c, CIPHER_DES_CBC, span_of(bytes + 48, 8), span_of(bytes + 48, 8), true,
                        d) == (n % 8 == 0));
    }
    CHECK(!cbc_crypt(c, CIPHER_AES_GCM, span_of(bytes, 16), span_of(bytes, 12), true,
                     (struct mspan){bytes, 16}));
    crypto_free(c);
    CHECK_INT(ERR_peek_error(), 0);
}

TEST(crypto_leaves_the_error_queue_alone)
{
    struct crypto *c = crypto_new();
    uint8_t bytes[32] = {0};

    CHECK(c);
    ERR_raise(ERR_LIB_USER, 77); /* of whoever embeds us */
    CHECK(!cipher_ctx_new(c, CIPHER_AES_CBC, span_of(bytes, 15), true));
    CHECK(!cbc_crypt(c, CIPHER_AES_CBC, span_of(bytes, 16), span_of(bytes, 16), false,
                     (struct mspan){bytes, 17}));
    CHECK_INT(ERR_GET_REASON(ERR_get_error()), 77);
    CHECK_INT(ERR_get_error(), 0);
    crypto_free(c);
    crypto_free(NULL);
}

/* The same for packets, good and bad, with errors in the queue before and without. */
TEST(crypto_leaves_the_error_queue_alone_for_packets)
{
    struct crypto *c = crypto_new();
    uint8_t bytes[64] = {0};
    struct esp_crypt_config config = {.cipher = CIPHER_AES_CBC,
                                      .key = span_of(bytes, 16),
                                      .integ = HASH_SHA1,
                                      .integ_key = span_of(bytes, 20),
                                      .icv = 12};

    CHECK(c && crypto_use_esp_backend(c, ESP_BACKEND_OPENSSL));
    for (unsigned i = 0; i < 8; i++) {
        struct esp_job job = {.packet = bytes, .body = i & 2 ? 16 : 17};
        struct esp_crypt *x;

        config.seal = i & 4;
        x = esp_crypt_new(c, &config);
        CHECK(x);
        if (i & 1)
            ERR_raise(ERR_LIB_USER, 77);
        if (config.seal)
            esp_crypt_seal(x, &job, 1);
        else
            esp_crypt_open(x, &job, 1);
        CHECK_INT(job.ok, config.seal && i & 2);
        if (i & 1)
            CHECK_INT(ERR_GET_REASON(ERR_get_error()), 77);
        CHECK_INT(ERR_get_error(), 0);
        esp_crypt_free(x);
    }
    config =
        (struct esp_crypt_config){.cipher = CIPHER_AES_GCM, .key = span_of(bytes, 16), .icv = 16};
    for (unsigned i = 0; i < 2; i++) { /* a wrong tag of GCM */
        struct esp_job job = {.packet = bytes, .body = 16};
        struct esp_crypt *x = esp_crypt_new(c, &config);

        CHECK(x);
        if (i & 1)
            ERR_raise(ERR_LIB_USER, 77);
        esp_crypt_open(x, &job, 1);
        CHECK(!job.ok);
        if (i & 1)
            CHECK_INT(ERR_GET_REASON(ERR_get_error()), 77);
        CHECK_INT(ERR_get_error(), 0);
        esp_crypt_free(x);
    }
    crypto_free(c);
}
