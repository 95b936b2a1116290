/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "window.h"
#include "button.h"
#include "diagnosis_view.h"
#include "editor.h"
#include "import_preview.h"
#include "log_view.h"
#include "model/doctor.h"
#include "page.h"
#include "profile_row.h"
#include "removal.h"
#include "report.h"
#include "settings_form.h"
#include "text_size.h"

#include <glib/gi18n.h>

struct _L2dWindow {
    AdwApplicationWindow parent;
    AdwToastOverlay *toasts;
    AdwLeaflet *leaflet;
    AdwHeaderBar *list_header;
    GtkWidget *empty_page, *none_page, *list_page;
    GtkListBox *list;
    GtkSearchBar *search_bar;
    GtkEditable *search_entry;
    GtkToggleButton *search_button;
    GtkInfoBar *trouble_bar;
    GtkLabel *trouble_label;
    GtkBox *content;
    AdwWindowTitle *content_title;
    GtkWidget *profile_button, *copy_button;
    GtkMenuButton *menu_button;
    GtkButton *import_button;
    L2dPage *page;
    L2dBackend *backend;
    L2dRemoval *removal;
    GtkFilterListModel *shown;
    GtkCustomFilter *filter;
    char *expected; /* the UUID of what is shown as soon as it is there; or NULL */
};

G_DEFINE_TYPE(L2dWindow, l2d_window, ADW_TYPE_APPLICATION_WINDOW)

L2dBackend *l2d_window_get_backend(L2dWindow *self)
{
    return self->backend;
}

void l2d_window_say(L2dWindow *self, const char *sentence)
{
    AdwToast *toast = adw_toast_new(sentence);

    adw_toast_overlay_add_toast(self->toasts, toast);
}

