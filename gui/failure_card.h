/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What went wrong: one sentence, what to try, and the codes an administrator can look up. */
#ifndef L2D_FAILURE_CARD_H
#define L2D_FAILURE_CARD_H

#include "model/snapshot.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define L2D_TYPE_FAILURE_CARD (l2d_failure_card_get_type())
G_DECLARE_FINAL_TYPE(L2dFailureCard, l2d_failure_card, L2D, FAILURE_CARD, AdwBin)

GtkWidget *l2d_failure_card_new(void);
void l2d_failure_card_show(L2dFailureCard *card, const L2dFailure *failure);

G_END_DECLS

#endif
