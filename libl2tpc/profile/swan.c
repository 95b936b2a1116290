/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files of a set-up by hand: ipsec.conf and ipsec.secrets of strongSwan or Libreswan,
 * xl2tpd.conf, pppd's options and chap-secrets. All that are given together make one profile.
 */
#include "profile/internal.h"

#include <string.h>

enum part {
    NONE,
    IPSEC_CONF,
    IPSEC_SECRETS,
    XL2TPD_CONF,
    PPP_OPTIONS,
    PPP_SECRETS
};

static bool is_ipsec_secrets(const char *text)
{
    return strstr(text, ": PSK") || strstr(text, ":PSK") || strstr(text, ": RSA ") ||
           strstr(text, ": P12 ");
}

/* The first line that says something, has four words or three: client server secret addresses. */
static bool is_ppp_secrets(const char *text)
{
    struct lines l = {text};
    bool found = false;
    char *line;

    while (!found && (line = line_next(&l)) != NULL) {
        char **words = *line && *line != '#' ? line_words(line) : NULL;
        guint n = words ? g_strv_length(words) : 0;
        bool last = words != NULL;

        found = (n == 3 || n == 4) && !strchr(line, '=') && !pppd_knows(line);
        words_free(words);
        secret_free(line);
        if (last)
            break;
    }
    return found;
}

int swan_part(const char *text)
{
    struct lines l = {text};
    int part = NONE;
    char *line;

    if (text_has_line(text, "[lac "))
        return XL2TPD_CONF;
    if (text_has_line(text, "conn ") && strchr(text, '='))
        return IPSEC_CONF;
    if (is_ipsec_secrets(text))
        return IPSEC_SECRETS;
    while (part == NONE && (line = line_next(&l)) != NULL) {
        part = pppd_knows(line) ? PPP_OPTIONS : NONE;
        secret_free(line);
    }
    if (part == NONE && is_ppp_secrets(text))
        part = PPP_SECRETS;
    return part;
}

bool swan_part_stands_alone(int part)
{
    return part == IPSEC_CONF || part == XL2TPD_CONF;
}

/* ---- ipsec.conf ---- */

/* "key = value" without quotes around the value and without a comment; false: it is none. */
static bool pair(char *line, char **out_key, char **out_value)
{
    char *equals = strchr(line, '=');
    gsize n;

    if (!equals || *line == '#')
        return false;
    *equals = '\0';
    *out_key = g_strstrip(line);
    *out_value = g_strstrip(equals + 1);
    n = strlen(*out_value);
    if (n >= 2 && (*out_value)[0] == '"' && (*out_value)[n - 1] == '"') {
        (*out_value)[n - 1] = '\0';
        (*out_value)++;
    } else {
        (*out_value)[strcspn(*out_value, "#")] = '\0';
        (void)g_strchomp(*out_value);
    }
    return true;
}

struct conn {
    char *name;
    GHashTable *keys;
};

static void conn_free(void *conn)
{
    struct conn *c = conn;

    g_hash_table_unref(c->keys);
    g_free(c->name);
    g_free(c);
}

static GPtrArray *read_conns(const char *text)
{
    GPtrArray *conns = g_ptr_array_new_with_free_func(conn_free);
    struct lines l = {text};
    struct conn *c = NULL;
    char *line, *key, *value;

    while ((line = line_next(&l)) != NULL) {
        if (has_prefix_ci(line, "conn ") && conns->len < PROFILES_MAX) {
            c = g_new0(struct conn, 1);
            c->name = g_strstrip(g_strdup(line + 5));
            c->keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
            g_ptr_array_add(conns, c);
        } else if (has_prefix_ci(line, "config ") || has_prefix_ci(line, "ca ")) {
            c = NULL;
        } else if (c && pair(line, &key, &value)) {
            g_hash_table_replace(c->keys, g_ascii_strdown(key, -1), g_strdup(value));
        }
        secret_free(line);
    }
    return conns;
}

/* Of the connection, of %default and of what it takes over by also=. */
static const char *conn_get(GPtrArray *conns, const struct conn *c, const char *key)
{
    const char *value = g_hash_table_lookup(c->keys, key);
    const char *also = g_hash_table_lookup(c->keys, "also");

    for (guint i = 0; !value && i < conns->len; i++) {
        const struct conn *other = g_ptr_array_index(conns, i);

        if (text_is(other->name, "%default") || text_is(other->name, also))
            value = g_hash_table_lookup(other->keys, key);
    }
    return value;
}

