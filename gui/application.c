/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "application.h"
#include "about.h"
#include "backends.h"
#include "preferences.h"
#include "tray/desktop.h"
#include "tray/life.h"
#include "tray/notices.h"
#include "window.h"

#include <glib/gi18n.h>

struct _L2dApplication {
    AdwApplication parent;
    L2dBackend *backend;
    L2dNotices *notices;
    L2dTray *tray; /* NULL: there is no session bus */
    L2dLife *life;
    gboolean hidden; /* the next activation opens no window */
    gboolean barred; /* the window says that there is no panel */
};

G_DEFINE_TYPE(L2dApplication, l2d_application, ADW_TYPE_APPLICATION)

static L2dWindow *window_of(L2dApplication *self)
{
    GtkWindow *w = gtk_application_get_active_window(GTK_APPLICATION(self));

    while (w && !L2D_IS_WINDOW(w))
        w = gtk_window_get_transient_for(w);
    return w ? L2D_WINDOW(w) : NULL;
}

static L2dWindow *present(L2dApplication *self)
{
    L2dWindow *w = window_of(self);

    if (!w) {
        w = l2d_window_new(self);
        self->barred = FALSE;
    }
    gtk_window_present(GTK_WINDOW(w));
    return w;
}

static L2dProfile *profile_of(L2dApplication *self, GVariant *parameter)
{
    return l2d_backend_find(self->backend, g_variant_get_string(parameter, NULL));
}

static void on_connect(GSimpleAction *action, GVariant *parameter, gpointer user)
{
    L2dApplication *self = user;
    L2dProfile *p = profile_of(self, parameter);

    (void)action;
    if (p)
        l2d_window_dial(present(self), p);
}

