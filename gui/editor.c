/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "editor.h"
#include "button.h"
#include "settings_form.h"
#include "text_size.h"

#include <glib/gi18n.h>
#include <string.h>

#define L2D_TYPE_EDITOR (l2d_editor_get_type())
G_DECLARE_FINAL_TYPE(L2dEditor, l2d_editor, L2D, EDITOR, AdwWindow)

struct _L2dEditor {
    AdwWindow parent;
    L2dWindow *window;
    L2dProfile *profile; /* NULL: a new one */
    L2dSettingsForm *form;
    GtkScrolledWindow *place; /* of the form */
    GtkEditable *name;
    GtkWidget *save;
    GtkLabel *trouble; /* of storing */
    gboolean is_touched, is_saving;
};

G_DEFINE_TYPE(L2dEditor, l2d_editor, ADW_TYPE_WINDOW)

/* ---- what is entered ---- */

/* Whoever gives no name finds the connection under its server. */
static l2tpc_profile *read_settings(L2dEditor *self, GError **error)
{
    g_autofree char *id = g_strstrip(g_strdup(gtk_editable_get_text(self->name)));
    l2tpc_profile *settings = l2d_settings_form_read(self->form, error);
    const char *server = settings ? l2tpc_profile_get(settings, L2TPC_PROFILE_DATA, "gateway") : "";

    if (settings)
        l2tpc_profile_set_id(settings, *id || !server ? id : server);
    return settings;
}

/* The form shows what is wrong beside its controls; the button tells who comes to it first. */
static void judge(L2dEditor *self)
{
    g_autoptr(GError) error = NULL;
    l2tpc_profile *settings = read_settings(self, &error);
    const char *why = settings ? NULL : error->message;

    l2tpc_profile_free(settings);
    gtk_widget_set_sensitive(self->save, self->is_touched && !self->is_saving && !why);
    gtk_widget_set_tooltip_text(self->save, why);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->save), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                   why ? why : "", -1);
}

static void on_changed(L2dEditor *self)
{
    self->is_touched = TRUE;
    judge(self);
}

/* ---- storing ---- */

static void say_trouble(L2dEditor *self, const char *sentence)
{
    gtk_label_set_label(self->trouble, sentence);
    gtk_widget_set_visible(GTK_WIDGET(self->trouble), *sentence != '\0');
}

static void set_saving(L2dEditor *self, gboolean is_saving)
{
    self->is_saving = is_saving;
    gtk_widget_set_sensitive(GTK_WIDGET(self->place), !is_saving);
    gtk_widget_set_sensitive(GTK_WIDGET(self->name), !is_saving);
    judge(self);
}

static void on_stored(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(L2dEditor) self = user;
    g_autoptr(GError) error = NULL;
    gboolean ok = l2d_backend_finish(L2D_BACKEND(source), result, &error);

    if (!self->form) /* the window went meanwhile */
        return;
    if (ok) {
        gtk_window_destroy(GTK_WINDOW(self));
        return;
    }
    set_saving(self, FALSE);
    say_trouble(self, error->message);
}

/* The window shows the new connection as soon as the list has it. */
static void add(L2dEditor *self, L2dBackend *backend, l2tpc_profile *settings)
{
    g_autofree char *uuid = g_uuid_string_random();

    g_key_file_set_string(l2tpc_profile_get_settings(settings), "connection", "uuid", uuid);
    l2d_window_expect(self->window, uuid);
    l2d_backend_add(backend, settings, NULL, on_stored, g_object_ref(self));
}

static void on_save(L2dEditor *self)
{
    L2dBackend *backend = l2d_window_get_backend(self->window);
    g_autoptr(GError) error = NULL;
    l2tpc_profile *settings = read_settings(self, &error);

    if (!settings) {
        say_trouble(self, error->message);
        return;
    }
    say_trouble(self, "");
    set_saving(self, TRUE);
    if (self->profile)
        l2d_backend_replace(backend, self->profile, settings, NULL, on_stored, g_object_ref(self));
    else
        add(self, backend, settings);
    l2tpc_profile_free(settings);
}

