/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between libnm and libl2tpc-profile. */
#include "exchange.h"

#include <libintl.h>
#include <string.h>

#define DOMAIN "l2tpc"

char *exchange_sentence(const l2tpc_profile_note *note)
{
    return l2tpc_profile_note_text(note, dgettext(DOMAIN, note->sentence));
}

char *exchange_first_error(const GPtrArray *notes)
{
    for (guint i = 0; notes && i < notes->len; i++) {
        const l2tpc_profile_note *n = g_ptr_array_index(notes, i);

        if (n->severity == L2TPC_PROFILE_ERROR)
            return exchange_sentence(n);
    }
    return NULL;
}

struct filling {
    l2tpc_profile *profile;
    int table;
};

static void take_pair(const char *key, const char *value, gpointer data)
{
    const struct filling *f = data;

    l2tpc_profile_set(f->profile, f->table, key, value);
}

static void take_user_data(l2tpc_profile *p, NMConnection *connection)
{
    NMSettingUser *user =
        (NMSettingUser *)nm_connection_get_setting(connection, NM_TYPE_SETTING_USER);
    const char *const *keys;
    guint n = 0;

    if (!user)
        return;
    keys = nm_setting_user_get_keys(user, &n);
    for (guint i = 0; i < n; i++)
        l2tpc_profile_set(p, L2TPC_PROFILE_USER, keys[i], nm_setting_user_get_data(user, keys[i]));
}

/* All that is neither data nor a secret, as libnm itself writes it. */
static void take_settings(l2tpc_profile *p, NMConnection *connection)
{
    static const char *const vpn[] = {"service-type", "user-name", "persistent", "timeout"};
    GKeyFile *from = nm_keyfile_write(connection, NM_KEYFILE_HANDLER_FLAGS_NONE, NULL, NULL, NULL);
    GKeyFile *to = l2tpc_profile_get_settings(p);
    char **groups = from ? g_key_file_get_groups(from, NULL) : NULL;

    for (gsize i = 0; groups && groups[i]; i++) {
        char **keys = g_key_file_get_keys(from, groups[i], NULL, NULL);
        gboolean is_vpn = strcmp(groups[i], "vpn") == 0;

        for (gsize k = 0; keys && keys[k]; k++) {
            char *raw = g_key_file_get_value(from, groups[i], keys[k], NULL);

            if (raw && strcmp(groups[i], "user") != 0 && strcmp(groups[i], "vpn-secrets") != 0 &&
                (!is_vpn ||
                 g_strv_contains((const char *const[]){vpn[0], vpn[1], vpn[2], vpn[3], NULL},
                                 keys[k])))
                g_key_file_set_value(to, groups[i], keys[k], raw);
            if (raw)
                explicit_bzero(raw, strlen(raw));
            g_free(raw);
        }
        g_strfreev(keys);
    }
    g_strfreev(groups);
    if (from)
        g_key_file_unref(from);
}

l2tpc_profile *exchange_profile(NMConnection *connection)
{
    l2tpc_profile *p = l2tpc_profile_new_from_tables(NULL, NULL, NULL);
    NMSettingVpn *vpn = nm_connection_get_setting_vpn(connection);
    struct filling data = {p, L2TPC_PROFILE_DATA};
    struct filling secrets = {p, L2TPC_PROFILE_SECRETS};

    if (vpn) {
        nm_setting_vpn_foreach_data_item(vpn, take_pair, &data);
        nm_setting_vpn_foreach_secret(vpn, take_pair, &secrets);
    }
    take_user_data(p, connection);
    take_settings(p, connection);
    return p;
}

/* ---- back ---- */

static void forget_unknown(NMSettingVpn *vpn, const l2tpc_profile *p)
{
    const char **keys = nm_setting_vpn_get_data_keys(vpn, NULL);

    for (gsize i = 0; keys && keys[i]; i++)
        if (!l2tpc_profile_get(p, L2TPC_PROFILE_DATA, keys[i]))
            nm_setting_vpn_remove_data_item(vpn, keys[i]);
    g_free(keys);
    keys = nm_setting_vpn_get_secret_keys(vpn, NULL);
    for (gsize i = 0; keys && keys[i]; i++)
        if (!l2tpc_profile_get(p, L2TPC_PROFILE_SECRETS, keys[i]))
            (void)nm_setting_vpn_remove_secret(vpn, keys[i]);
    g_free(keys);
}

