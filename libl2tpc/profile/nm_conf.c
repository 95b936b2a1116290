/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What NetworkManager-l2tp exports: a keyfile with true and false for its flags, addresses in [ip4]
 * up to 1.52.0 and in [ipv4] and [ipv6] since, and no secrets. Its first line names the plugin, and
 * by that alone it is known.
 */
#include "profile/internal.h"

#include <string.h>

static const char *const ip_flags[] = {"ignore-auto-routes", "ignore-auto-dns",
                                       "dhcp-send-hostname", "never-default", NULL};

static void take_data(l2tpc_profile *p, GKeyFile *kf)
{
    char **keys = g_key_file_get_keys(kf, "vpn", NULL, NULL);

    for (gsize i = 0; keys && keys[i]; i++) {
        char *value = g_key_file_get_string(kf, "vpn", keys[i], NULL);
        l2tpc_profile_key key;

        if (!value) {
            notes_add(p->notes, NOTE_NOT_UTF8, keys[i], NULL);
            continue;
        }
        if (!key_find(L2TPC_PROFILE_DATA, keys[i], &key)) {
            notes_add(p->notes, NOTE_NOT_UNDERSTOOD, keys[i], NULL);
        } else if (strcmp(key.type, "flag") != 0) {
            (void)profile_put(p, L2TPC_PROFILE_DATA, keys[i], value);
        } else if (text_is(value, "true") || text_is(value, "yes")) {
            l2tpc_profile_set(p, L2TPC_PROFILE_DATA, keys[i], "yes");
        } else if (!text_is(value, "false") && !text_is(value, "no")) {
            notes_add(p->notes, NOTE_NOT_FLAG, keys[i], value);
        }
        secret_free(value); /* some have put the pre-shared key there */
    }
    g_strfreev(keys);
}

/* "10.0.0.0/8 via 192.0.2.1 metric 5" as NetworkManager writes routes: "10.0.0.0/8,192.0.2.1,5". */
static void take_route(l2tpc_profile *p, const char *group, const char *text)
{
    char **words = g_strsplit_set(text, " ", 16);
    GString *out = g_string_new(NULL);
    const char *via = "";
    const char *metric = "";
    const char *cidr = "";
    char *valid;

    for (gsize i = 0; words[i]; i++) {
        if (!*words[i])
            continue;
        if (strcmp(words[i], "via") == 0 && words[i + 1])
            via = words[++i];
        else if (strcmp(words[i], "metric") == 0 && words[i + 1])
            metric = words[++i];
        else if (!*cidr)
            cidr = words[i];
        else
            notes_add(p->notes, NOTE_NOT_UNDERSTOOD, "routes", NULL);
    }
    valid = route_canonical(cidr);
    if (!valid || strspn(metric, "0123456789") != strlen(metric) || strlen(metric) > 10) {
        notes_add(p->notes, NOTE_NOT_ROUTE, "routes", text);
    } else {
        g_string_append(out, valid);
        if (*via || *metric)
            g_string_append_printf(out, ",%s", via);
        if (*metric)
            g_string_append_printf(out, ",%s", metric);
        for (unsigned i = 1; i <= ROUTES_MAX; i++) {
            char key[16];

            (void)g_snprintf(key, sizeof(key), "route%u", i);
            if (g_key_file_has_key(p->settings, group, key, NULL))
                continue;
            profile_put_setting(p, group, key, out->str);
            break;
        }
    }
    g_free(valid);
    g_string_free(out, TRUE);
    g_strfreev(words);
}

static void take_list(l2tpc_profile *p, const char *group, const char *key, char **list)
{
    GString *out = g_string_new(NULL);

    for (gsize i = 0; list[i]; i++) {
        l2tpc_profile_note *fault =
            l2tpc_profile_value_fault(L2TPC_PROFILE_DATA, "gateway", list[i]);

        if (fault)
            notes_add(p->notes, NOTE_NOT_NAME, key, list[i]);
        else
            g_string_append_printf(out, "%s;", list[i]);
        l2tpc_profile_note_free(fault);
    }
    if (out->len > 0)
        g_key_file_set_value(p->settings, group, key, out->str);
    g_string_free(out, TRUE);
}

static void take_address_key(l2tpc_profile *p, GKeyFile *kf, const char *from, const char *group,
                             const char *key)
{
    char *value = g_key_file_get_string(kf, from, key, NULL);
    char **list = g_key_file_get_string_list(kf, from, key, NULL, NULL);

    if (!value || !list) {
        notes_add(p->notes, NOTE_NOT_UTF8, key, NULL);
    } else if (strcmp(key, "routes") == 0) {
        for (gsize i = 0; list[i]; i++)
            take_route(p, group, list[i]);
    } else if (strcmp(key, "dns") == 0 || strcmp(key, "dns-search") == 0) {
        take_list(p, group, key, list);
    } else if (g_strv_contains(ip_flags, key)) {
        if (text_is(value, "true"))
            profile_put_setting(p, group, key, "true");
        else if (!text_is(value, "false"))
            notes_add(p->notes, NOTE_NOT_FLAG, key, value);
    } else if (strcmp(key, "method") == 0) {
        if (strspn(value, "abcdefghijklmnopqrstuvwxyz-6") == strlen(value))
            profile_put_setting(p, group, key, value);
        else
            notes_add(p->notes, NOTE_NOT_CHOICE, key, value);
    } else {
        notes_add(p->notes, NOTE_NOT_UNDERSTOOD, key, NULL);
    }
    g_strfreev(list);
    g_free(value);
}

