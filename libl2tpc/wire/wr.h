/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The one way to build bytes for the network: a fixed buffer with a sticky error. Once anything did
 * not fit, every further call does nothing and wr_finish() says false. A box opened with wr_open()
 * gets its length patched by wr_close().
 */
#ifndef L2TPC_WIRE_WR_H
#define L2TPC_WIRE_WR_H

#include "base/span.h"

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

void wr_u8(struct wr *w, uint8_t v);
void wr_u16(struct wr *w, uint16_t v);
void wr_u32(struct wr *w, uint32_t v);
void wr_u64(struct wr *w, uint64_t v);
void wr_bytes(struct wr *w, struct span s);
void wr_zeros(struct wr *w, size_t n);

/* Room for n bytes to be filled by the caller; NULL when it does not fit. */
uint8_t *wr_room(struct wr *w, size_t n) MUST_USE;

/* Writes a 16-bit placeholder; the box counts from `back` bytes before the field itself. */
struct wr_box wr_open(struct wr *w, size_t back);
void wr_close(struct wr *w, struct wr_box box);

/* Overwrites bytes that were already written; fails the writer when they were not. */
void wr_patch_u8(struct wr *w, size_t at, uint8_t v);
void wr_patch_u16(struct wr *w, size_t at, uint16_t v);
void wr_patch_u32(struct wr *w, size_t at, uint32_t v);

/* The only way to the bytes; false, with `out` untouched, when anything did not fit. */
bool wr_finish(const struct wr *w, struct span *out) MUST_USE;

#endif
