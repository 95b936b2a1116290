/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What NetworkManager says of a connection, as long as no tunnel on the bus can say more. */
#ifndef L2D_NM_TUNNEL_H
#define L2D_NM_TUNNEL_H

#include "model/profile.h"

#include <NetworkManager.h>

/* `state` and `reason` are those of an NMVpnConnection. */
void l2d_nm_tunnel_say(L2dProfile *profile, NMVpnConnectionState state,
                       NMActiveConnectionStateReason reason);

#endif
