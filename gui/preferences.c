/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "preferences.h"
#include "autostart.h"
#include "settings.h"
#include "text_size.h"

#include <adwaita.h>
#include <glib/gi18n.h>

static GtkWidget *switch_row(AdwPreferencesGroup *group, const char *title, const char *subtitle)
{
    GtkWidget *row = adw_action_row_new();
    GtkWidget *toggle = gtk_switch_new();

    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(row), subtitle);
    gtk_widget_set_valign(toggle, GTK_ALIGN_CENTER);
    gtk_accessible_update_property(GTK_ACCESSIBLE(toggle), GTK_ACCESSIBLE_PROPERTY_LABEL, title,
                                   GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, subtitle, -1);
    adw_action_row_add_suffix(ADW_ACTION_ROW(row), toggle);
    adw_action_row_set_activatable_widget(ADW_ACTION_ROW(row), toggle);
    adw_preferences_group_add(group, row);
    return toggle;
}

static gboolean on_autostart(GtkSwitch *toggle, gboolean wanted, AdwPreferencesWindow *window)
{
    g_autoptr(GError) error = NULL;

    if (l2d_autostart_set(wanted, &error))
        return FALSE;
    adw_preferences_window_add_toast(window, adw_toast_new(error->message));
    gtk_switch_set_active(toggle, !wanted);
    return TRUE;
}

static GtkWidget *start_group(AdwPreferencesWindow *window, GSettings *settings)
{
    AdwPreferencesGroup *group = ADW_PREFERENCES_GROUP(adw_preferences_group_new());
    GtkWidget *toggle;

    adw_preferences_group_set_title(group, _("Start"));
    toggle = switch_row(group, _("Start with the session"),
                        _("Waits in the panel, without a window, after you have logged in"));
    gtk_switch_set_active(GTK_SWITCH(toggle), l2d_autostart_get());
    g_signal_connect(toggle, "state-set", G_CALLBACK(on_autostart), window);
    if (settings) {
        toggle = switch_row(group, _("Show in the panel"),
                            _("An icon with the state and a menu, where the desktop has a place "
                              "for it"));
        g_settings_bind(settings, "tray", toggle, "active", G_SETTINGS_BIND_DEFAULT);
    }
    return GTK_WIDGET(group);
}

static GtkWidget *notice_group(GSettings *settings)
{
    AdwPreferencesGroup *group = ADW_PREFERENCES_GROUP(adw_preferences_group_new());
    GtkWidget *toggle;

    adw_preferences_group_set_title(group, _("Notifications"));
    toggle = switch_row(group, _("When a connection is lost or comes back"),
                        _("Not for what you have done yourself"));
    g_settings_bind(settings, "notify", toggle, "active", G_SETTINGS_BIND_DEFAULT);
    return GTK_WIDGET(group);
}

void l2d_preferences_present(GtkWindow *parent)
{
    g_autoptr(GSettings) settings = l2d_settings_new();
    GtkWidget *w = adw_preferences_window_new();
    GtkWidget *page = adw_preferences_page_new();

    g_object_set(w, "transient-for", parent, "modal", TRUE, "search-enabled", FALSE,
                 "default-height", 420, "title", _("Preferences"), NULL);
    l2d_text_size_fit(GTK_WINDOW(w));
    adw_preferences_page_set_title(ADW_PREFERENCES_PAGE(page), _("General"));
    adw_preferences_page_add(ADW_PREFERENCES_PAGE(page), ADW_PREFERENCES_GROUP(start_group(
                                                             ADW_PREFERENCES_WINDOW(w), settings)));
    if (settings)
        adw_preferences_page_add(ADW_PREFERENCES_PAGE(page),
                                 ADW_PREFERENCES_GROUP(notice_group(settings)));
    adw_preferences_window_add(ADW_PREFERENCES_WINDOW(w), ADW_PREFERENCES_PAGE(page));
    gtk_window_present(GTK_WINDOW(w));
}
