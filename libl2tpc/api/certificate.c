/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The certificate clinic and requests to a CA: what needs no session. */
#include "api/internal.h"
#include "api/sized.h"
#include "base/secret.h"
#include "doctor/catalogue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_(s) s

/* ---- blobs ---- */

bool blob_set(struct blob *b, const struct vault *vault, const void *bytes, size_t n)
{
    uint8_t *copy = vault_take(vault, n);

    if (!copy)
        return false;
    memcpy(copy, bytes, n);
    blob_clear(b);
    *b = (struct blob){n, copy, vault};
    return true;
}

void blob_clear(struct blob *b)
{
    vault_give(b->vault, b->bytes, b->n);
    *b = (struct blob){0};
}

struct span blob_span(const struct blob *b)
{
    return span_of(b->bytes, b->n);
}

/* ---- the clinic ---- */

struct words {
    const char *sentence, *hint;
};

static const char *const codes[CLINIC_ITEMS] = {
    [CLINIC_CLOCK] = "clock",   [CLINIC_CA] = "ca",       [CLINIC_KEY] = "key",
    [CLINIC_VALID] = "valid",   [CLINIC_USAGE] = "usage", [CLINIC_EXPIRY] = "expiry",
    [CLINIC_SERVER] = "server",
};

/* GOOD, WARNING, BAD, UNKNOWN of each item. */
static const struct words words[CLINIC_ITEMS][4] = {
    [CLINIC_CLOCK] = {{N_("This computer's date and time fit the certificates."), ""},
                      {N_("All certificates have expired: either they are old or this computer's "
                          "clock is wrong."),
                       N_("Check the date and time of this computer.")},
                      {N_("This computer's clock is wrong: a certificate begins only at {value}."),
                       N_("Set the date and time of this computer.")},
                      {N_("Nothing to hold this computer's clock against."), ""}},
    [CLINIC_CA] =
        {{N_("The CA certificate is there: {value}."), ""},
         {N_("Your certificate is not signed by the CA of this profile: {value}."),
          N_("That is fine when your organisation has one CA for servers and another for users; "
             "otherwise take the other CA file.")},
         {N_("There is no CA certificate, so that nobody can vouch for the server."),
          N_("Get the CA certificate from your administrator and name it with --ca.")},
         {"", ""}},
    [CLINIC_KEY] =
        {{N_("Your certificate has its private key: {value}."), ""},
         {"", ""},
         {N_("Your certificate has no private key that fits and opens."),
          N_("Name the key with --key, or take the PKCS#12 file with both; check its passphrase.")},
         {N_("There is no personal certificate."),
          N_("Ask your CA for one: l2tpc certificate request")}},
    [CLINIC_VALID] =
        {{N_("Your certificate is valid until {value}."), ""},
         {"", ""},
         {N_("Your certificate is not valid now; its limit is {value}."),
          N_("Check the date and time of this computer; then ask your CA for a new certificate.")},
         {N_("The dates of your certificate were not looked at."), ""}},
    [CLINIC_USAGE] = {{N_("Your certificate may be used for IPsec."), ""},
                      {"", ""},
                      {N_("Your certificate was made for something else."),
                       N_("Ask your CA for one with the extended key usage clientAuth.")},
                      {N_("The usage of your certificate was not looked at."), ""}},
    [CLINIC_EXPIRY] = {{N_("Your certificate does not expire soon."), ""},
                       {N_("Your certificate expires soon, at {value}."),
                        N_("Ask your CA for a new one: l2tpc certificate request")},
                       {"", ""},
                       {N_("It was not looked at how long your certificate lasts."), ""}},
    [CLINIC_SERVER] = {{N_("The server's certificate would be accepted."), ""},
                       {"", ""},
                       {N_("The server's certificate would be refused: {value}."),
                        N_("See what that code means: l2tpc explain CODE")},
                       {N_("The server's certificate was not given."), ""}},
};

