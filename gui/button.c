/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "button.h"

/* GTK 4.8 makes the raw label the accessible name; without it the name is the text inside. */
void l2d_button_mend_name(GtkButton *button)
{
    gtk_accessible_reset_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL);
}

void l2d_button_set_label(GtkButton *button, const char *label)
{
    gtk_button_set_use_underline(button, TRUE);
    gtk_button_set_label(button, label);
    l2d_button_mend_name(button);
}
