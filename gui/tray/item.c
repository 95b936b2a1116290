/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tray/item.h"
#include "tray/pixmap.h"

#include <glib/gi18n.h>
#include <unistd.h>

#define ITEM_PATH "/StatusNotifierItem"
#define ITEM "org.kde.StatusNotifierItem"
#define WATCHER "org.kde.StatusNotifierWatcher"
#define WATCHER_PATH "/StatusNotifierWatcher"

struct L2dTrayItem {
    GDBusConnection *bus;
    GCancellable *cancellable;
    L2dTrayCalls calls;
    gpointer user;
    char *name, *theme_path, *token;
    char *state, *title, *text;
    gboolean attention;
    GVariant *pixmaps; /* of the state; made when somebody asks */
    guint object, owner, watcher, hosts;
    gboolean registered, hosted;
};

/* All properties: one panel leaves an item out that lacks one, another asks for all at once. */
static const char xml[] =
    "<node><interface name='" ITEM "'>"
    "<property name='Category' type='s' access='read'/>"
    "<property name='Id' type='s' access='read'/>"
    "<property name='Title' type='s' access='read'/>"
    "<property name='Status' type='s' access='read'/>"
    "<property name='WindowId' type='i' access='read'/>"
    "<property name='IconThemePath' type='s' access='read'/>"
    "<property name='Menu' type='o' access='read'/>"
    "<property name='ItemIsMenu' type='b' access='read'/>"
    "<property name='IconName' type='s' access='read'/>"
    "<property name='IconPixmap' type='a(iiay)' access='read'/>"
    "<property name='OverlayIconName' type='s' access='read'/>"
    "<property name='OverlayIconPixmap' type='a(iiay)' access='read'/>"
    "<property name='AttentionIconName' type='s' access='read'/>"
    "<property name='AttentionIconPixmap' type='a(iiay)' access='read'/>"
    "<property name='AttentionMovieName' type='s' access='read'/>"
    "<property name='ToolTip' type='(sa(iiay)ss)' access='read'/>"
    "<property name='IconAccessibleDesc' type='s' access='read'/>"
    "<property name='AttentionAccessibleDesc' type='s' access='read'/>"
    "<method name='Activate'><arg name='x' type='i'/><arg name='y' type='i'/></method>"
    "<method name='SecondaryActivate'><arg name='x' type='i'/><arg name='y' type='i'/></method>"
    "<method name='ContextMenu'><arg name='x' type='i'/><arg name='y' type='i'/></method>"
    "<method name='Scroll'><arg name='delta' type='i'/><arg name='orientation' type='s'/></method>"
    "<method name='ProvideXdgActivationToken'><arg name='token' type='s'/></method>"
    "<signal name='NewTitle'/><signal name='NewIcon'/><signal name='NewAttentionIcon'/>"
    "<signal name='NewToolTip'/>"
    "<signal name='NewStatus'><arg name='status' type='s'/></signal>"
    "</interface></node>";

static void on_call(GDBusConnection *bus, const char *sender, const char *path,
                    const char *interface, const char *method, GVariant *parameters,
                    GDBusMethodInvocation *invocation, gpointer user)
{
    L2dTrayItem *self = user;

    (void)bus;
    (void)sender;
    (void)path;
    (void)interface;
    if (g_str_equal(method, "ProvideXdgActivationToken")) {
        g_free(self->token);
        g_variant_get(parameters, "(s)", &self->token);
    } else if (!g_str_equal(method, "Scroll")) {
        g_autofree char *token = g_steal_pointer(&self->token);

        /* ContextMenu comes from a panel that cannot show the menu itself: the window has it all.
         */
        self->calls.activated(self->user, token);
    }
    g_dbus_method_invocation_return_value(invocation, NULL);
}

static const char *status_of(const L2dTrayItem *self)
{
    return self->attention ? "NeedsAttention" : "Active";
}

