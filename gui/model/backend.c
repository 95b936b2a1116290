/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/backend.h"
#include "bus/tunnels.h"
#include "model/words.h"

typedef struct {
    GListStore *profiles;
    char *trouble;          /* "" before it is known */
    char *blocked;          /* who holds the kill switch, or NULL */
    L2dBusTunnels *tunnels; /* NULL: it does not follow them */
} L2dBackendPrivate;

G_DEFINE_ABSTRACT_TYPE_WITH_PRIVATE(L2dBackend, l2d_backend, G_TYPE_OBJECT)

static guint ready_signal;
static guint secrets_signal;
static guint ending_signal;
static guint blocked_signal;

static L2dBackendPrivate *inside(L2dBackend *b)
{
    return l2d_backend_get_instance_private(b);
}

static void l2d_backend_finalize(GObject *object)
{
    L2dBackendPrivate *p = inside(L2D_BACKEND(object));

    g_clear_object(&p->tunnels);
    g_object_unref(p->profiles);
    g_free(p->trouble);
    g_free(p->blocked);
    G_OBJECT_CLASS(l2d_backend_parent_class)->finalize(object);
}

static void l2d_backend_class_init(L2dBackendClass *class)
{
    G_OBJECT_CLASS(class)->finalize = l2d_backend_finalize;
    ready_signal = g_signal_new("ready-changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0,
                                NULL, NULL, NULL, G_TYPE_NONE, 0);
    secrets_signal = g_signal_new("secrets-wanted", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0,
                                  g_signal_accumulator_true_handled, NULL, NULL, G_TYPE_BOOLEAN, 2,
                                  L2D_TYPE_PROFILE, L2D_TYPE_SECRET_REQUEST);
    ending_signal = g_signal_new("ending", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL,
                                 NULL, NULL, G_TYPE_NONE, 1, L2D_TYPE_PROFILE);
    blocked_signal = g_signal_new("blocked-changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0,
                                  NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void l2d_backend_init(L2dBackend *b)
{
    inside(b)->profiles = g_list_store_new(L2D_TYPE_PROFILE);
    inside(b)->trouble = g_strdup("");
}

void l2d_backend_start(L2dBackend *b)
{
    L2D_BACKEND_GET_CLASS(b)->start(b);
}

GListModel *l2d_backend_get_profiles(L2dBackend *b)
{
    return G_LIST_MODEL(inside(b)->profiles);
}

L2dProfile *l2d_backend_find(L2dBackend *b, const char *uuid)
{
    GListModel *list = l2d_backend_get_profiles(b);

    for (guint i = 0; i < g_list_model_get_n_items(list); i++) {
        g_autoptr(L2dProfile) p = g_list_model_get_item(list, i);

        if (g_strcmp0(l2d_profile_get_uuid(p), uuid) == 0)
            return p; /* the list has a reference of its own */
    }
    return NULL;
}

const char *l2d_backend_get_trouble(L2dBackend *b)
{
    return inside(b)->trouble;
}

const char *l2d_backend_get_title(L2dBackend *b)
{
    return _(L2D_BACKEND_GET_CLASS(b)->title);
}

void l2d_backend_set_trouble(L2dBackend *b, const char *trouble)
{
    g_free(inside(b)->trouble);
    inside(b)->trouble = g_strdup(trouble);
    g_signal_emit(b, ready_signal, 0);
}

const char *l2d_backend_get_blocked(L2dBackend *b)
{
    return inside(b)->blocked;
}

void l2d_backend_set_blocked(L2dBackend *b, const char *holders)
{
    L2dBackendPrivate *p = inside(b);

    if (g_strcmp0(p->blocked, holders) == 0)
        return;
    g_free(p->blocked);
    p->blocked = g_strdup(holders);
    g_signal_emit(b, blocked_signal, 0);
}

gboolean l2d_backend_can_unblock(L2dBackend *b)
{
    return L2D_BACKEND_GET_CLASS(b)->unblock != NULL;
}

gboolean l2d_backend_has_desktop_switch(L2dBackend *b)
{
    return L2D_BACKEND_GET_CLASS(b)->desktop_switch;
}

static int by_name(gconstpointer a, gconstpointer b, gpointer user)
{
    (void)user;
    return g_utf8_collate(l2d_profile_get_name(L2D_PROFILE((gpointer)a)),
                          l2d_profile_get_name(L2D_PROFILE((gpointer)b)));
}

void l2d_backend_insert(L2dBackend *b, L2dProfile *profile)
{
    g_list_store_insert_sorted(inside(b)->profiles, profile, by_name, NULL);
}

void l2d_backend_drop(L2dBackend *b, L2dProfile *profile)
{
    guint at;

    if (g_list_store_find(inside(b)->profiles, profile, &at))
        g_list_store_remove(inside(b)->profiles, at);
}

gboolean l2d_backend_want_secrets(L2dBackend *b, L2dProfile *profile, L2dSecretRequest *request)
{
    gboolean taken = FALSE;

    g_signal_emit(b, secrets_signal, 0, profile, request, &taken);
    if (!taken)
        l2d_secret_request_refuse(request);
    return taken;
}

/* A name for a tunnel that no profile here has; comes with its first status. */
static void name_guest(L2dProfile *profile)
{
    L2dSnapshot *s = l2d_tunnel_get_snapshot(l2d_profile_get_tunnel(profile));
    const char *name = l2d_snapshot_get(s, "name");
    const char *server = l2d_snapshot_get(s, "server.name");

    if (*name && g_strcmp0(name, l2d_profile_get_name(profile)) != 0)
        l2d_profile_set_texts(profile, name, server, "");
}

static void on_tunnel_added(L2dBackend *b, const char *uuid, L2dBusTunnel *tunnel)
{
    L2dProfile *p = l2d_backend_find(b, uuid);
    g_autoptr(L2dProfile) guest = NULL;

    if (!p) {
        p = guest = l2d_profile_new(uuid, _("Another program's connection"), "", "");
        l2d_profile_set_stored(guest, FALSE);
        l2d_profile_set_tunnel(guest, L2D_TUNNEL(tunnel));
        g_signal_connect_object(tunnel, "changed", G_CALLBACK(name_guest), guest,
                                G_CONNECT_SWAPPED);
        l2d_backend_insert(b, guest);
    }
    l2d_profile_set_tunnel(p, L2D_TUNNEL(tunnel));
}

static void on_tunnel_removed(L2dBackend *b, const char *uuid, L2dBusTunnel *tunnel)
{
    L2dProfile *p = l2d_backend_find(b, uuid);

    (void)tunnel;
    if (p && !l2d_profile_is_stored(p))
        l2d_backend_drop(b, p);
}

void l2d_backend_follow_tunnels(L2dBackend *b)
{
    L2dBackendPrivate *p = inside(b);

    if (p->tunnels)
        return;
    p->tunnels = l2d_bus_tunnels_new();
    g_signal_connect_object(p->tunnels, "added", G_CALLBACK(on_tunnel_added), b, G_CONNECT_SWAPPED);
    g_signal_connect_object(p->tunnels, "removed", G_CALLBACK(on_tunnel_removed), b,
                            G_CONNECT_SWAPPED);
}

static GTask *begin(L2dBackend *b, GCancellable *cancellable, GAsyncReadyCallback callback,
                    gpointer user)
{
    return g_task_new(b, cancellable, callback, user);
}

void l2d_backend_connect(L2dBackend *b, L2dProfile *profile, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user)
{
    L2D_BACKEND_GET_CLASS(b)->connect(b, profile, begin(b, cancellable, callback, user));
}

void l2d_backend_disconnect(L2dBackend *b, L2dProfile *profile, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user)
{
    g_signal_emit(b, ending_signal, 0, profile);
    L2D_BACKEND_GET_CLASS(b)->disconnect(b, profile, begin(b, cancellable, callback, user));
}

void l2d_backend_unblock(L2dBackend *b, GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user)
{
    L2D_BACKEND_GET_CLASS(b)->unblock(b, begin(b, cancellable, callback, user));
}

void l2d_backend_load(L2dBackend *b, L2dProfile *profile, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user)
{
    L2D_BACKEND_GET_CLASS(b)->load(b, profile, begin(b, cancellable, callback, user));
}

void l2d_backend_add(L2dBackend *b, const l2tpc_profile *settings, GCancellable *cancellable,
                     GAsyncReadyCallback callback, gpointer user)
{
    L2D_BACKEND_GET_CLASS(b)->add(b, settings, begin(b, cancellable, callback, user));
}

void l2d_backend_replace(L2dBackend *b, L2dProfile *profile, const l2tpc_profile *settings,
                         GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user)
{
    L2D_BACKEND_GET_CLASS(b)->replace(b, profile, settings, begin(b, cancellable, callback, user));
}

void l2d_backend_remove(L2dBackend *b, L2dProfile *profile, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user)
{
    L2D_BACKEND_GET_CLASS(b)->remove(b, profile, begin(b, cancellable, callback, user));
}

gboolean l2d_backend_finish(L2dBackend *b, GAsyncResult *result, GError **error)
{
    g_return_val_if_fail(g_task_is_valid(result, b), FALSE);
    return g_task_propagate_boolean(G_TASK(result), error);
}

l2tpc_profile *l2d_backend_load_finish(L2dBackend *b, GAsyncResult *result, GError **error)
{
    g_return_val_if_fail(g_task_is_valid(result, b), NULL);
    return g_task_propagate_pointer(G_TASK(result), error);
}
