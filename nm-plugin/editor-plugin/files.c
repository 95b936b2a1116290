/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files in and out. The library opens none: it is done here. */
#include "files.h"

#include "exchange.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The parts of a set, as the programs call them that it is for. */
static const char *const set_names[] = {
    "ipsec.conf",  "ipsec.secrets",  "xl2tpd.conf",          "chap-secrets",
    "pap-secrets", "options.xl2tpd", "options.l2tpd.client", "options.xl2tpd.client",
};

static gboolean refuse_errno(GError **error, int number, const char *path)
{
    g_set_error(error, G_IO_ERROR, (gint)g_io_error_from_errno(number), _("%s cannot be read: %s"),
                path, g_strerror(number));
    return FALSE;
}

/* A pipe would wait, a device never end: only regular files are read, and no more than may be. */
static gboolean read_file(const char *path, l2tpc_profile_file *out, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    GByteArray *bytes;
    struct stat st;
    ssize_t n;

    if (fd < 0)
        return refuse_errno(error, errno, path);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void)close(fd);
        return refuse_errno(error, EINVAL, path);
    }
    bytes = g_byte_array_new();
    do { /* one byte more than is allowed tells the library that it was too much */
        guint8 chunk[16384];

        n = read(fd, chunk, sizeof(chunk));
        if (n > 0)
            (void)g_byte_array_append(bytes, chunk, (guint)n);
        explicit_bzero(chunk, sizeof(chunk));
    } while ((n > 0 && bytes->len <= L2TPC_PROFILE_FILE_MAX) || (n < 0 && errno == EINTR));
    (void)close(fd);
    out->name = g_path_get_basename(path);
    out->bytes = g_byte_array_free_to_bytes(bytes);
    return TRUE;
}

static void file_clear(void *data)
{
    l2tpc_profile_file *f = data;

    g_free(f->name);
    g_bytes_unref(f->bytes);
}

static gboolean is_part(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(set_names); i++)
        if (strcmp(set_names[i], name) == 0)
            return TRUE;
    return FALSE;
}

/* Parts that cannot be read (ipsec.secrets is root's) are done without. */
static void add_siblings(GArray *files, const char *path)
{
    char *folder = g_path_get_dirname(path);
    char *own = g_path_get_basename(path);

    for (gsize i = 0; i < G_N_ELEMENTS(set_names) && is_part(own); i++) {
        char *other = g_build_filename(folder, set_names[i], NULL);
        l2tpc_profile_file f;

        if (strcmp(set_names[i], own) != 0 && read_file(other, &f, NULL))
            (void)g_array_append_val(files, f);
        g_free(other);
    }
    g_free(own);
    g_free(folder);
}

static void tell(const char *path, const GPtrArray *notes)
{
    for (guint i = 0; notes && i < notes->len; i++) {
        const l2tpc_profile_note *n = g_ptr_array_index(notes, i);
        char *sentence;

        if (n->severity == L2TPC_PROFILE_DIFFERENCE)
            continue;
        sentence = exchange_sentence(n);
        g_message("%s: %s", path, sentence);
        g_free(sentence);
    }
}

static void refuse(GError **error, int result, const GPtrArray *notes, const char *path)
{
    char *why = exchange_first_error(notes);

    g_set_error(
        error, G_IO_ERROR,
        result == L2TPC_PROFILE_ENOTSUPPORTED ? G_IO_ERROR_NOT_SUPPORTED : G_IO_ERROR_INVALID_DATA,
        "%s: %s", path, why ? why : _("This is no file that holds an L2TP/IPsec connection."));
    g_free(why);
}

/* A value that no profile may have is left out by the import with an error among its notes. */
static NMConnection *take_profile(const l2tpc_profile *p, const char *path, GError **error)
{
    GPtrArray *notes = l2tpc_profile_get_notes(p);
    char *why = exchange_first_error(notes);
    NMConnection *connection = NULL;

    if (why)
        refuse(error, L2TPC_PROFILE_EINVALID, notes, path);
    else
        connection = exchange_connection(p, error);
    if (connection)
        tell(path, notes);
    g_free(why);
    return connection;
}

NMConnection *files_import(const char *path, GError **error)
{
    GArray *files = g_array_new(FALSE, TRUE, sizeof(l2tpc_profile_file));
    GPtrArray *profiles = NULL;
    GPtrArray *notes = NULL;
    NMConnection *connection = NULL;
    l2tpc_profile_file first;
    int rc;

    g_array_set_clear_func(files, file_clear);
    if (!read_file(path, &first, error)) {
        g_array_unref(files);
        return NULL;
    }
    (void)g_array_append_val(files, first);
    add_siblings(files, path);
    rc = l2tpc_profile_import((l2tpc_profile_file *)(void *)files->data, files->len, &profiles,
                              &notes);
    if (rc != L2TPC_PROFILE_OK || profiles->len == 0) {
        refuse(error, rc, notes, path);
    } else {
        if (profiles->len > 1) /* a client of libnm takes one */
            g_message(_("%s holds more than one connection; the first is taken. l2tpc import takes "
                        "all."),
                      path);
        connection = take_profile(g_ptr_array_index(profiles, 0), path, error);
        if (connection)
            tell(path, notes);
    }
    g_clear_pointer(&profiles, g_ptr_array_unref);
    g_clear_pointer(&notes, g_ptr_array_unref);
    g_array_unref(files);
    return connection;
}

/* ---- out ---- */

static const char *format_of(const char *path)
{
    l2tpc_profile_format f;

    for (unsigned i = 0; l2tpc_profile_format_at(i, &f); i++)
        if (*f.suffix && strcmp(f.suffix, ".conf") != 0 && g_str_has_suffix(path, f.suffix))
            return f.name;
    return "nm-l2tp";
}

gboolean files_export(const char *path, NMConnection *connection, GError **error)
{
    l2tpc_profile *p = exchange_profile(connection);
    GPtrArray *files = NULL;
    GPtrArray *notes = NULL;
    gboolean ok = FALSE;
    int rc = l2tpc_profile_export(p, format_of(path), 0, &files, &notes);

    if (rc != L2TPC_PROFILE_OK) {
        refuse(error, rc, notes, path);
    } else {
        const l2tpc_profile_file *f = g_ptr_array_index(files, 0);
        gsize n = 0;
        const char *bytes = g_bytes_get_data(f->bytes, &n);

        ok = g_file_set_contents_full(path, bytes, (gssize)n, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                      error);
        if (ok)
            tell(path, notes);
    }
    g_clear_pointer(&files, g_ptr_array_unref);
    g_clear_pointer(&notes, g_ptr_array_unref);
    l2tpc_profile_free(p);
    return ok;
}

char *files_suggest(NMConnection *connection)
{
    const char *id = nm_connection_get_id(connection);
    char *name = g_strdup(id && *id ? id : "l2tp");
    char *file;

    (void)g_strdelimit(name, "/\\:*?\"<>|", '_');
    if (*name == '.')
        *name = '_';
    file = g_strconcat(name, ".conf", NULL);
    g_free(name);
    return file;
}