/* A name that the panel's theme lacks gives an empty slot: there it has to take the picture. */
static GVariant *icon_name(const L2dTrayItem *self)
{
    g_autofree char *name = self->theme_path ? l2d_tray_icon_name(self->state) : g_strdup("");

    return g_variant_new_string(name);
}

static GVariant *pixmaps(L2dTrayItem *self)
{
    if (!self->pixmaps)
        self->pixmaps = g_variant_ref_sink(l2d_tray_pixmaps(self->state));
    return g_variant_ref(self->pixmaps);
}

static GVariant *on_get(GDBusConnection *bus, const char *sender, const char *path,
                        const char *interface, const char *name, GError **error, gpointer user)
{
    L2dTrayItem *self = user;

    (void)bus;
    (void)sender;
    (void)path;
    (void)interface;
    (void)error;
    if (g_str_equal(name, "Category"))
        return g_variant_new_string("SystemServices");
    if (g_str_equal(name, "Id"))
        return g_variant_new_string("net.l2tpc.Dialer");
    if (g_str_equal(name, "Title") || g_str_has_suffix(name, "AccessibleDesc"))
        return g_variant_new_string(self->title);
    if (g_str_equal(name, "Status"))
        return g_variant_new_string(status_of(self));
    if (g_str_equal(name, "WindowId"))
        return g_variant_new_int32(0);
    if (g_str_equal(name, "ItemIsMenu"))
        return g_variant_new_boolean(FALSE);
    if (g_str_equal(name, "Menu"))
        return g_variant_new_object_path(L2D_TRAY_MENU_PATH);
    if (g_str_equal(name, "IconThemePath"))
        return g_variant_new_string(self->theme_path ? self->theme_path : "");
    if (g_str_equal(name, "IconName") || g_str_equal(name, "AttentionIconName"))
        return icon_name(self);
    if (g_str_equal(name, "IconPixmap") || g_str_equal(name, "AttentionIconPixmap"))
        return pixmaps(self);
    if (g_str_equal(name, "ToolTip"))
        return g_variant_new("(sa(iiay)ss)", "", NULL, self->title, self->text);
    if (g_str_equal(name, "OverlayIconPixmap"))
        return g_variant_new("a(iiay)", NULL);
    return g_variant_new_string("");
}

static void tell(L2dTrayItem *self, const char *signal, GVariant *parameters)
{
    (void)g_dbus_connection_emit_signal(self->bus, NULL, ITEM_PATH, ITEM, signal, parameters, NULL);
}

static gboolean change(char **place, const char *text)
{
    if (g_strcmp0(*place, text) == 0)
        return FALSE;
    g_free(*place);
    *place = g_strdup(text);
    return TRUE;
}

void l2d_tray_item_show(L2dTrayItem *self, const L2dTrayFace *face)
{
    gboolean titled = change(&self->title, face->title);
    gboolean told = change(&self->text, face->text);

    if (change(&self->state, face->state)) {
        g_clear_pointer(&self->pixmaps, g_variant_unref);
        tell(self, "NewIcon", NULL);
        tell(self, "NewAttentionIcon", NULL);
    }
    if (titled)
        tell(self, "NewTitle", NULL);
    if (titled || told)
        tell(self, "NewToolTip", NULL);
    if (self->attention != face->attention) {
        self->attention = face->attention;
        tell(self, "NewStatus", g_variant_new("(s)", status_of(self)));
    }
}

gboolean l2d_tray_item_is_present(const L2dTrayItem *self)
{
    return self->registered && self->hosted;
}

static void set_present(L2dTrayItem *self, gboolean registered, gboolean hosted)
{
    gboolean before = l2d_tray_item_is_present(self);

    self->registered = registered;
    self->hosted = hosted;
    if (l2d_tray_item_is_present(self) != before)
        self->calls.present_changed(self->user, !before);
}

static void on_hosted(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) answer =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    g_autoptr(GVariant) value = NULL;
    L2dTrayItem *self = user;

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return; /* it is freed */
    if (answer)
        g_variant_get(answer, "(v)", &value);
    set_present(self, self->registered,
                value && g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN) &&
                    g_variant_get_boolean(value));
}

