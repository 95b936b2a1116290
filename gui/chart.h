/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two minutes of traffic in both directions, as a picture and in words. */
#ifndef L2D_CHART_H
#define L2D_CHART_H

#include "model/tunnel.h"

#include <gtk/gtk.h>

G_BEGIN_DECLS

#define L2D_TYPE_CHART (l2d_chart_get_type())
G_DECLARE_FINAL_TYPE(L2dChart, l2d_chart, L2D, CHART, GtkBox)

GtkWidget *l2d_chart_new(void);
void l2d_chart_show(L2dChart *chart, L2dTunnel *tunnel);

G_END_DECLS

#endif
