/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tunnel that says what it does over D-Bus: net.l2tpc.Tunnel1. */
#ifndef L2D_BUS_TUNNEL_H
#define L2D_BUS_TUNNEL_H

#include "model/tunnel.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define L2D_TYPE_BUS_TUNNEL (l2d_bus_tunnel_get_type())
G_DECLARE_FINAL_TYPE(L2dBusTunnel, l2d_bus_tunnel, L2D, BUS_TUNNEL, L2dTunnel)

/* `name`: its bus name, which somebody owns. Asks for its status at once. */
L2dBusTunnel *l2d_bus_tunnel_new(GDBusConnection *connection, const char *name);
/* Its name has no owner any more: what was said last stays when it was a failure. */
void l2d_bus_tunnel_lost(L2dBusTunnel *tunnel);
/* Asks the tunnel itself to end, for those that no back end has started. The source of the result
 * is its GDBusConnection: g_dbus_connection_call_finish(). */
void l2d_bus_tunnel_disconnect(L2dBusTunnel *tunnel, GAsyncReadyCallback callback, gpointer user);

G_END_DECLS

#endif
