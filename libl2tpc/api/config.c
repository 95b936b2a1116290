/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/internal.h"
#include "base/secret.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_(s) s
#define PORT_DEFAULT 500

int l2tpc_config_new(l2tpc_config **out)
{
    l2tpc_config *c;

    if (!out)
        return L2TPC_EINVAL;
    c = calloc(1, sizeof(*c));
    if (!c)
        return L2TPC_ENOMEM;
    (void)snprintf(c->name, sizeof(c->name), "l2tpc");
    (void)snprintf(c->interface_name, sizeof(c->interface_name), "l2tp%%d");
    c->port = PORT_DEFAULT;
    c->auth = PPP_AUTH_MSCHAPV2 | PPP_AUTH_CHAP_MD5;
    c->until = STAGE_UP;
    if (!policy_named("compatible", &c->policy)) {
        free(c);
        return L2TPC_EINVAL;
    }
    c->arena = arena_new();
    if (c->arena)
        c->secrets = vault_take(arena_vault(c->arena), sizeof(*c->secrets));
    if (!c->secrets) {
        l2tpc_config_free(c);
        return L2TPC_ENOMEM;
    }
    *out = c;
    return L2TPC_OK;
}

void l2tpc_config_free(l2tpc_config *c)
{
    if (c) {
        blob_clear(&c->certificate);
        blob_clear(&c->key);
        blob_clear(&c->ca);
        arena_free(c->arena);
    }
    wipe_free(c, c ? sizeof(*c) : 0);
}

