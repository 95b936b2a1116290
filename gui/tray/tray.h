/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The icon in the panel with its menu, as long as the preferences want one. Its clicks are actions
 * of the application: open, dial, disconnect, show-details, unblock, quit.
 */
#ifndef L2D_TRAY_H
#define L2D_TRAY_H

#include "model/backend.h"

G_BEGIN_DECLS

#define L2D_TYPE_TRAY (l2d_tray_get_type())
G_DECLARE_FINAL_TYPE(L2dTray, l2d_tray, L2D, TRAY, GObject)

/* Signals: "present-changed" (boolean); "opened" (text or NULL): the user has clicked on it, and
 * this token is for the window. `actions` outlives it. */
L2dTray *l2d_tray_new(GDBusConnection *bus, L2dBackend *backend, GActionGroup *actions);
/* Somebody really shows it. */
gboolean l2d_tray_is_present(L2dTray *tray);

G_END_DECLS

#endif
