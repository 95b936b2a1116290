/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one way to read bytes from the network: a span that shrinks from the front. Every getter is
 * must-use and leaves its output untouched on false. A length-prefixed box gets a sub-reader, so
 * that code inside the box cannot see past it. rd_end() must hold when a parser returns, unless
 * the RFC says that padding follows.
 */
#ifndef L2TPC_WIRE_RD_H
#define L2TPC_WIRE_RD_H

#include "base/span.h"

struct rd {
    struct span rest;
};

static inline struct rd rd_of(struct span s)
{
    return (struct rd){.rest = s};
}

static inline size_t rd_left(const struct rd *r)
{
    return r->rest.n;
}

static inline bool rd_end(const struct rd *r)
{
    return r->rest.n == 0;
}

/* The only place that moves through received bytes; compares need <= rest, never subtracts first.
 * What every packet needs many times is inline. */
static inline bool rd_bytes(struct rd *r, size_t n, struct span *out) MUST_USE; /* borrows */
static inline bool rd_bytes(struct rd *r, size_t n, struct span *out)
{
    const uint8_t *p = r->rest.p;

    if (n > r->rest.n)
        return false;
    r->rest = span_of(n ? p + n : p, r->rest.n - n);
    *out = span_of(p, n);
    return true;
}

static inline bool rd_skip(struct rd *r, size_t n) MUST_USE;
static inline bool rd_skip(struct rd *r, size_t n)
{
    struct span s;

    return rd_bytes(r, n, &s);
}

static inline bool rd_u8(struct rd *r, uint8_t *out) MUST_USE;
static inline bool rd_u8(struct rd *r, uint8_t *out)
{
    struct span s;

    if (!rd_bytes(r, 1, &s))
        return false;
    *out = s.p[0];
    return true;
}

/* Network order in, host order out. */
static inline bool rd_u16(struct rd *r, uint16_t *out) MUST_USE;
static inline bool rd_u16(struct rd *r, uint16_t *out)
{
    struct span s;

    if (!rd_bytes(r, 2, &s))
        return false;
    *out = (uint16_t)(s.p[0] << 8 | s.p[1]);
    return true;
}

static inline bool rd_u32(struct rd *r, uint32_t *out) MUST_USE;
static inline bool rd_u32(struct rd *r, uint32_t *out)
{
    struct span s;

    if (!rd_bytes(r, 4, &s))
        return false;
    *out = (uint32_t)s.p[0] << 24 | (uint32_t)s.p[1] << 16 | (uint32_t)s.p[2] << 8 | s.p[3];
    return true;
}

bool rd_u64(struct rd *r, uint64_t *out) MUST_USE;
bool rd_copy(struct rd *r, void *out, size_t n) MUST_USE;
bool rd_sub(struct rd *r, size_t n, struct rd *out) MUST_USE;
struct span rd_rest(struct rd *r); /* takes all that is left */

#endif
