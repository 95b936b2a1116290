/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counts what the process allocates: the allocator's entries are replaced in this program. */
#ifndef TESTS_BENCH_COUNT_H
#define TESTS_BENCH_COUNT_H

#include <stdint.h>

void count_begin(void);
uint64_t count_allocations(void); /* since then; 0 where the C library has no such entries */

#endif
