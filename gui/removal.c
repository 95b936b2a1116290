/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "removal.h"

#include <glib/gi18n.h>

struct _L2dRemoval {
    GObject parent;
    L2dBackend *backend;
    AdwToastOverlay *toasts; /* weak: the window may go first */
    L2dProfile *waiting;
    AdwToast *toast;
};

G_DEFINE_TYPE(L2dRemoval, l2d_removal, G_TYPE_OBJECT)

static guint changed_signal;

static void changed(L2dRemoval *self)
{
    g_signal_emit(self, changed_signal, 0);
}

static void on_removed(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(L2dRemoval) self = user;
    g_autoptr(GError) error = NULL;

    if (!l2d_backend_finish(L2D_BACKEND(source), result, &error) && self->toasts)
        adw_toast_overlay_add_toast(self->toasts, adw_toast_new(error->message));
}

static void forget_toast(L2dRemoval *self)
{
    if (self->toast)
        g_signal_handlers_disconnect_by_data(self->toast, self);
    g_clear_object(&self->toast);
}

void l2d_removal_finish(L2dRemoval *self)
{
    g_autoptr(L2dProfile) p = g_steal_pointer(&self->waiting);

    forget_toast(self);
    if (p)
        l2d_backend_remove(self->backend, p, NULL, on_removed, g_object_ref(self));
}

static void on_undo(L2dRemoval *self)
{
    g_clear_object(&self->waiting);
    changed(self);
}

void l2d_removal_begin(L2dRemoval *self, L2dProfile *profile)
{
    g_autofree char *text = NULL;

    l2d_removal_finish(self);
    /* TRANSLATORS: the name of a connection. */
    text = g_strdup_printf(_("“%s” was deleted"), l2d_profile_get_name(profile));
    self->waiting = g_object_ref(profile);
    self->toast = g_object_ref(adw_toast_new(text));
    adw_toast_set_button_label(self->toast, _("Undo"));
    g_signal_connect_swapped(self->toast, "button-clicked", G_CALLBACK(on_undo), self);
    g_signal_connect_swapped(self->toast, "dismissed", G_CALLBACK(l2d_removal_finish), self);
    adw_toast_overlay_add_toast(self->toasts, self->toast);
    changed(self);
}

gboolean l2d_removal_holds(L2dRemoval *self, L2dProfile *profile)
{
    return self->waiting == profile;
}

static void l2d_removal_dispose(GObject *object)
{
    L2dRemoval *self = L2D_REMOVAL(object);

    forget_toast(self);
    g_clear_object(&self->waiting);
    g_clear_object(&self->backend);
    g_clear_weak_pointer(&self->toasts);
    G_OBJECT_CLASS(l2d_removal_parent_class)->dispose(object);
}

static void l2d_removal_class_init(L2dRemovalClass *class)
{
    G_OBJECT_CLASS(class)->dispose = l2d_removal_dispose;
    changed_signal = g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
}

static void l2d_removal_init(L2dRemoval *self)
{
    (void)self;
}

L2dRemoval *l2d_removal_new(L2dBackend *backend, AdwToastOverlay *toasts)
{
    L2dRemoval *self = g_object_new(L2D_TYPE_REMOVAL, NULL);

    self->backend = g_object_ref(backend);
    g_set_weak_pointer(&self->toasts, toasts);
    return self;
}
