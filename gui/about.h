/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef L2D_ABOUT_H
#define L2D_ABOUT_H

#include <gtk/gtk.h>

void l2d_about_present(GtkWindow *parent);

#endif
