/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "application.h"
#include "about.h"
#include "backends.h"
#include "preferences.h"
#include "window.h"

#include <glib/gi18n.h>

struct _L2dApplication {
    AdwApplication parent;
    L2dBackend *backend;
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

    if (!w)
        w = l2d_window_new(self);
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

static void l2d_application_startup(GApplication *app)
{
    L2dApplication *self = L2D_APPLICATION(app);

    G_APPLICATION_CLASS(l2d_application_parent_class)->startup(app);
    gtk_window_set_default_icon_name(L2D_APPLICATION_ID);
    g_action_map_add_action_entries(G_ACTION_MAP(app), actions, G_N_ELEMENTS(actions), app);
    set_accels(GTK_APPLICATION(app));
    self->backend = l2d_backends_choose();
    l2d_backend_start(self->backend);
}

static void l2d_application_activate(GApplication *app)
{
    (void)present(L2D_APPLICATION(app));
}

static void l2d_application_open(GApplication *app, GFile **files, int n, const char *hint)
{
    (void)hint;
    l2d_window_import_files(present(L2D_APPLICATION(app)), files, (guint)n);
}

static void l2d_application_dispose(GObject *object)
{
    g_clear_object(&L2D_APPLICATION(object)->backend);
    G_OBJECT_CLASS(l2d_application_parent_class)->dispose(object);
}

static void l2d_application_class_init(L2dApplicationClass *class)
{
    GApplicationClass *app = G_APPLICATION_CLASS(class);

    app->startup = l2d_application_startup;
    app->activate = l2d_application_activate;
    app->open = l2d_application_open;
    G_OBJECT_CLASS(class)->dispose = l2d_application_dispose;
}

static void l2d_application_init(L2dApplication *self)
{
    (void)self;
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
