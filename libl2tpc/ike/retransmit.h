/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One message that waits for its answer: when to send it again, and what its answer tells of RTT.
 */
#ifndef L2TPC_IKE_RETRANSMIT_H
#define L2TPC_IKE_RETRANSMIT_H

#include "base/clock.h"
#include "base/span.h"

struct retransmit {
    uint8_t *bytes; /* heap copy of the message; NULL when nothing waits */
    size_t n;
    uint32_t tag;      /* where it leaves */
    unsigned sends;    /* the first included */
    l2tpc_us first;    /* of the first send */
    l2tpc_us last;     /* of the latest send */
    l2tpc_us interval; /* until the next */
};

/* Keeps a copy; false without memory. `interval` is the first wait. */
bool retransmit_start(struct retransmit *r, uint32_t tag, struct span bytes, l2tpc_us interval,
                      l2tpc_us now) MUST_USE;
/* When to send again; US_NEVER when nothing waits. */
l2tpc_us retransmit_due(const struct retransmit *r);
/* It was sent again: backs off, up to `cap`. */
void retransmit_again(struct retransmit *r, l2tpc_us cap, l2tpc_us now);
/* The answer came: a sample of RTT when the message was sent once (Karn), else 0. */
l2tpc_us retransmit_answered(struct retransmit *r, l2tpc_us now);
void retransmit_stop(struct retransmit *r);

/* RFC 6298 smoothing; and RTO = clamp(4 x smoothed, RTO_MIN, RTO_MAX), RTO_FIRST at first. */
void rtt_sample(l2tpc_us *smoothed, l2tpc_us sample);
l2tpc_us rtt_rto(l2tpc_us smoothed);

#endif
