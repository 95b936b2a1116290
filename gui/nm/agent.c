/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nm/agent.h"
#include "model/words.h"

#include <exchange.h>
#include <libsecret/secret.h>
#include <string.h>

#define MESSAGE_HINT "x-vpn-message:"

struct _L2dNmAgent {
    NMSecretAgentOld parent;
    L2dBackend *backend; /* weak */
    GPtrArray *pending;  /* struct question, until each is answered */
};

/* One question of NetworkManager's. */
struct question {
    L2dNmAgent *agent;
    NMConnection *connection;
    char *path;
    char **hints;
    NMSecretAgentGetSecretsFlags flags;
    NMSecretAgentOldGetSecretsFunc reply;
    gpointer reply_data;
    GHashTable *secrets; /* what is known so far */
    L2dSecretRequest *request;
    GCancellable *cancellable;
};

G_DEFINE_TYPE(L2dNmAgent, l2d_nm_agent, NM_TYPE_SECRET_AGENT_OLD)

static const struct kind {
    const char *key;
    L2dSecretKind kind;
    gboolean by_hint, once; /* once: never kept */
} kinds[] = {
    {"password", L2D_SECRET_PASSWORD, FALSE, FALSE},
    {"ipsec-psk", L2D_SECRET_PSK, FALSE, FALSE},
    {"machine-certpass", L2D_SECRET_PASSPHRASE, TRUE, FALSE},
    {"one-time-code", L2D_SECRET_CODE, TRUE, TRUE},
    {"new-password", L2D_SECRET_NEW_PASSWORD, TRUE, TRUE},
};

/* Where the other agents keep them, too. */
static const SecretSchema schema = {
    .name = "org.freedesktop.NetworkManager.Connection",
    .flags = SECRET_SCHEMA_DONT_MATCH_NAME,
    .attributes = {{"connection-uuid", SECRET_SCHEMA_ATTRIBUTE_STRING},
                   {"setting-name", SECRET_SCHEMA_ATTRIBUTE_STRING},
                   {"setting-key", SECRET_SCHEMA_ATTRIBUTE_STRING},
                   {NULL, 0}},
};

gboolean l2d_nm_is_ours(NMConnection *connection)
{
    NMSettingVpn *vpn = nm_connection_get_setting_vpn(connection);
    const char *service = vpn ? nm_setting_vpn_get_service_type(vpn) : NULL;

    return g_strcmp0(service, EXCHANGE_SERVICE) == 0 ||
           g_strcmp0(service, EXCHANGE_SERVICE_OURS) == 0;
}

static void question_free(gpointer data)
{
    struct question *q = data;

    g_object_unref(q->agent);
    g_object_unref(q->connection);
    g_free(q->path);
    g_strfreev(q->hints);
    g_hash_table_unref(q->secrets);
    g_clear_object(&q->request);
    g_object_unref(q->cancellable);
    g_free(q);
}

/* Answers NetworkManager once, and forgets the question. */
static void answer(struct question *q, NMSecretAgentError code)
{
    L2dNmAgent *self = g_object_ref(q->agent);
    g_autoptr(GError) error = NULL;
    GVariant *out = NULL;

    if (g_hash_table_size(q->secrets) > 0 && code == NM_SECRET_AGENT_ERROR_FAILED) {
        GVariantBuilder pairs;
        GHashTableIter iter;
        void *key, *value;

        g_variant_builder_init(&pairs, G_VARIANT_TYPE("a{ss}"));
        g_hash_table_iter_init(&iter, q->secrets);
        while (g_hash_table_iter_next(&iter, &key, &value))
            g_variant_builder_add(&pairs, "{ss}", key, value);
        out = g_variant_ref_sink(
            g_variant_new_parsed("{'vpn': {'secrets': <%@a{ss}>}}", g_variant_builder_end(&pairs)));
    } else {
        error = g_error_new_literal(
            NM_SECRET_AGENT_ERROR,
            (int)(code == NM_SECRET_AGENT_ERROR_FAILED ? NM_SECRET_AGENT_ERROR_NO_SECRETS : code),
            "no secrets");
    }
    q->reply(NM_SECRET_AGENT_OLD(self), q->connection, out, error, q->reply_data);
    g_clear_pointer(&out, g_variant_unref);
    g_ptr_array_remove_fast(self->pending, q);
    g_object_unref(self);
}

