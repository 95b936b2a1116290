/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel as a witness: packet sockets on the outer interface whose filters match the session's
 * packets. They are never read; the kernel's own statistics are the counts (packets that did not
 * fit into the tiny queue are in them). A packet that segmentation or receive offload made of
 * several counts once.
 */
#ifndef L2TPC_HOST_OBSERVER_H
#define L2TPC_HOST_OBSERVER_H

#include "host/host.h"

struct observer_counts {
    uint64_t clear, esp_out, esp_in;
};

/* The newest observer's, kept for whoever asks when it is closed already. */
struct observer_last {
    uint32_t id;
    struct inaddr server;
    struct observer_counts counts;
};

int host_observer_open(uint32_t ifindex, const struct inaddr *server, struct host_observer **out);
/* SPIs in host order; those of the call before stay counted, for the overlap of a rekey. */
int host_observer_set_spis(struct host_observer *obs, uint32_t out_spi, uint32_t in_spi,
                           uint16_t local_port, uint16_t remote_port);
int host_observer_read(struct host_observer *obs, struct observer_counts *out);
void host_observer_close(struct host_observer *obs); /* NULL is fine */

int serve_open_observer(l2tpc_host *h, const l2tpc_host_open_observer *q, l2tpc_host_reply *reply);
int serve_observer_set_spis(l2tpc_host *h, const l2tpc_host_observer_set_spis *q,
                            l2tpc_host_reply *reply);
int serve_observer_read(l2tpc_host *h, const l2tpc_host_observer_id *q, l2tpc_host_reply *reply);
int serve_observer_close(l2tpc_host *h, const l2tpc_host_observer_id *q, l2tpc_host_reply *reply);

#endif
