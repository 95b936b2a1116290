/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tray/menu.h"
#include "model/words.h"
#include "tray/item.h"

#include <libdbusmenu-glib/dbusmenu-glib.h>

/* More connections are found in the window: a longer menu does not fit on a screen. */
#define ROWS_MAX 24u

struct L2dTrayMenu {
    L2dBackend *backend;
    GActionGroup *actions;
    DbusmenuServer *server;
    DbusmenuMenuitem *root;
    DbusmenuMenuitem *blocked, *blocked_line, *profiles_line, *details;
    GPtrArray *rows; /* of the profiles that are shown, in their order */
};

#define ACTION_KEY "l2d-action"
#define TARGET_KEY "l2d-target"

/* Accents would make the underscores of names vanish. */
static char *plain(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "_", -1);

    return g_strjoinv("__", parts);
}

static void set_label(DbusmenuMenuitem *row, const char *text)
{
    g_autofree char *label = plain(text);

    if (g_strcmp0(dbusmenu_menuitem_property_get(row, DBUSMENU_MENUITEM_PROP_LABEL), label) == 0)
        return;
    (void)dbusmenu_menuitem_property_set(row, DBUSMENU_MENUITEM_PROP_LABEL, label);
    (void)dbusmenu_menuitem_property_set(row, DBUSMENU_MENUITEM_PROP_ACCESSIBLE_DESC, text);
}

static void set_bool(DbusmenuMenuitem *row, const char *property, gboolean value)
{
    if (dbusmenu_menuitem_property_get_bool(row, property) != value)
        (void)dbusmenu_menuitem_property_set_bool(row, property, value);
}

static void on_row(DbusmenuMenuitem *row, guint timestamp, L2dTrayMenu *self)
{
    const char *action = g_object_get_data(G_OBJECT(row), ACTION_KEY);
    const char *target = g_object_get_data(G_OBJECT(row), TARGET_KEY);

    (void)timestamp;
    if (action)
        g_action_group_activate_action(self->actions, action,
                                       target ? g_variant_new_string(target) : NULL);
}

static void set_action(DbusmenuMenuitem *row, const char *action, const char *target)
{
    g_object_set_data(G_OBJECT(row), ACTION_KEY, (gpointer)action);
    if (g_strcmp0(g_object_get_data(G_OBJECT(row), TARGET_KEY), target) != 0)
        g_object_set_data_full(G_OBJECT(row), TARGET_KEY, g_strdup(target), g_free);
}

static DbusmenuMenuitem *row_new(L2dTrayMenu *self, const char *action)
{
    DbusmenuMenuitem *row = dbusmenu_menuitem_new();

    set_action(row, action, NULL);
    g_signal_connect(row, DBUSMENU_MENUITEM_SIGNAL_ITEM_ACTIVATED, G_CALLBACK(on_row), self);
    return row;
}

static DbusmenuMenuitem *append(L2dTrayMenu *self, const char *label, const char *action)
{
    DbusmenuMenuitem *row = row_new(self, action);

    set_label(row, label);
    (void)dbusmenu_menuitem_child_append(self->root, row);
    g_object_unref(row);
    return row;
}

static DbusmenuMenuitem *append_line(L2dTrayMenu *self)
{
    DbusmenuMenuitem *line = dbusmenu_menuitem_new();

    (void)dbusmenu_menuitem_property_set(line, DBUSMENU_MENUITEM_PROP_TYPE,
                                         DBUSMENU_CLIENT_TYPES_SEPARATOR);
    (void)dbusmenu_menuitem_child_append(self->root, line);
    g_object_unref(line);
    return line;
}

/* What a click does, and what is so now. */
static const struct {
    const char *label, *action;
} rows[] = {
    /* TRANSLATORS: rows of the menu in the panel; %s is the name of a connection. */
    [L2D_STATE_OFF] = {N_("Connect %s"), "dial"},
    [L2D_STATE_DIALING] = {N_("Cancel %s (connecting)"), "disconnect"},
    [L2D_STATE_UP] = {N_("Disconnect %s (connected)"), "disconnect"},
    [L2D_STATE_RECONNECTING] = {N_("Disconnect %s (reconnecting)"), "disconnect"},
    [L2D_STATE_CLOSING] = {N_("%s (disconnecting)"), NULL},
    [L2D_STATE_FAILED] = {N_("Connect %s (failed)"), "dial"},
};

static void show_profile(DbusmenuMenuitem *row, L2dProfile *profile)
{
    L2dState s = l2d_profile_get_state(profile);
    g_autofree char *label = NULL;
    gboolean can = s == L2D_STATE_UP || s == L2D_STATE_RECONNECTING ||
                   (s != L2D_STATE_CLOSING && l2d_profile_is_stored(profile));
    int wanted = l2d_profile_is_wanted(profile) ? DBUSMENU_MENUITEM_TOGGLE_STATE_CHECKED
                                                : DBUSMENU_MENUITEM_TOGGLE_STATE_UNCHECKED;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    label = g_strdup_printf(_(rows[s].label), l2d_profile_get_name(profile));
#pragma GCC diagnostic pop
    set_action(row, rows[s].action, l2d_profile_get_uuid(profile));
    set_label(row, label);
    set_bool(row, DBUSMENU_MENUITEM_PROP_ENABLED, can);
    if (dbusmenu_menuitem_property_get_int(row, DBUSMENU_MENUITEM_PROP_TOGGLE_STATE) != wanted)
        (void)dbusmenu_menuitem_property_set_int(row, DBUSMENU_MENUITEM_PROP_TOGGLE_STATE, wanted);
}

