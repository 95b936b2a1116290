/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The plugin as libnm asks for it. The widget is in another file, one for each toolkit: nmcli has
 * none, and GTK 3 and GTK 4 cannot share a process.
 */
#include "exchange.h"
#include "files.h"

#include <dlfcn.h>
#include <glib/gi18n-lib.h>
#include <libintl.h>

/* Of libnm 1.52: import and export do, but there is no widget. */
#define CAPABILITY_NO_EDITOR ((NMVpnEditorPluginCapability)8)

#define EDITOR_GTK3 "libnm-vpn-plugin-l2tpc-editor.so"
#define EDITOR_GTK4 "libnm-gtk4-vpn-plugin-l2tpc-editor.so"

typedef NMVpnEditor *(*editor_factory)(NMConnection *connection, GError **error);

struct l2tpc_plugin {
    GObject parent;
};

struct l2tpc_plugin_class {
    GObjectClass parent;
};

enum {
    PROP_0,
    PROP_NAME,
    PROP_DESCRIPTION,
    PROP_SERVICE
};

static GType l2tpc_plugin_get_type(void);
static void interface_init(NMVpnEditorPluginInterface *iface);

typedef struct l2tpc_plugin L2tpcPlugin;
typedef struct l2tpc_plugin_class L2tpcPluginClass;
G_DEFINE_TYPE_WITH_CODE(L2tpcPlugin, l2tpc_plugin, G_TYPE_OBJECT,
                        G_IMPLEMENT_INTERFACE(NM_TYPE_VPN_EDITOR_PLUGIN, interface_init))

/* Beside this file, wherever that was loaded from. */
static char *editor_path(void)
{
    gboolean gtk3 = dlsym(RTLD_DEFAULT, "gtk_container_add") != NULL;
    Dl_info info = {0};
    char *folder, *path;

    if (dladdr((void *)nm_vpn_editor_plugin_factory, &info) == 0 || !info.dli_fname)
        return NULL;
    folder = g_path_get_dirname(info.dli_fname);
    path = g_build_filename(folder, gtk3 ? EDITOR_GTK3 : EDITOR_GTK4, NULL);
    if (!g_file_test(path, G_FILE_TEST_EXISTS)) { /* in a build folder */
        g_free(path);
        path = g_build_filename(folder, "..", "editor", gtk3 ? EDITOR_GTK3 : EDITOR_GTK4, NULL);
    }
    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        g_clear_pointer(&path, g_free);
    g_free(folder);
    return path;
}

static NMVpnEditor *get_editor(NMVpnEditorPlugin *plugin, NMConnection *connection, GError **error)
{
    char *path = editor_path();
    /* Types of GObject stay for ever: so must the code behind them. */
    void *module = path ? dlopen(path, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE) : NULL;
    editor_factory make = NULL;
    NMVpnEditor *editor = NULL;

    (void)plugin;
    if (module)
        *(void **)&make = dlsym(module, "l2tpc_vpn_editor_new");
    if (make)
        editor = make(connection, error);
    else
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, _("The editor cannot be loaded: %s"),
                    path ? dlerror() : _("it is not installed"));
    g_free(path);
    return editor;
}

static NMVpnEditorPluginCapability get_capabilities(NMVpnEditorPlugin *plugin)
{
    char *path = editor_path();
    NMVpnEditorPluginCapability c = NM_VPN_EDITOR_PLUGIN_CAPABILITY_IMPORT |
                                    NM_VPN_EDITOR_PLUGIN_CAPABILITY_EXPORT |
                                    NM_VPN_EDITOR_PLUGIN_CAPABILITY_IPV6;

    (void)plugin;
    if (!path)
        c |= CAPABILITY_NO_EDITOR;
    g_free(path);
    return c;
}

static NMConnection *import_from_file(NMVpnEditorPlugin *plugin, const char *path, GError **error)
{
    (void)plugin;
    return files_import(path, error);
}

static gboolean export_to_file(NMVpnEditorPlugin *plugin, const char *path,
                               NMConnection *connection, GError **error)
{
    (void)plugin;
    return files_export(path, connection, error);
}

static char *get_suggested_filename(NMVpnEditorPlugin *plugin, NMConnection *connection)
{
    (void)plugin;
    return files_suggest(connection);
}

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    switch (id) {
    case PROP_NAME:
        g_value_set_string(value, _("Layer 2 Tunneling Protocol (L2TP/IPsec)"));
        break;
    case PROP_DESCRIPTION:
        g_value_set_string(
            value,
            _("L2TP/IPsec servers of Microsoft, Apple, MikroTik, Cisco, SoftEther and others."));
        break;
    case PROP_SERVICE:
        g_value_set_string(value, EXCHANGE_SERVICE_OURS);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

static void interface_init(NMVpnEditorPluginInterface *iface)
{
    iface->get_editor = get_editor;
    iface->get_capabilities = get_capabilities;
    iface->import_from_file = import_from_file;
    iface->export_to_file = export_to_file;
    iface->get_suggested_filename = get_suggested_filename;
}

static void l2tpc_plugin_init(L2tpcPlugin *self)
{
    (void)self;
}

static void l2tpc_plugin_class_init(L2tpcPluginClass *klass)
{
    GObjectClass *object = G_OBJECT_CLASS(klass);

    object->get_property = get_property;
    g_object_class_override_property(object, PROP_NAME, NM_VPN_EDITOR_PLUGIN_NAME);
    g_object_class_override_property(object, PROP_DESCRIPTION, NM_VPN_EDITOR_PLUGIN_DESCRIPTION);
    g_object_class_override_property(object, PROP_SERVICE, NM_VPN_EDITOR_PLUGIN_SERVICE);
}

/* Tests show an editor that was only built, with catalogues that were only built. */
static const char *locale_dir(void)
{
#if L2TPC_TEST_HOOKS
    if (g_getenv("L2TPC_GUI_LOCALE_DIR"))
        return g_getenv("L2TPC_GUI_LOCALE_DIR");
#endif
    return L2TPC_LOCALE_DIR;
}

G_MODULE_EXPORT NMVpnEditorPlugin *nm_vpn_editor_plugin_factory(GError **error)
{
    (void)error;
    (void)bindtextdomain(GETTEXT_PACKAGE, locale_dir());
    (void)bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
    return g_object_new(l2tpc_plugin_get_type(), NULL);
}