/* ---- leaving ---- */

static gboolean leave(gpointer self)
{
    gtk_window_destroy(GTK_WINDOW(self));
    return G_SOURCE_REMOVE;
}

/* The question must not point to a window that is gone; it closes when we have answered. */
static void on_answer(GtkWindow *question, const char *response, L2dEditor *self)
{
    if (!g_str_equal(response, "discard"))
        return;
    gtk_window_set_transient_for(question, NULL);
    (void)g_idle_add_full(G_PRIORITY_DEFAULT_IDLE, leave, g_object_ref(self), g_object_unref);
}

static void ask(L2dEditor *self)
{
    GtkWidget *question = adw_message_dialog_new(GTK_WINDOW(self), _("Discard the Changes?"),
                                                 _("What you entered has not been saved."));
    AdwMessageDialog *d = ADW_MESSAGE_DIALOG(question);

    adw_message_dialog_add_responses(d, "keep", _("Keep Editing"), "discard", _("Discard"), NULL);
    adw_message_dialog_set_response_appearance(d, "discard", ADW_RESPONSE_DESTRUCTIVE);
    adw_message_dialog_set_default_response(d, "keep");
    adw_message_dialog_set_close_response(d, "keep");
    g_signal_connect_object(d, "response", G_CALLBACK(on_answer), self, 0);
    gtk_window_present(GTK_WINDOW(question));
}

/* What is on its way to the service is waited for. */
static gboolean l2d_editor_close_request(GtkWindow *window)
{
    L2dEditor *self = L2D_EDITOR(window);

    if (self->is_saving)
        return TRUE;
    if (self->is_touched) {
        ask(self);
        return TRUE;
    }
    return GTK_WINDOW_CLASS(l2d_editor_parent_class)->close_request(window);
}

static void l2d_editor_dispose(GObject *object)
{
    L2dEditor *self = L2D_EDITOR(object);

    if (self->form)
        gtk_scrolled_window_set_child(self->place, NULL);
    g_clear_pointer(&self->form, l2d_settings_form_free);
    g_clear_object(&self->profile);
    g_clear_object(&self->window);
    G_OBJECT_CLASS(l2d_editor_parent_class)->dispose(object);
}

/* ---- the dialog ---- */

static void l2d_editor_class_init(L2dEditorClass *class)
{
    G_OBJECT_CLASS(class)->dispose = l2d_editor_dispose;
    GTK_WINDOW_CLASS(class)->close_request = l2d_editor_close_request;
    gtk_widget_class_add_binding_action(GTK_WIDGET_CLASS(class), GDK_KEY_Escape, 0, "window.close",
                                        NULL);
}

static GtkWidget *make_header(L2dEditor *self)
{
    GtkWidget *header = adw_header_bar_new();
    GtkWidget *cancel = gtk_button_new();

    self->save = gtk_button_new();
    l2d_button_set_label(GTK_BUTTON(cancel), _("_Cancel"));
    l2d_button_set_label(GTK_BUTTON(self->save), _("_Save"));
    gtk_widget_add_css_class(self->save, "suggested-action");
    g_signal_connect_swapped(self->save, "clicked", G_CALLBACK(on_save), self);
    g_signal_connect_swapped(cancel, "clicked", G_CALLBACK(gtk_window_close), self);
    adw_header_bar_set_show_end_title_buttons(ADW_HEADER_BAR(header), FALSE);
    adw_header_bar_set_show_start_title_buttons(ADW_HEADER_BAR(header), FALSE);
    adw_header_bar_pack_start(ADW_HEADER_BAR(header), cancel);
    adw_header_bar_pack_end(ADW_HEADER_BAR(header), self->save);
    return header;
}

