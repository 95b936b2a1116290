/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "service/backend.h"
#include "bus/expected.h"
#include "bus/tunnel.h"
#include "model/words.h"
#include "none/backend.h"
#include "service/call.h"
#include "service/questions.h"

#include <gio/gunixfdlist.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

#define L2D_TYPE_SERVICE_BACKEND (l2d_service_backend_get_type())
G_DECLARE_FINAL_TYPE(L2dServiceBackend, l2d_service_backend, L2D, SERVICE_BACKEND, L2dBackend)

#define LOOK_MS 500 /* of a bus that does not answer nothing is known */

struct _L2dServiceBackend {
    L2dBackend parent;
    GDBusConnection *bus; /* NULL: not yet there */
    GCancellable *cancellable;
    guint signals, owners;
    gboolean listing, again;
};

G_DEFINE_TYPE(L2dServiceBackend, l2d_service_backend, L2D_TYPE_BACKEND)

/* ---- is it there ---- */

static gboolean has(GDBusConnection *bus, const char *method, const char *name)
{
    g_autoptr(GVariant) answer = g_dbus_connection_call_sync(
        bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", method, NULL,
        G_VARIANT_TYPE("(as)"), G_DBUS_CALL_FLAGS_NONE, LOOK_MS, NULL, NULL);
    g_autofree const char **names = NULL;

    if (answer)
        g_variant_get(answer, "(^a&s)", &names);
    return names && g_strv_contains(names, name);
}

gboolean l2d_service_is_there(GDBusConnection *bus)
{
    return has(bus, "ListNames", L2D_SERVICE_NAME) ||
           has(bus, "ListActivatableNames", L2D_SERVICE_NAME);
}

/* ---- the list ---- */

static gboolean is_own(L2dProfile *profile)
{
    return GPOINTER_TO_INT(g_object_get_data(G_OBJECT(profile), "service-own"));
}

/* We have dialed it, and nobody has said yet how it ended. */
static void set_dialed(L2dProfile *profile, gboolean dialed)
{
    g_object_set_data(G_OBJECT(profile), "service-dialed", GINT_TO_POINTER(dialed));
}

static gboolean is_dialed(L2dProfile *profile)
{
    return GPOINTER_TO_INT(g_object_get_data(G_OBJECT(profile), "service-dialed"));
}

static gboolean is_listed(L2dProfile *profile)
{
    return g_object_get_data(G_OBJECT(profile), "service-listed") != NULL;
}

static void on_profile_changed(L2dProfile *profile, L2dServiceBackend *self)
{
    L2dState s = l2d_profile_get_state(profile);

    l2d_service_keep(self->bus, profile);
    if (s == L2D_STATE_OFF || s == L2D_STATE_FAILED)
        l2d_service_forget(profile);
}

static void take_one(L2dServiceBackend *self, const char *uuid, const char *name,
                     const char *server, const char *owner)
{
    L2dBackend *b = L2D_BACKEND(self);
    L2dProfile *p = l2d_backend_find(b, uuid); /* its tunnel may have been seen first */
    g_autoptr(L2dProfile) made = NULL;

    if (!p)
        p = made = l2d_profile_new(uuid, name, server, "");
    g_object_set_data(G_OBJECT(p), "service-own", GINT_TO_POINTER(g_str_equal(owner, "own")));
    if (!is_listed(p))
        g_signal_connect_object(p, "changed", G_CALLBACK(on_profile_changed), self, 0);
    g_object_set_data(G_OBJECT(p), "service-listed", self);
    l2d_profile_set_stored(p, TRUE);
    if (made)
        l2d_backend_insert(b, made);
    else
        l2d_profile_set_texts(p, name, server, "");
}

static void drop_missing(L2dServiceBackend *self, GHashTable *there)
{
    GListModel *list = l2d_backend_get_profiles(L2D_BACKEND(self));

    for (guint i = g_list_model_get_n_items(list); i-- > 0;) {
        g_autoptr(L2dProfile) p = g_list_model_get_item(list, i);

        if (is_listed(p) && !g_hash_table_contains(there, l2d_profile_get_uuid(p))) {
            l2d_service_forget(p);
            l2d_backend_drop(L2D_BACKEND(self), p);
        }
    }
}

static void take_list(L2dServiceBackend *self, GVariant *answer)
{
    g_autoptr(GHashTable) there = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GVariantIter) iter = NULL;
    const char *uuid;
    const char *name;
    const char *server;
    const char *owner;

    g_variant_get(answer, "(a(ssssas))", &iter);
    while (g_variant_iter_next(iter, "(&s&s&s&sas)", &uuid, &name, &server, &owner, NULL)) {
        (void)g_hash_table_add(there, (gpointer)uuid);
        take_one(self, uuid, name, server, owner);
    }
    drop_missing(self, there);
}

