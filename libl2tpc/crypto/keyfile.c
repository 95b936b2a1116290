/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates and keys out of files of every usual form. */
#include "crypto/x509_private.h"

#include <openssl/decoder.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>
#include <openssl/provider.h>
#include <string.h>

/* A bundle of CAs may be long; a chain may not (CERTS_MAX). */
#define BAG_MAX 512

bool key_bag_init(struct key_bag *bag, struct crypto *c)
{
    *bag = (struct key_bag){.c = c};
    errors_mark();
    bag->certs = sk_X509_new_null();
    bag->crls = sk_X509_CRL_new_null();
    errors_drop();
    return bag->certs && bag->crls;
}

void key_bag_clear(struct key_bag *bag)
{
    sk_X509_pop_free(bag->certs, X509_free);
    sk_X509_CRL_pop_free(bag->crls, X509_CRL_free);
    EVP_PKEY_free(bag->key);
    *bag = (struct key_bag){0};
}

/* ---- what goes in ---- */

static bool has_cert(const struct key_bag *bag, const X509 *cert)
{
    for (int i = 0; i < sk_X509_num(bag->certs); i++)
        if (X509_cmp(sk_X509_value(bag->certs, i), cert) == 0)
            return true;
    return false;
}

/* Takes the certificate over. */
static enum keyfile_result take_cert(struct key_bag *bag, X509 *cert)
{
    if (!cert)
        return KEYFILE_UNKNOWN;
    if (has_cert(bag, cert)) {
        X509_free(cert);
        return KEYFILE_OK;
    }
    if (sk_X509_num(bag->certs) >= BAG_MAX || sk_X509_push(bag->certs, cert) <= 0) {
        X509_free(cert);
        return KEYFILE_TOO_MUCH;
    }
    return KEYFILE_OK;
}

/* Parsed again in our own library context: where it came from may belong to the default one. */
static enum keyfile_result take_copy(struct key_bag *bag, X509 *cert)
{
    unsigned char *der = NULL;
    int n = i2d_X509(cert, &der);
    enum keyfile_result r = KEYFILE_UNKNOWN;

    if (n > 0)
        r = take_cert(bag, cert_parse(bag->c, span_of(der, (size_t)n)));
    OPENSSL_free(der);
    return r;
}

static enum keyfile_result take_all(struct key_bag *bag, const STACK_OF(X509) * certs)
{
    enum keyfile_result r = sk_X509_num(certs) > 0 ? KEYFILE_OK : KEYFILE_UNKNOWN;

    for (int i = 0; i < sk_X509_num(certs) && r == KEYFILE_OK; i++)
        r = take_copy(bag, sk_X509_value(certs, i));
    return r;
}

static enum keyfile_result take_crl(struct key_bag *bag, struct span der)
{
    X509_CRL *crl = X509_CRL_new_ex(bag->c->lib, NULL);
    const unsigned char *p = der.p;

    if (!crl || !d2i_X509_CRL(&crl, &p, (long)der.n) || p != der.p + der.n) {
        X509_CRL_free(crl);
        return KEYFILE_UNKNOWN;
    }
    if (sk_X509_CRL_num(bag->crls) >= BAG_MAX || sk_X509_CRL_push(bag->crls, crl) <= 0) {
        X509_CRL_free(crl);
        return KEYFILE_TOO_MUCH;
    }
    return KEYFILE_OK;
}

static enum keyfile_result take_pkcs7(struct key_bag *bag, struct span der)
{
    const unsigned char *p = der.p;
    PKCS7 *p7 = d2i_PKCS7(NULL, &p, (long)der.n);
    enum keyfile_result r = KEYFILE_UNKNOWN;

    if (p7 && PKCS7_type_is_signed(p7) && p7->d.sign)
        r = take_all(bag, p7->d.sign->cert);
    PKCS7_free(p7);
    return r;
}

/* ---- keys ---- */

struct locksmith {
    const struct span *passphrase;
    bool asked;
};

