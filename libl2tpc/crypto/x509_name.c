/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Distinguished names as people write them, and when two of them name the same. */
#include "base/text.h"
#include "crypto/x509_private.h"

#include <openssl/x509v3.h>
#include <string.h>
#include <strings.h>

#define VALUE_MAX 256
#define TYPE_MAX 64

/* What the swans and Windows call attributes that OpenSSL knows under another name. */
static const struct {
    const char *alias, *name;
} aliases[] = {
    {"E", "emailAddress"},
    {"EMAIL", "emailAddress"},
    {"S", "ST"},
    {"SP", "ST"},
    {"T", "title"},
    {"G", "GN"},
    {"DC", "DC"},
    {"UID", "UID"},
    {"C", "C"},
    {"O", "O"},
    {"OU", "OU"},
    {"CN", "CN"},
    {"L", "L"},
    {"ST", "ST"},
    {"STREET", "street"},
};

static const char *type_name(const char *type)
{
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
        if (strcasecmp(type, aliases[i].alias) == 0)
            return aliases[i].name;
    return type;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)((at - digits) % 16) : -1;
}

/* "TYPE=" up to the sign; moves the text behind it. */
static bool take_type(const char **text, char out[TYPE_MAX])
{
    const char *t = *text;
    size_t n;

    while (is_blank(*t))
        t++;
    n = strcspn(t, "=");
    if (t[n] != '=')
        return false;
    *text = t + n + 1;
    while (n > 0 && is_blank(t[n - 1]))
        n--;
    if (n == 0 || n >= TYPE_MAX)
        return false;
    memcpy(out, t, n);
    out[n] = '\0';
    return true;
}

/* RFC 4514 2.4: a backslash before a character, or before two hex digits. Up to the separator. */
static bool take_value(const char **text, char separator, unsigned char out[VALUE_MAX],
                       size_t *out_n)
{
    const char *t = *text;
    size_t n = 0;
    size_t keep = 0; /* blanks at the end fall away unless they are escaped */

    while (is_blank(*t))
        t++;
    for (; *t && *t != separator; t++) {
        bool escaped = *t == '\\';
        int c = (unsigned char)*t;

        if (escaped) {
            int high = hex_digit(t[1]);
            int low = high >= 0 ? hex_digit(t[2]) : -1;

            if (!t[1])
                return false;
            c = low >= 0 ? high << 4 | low : (unsigned char)t[1];
            t += low >= 0 ? 2 : 1;
        }
        if (n == VALUE_MAX || c < 0x20 || c == 0x7f)
            return false;
        out[n++] = (unsigned char)c;
        if (escaped || !is_blank((char)c))
            keep = n;
    }
    *text = *t ? t + 1 : t;
    *out_n = keep;
    return keep > 0;
}

static bool add_entries(X509_NAME *name, const char *text, char separator)
{
    while (*text) {
        char type[TYPE_MAX];
        unsigned char value[VALUE_MAX];
        size_t n;

        if (!take_type(&text, type) || !take_value(&text, separator, value, &n) ||
            X509_NAME_add_entry_by_txt(name, type_name(type), MBSTRING_UTF8, value, (int)n, -1,
                                       0) != 1)
            return false;
    }
    return X509_NAME_entry_count(name) > 0;
}

bool cert_name_parse(const char *text, struct cert_id *out)
{
    X509_NAME *name;
    unsigned char *der = NULL;
    int n = -1;
    bool slashes = text[0] == '/';

    errors_mark();
    name = X509_NAME_new();
    if (name && add_entries(name, slashes ? text + 1 : text, slashes ? '/' : ','))
        n = i2d_X509_NAME(name, &der);
    if (n > 0 && (size_t)n <= sizeof(out->bytes)) {
        memset(out, 0, sizeof(*out));
        out->type = CERT_ID_DN;
        memcpy(out->bytes, der, (size_t)n);
        out->n = (size_t)n;
    } else {
        n = -1;
    }
    OPENSSL_free(der);
    X509_NAME_free(name);
    errors_drop();
    return n > 0;
}

static X509_NAME *name_of(struct span der)
{
    const unsigned char *p = der.p;
    X509_NAME *name =
        der.n > 0 && der.n <= CERT_ID_MAX ? d2i_X509_NAME(NULL, &p, (long)der.n) : NULL;

    if (name && p != der.p + der.n) {
        X509_NAME_free(name);
        return NULL;
    }
    return name;
}

bool cert_name_same(struct span a, struct span b)
{
    X509_NAME *x;
    X509_NAME *y;
    bool same;

    errors_mark();
    x = name_of(a);
    y = name_of(b);
    same = x && y && X509_NAME_cmp(x, y) == 0;
    X509_NAME_free(x);
    X509_NAME_free(y);
    errors_drop();
    return same;
}

bool cert_has_id(X509 *cert, const struct cert_id *id, bool allow_cn)
{
    unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                     (allow_cn ? 0u : X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    const char *text = (const char *)id->bytes;
    X509_NAME *name;
    bool same;

    switch (id->type) {
    case CERT_ID_IPV4:
    case CERT_ID_IPV6:
        return X509_check_ip(cert, id->bytes, id->n, 0) == 1;
    case CERT_ID_FQDN:
        return id->n > 0 && X509_check_host(cert, text, id->n, flags, NULL) == 1;
    case CERT_ID_USER_FQDN:
        return id->n > 0 && X509_check_email(cert, text, id->n, 0) == 1;
    case CERT_ID_DN:
        name = name_of(span_of(id->bytes, id->n));
        same = name && X509_NAME_cmp(name, X509_get_subject_name(cert)) == 0;
        X509_NAME_free(name);
        return same;
    default:
        return false; /* a key ID stands in no certificate */
    }
}
