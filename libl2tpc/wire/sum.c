/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wire/sum.h"

#include <endian.h>
#include <string.h>

/* Four lanes of 64 bits, in whatever registers the processor has. */
typedef uint64_t lanes __attribute__((vector_size(32)));

#define LOW 0xffffffffu

uint64_t sum_add(uint64_t sum, struct span s)
{
    const lanes low = {LOW, LOW, LOW, LOW};
    lanes total = {0, 0, 0, 0};
    uint32_t word;
    lanes four;

    for (; s.n >= sizeof(four); s = span_of(s.p + sizeof(four), s.n - sizeof(four))) {
        memcpy(&four, s.p, sizeof(four));
        total += (four & low) + (four >> 32);
    }
    /* Far below 2^48 each, as no span here is longer than a packet. */
    sum += total[0] + total[1] + total[2] + total[3];
    for (; s.n >= sizeof(word); s = span_of(s.p + sizeof(word), s.n - sizeof(word))) {
        memcpy(&word, s.p, sizeof(word));
        sum += word;
    }
    if (s.n > 0) {
        word = 0;
        memcpy(&word, s.p, s.n);
        sum += word;
    }
    return sum;
}

uint64_t sum_add_u16(uint64_t sum, uint16_t value)
{
    return sum + htobe16(value);
}

uint16_t sum_fold(uint64_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return be16toh((uint16_t)sum);
}