/* By what it says, or because of what stands in the other files. */
static bool is_ours(GPtrArray *conns, const struct conn *c, bool with_xl2tpd)
{
    const char *ports = conn_get(conns, c, "rightprotoport");
    const char *exchange = conn_get(conns, c, "keyexchange");
    const char *ikev2 = conn_get(conns, c, "ikev2");
    bool transport = text_is(conn_get(conns, c, "type"), "transport");

    if (text_is(c->name, "%default") || text_is(exchange, "ikev2") ||
        (ikev2 && !text_is(ikev2, "no") && !text_is(ikev2, "never") && !text_is(ikev2, "permit")))
        return false;
    return conn_get(conns, c, "right") &&
           (transport || (ports && (strstr(ports, "1701") || strstr(ports, "l2tp"))) ||
            (with_xl2tpd && !conn_get(conns, c, "rightsubnet")));
}

static void take_ids(l2tpc_profile *p, GPtrArray *conns, const struct conn *c)
{
    const char *right = conn_get(conns, c, "right");
    const char *peer = conn_get(conns, c, "rightid");
    const char *own = conn_get(conns, c, "leftid");

    if (right && *right != '%')
        (void)profile_put(p, L2TPC_PROFILE_DATA, "gateway", right);
    if (peer && *peer != '%' && !text_is(peer, right))
        (void)profile_put(p, L2TPC_PROFILE_DATA, "ipsec-remote-id", peer);
    if (own && *own != '%')
        (void)profile_put(p, L2TPC_PROFILE_USER, "net.l2tpc.local-id", own);
}

static void take_how(l2tpc_profile *p, GPtrArray *conns, const struct conn *c)
{
    const char *authby = conn_get(conns, c, "authby");
    const char *leftauth = conn_get(conns, c, "leftauth");
    const char *certificate = conn_get(conns, c, "leftcert");
    const char *udp = conn_get(conns, c, "forceencaps");
    const char *aggressive = conn_get(conns, c, "aggressive");

    if (!aggressive)
        aggressive = conn_get(conns, c, "aggrmode");
    if (!udp)
        udp = conn_get(conns, c, "encapsulation");
    if (text_is(udp, "yes"))
        l2tpc_profile_set(p, L2TPC_PROFILE_USER, "net.l2tpc.encapsulation", "udp");
    if (text_is(aggressive, "yes"))
        notes_add(p->notes, NOTE_AGGRESSIVE_LEFT, "aggressive", NULL);
    if (certificate || text_is(authby, "rsasig") || text_is(authby, "pubkey") ||
        text_is(leftauth, "pubkey") || text_is(leftauth, "rsasig")) {
        l2tpc_profile_set(p, L2TPC_PROFILE_DATA, "machine-auth-type", "tls");
        if (certificate && *certificate == '/')
            (void)profile_put(p, L2TPC_PROFILE_DATA, "machine-cert", certificate);
        else
            notes_add(p->notes, NOTE_CERTIFICATE_LOST, NULL, NULL);
    }
}

static void take_list(l2tpc_profile *p, GPtrArray *conns, const struct conn *c, const char *theirs,
                      const char *also, const char *key)
{
    const char *list = conn_get(conns, c, theirs);

    if (!list)
        list = conn_get(conns, c, also);
    if (list && *list && profile_put(p, L2TPC_PROFILE_DATA, key, list))
        suites_note_weak(p->notes, key, list);
}

static void tell_conn(l2tpc_profile *p, const struct conn *c)
{
    static const char *const known[] = {"right",
                                        "rightid",
                                        "leftid",
                                        "authby",
                                        "leftauth",
                                        "rightauth",
                                        "leftcert",
                                        "forceencaps",
                                        "encapsulation",
                                        "aggressive",
                                        "aggrmode",
                                        "ike",
                                        "esp",
                                        "phase2alg",
                                        "type",
                                        "keyexchange",
                                        "ikev2",
                                        "also",
                                        "auto",
                                        "left",
                                        "leftprotoport",
                                        "rightprotoport",
                                        "keyingtries",
                                        "rekey",
                                        "rekeymargin",
                                        "dpddelay",
                                        "dpdtimeout",
                                        "dpdaction",
                                        "ikelifetime",
                                        "lifetime",
                                        "keylife",
                                        "salifetime",
                                        "pfs",
                                        "phase2",
                                        "compress",
                                        "reauth",
                                        "fragmentation",
                                        "rekeyfuzz",
                                        "leftikeport",
                                        "sha2-truncbug",
                                        "mobike",
                                        "closeaction",
                                        "nat-ikev1-method",
                                        NULL};
    GHashTableIter iter;
    void *key, *value;

    g_hash_table_iter_init(&iter, c->keys);
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (!g_strv_contains(known, key))
            notes_add(p->notes, NOTE_NOT_UNDERSTOOD, key, NULL);
}

