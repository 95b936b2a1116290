/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "chart.h"
#include "model/words.h"

#include <math.h>

struct _L2dChart {
    GtkBox parent;
    GtkWidget *area;
    GtkLabel *in, *out, *top;
    L2dRate rates[L2D_HISTORY];
    guint filled;
    double most; /* the upper edge, bytes a second */
};

G_DEFINE_TYPE(L2dChart, l2d_chart, GTK_TYPE_BOX)

static double value_at(const L2dRate *r, gboolean out)
{
    return out ? r->out : r->in;
}

/* The newest stands at the end of the line of reading. */
static void trace(L2dChart *self, cairo_t *cr, int width, int height, gboolean out)
{
    gboolean mirrored = gtk_widget_get_direction(self->area) == GTK_TEXT_DIR_RTL;

    for (guint i = 0; i < self->filled; i++) {
        guint at = L2D_HISTORY - self->filled + i;
        double x = (double)at * width / (L2D_HISTORY - 1);
        double y = height - 1 - value_at(&self->rates[at], out) / self->most * (height - 4);

        cairo_line_to(cr, mirrored ? width - x : x, y);
    }
}

static void close_below(L2dChart *self, cairo_t *cr, int width, int height)
{
    gboolean mirrored = gtk_widget_get_direction(self->area) == GTK_TEXT_DIR_RTL;
    double first = (double)(L2D_HISTORY - self->filled) * width / (L2D_HISTORY - 1);

    cairo_line_to(cr, mirrored ? 0 : width, height);
    cairo_line_to(cr, mirrored ? width - first : first, height);
    cairo_close_path(cr);
}

static void draw(GtkDrawingArea *area, cairo_t *cr, int width, int height, gpointer user)
{
    static const double dashes[] = {4, 3};
    L2dChart *self = user;
    GtkStyleContext *style = gtk_widget_get_style_context(GTK_WIDGET(area));
    GdkRGBA text;
    GdkRGBA accent;

    gtk_style_context_get_color(style, &text);
    if (!gtk_style_context_lookup_color(style, "accent_color", &accent))
        accent = text;
    cairo_set_line_width(cr, 1);
    cairo_set_source_rgba(cr, text.red, text.green, text.blue, 0.15);
    for (int i = 0; i < 4; i++) {
        cairo_move_to(cr, 0, floor((double)height * i / 4) + 0.5);
        cairo_rel_line_to(cr, width, 0);
    }
    cairo_stroke(cr);
    if (self->filled < 2)
        return;
    cairo_set_line_width(cr, 2);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    trace(self, cr, width, height, FALSE);
    close_below(self, cr, width, height);
    cairo_set_source_rgba(cr, accent.red, accent.green, accent.blue, 0.2);
    cairo_fill(cr);
    trace(self, cr, width, height, FALSE);
    cairo_set_source_rgba(cr, accent.red, accent.green, accent.blue, 1);
    cairo_stroke(cr);
    /* Told apart without colour as well. */
    cairo_set_dash(cr, dashes, 2, 0);
    trace(self, cr, width, height, TRUE);
    cairo_set_source_rgba(cr, text.red, text.green, text.blue, 0.8);
    cairo_stroke(cr);
}

/* 1, 2 or 5 times a power of ten: an edge that does not move with every sample. */
static double round_up(double value)
{
    double unit = value > 1000 ? pow(10, floor(log10(value))) : 1000;

    return value <= unit       ? unit
           : value <= 2 * unit ? 2 * unit
           : value <= 5 * unit ? 5 * unit
                               : 10 * unit;
}

static void tell(L2dChart *self)
{
    const L2dRate none = {0, 0};
    const L2dRate *now = self->filled ? &self->rates[L2D_HISTORY - 1] : &none;
    g_autofree char *in = l2d_words_rate(now->in);
    g_autofree char *out = l2d_words_rate(now->out);
    g_autofree char *top = l2d_words_rate(self->most);
    /* TRANSLATORS: %s is an amount in each second, such as "1.2 MB/s". */
    g_autofree char *received = g_strdup_printf(_("Received: %s"), in);
    g_autofree char *sent = g_strdup_printf(_("Sent: %s"), out);
    g_autofree char *all =
        g_strdup_printf(_("%s. %s. The upper edge of the picture is %s."), received, sent, top);

    gtk_label_set_label(self->in, received);
    gtk_label_set_label(self->out, sent);
    gtk_label_set_label(self->top, top);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->area), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                   all, -1);
}

void l2d_chart_show(L2dChart *self, L2dTunnel *tunnel)
{
    double most = 0;

    self->filled = l2d_tunnel_get_history(tunnel, self->rates);
    for (guint i = L2D_HISTORY - self->filled; i < L2D_HISTORY; i++)
        most = MAX(most, MAX(self->rates[i].in, self->rates[i].out));
    self->most = round_up(most);
    tell(self);
    gtk_widget_queue_draw(self->area);
}

static void l2d_chart_class_init(L2dChartClass *class)
{
    (void)class;
}

static GtkLabel *legend_new(GtkWidget *box, const char *class)
{
    GtkWidget *label = gtk_label_new(NULL);

    gtk_widget_add_css_class(label, "caption");
    gtk_widget_add_css_class(label, "numeric");
    if (class)
        gtk_widget_add_css_class(label, class);
    gtk_box_append(GTK_BOX(box), label);
    return GTK_LABEL(label);
}

static GtkWidget *area_new(L2dChart *self)
{
    GtkWidget *area = g_object_new(GTK_TYPE_DRAWING_AREA, "accessible-role",
                                   GTK_ACCESSIBLE_ROLE_IMG, "content-height", 120, NULL);

    gtk_drawing_area_set_draw_func(GTK_DRAWING_AREA(area), draw, self, NULL);
    gtk_accessible_update_property(GTK_ACCESSIBLE(area), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Throughput of the last two minutes"), -1);
    return area;
}

static void l2d_chart_init(L2dChart *self)
{
    GtkWidget *legend = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 18);
    GtkWidget *ends = gtk_center_box_new();

    gtk_orientable_set_orientation(GTK_ORIENTABLE(self), GTK_ORIENTATION_VERTICAL);
    gtk_box_set_spacing(GTK_BOX(self), 6);
    gtk_widget_add_css_class(GTK_WIDGET(self), "card");
    gtk_widget_add_css_class(GTK_WIDGET(self), "chart");
    self->in = legend_new(legend, "accent");
    self->out = legend_new(legend, NULL);
    self->top = legend_new(legend, "dim-label");
    gtk_widget_set_hexpand(GTK_WIDGET(self->top), TRUE);
    gtk_widget_set_halign(GTK_WIDGET(self->top), GTK_ALIGN_END);
    gtk_box_append(GTK_BOX(self), legend);
    self->area = area_new(self);
    gtk_box_append(GTK_BOX(self), self->area);
    gtk_center_box_set_start_widget(GTK_CENTER_BOX(ends), gtk_label_new(_("2 minutes ago")));
    gtk_center_box_set_end_widget(GTK_CENTER_BOX(ends), gtk_label_new(_("now")));
    gtk_widget_add_css_class(ends, "caption");
    gtk_widget_add_css_class(ends, "dim-label");
    gtk_box_append(GTK_BOX(self), ends);
    self->most = 1000;
    tell(self);
}

GtkWidget *l2d_chart_new(void)
{
    return g_object_new(L2D_TYPE_CHART, NULL);
}