static bool name_is_valid(const char *name)
{
    size_t n = strlen(name);

    if (n < 1 || n > NAME_MAX_LEN || name[0] == '.' || name[0] == '-' || strstr(name, ".."))
        return false;
    return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

int l2tpc_config_set_name(l2tpc_config *c, const char *name)
{
    if (!c || !name || !name_is_valid(name))
        return L2TPC_EINVAL;
    (void)snprintf(c->name, sizeof(c->name), "%s", name);
    return L2TPC_OK;
}

static bool port_parse(const char *text, uint16_t *out)
{
    unsigned long v = 0;

    if (!*text || strlen(text) > 5 || strspn(text, "0123456789") != strlen(text))
        return false;
    v = strtoul(text, NULL, 10);
    if (v < 1 || v > 65535)
        return false;
    *out = (uint16_t)v;
    return true;
}

/* Letters, digits, hyphens, dots and anything beyond ASCII; the resolver judges the rest. */
static bool host_is_plausible(const char *host)
{
    size_t n = strlen(host);
    struct inaddr a;

    if (n == 0 || n > 253 || !text_is_utf8(span_str(host)))
        return false;
    if (inaddr_parse(&a, host))
        return true;
    for (size_t i = 0; i < n; i++) {
        unsigned char ch = (unsigned char)host[i];

        if (ch < 0x80 &&
            !strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._", ch))
            return false;
    }
    return host[0] != '-' && host[0] != '.' && !strstr(host, "..");
}

/* Splits "host", "host:port", "[v6]", "[v6]:port" or a bare IPv6 literal. */
static bool server_split(const char *server, char *host, size_t cap, uint16_t *port)
{
    const char *colon = strrchr(server, ':');
    const char *close = strrchr(server, ']');
    struct inaddr a;
    int n;

    if (inaddr_parse(&a, server)) {
        n = snprintf(host, cap, "%s", server);
    } else if (server[0] == '[') {
        if (!close || (close[1] != '\0' && (close[1] != ':' || !port_parse(close + 2, port))))
            return false;
        n = snprintf(host, cap, "%.*s", (int)(close - server - 1), server + 1);
        if (!inaddr_parse(&a, host) || a.family != 6)
            return false;
    } else if (colon) {
        if (!port_parse(colon + 1, port))
            return false;
        n = snprintf(host, cap, "%.*s", (int)(colon - server), server);
    } else {
        n = snprintf(host, cap, "%s", server);
    }
    return n > 0 && (size_t)n < cap;
}

int l2tpc_config_set_server(l2tpc_config *c, const char *server)
{
    char host[SERVER_MAX_LEN + 1];
    uint16_t port = PORT_DEFAULT;

    if (!c || !server || strlen(server) > SERVER_MAX_LEN ||
        !server_split(server, host, sizeof(host), &port) || !host_is_plausible(host))
        return L2TPC_EINVAL;
    memcpy(c->server, host, sizeof(c->server));
    c->port = port;
    return L2TPC_OK;
}

int l2tpc_config_set_user(l2tpc_config *c, const char *user, const char *domain)
{
    char text[PPP_USER_MAX];
    int n;

    if (!c || !user || !text_is_utf8(span_str(user)) || !text_is_utf8(span_str(domain)))
        return L2TPC_EINVAL;
    n = domain && *domain ? snprintf(text, sizeof(text), "%s\\%s", domain, user)
                          : snprintf(text, sizeof(text), "%s", user);
    if (n <= 0 || (size_t)n >= sizeof(text))
        return L2TPC_EINVAL;
    memcpy(c->user, text, sizeof(c->user));
    return L2TPC_OK;
}

static int set_secret(const l2tpc_config *c, struct secret *s, bool *has, const void *bytes,
                      size_t n, size_t least)
{
    if (arena_is_lost(c->arena))
        return L2TPC_ESTATE;
    if (n < least || (n > 0 && !bytes) || !secret_set(s, span_of(bytes, n)))
        return L2TPC_EINVAL;
    *has = true;
    return L2TPC_OK;
}

int l2tpc_config_set_psk(l2tpc_config *c, const void *psk, size_t psk_len)
{
    return c ? set_secret(c, &c->secrets->psk, &c->has_psk, psk, psk_len, 1) : L2TPC_EINVAL;
}

int l2tpc_config_set_password(l2tpc_config *c, const void *password, size_t len)
{
    return c ? set_secret(c, &c->secrets->password, &c->has_password, password, len, 0)
             : L2TPC_EINVAL;
}

static int set_blob(struct blob *b, const struct vault *vault, const void *bytes, size_t n)
{
    if (!bytes || n == 0 || n > CERT_FILE_MAX)
        return L2TPC_EINVAL;
    return blob_set(b, vault, bytes, n) ? L2TPC_OK : L2TPC_ENOMEM;
}

/* A file in which there may be a key. */
static int set_key_blob(l2tpc_config *c, struct blob *b, const void *bytes, size_t n)
{
    return arena_is_lost(c->arena) ? L2TPC_ESTATE : set_blob(b, arena_vault(c->arena), bytes, n);
}

int l2tpc_config_set_certificate(l2tpc_config *c, const void *bytes, size_t len)
{
    return c ? set_key_blob(c, &c->certificate, bytes, len) : L2TPC_EINVAL;
}

int l2tpc_config_set_key(l2tpc_config *c, const void *bytes, size_t len)
{
    return c ? set_key_blob(c, &c->key, bytes, len) : L2TPC_EINVAL;
}

int l2tpc_config_set_ca(l2tpc_config *c, const void *bytes, size_t len)
{
    return c ? set_blob(&c->ca, NULL, bytes, len) : L2TPC_EINVAL;
}

int l2tpc_config_set_key_passphrase(l2tpc_config *c, const void *passphrase, size_t len)
{
    return c ? set_secret(c, &c->secrets->passphrase, &c->has_passphrase, passphrase, len, 0)
             : L2TPC_EINVAL;
}

/* The value whose name it is, or -1. */
static int choice(const char *name, const char *const *names, size_t n)
{
    for (size_t i = 0; name && i < n; i++)
        if (strcmp(name, names[i]) == 0)
            return (int)i;
    return -1;
}

int l2tpc_config_set_revocation(l2tpc_config *c, const char *policy)
{
    static const char *const names[] = {
        [REVOCATION_SOFT] = "soft", [REVOCATION_OFF] = "off", [REVOCATION_HARD] = "hard"};
    int v = choice(policy, names, ARRAY_LEN(names));

    if (!c || v < 0)
        return L2TPC_EINVAL;
    c->revocation = (enum revocation_policy)v;
    return L2TPC_OK;
}

static int set_uri(char out[TOKEN_URI_MAX], const char *uri)
{
    if (!uri || !token_uri_ok(uri))
        return L2TPC_EINVAL;
    memcpy(out, uri, strlen(uri) + 1);
    return L2TPC_OK;
}

int l2tpc_config_set_certificate_uri(l2tpc_config *c, const char *uri)
{
    return c ? set_uri(c->certificate_uri, uri) : L2TPC_EINVAL;
}

int l2tpc_config_set_key_uri(l2tpc_config *c, const char *uri)
{
    return c ? set_uri(c->key_uri, uri) : L2TPC_EINVAL;
}

int l2tpc_config_set_server_id(l2tpc_config *c, const char *id)
{
    size_t n = id ? strlen(id) : 0;

    if (!c || n > SERVER_MAX_LEN || !id || identity_parse(id, &c->peer_id) != IDENTITY_OK)
        return L2TPC_EINVAL;
    memcpy(c->server_id, id, n + 1);
    return L2TPC_OK;
}

int l2tpc_config_set_local_id(l2tpc_config *c, const char *id)
{
    return c && id && identity_parse(id, &c->own_id) == IDENTITY_OK ? L2TPC_OK : L2TPC_EINVAL;
}

const char *l2tpc_identity_fault(const char *id)
{
    static const char *const sentences[] = {
        [IDENTITY_OK] = NULL,
        [IDENTITY_EMPTY] = N_("The identity is empty."),
        [IDENTITY_LONG] = N_("The identity is longer than IKE allows (512 bytes)."),
        [IDENTITY_CONTROL] = N_("The identity holds control characters or is not UTF-8."),
        [IDENTITY_ADDRESS] = N_("Behind ip: stands no IPv4 or IPv6 address."),
        [IDENTITY_HEX] = N_("Behind @# stand hexadecimal digits in pairs, as in @#0a1b."),
        [IDENTITY_MAIL] = N_("A user's name has the form user@host."),
        [IDENTITY_DN] = N_("A distinguished name has the form C=CH, O=Example, CN=gate; a comma "
                           "within a value takes a backslash."),
        [IDENTITY_NAME] = N_("This is no host name; say what it is with keyid:, fqdn:, email:, dn: "
                             "or ip: in front, as in keyid:my group."),
    };
    struct cert_id unused;

    return sentences[id ? identity_parse(id, &unused) : IDENTITY_EMPTY];
}

int l2tpc_config_set_tunnel_secret(l2tpc_config *c, const void *secret, size_t len)
{
    return c ? set_secret(c, &c->secrets->tunnel_secret, &c->has_tunnel_secret, secret, len, 1)
             : L2TPC_EINVAL;
}

int l2tpc_config_set_policy(l2tpc_config *c, const char *policy)
{
    struct policy p;

    if (!c || !policy || !policy_named(policy, &p))
        return L2TPC_EINVAL;
    c->policy = p;
    return L2TPC_OK;
}

int l2tpc_config_set_ike(l2tpc_config *c, const char *proposals)
{
    struct policy p;

    if (!c || !proposals)
        return L2TPC_EINVAL;
    p = c->policy;
    if (!policy_parse_ike(proposals, &p, NULL))
        return L2TPC_EINVAL;
    c->policy = p;
    return L2TPC_OK;
}

int l2tpc_config_set_esp(l2tpc_config *c, const char *proposals)
{
    struct policy p;

    if (!c || !proposals)
        return L2TPC_EINVAL;
    p = c->policy;
    if (!policy_parse_esp(proposals, &p, NULL))
        return L2TPC_EINVAL;
    c->policy = p;
    return L2TPC_OK;
}

int l2tpc_config_set_encapsulation(l2tpc_config *c, const char *encapsulation)
{
    static const char *const names[] = {
        [ENCAPSULATION_AUTO] = "auto", [ENCAPSULATION_UDP] = "udp", [ENCAPSULATION_ESP] = "esp"};
    int v = choice(encapsulation, names, ARRAY_LEN(names));

    if (!c || v < 0)
        return L2TPC_EINVAL;
    c->encapsulation = (enum encapsulation)v;
    return L2TPC_OK;
}

int l2tpc_config_set_ike_mode(l2tpc_config *c, const char *mode)
{
    static const char *const names[] = {"main", "aggressive"};
    int v = choice(mode, names, ARRAY_LEN(names));

    if (!c || v < 0)
        return L2TPC_EINVAL;
    c->aggressive = v == 1;
    return L2TPC_OK;
}

int l2tpc_config_allow(l2tpc_config *c, const char *method)
{
    static const char *const chain[] = {"cn-name", "sha1-chain"};
    static const char *const names[] = {"pap", "chap-md5", "mschapv2", "none"};
    static const unsigned bits[] = {PPP_AUTH_PAP, PPP_AUTH_CHAP_MD5, PPP_AUTH_MSCHAPV2,
                                    PPP_AUTH_NONE_OK};
    bool forbid = method && method[0] == '!';
    const char *name = forbid ? method + 1 : method;
    int v = choice(name, names, ARRAY_LEN(names));

    if (c && method && strcmp(name, "aggressive") == 0) {
        c->aggressive_allowed = !forbid;
        return L2TPC_OK;
    }
    if (c && choice(name, chain, ARRAY_LEN(chain)) >= 0) {
        *(choice(name, chain, ARRAY_LEN(chain)) == 0 ? &c->allow_cn : &c->allow_sha1) = !forbid;
        return L2TPC_OK;
    }
    if (!c || v < 0)
        return L2TPC_EINVAL;
    c->auth = forbid ? c->auth & ~bits[v] : c->auth | bits[v];
    return L2TPC_OK;
}

int l2tpc_config_set_until(l2tpc_config *c, const char *stage)
{
    enum stage s;

    if (!c || !stage || !stage_parse(&s, stage))
        return L2TPC_EINVAL;
    c->until = s;
    return L2TPC_OK;
}

int l2tpc_config_set_timeout(l2tpc_config *c, unsigned seconds)
{
    if (!c || seconds > 3600)
        return L2TPC_EINVAL;
    c->timeout_s = seconds;
    return L2TPC_OK;
}

int l2tpc_config_set_mru(l2tpc_config *c, unsigned mru)
{
    if (!c || (mru != 0 && (mru < 128 || mru > 1500)))
        return L2TPC_EINVAL;
    c->mru = (uint16_t)mru;
    return L2TPC_OK;
}

int l2tpc_config_set_interface(l2tpc_config *c, const char *name)
{
    const char *percent = name ? strchr(name, '%') : NULL;
    size_t n = name ? strlen(name) : 0;

    if (!c || n < 1 || n >= sizeof(c->interface_name) || strpbrk(name, "/ \t\n:") ||
        !text_is_utf8(span_str(name)) || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
        (percent && (percent[1] != 'd' || strchr(percent + 1, '%'))))
        return L2TPC_EINVAL;
    (void)snprintf(c->interface_name, sizeof(c->interface_name), "%s", name);
    return L2TPC_OK;
}

int l2tpc_config_set_quirk(l2tpc_config *c, const char *quirk)
{
    if (!c || !quirk)
        return L2TPC_EINVAL;
    if (strcmp(quirk, "softether-utf8") == 0)
        c->quirk_utf8_bytes = true;
    else if (strcmp(quirk, "port-1701") == 0)
        c->inner_port = L2TP_PORT;
    else if (strcmp(quirk, "no-fragmentation") == 0)
        c->quirk_no_fragmentation = true;
    else if (strcmp(quirk, "sha256-96") == 0)
        c->quirk_sha256_96 = true;
    else if (strcmp(quirk, "no-path-mtu") == 0)
        c->quirk_no_path_mtu = true;
    else
        return L2TPC_EINVAL;
    return L2TPC_OK;
}

int l2tpc_config_set_reconnect(l2tpc_config *c, const char *reconnect)
{
    if (!c || !reconnect || (strcmp(reconnect, "on") != 0 && strcmp(reconnect, "off") != 0))
        return L2TPC_EINVAL;
    c->reconnect = strcmp(reconnect, "on") == 0;
    return L2TPC_OK;
}

static int set_yes(bool *to, const char *wanted)
{
    if (!to || !wanted || (strcmp(wanted, "yes") != 0 && strcmp(wanted, "no") != 0))
        return L2TPC_EINVAL;
    *to = strcmp(wanted, "yes") == 0;
    return L2TPC_OK;
}

int l2tpc_config_set_server_routes(l2tpc_config *c, const char *wanted)
{
    bool domains = wanted && strcmp(wanted, "domains") == 0;
    int rc = set_yes(c ? &c->server_routes : NULL, domains ? "yes" : wanted);

    if (rc == L2TPC_OK)
        c->server_domains_only = domains;
    return rc;
}

int l2tpc_config_set_class_route(l2tpc_config *c, const char *wanted)
{
    return set_yes(c ? &c->class_route : NULL, wanted);
}

int l2tpc_config_keep_on_fork(l2tpc_config *c)
{
    if (!c)
        return L2TPC_EINVAL;
    return !arena_is_lost(c->arena) && arena_keep_on_fork(c->arena) ? L2TPC_OK : L2TPC_ESTATE;
}
