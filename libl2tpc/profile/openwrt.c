/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* OpenWrt's /etc/config/network: interfaces with proto l2tp, and routes over them. */
#include "profile/internal.h"

#include <string.h>

struct section {
    char *type, *name;
    GHashTable *options; /* values are wiped; those of a list are joined by ';' */
};

static void section_free(void *section)
{
    struct section *s = section;

    g_hash_table_unref(s->options);
    g_free(s->type);
    g_free(s->name);
    g_free(s);
}

static void take_line(GPtrArray *sections, char **words)
{
    struct section *s = sections->len > 0 ? g_ptr_array_index(sections, sections->len - 1) : NULL;
    const char *before;

    if (text_is(words[0], "config") && words[1] && sections->len < 1024) {
        s = g_new0(struct section, 1);
        s->type = g_strdup(words[1]);
        s->name = g_strdup(words[2] ? words[2] : "");
        s->options = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, secret_free);
        g_ptr_array_add(sections, s);
        return;
    }
    if (!s || !words[1] || !words[2])
        return;
    before = g_hash_table_lookup(s->options, words[1]);
    if (text_is(words[0], "list") && before)
        g_hash_table_replace(s->options, g_strdup(words[1]),
                             g_strconcat(before, ";", words[2], NULL));
    else if (text_is(words[0], "list") || text_is(words[0], "option"))
        g_hash_table_replace(s->options, g_strdup(words[1]), g_strdup(words[2]));
}

static GPtrArray *read_sections(const char *text)
{
    GPtrArray *sections = g_ptr_array_new_with_free_func(section_free);
    struct lines l = {text};
    char *line;

    while ((line = line_next(&l)) != NULL) {
        char **words = *line && *line != '#' ? line_words(line) : NULL;

        if (words)
            take_line(sections, words);
        words_free(words);
        secret_free(line);
    }
    return sections;
}

static const char *get(const struct section *s, const char *key)
{
    return g_hash_table_lookup(s->options, key);
}

static void take_dns(l2tpc_profile *p, const char *list, const char *key)
{
    char **words = g_strsplit_set(list, "; ", 16);
    GString *out = g_string_new(NULL);

    for (gsize i = 0; words[i]; i++) {
        l2tpc_profile_note *fault =
            l2tpc_profile_value_fault(L2TPC_PROFILE_DATA, "gateway", words[i]);

        if (!fault)
            g_string_append_printf(out, "%s;", words[i]);
        else if (*words[i])
            notes_add(p->notes, NOTE_NOT_NAME, key, words[i]);
        l2tpc_profile_note_free(fault);
    }
    if (out->len > 0)
        g_key_file_set_value(p->settings, "ipv4", key, out->str);
    g_string_free(out, TRUE);
    g_strfreev(words);
}

static void take_pppd(l2tpc_profile *p, const char *options)
{
    struct pppd state = {0};
    char **words = options ? line_words(options) : NULL;

    for (gsize i = 0; words && words[i]; i++) {
        char *one[3] = {words[i], words[i + 1], NULL};

        if (!pppd_option(p, &state, one) && (i == 0 || words[i][0] < '0' || words[i][0] > '9'))
            notes_add(p->notes, NOTE_NOT_UNDERSTOOD, words[i], NULL);
    }
    pppd_end(p, &state);
    words_free(words);
}

static void tell_others(l2tpc_profile *p, const struct section *s)
{
    static const char *const known[] = {
        "proto",   "server", "username",   "password",     "mtu",       "defaultroute",
        "peerdns", "dns",    "dns_search", "pppd_options", "keepalive", "checkup_interval",
        "auto",    "metric", "disabled",   "ipv6",         "delegate",  NULL};
    GHashTableIter iter;
    void *key, *value;

    g_hash_table_iter_init(&iter, s->options);
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (!g_strv_contains(known, key))
            notes_add(p->notes, NOTE_NOT_UNDERSTOOD, key, NULL);
}

static void take_interface(struct import *in, const struct section *s)
{
    l2tpc_profile *p = import_profile(in, *s->name ? s->name : "l2tp");

    if (!p)
        return;
    notes_add(p->notes, NOTE_IPSEC_ASSUMED, NULL, NULL);
    if (get(s, "server"))
        (void)profile_put(p, L2TPC_PROFILE_DATA, "gateway", get(s, "server"));
    if (get(s, "username"))
        (void)profile_put(p, L2TPC_PROFILE_DATA, "user", get(s, "username"));
    if (get(s, "password"))
        (void)profile_put(p, L2TPC_PROFILE_SECRETS, "password", get(s, "password"));
    if (text_is(get(s, "defaultroute"), "0"))
        profile_put_setting(p, "ipv4", "never-default", "true");
    if (text_is(get(s, "peerdns"), "0"))
        profile_put_setting(p, "ipv4", "ignore-auto-dns", "true");
    if (get(s, "dns"))
        take_dns(p, get(s, "dns"), "dns");
    if (get(s, "dns_search"))
        take_dns(p, get(s, "dns_search"), "dns-search");
    take_pppd(p, get(s, "pppd_options"));
    tell_others(p, s);
}

