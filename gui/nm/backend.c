/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nm/backend.h"
#include "bus/expected.h"
#include "bus/tunnel.h"
#include "model/words.h"
#include "nm/agent.h"
#include "nm/tunnel.h"
#include "none/backend.h"

#include <exchange.h>

#define L2D_TYPE_NM_BACKEND (l2d_nm_backend_get_type())
G_DECLARE_FINAL_TYPE(L2dNmBackend, l2d_nm_backend, L2D, NM_BACKEND, L2dBackend)

#define LOOK_MS 500 /* of a bus that does not answer nothing is known */

struct _L2dNmBackend {
    L2dBackend parent;
    NMClient *client; /* NULL: not yet there */
    L2dNmAgent *agent;
    GCancellable *cancellable; /* ends with us */
    gboolean seen;             /* NetworkManager has run */
};

G_DEFINE_TYPE(L2dNmBackend, l2d_nm_backend, L2D_TYPE_BACKEND)

/* What libnm has of a profile, hung up on it. */
struct stored {
    NMRemoteConnection *connection;
    gboolean dialing, cancelled; /* an activation was asked for and not yet answered */
};

static void stored_free(gpointer data)
{
    struct stored *s = data;

    g_object_unref(s->connection);
    g_free(s);
}

static struct stored *stored_of(L2dProfile *profile)
{
    return g_object_get_data(G_OBJECT(profile), "nm-connection");
}

static void fail(GTask *task, GError *error)
{
    g_dbus_error_strip_remote_error(error);
    g_task_return_error(task, error);
}

static void refuse(GTask *task)
{
    g_task_return_new_error(task, G_IO_ERROR, G_IO_ERROR_NOT_CONNECTED, "%s",
                            _("NetworkManager is not running."));
    g_object_unref(task);
}

static NMClient *client_of(L2dBackend *b)
{
    NMClient *client = L2D_NM_BACKEND(b)->client;

    return client && nm_client_get_nm_running(client) ? client : NULL;
}

/* ---- the list ---- */

static const char *item_of(NMConnection *c, const char *key)
{
    const char *item = nm_setting_vpn_get_data_item(nm_connection_get_setting_vpn(c), key);

    return item ? item : "";
}

static void show(L2dProfile *p, NMConnection *c)
{
    if (l2d_nm_is_ours(c))
        l2d_profile_set_texts(p, nm_connection_get_id(c), item_of(c, "gateway"),
                              item_of(c, "user"));
}

static void on_connection_changed(NMConnection *c, L2dNmBackend *self)
{
    L2dProfile *p = l2d_backend_find(L2D_BACKEND(self), nm_connection_get_uuid(c));

    if (p)
        show(p, c);
}

static void on_connection_added(NMClient *client, NMRemoteConnection *r, L2dNmBackend *self)
{
    NMConnection *c = NM_CONNECTION(r);
    L2dBackend *b = L2D_BACKEND(self);
    g_autoptr(L2dProfile) made = NULL;
    struct stored *s;
    L2dProfile *p;

    (void)client;
    if (!l2d_nm_is_ours(c))
        return;
    p = l2d_backend_find(b, nm_connection_get_uuid(c)); /* its tunnel may have been seen first */
    if (!p)
        p = made = l2d_profile_new(nm_connection_get_uuid(c), nm_connection_get_id(c),
                                   item_of(c, "gateway"), item_of(c, "user"));
    s = g_new0(struct stored, 1);
    s->connection = g_object_ref(r);
    g_object_set_data_full(G_OBJECT(p), "nm-connection", s, stored_free);
    g_signal_connect_object(r, NM_CONNECTION_CHANGED, G_CALLBACK(on_connection_changed), self, 0);
    if (made) {
        l2d_backend_insert(b, made);
    } else {
        l2d_profile_set_stored(p, TRUE);
        show(p, c);
    }
}

static void on_connection_removed(NMClient *client, NMRemoteConnection *r, L2dNmBackend *self)
{
    GListModel *list = l2d_backend_get_profiles(L2D_BACKEND(self));

    (void)client;
    g_signal_handlers_disconnect_by_data(r, self);
    for (guint i = g_list_model_get_n_items(list); i-- > 0;) {
        g_autoptr(L2dProfile) p = g_list_model_get_item(list, i);

        if (stored_of(p) && stored_of(p)->connection == r) {
            g_object_set_data(G_OBJECT(p), "nm-connection", NULL);
            l2d_backend_drop(L2D_BACKEND(self), p);
        }
    }
}

/* ---- states ---- */

static void on_vpn_state(NMVpnConnection *vpn, guint state, guint reason, L2dNmBackend *self)
{
    L2dProfile *p = l2d_backend_find(L2D_BACKEND(self),
                                     nm_active_connection_get_uuid(NM_ACTIVE_CONNECTION(vpn)));

    if (p)
        l2d_nm_tunnel_say(p, (NMVpnConnectionState)state, (NMActiveConnectionStateReason)reason);
}