static void take_addresses(l2tpc_profile *p, GKeyFile *kf, const char *from, const char *group)
{
    char **keys = g_key_file_get_keys(kf, from, NULL, NULL);

    for (gsize i = 0; keys && keys[i]; i++)
        take_address_key(p, kf, from, group, keys[i]);
    g_strfreev(keys);
}

static void tell_other_groups(l2tpc_profile *p, GKeyFile *kf)
{
    static const char *const known[] = {"connection", "vpn", "ip4", "ipv4", "ipv6", NULL};
    char **groups = g_key_file_get_groups(kf, NULL);

    for (gsize i = 0; groups[i]; i++)
        if (!g_strv_contains(known, groups[i]))
            notes_add(p->notes, NOTE_NOT_UNDERSTOOD, groups[i], NULL);
    g_strfreev(groups);
}

void import_nm_conf(struct import *in, const struct source *s)
{
    GKeyFile *kf = g_key_file_new();
    GError *error = NULL;
    l2tpc_profile *p = profile_empty();
    char *id;

    if (!g_key_file_load_from_data(kf, s->text, s->n, G_KEY_FILE_NONE, &error)) {
        import_fail(in, NOTE_DAMAGED, error->message);
        g_clear_error(&error);
        l2tpc_profile_free(p);
        g_key_file_unref(kf);
        return;
    }
    id = g_key_file_get_string(kf, "connection", "id", NULL);
    if (id)
        (void)profile_put_id(p, id);
    take_data(p, kf);
    /* Ours has both, the same twice, for either series of the plugin. */
    take_addresses(p, kf, g_key_file_has_group(kf, "ipv4") ? "ipv4" : "ip4", "ipv4");
    take_addresses(p, kf, "ipv6", "ipv6");
    tell_other_groups(p, kf);
    g_free(id);
    g_key_file_unref(kf);
    g_ptr_array_add(in->profiles, p);
}

/* ---- out ---- */

static void write_routes(const struct export *out, GKeyFile *kf)
{
    GString *four = g_string_new(NULL);
    GString *six = g_string_new(NULL);
    char *cidr, *rest;

    for (unsigned i = 0; i < ROUTES_MAX && profile_route_at(out->p, i, &cidr, &rest); i++) {
        GString *to = strchr(cidr, ':') ? six : four;
        char **parts = g_strsplit(rest, ",", 4); /* "", next hop, metric */

        g_string_append(to, cidr);
        if (parts[0] && parts[1] && *parts[1])
            g_string_append_printf(to, " via %s", parts[1]);
        if (parts[0] && parts[1] && parts[2] && *parts[2])
            g_string_append_printf(to, " metric %s", parts[2]);
        g_string_append_c(to, ';');
        g_strfreev(parts);
        g_free(cidr);
        g_free(rest);
    }
    if (four->len > 0) {
        g_key_file_set_value(kf, "ip4", "routes", four->str);
        g_key_file_set_value(kf, "ipv4", "routes", four->str);
    }
    if (six->len > 0)
        g_key_file_set_value(kf, "ipv6", "routes", six->str);
    g_string_free(four, TRUE);
    g_string_free(six, TRUE);
}

static void write_group(const struct export *out, GKeyFile *kf, const char *group, const char *as)
{
    static const char *const plain[] = {"method", "dns", "dns-search"};

    for (gsize i = 0; i < G_N_ELEMENTS(plain); i++) {
        char *raw = g_key_file_get_value(out->p->settings, group, plain[i], NULL);

        if (raw)
            g_key_file_set_value(kf, as, plain[i], raw);
        else if (i == 0) /* it is demanded */
            g_key_file_set_value(kf, as, plain[i], "auto");
        g_free(raw);
    }
    for (gsize i = 0; ip_flags[i]; i++)
        g_key_file_set_boolean(kf, as, ip_flags[i],
                               profile_setting_true(out->p, group, ip_flags[i]));
}

static void write_data(struct export *out, GKeyFile *kf)
{
    l2tpc_profile_key key;

    for (unsigned i = 0; l2tpc_profile_key_at(i, &key); i++) {
        const char *value = l2tpc_profile_get(out->p, key.table, key.name);

        if (!value)
            continue;
        if (key.table != L2TPC_PROFILE_DATA)
            export_lost(out, key.table, key.name);
        else if (strcmp(key.type, "flag") != 0)
            g_key_file_set_string(kf, "vpn", key.name, value);
        else if (text_is(value, "yes"))
            g_key_file_set_boolean(kf, "vpn", key.name, TRUE);
    }
}

void export_nm_conf(struct export *out)
{
    GKeyFile *kf = g_key_file_new();
    char *name = export_name(out);
    char *file = g_strconcat(name, ".conf", NULL);
    GString *text = text_new(4096);
    char *plain;

    g_key_file_set_string(kf, "connection", "id", l2tpc_profile_get_id(out->p));
    write_data(out, kf);
    write_group(out, kf, "ipv4", "ip4"); /* 1.52.0 and before know no other */
    write_group(out, kf, "ipv4", "ipv4");
    if (g_key_file_has_group(out->p->settings, "ipv6"))
        write_group(out, kf, "ipv6", "ipv6");
    write_routes(out, kf);
    plain = g_key_file_to_data(kf, NULL, NULL);
    g_string_append(text, "#" SERVICE_L2TP "\n\n");
    g_string_append(text, plain);
    export_file(out, file, text);
    g_free(plain);
    g_free(file);
    g_free(name);
    g_key_file_unref(kf);
}
