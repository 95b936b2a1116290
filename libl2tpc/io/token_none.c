/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Built without p11-kit: URIs are known, tokens are not. */
#include "io/token.h"

#include <string.h>

bool token_is_uri(const char *text)
{
    return strncmp(text, "pkcs11:", 7) == 0;
}

bool token_uri_ok(const char *uri)
{
    return token_is_uri(uri) && strlen(uri) < TOKEN_URI_MAX && !strstr(uri, "pin-") &&
           !strstr(uri, "module-");
}

struct token *token_open(const struct token_wish *wish, const struct span *pin,
                         enum token_result *out, char label[TOKEN_LABEL_MAX])
{
    (void)wish;
    (void)pin;
    label[0] = '\0';
    *out = TOKEN_UNSUPPORTED;
    return NULL;
}

void token_close(struct token *t)
{
    (void)t;
}

struct span token_certificate(const struct token *t)
{
    (void)t;
    return SPAN_NONE;
}

enum token_result token_sign(struct token *t, enum ike_auth auth, struct span hash,
                             uint8_t out[SIGN_MAX], size_t *n)
{
    (void)t;
    (void)auth;
    (void)hash;
    (void)out;
    (void)n;
    return TOKEN_UNSUPPORTED;
}
