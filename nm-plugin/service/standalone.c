/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service on the bus: who calls is asked of the bus, what that user may of polkit. */
#include "service/standalone.h"

#include "service/standalone_calls.h"

#include <glib-unix.h>
#include <l2tpc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLKIT_MS 120000 /* a person may have to type a password */
#define GOODBYE_MS 3000

extern const char standalone_introspection[];

static void call_free(struct call *c)
{
    c->service->n_calls--;
    standalone_look(c->service);
    g_variant_unref(c->parameters);
    g_object_unref(c->invocation);
    g_free(c);
}

static void serve(struct call *c)
{
    calls_find(g_dbus_method_invocation_get_method_name(c->invocation))->serve(c);
    call_free(c);
}

static void on_polkit(GObject *source, GAsyncResult *result, gpointer user)
{
    struct call *c = user;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, NULL);
    gboolean allowed = FALSE;

    if (!reply) {
        calls_refuse(c, "Unavailable", "polkit does not answer.");
        call_free(c);
        return;
    }
    g_variant_get(reply, "((bba{ss}))", &allowed, NULL, NULL);
    if (allowed) {
        serve(c);
        return;
    }
    calls_refuse(c, "NotAuthorized", "This user may not do that.");
    call_free(c);
}

static void ask_polkit(struct call *c, const char *action)
{
    GVariantBuilder subject;
    GVariantBuilder details;

    g_variant_builder_init(&subject, G_VARIANT_TYPE("a{sv}"));
    g_variant_builder_add(&subject, "{sv}", "name",
                          g_variant_new_string(g_dbus_method_invocation_get_sender(c->invocation)));
    g_variant_builder_init(&details, G_VARIANT_TYPE("a{ss}"));
    g_dbus_connection_call(
        c->service->bus, "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
        "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization",
        g_variant_new("((sa{sv})sa{ss}us)", "system-bus-name", &subject, action, &details, 1u, ""),
        G_VARIANT_TYPE("((bba{ss}))"), G_DBUS_CALL_FLAGS_NONE, POLKIT_MS, NULL, on_polkit, c);
}

static void on_user(GObject *source, GAsyncResult *result, gpointer user)
{
    struct call *c = user;
    const struct method *m = calls_find(g_dbus_method_invocation_get_method_name(c->invocation));
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, NULL);
    const char *action;
    guint32 uid = 0;

    if (!reply) {
        calls_refuse(c, "NotAuthorized", "Nobody knows who asks.");
        call_free(c);
        return;
    }
    g_variant_get(reply, "(u)", &uid);
    c->uid = uid;
    action = m->action ? m->action(c) : NULL;
    if (action && uid != 0)
        ask_polkit(c, action);
    else
        serve(c);
}

static void on_call(GDBusConnection *bus, const gchar *sender, const gchar *path,
                    const gchar *interface, const gchar *name, GVariant *parameters,
                    GDBusMethodInvocation *invocation, gpointer user)
{
    struct service *s = user;
    struct call *c;

    (void)path;
    (void)interface;
    if (s->n_calls >= CALLS_MAX || s->ending || !calls_find(name)) {
        g_dbus_method_invocation_return_dbus_error(invocation, SERVICE_NAME ".Error.Busy",
                                                   "Too much is asked at the same time.");
        return;
    }
    c = g_new0(struct call, 1);
    c->service = s;
    c->invocation = g_object_ref(invocation);
    c->parameters = g_variant_ref(parameters);
    s->n_calls++;
    standalone_look(s);
    g_dbus_connection_call(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                           "org.freedesktop.DBus", "GetConnectionUnixUser",
                           g_variant_new("(s)", sender), G_VARIANT_TYPE("(u)"),
                           G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_user, c);
}

static GVariant *on_property(GDBusConnection *bus, const gchar *sender, const gchar *path,
                             const gchar *interface, const gchar *name, GError **error,
                             gpointer user)
{
    (void)bus;
    (void)sender;
    (void)path;
    (void)interface;
    (void)error;
    return strcmp(name, "Version") == 0 ? g_variant_new_string(l2tpc_version())
                                        : calls_running(user);
}

