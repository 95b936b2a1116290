/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "failure_card.h"
#include "bidi.h"
#include "button.h"
#include "model/words.h"

struct _L2dFailureCard {
    AdwBin parent;
    GtkLabel *sentence, *hint, *codes;
};

G_DEFINE_TYPE(L2dFailureCard, l2d_failure_card, ADW_TYPE_BIN)

static void l2d_failure_card_class_init(L2dFailureCardClass *class)
{
    (void)class;
}

static GtkLabel *label_new(GtkWidget *box, const char *style)
{
    GtkWidget *label = gtk_label_new(NULL);

    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_selectable(GTK_LABEL(label), TRUE);
    if (style)
        gtk_widget_add_css_class(label, style);
    gtk_box_append(GTK_BOX(box), label);
    return GTK_LABEL(label);
}

static void add_way_out(GtkWidget *box)
{
    GtkWidget *button = gtk_button_new();

    l2d_button_set_label(GTK_BUTTON(button), _("_Find Out Why"));
    gtk_actionable_set_action_name(GTK_ACTIONABLE(button), "win.diagnose");
    gtk_widget_set_halign(button, GTK_ALIGN_START);
    gtk_widget_set_margin_top(button, 6);
    gtk_box_append(GTK_BOX(box), button);
}

static void l2d_failure_card_init(L2dFailureCard *self)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 6);

    gtk_widget_add_css_class(box, "card");
    gtk_widget_add_css_class(box, "failure-card");
    self->sentence = label_new(box, "heading");
    self->hint = label_new(box, NULL);
    self->codes = label_new(box, "caption");
    gtk_widget_add_css_class(GTK_WIDGET(self->codes), "dim-label");
    add_way_out(box);
    adw_bin_set_child(ADW_BIN(self), box);
}

GtkWidget *l2d_failure_card_new(void)
{
    return g_object_new(L2D_TYPE_FAILURE_CARD, NULL);
}

void l2d_failure_card_show(L2dFailureCard *self, const L2dFailure *f)
{
    g_autofree char *code = l2d_bidi_isolate(f->code);
    GString *codes = g_string_new(code);

    if (f->peer_code >= 0)
        /* TRANSLATORS: a number that the server gave as the reason. */
        g_string_append_printf(codes, _(" · the server's number: %lld"), (long long)f->peer_code);
    if (f->windows_code >= 0)
        g_string_append_printf(codes, _(" · known to Windows as error %lld"),
                               (long long)f->windows_code);
    gtk_label_set_label(self->sentence, f->sentence);
    gtk_label_set_label(self->hint, f->hint);
    gtk_widget_set_visible(GTK_WIDGET(self->hint), *f->hint != '\0');
    gtk_label_set_label(self->codes, codes->str);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Why it failed"), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                   f->sentence, -1);
    g_string_free(codes, TRUE);
}
