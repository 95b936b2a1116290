/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Is this the certificate of the server that was dialed? The chain is OpenSSL's to build; dates are
 * ours to judge, because two clocks may differ a little and a wrong clock wants its own sentence.
 */
#include "base/addr.h"
#include "base/text.h"
#include "crypto/x509_private.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

/* RSA 2048 and SHA-2: what OpenSSL calls level 2. */
#define AUTH_LEVEL 2
#define KEY_BITS 112 /* of that level */
#define SHA1_BITS 63 /* what OpenSSL gives a signature over SHA-1; MD5 has less */
#define OID_IKE_INTERMEDIATE "1.3.6.1.5.5.8.2.2"
#define OID_IPSEC_IKE "1.3.6.1.5.5.7.3.17"

/* ---- dates ---- */

void cert_time_text(const ASN1_TIME *t, char *out, size_t cap)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(t, &tm) == 1)
        (void)snprintf(out, cap, "%04d-%02d-%02d %02d:%02d UTC", tm.tm_year + 1900, tm.tm_mon + 1,
                       tm.tm_mday, tm.tm_hour, tm.tm_min);
    else
        (void)snprintf(out, cap, "?");
}

int cert_time_place(const X509 *cert, int64_t now)
{
    if (ASN1_TIME_cmp_time_t(X509_get0_notBefore(cert), now + CERT_GRACE_S) == 1)
        return -1;
    return ASN1_TIME_cmp_time_t(X509_get0_notAfter(cert), now - CERT_GRACE_S) == -1 ? 1 : 0;
}

/* ---- usage ---- */

/* The extension is absent, or it holds one of the purposes. */
static bool extended_usage_fits(X509 *cert, const char *const *oids, size_t n)
{
    EXTENDED_KEY_USAGE *eku = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
    bool ok = !eku && X509_get_ext_by_NID(cert, NID_ext_key_usage, -1) < 0;
    char text[64];

    for (int i = 0; eku && !ok && i < sk_ASN1_OBJECT_num(eku); i++) {
        if (OBJ_obj2txt(text, sizeof(text), sk_ASN1_OBJECT_value(eku, i), 1) <= 0)
            continue;
        for (size_t k = 0; k < n; k++)
            ok = ok || strcmp(text, oids[k]) == 0;
    }
    EXTENDED_KEY_USAGE_free(eku);
    return ok;
}

/* RFC 4945 5.1.3.2: digitalSignature or nonRepudiation, when the extension is there. */
static bool key_usage_fits(X509 *cert)
{
    return (X509_get_extension_flags(cert) & EXFLAG_INVALID) == 0 &&
           (X509_get_key_usage(cert) & (X509v3_KU_DIGITAL_SIGNATURE | X509v3_KU_NON_REPUDIATION));
}

bool cert_usage_fits_server(X509 *cert)
{
    static const char *const oids[] = {"1.3.6.1.5.5.7.3.1", OID_IKE_INTERMEDIATE, OID_IPSEC_IKE,
                                       "2.5.29.37.0"};

    return key_usage_fits(cert) && extended_usage_fits(cert, oids, ARRAY_LEN(oids));
}

bool cert_usage_fits_client(X509 *cert)
{
    static const char *const oids[] = {"1.3.6.1.5.5.7.3.2", OID_IKE_INTERMEDIATE, OID_IPSEC_IKE,
                                       "2.5.29.37.0"};

    return key_usage_fits(cert) && extended_usage_fits(cert, oids, ARRAY_LEN(oids));
}

/* ---- names ---- */

bool cert_has_name(X509 *cert, const char *name, bool allow_cn)
{
    unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    struct inaddr a;

    if (name[0] == '@')
        name++;
    if (inaddr_parse(&a, name))
        return X509_check_ip(cert, a.bytes, inaddr_len(&a), 0) == 1;
    if (strchr(name, '@'))
        return X509_check_email(cert, name, 0, 0) == 1;
    if (!allow_cn)
        flags |= X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
    return name[0] != '\0' && X509_check_host(cert, name, strlen(name), flags, NULL) == 1;
}

static void first_name(X509 *cert, char *out, size_t cap)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    bool found = false;

    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
        struct inaddr a;
        char text[ADDR_TEXT_MAX];

        if (g->type == GEN_DNS || g->type == GEN_EMAIL) {
            text_escape(
                out, cap,
                span_of(ASN1_STRING_get0_data(g->d.ia5), (size_t)ASN1_STRING_length(g->d.ia5)));
            found = true;
        } else if (g->type == GEN_IPADD) {
            found = inaddr_from_bytes(&a, span_of(ASN1_STRING_get0_data(g->d.iPAddress),
                                                  (size_t)ASN1_STRING_length(g->d.iPAddress)));
            if (found)
                text_escape(out, cap, span_str(inaddr_text(&a, text)));
        }
    }
    GENERAL_NAMES_free(names);
    if (!found)
        cert_subject_text(cert, out, cap);
}

