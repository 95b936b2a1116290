/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "service/standalone_store.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSTEM_DIR "/etc/l2tpc/profiles"
#define OWN_DIR "/var/lib/l2tpc/profiles"
#define SUFFIX ".nmconnection"

void stored_profile_free(struct stored_profile *p)
{
    if (!p)
        return;
    l2tpc_profile_free(p->profile);
    g_free(p->path);
    g_free(p->uuid);
    g_free(p);
}

static void list_free(gpointer p)
{
    stored_profile_free(p);
}

static char *folder_of(gboolean own, uid_t uid)
{
    return own ? g_strdup_printf(OWN_DIR "/%u", (unsigned)uid) : g_strdup(SYSTEM_DIR);
}

struct text {
    char *bytes;
    gsize n;
};

static void text_free(gpointer user)
{
    struct text *t = user;

    explicit_bzero(t->bytes, t->n);
    g_free(t->bytes);
    g_free(t);
}

/* Wiped when nobody reads it any more. */
static GBytes *take_bytes(char *bytes, gsize n)
{
    struct text *t = g_new0(struct text, 1);

    t->bytes = bytes;
    t->n = n;
    return g_bytes_new_with_free_func(bytes, n, text_free, t);
}

/* A file says where everything goes: none that anybody but root may have written. */
static GBytes *read_file(const char *path)
{
    g_autofree char *bytes = NULL;
    struct stat st;
    gssize n = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

    if (fd < 0)
        return NULL;
    bytes = g_malloc(STORE_FILE_MAX);
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
        !(st.st_mode & 022) && st.st_size < STORE_FILE_MAX)
        n = read(fd, bytes, STORE_FILE_MAX);
    close(fd);
    return n < 0 ? NULL : take_bytes(g_steal_pointer(&bytes), (gsize)n);
}

static l2tpc_profile *take_profile(GBytes *bytes, GPtrArray **out_notes)
{
    const l2tpc_profile_file file = {.name = (char *)"profile" SUFFIX, .bytes = bytes};
    GPtrArray *profiles = NULL;
    l2tpc_profile *p = NULL;

    if (l2tpc_profile_import(&file, 1, &profiles, out_notes) == L2TPC_PROFILE_OK &&
        profiles->len == 1) {
        g_ptr_array_set_free_func(profiles, NULL);
        p = g_ptr_array_index(profiles, 0);
    }
    if (profiles)
        g_ptr_array_unref(profiles);
    return p;
}

static char *uuid_of(const l2tpc_profile *p)
{
    char *uuid = g_key_file_get_string(l2tpc_profile_get_settings(p), "connection", "uuid", NULL);

    if (uuid && g_uuid_string_is_valid(uuid))
        return uuid;
    g_free(uuid);
    return NULL;
}

static struct stored_profile *load(const char *folder, const char *name, gboolean own, uid_t uid)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GBytes) bytes = read_file(path);
    GPtrArray *notes = NULL;
    l2tpc_profile *profile = bytes ? take_profile(bytes, &notes) : NULL;
    struct stored_profile *p;
    char *uuid = profile ? uuid_of(profile) : NULL;

    if (notes)
        g_ptr_array_unref(notes);
    if (!uuid) {
        l2tpc_profile_free(profile);
        return NULL;
    }
    p = g_new0(struct stored_profile, 1);
    p->path = g_steal_pointer(&path);
    p->uuid = uuid;
    p->own = own;
    p->owner = own ? uid : 0;
    p->profile = profile;
    return p;
}

/* "user:alice:;user:bob:;"; NULL when there are none, or when they cannot be read. */
static char **permissions_of(const l2tpc_profile *p)
{
    return g_key_file_get_string_list(l2tpc_profile_get_settings(p), "connection", "permissions",
                                      NULL, NULL);
}

static gboolean is_named(char *const *rows, uid_t uid)
{
    const struct passwd *pw = rows ? getpwuid(uid) : NULL;
    g_autofree char *mine = pw ? g_strdup_printf("user:%s:", pw->pw_name) : NULL;

    for (guint i = 0; mine && rows[i]; i++)
        if (strcmp(rows[i], mine) == 0 ||
            (g_str_has_prefix(mine, rows[i]) && strlen(rows[i]) + 1 == strlen(mine)))
            return TRUE;
    return FALSE;
}

