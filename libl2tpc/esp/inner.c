/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The UDP header inside ESP: one flow, so most of its checksum is known beforehand. */
#include "esp/private.h"

#include <endian.h>
#include <string.h>

/*
 * One's complement sums are taken in the machine's byte order, 4 bytes at a time, and turned once
 * at the end (RFC 1071 2).
 */
static uint64_t sum_bytes(uint64_t sum, const uint8_t *p, size_t n)
{
    uint32_t word;

    for (; n >= sizeof(word); p += sizeof(word), n -= sizeof(word)) {
        memcpy(&word, p, sizeof(word));
        sum += word;
    }
    if (n > 0) {
        word = 0;
        memcpy(&word, p, n);
        sum += word;
    }
    return sum;
}

static uint16_t fold(uint64_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return be16toh((uint16_t)sum);
}

void inner_flow_init(struct inner_flow *f, const struct inaddr *source,
                     const struct inaddr *destination, uint16_t source_port,
                     uint16_t destination_port)
{
    f->source = source_port;
    f->destination = destination_port;
    f->pseudo = sum_bytes(0, source->bytes, inaddr_len(source));
    f->pseudo = sum_bytes(f->pseudo, destination->bytes, inaddr_len(destination));
    f->pseudo += htobe16(NEXT_HEADER_UDP);
    f->pseudo += htobe16(source_port);
    f->pseudo += htobe16(destination_port);
}

uint16_t inner_sum(const struct inner_flow *f, uint16_t length, uint16_t sum, struct span payload)
{
    /* The length stands in the header and in the pseudo-header. */
    uint64_t total = f->pseudo + 2u * (uint64_t)htobe16(length) + htobe16(sum);
    uint16_t folded = (uint16_t)~fold(sum_bytes(total, payload.p, payload.n));

    return folded == 0 ? 0xffff : folded; /* RFC 768: zero would say "none" */
}
