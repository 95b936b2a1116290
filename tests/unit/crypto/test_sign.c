/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Signatures as IKEv1 has them, good and forged (hostile.md C16). */
#include "check.h"
#include "x509_fixture.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

static const uint8_t hash[64] = {0x11, 0x22, 0x33};

TEST(sign_and_verify_with_every_kind_and_hash)
{
    static const char *const files[][2] = {{"client.pem", "client.key"},
                                           {"ec256.pem", "ec256.key"},
                                           {"ec384.pem", "ec384.key"},
                                           {"ec521.pem", "ec521.key"}};
    static const size_t sizes[] = {16, 20, 32, 48, 64};
    struct crypto *c = crypto_new();

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct credential *cr = credential_of(c, files[i][0], files[i][1]);
        struct span der = cert_list_get(credential_chain(cr), 0);
        enum ike_auth auth = credential_auth(cr);

        for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
            struct span h = span_of(hash, sizes[k]);
            uint8_t sig[SIGN_MAX];
            uint8_t other[64];
            size_t n;

            CHECK(credential_sign(cr, h, sig, &n));
            CHECK(cert_verify_hash(c, der, auth, h, span_of(sig, n)));
            CHECK(!cert_verify_hash(c, der, IKE_AUTH_PSK, h, span_of(sig, n)));
            memcpy(other, hash, sizeof(other));
            other[0] ^= 1;
            CHECK(!cert_verify_hash(c, der, auth, span_of(other, h.n), span_of(sig, n)));
            for (size_t cut = 0; cut < n; cut++)
                CHECK(!cert_verify_hash(c, der, auth, h, span_of(sig, cut)));
            CHECK(!cert_verify_hash(c, der, auth, h, span_of(sig, n + 1)));
            sig[n - 1] ^= 1;
            CHECK(!cert_verify_hash(c, der, auth, h, span_of(sig, n)));
            memset(sig, 0, sizeof(sig));
            CHECK(!cert_verify_hash(c, der, auth, h, span_of(sig, n)));
            memset(sig, 0xff, sizeof(sig));
            CHECK(!cert_verify_hash(c, der, auth, h, span_of(sig, n)));
        }
        CHECK(!cert_verify_hash(c, der, auth, SPAN_NONE, SPAN_ARRAY(hash)));
        credential_free(cr);
    }
    crypto_free(c);
}

/* The bare private operation over a block of the forger's choice. */
static void raw_sign(const uint8_t block[256], uint8_t out[256])
{
    struct file f;
    struct span text = file_read(&f, "client.key");
    BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    size_t n = 256;

    if (EVP_PKEY_sign_init(ctx) != 1 || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) != 1 ||
        EVP_PKEY_sign(ctx, out, &n, block, 256) != 1)
        abort();
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    BIO_free(bio);
}

TEST(c16_forged_pkcs1_blocks_are_refused)
{
    struct crypto *c = crypto_new();
    struct credential *cr = credential_of(c, "client.pem", "client.key");
    struct span der = cert_list_get(credential_chain(cr), 0);
    struct span h = span_of(hash, 32);
    uint8_t good[256];
    uint8_t sig[256];

    memset(good, 0xff, sizeof(good));
    good[0] = 0;
    good[1] = 1;
    good[223] = 0;
    memcpy(good + 224, hash, 32);
    raw_sign(good, sig);
    CHECK(cert_verify_hash(c, der, IKE_AUTH_RSA, h, SPAN_ARRAY(sig)));
    for (size_t i = 1; i < sizeof(good); i++) {
        uint8_t bad[256];

        memcpy(bad, good, sizeof(bad));
        bad[i] ^= 0x40;
        raw_sign(bad, sig);
        CHECK(!cert_verify_hash(c, der, IKE_AUTH_RSA, h, SPAN_ARRAY(sig)));
    }
    /* Short padding, and what the forger likes behind the hash. */
    for (size_t pad = 8; pad < 220; pad += 53) {
        uint8_t bad[256] = {0, 1};

        memset(bad + 2, 0xff, pad);
        memcpy(bad + 3 + pad, hash, 32 < 253 - pad ? 32 : 253 - pad);
        raw_sign(bad, sig);
        CHECK(!cert_verify_hash(c, der, IKE_AUTH_RSA, h, SPAN_ARRAY(sig)));
    }
    /* A hash that is shorter than it ought to be. */
    CHECK(!cert_verify_hash(c, der, IKE_AUTH_RSA, span_of(hash, 31), SPAN_ARRAY(sig)));
    credential_free(cr);
    crypto_free(c);
}

/* With e = 3 and a short modulus forging is easy: such certificates cannot sign at all. */
TEST(c16_weak_keys_cannot_sign)
{
    static const char *const files[] = {"e3.pem", "weak.pem"};
    struct crypto *c = crypto_new();

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct cert_list list = {0};
        uint8_t sig[256] = {0};

        list_file(c, &list, files[i]);
        CHECK(!cert_verify_hash(c, cert_list_get(&list, 0), IKE_AUTH_RSA, span_of(hash, 32),
                                span_of(sig, i ? 128 : 256)));
    }
    crypto_free(c);
}
