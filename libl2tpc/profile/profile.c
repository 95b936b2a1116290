/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A profile: three tables of texts, and the other settings as a keyfile. */
#include "profile/internal.h"

#include <gio/gio.h>
#include <string.h>

void secret_free(void *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    g_free(text);
}

char *secret_dup(const char *text, gsize n)
{
    return g_strndup(text, n);
}

GString *text_new(gsize expected)
{
    return g_string_sized_new(expected + 16384);
}

void text_wipe(GString *text)
{
    if (!text)
        return;
    explicit_bzero(text->str, text->allocated_len);
    (void)g_string_free(text, TRUE);
}

static void wipe_string(void *text)
{
    text_wipe(text);
}

GBytes *text_to_bytes(GString *text)
{
    return g_bytes_new_with_free_func(text->str, text->len, wipe_string, text);
}

l2tpc_profile *profile_empty(void)
{
    l2tpc_profile *p = g_new0(l2tpc_profile, 1);

    for (gsize i = 0; i < G_N_ELEMENTS(p->table); i++) /* old profiles have secrets in the data */
        p->table[i] = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, secret_free);
    p->settings = g_key_file_new();
    p->notes = notes_new();
    return p;
}

l2tpc_profile *l2tpc_profile_new(void)
{
    l2tpc_profile *p = profile_empty();

    l2tpc_profile_set(p, L2TPC_PROFILE_DATA, "ipsec-enabled", "yes");
    l2tpc_profile_set(p, L2TPC_PROFILE_USER, "net.l2tpc.policy", "compatible");
    return p;
}

static void copy_table(l2tpc_profile *p, int table, GHashTable *from)
{
    GHashTableIter iter;
    void *key, *value;

    if (!from)
        return;
    g_hash_table_iter_init(&iter, from);
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (key && value)
            l2tpc_profile_set(p, table, key, value);
}

l2tpc_profile *l2tpc_profile_new_from_tables(GHashTable *data, GHashTable *secrets,
                                             GHashTable *user)
{
    l2tpc_profile *p = profile_empty();

    copy_table(p, L2TPC_PROFILE_DATA, data);
    copy_table(p, L2TPC_PROFILE_SECRETS, secrets);
    copy_table(p, L2TPC_PROFILE_USER, user);
    return p;
}

void l2tpc_profile_free(l2tpc_profile *p)
{
    if (!p)
        return;
    for (gsize i = 0; i < G_N_ELEMENTS(p->table); i++)
        g_hash_table_unref(p->table[i]);
    g_key_file_unref(p->settings);
    g_ptr_array_unref(p->notes);
    g_free(p->id);
    g_free(p);
}

static GHashTable *table_of(const l2tpc_profile *p, int table)
{
    return table >= 0 && (gsize)table < G_N_ELEMENTS(p->table) ? p->table[table] : NULL;
}

const char *l2tpc_profile_get(const l2tpc_profile *p, int table, const char *key)
{
    GHashTable *t = table_of(p, table);

    return t ? g_hash_table_lookup(t, key) : NULL;
}

void l2tpc_profile_set(l2tpc_profile *p, int table, const char *key, const char *value)
{
    GHashTable *t = table_of(p, table);

    if (t && value)
        (void)g_hash_table_replace(t, g_strdup(key), g_strdup(value));
    else if (t)
        (void)g_hash_table_remove(t, key);
}

GHashTable *l2tpc_profile_get_table(const l2tpc_profile *p, int table)
{
    return table_of(p, table);
}

GKeyFile *l2tpc_profile_get_settings(const l2tpc_profile *p)
{
    return p->settings;
}

GPtrArray *l2tpc_profile_get_notes(const l2tpc_profile *p)
{
    return p->notes;
}

gboolean l2tpc_profile_is_ours(const l2tpc_profile *p)
{
    return l2tpc_profile_get(p, L2TPC_PROFILE_USER, "net.l2tpc.policy") != NULL;
}

const char *l2tpc_profile_get_id(const l2tpc_profile *p)
{
    l2tpc_profile *keeper = (l2tpc_profile *)p; /* of the copy that is borrowed */

    char *id = profile_setting(p, "connection", "id");

    if (text_is(id, p->id)) { /* who has it may go on using it */
        g_free(id);
        return p->id;
    }
    g_free(p->id);
    keeper->id = id;
    return id;
}

