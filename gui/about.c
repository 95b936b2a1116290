/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "about.h"
#include "application.h"

#include <glib/gi18n.h>

void l2d_about_present(GtkWindow *parent)
{
    GtkWidget *w = adw_about_window_new();

    g_object_set(w, "application-name", _("L2TP Dialer"), "application-icon", L2D_APPLICATION_ID,
                 "version", L2TPC_VERSION, "developer-name", _("The developers of l2tpc"),
                 "license-type", GTK_LICENSE_LGPL_2_1, "comments",
                 _("Connects to L2TP/IPsec servers and shows that the tunnel is what it says."),
                 "transient-for", parent, "modal", TRUE, NULL);
    /* TRANSLATORS: your names, one a line; they are shown in the About window. */
    adw_about_window_set_translator_credits(ADW_ABOUT_WINDOW(w), _("translator-credits"));
    gtk_window_present(GTK_WINDOW(w));
}
