/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proof.h"
#include "bidi.h"
#include "model/words.h"

struct item {
    GtkWidget *row;
    GtkImage *mark;
    GtkLabel *sentence, *value;
};

struct _L2dProof {
    AdwBin parent;
    GtkWidget *card, *list;
    GtkImage *mark;
    GtkLabel *verdict, *reason;
    GArray *items;
};

G_DEFINE_TYPE(L2dProof, l2d_proof, ADW_TYPE_BIN)

static const char *mark_icon(gboolean ok)
{
    return ok ? "net.l2tpc.Dialer-proven-symbolic" : "net.l2tpc.Dialer-failed-symbolic";
}

static void set_class(GtkWidget *widget, gboolean ok)
{
    gtk_widget_remove_css_class(widget, ok ? "error" : "success");
    gtk_widget_add_css_class(widget, ok ? "success" : "error");
}

/* Who saw it: the kernel of this computer, the server, or our own engine. */
static const char *observer_word(const char *observer)
{
    if (g_str_equal(observer, "kernel"))
        return _("seen by the kernel");
    if (g_str_equal(observer, "peer"))
        return _("shown by the server");
    return _("counted by l2tpc");
}

static void show_item(struct item *item, const L2dEvidence *e)
{
    g_autofree char *words = l2d_words_evidence(e->value);
    g_autofree char *isolated = l2d_bidi_isolate(words);
    g_autofree char *value = *e->value
                                 ? g_strdup_printf("%s · %s", observer_word(e->observer), isolated)
                                 : g_strdup(observer_word(e->observer));
    g_autofree char *description =
        g_strdup_printf("%s, %s", e->ok ? _("true") : _("not true"), value);

    gtk_image_set_from_icon_name(item->mark, e->ok ? "object-select-symbolic" : mark_icon(FALSE));
    set_class(GTK_WIDGET(item->mark), e->ok);
    gtk_label_set_label(item->sentence, _(e->sentence));
    gtk_label_set_label(item->value, value);
    gtk_accessible_update_property(GTK_ACCESSIBLE(item->row), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _(e->sentence), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, description,
                                   -1);
}

static GtkLabel *label_new(GtkWidget *box, const char *style)
{
    GtkWidget *label = gtk_label_new(NULL);

    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    if (style)
        gtk_widget_add_css_class(label, style);
    gtk_box_append(GTK_BOX(box), label);
    return GTK_LABEL(label);
}

static void add_item(L2dProof *self)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    GtkWidget *texts = gtk_box_new(GTK_ORIENTATION_VERTICAL, 2);
    struct item item = {.row = gtk_list_box_row_new(), .mark = GTK_IMAGE(gtk_image_new())};

    gtk_widget_add_css_class(box, "value-row");
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(item.mark));
    item.sentence = label_new(texts, NULL);
    item.value = label_new(texts, "caption");
    gtk_widget_add_css_class(GTK_WIDGET(item.value), "dim-label");
    gtk_widget_add_css_class(GTK_WIDGET(item.value), "numeric");
    gtk_label_set_selectable(item.value, TRUE);
    gtk_widget_set_hexpand(texts, TRUE);
    gtk_box_append(GTK_BOX(box), texts);
    gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(item.row), box);
    gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(item.row), FALSE);
    gtk_widget_set_focusable(item.row, FALSE);
    gtk_list_box_append(GTK_LIST_BOX(self->list), item.row);
    g_array_append_val(self->items, item);
}

/* Why it is not proven: the first of the evidence that is missing. */
static const char *missing(GPtrArray *evidence)
{
    for (guint i = 0; i < evidence->len; i++) {
        const L2dEvidence *e = g_ptr_array_index(evidence, i);

        if (!e->ok)
            return e->sentence;
    }
    return N_("There is no evidence yet");
}

/* What was proven of a tunnel says nothing of the one that takes its place. */
static gboolean is_interrupted(const L2dSnapshot *snapshot)
{
    return l2d_snapshot_get_state(snapshot) == L2D_STATE_RECONNECTING;
}

