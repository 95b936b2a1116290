/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "secrets_form.h"
#include "button.h"

#include <glib/gi18n.h>

struct _L2dSecretsForm {
    AdwBin parent;
    AdwPreferencesGroup *group;
    L2dSecretRequest *request;
    GPtrArray *entries; /* GtkEditable, one for each field; of a new password two */
    GPtrArray *rows;    /* all that stands in the group */
    GtkSwitch *keep;
    GtkWidget *ok;
};

G_DEFINE_TYPE(L2dSecretsForm, l2d_secrets_form, ADW_TYPE_BIN)

static const char *label_of(const L2dSecretField *f)
{
    switch (f->kind) {
    case L2D_SECRET_PASSWORD:
        return _("Password");
    case L2D_SECRET_PSK:
        return _("Pre-shared key");
    case L2D_SECRET_PASSPHRASE:
        return _("Passphrase of the key, or PIN of the token");
    case L2D_SECRET_CODE:
        return _("One-time code");
    case L2D_SECRET_NEW_PASSWORD:
        return _("New password");
    case L2D_SECRET_OTHER:
    default:
        return f->label;
    }
}

/* Everything must be typed, a new password twice the same. */
static gboolean is_complete(L2dSecretsForm *self)
{
    GPtrArray *fields = l2d_secret_request_get_fields(self->request);
    guint at = 0;

    for (guint i = 0; i < fields->len; i++) {
        const L2dSecretField *f = g_ptr_array_index(fields, i);
        const char *text = gtk_editable_get_text(g_ptr_array_index(self->entries, at++));

        if (!*text)
            return FALSE;
        if (f->kind == L2D_SECRET_NEW_PASSWORD &&
            g_strcmp0(text, gtk_editable_get_text(g_ptr_array_index(self->entries, at++))) != 0)
            return FALSE;
    }
    return TRUE;
}

static void on_changed(L2dSecretsForm *self)
{
    gtk_widget_set_sensitive(self->ok, is_complete(self));
}

static void on_ok(L2dSecretsForm *self)
{
    g_autoptr(L2dSecretRequest) request = NULL;
    g_autoptr(GHashTable) secrets = NULL;
    GPtrArray *fields;
    guint at = 0;

    if (!self->request || !is_complete(self))
        return;
    request = g_object_ref(self->request);
    secrets = l2d_secrets_new();
    fields = l2d_secret_request_get_fields(request);
    for (guint i = 0; i < fields->len; i++) {
        const L2dSecretField *f = g_ptr_array_index(fields, i);

        g_hash_table_insert(
            secrets, g_strdup(f->key),
            g_strdup(gtk_editable_get_text(g_ptr_array_index(self->entries, at++))));
        at += f->kind == L2D_SECRET_NEW_PASSWORD;
    }
    l2d_secret_request_answer(request, secrets, self->keep && gtk_switch_get_active(self->keep));
}

static void on_cancel(L2dSecretsForm *self)
{
    if (self->request) {
        g_autoptr(L2dSecretRequest) request = g_object_ref(self->request);

        l2d_secret_request_refuse(request);
    }
}

static void add(L2dSecretsForm *self, GtkWidget *row)
{
    adw_preferences_group_add(self->group, row);
    g_ptr_array_add(self->rows, row);
}

static void add_entry(L2dSecretsForm *self, const char *title, gboolean shown)
{
    GtkWidget *row = shown ? adw_entry_row_new() : adw_password_entry_row_new();

    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    gtk_accessible_update_property(GTK_ACCESSIBLE(row), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
    g_signal_connect_swapped(row, "changed", G_CALLBACK(on_changed), self);
    g_signal_connect_swapped(row, "entry-activated", G_CALLBACK(on_ok), self);
    g_ptr_array_add(self->entries, row);
    add(self, row);
}

static void add_keep(L2dSecretsForm *self)
{
    GtkWidget *row = adw_action_row_new();
    GtkWidget *toggle = gtk_switch_new();
    gboolean by_service = l2d_secret_request_is_kept_by_service(self->request);

    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), _("Remember"));
    adw_action_row_set_subtitle(ADW_ACTION_ROW(row),
                                by_service ? _("In the connection, where only the service reads it")
                                           : _("In the keyring of this user"));
    gtk_widget_set_valign(toggle, GTK_ALIGN_CENTER);
    gtk_accessible_update_property(GTK_ACCESSIBLE(toggle), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   by_service ? _("Remember in the connection")
                                              : _("Remember in the keyring of this user"),
                                   -1);
    adw_action_row_add_suffix(ADW_ACTION_ROW(row), toggle);
    adw_action_row_set_activatable_widget(ADW_ACTION_ROW(row), toggle);
    self->keep = GTK_SWITCH(toggle);
    add(self, row);
}

