/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A label and its value, which can be selected; told to a screen reader as one. */
#ifndef L2D_VALUE_ROW_H
#define L2D_VALUE_ROW_H

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define L2D_TYPE_VALUE_ROW (l2d_value_row_get_type())
G_DECLARE_FINAL_TYPE(L2dValueRow, l2d_value_row, L2D, VALUE_ROW, GtkListBoxRow)

GtkWidget *l2d_value_row_new(const char *title);
/* Hidden while the value is "". */
void l2d_value_row_set_value(L2dValueRow *row, const char *value);

G_END_DECLS

#endif
