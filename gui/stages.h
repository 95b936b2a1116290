/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stages of a dial, one beneath the other, with the time that each has taken. */
#ifndef L2D_STAGES_H
#define L2D_STAGES_H

#include "model/snapshot.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define L2D_TYPE_STAGES (l2d_stages_get_type())
G_DECLARE_FINAL_TYPE(L2dStages, l2d_stages, L2D, STAGES, AdwBin)

GtkWidget *l2d_stages_new(void);
void l2d_stages_show(L2dStages *stages, L2dSnapshot *snapshot);

G_END_DECLS

#endif
