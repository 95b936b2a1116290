/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What would come of files of other programs, before anything is added. */
#ifndef L2D_IMPORT_PREVIEW_H
#define L2D_IMPORT_PREVIEW_H

#include "window.h"

G_BEGIN_DECLS

/* Reads them and shows what is in them, in a window over `parent`. */
void l2d_import_preview_present(L2dWindow *parent, GFile **files, guint n_files);

G_END_DECLS

#endif
