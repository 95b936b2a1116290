/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A heap for a library that keeps secrets among everything else and knows no vault: OpenSSL, whose
 * key schedules and private keys are blocks like its tables. All of it is left out of core dumps,
 * locked as far as the system lets us, and wiped when it is given back. Unlike the arena
 * (io/arena.h) a child sees what is in it, as that library works on in the child; what the child
 * does there is locked again.
 *
 * There is one for the whole process, as there is one OpenSSL. With a sanitizer it is the usual
 * heap, wiped, or nothing would be found any more.
 */
#ifndef L2TPC_IO_HEAP_H
#define L2TPC_IO_HEAP_H

#include "base/span.h"

#include <stddef.h>

/* Before the next three. Again, in any process: what the system lets us lock now is locked. */
bool heap_start(void) MUST_USE;
/* OpenSSL works in it from now on; false: it has taken blocks from elsewhere already. */
bool heap_serve_crypto(void) MUST_USE;

/* As OpenSSL calls them; in any thread. */
void *heap_malloc(size_t n, const char *file, int line);
void *heap_realloc(void *p, size_t n, const char *file, int line);
void heap_free(void *p, const char *file, int line);

/* For tests and figures. */
struct heap_use {
    size_t bytes;  /* handed out, rounded up to what blocks there are */
    size_t pages;  /* bytes that were opened so far */
    size_t locked; /* bytes of those */
};
struct heap_use heap_use(void);

#endif
