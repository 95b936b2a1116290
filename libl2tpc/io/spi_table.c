/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/spi_table.h"

#include <stdlib.h>

#define BITS_MIN 4

static size_t mask_of(const struct spi_table *t)
{
    return ((size_t)1 << t->bits) - 1;
}

static size_t home_of(const struct spi_table *t, uint32_t spi)
{
    return spi * 0x9e3779b1u >> (32 - t->bits); /* 2^32 divided by the golden ratio */
}

static void put(struct spi_table *t, uint32_t spi, void *owner)
{
    size_t i = home_of(t, spi);

    while (t->slot[i].owner)
        i = (i + 1) & mask_of(t);
    t->slot[i] = (struct spi_slot){spi, owner};
    t->used++;
}

static bool grow(struct spi_table *t)
{
    struct spi_table more = {.bits = t->slot ? t->bits + 1 : BITS_MIN};
    size_t from = 0;

    if (more.bits > 31)
        return false;
    more.slot = calloc(mask_of(&more) + 1, sizeof(*more.slot));
    if (!more.slot)
        return false;
    if (t->slot) {
        /* From a free slot on, so that of two equal ones the first stays the first. */
        while (t->slot[from].owner)
            from++;
        for (size_t k = 0; k <= mask_of(t); k++) {
            const struct spi_slot *s = &t->slot[(from + k) & mask_of(t)];

            if (s->owner)
                put(&more, s->spi, s->owner);
        }
        free(t->slot);
    }
    *t = more;
    return true;
}

bool spi_table_add(struct spi_table *t, uint32_t spi, void *owner)
{
    if ((!t->slot || 2 * (t->used + 1) > mask_of(t) + 1) && !grow(t))
        return false;
    put(t, spi, owner);
    return true;
}

/* Those behind the gap that a look would no longer come to move up. */
static void close_gap(struct spi_table *t, size_t gap)
{
    for (size_t i = (gap + 1) & mask_of(t); t->slot[i].owner; i = (i + 1) & mask_of(t)) {
        size_t far = (i - home_of(t, t->slot[i].spi)) & mask_of(t);

        if (far < ((i - gap) & mask_of(t)))
            continue;
        t->slot[gap] = t->slot[i];
        gap = i;
    }
    t->slot[gap] = (struct spi_slot){0, NULL};
}

void spi_table_remove(struct spi_table *t, uint32_t spi, const void *owner)
{
    if (!t->slot)
        return;
    for (size_t i = home_of(t, spi); t->slot[i].owner; i = (i + 1) & mask_of(t)) {
        if (t->slot[i].spi == spi && t->slot[i].owner == owner) {
            t->used--;
            close_gap(t, i);
            return;
        }
    }
}

void *spi_table_find(const struct spi_table *t, uint32_t spi)
{
    if (!t->slot)
        return NULL;
    for (size_t i = home_of(t, spi); t->slot[i].owner; i = (i + 1) & mask_of(t))
        if (t->slot[i].spi == spi)
            return t->slot[i].owner;
    return NULL;
}

bool spi_table_copy(struct spi_table *to, const struct spi_table *from)
{
    if (!from->slot)
        return true;
    to->slot = calloc(mask_of(from) + 1, sizeof(*to->slot));
    if (!to->slot)
        return false;
    for (size_t i = 0; i <= mask_of(from); i++)
        to->slot[i] = from->slot[i];
    to->bits = from->bits;
    to->used = from->used;
    return true;
}

void spi_table_forget(struct spi_table *t, const void *owner)
{
    if (!t->slot)
        return;
    for (size_t i = 0; i <= mask_of(t);) {
        if (t->slot[i].owner == owner) {
            spi_table_remove(t, t->slot[i].spi, owner);
            i = 0; /* what stood behind it may have moved up */
        } else {
            i++;
        }
    }
}

void spi_table_free(struct spi_table *t)
{
    free(t->slot);
    *t = (struct spi_table){0};
}
