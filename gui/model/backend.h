/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where profiles are stored and who runs them: NetworkManager, our own system service, or a
 * recording in a test. The window knows this class alone. Everything is asynchronous and never
 * blocks; calls that end give a sentence for people in their GError.
 */
#ifndef L2D_BACKEND_H
#define L2D_BACKEND_H

#include "model/profile.h"
#include "model/secret_request.h"

#include <gio/gio.h>
#include <l2tpc-profile.h>

G_BEGIN_DECLS

#define L2D_TYPE_BACKEND (l2d_backend_get_type())
G_DECLARE_DERIVABLE_TYPE(L2dBackend, l2d_backend, L2D, BACKEND, GObject)

/* Each owns the task that it is given (source: the back end) and returns it at once or later. The
 * value of the task is a boolean, of `load` an l2tpc_profile. */
struct _L2dBackendClass {
    GObjectClass parent_class;
    const char *title; /* msgid: "NetworkManager" */
    /* Looks for the service; calls l2d_backend_set_ready(). */
    void (*start)(L2dBackend *backend);
    void (*connect)(L2dBackend *backend, L2dProfile *profile, GTask *task);
    void (*disconnect)(L2dBackend *backend, L2dProfile *profile, GTask *task);
    /* The settings with their secrets where the user may have them. */
    void (*load)(L2dBackend *backend, L2dProfile *profile, GTask *task);
    void (*add)(L2dBackend *backend, const l2tpc_profile *settings, GTask *task);
    void (*replace)(L2dBackend *backend, L2dProfile *profile, const l2tpc_profile *settings,
                    GTask *task);
    void (*remove)(L2dBackend *backend, L2dProfile *profile, GTask *task);
    /* Ends what the kill switch holds back. NULL: only an administrator can. */
    void (*unblock)(L2dBackend *backend, GTask *task);
    /* The desktop has a switch of its own for these connections. */
    gboolean desktop_switch;
};

/*
 * Signals: "ready-changed"; "secrets-wanted" (L2dProfile, L2dSecretRequest), which returns TRUE
 * when somebody asks the user: otherwise the request is refused; "ending" (L2dProfile): somebody
 * has called l2d_backend_disconnect(); "blocked-changed".
 */
void l2d_backend_start(L2dBackend *backend);
/* L2dProfile; the list lives as long as the back end. */
GListModel *l2d_backend_get_profiles(L2dBackend *backend);
L2dProfile *l2d_backend_find(L2dBackend *backend, const char *uuid); /* or NULL */
/* NULL: it works; else a sentence that says why not. "" before it is known. */
const char *l2d_backend_get_trouble(L2dBackend *backend);
const char *l2d_backend_get_title(L2dBackend *backend); /* translated */

void l2d_backend_connect(L2dBackend *backend, L2dProfile *profile, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user);
/* Also cancels a dial. */
void l2d_backend_disconnect(L2dBackend *backend, L2dProfile *profile, GCancellable *cancellable,
                            GAsyncReadyCallback callback, gpointer user);
void l2d_backend_load(L2dBackend *backend, L2dProfile *profile, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user);
/* `settings` may be freed at once. */
void l2d_backend_add(L2dBackend *backend, const l2tpc_profile *settings, GCancellable *cancellable,
                     GAsyncReadyCallback callback, gpointer user);
void l2d_backend_replace(L2dBackend *backend, L2dProfile *profile, const l2tpc_profile *settings,
                         GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user);
void l2d_backend_remove(L2dBackend *backend, L2dProfile *profile, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user);
/* Who holds the network's traffic back by a kill switch, or NULL: nobody. */
const char *l2d_backend_get_blocked(L2dBackend *backend);
gboolean l2d_backend_can_unblock(L2dBackend *backend);
void l2d_backend_unblock(L2dBackend *backend, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user);
gboolean l2d_backend_has_desktop_switch(L2dBackend *backend);
/* Of all but load. */
gboolean l2d_backend_finish(L2dBackend *backend, GAsyncResult *result, GError **error);
l2tpc_profile *l2d_backend_load_finish(L2dBackend *backend, GAsyncResult *result, GError **error);

/* For subclasses. */
void l2d_backend_set_trouble(L2dBackend *backend, const char *trouble);
void l2d_backend_set_blocked(L2dBackend *backend, const char *holders); /* or NULL */
void l2d_backend_insert(L2dBackend *backend, L2dProfile *profile);      /* sorted by name */
void l2d_backend_drop(L2dBackend *backend, L2dProfile *profile);
/*
 * Gives each running tunnel of the bus to its profile, by the UUID; one that belongs to none gets a
 * profile that is not stored, until it ends.
 */
void l2d_backend_follow_tunnels(L2dBackend *backend);
/* FALSE: nobody can ask, and it was refused. */
gboolean l2d_backend_want_secrets(L2dBackend *backend, L2dProfile *profile,
                                  L2dSecretRequest *request);

G_END_DECLS

#endif
