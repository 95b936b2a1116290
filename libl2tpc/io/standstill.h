/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether nothing ran here for a while: the computer was suspended, which CLOCK_BOOTTIME counts and
 * CLOCK_MONOTONIC does not, or this process was stopped, which shows in a timer that comes late.
 */
#ifndef L2TPC_IO_STANDSTILL_H
#define L2TPC_IO_STANDSTILL_H

#include "base/clock.h"

#include <stdbool.h>

struct standstill {
    bool looked;
    l2tpc_us slept; /* since boot */
};

/* How long it was, 0 for no standstill. `due`: when a timer should have run, or US_NEVER. */
l2tpc_us standstill_look(struct standstill *s, l2tpc_us boottime, l2tpc_us monotonic, l2tpc_us due);

#endif
