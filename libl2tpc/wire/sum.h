/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Internet checksum (RFC 1071): taken in the machine's byte order, many bytes at a time, and
 * turned once at the end.
 */
#ifndef L2TPC_WIRE_SUM_H
#define L2TPC_WIRE_SUM_H

#include "base/span.h"

#include <endian.h>
#include <string.h>

/* Only the last span of a sum may have an odd length. */
uint64_t sum_add(uint64_t sum, struct span s);
/* The same, copied to `out` in one go. */
uint64_t sum_copy(uint64_t sum, uint8_t *out, struct span s);

/* A number as it stands in a header. */
static inline uint64_t sum_add_u16(uint64_t sum, uint16_t value)
{
    return sum + htobe16(value);
}

/* A few whole words, as headers are. */
static inline uint64_t sum_add_words(uint64_t sum, const uint8_t *p, size_t words)
{
    for (size_t i = 0; i < words; i++) {
        uint32_t word;

        memcpy(&word, p + i * sizeof(word), sizeof(word));
        sum += word;
    }
    return sum;
}

/* 0xffff over bytes that hold their own right checksum; its complement goes into a field. */
static inline uint16_t sum_fold(uint64_t sum) MUST_USE;
static inline uint16_t sum_fold(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32); /* 33 bits are left, then 18, then 17, then 16 */
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return be16toh((uint16_t)sum);
}

#endif
