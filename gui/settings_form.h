/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The controls for the settings of a connection. They come with the plugin of NetworkManager's
 * clients, so that all programs of a desktop show the same ones; without it there are none.
 */
#ifndef L2D_SETTINGS_FORM_H
#define L2D_SETTINGS_FORM_H

#include <gtk/gtk.h>
#include <l2tpc-profile.h>

G_BEGIN_DECLS

typedef struct l2d_settings_form L2dSettingsForm;

gboolean l2d_settings_form_is_installed(void);
/* `settings`: NULL for a new connection. NULL with a sentence when the controls cannot be made. */
L2dSettingsForm *l2d_settings_form_new(const l2tpc_profile *settings, GError **error);
/* Its widget must have been taken out of its parent before. */
void l2d_settings_form_free(L2dSettingsForm *form);
GtkWidget *l2d_settings_form_get_widget(L2dSettingsForm *form);
/* Called with `user` whenever somebody has changed something. */
void l2d_settings_form_on_changed(L2dSettingsForm *form, GCallback changed, gpointer user);
/* As they stand now, with secrets; NULL with the sentence of what is wrong. */
l2tpc_profile *l2d_settings_form_read(L2dSettingsForm *form, GError **error);

G_END_DECLS

#endif
