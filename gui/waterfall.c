/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "waterfall.h"
#include "model/words.h"

#include <l2tpc.h>

#define ROW_HEIGHT 26
#define LABELS 0.52 /* of the width */
#define TIMES 64    /* pixels for the numbers */

struct _L2dWaterfall {
    GtkWidget parent;
    L2dSnapshot *shown;
    guint n;
};

G_DEFINE_TYPE(L2dWaterfall, l2d_waterfall, GTK_TYPE_WIDGET)

static double whole(GPtrArray *stages)
{
    double ms = 0;

    for (guint i = 0; i < stages->len; i++)
        ms += ((L2dStage *)g_ptr_array_index(stages, i))->ms;
    return MAX(ms, 0.001);
}

static const char *title_of(const L2dStage *s)
{
    const char *title = l2tpc_stage_title(s->name);

    return title ? _(title) : s->name;
}

/* `x` is where the text begins in the direction of reading; 0 is where reading begins. */
static void put_text(GtkWidget *widget, GtkSnapshot *out, const char *text, double x, double y,
                     double room, const GdkRGBA *color)
{
    g_autoptr(PangoLayout) layout = gtk_widget_create_pango_layout(widget, text);
    gboolean mirrored = gtk_widget_get_direction(widget) == GTK_TEXT_DIR_RTL;
    int width = gtk_widget_get_width(widget);
    int height;

    pango_layout_set_width(layout, (int)(room * PANGO_SCALE));
    pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
    pango_layout_get_pixel_size(layout, NULL, &height);
    gtk_snapshot_save(out);
    gtk_snapshot_translate(out, &GRAPHENE_POINT_INIT((float)(mirrored ? width - x - room : x),
                                                     (float)(y + (ROW_HEIGHT - height) / 2.0)));
    gtk_snapshot_append_layout(out, layout, color);
    gtk_snapshot_restore(out);
}

static void put_bar(GtkWidget *widget, GtkSnapshot *out, double from, double length, double y,
                    const GdkRGBA *color)
{
    gboolean mirrored = gtk_widget_get_direction(widget) == GTK_TEXT_DIR_RTL;
    int width = gtk_widget_get_width(widget);
    GskRoundedRect shape;

    length = MAX(length, 2);
    gsk_rounded_rect_init_from_rect(
        &shape,
        &GRAPHENE_RECT_INIT((float)(mirrored ? width - from - length : from), (float)(y + 7),
                            (float)length, ROW_HEIGHT - 14),
        (float)MIN(length / 2, 4));
    gtk_snapshot_push_rounded_clip(out, &shape);
    gtk_snapshot_append_color(out, color, &shape.bounds);
    gtk_snapshot_pop(out);
}

static void l2d_waterfall_snapshot(GtkWidget *widget, GtkSnapshot *out)
{
    L2dWaterfall *self = L2D_WATERFALL(widget);
    GPtrArray *stages = self->shown ? l2d_snapshot_get_stages(self->shown) : NULL;
    double names = gtk_widget_get_width(widget) * LABELS;
    double room = gtk_widget_get_width(widget) - names - TIMES - 12;
    GtkStyleContext *style = gtk_widget_get_style_context(widget);
    double begun = 0;
    GdkRGBA text;
    GdkRGBA accent;

    if (!stages || !stages->len)
        return;
    gtk_style_context_get_color(style, &text);
    if (!gtk_style_context_lookup_color(style, "accent_bg_color", &accent))
        accent = text;
    for (guint i = 0; i < stages->len; i++) {
        const L2dStage *s = g_ptr_array_index(stages, i);
        g_autofree char *time = l2d_words_time(s->ms);
        double scale = MAX(room, 1) / whole(stages);

        put_text(widget, out, title_of(s), 0, i * ROW_HEIGHT, names - 12, &text);
        put_bar(widget, out, names + begun * scale, s->ms * scale, i * ROW_HEIGHT, &accent);
        put_text(widget, out, time, names + room + 12, i * ROW_HEIGHT, TIMES, &text);
        begun += s->ms;
    }
}

static void l2d_waterfall_measure(GtkWidget *widget, GtkOrientation orientation, int for_size,
                                  int *minimum, int *natural, int *minimum_baseline,
                                  int *natural_baseline)
{
    int size = 240;

    (void)for_size;
    if (orientation == GTK_ORIENTATION_VERTICAL)
        size = (int)L2D_WATERFALL(widget)->n * ROW_HEIGHT;
    *minimum = *natural = size;
    *minimum_baseline = *natural_baseline = -1;
}

void l2d_waterfall_show(L2dWaterfall *self, L2dSnapshot *snapshot)
{
    GPtrArray *stages = l2d_snapshot_get_stages(snapshot);
    GString *words = g_string_new(NULL);

    for (guint i = 0; i < stages->len; i++) {
        const L2dStage *s = g_ptr_array_index(stages, i);
        g_autofree char *time = l2d_words_time(s->ms);

        g_string_append_printf(words, "%s%s: %s", i ? "; " : "", title_of(s), time);
    }
    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                   words->str, -1);
    g_string_free(words, TRUE);
    g_clear_pointer(&self->shown, l2d_snapshot_unref);
    self->shown = l2d_snapshot_ref(snapshot);
    if (self->n != stages->len) {
        self->n = stages->len;
        gtk_widget_queue_resize(GTK_WIDGET(self));
    }
}

static void l2d_waterfall_finalize(GObject *object)
{
    g_clear_pointer(&L2D_WATERFALL(object)->shown, l2d_snapshot_unref);
    G_OBJECT_CLASS(l2d_waterfall_parent_class)->finalize(object);
}

static void l2d_waterfall_class_init(L2dWaterfallClass *class)
{
    GtkWidgetClass *w = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->finalize = l2d_waterfall_finalize;
    w->snapshot = l2d_waterfall_snapshot;
    w->measure = l2d_waterfall_measure;
    gtk_widget_class_set_accessible_role(w, GTK_ACCESSIBLE_ROLE_IMG);
    gtk_widget_class_set_css_name(w, "waterfall");
}

static void l2d_waterfall_init(L2dWaterfall *self)
{
    gtk_accessible_update_property(GTK_ACCESSIBLE(self), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("How long each stage took"), -1);
}

GtkWidget *l2d_waterfall_new(void)
{
    return g_object_new(L2D_TYPE_WATERFALL, NULL);
}
