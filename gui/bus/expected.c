/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/expected.h"
#include "bus/tunnel.h"

struct _L2dExpectedTunnel {
    L2dTunnel parent;
};

#define L2D_TYPE_EXPECTED_TUNNEL (l2d_expected_tunnel_get_type())
G_DECLARE_FINAL_TYPE(L2dExpectedTunnel, l2d_expected_tunnel, L2D, EXPECTED_TUNNEL, L2dTunnel)
G_DEFINE_TYPE(L2dExpectedTunnel, l2d_expected_tunnel, L2D_TYPE_TUNNEL)

/* There is nothing to be asked for. */
static void set_watched(L2dTunnel *tunnel, gboolean watched)
{
    (void)tunnel;
    (void)watched;
}

static void l2d_expected_tunnel_class_init(L2dExpectedTunnelClass *class)
{
    L2D_TUNNEL_CLASS(class)->set_watched = set_watched;
}

static void l2d_expected_tunnel_init(L2dExpectedTunnel *self)
{
    (void)self;
}

static gboolean is_over(L2dState state)
{
    return state == L2D_STATE_OFF || state == L2D_STATE_FAILED;
}

gboolean l2d_expected_is_told(L2dProfile *profile)
{
    L2dTunnel *t = l2d_profile_get_tunnel(profile);

    return t && L2D_IS_BUS_TUNNEL(t) && !is_over(l2d_tunnel_get_state(t));
}

void l2d_expected_take(L2dProfile *profile, L2dSnapshot *snapshot)
{
    L2dTunnel *t = l2d_profile_get_tunnel(profile);

    if (!t || !L2D_IS_EXPECTED_TUNNEL(t)) {
        g_autoptr(L2dTunnel) own = g_object_new(L2D_TYPE_EXPECTED_TUNNEL, NULL);

        l2d_profile_set_tunnel(profile, own);
        t = l2d_profile_get_tunnel(profile);
    }
    l2d_tunnel_take_snapshot(t, snapshot);
}

void l2d_expected_state(L2dProfile *profile, L2dState state)
{
    L2dTunnel *t = l2d_profile_get_tunnel(profile);

    if (t && l2d_expected_is_told(profile)) /* until its own next word */
        l2d_tunnel_take_snapshot(t, l2d_snapshot_new_for_state(state));
    else
        l2d_expected_take(profile, l2d_snapshot_new_for_state(state));
}

L2dSnapshot *l2d_expected_failure(const char *stage, const char *code, const char *sentence,
                                  const char *hint)
{
    g_autoptr(JsonObject) o = json_object_new();
    JsonObject *e = json_object_new();

    json_object_set_string_member(e, "stage", stage);
    json_object_set_string_member(e, "code", code);
    json_object_set_string_member(e, "message", sentence);
    json_object_set_string_member(e, "hint", hint);
    json_object_set_string_member(o, "state", "failed");
    json_object_set_object_member(o, "error", e);
    return l2d_snapshot_new_from_json(o);
}
