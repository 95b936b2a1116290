/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What RouterOS prints for /export: commands with name=value pairs below menu paths. */
#include "profile/internal.h"

#include <string.h>

struct router {
    struct import *in;
    char *path;         /* of the menu, "/interface l2tp-client" */
    GString *ike, *esp; /* of the default profile and proposal */
    GHashTable *pairs;  /* of the present command; values are wiped */
};

static const char *const ciphers[][2] = {
    {"des", "des"},
    {"3des", "3des"},
    {"aes-128", "aes128"},
    {"aes-192", "aes192"},
    {"aes-256", "aes256"},
    {"aes-128-cbc", "aes128"},
    {"aes-192-cbc", "aes192"},
    {"aes-256-cbc", "aes256"},
    {"aes-128-gcm", "aes128gcm16"},
    {"aes-192-gcm", "aes192gcm16"},
    {"aes-256-gcm", "aes256gcm16"},
    {NULL, NULL},
};
static const char *const esp_ciphers[][2] = {
    {"des", "des"},
    {"3des", "3des"},
    {"aes-128-cbc", "aes128"},
    {"aes-192-cbc", "aes192"},
    {"aes-256-cbc", "aes256"},
    {"aes-128-gcm", "aes128gcm16"},
    {"aes-192-gcm", "aes192gcm16"},
    {"aes-256-gcm", "aes256gcm16"},
    {NULL, NULL},
};
static const char *const groups[][2] = {
    {"modp768", "modp768"},   {"modp1024", "modp1024"},
    {"modp1536", "modp1536"}, {"modp2048", "modp2048"},
    {"modp3072", "modp3072"}, {"modp4096", "modp4096"},
    {"ecp256", "ecp256"},     {"ecp384", "ecp384"},
    {"ecp521", "ecp521"},     {NULL, NULL},
};

/* ---- words: name=value, "quoted", \" \\ \$ \? \n \r \t \_ (a blank) and \2E (a byte) ---- */

static void append_escaped(const char **at, GString *word)
{
    static const char from[] = "nrt_", into[] = "\n\r\t ";
    const char *hit = (*at)[1] ? strchr(from, (*at)[1]) : NULL;

    if (g_ascii_isxdigit((*at)[1]) && g_ascii_isxdigit((*at)[2])) {
        g_string_append_c(
            word, (char)(g_ascii_xdigit_value((*at)[1]) << 4 | g_ascii_xdigit_value((*at)[2])));
        *at += 3;
    } else if (hit) {
        g_string_append_c(word, into[hit - from]);
        *at += 2;
    } else {
        if ((*at)[1])
            g_string_append_c(word, (*at)[1]);
        *at += (*at)[1] ? 2 : 1;
    }
}

/* The next word of a command, or NULL at its end. */
static char *next_word(const char **at)
{
    GString *word = text_new(64);
    bool quoted = false;
    char *out;

    *at += strspn(*at, " \t");
    if (!**at || **at == '\n' || **at == ';') {
        text_wipe(word);
        return NULL;
    }
    while (**at && **at != '\n' && (quoted || !strchr(" \t;", **at))) {
        if (**at == '"') {
            quoted = !quoted;
            (*at)++;
        } else if (**at == '\\') {
            append_escaped(at, word);
        } else {
            g_string_append_c(word, *(*at)++);
        }
    }
    out = secret_dup(word->str, word->len);
    text_wipe(word);
    return out;
}

/* A backslash at the end of a line goes on with the next, without the blanks before it. */
static GString *joined(const char *text)
{
    GString *out = text_new(strlen(text));

    for (const char *at = text; *at;) {
        gsize n = strcspn(at, "\\");

        g_string_append_len(out, at, (gssize)n);
        at += n;
        if (*at == '\\' && (at[1] == '\n' || (at[1] == '\r' && at[2] == '\n'))) {
            at += at[1] == '\r' ? 3 : 2;
            at += strspn(at, " \t");
        } else if (*at == '\\') {
            g_string_append_c(out, *at++);
            if (*at)
                g_string_append_c(out, *at++);
        }
    }
    return out;
}

static const char *get(const struct router *r, const char *key)
{
    return g_hash_table_lookup(r->pairs, key);
}

/* ---- commands ---- */

