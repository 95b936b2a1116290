/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The interface at the inner end of a plane: a TUN, with or without a header before each packet, or
 * a socket that carries IP packets. What the kernel can leave to us, and take from us, is asked for
 * step by step and may be nothing.
 */
#ifndef L2TPC_IO_PLANE_TUN_H
#define L2TPC_IO_PLANE_TUN_H

#include "base/span.h"
#include "io/offload.h"
#include "io/vnet.h"

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

#define TUN_READ_MAX (65536 + VNET_LEN_MAX)

struct tun {
    int fd;        /* -1: none */
    int type;      /* of a socket in place of a TUN, else 0 */
    size_t header; /* bytes before each packet; 0: no header, no super-packets */
    bool udp;      /* super-packets may be UDP */
};

/* Looks at a descriptor and makes it non-blocking; false with errno when it cannot be used. */
bool tun_take(struct tun *t, int fd, const struct offload *offload);
/*
 * The next packet, `*vnet` all zero where the TUN has no header: its start inside `room` of
 * TUN_READ_MAX bytes and its length. 0: go on with the next one, -1: errno, EAGAIN at the end.
 */
ssize_t tun_read(const struct tun *t, uint8_t *room, struct vnet *vnet, uint8_t **out_packet);
/* Parts 1 to n are the packet; part 0 is used here. 0 or an errno. */
int tun_write(const struct tun *t, const struct vnet *vnet, struct iovec *part, unsigned n);
/* True when the error means that the interface is gone, not that it is down or busy. */
bool tun_is_gone(const struct tun *t, int why);

#endif
