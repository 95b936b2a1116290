/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether the session starts us: a desktop file in the user's autostart folder. */
#ifndef L2D_AUTOSTART_H
#define L2D_AUTOSTART_H

#include <gio/gio.h>

gboolean l2d_autostart_get(void);
gboolean l2d_autostart_set(gboolean wanted, GError **error);

#endif