#define KNOWN NM_SECRET_AGENT_ERROR_FAILED /* answer with what there is */

static NMSettingSecretFlags flags_of(struct question *q, const char *key)
{
    NMSettingSecretFlags flags = NM_SETTING_SECRET_FLAG_NONE;

    (void)nm_setting_get_secret_flags(NM_SETTING(nm_connection_get_setting_vpn(q->connection)), key,
                                      &flags, NULL);
    return flags;
}

static gboolean is_hinted(struct question *q, const char *key)
{
    return q->hints && g_strv_contains((const char *const *)q->hints, key);
}

static gboolean is_wanted(struct question *q, const struct kind *k)
{
    NMSettingVpn *vpn = nm_connection_get_setting_vpn(q->connection);
    gboolean tls = g_strcmp0(nm_setting_vpn_get_data_item(vpn, "machine-auth-type"), "tls") == 0;

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (is_hinted(q, kinds[i].key)) /* the service has the others */
            return is_hinted(q, k->key);
    if (k->by_hint || flags_of(q, k->key) & NM_SETTING_SECRET_FLAG_NOT_REQUIRED ||
        nm_setting_vpn_get_secret(vpn, k->key))
        return FALSE;
    return strcmp(k->key, "ipsec-psk") != 0 ||
           (!tls && !nm_setting_vpn_get_data_item(vpn, "ipsec-psk"));
}

static void on_stored(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(GError) error = NULL;

    (void)source;
    (void)user;
    if (!secret_password_store_finish(result, &error))
        g_message("keyring: %s", error->message);
}

static void store(NMConnection *connection, const char *key, const char *secret)
{
    /* TRANSLATORS: how the keyring names it: the name of a connection, and which of its secrets. */
    g_autofree char *label =
        g_strdup_printf(_("VPN secret of %s (%s)"), nm_connection_get_id(connection), key);

    secret_password_store(&schema, SECRET_COLLECTION_DEFAULT, label, secret, NULL, on_stored, NULL,
                          "connection-uuid", nm_connection_get_uuid(connection), "setting-name",
                          NM_SETTING_VPN_SETTING_NAME, "setting-key", key, NULL);
}

static gboolean may_keep(struct question *q, const struct kind *k)
{
    return !k->once && flags_of(q, k->key) & NM_SETTING_SECRET_FLAG_AGENT_OWNED;
}

static void on_answered(L2dSecretRequest *request, GHashTable *secrets, gboolean keep,
                        struct question *q)
{
    (void)request;
    if (!secrets) {
        answer(q, NM_SECRET_AGENT_ERROR_USER_CANCELED);
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        const char *secret = g_hash_table_lookup(secrets, kinds[i].key);

        if (!secret)
            continue;
        g_hash_table_insert(q->secrets, g_strdup(kinds[i].key), g_strdup(secret));
        if (keep && may_keep(q, &kinds[i]))
            store(q->connection, kinds[i].key, secret);
    }
    answer(q, KNOWN);
}

static const char *message_of(struct question *q)
{
    for (gsize i = 0; q->hints && q->hints[i]; i++)
        if (g_str_has_prefix(q->hints[i], MESSAGE_HINT))
            return q->hints[i] + strlen(MESSAGE_HINT);
    return "";
}

