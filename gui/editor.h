/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The dialog in which a connection is made or changed; it is stored on Save alone. */
#ifndef L2D_EDITOR_H
#define L2D_EDITOR_H

#include "window.h"

G_BEGIN_DECLS

/* Both say in the window what goes wrong before there is a dialog. */
void l2d_editor_add(L2dWindow *parent);
void l2d_editor_edit(L2dWindow *parent, L2dProfile *profile);

G_END_DECLS

#endif
