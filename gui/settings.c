/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "settings.h"
#include "application.h"

GSettings *l2d_settings_new(void)
{
    GSettingsSchemaSource *source = g_settings_schema_source_get_default();
    g_autoptr(GSettingsSchema) schema =
        source ? g_settings_schema_source_lookup(source, L2D_APPLICATION_ID, TRUE) : NULL;

    return schema ? g_settings_new(L2D_APPLICATION_ID) : NULL;
}

gboolean l2d_settings_is_on(const char *key)
{
    g_autoptr(GSettings) settings = l2d_settings_new();

    return !settings || g_settings_get_boolean(settings, key);
}