void l2tpc_profile_set_id(l2tpc_profile *p, const char *id)
{
    g_key_file_set_string(p->settings, "connection", "id", id);
}

bool profile_put(l2tpc_profile *p, int table, const char *key, const char *value)
{
    l2tpc_profile_note *fault = l2tpc_profile_value_fault(table, key, value);

    if (fault) {
        notes_take(p->notes, fault);
        return false;
    }
    l2tpc_profile_set(p, table, key, value);
    return true;
}

bool profile_put_id(l2tpc_profile *p, const char *id)
{
    l2tpc_profile_note *fault = l2tpc_profile_value_fault(L2TPC_PROFILE_DATA, "user", id);

    if (!fault && *id) {
        l2tpc_profile_set_id(p, id);
        return true;
    }
    if (fault)
        notes_add(p->notes, NOTE_CONTROL, "id", NULL);
    l2tpc_profile_note_free(fault);
    return fault == NULL;
}

void profile_put_setting(l2tpc_profile *p, const char *group, const char *key, const char *value)
{
    g_key_file_set_string(p->settings, group, key, value);
}

char *profile_setting(const l2tpc_profile *p, const char *group, const char *key)
{
    char *value = g_key_file_get_string(p->settings, group, key, NULL);

    return value ? value : g_strdup("");
}

bool profile_setting_true(const l2tpc_profile *p, const char *group, const char *key)
{
    char *value = profile_setting(p, group, key);
    bool yes = text_is(value, "true") || text_is(value, "1") || text_is(value, "yes");

    g_free(value);
    return yes;
}

char *route_canonical(const char *text)
{
    GInetAddressMask *mask;
    GInetAddress *address;
    const char *slash = strchr(text, '/');
    char *whole;
    char *out = NULL;

    if (strlen(text) > 64)
        return NULL;
    if (!slash) { /* an address is a network of one */
        address = g_inet_address_new_from_string(text);
        if (!address)
            return NULL;
        out = g_strdup_printf(
            "%s/%d", text, g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV4 ? 32 : 128);
        g_object_unref(address);
        return out;
    }
    if (!slash[1] || strspn(slash + 1, "0123456789") != strlen(slash + 1))
        return NULL;
    whole = g_strndup(text, (gsize)(slash - text));
    address = g_inet_address_new_from_string(whole);
    g_free(whole);
    if (!address)
        return NULL;
    mask = g_inet_address_mask_new(address, (guint)g_ascii_strtoull(slash + 1, NULL, 10), NULL);
    if (mask || /* bits behind the prefix: 10.1.2.3/8 means 10.0.0.0/8 to whoever sets routes */
        g_ascii_strtoull(slash + 1, NULL, 10) <=
            (g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV4 ? 32u : 128u))
        out = g_strdup(text);
    g_clear_object(&mask);
    g_object_unref(address);
    return out;
}

void profile_put_route(l2tpc_profile *p, const char *origin, const char *cidr)
{
    char *route = route_canonical(cidr);
    const char *group;

    if (!route) {
        notes_add(p->notes, NOTE_NOT_ROUTE, origin, cidr);
        return;
    }
    group = strchr(route, ':') ? "ipv6" : "ipv4";
    for (unsigned i = 1; i <= ROUTES_MAX; i++) {
        char key[16];

        (void)g_snprintf(key, sizeof(key), "route%u", i);
        if (g_key_file_has_key(p->settings, group, key, NULL))
            continue;
        profile_put_setting(p, group, key, route);
        break;
    }
    g_free(route);
}

static bool is_route_key(const char *key)
{
    gsize n = g_str_has_prefix(key, "routes") ? 6 : g_str_has_prefix(key, "route") ? 5 : 0;

    return n > 0 && key[n] && strspn(key + n, "0123456789") == strlen(key + n);
}

