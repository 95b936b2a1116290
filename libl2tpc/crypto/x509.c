/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists of certificates, our own credential, the names in both. */
#include "crypto/x509.h"

#include "base/text.h"
#include "crypto/x509_private.h"

#include <openssl/pkcs7.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

/* ---- lists ---- */

bool cert_list_add(struct cert_list *list, struct span der)
{
    size_t at = list->at[list->n];

    if (list->n == CERTS_MAX || der.n == 0 || der.n > sizeof(list->bytes) - at)
        return false;
    memcpy(list->bytes + at, der.p, der.n);
    list->at[++list->n] = at + der.n;
    return true;
}

struct span cert_list_get(const struct cert_list *list, unsigned i)
{
    if (i >= list->n)
        return SPAN_NONE;
    return span_of(list->bytes + list->at[i], list->at[i + 1] - list->at[i]);
}

static bool add_cert(struct cert_list *list, X509 *cert)
{
    unsigned char *der = NULL;
    int n = i2d_X509(cert, &der);
    bool ok = n > 0 && cert_list_add(list, span_of(der, (size_t)n));

    OPENSSL_free(der);
    return ok;
}

bool cert_list_add_pkcs7(struct crypto *c, struct cert_list *list, struct span der)
{
    struct key_bag bag;
    bool ok = key_bag_init(&bag, c) && key_bag_add(&bag, der, NULL) == KEYFILE_OK &&
              sk_X509_num(bag.certs) > 0;

    for (int i = 0; ok && i < sk_X509_num(bag.certs); i++)
        ok = add_cert(list, sk_X509_value(bag.certs, i));
    key_bag_clear(&bag);
    return ok;
}

/* ---- single certificates ---- */

X509 *cert_parse(struct crypto *c, struct span der)
{
    X509 *cert = X509_new_ex(c->lib, NULL);
    const unsigned char *p = der.p;

    if (!cert || der.n == 0 || der.n > CERT_FILE_MAX || !d2i_X509(&cert, &p, (long)der.n) ||
        p != der.p + der.n) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

bool cert_is_self_signed(X509 *cert)
{
    return X509_self_signed(cert, 0) == 1;
}

static bool name_der(const X509_NAME *name, uint8_t *out, size_t cap, size_t *n)
{
    unsigned char *der = NULL;
    int len = i2d_X509_NAME(name, &der);
    bool ok = len > 0 && (size_t)len <= cap;

    if (ok) {
        memcpy(out, der, (size_t)len);
        *n = (size_t)len;
    }
    OPENSSL_free(der);
    return ok;
}

bool cert_issuer(struct crypto *c, struct span der, uint8_t *out, size_t cap, size_t *n)
{
    X509 *cert;
    bool ok;

    errors_mark();
    cert = cert_parse(c, der);
    ok = cert && name_der(X509_get_issuer_name(cert), out, cap, n);
    X509_free(cert);
    errors_drop();
    return ok;
}

static void name_text(const X509_NAME *name, char *out, size_t cap)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long n = 0;

    if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) >= 0)
        n = BIO_get_mem_data(bio, &text);
    text_escape(out, cap, n > 0 ? span_of((uint8_t *)text, (size_t)n) : span_str("?"));
    BIO_free(bio);
}

void cert_subject_text(X509 *cert, char *out, size_t cap)
{
    name_text(X509_get_subject_name(cert), out, cap);
}

void cert_name_text(struct crypto *c, struct span dn, char *out, size_t cap)
{
    const unsigned char *p = dn.p;
    X509_NAME *name;

    (void)c;
    errors_mark();
    name = dn.n > 0 && dn.n <= CERT_FILE_MAX ? d2i_X509_NAME(NULL, &p, (long)dn.n) : NULL;
    if (name && p == dn.p + dn.n)
        name_text(name, out, cap);
    else
        text_escape(out, cap, span_str("?"));
    X509_NAME_free(name);
    errors_drop();
}

/* ---- our own ---- */

struct credential *credential_new(struct crypto *c)
{
    struct credential *cr = calloc(1, sizeof(*cr));

    if (cr && !key_bag_init(&cr->bag, c)) {
        credential_free(cr);
        return NULL;
    }
    return cr;
}

void credential_free(struct credential *cr)
{
    if (!cr)
        return;
    key_bag_clear(&cr->bag);
    free(cr);
}

enum keyfile_result credential_add(struct credential *cr, struct span file,
                                   const struct span *passphrase)
{
    return key_bag_add(&cr->bag, file, passphrase);
}

static X509 *leaf_of(const struct key_bag *bag)
{
    for (int i = 0; i < sk_X509_num(bag->certs); i++)
        if (X509_check_private_key(sk_X509_value(bag->certs, i), bag->key) == 1)
            return sk_X509_value(bag->certs, i);
    return NULL;
}

static X509 *issuer_of(const struct key_bag *bag, X509 *cert)
{
    for (int i = 0; i < sk_X509_num(bag->certs); i++) {
        X509 *other = sk_X509_value(bag->certs, i);

        if (other != cert && X509_check_issued(other, cert) == X509_V_OK)
            return other;
    }
    return NULL;
}

/* The server has the root, or would not trust it from us. */
static bool fill_chain(struct credential *cr)
{
    X509 *cert = cr->leaf;
    bool ok = add_cert(&cr->chain, cert);

    for (unsigned i = 1; ok && i < CERTS_MAX; i++) {
        cert = issuer_of(&cr->bag, cert);
        if (!cert || cert_is_self_signed(cert))
            break;
        ok = add_cert(&cr->chain, cert);
    }
    return ok;
}

