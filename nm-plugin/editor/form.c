/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Fields and their controls. */
#include "form.h"

#include <glib/gi18n-lib.h>
#include <libintl.h>
#include <string.h>

struct form_row {
    struct form *form;
    const struct field *field;
    GtkWidget *control, *fault;
};

static void row_free(void *data)
{
    struct form_row *r = data;

    g_signal_handlers_disconnect_by_data(r->control, r); /* it may live longer than the editor */
    g_object_unref(r->control);
    g_free(r);
}

void form_init(struct form *f, l2tpc_profile *profile, void (*changed)(void *), void *user)
{
    *f = (struct form){.profile = profile,
                       .rows = g_ptr_array_new_with_free_func(row_free),
                       .changed = changed,
                       .user = user};
}

void form_clear(struct form *f)
{
    g_clear_pointer(&f->rows, g_ptr_array_unref);
}

void form_put(struct form *f, int table, const char *key, const char *value)
{
    if (f->filling)
        return;
    l2tpc_profile_set(f->profile, table, key, value && *value ? value : NULL);
    f->changed(f->user);
}

static const char *value_of(const struct form_row *r)
{
    return l2tpc_profile_get(r->form->profile, r->field->table, r->field->key);
}

/* ---- from the controls ---- */

static void on_text(GtkWidget *entry, struct form_row *r)
{
    form_put(r->form, r->field->table, r->field->key, tk_text(entry));
}

static void on_choice(GtkComboBox *combo, struct form_row *r)
{
    int i = gtk_combo_box_get_active(combo);

    if (i >= 0)
        form_put(r->form, r->field->table, r->field->key, r->field->choices[i].value);
}

static void on_tick(GtkWidget *check, struct form_row *r)
{
    const struct field *d = r->field;
    gboolean on = tk_ticked(check);

    if (r->form->filling)
        return;
    if (d->kind == FIELD_WORD)
        form_list_set(r->form->profile, d->table, d->key, d->word, on);
    else if (d->kind == FIELD_LOGIN)
        form_login_set(r->form->profile, d->word, on);
    else if (d->kind == FIELD_ON)
        l2tpc_profile_set(r->form->profile, d->table, d->key, on ? "on" : "off");
    else /* what was written out stays so */
        l2tpc_profile_set(r->form->profile, d->table, d->key,
                          on            ? "yes"
                          : value_of(r) ? "no"
                                        : NULL);
    r->form->changed(r->form->user);
}

/* ---- the controls ---- */

GtkWidget *form_label(const char *mnemonic, GtkWidget *control)
{
    GtkWidget *label = gtk_label_new_with_mnemonic(mnemonic);

    gtk_label_set_xalign(GTK_LABEL(label), 1);
    gtk_widget_set_valign(label, GTK_ALIGN_BASELINE);
    tk_labelled(control, label);
    return label;
}

GtkWidget *form_sentence(const char *icon, const char *style, const char *text)
{
    GtkWidget *row = tk_row(6);
    GtkWidget *image = tk_icon(icon);
    GtkWidget *label = tk_prose(text, FALSE);

    gtk_widget_set_valign(image, GTK_ALIGN_START);
    gtk_widget_set_margin_top(image, 1);
    if (style) {
        tk_set_class(image, style, TRUE);
        tk_set_class(label, style, TRUE);
    }
    tk_append(row, image, FALSE);
    tk_append(row, label, TRUE);
    return row;
}

static GtkWidget *make_choice(struct form_row *r)
{
    GtkWidget *combo = gtk_combo_box_text_new();
    const char *value = value_of(r);
    int active = -1;

    for (int i = 0; r->field->choices[i].label; i++) {
        gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(combo), _(r->field->choices[i].label));
        if (g_strcmp0(r->field->choices[i].value, value) == 0)
            active = i;
    }
    gtk_combo_box_set_active(GTK_COMBO_BOX(combo), active);
    g_signal_connect(combo, "changed", G_CALLBACK(on_choice), r);
    return combo;
}

static GtkWidget *make_text(struct form_row *r)
{
    GtkWidget *entry = gtk_entry_new();

    tk_set_text(entry, value_of(r));
    if (r->field->word)
        gtk_entry_set_placeholder_text(GTK_ENTRY(entry), _(r->field->word));
    gtk_widget_set_hexpand(entry, TRUE);
    g_signal_connect(entry, "changed", G_CALLBACK(on_text), r);
    return entry;
}

