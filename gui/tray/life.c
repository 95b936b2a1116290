/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tray/life.h"

struct L2dLife {
    GtkApplication *application; /* no reference: it owns us */
    L2dTray *tray;
    L2dLifeCalls calls;
    gpointer user;
    gboolean held;
    guint timer;
};

/* Tests do not wait for ten seconds. */
static guint patience(void)
{
#if L2TPC_TEST_HOOKS
    const char *given = g_getenv("L2TPC_GUI_TRAY_WAIT_MS");

    if (given)
        return (guint)g_ascii_strtoull(given, NULL, 10);
#endif
    return L2D_TRAY_WAIT_MS;
}

static gboolean is_present(L2dLife *self)
{
    return self->tray && l2d_tray_is_present(self->tray);
}

static void hold(L2dLife *self, gboolean wanted)
{
    if (self->held == wanted)
        return;
    self->held = wanted;
    if (wanted)
        g_application_hold(G_APPLICATION(self->application));
    else
        g_application_release(G_APPLICATION(self->application));
}

static gboolean on_time(gpointer user)
{
    L2dLife *self = user;

    self->timer = 0;
    if (!gtk_application_get_windows(self->application) && self->held)
        self->calls.show(self->user);
    self->calls.tell(self->user);
    hold(self, FALSE);
    return G_SOURCE_REMOVE;
}

static void settle(L2dLife *self)
{
    if (is_present(self)) {
        g_clear_handle_id(&self->timer, g_source_remove);
        hold(self, TRUE);
        return;
    }
    if (gtk_application_get_windows(self->application))
        hold(self, FALSE);
    if (!self->timer)
        self->timer = g_timeout_add(patience(), on_time, self);
}

void l2d_life_begin_hidden(L2dLife *self)
{
    hold(self, TRUE);
}

L2dLife *l2d_life_new(GtkApplication *application, L2dTray *tray, const L2dLifeCalls *calls,
                      gpointer user)
{
    L2dLife *self = g_new0(L2dLife, 1);

    self->application = application;
    self->calls = *calls;
    self->user = user;
    if (tray) {
        self->tray = g_object_ref(tray);
        g_signal_connect_swapped(tray, "present-changed", G_CALLBACK(settle), self);
    }
    settle(self);
    return self;
}

void l2d_life_free(L2dLife *self)
{
    if (!self)
        return;
    g_clear_handle_id(&self->timer, g_source_remove);
    if (self->tray)
        g_signal_handlers_disconnect_by_data(self->tray, self);
    g_clear_object(&self->tray);
    g_free(self);
}
