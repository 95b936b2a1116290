/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Apple's .mobileconfig: a property list, in XML or binary, with payloads of com.apple.vpn.managed.
 */
#include "profile/internal.h"

#include <plist/plist.h>
#include <stdlib.h>
#include <string.h>

#define NESTING_MAX 64u
#define OBJECTS_MAX 8192u /* of a binary list: as deep as it can nest */

/* libplist walks into lists in lists without a bound, with the stack. */
static bool xml_is_shallow(const char *text)
{
    unsigned depth = 0;

    for (const char *at = strchr(text, '<'); at; at = strchr(at + 1, '<')) {
        if (g_str_has_prefix(at, "<dict") || g_str_has_prefix(at, "<array"))
            depth++;
        else if ((g_str_has_prefix(at, "</dict") || g_str_has_prefix(at, "</array")) && depth > 0)
            depth--;
        if (depth > NESTING_MAX)
            return false;
    }
    return true;
}

static bool binary_is_small(const unsigned char *p, gsize n)
{
    guint64 objects = 0;

    if (n < 40)
        return false;
    for (gsize i = 0; i < 8; i++) /* the trailer: its third field is their number */
        objects = objects << 8 | p[n - 24 + i];
    return objects <= OBJECTS_MAX;
}

static plist_t parse(const struct source *s)
{
    plist_t root = NULL;

    if (s->n > 6 && memcmp(s->text, "bplist", 6) == 0) {
        if (binary_is_small((const unsigned char *)s->text, s->n))
            (void)plist_from_bin(s->text, (uint32_t)s->n, &root);
    } else if (xml_is_shallow(s->text)) {
        (void)plist_from_xml(s->text, (uint32_t)s->n, &root);
    }
    return root;
}

/* NULL unless it is a dictionary that has it. */
static plist_t item(plist_t dict, const char *key)
{
    return dict && plist_get_node_type(dict) == PLIST_DICT ? plist_dict_get_item(dict, key) : NULL;
}

/* A copy, to be freed by secret_free(); NULL when it is no text. Data count as text too. */
static char *text_of(plist_t node)
{
    char *raw = NULL;
    uint64_t n = 0;
    char *out = NULL;

    if (!node)
        return NULL;
    if (plist_get_node_type(node) == PLIST_STRING) {
        plist_get_string_val(node, &raw);
        out = g_strdup(raw);
        n = raw ? strlen(raw) : 0;
    } else if (plist_get_node_type(node) == PLIST_DATA) {
        plist_get_data_val(node, &raw, &n);
        if (raw && !memchr(raw, '\0', n))
            out = g_strndup(raw, n);
    }
    if (raw)
        explicit_bzero(raw, n);
    free(raw);
    return out;
}

static bool is_true(plist_t node)
{
    uint8_t flag = 0;
    uint64_t number = 0;

    if (!node)
        return false;
    if (plist_get_node_type(node) == PLIST_BOOLEAN)
        plist_get_bool_val(node, &flag);
    else if (plist_get_node_type(node) == PLIST_UINT)
        plist_get_uint_val(node, &number);
    return flag || number;
}

static void take(l2tpc_profile *p, int table, const char *key, plist_t dict, const char *theirs)
{
    char *value = text_of(item(dict, theirs));

    if (value)
        (void)profile_put(p, table, key, value);
    secret_free(value);
}

/* Everything in it that nobody knows. */
static void tell_others(l2tpc_profile *p, plist_t dict, const char *where, const char *const *known)
{
    plist_dict_iter iter = NULL;
    plist_t value = NULL;
    char *key = NULL;

    if (!dict || plist_get_node_type(dict) != PLIST_DICT)
        return;
    plist_dict_new_iter(dict, &iter);
    for (;;) {
        plist_dict_next_item(dict, iter, &key, &value);
        if (!key)
            break;
        if (!g_strv_contains(known, key) && !g_str_has_prefix(key, "Payload")) {
            char *name = *where ? g_strconcat(where, ".", key, NULL) : g_strdup(key);

            notes_add(p->notes, NOTE_NOT_UNDERSTOOD, name, NULL);
            g_free(name);
        }
        free(key);
        key = NULL;
    }
    free(iter);
}

