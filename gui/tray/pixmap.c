/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tray/pixmap.h"

#include <gdk-pixbuf/gdk-pixbuf.h>
#include <string.h>

#define NAME "net.l2tpc.Dialer"

/* Each pixel as A, R, G, B, whatever the order of this computer; the rows without gaps. */
static GVariant *argb(GdkPixbuf *pixbuf)
{
    int width = gdk_pixbuf_get_width(pixbuf);
    int height = gdk_pixbuf_get_height(pixbuf);
    int stride = gdk_pixbuf_get_rowstride(pixbuf);
    const guint8 *from = gdk_pixbuf_read_pixels(pixbuf);
    gsize size = (gsize)width * (gsize)height * 4;
    guint8 *to = g_malloc(size);
    guint8 *at = to;

    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++, at += 4) {
            const guint8 *p = from + (gsize)y * (gsize)stride + (gsize)x * 4;

            at[0] = p[3];
            memcpy(at + 1, p, 3);
        }
    return g_variant_new(
        "(ii@ay)", width, height,
        g_variant_new_from_data(G_VARIANT_TYPE_BYTESTRING, to, size, TRUE, g_free, to));
}

GVariant *l2d_tray_pixmaps(const char *state)
{
    static const int sizes[] = {16, 22, 24, 32, 48};
    g_autofree char *path =
        g_strdup_printf("/net/l2tpc/Dialer/icons/scalable/status/" NAME "-tray-%s.svg", state);
    GVariantBuilder out;

    g_variant_builder_init(&out, G_VARIANT_TYPE("a(iiay)"));
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(GdkPixbuf) raw =
            gdk_pixbuf_new_from_resource_at_scale(path, sizes[i], sizes[i], TRUE, NULL);
        g_autoptr(GdkPixbuf) pixbuf = raw ? gdk_pixbuf_add_alpha(raw, FALSE, 0, 0, 0) : NULL;

        if (pixbuf)
            g_variant_builder_add_value(&out, argb(pixbuf));
    }
    return g_variant_builder_end(&out);
}

static char *in_folder(const char *data)
{
    g_autofree char *icon =
        g_build_filename(data, "icons", "hicolor", "scalable", "status", NAME "-tray-on.svg", NULL);

    return g_file_test(icon, G_FILE_TEST_EXISTS) ? g_build_filename(data, "icons", NULL) : NULL;
}

char *l2d_tray_theme_path(void)
{
    const char *const *folders = g_get_system_data_dirs();
    char *found = in_folder(g_get_user_data_dir());

    for (guint i = 0; !found && folders[i]; i++)
        found = in_folder(folders[i]);
    return found;
}

char *l2d_tray_icon_name(const char *state)
{
    const char *desktop = g_getenv("XDG_CURRENT_DESKTOP");

    return desktop && strstr(desktop, "GNOME") ? g_strdup_printf(NAME "-%s-symbolic", state)
                                               : g_strdup_printf(NAME "-tray-%s", state);
}
