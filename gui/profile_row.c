/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile_row.h"
#include "model/words.h"

struct _L2dProfileRow {
    GtkListBoxRow parent;
    L2dProfile *profile;
    GtkImage *icon;
    GtkLabel *name, *state;
    GtkSwitch *toggle;
    const char *style;
    gboolean updating; /* it is us who move the switch */
};

G_DEFINE_TYPE(L2dProfileRow, l2d_profile_row, GTK_TYPE_LIST_BOX_ROW)

static void set_style(L2dProfileRow *self, const char *style)
{
    if (self->style == style)
        return;
    if (self->style) {
        gtk_widget_remove_css_class(GTK_WIDGET(self->icon), self->style);
        gtk_widget_remove_css_class(GTK_WIDGET(self->state), self->style);
    }
    self->style = style;
    gtk_widget_add_css_class(GTK_WIDGET(self->icon), style);
    gtk_widget_add_css_class(GTK_WIDGET(self->state), style);
}

static void update(L2dProfileRow *self)
{
    L2dState s = l2d_profile_get_state(self->profile);
    const char *name = l2d_profile_get_name(self->profile);
    g_autofree char *label = NULL;
    g_autofree char *description = NULL;

    gtk_label_set_label(self->name, name);
    gtk_label_set_label(self->state, l2d_words_state(s));
    gtk_image_set_from_icon_name(self->icon, l2d_words_state_icon(s));
    set_style(self, l2d_words_state_style(s));
    self->updating = TRUE;
    gtk_switch_set_state(self->toggle, s == L2D_STATE_UP); /* takes what is wanted with it */
    gtk_switch_set_active(self->toggle, l2d_profile_is_wanted(self->profile));
    self->updating = FALSE;
    /* TRANSLATORS: for a screen reader; the name of a connection. */
    label = g_strdup_printf(_("Connect %s"), name);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->toggle), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   label, GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, l2d_words_state(s),
                                   -1);
    description =
        g_strdup_printf("%s, %s", l2d_words_state(s), l2d_profile_get_server(self->profile));
    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL, name,
                                   GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, description, -1);
}

/* The user's wish goes to the service; the switch follows what comes of it. */
static gboolean on_switched(GtkSwitch *toggle, gboolean wanted, L2dProfileRow *self)
{
    (void)toggle;
    if (!self->updating && wanted != l2d_profile_is_wanted(self->profile))
        (void)gtk_widget_activate_action(GTK_WIDGET(self),
                                         wanted ? "app.connect" : "app.disconnect", "s",
                                         l2d_profile_get_uuid(self->profile));
    return TRUE;
}

static void l2d_profile_row_dispose(GObject *object)
{
    L2dProfileRow *self = L2D_PROFILE_ROW(object);

    if (self->profile)
        g_signal_handlers_disconnect_by_data(self->profile, self);
    g_clear_object(&self->profile);
    G_OBJECT_CLASS(l2d_profile_row_parent_class)->dispose(object);
}

static void l2d_profile_row_class_init(L2dProfileRowClass *class)
{
    G_OBJECT_CLASS(class)->dispose = l2d_profile_row_dispose;
}

static GtkWidget *label_new(GtkLabel **out)
{
    GtkWidget *label = gtk_label_new(NULL);

    *out = GTK_LABEL(label);
    gtk_label_set_xalign(*out, 0);
    gtk_label_set_ellipsize(*out, PANGO_ELLIPSIZE_END);
    return label;
}

static void l2d_profile_row_init(L2dProfileRow *self)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    GtkWidget *texts = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
    GtkWidget *icon = gtk_image_new();
    GtkWidget *toggle = gtk_switch_new();

    self->icon = GTK_IMAGE(icon);
    self->toggle = GTK_SWITCH(toggle);
    gtk_image_set_pixel_size(self->icon, 24);
    gtk_widget_add_css_class(box, "profile-row");
    gtk_box_append(GTK_BOX(box), icon);
    gtk_box_append(GTK_BOX(texts), label_new(&self->name));
    gtk_box_append(GTK_BOX(texts), label_new(&self->state));
    gtk_widget_add_css_class(GTK_WIDGET(self->name), "heading");
    gtk_widget_add_css_class(GTK_WIDGET(self->state), "caption");
    gtk_widget_set_hexpand(texts, TRUE);
    gtk_widget_set_valign(texts, GTK_ALIGN_CENTER);
    gtk_box_append(GTK_BOX(box), texts);
    gtk_widget_set_valign(toggle, GTK_ALIGN_CENTER);
    gtk_box_append(GTK_BOX(box), toggle);
    gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(self), box);
}

GtkWidget *l2d_profile_row_new(L2dProfile *profile)
{
    L2dProfileRow *self = g_object_new(L2D_TYPE_PROFILE_ROW, NULL);

    self->profile = g_object_ref(profile);
    update(self);
    g_signal_connect_swapped(profile, "changed", G_CALLBACK(update), self);
    g_signal_connect(self->toggle, "state-set", G_CALLBACK(on_switched), self);
    return GTK_WIDGET(self);
}

L2dProfile *l2d_profile_row_get_profile(L2dProfileRow *self)
{
    return self->profile;
}
