/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tray/notices.h"
#include "application.h"
#include "model/words.h"
#include "settings.h"

struct _L2dNotices {
    GObject parent;
    GtkApplication *application;
    L2dBackend *backend;
    GPtrArray *followed; /* the profiles whose changes we see */
};

G_DEFINE_TYPE(L2dNotices, l2d_notices, G_TYPE_OBJECT)

/* What was last seen of a profile, hung up on it. */
struct seen {
    L2dState state;
    gboolean ending; /* the user has ended it */
};

static struct seen *seen_of(L2dProfile *profile)
{
    struct seen *s = g_object_get_data(G_OBJECT(profile), "l2d-seen");

    if (!s) {
        s = g_new0(struct seen, 1);
        s->state = l2d_profile_get_state(profile);
        g_object_set_data_full(G_OBJECT(profile), "l2d-seen", s, g_free);
    }
    return s;
}

static char *id_of(L2dProfile *profile)
{
    return g_strconcat("tunnel-", l2d_profile_get_uuid(profile), NULL);
}

static void withdraw(L2dNotices *self, L2dProfile *profile)
{
    g_autofree char *id = id_of(profile);

    g_application_withdraw_notification(G_APPLICATION(self->application), id);
}

enum word {
    LOST,
    AGAIN,
    ENDED,
    FAILED
};

static const struct {
    const char *title, *body, *button, *action;
} words[] = {
    /* TRANSLATORS: titles of notifications; %s is the name of a connection. */
    [LOST] = {N_("%s was interrupted"), N_("It is being connected again."), N_("Details"),
              "app.show-details"},
    [AGAIN] = {N_("%s is connected again"), N_("What was interrupted goes on."), N_("Details"),
               "app.show-details"},
    [ENDED] = {N_("%s was lost"), N_("The connection is not made again by itself."),
               N_("Try Again"), "app.connect"},
    [FAILED] = {N_("%s could not be connected"), N_("The details show how far it came."),
                N_("Try Again"), "app.connect"},
};

/* What the tunnel itself says is better than our own words. */
static void say(L2dNotices *self, L2dProfile *profile, enum word w, const char *why)
{
    g_autoptr(GNotification) notice = NULL;
    g_autoptr(GIcon) icon = g_themed_icon_new(L2D_APPLICATION_ID);
    g_autofree char *id = id_of(profile);
    g_autofree char *title = NULL;

    if (!l2d_settings_is_on("notify"))
        return;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    title = g_strdup_printf(_(words[w].title), l2d_profile_get_name(profile));
#pragma GCC diagnostic pop
    notice = g_notification_new(title);
    g_notification_set_body(notice, why && *why ? why : _(words[w].body));
    g_notification_set_icon(notice, icon);
    g_notification_add_button_with_target(notice, _(words[w].button), words[w].action, "s",
                                          l2d_profile_get_uuid(profile));
    g_notification_set_default_action_and_target(notice, "app.show-details", "s",
                                                 l2d_profile_get_uuid(profile));
    g_application_send_notification(G_APPLICATION(self->application), id, notice);
}

static const char *sentence_of(L2dProfile *profile)
{
    L2dTunnel *t = l2d_profile_get_tunnel(profile);
    const L2dFailure *f = t ? l2d_snapshot_get_failure(l2d_tunnel_get_snapshot(t)) : NULL;

    return f ? f->sentence : NULL;
}

/* Who looks at the window sees a dial fail there. */
static gboolean is_watched(L2dNotices *self)
{
    GtkWindow *w = gtk_application_get_active_window(self->application);

    return w && gtk_window_is_active(w);
}

static void on_changed(L2dNotices *self, L2dProfile *profile)
{
    struct seen *s = seen_of(profile);
    L2dState was = s->state;
    L2dState now = l2d_profile_get_state(profile);
    gboolean had = was == L2D_STATE_UP || was == L2D_STATE_RECONNECTING;

    if (was == now)
        return;
    s->state = now;
    if (now == L2D_STATE_DIALING || now == L2D_STATE_UP || now == L2D_STATE_OFF) {
        gboolean again = now == L2D_STATE_UP && was == L2D_STATE_RECONNECTING;

        s->ending = FALSE;
        if (again)
            say(self, profile, AGAIN, NULL);
        else
            withdraw(self, profile);
    } else if (s->ending) {
        withdraw(self, profile);
    } else if (now == L2D_STATE_RECONNECTING) {
        say(self, profile, LOST, sentence_of(profile));
    } else if (now == L2D_STATE_FAILED && (had || !is_watched(self))) {
        say(self, profile, had ? ENDED : FAILED, sentence_of(profile));
    }
}

void l2d_notices_refused(L2dNotices *self, L2dProfile *profile, const char *sentence)
{
    say(self, profile, FAILED, sentence);
}

static void on_ending(L2dNotices *self, L2dProfile *profile)
{
    seen_of(profile)->ending = TRUE;
    withdraw(self, profile);
}

static void follow(L2dNotices *self)
{
    GListModel *list = l2d_backend_get_profiles(self->backend);

    for (guint i = 0; i < self->followed->len; i++)
        g_signal_handlers_disconnect_by_data(g_ptr_array_index(self->followed, i), self);
    g_ptr_array_set_size(self->followed, 0);
    for (guint i = 0; i < g_list_model_get_n_items(list); i++) {
        L2dProfile *p = g_list_model_get_item(list, i);

        (void)seen_of(p);
        g_signal_connect_swapped(p, "changed", G_CALLBACK(on_changed), self);
        g_ptr_array_add(self->followed, p);
    }
}

static void l2d_notices_dispose(GObject *object)
{
    L2dNotices *self = L2D_NOTICES(object);

    for (guint i = 0; self->followed && i < self->followed->len; i++)
        g_signal_handlers_disconnect_by_data(g_ptr_array_index(self->followed, i), self);
    g_clear_pointer(&self->followed, g_ptr_array_unref);
    g_clear_object(&self->backend);
    G_OBJECT_CLASS(l2d_notices_parent_class)->dispose(object);
}

static void l2d_notices_class_init(L2dNoticesClass *class)
{
    G_OBJECT_CLASS(class)->dispose = l2d_notices_dispose;
}

static void l2d_notices_init(L2dNotices *self)
{
    self->followed = g_ptr_array_new_with_free_func(g_object_unref);
}

L2dNotices *l2d_notices_new(GtkApplication *application, L2dBackend *backend)
{
    L2dNotices *self = g_object_new(L2D_TYPE_NOTICES, NULL);

    self->application = application;
    self->backend = g_object_ref(backend);
    g_signal_connect_object(l2d_backend_get_profiles(backend), "items-changed", G_CALLBACK(follow),
                            self, G_CONNECT_SWAPPED);
    g_signal_connect_object(backend, "ending", G_CALLBACK(on_ending), self, G_CONNECT_SWAPPED);
    follow(self);
    return self;
}