static gboolean is_on(const struct form_row *r)
{
    const struct field *d = r->field;

    if (d->kind == FIELD_WORD)
        return form_list_has(value_of(r), d->word);
    if (d->kind == FIELD_LOGIN)
        return form_login_is_on(r->form->profile, d->word);
    if (d->kind == FIELD_ON) /* on is the default */
        return g_strcmp0(value_of(r), "off") != 0;
    return g_strcmp0(value_of(r), "yes") == 0;
}

static GtkWidget *make_tick(struct form_row *r)
{
    GtkWidget *check = gtk_check_button_new_with_mnemonic(_(r->field->label));

    tk_set_ticked(check, is_on(r));
    g_signal_connect(check, "toggled", G_CALLBACK(on_tick), r);
    return check;
}

int form_add(struct form *f, GtkWidget *grid, int row, const struct field *field)
{
    struct form_row *r = g_new0(struct form_row, 1);

    *r = (struct form_row){.form = f, .field = field};
    g_ptr_array_add(f->rows, r);
    if (field->kind == FIELD_TEXT || field->kind == FIELD_CHOICE) {
        r->control = field->kind == FIELD_TEXT ? make_text(r) : make_choice(r);
        gtk_grid_attach(GTK_GRID(grid), form_label(_(field->label), r->control), 0, row, 1, 1);
        gtk_grid_attach(GTK_GRID(grid), r->control, 1, row, 1, 1);
    } else {
        r->control = make_tick(r);
        gtk_grid_attach(GTK_GRID(grid), r->control, 1, row, 1, 1);
    }
    g_object_ref(r->control);
    if (field->help) {
        gtk_widget_set_tooltip_text(r->control, _(field->help));
    }
    r->fault = tk_row(0);
    tk_hide(r->fault);
    gtk_widget_set_hexpand(r->control, TRUE);
    gtk_grid_attach(GTK_GRID(grid), r->fault, 1, row + 1, 1, 1);
    return row + 2;
}

/* ---- as things are ---- */

static gboolean makes_sense(const struct form_row *r)
{
    const l2tpc_profile *p = r->form->profile;
    const char *key = r->field->key;
    const char *policy = l2tpc_profile_get(p, L2TPC_PROFILE_USER, "net.l2tpc.policy");

    if (strcmp(key, "ipsec-ike") == 0 || strcmp(key, "ipsec-esp") == 0)
        return !policy || strcmp(policy, "custom") == 0;
    if (strcmp(key, "net.l2tpc.allow-lan") == 0)
        return g_strcmp0(l2tpc_profile_get(p, L2TPC_PROFILE_USER, "net.l2tpc.kill-switch"),
                         "yes") == 0;
    if (g_strcmp0(r->field->word, "aggressive") == 0)
        return g_strcmp0(l2tpc_profile_get(p, L2TPC_PROFILE_USER, "net.l2tpc.ike-mode"),
                         "aggressive") == 0;
    return TRUE;
}

static void show_fault(struct form_row *r)
{
    const char *value = value_of(r);
    l2tpc_profile_note *note =
        value ? l2tpc_profile_value_fault(r->field->table, r->field->key, value) : NULL;
    gboolean faulty = note && r->field->kind == FIELD_TEXT;

    tk_empty(r->fault);
    tk_set_class(r->control, "error", faulty);
    if (faulty) {
        char *text = l2tpc_profile_note_text(note, _(note->sentence));

        GtkWidget *sentence = form_sentence("dialog-error-symbolic", "error", text);

        tk_show(sentence);
        tk_append(r->fault, sentence, TRUE);
        g_free(text);
    }
    gtk_widget_set_visible(r->fault, faulty);
    if (note)
        l2tpc_profile_note_free(note);
}

void form_refresh(struct form *f)
{
    f->filling = TRUE;
    for (guint i = 0; i < f->rows->len; i++) {
        struct form_row *r = g_ptr_array_index(f->rows, i);

        gtk_widget_set_sensitive(r->control, makes_sense(r));
        if (r->field->kind == FIELD_LOGIN) /* another policy may change what is consented to */
            tk_set_ticked(r->control, is_on(r));
        show_fault(r);
    }
    f->filling = FALSE;
}
