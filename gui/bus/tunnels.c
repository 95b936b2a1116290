/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/tunnels.h"

#include <string.h>

#define NAMESPACE "net.l2tpc.Tunnel1"
#define PREFIX NAMESPACE ".u"
#define UUID_DIGITS 32u

struct _L2dBusTunnels {
    GObject parent;
    GDBusConnection *connection;
    GCancellable *cancellable;
    guint owners;
    GHashTable *tunnels; /* bus name -> L2dBusTunnel */
};

G_DEFINE_TYPE(L2dBusTunnels, l2d_bus_tunnels, G_TYPE_OBJECT)

static guint added_signal;
static guint removed_signal;

/* With its hyphens back, or NULL when the name is of another form. */
static char *uuid_of(const char *name)
{
    const char *hex = name + strlen(PREFIX);

    if (!g_str_has_prefix(name, PREFIX) || strlen(hex) != UUID_DIGITS ||
        strspn(hex, "0123456789abcdefABCDEF") != UUID_DIGITS)
        return NULL;
    return g_strdup_printf("%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static void drop(L2dBusTunnels *self, const char *name, const char *uuid)
{
    L2dBusTunnel *t = g_hash_table_lookup(self->tunnels, name);

    if (!t)
        return;
    g_object_ref(t);
    g_hash_table_remove(self->tunnels, name);
    l2d_bus_tunnel_lost(t);
    g_signal_emit(self, removed_signal, 0, uuid, t);
    g_object_unref(t);
}

static void owner_changed(L2dBusTunnels *self, const char *name, gboolean owned)
{
    g_autofree char *uuid = uuid_of(name);
    L2dBusTunnel *t;

    if (!uuid)
        return;
    drop(self, name, uuid);
    if (!owned)
        return;
    t = l2d_bus_tunnel_new(self->connection, name);
    g_hash_table_insert(self->tunnels, g_strdup(name), t);
    g_signal_emit(self, added_signal, 0, uuid, t);
}

static void on_owner(GDBusConnection *connection, const char *sender, const char *path,
                     const char *interface, const char *signal, GVariant *parameters, gpointer user)
{
    const char *name;
    const char *old;
    const char *new;

    (void)connection;
    (void)sender;
    (void)path;
    (void)interface;
    (void)signal;
    g_variant_get(parameters, "(&s&s&s)", &name, &old, &new);
    owner_changed(user, name, *new != '\0');
}

static void on_names(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(GVariant) answer =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, NULL);
    L2dBusTunnels *self = user;
    g_autoptr(GVariantIter) names = NULL;
    const char *name;

    if (!answer)
        return; /* also when we are gone: `self` is not looked at */
    g_variant_get(answer, "(as)", &names);
    while (g_variant_iter_next(names, "&s", &name))
        if (g_str_has_prefix(name, PREFIX) && !g_hash_table_contains(self->tunnels, name))
            owner_changed(self, name, TRUE);
}

static void on_bus(GObject *source, GAsyncResult *result, gpointer user)
{
    GDBusConnection *connection = g_bus_get_finish(result, NULL);
    L2dBusTunnels *self = user;

    (void)source;
    if (!connection)
        return;
    self->connection = connection;
    /* The bus may go, we stay: a window without tunnels. */
    g_dbus_connection_set_exit_on_close(connection, FALSE);
    self->owners = g_dbus_connection_signal_subscribe(
        connection, "org.freedesktop.DBus", "org.freedesktop.DBus", "NameOwnerChanged",
        "/org/freedesktop/DBus", NAMESPACE, G_DBUS_SIGNAL_FLAGS_MATCH_ARG0_NAMESPACE, on_owner,
        self, NULL);
    g_dbus_connection_call(connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                           "org.freedesktop.DBus", "ListNames", NULL, G_VARIANT_TYPE("(as)"),
                           G_DBUS_CALL_FLAGS_NONE, -1, self->cancellable, on_names, self);
}

static void l2d_bus_tunnels_dispose(GObject *object)
{
    L2dBusTunnels *self = L2D_BUS_TUNNELS(object);

    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    if (self->owners)
        g_dbus_connection_signal_unsubscribe(self->connection, self->owners);
    self->owners = 0;
    g_clear_pointer(&self->tunnels, g_hash_table_unref);
    g_clear_object(&self->connection);
    G_OBJECT_CLASS(l2d_bus_tunnels_parent_class)->dispose(object);
}

static void l2d_bus_tunnels_class_init(L2dBusTunnelsClass *class)
{
    G_OBJECT_CLASS(class)->dispose = l2d_bus_tunnels_dispose;
    added_signal = g_signal_new("added", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                NULL, G_TYPE_NONE, 2, G_TYPE_STRING, L2D_TYPE_BUS_TUNNEL);
    removed_signal = g_signal_new("removed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 2, G_TYPE_STRING, L2D_TYPE_BUS_TUNNEL);
}

static void l2d_bus_tunnels_init(L2dBusTunnels *self)
{
    self->cancellable = g_cancellable_new();
    self->tunnels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_object_unref);
    g_bus_get(G_BUS_TYPE_SYSTEM, self->cancellable, on_bus, self);
}

L2dBusTunnels *l2d_bus_tunnels_new(void)
{
    return g_object_new(L2D_TYPE_BUS_TUNNELS, NULL);
}
