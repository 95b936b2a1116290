/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"
#include "crypto/crypto.h"

#include <string.h>

struct hash_vector {
    enum hash_id hash;
    const char *text, *digest;
};

static void run_hashes(const struct hash_vector *v, size_t n)
{
    uint8_t out[HASH_MAX];

    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(v[i].text);
        struct span parts[3] = {span_of(v[i].text, len / 2), SPAN_NONE,
                                span_of(v[i].text + len / 2, len - len / 2)};

        CHECK(hash_parts(NULL, v[i].hash, parts, 3, out));
        CHECK_HEX(out, hash_size(v[i].hash), v[i].digest);
    }
}

#define ALPHABET "abcdefghijklmnopqrstuvwxyz"
#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define DIGITS                                                                                     \
    "1234567890123456789012345678901234567890"                                                     \
    "1234567890123456789012345678901234567890"
#define BITS_448 "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
#define BITS_896                                                                                   \
    "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"                                     \
    "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"

TEST(crypto_md5_rfc1321)
{
    static const struct hash_vector v[] = {
        {HASH_MD5, "", "d41d8cd98f00b204e9800998ecf8427e"},
        {HASH_MD5, "a", "0cc175b9c0f1b6a831c399e269772661"},
        {HASH_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72"},
        {HASH_MD5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
        {HASH_MD5, ALPHABET, "c3fcd3d76192e4007dfb496cca67e13b"},
        {HASH_MD5, ALNUM, "d174ab98d277d9f5a5611c2c9f419d9f"},
        {HASH_MD5, DIGITS, "57edf4a22be3c955ac49da2e2107b67a"},
    };

    run_hashes(v, ARRAY_LEN(v));
}

TEST(crypto_md4_rfc1320)
{
    static const struct hash_vector v[] = {
        {HASH_MD4, "", "31d6cfe0d16ae931b73c59d7e0c089c0"},
        {HASH_MD4, "a", "bde52cb31de33e46245e05fbdbd6fb24"},
        {HASH_MD4, "abc", "a448017aaf21d8525fc10ae87aa6729d"},
        {HASH_MD4, "message digest", "d9130a8164549fe818874806e1c7014b"},
        {HASH_MD4, ALPHABET, "d79e1c308aa5bbcdeea8ed63df412da9"},
        {HASH_MD4, ALNUM, "043f8582f241db351ce627e153e7f0e4"},
        {HASH_MD4, DIGITS, "e33b4ddc9c38f2199c3e7b164fcc0536"},
    };

    run_hashes(v, ARRAY_LEN(v));
}

TEST(crypto_sha_fips180)
{
    static const struct hash_vector v[] = {
        {HASH_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {HASH_SHA1, BITS_448, "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
        {HASH_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {HASH_SHA256, BITS_448, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {HASH_SHA384, "abc",
         "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
         "8086072ba1e7cc2358baeca134c825a7"},
        {HASH_SHA384, BITS_896,
         "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712"
         "fcc7c71a557e2db966c3e9fa91746039"},
        {HASH_SHA512, "abc",
         "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
         "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
        {HASH_SHA512, BITS_896,
         "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
         "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909"},
    };

    run_hashes(v, ARRAY_LEN(v));
}

struct hmac_vector {
    const char *key, *data, *digests[3];
};

/* Also over one per-SA context, whose state must be fresh after each message. */
static void run_hmac(const struct hmac_vector *v, size_t n, const enum hash_id *ids, size_t n_ids)
{
    uint8_t key[256];
    uint8_t data[256];
    uint8_t out[HASH_MAX];

    for (size_t i = 0; i < n * n_ids; i++) {
        const struct hmac_vector *row = &v[i / n_ids];
        enum hash_id h = ids[i % n_ids];
        struct span k = span_of(key, check_hex(key, sizeof(key), row->key));
        struct span d = span_of(data, check_hex(data, sizeof(data), row->data));
        struct span parts[2] = {span_of(d.p, 3), span_of(d.p + 3, d.n - 3)};
        struct mac_ctx *m = mac_ctx_new(NULL, h, k);

        CHECK(m);
        CHECK(hmac_parts(NULL, h, k, parts, 2, out));
        CHECK_HEX(out, hash_size(h), row->digests[i % n_ids]);
        for (unsigned again = 0; again < 3; again++) {
            memset(out, 0, sizeof(out));
            CHECK(mac_ctx_run(m, d, out));
            CHECK_HEX(out, hash_size(h), row->digests[i % n_ids]);
            CHECK(mac_ctx_run(m, parts[0], out));
        }
        mac_ctx_free(m);
    }
}

#define X4(s) s s s s
#define X16(s) X4(s) X4(s) X4(s) X4(s)
#define HI_THERE "4869205468657265"
#define WANT "7768617420646f2079612077616e7420666f72206e6f7468696e673f"
#define LARGER_KEY                                                                                 \
    "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368"     \
    "204b6579204669727374"

TEST(crypto_hmac_rfc2202)
{
    static const enum hash_id ids[] = {HASH_MD5, HASH_SHA1};
    static const struct hmac_vector v[] = {
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
         HI_THERE,
         {"5ccec34ea9656392457fa1ac27f08fbc", "b617318655057264e28bc0b6fb378c8ef146be00"}},
        {"4a656665",
         WANT,
         {"750c783e6ab0b503eaa86e310a5db738", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"}},
        {X16("aaaaaaaaaa"),
         LARGER_KEY,
         {"6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd", "aa4ae5e15272d00e95705637ce8a3b55ed402112"}},
    };

    run_hmac(v, ARRAY_LEN(v), ids, ARRAY_LEN(ids));
}

TEST(crypto_hmac_rfc4231)
{
    static const enum hash_id ids[] = {HASH_SHA256, HASH_SHA384, HASH_SHA512};
    static const struct hmac_vector v[] = {
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
         HI_THERE,
         {"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
          "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
          "faea9ea9076ede7f4af152e8b2fa9cb6",
          "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
          "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"}},
        {"4a656665",
         WANT,
         {"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
          "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
          "8e2240ca5e69e2c78b3239ecfab21649",
          "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
          "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"}},
        {X16("aaaaaaaaaaaaaaaa") "aaaaaa",
         LARGER_KEY,
         {"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
          "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
          "0c2ef6ab4030fe8296248df163f44952",
          "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
          "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"}},
    };

    run_hmac(v, ARRAY_LEN(v), ids, ARRAY_LEN(ids));
}

TEST(crypto_hash_sizes_and_refusals)
{
    uint8_t out[HASH_MAX];

    CHECK_INT(hash_size(HASH_NONE), 0);
    CHECK_INT(hash_size((enum hash_id)99), 0);
    CHECK_STR(hash_name(HASH_SHA256), "SHA2-256");
    CHECK_STR(hash_name(HASH_NONE), "none");
    CHECK(!hash_parts(NULL, HASH_NONE, NULL, 0, out));
    CHECK(!hmac_parts(NULL, (enum hash_id)99, SPAN_NONE, NULL, 0, out));
    CHECK(!mac_ctx_new(NULL, HASH_SHA1, SPAN_NONE));
    CHECK(!mac_ctx_new(NULL, HASH_NONE, span_str("key")));
    /* An empty key is valid for HMAC itself: RFC 2409's prf may meet an empty pre-shared key. */
    CHECK(hmac_parts(NULL, HASH_SHA256, SPAN_NONE, NULL, 0, out));
    CHECK_HEX(out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    mac_ctx_free(NULL);
}
