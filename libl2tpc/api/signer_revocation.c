/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Was the server's certificate revoked? Asked only when all else about it is good, in a thread,
 * with an end: soft waits two seconds and goes on without an answer, hard waits ten and does not.
 */
#include "api/signer_impl.h"
#include "io/env.h"

#include <stdlib.h>

static void settle(struct signer *g, enum revocation_state state, enum revocation_source source)
{
    const struct revocation_verdict verdict = {true, state, source};
    struct failure revoked = cert_failure(CERT_REVOKED, "");
    struct failure unchecked = failure_make(FAILURE_IKE_AUTH_CERT_UNCHECKED);
    const struct failure *f = NULL;

    if (state == REVOCATION_REVOKED)
        f = &revoked;
    else if (state == REVOCATION_UNKNOWN && g->base.config->revocation == REVOCATION_HARD)
        f = &unchecked;
    g->base.verbs->judged(g->base.user, g->judging, f, &verdict);
}

static void on_check(void *user, void *block)
{
    struct signer *g = user;
    struct revocation_job *j = block;

    g->asking = NULL;
    loop_timer_cancel(g->base.loop, &g->timer);
    settle(g, j->state, j->source);
}

/* A look-up of a name may go on for longer than we wait. */
static void on_timeout(void *user, l2tpc_us now)
{
    struct signer *g = user;

    (void)now;
    work_cancel(g->asking);
    g->asking = NULL;
    settle(g, REVOCATION_UNKNOWN, REVOCATION_NONE);
}

/* Somebody can be asked, and the lists of the profile do not say it all. */
static bool is_worth_it(const struct signer *g, const struct revocation_job *j)
{
    struct crypto *c = g->base.crypto;
    char url[REVOCATION_URL_MAX];

    for (unsigned i = 0; i + 1 < j->path.n; i++) {
        struct span cert = cert_list_get(&j->path, i);

        if (!j->in_file[i] &&
            (revocation_ocsp_url(c, cert, url) || revocation_crl_url(c, cert, url)))
            return true;
    }
    return false;
}

static void start(struct signer *g, struct revocation_job *j)
{
    static const struct work_verbs verbs = {revocation_run, on_check, free};
    l2tpc_us now = io_now();
    l2tpc_us wait =
        g->base.config->revocation == REVOCATION_HARD ? REVOCATION_WAIT_HARD : REVOCATION_WAIT_SOFT;

    j->deadline = us_add(now, wait);
    j->ports = g->base.ports;
    j->servers = g->base.servers;
    g->asking = work_start(g->base.loop, &verbs, j, g);
    g->timer.fn = on_timeout;
    g->timer.user = g;
    if (g->asking)
        loop_timer_set(g->base.loop, &g->timer, us_add(now, wait));
    else
        settle(g, REVOCATION_UNKNOWN, REVOCATION_NONE);
}

void revocation_begin(struct signer *g, const struct cert_list *path, uint32_t need)
{
    struct revocation_job *j = calloc(1, sizeof(*j));
    bool all = true;

    revocation_end(g);
    g->judging = need;
    if (!j) {
        settle(g, REVOCATION_UNKNOWN, REVOCATION_NONE);
        return;
    }
    j->path = *path;
    j->wall = runner_wall_seconds();
    for (unsigned i = 0; i + 1 < path->n; i++) {
        j->in_file[i] = revocation_in_file(g->trust, cert_list_get(path, i), j->wall);
        all = all && j->in_file[i];
    }
    if (!all && g->base.config->revocation != REVOCATION_OFF && is_worth_it(g, j)) {
        start(g, j);
        return;
    }
    free(j);
    settle(g, all ? REVOCATION_GOOD : REVOCATION_UNKNOWN, all ? REVOCATION_FILE : REVOCATION_NONE);
}

void revocation_end(struct signer *g)
{
    work_cancel(g->asking);
    g->asking = NULL;
    loop_timer_cancel(g->base.loop, &g->timer);
}
