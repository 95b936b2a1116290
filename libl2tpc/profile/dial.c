/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a profile to the settings of a dial. A profile in which nobody has chosen a policy is one of
 * NetworkManager-l2tp: what that plugin would have offered and accepted is offered and accepted
 * here, and each weakness of it is told.
 */
#include "profile/internal.h"

#include <string.h>

enum {
    DATA = L2TPC_PROFILE_DATA,
    SECRETS = L2TPC_PROFILE_SECRETS,
    USER = L2TPC_PROFILE_USER
};

struct dial {
    const l2tpc_profile *p;
    GPtrArray *options, *notes;
    bool ours;
};

static void option_free(void *option)
{
    l2tpc_profile_option *o = option;

    if (o->is_secret)
        explicit_bzero(o->value, o->value_len);
    g_free(o->value);
    g_free(o);
}

static void emit_bytes(struct dial *d, const char *name, const void *bytes, gsize n, bool secret)
{
    l2tpc_profile_option *o = g_new0(l2tpc_profile_option, 1);

    o->name = name;
    o->value = g_malloc0(n + 1);
    memcpy(o->value, bytes, n);
    o->value_len = n;
    o->is_secret = secret;
    g_ptr_array_add(d->options, o);
}

static void emit(struct dial *d, const char *name, const char *value)
{
    emit_bytes(d, name, value, strlen(value), false);
}

/* NULL when it is not set, or empty. */
static const char *get(const struct dial *d, int table, const char *key)
{
    const char *value = l2tpc_profile_get(d->p, table, key);

    return value && *value ? value : NULL;
}

static void emit_key(struct dial *d, const char *name, int table, const char *key)
{
    const char *value = get(d, table, key);

    if (value)
        emit(d, name, value);
}

static void note(struct dial *d, enum note_id id, const char *key)
{
    notes_add(d->notes, id, key, NULL);
}

/* ---- what each value is ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void judge_table(struct dial *d, int table)
{
    guint n = 0;
    const char **keys = (const char **)g_hash_table_get_keys_as_array(d->p->table[table], &n);

    if (n > 1)
        qsort(keys, n, sizeof(*keys), by_name);
    for (guint i = 0; i < n; i++) {
        const char *value = l2tpc_profile_get(d->p, table, keys[i]);
        l2tpc_profile_key key;

        if (table == USER && !g_str_has_prefix(keys[i], USER_PREFIX))
            continue; /* of other programs */
        /* An empty value is what editors leave of a field that was cleared. */
        if (*value || table == USER)
            notes_take(d->notes, l2tpc_profile_value_fault(table, keys[i], value));
        if (!key_find(table, keys[i], &key))
            note(d, NOTE_UNKNOWN_KEY, keys[i]);
    }
    g_free(keys);
}

/* ---- differences ---- */

static const struct {
    const char *key;
    enum note_id id;
} differing[] = {
    {"require-mppe", NOTE_DIFF_MPPE},
    {"require-mppe-40", NOTE_DIFF_MPPE},
    {"require-mppe-128", NOTE_DIFF_MPPE},
    {"mppe-stateful", NOTE_DIFF_MPPE},
    {"mtu", NOTE_DIFF_MTU},
    {"mrru", NOTE_DIFF_IGNORED},
    {"unit", NOTE_DIFF_IGNORED},
    {"xl2tpd-max-retries", NOTE_DIFF_IGNORED},
    {"lcp-echo-failure", NOTE_DIFF_ECHO},
    {"lcp-echo-interval", NOTE_DIFF_ECHO},
    {"ipsec-ikelifetime", NOTE_DIFF_LIFETIME},
    {"ipsec-salifetime", NOTE_DIFF_LIFETIME},
    {"ipsec-ipcomp", NOTE_DIFF_IGNORED},
    {"ipsec-pfs", NOTE_DIFF_PFS},
    {"ipcp-peer-ip", NOTE_DIFF_PEER_ADDRESS},
};

static void tell_differences(struct dial *d)
{
    for (gsize i = 0; i < G_N_ELEMENTS(differing); i++) {
        const char *value = get(d, DATA, differing[i].key);

        if (value && !text_is(value, "no"))
            note(d, differing[i].id, differing[i].key);
    }
    if (!d->ours && !key_yes(d->p, DATA, "ephemeral-port"))
        note(d, NOTE_DIFF_PORT, NULL);
}