/* A call that the back end has ended; only its trouble is news. */
static void on_called(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(L2dWindow) self = user;
    g_autoptr(GError) error = NULL;

    if (!l2d_backend_finish(L2D_BACKEND(source), result, &error) &&
        !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        l2d_window_say(self, error->message);
}

static gboolean is_shown(gpointer item, gpointer user)
{
    L2dWindow *self = user;
    L2dProfile *p = item;
    g_autofree char *text = g_utf8_casefold(gtk_editable_get_text(self->search_entry), -1);
    g_autofree char *name = g_utf8_casefold(l2d_profile_get_name(p), -1);
    g_autofree char *server = g_utf8_casefold(l2d_profile_get_server(p), -1);

    if (l2d_removal_holds(self->removal, p))
        return FALSE;
    return !*text || strstr(name, text) || strstr(server, text);
}

/* Hidden pages are hidden from screen readers, too, which the pages of a GtkStack are not. */
static void show_list(L2dWindow *self)
{
    gboolean some = g_list_model_get_n_items(G_LIST_MODEL(self->shown)) > 0;
    gboolean searching = *gtk_editable_get_text(self->search_entry) != '\0';

    gtk_widget_set_visible(self->list_page, some);
    gtk_widget_set_visible(self->none_page, !some && searching);
    gtk_widget_set_visible(self->empty_page, !some && !searching);
}

static GtkWidget *make_row(gpointer item, gpointer user)
{
    (void)user;
    return l2d_profile_row_new(item);
}

static void set_actions(L2dWindow *self)
{
    static const char *const names[] = {"win.duplicate", "win.delete", "win.toggle"};
    L2dProfile *p = l2d_page_get_profile(self->page);
    gboolean stored = p && l2d_profile_is_stored(p);
    L2dTunnel *t = p ? l2d_profile_get_tunnel(p) : NULL;
    gboolean known = t && l2d_snapshot_get_stages(l2d_tunnel_get_snapshot(t))->len > 0;

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        gtk_widget_action_set_enabled(GTK_WIDGET(self), names[i], stored);
    /* What another program runs can be ended, not begun. */
    if (p && l2d_profile_is_wanted(p))
        gtk_widget_action_set_enabled(GTK_WIDGET(self), "win.toggle", TRUE);
    gtk_widget_action_set_enabled(GTK_WIDGET(self), "win.edit",
                                  stored && l2d_settings_form_is_installed());
    gtk_widget_action_set_enabled(GTK_WIDGET(self), "win.add",
                                  !l2d_backend_get_trouble(self->backend) &&
                                      l2d_settings_form_is_installed());
    gtk_widget_action_set_enabled(GTK_WIDGET(self), "win.diagnose", t != NULL);
    gtk_widget_action_set_enabled(GTK_WIDGET(self), "win.log", p != NULL);
    gtk_widget_action_set_enabled(GTK_WIDGET(self), "win.copy-report", t != NULL);
    gtk_widget_action_set_enabled(GTK_WIDGET(self), "win.copy-text", known);
    gtk_widget_action_set_enabled(GTK_WIDGET(self), "win.copy-json", known);
    gtk_widget_set_visible(self->profile_button, stored);
    gtk_widget_set_visible(self->copy_button, known);
    adw_window_title_set_title(self->content_title, p ? l2d_profile_get_name(p) : _("L2TP Dialer"));
}

static void choose(L2dWindow *self, L2dProfile *profile)
{
    l2d_page_set_profile(self->page, profile);
    set_actions(self);
}

static void on_row_selected(GtkListBox *list, GtkListBoxRow *row, L2dWindow *self)
{
    (void)list;
    if (row)
        choose(self, l2d_profile_row_get_profile(L2D_PROFILE_ROW(row)));
}

static void on_row_activated(GtkListBox *list, GtkListBoxRow *row, L2dWindow *self)
{
    (void)list;
    (void)row;
    adw_leaflet_navigate(self->leaflet, ADW_NAVIGATION_DIRECTION_FORWARD);
}

static gboolean show_expected(L2dWindow *self)
{
    L2dProfile *p = self->expected ? l2d_backend_find(self->backend, self->expected) : NULL;

    if (!p)
        return FALSE;
    g_clear_pointer(&self->expected, g_free);
    l2d_window_show(self, p);
    return TRUE;
}

void l2d_window_expect(L2dWindow *self, const char *uuid)
{
    g_free(self->expected);
    self->expected = g_strdup(uuid);
}

/* The page keeps what was chosen, also when a search hides its row, but not what is gone. */
static void on_items_changed(GListModel *model, guint at, guint removed, guint added,
                             L2dWindow *self)
{
    L2dProfile *p = l2d_page_get_profile(self->page);

    (void)model;
    (void)at;
    (void)removed;
    (void)added;
    show_list(self);
    if (show_expected(self))
        return;
    if (p && (!l2d_backend_find(self->backend, l2d_profile_get_uuid(p)) ||
              l2d_removal_holds(self->removal, p)))
        p = NULL;
    if (!p && !l2d_page_get_profile(self->page)) {
        GtkListBoxRow *first = gtk_list_box_get_row_at_index(self->list, 0);

        if (first)
            gtk_list_box_select_row(self->list, first);
    } else if (!p) {
        GtkListBoxRow *first = gtk_list_box_get_row_at_index(self->list, 0);

        choose(self, NULL);
        gtk_list_box_select_row(self->list, first);
        adw_leaflet_navigate(self->leaflet, ADW_NAVIGATION_DIRECTION_BACK);
    }
}

static void on_search(L2dWindow *self)
{
    gtk_filter_changed(GTK_FILTER(self->filter), GTK_FILTER_CHANGE_DIFFERENT);
    show_list(self);
}

static void on_removal_changed(L2dWindow *self)
{
    gtk_filter_changed(GTK_FILTER(self->filter), GTK_FILTER_CHANGE_DIFFERENT);
    on_items_changed(NULL, 0, 0, 0, self);
}

static void show_trouble(L2dWindow *self)
{
    const char *trouble = l2d_backend_get_trouble(self->backend);

    gtk_label_set_label(self->trouble_label, trouble ? trouble : "");
    gtk_info_bar_set_revealed(self->trouble_bar, trouble && *trouble);
    set_actions(self);
}

void l2d_window_ask(L2dWindow *self, L2dProfile *profile, L2dSecretRequest *request)
{
    l2d_page_ask(self->page, profile, request);
    l2d_window_show(self, profile);
}

void l2d_window_add_bar(L2dWindow *self, GtkWidget *bar)
{
    gtk_widget_insert_after(bar, gtk_widget_get_parent(GTK_WIDGET(self->trouble_bar)),
                            GTK_WIDGET(self->trouble_bar));
}

static gboolean on_secrets_wanted(L2dBackend *backend, L2dProfile *profile,
                                  L2dSecretRequest *request, L2dWindow *self)
{
    (void)backend;
    l2d_window_ask(self, profile, request);
    return TRUE;
}

static GtkListBoxRow *row_of(L2dWindow *self, L2dProfile *profile)
{
    GtkListBoxRow *row;

    for (int i = 0; (row = gtk_list_box_get_row_at_index(self->list, i)); i++)
        if (l2d_profile_row_get_profile(L2D_PROFILE_ROW(row)) == profile)
            return row;
    return NULL;
}

void l2d_window_show(L2dWindow *self, L2dProfile *profile)
{
    GtkListBoxRow *row = row_of(self, profile);

    if (row)
        gtk_list_box_select_row(self->list, row);
    else
        choose(self, profile);
    adw_leaflet_navigate(self->leaflet, ADW_NAVIGATION_DIRECTION_FORWARD);
}

void l2d_window_dial(L2dWindow *self, L2dProfile *profile)
{
    l2d_window_show(self, profile);
    l2d_backend_connect(self->backend, profile, NULL, on_called, g_object_ref(self));
}

void l2d_window_hang_up(L2dWindow *self, L2dProfile *profile)
{
    l2d_backend_disconnect(self->backend, profile, NULL, on_called, g_object_ref(self));
}

void l2d_window_import_files(L2dWindow *self, GFile **files, guint n)
{
    l2d_import_preview_present(self, files, n);
}

static void on_files_chosen(GtkNativeDialog *dialog, int response, L2dWindow *self)
{
    if (response == GTK_RESPONSE_ACCEPT) {
        g_autoptr(GListModel) list = gtk_file_chooser_get_files(GTK_FILE_CHOOSER(dialog));
        guint n = g_list_model_get_n_items(list);
        g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_object_unref);

        for (guint i = 0; i < n; i++)
            g_ptr_array_add(files, g_list_model_get_item(list, i));
        if (n)
            l2d_window_import_files(self, (GFile **)files->pdata, n);
    }
    gtk_native_dialog_destroy(dialog);
    g_object_unref(dialog);
}

