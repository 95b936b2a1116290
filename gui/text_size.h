/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Windows for those who read large text. */
#ifndef L2D_TEXT_SIZE_H
#define L2D_TEXT_SIZE_H

#include <gtk/gtk.h>

G_BEGIN_DECLS

/* Enlarges the window's default size as the user has text enlarged, as far as the screen has room.
 */
void l2d_text_size_fit(GtkWindow *window);

G_END_DECLS

#endif