static GtkWidget *make_name(L2dEditor *self)
{
    GtkWidget *row = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    GtkWidget *label = gtk_label_new_with_mnemonic(_("_Name"));
    GtkWidget *entry = gtk_entry_new();

    gtk_entry_set_placeholder_text(GTK_ENTRY(entry), _("As the server is called"));
    gtk_entry_set_activates_default(GTK_ENTRY(entry), TRUE);
    gtk_widget_set_hexpand(entry, TRUE);
    gtk_label_set_mnemonic_widget(GTK_LABEL(label), entry);
    gtk_widget_set_margin_start(row, 12);
    gtk_widget_set_margin_end(row, 12);
    gtk_widget_set_margin_top(row, 12);
    gtk_box_append(GTK_BOX(row), label);
    gtk_box_append(GTK_BOX(row), entry);
    self->name = GTK_EDITABLE(entry);
    return row;
}

static void l2d_editor_init(L2dEditor *self)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    GtkWidget *place = gtk_scrolled_window_new();
    GtkWidget *trouble = gtk_label_new(NULL);

    self->place = GTK_SCROLLED_WINDOW(place);
    self->trouble = GTK_LABEL(trouble);
    gtk_box_append(GTK_BOX(box), make_header(self));
    gtk_box_append(GTK_BOX(box), make_name(self));
    gtk_scrolled_window_set_policy(self->place, GTK_POLICY_AUTOMATIC, GTK_POLICY_AUTOMATIC);
    gtk_widget_set_vexpand(place, TRUE);
    gtk_box_append(GTK_BOX(box), place);
    gtk_label_set_wrap(self->trouble, TRUE);
    gtk_widget_add_css_class(trouble, "error");
    gtk_widget_set_margin_bottom(trouble, 12);
    gtk_widget_set_visible(trouble, FALSE);
    gtk_box_append(GTK_BOX(box), trouble);
    adw_window_set_content(ADW_WINDOW(self), box);
    gtk_window_set_default_widget(GTK_WINDOW(self), self->save);
}

static void present(L2dWindow *parent, L2dProfile *profile, const l2tpc_profile *settings)
{
    g_autoptr(GError) error = NULL;
    L2dSettingsForm *form = l2d_settings_form_new(settings, &error);
    L2dEditor *self;

    if (!form) {
        l2d_window_say(parent, error ? error->message : _("The editor is not installed."));
        return;
    }
    self =
        g_object_new(L2D_TYPE_EDITOR, "transient-for", parent, "modal", TRUE, "destroy-with-parent",
                     TRUE, "title", profile ? _("Edit Connection") : _("New Connection"),
                     "default-width", 600, "default-height", 620, NULL);
    l2d_text_size_fit(GTK_WINDOW(self));
    self->window = g_object_ref(parent);
    self->profile = profile ? g_object_ref(profile) : NULL;
    self->form = form;
    gtk_scrolled_window_set_child(self->place, l2d_settings_form_get_widget(form));
    if (settings)
        gtk_editable_set_text(self->name, l2tpc_profile_get_id(settings));
    l2d_settings_form_on_changed(form, G_CALLBACK(on_changed), self);
    g_signal_connect_swapped(self->name, "changed", G_CALLBACK(on_changed), self);
    judge(self);
    gtk_widget_grab_focus(GTK_WIDGET(self->name));
    gtk_window_present(GTK_WINDOW(self));
}

void l2d_editor_add(L2dWindow *parent)
{
    present(parent, NULL, NULL);
}

struct wanted {
    L2dWindow *window;
    L2dProfile *profile;
};

static void on_loaded(GObject *source, GAsyncResult *result, gpointer user)
{
    struct wanted *w = user;
    g_autoptr(GError) error = NULL;
    l2tpc_profile *settings = l2d_backend_load_finish(L2D_BACKEND(source), result, &error);

    if (settings)
        present(w->window, w->profile, settings);
    else
        l2d_window_say(w->window, error->message);
    l2tpc_profile_free(settings);
    g_object_unref(w->window);
    g_object_unref(w->profile);
    g_free(w);
}

void l2d_editor_edit(L2dWindow *parent, L2dProfile *profile)
{
    struct wanted *w = g_new0(struct wanted, 1);

    w->window = g_object_ref(parent);
    w->profile = g_object_ref(profile);
    l2d_backend_load(l2d_window_get_backend(parent), profile, NULL, on_loaded, w);
}
