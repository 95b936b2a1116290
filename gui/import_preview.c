/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "import_preview.h"
#include "button.h"
#include "text_size.h"

#include <glib/gi18n.h>

#define L2D_TYPE_IMPORT_PREVIEW (l2d_import_preview_get_type())
G_DECLARE_FINAL_TYPE(L2dImportPreview, l2d_import_preview, L2D, IMPORT_PREVIEW, AdwWindow)

struct _L2dImportPreview {
    AdwWindow parent;
    L2dWindow *window;
    AdwPreferencesPage *page;
    GtkWidget *add;
    GPtrArray *files; /* GFile still to be read are behind `at` */
    guint at;
    l2tpc_profile_file read[L2TPC_PROFILE_FILES_MAX];
    GPtrArray *profiles; /* l2tpc_profile; NULL before all is read */
    GPtrArray *switches; /* one for each, NULL where it cannot be added */
    guint waiting;       /* for the back end */
};

G_DEFINE_TYPE(L2dImportPreview, l2d_import_preview, ADW_TYPE_WINDOW)

static const char *severity_icon(int severity)
{
    switch (severity) {
    case L2TPC_PROFILE_ERROR:
        return "dialog-error-symbolic";
    case L2TPC_PROFILE_WEAKNESS:
    case L2TPC_PROFILE_LOSS:
        return "dialog-warning-symbolic";
    default:
        return "dialog-information-symbolic";
    }
}

static const char *severity_word(int severity)
{
    switch (severity) {
    case L2TPC_PROFILE_ERROR:
        return _("Cannot be used");
    case L2TPC_PROFILE_WEAKNESS:
        return _("Protects less");
    case L2TPC_PROFILE_LOSS:
        return _("Is not taken over");
    default:
        return _("Is done in another way");
    }
}

static void add_note(AdwPreferencesGroup *group, const l2tpc_profile_note *n)
{
    g_autofree char *text = l2tpc_profile_note_text(n, _(n->sentence));
    g_autofree char *escaped = g_markup_escape_text(text, -1);
    GtkWidget *row = adw_action_row_new();
    GtkWidget *icon = gtk_image_new_from_icon_name(severity_icon(n->severity));

    gtk_widget_add_css_class(icon, n->severity == L2TPC_PROFILE_ERROR ? "error" : "warning");
    adw_action_row_add_prefix(ADW_ACTION_ROW(row), icon);
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), severity_word(n->severity));
    adw_action_row_set_subtitle(ADW_ACTION_ROW(row), escaped);
    adw_action_row_set_subtitle_lines(ADW_ACTION_ROW(row), 0);
    gtk_accessible_update_property(GTK_ACCESSIBLE(row), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text,
                                   -1);
    adw_preferences_group_add(group, row);
}

static gboolean add_notes(AdwPreferencesGroup *group, GPtrArray *notes, int only)
{
    gboolean error = FALSE;

    for (guint i = 0; notes && i < notes->len; i++) {
        const l2tpc_profile_note *n = g_ptr_array_index(notes, i);

        if (only >= 0 && n->severity != only)
            continue;
        add_note(group, n);
        error = error || n->severity == L2TPC_PROFILE_ERROR;
    }
    return error;
}

static const char *data_of(const l2tpc_profile *p, const char *key)
{
    const char *text = l2tpc_profile_get(p, L2TPC_PROFILE_DATA, key);

    return text ? text : "";
}

static GtkWidget *title_row(const l2tpc_profile *p, GtkSwitch **out)
{
    const char *user = data_of(p, "user");
    g_autofree char *where = g_strjoin(" · ", data_of(p, "gateway"), *user ? user : NULL, NULL);
    g_autofree char *escaped = g_markup_escape_text(where, -1);
    g_autofree char *title = g_markup_escape_text(l2tpc_profile_get_id(p), -1);
    GtkWidget *row = adw_action_row_new();
    GtkWidget *toggle = gtk_switch_new();

    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(row), escaped);
    gtk_widget_set_valign(toggle, GTK_ALIGN_CENTER);
    gtk_switch_set_active(GTK_SWITCH(toggle), TRUE);
    /* TRANSLATORS: a switch beside a connection that was found in a file. */
    gtk_accessible_update_property(GTK_ACCESSIBLE(toggle), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Add this connection"), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                   l2tpc_profile_get_id(p), -1);
    gtk_accessible_update_property(GTK_ACCESSIBLE(row), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, where,
                                   -1);
    adw_action_row_add_suffix(ADW_ACTION_ROW(row), toggle);
    adw_action_row_set_activatable_widget(ADW_ACTION_ROW(row), toggle);
    *out = GTK_SWITCH(toggle);
    return row;
}

