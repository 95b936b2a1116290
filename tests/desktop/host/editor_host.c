/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * editor_host PLUGIN FILE: a small GTK 4 client of libnm. It loads the plugin as GNOME Settings
 * does, imports FILE, shows the editor, and on Save prints the connection.
 */
#include <NetworkManager.h>
#include <gtk/gtk.h>

static NMConnection *connection;
static NMVpnEditor *editor;

static void on_save(GtkButton *button, gpointer label)
{
    GError *error = NULL;

    (void)button;
    if (nm_vpn_editor_update_connection(editor, connection, &error)) {
        nm_connection_dump(connection);
        gtk_label_set_text(label, "saved");
    } else {
        gtk_label_set_text(label, error->message);
        g_clear_error(&error);
    }
}

static void on_activate(GtkApplication *app, gpointer user)
{
    GtkWidget *window = gtk_application_window_new(app);
    GtkWidget *column = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    GtkWidget *bar = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    GtkWidget *save = gtk_button_new_with_mnemonic("_Save");
    GtkWidget *label = gtk_label_new("");

    (void)user;
    gtk_window_set_title(GTK_WINDOW(window), "Editing");
    gtk_window_set_default_size(GTK_WINDOW(window), 560, -1);
    gtk_box_append(GTK_BOX(column), GTK_WIDGET(nm_vpn_editor_get_widget(editor)));
    gtk_box_append(GTK_BOX(bar), save);
    gtk_box_append(GTK_BOX(bar), label);
    gtk_box_append(GTK_BOX(column), bar);
    gtk_window_set_child(GTK_WINDOW(window), column);
    g_signal_connect(save, "clicked", G_CALLBACK(on_save), label);
    gtk_window_present(GTK_WINDOW(window));
}

int main(int argc, char **argv)
{
    GError *error = NULL;
    NMVpnEditorPlugin *plugin;
    GtkApplication *app;
    int rc;

    if (argc != 3) {
        g_printerr("usage: editor_host PLUGIN FILE\n");
        return 2;
    }
    gtk_init();
    plugin = nm_vpn_editor_plugin_load(argv[1], "org.freedesktop.NetworkManager.l2tpc", &error);
    connection = plugin ? nm_vpn_editor_plugin_import(plugin, argv[2], &error) : NULL;
    editor = connection ? nm_vpn_editor_plugin_get_editor(plugin, connection, &error) : NULL;
    if (!editor) {
        g_printerr("%s\n", error ? error->message : "no editor");
        return 1;
    }
    app = gtk_application_new(NULL, G_APPLICATION_NON_UNIQUE);
    g_signal_connect(app, "activate", G_CALLBACK(on_activate), NULL);
    rc = g_application_run(G_APPLICATION(app), 1, argv);
    g_object_unref(app);
    g_object_unref(editor); /* behind its widget, as clients do it */
    g_object_unref(connection);
    g_object_unref(plugin);
    return rc;
}
