/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The service on the bus, from its start until nobody wants anything of it. */
#include "service/standalone.h"

#include "service/standalone_calls.h"

#include <glib-unix.h>
#include <l2tpc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOODBYE_MS 3000

extern const char standalone_introspection[];

static void on_call(GDBusConnection *bus, const gchar *sender, const gchar *path,
                    const gchar *interface, const gchar *name, GVariant *parameters,
                    GDBusMethodInvocation *invocation, gpointer user)
{
    (void)bus;
    (void)sender;
    (void)path;
    (void)interface;
    (void)name;
    access_take(user, invocation, parameters);
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
    struct service *s = user;
    const char *name;
    const char *owner;

    (void)bus;
    (void)sender;
    (void)path;
    (void)interface;
    (void)signal;
    g_variant_get(parameters, "(&s&s&s)", &name, NULL, &owner);
    if (name[0] != ':' || owner[0])
        return;
    calls_sender_gone(s, name);
    (void)g_hash_table_remove(s->languages, name);
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
    s.calls_of = g_hash_table_new(NULL, NULL);
    s.languages = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, language_free);
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
    g_hash_table_unref(s.languages);
    g_hash_table_unref(s.calls_of);
    g_main_loop_unref(s.loop);
    return s.exit_status;
}
