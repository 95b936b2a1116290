/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "log_view.h"
#include "model/log_line.h"
#include "text_size.h"

#include <glib/gi18n.h>
#include <string.h>

#define L2D_TYPE_LOG_VIEW (l2d_log_view_get_type())
G_DECLARE_FINAL_TYPE(L2dLogView, l2d_log_view, L2D, LOG_VIEW, AdwWindow)

struct _L2dLogView {
    AdwWindow parent;
    L2dProfile *profile;
    L2dTunnel *tunnel; /* whose log is shown */
    GtkFilterListModel *shown;
    GtkCustomFilter *filter;
    GtkDropDown *level;
    GtkEditable *search;
    GtkWidget *nothing;
    AdwToastOverlay *toasts;
    guint timer;
};

G_DEFINE_TYPE(L2dLogView, l2d_log_view, ADW_TYPE_WINDOW)

/* ---- what is shown ---- */

static gboolean is_shown(gpointer item, gpointer user)
{
    L2dLogView *self = user;
    L2dLogLine *line = item;
    g_autofree char *wanted = g_utf8_casefold(gtk_editable_get_text(self->search), -1);
    g_autofree char *whole = l2d_log_line_to_text(line);
    g_autofree char *folded = g_utf8_casefold(whole, -1);

    return l2d_log_line_get_level(line) <= gtk_drop_down_get_selected(self->level) &&
           strstr(folded, wanted);
}

static void show_nothing(L2dLogView *self)
{
    gboolean some = g_list_model_get_n_items(G_LIST_MODEL(self->shown)) > 0;

    gtk_widget_set_visible(self->nothing, !some);
}

static void on_filter(L2dLogView *self)
{
    gtk_filter_changed(GTK_FILTER(self->filter), GTK_FILTER_CHANGE_DIFFERENT);
    show_nothing(self);
}

/* Each dial is a tunnel of its own. */
static void on_profile_changed(L2dLogView *self)
{
    L2dTunnel *t = l2d_profile_get_tunnel(self->profile);

    if (t == self->tunnel)
        return;
    g_set_object(&self->tunnel, t);
    gtk_filter_list_model_set_model(self->shown, t ? l2d_tunnel_get_log(t) : NULL);
    if (t)
        l2d_tunnel_ask_log(t);
}

static gboolean on_second(gpointer user)
{
    L2dLogView *self = user;

    if (self->tunnel)
        l2d_tunnel_ask_log(self->tunnel);
    return G_SOURCE_CONTINUE;
}

/* ---- out of it ---- */

static char *text_of(L2dLogView *self)
{
    GListModel *lines = G_LIST_MODEL(self->shown);
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < g_list_model_get_n_items(lines); i++) {
        g_autoptr(L2dLogLine) line = g_list_model_get_item(lines, i);
        g_autofree char *text = l2d_log_line_to_text(line);

        g_string_append_printf(out, "%s\n", text);
    }
    return g_string_free(out, FALSE);
}

static void on_copy(L2dLogView *self)
{
    g_autofree char *text = text_of(self);

    gdk_clipboard_set_text(gtk_widget_get_clipboard(GTK_WIDGET(self)), text);
    adw_toast_overlay_add_toast(self->toasts, adw_toast_new(_("The lines were copied.")));
}

static void on_written(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(L2dLogView) self = user;
    g_autoptr(GError) error = NULL;
    gboolean ok = g_file_replace_contents_finish(G_FILE(source), result, NULL, &error);

    adw_toast_overlay_add_toast(self->toasts,
                                adw_toast_new(ok ? _("The lines were saved.") : error->message));
}

static void on_chosen(GtkNativeDialog *dialog, int response, L2dLogView *self)
{
    if (response == GTK_RESPONSE_ACCEPT) {
        g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
        char *text = text_of(self);
        g_autoptr(GBytes) bytes = g_bytes_new_take(text, strlen(text));

        g_file_replace_contents_bytes_async(file, bytes, NULL, FALSE, G_FILE_CREATE_PRIVATE, NULL,
                                            on_written, g_object_ref(self));
    }
    gtk_native_dialog_destroy(dialog);
    g_object_unref(dialog);
}

static void on_save(L2dLogView *self)
{
    GtkFileChooserNative *dialog =
        gtk_file_chooser_native_new(_("Save the Log"), GTK_WINDOW(self),
                                    GTK_FILE_CHOOSER_ACTION_SAVE, _("_Save"), _("_Cancel"));

    gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(dialog), "l2tpc.log");
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
    g_signal_connect_object(dialog, "response", G_CALLBACK(on_chosen), self, 0);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

/* ---- the dialog ---- */

static void l2d_log_view_dispose(GObject *object)
{
    L2dLogView *self = L2D_LOG_VIEW(object);

    g_clear_handle_id(&self->timer, g_source_remove);
    g_clear_object(&self->tunnel);
    g_clear_object(&self->profile);
    g_clear_object(&self->shown);
    G_OBJECT_CLASS(l2d_log_view_parent_class)->dispose(object);
}

static void l2d_log_view_class_init(L2dLogViewClass *class)
{
    G_OBJECT_CLASS(class)->dispose = l2d_log_view_dispose;
}

