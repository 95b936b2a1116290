/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages between two processes of one program, over a SOCK_SEQPACKET pair: one message a packet,
 * whole or not at all. What the other end says is as good as that process is: whoever reads it
 * checks it. Descriptors that come along find no room, and the kernel closes them.
 */
#ifndef L2TPC_IO_CHANNEL_H
#define L2TPC_IO_CHANNEL_H

#include "io/loop.h"

/* Two lists of certificates and a little (OPENED of the signer); below the kernel's usual bound. */
#define CHANNEL_MAX (160u * 1024)

struct channel;

/* In the loop's thread. NULL: the other end is gone, or sent what is no message; said once. */
typedef void (*channel_fn)(void *user, const struct span *message, l2tpc_us now);

/* Owns fd from then on, also when it fails: NULL. */
struct channel *channel_new(struct loop *loop, int fd, channel_fn fn, void *user);
/* Also from inside its `fn`. NULL is fine. */
void channel_free(struct channel *c);
/* Never waits. False: there is no room now, or nobody to read it. */
bool channel_send(struct channel *c, struct span message);

#endif