static int give_passphrase(char *buf, int size, int writing, void *user)
{
    struct locksmith *l = user;

    (void)writing;
    l->asked = true;
    if (!l->passphrase || size < 0 || l->passphrase->n > (size_t)size)
        return -1;
    if (l->passphrase->n > 0)
        memcpy(buf, l->passphrase->p, l->passphrase->n);
    return (int)l->passphrase->n;
}

static EVP_PKEY *read_pem_key(struct key_bag *bag, struct span file, struct locksmith *l)
{
    BIO *bio = BIO_new_mem_buf(file.p, (int)file.n);
    EVP_PKEY *key = NULL;

    if (bio)
        key = PEM_read_bio_PrivateKey_ex(bio, NULL, give_passphrase, l, bag->c->lib, NULL);
    BIO_free(bio);
    return key;
}

static EVP_PKEY *read_der_key(struct key_bag *bag, struct span file, struct locksmith *l)
{
    EVP_PKEY *key = NULL;
    const unsigned char *p = file.p;
    size_t n = file.n;
    OSSL_DECODER_CTX *d =
        OSSL_DECODER_CTX_new_for_pkey(&key, "DER", NULL, NULL, EVP_PKEY_KEYPAIR, bag->c->lib, NULL);

    if (d && OSSL_DECODER_CTX_set_pem_password_cb(d, give_passphrase, l) == 1)
        (void)OSSL_DECODER_from_data(d, &p, &n);
    OSSL_DECODER_CTX_free(d);
    return key;
}

/* Old ciphers live in a module of their own, loaded for as long as a file is read. */
static OSSL_PROVIDER *open_legacy(struct key_bag *bag)
{
    return OSSL_PROVIDER_load(bag->c->lib, "legacy");
}

static void close_legacy(OSSL_PROVIDER *legacy)
{
    if (legacy)
        (void)OSSL_PROVIDER_unload(legacy);
}

static enum keyfile_result take_key(struct key_bag *bag, struct span file,
                                    const struct span *passphrase, bool pem)
{
    EVP_PKEY *(*read_key)(struct key_bag *, struct span, struct locksmith *) =
        pem ? read_pem_key : read_der_key;
    struct locksmith l = {.passphrase = passphrase};
    EVP_PKEY *key = read_key(bag, file, &l);

    if (!key && l.asked && passphrase) {
        OSSL_PROVIDER *legacy = open_legacy(bag);

        if (legacy)
            key = read_key(bag, file, &l);
        close_legacy(legacy);
    }
    if (!key)
        return l.asked ? KEYFILE_PASSPHRASE : KEYFILE_UNKNOWN;
    EVP_PKEY_free(bag->key);
    bag->key = key;
    return KEYFILE_OK;
}

/* ---- PKCS#12 ---- */

/* The MAC tells a wrong passphrase from a cipher that is missing. */
static bool opens_mac(PKCS12 *p12, const char *passphrase, size_t n)
{
    if (!PKCS12_mac_present(p12))
        return true;
    if (PKCS12_verify_mac(p12, passphrase, (int)n) == 1)
        return true;
    return n == 0 && PKCS12_verify_mac(p12, NULL, 0) == 1;
}

static enum keyfile_result open_pkcs12(struct key_bag *bag, PKCS12 *p12, const char *passphrase)
{
    EVP_PKEY *key = NULL;
    X509 *leaf = NULL;
    STACK_OF(X509) *others = NULL;
    enum keyfile_result r = KEYFILE_OK;

    if (PKCS12_parse(p12, passphrase, &key, &leaf, &others) != 1)
        return KEYFILE_LEGACY;
    if (leaf)
        r = take_copy(bag, leaf);
    if (r == KEYFILE_OK && others && sk_X509_num(others) > 0)
        r = take_all(bag, others);
    if (key) {
        EVP_PKEY_free(bag->key);
        bag->key = key;
    }
    X509_free(leaf);
    sk_X509_pop_free(others, X509_free);
    return r;
}