/* ---- the parts of a dial ---- */

static void dial_server(struct dial *d)
{
    const char *user = get(d, DATA, "user");
    char *other = profile_setting(d->p, "vpn", "user-name");

    if (get(d, DATA, "gateway"))
        emit_key(d, "server", DATA, "gateway");
    else
        note(d, NOTE_NO_GATEWAY, NULL);
    if (!user && *other)
        user = other;
    if (user)
        emit(d, "user", user);
    else
        note(d, NOTE_NO_USER, NULL);
    if (user)
        emit_key(d, "domain", DATA, "domain");
    if (text_is(get(d, DATA, "user-auth-type"), "tls"))
        note(d, NOTE_EAP_TLS, NULL);
    g_free(other);
}

static void dial_logins(struct dial *d)
{
    struct logins l = profile_logins(d->p);

    if (!l.mschapv2 && !l.chap && !l.pap && !l.none)
        note(d, NOTE_NO_LOGIN, NULL);
    if (!l.mschapv2)
        emit(d, "allow", "!mschapv2");
    if (!l.chap)
        emit(d, "allow", "!chap-md5");
    if (l.pap) {
        emit(d, "allow", "pap");
        note(d, NOTE_WEAK_PAP, NULL);
    }
    if (l.none) {
        emit(d, "allow", "none");
        note(d, NOTE_WEAK_NONE, NULL);
    }
}

char *l2tpc_profile_decode_psk(const char *psk, gsize *out_len)
{
    l2tpc_profile_note *fault = l2tpc_profile_value_fault(L2TPC_PROFILE_SECRETS, "ipsec-psk", psk);
    guchar *raw;
    char *bytes;

    *out_len = 0;
    if (fault) {
        l2tpc_profile_note_free(fault);
        return NULL;
    }
    if (!g_str_has_prefix(psk, "0s")) {
        *out_len = strlen(psk);
        return g_strdup(psk);
    }
    raw = g_base64_decode(psk + 2, out_len);
    bytes = g_malloc0(*out_len + 1);
    memcpy(bytes, raw, *out_len);
    explicit_bzero(raw, *out_len);
    g_free(raw);
    return bytes;
}

/* Neither length nor sign of a value that cannot be decoded gets further than judge_table(). */
static void dial_psk(struct dial *d)
{
    const char *psk = profile_psk(d->p);
    gsize n = 0;
    char *bytes;

    if (!psk)
        return;
    if (psk == l2tpc_profile_get(d->p, DATA, "ipsec-psk"))
        note(d, NOTE_PSK_IN_DATA, NULL);
    bytes = l2tpc_profile_decode_psk(psk, &n);
    if (!bytes)
        return;
    emit_bytes(d, "psk", bytes, n, true);
    explicit_bzero(bytes, n);
    g_free(bytes);
}

static const char *path_of(const char *value)
{
    return g_str_has_prefix(value, "file://") ? value + 7 : value;
}

static void dial_certificate(struct dial *d)
{
    const char *certificate = get(d, DATA, "machine-cert");
    const char *key = get(d, DATA, "machine-key");
    const char *ca = get(d, DATA, "machine-ca");

    if (!certificate) {
        note(d, NOTE_NO_CERTIFICATE, NULL);
        return;
    }
    emit(d, "certificate", path_of(certificate));
    if (key && strcmp(key, certificate) != 0) /* of PKCS#12 it is the same file */
        emit(d, "key", path_of(key));
    if (ca)
        emit(d, "ca", path_of(ca));
    else
        note(d, NOTE_NO_CA, NULL);
    if (get(d, SECRETS, "machine-certpass")) {
        const char *passphrase = get(d, SECRETS, "machine-certpass");

        emit_bytes(d, "passphrase", passphrase, strlen(passphrase), true);
    }
    if (!d->ours) { /* that plugin takes any name; the old place of it is the least of that */
        emit(d, "allow", "cn-name");
        note(d, NOTE_WEAK_CN, NULL);
        if (!get(d, DATA, "ipsec-remote-id") && !get(d, DATA, "ipsec-gateway-id"))
            note(d, NOTE_DIFF_CERTIFICATE_NAME, NULL);
    }
}

