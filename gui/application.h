/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The program: one instance, its actions, its windows. Actions of the application, also over D-Bus:
 * connect, disconnect, show-details (the profile's UUID), import, preferences, about, quit.
 */
#ifndef L2D_APPLICATION_H
#define L2D_APPLICATION_H

#include "model/backend.h"

#include <adwaita.h>

G_BEGIN_DECLS

#define L2D_APPLICATION_ID "net.l2tpc.Dialer"

#define L2D_TYPE_APPLICATION (l2d_application_get_type())
G_DECLARE_FINAL_TYPE(L2dApplication, l2d_application, L2D, APPLICATION, AdwApplication)

L2dApplication *l2d_application_new(void);
L2dBackend *l2d_application_get_backend(L2dApplication *application);

G_END_DECLS

#endif
