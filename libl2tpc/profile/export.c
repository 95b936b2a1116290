/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The formats, and what they share when a profile is written. */
#include "profile/internal.h"

#include <string.h>

static const struct {
    const char *name, *title, *suffix;
    export_function *write;
} formats[] = {
    {"networkmanager", N_("NetworkManager keyfile"), ".nmconnection", export_keyfile},
    {"nm-l2tp", N_("export of NetworkManager-l2tp"), ".conf", export_nm_conf},
    {"apple", N_("Apple configuration profile"), ".mobileconfig", export_apple},
    {"rasphone", N_("Windows phone book"), ".pbk", export_pbk},
    {"powershell", N_("Windows PowerShell script"), ".ps1", export_powershell},
    {"onc", N_("ChromeOS network configuration"), ".onc", export_onc},
    {"swan", N_("ipsec.conf, xl2tpd.conf and pppd options"), "", export_swan},
    {"routeros", N_("MikroTik RouterOS export"), ".rsc", export_mikrotik},
    {"openwrt", N_("OpenWrt network configuration"), "", export_openwrt},
};

gboolean l2tpc_profile_format_at(unsigned index, l2tpc_profile_format *out)
{
    if (index >= G_N_ELEMENTS(formats) || !out)
        return FALSE;
    *out = (l2tpc_profile_format){.name = formats[index].name,
                                  .title = formats[index].title,
                                  .suffix = formats[index].suffix};
    return TRUE;
}

void export_file(struct export *out, const char *name, GString *text)
{
    l2tpc_profile_file *f = g_new0(l2tpc_profile_file, 1);

    f->name = g_strdup(name);
    f->bytes = text_to_bytes(text);
    g_ptr_array_add(out->files, f);
}

static void file_free(void *file)
{
    l2tpc_profile_file *f = file;

    g_free(f->name);
    g_bytes_unref(f->bytes);
    g_free(f);
}

void export_lost(struct export *out, int table, const char *key)
{
    if (l2tpc_profile_get(out->p, table, key))
        notes_add(out->notes, NOTE_CANNOT_CARRY, key, NULL);
}

/* Keys that say nothing when they are lost: flags of secrets, switches of unused compressions. */
static bool is_silent(const l2tpc_profile_key *key)
{
    return strcmp(key->use, "unneeded") == 0 || g_str_has_suffix(key->name, "-flags") ||
           key->table == L2TPC_PROFILE_SECRETS;
}

void export_lost_others(struct export *out, const char *const *carried)
{
    l2tpc_profile_key key;

    for (unsigned i = 0; l2tpc_profile_key_at(i, &key); i++) {
        const char *value = l2tpc_profile_get(out->p, key.table, key.name);

        if (value && *value && strcmp(value, "no") != 0 && !is_silent(&key) &&
            !g_strv_contains(carried, key.name))
            export_lost(out, key.table, key.name);
    }
}

const char *export_text(const struct export *out, int table, const char *key)
{
    const char *value = l2tpc_profile_get(out->p, table, key);

    return value ? value : "";
}

const char *export_secret(const struct export *out, const char *key)
{
    if (!out->with_secrets)
        return NULL;
    if (strcmp(key, "ipsec-psk") == 0)
        return out->psk;
    return l2tpc_profile_get(out->p, L2TPC_PROFILE_SECRETS, key);
}

char *export_user(const struct export *out)
{
    const char *domain = export_text(out, L2TPC_PROFILE_DATA, "domain");
    const char *user = export_text(out, L2TPC_PROFILE_DATA, "user");
    char *other = profile_setting(out->p, "vpn", "user-name");
    char *whole = g_strdup(*user ? user : other);

    g_free(other);
    if (*domain && *whole) {
        other = whole;
        whole = g_strconcat(domain, "\\", other, NULL);
        g_free(other);
    }
    return whole;
}

char *export_name(const struct export *out)
{
    const char *id = l2tpc_profile_get_id(out->p);
    char *name = g_strndup(*id ? id : "l2tp", 64);
    char *end;

    (void)g_utf8_validate(name, -1, (const char **)&end); /* cut within a character */
    *end = '\0';
    for (char *c = name; *c; c++)
        if (*c == '/' || (*c == '.' && c == name))
            *c = '_';
    return name;
}

