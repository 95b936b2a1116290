/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates and signatures as they broke others (hostile.md C16, C19). */
#include "check.h"
#include "x509_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static enum cert_verdict judge(struct crypto *c, struct trust *t, struct span der)
{
    struct cert_list list = {0};
    struct cert_question q = {.chain = &list, .name = "vpn.example.com", .now = X509_NOW};
    char detail[CERT_TEXT_MAX];

    return cert_list_add(&list, der) ? cert_judge(c, t, &q, detail) : CERT_BROKEN;
}

/* One bit off, anywhere: never good again. */
TEST(c19_no_changed_certificate_is_good)
{
    struct crypto *c = crypto_new();
    struct trust *t = trust_of(c, "ca.pem");
    struct file f;
    struct span der = file_read(&f, "server.der");

    CHECK_INT(judge(c, t, der), CERT_GOOD);
    for (size_t bit = 0; bit < der.n * 8; bit += 3 * check_step()) {
        f.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (judge(c, t, der) == CERT_GOOD)
            check_fail(__FILE__, __LINE__, "bit %zu of byte %zu", bit % 8, bit / 8);
        f.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CHECK_INT(judge(c, t, der), CERT_GOOD);
    trust_free(t);
    crypto_free(c);
}

/* Names are compared as DER: the same letters as another kind of string are another name. */
TEST(c19_names_are_compared_as_der)
{
    struct crypto *c = crypto_new();
    struct trust *t = trust_of(c, "ca.pem");
    struct credential *server = credential_of(c, "server.pem", "server.key");
    const struct cert_id *own = credential_id(server);
    uint8_t other[CERT_ID_MAX];
    struct cert_question q = {.chain = credential_chain(server),
                              .name = "vpn.example.com",
                              .now = X509_NOW,
                              .id_type = CERT_ID_DN,
                              .id = span_of(other, own->n)};
    char detail[CERT_TEXT_MAX];
    unsigned strings = 0;

    memcpy(other, own->bytes, own->n);
    CHECK_INT(cert_judge(c, t, &q, detail), CERT_GOOD);
    for (size_t i = 0; i < own->n; i++) {
        if (other[i] != 0x0c) /* UTF8String */
            continue;
        other[i] = 0x13; /* PrintableString */
        CHECK_INT(cert_judge(c, t, &q, detail), CERT_ID);
        other[i] = 0x0c;
        strings++;
    }
    CHECK(strings > 0);
    for (size_t i = 0; i < own->n; i++) {
        other[i] ^= 0x20; /* the other case of a letter, and every other byte */
        CHECK_INT(cert_judge(c, t, &q, detail), CERT_ID);
        other[i] ^= 0x20;
    }
    credential_free(server);
    trust_free(t);
    crypto_free(c);
}

/* ---- addresses in a certificate that nobody vouches for ---- */
static int listen_at(uint16_t *port)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(sin);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&sin, sizeof(sin)) != 0 || listen(fd, 8) != 0 ||
        getsockname(fd, (struct sockaddr *)&sin, &n) != 0)
        abort();
    *port = ntohs(sin.sin_port);
    return fd;
}

/* The port stands in front of `path`. */
static void add_extension(X509 *cert, int nid, const char *what, uint16_t port, const char *path)
{
    char value[128];
    X509_EXTENSION *e;

    (void)snprintf(value, sizeof(value), "%sURI:http://127.0.0.1:%u%s", what, port, path);
    e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    if (!e || X509_add_ext(cert, e, -1) != 1)
        abort();
    X509_EXTENSION_free(e);
}

/* Signed by itself; addresses for OCSP, its issuer and a revocation list when there is a port. */
static size_t own_certificate(EVP_PKEY *key, uint16_t port, uint8_t *out)
{
    X509 *cert = X509_new();
    X509_NAME *name = cert ? X509_get_subject_name(cert) : NULL;
    int n;

    if (!key || !cert || X509_set_version(cert, 2) != 1 ||
        ASN1_INTEGER_set(X509_get_serialNumber(cert), 7) != 1 ||
        !X509_time_adj_ex(X509_getm_notBefore(cert), 0, 0, &(time_t){X509_NOW - 86400}) ||
        !X509_time_adj_ex(X509_getm_notAfter(cert), 0, 0, &(time_t){X509_NOW + 86400}) ||
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"vpn.example.com", -1,
                                   -1, 0) != 1 ||
        X509_set_issuer_name(cert, name) != 1 || X509_set_pubkey(cert, key) != 1)
        abort();
    if (port) {
        add_extension(cert, NID_info_access, "OCSP;", port, "/ocsp");
        add_extension(cert, NID_crl_distribution_points, "", port, "/crl");
        add_extension(cert, NID_subject_alt_name, "DNS:vpn.example.com,", port, "/");
    }
    if (X509_sign(cert, key, EVP_sha256()) <= 0 || (n = i2d_X509(cert, &out)) <= 0)
        abort();
    X509_free(cert);
    return (size_t)n;
}

TEST(c19_nothing_is_fetched_for_an_untrusted_chain)
{
    struct crypto *c = crypto_new();
    struct trust *t = trust_of(c, "ca.pem");
    uint8_t der[4096];
    uint16_t port;
    int fd = listen_at(&port);
    struct pollfd asked = {.fd = fd, .events = POLLIN};
    EVP_PKEY *key = EVP_EC_gen("P-256");
    size_t n = own_certificate(key, port, der);

    CHECK(n < sizeof(der));
    for (unsigned i = 0; i < 20; i++)
        CHECK_INT(judge(c, t, span_of(der, n)), CERT_UNTRUSTED);
    CHECK_INT(poll(&asked, 1, 50), 0);
    close(fd);
    EVP_PKEY_free(key);
    trust_free(t);
    crypto_free(c);
}

/* ---- keys with which forging is easy ---- */
static EVP_PKEY *rsa_key(int bits, unsigned long e)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;
    BIGNUM *exponent = BN_new();

    if (!ctx || !exponent || BN_set_word(exponent, e) != 1 || EVP_PKEY_keygen_init(ctx) != 1 ||
        EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits) != 1 ||
        EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, exponent) != 1 ||
        EVP_PKEY_generate(ctx, &key) != 1)
        abort();
    BN_free(exponent);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

/* The right block, rightly signed: it is the key that does not count. */
TEST(c16_right_signatures_of_weak_keys)
{
    static const struct {
        int bits;
        unsigned long e;
        bool counts;
    } rows[] = {{2048, 65537, true}, {2048, 3, false}, {2048, 257, false}, {1024, 65537, false}};
    struct crypto *c;

    if (check_step() > 1)
        SKIP("making keys takes memcheck a minute");
    c = crypto_new();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        EVP_PKEY *key = rsa_key(rows[i].bits, rows[i].e);
        size_t size = (size_t)EVP_PKEY_get_size(key);
        uint8_t der[4096], block[256], sig[256], hash[32] = {7, 7, 7};
        size_t n_der = own_certificate(key, 0, der), n = size;
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);

        memset(block, 0xff, size);
        block[0] = 0;
        block[1] = 1;
        block[size - 33] = 0;
        memcpy(block + size - 32, hash, 32);
        CHECK(EVP_PKEY_sign_init(ctx) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1 &&
              EVP_PKEY_sign(ctx, sig, &n, block, size) == 1);
        CHECK_INT(cert_verify_hash(c, span_of(der, n_der), IKE_AUTH_RSA, SPAN_ARRAY(hash),
                                   span_of(sig, n)),
                  rows[i].counts);
        EVP_PKEY_CTX_free(ctx);
        EVP_PKEY_free(key);
    }
    crypto_free(c);
}
