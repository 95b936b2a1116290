/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A line of what a tunnel has done, as it said it. */
#ifndef L2D_LOG_LINE_H
#define L2D_LOG_LINE_H

#include <glib-object.h>

G_BEGIN_DECLS

#define L2D_TYPE_LOG_LINE (l2d_log_line_get_type())
G_DECLARE_FINAL_TYPE(L2dLogLine, l2d_log_line, L2D, LOG_LINE, GObject)

#define L2D_LOG_LEVELS 4u /* 0 error, 1 warning, 2 milestone, 3 detail */

L2dLogLine *l2d_log_line_new(guint64 number, guint level, const char *module, const char *text);
guint64 l2d_log_line_get_number(L2dLogLine *line);
guint l2d_log_line_get_level(L2dLogLine *line);
const char *l2d_log_line_get_module(L2dLogLine *line);
const char *l2d_log_line_get_text(L2dLogLine *line);
/* "Error"; in the user's language. */
const char *l2d_log_level_word(guint level);
/* The whole of it, as it is shown and copied; to be freed. */
char *l2d_log_line_to_text(L2dLogLine *line);

G_END_DECLS

#endif
