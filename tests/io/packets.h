/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inner packets made and checked byte by byte, by other code than the library's. */
#ifndef TESTS_IO_PACKETS_H
#define TESTS_IO_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shape {
    bool six, udp;
    uint16_t port;  /* the source's: the flow */
    uint32_t seq;   /* TCP; payload is numbered from it too */
    uint16_t id;    /* IPv4 */
    uint8_t flags;  /* TCP; 0: ACK */
    size_t options; /* TCP: bytes of them, all NOP */
    size_t payload;
};

/* Headers, payload and right checksums; the length. */
size_t packet_make(uint8_t *out, const struct shape *shape);
size_t packet_header(const struct shape *shape);
/* Lengths and all checksums are right. */
bool packet_is_sound(const uint8_t *p, size_t n);
/* The Internet checksum, a byte at a time: 0 over what holds its own. */
uint16_t packet_sum(const uint8_t *p, size_t n, uint32_t sum);
/* Of the pseudo-header of a packet whose inner part is so long. */
uint32_t packet_pseudo(const uint8_t *p, size_t inside);

#endif
