/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dial/alive.h"

#include "base/limits.h"
#include "dial/internal.h"

/* Stages with an end of their own: names are looked up, a person or a slow directory may answer. */
static bool patience_counts(const struct dial *d)
{
    const enum dial_need_type others[] = {DIAL_NEED_PSK, DIAL_NEED_PASSWORD, DIAL_NEED_SIGN,
                                          DIAL_NEED_CERT_STATUS};

    if (d->config.patience == 0 || d->facts.up || !d->facts.ike || d->facts.ike->received == 0)
        return false;
    for (unsigned i = 0; i < ARRAY_LEN(others); i++)
        if (d->need[others[i]] != 0)
            return false;
    return d->facts.current != STAGE_PPP_AUTH;
}

static l2tpc_us patience_ends(const struct dial *d)
{
    return patience_counts(d) ? us_add(d->alive.stage, d->config.patience) : US_NEVER;
}

/* A login may wait for a directory or a person, but a server that is there acknowledges a HELLO. */
static bool probes_login(const struct dial *d)
{
    return !d->facts.up && d->facts.current == STAGE_PPP_AUTH;
}

/* A dial that has lost nothing is in no hurry; for it silence ends with the login's own deadline.
 */
static l2tpc_us login_wait(const struct dial *d)
{
    return d->config.patience != 0 ? ALIVE_UNANSWERED_LOGIN : ALIVE_LOGIN;
}

static void begin(struct dial *d, l2tpc_us now, l2tpc_us wait)
{
    d->alive.since = now;
    d->alive.due = us_add(now, wait);
}

void alive_note_progress(struct dial *d, l2tpc_us now)
{
    d->alive = (struct alive){.stage = now};
    if (probes_login(d))
        begin(d, now, login_wait(d));
}

void alive_note_in(struct dial *d, l2tpc_us now)
{
    struct alive *a = &d->alive;

    /* What had waited in the socket since before the standstill proves nothing. */
    if (a->woke != 0 && now < us_add(a->woke, ALIVE_SETTLE))
        return;
    *a = (struct alive){.stage = a->stage};
    if (d->ppp && !d->facts.up)
        ppp_note_alive(d->ppp, now);
    if (probes_login(d))
        begin(d, now, login_wait(d));
}

void alive_note_out(struct dial *d, l2tpc_us now)
{
    if (d->alive.since == 0 && d->facts.up)
        begin(d, now, ALIVE_UNANSWERED);
}

void alive_woke(struct dial *d, l2tpc_us now)
{
    struct alive *a = &d->alive;

    if (!d->facts.up)
        return;
    *a = (struct alive){.since = now, .due = now, .woke = us_max(now, 1), .stage = a->stage};
}

l2tpc_us alive_deadline(const struct dial *d)
{
    if (d->closing != CLOSING_NOT)
        return US_NEVER;
    return us_min(d->alive.due ? d->alive.due : US_NEVER, patience_ends(d));
}

static void dead(struct dial *d, l2tpc_us now)
{
    struct failure f = failure_make(FAILURE_PEER_DEAD);

    if (!d->facts.up)
        f.stage = d->facts.current;
    d->alive.due = 0;
    d->l2tp_over = d->ppp_over = true;
    env_log(d->config.env, LOG_LEVEL_WARN, "dial", "the server is dead: nothing comes back");
    dial_fail_now(d, &f, now);
}

static l2tpc_us verdict_at(const struct dial *d)
{
    const struct alive *a = &d->alive;

    if (a->woke)
        return us_add(a->woke, ALIVE_WOKE_DEAD);
    if (!d->facts.up && d->config.patience == 0)
        return US_NEVER;
    return us_add(a->since, d->facts.up ? ALIVE_DEAD : d->config.patience);
}

static void probe(struct dial *d, l2tpc_us now)
{
    struct alive *a = &d->alive;

    a->due = us_min(us_add(now, a->woke ? ALIVE_WOKE_RETRY : ALIVE_RETRY), verdict_at(d));
    l2tp_probe(d->l2tp, now);
    if (d->ppp)
        ppp_probe(d->ppp, now);
    path_doubt(d, now);
}

void alive_timer(struct dial *d, l2tpc_us now)
{
    if (now < alive_deadline(d))
        return;
    if (now >= patience_ends(d))
        dead(d, now);
    else if (!d->l2tp)
        d->alive.due = 0;
    else if (now >= verdict_at(d))
        dead(d, now);
    else
        probe(d, now);
}