static enum keyfile_result take_pkcs12(struct key_bag *bag, struct span der,
                                       const struct span *passphrase)
{
    PKCS12 *p12 = PKCS12_init_ex(NID_pkcs7_data, bag->c->lib, NULL);
    const unsigned char *p = der.p;
    char text[SECRET_MAX + 1] = "";
    enum keyfile_result r = KEYFILE_UNKNOWN;

    if (passphrase && passphrase->n > SECRET_MAX) {
        PKCS12_free(p12);
        return KEYFILE_PASSPHRASE;
    }
    if (passphrase && passphrase->n > 0)
        memcpy(text, passphrase->p, passphrase->n);
    if (p12 && d2i_PKCS12(&p12, &p, (long)der.n)) {
        r = KEYFILE_PASSPHRASE;
        if (opens_mac(p12, text, passphrase ? passphrase->n : 0)) {
            r = open_pkcs12(bag, p12, text);
            if (r == KEYFILE_LEGACY) {
                OSSL_PROVIDER *legacy = open_legacy(bag);

                if (legacy && (r = open_pkcs12(bag, p12, text)) == KEYFILE_LEGACY)
                    r = KEYFILE_UNKNOWN;
                close_legacy(legacy);
            }
        }
    }
    PKCS12_free(p12);
    wipe(text, sizeof(text));
    return r;
}

/* ---- files ---- */

static enum keyfile_result take_block(struct key_bag *bag, const char *name, struct span der,
                                      bool *is_key)
{
    if (strstr(name, "PRIVATE KEY")) {
        *is_key = true;
        return KEYFILE_OK;
    }
    if (strcmp(name, PEM_STRING_X509) == 0 || strcmp(name, PEM_STRING_X509_OLD) == 0)
        return take_cert(bag, cert_parse(bag->c, der));
    if (strcmp(name, PEM_STRING_X509_CRL) == 0)
        return take_crl(bag, der);
    if (strcmp(name, PEM_STRING_PKCS7) == 0 || strcmp(name, PEM_STRING_CMS) == 0)
        return take_pkcs7(bag, der);
    return KEYFILE_OK; /* parameters, requests: nothing for us */
}

static enum keyfile_result add_pem(struct key_bag *bag, struct span file,
                                   const struct span *passphrase)
{
    BIO *bio = BIO_new_mem_buf(file.p, (int)file.n);
    char *name = NULL;
    char *header = NULL;
    unsigned char *data = NULL;
    long n = 0;
    bool is_key = false;
    unsigned blocks = 0;
    enum keyfile_result r = KEYFILE_OK;

    while (bio && r == KEYFILE_OK && PEM_read_bio(bio, &name, &header, &data, &n) == 1) {
        r = take_block(bag, name, span_of(data, (size_t)n), &is_key);
        blocks++;
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, (size_t)n);
    }
    BIO_free(bio);
    if (r == KEYFILE_OK && blocks == 0)
        r = KEYFILE_UNKNOWN;
    if (r == KEYFILE_OK && is_key)
        r = take_key(bag, file, passphrase, true);
    bag->locked_key = bag->locked_key || r == KEYFILE_PASSPHRASE;
    return r;
}

static enum keyfile_result add_der(struct key_bag *bag, struct span file,
                                   const struct span *passphrase)
{
    enum keyfile_result r = take_cert(bag, cert_parse(bag->c, file));

    if (r == KEYFILE_UNKNOWN)
        r = take_crl(bag, file);
    if (r == KEYFILE_UNKNOWN)
        r = take_pkcs7(bag, file);
    if (r == KEYFILE_UNKNOWN)
        r = take_pkcs12(bag, file, passphrase);
    if (r == KEYFILE_UNKNOWN)
        r = take_key(bag, file, passphrase, false);
    return r;
}

enum keyfile_result key_bag_add(struct key_bag *bag, struct span file,
                                const struct span *passphrase)
{
    static const char begin[] = "-----BEGIN ";
    enum keyfile_result r;

    if (file.n == 0)
        return KEYFILE_UNKNOWN;
    if (file.n > CERT_FILE_MAX)
        return KEYFILE_TOO_MUCH;
    errors_mark();
    if (memmem(file.p, file.n, begin, sizeof(begin) - 1))
        r = add_pem(bag, file, passphrase);
    else
        r = add_der(bag, file, passphrase);
    if (bag->key || passphrase)
        heap_scrub();
    errors_drop();
    return r;
}
