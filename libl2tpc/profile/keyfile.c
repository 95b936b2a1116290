/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A connection as NetworkManager's keyfile plugin writes it (.nmconnection). GKeyFile reads it, but
 * wipes nothing it has read: values of secrets are taken out of the text beforehand.
 */
#include "profile/internal.h"

#include <string.h>

static bool is_secret_key(const char *key, gsize n)
{
    static const char *const names[] = {"password", "ipsec-psk", "user-certpass",
                                        "machine-certpass"};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (strlen(names[i]) == n && strncmp(names[i], key, n) == 0)
            return true;
    return false;
}

/* GKeyFile's escapes. What is none stays as it is: people type backslashes into passwords. */
static char *unescape(const char *value, gsize n)
{
    char *out = g_malloc0(n + 1);
    char *to = out;

    for (gsize i = 0; i < n; i++) {
        static const char from[] = "sntr\\", into[] = " \n\t\r\\";
        const char *hit = value[i] == '\\' && i + 1 < n ? strchr(from, value[i + 1]) : NULL;

        if (hit && *hit) {
            *to++ = into[hit - from];
            i++;
        } else {
            *to++ = value[i];
        }
    }
    return out;
}

static char *escape(const char *value)
{
    GString *out = g_string_sized_new(2 * strlen(value) + 8);

    for (const char *c = value; *c; c++) {
        static const char from[] = "\n\t\r\\", into[] = "ntr\\";
        const char *hit = strchr(from, *c);

        if (hit)
            g_string_append_printf(out, "\\%c", into[hit - from]);
        else if (*c == ' ' && c == value)
            g_string_append(out, "\\s");
        else
            g_string_append_c(out, *c);
    }
    return g_string_free(out, FALSE);
}

struct group_seen {
    bool vpn, secrets;
};

static void see_group(struct group_seen *seen, const char *line, gsize n)
{
    seen->vpn = n >= 5 && strncmp(line, "[vpn]", 5) == 0;
    seen->secrets = n >= 13 && strncmp(line, "[vpn-secrets]", 13) == 0;
}

/* The text without values of secrets, which go into the profile. */
static GString *take_secrets(const char *text, l2tpc_profile *p)
{
    GString *out = g_string_sized_new(strlen(text) + 1);
    struct group_seen seen = {0};

    for (const char *at = text; *at;) {
        gsize n = strcspn(at, "\n");
        gsize lead = strspn(at, " \t");
        const char *equals = memchr(at, '=', n);
        gsize key_n = equals ? (gsize)(equals - at) : 0;

        if (lead < n && at[lead] == '[')
            see_group(&seen, at + lead, n - lead);
        while (key_n > lead && g_ascii_isspace(at[key_n - 1]))
            key_n--;
        if (equals && at[lead] != '#' && at[lead] != '[' && key_n > lead &&
            (seen.secrets || (seen.vpn && is_secret_key(at + lead, key_n - lead)))) {
            const char *value = equals + 1 + strspn(equals + 1, " \t");
            gsize value_n = (gsize)(at + n - MIN(value, at + n));
            char *key = g_strndup(at + lead, key_n - lead);
            char *plain;

            if (value_n > 0 && value[value_n - 1] == '\r')
                value_n--;
            plain = unescape(value, value_n);
            /* In [vpn] it was readable by everybody: the table keeps where it stood. */
            (void)profile_put(p, seen.secrets ? L2TPC_PROFILE_SECRETS : L2TPC_PROFILE_DATA, key,
                              plain);
            secret_free(plain);
            g_free(key);
            g_string_append_len(out, at, (gssize)(equals + 1 - at));
            g_string_append_c(out, '\n');
        } else {
            g_string_append_len(out, at, (gssize)n);
            g_string_append_c(out, '\n');
        }
        at += n + (at[n] == '\n');
    }
    return out;
}

/* What stands in [vpn] and is no data. */
static bool is_vpn_property(const char *key)
{
    static const char *const names[] = {"service-type", "user-name", "persistent", "timeout"};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (strcmp(names[i], key) == 0)
            return true;
    return false;
}

/* Moves a group's pairs into a table of the profile; GKeyFile's own refusals are ours. */
static void move_group(l2tpc_profile *p, GKeyFile *kf, const char *group, int table)
{
    char **keys = g_key_file_get_keys(kf, group, NULL, NULL);

    for (gsize i = 0; keys && keys[i]; i++) {
        char *value;

        if (table == L2TPC_PROFILE_DATA && is_vpn_property(keys[i]))
            continue;
        value = g_key_file_get_string(kf, group, keys[i], NULL);
        if (!value)
            notes_add(p->notes, NOTE_NOT_UTF8, keys[i], NULL);
        else if (!l2tpc_profile_get(p, table, keys[i]) &&
                 !(table == L2TPC_PROFILE_DATA &&
                   is_secret_key(keys[i], strlen(keys[i])))) /* an empty stand-in */
            (void)profile_put(p, table, keys[i], value);
        g_free(value);
    }
    g_strfreev(keys);
}

static void copy_group(l2tpc_profile *p, GKeyFile *kf, const char *group)
{
    char **keys = g_key_file_get_keys(kf, group, NULL, NULL);
    bool vpn = strcmp(group, "vpn") == 0;

    for (gsize i = 0; keys && keys[i]; i++) {
        char *raw = g_key_file_get_value(kf, group, keys[i], NULL);

        if (raw && (!vpn || is_vpn_property(keys[i])))
            g_key_file_set_value(p->settings, group, keys[i], raw);
        g_free(raw);
    }
    g_strfreev(keys);
}

