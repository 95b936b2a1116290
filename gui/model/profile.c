/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/profile.h"

struct _L2dProfile {
    GObject parent;
    char *uuid, *name, *server, *user;
    gboolean stored;
    L2dTunnel *tunnel;
    gulong tunnel_changed;
};

G_DEFINE_TYPE(L2dProfile, l2d_profile, G_TYPE_OBJECT)

enum {
    PROP_UUID = 1,
    PROP_NAME,
    PROP_SERVER,
    PROP_USER,
    PROP_STORED,
    PROP_TUNNEL,
    PROPS
};

static GParamSpec *specs[PROPS];
static guint changed_signal;

static void changed(L2dProfile *p)
{
    g_signal_emit(p, changed_signal, 0);
}

static void l2d_profile_get_property(GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    L2dProfile *p = L2D_PROFILE(object);

    switch (id) {
    case PROP_UUID:
        g_value_set_string(value, p->uuid);
        break;
    case PROP_NAME:
        g_value_set_string(value, p->name);
        break;
    case PROP_SERVER:
        g_value_set_string(value, p->server);
        break;
    case PROP_USER:
        g_value_set_string(value, p->user);
        break;
    case PROP_STORED:
        g_value_set_boolean(value, p->stored);
        break;
    case PROP_TUNNEL:
        g_value_set_object(value, p->tunnel);
        break;
    default:
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

static void l2d_profile_dispose(GObject *object)
{
    L2dProfile *p = L2D_PROFILE(object);

    g_clear_signal_handler(&p->tunnel_changed, p->tunnel);
    g_clear_object(&p->tunnel);
    G_OBJECT_CLASS(l2d_profile_parent_class)->dispose(object);
}

static void l2d_profile_finalize(GObject *object)
{
    L2dProfile *p = L2D_PROFILE(object);

    g_free(p->uuid);
    g_free(p->name);
    g_free(p->server);
    g_free(p->user);
    G_OBJECT_CLASS(l2d_profile_parent_class)->finalize(object);
}

static void l2d_profile_class_init(L2dProfileClass *class)
{
    GObjectClass *object = G_OBJECT_CLASS(class);
    const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

    object->get_property = l2d_profile_get_property;
    object->dispose = l2d_profile_dispose;
    object->finalize = l2d_profile_finalize;
    specs[PROP_UUID] = g_param_spec_string("uuid", NULL, NULL, "", flags);
    specs[PROP_NAME] = g_param_spec_string("name", NULL, NULL, "", flags);
    specs[PROP_SERVER] = g_param_spec_string("server", NULL, NULL, "", flags);
    specs[PROP_USER] = g_param_spec_string("user", NULL, NULL, "", flags);
    specs[PROP_STORED] = g_param_spec_boolean("stored", NULL, NULL, TRUE, flags);
    specs[PROP_TUNNEL] = g_param_spec_object("tunnel", NULL, NULL, L2D_TYPE_TUNNEL, flags);
    g_object_class_install_properties(object, PROPS, specs);
    changed_signal = g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
}

static void l2d_profile_init(L2dProfile *p)
{
    p->stored = TRUE;
}

L2dProfile *l2d_profile_new(const char *uuid, const char *name, const char *server,
                            const char *user)
{
    L2dProfile *p = g_object_new(L2D_TYPE_PROFILE, NULL);

    p->uuid = g_strdup(uuid);
    p->name = g_strdup(name ? name : "");
    p->server = g_strdup(server ? server : "");
    p->user = g_strdup(user ? user : "");
    return p;
}

const char *l2d_profile_get_uuid(L2dProfile *p)
{
    return p->uuid;
}

const char *l2d_profile_get_name(L2dProfile *p)
{
    return p->name;
}

const char *l2d_profile_get_server(L2dProfile *p)
{
    return p->server;
}

const char *l2d_profile_get_user(L2dProfile *p)
{
    return p->user;
}

gboolean l2d_profile_is_stored(L2dProfile *p)
{
    return p->stored;
}

void l2d_profile_set_stored(L2dProfile *p, gboolean stored)
{
    if (p->stored == stored)
        return;
    p->stored = stored;
    g_object_notify_by_pspec(G_OBJECT(p), specs[PROP_STORED]);
    changed(p);
}

static void set_text(L2dProfile *p, char **place, const char *text, guint prop)
{
    if (g_strcmp0(*place, text) == 0)
        return;
    g_free(*place);
    *place = g_strdup(text ? text : "");
    g_object_notify_by_pspec(G_OBJECT(p), specs[prop]);
}

void l2d_profile_set_texts(L2dProfile *p, const char *name, const char *server, const char *user)
{
    set_text(p, &p->name, name, PROP_NAME);
    set_text(p, &p->server, server, PROP_SERVER);
    set_text(p, &p->user, user, PROP_USER);
    changed(p);
}

L2dTunnel *l2d_profile_get_tunnel(L2dProfile *p)
{
    return p->tunnel;
}

void l2d_profile_set_tunnel(L2dProfile *p, L2dTunnel *tunnel)
{
    if (p->tunnel == tunnel)
        return;
    g_clear_signal_handler(&p->tunnel_changed, p->tunnel);
    g_set_object(&p->tunnel, tunnel);
    if (tunnel)
        p->tunnel_changed = g_signal_connect_swapped(tunnel, "changed", G_CALLBACK(changed), p);
    g_object_notify_by_pspec(G_OBJECT(p), specs[PROP_TUNNEL]);
    changed(p);
}

L2dState l2d_profile_get_state(L2dProfile *p)
{
    return p->tunnel ? l2d_tunnel_get_state(p->tunnel) : L2D_STATE_OFF;
}

gboolean l2d_profile_is_wanted(L2dProfile *p)
{
    L2dState s = l2d_profile_get_state(p);

    return s == L2D_STATE_DIALING || s == L2D_STATE_UP || s == L2D_STATE_RECONNECTING;
}
