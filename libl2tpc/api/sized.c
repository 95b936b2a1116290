/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/sized.h"

#include <stdint.h>
#include <string.h>

#define SIZE_SANE 4096 /* no struct of ours will ever be that long */

static size_t size_of(const void *sized)
{
    size_t size;

    memcpy(&size, sized, sizeof(size));
    return size;
}

bool sized_ok(const void *sized)
{
    return sized && size_of(sized) >= sizeof(size_t) && size_of(sized) <= SIZE_SANE;
}

bool sized_read(void *out, size_t n, const void *in)
{
    const uint8_t *bytes = in;
    size_t size;

    if (!sized_ok(in))
        return false;
    size = size_of(in);
    for (size_t i = n; i < size; i++)
        if (bytes[i] != 0)
            return false;
    memset(out, 0, n);
    memcpy(out, in, size < n ? size : n);
    memcpy(out, &n, sizeof(n));
    return true;
}

void sized_write(void *out, const void *in, size_t n)
{
    size_t size = size_of(out);
    size_t fits = size < n ? size : n;

    memcpy((uint8_t *)out + sizeof(size), (const uint8_t *)in + sizeof(size), fits - sizeof(size));
    memset((uint8_t *)out + fits, 0, size - fits);
}
