/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wire/wr.h"

void wr_u8(struct wr *w, uint8_t v)
{
    uint8_t *p = wr_room(w, 1);

    if (p)
        p[0] = v;
}

void wr_u64(struct wr *w, uint64_t v)
{
    wr_u32(w, (uint32_t)(v >> 32));
    wr_u32(w, (uint32_t)v);
}

void wr_zeros(struct wr *w, size_t n)
{
    uint8_t *p = wr_room(w, n);

    if (p && n > 0)
        memset(p, 0, n);
}

struct wr_box wr_open(struct wr *w, size_t back)
{
    struct wr_box box = {.at = w->n, .start = w->n};

    if (back > w->n)
        w->failed = true;
    else
        box.start = w->n - back;
    wr_u16(w, 0);
    return box;
}

void wr_close(struct wr *w, struct wr_box box)
{
    if (w->failed)
        return;
    if (w->n - box.start > UINT16_MAX) {
        w->failed = true;
        return;
    }
    wr_patch_u16(w, box.at, (uint16_t)(w->n - box.start));
}
