/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one way to build bytes for the network: a fixed buffer with a sticky error. Once anything did
 * not fit, every further call does nothing and wr_finish() says false. A box opened with wr_open()
 * gets its length patched by wr_close().
 */
#ifndef L2TPC_WIRE_WR_H
#define L2TPC_WIRE_WR_H

#include "base/span.h"

#include <endian.h>
#include <string.h>

struct wr {
    uint8_t *p;
    size_t cap, n;
    bool failed;
};

/* A 16-bit length field that waits for its box to be closed. */
struct wr_box {
    size_t at;    /* where the field stands */
    size_t start; /* the first byte it counts */
};

static inline struct wr wr_of(void *p, size_t cap)
{
    return (struct wr){.p = p, .cap = cap};
}

/* Room for n bytes to be filled by the caller; NULL when it does not fit. What every packet needs
 * many times is inline. */
static inline uint8_t *wr_room(struct wr *w, size_t n) MUST_USE;
static inline uint8_t *wr_room(struct wr *w, size_t n)
{
    uint8_t *p;

    if (w->failed || n > w->cap - w->n) {
        w->failed = true;
        return NULL;
    }
    p = w->p + w->n;
    w->n += n;
    return p;
}

static inline void wr_put_u16(uint8_t *p, uint16_t v)
{
    v = htobe16(v);
    memcpy(p, &v, sizeof(v));
}

static inline void wr_put_u32(uint8_t *p, uint32_t v)
{
    v = htobe32(v);
    memcpy(p, &v, sizeof(v));
}

static inline void wr_u16(struct wr *w, uint16_t v)
{
    uint8_t *p = wr_room(w, 2);

    if (p)
        wr_put_u16(p, v);
}

static inline void wr_u32(struct wr *w, uint32_t v)
{
    uint8_t *p = wr_room(w, 4);

    if (p)
        wr_put_u32(p, v);
}

static inline void wr_bytes(struct wr *w, struct span s)
{
    uint8_t *p = wr_room(w, s.n);

    if (p && s.n > 0)
        memcpy(p, s.p, s.n);
}

static inline uint8_t *wr_written(struct wr *w, size_t at, size_t n)
{
    if (w->failed || at > w->n || n > w->n - at) {
        w->failed = true;
        return NULL;
    }
    return w->p + at;
}

/* Overwrites bytes that were already written; fails the writer when they were not. */
static inline void wr_patch_u8(struct wr *w, size_t at, uint8_t v)
{
    uint8_t *p = wr_written(w, at, 1);

    if (p)
        p[0] = v;
}

static inline void wr_patch_u16(struct wr *w, size_t at, uint16_t v)
{
    uint8_t *p = wr_written(w, at, 2);

    if (p)
        wr_put_u16(p, v);
}

static inline void wr_patch_u32(struct wr *w, size_t at, uint32_t v)
{
    uint8_t *p = wr_written(w, at, 4);

    if (p)
        wr_put_u32(p, v);
}

/* The only way to the bytes; false, with `out` untouched, when anything did not fit. */
static inline bool wr_finish(const struct wr *w, struct span *out) MUST_USE;
static inline bool wr_finish(const struct wr *w, struct span *out)
{
    if (w->failed)
        return false;
    *out = span_of(w->p, w->n);
    return true;
}

void wr_u8(struct wr *w, uint8_t v);
void wr_u64(struct wr *w, uint64_t v);
void wr_zeros(struct wr *w, size_t n);

/* Writes a 16-bit placeholder; the box counts from `back` bytes before the field itself. */
struct wr_box wr_open(struct wr *w, size_t back);
void wr_close(struct wr *w, struct wr_box box);

#endif
