/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One verdict on whether the server is alive, whatever said so: a protected packet that came in. An
 * answer of IKE alone is none - a server can lose its ESP pair and keep its IKE SA - and an answer
 * to either LCP echo or HELLO is. DPD, echo and HELLO keep their own clocks beside it and may find
 * out earlier.
 */
#ifndef L2TPC_DIAL_ALIVE_H
#define L2TPC_DIAL_ALIVE_H

#include "base/clock.h"

struct dial;

struct alive {
    l2tpc_us since; /* the first ESP of ours that nothing came back for; 0: none */
    l2tpc_us due;   /* the next probe, or the verdict; 0: neither */
    l2tpc_us woke;  /* behind a standstill; 0: not lately */
    l2tpc_us stage; /* the dial got on */
};

void alive_note_in(struct dial *d, l2tpc_us now);
void alive_note_out(struct dial *d, l2tpc_us now);
/* The dial has got on: its patience begins anew. */
void alive_note_progress(struct dial *d, l2tpc_us now);
void alive_woke(struct dial *d, l2tpc_us now);
l2tpc_us alive_deadline(const struct dial *d);
void alive_timer(struct dial *d, l2tpc_us now);

#endif
