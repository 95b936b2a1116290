/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sentences on standard error, for a terminal or a journal. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>

void make_harmless(char *text)
{
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
}

void complain(const char *format, ...)
{
    char text[2048];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    make_harmless(text);
    (void)fprintf(stderr, "l2tpc: %s\n", text);
}