void l2d_window_import(L2dWindow *self)
{
    GtkFileChooserNative *dialog =
        gtk_file_chooser_native_new(_("Import Connections"), GTK_WINDOW(self),
                                    GTK_FILE_CHOOSER_ACTION_OPEN, _("_Import"), _("_Cancel"));

    gtk_file_chooser_set_select_multiple(GTK_FILE_CHOOSER(dialog), TRUE);
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
    g_signal_connect_object(dialog, "response", G_CALLBACK(on_files_chosen), self, 0);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

static gboolean on_drop(GtkDropTarget *target, const GValue *value, double x, double y,
                        L2dWindow *self)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new();

    (void)target;
    (void)x;
    (void)y;
    for (GSList *l = gdk_file_list_get_files(g_value_get_boxed(value)); l; l = l->next)
        g_ptr_array_add(files, l->data);
    if (files->len)
        l2d_window_import_files(self, (GFile **)files->pdata, files->len);
    return files->len > 0;
}

void l2d_window_close_by_escape(GtkWidget *dialog)
{
    GtkEventController *keys = gtk_shortcut_controller_new();

    gtk_shortcut_controller_add_shortcut(GTK_SHORTCUT_CONTROLLER(keys),
                                         gtk_shortcut_new(gtk_keyval_trigger_new(GDK_KEY_Escape, 0),
                                                          gtk_named_action_new("window.close")));
    gtk_widget_add_controller(dialog, keys);
}

