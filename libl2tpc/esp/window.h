/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Anti-replay window (RFC 4303 3.4.3) as a ring of words (RFC 6479): moving it clears whole words
 * and never shifts. Pure: it knows numbers only. 32-bit sequence numbers, which never wrap.
 */
#ifndef L2TPC_ESP_WINDOW_H
#define L2TPC_ESP_WINDOW_H

#include "base/limits.h"
#include "base/span.h"

/* A power of two; one word of it is always being reused, so it must exceed the window by that. */
#define WINDOW_WORDS 32

struct window {
    uint32_t last; /* highest number marked; 0 = none yet */
    uint64_t words[WINDOW_WORDS];
};

/* True when `seq` is new: not 0, not seen, not left of the window. Changes nothing. */
bool window_check(const struct window *w, uint32_t seq) MUST_USE;
/* Remembers `seq`, which window_check() must have passed and whose packet is authentic. */
void window_mark(struct window *w, uint32_t seq);

#endif