/* Asks for what the keyring had not. */
static void ask(struct question *q)
{
    L2dBackend *b = q->agent->backend;
    L2dProfile *p = b ? l2d_backend_find(b, nm_connection_get_uuid(q->connection)) : NULL;
    gboolean may_ask = q->flags & NM_SECRET_AGENT_GET_SECRETS_FLAG_ALLOW_INTERACTION;
    g_autoptr(L2dSecretRequest) request = l2d_secret_request_new(message_of(q));

    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (is_wanted(q, &kinds[i]) && !g_hash_table_contains(q->secrets, kinds[i].key))
            l2d_secret_request_add(request, kinds[i].key, kinds[i].kind, "",
                                   may_keep(q, &kinds[i]));
    if (l2d_secret_request_get_fields(request)->len == 0 || !p || !may_ask) {
        answer(q, KNOWN);
        return;
    }
    q->request = g_object_ref(request);
    g_signal_connect(request, "answered", G_CALLBACK(on_answered), q);
    (void)l2d_backend_want_secrets(b, p, request); /* may answer, and so free q, at once */
}

static void on_found(GObject *source, GAsyncResult *result, gpointer user)
{
    struct question *q = user;
    g_autoptr(GError) error = NULL;
    GList *items = secret_service_search_finish(NULL, result, &error);

    (void)source;
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        answer(q, NM_SECRET_AGENT_ERROR_AGENT_CANCELED);
        return;
    }
    for (GList *l = items; l; l = l->next) {
        g_autoptr(GHashTable) attributes = secret_item_get_attributes(l->data);
        const char *key = g_hash_table_lookup(attributes, "setting-key");
        SecretValue *value = secret_item_get_secret(l->data);
        const char *text = value ? secret_value_get_text(value) : NULL;

        for (gsize i = 0; key && text && i < G_N_ELEMENTS(kinds); i++)
            if (strcmp(key, kinds[i].key) == 0 && is_wanted(q, &kinds[i]) &&
                !(flags_of(q, key) & NM_SETTING_SECRET_FLAG_NOT_SAVED))
                g_hash_table_insert(q->secrets, g_strdup(key), g_strdup(text));
        g_clear_pointer(&value, secret_value_unref);
    }
    g_list_free_full(items, g_object_unref);
    ask(q);
}

static void get_secrets(NMSecretAgentOld *agent, NMConnection *connection, const char *path,
                        const char *setting, const char **hints, NMSecretAgentGetSecretsFlags flags,
                        NMSecretAgentOldGetSecretsFunc reply, gpointer data)
{
    L2dNmAgent *self = L2D_NM_AGENT(agent);
    g_autoptr(GHashTable) attributes = NULL;
    struct question *q;

    if (g_strcmp0(setting, NM_SETTING_VPN_SETTING_NAME) != 0 || !l2d_nm_is_ours(connection)) {
        g_autoptr(GError) error = g_error_new_literal(
            NM_SECRET_AGENT_ERROR, NM_SECRET_AGENT_ERROR_NO_SECRETS, "not an L2TP connection");

        reply(agent, connection, NULL, error, data);
        return;
    }
    q = g_new0(struct question, 1);
    q->agent = g_object_ref(self);
    q->connection = g_object_ref(connection);
    q->path = g_strdup(path);
    q->hints = g_strdupv((char **)hints);
    q->flags = flags;
    q->reply = reply;
    q->reply_data = data;
    q->secrets = l2d_secrets_new();
    q->cancellable = g_cancellable_new();
    g_ptr_array_add(self->pending, q);
    if (flags & NM_SECRET_AGENT_GET_SECRETS_FLAG_REQUEST_NEW) { /* the kept ones were wrong */
        ask(q);
        return;
    }
    attributes =
        secret_attributes_build(&schema, "connection-uuid", nm_connection_get_uuid(connection),
                                "setting-name", NM_SETTING_VPN_SETTING_NAME, NULL);
    secret_service_search(NULL, &schema, attributes,
                          SECRET_SEARCH_ALL | SECRET_SEARCH_UNLOCK | SECRET_SEARCH_LOAD_SECRETS,
                          q->cancellable, on_found, q);
}

static void withdraw(struct question *q)
{
    if (!q->request) {
        g_cancellable_cancel(q->cancellable); /* on_found() answers */
        return;
    }
    g_signal_handlers_disconnect_by_data(q->request, q);
    l2d_secret_request_refuse(q->request); /* the form closes */
    answer(q, NM_SECRET_AGENT_ERROR_AGENT_CANCELED);
}

