/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The header that a TUN with IFF_VNET_HDR puts before each packet (struct virtio_net_hdr): what is
 * left to do about its checksum, and how a super-packet is to be cut. Numbers are in the machine's
 * order. Of the longer forms of the header only the first ten bytes say anything here.
 */
#ifndef L2TPC_IO_VNET_H
#define L2TPC_IO_VNET_H

#include <stdint.h>

#define VNET_LEN 10
#define VNET_LEN_MAX 64 /* beyond the longest that any kernel knows */

enum {
    VNET_NEEDS_CSUM = 1,
    VNET_GSO_NONE = 0,
    VNET_GSO_TCPV4 = 1,
    VNET_GSO_TCPV6 = 4,
    VNET_GSO_UDP_L4 = 5,
    VNET_GSO_ECN = 0x80, /* beside one of TCP's: the first packet may have CWR */
};

struct vnet {
    uint8_t flags;
    uint8_t gso_type;
    uint16_t hdr_len;
    uint16_t gso_size;
    uint16_t csum_start;
    uint16_t csum_offset; /* from csum_start */
};

_Static_assert(sizeof(struct vnet) == VNET_LEN, "it is read and written as it is");

#endif
