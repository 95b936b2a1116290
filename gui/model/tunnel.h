/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A tunnel that is, or was last, run for a profile: its newest snapshot and what two minutes of
 * snapshots tell of the traffic. Where they come from is the business of a subclass, which hands
 * each to l2d_tunnel_take_snapshot(). Signal "changed" follows each. Nothing is asked for while
 * nobody looks: views call l2d_tunnel_watch() while they are on the screen.
 */
#ifndef L2D_TUNNEL_H
#define L2D_TUNNEL_H

#include "model/snapshot.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define L2D_HISTORY 120u /* seconds */

#define L2D_LOG_MAX 2000u /* lines */

typedef struct {
    double in, out; /* bytes a second, inside the tunnel */
} L2dRate;

#define L2D_TYPE_TUNNEL (l2d_tunnel_get_type())
G_DECLARE_DERIVABLE_TYPE(L2dTunnel, l2d_tunnel, L2D, TUNNEL, GObject)

struct _L2dTunnelClass {
    GObjectClass parent_class;
    /* Begins or ends taking a snapshot each second; a change of state comes in any case. */
    void (*set_watched)(L2dTunnel *tunnel, gboolean watched);
    /* Asks for the lines of its log behind the last one; NULL: it has none. */
    void (*ask_log)(L2dTunnel *tunnel);
};

/* Never NULL; belongs to the tunnel. */
L2dSnapshot *l2d_tunnel_get_snapshot(L2dTunnel *tunnel);
L2dState l2d_tunnel_get_state(L2dTunnel *tunnel);
/* Takes over the reference. */
void l2d_tunnel_take_snapshot(L2dTunnel *tunnel, L2dSnapshot *snapshot);
/* Seconds since it came up, -1 when it is not up. */
gint64 l2d_tunnel_get_age(L2dTunnel *tunnel);
/* Calls may be nested. */
void l2d_tunnel_watch(L2dTunnel *tunnel);
void l2d_tunnel_unwatch(L2dTunnel *tunnel);
/* `out` has L2D_HISTORY places, the newest last; returns how many of them are filled. */
guint l2d_tunnel_get_history(L2dTunnel *tunnel, L2dRate *out);
/* L2dLogLine, the newest L2D_LOG_MAX of them; lives as long as the tunnel. */
GListModel *l2d_tunnel_get_log(L2dTunnel *tunnel);
/* New lines come into the model, if there are any. */
void l2d_tunnel_ask_log(L2dTunnel *tunnel);
/* Lines that are not behind the last one are left out. */
void l2d_tunnel_add_log(L2dTunnel *tunnel, guint64 number, guint level, const char *module,
                        const char *text);
guint64 l2d_tunnel_get_log_end(L2dTunnel *tunnel); /* number of the last line */
/* For tests and pictures: as if this had been seen a second ago. */
void l2d_tunnel_add_rate(L2dTunnel *tunnel, L2dRate rate);

G_END_DECLS

#endif