static void take_logins(l2tpc_profile *p, plist_t ppp)
{
    plist_t list = item(ppp, "AuthProtocol");
    plist_t eap = item(ppp, "AuthEAPPlugins");
    struct logins l = {.mschapv2 = true, .chap = true};

    if (eap && plist_get_node_type(eap) == PLIST_ARRAY && plist_array_get_size(eap) > 0)
        notes_add(p->notes, NOTE_EAP_LOST, NULL, "AuthEAPPlugins");
    if (is_true(item(ppp, "TokenCard")))
        notes_add(p->notes, NOTE_NOT_UNDERSTOOD, "PPP.TokenCard", NULL);
    if (list && plist_get_node_type(list) == PLIST_ARRAY && plist_array_get_size(list) > 0) {
        l = (struct logins){0};
        for (uint32_t i = 0; i < plist_array_get_size(list); i++) {
            char *name = text_of(plist_array_get_item(list, i));

            l.mschapv2 = l.mschapv2 || text_is(name, "MSCHAP2");
            l.chap = l.chap || text_is(name, "CHAP");
            l.pap = l.pap || text_is(name, "PAP");
            if (text_is(name, "EAP"))
                notes_add(p->notes, NOTE_EAP_LOST, NULL, "EAP");
            g_free(name);
        }
        l.mschapv2 = l.mschapv2 || (!l.chap && !l.pap);
    }
    profile_set_logins(p, l);
}

static void take_ppp(l2tpc_profile *p, plist_t ppp)
{
    static const char *const known[] = {
        "CommRemoteAddress", "AuthName",   "AuthPassword",      "AuthProtocol",     "TokenCard",
        "AuthEAPPlugins",    "CCPEnabled", "CCPMPPE128Enabled", "CCPMPPE40Enabled", NULL};

    take(p, L2TPC_PROFILE_DATA, "gateway", ppp, "CommRemoteAddress");
    take(p, L2TPC_PROFILE_DATA, "user", ppp, "AuthName");
    take(p, L2TPC_PROFILE_SECRETS, "password", ppp, "AuthPassword");
    take_logins(p, ppp);
    tell_others(p, ppp, "PPP", known);
}

/* Data mostly, so that it may hold anything. */
static void take_psk(l2tpc_profile *p, plist_t node)
{
    char *raw = NULL;
    uint64_t n = 0;

    if (node && plist_get_node_type(node) == PLIST_STRING) {
        plist_get_string_val(node, &raw);
        n = raw ? strlen(raw) : 0;
    } else if (node && plist_get_node_type(node) == PLIST_DATA) {
        plist_get_data_val(node, &raw, &n);
    }
    if (raw) {
        (void)profile_put_psk(p, raw, n);
        explicit_bzero(raw, n);
    }
    free(raw);
}

static void take_ipsec(l2tpc_profile *p, plist_t ipsec)
{
    static const char *const known[] = {"AuthenticationMethod", "SharedSecret", "LocalIdentifier",
                                        "LocalIdentifierType", NULL};
    char *method = text_of(item(ipsec, "AuthenticationMethod"));
    char *group = text_of(item(ipsec, "LocalIdentifier"));

    if (text_is(method, "Certificate")) {
        l2tpc_profile_set(p, L2TPC_PROFILE_DATA, "machine-auth-type", "tls");
        notes_add(p->notes, NOTE_CERTIFICATE_LOST, NULL, NULL);
    } else if (!item(ipsec, "SharedSecret")) {
        notes_add(p->notes, NOTE_PSK_MISSING, NULL, NULL);
    }
    take_psk(p, item(ipsec, "SharedSecret"));
    if (group && *group) {
        char *id = g_strconcat("keyid:", group, NULL);

        (void)profile_put(p, L2TPC_PROFILE_USER, "net.l2tpc.local-id", id);
        notes_add(p->notes, NOTE_AGGRESSIVE_LEFT, "LocalIdentifier", NULL);
        g_free(id);
    }
    tell_others(p, ipsec, "IPSec", known);
    g_free(method);
    g_free(group);
}

