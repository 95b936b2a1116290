/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Puts packets of one flow that follow each other together again, into super-packets for the TUN:
 * one header and a list of payloads where they are, nothing copied. Only TCP and UDP whose own
 * checksum is right, as the kernel is told to take it for granted. Within a flow order stays. Pure:
 * no system calls.
 */
#ifndef L2TPC_IO_COALESCE_H
#define L2TPC_IO_COALESCE_H

#include "base/span.h"
#include "io/vnet.h"

#include <sys/uio.h>

#define COALESCE_PACKETS 64 /* of one super-packet, as many as the kernel puts together */
#define COALESCE_FLOWS 8    /* at a time; a ninth sends the oldest on its way */

/* What a packet says of itself; valid as long as the packet is. */
struct coalesce_view {
    struct mspan ip;
    bool six, udp;
    bool joins;    /* it may be part of a super-packet */
    size_t at;     /* of the TCP or UDP header */
    size_t header; /* all headers */
    uint32_t seq;
    uint16_t id;
    bool df, push;
};

struct coalesce_group {
    struct coalesce_view first;
    unsigned n;    /* packets; 0: the slot is free */
    size_t length; /* of the super-packet so far */
    size_t size;   /* payload of each packet but the last */
    bool closed;   /* a shorter one, or one with PSH, was the last */
    struct vnet vnet;
    struct iovec part[1 + COALESCE_PACKETS]; /* the first one is for the header of the TUN */
};

struct coalesce {
    bool udp; /* the kernel takes UDP too */
    unsigned oldest;
    struct coalesce_group group[COALESCE_FLOWS];
};

/*
 * Where it goes: part[1] to part[n] and what to say before it. part[0] may be filled in.
 */
typedef void (*coalesce_fn)(void *user, const struct vnet *vnet, struct iovec *part, unsigned n);

/* A sound IP packet, which stays where it is until it was handed on. */
void coalesce_add(struct coalesce *c, struct mspan ip, coalesce_fn fn, void *user);
void coalesce_flush(struct coalesce *c, coalesce_fn fn, void *user);

#endif
