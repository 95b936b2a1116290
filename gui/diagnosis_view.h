/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The dialog that shows where a connection breaks: a picture, and beneath it what tells so. */
#ifndef L2D_DIAGNOSIS_VIEW_H
#define L2D_DIAGNOSIS_VIEW_H

#include "window.h"

/* Says in the window what keeps it from being found out. */
void l2d_diagnosis_view_present(L2dWindow *parent, L2dProfile *profile);

#endif
