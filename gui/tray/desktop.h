/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said where the desktop shows no icon, and where it shows that the network is blocked. */
#ifndef L2D_TRAY_DESKTOP_H
#define L2D_TRAY_DESKTOP_H

#include "model/backend.h"

#include <gtk/gtk.h>

/* A bar that says so and names the desktop's own switch; NULL when the user has read it. Its button
 * ends it for good. */
GtkWidget *l2d_desktop_bar_new(L2dBackend *backend);
/* How the block is lifted by hand. `trouble`: why it could not be lifted from here, or NULL. */
void l2d_desktop_present_block(GtkWindow *parent, L2dBackend *backend, const char *trouble);

#endif
