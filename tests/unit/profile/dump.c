/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dump.h"

GBytes *vector_bytes(const char *name)
{
    char *path = g_build_filename(VECTOR_DIR, name, NULL);
    char *data = NULL;
    gsize n = 0;
    GBytes *out = g_file_get_contents(path, &data, &n, NULL) ? g_bytes_new_take(data, n) : NULL;

    g_free(path);
    return out;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *vector_names(const char *folder)
{
    char *path = g_build_filename(VECTOR_DIR, folder, NULL);
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir)) != NULL)
        g_ptr_array_add(names, g_build_filename(folder, name, NULL));
    if (dir)
        g_dir_close(dir);
    g_ptr_array_sort(names, by_name);
    g_free(path);
    return names;
}

int vector_import(const char *names, GPtrArray **profiles, GPtrArray **notes)
{
    char **list = g_strsplit(names, " ", -1);
    l2tpc_profile_file files[8] = {0};
    gsize n = 0;
    int rc;

    for (; list[n] && n < 8; n++)
        files[n] = (l2tpc_profile_file){.name = list[n], .bytes = vector_bytes(list[n])};
    rc = l2tpc_profile_import(files, n, profiles, notes);
    for (gsize i = 0; i < n; i++)
        g_bytes_unref(files[i].bytes);
    g_strfreev(list);
    return rc;
}

int text_import(const char *text, GPtrArray **profiles, GPtrArray **notes)
{
    GBytes *bytes = g_bytes_new_static(text, strlen(text));
    l2tpc_profile_file f = {.bytes = bytes};
    int rc = l2tpc_profile_import(&f, 1, profiles, notes);

    g_bytes_unref(bytes);
    return rc;
}

static void dump_table(GString *out, const l2tpc_profile *p, int table, const char *name)
{
    guint n = 0;
    const char **keys =
        (const char **)g_hash_table_get_keys_as_array(l2tpc_profile_get_table(p, table), &n);

    if (n > 1)
        qsort(keys, n, sizeof(*keys), by_name);
    for (guint i = 0; i < n; i++)
        g_string_append_printf(out, "%s %s=%s\n", name, keys[i],
                               l2tpc_profile_get(p, table, keys[i]));
    g_free(keys);
}

static void dump_settings(GString *out, const l2tpc_profile *p)
{
    GKeyFile *kf = l2tpc_profile_get_settings(p);
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    char **groups = g_key_file_get_groups(kf, NULL);

    for (gsize g = 0; groups[g]; g++) {
        char **keys = g_key_file_get_keys(kf, groups[g], NULL, NULL);

        for (gsize k = 0; keys[k]; k++) {
            char *value = g_key_file_get_value(kf, groups[g], keys[k], NULL);

            if (strcmp(keys[k], "uuid") != 0)
                g_ptr_array_add(lines, g_strdup_printf("%s.%s=%s\n", groups[g], keys[k], value));
            g_free(value);
        }
        g_strfreev(keys);
    }
    g_ptr_array_sort(lines, by_name);
    for (guint i = 0; i < lines->len; i++)
        g_string_append(out, g_ptr_array_index(lines, i));
    g_ptr_array_unref(lines);
    g_strfreev(groups);
}

char *dump_notes(const GPtrArray *notes)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < notes->len; i++) {
        const l2tpc_profile_note *n = g_ptr_array_index(notes, i);

        g_string_append_printf(out, "note %s %s %s '%s'\n",
                               l2tpc_profile_severity_name(n->severity), n->code, n->key, n->value);
    }
    return g_string_free(out, FALSE);
}

char *dump_profile(const l2tpc_profile *p)
{
    GString *out = g_string_new(NULL);
    char *notes = dump_notes(l2tpc_profile_get_notes(p));

    dump_settings(out, p);
    dump_table(out, p, L2TPC_PROFILE_DATA, "data");
    dump_table(out, p, L2TPC_PROFILE_SECRETS, "secret");
    dump_table(out, p, L2TPC_PROFILE_USER, "user");
    g_string_append(out, notes);
    g_free(notes);
    return g_string_free(out, FALSE);
}

char *dump_options(const l2tpc_profile *p)
{
    GPtrArray *options = NULL;
    GPtrArray *notes = NULL;
    GString *out = g_string_new(NULL);

    if (l2tpc_profile_get_dial(p, &options, &notes) != L2TPC_PROFILE_OK) {
        char *text = dump_notes(notes);

        g_string_append(out, text);
        g_free(text);
    }
    for (guint i = 0; options && i < options->len; i++) {
        const l2tpc_profile_option *o = g_ptr_array_index(options, i);

        g_string_append_printf(out, "%s=%s\n", o->name, o->value);
    }
    if (options)
        g_ptr_array_unref(options);
    g_ptr_array_unref(notes);
    return g_string_free(out, FALSE);
}

bool notes_hold(const GPtrArray *notes, const char *code)
{
    for (guint i = 0; i < notes->len; i++)
        if (strcmp(((const l2tpc_profile_note *)g_ptr_array_index(notes, i))->code, code) == 0)
            return true;
    return false;
}
