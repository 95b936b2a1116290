/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef L2D_BUTTON_H
#define L2D_BUTTON_H

#include <gtk/gtk.h>

/* A label with a mnemonic, whose underscore a screen reader does not spell out. */
void l2d_button_set_label(GtkButton *button, const char *label);
/* For a button whose label was set by others. */
void l2d_button_mend_name(GtkButton *button);

#endif
