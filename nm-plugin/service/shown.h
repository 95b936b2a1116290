/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tunnel on the system bus, net.l2tpc.Tunnel1, served by the GLib main loop. */
#ifndef L2TPC_SERVICE_SHOWN_H
#define L2TPC_SERVICE_SHOWN_H

#include "bus/bus.h"

#include <glib.h>

struct shown {
    GSource source;
    struct bus_tunnel *bus;
    gpointer tag;
    int fd;
};

/* NULL when there is no bus for it. */
struct shown *shown_new(const struct bus_tunnel_options *options);
/* `s` may be NULL. */
void shown_on_event(struct shown *s, const l2tpc_event *event);
/* Owns the status; `s` may be NULL. */
void shown_take(struct shown *s, l2tpc_status *status);
void shown_free(struct shown *s);

#endif
