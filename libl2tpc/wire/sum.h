/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Internet checksum (RFC 1071): taken in the machine's byte order, many bytes at a time, and
 * turned once at the end.
 */
#ifndef L2TPC_WIRE_SUM_H
#define L2TPC_WIRE_SUM_H

#include "base/span.h"

/* Only the last span of a sum may have an odd length. */
uint64_t sum_add(uint64_t sum, struct span s);
/* The same, copied to `out` in one go. */
uint64_t sum_copy(uint64_t sum, uint8_t *out, struct span s);
/* A number as it stands in a header. */
uint64_t sum_add_u16(uint64_t sum, uint16_t value);
/* 0xffff over bytes that hold their own right checksum; its complement goes into a field. */
uint16_t sum_fold(uint64_t sum) MUST_USE;

#endif
