/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A SYN that asks for longer segments than the tunnel carries is made to ask for what fits: what
 * other hosts behind either end believe of the path is wrong, and ICMP may not reach them. Pure.
 */
#ifndef L2TPC_IO_MSS_H
#define L2TPC_IO_MSS_H

#include "base/span.h"

/* `mtu` 0 leaves all as it is. True when the packet was changed. */
bool mss_clamp(struct mspan ip, uint16_t mtu);

#endif
