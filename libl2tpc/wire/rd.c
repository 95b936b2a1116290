/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wire/rd.h"

#include <string.h>

/* The only place that moves through received bytes; compares need <= rest, never subtracts first.
 */
static const uint8_t *take(struct rd *r, size_t n)
{
    const uint8_t *p = r->rest.p;

    if (n > r->rest.n)
        return NULL;
    r->rest = span_of(n ? p + n : p, r->rest.n - n);
    return p;
}

bool rd_u8(struct rd *r, uint8_t *out)
{
    const uint8_t *p = r->rest.n < 1 ? NULL : take(r, 1);

    if (!p)
        return false;
    *out = p[0];
    return true;
}

bool rd_u16(struct rd *r, uint16_t *out)
{
    const uint8_t *p = r->rest.n < 2 ? NULL : take(r, 2);

    if (!p)
        return false;
    *out = (uint16_t)(p[0] << 8 | p[1]);
    return true;
}

bool rd_u32(struct rd *r, uint32_t *out)
{
    const uint8_t *p = r->rest.n < 4 ? NULL : take(r, 4);

    if (!p)
        return false;
    *out = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    return true;
}

bool rd_u64(struct rd *r, uint64_t *out)
{
    uint32_t hi;
    uint32_t lo;

    if (r->rest.n < 8 || !rd_u32(r, &hi) || !rd_u32(r, &lo))
        return false;
    *out = (uint64_t)hi << 32 | lo;
    return true;
}

bool rd_bytes(struct rd *r, size_t n, struct span *out)
{
    const uint8_t *p;

    if (n > r->rest.n)
        return false;
    p = take(r, n);
    *out = span_of(p, n);
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

bool rd_skip(struct rd *r, size_t n)
{
    struct span s;

    return rd_bytes(r, n, &s);
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
