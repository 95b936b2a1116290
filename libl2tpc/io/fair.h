/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose packet is next. What came from the TUN waits here in queues by flow, and each flow has its
 * turn in bytes (deficit round robin, as RFC 8290 has it, without dropping): a flow that has just
 * begun to speak, such as a ping or a question to a name server, does not wait behind another one's
 * super-packets. Within a flow order stays. Pure: it knows slots by their number.
 */
#ifndef L2TPC_IO_FAIR_H
#define L2TPC_IO_FAIR_H

#include "base/span.h"

#define FAIR_SLOTS 128     /* the window of a fast flow in super-packets, and then some */
#define FAIR_FLOWS 64      /* a power of two; those beyond share one's turn with another */
#define FAIR_QUANTUM 16384 /* bytes of a turn */

struct fair_list {
    int first, last; /* -1: empty */
};

struct fair_slot {
    int next;
    size_t length;
};

struct fair_flow {
    struct fair_list slots;
    int next;
    bool active;
    int32_t credit;
};

struct fair {
    unsigned waiting;
    int high;                 /* slots below this one have been in use */
    int free;                 /* the one that was given back last: its memory is warm */
    struct fair_list begun;   /* flows that were idle before */
    struct fair_list ongoing; /* and those that have had their first turn */
    struct fair_slot slot[FAIR_SLOTS];
    struct fair_flow flow[FAIR_FLOWS];
};

void fair_init(struct fair *f);
/* A free slot, the caller's until it is added or given back; -1 when there is none. */
int fair_take(struct fair *f);
void fair_give_back(struct fair *f, int slot);
void fair_add(struct fair *f, int slot, uint32_t flow, size_t length);
/* The next slot, which is the caller's until it is given back; -1: nobody waits. */
int fair_next(struct fair *f);

/* A number for the flow of an IP packet; that of fragments has no ports. */
uint32_t fair_flow_of(struct span ip);

#endif
