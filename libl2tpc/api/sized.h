/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Structs that cross the API carry their size first, as the program knew it when it was compiled.
 * An older program knows less of a struct than we do, a newer one more; either is served.
 */
#ifndef L2TPC_API_SIZED_H
#define L2TPC_API_SIZED_H

#include <stdbool.h>
#include <stddef.h>

/* A caller's struct into ours of `n` bytes: what it lacks is zero. False when its size is nonsense,
 * or when it sets something that we do not know. */
bool sized_read(void *out, size_t n, const void *in);
/* Whether the size in a caller's struct makes sense at all. */
bool sized_ok(const void *out);
/* Our struct of `n` bytes into a caller's, as much as it has room for; what we do not know becomes
 * zero. Its size stays. */
void sized_write(void *out, const void *in, size_t n);

#endif
