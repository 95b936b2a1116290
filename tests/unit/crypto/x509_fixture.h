/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The certificates of tests/vectors/x509/, read once per use. */
#ifndef TESTS_UNIT_CRYPTO_X509_FIXTURE_H
#define TESTS_UNIT_CRYPTO_X509_FIXTURE_H

#include "crypto/x509.h"

#include <stdio.h>
#include <stdlib.h>

#define X509_NOW INT64_C(1767225600) /* 2026-01-01 */

struct file {
    uint8_t bytes[16384];
    size_t n;
};

static inline struct span file_read(struct file *f, const char *name)
{
    char path[512];
    FILE *in;

    (void)snprintf(path, sizeof(path), "%s/x509/%s", VECTOR_DIR, name);
    in = fopen(path, "rb");
    if (!in)
        abort();
    f->n = fread(f->bytes, 1, sizeof(f->bytes), in);
    (void)fclose(in);
    return span_of(f->bytes, f->n);
}

static inline enum keyfile_result add_file(struct credential *cr, const char *name,
                                           const char *passphrase)
{
    struct file f;
    struct span word = span_str(passphrase ? passphrase : "");

    return credential_add(cr, file_read(&f, name), passphrase ? &word : NULL);
}

/* The certificates of the file as they would come from the wire. */
static inline void list_file(struct crypto *c, struct cert_list *list, const char *name)
{
    struct file f;

    if (!cert_list_add_pkcs7(c, list, file_read(&f, name)))
        abort();
}

static inline struct credential *credential_of(struct crypto *c, const char *cert, const char *key)
{
    struct credential *cr = credential_new(c);

    if (!cr || add_file(cr, cert, NULL) != KEYFILE_OK || add_file(cr, key, NULL) != KEYFILE_OK ||
        credential_finish(cr) != KEYFILE_OK)
        abort();
    return cr;
}

static inline struct trust *trust_of(struct crypto *c, const char *ca)
{
    struct trust *t = trust_new(c);
    struct file f;

    if (!t || trust_add(t, file_read(&f, ca)) != KEYFILE_OK)
        abort();
    return t;
}

#endif