/* No permissions: everybody. What cannot be read permits nobody. */
static gboolean is_permitted(struct stored_profile *p, uid_t uid)
{
    g_auto(GStrv) rows = permissions_of(p->profile);

    p->named = p->own || uid == 0 || is_named(rows, uid);
    if (p->named)
        return TRUE;
    return rows ? !rows[0]
                : !g_key_file_has_key(l2tpc_profile_get_settings(p->profile), "connection",
                                      "permissions", NULL);
}

unsigned store_users(const struct stored_profile *p, uid_t *out, unsigned room)
{
    g_auto(GStrv) rows = p->own ? NULL : permissions_of(p->profile);
    unsigned n = 0;

    if (p->own && room > 0)
        out[n++] = p->owner;
    for (guint i = 0; rows && rows[i] && n < room; i++) {
        g_auto(GStrv) words = g_strsplit(rows[i], ":", 3);
        const struct passwd *pw =
            words[0] && words[1] && strcmp(words[0], "user") == 0 ? getpwnam(words[1]) : NULL;

        if (pw)
            out[n++] = pw->pw_uid;
    }
    return n;
}

static void list_folder(GPtrArray *out, gboolean own, uid_t uid)
{
    g_autofree char *folder = folder_of(own, uid);
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && out->len < 2 * STORE_PROFILES_MAX && (name = g_dir_read_name(dir))) {
        struct stored_profile *p =
            g_str_has_suffix(name, SUFFIX) ? load(folder, name, own, uid) : NULL;

        if (p && is_permitted(p, uid))
            g_ptr_array_add(out, p);
        else
            stored_profile_free(p);
    }
    if (dir)
        g_dir_close(dir);
}

GPtrArray *store_list(uid_t uid)
{
    GPtrArray *out = g_ptr_array_new_with_free_func(list_free);

    list_folder(out, TRUE, uid);
    list_folder(out, FALSE, uid);
    return out;
}

struct stored_profile *store_find(uid_t uid, const char *uuid)
{
    g_autoptr(GPtrArray) all = g_uuid_string_is_valid(uuid) ? store_list(uid) : NULL;

    for (guint i = 0; all && i < all->len; i++) {
        struct stored_profile *p = g_ptr_array_index(all, i);

        if (g_ascii_strcasecmp(p->uuid, uuid) != 0)
            continue;
        all->pdata[i] = NULL;
        return p;
    }
    return NULL;
}

static gboolean refuse(GError **error, const char *sentence)
{
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, sentence);
    return FALSE;
}

static void refuse_by_notes(const GPtrArray *notes, GError **error)
{
    const l2tpc_profile_note *n = notes && notes->len ? g_ptr_array_index(notes, 0) : NULL;
    g_autofree char *text = n ? l2tpc_profile_note_text(n, _(n->sentence)) : NULL;

    refuse(error, text ? text : _("This is not a keyfile of one L2TP/IPsec connection."));
}

l2tpc_profile *store_parse(const char *keyfile, GError **error)
{
    g_autoptr(GBytes) bytes = NULL;
    GPtrArray *notes = NULL;
    l2tpc_profile *p = NULL;

    if (strlen(keyfile) >= STORE_FILE_MAX) {
        refuse(error, _("The keyfile is too long."));
        return NULL;
    }
    if (!g_str_has_prefix(keyfile, "[") && !g_str_has_prefix(keyfile, "#")) {
        refuse(error, _("This is not a keyfile of one L2TP/IPsec connection."));
        return NULL;
    }
    bytes = g_bytes_new_static(keyfile, strlen(keyfile)); /* the caller wipes it */
    p = take_profile(bytes, &notes);
    if (p && notes)
        g_clear_pointer(&notes, g_ptr_array_unref);
    if (p && l2tpc_profile_get_dial(p, NULL, &notes) != L2TPC_PROFILE_OK)
        g_clear_pointer(&p, l2tpc_profile_free);
    if (!p)
        refuse_by_notes(notes, error);
    if (notes)
        g_ptr_array_unref(notes);
    return p;
}

