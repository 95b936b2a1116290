/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "toolkit.h"

GtkWidget *tk_column(int spacing)
{
    return gtk_box_new(GTK_ORIENTATION_VERTICAL, spacing);
}

GtkWidget *tk_row(int spacing)
{
    return gtk_box_new(GTK_ORIENTATION_HORIZONTAL, spacing);
}

void tk_append(GtkWidget *box, GtkWidget *child, gboolean grows)
{
    gboolean upright =
        gtk_orientable_get_orientation(GTK_ORIENTABLE(box)) == GTK_ORIENTATION_VERTICAL;

    if (grows && upright)
        gtk_widget_set_vexpand(child, TRUE);
    else if (grows)
        gtk_widget_set_hexpand(child, TRUE);
#if GTK_MAJOR_VERSION == 3
    gtk_box_pack_start(GTK_BOX(box), child, grows, TRUE, 0);
#else
    gtk_box_append(GTK_BOX(box), child);
#endif
}

void tk_margin(GtkWidget *widget, int pixels)
{
    gtk_widget_set_margin_start(widget, pixels);
    gtk_widget_set_margin_end(widget, pixels);
    gtk_widget_set_margin_top(widget, pixels);
    gtk_widget_set_margin_bottom(widget, pixels);
}

void tk_empty(GtkWidget *box)
{
#if GTK_MAJOR_VERSION == 3
    GList *children = gtk_container_get_children(GTK_CONTAINER(box));

    for (GList *at = children; at; at = at->next)
        gtk_widget_destroy(at->data);
    g_list_free(children);
#else
    GtkWidget *child;

    while ((child = gtk_widget_get_first_child(box)) != NULL)
        gtk_box_remove(GTK_BOX(box), child);
#endif
}

GtkWidget *tk_grid(void)
{
    GtkWidget *grid = gtk_grid_new();

    gtk_grid_set_row_spacing(GTK_GRID(grid), 6);
    gtk_grid_set_column_spacing(GTK_GRID(grid), 6);
    return grid;
}

GtkWidget *tk_expander(const char *label, GtkWidget *child)
{
    GtkWidget *expander = gtk_expander_new_with_mnemonic(label);

#if GTK_MAJOR_VERSION == 3
    gtk_container_add(GTK_CONTAINER(expander), child);
    gtk_expander_set_resize_toplevel(GTK_EXPANDER(expander), TRUE);
#else
    gtk_expander_set_child(GTK_EXPANDER(expander), child);
#endif
    return expander;
}

GtkWidget *tk_icon(const char *name)
{
#if GTK_MAJOR_VERSION == 3
    return gtk_image_new_from_icon_name(name, GTK_ICON_SIZE_BUTTON);
#else
    return gtk_image_new_from_icon_name(name);
#endif
}

GtkWidget *tk_page(GtkWidget *child)
{
#if GTK_MAJOR_VERSION == 3
    GtkWidget *scrolled = gtk_scrolled_window_new(NULL, NULL);

    gtk_container_add(GTK_CONTAINER(scrolled), child);
#else
    GtkWidget *scrolled = gtk_scrolled_window_new();

    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), child);
#endif
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_scrolled_window_set_min_content_height(GTK_SCROLLED_WINDOW(scrolled), 290);
    return scrolled;
}

const char *tk_text(GtkWidget *entry)
{
#if GTK_MAJOR_VERSION == 3
    return gtk_entry_get_text(GTK_ENTRY(entry));
#else
    return gtk_editable_get_text(GTK_EDITABLE(entry));
#endif
}

void tk_set_text(GtkWidget *entry, const char *text)
{
#if GTK_MAJOR_VERSION == 3
    gtk_entry_set_text(GTK_ENTRY(entry), text ? text : "");
#else
    gtk_editable_set_text(GTK_EDITABLE(entry), text ? text : "");
#endif
}

gboolean tk_ticked(GtkWidget *check)
{
#if GTK_MAJOR_VERSION == 3
    return gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(check));
#else
    return gtk_check_button_get_active(GTK_CHECK_BUTTON(check));
#endif
}

void tk_set_ticked(GtkWidget *check, gboolean on)
{
#if GTK_MAJOR_VERSION == 3
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(check), on);
#else
    gtk_check_button_set_active(GTK_CHECK_BUTTON(check), on);
#endif
}

void tk_set_class(GtkWidget *widget, const char *name, gboolean on)
{
    GtkStyleContext *context = gtk_widget_get_style_context(widget);

    if (on)
        gtk_style_context_add_class(context, name);
    else
        gtk_style_context_remove_class(context, name);
}

void tk_name(GtkWidget *widget, const char *name, const char *description)
{
#if GTK_MAJOR_VERSION == 3
    AtkObject *accessible = gtk_widget_get_accessible(widget);

    atk_object_set_name(accessible, name);
    if (description)
        atk_object_set_description(accessible, description);
#else
    gtk_accessible_update_property(GTK_ACCESSIBLE(widget), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
    if (description)
        gtk_accessible_update_property(GTK_ACCESSIBLE(widget), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                       description, -1);
#endif
}

void tk_labelled(GtkWidget *widget, GtkWidget *label)
{
    gtk_label_set_mnemonic_widget(GTK_LABEL(label), widget);
    tk_name(widget, gtk_label_get_text(GTK_LABEL(label)), NULL);
}

void tk_show(GtkWidget *widget)
{
#if GTK_MAJOR_VERSION == 3
    gtk_widget_show_all(widget);
#else
    gtk_widget_set_visible(widget, TRUE);
#endif
}

void tk_hide(GtkWidget *widget)
{
#if GTK_MAJOR_VERSION == 3
    gtk_widget_set_no_show_all(widget, TRUE);
#endif
    gtk_widget_set_visible(widget, FALSE);
}

GtkWidget *tk_prose(const char *text, gboolean dim)
{
    GtkWidget *label = gtk_label_new(text);

    gtk_label_set_xalign(GTK_LABEL(label), 0);
#if GTK_MAJOR_VERSION == 3
    gtk_label_set_line_wrap(GTK_LABEL(label), TRUE);
#else
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
#endif
    gtk_label_set_width_chars(GTK_LABEL(label), 46);
    gtk_label_set_max_width_chars(GTK_LABEL(label), 52);
    tk_set_class(label, "dim-label", dim);
    return label;
}
