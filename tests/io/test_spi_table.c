/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"
#include "io/spi_table.h"

#include <stdlib.h>

#define OWNERS 500
#define EACH 4

static uint32_t spi_of(const uint8_t *owner, unsigned i, uint32_t round)
{
    /* Neighbours as well as numbers far apart; few enough for clusters in a table that is half
     * full. */
    return (uint32_t)(uintptr_t)owner * 3u + i * (round % 2 ? 1u : 0x01000193u) + round;
}

TEST(finds_all_and_only_what_is_there)
{
    static uint8_t owners[OWNERS];
    static uint32_t held[OWNERS][EACH];
    struct spi_table t = {0};
    size_t n = 0;

    CHECK(!spi_table_find(&t, 1));
    spi_table_remove(&t, 1, owners);
    for (uint32_t round = 1; round < 40; round++) {
        for (unsigned o = round % 3; o < OWNERS; o += 1 + round % 5) {
            for (unsigned i = 0; i < EACH; i++) {
                if (held[o][i] != 0) {
                    spi_table_remove(&t, held[o][i], &owners[o]);
                    held[o][i] = 0;
                    n--;
                } else {
                    held[o][i] = spi_of(&owners[o], i, round);
                    CHECK(spi_table_add(&t, held[o][i], &owners[o]));
                    n++;
                }
            }
        }
        CHECK_INT(t.used, n);
        for (unsigned o = 0; o < OWNERS; o++) {
            for (unsigned i = 0; i < EACH; i++) {
                const uint8_t *found = spi_table_find(&t, held[o][i]);

                if (held[o][i] == 0)
                    continue;
                CHECK(found);
                /* Another one may hold the same. */
                for (unsigned k = 0; found && k < EACH; k++)
                    if (held[found - owners][k] == held[o][i])
                        found = NULL;
                CHECK(!found);
            }
        }
    }
    for (unsigned o = 0; o < OWNERS; o++)
        for (unsigned i = 0; i < EACH; i++)
            if (held[o][i] != 0)
                spi_table_remove(&t, held[o][i], &owners[o]);
    CHECK_INT(t.used, 0);
    spi_table_free(&t);
}

TEST(of_two_that_hold_the_same_the_first_has_it)
{
    uint8_t owners[2];
    uint8_t others[200];
    struct spi_table t = {0};

    CHECK(spi_table_add(&t, 7, &owners[0]));
    CHECK(spi_table_add(&t, 7, &owners[1]));
    for (unsigned i = 0; i < ARRAY_LEN(others); i++)
        CHECK(spi_table_add(&t, 0x1000 + i, &others[i]));
    CHECK(spi_table_find(&t, 7) == &owners[0]);
    spi_table_remove(&t, 7, &owners[0]);
    CHECK(spi_table_find(&t, 7) == &owners[1]);
    spi_table_remove(&t, 7, &owners[0]); /* not its any more */
    CHECK(spi_table_find(&t, 7) == &owners[1]);
    spi_table_free(&t);
}
