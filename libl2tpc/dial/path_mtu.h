/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Packetization Layer Path MTU Discovery (RFC 8899): which is the longest inner packet whose outer
 * one the way to the server carries in one piece? A probe is an LCP Echo-Request of just that
 * length, inside ESP, with DF outside: every PPP peer answers it, and no ICMP is needed. Pure: what
 * is to be sent is popped, what was answered is told.
 *
 * The longest comes first, and on most ways it is the only one. Behind it the shortest shows that
 * the server answers long ones at all, and then halves of what is left (5.3.3). One probe is under
 * way at a time: some servers answer one in each tick of theirs.
 */
#ifndef L2TPC_DIAL_PATH_MTU_H
#define L2TPC_DIAL_PATH_MTU_H

#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

/* RFC 8899 5.2. */
enum path_mtu_state {
    PATH_MTU_DISABLED,        /* not begun */
    PATH_MTU_SEARCHING,       /* a probe is out */
    PATH_MTU_SEARCH_COMPLETE, /* `plpmtu` is known */
    PATH_MTU_ERROR,           /* no probe of any length came back: nothing is known */
};

struct path_mtu {
    enum path_mtu_state state;
    uint16_t min_plpmtu, max_plpmtu;
    uint16_t plpmtu; /* what has been answered; 0: nothing so far */
    uint16_t lost;   /* the shortest that was not; 0: none */
    uint16_t before; /* of the search before this one */
    uint16_t length; /* of the probe */
    uint8_t number;  /* that comes back with its answer */
    bool due_out;    /* it is to be sent now */
    bool gave_up;    /* the one before */
    unsigned sends;
    l2tpc_us probe_timer, due;
};

void path_mtu_begin(struct path_mtu *m, uint16_t min_plpmtu, uint16_t max_plpmtu, l2tpc_us rtt,
                    l2tpc_us now);
/* The probe, if it is to leave now. */
bool path_mtu_pop(struct path_mtu *m, uint8_t *number, uint16_t *length);
void path_mtu_answered(struct path_mtu *m, uint8_t number, l2tpc_us now);
/* What was found is in doubt: looks again. */
void path_mtu_again(struct path_mtu *m, l2tpc_us now);
void path_mtu_timer(struct path_mtu *m, l2tpc_us now);
l2tpc_us path_mtu_deadline(const struct path_mtu *m);

#endif