static DbusmenuMenuitem *profile_row(L2dTrayMenu *self)
{
    DbusmenuMenuitem *row = row_new(self, NULL);

    (void)dbusmenu_menuitem_property_set(row, DBUSMENU_MENUITEM_PROP_TOGGLE_TYPE,
                                         DBUSMENU_MENUITEM_TOGGLE_CHECK);
    (void)dbusmenu_menuitem_property_set_int(row, DBUSMENU_MENUITEM_PROP_TOGGLE_STATE,
                                             DBUSMENU_MENUITEM_TOGGLE_STATE_UNCHECKED);
    (void)dbusmenu_menuitem_property_set_bool(row, DBUSMENU_MENUITEM_PROP_ENABLED, TRUE);
    return row;
}

/* Rows are kept and say something else: an open menu would close with a row that goes. */
static void set_row_count(L2dTrayMenu *self, guint n)
{
    guint first = dbusmenu_menuitem_get_position(self->blocked_line, self->root) + 1;

    while (self->rows->len > n) {
        DbusmenuMenuitem *row = g_ptr_array_index(self->rows, self->rows->len - 1);

        (void)dbusmenu_menuitem_child_delete(self->root, row);
        g_ptr_array_set_size(self->rows, (int)self->rows->len - 1);
    }
    while (self->rows->len < n) {
        DbusmenuMenuitem *row = profile_row(self);

        (void)dbusmenu_menuitem_child_add_position(self->root, row, first + self->rows->len);
        g_ptr_array_add(self->rows, row);
    }
}

/* What 'Details' shows: what is up, before what was. */
static const char *interesting(GListModel *list)
{
    const char *found = NULL;
    gboolean best = FALSE;

    for (guint i = 0; i < g_list_model_get_n_items(list) && !best; i++) {
        g_autoptr(L2dProfile) p = g_list_model_get_item(list, i);

        best = l2d_profile_is_wanted(p);
        if (best || (!found && l2d_profile_get_state(p) != L2D_STATE_OFF))
            found = l2d_profile_get_uuid(p); /* the list holds it */
    }
    return found;
}

void l2d_tray_menu_update(L2dTrayMenu *self)
{
    GListModel *list = l2d_backend_get_profiles(self->backend);
    guint n = MIN(g_list_model_get_n_items(list), ROWS_MAX);
    const char *chosen = interesting(list);
    gboolean blocked = l2d_backend_get_blocked(self->backend) != NULL;

    set_row_count(self, n);
    for (guint i = 0; i < n; i++) {
        g_autoptr(L2dProfile) p = g_list_model_get_item(list, i);

        show_profile(g_ptr_array_index(self->rows, i), p);
    }
    set_bool(self->blocked, DBUSMENU_MENUITEM_PROP_VISIBLE, blocked);
    set_bool(self->blocked_line, DBUSMENU_MENUITEM_PROP_VISIBLE, blocked);
    set_bool(self->profiles_line, DBUSMENU_MENUITEM_PROP_VISIBLE, n > 0);
    set_action(self->details, "show-details", chosen);
    set_bool(self->details, DBUSMENU_MENUITEM_PROP_ENABLED, chosen != NULL);
}

L2dTrayMenu *l2d_tray_menu_new(L2dBackend *backend, GActionGroup *actions)
{
    L2dTrayMenu *self = g_new0(L2dTrayMenu, 1);

    self->backend = backend;
    self->actions = actions;
    self->rows = g_ptr_array_new_with_free_func(g_object_unref);
    self->root = dbusmenu_menuitem_new();
    /* TRANSLATORS: l2tpc is the name of the program; the row opens what lifts it. */
    self->blocked = append(self, _("Network blocked by l2tpc: lift the block…"), "unblock");
    self->blocked_line = append_line(self);
    self->profiles_line = append_line(self);
    self->details = append(self, _("Details"), "show-details");
    (void)append(self, _("Open L2TP Dialer"), "open");
    (void)append_line(self);
    (void)append(self, _("Quit"), "quit");
    l2d_tray_menu_update(self);
    self->server = dbusmenu_server_new(L2D_TRAY_MENU_PATH);
    dbusmenu_server_set_root(self->server, self->root);
    return self;
}

void l2d_tray_menu_free(L2dTrayMenu *self)
{
    if (!self)
        return;
    g_clear_object(&self->server);
    g_ptr_array_unref(self->rows);
    g_object_unref(self->root);
    g_free(self);
}
