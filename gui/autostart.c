/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "autostart.h"
#include "application.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>

static char *path_new(void)
{
    return g_build_filename(g_get_user_config_dir(), "autostart", L2D_APPLICATION_ID ".desktop",
                            NULL);
}

gboolean l2d_autostart_get(void)
{
    g_autofree char *path = path_new();

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static gboolean fail(GError **error, int number)
{
    g_set_error(error, G_IO_ERROR, (int)g_io_error_from_errno(number),
                _("The autostart folder cannot be changed: %s"), g_strerror(number));
    return FALSE;
}

gboolean l2d_autostart_set(gboolean wanted, GError **error)
{
    static const char text[] = "[Desktop Entry]\n"
                               "Type=Application\n"
                               "Name=L2TP Dialer\n"
                               "Exec=l2tpc-gui --tray\n"
                               "Icon=" L2D_APPLICATION_ID "\n"
                               "X-GNOME-Autostart-enabled=true\n";
    g_autofree char *path = path_new();
    g_autofree char *folder = g_path_get_dirname(path);

    if (!wanted)
        return g_unlink(path) == 0 || errno == ENOENT || fail(error, errno);
    if (g_mkdir_with_parents(folder, 0700) < 0)
        return fail(error, errno);
    return g_file_set_contents(path, text, -1, error);
}
