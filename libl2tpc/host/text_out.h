/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text files written into a bounded buffer: what does not fit is said once, at the end. */
#ifndef L2TPC_HOST_TEXT_OUT_H
#define L2TPC_HOST_TEXT_OUT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *out;
    size_t cap, n;
    bool full;
};

void text_add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
