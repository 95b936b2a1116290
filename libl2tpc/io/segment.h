/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Cuts a super-packet of the TUN into the packets it stands for, each written once, to its final
 * place, with headers and checksums of its own. Pure: no system calls. What does not cut cleanly is
 * refused whole.
 */
#ifndef L2TPC_IO_SEGMENT_H
#define L2TPC_IO_SEGMENT_H

#include "base/span.h"
#include "io/vnet.h"

struct segments {
    unsigned n; /* packets; 1 for one that is no super-packet */
    /* The inside: */
    struct mspan packet;
    bool six, udp;
    size_t at;     /* of the TCP or UDP header */
    size_t header; /* all headers, which each packet gets a copy of */
    size_t size;   /* payload of each packet but the last */
    uint16_t id;   /* IPv4: of the first */
    uint32_t seq;  /* TCP: of the first */
    uint8_t flags; /* TCP: of the whole */
    /* What the checksums of all packets have in common: the headers without the fields that differ
     * (which are zero in `packet` from then on), and the pseudo-header without its length. */
    uint64_t ip_sum, inside_sum;
};

/* Takes over the header that came with the packet; a checksum that is still due is made up here. */
bool segments_of(struct segments *s, const struct vnet *vnet, struct mspan packet) MUST_USE;
size_t segment_length(const struct segments *s, unsigned i);
/* Writes packet i, segment_length() bytes. */
bool segment_write(const struct segments *s, unsigned i, uint8_t *out) MUST_USE;

#endif
