/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "none/backend.h"
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
    b->disconnect = with_profile;
    b->load = with_profile;
    b->remove = with_profile;
    b->add = add;
    b->replace = replace;
}

static void l2d_none_backend_init(L2dNoneBackend *self)
{
    (void)self;
}

L2dBackend *l2d_none_backend_new(void)
{
    return g_object_new(L2D_TYPE_NONE_BACKEND, NULL);
}