static void dial_identities(struct dial *d, bool certificate)
{
    const char *peer = get(d, USER, "net.l2tpc.server-id");
    const char *own = get(d, USER, "net.l2tpc.local-id");

    if (!peer)
        peer = get(d, DATA, "ipsec-gateway-id");
    if (!peer)
        peer = get(d, DATA, "ipsec-remote-id");
    if (!own && !certificate)
        own = get(d, DATA, "ipsec-group-name");
    if (peer && strcmp(peer, "%any") != 0)
        emit(d, "server-id", peer);
    if (own)
        emit(d, "local-id", own);
}

static void dial_list(struct dial *d, const char *name, const char *key, const char *plugins)
{
    const char *list = get(d, DATA, key);
    const char *policy = get(d, USER, "net.l2tpc.policy");

    if (list) {
        emit(d, name, list);
        suites_note_weak(d->notes, key, list);
    } else if (!d->ours) {
        emit(d, name, plugins);
        note(d, NOTE_WEAK_LIST, key);
    } else if (text_is(policy, "custom")) {
        note(d, NOTE_NO_PROPOSALS, NULL);
    }
}

static void dial_ike(struct dial *d)
{
    const char *allow = get(d, USER, "net.l2tpc.allow");
    const char *policy = get(d, USER, "net.l2tpc.policy");
    bool certificate = text_is(get(d, DATA, "machine-auth-type"), "tls");

    if (!key_yes(d->p, DATA, "ipsec-enabled"))
        note(d, NOTE_NO_IPSEC, NULL);
    if (key_yes(d->p, DATA, "ipsec-ikev2"))
        note(d, NOTE_IKEV2, NULL);
    if (policy && strcmp(policy, "custom") != 0)
        emit(d, "policy", policy);
    if (text_is(policy, "legacy"))
        note(d, NOTE_WEAK_LEGACY, NULL);
    dial_list(d, "ike", "ipsec-ike", NM_L2TP_IKE);
    dial_list(d, "esp", "ipsec-esp", NM_L2TP_ESP);
    if (certificate)
        dial_certificate(d);
    else
        dial_psk(d);
    dial_identities(d, certificate);
    emit_key(d, "ike-mode", USER, "net.l2tpc.ike-mode");
    if (list_has(allow, "aggressive")) {
        emit(d, "allow", "aggressive");
        note(d, NOTE_WEAK_AGGRESSIVE, NULL);
    } else if (text_is(get(d, USER, "net.l2tpc.ike-mode"), "aggressive")) {
        note(d, NOTE_AGGRESSIVE_CONSENT, NULL);
    }
    if (d->ours && list_has(allow, "cn-name")) {
        emit(d, "allow", "cn-name");
        note(d, NOTE_WEAK_CN, NULL);
    }
    if (list_has(allow, "sha1-chain")) {
        emit(d, "allow", "sha1-chain");
        note(d, NOTE_WEAK_SHA1_CHAIN, NULL);
    }
    if (get(d, USER, "net.l2tpc.encapsulation"))
        emit_key(d, "encapsulation", USER, "net.l2tpc.encapsulation");
    else if (key_yes(d->p, DATA, "ipsec-forceencaps"))
        emit(d, "encapsulation", "udp");
    if (certificate)
        emit_key(d, "revocation", USER, "net.l2tpc.revocation");
}

static void dial_habits(struct dial *d)
{
    const char *quirks = get(d, USER, "net.l2tpc.quirks");
    const char *mru = get(d, DATA, "mru");
    const char *reconnect = get(d, USER, "net.l2tpc.reconnect");

    for (const char *at = quirks; at && *at;) {
        gsize n = strcspn(at, ", ");

        if (n > 0)
            emit_bytes(d, "quirk", at, n, false);
        at += n + (at[n] != '\0');
    }
    if (mru && strlen(mru) < 6 && g_ascii_strtoull(mru, NULL, 10) > 1500)
        notes_add(d->notes, NOTE_DIFF_MRU, "mru", mru);
    else if (mru)
        emit(d, "mru", mru);
    if (reconnect)
        emit(d, "reconnect", reconnect);
    else if (profile_setting_true(d->p, "vpn", "persistent"))
        emit(d, "reconnect", "on");
    emit_key(d, "timeout", USER, "net.l2tpc.timeout");
    if (get(d, SECRETS, "password")) {
        const char *password = get(d, SECRETS, "password");

        emit_bytes(d, "password", password, strlen(password), true);
    }
}