static GtkWidget *button_new(L2dSecretsForm *self, const char *label, GCallback callback)
{
    GtkWidget *button = gtk_button_new();

    l2d_button_set_label(GTK_BUTTON(button), label);
    g_signal_connect_swapped(button, "clicked", callback, self);
    return button;
}

static void clear(L2dSecretsForm *self)
{
    for (guint i = 0; i < self->rows->len; i++)
        adw_preferences_group_remove(self->group, g_ptr_array_index(self->rows, i));
    g_ptr_array_set_size(self->rows, 0);
    g_ptr_array_set_size(self->entries, 0);
    self->keep = NULL;
    g_clear_object(&self->request);
}

void l2d_secrets_form_set_request(L2dSecretsForm *self, L2dSecretRequest *request)
{
    GPtrArray *fields;
    gboolean can_keep = FALSE;

    if (request == self->request)
        return;
    clear(self);
    if (!request)
        return;
    self->request = g_object_ref(request);
    adw_preferences_group_set_description(self->group, l2d_secret_request_get_message(request));
    fields = l2d_secret_request_get_fields(request);
    for (guint i = 0; i < fields->len; i++) {
        const L2dSecretField *f = g_ptr_array_index(fields, i);

        add_entry(self, label_of(f), f->kind == L2D_SECRET_CODE);
        if (f->kind == L2D_SECRET_NEW_PASSWORD)
            add_entry(self, _("New password again"), FALSE);
        can_keep = can_keep || f->can_keep;
    }
    if (can_keep)
        add_keep(self);
    on_changed(self);
    if (self->entries->len)
        gtk_widget_grab_focus(g_ptr_array_index(self->entries, 0));
}

static void l2d_secrets_form_dispose(GObject *object)
{
    L2dSecretsForm *self = L2D_SECRETS_FORM(object);

    g_clear_object(&self->request);
    g_clear_pointer(&self->entries, g_ptr_array_unref);
    g_clear_pointer(&self->rows, g_ptr_array_unref);
    G_OBJECT_CLASS(l2d_secrets_form_parent_class)->dispose(object);
}

static void l2d_secrets_form_class_init(L2dSecretsFormClass *class)
{
    G_OBJECT_CLASS(class)->dispose = l2d_secrets_form_dispose;
}

static void l2d_secrets_form_init(L2dSecretsForm *self)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    GtkWidget *buttons = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    GtkWidget *group = adw_preferences_group_new();

    self->group = ADW_PREFERENCES_GROUP(group);
    self->entries = g_ptr_array_new();
    self->rows = g_ptr_array_new();
    adw_preferences_group_set_title(self->group, _("The server wants to know who you are"));
    gtk_box_append(GTK_BOX(box), group);
    gtk_widget_set_halign(buttons, GTK_ALIGN_END);
    gtk_box_append(GTK_BOX(buttons), button_new(self, _("_Cancel"), G_CALLBACK(on_cancel)));
    self->ok = button_new(self, _("C_ontinue"), G_CALLBACK(on_ok));
    gtk_widget_add_css_class(self->ok, "suggested-action");
    gtk_box_append(GTK_BOX(buttons), self->ok);
    gtk_box_append(GTK_BOX(box), buttons);
    adw_bin_set_child(ADW_BIN(self), box);
}

GtkWidget *l2d_secrets_form_new(void)
{
    return g_object_new(L2D_TYPE_SECRETS_FORM, NULL);
}
