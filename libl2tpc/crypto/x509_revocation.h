/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a certificate of a good path was revoked: what to ask its CA for, and what the answer
 * means. No I/O: answers are bytes. Only a path that ends in a CA of the profile gets here
 * (hostile.md C19), so that nobody else's URI is ever opened.
 */
#ifndef L2TPC_CRYPTO_X509_REVOCATION_H
#define L2TPC_CRYPTO_X509_REVOCATION_H

#include "crypto/x509.h"

#define REVOCATION_URL_MAX 512
#define REVOCATION_REQUEST_MAX 1024

enum revocation_state {
    REVOCATION_UNKNOWN,
    REVOCATION_GOOD,
    REVOCATION_REVOKED,
};

enum revocation_source {
    REVOCATION_NONE,
    REVOCATION_FILE, /* a list that came with the CAs */
    REVOCATION_OCSP,
    REVOCATION_CRL,
};

/* A certificate and who issued it, both DER. */
struct revocation_pair {
    struct span cert, issuer;
};

/* A fresh list of its issuer is among those of the profile; cert_judge() has then looked at it. */
bool revocation_in_file(const struct trust *t, struct span cert, int64_t now);
/* The first http URI of its OCSP responder, or of its revocation list; false when it has none. */
bool revocation_ocsp_url(struct crypto *c, struct span cert, char out[REVOCATION_URL_MAX]);
bool revocation_crl_url(struct crypto *c, struct span cert, char out[REVOCATION_URL_MAX]);
/* A request with a nonce, which the answer may leave out. */
bool revocation_ocsp_request(struct crypto *c, const struct revocation_pair *p,
                             uint8_t out[REVOCATION_REQUEST_MAX], size_t *n);
/* Signed by the issuer, or by whom it made a responder; of now, give or take five minutes. */
enum revocation_state revocation_read_ocsp(struct crypto *c, const struct revocation_pair *p,
                                           struct span request, struct span answer, int64_t now);
enum revocation_state revocation_read_crl(struct crypto *c, const struct revocation_pair *p,
                                          struct span answer, int64_t now);

#endif