static void take_conn(l2tpc_profile *p, GPtrArray *conns, const struct conn *c)
{
    take_ids(p, conns, c);
    take_how(p, conns, c);
    take_list(p, conns, c, "ike", "ike", "ipsec-ike");
    take_list(p, conns, c, "esp", "phase2alg", "ipsec-esp");
    if (text_is(conn_get(conns, c, "sha2-truncbug"), "yes"))
        l2tpc_profile_set(p, L2TPC_PROFILE_USER, "net.l2tpc.quirks", "sha256-96");
    tell_conn(p, c);
}

/* ---- xl2tpd.conf ---- */

struct lac {
    char *name, *lns, *user;
    struct pppd pppd;
    bool redial;
};

static void take_lac_line(struct lac *lac, char *line)
{
    char *key, *value;

    line[strcspn(line, ";")] = '\0';
    if (!pair(line, &key, &value))
        return;
    if (text_is(key, "lns") && !lac->lns)
        lac->lns = g_strdup(value);
    else if (text_is(key, "name"))
        lac->user = g_strdup(value);
    else if (text_is(key, "redial"))
        lac->redial = text_is(value, "yes");
    else if (text_is(key, "require pap"))
        lac->pppd.required.pap = text_is(value, "yes");
    else if (text_is(key, "require chap"))
        lac->pppd.required.chap = lac->pppd.required.mschapv2 = text_is(value, "yes");
    else if (text_is(key, "refuse pap"))
        lac->pppd.refused.pap = text_is(value, "yes");
    else if (text_is(key, "refuse chap"))
        lac->pppd.refused.chap = lac->pppd.refused.mschapv2 = text_is(value, "yes");
}

/* The first one that calls somebody. */
static void read_lac(const char *text, struct lac *lac)
{
    struct lines l = {text};
    bool inside = false;
    char *line;

    while ((line = line_next(&l)) != NULL) {
        if (*line == '[') {
            inside =
                has_prefix_ci(line, "[lac ") && !has_prefix_ci(line, "[lac default]") && !lac->name;
            if (inside)
                lac->name = g_strndup(line + 5, strcspn(line + 5, "]"));
        } else if (inside && *line != ';' && *line != '#') {
            if (has_prefix_ci(line, "name") && lac->user) {
                g_free(lac->user);
                lac->user = NULL;
            }
            take_lac_line(lac, line);
        }
        secret_free(line);
    }
}

/* ---- secrets ---- */

static void take_psk_text(l2tpc_profile *p, const char *value)
{
    gsize n = strlen(value);

    if (g_str_has_prefix(value, "0s")) {
        gsize raw_n = 0;
        guchar *raw = g_base64_decode(value + 2, &raw_n);

        (void)profile_put_psk(p, raw, raw_n);
        explicit_bzero(raw, raw_n);
        g_free(raw);
    } else if (g_str_has_prefix(value, "0x") && n > 2 && n % 2 == 0 && n <= 1026 &&
               strspn(value + 2, "0123456789abcdefABCDEF") == n - 2) {
        guchar bytes[512];

        for (gsize i = 0; i < (n - 2) / 2; i++)
            bytes[i] = (guchar)(g_ascii_xdigit_value(value[2 + 2 * i]) << 4 |
                                g_ascii_xdigit_value(value[3 + 2 * i]));
        (void)profile_put_psk(p, bytes, (n - 2) / 2);
        explicit_bzero(bytes, sizeof(bytes));
    } else {
        (void)profile_put_psk(p, value, n);
    }
}

/* "left right : PSK "key"": the one that names our server, or the first. */
static void take_ipsec_secrets(l2tpc_profile *p, const char *text)
{
    const char *server = l2tpc_profile_get(p, L2TPC_PROFILE_DATA, "gateway");
    struct lines l = {text};
    bool sure = false;
    char *line;

    while ((line = line_next(&l)) != NULL) {
        char **words = *line && *line != '#' ? line_words(line) : NULL;
        const char *secret = NULL;
        bool names_it = false;

        for (gsize i = 0; words && words[i] && !secret; i++) {
            names_it = names_it || text_is(words[i], server);
            if ((text_is(words[i], "PSK") || text_is(words[i], ":PSK")) && words[i + 1])
                secret = words[i + 1];
        }
        if (secret && !sure && (names_it || !profile_psk(p))) {
            take_psk_text(p, secret);
            sure = names_it;
        }
        words_free(words);
        secret_free(line);
    }
}