static void on_diagnose(GtkWidget *widget, const char *name, GVariant *parameter)
{
    L2dProfile *p = l2d_page_get_profile(L2D_WINDOW(widget)->page);

    (void)name;
    (void)parameter;
    if (p)
        l2d_diagnosis_view_present(L2D_WINDOW(widget), p);
}

static void on_log(GtkWidget *widget, const char *name, GVariant *parameter)
{
    L2dProfile *p = l2d_page_get_profile(L2D_WINDOW(widget)->page);

    (void)name;
    (void)parameter;
    if (p)
        l2d_log_view_present(L2D_WINDOW(widget), p);
}

static void on_examined(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(L2dWindow) self = user;
    L2dProfile *p = l2d_page_get_profile(self->page);
    g_autoptr(L2dDiagnosis) d = l2d_doctor_examine_finish(L2D_DOCTOR(source), result, NULL);
    g_autofree char *picture = d ? l2d_diagnosis_to_text(d) : NULL;
    g_autofree char *text = p ? l2d_report_new(p, picture ? picture : "") : NULL;

    if (!text)
        return;
    gdk_clipboard_set_text(gtk_widget_get_clipboard(GTK_WIDGET(self)), text);
    l2d_window_say(self, _("The report was copied. Names and addresses in it are replaced."));
}

static void on_report(GtkWidget *widget, const char *name, GVariant *parameter)
{
    L2dWindow *self = L2D_WINDOW(widget);
    L2dProfile *p = l2d_page_get_profile(self->page);
    g_autoptr(L2dDoctor) doctor = l2d_record_doctor_new();

    (void)name;
    (void)parameter;
    if (p)
        l2d_doctor_examine(doctor, p, NULL, on_examined, g_object_ref(self));
}

static void on_search_action(GtkWidget *widget, const char *name, GVariant *parameter)
{
    L2dWindow *self = L2D_WINDOW(widget);

    (void)name;
    (void)parameter;
    adw_leaflet_set_visible_child_name(self->leaflet, "list");
    gtk_search_bar_set_search_mode(self->search_bar, TRUE);
    gtk_widget_grab_focus(GTK_WIDGET(self->search_entry));
}

static void on_toggle(GtkWidget *widget, const char *name, GVariant *parameter)
{
    L2dWindow *self = L2D_WINDOW(widget);
    L2dProfile *p = l2d_page_get_profile(self->page);

    (void)name;
    (void)parameter;
    if (!p)
        return;
    if (l2d_profile_is_wanted(p))
        l2d_window_hang_up(self, p);
    else
        l2d_window_dial(self, p);
}

static void on_back(GtkWidget *widget, const char *name, GVariant *parameter)
{
    (void)name;
    (void)parameter;
    adw_leaflet_navigate(L2D_WINDOW(widget)->leaflet, ADW_NAVIGATION_DIRECTION_BACK);
}

static void on_menu(GtkWidget *widget, const char *name, GVariant *parameter)
{
    (void)name;
    (void)parameter;
    gtk_menu_button_popup(L2D_WINDOW(widget)->menu_button);
}

static void on_copy(GtkWidget *widget, const char *name, GVariant *parameter)
{
    L2dWindow *self = L2D_WINDOW(widget);
    L2dProfile *p = l2d_page_get_profile(self->page);
    L2dTunnel *t = p ? l2d_profile_get_tunnel(p) : NULL;
    g_autofree char *text = NULL;

    (void)parameter;
    if (!t)
        return;
    text = g_str_equal(name, "win.copy-json") ? l2d_snapshot_to_json(l2d_tunnel_get_snapshot(t))
                                              : l2d_snapshot_to_text(l2d_tunnel_get_snapshot(t));
    gdk_clipboard_set_text(gtk_widget_get_clipboard(widget), text);
    l2d_window_say(self, _("All details were copied."));
}

