/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "text_size.h"

#define USUAL_DPI (96 * 1024) /* the setting counts in 1024ths */
#define FRAME 48              /* what the window manager puts around a window */

static int enlarged(int size, int dpi, int room)
{
    int wanted = (int)((gint64)size * dpi / USUAL_DPI);

    return MAX(size, MIN(wanted, room - FRAME));
}

void l2d_text_size_fit(GtkWindow *window)
{
    GdkDisplay *display = gtk_widget_get_display(GTK_WIDGET(window));
    g_autoptr(GdkMonitor) monitor = g_list_model_get_item(gdk_display_get_monitors(display), 0);
    GdkRectangle room;
    int dpi = 0;
    int width;
    int height;

    g_object_get(gtk_settings_get_for_display(display), "gtk-xft-dpi", &dpi, NULL);
    if (!monitor || dpi <= USUAL_DPI)
        return;
    gdk_monitor_get_geometry(monitor, &room);
    gtk_window_get_default_size(window, &width, &height);
    gtk_window_set_default_size(window, enlarged(width, dpi, room.width),
                                enlarged(height, dpi, room.height));
}
