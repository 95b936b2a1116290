/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ike/identity.h"

#include "base/addr.h"
#include "base/limits.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>

static enum identity_fault set(struct cert_id *out, uint8_t type, struct span data)
{
    if (data.n == 0)
        return IDENTITY_EMPTY;
    if (data.n > sizeof(out->bytes))
        return IDENTITY_LONG;
    memset(out, 0, sizeof(*out));
    out->type = type;
    memcpy(out->bytes, data.p, data.n);
    out->n = data.n;
    return IDENTITY_OK;
}

static bool is_clean(const char *text)
{
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    return text_is_utf8(span_str(text));
}

/* ---- kinds ---- */
static enum identity_fault as_fqdn(const char *text, struct cert_id *out)
{
    return set(out, CERT_ID_FQDN, span_str(text));
}

static enum identity_fault as_key_id(const char *text, struct cert_id *out)
{
    return set(out, CERT_ID_KEY_ID, span_str(text));
}

static enum identity_fault as_mail(const char *text, struct cert_id *out)
{
    const char *at = strrchr(text, '@');

    if (!at || at == text || !at[1])
        return IDENTITY_MAIL;
    return set(out, CERT_ID_USER_FQDN, span_str(text));
}

static enum identity_fault as_address(const char *text, struct cert_id *out)
{
    struct inaddr a;

    if (!inaddr_parse(&a, text))
        return IDENTITY_ADDRESS;
    return set(out, a.family == 6 ? CERT_ID_IPV6 : CERT_ID_IPV4, span_of(a.bytes, inaddr_len(&a)));
}

static enum identity_fault as_dn(const char *text, struct cert_id *out)
{
    return cert_name_parse(text, out) ? IDENTITY_OK : IDENTITY_DN;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static enum identity_fault as_hex(const char *text, struct cert_id *out)
{
    uint8_t bytes[IKE_IDENTITY_MAX];
    size_t n = strlen(text);

    if (n / 2 > sizeof(bytes))
        return IDENTITY_LONG;
    if (n == 0 || n % 2 != 0)
        return IDENTITY_HEX;
    for (size_t i = 0; i < n / 2; i++) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return IDENTITY_HEX;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return set(out, CERT_ID_KEY_ID, span_of(bytes, n / 2));
}

static enum identity_fault as_bracketed(const char *text, struct cert_id *out)
{
    size_t n = strlen(text);

    if (n < 1 || text[n - 1] != ']')
        return IDENTITY_NAME;
    return set(out, CERT_ID_KEY_ID, span_of(text, n - 1));
}

/* What a host's name is made of; other words need a prefix, as their kind is anybody's guess. */
static bool is_host(const char *text)
{
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x80 &&
            !strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._", *c))
            return false;
    return text[0] != '.' && !strstr(text, "..");
}

/* ---- which one ---- */
typedef enum identity_fault reader(const char *text, struct cert_id *out);

static const struct {
    const char *prefix;
    reader *read;
} prefixes[] = {
    {"ip:", as_address},  {"fqdn:", as_fqdn},    {"email:", as_mail},
    {"dn:", as_dn},       {"keyid:", as_key_id}, {"@#", as_hex},
    {"@[", as_bracketed}, {"@@", as_mail},       {"@", as_fqdn},
};

enum identity_fault identity_parse(const char *text, struct cert_id *out)
{
    struct inaddr a;

    if (!text[0])
        return IDENTITY_EMPTY;
    if (!is_clean(text))
        return IDENTITY_CONTROL;
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        size_t n = strlen(prefixes[i].prefix);

        if (strncmp(text, prefixes[i].prefix, n) == 0)
            return prefixes[i].read(text + n, out);
    }
    if (inaddr_parse(&a, text))
        return as_address(text, out);
    if (strchr(text, '='))
        return as_dn(text, out);
    if (strchr(text, '@'))
        return as_mail(text, out);
    return is_host(text) ? as_fqdn(text, out) : IDENTITY_NAME;
}

bool identity_same(const struct cert_id *a, const struct cert_id *b)
{
    struct span x = span_of(a->bytes, a->n);
    struct span y = span_of(b->bytes, b->n);

    if (a->type != b->type)
        return false;
    switch (a->type) {
    case CERT_ID_FQDN:
    case CERT_ID_USER_FQDN:
        return a->n == b->n &&
               strncasecmp((const char *)a->bytes, (const char *)b->bytes, a->n) == 0;
    case CERT_ID_DN:
        return span_eq(x, y) || cert_name_same(x, y);
    default:
        return span_eq(x, y);
    }
}
