/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One icon in the desktop's panel: a StatusNotifierItem on the session bus. It registers with each
 * watcher that appears. It is present only while a watcher has taken it and some panel shows what
 * the watcher has.
 */
#ifndef L2D_TRAY_ITEM_H
#define L2D_TRAY_ITEM_H

#include <gio/gio.h>

#define L2D_TRAY_MENU_PATH "/net/l2tpc/Dialer/Menu"

typedef struct L2dTrayItem L2dTrayItem;

typedef struct {
    /* The user has clicked; `token` for the window that opens, or NULL. */
    void (*activated)(gpointer user, const char *token);
    void (*present_changed)(gpointer user, gboolean present);
} L2dTrayCalls;

/* What it shows. `state` is the last word of the icon's name: "on". */
typedef struct {
    const char *state;
    const char *title; /* the state in words */
    const char *text;  /* more of them, on lines of their own; "" */
    gboolean attention;
} L2dTrayFace;

L2dTrayItem *l2d_tray_item_new(GDBusConnection *bus, const L2dTrayCalls *calls, gpointer user);
void l2d_tray_item_free(L2dTrayItem *item);
gboolean l2d_tray_item_is_present(const L2dTrayItem *item);
/* Tells the panel what has changed. */
void l2d_tray_item_show(L2dTrayItem *item, const L2dTrayFace *face);

#endif