static void store_vpn(const l2tpc_profile *p, NMSettingVpn *vpn)
{
    GHashTableIter iter;
    void *key, *value;

    forget_unknown(vpn, p);
    g_hash_table_iter_init(&iter, l2tpc_profile_get_table(p, L2TPC_PROFILE_DATA));
    while (g_hash_table_iter_next(&iter, &key, &value)) /* libnm keeps no empty value */
        if (*(const char *)value)
            nm_setting_vpn_add_data_item(vpn, key, value);
        else
            nm_setting_vpn_remove_data_item(vpn, key);
    g_hash_table_iter_init(&iter, l2tpc_profile_get_table(p, L2TPC_PROFILE_SECRETS));
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (*(const char *)value)
            nm_setting_vpn_add_secret(vpn, key, value);
        else
            (void)nm_setting_vpn_remove_secret(vpn, key);
}

static void store_user_data(const l2tpc_profile *p, NMConnection *connection)
{
    GHashTable *table = l2tpc_profile_get_table(p, L2TPC_PROFILE_USER);
    NMSettingUser *user;
    GHashTableIter iter;
    void *key, *value;

    if (g_hash_table_size(table) == 0) {
        nm_connection_remove_setting(connection, NM_TYPE_SETTING_USER);
        return;
    }
    user = NM_SETTING_USER(nm_setting_user_new());
    g_hash_table_iter_init(&iter, table);
    while (g_hash_table_iter_next(&iter, &key, &value))
        (void)nm_setting_user_set_data(user, key, value, NULL);
    nm_connection_add_setting(connection, NM_SETTING(user));
}

void exchange_store(const l2tpc_profile *p, NMConnection *connection)
{
    NMSettingVpn *vpn = nm_connection_get_setting_vpn(connection);

    if (!vpn) {
        vpn = NM_SETTING_VPN(nm_setting_vpn_new());
        nm_connection_add_setting(connection, NM_SETTING(vpn));
    }
    g_object_set(vpn, NM_SETTING_VPN_SERVICE_TYPE, EXCHANGE_SERVICE, NULL);
    store_vpn(p, vpn);
    store_user_data(p, connection);
}

/* libnm's reader says on the side what it leaves out: then the whole is refused. */
static gboolean refuse_warning(GKeyFile *keyfile, NMConnection *connection,
                               NMKeyfileHandlerType type, NMKeyfileHandlerData *data,
                               void *user_data)
{
    const char *message = NULL;
    NMKeyfileWarnSeverity severity = NM_KEYFILE_WARN_SEVERITY_INFO;

    (void)keyfile, (void)connection, (void)user_data;
    if (type != NM_KEYFILE_HANDLER_TYPE_WARN)
        return FALSE;
    nm_keyfile_handler_data_warn_get(data, &message, &severity);
    if (severity >= NM_KEYFILE_WARN_SEVERITY_WARN)
        nm_keyfile_handler_data_fail_with_error(
            data,
            g_error_new_literal(NM_CONNECTION_ERROR, NM_CONNECTION_ERROR_INVALID_SETTING, message));
    return TRUE;
}

NMConnection *exchange_connection(const l2tpc_profile *p, GError **error)
{
    GPtrArray *files = NULL;
    GPtrArray *notes = NULL;
    NMConnection *connection = NULL;
    GKeyFile *keyfile = g_key_file_new();
    gsize n = 0;

    if (l2tpc_profile_export(p, "networkmanager", 0, &files, &notes) != L2TPC_PROFILE_OK) {
        char *why = exchange_first_error(notes);

        g_set_error_literal(error, NM_CONNECTION_ERROR, NM_CONNECTION_ERROR_INVALID_PROPERTY,
                            why ? why : "");
        g_free(why);
    } else {
        const l2tpc_profile_file *f = g_ptr_array_index(files, 0);
        const char *text = g_bytes_get_data(f->bytes, &n);

        if (g_key_file_load_from_data(keyfile, text, n, G_KEY_FILE_NONE, error))
            connection = nm_keyfile_read(keyfile, "/", NM_KEYFILE_HANDLER_FLAGS_NONE,
                                         refuse_warning, NULL, error);
    }
    if (connection) /* with the secrets, which the text had not */
        exchange_store(p, connection);
    if (connection && !nm_connection_normalize(connection, NULL, NULL, error))
        g_clear_object(&connection);
    g_key_file_unref(keyfile);
    g_clear_pointer(&files, g_ptr_array_unref);
    g_clear_pointer(&notes, g_ptr_array_unref);
    return connection;
}