/* "a;b;" of an array of names. */
static void take_names(l2tpc_profile *p, plist_t list, const char *key)
{
    GString *out = g_string_new(NULL);

    for (uint32_t i = 0; list && plist_get_node_type(list) == PLIST_ARRAY &&
                         i < MIN(plist_array_get_size(list), ROUTES_MAX);
         i++) {
        char *name = text_of(plist_array_get_item(list, i));
        l2tpc_profile_note *fault =
            name ? l2tpc_profile_value_fault(L2TPC_PROFILE_DATA, "gateway", name) : NULL;

        if (name && !fault)
            g_string_append_printf(out, "%s;", name);
        else
            notes_add(p->notes, NOTE_NOT_NAME, key, name);
        l2tpc_profile_note_free(fault);
        g_free(name);
    }
    if (out->len > 0)
        g_key_file_set_value(p->settings, "ipv4", key, out->str);
    g_string_free(out, TRUE);
}

static void take_vpn(struct import *in, plist_t payload)
{
    static const char *const known[] = {
        "UserDefinedName", "VPNType", "PPP", "IPSec", "IPv4", "DNS", NULL};
    char *name = text_of(item(payload, "UserDefinedName"));
    l2tpc_profile *p;

    if (!name)
        name = text_of(item(payload, "PayloadDisplayName"));
    p = import_profile(in, name ? name : "VPN");
    g_free(name);
    if (!p)
        return;
    take_ppp(p, item(payload, "PPP"));
    take_ipsec(p, item(payload, "IPSec"));
    if (item(payload, "IPv4") && !is_true(item(item(payload, "IPv4"), "OverridePrimary")))
        profile_put_setting(p, "ipv4", "never-default", "true");
    take_names(p, item(item(payload, "DNS"), "ServerAddresses"), "dns");
    take_names(p, item(item(payload, "DNS"), "SearchDomains"), "dns-search");
    tell_others(p, payload, "", known);
}

static void skip_payload(struct import *in, plist_t payload, const char *type)
{
    char *name = text_of(item(payload, "PayloadDisplayName"));
    char *vpn = text_of(item(payload, "VPNType"));

    if (!g_str_has_prefix(type, "com.apple.security.")) /* its certificates go with the others */
        notes_add(in->notes, NOTE_SKIPPED, name ? name : type, vpn ? vpn : type);
    g_free(name);
    g_free(vpn);
}

void import_apple(struct import *in, const struct source *s)
{
    plist_t root = parse(s);
    plist_t list = item(root, "PayloadContent");
    uint32_t n = list && plist_get_node_type(list) == PLIST_ARRAY ? plist_array_get_size(list) : 0;

    if (!root) {
        import_fail(in, NOTE_DAMAGED, "plist");
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        plist_t payload = plist_array_get_item(list, i);
        char *type = text_of(item(payload, "PayloadType"));
        char *vpn = text_of(item(payload, "VPNType"));

        if (text_is(vpn, "L2TP"))
            take_vpn(in, payload);
        else if (type)
            skip_payload(in, payload, type);
        g_free(type);
        g_free(vpn);
    }
    if (list && plist_get_node_type(list) == PLIST_DATA)
        import_fail(in, NOTE_ENCRYPTED, NULL);
    else if (n == 0)
        import_fail(in, NOTE_FOREIGN, N_("another property list of Apple's"));
    plist_free(root);
}

/* ---- out ---- */

static void put_text(plist_t dict, const char *key, const char *value)
{
    plist_dict_set_item(dict, key, plist_new_string(value));
}

/* As many as there must be; the same for the same profile would be better, but it has no name. */
static void put_head(plist_t dict, const char *type, const char *name)
{
    char *uuid = g_uuid_string_random();
    char *identifier = g_strconcat("net.l2tpc.export.", uuid, NULL);

    put_text(dict, "PayloadType", type);
    put_text(dict, "PayloadUUID", uuid);
    put_text(dict, "PayloadIdentifier", identifier);
    put_text(dict, "PayloadDisplayName", name);
    plist_dict_set_item(dict, "PayloadVersion", plist_new_uint(1));
    g_free(uuid);
    g_free(identifier);
}

static plist_t ppp_of(struct export *out)
{
    plist_t ppp = plist_new_dict();
    plist_t list = plist_new_array();
    struct logins l = profile_logins(out->p);
    char *user = export_user(out);

    put_text(ppp, "CommRemoteAddress", export_text(out, L2TPC_PROFILE_DATA, "gateway"));
    put_text(ppp, "AuthName", user);
    if (export_secret(out, "password"))
        put_text(ppp, "AuthPassword", export_secret(out, "password"));
    if (l.mschapv2)
        plist_array_append_item(list, plist_new_string("MSCHAP2"));
    if (l.chap)
        plist_array_append_item(list, plist_new_string("CHAP"));
    if (l.pap)
        plist_array_append_item(list, plist_new_string("PAP"));
    plist_dict_set_item(ppp, "AuthProtocol", list);
    g_free(user);
    return ppp;
}

