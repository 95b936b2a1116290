/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wire/wr.h"

#include <string.h>

uint8_t *wr_room(struct wr *w, size_t n)
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

static void put_u16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put_u32(uint8_t *p, uint32_t v)
{
    put_u16(p, (uint16_t)(v >> 16));
    put_u16(p + 2, (uint16_t)v);
}

void wr_u8(struct wr *w, uint8_t v)
{
    uint8_t *p = wr_room(w, 1);

    if (p)
        p[0] = v;
}

void wr_u16(struct wr *w, uint16_t v)
{
    uint8_t *p = wr_room(w, 2);

    if (p)
        put_u16(p, v);
}

void wr_u32(struct wr *w, uint32_t v)
{
    uint8_t *p = wr_room(w, 4);

    if (p)
        put_u32(p, v);
}

void wr_u64(struct wr *w, uint64_t v)
{
    wr_u32(w, (uint32_t)(v >> 32));
    wr_u32(w, (uint32_t)v);
}

void wr_bytes(struct wr *w, struct span s)
{
    uint8_t *p = wr_room(w, s.n);

    if (p && s.n > 0)
        memcpy(p, s.p, s.n);
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

static uint8_t *written(struct wr *w, size_t at, size_t n)
{
    if (w->failed || at > w->n || n > w->n - at) {
        w->failed = true;
        return NULL;
    }
    return w->p + at;
}

void wr_patch_u8(struct wr *w, size_t at, uint8_t v)
{
    uint8_t *p = written(w, at, 1);

    if (p)
        p[0] = v;
}

void wr_patch_u16(struct wr *w, size_t at, uint16_t v)
{
    uint8_t *p = written(w, at, 2);

    if (p)
        put_u16(p, v);
}

void wr_patch_u32(struct wr *w, size_t at, uint32_t v)
{
    uint8_t *p = written(w, at, 4);

    if (p)
        put_u32(p, v);
}

bool wr_finish(const struct wr *w, struct span *out)
{
    if (w->failed)
        return false;
    *out = span_of(w->p, w->n);
    return true;
}
