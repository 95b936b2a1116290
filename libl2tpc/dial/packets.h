/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packets that wait inside a dial: heap copies in order, none of them while nothing waits. */
#ifndef L2TPC_DIAL_PACKETS_H
#define L2TPC_DIAL_PACKETS_H

#include "base/queue.h"

struct packet;

struct packets {
    struct packet *first, *last;
    unsigned used, overflow; /* overflow: were lost */
    size_t bytes;
};

/* Copies; false when EARLY_PACKETS_MAX or EARLY_BYTES_MAX are there already, or without memory. */
bool packets_push(struct packets *q, uint32_t tag, struct span bytes);
bool packets_pop(struct packets *q, struct msg *out) MUST_USE; /* the caller then owns `out` */
void packets_clear(struct packets *q);

#endif
