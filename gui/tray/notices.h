/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Notifications: when a connection breaks, comes back or fails, and never for what the user has
 * done. Each connection has one at most: what comes later takes its place, and it goes when all is
 * well.
 */
#ifndef L2D_NOTICES_H
#define L2D_NOTICES_H

#include "model/backend.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define L2D_TYPE_NOTICES (l2d_notices_get_type())
G_DECLARE_FINAL_TYPE(L2dNotices, l2d_notices, L2D, NOTICES, GObject)

/* `application` outlives it; its actions are those of the buttons: show-details, connect. */
L2dNotices *l2d_notices_new(GtkApplication *application, L2dBackend *backend);
/* A connection could not even be tried. */
void l2d_notices_refused(L2dNotices *notices, L2dProfile *profile, const char *sentence);

G_END_DECLS

#endif
