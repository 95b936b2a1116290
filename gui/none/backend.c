/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "none/backend.h"
#include "bus/tunnel.h"
#include "model/words.h"

#define L2D_TYPE_NONE_BACKEND (l2d_none_backend_get_type())
G_DECLARE_FINAL_TYPE(L2dNoneBackend, l2d_none_backend, L2D, NONE_BACKEND, L2dBackend)

struct _L2dNoneBackend {
    L2dBackend parent;
};

G_DEFINE_TYPE(L2dNoneBackend, l2d_none_backend, L2D_TYPE_BACKEND)

static const char trouble[] =
    N_("No service that makes connections is installed. Install the package "
       "network-manager-l2tpc, or l2tpc-service on a computer without NetworkManager.");

static void refuse(GTask *task)
{
    g_task_return_new_error(task, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "%s", _(trouble));
    g_object_unref(task);
}

static void start(L2dBackend *b)
{
    l2d_backend_set_trouble(b, _(trouble));
    l2d_backend_follow_tunnels(b); /* those of the command line */
}

static void on_disconnected(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(GTask) task = user;
    g_autoptr(GVariant) answer = NULL;
    GError *error = NULL;

    answer = g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    if (answer)
        g_task_return_boolean(task, TRUE);
    else
        g_task_return_error(task, error);
}

static void disconnect(L2dBackend *b, L2dProfile *profile, GTask *task)
{
    L2dTunnel *t = l2d_profile_get_tunnel(profile);

    (void)b;
    if (t && L2D_IS_BUS_TUNNEL(t))
        l2d_bus_tunnel_disconnect(L2D_BUS_TUNNEL(t), on_disconnected, task);
    else
        refuse(task);
}

static void with_profile(L2dBackend *b, L2dProfile *profile, GTask *task)
{
    (void)b;
    (void)profile;
    refuse(task);
}

static void add(L2dBackend *b, const l2tpc_profile *settings, GTask *task)
{
    (void)b;
    (void)settings;
    refuse(task);
}

static void replace(L2dBackend *b, L2dProfile *profile, const l2tpc_profile *settings, GTask *task)
{
    (void)b;
    (void)profile;
    (void)settings;
    refuse(task);
}

static void l2d_none_backend_class_init(L2dNoneBackendClass *class)
{
    L2dBackendClass *b = L2D_BACKEND_CLASS(class);

    b->title = N_("No service");
    b->start = start;
    b->connect = with_profile;
    b->disconnect = disconnect;
    b->load = with_profile;
    b->remove = with_profile;
    b->add = add;
    b->replace = replace;
}

static void l2d_none_backend_init(L2dNoneBackend *self)
{
    (void)self;
}

const char *l2d_none_backend_sentence(void)
{
    return _(trouble);
}

L2dBackend *l2d_none_backend_new(void)
{
    return g_object_new(L2D_TYPE_NONE_BACKEND, NULL);
}
