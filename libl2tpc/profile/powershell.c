/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A PowerShell script that makes connections: Add-VpnConnection,
 * Set-VpnConnectionIPsecConfiguration and Add-VpnConnectionRoute with plain values, and variables
 * that were given a plain text before.
 */
#include "profile/internal.h"

#include <string.h>

struct script {
    struct import *in;
    GHashTable *variables; /* lower case name -> text; wiped */
    GPtrArray *words;      /* of the present command; char *, wiped */
    const char *at;
};

struct command {
    struct script *script;
    GPtrArray *words;
};

static const char *const main_mode_cipher[][2] = {
    {"DES", "des"},
    {"DES3", "3des"},
    {"AES128", "aes128"},
    {"AES192", "aes192"},
    {"AES256", "aes256"},
    {"GCMAES128", "aes128gcm16"},
    {"GCMAES256", "aes256gcm16"},
    {"GCMAES192", "aes192gcm16"},
    {NULL, NULL},
};
static const char *const hashes[][2] = {
    {"MD5", "md5"},   {"SHA1", "sha1"},   {"SHA256", "sha256"},    {"SHA384", "sha384"},
    {"MD596", "md5"}, {"SHA196", "sha1"}, {"SHA256128", "sha256"}, {NULL, NULL},
};
static const char *const quick_hashes[][2] = {
    {"MD596", "md5"},
    {"SHA196", "sha1"},
    {"SHA256128", "sha256"},
    {NULL, NULL},
};
static const char *const groups[][2] = {
    {"Group1", "modp768"}, {"Group2", "modp1024"}, {"Group14", "modp2048"},
    {"ECP256", "ecp256"},  {"ECP384", "ecp384"},   {NULL, NULL},
};
static const char *const pfs_groups[][2] = {
    {"PFS1", "modp768"},  {"PFS2", "modp1024"}, {"PFS2048", "modp2048"},
    {"ECP256", "ecp256"}, {"ECP384", "ecp384"}, {NULL, NULL},
};

/* ---- words ---- */

static bool ends_word(char c)
{
    return c == '\0' || strchr(" \t\r\n;|{}(),", c) != NULL;
}

static void append_variable(struct script *s, GString *word)
{
    gsize n = 0;
    char *name;
    const char *value;

    while (g_ascii_isalnum(s->at[n]) || s->at[n] == '_' || s->at[n] == ':')
        n++;
    name = g_ascii_strdown(s->at, (gssize)n);
    s->at += n;
    value = g_hash_table_lookup(s->variables, name);
    if (strcmp(name, "true") == 0 || strcmp(name, "false") == 0)
        g_string_append_printf(word, "$%s", name);
    else if (value)
        g_string_append(word, value);
    else
        g_string_append_printf(word, "\x01%s", name); /* not known: no plain value has this */
    g_free(name);
}

static void append_quoted(struct script *s, GString *word)
{
    char quote = *s->at++;

    while (*s->at) {
        if (*s->at == quote && s->at[1] == quote) {
            s->at++;
        } else if (*s->at == quote) {
            s->at++;
            return;
        } else if (quote == '"' && *s->at == '`' && s->at[1]) {
            s->at++;
        } else if (quote == '"' && *s->at == '$') {
            s->at++;
            append_variable(s, word);
            continue;
        }
        g_string_append_c(word, *s->at++);
    }
}

/* The word that begins here; an empty one for a sign that stands by itself. */
static char *next_word(struct script *s)
{
    GString *word = text_new(64);
    char *out;

    while (!ends_word(*s->at)) {
        if (*s->at == '"' || *s->at == '\'') {
            append_quoted(s, word);
        } else if (*s->at == '$') {
            s->at++;
            append_variable(s, word);
        } else if (*s->at == '`' && s->at[1]) {
            g_string_append_c(word, s->at[1]);
            s->at += 2;
        } else {
            g_string_append_c(word, *s->at++);
        }
    }
    out = secret_dup(word->str, word->len);
    text_wipe(word);
    return out;
}

/* ---- parameters ---- */

