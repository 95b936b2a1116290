/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The data plane: moves IP packets between the TUN and ESP. What the kernel gives as one,
 * super-packets of the TUN and runs of ESP, is cut here, sealed or opened in batches, and given
 * back as one. It runs in the loop's thread or, where the hub has lanes, in those; all that it
 * knows of the dial is its data path.
 */
#ifndef L2TPC_IO_PLANE_H
#define L2TPC_IO_PLANE_H

#include "dial/data.h"
#include "io/hub.h"
#include "io/loop.h"

/*
 * Called in the loop's thread, with lanes through a ring. No hook may free the plane except
 * tun_gone, which comes last; with lanes, any may.
 */
struct plane_hooks {
    void *user;
    /* An L2TP control message or a PPP frame that is not IP: dial_input_inner(). */
    void (*control)(void *user, enum data_kind kind, struct span inner, l2tpc_us now);
    /* Once per batch: dial_note_esp_in(), dial_note_esp_out(). With lanes ten times a second, and
     * at once when the sender or the SA is a new one. */
    void (*esp_in)(void *user, const struct endpoint *from, l2tpc_us now);
    void (*esp_out)(void *user, l2tpc_us now);
    /* The kernel refused to send: dial_note_unreachable(). Optional. */
    void (*unreachable)(void *user, int os_error, l2tpc_us now);
    /* The interface was removed; the plane no longer watches it. */
    void (*tun_gone)(void *user, int os_error, l2tpc_us now);
};

struct plane_counters {
    uint64_t tun_full; /* packets the TUN had no room for */
    uint64_t tun_down; /* packets for an interface that is down, or not there yet */
    uint64_t too_long; /* packets from the TUN that fit no tunnel */
    uint64_t unfit;    /* super-packets from the TUN that do not cut */
};

struct plane;

/*
 * `tun_fd` is a TUN without packet information, with IFF_VNET_HDR or without, or a datagram socket
 * of IP packets; it is made non-blocking and stays the caller's; -1 when it comes later. NULL with
 * errno on failure.
 */
/* `loop` is where the hooks are called. */
struct plane *plane_new(struct loop *loop, struct hub *hub, struct data_path *data, int tun_fd,
                        const struct plane_hooks *hooks);
void plane_free(struct plane *plane);
bool plane_set_tun(struct plane *plane, int tun_fd) MUST_USE; /* -1 detaches */
/* The source address of the outer packets, as negotiated; until set the kernel chooses. */
void plane_set_local(struct plane *plane, const struct inaddr *local);

/* ESP packets, SPI first, from the hub and in its thread; opened in place. */
void plane_input(struct plane *plane, const struct mspan *packets, unsigned n,
                 const struct endpoint *from, l2tpc_us now);
/* From the member's esp_end. */
void plane_batch_end(struct plane *plane, l2tpc_us now);
/* An IP packet that came by another way, such as dial_pop_ip(). */
void plane_deliver(struct plane *plane, struct span ip);
struct plane_counters plane_counters(const struct plane *plane);

#endif
