/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where things stand in the headers of the packets that a tunnel carries. */
#ifndef L2TPC_IO_LAYOUT_H
#define L2TPC_IO_LAYOUT_H

#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define TCP_HEADER 20
#define UDP_HEADER 8

enum {
    IPV4_LENGTH = 2,
    IPV4_ID = 4,
    IPV4_SUM = 10,
    IPV4_ADDRESSES = 12,
    IPV6_LENGTH = 4,
    IPV6_ADDRESSES = 8,
    TCP_SEQ = 4,
    TCP_FLAGS = 13,
    TCP_SUM = 16,
    UDP_LENGTH = 4,
    UDP_SUM = 6,
};

enum {
    IPV4_DF = 0x4000,
    IPV4_FRAGMENT = 0x3fff, /* more of them, or not the first */
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
    TCP_CWR = 0x80,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
};

#endif
