/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "service/questions.h"
#include "model/words.h"
#include "service/call.h"

#include <gio/gunixfdlist.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name, *key; /* the service's, the profile's */
    L2dSecretKind kind;
} kinds[] = {
    {"psk", "ipsec-psk", L2D_SECRET_PSK},
    {"password", "password", L2D_SECRET_PASSWORD},
    {"passphrase", "machine-certpass", L2D_SECRET_PASSPHRASE},
};

struct question {
    GDBusConnection *bus;
    L2dProfile *profile; /* no reference: it owns us */
    guint32 number;
    gsize kind;
    L2dSecretRequest *request;
};

/* Hung up on a profile. */
struct asked {
    GQueue waiting; /* struct question; the first one is shown */
    GHashTable *kept;
    L2dBackend *backend; /* no reference: it holds the profile */
};

static void question_free(gpointer data)
{
    struct question *q = data;

    if (q->request) {
        g_signal_handlers_disconnect_by_data(q->request, q);
        l2d_secret_request_refuse(q->request);
    }
    g_clear_object(&q->request);
    g_object_unref(q->bus);
    g_free(q);
}

static void asked_free(gpointer data)
{
    struct asked *a = data;

    g_queue_clear_full(&a->waiting, question_free);
    g_clear_pointer(&a->kept, g_hash_table_unref);
    g_free(a);
}

static struct asked *asked_of(L2dProfile *profile)
{
    return g_object_get_data(G_OBJECT(profile), "service-asked");
}

void l2d_service_forget(L2dProfile *profile)
{
    g_object_set_data(G_OBJECT(profile), "service-asked", NULL);
}

/* ---- the answer ---- */

static void on_provided(GObject *source, GAsyncResult *result, gpointer user)
{
    g_autoptr(GError) error = NULL;

    (void)source;
    (void)user;
    if (!g_task_propagate_boolean(G_TASK(result), &error))
        g_message("secrets: %s", error->message);
}

static void provide(struct question *q, const char *secret)
{
    g_autoptr(GUnixFDList) files = g_unix_fd_list_new();
    g_autoptr(GError) error = NULL;
    GVariantBuilder b;
    int fd = secret ? l2d_service_memory(secret, strlen(secret), &error) : -1;

    g_variant_builder_init(&b, G_VARIANT_TYPE("a{sh}"));
    if (fd >= 0) {
        gint32 handle = g_unix_fd_list_append(files, fd, &error);

        close(fd);
        if (handle >= 0)
            g_variant_builder_add(&b, "{sh}", kinds[q->kind].name, handle);
    }
    if (error)
        g_message("secrets: %s", error->message);
    l2d_service_call(q->bus, "ProvideSecretsByFd",
                     g_variant_new("(sua{sh})", l2d_profile_get_uuid(q->profile), q->number, &b),
                     files, g_task_new(NULL, NULL, on_provided, NULL));
}

static void show_first(struct asked *a);

static void on_answered(L2dSecretRequest *request, GHashTable *secrets, gboolean keep,
                        struct question *q)
{
    struct asked *a = asked_of(q->profile);
    const char *key = kinds[q->kind].key;
    const char *secret = secrets ? g_hash_table_lookup(secrets, key) : NULL;

    (void)request;
    provide(q, secret);
    if (secret && keep) {
        if (!a->kept)
            a->kept = l2d_secrets_new();
        g_hash_table_insert(a->kept, g_strdup(key), g_strdup(secret));
    }
    g_signal_handlers_disconnect_by_data(q->request, q);
    g_clear_object(&q->request);
    (void)g_queue_remove(&a->waiting, q);
    question_free(q);
    show_first(a);
}

static void show_first(struct asked *a)
{
    struct question *q = g_queue_peek_head(&a->waiting);

    if (q)
        (void)l2d_backend_want_secrets(a->backend, q->profile, q->request);
}