static void take_groups(l2tpc_profile *p, GKeyFile *kf)
{
    char **groups = g_key_file_get_groups(kf, NULL);

    for (gsize i = 0; groups[i]; i++)
        if (strcmp(groups[i], "user") != 0 && strcmp(groups[i], "vpn-secrets") != 0)
            copy_group(p, kf, groups[i]);
    move_group(p, kf, "vpn", L2TPC_PROFILE_DATA);
    move_group(p, kf, "user", L2TPC_PROFILE_USER);
    g_strfreev(groups);
}

/* What else it is when it is no connection of ours, as a msgid; NULL: it is. */
static const char *other_type(GKeyFile *kf)
{
    char *type = g_key_file_get_string(kf, "connection", "type", NULL);
    char *service = g_key_file_get_string(kf, "vpn", "service-type", NULL);
    const char *what = NULL;

    if (text_is(type, "wireguard"))
        what = N_("a WireGuard connection");
    else if (!text_is(type, "vpn"))
        what = N_("a NetworkManager connection that is no VPN");
    else if (!text_is(service, SERVICE_L2TP) && !text_is(service, SERVICE_OURS))
        what = N_("a NetworkManager connection of another VPN plugin");
    g_free(type);
    g_free(service);
    return what;
}

void import_keyfile(struct import *in, const struct source *s)
{
    l2tpc_profile *p = profile_empty();
    GString *text = take_secrets(s->text, p);
    GKeyFile *kf = g_key_file_new();
    GError *error = NULL;
    const char *other;

    if (!g_key_file_load_from_data(kf, text->str, text->len, G_KEY_FILE_NONE, &error)) {
        import_fail(in, NOTE_DAMAGED, error->message);
        g_clear_error(&error);
    } else if ((other = other_type(kf)) != NULL) {
        import_fail(in, NOTE_FOREIGN, other);
    } else {
        take_groups(p, kf);
        g_ptr_array_add(in->profiles, p);
        p = NULL;
    }
    l2tpc_profile_free(p);
    g_key_file_unref(kf);
    text_wipe(text);
}

/* ---- out ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void write_table(GKeyFile *kf, const char *group, const l2tpc_profile *p, int table,
                        bool with_secrets)
{
    guint n = 0;
    const char **keys = (const char **)g_hash_table_get_keys_as_array(p->table[table], &n);

    if (n > 1)
        qsort(keys, n, sizeof(*keys), by_name);
    for (guint i = 0; i < n; i++)
        if (with_secrets || !is_secret_key(keys[i], strlen(keys[i])))
            g_key_file_set_string(kf, group, keys[i], l2tpc_profile_get(p, table, keys[i]));
    g_free(keys);
}

static void write_secrets(GString *out, const l2tpc_profile *p)
{
    guint n = 0;
    const char **keys =
        (const char **)g_hash_table_get_keys_as_array(p->table[L2TPC_PROFILE_SECRETS], &n);

    if (n > 0)
        g_string_append(out, "\n[vpn-secrets]\n");
    if (n > 1)
        qsort(keys, n, sizeof(*keys), by_name);
    for (guint i = 0; i < n; i++) {
        char *value = escape(l2tpc_profile_get(p, L2TPC_PROFILE_SECRETS, keys[i]));

        g_string_append_printf(out, "%s=", keys[i]);
        g_string_append(out, value);
        g_string_append_c(out, '\n');
        secret_free(value);
    }
    g_free(keys);
}

/* A connection needs these to be one. */
static void complete(GKeyFile *kf)
{
    char *uuid = g_key_file_get_string(kf, "connection", "uuid", NULL);
    char *type = g_key_file_get_string(kf, "vpn", "service-type", NULL);
    char *method = g_key_file_get_string(kf, "ipv4", "method", NULL);
    char *random = g_uuid_string_random();

    if (!uuid)
        g_key_file_set_string(kf, "connection", "uuid", random);
    g_key_file_set_string(kf, "connection", "type", "vpn");
    if (!type)
        g_key_file_set_string(kf, "vpn", "service-type", SERVICE_L2TP);
    if (!method)
        g_key_file_set_string(kf, "ipv4", "method", "auto");
    g_free(uuid);
    g_free(type);
    g_free(method);
    g_free(random);
}

void export_keyfile(struct export *out)
{
    GKeyFile *kf = g_key_file_new();
    char *settings = g_key_file_to_data(out->p->settings, NULL, NULL);
    char *name = export_name(out);
    char *file = g_strconcat(name, ".nmconnection", NULL);
    char *plain;
    gsize n = 0;
    GString *text;

    (void)g_key_file_load_from_data(kf, settings, (gsize)-1, G_KEY_FILE_NONE, NULL);
    complete(kf);
    write_table(kf, "vpn", out->p, L2TPC_PROFILE_DATA, out->with_secrets);
    write_table(kf, "user", out->p, L2TPC_PROFILE_USER, true);
    plain = g_key_file_to_data(kf, &n, NULL);
    text = text_new(n + 4096);
    g_string_append_len(text, plain, (gssize)n);
    if (out->with_secrets)
        write_secrets(text, out->p);
    secret_free(plain);
    export_file(out, file, text);
    g_free(file);
    g_free(name);
    g_free(settings);
    g_key_file_unref(kf);
}