static bool dn_is(X509 *cert, struct span dn)
{
    unsigned char *der = NULL;
    int n = i2d_X509_NAME(X509_get_subject_name(cert), &der);
    bool same = n > 0 && span_eq(span_of(der, (size_t)n), dn);

    OPENSSL_free(der);
    return same;
}

/*
 * RFC 4945 3.1: what the peer calls itself must stand in its certificate. An address is let pass: a
 * server behind a NAT names one that no certificate has, and the name that was dialed is checked
 * anyway.
 */
static bool id_fits(X509 *cert, uint8_t type, struct span id)
{
    char text[CERT_ID_MAX + 1];

    switch (type) {
    case 0:
    case CERT_ID_IPV4:
    case CERT_ID_IPV6:
        return true;
    case CERT_ID_DN:
        return dn_is(cert, id);
    case CERT_ID_FQDN:
    case CERT_ID_USER_FQDN:
        if (id.n == 0 || id.n >= sizeof(text) || memchr(id.p, 0, id.n))
            return false;
        memcpy(text, id.p, id.n);
        text[id.n] = '\0';
        /* Some call their host name a user's name and the other way round. */
        return X509_check_host(cert, text, id.n, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1 ||
               X509_check_email(cert, text, id.n, 0) == 1;
    default:
        return false;
    }
}

/* ---- the chain ---- */

/* A missing or old revocation list is no reason to refuse: most profiles have none. */
static int soft_revocation(int ok, X509_STORE_CTX *ctx)
{
    switch (X509_STORE_CTX_get_error(ctx)) {
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
        return 1;
    default:
        return ok;
    }
}

static X509_STORE *store_of(const struct trust *t)
{
    X509_STORE *store = X509_STORE_new();
    bool ok = store != NULL;

    for (int i = 0; ok && i < sk_X509_num(t->bag.certs); i++)
        ok = X509_STORE_add_cert(store, sk_X509_value(t->bag.certs, i)) == 1;
    for (int i = 0; ok && i < sk_X509_CRL_num(t->bag.crls); i++)
        ok = X509_STORE_add_crl(store, sk_X509_CRL_value(t->bag.crls, i)) == 1;
    if (!ok) {
        X509_STORE_free(store);
        return NULL;
    }
    return store;
}

static enum cert_verdict verdict_of(int error)
{
    switch (error) {
    case X509_V_OK:
        return CERT_GOOD;
    case X509_V_ERR_CERT_REVOKED:
        return CERT_REVOKED;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
        return CERT_WEAK;
    default:
        return CERT_UNTRUSTED;
    }
}

/* `out_path`: the verified path, leaf first; to be freed. */
static enum cert_verdict build_path(const struct trust *t, X509 *leaf, STACK_OF(X509) * others,
                                    bool allow_sha1, STACK_OF(X509) * *out_path,
                                    char detail[CERT_TEXT_MAX])
{
    X509_STORE *store = store_of(t);
    X509_STORE_CTX *ctx = X509_STORE_CTX_new_ex(t->bag.c->lib, NULL);
    enum cert_verdict v = CERT_UNTRUSTED;

    if (store && ctx && X509_STORE_CTX_init(ctx, store, leaf, others) == 1) {
        X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
        unsigned long flags = X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_PARTIAL_CHAIN;

        if (sk_X509_CRL_num(t->bag.crls) > 0)
            flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
        (void)X509_VERIFY_PARAM_set_flags(param, flags);
        X509_VERIFY_PARAM_set_depth(param, CERTS_MAX);
        X509_VERIFY_PARAM_set_auth_level(param, allow_sha1 ? 0 : AUTH_LEVEL);
        X509_STORE_CTX_set_verify_cb(ctx, soft_revocation);
        if (X509_verify_cert(ctx) == 1) {
            v = CERT_GOOD;
            *out_path = X509_STORE_CTX_get1_chain(ctx);
        } else {
            int error = X509_STORE_CTX_get_error(ctx);

            v = verdict_of(error) == CERT_GOOD ? CERT_UNTRUSTED : verdict_of(error);
            (void)snprintf(detail, CERT_TEXT_MAX, "%s", X509_verify_cert_error_string(error));
        }
    }
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    return v;
}

/* What the level would have refused but for SHA-1. The trust anchor's own signature says nothing.
 */
static enum cert_verdict judge_strength(STACK_OF(X509) * path, char detail[CERT_TEXT_MAX])
{
    int last = sk_X509_num(path) - 1;

    for (int i = 0; i <= last; i++) {
        X509 *cert = sk_X509_value(path, i);
        enum ike_auth auth;
        int bits = 0;

        if (X509_get0_pubkey(cert) && key_kind(X509_get0_pubkey(cert), &auth) != KEYFILE_WEAK &&
            EVP_PKEY_get_security_bits(X509_get0_pubkey(cert)) >= KEY_BITS &&
            (i == last ||
             (X509_get_signature_info(cert, NULL, NULL, &bits, NULL) == 1 && bits >= SHA1_BITS)))
            continue;
        cert_subject_text(cert, detail, CERT_TEXT_MAX);
        return CERT_WEAK;
    }
    return CERT_GOOD;
}

static bool copy_path(STACK_OF(X509) * path, struct cert_list *out)
{
    bool ok = true;

    *out = (struct cert_list){0};
    for (int i = 0; ok && i < sk_X509_num(path); i++) {
        unsigned char *der = NULL;
        int n = i2d_X509(sk_X509_value(path, i), &der);

        ok = n > 0 && cert_list_add(out, span_of(der, (size_t)n));
        OPENSSL_free(der);
    }
    return ok;
}

/* ---- dates of a whole path ---- */

/* Certificates of others that are outside their time on the same side: ours and the CAs. */
static bool clock_is_suspect(const struct trust *t, const struct cert_question *q, int side)
{
    int others = 0;

    if (q->own && q->own->leaf)
        others += cert_time_place(q->own->leaf, q->now) == side;
    for (int i = 0; i < sk_X509_num(t->bag.certs); i++)
        others += cert_time_place(sk_X509_value(t->bag.certs, i), q->now) == side;
    return others > 0;
}

static enum cert_verdict judge_dates(const struct trust *t, const struct cert_question *q,
                                     STACK_OF(X509) * path, char detail[CERT_TEXT_MAX])
{
    for (int i = 0; i < sk_X509_num(path); i++) {
        X509 *cert = sk_X509_value(path, i);
        int side = cert_time_place(cert, q->now);

        if (side == 0)
            continue;
        cert_time_text(side < 0 ? X509_get0_notBefore(cert) : X509_get0_notAfter(cert), detail,
                       CERT_TEXT_MAX);
        if (i == 0 && clock_is_suspect(t, q, side))
            return CERT_CLOCK;
        return side < 0 ? CERT_NOT_YET_VALID : CERT_EXPIRED;
    }
    return CERT_GOOD;
}

static enum cert_verdict judge_leaf(X509 *leaf, const struct cert_question *q,
                                    char detail[CERT_TEXT_MAX])
{
    enum ike_auth auth;

    if (key_kind(X509_get0_pubkey(leaf), &auth) != KEYFILE_OK) {
        cert_subject_text(leaf, detail, CERT_TEXT_MAX);
        return CERT_WEAK;
    }
    if (!cert_usage_fits_server(leaf)) {
        cert_subject_text(leaf, detail, CERT_TEXT_MAX);
        return CERT_USAGE;
    }
    if (q->wanted ? !cert_has_id(leaf, q->wanted, q->allow_cn)
                  : q->name && !cert_has_name(leaf, q->name, q->allow_cn)) {
        first_name(leaf, detail, CERT_TEXT_MAX);
        return CERT_NAME;
    }
    if (!id_fits(leaf, q->id_type, q->id)) {
        if (q->id_type == CERT_ID_DN)
            cert_name_text(NULL, q->id, detail, CERT_TEXT_MAX);
        else
            text_escape(detail, CERT_TEXT_MAX, q->id);
        return CERT_ID;
    }
    return CERT_GOOD;
}

static STACK_OF(X509) * parse_chain(struct crypto *c, const struct cert_list *list)
{
    STACK_OF(X509) *certs = sk_X509_new_null();

    for (unsigned i = 0; certs && i < list->n; i++) {
        X509 *cert = cert_parse(c, cert_list_get(list, i));

        if (!cert || sk_X509_push(certs, cert) <= 0) {
            X509_free(cert);
            sk_X509_pop_free(certs, X509_free);
            return NULL;
        }
    }
    return certs;
}

enum cert_verdict cert_judge(struct crypto *c, const struct trust *t, const struct cert_question *q,
                             char detail[CERT_TEXT_MAX])
{
    STACK_OF(X509) * certs;
    STACK_OF(X509) *path = NULL;
    enum cert_verdict v = CERT_BROKEN;

    detail[0] = '\0';
    errors_mark();
    certs = parse_chain(c, q->chain);
    if (certs && q->leaf < q->chain->n) {
        X509 *leaf = sk_X509_value(certs, (int)q->leaf);

        v = X509_get0_pubkey(leaf) ? build_path(t, leaf, certs, q->allow_sha1, &path, detail)
                                   : CERT_BROKEN;
        if (v == CERT_GOOD && q->allow_sha1)
            v = judge_strength(path, detail);
        if (v == CERT_GOOD)
            v = judge_dates(t, q, path, detail);
        if (v == CERT_GOOD)
            v = judge_leaf(leaf, q, detail);
        if (v == CERT_GOOD && q->out_path && !copy_path(path, q->out_path))
            v = CERT_UNTRUSTED;
    }
    sk_X509_pop_free(path, X509_free);
    sk_X509_pop_free(certs, X509_free);
    errors_drop();
    return v;
}
