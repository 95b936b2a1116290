/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "esp/window.h"

#define WORD_BITS 64u

_Static_assert((WINDOW_WORDS & (WINDOW_WORDS - 1)) == 0, "the ring is indexed by a mask");
_Static_assert(ESP_WINDOW > 0 && ESP_WINDOW <= (WINDOW_WORDS - 1) * WORD_BITS,
               "the word being reused must lie outside of the window");

static uint64_t *word_of(struct window *w, uint32_t seq)
{
    return &w->words[seq / WORD_BITS % WINDOW_WORDS];
}

static uint64_t bit_of(uint32_t seq)
{
    return (uint64_t)1 << seq % WORD_BITS;
}

bool window_check(const struct window *w, uint32_t seq)
{
    if (seq == 0)
        return false;
    if (seq > w->last)
        return true;
    if (w->last - seq >= ESP_WINDOW)
        return false;
    return (w->words[seq / WORD_BITS % WINDOW_WORDS] & bit_of(seq)) == 0;
}

void window_mark(struct window *w, uint32_t seq)
{
    if (seq > w->last) {
        uint32_t words = seq / WORD_BITS - w->last / WORD_BITS;

        if (words > WINDOW_WORDS)
            words = WINDOW_WORDS;
        for (uint32_t i = 0; i < words; i++)
            *word_of(w, seq - i * WORD_BITS) = 0;
        w->last = seq;
    }
    *word_of(w, seq) |= bit_of(seq);
}
