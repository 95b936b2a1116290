/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "service/ending.h"

#include <NetworkManager.h>

#define ANSWER_MS 1000
#define VPN_ENDED 6 /* NM_VPN_CONNECTION_STATE_FAILED; 7 is DISCONNECTED */

static void on_state(GDBusConnection *bus, const char *sender, const char *path,
                     const char *interface, const char *signal, GVariant *parameters, gpointer user)
{
    struct ending *e = user;
    guint32 state;
    guint32 reason;

    (void)bus;
    (void)sender;
    (void)interface;
    (void)signal;
    if (!g_variant_is_of_type(parameters, G_VARIANT_TYPE("(uu)")))
        return;
    g_variant_get(parameters, "(uu)", &state, &reason);
    if (state >= VPN_ENDED)
        g_hash_table_insert(e->reason, g_strdup(path), GUINT_TO_POINTER(reason));
}

void ending_open(struct ending *e, GDBusConnection *bus)
{
    *e = (struct ending){.bus = g_object_ref(bus)};
    e->reason = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    e->subscription = g_dbus_connection_signal_subscribe(
        bus, NM_DBUS_SERVICE, NM_DBUS_INTERFACE_VPN_CONNECTION, "VpnStateChanged", NULL, NULL,
        G_DBUS_SIGNAL_FLAGS_NONE, on_state, e, NULL);
}

void ending_close(struct ending *e)
{
    if (!e->bus)
        return;
    g_dbus_connection_signal_unsubscribe(e->bus, e->subscription);
    g_clear_pointer(&e->reason, g_hash_table_unref);
    g_clear_pointer(&e->uuid, g_free);
    g_clear_pointer(&e->path, g_free);
    g_clear_object(&e->bus);
}

/* ---- which of the active connections is ours ---- */

struct question {
    struct ending *ending;
    char *uuid, *path;
};

static void question_free(struct question *q)
{
    g_free(q->uuid);
    g_free(q->path);
    g_free(q);
}

static void get(struct ending *e, const char *path, const char *interface, const char *property,
                GAsyncReadyCallback done, struct question *q)
{
    g_dbus_connection_call(e->bus, NM_DBUS_SERVICE, path, "org.freedesktop.DBus.Properties", "Get",
                           g_variant_new("(ss)", interface, property), G_VARIANT_TYPE("(v)"),
                           G_DBUS_CALL_FLAGS_NO_AUTO_START, ANSWER_MS, NULL, done, q);
}

static GVariant *answer(GObject *bus, GAsyncResult *result)
{
    GVariant *reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, NULL);
    GVariant *value = NULL;

    if (reply)
        g_variant_get(reply, "(v)", &value);
    g_clear_pointer(&reply, g_variant_unref);
    return value;
}

static void on_uuid(GObject *bus, GAsyncResult *result, gpointer user)
{
    struct question *q = user;
    GVariant *value = answer(bus, result);

    /* It may have been closed, or another connection be dialed, in between. */
    if (value && q->ending->uuid && g_strcmp0(q->uuid, q->ending->uuid) == 0 &&
        g_variant_is_of_type(value, G_VARIANT_TYPE_STRING) &&
        g_strcmp0(g_variant_get_string(value, NULL), q->uuid) == 0) {
        g_free(q->ending->path);
        q->ending->path = g_strdup(q->path);
    }
    g_clear_pointer(&value, g_variant_unref);
    question_free(q);
}

static void on_list(GObject *bus, GAsyncResult *result, gpointer user)
{
    struct question *q = user;
    GVariant *value = answer(bus, result);
    GVariantIter i;
    const char *path;

    if (value && q->ending->bus && g_variant_is_of_type(value, G_VARIANT_TYPE("ao"))) {
        g_variant_iter_init(&i, value);
        while (g_variant_iter_next(&i, "&o", &path)) {
            struct question *next = g_new0(struct question, 1);

            *next = (struct question){q->ending, g_strdup(q->uuid), g_strdup(path)};
            get(q->ending, path, NM_DBUS_INTERFACE_ACTIVE_CONNECTION, "Uuid", on_uuid, next);
        }
    }
    g_clear_pointer(&value, g_variant_unref);
    question_free(q);
}

void ending_expect(struct ending *e, const char *uuid)
{
    struct question *q = g_new0(struct question, 1);

    g_clear_pointer(&e->path, g_free);
    g_free(e->uuid);
    e->uuid = g_strdup(uuid);
    g_hash_table_remove_all(e->reason);
    *q = (struct question){e, g_strdup(uuid), NULL};
    get(e, NM_DBUS_PATH, NM_DBUS_INTERFACE, "ActiveConnections", on_list, q);
}

gboolean ending_is_the_users(struct ending *e)
{
    guint reason = 0;

    if (e->reason && e->path)
        reason = GPOINTER_TO_UINT(g_hash_table_lookup(e->reason, e->path));
    return reason == NM_ACTIVE_CONNECTION_STATE_REASON_USER_DISCONNECTED ||
           reason == NM_ACTIVE_CONNECTION_STATE_REASON_CONNECTION_REMOVED;
}