static const GDBusInterfaceVTable vtable = {.method_call = on_call, .get_property = on_property};

/* ---- its life ---- */

static gboolean on_idle(gpointer user)
{
    struct service *s = user;

    s->idle_source = 0;
    g_main_loop_quit(s->loop);
    return G_SOURCE_REMOVE;
}

void standalone_look(struct service *s)
{
    gboolean idle = s->n_calls == 0 && g_hash_table_size(s->running) == 0;

    g_clear_handle_id(&s->idle_source, g_source_remove);
    if (idle && s->ending)
        g_main_loop_quit(s->loop);
    else if (idle)
        s->idle_source = g_timeout_add_seconds(s->idle_s, on_idle, s);
}

static gboolean on_patience(gpointer user)
{
    struct service *s = user;

    g_main_loop_quit(s->loop);
    return G_SOURCE_REMOVE;
}

static gboolean on_signal(gpointer user)
{
    struct service *s = user;

    s->ending = TRUE;
    (void)g_timeout_add(GOODBYE_MS, on_patience, s);
    calls_end_all(s);
    standalone_look(s);
    return G_SOURCE_CONTINUE;
}

static void on_lost(GDBusConnection *bus, const gchar *name, gpointer user)
{
    struct service *s = user;

    (void)bus;
    (void)fprintf(stderr, "nm-l2tpc-service: the name %s cannot be had\n", name);
    s->exit_status = EXIT_FAILURE;
    (void)on_signal(s);
}

static void on_owner(GDBusConnection *bus, const gchar *sender, const gchar *path,
                     const gchar *interface, const gchar *signal, GVariant *parameters,
                     gpointer user)
{
    const char *name;
    const char *owner;

    (void)bus;
    (void)sender;
    (void)path;
    (void)interface;
    (void)signal;
    g_variant_get(parameters, "(&s&s&s)", &name, NULL, &owner);
    if (name[0] == ':' && !owner[0])
        calls_sender_gone(user, name);
}

int standalone_run(struct starter *starter, guint idle_s, gboolean verbose)
{
    struct service s = {.starter = starter, .idle_s = idle_s, .verbose = verbose};
    g_autoptr(GError) error = NULL;
    g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(standalone_introspection, &error);
    guint name;

    if (node)
        s.bus = g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, &error);
    if (!s.bus) {
        (void)fprintf(stderr, "nm-l2tpc-service: %s\n", error->message);
        return EXIT_FAILURE;
    }
    s.loop = g_main_loop_new(NULL, FALSE);
    s.running = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, running_free);
    g_dbus_connection_set_exit_on_close(s.bus, FALSE);
    (void)g_dbus_connection_register_object(s.bus, SERVICE_PATH, node->interfaces[0], &vtable, &s,
                                            NULL, NULL);
    (void)g_dbus_connection_signal_subscribe(s.bus, "org.freedesktop.DBus", "org.freedesktop.DBus",
                                             "NameOwnerChanged", "/org/freedesktop/DBus", NULL,
                                             G_DBUS_SIGNAL_FLAGS_NONE, on_owner, &s, NULL);
    name = g_bus_own_name_on_connection(s.bus, SERVICE_NAME, G_BUS_NAME_OWNER_FLAGS_DO_NOT_QUEUE,
                                        NULL, on_lost, &s, NULL);
    (void)g_unix_signal_add(SIGTERM, on_signal, &s);
    (void)g_unix_signal_add(SIGINT, on_signal, &s);
    standalone_look(&s);
    g_main_loop_run(s.loop);
    g_bus_unown_name(name);
    (void)g_dbus_connection_flush_sync(s.bus, NULL, NULL);
    g_hash_table_unref(s.running);
    g_main_loop_unref(s.loop);
    return s.exit_status;
}
