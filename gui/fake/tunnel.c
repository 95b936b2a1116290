/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/tunnel.h"

struct _L2dFakeTunnel {
    L2dTunnel parent;
    JsonArray *rates;
    JsonObject *status;
    guint at, timer;
};

G_DEFINE_TYPE(L2dFakeTunnel, l2d_fake_tunnel, L2D_TYPE_TUNNEL)

/* A deep copy: snapshots keep what they were made of. */
static JsonObject *copy_of(JsonObject *o)
{
    g_autoptr(JsonNode) n = json_node_new(JSON_NODE_OBJECT);
    g_autofree char *text = NULL;
    g_autoptr(JsonNode) copy = NULL;

    json_node_set_object(n, o);
    text = json_to_string(n, FALSE);
    copy = json_from_string(text, NULL);
    return json_node_dup_object(copy);
}

static void add(JsonObject *group, const char *key, gint64 n)
{
    json_object_set_int_member(group, key,
                               json_object_get_int_member_with_default(group, key, 0) + n);
}

static void flow(L2dFakeTunnel *t, gint64 in, gint64 out)
{
    static const char *const groups[] = {"ip", "esp", "kernel"};

    for (guint i = 0; i < G_N_ELEMENTS(groups); i++) {
        JsonObject *g = json_object_has_member(t->status, groups[i])
                            ? json_object_get_object_member(t->status, groups[i])
                            : NULL;

        if (!g)
            continue;
        add(g, i == 2 ? "esp_in" : "packets_in", in / 1200);
        add(g, i == 2 ? "esp_out" : "packets_out", out / 1200);
        if (i == 2)
            continue;
        add(g, "bytes_in", in);
        add(g, "bytes_out", out);
    }
}

static gboolean tick(gpointer user)
{
    L2dFakeTunnel *t = user;
    JsonArray *rate;

    if (l2d_tunnel_get_state(L2D_TUNNEL(t)) != L2D_STATE_UP || !t->rates)
        return G_SOURCE_CONTINUE;
    rate = json_array_get_array_element(t->rates, t->at++ % json_array_get_length(t->rates));
    flow(t, json_array_get_int_element(rate, 0), json_array_get_int_element(rate, 1));
    l2d_tunnel_take_snapshot(L2D_TUNNEL(t), l2d_snapshot_new_from_json(copy_of(t->status)));
    return G_SOURCE_CONTINUE;
}

static void set_watched(L2dTunnel *tunnel, gboolean watched)
{
    L2dFakeTunnel *t = L2D_FAKE_TUNNEL(tunnel);

    g_clear_handle_id(&t->timer, g_source_remove);
    if (watched)
        t->timer = g_timeout_add_seconds(1, tick, t);
}

static void l2d_fake_tunnel_dispose(GObject *object)
{
    L2dFakeTunnel *t = L2D_FAKE_TUNNEL(object);

    g_clear_handle_id(&t->timer, g_source_remove);
    g_clear_pointer(&t->rates, json_array_unref);
    g_clear_pointer(&t->status, json_object_unref);
    G_OBJECT_CLASS(l2d_fake_tunnel_parent_class)->dispose(object);
}

static void l2d_fake_tunnel_class_init(L2dFakeTunnelClass *class)
{
    G_OBJECT_CLASS(class)->dispose = l2d_fake_tunnel_dispose;
    L2D_TUNNEL_CLASS(class)->set_watched = set_watched;
}

static void l2d_fake_tunnel_init(L2dFakeTunnel *t)
{
    (void)t;
}

L2dFakeTunnel *l2d_fake_tunnel_new(JsonArray *rates)
{
    L2dFakeTunnel *t = g_object_new(L2D_TYPE_FAKE_TUNNEL, NULL);

    t->rates = rates ? json_array_ref(rates) : NULL;
    return t;
}

void l2d_fake_tunnel_say(L2dFakeTunnel *t, JsonObject *status, gint64 age)
{
    g_clear_pointer(&t->status, json_object_unref);
    t->status = copy_of(status);
    if (age >= 0) {
        g_autoptr(GDateTime) now = g_date_time_new_now_utc();
        g_autoptr(GDateTime) since = g_date_time_add_seconds(now, -(double)age);
        g_autofree char *text = g_date_time_format_iso8601(since);

        json_object_set_string_member(t->status, "since", text);
    }
    l2d_tunnel_take_snapshot(L2D_TUNNEL(t), l2d_snapshot_new_from_json(copy_of(t->status)));
}
