/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tray/desktop.h"
#include "button.h"
#include "settings.h"

#include <adwaita.h>
#include <glib/gi18n.h>
#include <string.h>

#define SAID "tray-missing-said"
#define BAR_CHARS 34 /* a wider one makes the window show one page alone */
#define UNBLOCK "sudo l2tpc unblock"

/* The first that is part of $XDG_CURRENT_DESKTOP; the last is for all others. */
static const struct {
    const char *desktop, *sentence;
} switches[] = {
    {"GNOME",
     N_("The VPN switch of GNOME, in the menu at the top right of the screen, connects and "
        "disconnects without this window, asks for passwords and tells when a connection "
        "is lost.")},
    {"KDE",
     N_("The Networks applet of Plasma connects and disconnects without this window, asks for "
        "passwords and tells when a connection is lost.")},
    {"", N_("NetworkManager's own applet, nm-applet, connects and disconnects without this window, "
            "asks for passwords and tells when a connection is lost.")},
};

static const char *switch_sentence(void)
{
    const char *desktop = g_getenv("XDG_CURRENT_DESKTOP");
    guint i = 0;

    while (*switches[i].desktop && !strstr(desktop ? desktop : "", switches[i].desktop))
        i++;
    return _(switches[i].sentence);
}

static void on_understood(GtkInfoBar *bar)
{
    g_autoptr(GSettings) settings = l2d_settings_new();

    if (settings)
        g_settings_set_boolean(settings, SAID, TRUE);
    gtk_info_bar_set_revealed(bar, FALSE);
}

GtkWidget *l2d_desktop_bar_new(L2dBackend *backend)
{
    gboolean other = l2d_backend_has_desktop_switch(backend);
    g_autofree char *text = NULL;
    GtkWidget *bar;
    GtkWidget *box;
    GtkWidget *label;
    GtkWidget *button;

    if (l2d_settings_is_on(SAID) || !l2d_settings_is_on("tray"))
        return NULL;
    text = g_strjoin("\n",
                     _("This desktop has no place for the icon of this program. The program ends "
                       "with its window; connections stay."),
                     other ? switch_sentence() : NULL, NULL);
    bar = gtk_info_bar_new();
    box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);
    label = gtk_label_new(text);
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_max_width_chars(GTK_LABEL(label), BAR_CHARS);
    gtk_box_append(GTK_BOX(box), label);
    button = gtk_button_new();
    l2d_button_set_label(GTK_BUTTON(button), _("_Understood"));
    gtk_widget_set_halign(button, GTK_ALIGN_END);
    g_signal_connect_object(button, "clicked", G_CALLBACK(on_understood), bar, G_CONNECT_SWAPPED);
    gtk_box_append(GTK_BOX(box), button);
    gtk_info_bar_add_child(GTK_INFO_BAR(bar), box);
    return bar;
}

static void on_copy(AdwMessageDialog *dialog, const char *response, gpointer user)
{
    (void)user;
    if (g_str_equal(response, "copy"))
        gdk_clipboard_set_text(gtk_widget_get_clipboard(GTK_WIDGET(dialog)), UNBLOCK);
}

void l2d_desktop_present_block(GtkWindow *parent, L2dBackend *backend, const char *trouble)
{
    const char *holders = l2d_backend_get_blocked(backend);
    GtkWidget *dialog;
    g_autofree char *what = NULL;

    if (!holders)
        return;
    /* TRANSLATORS: %s is the name of a connection. */
    what = g_strdup_printf(_("The kill switch of %s lets nothing leave this computer but through "
                             "its tunnel. Connect it again, or lift the block in a terminal."),
                           holders);
    dialog = adw_message_dialog_new(parent, _("Network blocked by l2tpc"), NULL);
    if (trouble)
        adw_message_dialog_format_body(ADW_MESSAGE_DIALOG(dialog), "%s\n%s\n\n%s", trouble, what,
                                       UNBLOCK);
    else
        adw_message_dialog_format_body(ADW_MESSAGE_DIALOG(dialog), "%s\n\n%s", what, UNBLOCK);
    adw_message_dialog_add_responses(ADW_MESSAGE_DIALOG(dialog), "close", _("_Close"), "copy",
                                     _("Copy the C_ommand"), NULL);
    g_signal_connect(dialog, "response", G_CALLBACK(on_copy), NULL);
    gtk_window_present(GTK_WINDOW(dialog));
}
