/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ESP packets on their way out, one behind the other at their exact length, so that those of equal
 * length leave in one call as a run that the kernel, or the network card, cuts (UDP_SEGMENT). Pure:
 * it only lays them out.
 */
#ifndef L2TPC_IO_RUN_H
#define L2TPC_IO_RUN_H

#include "esp/esp.h"

#define RUN_ROOM (256 * 1024) /* all of it is in use at once: no more than a core's cache holds */
#define RUN_PACKETS 192
#define RUN_FULL 96     /* enough to be worth a call; what remains is room for a super-packet */
#define RUN_SEGMENTS 64 /* UDP_MAX_SEGMENTS of the kernel */
#define RUN_BYTES 65000 /* of one datagram with its headers */
#define RUN_TAIL ESP_TAILROOM

struct run {
    unsigned n;
    size_t used;
    struct esp_packet packet[RUN_PACKETS];
    uint8_t room[RUN_ROOM + RUN_TAIL];
};

/* One datagram, or n that stand one behind the other, `size` bytes each and the last at most. */
struct run_part {
    struct span bytes;
    size_t size;
    unsigned n;
};

static inline void run_clear(struct run *r)
{
    r->n = 0;
    r->used = 0;
}

/* Where the next packet of so many bytes will stand; NULL: send what there is first. */
uint8_t *run_room(struct run *r, size_t bytes);
/* It is there now: `message` is what will be sealed, inside of the room. */
void run_add(struct run *r, size_t bytes, struct mspan message);
/* From packet `*next` on: the sealed packets, at most so many, that leave together. False at the
 * end.
 */
bool run_part(const struct run *r, unsigned *next, unsigned most, struct run_part *out);

#endif
