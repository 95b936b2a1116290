/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Monotonic microseconds, always handed in: no engine reads a clock. */
#ifndef L2TPC_BASE_CLOCK_H
#define L2TPC_BASE_CLOCK_H

#include <stdint.h>

typedef uint64_t l2tpc_us;

#define US_NEVER UINT64_MAX
#define US_MS(ms) ((l2tpc_us)(ms)*1000u)
#define US_S(s) ((l2tpc_us)(s)*1000000u)

static inline l2tpc_us us_min(l2tpc_us a, l2tpc_us b)
{
    return a < b ? a : b;
}

static inline l2tpc_us us_max(l2tpc_us a, l2tpc_us b)
{
    return a > b ? a : b;
}

/* Never wraps into the past: saturates at US_NEVER. */
static inline l2tpc_us us_add(l2tpc_us a, l2tpc_us b)
{
    return a > US_NEVER - b ? US_NEVER : a + b;
}

#endif
