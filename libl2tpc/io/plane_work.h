/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What planes work with; all planes of a hub share it. Inside of one call but for the packets that
 * wait for their turn. Pages of it that no packet has touched cost no memory.
 */
#ifndef L2TPC_IO_PLANE_WORK_H
#define L2TPC_IO_PLANE_WORK_H

#include "dial/data.h"
#include "io/coalesce.h"
#include "io/fair.h"
#include "io/loop.h"
#include "io/plane_tun.h"
#include "io/run.h"

struct plane;

/* A packet of a TUN that waits for its turn. */
struct plane_slot {
    struct plane *plane; /* NULL: gone meanwhile */
    struct vnet vnet;
    struct mspan packet;
    uint8_t room[TUN_READ_MAX];
};

struct plane_work {
    struct esp_packet opened[DATA_BATCH_MAX];
    struct coalesce coalesce;
    struct plane *together; /* whose packets are in it; NULL: nobody's */
    struct run run;
    struct fair fair; /* over all planes: their flows take turns as those of one do */
    struct loop *loop;
    struct loop_timer again;
    struct plane_slot slot[FAIR_SLOTS];
};

#endif