static void on_active_added(NMClient *client, NMActiveConnection *active, L2dNmBackend *self)
{
    (void)client;
    if (!NM_IS_VPN_CONNECTION(active))
        return;
    g_signal_connect_object(active, "vpn-state-changed", G_CALLBACK(on_vpn_state), self, 0);
    on_vpn_state(NM_VPN_CONNECTION(active),
                 nm_vpn_connection_get_vpn_state(NM_VPN_CONNECTION(active)), 0, self);
}

static void on_active_removed(NMClient *client, NMActiveConnection *active, L2dNmBackend *self)
{
    const char *uuid = nm_active_connection_get_uuid(active);
    L2dProfile *p = uuid ? l2d_backend_find(L2D_BACKEND(self), uuid) : NULL;

    (void)client;
    if (!NM_IS_VPN_CONNECTION(active))
        return;
    g_signal_handlers_disconnect_by_data(active, self);
    if (p)
        l2d_nm_tunnel_say(p, NM_VPN_CONNECTION_STATE_DISCONNECTED, 0);
}

/* ---- NetworkManager comes and goes ---- */

static void on_running(L2dNmBackend *self)
{
    gboolean running = nm_client_get_nm_running(self->client);

    self->seen = self->seen || running;
    l2d_backend_set_trouble(L2D_BACKEND(self), running      ? NULL
                                               : self->seen ? _("NetworkManager is not running.")
                                                            : l2d_none_backend_sentence());
}

static void on_client(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(L2dNmBackend) self = user;
    g_autoptr(GError) error = NULL;
    NMClient *client = nm_client_new_finish(result, &error);
    const GPtrArray *rows;

    (void)source;
    if (!client) {
        if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
            l2d_backend_set_trouble(L2D_BACKEND(self), l2d_none_backend_sentence());
        return;
    }
    self->client = client;
    g_signal_connect_object(client, NM_CLIENT_CONNECTION_ADDED, G_CALLBACK(on_connection_added),
                            self, 0);
    g_signal_connect_object(client, NM_CLIENT_CONNECTION_REMOVED, G_CALLBACK(on_connection_removed),
                            self, 0);
    g_signal_connect_object(client, NM_CLIENT_ACTIVE_CONNECTION_ADDED, G_CALLBACK(on_active_added),
                            self, 0);
    g_signal_connect_object(client, NM_CLIENT_ACTIVE_CONNECTION_REMOVED,
                            G_CALLBACK(on_active_removed), self, 0);
    g_signal_connect_object(client, "notify::" NM_CLIENT_NM_RUNNING, G_CALLBACK(on_running), self,
                            G_CONNECT_SWAPPED);
    rows = nm_client_get_connections(client);
    for (guint i = 0; i < rows->len; i++)
        on_connection_added(client, g_ptr_array_index(rows, i), self);
    rows = nm_client_get_active_connections(client);
    for (guint i = 0; i < rows->len; i++)
        on_active_added(client, g_ptr_array_index(rows, i), self);
    on_running(self);
}

static void start(L2dBackend *b)
{
    L2dNmBackend *self = L2D_NM_BACKEND(b);

    nm_client_new_async(self->cancellable, on_client, g_object_ref(self));
    self->agent = l2d_nm_agent_new(b);
    l2d_backend_follow_tunnels(b);
}

/* ---- connect and disconnect ---- */

struct dial {
    GTask *task;
    L2dProfile *profile;
};

static void on_deactivated(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(GTask) task = user;
    GError *error = NULL;

    if (nm_client_deactivate_connection_finish(NM_CLIENT(source), result, &error) ||
        g_error_matches(error, NM_MANAGER_ERROR, NM_MANAGER_ERROR_CONNECTION_NOT_ACTIVE)) {
        g_clear_error(&error);
        g_task_return_boolean(task, TRUE);
    } else {
        fail(task, error);
    }
}

static void ignore(GObject *source, GAsyncResult *result, gpointer user)
{
    (void)user;
    (void)nm_client_deactivate_connection_finish(NM_CLIENT(source), result, NULL);
}

static void on_activated(GObject *source, GAsyncResult *result, gpointer user)
{
    struct dial *d = user;
    struct stored *s = stored_of(d->profile);
    GError *error = NULL;
    NMActiveConnection *active =
        nm_client_activate_connection_finish(NM_CLIENT(source), result, &error);
    gboolean cancelled = s && s->cancelled;

    if (s)
        s->dialing = s->cancelled = FALSE;
    if (active && cancelled)
        nm_client_deactivate_connection_async(NM_CLIENT(source), active, NULL, ignore, NULL);
    if (active) {
        g_task_return_boolean(d->task, TRUE);
    } else {
        l2d_expected_state(d->profile, L2D_STATE_OFF);
        fail(d->task, error);
    }
    g_clear_object(&active);
    g_object_unref(d->task);
    g_object_unref(d->profile);
    g_free(d);
}

