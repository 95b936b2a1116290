/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The broker's side of the socket. What comes from the other end is believed in nothing: its
 * length, its type and every field that names something are held against the policy before anything
 * is done.
 */
#ifndef L2TPC_HOST_BROKER_H
#define L2TPC_HOST_BROKER_H

#include "host/host.h"

struct broker {
    l2tpc_host_policy policy;
    char interface[HOST_IFNAME]; /* the TUN that was made for this end; "": none yet */
    uint32_t sockets;            /* made so far */
};

/* False: a policy that allows nothing definite. */
bool broker_init(struct broker *b, const l2tpc_host_policy *policy) MUST_USE;
/* A packet as it came. True: `out` is whole and allowed; else `reply` says why not. */
bool broker_take(const struct broker *b, struct span packet, l2tpc_host_request *out,
                 l2tpc_host_reply *reply) MUST_USE;
/* What was served counts from now on. */
void broker_note(struct broker *b, const l2tpc_host_request *q, const l2tpc_host_reply *reply);
/* Its interface is gone: there may be another one. */
void broker_forget_tun(struct broker *b);

#endif
