/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NetworkManager's face of a tunnel: one object on the system bus. */
#ifndef L2TPC_SERVICE_PLUGIN_H
#define L2TPC_SERVICE_PLUGIN_H

#include "service/starter.h"

#include <NetworkManager.h>

#define PLUGIN_BUS_NAME "org.freedesktop.NetworkManager.l2tpc"

#define PLUGIN_TYPE (plugin_get_type())
G_DECLARE_FINAL_TYPE(Plugin, plugin, L2TPC, PLUGIN, NMVpnServicePlugin)

/* `watch_peer`: it ends when NetworkManager does. */
Plugin *plugin_new(struct starter *starter, const char *bus_name, gboolean watch_peer,
                   gboolean verbose, GError **error);
/* Nothing of a tunnel is left: the process may end. */
gboolean plugin_is_idle(Plugin *self);
/* `on_idle` is called once, as soon as that is so. */
void plugin_on_idle(Plugin *self, void (*on_idle)(gpointer user), gpointer user);

#endif