/* The word behind -NAME, or "" for a switch; NULL when it is not there. */
static const char *parameter(const struct script *s, const char *name)
{
    gsize n = strlen(name);

    for (guint i = 1; i < s->words->len; i++) {
        const char *word = g_ptr_array_index(s->words, i);

        if (word[0] != '-' || g_ascii_strncasecmp(word + 1, name, n) != 0)
            continue;
        if (word[n + 1] == ':' && word[n + 2])
            return word + n + 2;
        if (word[n + 1] != '\0' && word[n + 1] != ':')
            continue;
        if (i + 1 < s->words->len) {
            const char *value = g_ptr_array_index(s->words, i + 1);

            return value[0] == '-' && value[1] ? "" : value;
        }
        return "";
    }
    return NULL;
}

static bool is_on(const struct script *s, const char *name)
{
    const char *value = parameter(s, name);

    return value && g_ascii_strcasecmp(value, "$false") != 0;
}

/* A plain value of it, or NULL, with a note when the script computes it. */
static const char *plain(const struct script *s, l2tpc_profile *p, const char *name)
{
    const char *value = parameter(s, name);
    const char *mark = value ? strchr(value, '\x01') : NULL;

    if (!mark)
        return value;
    notes_add(p->notes, NOTE_SCRIPT_VALUE, name, mark + 1);
    return NULL;
}

static void tell_others(const struct script *s, l2tpc_profile *p, const char *const *known)
{
    for (guint i = 1; i < s->words->len; i++) {
        const char *word = g_ptr_array_index(s->words, i);
        gsize n = strcspn(word, ":");
        bool found = word[0] != '-' || !g_ascii_isalpha(word[1]);

        for (gsize k = 0; known[k] && !found; k++)
            found =
                strlen(known[k]) == n - 1 && g_ascii_strncasecmp(known[k], word + 1, n - 1) == 0;
        if (!found) {
            char *name = g_strndup(word, n);

            notes_add(p->notes, NOTE_NOT_UNDERSTOOD, name, NULL);
            g_free(name);
        }
    }
}

static l2tpc_profile *named(const struct script *s)
{
    const char *name = parameter(s, "ConnectionName");

    if (!name)
        name = parameter(s, "Name");
    for (guint i = 0; name && i < s->in->profiles->len; i++) {
        l2tpc_profile *p = g_ptr_array_index(s->in->profiles, i);

        if (g_ascii_strcasecmp(l2tpc_profile_get_id(p), name) == 0)
            return p;
    }
    return NULL;
}

/* ---- commands ---- */

/* "Pap,MSChapv2" comes as words of its own, as a comma ends a word; so all of them are looked at.
 */
static void take_logins(const struct script *s, l2tpc_profile *p)
{
    struct logins l = {0};
    bool listed = false;

    for (guint i = 1; i < s->words->len; i++) {
        const char *word = g_ptr_array_index(s->words, i);

        if (word[0] == '-') {
            listed = g_ascii_strcasecmp(word, "-AuthenticationMethod") == 0;
            continue;
        }
        if (!listed)
            continue;
        l.mschapv2 = l.mschapv2 || g_ascii_strcasecmp(word, "MSChapv2") == 0;
        l.chap = l.chap || g_ascii_strcasecmp(word, "Chap") == 0;
        l.pap = l.pap || g_ascii_strcasecmp(word, "Pap") == 0;
        if (g_ascii_strcasecmp(word, "Eap") == 0 ||
            g_ascii_strcasecmp(word, "MachineCertificate") == 0)
            notes_add(p->notes, NOTE_EAP_LOST, NULL, word);
    }
    if (!l.mschapv2 && !l.chap && !l.pap)
        l.mschapv2 = true;
    profile_set_logins(p, l);
}

