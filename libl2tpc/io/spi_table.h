/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whose an inbound SPI is, over all members of a hub: one look, however many there are. It grows
 * when somebody comes, never when a packet does. SPIs are drawn by us, at random; two members may
 * hold the same one, and then the one that came first has it.
 */
#ifndef L2TPC_IO_SPI_TABLE_H
#define L2TPC_IO_SPI_TABLE_H

#include "base/span.h"

struct spi_slot {
    uint32_t spi;
    void *owner; /* NULL: free */
};

struct spi_table {
    struct spi_slot *slot; /* open addressing, half of it free at least; NULL: none yet */
    unsigned bits;
    size_t used;
};

/* False without memory: nothing is added. */
bool spi_table_add(struct spi_table *t, uint32_t spi, void *owner) MUST_USE;
void spi_table_remove(struct spi_table *t, uint32_t spi, const void *owner);
/* `to` is zeroed. False without memory. */
bool spi_table_copy(struct spi_table *to, const struct spi_table *from) MUST_USE;
/* Every entry of this owner. */
void spi_table_forget(struct spi_table *t, const void *owner);
/* NULL: nobody's. */
void *spi_table_find(const struct spi_table *t, uint32_t spi);
void spi_table_free(struct spi_table *t);

#endif