static void cancel_get_secrets(NMSecretAgentOld *agent, const char *path, const char *setting)
{
    L2dNmAgent *self = L2D_NM_AGENT(agent);

    (void)setting;
    for (guint i = self->pending->len; i-- > 0;) {
        struct question *q = g_ptr_array_index(self->pending, i);

        if (g_strcmp0(q->path, path) == 0)
            withdraw(q);
    }
}

/* Of a connection that was edited: what is for agents to keep goes into the keyring. */
static void save_secrets(NMSecretAgentOld *agent, NMConnection *connection, const char *path,
                         NMSecretAgentOldSaveSecretsFunc reply, gpointer data)
{
    NMSettingVpn *vpn = nm_connection_get_setting_vpn(connection);
    gboolean ours = l2d_nm_is_ours(connection);

    (void)path;
    for (gsize i = 0; ours && i < G_N_ELEMENTS(kinds); i++) {
        NMSettingSecretFlags flags = NM_SETTING_SECRET_FLAG_NONE;
        const char *secret = nm_setting_vpn_get_secret(vpn, kinds[i].key);

        (void)nm_setting_get_secret_flags(NM_SETTING(vpn), kinds[i].key, &flags, NULL);
        if (secret && !kinds[i].once && flags & NM_SETTING_SECRET_FLAG_AGENT_OWNED)
            store(connection, kinds[i].key, secret);
    }
    reply(agent, connection, NULL, data);
}

static void delete_secrets(NMSecretAgentOld *agent, NMConnection *connection, const char *path,
                           NMSecretAgentOldDeleteSecretsFunc reply, gpointer data)
{
    (void)path;
    if (l2d_nm_is_ours(connection))
        secret_password_clear(&schema, NULL, NULL, NULL, "connection-uuid",
                              nm_connection_get_uuid(connection), "setting-name",
                              NM_SETTING_VPN_SETTING_NAME, NULL);
    reply(agent, connection, NULL, data);
}

static void l2d_nm_agent_finalize(GObject *object)
{
    L2dNmAgent *self = L2D_NM_AGENT(object);

    g_clear_weak_pointer(&self->backend);
    g_ptr_array_unref(self->pending);
    G_OBJECT_CLASS(l2d_nm_agent_parent_class)->finalize(object);
}

static void l2d_nm_agent_class_init(L2dNmAgentClass *class)
{
    NMSecretAgentOldClass *a = NM_SECRET_AGENT_OLD_CLASS(class);

    G_OBJECT_CLASS(class)->finalize = l2d_nm_agent_finalize;
    a->get_secrets = get_secrets;
    a->cancel_get_secrets = cancel_get_secrets;
    a->save_secrets = save_secrets;
    a->delete_secrets = delete_secrets;
}

static void l2d_nm_agent_init(L2dNmAgent *self)
{
    self->pending = g_ptr_array_new_with_free_func(question_free);
}

static void on_ready(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(GError) error = NULL;

    (void)user;
    if (g_async_initable_init_finish(G_ASYNC_INITABLE(source), result, &error))
        nm_secret_agent_old_enable(NM_SECRET_AGENT_OLD(source), TRUE);
    else
        g_message("secret agent: %s", error->message);
}

L2dNmAgent *l2d_nm_agent_new(L2dBackend *backend)
{
    L2dNmAgent *self =
        g_object_new(L2D_TYPE_NM_AGENT, NM_SECRET_AGENT_OLD_IDENTIFIER, "net.l2tpc.Dialer",
                     NM_SECRET_AGENT_OLD_AUTO_REGISTER, FALSE, NM_SECRET_AGENT_OLD_CAPABILITIES,
                     NM_SECRET_AGENT_CAPABILITY_VPN_HINTS, NULL);

    g_set_weak_pointer(&self->backend, backend);
    g_async_initable_init_async(G_ASYNC_INITABLE(self), G_PRIORITY_DEFAULT, NULL, on_ready, NULL);
    return self;
}
