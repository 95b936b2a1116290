/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A new key and the request that a CA makes a client certificate from. */
#include "base/addr.h"
#include "crypto/x509_private.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RSA_BITS_NEW ((size_t)3072)

static EVP_PKEY *new_key(struct crypto *c, enum ike_auth auth)
{
    switch (auth) {
    case IKE_AUTH_RSA:
        return EVP_PKEY_Q_keygen(c->lib, NULL, "RSA", RSA_BITS_NEW);
    case IKE_AUTH_ECDSA_256:
        return EVP_PKEY_Q_keygen(c->lib, NULL, "EC", "P-256");
    case IKE_AUTH_ECDSA_384:
        return EVP_PKEY_Q_keygen(c->lib, NULL, "EC", "P-384");
    case IKE_AUTH_ECDSA_521:
        return EVP_PKEY_Q_keygen(c->lib, NULL, "EC", "P-521");
    default:
        return NULL;
    }
}

/* Only what cannot carry another name along: the text is OpenSSL's own little language. */
static bool san_text(const char *san, char *out, size_t cap)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._@+";
    struct inaddr a;
    const char *kind = strchr(san, '@') ? "email" : "DNS";

    if (inaddr_parse(&a, san))
        kind = "IP";
    else if (strspn(san, letters) != strlen(san))
        return false;
    return san[0] && (size_t)snprintf(out, cap, "%s:%s", kind, san) < cap;
}

static bool add_extension(STACK_OF(X509_EXTENSION) * list, X509V3_CTX *ctx, int nid,
                          const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, ctx, nid, value);

    if (e && sk_X509_EXTENSION_push(list, e) > 0)
        return true;
    X509_EXTENSION_free(e);
    return false;
}

static bool fill_request(X509_REQ *req, const struct cert_request *r, EVP_PKEY *key)
{
    X509_NAME *subject = X509_REQ_get_subject_name(req);
    STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
    X509V3_CTX ctx;
    char san[256];
    bool ok;

    X509V3_set_ctx(&ctx, NULL, NULL, req, NULL, 0);
    ok = list && X509_REQ_set_version(req, X509_REQ_VERSION_1) == 1 &&
         X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                    (const unsigned char *)r->common_name, -1, -1, 0) == 1 &&
         add_extension(list, &ctx, NID_key_usage, "critical,digitalSignature") &&
         add_extension(list, &ctx, NID_ext_key_usage, "clientAuth,1.3.6.1.5.5.7.3.17");
    if (ok && r->san)
        ok = san_text(r->san, san, sizeof(san)) &&
             add_extension(list, &ctx, NID_subject_alt_name, san);
    ok = ok && X509_REQ_add_extensions(req, list) == 1 && X509_REQ_set_pubkey(req, key) == 1 &&
         X509_REQ_sign(req, key, EVP_sha256()) > 0;
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    return ok;
}

/* A copy of our own, so that whoever frees it needs no OpenSSL. */
static bool take_text(BIO *bio, char **out, size_t *n)
{
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);

    if (len <= 0)
        return false;
    *out = calloc(1, (size_t)len + 1);
    if (!*out)
        return false;
    memcpy(*out, text, (size_t)len);
    *n = (size_t)len;
    return true;
}

static bool key_text(EVP_PKEY *key, const struct span *passphrase, char **out, size_t *n)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    const EVP_CIPHER *lock = passphrase ? EVP_aes_256_cbc() : NULL;
    bool ok = bio &&
              PEM_write_bio_PKCS8PrivateKey(bio, key, lock,
                                            passphrase ? (const char *)passphrase->p : NULL,
                                            passphrase ? (int)passphrase->n : 0, NULL, NULL) == 1 &&
              take_text(bio, out, n);

    BIO_free(bio);
    return ok;
}

bool cert_request_make(struct crypto *c, const struct cert_request *r,
                       const struct span *passphrase, char **key, size_t *n_key, char **csr,
                       size_t *n_csr)
{
    EVP_PKEY *pkey;
    X509_REQ *req;
    BIO *bio;
    bool ok;

    if (!r->common_name || !r->common_name[0] || strlen(r->common_name) > 64 ||
        (passphrase && (passphrase->n == 0 || passphrase->n > SECRET_MAX)))
        return false;
    *key = *csr = NULL;
    errors_mark();
    pkey = new_key(c, r->auth);
    req = X509_REQ_new_ex(c->lib, NULL);
    bio = BIO_new(BIO_s_mem());
    ok = pkey && req && bio && fill_request(req, r, pkey) &&
         PEM_write_bio_X509_REQ(bio, req) == 1 && take_text(bio, csr, n_csr) &&
         key_text(pkey, passphrase, key, n_key);
    if (!ok) {
        free(*csr);
        *csr = NULL;
    }
    BIO_free(bio);
    X509_REQ_free(req);
    EVP_PKEY_free(pkey);
    errors_drop();
    return ok;
}
