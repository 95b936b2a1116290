/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Was the server's certificate revoked? Asked only when all else about it is good, in a thread,
 * with an end: soft waits two seconds and goes on without an answer, hard waits ten and does not.
 */
#include "api/internal.h"
#include "io/env.h"

#include <stdlib.h>

static void settle(l2tpc_session *s, enum revocation_state state, enum revocation_source source,
                   l2tpc_us now)
{
    struct failure revoked = cert_failure(CERT_REVOKED, "");
    struct failure unchecked = failure_make(FAILURE_IKE_AUTH_CERT_UNCHECKED);
    const struct failure *f = NULL;

    s->revocation.known = true;
    s->revocation.state = state;
    s->revocation.source = source;
    if (state == REVOCATION_REVOKED)
        f = &revoked;
    else if (state == REVOCATION_UNKNOWN && s->config.revocation == REVOCATION_HARD)
        f = &unchecked;
    runner_answer_done(s->runner, s->revocation.need, f, now);
}

static void on_check(void *user, void *block)
{
    l2tpc_session *s = user;
    struct revocation_job *j = block;

    s->revocation.work = NULL;
    loop_timer_cancel(s->context->loop, &s->revocation.timer);
    if (!s->down)
        settle(s, j->state, j->source, io_now());
}

/* A look-up of a name may go on for longer than we wait. */
static void on_timeout(void *user, l2tpc_us now)
{
    l2tpc_session *s = user;

    work_cancel(s->revocation.work);
    s->revocation.work = NULL;
    if (!s->down)
        settle(s, REVOCATION_UNKNOWN, REVOCATION_NONE, now);
}

/* Somebody can be asked, and the lists of the profile do not say it all. */
static bool is_worth_it(const l2tpc_session *s, const struct revocation_job *j)
{
    struct crypto *c = s->context->crypto;
    char url[REVOCATION_URL_MAX];

    for (unsigned i = 0; i + 1 < j->path.n; i++) {
        struct span cert = cert_list_get(&j->path, i);

        if (!j->in_file[i] &&
            (revocation_ocsp_url(c, cert, url) || revocation_crl_url(c, cert, url)))
            return true;
    }
    return false;
}

static void start(l2tpc_session *s, struct revocation_job *j, l2tpc_us now)
{
    static const struct work_verbs verbs = {revocation_run, on_check, free};
    l2tpc_us wait =
        s->config.revocation == REVOCATION_HARD ? REVOCATION_WAIT_HARD : REVOCATION_WAIT_SOFT;

    j->deadline = us_add(now, wait);
    j->ports = s->context->ports;
    work_cancel(s->revocation.work);
    s->revocation.work = work_start(s->context->loop, &verbs, j, s);
    s->revocation.timer.fn = on_timeout;
    s->revocation.timer.user = s;
    if (s->revocation.work)
        loop_timer_set(s->context->loop, &s->revocation.timer, us_add(now, wait));
    else
        settle(s, REVOCATION_UNKNOWN, REVOCATION_NONE, now);
}

void revocation_begin(l2tpc_session *s, const struct trust *trust, const struct cert_list *path,
                      uint32_t need, l2tpc_us now)
{
    struct revocation_job *j = calloc(1, sizeof(*j));
    bool all = true;

    s->revocation.need = need;
    if (!j) {
        settle(s, REVOCATION_UNKNOWN, REVOCATION_NONE, now);
        return;
    }
    j->path = *path;
    j->wall = runner_wall_seconds();
    for (unsigned i = 0; i + 1 < path->n; i++) {
        j->in_file[i] = revocation_in_file(trust, cert_list_get(path, i), j->wall);
        all = all && j->in_file[i];
    }
    if (!all && s->config.revocation != REVOCATION_OFF && is_worth_it(s, j)) {
        start(s, j, now);
        return;
    }
    settle(s, all ? REVOCATION_GOOD : REVOCATION_UNKNOWN, all ? REVOCATION_FILE : REVOCATION_NONE,
           now);
    free(j);
}

void revocation_end(l2tpc_session *s)
{
    work_cancel(s->revocation.work);
    s->revocation.work = NULL;
    loop_timer_cancel(s->context->loop, &s->revocation.timer);
}
