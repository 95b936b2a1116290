/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stages of a dial as bars over one line of time. */
#ifndef L2D_WATERFALL_H
#define L2D_WATERFALL_H

#include "model/snapshot.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define L2D_TYPE_WATERFALL (l2d_waterfall_get_type())
G_DECLARE_FINAL_TYPE(L2dWaterfall, l2d_waterfall, L2D, WATERFALL, GtkWidget)

GtkWidget *l2d_waterfall_new(void);
void l2d_waterfall_show(L2dWaterfall *waterfall, L2dSnapshot *snapshot);

G_END_DECLS

#endif