struct clinic {
    struct crypto *c;
    struct credential *own, *server;
    struct trust *trust;
    struct token *token;
    enum token_result token_result;
};

static bool clinic_open(struct clinic *k)
{
    k->c = crypto_new();
    k->own = k->c ? credential_new(k->c) : NULL;
    k->server = k->c ? credential_new(k->c) : NULL;
    k->trust = k->c ? trust_new(k->c) : NULL;
    return k->own && k->server && k->trust;
}

static void clinic_close(struct clinic *k)
{
    credential_free(k->own);
    credential_free(k->server);
    trust_free(k->trust);
    token_close(k->token);
    crypto_free(k->c);
}

static enum keyfile_result add(struct credential *cr, const void *bytes, size_t n,
                               const struct span *passphrase)
{
    return bytes ? credential_add(cr, span_of(bytes, n), passphrase) : KEYFILE_OK;
}

/* Whether the key is there and fits shows when it signs something. */
static bool key_signs(struct clinic *k)
{
    static const uint8_t hash[32] = {1};
    uint8_t signature[SIGN_MAX];
    size_t n;

    k->token_result =
        token_sign(k->token, credential_auth(k->own), SPAN_ARRAY(hash), signature, &n);
    return k->token_result == TOKEN_OK &&
           credential_signed(k->own, SPAN_ARRAY(hash), span_of(signature, n));
}

static void load_token(struct clinic *k, const l2tpc_certificate_check *q, const struct span *pin)
{
    struct token_wish wish = token_wish_of(q->certificate_uri, q->key_uri);
    char label[TOKEN_LABEL_MAX];
    struct span der = SPAN_NONE;
    enum keyfile_result r = KEYFILE_NO_KEY;

    k->token = token_open(&wish, pin, &k->token_result, label);
    if (k->token)
        der = token_certificate(k->token);
    if (der.n > 0)
        r = credential_add(k->own, der, NULL);
    else if (k->token)
        r = add(k->own, q->certificate, q->certificate_len, NULL);
    if (r == KEYFILE_OK)
        r = credential_finish_elsewhere(k->own);
    if (r == KEYFILE_OK && key_signs(k))
        return;
    /* What cannot sign is as good as none. */
    credential_free(k->own);
    k->own = credential_new(k->c);
}

static void load_files(struct clinic *k, const l2tpc_certificate_check *q,
                       const struct span *passphrase)
{
    if (add(k->own, q->certificate, q->certificate_len, passphrase) == KEYFILE_OK &&
        add(k->own, q->key, q->key_len, passphrase) == KEYFILE_OK)
        (void)credential_finish(k->own);
}

static void load(struct clinic *k, const l2tpc_certificate_check *q, struct clinic_input *in)
{
    struct span word = span_of(q->passphrase, q->passphrase_len);
    const struct span *given = q->passphrase ? &word : NULL;

    if (q->certificate_uri || q->key_uri)
        load_token(k, q, given);
    else
        load_files(k, q, given);
    in->own = q->certificate || q->certificate_uri ? k->own : NULL;
    if (q->ca && trust_add(k->trust, span_of(q->ca, q->ca_len)) == KEYFILE_OK)
        in->trust = k->trust;
    if (q->server_certificate &&
        add(k->server, q->server_certificate, q->server_certificate_len, NULL) == KEYFILE_OK)
        in->server = k->server;
    in->name = q->server;
    in->now = q->now ? q->now : runner_wall_seconds();
}

/* Of the server's certificate the code that a dial would end with goes in front. */
static void write_value(l2tpc_check *out, enum clinic_item item, const struct clinic_finding *f)
{
    if (item == CLINIC_SERVER && f->state == CLINIC_BAD)
        (void)snprintf(out->value, sizeof(out->value), "%s%s%.80s",
                       failure_code(cert_failure(f->verdict, "").id), f->value[0] ? ": " : "",
                       f->value);
    else
        (void)snprintf(out->value, sizeof(out->value), "%s", f->value);
}

