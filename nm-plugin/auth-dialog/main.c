/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * nm-l2tpc-auth-dialog: started by an agent of NetworkManager, which writes the connection to
 * standard input. With --external-ui-mode it says what is to be asked, as a keyfile; else it asks
 * by itself and writes the secrets. They are on no command line and in no environment.
 */
#include "asked.h"
#include "window.h"

#include <glib/gi18n-lib.h>
#include <libintl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define GROUP "VPN Plugin UI"

static gboolean write_all(const char *text, gsize n)
{
    while (n > 0) {
        ssize_t done = write(STDOUT_FILENO, text, n);

        if (done <= 0)
            return FALSE;
        text += done;
        n -= (gsize)done;
    }
    return TRUE;
}

static void wipe_string(GString *s)
{
    explicit_bzero(s->str, s->allocated_len);
    (void)g_string_free(s, TRUE);
}

static char *why(const struct request *r)
{
    const char *reason = asked_reason(r);

    if (reason)
        return g_strdup(reason);
    return g_strdup_printf(r->again ? _("The server did not accept what was given for “%s”.")
                                    : _("The connection “%s” needs to know who you are."),
                           r->name);
}

/* GKeyFile wipes nothing, but this process ends at once. */
static gboolean tell_agent(const struct request *r, const struct asked *a, gsize n)
{
    GKeyFile *kf = g_key_file_new();
    char *message = why(r);
    char *text;
    gsize length = 0;
    gboolean ok;

    g_key_file_set_integer(kf, GROUP, "Version", 2);
    g_key_file_set_string(kf, GROUP, "Description", message);
    g_key_file_set_string(kf, GROUP, "Title", _("Authenticate VPN"));
    for (gsize i = 0; i < n; i++) {
        g_key_file_set_string(kf, a[i].key, "Value", a[i].value);
        g_key_file_set_string(kf, a[i].key, "Label", _(a[i].label));
        g_key_file_set_boolean(kf, a[i].key, "IsSecret", TRUE);
        g_key_file_set_boolean(kf, a[i].key, "ShouldAsk", a[i].ask && r->may_ask);
        g_key_file_set_boolean(kf, a[i].key, "ForceEcho", a[i].shown);
    }
    if (n == 0) { /* then NetworkManager need not ask again */
        g_key_file_set_string(kf, "no-secret", "Value", "true");
        g_key_file_set_string(kf, "no-secret", "Label", "");
        g_key_file_set_boolean(kf, "no-secret", "IsSecret", TRUE);
        g_key_file_set_boolean(kf, "no-secret", "ShouldAsk", FALSE);
    }
    text = g_key_file_to_data(kf, &length, NULL);
    ok = write_all(text, length);
    explicit_bzero(text, length);
    g_free(text);
    g_free(message);
    g_key_file_unref(kf);
    return ok;
}

/* A line each: what has a line break in it would be two. */
static gboolean give_secrets(const struct asked *a, gsize n)
{
    GString *out = g_string_sized_new(8192);
    gboolean ok = TRUE;

    for (gsize i = 0; i < n; i++) {
        ok = ok && !strpbrk(a[i].value, "\r\n");
        if (*a[i].value)
            g_string_append_printf(out, "%s\n%s\n", a[i].key, a[i].value);
    }
    if (out->len == 0)
        g_string_append(out, "no-secret\ntrue\n");
    g_string_append(out, "\n\n");
    ok = ok && write_all(out->str, out->len);
    wipe_string(out);
    return ok;
}

/* The agent reads until it says so; whoever leaves before that is taken for one that failed. */
static void wait_for_quit(void)
{
    char line[64];

    alarm(20);
    while (fgets(line, sizeof(line), stdin))
        if (g_str_has_prefix(line, "QUIT"))
            break;
}

static gboolean run(struct request *r)
{
    struct asked a[ASKED_MAX];
    gsize n = asked_collect(r, !r->external, a);
    gboolean missing = FALSE;
    gboolean ok;

    if (r->external) {
        ok = tell_agent(r, a, n);
    } else {
        char *message = why(r);

        for (gsize i = 0; i < n; i++)
            missing = missing || a[i].ask;
        ok = !missing || (r->may_ask && window_ask(_("Authenticate VPN"), message, a, n));
        ok = ok && give_secrets(a, n);
        g_free(message);
        if (ok)
            wait_for_quit();
    }
    asked_clear(a, n);
    return ok;
}

static gboolean is_ours(const char *service)
{
    return g_strcmp0(service, "org.freedesktop.NetworkManager.l2tp") == 0 ||
           g_strcmp0(service, "org.freedesktop.NetworkManager.l2tpc") == 0;
}

int main(int argc, char **argv)
{
    struct request r = {0};
    GOptionEntry entries[] = {
        {"uuid", 'u', 0, G_OPTION_ARG_STRING, &r.uuid, N_("UUID of the connection"), N_("UUID")},
        {"name", 'n', 0, G_OPTION_ARG_STRING, &r.name, N_("Name of the connection"), N_("NAME")},
        {"service", 's', 0, G_OPTION_ARG_STRING, &r.service, N_("Service of the connection"),
         N_("SERVICE")},
        {"allow-interaction", 'i', 0, G_OPTION_ARG_NONE, &r.may_ask, N_("Questions are allowed"),
         NULL},
        {"reprompt", 'r', 0, G_OPTION_ARG_NONE, &r.again, N_("Ask again for what was wrong"), NULL},
        {"hint", 't', 0, G_OPTION_ARG_STRING_ARRAY, &r.hints, N_("What is asked for, and why"),
         N_("HINT")},
        {"external-ui-mode", 0, 0, G_OPTION_ARG_NONE, &r.external,
         N_("Say what is to be asked instead of asking"), NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL}};
    GOptionContext *context;
    GError *error = NULL;
    gboolean ok;

    (void)setlocale(LC_ALL, "");
    (void)bindtextdomain(GETTEXT_PACKAGE, L2TPC_LOCALE_DIR);
    (void)bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
    (void)textdomain(GETTEXT_PACKAGE);
    (void)setvbuf(stdin, NULL, _IONBF, 0); /* libnm reads the descriptor itself */
    context = g_option_context_new(_("- asks for the secrets of an L2TP/IPsec connection"));
    g_option_context_add_main_entries(context, entries, GETTEXT_PACKAGE);
    ok = g_option_context_parse(context, &argc, &argv, &error);
    g_option_context_free(context);
    if (!ok || !r.uuid || !r.name || !is_ours(r.service)) {
        (void)fprintf(stderr, "%s\n",
                      error ? error->message
                            : _("UUID, name and an L2TP service of a connection are needed."));
        return 1;
    }
    if (!nm_vpn_service_plugin_read_vpn_details(STDIN_FILENO, &r.data, &r.secrets)) {
        (void)fprintf(stderr, _("The connection “%s” cannot be read from standard input.\n"),
                      r.name);
        return 1;
    }
    ok = run(&r);
    g_hash_table_unref(r.data);
    g_hash_table_unref(r.secrets);
    return ok ? 0 : 1;
}
