/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys of the schema net.l2tpc.Dialer: "tray", "notify", "tray-missing-said". */
#ifndef L2D_SETTINGS_H
#define L2D_SETTINGS_H

#include <gio/gio.h>

/* NULL when the schema is not installed: a program that was only built runs with the defaults. */
GSettings *l2d_settings_new(void);
/* TRUE when there are no settings. */
gboolean l2d_settings_is_on(const char *key);

#endif
