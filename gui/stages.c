/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stages.h"
#include "model/words.h"

#include <l2tpc.h>

enum look {
    LOOK_AHEAD,
    LOOK_RUNNING,
    LOOK_DONE,
    LOOK_FAILED
};

struct row {
    const char *name; /* of the stage */
    GtkWidget *row, *title;
    GtkStack *marks;
    GtkLabel *time;
    int look; /* enum look; -1 before the first */
};

struct _L2dStages {
    AdwBin parent;
    GArray *rows;
};

G_DEFINE_TYPE(L2dStages, l2d_stages, ADW_TYPE_BIN)

static const char *const looks[] = {"ahead", "running", "done", "failed"};

static const char *look_word(enum look look)
{
    switch (look) {
    case LOOK_RUNNING:
        return _("under way");
    case LOOK_DONE:
        return _("done");
    case LOOK_FAILED:
        return _("failed");
    case LOOK_AHEAD:
    default:
        return _("still to come");
    }
}

static void set_look(struct row *r, enum look look, const char *time)
{
    g_autofree char *description = NULL;

    if (r->look == (int)look && g_strcmp0(gtk_label_get_label(r->time), time) == 0)
        return;
    if (r->look >= 0)
        gtk_widget_remove_css_class(r->row, looks[r->look]);
    r->look = (int)look;
    gtk_widget_add_css_class(r->row, looks[look]);
    gtk_stack_set_visible_child_name(r->marks, looks[look]);
    gtk_label_set_label(r->time, time);
    if (look == LOOK_AHEAD)
        gtk_widget_add_css_class(r->title, "dim-label");
    else
        gtk_widget_remove_css_class(r->title, "dim-label");
    description = g_strjoin(", ", look_word(look), *time ? time : NULL, NULL);
    gtk_accessible_update_property(GTK_ACCESSIBLE(r->row), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                   description, -1);
}

void l2d_stages_show(L2dStages *self, L2dSnapshot *snapshot)
{
    GPtrArray *begun = l2d_snapshot_get_stages(snapshot);
    const L2dFailure *failure = l2d_snapshot_get_failure(snapshot);
    const L2dStage *last = begun->len ? g_ptr_array_index(begun, begun->len - 1) : NULL;

    for (guint i = 0; i < self->rows->len; i++) {
        struct row *r = &g_array_index(self->rows, struct row, i);
        g_autofree char *time = NULL;
        enum look look = LOOK_AHEAD;

        for (guint k = 0; k < begun->len; k++) {
            const L2dStage *s = g_ptr_array_index(begun, k);

            if (!g_str_equal(s->name, r->name))
                continue;
            time = l2d_words_time(s->ms);
            look = s == last && l2d_snapshot_get_state(snapshot) == L2D_STATE_DIALING ? LOOK_RUNNING
                                                                                      : LOOK_DONE;
        }
        if (failure && g_str_equal(failure->stage, r->name))
            look = LOOK_FAILED;
        set_look(r, look, time ? time : "");
    }
}

static void add_mark(GtkStack *marks, enum look look)
{
    static const char *const icons[] = {"net.l2tpc.Dialer-ahead-symbolic", NULL,
                                        "object-select-symbolic",
                                        "net.l2tpc.Dialer-failed-symbolic"};
    GtkWidget *mark = icons[look] ? gtk_image_new_from_icon_name(icons[look]) : gtk_spinner_new();

    if (look == LOOK_RUNNING)
        gtk_spinner_start(GTK_SPINNER(mark));
    if (look == LOOK_AHEAD)
        gtk_widget_add_css_class(mark, "dim-label");
    if (look == LOOK_DONE)
        gtk_widget_add_css_class(mark, "success");
    if (look == LOOK_FAILED)
        gtk_widget_add_css_class(mark, "error");
    gtk_stack_add_named(marks, mark, looks[look]);
}

static void add_row(L2dStages *self, GtkListBox *list, const char *stage)
{
    struct row r = {.name = stage, .look = -1};
    GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 12);
    const char *title = _(l2tpc_stage_title(stage));

    r.row = gtk_list_box_row_new();
    r.title = gtk_label_new(title);
    r.marks = GTK_STACK(gtk_stack_new());
    r.time = GTK_LABEL(gtk_label_new(NULL));
    for (enum look look = LOOK_AHEAD; look <= LOOK_FAILED; look++)
        add_mark(r.marks, look);
    gtk_widget_add_css_class(box, "value-row");
    gtk_widget_add_css_class(GTK_WIDGET(r.time), "dim-label");
    gtk_widget_add_css_class(GTK_WIDGET(r.time), "numeric");
    gtk_label_set_xalign(GTK_LABEL(r.title), 0);
    gtk_label_set_wrap(GTK_LABEL(r.title), TRUE);
    gtk_widget_set_hexpand(r.title, TRUE);
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(r.marks));
    gtk_box_append(GTK_BOX(box), r.title);
    gtk_box_append(GTK_BOX(box), GTK_WIDGET(r.time));
    gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(r.row), box);
    gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(r.row), FALSE);
    gtk_accessible_update_property(GTK_ACCESSIBLE(r.row), GTK_ACCESSIBLE_PROPERTY_LABEL, title, -1);
    gtk_list_box_append(list, r.row);
    set_look(&r, LOOK_AHEAD, "");
    g_array_append_val(self->rows, r);
}

static void l2d_stages_finalize(GObject *object)
{
    g_array_unref(L2D_STAGES(object)->rows);
    G_OBJECT_CLASS(l2d_stages_parent_class)->finalize(object);
}

static void l2d_stages_class_init(L2dStagesClass *class)
{
    G_OBJECT_CLASS(class)->finalize = l2d_stages_finalize;
}

static void l2d_stages_init(L2dStages *self)
{
    GtkWidget *list = gtk_list_box_new();
    const char *stage;

    self->rows = g_array_new(FALSE, TRUE, sizeof(struct row));
    gtk_list_box_set_selection_mode(GTK_LIST_BOX(list), GTK_SELECTION_NONE);
    gtk_widget_add_css_class(list, "boxed-list");
    gtk_widget_add_css_class(list, "stages");
    gtk_accessible_update_property(GTK_ACCESSIBLE(list), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Stages of the connection"), -1);
    for (unsigned i = 0; (stage = l2tpc_stage_at(i)); i++)
        add_row(self, GTK_LIST_BOX(list), stage);
    adw_bin_set_child(ADW_BIN(self), list);
}

GtkWidget *l2d_stages_new(void)
{
    return g_object_new(L2D_TYPE_STAGES, NULL);
}
