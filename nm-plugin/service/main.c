/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nm-l2tpc-service: what NetworkManager starts for each connection. */
#include "service/plugin.h"

#include "service/standalone.h"

#include "cli/processes.h"
#include "cli/protect.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define GOODBYE_MS 3000 /* for a server that does not answer any more */

struct service {
    GMainLoop *loop;
    Plugin *plugin;
    gboolean ending;
};

static void on_idle(gpointer user)
{
    struct service *s = user;

    g_main_loop_quit(s->loop);
}

static gboolean on_patience(gpointer user)
{
    on_idle(user);
    return G_SOURCE_REMOVE;
}

/* libnm before 1.52 says STOPPED and quits before the bus has taken it; and the server is still
 * being told good-bye. */
static void end(struct service *s)
{
    g_autoptr(GDBusConnection) bus =
        nm_vpn_service_plugin_get_connection(NM_VPN_SERVICE_PLUGIN(s->plugin));

    if (bus)
        (void)g_dbus_connection_flush_sync(bus, NULL, NULL);
    if (s->ending)
        return;
    s->ending = TRUE;
    (void)g_timeout_add(GOODBYE_MS, on_patience, s);
    plugin_on_idle(s->plugin, on_idle, s);
}

static void on_quit(NMVpnServicePlugin *plugin, gpointer user)
{
    (void)plugin;
    end(user);
}

static gboolean on_signal(gpointer user)
{
    struct service *s = user;

    (void)nm_vpn_service_plugin_disconnect(NM_VPN_SERVICE_PLUGIN(s->plugin), NULL);
    end(s);
    return G_SOURCE_CONTINUE;
}

static gboolean is_verbose(void)
{
    const char *level = g_getenv("NM_VPN_LOG_LEVEL"); /* of syslog: 7 is debug */

    return level && atoi(level) >= 7;
}

static int run(struct starter *starter, const char *name, gboolean persist, gboolean verbose)
{
    struct service s = {.loop = g_main_loop_new(NULL, FALSE)};
    g_autoptr(GError) error = NULL;

    s.plugin = plugin_new(starter, name ? name : PLUGIN_BUS_NAME, !persist, verbose, &error);
    if (!s.plugin) {
        (void)fprintf(stderr, "nm-l2tpc-service: %s\n", error->message);
        g_main_loop_unref(s.loop);
        return EXIT_FAILURE;
    }
    if (!persist)
        g_signal_connect(s.plugin, "quit", G_CALLBACK(on_quit), &s);
    (void)g_unix_signal_add(SIGTERM, on_signal, &s);
    (void)g_unix_signal_add(SIGINT, on_signal, &s);
    g_main_loop_run(s.loop);
    g_object_unref(s.plugin);
    g_main_loop_unref(s.loop);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    gchar *name = NULL;
    gboolean persist = FALSE;
    gboolean debug = FALSE;
    gboolean standalone = FALSE;
    gint idle = 60;
    struct starter starter;
    g_autoptr(GError) error = NULL;
    g_autoptr(GOptionContext) options = g_option_context_new(NULL);
    const GOptionEntry entries[] = {
        {"bus-name", 0, 0, G_OPTION_ARG_STRING, &name, N_("The name to own on the system bus"),
         "NAME"},
        {"persist", 0, 0, G_OPTION_ARG_NONE, &persist, N_("Go on without NetworkManager"), NULL},
        {"debug", 0, 0, G_OPTION_ARG_NONE, &debug, N_("Tell every step on standard error"), NULL},
        {"standalone", 0, 0, G_OPTION_ARG_NONE, &standalone, N_("Serve net.l2tpc.Service1 instead"),
         NULL},
        {"idle", 0, 0, G_OPTION_ARG_INT, &idle, N_("With --standalone: when to end"), "SECONDS"},
        {0}};
    int status;

    (void)setlocale(LC_ALL, "");
    (void)bindtextdomain("l2tpc", L2TPC_LOCALE_DIR);
    (void)bind_textdomain_codeset("l2tpc", "UTF-8"); /* what the bus takes */
    (void)textdomain("l2tpc");
    process_protect();
    g_option_context_add_main_entries(options, entries, "l2tpc");
    if (!g_option_context_parse(options, &argc, &argv, &error)) {
        (void)fprintf(stderr, "nm-l2tpc-service: %s\n", error->message);
        return EXIT_FAILURE;
    }
    if (!starter_open(&starter)) {
        perror("nm-l2tpc-service");
        return EXIT_FAILURE;
    }
    /* Before any thread. What needs root's rights is the starter's work; names on the bus need its
     * number, which is nothing without capabilities but the owner of root's files. */
    if (geteuid() == 0 && !privileges_drop_to(0)) {
        perror("nm-l2tpc-service");
        starter_close(&starter);
        return EXIT_FAILURE;
    }
    status = standalone ? standalone_run(&starter, idle > 0 ? (guint)idle : 60, debug)
                        : run(&starter, name, persist, debug || is_verbose());
    starter_close(&starter);
    g_free(name);
    return status;
}