static void nm_connect(L2dBackend *b, L2dProfile *profile, GTask *task)
{
    NMClient *client = client_of(b);
    struct stored *s = stored_of(profile);
    struct dial *d;

    if (!client || !s) {
        refuse(task);
        return;
    }
    s->dialing = TRUE;
    s->cancelled = FALSE;
    d = g_new0(struct dial, 1);
    d->task = task;
    d->profile = g_object_ref(profile);
    l2d_expected_state(profile, L2D_STATE_DIALING);
    nm_client_activate_connection_async(client, NM_CONNECTION(s->connection), NULL, NULL,
                                        g_task_get_cancellable(task), on_activated, d);
}

static NMActiveConnection *active_of(NMClient *client, L2dProfile *profile)
{
    const GPtrArray *rows = nm_client_get_active_connections(client);

    for (guint i = 0; i < rows->len; i++) {
        NMActiveConnection *active = g_ptr_array_index(rows, i);

        if (g_strcmp0(nm_active_connection_get_uuid(active), l2d_profile_get_uuid(profile)) == 0)
            return active;
    }
    return NULL;
}

static void on_hung_up(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(GTask) task = user;
    GError *error = NULL;
    g_autoptr(GVariant) done =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);

    if (done)
        g_task_return_boolean(task, TRUE);
    else
        fail(task, error);
}

/* The window shows it at once; NetworkManager takes the time it needs. */
static void nm_disconnect(L2dBackend *b, L2dProfile *profile, GTask *task)
{
    NMClient *client = client_of(b);
    NMActiveConnection *active = client ? active_of(client, profile) : NULL;
    struct stored *s = stored_of(profile);
    L2dTunnel *t = l2d_profile_get_tunnel(profile);

    if (s && s->dialing)
        s->cancelled = TRUE;
    if (active) {
        l2d_expected_state(profile, L2D_STATE_CLOSING);
        nm_client_deactivate_connection_async(client, active, g_task_get_cancellable(task),
                                              on_deactivated, task);
    } else if (t && L2D_IS_BUS_TUNNEL(t) && l2d_profile_is_wanted(profile)) {
        l2d_bus_tunnel_disconnect(L2D_BUS_TUNNEL(t), on_hung_up, task); /* another program's */
    } else {
        l2d_expected_state(profile, L2D_STATE_OFF);
        g_task_return_boolean(task, TRUE);
        g_object_unref(task);
    }
}

/* ---- profiles ---- */

static void profile_free(gpointer data)
{
    l2tpc_profile_free(data);
}

/* A user who may not read the secrets gets the settings without them. */
static void on_secrets(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(GTask) task = user;
    g_autoptr(GVariant) secrets =
        nm_remote_connection_get_secrets_finish(NM_REMOTE_CONNECTION(source), result, NULL);
    g_autoptr(NMConnection) copy = nm_simple_connection_new_clone(NM_CONNECTION(source));

    if (secrets)
        (void)nm_connection_update_secrets(copy, NM_SETTING_VPN_SETTING_NAME, secrets, NULL);
    g_task_return_pointer(task, exchange_profile(copy), profile_free);
    nm_connection_clear_secrets(copy);
}

static void load(L2dBackend *b, L2dProfile *profile, GTask *task)
{
    struct stored *s = stored_of(profile);

    if (!client_of(b) || !s)
        refuse(task);
    else
        nm_remote_connection_get_secrets_async(s->connection, NM_SETTING_VPN_SETTING_NAME,
                                               g_task_get_cancellable(task), on_secrets, task);
}

static void on_added(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(GTask) task = user;
    GError *error = NULL;
    g_autoptr(NMRemoteConnection) r =
        nm_client_add_connection_finish(NM_CLIENT(source), result, &error);

    if (r)
        g_task_return_boolean(task, TRUE);
    else
        fail(task, error);
}

/* Who may not change the settings of all users stores one of his own. */
static void choose_owner(NMClient *client, NMConnection *c)
{
    NMSettingConnection *s = nm_connection_get_setting_connection(c);

    if (nm_client_get_permission_result(client, NM_CLIENT_PERMISSION_SETTINGS_MODIFY_SYSTEM) !=
            NM_CLIENT_PERMISSION_RESULT_YES &&
        nm_setting_connection_get_num_permissions(s) == 0)
        (void)nm_setting_connection_add_permission(s, "user", g_get_user_name(), NULL);
}

