/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "crypto/x509_revocation.h"

#include "crypto/x509_private.h"

#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <string.h>

#define OCSP_UNDATED_S 86400 /* an answer that does not say when the next one comes */

/* From `from` to `until` (NULL: nobody says), with the grace that two clocks need. */
static bool is_current(const ASN1_TIME *from, const ASN1_TIME *until, int64_t now)
{
    if (!from || ASN1_TIME_cmp_time_t(from, now + CERT_GRACE_S) == 1)
        return false;
    if (!until)
        return ASN1_TIME_cmp_time_t(from, now - OCSP_UNDATED_S) >= 0;
    return ASN1_TIME_cmp_time_t(until, now - CERT_GRACE_S) >= 0;
}

/* ---- files ---- */

bool revocation_in_file(const struct trust *t, struct span der, int64_t now)
{
    X509 *cert;
    bool found = false;

    errors_mark();
    cert = cert_parse(t->bag.c, der);
    for (int i = 0; cert && !found && i < sk_X509_CRL_num(t->bag.crls); i++) {
        const X509_CRL *crl = sk_X509_CRL_value(t->bag.crls, i);

        found = X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_issuer_name(cert)) == 0 &&
                is_current(X509_CRL_get0_lastUpdate(crl), X509_CRL_get0_nextUpdate(crl), now);
    }
    X509_free(cert);
    errors_drop();
    return found;
}

/* ---- URIs ---- */

static bool take_url(const char *url, size_t n, char out[REVOCATION_URL_MAX])
{
    static const char http[] = "http://";

    if (n < sizeof(http) || n >= REVOCATION_URL_MAX || memchr(url, 0, n) ||
        strncasecmp(url, http, sizeof(http) - 1) != 0)
        return false;
    memcpy(out, url, n);
    out[n] = '\0';
    return true;
}

bool revocation_ocsp_url(struct crypto *c, struct span der, char out[REVOCATION_URL_MAX])
{
    X509 *cert;
    STACK_OF(OPENSSL_STRING) *urls = NULL;
    bool found = false;

    errors_mark();
    cert = cert_parse(c, der);
    if (cert)
        urls = X509_get1_ocsp(cert);
    for (int i = 0; i < sk_OPENSSL_STRING_num(urls) && !found; i++) {
        const char *url = sk_OPENSSL_STRING_value(urls, i);

        found = take_url(url, strlen(url), out);
    }
    X509_email_free(urls);
    X509_free(cert);
    errors_drop();
    return found;
}

static bool url_of_point(const DIST_POINT *point, char out[REVOCATION_URL_MAX])
{
    const GENERAL_NAMES *names;

    if (!point->distpoint || point->distpoint->type != 0 || point->CRLissuer)
        return false;
    names = point->distpoint->name.fullname;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);

        if (g->type == GEN_URI &&
            take_url((const char *)ASN1_STRING_get0_data(g->d.uniformResourceIdentifier),
                     (size_t)ASN1_STRING_length(g->d.uniformResourceIdentifier), out))
            return true;
    }
    return false;
}

bool revocation_crl_url(struct crypto *c, struct span der, char out[REVOCATION_URL_MAX])
{
    X509 *cert;
    CRL_DIST_POINTS *points = NULL;
    bool found = false;

    errors_mark();
    cert = cert_parse(c, der);
    if (cert)
        points = X509_get_ext_d2i(cert, NID_crl_distribution_points, NULL, NULL);
    for (int i = 0; i < sk_DIST_POINT_num(points) && !found; i++)
        found = url_of_point(sk_DIST_POINT_value(points, i), out);
    CRL_DIST_POINTS_free(points);
    X509_free(cert);
    errors_drop();
    return found;
}

/* ---- the pair as OpenSSL sees it ---- */

struct pair {
    X509 *cert, *issuer;
    OCSP_CERTID *id;
};

static bool open_pair(struct crypto *c, const struct revocation_pair *in, struct pair *out)
{
    *out = (struct pair){cert_parse(c, in->cert), cert_parse(c, in->issuer), NULL};
    if (out->cert && out->issuer)
        out->id = OCSP_cert_to_id(NULL, out->cert, out->issuer); /* SHA-1: all responders know it */
    return out->id != NULL;
}

static void close_pair(struct pair *p)
{
    OCSP_CERTID_free(p->id);
    X509_free(p->cert);
    X509_free(p->issuer);
}

/* The issuer alone is trusted here; that it may be was the verdict on the path. */
static X509_STORE *store_of_issuer(const struct pair *p, X509_CRL *crl)
{
    X509_STORE *store = X509_STORE_new();

    if (store && X509_STORE_add_cert(store, p->issuer) == 1 &&
        (!crl || X509_STORE_add_crl(store, crl) == 1) &&
        X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME |
                                        (crl ? X509_V_FLAG_CRL_CHECK : 0)) == 1)
        return store;
    X509_STORE_free(store);
    return NULL;
}

/* ---- OCSP ---- */

bool revocation_ocsp_request(struct crypto *c, const struct revocation_pair *in,
                             uint8_t out[REVOCATION_REQUEST_MAX], size_t *n)
{
    OCSP_REQUEST *q = OCSP_REQUEST_new();
    struct pair p = {0};
    unsigned char *der = NULL;
    int len = 0;

    errors_mark();
    if (q && open_pair(c, in, &p) && OCSP_request_add0_id(q, p.id)) {
        p.id = NULL; /* the request has it */
        if (OCSP_request_add1_nonce(q, NULL, -1) == 1)
            len = i2d_OCSP_REQUEST(q, &der);
    }
    if (len > 0 && len <= REVOCATION_REQUEST_MAX)
        memcpy(out, der, (size_t)len);
    else
        len = 0;
    *n = (size_t)len;
    OPENSSL_free(der);
    close_pair(&p);
    OCSP_REQUEST_free(q);
    errors_drop();
    return len > 0;
}