static void update_add(L2dImportPreview *self)
{
    guint n = 0;

    for (guint i = 0; i < self->switches->len; i++) {
        GtkSwitch *s = g_ptr_array_index(self->switches, i);

        n += s && gtk_switch_get_active(s);
    }
    gtk_widget_set_sensitive(self->add, n > 0);
}

static void show_profile(L2dImportPreview *self, const l2tpc_profile *p)
{
    AdwPreferencesGroup *group = ADW_PREFERENCES_GROUP(adw_preferences_group_new());
    g_autoptr(GPtrArray) checked = l2tpc_profile_check(p);
    GtkSwitch *toggle;

    adw_preferences_group_add(group, title_row(p, &toggle));
    (void)add_notes(group, l2tpc_profile_get_notes(p), -1);
    (void)add_notes(group, checked, L2TPC_PROFILE_ERROR);
    g_signal_connect_swapped(toggle, "notify::active", G_CALLBACK(update_add), self);
    g_ptr_array_add(self->switches, toggle);
    adw_preferences_page_add(self->page, group);
}

static void show_all(L2dImportPreview *self, int result, GPtrArray *notes)
{
    AdwPreferencesGroup *group = ADW_PREFERENCES_GROUP(adw_preferences_group_new());

    if (result != L2TPC_PROFILE_OK)
        adw_preferences_group_set_title(group, _("Nothing can be imported from this"));
    else
        adw_preferences_group_set_title(group, _("This will be added"));
    (void)add_notes(group, notes, -1);
    adw_preferences_page_add(self->page, group);
    for (guint i = 0; self->profiles && i < self->profiles->len; i++) {
        l2tpc_profile *p = g_ptr_array_index(self->profiles, i);

        if (!*l2tpc_profile_get_id(p))
            l2tpc_profile_set_id(p, data_of(p, "gateway"));
        show_profile(self, p);
    }
    update_add(self);
}

static void say_trouble(L2dImportPreview *self, const char *sentence)
{
    AdwPreferencesGroup *group = ADW_PREFERENCES_GROUP(adw_preferences_group_new());
    g_autofree char *escaped = g_markup_escape_text(sentence, -1);

    adw_preferences_group_set_title(group, _("Nothing can be imported from this"));
    adw_preferences_group_set_description(group, escaped);
    adw_preferences_page_add(self->page, group);
}

static void read_next(L2dImportPreview *self);

static void on_read(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(L2dImportPreview) self = user;
    g_autoptr(GError) error = NULL;
    GBytes *bytes = g_file_load_bytes_finish(G_FILE(source), result, NULL, &error);

    if (!bytes) {
        say_trouble(self, error->message);
        return;
    }
    self->read[self->at].name = g_file_get_basename(G_FILE(source));
    self->read[self->at].bytes = bytes;
    self->at++;
    read_next(self);
}

/* A file that is larger than any profile is not read at all: it may be a film, or endless. */
static void on_size(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(L2dImportPreview) self = user;
    g_autoptr(GError) error = NULL;
    g_autoptr(GFileInfo) info = g_file_query_info_finish(G_FILE(source), result, &error);

    if (!info)
        say_trouble(self, error->message);
    else if (g_file_info_get_file_type(info) != G_FILE_TYPE_REGULAR ||
             g_file_info_get_size(info) > (goffset)L2TPC_PROFILE_FILE_MAX)
        say_trouble(self, _("This is no file of a connection: it is too large, or no file."));
    else
        g_file_load_bytes_async(G_FILE(source), NULL, on_read, g_object_ref(self));
}

static void read_next(L2dImportPreview *self)
{
    GPtrArray *notes = NULL;
    int result;

    if (self->at < self->files->len) {
        g_file_query_info_async(g_ptr_array_index(self->files, self->at),
                                G_FILE_ATTRIBUTE_STANDARD_SIZE "," G_FILE_ATTRIBUTE_STANDARD_TYPE,
                                G_FILE_QUERY_INFO_NONE, G_PRIORITY_DEFAULT, NULL, on_size,
                                g_object_ref(self));
        return;
    }
    result = l2tpc_profile_import(self->read, self->at, &self->profiles, &notes);
    show_all(self, result, notes);
    if (notes)
        g_ptr_array_unref(notes);
}