static void set_uuid(NMConnection *c, const char *uuid)
{
    g_object_set(nm_connection_get_setting_connection(c), NM_SETTING_CONNECTION_UUID, uuid, NULL);
}

static void add(L2dBackend *b, const l2tpc_profile *settings, GTask *task)
{
    NMClient *client = client_of(b);
    g_autoptr(NMConnection) c = NULL;
    GError *error = NULL;

    if (!client) {
        refuse(task);
        return;
    }
    c = exchange_connection(settings, &error);
    if (!c) {
        fail(task, error);
        g_object_unref(task);
        return;
    }
    if (nm_client_get_connection_by_uuid(client, nm_connection_get_uuid(c))) {
        g_autofree char *uuid = g_uuid_string_random();

        set_uuid(c, uuid);
    }
    choose_owner(client, c);
    nm_client_add_connection_async(client, c, TRUE, g_task_get_cancellable(task), on_added, task);
}

static void on_replaced(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(GTask) task = user;
    GError *error = NULL;
    g_autoptr(GVariant) done =
        nm_remote_connection_update2_finish(NM_REMOTE_CONNECTION(source), result, &error);

    if (done)
        g_task_return_boolean(task, TRUE);
    else
        fail(task, error);
}

static void replace(L2dBackend *b, L2dProfile *profile, const l2tpc_profile *settings, GTask *task)
{
    struct stored *s = stored_of(profile);
    g_autoptr(NMConnection) c = NULL;
    GError *error = NULL;

    if (!client_of(b) || !s) {
        refuse(task);
        return;
    }
    c = exchange_connection(settings, &error);
    if (!c) {
        fail(task, error);
        g_object_unref(task);
        return;
    }
    set_uuid(c, l2d_profile_get_uuid(profile));
    nm_remote_connection_update2(
        s->connection, nm_connection_to_dbus(c, NM_CONNECTION_SERIALIZE_ALL),
        NM_SETTINGS_UPDATE2_FLAG_TO_DISK, NULL, g_task_get_cancellable(task), on_replaced, task);
}

static void on_deleted(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(GTask) task = user;
    GError *error = NULL;

    if (nm_remote_connection_delete_finish(NM_REMOTE_CONNECTION(source), result, &error))
        g_task_return_boolean(task, TRUE);
    else
        fail(task, error);
}

static void nm_remove(L2dBackend *b, L2dProfile *profile, GTask *task)
{
    struct stored *s = stored_of(profile);

    if (!client_of(b) || !s)
        refuse(task);
    else
        nm_remote_connection_delete_async(s->connection, g_task_get_cancellable(task), on_deleted,
                                          task);
}

/* ---- the object ---- */

static void l2d_nm_backend_dispose(GObject *object)
{
    L2dNmBackend *self = L2D_NM_BACKEND(object);

    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->agent);
    g_clear_object(&self->client);
    G_OBJECT_CLASS(l2d_nm_backend_parent_class)->dispose(object);
}

static void l2d_nm_backend_finalize(GObject *object)
{
    g_object_unref(L2D_NM_BACKEND(object)->cancellable);
    G_OBJECT_CLASS(l2d_nm_backend_parent_class)->finalize(object);
}

static void l2d_nm_backend_class_init(L2dNmBackendClass *class)
{
    L2dBackendClass *b = L2D_BACKEND_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = l2d_nm_backend_dispose;
    G_OBJECT_CLASS(class)->finalize = l2d_nm_backend_finalize;
    b->title = N_("NetworkManager");
    b->start = start;
    b->connect = nm_connect;
    b->disconnect = nm_disconnect;
    b->load = load;
    b->add = add;
    b->replace = replace;
    b->remove = nm_remove;
    b->desktop_switch = TRUE;
}

static void l2d_nm_backend_init(L2dNmBackend *self)
{
    self->cancellable = g_cancellable_new();
}

gboolean l2d_nm_is_there(GDBusConnection *bus)
{
    g_autoptr(GVariant) answer = g_dbus_connection_call_sync(
        bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
        "NameHasOwner", g_variant_new("(s)", NM_DBUS_SERVICE), G_VARIANT_TYPE("(b)"),
        G_DBUS_CALL_FLAGS_NONE, LOOK_MS, NULL, NULL);
    gboolean runs = FALSE;
    GSList *plugins;

    if (answer)
        g_variant_get(answer, "(b)", &runs);
    plugins = runs ? nm_vpn_plugin_info_list_load() : NULL;
    runs = nm_vpn_plugin_info_list_find_by_service(plugins, EXCHANGE_SERVICE_OURS) != NULL;
    g_slist_free_full(plugins, g_object_unref);
    return runs;
}

L2dBackend *l2d_nm_backend_new(void)
{
    return g_object_new(L2D_TYPE_NM_BACKEND, NULL);
}
