/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ike/retransmit.h"

#include "base/limits.h"
#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

bool retransmit_start(struct retransmit *r, uint32_t tag, struct span bytes, l2tpc_us interval,
                      l2tpc_us now)
{
    uint8_t *copy = malloc(bytes.n ? bytes.n : 1);

    if (!copy)
        return false;
    if (bytes.n > 0)
        memcpy(copy, bytes.p, bytes.n);
    retransmit_stop(r);
    *r = (struct retransmit){.bytes = copy,
                             .n = bytes.n,
                             .tag = tag,
                             .sends = 1,
                             .first = now,
                             .last = now,
                             .interval = interval};
    return true;
}

l2tpc_us retransmit_due(const struct retransmit *r)
{
    return r->bytes ? us_add(r->last, r->interval) : US_NEVER;
}

void retransmit_again(struct retransmit *r, l2tpc_us cap, l2tpc_us now)
{
    r->sends++;
    r->last = now;
    r->interval = us_min(r->interval * 8 / 5, cap);
}

l2tpc_us retransmit_answered(struct retransmit *r, l2tpc_us now)
{
    l2tpc_us sample = r->bytes && r->sends == 1 && now > r->first ? now - r->first : 0;

    retransmit_stop(r);
    return sample;
}

void retransmit_stop(struct retransmit *r)
{
    wipe_free(r->bytes, r->n);
    *r = (struct retransmit){0};
}

void rtt_sample(l2tpc_us *smoothed, l2tpc_us sample)
{
    if (sample == 0)
        return;
    *smoothed = *smoothed == 0 ? sample : (*smoothed * 7 + sample) / 8;
}

l2tpc_us rtt_rto(l2tpc_us smoothed)
{
    if (smoothed == 0)
        return RTO_FIRST;
    return us_min(us_max(smoothed * 4, RTO_MIN), RTO_MAX);
}
