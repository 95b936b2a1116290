/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The editor as libnm's clients embed it: server, user, password and key first, all else behind
 * Advanced. It edits a profile; what it shows no control for stays in there as it is.
 */
#include "exchange.h"
#include "form.h"
#include "machine.h"

#include <glib/gi18n-lib.h>

#define VERDICT_MAX 3 /* sentences at the foot */

typedef struct {
    GObject parent;
    l2tpc_profile *profile;
    struct form form;
    struct machine machine;
    GtkWidget *widget, *verdict;
} L2tpcEditor;

typedef struct {
    GObjectClass parent;
} L2tpcEditorClass;

static GType l2tpc_editor_get_type(void);
static void interface_init(NMVpnEditorInterface *iface);

G_DEFINE_TYPE_WITH_CODE(L2tpcEditor, l2tpc_editor, G_TYPE_OBJECT,
                        G_IMPLEMENT_INTERFACE(NM_TYPE_VPN_EDITOR, interface_init))

#define EDITOR(object) ((L2tpcEditor *)(void *)(object))

NMVpnEditor *l2tpc_vpn_editor_new(NMConnection *connection, GError **error);

/* ---- what is to be said of the whole ---- */

static void show_verdict(L2tpcEditor *self)
{
    GPtrArray *notes = l2tpc_profile_check(self->profile);
    guint said = 0;

    tk_empty(self->verdict);
    for (guint i = 0; i < notes->len && said < VERDICT_MAX; i++) {
        const l2tpc_profile_note *n = g_ptr_array_index(notes, i);
        gboolean error = n->severity == L2TPC_PROFILE_ERROR;
        GtkWidget *sentence;
        char *text;

        if (!error && n->severity != L2TPC_PROFILE_WEAKNESS)
            continue;
        text = exchange_sentence(n);
        sentence = form_sentence(error ? "dialog-error-symbolic" : "dialog-warning-symbolic",
                                 error ? "error" : "warning", text);
        tk_show(sentence);
        tk_append(self->verdict, sentence, FALSE);
        g_free(text);
        said++;
    }
    gtk_widget_set_visible(self->verdict, said > 0);
    g_ptr_array_unref(notes);
}

static void on_changed(void *user)
{
    L2tpcEditor *self = user;

    form_refresh(&self->form);
    show_verdict(self);
    g_signal_emit_by_name(self, "changed");
}

/* ---- the widget ---- */

static GtkWidget *make_page(L2tpcEditor *self, const struct field_page *page)
{
    GtkWidget *column = tk_column(12);
    GtkWidget *grid = tk_grid();
    int row = 0;

    tk_margin(column, 12);
    if (page->introduction)
        tk_append(column, tk_prose(_(page->introduction), TRUE), FALSE);
    for (gsize i = 0; i < page->n; i++)
        row = form_add(&self->form, grid, row, &page->fields[i]);
    tk_append(column, grid, FALSE);
    return tk_page(column);
}

static GtkWidget *make_advanced(L2tpcEditor *self)
{
    GtkWidget *book = gtk_notebook_new();

    gtk_notebook_set_scrollable(GTK_NOTEBOOK(book), TRUE);
    gtk_widget_set_margin_top(book, 6);
    for (gsize i = 0; i < field_pages_n; i++)
        (void)gtk_notebook_append_page(GTK_NOTEBOOK(book), make_page(self, &field_pages[i]),
                                       gtk_label_new(_(field_pages[i].title)));
    return tk_expander(_("A_dvanced"), book);
}

static GtkWidget *make_widget(L2tpcEditor *self, gboolean fresh)
{
    GtkWidget *column = tk_column(12);
    GtkWidget *grid = tk_grid();
    int row;

    tk_margin(column, 12);
    row = form_add(&self->form, grid, 0, &field_gateway);
    row = form_add(&self->form, grid, row, &field_user);
    row = machine_add_password(&self->machine, grid, row, fresh);
    (void)machine_add(&self->machine, grid, row, fresh);
    self->verdict = tk_column(4);
    tk_hide(self->verdict);
    tk_append(column, grid, FALSE);
    tk_append(column, self->verdict, FALSE);
    tk_append(column, make_advanced(self), TRUE);
    tk_show(column);
    return column;
}

/* ---- libnm's interface ---- */

static GObject *get_widget(NMVpnEditor *editor)
{
    return G_OBJECT(EDITOR(editor)->widget);
}

static gboolean update_connection(NMVpnEditor *editor, NMConnection *connection, GError **error)
{
    L2tpcEditor *self = EDITOR(editor);
    GPtrArray *notes;
    l2tpc_profile *whole;
    char *why;

    machine_store(&self->machine, self->profile);
    exchange_store(self->profile, connection);
    whole = exchange_profile(connection); /* with the addresses and routes of other pages */
    notes = l2tpc_profile_check(whole);
    why = exchange_first_error(notes);
    if (why)
        g_set_error_literal(error, NM_CONNECTION_ERROR, NM_CONNECTION_ERROR_INVALID_PROPERTY, why);
    g_ptr_array_unref(notes);
    l2tpc_profile_free(whole);
    if (!why)
        return TRUE;
    g_free(why);
    return FALSE;
}

static void interface_init(NMVpnEditorInterface *iface)
{
    iface->get_widget = get_widget;
    iface->update_connection = update_connection;
}

static void finalize(GObject *object)
{
    L2tpcEditor *self = EDITOR(object);

    g_clear_object(&self->widget);
    machine_clear(&self->machine);
    form_clear(&self->form);
    l2tpc_profile_free(self->profile);
    G_OBJECT_CLASS(l2tpc_editor_parent_class)->finalize(object);
}

static void l2tpc_editor_init(L2tpcEditor *self)
{
    (void)self;
}

static void l2tpc_editor_class_init(L2tpcEditorClass *klass)
{
    G_OBJECT_CLASS(klass)->finalize = finalize;
}

/* A new connection has no data at all: then it begins as one of ours. */
static void begin(l2tpc_profile *p)
{
    l2tpc_profile *ours = l2tpc_profile_new();
    GHashTableIter iter;
    void *key, *value;

    for (int table = L2TPC_PROFILE_DATA; table <= L2TPC_PROFILE_USER; table++) {
        g_hash_table_iter_init(&iter, l2tpc_profile_get_table(ours, table));
        while (g_hash_table_iter_next(&iter, &key, &value))
            l2tpc_profile_set(p, table, key, value);
    }
    l2tpc_profile_free(ours);
}

G_MODULE_EXPORT NMVpnEditor *l2tpc_vpn_editor_new(NMConnection *connection, GError **error)
{
    L2tpcEditor *self = g_object_new(l2tpc_editor_get_type(), NULL);
    gboolean fresh;

    (void)error;
    self->profile = exchange_profile(connection);
    fresh = g_hash_table_size(l2tpc_profile_get_table(self->profile, L2TPC_PROFILE_DATA)) == 0;
    if (fresh)
        begin(self->profile);
    form_init(&self->form, self->profile, on_changed, self);
    machine_init(&self->machine, &self->form, connection);
    self->widget = g_object_ref_sink(make_widget(self, fresh));
    form_refresh(&self->form);
    show_verdict(self);
    return NM_VPN_EDITOR(self);
}