static void on_delete(GtkWidget *widget, const char *name, GVariant *parameter)
{
    L2dWindow *self = L2D_WINDOW(widget);
    L2dProfile *p = l2d_page_get_profile(self->page);

    (void)name;
    (void)parameter;
    if (p)
        l2d_removal_begin(self->removal, p);
}

static void on_loaded_copy(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(L2dWindow) self = user;
    g_autoptr(GError) error = NULL;
    l2tpc_profile *settings = l2d_backend_load_finish(L2D_BACKEND(source), result, &error);
    g_autofree char *id = NULL;

    if (!settings) {
        l2d_window_say(self, error->message);
        return;
    }
    /* TRANSLATORS: the name of a connection that was duplicated. */
    id = g_strdup_printf(_("%s (copy)"), l2tpc_profile_get_id(settings));
    l2tpc_profile_set_id(settings, id);
    (void)g_key_file_remove_key(l2tpc_profile_get_settings(settings), "connection", "uuid", NULL);
    l2d_backend_add(self->backend, settings, NULL, on_called, g_object_ref(self));
    l2tpc_profile_free(settings);
}

static void on_duplicate(GtkWidget *widget, const char *name, GVariant *parameter)
{
    L2dWindow *self = L2D_WINDOW(widget);
    L2dProfile *p = l2d_page_get_profile(self->page);

    (void)name;
    (void)parameter;
    if (p)
        l2d_backend_load(self->backend, p, NULL, on_loaded_copy, g_object_ref(self));
}

static void on_edit(GtkWidget *widget, const char *name, GVariant *parameter)
{
    L2dProfile *p = l2d_page_get_profile(L2D_WINDOW(widget)->page);

    (void)name;
    (void)parameter;
    if (p)
        l2d_editor_edit(L2D_WINDOW(widget), p);
}

static void on_add(GtkWidget *widget, const char *name, GVariant *parameter)
{
    (void)name;
    (void)parameter;
    l2d_editor_add(L2D_WINDOW(widget));
}

static void l2d_window_dispose(GObject *object)
{
    L2dWindow *self = L2D_WINDOW(object);

    if (self->removal)
        l2d_removal_finish(self->removal);
    if (self->page)
        l2d_page_set_profile(self->page, NULL);
    g_clear_object(&self->removal);
    g_clear_object(&self->shown);
    g_clear_object(&self->backend);
    g_clear_pointer(&self->expected, g_free);
    G_OBJECT_CLASS(l2d_window_parent_class)->dispose(object);
}

static void bind_children(GtkWidgetClass *w)
{
    gtk_widget_class_bind_template_child(w, L2dWindow, toasts);
    gtk_widget_class_bind_template_child(w, L2dWindow, leaflet);
    gtk_widget_class_bind_template_child(w, L2dWindow, list_header);
    gtk_widget_class_bind_template_child(w, L2dWindow, empty_page);
    gtk_widget_class_bind_template_child(w, L2dWindow, none_page);
    gtk_widget_class_bind_template_child(w, L2dWindow, list_page);
    gtk_widget_class_bind_template_child(w, L2dWindow, list);
    gtk_widget_class_bind_template_child(w, L2dWindow, search_bar);
    gtk_widget_class_bind_template_child(w, L2dWindow, search_entry);
    gtk_widget_class_bind_template_child(w, L2dWindow, search_button);
    gtk_widget_class_bind_template_child(w, L2dWindow, trouble_bar);
    gtk_widget_class_bind_template_child(w, L2dWindow, trouble_label);
    gtk_widget_class_bind_template_child(w, L2dWindow, content);
    gtk_widget_class_bind_template_child(w, L2dWindow, content_title);
    gtk_widget_class_bind_template_child(w, L2dWindow, profile_button);
    gtk_widget_class_bind_template_child(w, L2dWindow, copy_button);
    gtk_widget_class_bind_template_child(w, L2dWindow, menu_button);
    gtk_widget_class_bind_template_child(w, L2dWindow, import_button);
}

