/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What GTK 3 and GTK 4 call differently. Nothing else of the editor asks which it is. */
#ifndef L2TPC_NM_TOOLKIT_H
#define L2TPC_NM_TOOLKIT_H

#include <gtk/gtk.h>

GtkWidget *tk_column(int spacing);
GtkWidget *tk_row(int spacing);
void tk_append(GtkWidget *box, GtkWidget *child, gboolean grows);
void tk_margin(GtkWidget *widget, int pixels);
void tk_empty(GtkWidget *box);
GtkWidget *tk_grid(void);
GtkWidget *tk_expander(const char *label, GtkWidget *child);
GtkWidget *tk_icon(const char *name);
GtkWidget *tk_page(GtkWidget *child); /* scrolls when the window is low */

const char *tk_text(GtkWidget *entry);
void tk_set_text(GtkWidget *entry, const char *text);
gboolean tk_ticked(GtkWidget *check);
void tk_set_ticked(GtkWidget *check, gboolean on);
void tk_set_class(GtkWidget *widget, const char *name, gboolean on);

/* What a screen reader says of it; `description` may be NULL. */
void tk_name(GtkWidget *widget, const char *name, const char *description);
void tk_labelled(GtkWidget *widget, GtkWidget *label);
void tk_show(GtkWidget *widget); /* with all that is in it */

/* Hidden, and stays so when all around it is shown; then only gtk_widget_set_visible() counts. */
void tk_hide(GtkWidget *widget);

/* A left-aligned label that wraps. */
GtkWidget *tk_prose(const char *text, gboolean dim);

#endif
