/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What whoever runs a connection says of it, as long as no tunnel on the bus can say more. */
#ifndef L2D_BUS_EXPECTED_H
#define L2D_BUS_EXPECTED_H

#include "model/profile.h"

G_BEGIN_DECLS

/* A tunnel on the bus runs, and so knows better. */
gboolean l2d_expected_is_told(L2dProfile *profile);
/* A state that nobody has said yet, such as of a dial that was just asked for. */
void l2d_expected_state(L2dProfile *profile, L2dState state);
/* Takes over the reference. */
void l2d_expected_take(L2dProfile *profile, L2dSnapshot *snapshot);
/* Texts may be "". */
L2dSnapshot *l2d_expected_failure(const char *stage, const char *code, const char *sentence,
                                  const char *hint);

G_END_DECLS

#endif
