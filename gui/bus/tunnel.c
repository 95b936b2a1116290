/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/tunnel.h"

#include <string.h>

#define OBJECT_PATH "/net/l2tpc/Tunnel1"
#define INTERFACE "net.l2tpc.Tunnel1"
#define ANSWER_MS 5000
#define STATUS_MAX (256u * 1024)

struct _L2dBusTunnel {
    L2dTunnel parent;
    GDBusConnection *connection;
    char *name;
    guint changes, timer;
    gboolean asking, again, lost, asking_log;
    GCancellable *cancellable;
};

G_DEFINE_TYPE(L2dBusTunnel, l2d_bus_tunnel, L2D_TYPE_TUNNEL)

static void ask(L2dBusTunnel *self);

static L2dSnapshot *read_status(const char *json)
{
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    JsonNode *root;

    if (strlen(json) > STATUS_MAX || !json_parser_load_from_data(parser, json, -1, NULL))
        return NULL;
    root = json_parser_get_root(parser);
    return root && JSON_NODE_HOLDS_OBJECT(root)
               ? l2d_snapshot_new_from_json(json_node_get_object(root))
               : NULL;
}

static void on_status(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(L2dBusTunnel) self = user;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) answer =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    L2dSnapshot *s = NULL;
    const char *json;

    self->asking = FALSE;
    if (answer && !self->lost) {
        g_variant_get(answer, "(&s)", &json);
        s = read_status(json);
    }
    if (s)
        l2d_tunnel_take_snapshot(L2D_TUNNEL(self), s);
    if (self->again && !self->lost) {
        self->again = FALSE;
        ask(self);
    }
}

/* One question at a time: a tunnel that answers slowly is asked less often. */
static void ask(L2dBusTunnel *self)
{
    if (self->asking) {
        self->again = TRUE;
        return;
    }
    self->asking = TRUE;
    g_dbus_connection_call(self->connection, self->name, OBJECT_PATH, INTERFACE, "GetStatus", NULL,
                           G_VARIANT_TYPE("(s)"), G_DBUS_CALL_FLAGS_NO_AUTO_START, ANSWER_MS,
                           self->cancellable, on_status, g_object_ref(self));
}

static void on_log(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(L2dBusTunnel) self = user;
    g_autoptr(GVariant) answer =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, NULL);
    g_autoptr(GVariantIter) lines = NULL;
    const char *module;
    const char *text;
    guint64 number;
    guint32 level;

    self->asking_log = FALSE;
    if (!answer) /* whoever may not see it has none */
        return;
    g_variant_get(answer, "(a(tuss))", &lines);
    while (g_variant_iter_next(lines, "(tu&s&s)", &number, &level, &module, &text))
        l2d_tunnel_add_log(L2D_TUNNEL(self), number, level, module, text);
}

static void ask_log(L2dTunnel *tunnel)
{
    L2dBusTunnel *self = L2D_BUS_TUNNEL(tunnel);

    if (self->asking_log || self->lost)
        return;
    self->asking_log = TRUE;
    g_dbus_connection_call(self->connection, self->name, OBJECT_PATH, INTERFACE, "GetLog",
                           g_variant_new("(t)", l2d_tunnel_get_log_end(tunnel)),
                           G_VARIANT_TYPE("(a(tuss))"), G_DBUS_CALL_FLAGS_NO_AUTO_START, ANSWER_MS,
                           self->cancellable, on_log, g_object_ref(self));
}

static void on_changed(GDBusConnection *connection, const char *sender, const char *path,
                       const char *interface, const char *signal, GVariant *parameters,
                       gpointer user)
{
    (void)connection;
    (void)sender;
    (void)path;
    (void)interface;
    (void)signal;
    (void)parameters;
    ask(user);
    ask_log(user); /* what led to a failure cannot be asked for when the tunnel is gone */
}

static gboolean on_second(gpointer user)
{
    L2dBusTunnel *self = user;

    if (!self->asking)
        ask(self);
    return G_SOURCE_CONTINUE;
}

static void set_watched(L2dTunnel *tunnel, gboolean watched)
{
    L2dBusTunnel *self = L2D_BUS_TUNNEL(tunnel);

    g_clear_handle_id(&self->timer, g_source_remove);
    if (!watched || self->lost)
        return;
    self->timer = g_timeout_add_seconds(1, on_second, self);
    ask(self);
}

static void unsubscribe(L2dBusTunnel *self)
{
    if (self->changes)
        g_dbus_connection_signal_unsubscribe(self->connection, self->changes);
    self->changes = 0;
    g_clear_handle_id(&self->timer, g_source_remove);
}

void l2d_bus_tunnel_lost(L2dBusTunnel *self)
{
    L2dSnapshot *last = l2d_tunnel_get_snapshot(L2D_TUNNEL(self));

    self->lost = TRUE;
    unsubscribe(self);
    g_cancellable_cancel(self->cancellable);
    if (l2d_snapshot_get_state(last) != L2D_STATE_FAILED)
        l2d_tunnel_take_snapshot(L2D_TUNNEL(self), l2d_snapshot_new_for_state(L2D_STATE_OFF));
}

void l2d_bus_tunnel_disconnect(L2dBusTunnel *self, GAsyncReadyCallback callback, gpointer user)
{
    g_dbus_connection_call(self->connection, self->name, OBJECT_PATH, INTERFACE, "Disconnect", NULL,
                           NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, ANSWER_MS, NULL, callback, user);
}

static void l2d_bus_tunnel_dispose(GObject *object)
{
    L2dBusTunnel *self = L2D_BUS_TUNNEL(object);

    unsubscribe(self);
    if (self->cancellable)
        g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    g_clear_object(&self->connection);
    g_clear_pointer(&self->name, g_free);
    G_OBJECT_CLASS(l2d_bus_tunnel_parent_class)->dispose(object);
}

static void l2d_bus_tunnel_class_init(L2dBusTunnelClass *class)
{
    G_OBJECT_CLASS(class)->dispose = l2d_bus_tunnel_dispose;
    L2D_TUNNEL_CLASS(class)->set_watched = set_watched;
    L2D_TUNNEL_CLASS(class)->ask_log = ask_log;
}

static void l2d_bus_tunnel_init(L2dBusTunnel *self)
{
    self->cancellable = g_cancellable_new();
}

L2dBusTunnel *l2d_bus_tunnel_new(GDBusConnection *connection, const char *name)
{
    L2dBusTunnel *self = g_object_new(L2D_TYPE_BUS_TUNNEL, NULL);

    self->connection = g_object_ref(connection);
    self->name = g_strdup(name);
    self->changes = g_dbus_connection_signal_subscribe(
        connection, name, "org.freedesktop.DBus.Properties", "PropertiesChanged", OBJECT_PATH,
        INTERFACE, G_DBUS_SIGNAL_FLAGS_NONE, on_changed, self, NULL);
    ask(self);
    return self;
}
