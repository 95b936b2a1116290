/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"
#include "esp/window.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define W ESP_WINDOW
#define TOP UINT32_MAX

static bool feed(struct window *w, uint32_t seq)
{
    if (!window_check(w, seq))
        return false;
    window_mark(w, seq);
    return true;
}

/* Numbers in order of arrival on one window, and whether each is new. */
static const struct {
    uint32_t seq;
    bool fresh;
} rows[] = {
    {0, false},           /* 1: never a sequence number */
    {1, true},            /* 2 */
    {1, false},           /* 3 */
    {0, false},           /* 4 */
    {9, true},            /* 5 */
    {8, true},            /* 6 */
    {7, true},            /* 7 */
    {7, false},           /* 8 */
    {8, false},           /* 9 */
    {9, false},           /* 10 */
    {2, true},            /* 11 */
    {63, true},           /* 12: both sides of a word */
    {64, true},           /* 13 */
    {65, true},           /* 14 */
    {64, false},          /* 15 */
    {63, false},          /* 16 */
    {W, true},            /* 17 */
    {3, true},            /* 18: W - 1 behind at most */
    {W + 1, true},        /* 19 */
    {1, false},           /* 20 */
    {4, true},            /* 21 */
    {W + 4, true},        /* 22 */
    {4, false},           /* 23: left of the window now, and seen */
    {5, true},            /* 24: its last place */
    {5, false},           /* 25 */
    {W + 6, true},        /* 26 */
    {6, false},           /* 27: left of it, though never seen */
    {3 * W, true},        /* 28: over everything known */
    {2 * W, false},       /* 29 */
    {2 * W + 1, true},    /* 30 */
    {2 * W + 1, false},   /* 31 */
    {W + 6, false},       /* 32 */
    {3 * W - 1, true},    /* 33 */
    {3 * W + 2048, true}, /* 34: a whole turn of the ring */
    {3 * W + 2048, false},
    {3 * W + 2047, true}, /* 36: the ring holds nothing of the last turn */
    {3 * W + 1025, true},
    {3 * W + 1024, false}, /* 38 */
    {3 * W + 1025, false},
    {1u << 31, true}, /* 40 */
    {(1u << 31) - W + 1, true},
    {(1u << 31) - W, false}, /* 42 */
    {1, false},
    {TOP - 1, true}, /* 44 */
    {TOP - 2, true},
    {TOP, true}, /* 46: the last number there is */
    {TOP, false},
    {TOP - 1, false}, /* 48 */
    {TOP - W + 1, true},
    {TOP - W, false}, /* 50 */
    {0, false},       /* 51: nothing wraps */
    {1, false},       /* 52 */
    {TOP - W + 1, false},
    {TOP - 3, true}, /* 54 */
};

TEST(esp_window_table)
{
    struct window w = {0};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (feed(&w, rows[i].seq) != (rows[i].fresh != check_sabotaged()))
            check_fail(__FILE__, __LINE__, "row %zu: %u", i + 1, rows[i].seq);
}

TEST(esp_window_check_changes_nothing)
{
    struct window w = {0};
    struct window before;

    CHECK(feed(&w, 5000));
    before = w;
    for (uint32_t seq = 0; seq < 20000; seq++)
        CHECK(window_check(&w, seq) == (seq > 5000 - W && seq != 5000));
    CHECK_MEM(&w, sizeof(w), &before, sizeof(before));
}

/* Up, down, and in both orders with holes, over several turns of the ring. */
TEST(esp_window_sweeps)
{
    struct window w = {0};

    for (uint32_t seq = 1; seq <= 5 * W; seq++)
        CHECK(feed(&w, seq) && !feed(&w, seq));
    for (uint32_t seq = 1; seq <= 5 * W; seq++)
        CHECK(!feed(&w, seq));
    w = (struct window){0};
    CHECK(feed(&w, W + 7));
    for (uint32_t seq = W + 6; seq >= 8; seq--)
        CHECK(feed(&w, seq));
    for (uint32_t seq = W + 7; seq >= 1; seq--)
        CHECK(!feed(&w, seq));
    for (uint32_t step = 1; step <= 3000; step++) {
        w = (struct window){0};
        CHECK(feed(&w, 100000));
        CHECK(feed(&w, 100000 + step));
        CHECK(!feed(&w, 100000));
        CHECK(feed(&w, 99999) == (step + 1 < W));
        CHECK(feed(&w, 100000 + step - 1) == (step != 1));
    }
    w = (struct window){0};
    for (uint32_t seq = TOP - 4 * W; seq != 0; seq++)
        CHECK(feed(&w, seq) && !feed(&w, seq));
}

#define SET (1u << 22)

/* A set that remembers every number from `base` on, `limit` of them. */
static void against_a_set(uint32_t base, uint32_t limit, uint32_t seed, unsigned steps)
{
    static uint8_t seen[SET];
    struct window w = {0};
    uint32_t last = 0; /* offset from base */
    bool any = false;

    memset(seen, 0, sizeof(seen));
    for (unsigned i = 0; i < steps; i++) {
        uint32_t offset;
        bool fresh;

        seed = seed * 1664525u + 1013904223u;
        switch (seed >> 28) {
        case 0: /* a jump ahead */
            offset = last + (seed >> 8) % 70;
            break;
        case 1: /* far back, at and around the window's end */
            offset = last + 4 - W - (seed >> 8) % 8;
            break;
        case 2:
            offset = (seed >> 6) % 4096 == 0 ? last + 1500 + (seed >> 9) % 2000 : last + 1;
            break;
        default:
            offset = last + 2 - (seed >> 8) % (W + 40);
            break;
        }
        if (offset >= limit) /* below base, or past the end */
            continue;
        fresh = base + offset != 0 && !seen[offset] && (!any || offset > last || last - offset < W);
        if (feed(&w, base + offset) != (fresh != check_sabotaged())) {
            check_fail(__FILE__, __LINE__, "step %u: %u, last %u", i, base + offset, base + last);
            return;
        }
        if (fresh) {
            seen[offset] = 1;
            last = !any || offset > last ? offset : last;
            any = true;
        }
    }
}

TEST(c23_window_agrees_with_a_set)
{
    against_a_set(0, SET, 1, check_rounds(1000000));
    against_a_set(0x7fff0000, SET, 2, 300000);
    if (getenv("L2TPC_LONG")) /* 10^8 steps of fresh windows */
        for (uint32_t seed = 100; seed < 190; seed++)
            against_a_set(seed * 1000003, SET, seed, 1000000);
    for (uint32_t seed = 3; seed < 23; seed++) /* into the last number there is */
        against_a_set(TOP - 5000, 5001, seed, 20000);
}
