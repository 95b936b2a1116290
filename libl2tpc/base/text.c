/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/text.h"

#include <string.h>

/* Length of the well-formed UTF-8 sequence at p (Unicode table 3-7), or 0. */
static size_t utf8_len(struct span s)
{
    uint8_t b = s.p[0];
    uint8_t lo = 0x80;
    uint8_t hi = 0xbf;
    size_t n;

    if (b < 0x80)
        return 1;
    if (b >= 0xc2 && b <= 0xdf)
        n = 2;
    else if (b >= 0xe0 && b <= 0xef)
        n = 3;
    else if (b >= 0xf0 && b <= 0xf4)
        n = 4;
    else
        return 0;
    if (b == 0xe0)
        lo = 0xa0;
    else if (b == 0xed)
        hi = 0x9f;
    else if (b == 0xf0)
        lo = 0x90;
    else if (b == 0xf4)
        hi = 0x8f;
    if (s.n < n || s.p[1] < lo || s.p[1] > hi)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((s.p[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

static const char hex_digits[] = "0123456789abcdef";

void text_escape(char *out, size_t cap, struct span raw)
{
    size_t at = 0;

    if (cap == 0)
        return;
    while (raw.n > 0) {
        size_t n = utf8_len(raw);
        bool plain = n > 1 ? !(n == 2 && raw.p[0] == 0xc2 && raw.p[1] < 0xa0)
                           : n == 1 && raw.p[0] >= 0x20 && raw.p[0] != 0x7f && raw.p[0] != '\\';
        size_t need = plain ? n : 4;

        if (need >= cap - at)
            break;
        if (plain) {
            memcpy(out + at, raw.p, n);
        } else {
            n = 1;
            out[at] = '\\';
            out[at + 1] = 'x';
            out[at + 2] = hex_digits[raw.p[0] >> 4];
            out[at + 3] = hex_digits[raw.p[0] & 15];
        }
        at += need;
        raw = span_of(raw.p + n, raw.n - n);
    }
    out[at] = '\0';
}

void text_hex(char *out, size_t cap, struct span raw)
{
    size_t at = 0;

    if (cap == 0)
        return;
    for (size_t i = 0; i < raw.n && cap - at > 2; i++) {
        out[at++] = hex_digits[raw.p[i] >> 4];
        out[at++] = hex_digits[raw.p[i] & 15];
    }
    out[at] = '\0';
}

bool text_is_utf8(struct span raw)
{
    while (raw.n > 0) {
        size_t n = utf8_len(raw);

        if (n == 0)
            return false;
        raw = span_of(raw.p + n, raw.n - n);
    }
    return true;
}
