/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All tunnels of this computer, whoever started them: the bus names net.l2tpc.Tunnel1.u<UUID>.
 * Signals "added" and "removed" (uuid, L2dBusTunnel). Without a system bus there are none.
 */
#ifndef L2D_BUS_TUNNELS_H
#define L2D_BUS_TUNNELS_H

#include "bus/tunnel.h"

G_BEGIN_DECLS

#define L2D_TYPE_BUS_TUNNELS (l2d_bus_tunnels_get_type())
G_DECLARE_FINAL_TYPE(L2dBusTunnels, l2d_bus_tunnels, L2D, BUS_TUNNELS, GObject)

/* Begins to look; what is there already comes as "added", too. */
L2dBusTunnels *l2d_bus_tunnels_new(void);

G_END_DECLS

#endif
