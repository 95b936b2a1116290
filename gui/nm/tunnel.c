/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nm/tunnel.h"
#include "bus/tunnel.h"
#include "model/words.h"

struct _L2dNmTunnel {
    L2dTunnel parent;
};

#define L2D_TYPE_NM_TUNNEL (l2d_nm_tunnel_get_type())
G_DECLARE_FINAL_TYPE(L2dNmTunnel, l2d_nm_tunnel, L2D, NM_TUNNEL, L2dTunnel)
G_DEFINE_TYPE(L2dNmTunnel, l2d_nm_tunnel, L2D_TYPE_TUNNEL)

/* There is nothing to be asked for. */
static void set_watched(L2dTunnel *tunnel, gboolean watched)
{
    (void)tunnel;
    (void)watched;
}

static void l2d_nm_tunnel_class_init(L2dNmTunnelClass *class)
{
    L2D_TUNNEL_CLASS(class)->set_watched = set_watched;
}

static void l2d_nm_tunnel_init(L2dNmTunnel *self)
{
    (void)self;
}

static gboolean is_over(L2dState state)
{
    return state == L2D_STATE_OFF || state == L2D_STATE_FAILED;
}

/* A tunnel on the bus that still runs knows better. */
static gboolean is_told(L2dProfile *profile)
{
    L2dTunnel *t = l2d_profile_get_tunnel(profile);

    return t && L2D_IS_BUS_TUNNEL(t) && !is_over(l2d_tunnel_get_state(t));
}

static void take(L2dProfile *profile, L2dSnapshot *s)
{
    L2dTunnel *t = l2d_profile_get_tunnel(profile);

    if (!t || !L2D_IS_NM_TUNNEL(t)) {
        g_autoptr(L2dTunnel) own = g_object_new(L2D_TYPE_NM_TUNNEL, NULL);

        l2d_profile_set_tunnel(profile, own);
        t = l2d_profile_get_tunnel(profile);
    }
    l2d_tunnel_take_snapshot(t, s);
}

void l2d_nm_tunnel_expect(L2dProfile *profile, L2dState state)
{
    L2dTunnel *t = l2d_profile_get_tunnel(profile);

    if (t && is_told(profile)) /* until its own next word */
        l2d_tunnel_take_snapshot(t, l2d_snapshot_new_for_state(state));
    else
        take(profile, l2d_snapshot_new_for_state(state));
}

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

static L2dSnapshot *failed(NMActiveConnectionStateReason reason)
{
    g_autoptr(JsonObject) o = json_object_new();
    JsonObject *f = json_object_new();

    json_object_set_string_member(f, "code", "");
    json_object_set_string_member(f, "message", sentence_of(reason));
    json_object_set_string_member(o, "state", "failed");
    json_object_set_object_member(o, "failure", f);
    return l2d_snapshot_new_from_json(o);
}

void l2d_nm_tunnel_say(L2dProfile *profile, NMVpnConnectionState state,
                       NMActiveConnectionStateReason reason)
{
    gboolean by_user = reason == NM_ACTIVE_CONNECTION_STATE_REASON_USER_DISCONNECTED;

    if (is_told(profile))
        return;
    switch (state) {
    case NM_VPN_CONNECTION_STATE_PREPARE:
    case NM_VPN_CONNECTION_STATE_NEED_AUTH:
    case NM_VPN_CONNECTION_STATE_CONNECT:
    case NM_VPN_CONNECTION_STATE_IP_CONFIG_GET:
        take(profile, l2d_snapshot_new_for_state(L2D_STATE_DIALING));
        return;
    case NM_VPN_CONNECTION_STATE_ACTIVATED:
        take(profile, l2d_snapshot_new_for_state(L2D_STATE_UP));
        return;
    case NM_VPN_CONNECTION_STATE_FAILED:
        if (!by_user) { /* what the tunnel itself has said of its failure is more precise */
            if (l2d_profile_get_state(profile) != L2D_STATE_FAILED)
                take(profile, failed(reason));
            return;
        }
        break;
    default:
        break;
    }
    if (l2d_profile_get_state(profile) != L2D_STATE_FAILED || by_user)
        take(profile, l2d_snapshot_new_for_state(L2D_STATE_OFF));
}