static void l2d_window_class_init(L2dWindowClass *class)
{
    GtkWidgetClass *w = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = l2d_window_dispose;
    gtk_widget_class_set_template_from_resource(w, "/net/l2tpc/Dialer/window.ui");
    bind_children(w);
    gtk_widget_class_install_action(w, "win.search", NULL, on_search_action);
    gtk_widget_class_install_action(w, "win.toggle", NULL, on_toggle);
    gtk_widget_class_install_action(w, "win.back", NULL, on_back);
    gtk_widget_class_install_action(w, "win.menu", NULL, on_menu);
    gtk_widget_class_install_action(w, "win.copy-text", NULL, on_copy);
    gtk_widget_class_install_action(w, "win.copy-json", NULL, on_copy);
    gtk_widget_class_install_action(w, "win.log", NULL, on_log);
    gtk_widget_class_install_action(w, "win.copy-report", NULL, on_report);
    gtk_widget_class_install_action(w, "win.diagnose", NULL, on_diagnose);
    gtk_widget_class_install_action(w, "win.delete", NULL, on_delete);
    gtk_widget_class_install_action(w, "win.duplicate", NULL, on_duplicate);
    gtk_widget_class_install_action(w, "win.edit", NULL, on_edit);
    gtk_widget_class_install_action(w, "win.add", NULL, on_add);
}

static void l2d_window_init(L2dWindow *self)
{
    GtkDropTarget *drop;

    gtk_widget_init_template(GTK_WIDGET(self));
    l2d_button_mend_name(self->import_button);
    self->page = L2D_PAGE(l2d_page_new());
    gtk_widget_set_vexpand(GTK_WIDGET(self->page), TRUE);
    gtk_box_append(self->content, GTK_WIDGET(self->page));
    gtk_search_bar_connect_entry(self->search_bar, self->search_entry);
    g_object_bind_property(self->leaflet, "folded", self->list_header, "show-end-title-buttons",
                           G_BINDING_SYNC_CREATE);
    drop = gtk_drop_target_new(GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);
    g_signal_connect(drop, "drop", G_CALLBACK(on_drop), self);
    gtk_widget_add_controller(GTK_WIDGET(self), GTK_EVENT_CONTROLLER(drop));
}

static void set_backend(L2dWindow *self, L2dBackend *backend)
{
    self->backend = g_object_ref(backend);
    self->removal = l2d_removal_new(backend, self->toasts);
    self->filter = gtk_custom_filter_new(is_shown, self, NULL);
    self->shown = gtk_filter_list_model_new(g_object_ref(l2d_backend_get_profiles(backend)),
                                            GTK_FILTER(self->filter));
    gtk_list_box_bind_model(self->list, G_LIST_MODEL(self->shown), make_row, NULL, NULL);
    g_signal_connect(self->list, "row-selected", G_CALLBACK(on_row_selected), self);
    g_signal_connect(self->list, "row-activated", G_CALLBACK(on_row_activated), self);
    g_signal_connect_swapped(self->search_entry, "changed", G_CALLBACK(on_search), self);
    g_signal_connect_object(self->shown, "items-changed", G_CALLBACK(on_items_changed), self, 0);
    g_signal_connect_object(self->removal, "changed", G_CALLBACK(on_removal_changed), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(backend, "ready-changed", G_CALLBACK(show_trouble), self,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(backend, "secrets-wanted", G_CALLBACK(on_secrets_wanted), self, 0);
    g_signal_connect_object(self->page, "changed", G_CALLBACK(set_actions), self,
                            G_CONNECT_SWAPPED);
    show_trouble(self);
    on_items_changed(NULL, 0, 0, 0, self);
    set_actions(self);
}

L2dWindow *l2d_window_new(L2dApplication *application)
{
    L2dWindow *self = g_object_new(L2D_TYPE_WINDOW, "application", application, NULL);

    l2d_text_size_fit(GTK_WINDOW(self));
    set_backend(self, l2d_application_get_backend(application));
    return self;
}
