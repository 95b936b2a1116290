/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the two files of the plane share; nobody else includes this. */
#ifndef L2TPC_IO_PLANE_IMPL_H
#define L2TPC_IO_PLANE_IMPL_H

#include "base/tally.h"
#include "io/plane.h"
#include "io/plane_tun.h"

/* What a lane owes the control side: one note for many batches. */
struct note {
    l2tpc_us told; /* 0: never */
    struct loop_timer timer;
};

struct plane {
    struct hub *hub;
    struct lanes *lanes; /* NULL: all in one thread */
    struct data_path *data;
    struct plane_hooks hooks;
    struct offload offload;
    bool single;  /* packets one by one, as a recording has them */
    bool is_gone; /* the TUN; the control side has told */

    /* Of who sends. */
    struct loop *loop;
    struct loop_source *source;
    struct tun tun;
    struct hub_gso gso;
    int gone_error; /* why the TUN is lost, until the hook has been told */
    struct inaddr local;
    struct note out;
    tally too_long, unfit;

    /* Of who receives. */
    struct tun to; /* the same TUN */
    int lost_error;
    bool esp_came; /* in this batch */
    bool begun;    /* ... on an SA that nothing came on before */
    struct endpoint from, told_from;
    struct note in;
    tally tun_full, tun_down;
};

/* plane_tell.c: what the control side is told, by a call where all is one thread, else by a ring.
 */
void plane_notes_init(struct plane *plane);
void plane_notes_drop(struct plane *plane); /* while the lanes are held */
/* Forgets the TUN; while the lanes are held. */
void plane_detach(struct plane *plane);

/* By who receives. */
void plane_note_in(struct plane *plane, l2tpc_us now);
void plane_give_control(struct plane *plane, enum data_kind kind, struct span inner, l2tpc_us now);
void plane_tell_lost(struct plane *plane, l2tpc_us now); /* may free the plane */

/* By who sends. */
void plane_note_out(struct plane *plane, l2tpc_us now);
void plane_note_refused(struct plane *plane, int refused, l2tpc_us now);
void plane_tell_gone(struct plane *plane, l2tpc_us now); /* may free the plane */

#endif
