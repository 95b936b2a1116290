/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Deleting with a way back: the profile is hidden at once and deleted when the message with its
 * "Undo" has gone. So nothing has to be restored, secrets neither. Signal "changed".
 */
#ifndef L2D_REMOVAL_H
#define L2D_REMOVAL_H

#include "model/backend.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define L2D_TYPE_REMOVAL (l2d_removal_get_type())
G_DECLARE_FINAL_TYPE(L2dRemoval, l2d_removal, L2D, REMOVAL, GObject)

L2dRemoval *l2d_removal_new(L2dBackend *backend, AdwToastOverlay *toasts);
void l2d_removal_begin(L2dRemoval *removal, L2dProfile *profile);
gboolean l2d_removal_holds(L2dRemoval *removal, L2dProfile *profile);
/* Deletes now what waits. */
void l2d_removal_finish(L2dRemoval *removal);

G_END_DECLS

#endif
