/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NetworkManager stores the profiles and runs the connections; libnm speaks with it. */
#ifndef L2D_NM_BACKEND_H
#define L2D_NM_BACKEND_H

#include "model/backend.h"

/* It runs, and has our plugin. */
gboolean l2d_nm_is_there(GDBusConnection *bus);
L2dBackend *l2d_nm_backend_new(void);

#endif
