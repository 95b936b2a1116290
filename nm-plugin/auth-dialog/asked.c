/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "asked.h"

#include <glib/gi18n-lib.h>
#include <libsecret/secret.h>
#include <string.h>

#define MESSAGE_HINT "x-vpn-message:"

/* One-time secrets exist as soon as the service asks for them by a hint, and are never kept. */
static const struct kind {
    const char *key, *label;
    gboolean by_hint, shown;
} kinds[ASKED_MAX] = {
    {"password", N_("Password"), FALSE, FALSE},
    {"ipsec-psk", N_("Pre-shared key"), FALSE, FALSE},
    {"machine-certpass", N_("Passphrase or PIN"), TRUE, FALSE},
    {"one-time-code", N_("One-time code"), TRUE, TRUE},
    {"new-password", N_("New password"), TRUE, FALSE},
};

static const SecretSchema schema = {
    .name = "org.freedesktop.NetworkManager.Connection",
    .flags = SECRET_SCHEMA_DONT_MATCH_NAME,
    .attributes = {{"connection-uuid", SECRET_SCHEMA_ATTRIBUTE_STRING},
                   {"setting-name", SECRET_SCHEMA_ATTRIBUTE_STRING},
                   {"setting-key", SECRET_SCHEMA_ATTRIBUTE_STRING},
                   {NULL, 0}},
};

const char *asked_reason(const struct request *r)
{
    for (gsize i = 0; r->hints && r->hints[i]; i++)
        if (g_str_has_prefix(r->hints[i], MESSAGE_HINT))
            return r->hints[i] + strlen(MESSAGE_HINT);
    return NULL;
}

static gboolean is_hinted(const struct request *r, const char *key)
{
    return r->hints && g_strv_contains((const char *const *)r->hints, key);
}

static gboolean names_any(const struct request *r)
{
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (is_hinted(r, kinds[i].key))
            return TRUE;
    return FALSE;
}

static gboolean is_tls(const struct request *r)
{
    return g_strcmp0(g_hash_table_lookup(r->data, "machine-auth-type"), "tls") == 0;
}

/* A key without a passphrase is as common as one with it: the service asks when it finds it locked.
 */
static gboolean is_needed(const struct request *r, const struct kind *k, NMSettingSecretFlags flags)
{
    if (names_any(r)) /* the service has the others already */
        return is_hinted(r, k->key);
    if (flags & NM_SETTING_SECRET_FLAG_NOT_REQUIRED)
        return FALSE;
    if (strcmp(k->key, "ipsec-psk") == 0)
        return !is_tls(r);
    if (strcmp(k->key, "machine-certpass") == 0) /* hand on what was saved */
        return is_tls(r) && g_hash_table_contains(r->secrets, k->key);
    return !k->by_hint;
}

static char *value_of(const struct request *r, const char *key, NMSettingSecretFlags flags,
                      gboolean keyring)
{
    const char *given = g_hash_table_lookup(r->secrets, key);
    char *kept, *copy;

    /* Old profiles have the key among the readable settings. */
    if (!given && strcmp(key, "ipsec-psk") == 0)
        given = g_hash_table_lookup(r->data, key);
    if (given || !keyring || (flags & NM_SETTING_SECRET_FLAG_NOT_SAVED))
        return g_strdup(given ? given : "");
    kept = secret_password_lookup_nonpageable_sync(&schema, NULL, NULL, "connection-uuid", r->uuid,
                                                   "setting-name", NM_SETTING_VPN_SETTING_NAME,
                                                   "setting-key", key, NULL);
    copy = g_strdup(kept ? kept : "");
    secret_password_free(kept);
    return copy;
}

gsize asked_collect(const struct request *r, gboolean keyring, struct asked out[ASKED_MAX])
{
    gsize n = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        NMSettingSecretFlags flags = NM_SETTING_SECRET_FLAG_NONE;
        struct asked *a = &out[n];

        (void)nm_vpn_service_plugin_get_secret_flags(r->data, kinds[i].key, &flags);
        if (!is_needed(r, &kinds[i], flags))
            continue;
        *a = (struct asked){.key = kinds[i].key,
                            .label = kinds[i].label,
                            .value = value_of(r, kinds[i].key, flags, keyring),
                            .shown = kinds[i].shown};
        /* What is named was wrong, whether -r says so or not: NetworkManager leaves that out. */
        a->ask = is_hinted(r, a->key) || r->again || !*a->value;
        n++;
    }
    return n;
}

void asked_set(struct asked *a, const char *value)
{
    explicit_bzero(a->value, strlen(a->value));
    g_free(a->value);
    a->value = g_strdup(value ? value : "");
}

void asked_clear(struct asked *a, gsize n)
{
    for (gsize i = 0; i < n; i++) {
        explicit_bzero(a[i].value, strlen(a[i].value));
        g_clear_pointer(&a[i].value, g_free);
    }
}