static bool uri_ok(const char *uri)
{
    return !uri || token_uri_ok(uri);
}

/* What is wrong with the token has its own sentence. */
static void say_token(const struct clinic *k, const l2tpc_certificate_check *q, l2tpc_check *out)
{
    const char *uri = q->key_uri ? q->key_uri : q->certificate_uri;
    struct failure f = token_failure(k->token_result, uri);

    out->state = L2TPC_CHECK_BAD;
    out->sentence = catalogue_of(f.id)->sentence;
    out->hint = catalogue_of(f.id)->hint;
    (void)snprintf(out->value, sizeof(out->value), "%.127s", f.value);
}

int l2tpc_certificate_examine(const l2tpc_certificate_check *q, l2tpc_check *out, size_t max)
{
    struct clinic k = {0};
    struct clinic_input in = {0};
    struct clinic_finding f[CLINIC_ITEMS];
    l2tpc_certificate_check given;

    if (!q || !sized_read(&given, sizeof(given), q) || given.passphrase_len > SECRET_MAX ||
        !uri_ok(given.certificate_uri) || !uri_ok(given.key_uri) ||
        (max > 0 && (!out || out->size != sizeof(*out))))
        return L2TPC_EINVAL;
    if (!clinic_open(&k)) {
        clinic_close(&k);
        return L2TPC_ENOMEM;
    }
    load(&k, &given, &in);
    clinic_examine(k.c, &in, f);
    for (size_t i = 0; i < CLINIC_ITEMS && i < max; i++) {
        const struct words *w = &words[i][f[i].state];

        out[i] = (l2tpc_check){.size = sizeof(*out),
                               .code = codes[i],
                               .state = (int)f[i].state,
                               .sentence = w->sentence,
                               .hint = w->hint};
        write_value(&out[i], (enum clinic_item)i, &f[i]);
        if (i == CLINIC_KEY && k.token_result != TOKEN_OK)
            say_token(&k, &given, &out[i]);
    }
    clinic_close(&k);
    return CLINIC_ITEMS;
}

/* ---- requests ---- */

static enum ike_auth auth_named(const char *name)
{
    static const struct {
        const char *name;
        enum ike_auth auth;
    } rows[] = {{"rsa", IKE_AUTH_RSA},
                {"ecdsa256", IKE_AUTH_ECDSA_256},
                {"ecdsa384", IKE_AUTH_ECDSA_384},
                {"ecdsa521", IKE_AUTH_ECDSA_521}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strcmp(rows[i].name, name ? name : "rsa") == 0)
            return rows[i].auth;
    return IKE_AUTH_DEFAULT;
}

int l2tpc_certificate_request_new(const l2tpc_certificate_request *q, char **out_key,
                                  char **out_csr)
{
    struct cert_request r;
    struct span word;
    struct crypto *c;
    size_t n_key;
    size_t n_csr;
    bool ok;
    l2tpc_certificate_request given;

    if (!q || !sized_read(&given, sizeof(given), q) || !out_key || !out_csr || !given.common_name)
        return L2TPC_EINVAL;
    q = &given;
    r = (struct cert_request){q->common_name, q->name, auth_named(q->algorithm)};
    if (r.auth == IKE_AUTH_DEFAULT)
        return L2TPC_EINVAL;
    word = span_of(q->passphrase, q->passphrase_len);
    c = crypto_new();
    if (!c)
        return L2TPC_ENOMEM;
    ok = cert_request_make(c, &r, q->passphrase ? &word : NULL, out_key, &n_key, out_csr, &n_csr);
    crypto_free(c);
    return ok ? L2TPC_OK : L2TPC_EINVAL;
}

void l2tpc_secret_free(char *text)
{
    wipe_free(text, text ? strlen(text) : 0);
}
