/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The certificate clinic: looks at what a profile has before anything is dialed. */
#include "crypto/x509_private.h"

#include <openssl/x509v3.h>
#include <stdio.h>

static void say_until(struct clinic_finding *f, X509 *cert)
{
    cert_time_text(X509_get0_notAfter(cert), f->value, sizeof(f->value));
}

static void set(struct clinic_finding *f, enum clinic_state state, enum cert_verdict verdict)
{
    f->state = state;
    f->verdict = verdict;
}

/* Without a second clock: a date at which no certificate that we have was made yet is wrong. */
static void examine_clock(const struct clinic_input *in, struct clinic_finding *f)
{
    X509 *first = NULL;
    int late = 0;
    int n = 0;
    const struct key_bag *bags[] = {in->own ? &in->own->bag : NULL,
                                    in->trust ? &in->trust->bag : NULL,
                                    in->server ? &in->server->bag : NULL};

    for (size_t b = 0; b < ARRAY_LEN(bags); b++) {
        for (int i = 0; bags[b] && i < sk_X509_num(bags[b]->certs); i++) {
            X509 *cert = sk_X509_value(bags[b]->certs, i);
            int side = cert_time_place(cert, in->now);

            n++;
            late += side > 0;
            if (side < 0 && !first)
                first = cert;
        }
    }
    set(f, n > 0 ? CLINIC_GOOD : CLINIC_UNKNOWN, CERT_GOOD);
    if (first) {
        set(f, CLINIC_BAD, CERT_CLOCK);
        cert_time_text(X509_get0_notBefore(first), f->value, sizeof(f->value));
    } else if (n > 1 && late == n) {
        set(f, CLINIC_WARNING, CERT_CLOCK);
    }
}

static void examine_ca(struct crypto *c, const struct clinic_input *in, struct clinic_finding *f)
{
    struct cert_question q = {.now = in->now};
    enum cert_verdict v;

    if (!in->trust || trust_count(in->trust) == 0) {
        set(f, CLINIC_BAD, CERT_UNTRUSTED);
        return;
    }
    set(f, CLINIC_GOOD, CERT_GOOD);
    cert_subject_text(sk_X509_value(in->trust->bag.certs, 0), f->value, sizeof(f->value));
    if (!in->own || !in->own->leaf)
        return;
    /* Most sites have one CA for both sides; another one for us is unusual, not wrong. */
    q.chain = &in->own->chain;
    v = cert_judge(c, in->trust, &q, f->value);
    if (v == CERT_UNTRUSTED)
        set(f, CLINIC_WARNING, v);
    else
        cert_subject_text(sk_X509_value(in->trust->bag.certs, 0), f->value, sizeof(f->value));
}

static void examine_own(const struct clinic_input *in, struct clinic_finding out[CLINIC_ITEMS])
{
    X509 *leaf = in->own ? in->own->leaf : NULL;
    int side;

    if (!in->own)
        return;
    if (!leaf) {
        set(&out[CLINIC_KEY], CLINIC_BAD, CERT_BROKEN);
        return;
    }
    set(&out[CLINIC_KEY], CLINIC_GOOD, CERT_GOOD);
    cert_subject_text(leaf, out[CLINIC_KEY].value, sizeof(out[CLINIC_KEY].value));
    side = cert_time_place(leaf, in->now);
    set(&out[CLINIC_VALID], side == 0 ? CLINIC_GOOD : CLINIC_BAD,
        side < 0   ? CERT_NOT_YET_VALID
        : side > 0 ? CERT_EXPIRED
                   : CERT_GOOD);
    if (side < 0)
        cert_time_text(X509_get0_notBefore(leaf), out[CLINIC_VALID].value,
                       sizeof(out[CLINIC_VALID].value));
    else
        say_until(&out[CLINIC_VALID], leaf);
    set(&out[CLINIC_USAGE], cert_usage_fits_client(leaf) ? CLINIC_GOOD : CLINIC_BAD, CERT_USAGE);
    if (side == 0) {
        bool soon = cert_time_place(leaf, in->now + CLINIC_SOON_S) != 0;

        set(&out[CLINIC_EXPIRY], soon ? CLINIC_WARNING : CLINIC_GOOD, CERT_EXPIRED);
        say_until(&out[CLINIC_EXPIRY], leaf);
    }
}

static void examine_server(struct crypto *c, const struct clinic_input *in,
                           struct clinic_finding *f)
{
    struct cert_list list = {0};
    struct cert_question q = {.chain = &list, .name = in->name, .now = in->now, .own = in->own};
    bool ok = in->server != NULL;

    if (!in->server)
        return;
    for (int i = 0; ok && i < sk_X509_num(in->server->bag.certs); i++) {
        unsigned char *der = NULL;
        int n = i2d_X509(sk_X509_value(in->server->bag.certs, i), &der);

        ok = n > 0 && cert_list_add(&list, span_of(der, (size_t)n));
        OPENSSL_free(der);
    }
    f->verdict = CERT_BROKEN;
    if (ok && list.n > 0 && in->trust)
        f->verdict = cert_judge(c, in->trust, &q, f->value);
    f->state = f->verdict == CERT_GOOD ? CLINIC_GOOD : CLINIC_BAD;
}

void clinic_examine(struct crypto *c, const struct clinic_input *in,
                    struct clinic_finding out[CLINIC_ITEMS])
{
    for (unsigned i = 0; i < CLINIC_ITEMS; i++)
        out[i] = (struct clinic_finding){.state = CLINIC_UNKNOWN};
    errors_mark();
    examine_clock(in, &out[CLINIC_CLOCK]);
    examine_ca(c, in, &out[CLINIC_CA]);
    examine_own(in, out);
    examine_server(c, in, &out[CLINIC_SERVER]);
    errors_drop();
}
