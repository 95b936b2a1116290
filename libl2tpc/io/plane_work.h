/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a plane works with inside of one call; all planes of a hub share it. Pages of it that no
 * packet has touched cost no memory.
 */
#ifndef L2TPC_IO_PLANE_WORK_H
#define L2TPC_IO_PLANE_WORK_H

#include "dial/data.h"
#include "io/coalesce.h"
#include "io/plane_tun.h"
#include "io/run.h"

struct plane_work {
    struct esp_packet opened[DATA_BATCH_MAX];
    struct coalesce coalesce;
    struct run run;
    uint8_t from_tun[TUN_READ_MAX];
};

#endif
