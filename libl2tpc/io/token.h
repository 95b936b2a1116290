/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Certificates and keys on a token (PKCS#11), named by URIs (RFC 7512). Modules are those that
 * p11-kit is configured with; everything here may wait for the token, so that it belongs into a
 * thread of its own (io/work.h). One thread at a time uses a token.
 */
#ifndef L2TPC_IO_TOKEN_H
#define L2TPC_IO_TOKEN_H

#include "base/secret.h"
#include "base/suite.h"
#include "crypto/x509.h"
#include "io/arena.h"

#define TOKEN_URI_MAX 1024
#define TOKEN_LABEL_MAX 64

enum token_result {
    TOKEN_OK,
    TOKEN_UNSUPPORTED, /* built without p11-kit */
    TOKEN_MISSING,     /* no token fits */
    TOKEN_SEVERAL,     /* more than one token, certificate or key fits */
    TOKEN_NO_OBJECT,   /* the token has no such certificate or key */
    TOKEN_PIN_NEEDED,
    TOKEN_PIN_WRONG,
    TOKEN_PIN_LOCKED,
    TOKEN_GONE, /* taken out */
    TOKEN_FAILED,
    TOKEN_MEMORY,
};

struct token_wish {
    char certificate[TOKEN_URI_MAX]; /* empty: the certificate comes from a file */
    char key[TOKEN_URI_MAX];         /* empty: the key that belongs to the certificate */
    struct arena *arena;             /* for the PIN of a key that wants it each time; or NULL */
};

struct token;

bool token_is_uri(const char *text); /* begins with "pkcs11:" */
/*
 * Can be read, and holds nothing that does not belong into a profile: a PIN (pin-value, pin-source)
 * has its own way in, and a module (module-path) would be code of whoever wrote the profile.
 */
bool token_uri_ok(const char *uri);
/*
 * Finds and opens what is wished for. NULL with the reason. A PIN is tried once: after a few wrong
 * ones a token locks itself. `pin` NULL: none is known; what needs one is TOKEN_PIN_NEEDED, with
 * the token's label in `label`.
 */
struct token *token_open(const struct token_wish *wish, const struct span *pin,
                         enum token_result *out, char label[TOKEN_LABEL_MAX]);
void token_close(struct token *t); /* NULL is fine */
/* What it said of itself: DER, without values when the certificate comes from a file. */
struct span token_certificate(const struct token *t);
/* The bare hash, as IKEv1 wants it (RFC 2409 5.1; RFC 4754: r and s). */
enum token_result token_sign(struct token *t, enum ike_auth auth, struct span hash,
                             uint8_t out[SIGN_MAX], size_t *n);

#endif
