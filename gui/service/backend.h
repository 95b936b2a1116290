/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Profiles and dials of the system service for computers without NetworkManager. */
#ifndef L2D_SERVICE_BACKEND_H
#define L2D_SERVICE_BACKEND_H

#include "model/backend.h"

/* It runs, or the bus starts it when it is called. */
gboolean l2d_service_is_there(GDBusConnection *bus);
L2dBackend *l2d_service_backend_new(void);

#endif