static bool set_id(struct cert_id *id, uint8_t type, const ASN1_STRING *s)
{
    int n = ASN1_STRING_length(s);

    if (n < 1 || n > CERT_ID_MAX)
        return false;
    id->type = type;
    id->n = (size_t)n;
    memcpy(id->bytes, ASN1_STRING_get0_data(s), id->n);
    return true;
}

static bool id_from_san(X509 *cert, struct cert_id *id)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    bool ok = false;

    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !ok; i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);

        if (g->type == GEN_DNS)
            ok = set_id(id, CERT_ID_FQDN, g->d.dNSName);
        else if (g->type == GEN_EMAIL)
            ok = set_id(id, CERT_ID_USER_FQDN, g->d.rfc822Name);
        else if (g->type == GEN_IPADD)
            ok = set_id(id, ASN1_STRING_length(g->d.iPAddress) == 16 ? CERT_ID_IPV6 : CERT_ID_IPV4,
                        g->d.iPAddress);
    }
    GENERAL_NAMES_free(names);
    return ok;
}

static bool fill_id(struct credential *cr)
{
    const X509_NAME *subject = X509_get_subject_name(cr->leaf);

    cr->id.type = CERT_ID_DN;
    if (X509_NAME_entry_count(subject) > 0 &&
        name_der(subject, cr->id.bytes, sizeof(cr->id.bytes), &cr->id.n))
        return true;
    return id_from_san(cr->leaf, &cr->id);
}

static enum keyfile_result finish(struct credential *cr, X509 *leaf, EVP_PKEY *key)
{
    enum keyfile_result r = leaf ? key_kind(key, &cr->auth) : KEYFILE_NO_KEY;

    if (r != KEYFILE_OK)
        return r;
    cr->leaf = leaf;
    cr->chain = (struct cert_list){0};
    if (fill_chain(cr) && fill_id(cr))
        return KEYFILE_OK;
    cr->leaf = NULL;
    return KEYFILE_TOO_MUCH;
}

enum keyfile_result credential_finish(struct credential *cr)
{
    enum keyfile_result r;

    if (sk_X509_num(cr->bag.certs) == 0)
        return KEYFILE_NO_CERTIFICATE;
    if (!cr->bag.key)
        return cr->bag.locked_key ? KEYFILE_PASSPHRASE : KEYFILE_NO_KEY;
    errors_mark();
    r = finish(cr, leaf_of(&cr->bag), cr->bag.key);
    errors_drop();
    return r;
}

static bool issued_another(const struct key_bag *bag, X509 *cert)
{
    for (int i = 0; i < sk_X509_num(bag->certs); i++) {
        X509 *other = sk_X509_value(bag->certs, i);

        if (other != cert && X509_check_issued(cert, other) == X509_V_OK)
            return true;
    }
    return false;
}

enum keyfile_result credential_finish_elsewhere(struct credential *cr)
{
    X509 *leaf = NULL;
    EVP_PKEY *key;
    enum keyfile_result r;

    if (sk_X509_num(cr->bag.certs) == 0)
        return KEYFILE_NO_CERTIFICATE;
    errors_mark();
    for (int i = 0; !leaf && i < sk_X509_num(cr->bag.certs); i++)
        if (!issued_another(&cr->bag, sk_X509_value(cr->bag.certs, i)))
            leaf = sk_X509_value(cr->bag.certs, i);
    key = leaf ? X509_get0_pubkey(leaf) : NULL;
    r = key ? finish(cr, leaf, key) : KEYFILE_KIND;
    errors_drop();
    return r;
}

bool credential_signed(const struct credential *cr, struct span hash, struct span signature)
{
    return cr->leaf &&
           cert_verify_hash(cr->bag.c, cert_list_get(&cr->chain, 0), cr->auth, hash, signature);
}

enum ike_auth credential_auth(const struct credential *cr)
{
    return cr->auth;
}

const struct cert_list *credential_chain(const struct credential *cr)
{
    return &cr->chain;
}

const struct cert_id *credential_id(const struct credential *cr)
{
    return &cr->id;
}

/* ---- whom we trust ---- */

struct trust *trust_new(struct crypto *c)
{
    struct trust *t = calloc(1, sizeof(*t));

    if (t && !key_bag_init(&t->bag, c)) {
        trust_free(t);
        return NULL;
    }
    return t;
}

void trust_free(struct trust *t)
{
    if (!t)
        return;
    key_bag_clear(&t->bag);
    free(t);
}

enum keyfile_result trust_add(struct trust *t, struct span file)
{
    int before = sk_X509_num(t->bag.certs) + sk_X509_CRL_num(t->bag.crls);
    enum keyfile_result r = key_bag_add(&t->bag, file, NULL);

    if (r == KEYFILE_OK && sk_X509_num(t->bag.certs) + sk_X509_CRL_num(t->bag.crls) == before)
        return before > 0 ? KEYFILE_OK : KEYFILE_NO_CERTIFICATE;
    return r;
}

unsigned trust_count(const struct trust *t)
{
    return (unsigned)sk_X509_num(t->bag.certs);
}

void trust_names(const struct trust *t, struct cert_list *out)
{
    *out = (struct cert_list){0};
    errors_mark();
    for (int i = 0; i < sk_X509_num(t->bag.certs); i++) {
        uint8_t name[1024];
        size_t n;

        if (!name_der(X509_get_subject_name(sk_X509_value(t->bag.certs, i)), name, sizeof(name),
                      &n) ||
            !cert_list_add(out, span_of(name, n)))
            break;
    }
    errors_drop();
}