static void add_connection(const struct script *s)
{
    static const char *const known[] = {"Name",
                                        "ServerAddress",
                                        "TunnelType",
                                        "L2tpPsk",
                                        "AuthenticationMethod",
                                        "EncryptionLevel",
                                        "SplitTunneling",
                                        "RememberCredential",
                                        "Force",
                                        "PassThru",
                                        "AllUserConnection",
                                        "DnsSuffix",
                                        "ConnectionName",
                                        NULL};
    const char *type = parameter(s, "TunnelType");
    const char *name = parameter(s, "Name");
    const char *value;
    l2tpc_profile *p;

    if (!name)
        name = parameter(s, "ConnectionName");
    if (!type || g_ascii_strcasecmp(type, "L2tp") != 0) {
        notes_add(s->in->notes, NOTE_SKIPPED, name ? name : "Add-VpnConnection",
                  type && *type ? type : "Automatic");
        return;
    }
    p = import_profile(s->in, name && *name ? name : "VPN");
    if (!p)
        return;
    value = plain(s, p, "ServerAddress");
    if (value)
        (void)profile_put(p, L2TPC_PROFILE_DATA, "gateway", value);
    value = plain(s, p, "L2tpPsk");
    if (value)
        (void)profile_put_psk(p, value, strlen(value));
    else
        notes_add(p->notes, NOTE_PSK_MISSING, NULL, NULL);
    take_logins(s, p);
    value = parameter(s, "EncryptionLevel");
    if (value && (has_prefix_ci(value, "NoEnc") || has_prefix_ci(value, "Optional")))
        notes_add(p->notes, NOTE_ENCRYPTION_OPTIONAL, "EncryptionLevel", NULL);
    if (is_on(s, "SplitTunneling"))
        profile_put_setting(p, "ipv4", "never-default", "true");
    value = plain(s, p, "DnsSuffix");
    if (value && value_fits(value, " ;\"'"))
        profile_put_setting(p, "ipv4", "dns-search", value);
    tell_others(s, p, known);
}

static const char *translated(const struct script *s, l2tpc_profile *p, const char *name,
                              const char *const (*rows)[2])
{
    const char *value = plain(s, p, name);
    const char *ours = value ? name_ours(rows, value) : NULL;

    if (value && !ours && g_ascii_strcasecmp(value, "None") != 0)
        notes_add(p->notes, NOTE_NO_MATCH, name, value);
    return ours;
}

static void set_ipsec(const struct script *s)
{
    static const char *const known[] = {"ConnectionName",
                                        "Name",
                                        "AuthenticationTransformConstants",
                                        "CipherTransformConstants",
                                        "DHGroup",
                                        "EncryptionMethod",
                                        "IntegrityCheckMethod",
                                        "PfsGroup",
                                        "Force",
                                        "PassThru",
                                        "AllUserConnection",
                                        NULL};
    l2tpc_profile *p = named(s);
    const char *cipher, *hash, *group;
    GString *list;

    if (!p)
        return;
    cipher = translated(s, p, "EncryptionMethod", main_mode_cipher);
    hash = translated(s, p, "IntegrityCheckMethod", hashes);
    group = translated(s, p, "DHGroup", groups);
    list = g_string_new(NULL);
    if (cipher && hash && group) {
        suite_append(list, cipher, hash, group);
        (void)profile_put(p, L2TPC_PROFILE_DATA, "ipsec-ike", list->str);
        suites_note_weak(p->notes, "ipsec-ike", list->str);
    }
    g_string_truncate(list, 0);
    cipher = translated(s, p, "CipherTransformConstants", main_mode_cipher);
    hash = cipher && strstr(cipher, "gcm")
               ? NULL
               : translated(s, p, "AuthenticationTransformConstants", hashes);
    group = translated(s, p, "PfsGroup", pfs_groups);
    if (cipher) {
        suite_append(list, cipher, hash, group);
        (void)profile_put(p, L2TPC_PROFILE_DATA, "ipsec-esp", list->str);
        suites_note_weak(p->notes, "ipsec-esp", list->str);
    }
    g_string_free(list, TRUE);
    tell_others(s, p, known);
}

static void add_route(const struct script *s)
{
    l2tpc_profile *p = named(s);
    const char *route = p ? plain(s, p, "DestinationPrefix") : NULL;

    if (route)
        profile_put_route(p, "DestinationPrefix", route);
}

