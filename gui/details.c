/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "details.h"
#include "chart.h"
#include "model/words.h"
#include "proof.h"
#include "value_row.h"
#include "waterfall.h"

#include <l2tpc.h>

struct group {
    const char *name;
    GtkWidget *box;
};

struct row {
    L2dValueRow *row;
    char *path;
    guint group;
};

struct _L2dDetails {
    AdwBin parent;
    L2dProof *proof;
    L2dChart *chart;
    L2dWaterfall *waterfall;
    GtkWidget *waterfall_box;
    GArray *groups, *rows;
};

G_DEFINE_TYPE(L2dDetails, l2d_details, ADW_TYPE_BIN)

void l2d_details_show(L2dDetails *self, L2dTunnel *tunnel, L2dSnapshot *snapshot)
{
    g_autofree gboolean *filled = g_new0(gboolean, self->groups->len);

    l2d_proof_show(self->proof, snapshot);
    l2d_chart_show(self->chart, tunnel);
    l2d_waterfall_show(self->waterfall, snapshot);
    for (guint i = 0; i < self->rows->len; i++) {
        struct row *r = &g_array_index(self->rows, struct row, i);
        g_autofree char *text = l2d_words_value(snapshot, r->path);

        l2d_value_row_set_value(r->row, text);
        filled[r->group] = filled[r->group] || *text;
    }
    for (guint i = 0; i < self->groups->len; i++)
        gtk_widget_set_visible(g_array_index(self->groups, struct group, i).box, filled[i]);
}

static GtkWidget *section_new(const char *title, GtkWidget *child)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 12);
    GtkWidget *label = gtk_label_new(title);

    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_widget_add_css_class(label, "heading");
    gtk_box_append(GTK_BOX(box), label);
    gtk_box_append(GTK_BOX(box), child);
    return box;
}

static GtkListBox *add_group(L2dDetails *self, GtkBox *parent, const l2tpc_status_field *f)
{
    GtkWidget *list = gtk_list_box_new();
    const char *title = _(f->group_title);
    struct group g = {.name = f->group, .box = section_new(title, list)};

    gtk_list_box_set_selection_mode(GTK_LIST_BOX(list), GTK_SELECTION_NONE);
    gtk_widget_add_css_class(list, "boxed-list");
    gtk_accessible_update_property(GTK_ACCESSIBLE(list), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
    gtk_box_append(parent, g.box);
    g_array_append_val(self->groups, g);
    return GTK_LIST_BOX(list);
}

static void add_rows(L2dDetails *self, GtkBox *parent)
{
    l2tpc_status_field f = {.size = sizeof(f)};
    GtkListBox *list = NULL;
    const char *group = "";

    for (unsigned i = 0; l2tpc_status_field_at(i, &f) == L2TPC_OK; i++) {
        GtkWidget *widget = l2d_value_row_new(_(f.title));
        struct row r = {.row = L2D_VALUE_ROW(widget), .path = g_strdup(f.path)};

        if (!list || g_strcmp0(group, f.group) != 0)
            list = add_group(self, parent, &f);
        group = f.group;
        r.group = self->groups->len - 1;
        gtk_list_box_append(list, widget);
        g_array_append_val(self->rows, r);
    }
}

static void row_clear(gpointer data)
{
    g_free(((struct row *)data)->path);
}

static void l2d_details_finalize(GObject *object)
{
    L2dDetails *self = L2D_DETAILS(object);

    g_array_unref(self->groups);
    g_array_unref(self->rows);
    G_OBJECT_CLASS(l2d_details_parent_class)->finalize(object);
}

static void l2d_details_class_init(L2dDetailsClass *class)
{
    G_OBJECT_CLASS(class)->finalize = l2d_details_finalize;
}

static void l2d_details_init(L2dDetails *self)
{
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 24);

    self->groups = g_array_new(FALSE, TRUE, sizeof(struct group));
    self->rows = g_array_new(FALSE, TRUE, sizeof(struct row));
    g_array_set_clear_func(self->rows, row_clear);
    self->proof = L2D_PROOF(l2d_proof_new());
    self->chart = L2D_CHART(l2d_chart_new());
    self->waterfall = L2D_WATERFALL(l2d_waterfall_new());
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(self->proof));
    gtk_box_append(GTK_BOX(box), section_new(_("Throughput"), GTK_WIDGET(self->chart)));
    add_rows(self, GTK_BOX(box));
    self->waterfall_box = section_new(_("How long each stage took"), GTK_WIDGET(self->waterfall));
    gtk_box_append(GTK_BOX(box), self->waterfall_box);
    adw_bin_set_child(ADW_BIN(self), box);
}

GtkWidget *l2d_details_new(void)
{
    return g_object_new(L2D_TYPE_DETAILS, NULL);
}
