/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wire/rd.h"

#include <string.h>

bool rd_u64(struct rd *r, uint64_t *out)
{
    uint32_t hi;
    uint32_t lo;

    if (r->rest.n < 8 || !rd_u32(r, &hi) || !rd_u32(r, &lo))
        return false;
    *out = (uint64_t)hi << 32 | lo;
    return true;
}

bool rd_copy(struct rd *r, void *out, size_t n)
{
    struct span s;

    if (!rd_bytes(r, n, &s))
        return false;
    if (n > 0)
        memcpy(out, s.p, n);
    return true;
}

bool rd_sub(struct rd *r, size_t n, struct rd *out)
{
    struct span s;

    if (!rd_bytes(r, n, &s))
        return false;
    *out = rd_of(s);
    return true;
}

struct span rd_rest(struct rd *r)
{
    struct span s = r->rest;

    r->rest = span_of(s.p ? s.p + s.n : NULL, 0);
    return s;
}
