/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verdict on the tunnel and the evidence for it. */
#ifndef L2D_PROOF_H
#define L2D_PROOF_H

#include "model/snapshot.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define L2D_TYPE_PROOF (l2d_proof_get_type())
G_DECLARE_FINAL_TYPE(L2dProof, l2d_proof, L2D, PROOF, AdwBin)

GtkWidget *l2d_proof_new(void);
void l2d_proof_show(L2dProof *proof, L2dSnapshot *snapshot);

G_END_DECLS

#endif
