/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The editor of the plugin that libnm's clients load. */
#include "settings_form.h"

#include <exchange.h>

struct l2d_settings_form {
    NMConnection *connection;
    NMVpnEditor *editor;
    gulong handler;
    gboolean has_uuid; /* the settings had one; else whoever stores them gives it */
};

/* Never unloaded, for the types of GObject in it stay. NULL: not installed. */
static NMVpnPluginInfo *plugin_info(void)
{
    static NMVpnPluginInfo *info;
    static gsize looked;

    if (g_once_init_enter(&looked)) {
        GSList *all = nm_vpn_plugin_info_list_load();

        info = nm_vpn_plugin_info_list_find_by_service(all, EXCHANGE_SERVICE_OURS);
        if (info)
            g_object_ref(info);
        g_slist_free_full(all, g_object_unref);
        g_once_init_leave(&looked, 1);
    }
    return info;
}

gboolean l2d_settings_form_is_installed(void)
{
    NMVpnPluginInfo *info = plugin_info();
    const char *path = info ? nm_vpn_plugin_info_get_plugin(info) : NULL;

    return path && g_file_test(path, G_FILE_TEST_EXISTS);
}

/* What libnm refuses as a whole can still be edited: its tables are taken as they are. */
static NMConnection *connection_of(const l2tpc_profile *settings)
{
    NMConnection *c = settings ? exchange_connection(settings, NULL) : NULL;
    g_autofree char *uuid = NULL;
    NMSetting *vpn, *base;

    if (c)
        return c;
    c = nm_simple_connection_new();
    uuid = nm_utils_uuid_generate();
    base = nm_setting_connection_new();
    g_object_set(base, NM_SETTING_CONNECTION_ID, uuid, NM_SETTING_CONNECTION_UUID, uuid,
                 NM_SETTING_CONNECTION_TYPE, NM_SETTING_VPN_SETTING_NAME, NULL);
    nm_connection_add_setting(c, base);
    vpn = nm_setting_vpn_new();
    g_object_set(vpn, NM_SETTING_VPN_SERVICE_TYPE, EXCHANGE_SERVICE, NULL);
    nm_connection_add_setting(c, vpn);
    if (settings)
        exchange_store(settings, c);
    (void)nm_connection_normalize(c, NULL, NULL, NULL);
    return c;
}

L2dSettingsForm *l2d_settings_form_new(const l2tpc_profile *settings, GError **error)
{
    NMVpnPluginInfo *info = plugin_info();
    NMVpnEditorPlugin *plugin = info ? nm_vpn_plugin_info_load_editor_plugin(info, error) : NULL;
    L2dSettingsForm *form;

    if (!plugin)
        return NULL;
    form = g_new0(L2dSettingsForm, 1);
    form->has_uuid = settings && g_key_file_has_key(l2tpc_profile_get_settings(settings),
                                                    "connection", "uuid", NULL);
    form->connection = connection_of(settings);
    form->editor = nm_vpn_editor_plugin_get_editor(plugin, form->connection, error);
    if (form->editor)
        return form;
    l2d_settings_form_free(form);
    return NULL;
}

void l2d_settings_form_free(L2dSettingsForm *form)
{
    if (!form)
        return;
    if (form->handler)
        g_signal_handler_disconnect(form->editor, form->handler);
    g_clear_object(&form->editor);
    nm_connection_clear_secrets(form->connection);
    g_clear_object(&form->connection);
    g_free(form);
}

GtkWidget *l2d_settings_form_get_widget(L2dSettingsForm *form)
{
    return GTK_WIDGET(nm_vpn_editor_get_widget(form->editor));
}

void l2d_settings_form_on_changed(L2dSettingsForm *form, GCallback changed, gpointer user)
{
    form->handler = g_signal_connect_swapped(form->editor, "changed", changed, user);
}

l2tpc_profile *l2d_settings_form_read(L2dSettingsForm *form, GError **error)
{
    l2tpc_profile *settings;

    if (!nm_vpn_editor_update_connection(form->editor, form->connection, error))
        return NULL;
    settings = exchange_profile(form->connection);
    if (!form->has_uuid)
        (void)g_key_file_remove_key(l2tpc_profile_get_settings(settings), "connection", "uuid",
                                    NULL);
    return settings;
}
