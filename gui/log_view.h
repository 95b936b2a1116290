/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The dialog with the log of a connection: by level, by text, to be copied and saved. */
#ifndef L2D_LOG_VIEW_H
#define L2D_LOG_VIEW_H

#include "window.h"

void l2d_log_view_present(L2dWindow *parent, L2dProfile *profile);

#endif