static const char *verdict_of(const L2dSnapshot *snapshot, gboolean proven)
{
    if (is_interrupted(snapshot))
        return _("The tunnel was interrupted.");
    return proven ? _("This is L2TP inside IPsec")
                  : _("This is not proven to be L2TP inside IPsec");
}

static void show_verdict(L2dProof *self, L2dSnapshot *snapshot)
{
    gboolean proven = l2d_snapshot_is_proven(snapshot) && !is_interrupted(snapshot);
    GPtrArray *evidence = l2d_snapshot_get_evidence(snapshot);
    g_autofree char *reason = NULL;

    if (is_interrupted(snapshot))
        reason = g_strdup(_("It is being made again by itself."));
    else if (proven)
        reason = g_strdup(_("Three observers agree: the kernel of this computer, the server, and "
                            "l2tpc itself."));
    else
        /* TRANSLATORS: %s is a piece of evidence, such as "The kernel saw our protected packets
         * leave with our SPI". */
        reason = g_strdup_printf(_("This is missing: %s."), _(missing(evidence)));
    gtk_image_set_from_icon_name(self->mark, mark_icon(proven));
    set_class(GTK_WIDGET(self->mark), proven);
    set_class(self->card, proven);
    gtk_label_set_label(self->verdict, verdict_of(snapshot, proven));
    gtk_label_set_label(self->reason, reason);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   gtk_label_get_label(self->verdict),
                                   GTK_ACCESSIBLE_PROPERTY_DESCRIPTION, reason, -1);
}

void l2d_proof_show(L2dProof *self, L2dSnapshot *snapshot)
{
    GPtrArray *evidence = l2d_snapshot_get_evidence(snapshot);

    show_verdict(self, snapshot);
    while (self->items->len < evidence->len)
        add_item(self);
    for (guint i = 0; i < self->items->len; i++) {
        struct item *item = &g_array_index(self->items, struct item, i);

        gtk_widget_set_visible(item->row, i < evidence->len);
        if (i < evidence->len)
            show_item(item, g_ptr_array_index(evidence, i));
    }
    /* Where the card above says what happened, this one would only say it again. */
    gtk_widget_set_visible(GTK_WIDGET(self),
                           !is_interrupted(snapshot) || !l2d_snapshot_get_failure(snapshot));
    gtk_widget_set_visible(self->list, evidence->len > 0 && !is_interrupted(snapshot));
}

static void l2d_proof_finalize(GObject *object)
{
    g_array_unref(L2D_PROOF(object)->items);
    G_OBJECT_CLASS(l2d_proof_parent_class)->finalize(object);
}

static void l2d_proof_class_init(L2dProofClass *class)
{
    G_OBJECT_CLASS(class)->finalize = l2d_proof_finalize;
}

static void l2d_proof_init(L2dProof *self)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    GtkWidget *texts = gtk_box_new(GTK_ORIENTATION_VERTICAL, 4);

    self->items = g_array_new(FALSE, TRUE, sizeof(struct item));
    self->card = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 18);
    gtk_widget_add_css_class(self->card, "card");
    gtk_widget_add_css_class(self->card, "verdict");
    self->mark = GTK_IMAGE(gtk_image_new());
    gtk_image_set_pixel_size(self->mark, 48);
    gtk_box_append(GTK_BOX(self->card), GTK_WIDGET(self->mark));
    self->verdict = label_new(texts, "title-3");
    self->reason = label_new(texts, NULL);
    gtk_label_set_selectable(self->verdict, TRUE);
    gtk_widget_set_hexpand(texts, TRUE);
    gtk_widget_set_valign(texts, GTK_ALIGN_CENTER);
    gtk_box_append(GTK_BOX(self->card), texts);
    gtk_box_append(GTK_BOX(box), self->card);
    self->list = gtk_list_box_new();
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(self->list), GTK_SELECTION_NONE);
    gtk_widget_add_css_class(self->list, "boxed-list");
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->list), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Evidence"), -1);
    gtk_box_append(GTK_BOX(box), self->list);
    adw_bin_set_child(ADW_BIN(self), box);
}

GtkWidget *l2d_proof_new(void)
{
    return g_object_new(L2D_TYPE_PROOF, NULL);
}
