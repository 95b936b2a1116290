/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef L2TPC_HOST_WATCH_H
#define L2TPC_HOST_WATCH_H

#include "host/host.h"

void watch_close(l2tpc_host *h);

#endif