static void take_logins(const struct router *r, l2tpc_profile *p)
{
    const char *allow = get(r, "allow");
    struct logins l = {.mschapv2 = true, .chap = true};

    if (allow)
        l = (struct logins){.mschapv2 = list_has(allow, "mschap2"),
                            .chap = list_has(allow, "chap"),
                            .pap = list_has(allow, "pap")};
    if (!l.mschapv2 && !l.chap && !l.pap)
        l.mschapv2 = true;
    profile_set_logins(p, l);
}

static void tell_others(const struct router *r, l2tpc_profile *p)
{
    static const char *const known[] = {"add-default-route",
                                        "allow",
                                        "connect-to",
                                        "disabled",
                                        "ipsec-secret",
                                        "keepalive-timeout",
                                        "max-mru",
                                        "max-mtu",
                                        "mrru",
                                        "name",
                                        "password",
                                        "profile",
                                        "use-ipsec",
                                        "user",
                                        "default-route-distance",
                                        "use-peer-dns",
                                        "l2tp-proto-version",
                                        "allow-fast-path",
                                        "comment",
                                        "l2tpv3-digest-hash",
                                        "random-source-port",
                                        NULL};
    GHashTableIter iter;
    void *key, *value;

    g_hash_table_iter_init(&iter, r->pairs);
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (!g_strv_contains(known, key))
            notes_add(p->notes, NOTE_NOT_UNDERSTOOD, key, NULL);
}

static void add_client(struct router *r)
{
    const char *name = get(r, "name");
    const char *host = get(r, "connect-to");
    const char *psk = get(r, "ipsec-secret");
    l2tpc_profile *p = import_profile(r->in, name && *name ? name : "l2tp-out");

    if (!p)
        return;
    if (host)
        (void)profile_put(p, L2TPC_PROFILE_DATA, "gateway", host);
    if (get(r, "user"))
        (void)profile_put(p, L2TPC_PROFILE_DATA, "user", get(r, "user"));
    if (get(r, "password"))
        (void)profile_put(p, L2TPC_PROFILE_SECRETS, "password", get(r, "password"));
    if (psk && *psk)
        (void)profile_put_psk(p, psk, strlen(psk));
    else
        notes_add(p->notes, NOTE_PSK_MISSING, NULL, NULL);
    if (!text_is(get(r, "use-ipsec"), "yes") && !text_is(get(r, "use-ipsec"), "required"))
        notes_add(p->notes, NOTE_IPSEC_ASSUMED, NULL, NULL);
    if (!text_is(get(r, "add-default-route"), "yes"))
        profile_put_setting(p, "ipv4", "never-default", "true");
    if (text_is(get(r, "use-peer-dns"), "no"))
        profile_put_setting(p, "ipv4", "ignore-auto-dns", "true");
    if (get(r, "max-mru"))
        (void)profile_put(p, L2TPC_PROFILE_DATA, "mru", get(r, "max-mru"));
    take_logins(r, p);
    tell_others(r, p);
}