static bool route_in(const l2tpc_profile *p, const char *group, unsigned *index, char **out_cidr,
                     char **out_rest)
{
    char **keys = g_key_file_get_keys(p->settings, group, NULL, NULL);
    bool found = false;

    for (gsize i = 0; keys && keys[i] && !found; i++) {
        char *value;
        gsize n;

        if (!is_route_key(keys[i]) || (*index)-- > 0)
            continue;
        value = profile_setting(p, group, keys[i]);
        n = strcspn(value, ",;");
        *out_cidr = g_strndup(value, n);
        *out_rest = g_strdup(value + n);
        g_free(value);
        found = true;
    }
    g_strfreev(keys);
    return found;
}

bool profile_route_at(const l2tpc_profile *p, unsigned index, char **out_cidr, char **out_rest)
{
    return route_in(p, "ipv4", &index, out_cidr, out_rest) ||
           route_in(p, "ipv6", &index, out_cidr, out_rest);
}

const char *profile_psk(const l2tpc_profile *p)
{
    const char *psk = l2tpc_profile_get(p, L2TPC_PROFILE_SECRETS, "ipsec-psk");

    if (!psk || !*psk)
        psk = l2tpc_profile_get(p, L2TPC_PROFILE_DATA, "ipsec-psk");
    return psk && *psk ? psk : NULL;
}

struct logins profile_logins(const l2tpc_profile *p)
{
    const char *allow = l2tpc_profile_get(p, L2TPC_PROFILE_USER, "net.l2tpc.allow");
    bool ours = l2tpc_profile_is_ours(p);
    struct logins l = {
        .mschapv2 = !list_has(allow, "!mschapv2"),
        .chap = !list_has(allow, "!chap-md5"),
        .pap = ours ? list_has(allow, "pap") : !list_has(allow, "!pap"),
        .none = list_has(allow, "none"),
    };

    l.mschapv2 = l.mschapv2 && !key_yes(p, L2TPC_PROFILE_DATA, "refuse-mschapv2");
    l.chap = l.chap && !key_yes(p, L2TPC_PROFILE_DATA, "refuse-chap");
    l.pap = l.pap && !key_yes(p, L2TPC_PROFILE_DATA, "refuse-pap");
    return l;
}

void profile_allow(l2tpc_profile *p, const char *what)
{
    const char *before = l2tpc_profile_get(p, L2TPC_PROFILE_USER, "net.l2tpc.allow");
    char *list;

    if (list_has(before, what))
        return;
    list = before ? g_strconcat(before, ",", what, NULL) : g_strdup(what);
    l2tpc_profile_set(p, L2TPC_PROFILE_USER, "net.l2tpc.allow", list);
    g_free(list);
}

void profile_set_logins(l2tpc_profile *p, struct logins l)
{
    if (!l.mschapv2)
        l2tpc_profile_set(p, L2TPC_PROFILE_DATA, "refuse-mschapv2", "yes");
    if (!l.chap)
        l2tpc_profile_set(p, L2TPC_PROFILE_DATA, "refuse-chap", "yes");
    if (l.pap) {
        profile_allow(p, "pap");
        notes_add(p->notes, NOTE_WEAK_PAP, NULL, NULL);
    } else {
        l2tpc_profile_set(p, L2TPC_PROFILE_DATA, "refuse-pap", "yes");
    }
    if (l.none) {
        profile_allow(p, "none");
        notes_add(p->notes, NOTE_WEAK_NONE, NULL, NULL);
    }
}

bool value_fits(const char *value, const char *forbidden)
{
    return !value || strpbrk(value, forbidden) == NULL;
}

bool profile_put_psk(l2tpc_profile *p, const void *bytes, gsize n)
{
    bool plain = n > 0 && !memchr(bytes, '\0', n) && g_utf8_validate(bytes, (gssize)n, NULL) &&
                 !(n >= 2 && memcmp(bytes, "0s", 2) == 0);
    char *text = g_strndup(bytes, n);
    bool ok;

    for (const char *c = text; *c && plain; c++)
        plain = (unsigned char)*c >= 0x20 && *c != 0x7f;
    if (!plain) {
        char *base64 = g_base64_encode(bytes, n);

        secret_free(text);
        text = g_strconcat("0s", base64, NULL);
        secret_free(base64);
    }
    ok = profile_put(p, L2TPC_PROFILE_SECRETS, "ipsec-psk", text);
    secret_free(text);
    return ok;
}
