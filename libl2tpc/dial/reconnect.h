/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When a tunnel that was up is dialed again: pure policy. From a failure, what came before it, the
 * time and a random number comes a wait, or the end. Who does the dialing keeps the rest.
 */
#ifndef L2TPC_DIAL_RECONNECT_H
#define L2TPC_DIAL_RECONNECT_H

#include "base/clock.h"
#include "base/failure.h"

struct reconnect {
    unsigned tries;   /* dials since the tunnel was last up for long enough to count as good */
    unsigned refused; /* of them in a row, that ended in something that is final when repeated */
    bool up;
    l2tpc_us up_at;
};

enum reconnect_cure {
    RECONNECT_CURED_BY_DIAL, /* the network, or the server's state: a new dial may find better */
    RECONNECT_CURED_UNLESS_TWICE, /* looks like a refusal, and may be a server that starts */
    RECONNECT_CURED_BY_PERSON,    /* secrets, rights, settings: nothing changes by itself */
};

enum reconnect_cure reconnect_cure(const struct failure *f);

/* A dial came up. */
void reconnect_up(struct reconnect *r, l2tpc_us now);
/*
 * The tunnel was lost, or a dial that was to bring it back has failed. True: dial again after
 * *out_wait; `random` is any 32 bits.
 */
bool reconnect_next(struct reconnect *r, const struct failure *f, l2tpc_us now, uint32_t random,
                    l2tpc_us *out_wait) MUST_USE;
/* Whether the next dial shall ask for the server's address anew: inside a lost tunnel nobody may
 * be there to answer, so that what was known comes first. */
bool reconnect_resolves(const struct reconnect *r);

#endif