static void ask_for_hosts(L2dTrayItem *self)
{
    g_dbus_connection_call(self->bus, WATCHER, WATCHER_PATH, "org.freedesktop.DBus.Properties",
                           "Get", g_variant_new("(ss)", WATCHER, "IsStatusNotifierHostRegistered"),
                           G_VARIANT_TYPE("(v)"), G_DBUS_CALL_FLAGS_NO_AUTO_START, -1,
                           self->cancellable, on_hosted, self);
}

static void on_host_signal(GDBusConnection *bus, const char *sender, const char *path,
                           const char *interface, const char *signal, GVariant *parameters,
                           gpointer user)
{
    (void)bus;
    (void)sender;
    (void)path;
    (void)interface;
    (void)parameters;
    if (g_str_has_prefix(signal, "StatusNotifierHost"))
        ask_for_hosts(user);
}

static void on_registered(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) answer =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    L2dTrayItem *self = user;

    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    set_present(self, answer != NULL, self->hosted);
    if (answer)
        ask_for_hosts(self);
}

static void on_watcher(GDBusConnection *bus, const char *name, const char *owner, gpointer user)
{
    L2dTrayItem *self = user;

    (void)name;
    (void)owner;
    g_dbus_connection_call(bus, WATCHER, WATCHER_PATH, WATCHER, "RegisterStatusNotifierItem",
                           g_variant_new("(s)", self->name), NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START,
                           -1, self->cancellable, on_registered, self);
}

static void on_no_watcher(GDBusConnection *bus, const char *name, gpointer user)
{
    (void)bus;
    (void)name;
    set_present(user, FALSE, FALSE);
}

L2dTrayItem *l2d_tray_item_new(GDBusConnection *bus, const L2dTrayCalls *calls, gpointer user)
{
    static const GDBusInterfaceVTable table = {.method_call = on_call, .get_property = on_get};
    g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(xml, NULL);
    L2dTrayItem *self = g_new0(L2dTrayItem, 1);

    self->bus = g_object_ref(bus);
    self->cancellable = g_cancellable_new();
    self->calls = *calls;
    self->user = user;
    self->name = g_strdup_printf(ITEM "-%d-1", (int)getpid());
    self->theme_path = l2d_tray_theme_path();
    self->state = g_strdup("off");
    self->title = g_strdup("");
    self->text = g_strdup("");
    self->object = g_dbus_connection_register_object(bus, ITEM_PATH, node->interfaces[0], &table,
                                                     self, NULL, NULL);
    self->owner = g_bus_own_name_on_connection(bus, self->name, G_BUS_NAME_OWNER_FLAGS_NONE, NULL,
                                               NULL, NULL, NULL);
    self->hosts =
        g_dbus_connection_signal_subscribe(bus, WATCHER, WATCHER, NULL, WATCHER_PATH, NULL,
                                           G_DBUS_SIGNAL_FLAGS_NONE, on_host_signal, self, NULL);
    self->watcher = g_bus_watch_name_on_connection(bus, WATCHER, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                                   on_watcher, on_no_watcher, self, NULL);
    return self;
}

void l2d_tray_item_free(L2dTrayItem *self)
{
    if (!self)
        return;
    g_cancellable_cancel(self->cancellable);
    g_bus_unwatch_name(self->watcher);
    g_dbus_connection_signal_unsubscribe(self->bus, self->hosts);
    g_bus_unown_name(self->owner);
    (void)g_dbus_connection_unregister_object(self->bus, self->object);
    g_clear_pointer(&self->pixmaps, g_variant_unref);
    g_object_unref(self->cancellable);
    g_object_unref(self->bus);
    g_free(self->name);
    g_free(self->theme_path);
    g_free(self->token);
    g_free(self->state);
    g_free(self->title);
    g_free(self->text);
    g_free(self);
}
