/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "service/call.h"

#include <errno.h>
#include <gio/gunixfdlist.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PATIENCE_MS 130000 /* a person may have to tell polkit a password */

int l2d_service_memory(const char *text, gsize n, GError **error)
{
    int fd = memfd_create("l2tpc", MFD_CLOEXEC);
    gssize done = 0;

    while (fd >= 0 && n > 0 && done >= 0) {
        done = write(fd, text, n);
        if (done > 0) {
            text += done;
            n -= (gsize)done;
        }
    }
    if (fd >= 0 && n == 0)
        return fd;
    g_set_error_literal(error, G_IO_ERROR, (int)g_io_error_from_errno(errno), g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

int l2d_service_keyfile(const l2tpc_profile *settings, GError **error)
{
    GPtrArray *files = NULL;
    GPtrArray *notes = NULL;
    int fd = -1;

    if (l2tpc_profile_export(settings, "networkmanager", L2TPC_PROFILE_WITH_SECRETS, &files,
                             &notes) == L2TPC_PROFILE_OK &&
        files->len == 1) {
        const l2tpc_profile_file *f = g_ptr_array_index(files, 0);
        gsize n = 0;
        const char *bytes = g_bytes_get_data(f->bytes, &n);

        fd = l2d_service_memory(bytes, n, error);
    } else {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED,
                            _("The connection cannot be written."));
    }
    g_clear_pointer(&files, g_ptr_array_unref);
    g_clear_pointer(&notes, g_ptr_array_unref);
    return fd;
}

l2tpc_profile *l2d_service_parse(const char *keyfile, GError **error)
{
    g_autoptr(GBytes) bytes = g_bytes_new(keyfile, strlen(keyfile));
    const l2tpc_profile_file file = {.name = (char *)"profile.nmconnection", .bytes = bytes};
    GPtrArray *profiles = NULL;
    GPtrArray *notes = NULL;
    l2tpc_profile *p = NULL;

    if (l2tpc_profile_import(&file, 1, &profiles, &notes) == L2TPC_PROFILE_OK &&
        profiles->len == 1) {
        g_ptr_array_set_free_func(profiles, NULL);
        p = g_ptr_array_index(profiles, 0);
    } else {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                            _("This is not a keyfile of one L2TP/IPsec connection."));
    }
    g_clear_pointer(&profiles, g_ptr_array_unref);
    g_clear_pointer(&notes, g_ptr_array_unref);
    return p;
}

void l2d_service_put_in_words(GError **error)
{
    static const int gone[] = {G_DBUS_ERROR_NO_REPLY, G_DBUS_ERROR_SERVICE_UNKNOWN,
                               G_DBUS_ERROR_NAME_HAS_NO_OWNER, G_DBUS_ERROR_DISCONNECTED};
    gboolean went = g_error_matches(*error, G_IO_ERROR, G_IO_ERROR_CLOSED);

    for (guint i = 0; i < G_N_ELEMENTS(gone); i++)
        went = went || g_error_matches(*error, G_DBUS_ERROR, gone[i]);
    if (!went) {
        g_dbus_error_strip_remote_error(*error);
        return;
    }
    g_clear_error(error);
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED,
                        _("The service for L2TP connections has stopped."));
}

static void on_answer(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(GTask) task = user;
    GError *error = NULL;
    g_autoptr(GVariant) answer = g_dbus_connection_call_with_unix_fd_list_finish(
        G_DBUS_CONNECTION(source), NULL, result, &error);

    if (answer)
        g_task_return_boolean(task, TRUE);
    else
        g_task_return_error(task, error);
}

void l2d_service_call(GDBusConnection *bus, const char *method, GVariant *parameters,
                      GUnixFDList *files, GTask *task)
{
    g_dbus_connection_call_with_unix_fd_list(
        bus, L2D_SERVICE_NAME, L2D_SERVICE_PATH, L2D_SERVICE_NAME, method, parameters, NULL,
        G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, PATIENCE_MS, files,
        g_task_get_cancellable(task), on_answer, task);
}

gboolean l2d_service_is_error(const GError *error, const char *name)
{
    g_autofree char *whole = g_strconcat(L2D_SERVICE_NAME ".Error.", name, NULL);
    g_autofree char *remote = g_dbus_error_get_remote_error(error);

    return g_strcmp0(remote, whole) == 0;
}
