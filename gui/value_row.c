/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "value_row.h"

struct _L2dValueRow {
    GtkListBoxRow parent;
    GtkLabel *title, *value;
};

G_DEFINE_TYPE(L2dValueRow, l2d_value_row, GTK_TYPE_LIST_BOX_ROW)

static void l2d_value_row_class_init(L2dValueRowClass *class)
{
    (void)class;
}

static GtkLabel *label_new(GtkWidget *box)
{
    GtkWidget *label = gtk_label_new(NULL);

    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    gtk_label_set_natural_wrap_mode(GTK_LABEL(label), GTK_NATURAL_WRAP_WORD);
    gtk_widget_set_valign(label, GTK_ALIGN_BASELINE);
    gtk_box_append(GTK_BOX(box), label);
    return GTK_LABEL(label);
}

static void l2d_value_row_init(L2dValueRow *self)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 18);

    gtk_widget_add_css_class(box, "value-row");
    gtk_box_set_homogeneous(GTK_BOX(box), TRUE);
    self->title = label_new(box);
    self->value = label_new(box);
    gtk_label_set_xalign(self->title, 0);
    gtk_label_set_xalign(self->value, 0);
    gtk_widget_add_css_class(GTK_WIDGET(self->title), "dim-label");
    gtk_widget_add_css_class(GTK_WIDGET(self->value), "numeric");
    gtk_label_set_selectable(self->value, TRUE);
    gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(self), box);
    gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(self), FALSE);
    gtk_list_box_row_set_selectable(GTK_LIST_BOX_ROW(self), FALSE);
    /* The value takes the focus, so that it can be selected with the keyboard. */
    gtk_widget_set_focusable(GTK_WIDGET(self), FALSE);
}

GtkWidget *l2d_value_row_new(const char *title)
{
    L2dValueRow *self = g_object_new(L2D_TYPE_VALUE_ROW, NULL);

    gtk_label_set_label(self->title, title);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
    gtk_widget_set_visible(GTK_WIDGET(self), FALSE);
    return GTK_WIDGET(self);
}

void l2d_value_row_set_value(L2dValueRow *self, const char *value)
{
    if (g_strcmp0(gtk_label_get_label(self->value), value) == 0)
        return;
    gtk_label_set_label(self->value, value);
    gtk_widget_set_visible(GTK_WIDGET(self), *value != '\0');
    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, value,
                                   -1);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->value), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                   gtk_label_get_label(self->title), -1);
}