static void ask_list(L2dServiceBackend *self);

static void on_list(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(L2dServiceBackend) self = user;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) answer =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);

    self->listing = FALSE;
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        return;
    if (answer)
        take_list(self, answer);
    else
        l2d_service_put_in_words(&error);
    l2d_backend_set_trouble(L2D_BACKEND(self), error ? error->message : NULL);
    if (self->again) {
        self->again = FALSE;
        ask_list(self);
    }
}

static void ask_list(L2dServiceBackend *self)
{
    if (self->listing) {
        self->again = TRUE;
        return;
    }
    self->listing = TRUE;
    g_dbus_connection_call(self->bus, L2D_SERVICE_NAME, L2D_SERVICE_PATH, L2D_SERVICE_NAME,
                           "ListProfiles", NULL, G_VARIANT_TYPE("(a(ssssas))"),
                           G_DBUS_CALL_FLAGS_NONE, -1, self->cancellable, on_list,
                           g_object_ref(self));
}

/* ---- what the service says ---- */

static void on_ended(L2dProfile *profile, GVariant *parameters)
{
    const char *stage;
    const char *code;
    const char *sentence;
    const char *hint;

    g_variant_get(parameters, "(&s(&s&s&s&s))", NULL, &stage, &code, &sentence, &hint);
    l2d_service_forget(profile);
    set_dialed(profile, FALSE);
    if (!*code)
        l2d_expected_state(profile, L2D_STATE_OFF);
    else if (l2d_profile_get_state(profile) != L2D_STATE_FAILED) /* the tunnel knew more */
        l2d_expected_take(profile, l2d_expected_failure(stage, code, sentence, hint));
}

static void on_signal(GDBusConnection *bus, const char *sender, const char *path,
                      const char *interface, const char *signal, GVariant *parameters,
                      gpointer user)
{
    L2dServiceBackend *self = user;
    L2dProfile *p = NULL;
    const char *uuid;

    (void)sender;
    (void)path;
    (void)interface;
    if (g_str_equal(signal, "ProfilesChanged")) {
        ask_list(self);
        return;
    }
    if (g_variant_is_of_type(parameters, G_VARIANT_TYPE("(suassb)")) ||
        g_variant_is_of_type(parameters, G_VARIANT_TYPE("(s(ssss))"))) {
        g_variant_get_child(parameters, 0, "&s", &uuid);
        p = l2d_backend_find(L2D_BACKEND(self), uuid);
    }
    if (p && g_str_equal(signal, "SecretsNeeded"))
        l2d_service_question(L2D_BACKEND(self), bus, p, parameters, is_own(p));
    else if (p && g_str_equal(signal, "Ended"))
        on_ended(p, parameters);
}

/* It has ended: when nobody needs it, or too early. */
static void on_owner(GDBusConnection *bus, const char *sender, const char *path,
                     const char *interface, const char *signal, GVariant *parameters, gpointer user)
{
    L2dServiceBackend *self = user;
    GListModel *list = l2d_backend_get_profiles(L2D_BACKEND(self));
    const char *owner;

    (void)bus;
    (void)sender;
    (void)path;
    (void)interface;
    (void)signal;
    g_variant_get(parameters, "(&s&s&s)", NULL, NULL, &owner);
    for (guint i = 0; !*owner && i < g_list_model_get_n_items(list); i++) {
        g_autoptr(L2dProfile) p = g_list_model_get_item(list, i);

        if (!is_dialed(p))
            continue;
        l2d_service_forget(p);
        set_dialed(p, FALSE);
        l2d_expected_take(p, l2d_expected_failure(
                                 "", "", _("The service for L2TP connections has stopped."), ""));
    }
}

/* ---- its life ---- */

static void on_bus(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(L2dServiceBackend) self = user;
    g_autoptr(GError) error = NULL;
    GDBusConnection *bus = g_bus_get_finish(result, &error);

    (void)source;
    if (!bus) {
        if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
            l2d_backend_set_trouble(L2D_BACKEND(self), l2d_none_backend_sentence());
        return;
    }
    self->bus = bus;
    self->signals = g_dbus_connection_signal_subscribe(
        bus, L2D_SERVICE_NAME, L2D_SERVICE_NAME, NULL, L2D_SERVICE_PATH, NULL,
        G_DBUS_SIGNAL_FLAGS_NONE, on_signal, self, NULL);
    self->owners = g_dbus_connection_signal_subscribe(
        bus, "org.freedesktop.DBus", "org.freedesktop.DBus", "NameOwnerChanged",
        "/org/freedesktop/DBus", L2D_SERVICE_NAME, G_DBUS_SIGNAL_FLAGS_NONE, on_owner, self, NULL);
    ask_list(self);
}

