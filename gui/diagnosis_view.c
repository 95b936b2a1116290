/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "diagnosis_view.h"
#include "model/doctor.h"
#include "text_size.h"
#include "value_row.h"

#include <glib/gi18n.h>

static const struct {
    const char *icon, *style;
} looks[] = {
    [L2D_STEP_UNKNOWN] = {"net.l2tpc.Dialer-ahead-symbolic", "dim-label"},
    [L2D_STEP_PASSED] = {"object-select-symbolic", "success"},
    [L2D_STEP_FAILED] = {"net.l2tpc.Dialer-failed-symbolic", "error"},
};

static GtkWidget *label_new(const char *text, const char *style)
{
    GtkWidget *label = gtk_label_new(text);

    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    gtk_label_set_justify(GTK_LABEL(label), GTK_JUSTIFY_CENTER);
    if (style)
        gtk_widget_add_css_class(label, style);
    return label;
}

/* A column: what it is, its name, and its state in a sign and a word. */
static GtkWidget *step_new(const L2dStep *s)
{
    GtkWidget *box = g_object_new(GTK_TYPE_BOX, "orientation", GTK_ORIENTATION_VERTICAL, "spacing",
                                  6, "accessible-role", GTK_ACCESSIBLE_ROLE_GROUP, NULL);
    GtkWidget *mark = gtk_image_new_from_icon_name(looks[s->state].icon);
    GtkWidget *word = label_new(l2d_diagnosis_word(s->state), "caption");
    g_autofree char *description =
        g_strdup_printf("%s. %s", l2d_diagnosis_word(s->state), s->evidence);

    gtk_widget_add_css_class(box, "step");
    if (s->icon) {
        GtkWidget *icon = gtk_image_new_from_icon_name(s->icon);

        gtk_image_set_pixel_size(GTK_IMAGE(icon), 40);
        gtk_widget_add_css_class(icon, looks[s->state].style);
        gtk_box_append(GTK_BOX(box), icon);
    }
    gtk_widget_add_css_class(mark, looks[s->state].style);
    gtk_widget_add_css_class(word, looks[s->state].style);
    gtk_box_append(GTK_BOX(box), label_new(s->title, "heading"));
    gtk_box_append(GTK_BOX(box), mark);
    gtk_box_append(GTK_BOX(box), word);
    gtk_accessible_update_property(GTK_ACCESSIBLE(box), GTK_ACCESSIBLE_PROPERTY_LABEL, s->title,
                                   GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, description, -1);
    return box;
}

static GtkWidget *chain_new(const GPtrArray *steps, const char *name)
{
    GtkWidget *box = g_object_new(GTK_TYPE_BOX, "homogeneous", TRUE, "spacing", 6,
                                  "accessible-role", GTK_ACCESSIBLE_ROLE_GROUP, NULL);

    gtk_widget_add_css_class(box, "card");
    gtk_widget_add_css_class(box, "chain");
    for (guint i = 0; i < steps->len; i++)
        gtk_box_append(GTK_BOX(box), step_new(g_ptr_array_index(steps, i)));
    gtk_accessible_update_property(GTK_ACCESSIBLE(box), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
    return box;
}

static void add_row(GtkListBox *list, const char *title, const char *value)
{
    GtkWidget *row = l2d_value_row_new(title);

    l2d_value_row_set_value(L2D_VALUE_ROW(row), value);
    gtk_list_box_append(list, row);
}

static void add_steps(GtkListBox *list, const GPtrArray *steps)
{
    for (guint i = 0; i < steps->len; i++) {
        const L2dStep *s = g_ptr_array_index(steps, i);

        add_row(list, s->title, s->evidence);
    }
}

static GtkWidget *list_new(GtkWidget *page, const char *title)
{
    GtkWidget *list = gtk_list_box_new();
    GtkWidget *heading = gtk_label_new(title);

    gtk_label_set_xalign(GTK_LABEL(heading), 0);
    gtk_widget_add_css_class(heading, "heading");
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(list), GTK_SELECTION_NONE);
    gtk_widget_add_css_class(list, "boxed-list");
    gtk_accessible_update_property(GTK_ACCESSIBLE(list), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
    gtk_box_append(GTK_BOX(page), heading);
    gtk_box_append(GTK_BOX(page), list);
    return list;
}

static void add_verdict(GtkWidget *page, const L2dDiagnosis *d)
{
    GtkWidget *sentence =
        label_new(*d->sentence ? d->sentence : _("Nothing has failed so far."), "title-3");

    gtk_box_append(GTK_BOX(page), sentence);
    if (*d->hint)
        gtk_box_append(GTK_BOX(page), label_new(d->hint, NULL));
}

static GtkWidget *page_new(const L2dDiagnosis *d)
{
    GtkWidget *page = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    g_autofree char *text = l2d_diagnosis_to_text(d);
    GtkWidget *list;

    gtk_widget_set_margin_start(page, 18);
    gtk_widget_set_margin_end(page, 18);
    gtk_widget_set_margin_top(page, 18);
    gtk_widget_set_margin_bottom(page, 18);
    add_verdict(page, d);
    gtk_box_append(GTK_BOX(page), chain_new(d->places, _("The way to the server")));
    gtk_box_append(GTK_BOX(page), chain_new(d->layers, _("What is built on it")));
    list = list_new(page, _("What tells so"));
    add_steps(GTK_LIST_BOX(list), d->places);
    add_steps(GTK_LIST_BOX(list), d->layers);
    if (d->facts->len)
        list = list_new(page, _("Facts for an administrator"));
    for (guint i = 0; i < d->facts->len; i++) {
        const L2dFact *f = g_ptr_array_index(d->facts, i);

        add_row(GTK_LIST_BOX(list), f->title, f->value);
    }
    gtk_accessible_update_property(GTK_ACCESSIBLE(page), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, text,
                                   -1);
    return page;
}

static void on_examined(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(L2dWindow) parent = user;
    g_autoptr(GError) error = NULL;
    g_autoptr(L2dDiagnosis) d = l2d_doctor_examine_finish(L2D_DOCTOR(source), result, &error);
    GtkWidget *window;
    GtkWidget *box;
    GtkWidget *scroll;

    if (!d) {
        l2d_window_say(parent, error->message);
        return;
    }
    window = g_object_new(ADW_TYPE_WINDOW, "transient-for", parent, "modal", TRUE,
                          "destroy-with-parent", TRUE, "title", _("Find Out Why"), "default-width",
                          640, "default-height", 640, NULL);
    l2d_text_size_fit(GTK_WINDOW(window));
    box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 0);
    scroll = gtk_scrolled_window_new();
    gtk_widget_set_vexpand(scroll, TRUE);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroll), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_accessible_update_property(GTK_ACCESSIBLE(scroll), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Find Out Why"), -1);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scroll), page_new(d));
    gtk_box_append(GTK_BOX(box), adw_header_bar_new());
    gtk_box_append(GTK_BOX(box), scroll);
    adw_window_set_content(ADW_WINDOW(window), box);
    l2d_window_close_by_escape(window);
    gtk_window_present(GTK_WINDOW(window));
}

void l2d_diagnosis_view_present(L2dWindow *parent, L2dProfile *profile)
{
    g_autoptr(L2dDoctor) doctor = l2d_record_doctor_new();

    l2d_doctor_examine(doctor, profile, NULL, on_examined, g_object_ref(parent));
}
