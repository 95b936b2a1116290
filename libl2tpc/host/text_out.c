/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/text_out.h"

#include <stdarg.h>
#include <stdio.h>

void text_add(struct text *t, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(t->out + t->n, t->cap - t->n, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= t->cap - t->n)
        t->full = true;
    else
        t->n += (size_t)n;
}