static void start(L2dBackend *b)
{
    L2dServiceBackend *self = L2D_SERVICE_BACKEND(b);

    g_bus_get(G_BUS_TYPE_SYSTEM, self->cancellable, on_bus, g_object_ref(self));
    l2d_backend_follow_tunnels(b);
}

/* ---- connect and disconnect ---- */

static GDBusConnection *bus_of(L2dBackend *b, GTask *task)
{
    GDBusConnection *bus = L2D_SERVICE_BACKEND(b)->bus;

    if (!bus) {
        g_task_return_new_error(task, G_IO_ERROR, G_IO_ERROR_NOT_CONNECTED, "%s",
                                l2d_none_backend_sentence());
        g_object_unref(task);
    }
    return bus;
}

static void fail(GTask *task, GError *error)
{
    l2d_service_put_in_words(&error);
    g_task_return_error(task, error);
}

/* Sentences in the user's language; a service that was started anew does not know it yet. */
static void say_locale(GDBusConnection *bus)
{
    const char *locale = setlocale(LC_MESSAGES, NULL);

    if (locale)
        g_dbus_connection_call(bus, L2D_SERVICE_NAME, L2D_SERVICE_PATH, L2D_SERVICE_NAME,
                               "SetLocale", g_variant_new("(s)", locale), NULL,
                               G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);
}

static void on_connected(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(GTask) task = user;
    L2dProfile *profile = g_task_get_task_data(task);
    GError *error = NULL;

    (void)source;
    if (g_task_propagate_boolean(G_TASK(result), &error)) {
        g_task_return_boolean(task, TRUE);
        return;
    }
    if (!l2d_expected_is_told(profile)) {
        set_dialed(profile, FALSE);
        l2d_expected_state(profile, L2D_STATE_OFF);
    }
    fail(task, error);
}

