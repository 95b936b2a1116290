/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Shared by the certificate files of crypto/ alone. */
#ifndef L2TPC_CRYPTO_X509_PRIVATE_H
#define L2TPC_CRYPTO_X509_PRIVATE_H

#include "crypto/private.h"
#include "crypto/x509.h"

#include <openssl/x509.h>

/* What one or more files held. */
struct key_bag {
    struct crypto *c;
    STACK_OF(X509) * certs;
    STACK_OF(X509_CRL) * crls;
    EVP_PKEY *key;
    bool locked_key; /* there is a key that could not be opened */
};

bool key_bag_init(struct key_bag *bag, struct crypto *c) MUST_USE;
void key_bag_clear(struct key_bag *bag);
enum keyfile_result key_bag_add(struct key_bag *bag, struct span file,
                                const struct span *passphrase);

/* scrub.c: what OpenSSL has freed unwiped while it read a key. */
void heap_scrub(void);

struct credential {
    struct key_bag bag;
    X509 *leaf; /* borrowed from the bag */
    enum ike_auth auth;
    struct cert_list chain;
    struct cert_id id;
};

struct trust {
    struct key_bag bag;
};

/* The certificate as OpenSSL sees it; NULL when it is broken or something follows it. */
X509 *cert_parse(struct crypto *c, struct span der);
bool cert_is_self_signed(X509 *cert);
/* OK, WEAK or KIND. */
enum keyfile_result key_kind(EVP_PKEY *key, enum ike_auth *out);
/* "2026-11-22 13:00 UTC" */
void cert_time_text(const ASN1_TIME *t, char *out, size_t cap);
/* -1 before its time, 1 behind it, 0 within, with the grace of CERT_GRACE_S. */
int cert_time_place(const X509 *cert, int64_t now);
bool cert_usage_fits_server(X509 *cert);
bool cert_usage_fits_client(X509 *cert);
bool cert_has_name(X509 *cert, const char *name, bool allow_cn);
/* The identity stands in the certificate: its subject, or a subjectAltName. */
bool cert_has_id(X509 *cert, const struct cert_id *id, bool allow_cn);
void cert_subject_text(X509 *cert, char *out, size_t cap);

#endif