static void on_added(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(L2dImportPreview) self = user;
    g_autoptr(GError) error = NULL;

    if (!l2d_backend_finish(L2D_BACKEND(source), result, &error))
        l2d_window_say(self->window, error->message);
    if (--self->waiting == 0)
        gtk_window_close(GTK_WINDOW(self));
}

static void on_add(L2dImportPreview *self)
{
    gtk_widget_set_sensitive(self->add, FALSE);
    for (guint i = 0; i < self->switches->len; i++) {
        GtkSwitch *s = g_ptr_array_index(self->switches, i);

        if (!gtk_switch_get_active(s))
            continue;
        self->waiting++;
        l2d_backend_add(l2d_window_get_backend(self->window), g_ptr_array_index(self->profiles, i),
                        NULL, on_added, g_object_ref(self));
    }
}

static void l2d_import_preview_dispose(GObject *object)
{
    L2dImportPreview *self = L2D_IMPORT_PREVIEW(object);

    for (guint i = 0; i < L2TPC_PROFILE_FILES_MAX; i++) {
        g_clear_pointer(&self->read[i].name, g_free);
        g_clear_pointer(&self->read[i].bytes, g_bytes_unref);
    }
    g_clear_pointer(&self->files, g_ptr_array_unref);
    g_clear_pointer(&self->profiles, g_ptr_array_unref);
    g_clear_pointer(&self->switches, g_ptr_array_unref);
    g_clear_object(&self->window);
    G_OBJECT_CLASS(l2d_import_preview_parent_class)->dispose(object);
}

static void l2d_import_preview_class_init(L2dImportPreviewClass *class)
{
    G_OBJECT_CLASS(class)->dispose = l2d_import_preview_dispose;
    gtk_widget_class_add_binding_action(GTK_WIDGET_CLASS(class), GDK_KEY_Escape, 0, "window.close",
                                        NULL);
}

static void l2d_import_preview_init(L2dImportPreview *self)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    GtkWidget *header = adw_header_bar_new();
    GtkWidget *cancel = gtk_button_new();
    GtkWidget *page = adw_preferences_page_new();

    self->page = ADW_PREFERENCES_PAGE(page);
    self->switches = g_ptr_array_new();
    self->add = gtk_button_new();
    l2d_button_set_label(GTK_BUTTON(cancel), _("_Cancel"));
    l2d_button_set_label(GTK_BUTTON(self->add), _("_Add"));
    gtk_widget_add_css_class(self->add, "suggested-action");
    gtk_widget_set_sensitive(self->add, FALSE);
    g_signal_connect_swapped(self->add, "clicked", G_CALLBACK(on_add), self);
    g_signal_connect_swapped(cancel, "clicked", G_CALLBACK(gtk_window_close), self);
    adw_header_bar_set_show_end_title_buttons(ADW_HEADER_BAR(header), FALSE);
    adw_header_bar_set_show_start_title_buttons(ADW_HEADER_BAR(header), FALSE);
    adw_header_bar_pack_start(ADW_HEADER_BAR(header), cancel);
    adw_header_bar_pack_end(ADW_HEADER_BAR(header), self->add);
    gtk_box_append(GTK_BOX(box), header);
    gtk_widget_set_vexpand(page, TRUE);
    gtk_box_append(GTK_BOX(box), page);
    adw_window_set_content(ADW_WINDOW(self), box);
}

void l2d_import_preview_present(L2dWindow *parent, GFile **files, guint n)
{
    L2dImportPreview *self =
        g_object_new(L2D_TYPE_IMPORT_PREVIEW, "transient-for", parent, "modal", TRUE, "title",
                     _("Import Connections"), "default-width", 520, "default-height", 560, NULL);

    self->window = g_object_ref(parent);
    self->files = g_ptr_array_new_with_free_func(g_object_unref);
    for (guint i = 0; i < n && i < L2TPC_PROFILE_FILES_MAX; i++)
        g_ptr_array_add(self->files, g_object_ref(files[i]));
    l2d_text_size_fit(GTK_WINDOW(self));
    gtk_window_present(GTK_WINDOW(self));
    if (n > L2TPC_PROFILE_FILES_MAX)
        say_trouble(self, _("These are too many files at once."));
    else
        read_next(self);
}