static void service_connect(L2dBackend *b, L2dProfile *profile, GTask *task)
{
    GDBusConnection *bus = bus_of(b, task);

    if (!bus)
        return;
    g_task_set_task_data(task, g_object_ref(profile), g_object_unref);
    set_dialed(profile, TRUE);
    l2d_expected_state(profile, L2D_STATE_DIALING);
    say_locale(bus);
    l2d_service_call(bus, "Connect", g_variant_new("(sa{ss})", l2d_profile_get_uuid(profile), NULL),
                     NULL, g_task_new(b, g_task_get_cancellable(task), on_connected, task));
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

/* The service does not run it: another program does, or nobody any more. */
static void on_disconnected(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(GTask) task = user;
    L2dProfile *profile = g_task_get_task_data(task);
    L2dTunnel *t = l2d_profile_get_tunnel(profile);
    GError *error = NULL;

    (void)source;
    if (g_task_propagate_boolean(G_TASK(result), &error)) {
        g_task_return_boolean(task, TRUE);
    } else if (!l2d_service_is_error(error, "NotFound")) {
        fail(task, error);
    } else if (t && l2d_expected_is_told(profile)) {
        g_clear_error(&error);
        l2d_bus_tunnel_disconnect(L2D_BUS_TUNNEL(t), on_hung_up, g_steal_pointer(&task));
    } else {
        g_clear_error(&error);
        l2d_expected_state(profile, L2D_STATE_OFF);
        g_task_return_boolean(task, TRUE);
    }
}

/* The window shows it at once; the server takes the time it needs. */
static void service_disconnect(L2dBackend *b, L2dProfile *profile, GTask *task)
{
    GDBusConnection *bus = bus_of(b, task);

    if (!bus)
        return;
    g_task_set_task_data(task, g_object_ref(profile), g_object_unref);
    l2d_expected_state(profile, L2D_STATE_CLOSING);
    l2d_service_call(bus, "Disconnect", g_variant_new("(s)", l2d_profile_get_uuid(profile)), NULL,
                     g_task_new(b, NULL, on_disconnected, task));
}

/* ---- profiles ---- */

static void profile_free(gpointer data)
{
    l2tpc_profile_free(data);
}

static void on_loaded(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(GTask) task = user;
    GError *error = NULL;
    g_autoptr(GVariant) answer =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    l2tpc_profile *settings = NULL;
    const char *keyfile;

    if (answer) {
        g_variant_get(answer, "(&s)", &keyfile);
        settings = l2d_service_parse(keyfile, &error);
    }
    if (settings)
        g_task_return_pointer(task, settings, profile_free);
    else
        fail(task, error);
}

static void load(L2dBackend *b, L2dProfile *profile, GTask *task)
{
    GDBusConnection *bus = bus_of(b, task);

    if (bus)
        g_dbus_connection_call(bus, L2D_SERVICE_NAME, L2D_SERVICE_PATH, L2D_SERVICE_NAME,
                               "GetProfile", g_variant_new("(s)", l2d_profile_get_uuid(profile)),
                               G_VARIANT_TYPE("(s)"), G_DBUS_CALL_FLAGS_NONE, -1,
                               g_task_get_cancellable(task), on_loaded, task);
}

static void on_done(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(GTask) task = user;
    GError *error = NULL;

    (void)source;
    if (g_task_propagate_boolean(G_TASK(result), &error))
        g_task_return_boolean(task, TRUE);
    else
        fail(task, error);
}

/* NULL: the task was told why. */
static GUnixFDList *files_of(const l2tpc_profile *settings, GTask *task)
{
    g_autoptr(GUnixFDList) files = g_unix_fd_list_new();
    GError *error = NULL;
    int fd = l2d_service_keyfile(settings, &error);

    if (fd >= 0) {
        int handle = g_unix_fd_list_append(files, fd, &error);

        close(fd);
        if (handle >= 0)
            return g_steal_pointer(&files);
    }
    g_task_return_error(task, error);
    g_object_unref(task);
    return NULL;
}

static void add(L2dBackend *b, const l2tpc_profile *settings, GTask *task)
{
    GDBusConnection *bus = bus_of(b, task);
    g_autoptr(GUnixFDList) files = bus ? files_of(settings, task) : NULL;

    if (files)
        l2d_service_call(bus, "AddProfileByFd", g_variant_new("(hs)", 0, "own"), files,
                         g_task_new(b, g_task_get_cancellable(task), on_done, task));
}

static void replace(L2dBackend *b, L2dProfile *profile, const l2tpc_profile *settings, GTask *task)
{
    GDBusConnection *bus = bus_of(b, task);
    g_autoptr(GUnixFDList) files = bus ? files_of(settings, task) : NULL;

    if (files)
        l2d_service_call(bus, "UpdateProfileByFd",
                         g_variant_new("(sh)", l2d_profile_get_uuid(profile), 0), files,
                         g_task_new(b, g_task_get_cancellable(task), on_done, task));
}

static void service_remove(L2dBackend *b, L2dProfile *profile, GTask *task)
{
    GDBusConnection *bus = bus_of(b, task);

    if (bus)
        l2d_service_call(bus, "RemoveProfile", g_variant_new("(s)", l2d_profile_get_uuid(profile)),
                         NULL, g_task_new(b, g_task_get_cancellable(task), on_done, task));
}

/* ---- the object ---- */

static void l2d_service_backend_dispose(GObject *object)
{
    L2dServiceBackend *self = L2D_SERVICE_BACKEND(object);

    g_cancellable_cancel(self->cancellable);
    if (self->signals)
        g_dbus_connection_signal_unsubscribe(self->bus, self->signals);
    if (self->owners)
        g_dbus_connection_signal_unsubscribe(self->bus, self->owners);
    self->signals = self->owners = 0;
    g_clear_object(&self->bus);
    G_OBJECT_CLASS(l2d_service_backend_parent_class)->dispose(object);
}

static void l2d_service_backend_finalize(GObject *object)
{
    g_object_unref(L2D_SERVICE_BACKEND(object)->cancellable);
    G_OBJECT_CLASS(l2d_service_backend_parent_class)->finalize(object);
}

static void l2d_service_backend_class_init(L2dServiceBackendClass *class)
{
    L2dBackendClass *b = L2D_BACKEND_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = l2d_service_backend_dispose;
    G_OBJECT_CLASS(class)->finalize = l2d_service_backend_finalize;
    b->title = N_("The service of l2tpc");
    b->start = start;
    b->connect = service_connect;
    b->disconnect = service_disconnect;
    b->load = load;
    b->add = add;
    b->replace = replace;
    b->remove = service_remove;
}

static void l2d_service_backend_init(L2dServiceBackend *self)
{
    self->cancellable = g_cancellable_new();
}

L2dBackend *l2d_service_backend_new(void)
{
    return g_object_new(L2D_TYPE_SERVICE_BACKEND, NULL);
}
