/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ChromeOS's Open Network Configuration: JSON. */
#include "profile/internal.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define NESTING_MAX 64u

/* json-glib goes into arrays in arrays with the stack. */
static bool is_shallow(const char *text)
{
    unsigned depth = 0;
    bool quoted = false;

    for (const char *c = text; *c; c++) {
        if (quoted) {
            if (*c == '\\' && c[1])
                c++;
            else if (*c == '"')
                quoted = false;
        } else if (*c == '"') {
            quoted = true;
        } else if (*c == '{' || *c == '[') {
            if (++depth > NESTING_MAX)
                return false;
        } else if ((*c == '}' || *c == ']') && depth > 0) {
            depth--;
        }
    }
    return true;
}

static JsonObject *object_in(JsonObject *o, const char *key)
{
    JsonNode *node = o ? json_object_get_member(o, key) : NULL;

    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static const char *text_in(JsonObject *o, const char *key)
{
    JsonNode *node = o ? json_object_get_member(o, key) : NULL;

    return node && JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

static void take(l2tpc_profile *p, int table, const char *key, JsonObject *o, const char *theirs)
{
    const char *value = text_in(o, theirs);

    if (value && strstr(value, "${"))
        notes_add(p->notes, NOTE_VARIABLE, theirs, NULL);
    else if (value)
        (void)profile_put(p, table, key, value);
    if (value && table == L2TPC_PROFILE_SECRETS)
        explicit_bzero((char *)value, strlen(value)); /* json-glib would leave it in the heap */
}

static void tell_others(l2tpc_profile *p, JsonObject *o, const char *where,
                        const char *const *known)
{
    GList *keys = o ? json_object_get_members(o) : NULL;

    for (GList *k = keys; k; k = k->next)
        if (!g_strv_contains(known, k->data)) {
            char *name = g_strconcat(where, k->data, NULL);

            notes_add(p->notes, NOTE_NOT_UNDERSTOOD, name, NULL);
            g_free(name);
        }
    g_list_free(keys);
}

static void take_psk(l2tpc_profile *p, const char *psk)
{
    if (psk && strstr(psk, "${"))
        notes_add(p->notes, NOTE_VARIABLE, "PSK", NULL);
    else if (psk)
        (void)profile_put_psk(p, psk, strlen(psk));
    if (psk)
        explicit_bzero((char *)psk, strlen(psk));
}

static void take_ipsec(l2tpc_profile *p, JsonObject *ipsec)
{
    static const char *const known[] = {"AuthenticationType", "IKEVersion", "PSK", "Group",
                                        "SaveCredentials",    NULL};
    const char *how = text_in(ipsec, "AuthenticationType");
    const char *group = text_in(ipsec, "Group");

    if (ipsec && json_object_has_member(ipsec, "IKEVersion") &&
        JSON_NODE_HOLDS_VALUE(json_object_get_member(ipsec, "IKEVersion")) &&
        json_object_get_int_member(ipsec, "IKEVersion") == 2)
        l2tpc_profile_set(p, L2TPC_PROFILE_DATA, "ipsec-ikev2", "yes");
    if (text_is(how, "Cert")) {
        l2tpc_profile_set(p, L2TPC_PROFILE_DATA, "machine-auth-type", "tls");
        notes_add(p->notes, NOTE_CERTIFICATE_LOST, NULL, NULL);
    } else if (!text_in(ipsec, "PSK")) {
        notes_add(p->notes, NOTE_PSK_MISSING, NULL, NULL);
    }
    take_psk(p, text_in(ipsec, "PSK"));
    if (group && *group) {
        char *id = g_strconcat("keyid:", group, NULL);

        (void)profile_put(p, L2TPC_PROFILE_USER, "net.l2tpc.local-id", id);
        notes_add(p->notes, NOTE_AGGRESSIVE_LEFT, "Group", NULL);
        g_free(id);
    }
    tell_others(p, ipsec, "IPsec.", known);
}

static void take_l2tp(l2tpc_profile *p, JsonObject *l2tp)
{
    static const char *const known[] = {"Username", "Password", "SaveCredentials", NULL};

    take(p, L2TPC_PROFILE_DATA, "user", l2tp, "Username");
    take(p, L2TPC_PROFILE_SECRETS, "password", l2tp, "Password");
    tell_others(p, l2tp, "L2TP.", known);
}

static void take_network(struct import *in, JsonObject *network)
{
    static const char *const known[] = {"GUID", "Name", "Type", "VPN", NULL};
    static const char *const known_vpn[] = {"Type", "Host", "IPsec", "L2TP", "AutoConnect", NULL};
    JsonObject *vpn = object_in(network, "VPN");
    const char *name = text_in(network, "Name");
    const char *type = text_in(vpn, "Type");
    l2tpc_profile *p;

    if (!text_is(type, "L2TP-IPsec")) {
        notes_add(in->notes, NOTE_SKIPPED, name ? name : "?",
                  type ? type : text_in(network, "Type"));
        return;
    }
    p = import_profile(in, name ? name : "VPN");
    if (!p)
        return;
    take(p, L2TPC_PROFILE_DATA, "gateway", vpn, "Host");
    take_ipsec(p, object_in(vpn, "IPsec"));
    take_l2tp(p, object_in(vpn, "L2TP"));
    tell_others(p, network, "", known);
    tell_others(p, vpn, "VPN.", known_vpn);
}

static void take_root(struct import *in, JsonObject *root)
{
    JsonNode *list = json_object_get_member(root, "NetworkConfigurations");
    JsonArray *networks = list && JSON_NODE_HOLDS_ARRAY(list) ? json_node_get_array(list) : NULL;

    if (text_is(text_in(root, "Type"), "EncryptedConfiguration")) {
        import_fail(in, NOTE_ENCRYPTED, NULL);
        return;
    }
    if (text_is(text_in(root, "Type"), "VPN") && object_in(root, "VPN")) {
        take_network(in, root); /* one network by itself, as policies carry it */
        return;
    }
    if (!networks) {
        import_fail(in, NOTE_FOREIGN, N_("another JSON file"));
        return;
    }
    for (guint i = 0; i < json_array_get_length(networks); i++) {
        JsonNode *node = json_array_get_element(networks, i);

        if (JSON_NODE_HOLDS_OBJECT(node))
            take_network(in, json_node_get_object(node));
    }
}

void import_onc(struct import *in, const struct source *s)
{
    JsonParser *parser = json_parser_new();
    GError *error = NULL;
    JsonNode *root = NULL;

    if (!is_shallow(s->text)) {
        import_fail(in, NOTE_DAMAGED, "JSON");
    } else if (!json_parser_load_from_data(parser, s->text, (gssize)s->n, &error)) {
        import_fail(in, NOTE_DAMAGED, error->message);
        g_clear_error(&error);
    } else {
        root = json_parser_get_root(parser);
        if (root && JSON_NODE_HOLDS_OBJECT(root))
            take_root(in, json_node_get_object(root));
        else
            import_fail(in, NOTE_FOREIGN, N_("another JSON file"));
    }
    g_object_unref(parser);
}

/* ---- out ---- */

static void put(JsonBuilder *b, const char *key, const char *value)
{
    json_builder_set_member_name(b, key);
    json_builder_add_string_value(b, value);
}

static void build_vpn(struct export *out, JsonBuilder *b)
{
    const char *own = export_text(out, L2TPC_PROFILE_USER, "net.l2tpc.local-id");
    bool certificate = text_is(export_text(out, L2TPC_PROFILE_DATA, "machine-auth-type"), "tls");
    char *user = export_user(out);

    if (!*own)
        own = export_text(out, L2TPC_PROFILE_DATA, "ipsec-group-name");
    put(b, "Type", "L2TP-IPsec");
    put(b, "Host", export_text(out, L2TPC_PROFILE_DATA, "gateway"));
    json_builder_set_member_name(b, "IPsec");
    json_builder_begin_object(b);
    put(b, "AuthenticationType", certificate ? "Cert" : "PSK");
    json_builder_set_member_name(b, "IKEVersion");
    json_builder_add_int_value(b, 1);
    if (!certificate && export_secret(out, "ipsec-psk"))
        put(b, "PSK", export_secret(out, "ipsec-psk"));
    if (*own)
        put(b, "Group", g_str_has_prefix(own, "keyid:") ? own + 6 : own);
    json_builder_end_object(b);
    json_builder_set_member_name(b, "L2TP");
    json_builder_begin_object(b);
    put(b, "Username", user);
    if (export_secret(out, "password"))
        put(b, "Password", export_secret(out, "password"));
    json_builder_end_object(b);
    g_free(user);
}

static JsonNode *build(struct export *out)
{
    JsonBuilder *b = json_builder_new();
    char *uuid = g_uuid_string_random();
    JsonNode *root;

    json_builder_begin_object(b);
    put(b, "Type", "UnencryptedConfiguration");
    json_builder_set_member_name(b, "NetworkConfigurations");
    json_builder_begin_array(b);
    json_builder_begin_object(b);
    put(b, "GUID", uuid);
    put(b, "Name", l2tpc_profile_get_id(out->p));
    put(b, "Type", "VPN");
    json_builder_set_member_name(b, "VPN");
    json_builder_begin_object(b);
    build_vpn(out, b);
    json_builder_end_object(b);
    json_builder_end_object(b);
    json_builder_end_array(b);
    json_builder_end_object(b);
    root = json_builder_get_root(b);
    g_object_unref(b);
    g_free(uuid);
    return root;
}

void export_onc(struct export *out)
{
    static const char *const carried[] = {"gateway",          "user",
                                          "domain",           "ipsec-enabled",
                                          "ipsec-psk",        "machine-auth-type",
                                          "net.l2tpc.policy", "net.l2tpc.local-id",
                                          "ipsec-group-name", NULL};
    JsonGenerator *generator = json_generator_new();
    JsonNode *root = build(out);
    char *name = export_name(out);
    char *file = g_strconcat(name, ".onc", NULL);
    char *json;
    gsize n = 0;
    GString *text;

    json_generator_set_pretty(generator, TRUE);
    json_generator_set_root(generator, root);
    json = json_generator_to_data(generator, &n);
    text = text_new(n);
    g_string_append_len(text, json, (gssize)n);
    g_string_append_c(text, '\n');
    if (profile_setting_true(out->p, "ipv4", "never-default"))
        notes_add(out->notes, NOTE_CANNOT_CARRY, "ipv4.never-default", NULL);
    export_lost_others(out, carried);
    export_file(out, file, text);
    secret_free(json);
    json_node_unref(root);
    g_object_unref(generator);
    g_free(file);
    g_free(name);
}
