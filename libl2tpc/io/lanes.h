/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The data threads of a context, one or two, each with a loop of its own: what is received goes one
 * lane, what is sent the other one or the same. They know sockets, TUNs and keys, and no engine;
 * what is for an engine they put into a ring that the control side empties. They take no lock: who
 * wants to change what they use swaps a pointer, or holds them for a moment.
 */
#ifndef L2TPC_IO_LANES_H
#define L2TPC_IO_LANES_H

#include "base/turns.h"
#include "io/loop.h"
#include "io/ring.h"

struct lanes;

/* `threads` is 1 or 2; `control` is where the rings are emptied. NULL, with errno. */
struct lanes *lanes_new(struct loop *control, unsigned threads);
void lanes_free(struct lanes *l); /* ends the threads; NULL is fine */

struct loop *lanes_rx(const struct lanes *l);
struct loop *lanes_tx(const struct lanes *l);
/* For the control side: while it holds, all that the lanes use may be changed, loops included. */
struct turns *lanes_turns(struct lanes *l);

/* Each by its own lane, or while the lanes are held. False, and counted: the control side is too
 * far behind. */
bool lanes_tell_rx(struct lanes *l, const struct ring_record *record, struct span bytes) MUST_USE;
bool lanes_tell_tx(struct lanes *l, const struct ring_record *record, struct span bytes) MUST_USE;
/* While the lanes are held: nobody is called for this owner any more. */
void lanes_forget(struct lanes *l, const void *owner);
uint64_t lanes_lost(const struct lanes *l);

#endif
