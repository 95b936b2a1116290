/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Certificates of a peer, and files of a user. First byte: what the rest is. Whatever it is, only
 * one that the CA of the corpus has signed may be found good.
 */
#include "fuzz.h"

#include "crypto/x509_revocation.h"

#include <string.h>

static void judge(struct crypto *c, struct span raw)
{
    static const uint8_t hash[32] = {1};
    struct cert_list *list = calloc(1, sizeof(*list));
    struct trust *t = trust_new(c);
    struct cert_question q = {.chain = list, .name = "vpn.example.com", .now = INT64_C(1767225600)};
    char detail[CERT_TEXT_MAX];

    FUZZ_REQUIRE(list && t);
    if (!cert_list_add_pkcs7(c, list, raw))
        (void)!cert_list_add(list, raw);
    FUZZ_REQUIRE(list->n <= CERTS_MAX && list->at[list->n] <= CERTS_BYTES_MAX);
    for (q.leaf = 0; q.leaf < list->n; q.leaf++) {
        FUZZ_REQUIRE(cert_judge(c, t, &q, detail) != CERT_GOOD); /* nobody is trusted */
        fuzz_check_text(detail, sizeof(detail));
        FUZZ_REQUIRE(
            !cert_verify_hash(c, cert_list_get(list, q.leaf), IKE_AUTH_RSA, SPAN_ARRAY(hash), raw));
    }
    trust_free(t);
    free(list);
}

static void name(struct crypto *c, struct span raw)
{
    uint8_t issuer[1024];
    char text[PEER_TEXT_MAX];
    size_t n;

    cert_name_text(c, raw, text, sizeof(text));
    fuzz_check_text(text, sizeof(text));
    if (cert_issuer(c, raw, issuer, sizeof(issuer), &n)) {
        FUZZ_REQUIRE(n > 0 && n <= sizeof(issuer));
        cert_name_text(c, span_of(issuer, n), text, sizeof(text));
        fuzz_check_text(text, sizeof(text));
    }
}

static void file(struct crypto *c, struct span raw)
{
    struct span word = span_str("open");
    struct credential *cr = credential_new(c);
    struct trust *t = trust_new(c);
    struct cert_list *names = calloc(1, sizeof(*names));

    FUZZ_REQUIRE(cr && t && names);
    (void)credential_add(cr, raw, &word);
    if (credential_finish(cr) == KEYFILE_OK) {
        FUZZ_REQUIRE(credential_chain(cr)->n > 0 && credential_id(cr)->n > 0);
    }
    (void)trust_add(t, raw);
    trust_names(t, names);
    FUZZ_REQUIRE(names->n <= CERTS_MAX);
    free(names);
    trust_free(t);
    credential_free(cr);
}

/* Certificate and issuer, each with its length in front, and what somebody said about the first. */
static void revocation(struct crypto *c, struct span raw, bool list)
{
    struct rd r = rd_of(raw);
    struct revocation_pair p;
    uint8_t request[REVOCATION_REQUEST_MAX];
    char url[REVOCATION_URL_MAX];
    uint16_t n_cert, n_issuer;
    size_t n;

    if (!rd_u16(&r, &n_cert) || !rd_bytes(&r, n_cert, &p.cert) || !rd_u16(&r, &n_issuer) ||
        !rd_bytes(&r, n_issuer, &p.issuer))
        return;
    if (revocation_ocsp_url(c, p.cert, url) || revocation_crl_url(c, p.cert, url))
        FUZZ_REQUIRE(strlen(url) < sizeof(url));
    if (list) {
        (void)revocation_read_crl(c, &p, rd_rest(&r), INT64_C(1795400000));
        return;
    }
    if (revocation_ocsp_request(c, &p, request, &n)) {
        FUZZ_REQUIRE(n <= sizeof(request));
        (void)revocation_read_ocsp(c, &p, span_of(request, n), rd_rest(&r), INT64_C(1795400000));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_of(span_of(data, size));
    struct crypto *c;
    struct mspan raw;
    uint8_t kind;

    if (!rd_u8(&r, &kind))
        return 0;
    c = crypto_new();
    FUZZ_REQUIRE(c);
    raw = fuzz_copy(rd_rest(&r));
    if (kind >= 0xf0)
        revocation(c, span_ro(raw), kind & 1);
    else if (kind % 3 == 0)
        judge(c, span_ro(raw));
    else if (kind % 3 == 1)
        name(c, span_ro(raw));
    else
        file(c, span_ro(raw));
    free(raw.p);
    crypto_free(c);
    return 0;
}