static void run_command(struct script *s)
{
    const char *verb = s->words->len > 0 ? g_ptr_array_index(s->words, 0) : "";

    if (g_ascii_strcasecmp(verb, "Add-VpnConnection") == 0)
        add_connection(s);
    else if (g_ascii_strcasecmp(verb, "Set-VpnConnectionIPsecConfiguration") == 0)
        set_ipsec(s);
    else if (g_ascii_strcasecmp(verb, "Add-VpnConnectionRoute") == 0)
        add_route(s);
    g_ptr_array_set_size(s->words, 0);
}

/* "$name = text": remembered; true when it was one. */
static bool assignment(struct script *s)
{
    const char *at = s->at + 1;
    gsize n = 0;
    char *value, *name;

    while (g_ascii_isalnum(at[n]) || at[n] == '_' || at[n] == ':')
        n++;
    name = g_ascii_strdown(at, (gssize)n);
    at += n;
    at += strspn(at, " \t");
    if (*at != '=' || n == 0) {
        g_free(name);
        return false;
    }
    s->at = at + 1 + strspn(at + 1, " \t");
    value = next_word(s);
    if (*value && !strchr(value, '\x01') && strcspn(s->at, "(+") >= strcspn(s->at, "\r\n;"))
        g_hash_table_replace(s->variables, g_strdup(name), g_strdup(value));
    secret_free(value);
    g_free(name);
    s->at += strcspn(s->at, "\n;");
    return true;
}

static void step(struct script *s)
{
    char c = *s->at;

    if (c == '#') {
        s->at += strcspn(s->at, "\n");
    } else if (c == '`' && (s->at[1] == '\n' || (s->at[1] == '\r' && s->at[2] == '\n'))) {
        s->at = strchr(s->at, '\n') + 1;
    } else if (c == '\n' || c == ';' || c == '|' || c == '{' || c == '}') {
        run_command(s);
        s->at++;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == ',' || c == '(' || c == ')') {
        s->at++;
    } else if (c != '$' || s->words->len > 0 || !assignment(s)) {
        g_ptr_array_add(s->words, next_word(s));
    }
}

void import_powershell(struct import *in, const struct source *source)
{
    struct script s = {
        .in = in,
        .variables = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, secret_free),
        .words = g_ptr_array_new_with_free_func(secret_free),
        .at = source->text,
    };

    while (*s.at && s.words->len < 4096)
        step(&s);
    run_command(&s);
    g_ptr_array_unref(s.words);
    g_hash_table_unref(s.variables);
}

/* ---- out ---- */

static void quote(GString *text, const char *value)
{
    g_string_append_c(text, '\'');
    for (const char *c = value; *c; c++) {
        if (*c == '\'')
            g_string_append_c(text, '\'');
        g_string_append_c(text, *c);
    }
    g_string_append_c(text, '\'');
}

static void write_logins(const struct export *out, GString *text)
{
    struct logins l = profile_logins(out->p);
    const char *names[3];
    gsize n = 0;

    if (l.mschapv2)
        names[n++] = "MSChapv2";
    if (l.chap)
        names[n++] = "Chap";
    if (l.pap)
        names[n++] = "Pap";
    for (gsize i = 0; i < n; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : " -AuthenticationMethod ", names[i]);
}

/* The first of our suites that Windows has a name for. */
static bool suite_for(const char *list, bool ike, struct suite_names *out)
{
    GArray *suites = suites_of(list);
    bool found = false;

    for (guint i = 0; i < suites->len && !found; i++) {
        const struct suite_names *s = &g_array_index(suites, struct suite_names, i);

        found =
            name_theirs(main_mode_cipher, s->cipher) &&
            (!ike || (name_theirs(hashes, s->hash) && name_theirs(groups, s->group))) &&
            (ike || strstr(s->cipher, "gcm") || !*s->hash || name_theirs(quick_hashes, s->hash));
        if (found)
            *out = *s;
    }
    g_array_unref(suites);
    return found;
}

