/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How long the program runs: while a window is open or its icon is really in a panel. It is never
 * hidden: when the icon goes and there is no window, a window opens.
 */
#ifndef L2D_LIFE_H
#define L2D_LIFE_H

#include "tray/tray.h"

#include <gtk/gtk.h>

/* What one program and its panel may take to find each other, also at the start of a session. */
#define L2D_TRAY_WAIT_MS 10000u

typedef struct L2dLife L2dLife;

typedef struct {
    /* There is no panel and no window. */
    void (*show)(gpointer user);
    /* There is no panel that shows our icon. */
    void (*tell)(gpointer user);
} L2dLifeCalls;

/* `tray` NULL: there is no bus to have one on. */
L2dLife *l2d_life_new(GtkApplication *application, L2dTray *tray, const L2dLifeCalls *calls,
                      gpointer user);
void l2d_life_free(L2dLife *life);
/* Started to wait in the panel, without a window. */
void l2d_life_begin_hidden(L2dLife *life);

#endif