static plist_t ipsec_of(struct export *out)
{
    plist_t ipsec = plist_new_dict();
    const char *own = export_text(out, L2TPC_PROFILE_USER, "net.l2tpc.local-id");
    const char *psk = export_secret(out, "ipsec-psk");

    if (!*own)
        own = export_text(out, L2TPC_PROFILE_DATA, "ipsec-group-name");
    if (text_is(export_text(out, L2TPC_PROFILE_DATA, "machine-auth-type"), "tls")) {
        put_text(ipsec, "AuthenticationMethod", "Certificate");
        export_lost(out, L2TPC_PROFILE_DATA, "machine-cert");
    } else {
        put_text(ipsec, "AuthenticationMethod", "SharedSecret");
        if (psk)
            plist_dict_set_item(ipsec, "SharedSecret", plist_new_data(psk, strlen(psk)));
    }
    if (g_str_has_prefix(own, "keyid:") || (*own && *own != '@')) {
        put_text(ipsec, "LocalIdentifier", g_str_has_prefix(own, "keyid:") ? own + 6 : own);
        put_text(ipsec, "LocalIdentifierType", "KeyID");
    }
    return ipsec;
}

static void put_names(struct export *out, plist_t dict, const char *theirs, const char *key)
{
    char *value = profile_setting(out->p, "ipv4", key);
    char **names = g_strsplit(value, ";", -1);
    plist_t list = plist_new_array();

    for (gsize i = 0; names[i]; i++)
        if (*names[i])
            plist_array_append_item(list, plist_new_string(names[i]));
    if (plist_array_get_size(list) > 0)
        plist_dict_set_item(dict, theirs, list);
    else
        plist_free(list);
    g_strfreev(names);
    g_free(value);
}

static plist_t vpn_of(struct export *out, const char *id)
{
    plist_t vpn = plist_new_dict();
    plist_t four = plist_new_dict();
    plist_t dns = plist_new_dict();

    put_head(vpn, "com.apple.vpn.managed", id);
    put_text(vpn, "UserDefinedName", id);
    put_text(vpn, "VPNType", "L2TP");
    plist_dict_set_item(vpn, "PPP", ppp_of(out));
    plist_dict_set_item(vpn, "IPSec", ipsec_of(out));
    plist_dict_set_item(
        four, "OverridePrimary",
        plist_new_uint(profile_setting_true(out->p, "ipv4", "never-default") ? 0 : 1));
    plist_dict_set_item(vpn, "IPv4", four);
    put_names(out, dns, "ServerAddresses", "dns");
    put_names(out, dns, "SearchDomains", "dns-search");
    if (plist_dict_get_size(dns) > 0)
        plist_dict_set_item(vpn, "DNS", dns);
    else
        plist_free(dns);
    return vpn;
}

void export_apple(struct export *out)
{
    static const char *const carried[] = {"gateway",
                                          "user",
                                          "domain",
                                          "ipsec-enabled",
                                          "ipsec-psk",
                                          "machine-auth-type",
                                          "refuse-pap",
                                          "refuse-chap",
                                          "refuse-mschapv2",
                                          "refuse-eap",
                                          "refuse-mschap",
                                          "net.l2tpc.policy",
                                          "net.l2tpc.local-id",
                                          "ipsec-group-name",
                                          "net.l2tpc.allow",
                                          NULL};
    const char *id = l2tpc_profile_get_id(out->p);
    plist_t root = plist_new_dict();
    plist_t list = plist_new_array();
    char *name = export_name(out);
    char *file = g_strconcat(name, ".mobileconfig", NULL);
    char *xml = NULL;
    uint32_t n = 0;
    GString *text;

    put_head(root, "Configuration", id);
    plist_array_append_item(list, vpn_of(out, id));
    plist_dict_set_item(root, "PayloadContent", list);
    (void)plist_to_xml(root, &xml, &n);
    text = text_new(n);
    g_string_append_len(text, xml ? xml : "", n);
    export_lost_others(out, carried);
    export_file(out, file, text);
    if (xml)
        explicit_bzero(xml, n);
    free(xml);
    plist_free(root);
    g_free(file);
    g_free(name);
}
