/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One connection in the list: icon and words for its state, and a switch. */
#ifndef L2D_PROFILE_ROW_H
#define L2D_PROFILE_ROW_H

#include "model/profile.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define L2D_TYPE_PROFILE_ROW (l2d_profile_row_get_type())
G_DECLARE_FINAL_TYPE(L2dProfileRow, l2d_profile_row, L2D, PROFILE_ROW, GtkListBoxRow)

GtkWidget *l2d_profile_row_new(L2dProfile *profile);
L2dProfile *l2d_profile_row_get_profile(L2dProfileRow *row);

G_END_DECLS

#endif
