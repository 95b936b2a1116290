/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The icons of the panel, where a panel looks for them: by name, or as pictures. */
#ifndef L2D_TRAY_PIXMAP_H
#define L2D_TRAY_PIXMAP_H

#include <glib.h>

/* a(iiay) of a StatusNotifierItem: the coloured icon in the sizes of panels. Floating. */
GVariant *l2d_tray_pixmaps(const char *state);
/* The folder of themes that has our icons, or NULL: then a name would give an empty slot. To be
 * freed. */
char *l2d_tray_theme_path(void);
/* Symbolic where the desktop gives such icons its own colours, else coloured. To be freed. */
char *l2d_tray_icon_name(const char *state);

#endif
