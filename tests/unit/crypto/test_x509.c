/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which server certificates are taken, and the one verdict that each bad one gets. */
#include "check.h"
#include "x509_fixture.h"

#include <string.h>

struct judged {
    const char *file, *more, *ca, *name;
    enum cert_verdict verdict;
    const char *detail;
};

static enum cert_verdict judge(struct crypto *c, const struct judged *row, int64_t now,
                               bool allow_cn, char detail[CERT_TEXT_MAX])
{
    struct cert_list list = {0};
    struct trust *t = trust_of(c, row->ca);
    struct cert_question q = {.chain = &list, .name = row->name, .allow_cn = allow_cn, .now = now};
    enum cert_verdict v;

    list_file(c, &list, row->file);
    if (row->more)
        list_file(c, &list, row->more);
    v = cert_judge(c, t, &q, detail);
    trust_free(t);
    return v;
}

TEST(x509_verdicts)
{
    static const char vpn[] = "vpn.example.com";
    static const struct judged rows[] = {
        {"server.pem", NULL, "ca.pem", vpn, CERT_GOOD, ""},
        {"server.pem", NULL, "ca.pem", "VPN.Example.com", CERT_GOOD, ""},
        {"server.pem", NULL, "ca.pem", "198.51.100.2", CERT_GOOD, ""},
        {"server.pem", NULL, "ca.pem", "@vpn.example.com", CERT_GOOD, ""},
        {"server.pem", NULL, "ca.pem", NULL, CERT_GOOD, ""},
        {"server-plain.pem", NULL, "ca.pem", vpn, CERT_GOOD, ""},
        {"server-iki.pem", NULL, "ca.pem", vpn, CERT_GOOD, ""},
        {"server-wild.pem", NULL, "ca.pem", vpn, CERT_GOOD, ""},
        {"server-inter.pem", "inter.pem", "ca.pem", vpn, CERT_GOOD, ""},
        {"server-inter.pem", NULL, "inter.pem", vpn, CERT_GOOD, ""},
        {"server.pem", NULL, "server.pem", vpn, CERT_GOOD, ""}, /* pinned itself */
        {"server-inter.pem", NULL, "ca.pem", vpn, CERT_UNTRUSTED, NULL},
        {"server-ca2.pem", NULL, "ca.pem", vpn, CERT_UNTRUSTED, NULL},
        {"server-ca2.pem", "ca2.pem", "ca.pem", vpn, CERT_UNTRUSTED, NULL},
        {"server-by-client.pem", "client.pem", "ca.pem", vpn, CERT_UNTRUSTED, NULL},
        {"server-expired.pem", NULL, "ca.pem", vpn, CERT_EXPIRED, "2021-01-01 00:00 UTC"},
        {"server-future.pem", NULL, "ca.pem", vpn, CERT_NOT_YET_VALID, "2038-01-01 00:00 UTC"},
        {"server.pem", NULL, "ca.pem", "203.0.113.9", CERT_NAME, vpn},
        {"server-other.pem", NULL, "ca.pem", vpn, CERT_NAME, "other.example.com"},
        {"server-wild.pem", NULL, "ca.pem", "a.vpn.example.com", CERT_NAME, "*.example.com"},
        {"server-cn.pem", NULL, "ca.pem", vpn, CERT_NAME, NULL},
        {"server-eku.pem", NULL, "ca.pem", vpn, CERT_USAGE, NULL},
        {"client.pem", NULL, "ca.pem", "client.example.com", CERT_USAGE, NULL},
        {"server-ku.pem", NULL, "ca.pem", vpn, CERT_USAGE, NULL},
        {"server-sha1.pem", NULL, "ca.pem", vpn, CERT_WEAK, NULL},
        {"weak.pem", NULL, "ca.pem", vpn, CERT_WEAK, NULL},
        {"e3.pem", NULL, "ca.pem", vpn, CERT_WEAK, NULL},
    };
    struct crypto *c = crypto_new();

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char detail[CERT_TEXT_MAX];

        CHECK_INT(judge(c, &rows[i], X509_NOW, false, detail), rows[i].verdict);
        if (rows[i].detail)
            CHECK_STR(detail, rows[i].detail);
    }
    crypto_free(c);
}

TEST(x509_common_name_by_opt_in_only)
{
    static const struct judged row = {"server-cn.pem", NULL, "ca.pem", "vpn.example.com", 0, NULL};
    struct crypto *c = crypto_new();
    char detail[CERT_TEXT_MAX];

    CHECK_INT(judge(c, &row, X509_NOW, true, detail), CERT_GOOD);
    crypto_free(c);
}

