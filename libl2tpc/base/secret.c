/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

void wipe(void *p, size_t n)
{
    if (n > 0)
        explicit_bzero(p, n);
}

bool equal_ct(const void *a, const void *b, size_t n)
{
    const volatile uint8_t *x = a;
    const volatile uint8_t *y = b;
    uint8_t diff = 0;

    for (size_t i = 0; i < n; i++)
        diff = (uint8_t)(diff | (x[i] ^ y[i]));
    return diff == 0;
}

bool secret_set(struct secret *out, struct span bytes)
{
    if (bytes.n > SECRET_MAX)
        return false;
    wipe(out, sizeof(*out));
    if (bytes.n > 0)
        memcpy(out->bytes, bytes.p, bytes.n);
    out->n = bytes.n;
    return true;
}

void wipe_free(void *p, size_t n)
{
    if (p)
        wipe(p, n);
    free(p);
}
