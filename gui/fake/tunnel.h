/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tunnel that moves the counters of its last status by given rates. */
#ifndef L2D_FAKE_TUNNEL_H
#define L2D_FAKE_TUNNEL_H

#include "model/tunnel.h"

#define L2D_TYPE_FAKE_TUNNEL (l2d_fake_tunnel_get_type())
G_DECLARE_FINAL_TYPE(L2dFakeTunnel, l2d_fake_tunnel, L2D, FAKE_TUNNEL, L2dTunnel)

/* `rates`: [[in, out]...], one a second, over and over; or NULL. */
L2dFakeTunnel *l2d_fake_tunnel_new(JsonArray *rates);
/* Replaces what it says; `age` in seconds, -1: as the status has it. */
void l2d_fake_tunnel_say(L2dFakeTunnel *tunnel, JsonObject *status, gint64 age);

#endif