/* The clock of this computer is off when everything else is outside its time too. */
TEST(x509_clock_diagnosis)
{
    static const struct judged row = {"server.pem", NULL, "ca.pem", "vpn.example.com", 0, NULL};
    static const struct {
        int64_t now;
        enum cert_verdict verdict;
    } rows[] = {
        {INT64_C(1577836800), CERT_GOOD},       /* 2020-01-01, the first second */
        {INT64_C(1577836800) - 299, CERT_GOOD}, /* within the grace */
        {INT64_C(1577836800) - 301, CERT_CLOCK}, {0, CERT_CLOCK},
        {INT64_C(2208988800) + 299, CERT_GOOD}, /* 2040-01-01 */
        {INT64_C(2208988800) + 301, CERT_CLOCK},
    };
    struct crypto *c = crypto_new();

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char detail[CERT_TEXT_MAX];

        CHECK_INT(judge(c, &row, rows[i].now, false, detail), rows[i].verdict);
    }
    crypto_free(c);
}

/* SHA-1 by consent, but nothing weaker with it. */
TEST(x509_sha1_chain_by_consent)
{
    static const struct {
        const char *file;
        enum cert_verdict refused, allowed;
    } rows[] = {
        {"server.pem", CERT_GOOD, CERT_GOOD},
        {"server-sha1.pem", CERT_WEAK, CERT_GOOD},
        {"weak.pem", CERT_WEAK, CERT_WEAK},
        {"e3.pem", CERT_WEAK, CERT_WEAK},
        {"server-ca2.pem", CERT_UNTRUSTED, CERT_UNTRUSTED},
    };
    struct crypto *c = crypto_new();
    struct trust *t = trust_of(c, "ca.pem");

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct cert_list chain = {0}, path;
        struct cert_question q = {.chain = &chain, .now = X509_NOW, .out_path = &path};
        char detail[CERT_TEXT_MAX];

        list_file(c, &chain, rows[i].file);
        CHECK_INT(cert_judge(c, t, &q, detail), rows[i].refused);
        q.allow_sha1 = true;
        CHECK_INT(cert_judge(c, t, &q, detail), rows[i].allowed);
        if (rows[i].allowed == CERT_GOOD)
            CHECK_INT(path.n, 2);
    }
    trust_free(t);
    crypto_free(c);
}

TEST(x509_revoked)
{
    static const char vpn[] = "vpn.example.com";
    struct crypto *c = crypto_new();
    struct trust *t = trust_of(c, "ca.pem");
    struct cert_list bad = {0}, good = {0};
    struct cert_question q = {.chain = &bad, .name = vpn, .now = X509_NOW};
    char detail[CERT_TEXT_MAX];
    struct file f;

    list_file(c, &bad, "server-revoked.pem");
    list_file(c, &good, "server.pem");
    CHECK_INT(cert_judge(c, t, &q, detail), CERT_GOOD); /* nobody told us */
    CHECK_INT(trust_add(t, file_read(&f, "crl.pem")), KEYFILE_OK);
    CHECK_INT(cert_judge(c, t, &q, detail), CERT_REVOKED);
    q.chain = &good;
    CHECK_INT(cert_judge(c, t, &q, detail), CERT_GOOD);
    trust_free(t);
    crypto_free(c);
}

/* RFC 4945 3.1: the identity stands in the certificate. */
TEST(x509_identity_of_the_peer)
{
    struct crypto *c = crypto_new();
    struct trust *t = trust_of(c, "ca.pem");
    struct credential *server = credential_of(c, "server.pem", "server.key");
    struct credential *client = credential_of(c, "client.pem", "client.key");
    const struct cert_id *own = credential_id(server);
    const struct cert_id *other = credential_id(client);
    static const uint8_t addr[] = {10, 0, 0, 1};
    const struct {
        uint8_t type;
        struct span id;
        enum cert_verdict verdict;
    } rows[] = {
        {CERT_ID_DN, span_of(own->bytes, own->n), CERT_GOOD},
        {CERT_ID_DN, span_of(other->bytes, other->n), CERT_ID},
        {CERT_ID_DN, span_of(own->bytes, own->n - 1), CERT_ID},
        {CERT_ID_FQDN, span_str("vpn.example.com"), CERT_GOOD},
        {CERT_ID_USER_FQDN, span_str("vpn.example.com"), CERT_GOOD},
        {CERT_ID_FQDN, span_str("evil.example.com"), CERT_ID},
        {CERT_ID_FQDN, span_of((const uint8_t *)"vpn.example.com\0.evil.com", 25), CERT_ID},
        {CERT_ID_IPV4, SPAN_ARRAY(addr), CERT_GOOD},
        {11, span_str("group"), CERT_ID},
    };
    struct cert_question q = {
        .chain = credential_chain(server), .name = "vpn.example.com", .now = X509_NOW};
    char detail[CERT_TEXT_MAX];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        q.id_type = rows[i].type;
        q.id = rows[i].id;
        CHECK_INT(cert_judge(c, t, &q, detail), rows[i].verdict);
    }
    credential_free(server);
    credential_free(client);
    trust_free(t);
    crypto_free(c);
}

