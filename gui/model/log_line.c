/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/log_line.h"

#include <glib/gi18n.h>

struct _L2dLogLine {
    GObject parent;
    guint64 number;
    guint level;
    char *module, *text;
};

G_DEFINE_TYPE(L2dLogLine, l2d_log_line, G_TYPE_OBJECT)

static void l2d_log_line_finalize(GObject *object)
{
    g_free(L2D_LOG_LINE(object)->module);
    g_free(L2D_LOG_LINE(object)->text);
    G_OBJECT_CLASS(l2d_log_line_parent_class)->finalize(object);
}

static void l2d_log_line_class_init(L2dLogLineClass *class)
{
    G_OBJECT_CLASS(class)->finalize = l2d_log_line_finalize;
}

static void l2d_log_line_init(L2dLogLine *line)
{
    (void)line;
}

L2dLogLine *l2d_log_line_new(guint64 number, guint level, const char *module, const char *text)
{
    L2dLogLine *line = g_object_new(L2D_TYPE_LOG_LINE, NULL);

    line->number = number;
    line->level = MIN(level, L2D_LOG_LEVELS - 1);
    line->module = g_strdup(module);
    line->text = g_strdup(text);
    return line;
}

guint64 l2d_log_line_get_number(L2dLogLine *line)
{
    return line->number;
}

guint l2d_log_line_get_level(L2dLogLine *line)
{
    return line->level;
}

const char *l2d_log_line_get_module(L2dLogLine *line)
{
    return line->module;
}

const char *l2d_log_line_get_text(L2dLogLine *line)
{
    return line->text;
}

const char *l2d_log_level_word(guint level)
{
    switch (level) {
    case 0:
        return _("Error");
    case 1:
        return _("Warning");
    case 2:
        return _("Step");
    default:
        return _("Detail");
    }
}

char *l2d_log_line_to_text(L2dLogLine *line)
{
    return g_strdup_printf("%" G_GUINT64_FORMAT "  %s  %s%s%s", line->number,
                           l2d_log_level_word(line->level), line->module, *line->module ? ": " : "",
                           line->text);
}