static bool nonce_fits(struct span request, OCSP_BASICRESP *basic)
{
    const unsigned char *at = request.p;
    OCSP_REQUEST *q = d2i_OCSP_REQUEST(NULL, &at, (long)request.n);
    /* 0: another one; negative: the answer has none, as those made in advance. */
    bool fits = q && OCSP_check_nonce(q, basic) != 0;

    OCSP_REQUEST_free(q);
    return fits;
}

/* RFC 6960 4.2.2.2: by the CA itself, whose dates its path was asked for, or by who the CA names;
 * the store of this file does not look at dates, as the time is not its own. */
static bool is_signer_current(const struct pair *p, OCSP_BASICRESP *basic, STACK_OF(X509) * known,
                              int64_t now)
{
    X509 *signer = NULL;

    return OCSP_resp_get0_signer(basic, &signer, known) == 1 &&
           (X509_cmp(signer, p->issuer) == 0 ||
            is_current(X509_get0_notBefore(signer), X509_get0_notAfter(signer), now));
}

static bool is_signed(const struct pair *p, OCSP_BASICRESP *basic, int64_t now)
{
    X509_STORE *store = store_of_issuer(p, NULL);
    STACK_OF(X509) *known = sk_X509_new_null();
    bool ok = store && known && sk_X509_push(known, p->issuer) > 0 &&
              OCSP_basic_verify(basic, known, store, OCSP_TRUSTOTHER) == 1 &&
              is_signer_current(p, basic, known, now);

    sk_X509_free(known);
    X509_STORE_free(store);
    return ok;
}

static enum revocation_state read_basic(const struct pair *p, OCSP_BASICRESP *basic,
                                        struct span request, int64_t now)
{
    ASN1_GENERALIZEDTIME *from = NULL;
    ASN1_GENERALIZEDTIME *until = NULL;
    int status = V_OCSP_CERTSTATUS_UNKNOWN;

    if (!nonce_fits(request, basic) || !is_signed(p, basic, now) ||
        OCSP_resp_find_status(basic, p->id, &status, NULL, NULL, &from, &until) != 1 ||
        !is_current(from, until, now))
        return REVOCATION_UNKNOWN;
    return status == V_OCSP_CERTSTATUS_GOOD      ? REVOCATION_GOOD
           : status == V_OCSP_CERTSTATUS_REVOKED ? REVOCATION_REVOKED
                                                 : REVOCATION_UNKNOWN;
}

enum revocation_state revocation_read_ocsp(struct crypto *c, const struct revocation_pair *in,
                                           struct span request, struct span answer, int64_t now)
{
    const unsigned char *at = answer.p;
    OCSP_RESPONSE *response;
    OCSP_BASICRESP *basic = NULL;
    struct pair p = {0};
    enum revocation_state s = REVOCATION_UNKNOWN;

    if (answer.n == 0 || answer.n > CERT_FILE_MAX)
        return s;
    errors_mark();
    response = d2i_OCSP_RESPONSE(NULL, &at, (long)answer.n);
    if (response && OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL)
        basic = OCSP_response_get1_basic(response);
    if (basic && open_pair(c, in, &p))
        s = read_basic(&p, basic, request, now);
    close_pair(&p);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    errors_drop();
    return s;
}

/* ---- lists ---- */

/* As OpenSSL reads them: scope, critical extensions, the issuer's right to sign them. */
static enum revocation_state look_up(struct crypto *c, const struct pair *p, X509_CRL *crl)
{
    X509_STORE *store = store_of_issuer(p, crl);
    X509_STORE_CTX *ctx = X509_STORE_CTX_new_ex(c->lib, NULL);
    enum revocation_state s = REVOCATION_UNKNOWN;

    if (store && ctx && X509_STORE_CTX_init(ctx, store, p->cert, NULL) == 1) {
        if (X509_verify_cert(ctx) == 1)
            s = REVOCATION_GOOD;
        else if (X509_STORE_CTX_get_error(ctx) == X509_V_ERR_CERT_REVOKED)
            s = REVOCATION_REVOKED;
    }
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    return s;
}

static X509_CRL *parse_crl(struct crypto *c, struct span answer)
{
    X509_CRL *crl = X509_CRL_new_ex(c->lib, NULL);
    const unsigned char *at = answer.p;

    if (crl && answer.n > 0 && answer.n <= CERT_FILE_MAX && d2i_X509_CRL(&crl, &at, (long)answer.n))
        return crl;
    X509_CRL_free(crl);
    return NULL;
}

enum revocation_state revocation_read_crl(struct crypto *c, const struct revocation_pair *in,
                                          struct span answer, int64_t now)
{
    enum revocation_state s = REVOCATION_UNKNOWN;
    struct pair p = {0};
    X509_CRL *crl;

    errors_mark();
    crl = parse_crl(c, answer);
    if (crl && X509_CRL_get0_nextUpdate(crl) &&
        is_current(X509_CRL_get0_lastUpdate(crl), X509_CRL_get0_nextUpdate(crl), now) &&
        open_pair(c, in, &p))
        s = look_up(c, &p, crl);
    close_pair(&p);
    X509_CRL_free(crl);
    errors_drop();
    return s;
}
