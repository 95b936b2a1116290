/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef L2D_PREFERENCES_H
#define L2D_PREFERENCES_H

#include <gtk/gtk.h>

void l2d_preferences_present(GtkWindow *parent);

#endif
