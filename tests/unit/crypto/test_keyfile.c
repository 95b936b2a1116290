/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates and keys of every form, locked and open. */
#include "check.h"
#include "x509_fixture.h"

#include <string.h>

TEST(keyfile_of_every_form)
{
    static const struct {
        const char *file, *key, *passphrase;
        unsigned chain;
        enum ike_auth auth;
    } rows[] = {
        {"client.pem", "client.key", NULL, 1, IKE_AUTH_RSA},
        {"client.pem", "client-locked.key", "open", 1, IKE_AUTH_RSA},
        {"client.pem", "client-locked.der", "open", 1, IKE_AUTH_RSA},
        {"client.pem", "client-old.key", "open", 1, IKE_AUTH_RSA},
        {"server.der", "server.key", NULL, 1, IKE_AUTH_RSA},
        {"server.p7b", "server.key", NULL, 2, IKE_AUTH_RSA},
        {"client-p7.pem", "client.key", NULL, 2, IKE_AUTH_RSA},
        {"client.p12", NULL, "open", 2, IKE_AUTH_RSA},
        {"client-empty.p12", NULL, NULL, 1, IKE_AUTH_RSA},
        {"ec256.pem", "ec256.key", NULL, 1, IKE_AUTH_ECDSA_256},
        {"ec384.pem", "ec384.key", NULL, 1, IKE_AUTH_ECDSA_384},
        {"ec521.pem", "ec521.key", NULL, 1, IKE_AUTH_ECDSA_521},
    };
    struct crypto *c = crypto_new();

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct credential *cr = credential_new(c);

        CHECK(cr);
        CHECK_INT(add_file(cr, rows[i].file, rows[i].passphrase), KEYFILE_OK);
        if (rows[i].key)
            CHECK_INT(add_file(cr, rows[i].key, rows[i].passphrase), KEYFILE_OK);
        CHECK_INT(credential_finish(cr), KEYFILE_OK);
        CHECK_INT(credential_auth(cr), rows[i].auth);
        CHECK_INT(credential_chain(cr)->n, rows[i].chain);
        CHECK_INT(credential_id(cr)->type, CERT_ID_DN);
        credential_free(cr);
    }
    crypto_free(c);
}

TEST(keyfile_locked_without_or_with_the_wrong_passphrase)
{
    static const char *const files[] = {"client-locked.key", "client-locked.der", "client-old.key",
                                        "client.p12", "client-legacy.p12"};
    struct crypto *c = crypto_new();

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct credential *cr = credential_new(c);

        CHECK_INT(add_file(cr, files[i], NULL), KEYFILE_PASSPHRASE);
        CHECK_INT(add_file(cr, files[i], "shut"), KEYFILE_PASSPHRASE);
        credential_free(cr);
    }
    crypto_free(c);
}

TEST(keyfile_pkcs12_of_old_windows)
{
    struct crypto *c = crypto_new();
    struct credential *cr = credential_new(c);
    enum keyfile_result r = add_file(cr, "client-legacy.p12", "open");

    if (r == KEYFILE_LEGACY) {
        credential_free(cr);
        crypto_free(c);
        SKIP("OpenSSL's legacy module is not installed");
    }
    CHECK_INT(r, KEYFILE_OK);
    CHECK_INT(credential_finish(cr), KEYFILE_OK);
    credential_free(cr);
    crypto_free(c);
}

TEST(keyfile_pkcs12_without_the_legacy_module)
{
    const char *was = getenv("OPENSSL_MODULES");
    struct crypto *c;
    struct credential *cr;
    enum keyfile_result r;

    CHECK(setenv("OPENSSL_MODULES", "/nonexistent", 1) == 0);
    c = crypto_new();
    cr = credential_new(c);
    r = add_file(cr, "client-legacy.p12", "open");
    if (was)
        (void)setenv("OPENSSL_MODULES", was, 1);
    else
        (void)unsetenv("OPENSSL_MODULES");
    CHECK_INT(r, KEYFILE_LEGACY);
    credential_free(cr);
    crypto_free(c);
}

TEST(keyfile_what_is_missing_is_said)
{
    struct crypto *c = crypto_new();
    struct credential *cr = credential_new(c);
    struct trust *t = trust_new(c);
    struct span noise = span_str("neither a certificate nor a key");

    CHECK_INT(credential_finish(cr), KEYFILE_NO_CERTIFICATE);
    CHECK_INT(credential_add(cr, noise, NULL), KEYFILE_UNKNOWN);
    CHECK_INT(credential_add(cr, SPAN_NONE, NULL), KEYFILE_UNKNOWN);
    CHECK_INT(add_file(cr, "client.pem", NULL), KEYFILE_OK);
    CHECK_INT(credential_finish(cr), KEYFILE_NO_KEY);
    CHECK_INT(add_file(cr, "server.key", NULL), KEYFILE_OK);
    CHECK_INT(credential_finish(cr), KEYFILE_NO_KEY); /* of another certificate */
    CHECK_INT(trust_add(t, noise), KEYFILE_UNKNOWN);
    CHECK_INT(trust_count(t), 0);
    trust_free(t);
    credential_free(cr);
    crypto_free(c);
}

TEST(keyfile_every_truncation_is_refused)
{
    static const char *const files[] = {"server.der", "server.p7b", "client.p12",
                                        "client-locked.der"};
    struct crypto *c = crypto_new();

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct file f;
        struct span whole = file_read(&f, files[i]);
        struct span word = span_str("open");

        for (size_t n = 0; n < whole.n; n += 1 + n / 64) {
            struct credential *cr = credential_new(c);

            CHECK(credential_add(cr, span_of(whole.p, n), &word) != KEYFILE_OK);
            credential_free(cr);
        }
    }
    crypto_free(c);
}

TEST(keyfile_request_for_a_ca)
{
    static const enum ike_auth kinds[] = {IKE_AUTH_RSA, IKE_AUTH_ECDSA_256, IKE_AUTH_ECDSA_384};
    struct crypto *c = crypto_new();
    struct span word = span_str("open");

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct cert_request r = {"alice", "laptop.example.com", kinds[i]};
        char *key, *csr;
        size_t n_key, n_csr;
        struct credential *cr = credential_new(c);

        CHECK(cert_request_make(c, &r, i ? &word : NULL, &key, &n_key, &csr, &n_csr));
        CHECK(strstr(csr, "BEGIN CERTIFICATE REQUEST"));
        CHECK((strstr(key, "ENCRYPTED") != NULL) == (i > 0));
        CHECK_INT(credential_add(cr, span_of((uint8_t *)key, n_key), i ? &word : NULL), KEYFILE_OK);
        credential_free(cr);
        wipe_free(key, n_key);
        wipe_free(csr, n_csr);
        r.san = "a,IP:192.0.2.1";
        CHECK(!cert_request_make(c, &r, NULL, &key, &n_key, &csr, &n_csr));
    }
    crypto_free(c);
}