static void take_ppp_secrets(l2tpc_profile *p, const char *text)
{
    const char *user = l2tpc_profile_get(p, L2TPC_PROFILE_DATA, "user");
    struct lines l = {text};
    char *line;

    while ((line = line_next(&l)) != NULL) {
        char **words = *line && *line != '#' ? line_words(line) : NULL;

        if (words && g_strv_length(words) >= 3 &&
            !l2tpc_profile_get(p, L2TPC_PROFILE_SECRETS, "password") &&
            (!user || text_is(words[0], user) || text_is(words[0], "*"))) {
            if (!user)
                (void)profile_put(p, L2TPC_PROFILE_DATA, "user", words[0]);
            (void)profile_put(p, L2TPC_PROFILE_SECRETS, "password", words[2]);
        }
        words_free(words);
        secret_free(line);
    }
}

static void take_options(l2tpc_profile *p, struct pppd *pppd, const char *text)
{
    struct lines l = {text};
    char *line;

    while ((line = line_next(&l)) != NULL) {
        char **words = *line && *line != '#' ? line_words(line) : NULL;

        if (words && words[0] && !pppd_option(p, pppd, words))
            notes_add(p->notes, NOTE_NOT_UNDERSTOOD, words[0], NULL);
        words_free(words);
        secret_free(line);
    }
}

/* ---- all of it ---- */

static const char *text_of_part(const struct import *in, enum part part)
{
    for (guint i = 0; i < in->files->len; i++) {
        const struct source *s = g_ptr_array_index(in->files, i);

        if (s->kind == (int)part)
            return s->text;
    }
    return NULL;
}

static void take_lac(l2tpc_profile *p, struct lac *lac)
{
    if (lac->lns && !l2tpc_profile_get(p, L2TPC_PROFILE_DATA, "gateway")) {
        char *colon = strchr(lac->lns, ':');

        if (colon && !strchr(colon + 1, ':')) /* a port; 1701 is inside of IPsec */
            *colon = '\0';
        (void)profile_put(p, L2TPC_PROFILE_DATA, "gateway", lac->lns);
    }
    if (lac->user)
        (void)profile_put(p, L2TPC_PROFILE_DATA, "user", lac->user);
    if (lac->redial)
        l2tpc_profile_set(p, L2TPC_PROFILE_USER, "net.l2tpc.reconnect", "on");
}

/* The connection that xl2tpd calls through: to its server, or the only one. */
static const struct conn *choose(GPtrArray *conns, const struct lac *lac, struct import *in)
{
    const struct conn *chosen = NULL;

    for (guint i = 0; i < conns->len; i++) {
        const struct conn *c = g_ptr_array_index(conns, i);
        bool same = lac->lns && text_is(conn_get(conns, c, "right"), lac->lns);

        if (!is_ours(conns, c, lac->name != NULL)) {
            if (!text_is(c->name, "%default"))
                notes_add(in->notes, NOTE_SKIPPED, c->name, N_("another IPsec connection"));
        } else if (!chosen || same) {
            chosen = c;
        }
    }
    return chosen;
}

static void build(struct import *in, GPtrArray *conns, struct lac *lac)
{
    const struct conn *c = choose(conns, lac, in);
    const char *options = text_of_part(in, PPP_OPTIONS);
    const char *secrets;
    l2tpc_profile *p;

    if (!c && !lac->name)
        return;
    p = import_profile(in, c ? c->name : lac->name);
    if (!p)
        return;
    profile_put_setting(p, "ipv4", "never-default", "true"); /* pppd's own choice */
    if (c)
        take_conn(p, conns, c);
    else
        notes_add(p->notes, NOTE_IPSEC_ASSUMED, NULL, NULL);
    take_lac(p, lac);
    if (options)
        take_options(p, &lac->pppd, options);
    pppd_end(p, &lac->pppd);
    secrets = text_of_part(in, PPP_SECRETS);
    if (secrets)
        take_ppp_secrets(p, secrets);
    secrets = text_of_part(in, IPSEC_SECRETS);
    if (secrets)
        take_ipsec_secrets(p, secrets);
    if (!profile_psk(p) &&
        !text_is(l2tpc_profile_get(p, L2TPC_PROFILE_DATA, "machine-auth-type"), "tls"))
        notes_add(p->notes, NOTE_PSK_MISSING, NULL, NULL);
}

void import_swan(struct import *in, const struct source *s)
{
    const char *ipsec = text_of_part(in, IPSEC_CONF);
    const char *xl2tpd = text_of_part(in, XL2TPD_CONF);
    GPtrArray *conns = read_conns(ipsec ? ipsec : "");
    struct lac lac = {0};

    (void)s;
    if (xl2tpd)
        read_lac(xl2tpd, &lac);
    build(in, conns, &lac);
    g_free(lac.name);
    g_free(lac.lns);
    g_free(lac.user);
    g_ptr_array_unref(conns);
}