/* "255.255.0.0" as 16; 33 when it is no mask. */
static unsigned prefix_of(const char *mask)
{
    char **parts = g_strsplit(mask, ".", 5);
    guint32 bits = 0;
    unsigned prefix = 0;

    for (gsize i = 0; i < 4; i++) {
        if (g_strv_length(parts) != 4 || strlen(parts[i]) > 3 || !*parts[i] ||
            strspn(parts[i], "0123456789") != strlen(parts[i])) {
            g_strfreev(parts);
            return 33;
        }
        bits = bits << 8 | (guint32)(g_ascii_strtoull(parts[i], NULL, 10) & 255);
    }
    while (prefix < 32 && bits & (1u << (31 - prefix)))
        prefix++;
    g_strfreev(parts);
    return prefix < 32 && bits << prefix ? 33 : prefix;
}

static void take_route(struct import *in, const struct section *s)
{
    const char *target = get(s, "target");
    const char *mask = get(s, "netmask");
    char *cidr;

    if (!target)
        return;
    cidr = strchr(target, '/') || !mask ? g_strdup(target)
                                        : g_strdup_printf("%s/%u", target, prefix_of(mask));
    for (guint i = 0; i < in->profiles->len; i++) {
        l2tpc_profile *p = g_ptr_array_index(in->profiles, i);

        if (text_is(l2tpc_profile_get_id(p), get(s, "interface")))
            profile_put_route(p, "target", cidr);
    }
    g_free(cidr);
}

void import_openwrt(struct import *in, const struct source *source)
{
    GPtrArray *sections = read_sections(source->text);

    for (guint i = 0; i < sections->len; i++) {
        const struct section *s = g_ptr_array_index(sections, i);

        if (text_is(s->type, "interface") && text_is(get(s, "proto"), "l2tp"))
            take_interface(in, s);
    }
    for (guint i = 0; i < sections->len; i++) {
        const struct section *s = g_ptr_array_index(sections, i);

        if (text_is(s->type, "route") || text_is(s->type, "route6"))
            take_route(in, s);
    }
    g_ptr_array_unref(sections);
}

/* ---- out ---- */

/* UCI takes anything between single quotes but a single quote, which ends them for a moment. */
static void option(GString *text, const char *key, const char *value)
{
    g_string_append_printf(text, "\toption %s '", key);
    for (const char *c = value; *c; c++)
        if (*c == '\'')
            g_string_append(text, "'\\''");
        else
            g_string_append_c(text, *c);
    g_string_append(text, "'\n");
}

static void write_list(const struct export *out, GString *text, const char *ours, const char *key)
{
    char *value = profile_setting(out->p, "ipv4", ours);
    char **words = g_strsplit_set(value, ";,", 16);

    for (gsize i = 0; words[i]; i++)
        if (*words[i])
            g_string_append_printf(text, "\tlist %s '%s'\n", key, words[i]);
    g_strfreev(words);
    g_free(value);
}

static void write_pppd(const struct export *out, GString *text)
{
    struct logins l = profile_logins(out->p);
    GString *options = g_string_new("noccp refuse-eap refuse-mschap");

    g_string_append(options, l.mschapv2 ? "" : " refuse-mschap-v2");
    g_string_append(options, l.chap ? "" : " refuse-chap");
    if (l.pap)
        g_string_append_printf(options, " require-pap%s%s", l.mschapv2 ? " require-mschap-v2" : "",
                               l.chap ? " require-chap" : "");
    else
        g_string_append(options, " refuse-pap");
    option(text, "pppd_options", options->str);
    g_string_free(options, TRUE);
}

void export_openwrt(struct export *out)
{
    static const char *const carried[] = {"gateway",         "user",
                                          "domain",          "ipsec-enabled",
                                          "refuse-pap",      "refuse-chap",
                                          "refuse-mschapv2", "refuse-eap",
                                          "refuse-mschap",   "net.l2tpc.policy",
                                          "net.l2tpc.allow", NULL};
    char *user = export_user(out);
    char *name = export_name(out);
    GString *text = text_new(2048);
    char *cidr, *rest;

    for (char *c = name; *c; c++) /* of a name only this is allowed */
        if (!g_ascii_isalnum(*c))
            *c = '_';
    g_string_append_printf(text, "config interface '%s'\n", name);
    option(text, "proto", "l2tp");
    option(text, "server", export_text(out, L2TPC_PROFILE_DATA, "gateway"));
    option(text, "username", user);
    if (export_secret(out, "password"))
        option(text, "password", export_secret(out, "password"));
    if (profile_setting_true(out->p, "ipv4", "never-default"))
        option(text, "defaultroute", "0");
    if (profile_setting_true(out->p, "ipv4", "ignore-auto-dns"))
        option(text, "peerdns", "0");
    write_list(out, text, "dns", "dns");
    write_list(out, text, "dns-search", "dns_search");
    write_pppd(out, text);
    for (unsigned i = 0; i < ROUTES_MAX && profile_route_at(out->p, i, &cidr, &rest); i++) {
        g_string_append_printf(text, "\nconfig %s\n", strchr(cidr, ':') ? "route6" : "route");
        option(text, "interface", name);
        option(text, "target", cidr);
        g_free(cidr);
        g_free(rest);
    }
    notes_add(out->notes, NOTE_CANNOT_CARRY, "ipsec-enabled", NULL);
    export_lost_others(out, carried);
    export_file(out, "network", text);
    g_free(name);
    g_free(user);
}
