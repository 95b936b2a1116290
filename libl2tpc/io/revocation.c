/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/revocation.h"

#include "io/env.h"
#include "io/fetch.h"

#include <stdlib.h>

static enum revocation_state ask_ocsp(const struct revocation_job *j, struct crypto *c,
                                      const struct revocation_pair *p, l2tpc_us deadline)
{
    uint8_t request[REVOCATION_REQUEST_MAX];
    char url[REVOCATION_URL_MAX];
    struct fetch f = {.url = url, .deadline = deadline, .ports = j->ports, .servers = j->servers};
    enum revocation_state s;
    uint8_t *answer;
    size_t n;

    if (!revocation_ocsp_url(c, p->cert, url) || !revocation_ocsp_request(c, p, request, &n))
        return REVOCATION_UNKNOWN;
    f.type = "application/ocsp-request";
    f.body = span_of(request, n);
    if (!fetch_http(&f, &answer, &n))
        return REVOCATION_UNKNOWN;
    s = revocation_read_ocsp(c, p, f.body, span_of(answer, n), j->wall);
    free(answer);
    return s;
}

static enum revocation_state ask_crl(const struct revocation_job *j, struct crypto *c,
                                     const struct revocation_pair *p)
{
    char url[REVOCATION_URL_MAX];
    struct fetch f = {
        .url = url, .deadline = j->deadline, .ports = j->ports, .servers = j->servers};
    enum revocation_state s;
    uint8_t *answer;
    size_t n;

    if (!revocation_crl_url(c, p->cert, url) || !fetch_http(&f, &answer, &n))
        return REVOCATION_UNKNOWN;
    s = revocation_read_crl(c, p, span_of(answer, n), j->wall);
    free(answer);
    return s;
}

static enum revocation_state check_one(const struct revocation_job *j, struct crypto *c, unsigned i,
                                       enum revocation_source *source)
{
    const struct revocation_pair p = {cert_list_get(&j->path, i), cert_list_get(&j->path, i + 1)};
    char url[REVOCATION_URL_MAX];
    l2tpc_us now = io_now();
    l2tpc_us half = j->deadline > now ? now + (j->deadline - now) / 2 : now;
    enum revocation_state s;

    *source = REVOCATION_FILE;
    if (j->in_file[i])
        return REVOCATION_GOOD;
    *source = REVOCATION_OCSP;
    s = ask_ocsp(j, c, &p, revocation_crl_url(c, p.cert, url) ? half : j->deadline);
    if (s != REVOCATION_UNKNOWN)
        return s;
    *source = REVOCATION_CRL;
    s = ask_crl(j, c, &p);
    if (s == REVOCATION_UNKNOWN)
        *source = REVOCATION_NONE;
    return s;
}

/* The trust anchor, the last of the path, answers for itself. */
void revocation_run(void *job)
{
    struct revocation_job *j = job;
    struct crypto *c = crypto_new(); /* the session's may be gone before this thread is */
    bool all = c != NULL;

    for (unsigned i = 0; c && i + 1 < j->path.n && j->state != REVOCATION_REVOKED; i++) {
        enum revocation_source source;
        enum revocation_state s = check_one(j, c, i, &source);

        if (i == 0 || s == REVOCATION_REVOKED)
            j->source = source;
        all = all && s == REVOCATION_GOOD;
        if (s == REVOCATION_REVOKED)
            j->state = s;
    }
    if (all && j->state != REVOCATION_REVOKED)
        j->state = REVOCATION_GOOD;
    crypto_free(c);
}
