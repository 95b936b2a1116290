/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The menu of the icon in the panel: a row for each connection, which connects or disconnects it,
 * and what the program itself offers. A row does an action of the application. The one place that
 * knows libdbusmenu.
 */
#ifndef L2D_TRAY_MENU_H
#define L2D_TRAY_MENU_H

#include "model/backend.h"

typedef struct L2dTrayMenu L2dTrayMenu;

/* Neither is owned: whoever made them outlives the menu. */
L2dTrayMenu *l2d_tray_menu_new(L2dBackend *backend, GActionGroup *actions);
void l2d_tray_menu_free(L2dTrayMenu *menu);
/* Says anew what has changed. */
void l2d_tray_menu_update(L2dTrayMenu *menu);

#endif