static void write_suites(struct export *out, GString *text)
{
    const char *ike = export_text(out, L2TPC_PROFILE_DATA, "ipsec-ike");
    const char *esp = export_text(out, L2TPC_PROFILE_DATA, "ipsec-esp");
    struct suite_names a, b;
    const char *pfs;

    if (!*ike && !*esp)
        return;
    if (!suite_for(*ike ? ike : "aes256-sha256-modp2048", true, &a) ||
        !suite_for(*esp ? esp : "aes256-sha256", false, &b)) {
        notes_add(out->notes, NOTE_OTHER_SUITE, NULL, *ike ? ike : esp);
        return;
    }
    if (strchr(ike, ',') || strchr(esp, ','))
        notes_add(out->notes, NOTE_CANNOT_CARRY, "ipsec-ike, ipsec-esp (2)", NULL);
    pfs = name_theirs(pfs_groups, b.group);
    g_string_append(text, "Set-VpnConnectionIPsecConfiguration -ConnectionName ");
    quote(text, l2tpc_profile_get_id(out->p));
    g_string_append_printf(text, " -EncryptionMethod %s -IntegrityCheckMethod %s -DHGroup %s",
                           name_theirs(main_mode_cipher, a.cipher), name_theirs(hashes, a.hash),
                           name_theirs(groups, a.group));
    g_string_append_printf(
        text,
        " -CipherTransformConstants %s -AuthenticationTransformConstants %s -PfsGroup %s "
        "-Force\r\n",
        name_theirs(main_mode_cipher, b.cipher),
        strstr(b.cipher, "gcm") ? name_theirs(main_mode_cipher, b.cipher)
                                : name_theirs(quick_hashes, *b.hash ? b.hash : "sha1"),
        pfs ? pfs : "None");
}

static void write_routes(const struct export *out, GString *text)
{
    char *cidr, *rest;

    for (unsigned i = 0; i < ROUTES_MAX && profile_route_at(out->p, i, &cidr, &rest); i++) {
        g_string_append(text, "Add-VpnConnectionRoute -ConnectionName ");
        quote(text, l2tpc_profile_get_id(out->p));
        g_string_append_printf(text, " -DestinationPrefix %s\r\n", cidr);
        g_free(cidr);
        g_free(rest);
    }
}

void export_powershell(struct export *out)
{
    static const char *const carried[] = {"gateway",         "ipsec-enabled",
                                          "ipsec-psk",       "machine-auth-type",
                                          "refuse-pap",      "refuse-chap",
                                          "refuse-mschapv2", "refuse-eap",
                                          "refuse-mschap",   "ipsec-ike",
                                          "ipsec-esp",       "net.l2tpc.policy",
                                          "net.l2tpc.allow", NULL};
    GString *text = text_new(2048);
    const char *psk = export_secret(out, "ipsec-psk");
    char *suffix = profile_setting(out->p, "ipv4", "dns-search");
    char *name = export_name(out);
    char *file = g_strconcat(name, ".ps1", NULL);

    g_string_append(text, "Add-VpnConnection -Name ");
    quote(text, l2tpc_profile_get_id(out->p));
    g_string_append(text, " -ServerAddress ");
    quote(text, export_text(out, L2TPC_PROFILE_DATA, "gateway"));
    g_string_append(text, " -TunnelType L2tp");
    if (psk && !text_is(export_text(out, L2TPC_PROFILE_DATA, "machine-auth-type"), "tls")) {
        g_string_append(text, " -L2tpPsk ");
        quote(text, psk);
    }
    write_logins(out, text);
    g_string_append(text, " -EncryptionLevel Required");
    if (profile_setting_true(out->p, "ipv4", "never-default"))
        g_string_append(text, " -SplitTunneling");
    suffix[strcspn(suffix, ";")] = '\0';
    if (*suffix) {
        g_string_append(text, " -DnsSuffix ");
        quote(text, suffix);
    }
    g_string_append(text, " -Force\r\n");
    write_suites(out, text);
    write_routes(out, text);
    export_lost_others(out, carried);
    export_file(out, file, text);
    g_free(suffix);
    g_free(file);
    g_free(name);
}
