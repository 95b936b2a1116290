/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers of a CA about its certificates: who may give them, for whom, and when. */
#include "check.h"
#include "x509_fixture.h"

#include "crypto/x509_revocation.h"

#include <string.h>

#define ANSWERED_AT INT64_C(1795400000) /* the day after the answers were made */

struct bench {
    struct crypto *c;
    struct cert_list certs; /* uri, uri-revoked, uri-crl, the CA, another one of its certificates */
};

static const char *const names[] = {"uri.pem", "uri-revoked.pem", "uri-crl.pem", "ca.pem",
                                    "server.pem"};

static struct bench *open_bench(void)
{
    struct bench *b = calloc(1, sizeof(*b));

    if (!b)
        abort();
    b->c = crypto_new();
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        list_file(b->c, &b->certs, names[i]);
    return b;
}

static void close_bench(struct bench *b)
{
    crypto_free(b->c);
    free(b);
}

static struct revocation_pair pair(const struct bench *b, unsigned cert)
{
    return (struct revocation_pair){cert_list_get(&b->certs, cert), cert_list_get(&b->certs, 3)};
}

TEST(revocation_uris)
{
    struct bench *b = open_bench();
    char url[REVOCATION_URL_MAX];

    CHECK(revocation_ocsp_url(b->c, cert_list_get(&b->certs, 0), url));
    CHECK_STR(url, "http://10.77.1.1:8080/ocsp");
    CHECK(revocation_crl_url(b->c, cert_list_get(&b->certs, 0), url)); /* behind one with ldap */
    CHECK_STR(url, "http://10.77.1.1:8080/ca.crl");
    CHECK(!revocation_ocsp_url(b->c, cert_list_get(&b->certs, 2), url));
    CHECK(revocation_crl_url(b->c, cert_list_get(&b->certs, 2), url));
    CHECK(!revocation_ocsp_url(b->c, cert_list_get(&b->certs, 4), url));
    CHECK(!revocation_crl_url(b->c, cert_list_get(&b->certs, 4), url));
    CHECK(!revocation_crl_url(b->c, span_str("none"), url));
    close_bench(b);
}

TEST(revocation_ocsp_answers)
{
    static const struct {
        const char *file;
        unsigned cert;
        int64_t now;
        enum revocation_state want;
    } rows[] = {
        {"ocsp-good.der", 0, ANSWERED_AT, REVOCATION_GOOD},
        {"ocsp-delegated.der", 0, ANSWERED_AT, REVOCATION_GOOD},
        {"ocsp-delegated.der", 0, INT64_C(2300000000), REVOCATION_UNKNOWN}, /* who has expired */
        {"ocsp-good.der", 0, INT64_C(2300000000), REVOCATION_GOOD},
        {"ocsp-revoked.der", 1, ANSWERED_AT, REVOCATION_REVOKED},
        {"ocsp-stranger.der", 0, ANSWERED_AT, REVOCATION_UNKNOWN},     /* a client of the same CA */
        {"ocsp-good.der", 1, ANSWERED_AT, REVOCATION_UNKNOWN},         /* about another one */
        {"ocsp-good.der", 0, X509_NOW, REVOCATION_UNKNOWN},            /* not yet */
        {"ocsp-good.der", 0, INT64_C(5000000000), REVOCATION_UNKNOWN}, /* no longer */
        {"ca.pem", 0, ANSWERED_AT, REVOCATION_UNKNOWN},
    };
    struct bench *b = open_bench();

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct revocation_pair p = pair(b, rows[i].cert);
        uint8_t request[REVOCATION_REQUEST_MAX];
        struct file f;
        size_t n;

        CHECK(revocation_ocsp_request(b->c, &p, request, &n));
        CHECK_INT(revocation_read_ocsp(b->c, &p, span_of(request, n), file_read(&f, rows[i].file),
                                       rows[i].now),
                  rows[i].want);
    }
    close_bench(b);
}

/* Whatever is changed in a signed answer, it does not become another one that counts. */
TEST(revocation_damaged_answers)
{
    struct bench *b = open_bench();
    struct revocation_pair p = pair(b, 1);
    uint8_t request[REVOCATION_REQUEST_MAX];
    struct file f;
    struct span answer = file_read(&f, "ocsp-revoked.der");
    size_t n;

    CHECK(revocation_ocsp_request(b->c, &p, request, &n));
    for (size_t i = 0; i < answer.n; i += 3) {
        f.bytes[i] ^= 0x11;
        CHECK(revocation_read_ocsp(b->c, &p, span_of(request, n), answer, ANSWERED_AT) !=
              REVOCATION_GOOD);
        CHECK(revocation_read_ocsp(b->c, &p, span_of(request, n), span_of(answer.p, i),
                                   ANSWERED_AT) == REVOCATION_UNKNOWN);
        f.bytes[i] ^= 0x11;
    }
    close_bench(b);
}

TEST(revocation_lists)
{
    static const struct {
        const char *file;
        unsigned cert;
        int64_t now;
        enum revocation_state want;
    } rows[] = {
        {"uri.crl", 0, ANSWERED_AT, REVOCATION_GOOD},
        {"uri.crl", 1, ANSWERED_AT, REVOCATION_REVOKED},
        {"uri.crl", 0, X509_NOW, REVOCATION_UNKNOWN},
        {"uri.crl", 0, INT64_C(5000000000), REVOCATION_UNKNOWN},
        {"ocsp-good.der", 0, ANSWERED_AT, REVOCATION_UNKNOWN},
    };
    struct bench *b = open_bench();

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct revocation_pair p = pair(b, rows[i].cert);
        struct file f;
        struct span list = file_read(&f, rows[i].file);

        CHECK_INT(revocation_read_crl(b->c, &p, list, rows[i].now), rows[i].want);
        p.issuer = cert_list_get(&b->certs, 4); /* of another issuer */
        CHECK_INT(revocation_read_crl(b->c, &p, list, rows[i].now), REVOCATION_UNKNOWN);
        f.bytes[list.n - 1] ^= 1; /* the signature */
        p.issuer = cert_list_get(&b->certs, 3);
        CHECK_INT(revocation_read_crl(b->c, &p, list, rows[i].now), REVOCATION_UNKNOWN);
    }
    close_bench(b);
}

TEST(revocation_list_in_the_file)
{
    struct bench *b = open_bench();
    struct trust *t = trust_of(b->c, "ca.pem");
    struct file f;

    CHECK(!revocation_in_file(t, cert_list_get(&b->certs, 0), ANSWERED_AT));
    CHECK_INT(trust_add(t, file_read(&f, "uri.crl")), KEYFILE_OK);
    CHECK(revocation_in_file(t, cert_list_get(&b->certs, 0), ANSWERED_AT));
    CHECK(!revocation_in_file(t, cert_list_get(&b->certs, 0), INT64_C(5000000000)));
    trust_free(t);
    close_bench(b);
}
