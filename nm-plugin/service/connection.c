/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "service/connection.h"

#include "service/tunnel.h"

#include <pwd.h>
#include <string.h>

struct copying {
    l2tpc_profile *profile;
    int table;
};

static void copy_item(const char *key, const char *value, gpointer user)
{
    const struct copying *c = user;

    l2tpc_profile_set(c->profile, c->table, key, value);
}

static void copy_vpn(l2tpc_profile *p, NMSettingVpn *vpn)
{
    struct copying c = {p, L2TPC_PROFILE_DATA};
    GKeyFile *settings = l2tpc_profile_get_settings(p);

    if (!vpn)
        return;
    nm_setting_vpn_foreach_data_item(vpn, copy_item, &c);
    c.table = L2TPC_PROFILE_SECRETS;
    nm_setting_vpn_foreach_secret(vpn, copy_item, &c);
    if (nm_setting_vpn_get_user_name(vpn))
        g_key_file_set_string(settings, "vpn", "user-name", nm_setting_vpn_get_user_name(vpn));
}

static void copy_user(l2tpc_profile *p, NMSettingUser *user)
{
    guint n = 0;
    const char *const *keys = user ? nm_setting_user_get_keys(user, &n) : NULL;

    for (guint i = 0; i < n; i++)
        l2tpc_profile_set(p, L2TPC_PROFILE_USER, keys[i], nm_setting_user_get_data(user, keys[i]));
}

/* Only what the dial has to know: the rest NetworkManager does. */
static void copy_ip(l2tpc_profile *p, NMSettingIPConfig *ip)
{
    GKeyFile *settings = l2tpc_profile_get_settings(p);

    if (ip && nm_setting_ip_config_get_never_default(ip))
        g_key_file_set_string(settings, "ipv4", "never-default", "true");
}

l2tpc_profile *connection_read(NMConnection *connection)
{
    l2tpc_profile *p = l2tpc_profile_new_from_tables(NULL, NULL, NULL);

    l2tpc_profile_set_id(p, nm_connection_get_id(connection));
    copy_vpn(p, nm_connection_get_setting_vpn(connection));
    copy_user(p, (NMSettingUser *)nm_connection_get_setting(connection, NM_TYPE_SETTING_USER));
    copy_ip(p, nm_connection_get_setting_ip4_config(connection));
    return p;
}

bool connection_users(NMConnection *connection, uid_t *out, unsigned *out_n)
{
    NMSettingConnection *s = nm_connection_get_setting_connection(connection);
    guint n = s ? nm_setting_connection_get_num_permissions(s) : 0;
    bool first_known = true;

    *out_n = 0;
    for (guint i = 0; i < n && *out_n < TUNNEL_USERS_MAX; i++) {
        const char *type = NULL;
        const char *name = NULL;
        const struct passwd *pw = NULL;

        if (nm_setting_connection_get_permission(s, i, &type, &name, NULL) &&
            g_strcmp0(type, "user") == 0)
            pw = getpwnam(name);
        if (pw)
            out[(*out_n)++] = pw->pw_uid;
        else if (i == 0)
            first_known = false;
    }
    return first_known;
}

static bool is_set(const char *text)
{
    return text && *text;
}

/* NOT_REQUIRED stands for a secret that the server may not ask for. */
static bool lacks(NMSettingVpn *vpn, const char *key)
{
    NMSettingSecretFlags flags = NM_SETTING_SECRET_FLAG_NONE;

    (void)nm_setting_get_secret_flags(NM_SETTING(vpn), key, &flags, NULL);
    return !(flags & NM_SETTING_SECRET_FLAG_NOT_REQUIRED) &&
           nm_setting_vpn_get_secret(vpn, key) == NULL;
}

const char *connection_lacks(NMConnection *connection)
{
    NMSettingVpn *vpn = nm_connection_get_setting_vpn(connection);
    bool certificate =
        vpn && g_strcmp0(nm_setting_vpn_get_data_item(vpn, "machine-auth-type"), "tls") == 0;

    if (!vpn)
        return NULL;
    /* The passphrase of a key is asked for once it is known that the key has one. */
    if (!certificate && lacks(vpn, "ipsec-psk") &&
        !is_set(nm_setting_vpn_get_data_item(vpn, "ipsec-psk")))
        return "ipsec-psk";
    return lacks(vpn, "password") ? "password" : NULL;
}