TEST(x509_broken_chains)
{
    struct crypto *c = crypto_new();
    struct trust *t = trust_of(c, "ca.pem");
    struct file f;
    struct span der = file_read(&f, "server.der");
    char detail[CERT_TEXT_MAX];

    for (size_t n = 1; n < der.n; n += 1 + n / 64) {
        struct cert_list list = {0};
        struct cert_question q = {.chain = &list, .now = X509_NOW};

        CHECK(cert_list_add(&list, span_of(der.p, n)));
        CHECK_INT(cert_judge(c, t, &q, detail), CERT_BROKEN);
    }
    trust_free(t);
    crypto_free(c);
}

TEST(x509_list_is_bounded)
{
    struct cert_list list = {0};
    static const uint8_t big[CERTS_BYTES_MAX];

    CHECK(!cert_list_add(&list, SPAN_NONE));
    CHECK(cert_list_add(&list, span_of(big, sizeof(big) - 1)));
    CHECK(!cert_list_add(&list, span_of(big, 2)));
    CHECK(cert_list_add(&list, span_of(big, 1)));
    list = (struct cert_list){0};
    for (unsigned i = 0; i < CERTS_MAX; i++)
        CHECK(cert_list_add(&list, span_of(big, 1)));
    CHECK(!cert_list_add(&list, span_of(big, 1)));
    CHECK_INT(cert_list_get(&list, CERTS_MAX).n, 0);
}

TEST(x509_clinic)
{
    static const struct {
        const char *cert, *key, *ca;
        int64_t now;
        enum clinic_item item;
        enum clinic_state state;
    } rows[] = {
        {"client.pem", "client.key", "ca.pem", X509_NOW, CLINIC_CLOCK, CLINIC_GOOD},
        {"client.pem", "client.key", "ca.pem", X509_NOW, CLINIC_CA, CLINIC_GOOD},
        {"client.pem", "client.key", "ca.pem", X509_NOW, CLINIC_KEY, CLINIC_GOOD},
        {"client.pem", "client.key", "ca.pem", X509_NOW, CLINIC_VALID, CLINIC_GOOD},
        {"client.pem", "client.key", "ca.pem", X509_NOW, CLINIC_USAGE, CLINIC_GOOD},
        {"client.pem", "client.key", "ca.pem", X509_NOW, CLINIC_EXPIRY, CLINIC_GOOD},
        {"client.pem", "client.key", "ca2.pem", X509_NOW, CLINIC_CA, CLINIC_WARNING},
        {"client.pem", NULL, "ca.pem", X509_NOW, CLINIC_KEY, CLINIC_BAD},
        {"client.pem", "client.key", NULL, X509_NOW, CLINIC_CA, CLINIC_BAD},
        {"client.pem", "client.key", "ca.pem", 0, CLINIC_CLOCK, CLINIC_BAD},
        {"client.pem", "client.key", "ca.pem", 0, CLINIC_VALID, CLINIC_BAD},
        {"client-expired.pem", "client.key", "ca.pem", X509_NOW, CLINIC_VALID, CLINIC_BAD},
        {"client.pem", "client.key", "ca.pem", INT64_C(2208988800) - 86400, CLINIC_EXPIRY,
         CLINIC_WARNING},
        {"server.pem", "server.key", "ca.pem", X509_NOW, CLINIC_USAGE, CLINIC_BAD},
    };
    struct crypto *c = crypto_new();

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct credential *cr = credential_new(c);
        struct trust *t = rows[i].ca ? trust_of(c, rows[i].ca) : NULL;
        struct clinic_finding f[CLINIC_ITEMS];
        struct clinic_input in = {.own = cr, .trust = t, .now = rows[i].now};

        CHECK_INT(add_file(cr, rows[i].cert, NULL), KEYFILE_OK);
        if (rows[i].key)
            CHECK_INT(add_file(cr, rows[i].key, NULL), KEYFILE_OK);
        (void)credential_finish(cr);
        clinic_examine(c, &in, f);
        CHECK_INT(f[rows[i].item].state, rows[i].state);
        trust_free(t);
        credential_free(cr);
    }
    crypto_free(c);
}
