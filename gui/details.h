/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Everything that is known of a running tunnel, the proof first. Labels come from the library. */
#ifndef L2D_DETAILS_H
#define L2D_DETAILS_H

#include "model/tunnel.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define L2D_TYPE_DETAILS (l2d_details_get_type())
G_DECLARE_FINAL_TYPE(L2dDetails, l2d_details, L2D, DETAILS, AdwBin)

GtkWidget *l2d_details_new(void);
void l2d_details_show(L2dDetails *details, L2dTunnel *tunnel, L2dSnapshot *snapshot);

G_END_DECLS

#endif
