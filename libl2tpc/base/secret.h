/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Wiping and constant-time comparison. There is deliberately no way to print a secret. */
#ifndef L2TPC_BASE_SECRET_H
#define L2TPC_BASE_SECRET_H

#include "base/span.h"

/* Longest pre-shared key, password or tunnel secret that is accepted, in bytes. */
#define SECRET_MAX 512

/* A secret kept by value so that its owner can wipe it in place. */
struct secret {
    size_t n;
    uint8_t bytes[SECRET_MAX];
};

/* Overwrites in a way the compiler must not remove. NULL with n == 0 is fine. */
void wipe(void *p, size_t n);

/* Time depends on n alone. */
bool equal_ct(const void *a, const void *b, size_t n) MUST_USE;

/* Copies; false, with `out` untouched, when longer than SECRET_MAX. */
bool secret_set(struct secret *out, struct span bytes) MUST_USE;

static inline struct span secret_span(const struct secret *s)
{
    return span_of(s->bytes, s->n);
}

static inline void secret_wipe(struct secret *s)
{
    wipe(s, sizeof(*s));
}

/* Overwrites and frees; NULL is fine. */
void wipe_free(void *p, size_t n);

#endif