/* ---- this computer's network ---- */

static void dial_routes(struct dial *d)
{
    char *cidr, *rest;

    for (unsigned i = 0; i < ROUTES_MAX && profile_route_at(d->p, i, &cidr, &rest); i++) {
        char *route = route_canonical(cidr);

        if (route)
            emit(d, "route", route);
        else
            notes_add(d->notes, NOTE_NOT_ROUTE, "route", cidr);
        if (rest[0] && rest[1] && strcmp(rest, ",0.0.0.0") != 0 && !g_str_has_prefix(rest, ",,") &&
            !g_str_has_prefix(rest, ",0.0.0.0,"))
            notes_add(d->notes, NOTE_DIFF_NEXT_HOP, "route", cidr);
        g_free(route);
        g_free(cidr);
        g_free(rest);
    }
}

static void tell_setting(struct dial *d, enum note_id id, const char *key)
{
    char *value = profile_setting(d->p, "ipv4", key);
    char *name = g_strconcat("ipv4.", key, NULL);

    if (*value)
        note(d, id, name);
    g_free(name);
    g_free(value);
}

static void dial_network(struct dial *d)
{
    bool split = profile_setting_true(d->p, "ipv4", "never-default");
    bool keep_ipv6 = key_yes(d->p, USER, "net.l2tpc.keep-ipv6");

    dial_routes(d);
    if (split)
        emit(d, "no-default-route", "yes");
    /* NetworkManager's own word for it: the routes of the connection are not the server's. */
    if (profile_setting_true(d->p, "ipv4", "ignore-auto-routes"))
        emit(d, "server-routes", "no");
    else
        emit_key(d, "server-routes", USER, "net.l2tpc.server-routes");
    if (split && key_yes(d->p, USER, "net.l2tpc.class-route"))
        emit(d, "class-route", "yes");
    if (profile_setting_true(d->p, "ipv4", "ignore-auto-dns"))
        emit(d, "no-dns", "yes");
    tell_setting(d, NOTE_DIFF_DNS, "dns");
    tell_setting(d, NOTE_DIFF_DNS, "dns-search");
    tell_setting(d, NOTE_DIFF_ADDRESS, "address1");
    if (keep_ipv6)
        emit(d, "keep-ipv6", "yes");
    else if (!split && !d->ours)
        note(d, NOTE_DIFF_IPV6, NULL);
    if (!key_yes(d->p, USER, "net.l2tpc.kill-switch"))
        return;
    if (split || keep_ipv6)
        note(d, NOTE_KILL_SWITCH_SPLIT, NULL);
    emit(d, "kill-switch", "yes");
    if (key_yes(d->p, USER, "net.l2tpc.allow-lan"))
        emit(d, "allow-lan", "yes");
}

int l2tpc_profile_get_dial(const l2tpc_profile *p, GPtrArray **out_options, GPtrArray **out_notes)
{
    struct dial d = {.p = p, .ours = l2tpc_profile_is_ours(p)};
    bool ok;

    d.options = g_ptr_array_new_with_free_func(option_free);
    d.notes = notes_new();
    for (int table = DATA; table <= USER; table++)
        judge_table(&d, table);
    if (!notes_have_error(d.notes)) {
        dial_server(&d);
        dial_ike(&d);
        dial_logins(&d);
        dial_habits(&d);
        dial_network(&d);
        tell_differences(&d);
    }
    notes_sort(d.notes);
    ok = !notes_have_error(d.notes);
    if (ok && out_options)
        *out_options = d.options;
    else
        g_ptr_array_unref(d.options);
    if (out_notes)
        *out_notes = d.notes;
    else
        g_ptr_array_unref(d.notes);
    return ok ? L2TPC_PROFILE_OK : L2TPC_PROFILE_EINVALID;
}

GPtrArray *l2tpc_profile_check(const l2tpc_profile *p)
{
    GPtrArray *notes = NULL;

    (void)l2tpc_profile_get_dial(p, NULL, &notes);
    return notes;
}