void l2d_service_question(L2dBackend *backend, GDBusConnection *bus, L2dProfile *profile,
                          GVariant *parameters, gboolean keeps)
{
    struct asked *a = asked_of(profile);
    g_autofree const char **names = NULL;
    g_autoptr(L2dSecretRequest) request = NULL;
    struct question *q;
    gboolean again;
    guint32 number;
    gsize kind = 0;

    g_variant_get(parameters, "(&su^a&s&sb)", NULL, &number, &names, NULL, &again);
    while (kind < G_N_ELEMENTS(kinds) && g_strcmp0(names[0], kinds[kind].name) != 0)
        kind++;
    if (!a) {
        a = g_new0(struct asked, 1);
        a->backend = backend;
        g_queue_init(&a->waiting);
        g_object_set_data_full(G_OBJECT(profile), "service-asked", a, asked_free);
    }
    q = g_new0(struct question, 1);
    q->bus = g_object_ref(bus);
    q->profile = profile;
    q->number = number;
    q->kind = MIN(kind, G_N_ELEMENTS(kinds) - 1);
    if (kind == G_N_ELEMENTS(kinds)) { /* a newer service asks for what we do not know */
        provide(q, NULL);
        question_free(q);
        return;
    }
    request = l2d_secret_request_new(again ? _("That was not accepted. Please try again.") : "");
    l2d_secret_request_set_kept_by_service(request);
    l2d_secret_request_add(request, kinds[kind].key, kinds[kind].kind, "", keeps);
    q->request = g_object_ref(request);
    g_signal_connect(request, "answered", G_CALLBACK(on_answered), q);
    g_queue_push_tail(&a->waiting, q);
    if (g_queue_get_length(&a->waiting) == 1)
        show_first(a);
}

/* ---- keeping ---- */

struct keeping {
    GHashTable *secrets;
    char *uuid;
};

static void keeping_free(struct keeping *k)
{
    g_hash_table_unref(k->secrets);
    g_free(k->uuid);
    g_free(k);
}

static void on_loaded(GObject *source, GAsyncResult *result, gpointer user)
{
    struct keeping *k = user;
    GDBusConnection *bus = G_DBUS_CONNECTION(source);
    g_autoptr(GUnixFDList) files = g_unix_fd_list_new();
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) answer = g_dbus_connection_call_finish(bus, result, &error);
    l2tpc_profile *settings = NULL;
    const char *keyfile;
    GHashTableIter iter;
    gpointer key;
    gpointer value;
    int fd = -1;

    if (answer) {
        g_variant_get(answer, "(&s)", &keyfile);
        settings = l2d_service_parse(keyfile, &error);
    }
    if (settings) {
        g_hash_table_iter_init(&iter, k->secrets);
        while (g_hash_table_iter_next(&iter, &key, &value))
            l2tpc_profile_set(settings, L2TPC_PROFILE_SECRETS, key, value);
        fd = l2d_service_keyfile(settings, &error);
    }
    if (fd >= 0) {
        gint32 handle = g_unix_fd_list_append(files, fd, NULL);

        close(fd);
        l2d_service_call(bus, "UpdateProfileByFd", g_variant_new("(sh)", k->uuid, handle), files,
                         g_task_new(NULL, NULL, on_provided, NULL));
    }
    if (error)
        g_message("secrets: %s", error->message);
    l2tpc_profile_free(settings);
    keeping_free(k);
}

void l2d_service_keep(GDBusConnection *bus, L2dProfile *profile)
{
    struct asked *a = asked_of(profile);
    struct keeping *k;

    if (!a || !a->kept || l2d_profile_get_state(profile) != L2D_STATE_UP)
        return;
    k = g_new0(struct keeping, 1);
    k->secrets = g_steal_pointer(&a->kept);
    k->uuid = g_strdup(l2d_profile_get_uuid(profile));
    g_dbus_connection_call(bus, L2D_SERVICE_NAME, L2D_SERVICE_PATH, L2D_SERVICE_NAME, "GetProfile",
                           g_variant_new("(s)", k->uuid), G_VARIANT_TYPE("(s)"),
                           G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_loaded, k);
}