char *store_text(const l2tpc_profile *profile, gboolean with_secrets)
{
    GPtrArray *files = NULL;
    GPtrArray *notes = NULL;
    char *text = NULL;

    if (l2tpc_profile_export(profile, "networkmanager",
                             with_secrets ? L2TPC_PROFILE_WITH_SECRETS : 0, &files,
                             &notes) == L2TPC_PROFILE_OK &&
        files->len == 1) {
        const l2tpc_profile_file *f = g_ptr_array_index(files, 0);
        gsize n = 0;
        const char *bytes = g_bytes_get_data(f->bytes, &n);

        text = g_strndup(bytes, n);
    }
    if (files)
        g_ptr_array_unref(files);
    if (notes)
        g_ptr_array_unref(notes);
    return text;
}

/* Whole or not at all, and root's alone. */
static gboolean write_profile(const char *path, const l2tpc_profile *profile, GError **error)
{
    char *text = store_text(profile, TRUE);
    gboolean ok = text && g_file_set_contents_full(path, text, -1,
                                                   G_FILE_SET_CONTENTS_CONSISTENT |
                                                       G_FILE_SET_CONTENTS_DURABLE,
                                                   0600, error);

    if (!text)
        refuse(error, _("The connection cannot be written."));
    else
        explicit_bzero(text, strlen(text));
    g_free(text);
    return ok;
}

gboolean store_add(l2tpc_profile *profile, gboolean own, uid_t uid, char **out_uuid, GError **error)
{
    g_autofree char *folder = folder_of(own, uid);
    g_autofree char *uuid = uuid_of(profile);
    g_autofree char *path = NULL;
    g_autoptr(GPtrArray) there = store_list(uid);
    guint n = 0;

    /* What a kill switch holds and what was learned go by the UUID: no user may choose another's.
     */
    if (own || !uuid) {
        g_free(uuid);
        uuid = g_uuid_string_random();
        g_key_file_set_string(l2tpc_profile_get_settings(profile), "connection", "uuid", uuid);
    }
    for (guint i = 0; i < there->len; i++) {
        const struct stored_profile *p = g_ptr_array_index(there, i);

        n += p->own == own;
        if (g_ascii_strcasecmp(p->uuid, uuid) == 0)
            return refuse(error, _("A connection of this UUID is there already."));
    }
    if (n >= STORE_PROFILES_MAX)
        return refuse(error, _("There are too many connections."));
    path = g_strdup_printf("%s/%s" SUFFIX, folder, uuid);
    if (g_mkdir_with_parents(folder, 0700) != 0 || access(path, F_OK) == 0)
        return refuse(error, _("The connection cannot be written."));
    if (!write_profile(path, profile, error))
        return FALSE;
    *out_uuid = g_steal_pointer(&uuid);
    return TRUE;
}

/* NetworkManager-l2tp once had it among the data, which no client is shown either. */
static void keep_old_psk(const l2tpc_profile *old, l2tpc_profile *profile)
{
    const char *psk = l2tpc_profile_get(old, L2TPC_PROFILE_DATA, "ipsec-psk");

    if (psk && !l2tpc_profile_get(profile, L2TPC_PROFILE_SECRETS, "ipsec-psk") &&
        !l2tpc_profile_get(profile, L2TPC_PROFILE_DATA, "ipsec-psk"))
        l2tpc_profile_set(profile, L2TPC_PROFILE_SECRETS, "ipsec-psk", psk);
}

gboolean store_replace(const struct stored_profile *old, l2tpc_profile *profile, GError **error)
{
    GHashTableIter iter;
    gpointer key;
    gpointer value;

    g_hash_table_iter_init(&iter, l2tpc_profile_get_table(old->profile, L2TPC_PROFILE_SECRETS));
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (!l2tpc_profile_get(profile, L2TPC_PROFILE_SECRETS, key))
            l2tpc_profile_set(profile, L2TPC_PROFILE_SECRETS, key, value);
    keep_old_psk(old->profile, profile);
    g_key_file_set_string(l2tpc_profile_get_settings(profile), "connection", "uuid", old->uuid);
    return write_profile(old->path, profile, error);
}

gboolean store_remove(const struct stored_profile *old, GError **error)
{
    return unlink(old->path) == 0 || refuse(error, g_strerror(errno));
}
