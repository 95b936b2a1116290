/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a window of libadwaita costs that has nothing in it but a title. */
#include <adwaita.h>

static void on_activate(GtkApplication *app)
{
    GtkWidget *window = adw_application_window_new(app);

    gtk_window_set_title(GTK_WINDOW(window), "Empty");
    gtk_window_set_default_size(GTK_WINDOW(window), 980, 720);
    adw_application_window_set_content(ADW_APPLICATION_WINDOW(window), adw_header_bar_new());
    gtk_window_present(GTK_WINDOW(window));
}

int main(int argc, char **argv)
{
    g_autoptr(AdwApplication) app =
        adw_application_new("net.l2tpc.EmptyWindow", G_APPLICATION_DEFAULT_FLAGS);

    g_signal_connect(app, "activate", G_CALLBACK(on_activate), NULL);
    return g_application_run(G_APPLICATION(app), argc, argv);
}
