/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Borrowed bytes: a pointer and a length that travel together. Nobody owns what a span points to.
 */
#ifndef L2TPC_BASE_SPAN_H
#define L2TPC_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_USE __attribute__((warn_unused_result))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

struct span {
    const uint8_t *p;
    size_t n;
};

/* The same, writable. */
struct mspan {
    uint8_t *p;
    size_t n;
};

static inline struct span span_of(const void *p, size_t n)
{
    return (struct span){.p = p, .n = n};
}

static inline struct span span_ro(struct mspan m)
{
    return (struct span){.p = m.p, .n = m.n};
}

/* The bytes of a NUL-terminated string, without the NUL; NULL gives an empty span. */
struct span span_str(const char *s);

/* Equal length and content. Not constant time: never for secrets. */
bool span_eq(struct span a, struct span b);

#define SPAN_ARRAY(a) span_of((a), sizeof(a))
#define SPAN_NONE ((struct span){.p = NULL, .n = 0})

#endif