static GtkWidget *button_new(L2dLogView *self, const char *icon, const char *name,
                             GCallback clicked)
{
    GtkWidget *button = gtk_button_new_from_icon_name(icon);

    gtk_widget_set_tooltip_text(button, name);
    gtk_accessible_update_property(GTK_ACCESSIBLE(button), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
    g_signal_connect_swapped(button, "clicked", clicked, self);
    return button;
}

static GtkWidget *header_new(L2dLogView *self)
{
    GtkWidget *header = adw_header_bar_new();
    const char *levels[] = {_("Errors alone"), _("Warnings, too"), _("Steps, too"), _("Everything"),
                            NULL};

    self->level = GTK_DROP_DOWN(gtk_drop_down_new_from_strings(levels));
    gtk_drop_down_set_selected(self->level, L2D_LOG_LEVELS - 1);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->level), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("How much is shown"), -1);
    adw_header_bar_pack_start(ADW_HEADER_BAR(header), GTK_WIDGET(self->level));
    adw_header_bar_pack_end(
        ADW_HEADER_BAR(header),
        button_new(self, "document-save-symbolic", _("Save the log"), G_CALLBACK(on_save)));
    adw_header_bar_pack_end(
        ADW_HEADER_BAR(header),
        button_new(self, "edit-copy-symbolic", _("Copy the log"), G_CALLBACK(on_copy)));
    return header;
}

static void on_setup(GtkListItemFactory *factory, GtkListItem *item)
{
    GtkWidget *label = gtk_label_new(NULL);

    (void)factory;
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    gtk_widget_set_margin_start(label, 10);
    gtk_widget_set_margin_end(label, 10);
    gtk_list_item_set_child(item, label);
}

static void on_bind(GtkListItemFactory *factory, GtkListItem *item)
{
    L2dLogLine *line = gtk_list_item_get_item(item);
    GtkWidget *label = gtk_list_item_get_child(item);
    g_autofree char *text = l2d_log_line_to_text(line);
    guint level = l2d_log_line_get_level(line);
    const char *classes[] = {"numeric", level == 0 ? "error" : level == 1 ? "warning" : NULL, NULL};

    (void)factory;
    gtk_label_set_label(GTK_LABEL(label), text);
    gtk_widget_set_css_classes(label, classes);
}

static GtkWidget *list_new(L2dLogView *self)
{
    GtkListItemFactory *factory = gtk_signal_list_item_factory_new();
    GtkWidget *scroll = gtk_scrolled_window_new();
    GtkWidget *list;

    g_signal_connect(factory, "setup", G_CALLBACK(on_setup), NULL);
    g_signal_connect(factory, "bind", G_CALLBACK(on_bind), NULL);
    self->filter = gtk_custom_filter_new(is_shown, self, NULL);
    self->shown = gtk_filter_list_model_new(NULL, GTK_FILTER(self->filter));
    list = gtk_list_view_new(
        GTK_SELECTION_MODEL(gtk_no_selection_new(g_object_ref(G_LIST_MODEL(self->shown)))),
        factory);
    gtk_accessible_update_property(GTK_ACCESSIBLE(list), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Log of the connection"), -1);
    gtk_accessible_update_property(GTK_ACCESSIBLE(scroll), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Log of the connection"), -1);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroll), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroll), list);
    gtk_widget_set_vexpand(scroll, TRUE);
    return scroll;
}

static GtkWidget *nothing_new(void)
{
    GtkWidget *label = gtk_label_new(_("There is nothing to show. A log begins with a dial, and is "
                                       "shown to the one who dialed and to administrators."));

    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_justify(GTK_LABEL(label), GTK_JUSTIFY_CENTER);
    gtk_widget_add_css_class(label, "dim-label");
    gtk_widget_set_margin_start(label, 24);
    gtk_widget_set_margin_end(label, 24);
    gtk_widget_set_valign(label, GTK_ALIGN_CENTER);
    return label;
}

static void l2d_log_view_init(L2dLogView *self)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    GtkWidget *search = gtk_search_entry_new();
    GtkWidget *middle = gtk_overlay_new();

    self->search = GTK_EDITABLE(search);
    gtk_accessible_update_property(GTK_ACCESSIBLE(search), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Search the log"), -1);
    gtk_widget_set_margin_start(search, 12);
    gtk_widget_set_margin_end(search, 12);
    gtk_widget_set_margin_top(search, 6);
    gtk_widget_set_margin_bottom(search, 6);
    gtk_box_append(GTK_BOX(box), header_new(self));
    gtk_box_append(GTK_BOX(box), search);
    gtk_overlay_set_child(GTK_OVERLAY(middle), list_new(self));
    self->nothing = nothing_new();
    gtk_overlay_add_overlay(GTK_OVERLAY(middle), self->nothing);
    gtk_box_append(GTK_BOX(box), middle);
    self->toasts = ADW_TOAST_OVERLAY(adw_toast_overlay_new());
    adw_toast_overlay_set_child(self->toasts, box);
    adw_window_set_content(ADW_WINDOW(self), GTK_WIDGET(self->toasts));
    g_signal_connect_swapped(search, "stop-search", G_CALLBACK(gtk_window_close), self);
    g_signal_connect_swapped(search, "changed", G_CALLBACK(on_filter), self);
    g_signal_connect_swapped(self->level, "notify::selected", G_CALLBACK(on_filter), self);
    g_signal_connect_object(self->shown, "items-changed", G_CALLBACK(show_nothing), self,
                            G_CONNECT_SWAPPED);
    l2d_window_close_by_escape(GTK_WIDGET(self));
    self->timer = g_timeout_add_seconds(1, on_second, self);
}

void l2d_log_view_present(L2dWindow *parent, L2dProfile *profile)
{
    L2dLogView *self = g_object_new(L2D_TYPE_LOG_VIEW, "transient-for", parent, "modal", TRUE,
                                    "destroy-with-parent", TRUE, "title", _("Log"), "default-width",
                                    720, "default-height", 520, NULL);

    l2d_text_size_fit(GTK_WINDOW(self));
    self->profile = g_object_ref(profile);
    g_signal_connect_object(profile, "changed", G_CALLBACK(on_profile_changed), self,
                            G_CONNECT_SWAPPED);
    on_profile_changed(self);
    show_nothing(self);
    gtk_window_present(GTK_WINDOW(self));
}