/* As its bytes are; NULL when no text format can hold them. */
static char *psk_text(const l2tpc_profile *p)
{
    const char *psk = profile_psk(p);
    gsize n = 0;
    guchar *bytes;
    char *text = NULL;

    if (!psk || !g_str_has_prefix(psk, "0s"))
        return psk ? g_strdup(psk) : NULL;
    bytes = g_base64_decode(psk + 2, &n);
    if (!memchr(bytes, '\0', n) && g_utf8_validate((const char *)bytes, (gssize)n, NULL))
        text = g_strndup((const char *)bytes, n);
    explicit_bzero(bytes, n);
    g_free(bytes);
    return text;
}

/* A list of a setting such as ipv4.dns: names or addresses. */
static void judge_list(const l2tpc_profile *p, const char *group, const char *key, GPtrArray *notes)
{
    char *value = profile_setting(p, group, key);
    char **items = g_strsplit_set(value, ";,", -1);

    for (gsize i = 0; items[i]; i++) {
        l2tpc_profile_note *fault =
            *items[i] ? l2tpc_profile_value_fault(L2TPC_PROFILE_DATA, "gateway", items[i]) : NULL;

        if (fault)
            notes_add(notes, NOTE_NOT_NAME, key, items[i]);
        l2tpc_profile_note_free(fault);
    }
    g_strfreev(items);
    g_free(value);
}

/* Settings that other formats get as well; a keyfile takes them as they are. */
static void judge_settings(const l2tpc_profile *p, GPtrArray *notes)
{
    static const char *const groups[] = {"ipv4", "ipv6"};
    char *user = profile_setting(p, "vpn", "user-name");
    char *cidr, *rest;

    notes_take(notes, l2tpc_profile_value_fault(L2TPC_PROFILE_DATA, "user", user));
    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++) {
        judge_list(p, groups[i], "dns", notes);
        judge_list(p, groups[i], "dns-search", notes);
    }
    for (unsigned i = 0; i < ROUTES_MAX && profile_route_at(p, i, &cidr, &rest); i++) {
        char *route = route_canonical(cidr);

        if (!route || strspn(rest, "0123456789abcdefABCDEF.:,") != strlen(rest))
            notes_add(notes, NOTE_NOT_ROUTE, "route", cidr);
        g_free(route);
        g_free(cidr);
        g_free(rest);
    }
    g_free(user);
}

static export_function *writer_of(const char *format)
{
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++)
        if (strcmp(formats[i].name, format) == 0)
            return formats[i].write;
    return NULL;
}

/* What could end a line elsewhere must not get there; what is merely not dialed may travel. */
static bool has_bad_value(const l2tpc_profile *p, GPtrArray *notes)
{
    for (int table = L2TPC_PROFILE_DATA; table <= L2TPC_PROFILE_USER; table++) {
        GHashTableIter iter;
        void *key, *value;

        g_hash_table_iter_init(&iter, p->table[table]);
        while (g_hash_table_iter_next(&iter, &key, &value))
            if (*(const char *)value)
                notes_take(notes, l2tpc_profile_value_fault(table, key, value));
    }
    notes_take(notes,
               l2tpc_profile_value_fault(L2TPC_PROFILE_DATA, "user", l2tpc_profile_get_id(p)));
    return notes_have_error(notes);
}

int l2tpc_profile_export(const l2tpc_profile *p, const char *format, unsigned flags,
                         GPtrArray **out_files, GPtrArray **out_notes)
{
    struct export out = {.p = p, .with_secrets = flags & L2TPC_PROFILE_WITH_SECRETS};
    export_function *write = format ? writer_of(format) : NULL;
    bool bad;

    if (!p || !write || !out_files)
        return L2TPC_PROFILE_EARGUMENT;
    out.files = g_ptr_array_new_with_free_func(file_free);
    out.notes = notes_new();
    out.psk = psk_text(p);
    if (write != export_keyfile)
        judge_settings(p, out.notes);
    if (!has_bad_value(p, out.notes)) {
        write(&out);
        if (!out.with_secrets &&
            (profile_psk(p) || l2tpc_profile_get(p, L2TPC_PROFILE_SECRETS, "password")))
            notes_add(out.notes, NOTE_SECRETS_LEFT_OUT, NULL, NULL);
        if (out.with_secrets && profile_psk(p) && !out.psk && write != export_keyfile)
            notes_add(out.notes, NOTE_CANNOT_CARRY, "ipsec-psk", NULL);
    }
    secret_free(out.psk);
    notes_sort(out.notes);
    bad = notes_have_error(out.notes);
    if (bad)
        g_ptr_array_unref(out.files);
    else
        *out_files = out.files;
    if (out_notes)
        *out_notes = out.notes;
    else
        g_ptr_array_unref(out.notes);
    return bad ? L2TPC_PROFILE_EINVALID : L2TPC_PROFILE_OK;
}
