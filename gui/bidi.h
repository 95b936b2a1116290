/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names, numbers and codes in sentences that are written from right to left. */
#ifndef L2D_BIDI_H
#define L2D_BIDI_H

#include <glib.h>

G_BEGIN_DECLS

/* A piece that keeps its own direction and lends it to nothing beside it: without, a code before a
 * sentence turns the whole of it around. From left to right a copy. */
char *l2d_bidi_isolate(const char *text);

G_END_DECLS

#endif
