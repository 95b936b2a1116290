/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dial/reconnect.h"

#include "base/limits.h"

#include <string.h>

/* Failures whose stage says the wrong thing about a second try. */
static const struct {
    enum failure_id id;
    enum reconnect_cure cure;
} exceptions[] = {
    {FAILURE_LOCAL_SOCKET, RECONNECT_CURED_BY_DIAL},
    {FAILURE_LOCAL_TIMEOUT, RECONNECT_CURED_BY_DIAL},
    {FAILURE_RESOLVE_BAD_NAME, RECONNECT_CURED_BY_PERSON},
    /* Silence is how a server looks whose network is gone. */
    {FAILURE_IKE_AUTH_TIMEOUT, RECONNECT_CURED_BY_DIAL},
    {FAILURE_IKE_AUTH_CERT_TIMEOUT, RECONNECT_CURED_BY_DIAL},
    {FAILURE_IKE_AUTH_CERT_LENGTH, RECONNECT_CURED_BY_DIAL},
    {FAILURE_IKE_PORT_4500, RECONNECT_CURED_BY_DIAL},
    {FAILURE_PPP_AUTH_TIMEOUT, RECONNECT_CURED_BY_DIAL},
    /* The key was right before: a server that restarts in the middle looks the same, once. */
    {FAILURE_IKE_AUTH_PSK, RECONNECT_CURED_UNLESS_TWICE},
    {FAILURE_IKE_ENCAPSULATION, RECONNECT_CURED_UNLESS_TWICE},
    {FAILURE_PPP_AUTH_ENDED, RECONNECT_CURED_UNLESS_TWICE},
    {FAILURE_L2TP_AUTH, RECONNECT_CURED_BY_PERSON},
    {FAILURE_L2TP_AUTH_PEER, RECONNECT_CURED_BY_PERSON},
};

enum reconnect_cure reconnect_cure(const struct failure *f)
{
    enum stage stage = failure_make(f->id).stage;

    if (f->stay_away)
        return RECONNECT_CURED_BY_PERSON;
    for (size_t i = 0; i < ARRAY_LEN(exceptions); i++)
        if (exceptions[i].id == f->id)
            return exceptions[i].cure;
    if (strncmp(failure_code(f->id), "local.", 6) == 0)
        return RECONNECT_CURED_BY_PERSON;
    /* What proves who somebody is: an account can be locked by asking again. */
    return stage == STAGE_IKE_AUTH || stage == STAGE_PPP_AUTH ? RECONNECT_CURED_BY_PERSON
                                                              : RECONNECT_CURED_BY_DIAL;
}

void reconnect_up(struct reconnect *r, l2tpc_us now)
{
    r->up = true;
    r->up_at = now;
    r->refused = 0;
}

/* 0, then 1, 2, 4 ... 60 s, each a quarter more or less: a server that comes back is not met by all
 * of its clients at once. */
static l2tpc_us wait_of(unsigned tries, uint32_t random)
{
    l2tpc_us base = RECONNECT_FIRST;

    if (tries == 0)
        return 0;
    for (unsigned i = 1; i < tries && base < RECONNECT_CAP; i++)
        base = base * 2;
    base = us_min(base, RECONNECT_CAP);
    return base - base / 4 + (l2tpc_us)((base / 2) * (uint64_t)random / UINT32_MAX);
}

bool reconnect_next(struct reconnect *r, const struct failure *f, l2tpc_us now, uint32_t random,
                    l2tpc_us *out_wait)
{
    enum reconnect_cure cure = reconnect_cure(f);

    *out_wait = 0;
    if (cure == RECONNECT_CURED_UNLESS_TWICE)
        r->refused++;
    else
        r->refused = 0;
    if (cure == RECONNECT_CURED_BY_PERSON || r->refused > 1)
        return false;
    /* A server that lets us in and throws us out is not better than one that does not answer. */
    if (r->up && now >= us_add(r->up_at, RECONNECT_GOOD))
        r->tries = 0;
    r->up = false;
    if (f->id == FAILURE_NETWORK_CHANGED) /* says nothing about the server */
        return true;
    *out_wait = wait_of(r->tries, random);
    if (f->id == FAILURE_PEER_CLOSED)
        *out_wait = us_max(*out_wait, RECONNECT_CLOSED);
    if (r->tries < UINT32_MAX)
        r->tries++;
    return true;
}

bool reconnect_resolves(const struct reconnect *r)
{
    return r->tries % RECONNECT_RESOLVE_EVERY == RECONNECT_RESOLVE_EVERY - 1;
}
