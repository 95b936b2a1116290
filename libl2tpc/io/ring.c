/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/ring.h"

#include <string.h>

/* Records stand in one piece: what is left at the end is passed over by an empty one. */
static struct ring_record *at(struct ring *g, uint64_t position)
{
    return (struct ring_record *)(void *)&g->room[position % RING_SIZE / sizeof(g->room[0])];
}

static uint64_t room_for(size_t n)
{
    return (sizeof(struct ring_record) + n + 7) / 8 * 8;
}

bool ring_put(struct ring *g, const struct ring_record *record, struct span bytes)
{
    uint64_t put = atomic_load_explicit(&g->put, memory_order_relaxed);
    uint64_t taken = atomic_load_explicit(&g->taken, memory_order_acquire);
    uint64_t need = room_for(bytes.n);
    uint64_t to_end = RING_SIZE - put % RING_SIZE;
    uint64_t skip = need > to_end ? to_end : 0;
    struct ring_record *r;

    if (bytes.n > RING_SIZE / 4 || skip + need > RING_SIZE - (put - taken)) {
        tally_add(&g->lost, 1);
        return false;
    }
    /* Less than a record may be left: then its place alone says that it is over. */
    if (skip >= sizeof(*r)) {
        r = at(g, put);
        *r = (struct ring_record){.room = (uint32_t)skip};
    }
    r = at(g, put + skip);
    *r = *record;
    r->n = (uint32_t)bytes.n;
    r->room = (uint32_t)need;
    if (bytes.n > 0)
        memcpy(r + 1, bytes.p, bytes.n);
    atomic_store_explicit(&g->put, put + skip + need, memory_order_release);
    return true;
}

static struct ring_record *next(struct ring *g, uint64_t *position, uint64_t end)
{
    uint64_t to_end = RING_SIZE - *position % RING_SIZE;

    if (to_end < sizeof(struct ring_record))
        *position += to_end;
    if (*position >= end)
        return NULL;
    return at(g, *position);
}

void ring_take(struct ring *g, l2tpc_us now)
{
    uint64_t end = atomic_load_explicit(&g->put, memory_order_acquire);
    uint64_t position = atomic_load_explicit(&g->taken, memory_order_relaxed);
    struct ring_record *r;

    while ((r = next(g, &position, end))) {
        if (r->fn)
            r->fn(r, (struct mspan){(uint8_t *)(r + 1), r->n}, now);
        position += r->room;
        atomic_store_explicit(&g->taken, position, memory_order_release);
    }
}

void ring_forget(struct ring *g, const void *owner)
{
    uint64_t end = atomic_load_explicit(&g->put, memory_order_acquire);
    uint64_t position = atomic_load_explicit(&g->taken, memory_order_relaxed);
    struct ring_record *r;

    while ((r = next(g, &position, end))) {
        if (r->owner == owner)
            r->fn = NULL;
        position += r->room;
    }
}

bool ring_is_empty(const struct ring *g)
{
    return atomic_load_explicit(&g->put, memory_order_acquire) ==
           atomic_load_explicit(&g->taken, memory_order_relaxed);
}
