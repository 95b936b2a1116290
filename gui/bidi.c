/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bidi.h"

#include <gtk/gtk.h>

#define RIGHT_TO_LEFT_MARK "\u200f"
#define FIRST_STRONG_ISOLATE "\u2068"
#define POP_DIRECTIONAL_ISOLATE "\u2069"

char *l2d_bidi_isolate(const char *text)
{
    if (gtk_widget_get_default_direction() != GTK_TEXT_DIR_RTL)
        return g_strdup(text);
    return g_strconcat(RIGHT_TO_LEFT_MARK FIRST_STRONG_ISOLATE, text, POP_DIRECTIONAL_ISOLATE,
                       NULL);
}
