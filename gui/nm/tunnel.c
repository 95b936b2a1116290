/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nm/tunnel.h"
#include "bus/expected.h"
#include "model/words.h"

static const char *sentence_of(NMActiveConnectionStateReason reason)
{
    switch (reason) {
    case NM_ACTIVE_CONNECTION_STATE_REASON_NO_SECRETS:
        return _("A password or key is missing, and none was given.");
    case NM_ACTIVE_CONNECTION_STATE_REASON_LOGIN_FAILED:
        return _("The server did not accept the login.");
    case NM_ACTIVE_CONNECTION_STATE_REASON_CONNECT_TIMEOUT:
        return _("The connection was not made in time.");
    case NM_ACTIVE_CONNECTION_STATE_REASON_SERVICE_START_TIMEOUT:
    case NM_ACTIVE_CONNECTION_STATE_REASON_SERVICE_START_FAILED:
        return _("NetworkManager could not start the service for L2TP connections.");
    case NM_ACTIVE_CONNECTION_STATE_REASON_SERVICE_STOPPED:
        return _("The service for L2TP connections has stopped.");
    case NM_ACTIVE_CONNECTION_STATE_REASON_DEVICE_DISCONNECTED:
    case NM_ACTIVE_CONNECTION_STATE_REASON_DEPENDENCY_FAILED:
        return _("The network that the connection went over is gone.");
    default:
        return _("NetworkManager could not make the connection.");
    }
}

void l2d_nm_tunnel_say(L2dProfile *profile, NMVpnConnectionState state,
                       NMActiveConnectionStateReason reason)
{
    gboolean by_user = reason == NM_ACTIVE_CONNECTION_STATE_REASON_USER_DISCONNECTED;

    if (l2d_expected_is_told(profile))
        return;
    switch (state) {
    case NM_VPN_CONNECTION_STATE_PREPARE:
    case NM_VPN_CONNECTION_STATE_NEED_AUTH:
    case NM_VPN_CONNECTION_STATE_CONNECT:
    case NM_VPN_CONNECTION_STATE_IP_CONFIG_GET:
        l2d_expected_take(profile, l2d_snapshot_new_for_state(L2D_STATE_DIALING));
        return;
    case NM_VPN_CONNECTION_STATE_ACTIVATED:
        l2d_expected_take(profile, l2d_snapshot_new_for_state(L2D_STATE_UP));
        return;
    case NM_VPN_CONNECTION_STATE_FAILED:
        if (!by_user) { /* what the tunnel itself has said of its failure is more precise */
            if (l2d_profile_get_state(profile) != L2D_STATE_FAILED)
                l2d_expected_take(profile, l2d_expected_failure("", "", sentence_of(reason), ""));
            return;
        }
        break;
    default:
        break;
    }
    if (l2d_profile_get_state(profile) != L2D_STATE_FAILED || by_user)
        l2d_expected_take(profile, l2d_snapshot_new_for_state(L2D_STATE_OFF));
}
