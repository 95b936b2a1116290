/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where libnm is not there at the build. */
#include "settings_form.h"

gboolean l2d_settings_form_is_installed(void)
{
    return FALSE;
}

L2dSettingsForm *l2d_settings_form_new(const l2tpc_profile *settings, GError **error)
{
    (void)settings;
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "");
    return NULL;
}

void l2d_settings_form_free(L2dSettingsForm *form)
{
    (void)form;
}

GtkWidget *l2d_settings_form_get_widget(L2dSettingsForm *form)
{
    (void)form;
    return NULL;
}

void l2d_settings_form_on_changed(L2dSettingsForm *form, GCallback changed, gpointer user)
{
    (void)form;
    (void)changed;
    (void)user;
}

l2tpc_profile *l2d_settings_form_read(L2dSettingsForm *form, GError **error)
{
    (void)form;
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "");
    return NULL;
}