/* Every combination, in the router's order, which is by strength as often as not. */
static void combine(GString *out, const char *ciphers_text, const char *hashes,
                    const char *group_text)
{
    char **a = g_strsplit(ciphers_text, ",", 16);
    char **b = g_strsplit(hashes, ",", 16);
    char **c = g_strsplit(group_text, ",", 16);

    g_string_truncate(out, 0);
    for (gsize i = 0; a[i]; i++)
        for (gsize j = 0; b[j]; j++)
            for (gsize k = 0; c[k]; k++) {
                const char *cipher = name_ours(ciphers, a[i]);
                const char *group = name_ours(groups, c[k]);
                bool gcm = cipher && strstr(cipher, "gcm");

                if (cipher && out->len < 900 && !(gcm && j > 0) &&
                    strspn(b[j], "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(b[j]))
                    suite_append(out, cipher, gcm ? NULL : b[j], group);
            }
    g_strfreev(a);
    g_strfreev(b);
    g_strfreev(c);
}

static void take_profile(struct router *r)
{
    const char *hash = get(r, "hash-algorithm");

    if (get(r, "enc-algorithm") && get(r, "dh-group"))
        combine(r->ike, get(r, "enc-algorithm"), hash ? hash : "sha1", get(r, "dh-group"));
}

static void take_proposal(struct router *r)
{
    const char *pfs = get(r, "pfs-group");

    if (get(r, "enc-algorithms"))
        combine(r->esp, get(r, "enc-algorithms"),
                get(r, "auth-algorithms") ? get(r, "auth-algorithms") : "sha1",
                pfs ? pfs : "modp1024");
}

static void add_route(struct router *r)
{
    const char *gateway = get(r, "gateway");
    const char *to = get(r, "dst-address");

    for (guint i = 0; gateway && to && i < r->in->profiles->len; i++) {
        l2tpc_profile *p = g_ptr_array_index(r->in->profiles, i);

        if (text_is(l2tpc_profile_get_id(p), gateway))
            profile_put_route(p, "dst-address", to);
    }
}

static void run_command(struct router *r, const char *verb)
{
    bool add = text_is(verb, "add");
    bool whole = text_is(get(r, "default"), "yes") || text_is(get(r, "name"), "default") ||
                 text_is(verb, "set");

    if (add && text_is(r->path, "/interface l2tp-client"))
        add_client(r);
    else if (add && text_is(r->path, "/ip route"))
        add_route(r);
    else if (whole && text_is(r->path, "/ip ipsec profile"))
        take_profile(r);
    else if (whole && text_is(r->path, "/ip ipsec proposal"))
        take_proposal(r);
    g_hash_table_remove_all(r->pairs);
}

/* Words without "=" are the path, when the first begins with a slash, then the verb. */
static void run_line(struct router *r, const char **at)
{
    GString *path = g_string_new(NULL);
    char *verb = NULL;
    char *word;

    while ((word = next_word(at)) != NULL) {
        char *equals = strchr(word, '=');

        if (word[0] == '/' ||
            (path->len > 0 && !equals && !text_is(word, "add") && !text_is(word, "set") && !verb)) {
            if (path->len > 0)
                g_string_append_c(path, ' ');
            g_string_append(path, word);
        } else if (!equals && !verb) {
            verb = g_strdup(word);
        } else if (equals) {
            *equals = '\0';
            g_hash_table_replace(r->pairs, g_strdup(word),
                                 secret_dup(equals + 1, strlen(equals + 1)));
            explicit_bzero(equals + 1, strlen(equals + 1));
        }
        secret_free(word);
    }
    if (path->len > 0) {
        g_free(r->path);
        r->path = g_strdup(path->str);
    }
    run_command(r, verb);
    g_free(verb);
    g_string_free(path, TRUE);
}

static void put_suites(const struct router *r)
{
    for (guint i = 0; i < r->in->profiles->len; i++) {
        l2tpc_profile *p = g_ptr_array_index(r->in->profiles, i);

        if (r->ike->len > 0 && profile_put(p, L2TPC_PROFILE_DATA, "ipsec-ike", r->ike->str))
            suites_note_weak(p->notes, "ipsec-ike", r->ike->str);
        if (r->esp->len > 0 && profile_put(p, L2TPC_PROFILE_DATA, "ipsec-esp", r->esp->str))
            suites_note_weak(p->notes, "ipsec-esp", r->esp->str);
    }
}

void import_mikrotik(struct import *in, const struct source *s)
{
    struct router r = {
        .in = in,
        .ike = g_string_new(NULL),
        .esp = g_string_new(NULL),
        .pairs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, secret_free),
    };
    GString *text = joined(s->text);

    for (const char *at = text->str; *at;) {
        at += strspn(at, " \t\r\n;");
        if (*at == '#')
            at += strcspn(at, "\n");
        else if (*at)
            run_line(&r, &at);
    }
    put_suites(&r);
    text_wipe(text);
    g_hash_table_unref(r.pairs);
    g_string_free(r.ike, TRUE);
    g_string_free(r.esp, TRUE);
    g_free(r.path);
}

/* ---- out ---- */

static void append_value(GString *text, const char *key, const char *value)
{
    g_string_append_printf(text, " %s=\"", key);
    for (const char *c = value; *c; c++) {
        if (strchr("\"\\$?", *c))
            g_string_append_c(text, '\\');
        g_string_append_c(text, *c);
    }
    g_string_append_c(text, '"');
}

static void append_words(GString *text, const char *key, GArray *suites, gsize offset,
                         const char *const (*rows)[2])
{
    GString *list = g_string_new(NULL);

    for (guint i = 0; i < suites->len; i++) {
        const char *ours = (const char *)&g_array_index(suites, struct suite_names, i) + offset;
        const char *word = rows ? name_theirs(rows, ours) : ours;

        if (word && *word && !list_has(list->str, word))
            g_string_append_printf(list, "%s%s", list->len > 0 ? "," : "", word);
    }
    if (list->len > 0)
        g_string_append_printf(text, " %s=%s", key, list->str);
    g_string_free(list, TRUE);
}

static void write_suites(const struct export *out, GString *text)
{
    const char *ike = export_text(out, L2TPC_PROFILE_DATA, "ipsec-ike");
    const char *esp = export_text(out, L2TPC_PROFILE_DATA, "ipsec-esp");
    GArray *a = suites_of(ike);
    GArray *b = suites_of(esp);

    if (a->len > 0) {
        g_string_append(text, "/ip ipsec profile\nset [ find default=yes ]");
        append_words(text, "enc-algorithm", a, G_STRUCT_OFFSET(struct suite_names, cipher),
                     ciphers);
        append_words(text, "hash-algorithm", a, G_STRUCT_OFFSET(struct suite_names, hash), NULL);
        append_words(text, "dh-group", a, G_STRUCT_OFFSET(struct suite_names, group), groups);
        g_string_append_c(text, '\n');
    }
    if (b->len > 0) {
        bool pfs = g_array_index(b, struct suite_names, 0).group[0] != '\0';

        g_string_append(text, "/ip ipsec proposal\nset [ find default=yes ]");
        append_words(text, "enc-algorithms", b, G_STRUCT_OFFSET(struct suite_names, cipher),
                     esp_ciphers);
        append_words(text, "auth-algorithms", b, G_STRUCT_OFFSET(struct suite_names, hash), NULL);
        if (pfs)
            append_words(text, "pfs-group", b, G_STRUCT_OFFSET(struct suite_names, group), groups);
        else
            g_string_append(text, " pfs-group=none");
        g_string_append_c(text, '\n');
    }
    g_array_unref(a);
    g_array_unref(b);
}

static void write_logins(const struct export *out, GString *text)
{
    struct logins l = profile_logins(out->p);

    g_string_append(text, " allow=");
    g_string_append(text, l.mschapv2 ? "mschap2" : "");
    g_string_append(text, l.chap ? (l.mschapv2 ? ",chap" : "chap") : "");
    g_string_append(text, l.pap ? (l.mschapv2 || l.chap ? ",pap" : "pap") : "");
}

void export_mikrotik(struct export *out)
{
    static const char *const carried[] = {"gateway",         "user",
                                          "domain",          "ipsec-enabled",
                                          "ipsec-psk",       "mru",
                                          "refuse-pap",      "refuse-chap",
                                          "refuse-mschapv2", "refuse-eap",
                                          "refuse-mschap",   "ipsec-ike",
                                          "ipsec-esp",       "net.l2tpc.policy",
                                          "net.l2tpc.allow", NULL};
    const char *mru = export_text(out, L2TPC_PROFILE_DATA, "mru");
    char *name = export_name(out);
    char *file = g_strconcat(name, ".rsc", NULL);
    char *user = export_user(out);
    GString *text = text_new(2048);
    char *cidr, *rest;

    write_suites(out, text);
    g_string_append(text, "/interface l2tp-client\nadd");
    append_value(text, "name", l2tpc_profile_get_id(out->p));
    append_value(text, "connect-to", export_text(out, L2TPC_PROFILE_DATA, "gateway"));
    append_value(text, "user", user);
    if (export_secret(out, "password"))
        append_value(text, "password", export_secret(out, "password"));
    if (export_secret(out, "ipsec-psk"))
        append_value(text, "ipsec-secret", export_secret(out, "ipsec-psk"));
    write_logins(out, text);
    if (*mru)
        append_value(text, "max-mru", mru);
    g_string_append_printf(text,
                           " use-ipsec=yes disabled=no add-default-route=%s use-peer-dns=%s\n",
                           profile_setting_true(out->p, "ipv4", "never-default") ? "no" : "yes",
                           profile_setting_true(out->p, "ipv4", "ignore-auto-dns") ? "no" : "yes");
    for (unsigned i = 0; i < ROUTES_MAX && profile_route_at(out->p, i, &cidr, &rest); i++) {
        g_string_append_printf(text, "/ip route\nadd dst-address=%s", cidr);
        append_value(text, "gateway", l2tpc_profile_get_id(out->p));
        g_string_append_c(text, '\n');
        g_free(cidr);
        g_free(rest);
    }
    export_lost_others(out, carried);
    export_file(out, file, text);
    g_free(user);
    g_free(file);
    g_free(name);
}