static void on_dialed(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(L2dProfile) p = user;
    L2dApplication *self = L2D_APPLICATION(g_application_get_default());
    g_autoptr(GError) error = NULL;

    if (!l2d_backend_finish(L2D_BACKEND(source), result, &error) && self->notices &&
        !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        l2d_notices_refused(self->notices, p, error->message);
}

/* As connect, without a window as long as nothing has to be asked. */
static void on_dial(GSimpleAction *action, GVariant *parameter, gpointer user)
{
    L2dApplication *self = user;
    L2dProfile *p = profile_of(self, parameter);

    (void)action;
    if (p)
        l2d_backend_connect(self->backend, p, NULL, on_dialed, g_object_ref(p));
}

static void on_open(GSimpleAction *action, GVariant *parameter, gpointer user)
{
    (void)action;
    (void)parameter;
    (void)present(user);
}

static void on_unblocked(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(L2dApplication) self = user;
    g_autoptr(GError) error = NULL;

    if (!l2d_backend_finish(L2D_BACKEND(source), result, &error))
        l2d_desktop_present_block(GTK_WINDOW(present(self)), self->backend, error->message);
}

static void on_unblock(GSimpleAction *action, GVariant *parameter, gpointer user)
{
    L2dApplication *self = user;

    (void)action;
    (void)parameter;
    if (l2d_backend_can_unblock(self->backend))
        l2d_backend_unblock(self->backend, NULL, on_unblocked, g_object_ref(self));
    else
        l2d_desktop_present_block(GTK_WINDOW(present(self)), self->backend, NULL);
}

static void on_disconnect(GSimpleAction *action, GVariant *parameter, gpointer user)
{
    L2dApplication *self = user;
    L2dProfile *p = profile_of(self, parameter);

    (void)action;
    if (p)
        l2d_backend_disconnect(self->backend, p, NULL, NULL, NULL);
}

static void on_show_details(GSimpleAction *action, GVariant *parameter, gpointer user)
{
    L2dApplication *self = user;
    L2dProfile *p = profile_of(self, parameter);
    L2dWindow *w = present(self);

    (void)action;
    if (p)
        l2d_window_show(w, p);
}

static void on_import(GSimpleAction *action, GVariant *parameter, gpointer user)
{
    (void)action;
    (void)parameter;
    l2d_window_import(present(user));
}

static void on_preferences(GSimpleAction *action, GVariant *parameter, gpointer user)
{
    (void)action;
    (void)parameter;
    l2d_preferences_present(GTK_WINDOW(present(user)));
}

static void on_about(GSimpleAction *action, GVariant *parameter, gpointer user)
{
    (void)action;
    (void)parameter;
    l2d_about_present(GTK_WINDOW(present(user)));
}

static void on_quit(GSimpleAction *action, GVariant *parameter, gpointer user)
{
    (void)action;
    (void)parameter;
    g_application_quit(user);
}

static const GActionEntry actions[] = {
    {.name = "connect", .activate = on_connect, .parameter_type = "s"},
    {.name = "dial", .activate = on_dial, .parameter_type = "s"},
    {.name = "open", .activate = on_open},
    {.name = "unblock", .activate = on_unblock},
    {.name = "disconnect", .activate = on_disconnect, .parameter_type = "s"},
    {.name = "show-details", .activate = on_show_details, .parameter_type = "s"},
    {.name = "import", .activate = on_import},
    {.name = "preferences", .activate = on_preferences},
    {.name = "about", .activate = on_about},
    {.name = "quit", .activate = on_quit},
};

static void set_accels(GtkApplication *app)
{
    static const struct {
        const char *action, *accels[3];
    } rows[] = {
        {"app.quit", {"<Control>q"}},
        {"app.import", {"<Control>o"}},
        {"app.preferences", {"<Control>comma"}},
        {"window.close", {"<Control>w"}},
        {"win.search", {"<Control>f"}},
        {"win.show-help-overlay", {"<Control>question", "F1"}},
        {"win.toggle", {"<Control>Return"}},
        {"win.copy-text", {"<Control><Shift>c"}},
        {"win.diagnose", {"<Control>i"}},
        {"win.log", {"<Control>l"}},
        {"win.copy-report", {"<Control><Shift>r"}},
        {"win.add", {"<Control>n"}},
        {"win.edit", {"<Control>e"}},
        {"win.duplicate", {"<Control>d"}},
        {"win.delete", {"<Control>Delete"}},
        {"win.menu", {"F10"}},
    };

    for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
        gtk_application_set_accels_for_action(app, rows[i].action,
                                              (const char *const *)rows[i].accels);
}

/* ---- without a window ---- */

static gboolean on_secrets_wanted(L2dBackend *backend, L2dProfile *profile,
                                  L2dSecretRequest *request, L2dApplication *self)
{
    (void)backend;
    if (window_of(self))
        return FALSE; /* it asks */
    l2d_window_ask(present(self), profile, request);
    return TRUE;
}

static void on_tray_opened(L2dTray *tray, const char *token, L2dApplication *self)
{
    L2dWindow *w = window_of(self);

    (void)tray;
    if (!w)
        w = l2d_window_new(self);
    if (token)
        gtk_window_set_startup_id(GTK_WINDOW(w), token);
    gtk_window_present(GTK_WINDOW(w));
}

static void show_window(gpointer user)
{
    (void)present(user);
}

static void tell_of_no_tray(gpointer user)
{
    L2dApplication *self = user;
    L2dWindow *w = window_of(self);
    GtkWidget *bar = w && !self->barred ? l2d_desktop_bar_new(self->backend) : NULL;

    if (!bar)
        return;
    self->barred = TRUE;
    l2d_window_add_bar(w, bar);
}

static void start_tray(L2dApplication *self)
{
    static const L2dLifeCalls calls = {show_window, tell_of_no_tray};
    GDBusConnection *bus = g_application_get_dbus_connection(G_APPLICATION(self));

    g_signal_connect_object(self->backend, "secrets-wanted", G_CALLBACK(on_secrets_wanted), self,
                            0);
    self->notices = l2d_notices_new(GTK_APPLICATION(self), self->backend);
    if (bus) {
        self->tray = l2d_tray_new(bus, self->backend, G_ACTION_GROUP(self));
        g_signal_connect_object(self->tray, "opened", G_CALLBACK(on_tray_opened), self, 0);
    }
    self->life = l2d_life_new(GTK_APPLICATION(self), self->tray, &calls, self);
}

static void l2d_application_startup(GApplication *app)
{
    L2dApplication *self = L2D_APPLICATION(app);

    G_APPLICATION_CLASS(l2d_application_parent_class)->startup(app);
    gtk_window_set_default_icon_name(L2D_APPLICATION_ID);
    /* Values can be selected; the first of a page that opens is not meant by that. */
    g_object_set(gtk_settings_get_default(), "gtk-label-select-on-focus", FALSE, NULL);
    g_action_map_add_action_entries(G_ACTION_MAP(app), actions, G_N_ELEMENTS(actions), app);
    set_accels(GTK_APPLICATION(app));
    self->backend = l2d_backends_choose();
    start_tray(self);
    l2d_backend_start(self->backend);
}

/* A second start with --tray finds what it wants, and ends. */
static int l2d_application_local_options(GApplication *app, GVariantDict *options)
{
    gboolean hidden = FALSE;

    (void)g_variant_dict_lookup(options, "tray", "b", &hidden);
    if (!hidden || !g_application_register(app, NULL, NULL))
        return -1;
    if (g_application_get_is_remote(app))
        return 0;
    L2D_APPLICATION(app)->hidden = TRUE;
    return -1;
}

static void l2d_application_activate(GApplication *app)
{
    L2dApplication *self = L2D_APPLICATION(app);

    if (self->hidden)
        l2d_life_begin_hidden(self->life);
    else
        (void)present(self);
    self->hidden = FALSE;
}

static void l2d_application_open(GApplication *app, GFile **files, int n, const char *hint)
{
    (void)hint;
    l2d_window_import_files(present(L2D_APPLICATION(app)), files, (guint)n);
}

static void end_tray(L2dApplication *self)
{
    g_clear_pointer(&self->life, l2d_life_free);
    g_clear_object(&self->tray);
    g_clear_object(&self->notices);
}

static void l2d_application_shutdown(GApplication *app)
{
    end_tray(L2D_APPLICATION(app));
    G_APPLICATION_CLASS(l2d_application_parent_class)->shutdown(app);
}

static void l2d_application_dispose(GObject *object)
{
    end_tray(L2D_APPLICATION(object));
    g_clear_object(&L2D_APPLICATION(object)->backend);
    G_OBJECT_CLASS(l2d_application_parent_class)->dispose(object);
}

static void l2d_application_class_init(L2dApplicationClass *class)
{
    GApplicationClass *app = G_APPLICATION_CLASS(class);

    app->startup = l2d_application_startup;
    app->activate = l2d_application_activate;
    app->open = l2d_application_open;
    app->shutdown = l2d_application_shutdown;
    app->handle_local_options = l2d_application_local_options;
    G_OBJECT_CLASS(class)->dispose = l2d_application_dispose;
}

static void l2d_application_init(L2dApplication *self)
{
    static const GOptionEntry options[] = {
        {"tray", 0, 0, G_OPTION_ARG_NONE, NULL, N_("Wait in the panel, without a window"), NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };

    g_application_add_main_option_entries(G_APPLICATION(self), options);
}

L2dApplication *l2d_application_new(void)
{
    return g_object_new(L2D_TYPE_APPLICATION, "application-id", L2D_APPLICATION_ID, "flags",
                        G_APPLICATION_HANDLES_OPEN, "resource-base-path", "/net/l2tpc/Dialer",
                        NULL);
}

L2dBackend *l2d_application_get_backend(L2dApplication *self)
{
    return self->backend;
}
