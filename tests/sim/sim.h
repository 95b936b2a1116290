/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The loop of a scenario: one client (any engine behind a few functions), the link, the peer, and a
 * clock that jumps from deadline to deadline. No time passes while there is something to do.
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include "link.h"

struct sim_client {
    void *ctx;
    /* `from` is the client's own socket; `to` where it sends; bytes as on the wire (marker). */
    bool (*pop_out)(void *ctx, enum peer_port *port, struct endpoint *from, struct endpoint *to,
                    struct msg *out);
    void (*input)(void *ctx, enum peer_port port, const struct endpoint *from, struct span bytes,
                  l2tpc_us now);
    void (*timer)(void *ctx, l2tpc_us now);
    l2tpc_us (*deadline)(void *ctx);
    /* Takes the client's events; true ends sim_run(). */
    bool (*done)(void *ctx, l2tpc_us now);
};

struct sim {
    l2tpc_us now;
    struct sim_client client;
    struct simlink *link;
    struct peer *peer;
    struct endpoint peer_addr; /* config.local of the peer */
    uint16_t peer_natt_port;
};

/* True when the client said it is done; false at `until`, or when nothing more can ever happen. */
bool sim_run(struct sim *s, l2tpc_us until);

#endif
