/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/span.h"

#include <string.h>

struct span span_str(const char *s)
{
    return span_of(s, s ? strlen(s) : 0);
}

bool span_eq(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
