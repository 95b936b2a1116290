/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tray/tray.h"
#include "model/words.h"
#include "settings.h"
#include "tray/item.h"
#include "tray/menu.h"

struct _L2dTray {
    GObject parent;
    GDBusConnection *bus;
    L2dBackend *backend;
    GActionGroup *actions;
    GSettings *settings;
    L2dTrayItem *item; /* NULL: the user does not want it */
    L2dTrayMenu *menu;
    GPtrArray *followed; /* the profiles whose changes we see */
};

G_DEFINE_TYPE(L2dTray, l2d_tray, G_TYPE_OBJECT)

static guint present_signal;
static guint opened_signal;

gboolean l2d_tray_is_present(L2dTray *self)
{
    return self->item && l2d_tray_item_is_present(self->item);
}

/* A line of the tooltip. */
static const char *const lines[] = {
    /* TRANSLATORS: %s is the name of a connection. */
    [L2D_STATE_DIALING] = N_("%s is connecting"),
    [L2D_STATE_UP] = N_("%s is connected"),
    [L2D_STATE_RECONNECTING] = N_("%s is reconnecting"),
    [L2D_STATE_CLOSING] = N_("%s is disconnecting"),
    [L2D_STATE_FAILED] = N_("%s has failed"),
};

/* What one icon says of all of them: the earlier, the more it matters. */
static const struct {
    L2dState state;
    const char *icon, *title;
} faces[] = {
    {L2D_STATE_RECONNECTING, "busy", N_("L2TP Dialer: reconnecting")},
    {L2D_STATE_DIALING, "busy", N_("L2TP Dialer: connecting")},
    {L2D_STATE_UP, "on", N_("L2TP Dialer: connected")},
    {L2D_STATE_CLOSING, "busy", N_("L2TP Dialer: disconnecting")},
    {L2D_STATE_FAILED, "failed", N_("L2TP Dialer: failed")},
    {L2D_STATE_OFF, "off", N_("L2TP Dialer: not connected")},
};

static void add_line(GString *text, L2dProfile *profile, L2dState state)
{
    if (!lines[state])
        return;
    if (text->len)
        g_string_append_c(text, '\n');
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    g_string_append_printf(text, _(lines[state]), l2d_profile_get_name(profile));
#pragma GCC diagnostic pop
}

/* While a tunnel is up the block does what it is for, and is no news. */
static gboolean blocks(L2dTray *self, L2dState state)
{
    return l2d_backend_get_blocked(self->backend) && state != L2D_STATE_UP;
}

static void show(L2dTray *self)
{
    GListModel *list = l2d_backend_get_profiles(self->backend);
    guint best = G_N_ELEMENTS(faces) - 1;
    g_autoptr(GString) text = g_string_new(NULL);
    L2dTrayFace face;

    if (!self->item)
        return;
    for (guint i = 0; i < g_list_model_get_n_items(list); i++) {
        g_autoptr(L2dProfile) p = g_list_model_get_item(list, i);
        L2dState s = l2d_profile_get_state(p);

        add_line(text, p, s);
        for (guint f = 0; f < best; f++)
            if (faces[f].state == s)
                best = f;
    }
    face = (L2dTrayFace){.state = faces[best].icon,
                         .title = _(faces[best].title),
                         .text = text->str,
                         .attention = faces[best].state == L2D_STATE_FAILED};
    if (blocks(self, faces[best].state)) {
        face.state = "blocked";
        face.title = _("Network blocked by l2tpc");
        face.attention = TRUE;
    }
    l2d_tray_item_show(self->item, &face);
    l2d_tray_menu_update(self->menu);
}

static void follow(L2dTray *self)
{
    GListModel *list = l2d_backend_get_profiles(self->backend);

    for (guint i = 0; i < self->followed->len; i++)
        g_signal_handlers_disconnect_by_data(g_ptr_array_index(self->followed, i), self);
    g_ptr_array_set_size(self->followed, 0);
    for (guint i = 0; i < g_list_model_get_n_items(list); i++) {
        L2dProfile *p = g_list_model_get_item(list, i);

        g_signal_connect_swapped(p, "changed", G_CALLBACK(show), self);
        g_ptr_array_add(self->followed, p);
    }
    show(self);
}

static void on_activated(gpointer user, const char *token)
{
    g_signal_emit(user, opened_signal, 0, token);
}

static void on_present(gpointer user, gboolean present)
{
    g_signal_emit(user, present_signal, 0, present);
}

static void end(L2dTray *self)
{
    gboolean present = l2d_tray_is_present(self);

    g_clear_pointer(&self->menu, l2d_tray_menu_free);
    g_clear_pointer(&self->item, l2d_tray_item_free);
    if (present)
        on_present(self, FALSE);
}

static void obey_settings(L2dTray *self)
{
    static const L2dTrayCalls calls = {on_activated, on_present};
    gboolean wanted = !self->settings || g_settings_get_boolean(self->settings, "tray");

    if (!wanted) {
        end(self);
    } else if (!self->item) {
        self->menu = l2d_tray_menu_new(self->backend, self->actions);
        self->item = l2d_tray_item_new(self->bus, &calls, self);
        show(self);
    }
}

static void l2d_tray_dispose(GObject *object)
{
    L2dTray *self = L2D_TRAY(object);

    for (guint i = 0; self->followed && i < self->followed->len; i++)
        g_signal_handlers_disconnect_by_data(g_ptr_array_index(self->followed, i), self);
    g_clear_pointer(&self->followed, g_ptr_array_unref);
    g_clear_pointer(&self->menu, l2d_tray_menu_free);
    g_clear_pointer(&self->item, l2d_tray_item_free);
    if (self->backend)
        g_signal_handlers_disconnect_by_data(l2d_backend_get_profiles(self->backend), self);
    g_clear_object(&self->settings);
    g_clear_object(&self->backend);
    g_clear_object(&self->bus);
    G_OBJECT_CLASS(l2d_tray_parent_class)->dispose(object);
}

static void l2d_tray_class_init(L2dTrayClass *class)
{
    G_OBJECT_CLASS(class)->dispose = l2d_tray_dispose;
    present_signal = g_signal_new("present-changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0,
                                  NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_BOOLEAN);
    opened_signal = g_signal_new("opened", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL,
                                 NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);
}

static void l2d_tray_init(L2dTray *self)
{
    self->followed = g_ptr_array_new_with_free_func(g_object_unref);
    self->settings = l2d_settings_new();
}

L2dTray *l2d_tray_new(GDBusConnection *bus, L2dBackend *backend, GActionGroup *actions)
{
    L2dTray *self = g_object_new(L2D_TYPE_TRAY, NULL);

    self->bus = g_object_ref(bus);
    self->backend = g_object_ref(backend);
    self->actions = actions;
    if (self->settings)
        g_signal_connect_object(self->settings, "changed::tray", G_CALLBACK(obey_settings), self,
                                G_CONNECT_SWAPPED);
    g_signal_connect_object(l2d_backend_get_profiles(backend), "items-changed", G_CALLBACK(follow),
                            self, G_CONNECT_SWAPPED);
    g_signal_connect_object(backend, "blocked-changed", G_CALLBACK(show), self, G_CONNECT_SWAPPED);
    obey_settings(self);
    follow(self);
    return self;
}
