/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "service/standalone_calls.h"

#include "service/standalone_store.h"
#include "service/tunnel.h"

#include <string.h>

#define SECRET_MAX 512
#define NEEDS_MAX 3

/* A tunnel, and the user's program that answers for it. */
struct running {
    struct service *service;
    char *uuid, *sender;
    uid_t uid;
    tunnel *tunnel;
    uint32_t need[NEEDS_MAX];
    uint32_t kind[NEEDS_MAX];
    unsigned n_needs;
    struct tunnel_failure failure;
};

void running_free(gpointer user)
{
    struct running *r = user;

    tunnel_free(r->tunnel);
    g_free(r->uuid);
    g_free(r->sender);
    g_free(r);
}

void calls_refuse(struct call *c, const char *error, const char *sentence)
{
    g_autofree char *name = g_strdup_printf(SERVICE_NAME ".Error.%s", error);

    g_dbus_method_invocation_return_dbus_error(c->invocation, name, sentence);
}

static void reply(struct call *c, GVariant *value)
{
    g_dbus_method_invocation_return_value(c->invocation, value);
}

static void signal_to(struct service *s, const char *to, const char *name, GVariant *value)
{
    (void)g_dbus_connection_emit_signal(s->bus, to, SERVICE_PATH, SERVICE_NAME, name, value, NULL);
}

GVariant *calls_running(struct service *s)
{
    GVariantBuilder b;
    GHashTableIter iter;
    gpointer uuid;

    g_variant_builder_init(&b, G_VARIANT_TYPE("as"));
    g_hash_table_iter_init(&iter, s->running);
    while (g_hash_table_iter_next(&iter, &uuid, NULL))
        g_variant_builder_add(&b, "s", uuid);
    return g_variant_builder_end(&b);
}

/* ---- profiles ---- */

static void add_profile_to(GVariantBuilder *b, const struct stored_profile *p)
{
    GPtrArray *notes = l2tpc_profile_check(p->profile);
    const char *server = l2tpc_profile_get(p->profile, L2TPC_PROFILE_DATA, "gateway");

    g_variant_builder_open(b, G_VARIANT_TYPE("(ssssas)"));
    g_variant_builder_add(b, "s", p->uuid);
    g_variant_builder_add(b, "s", l2tpc_profile_get_id(p->profile));
    g_variant_builder_add(b, "s", server ? server : "");
    g_variant_builder_add(b, "s", p->own ? "own" : "system");
    g_variant_builder_open(b, G_VARIANT_TYPE("as"));
    for (guint i = 0; i < notes->len; i++) {
        const l2tpc_profile_note *n = g_ptr_array_index(notes, i);

        if (n->severity == L2TPC_PROFILE_WEAKNESS)
            g_variant_builder_add(b, "s", n->code);
    }
    g_variant_builder_close(b);
    g_variant_builder_close(b);
    g_ptr_array_unref(notes);
}

static void list_profiles(struct call *c)
{
    g_autoptr(GPtrArray) all = store_list(c->uid);
    GVariantBuilder b;

    g_variant_builder_init(&b, G_VARIANT_TYPE("a(ssssas)"));
    for (guint i = 0; i < all->len; i++)
        add_profile_to(&b, g_ptr_array_index(all, i));
    reply(c, g_variant_new("(a(ssssas))", &b));
}

static struct stored_profile *find(struct call *c)
{
    const char *uuid;
    struct stored_profile *p;

    g_variant_get_child(c->parameters, 0, "&s", &uuid);
    p = store_find(c->uid, uuid);
    if (!p)
        calls_refuse(c, "NotFound", "There is no such connection.");
    return p;
}

static void get_profile(struct call *c)
{
    struct stored_profile *p = find(c);
    g_autofree char *text = p ? store_text(p->profile, FALSE) : NULL;

    if (text)
        reply(c, g_variant_new("(s)", text));
    else if (p)
        calls_refuse(c, "Failed", "The connection cannot be written.");
    stored_profile_free(p);
}

static void changed(struct call *c)
{
    signal_to(c->service, NULL, "ProfilesChanged", NULL);
}

static void add_profile(struct call *c)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *uuid = NULL;
    const char *text;
    const char *owner;
    l2tpc_profile *p;

    g_variant_get(c->parameters, "(&s&s)", &text, &owner);
    if (strcmp(owner, "own") != 0 && strcmp(owner, "system") != 0) {
        calls_refuse(c, "Invalid", "The owner is \"own\" or \"system\".");
        return;
    }
    p = store_parse(text, &error);
    if (p && store_add(p, strcmp(owner, "own") == 0, c->uid, &uuid, &error)) {
        reply(c, g_variant_new("(s)", uuid));
        changed(c);
    } else {
        calls_refuse(c, "Invalid", error->message);
    }
    l2tpc_profile_free(p);
}

static void update_profile(struct call *c)
{
    g_autoptr(GError) error = NULL;
    struct stored_profile *old = find(c);
    const char *text;
    l2tpc_profile *p;

    if (!old)
        return;
    g_variant_get_child(c->parameters, 1, "&s", &text);
    p = store_parse(text, &error);
    if (p && store_replace(old, p, &error)) {
        reply(c, NULL);
        changed(c);
    } else {
        calls_refuse(c, "Invalid", error->message);
    }
    l2tpc_profile_free(p);
    stored_profile_free(old);
}

static void remove_profile(struct call *c)
{
    g_autoptr(GError) error = NULL;
    struct stored_profile *old = find(c);

    if (!old)
        return;
    if (store_remove(old, &error)) {
        reply(c, NULL);
        changed(c);
    } else {
        calls_refuse(c, "Failed", error->message);
    }
    stored_profile_free(old);
}

/* ---- tunnels ---- */

static const struct {
    const char *name, *key;
    uint32_t need;
} kinds[] = {
    {"psk", "ipsec-psk", L2TPC_NEED_PSK},
    {"password", "password", L2TPC_NEED_PASSWORD},
    {"passphrase", "machine-certpass", L2TPC_NEED_PASSPHRASE},
};

static void on_need(struct running *r, const l2tpc_need *need)
{
    const char *kind = "";

    if (r->n_needs == NEEDS_MAX || !r->sender) {
        tunnel_answer(r->tunnel, need->id, NULL, 0);
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (kinds[i].need == need->type)
            kind = kinds[i].name;
    r->need[r->n_needs] = need->id;
    r->kind[r->n_needs++] = need->type;
    signal_to(r->service, r->sender, "SecretsNeeded",
              g_variant_new("(su^assb)", r->uuid, need->id, (const char *const[]){kind, NULL},
                            need->token_label, FALSE));
}

static void on_event(void *user, tunnel *t, const l2tpc_event *e)
{
    struct running *r = user;

    r->tunnel = t;
    if (l2tpc_event_get_type(e) == L2TPC_EVENT_NEED)
        on_need(r, l2tpc_event_get_need(e));
}

static void on_failed(void *user, tunnel *t, const struct tunnel_failure *failure)
{
    struct running *r = user;

    (void)t;
    r->failure = *failure;
}

static void on_gone(void *user, tunnel *t)
{
    struct running *r = user;
    struct service *s = r->service;
    const struct tunnel_failure *f = &r->failure;

    (void)t;
    if (r->sender)
        signal_to(s, r->sender, "Ended",
                  g_variant_new("(s(ssss))", r->uuid, f->stage ? f->stage : "",
                                f->code ? f->code : "", f->message, f->hint));
    (void)g_hash_table_remove(s->running, r->uuid);
    standalone_look(s);
}

static const struct tunnel_face face = {on_event, on_failed, on_gone};

/* False after an error: a kind that nobody knows, or too long a secret. */
static gboolean take_secrets(struct call *c, GVariant *secrets, l2tpc_profile *to)
{
    GVariantIter iter;
    const char *name;
    const char *value;
    gsize i;

    g_variant_iter_init(&iter, secrets);
    while (g_variant_iter_next(&iter, "{&s&s}", &name, &value)) {
        for (i = 0; i < G_N_ELEMENTS(kinds) && strcmp(kinds[i].name, name) != 0; i++)
            ;
        if (i == G_N_ELEMENTS(kinds) || strlen(value) > SECRET_MAX) {
            calls_refuse(c, "Invalid", "There is no such secret, or it is too long.");
            return FALSE;
        }
        l2tpc_profile_set(to, L2TPC_PROFILE_SECRETS, kinds[i].key, value);
    }
    return TRUE;
}

static void start(struct call *c, const struct stored_profile *p)
{
    struct tunnel_failure failure = {.code = ""};
    struct running *r = g_new0(struct running, 1);
    /* Whose files may be named in it: a user's profile reads with that user's rights. */
    const struct tunnel_wish wish = {.name = p->uuid,
                                     .profile = p->profile,
                                     .owner = p->own ? p->owner : 0,
                                     .flags = c->service->verbose ? TUNNEL_VERBOSE : 0,
                                     .face = &face,
                                     .user = r};

    r->service = c->service;
    r->uuid = g_strdup(p->uuid);
    r->sender = g_strdup(g_dbus_method_invocation_get_sender(c->invocation));
    r->uid = c->uid;
    r->tunnel = tunnel_new(c->service->starter, &wish, &failure);
    if (!r->tunnel) {
        calls_refuse(c, "Failed", failure.message);
        running_free(r);
        return;
    }
    (void)g_hash_table_insert(c->service->running, g_strdup(p->uuid), r);
    reply(c, NULL);
}

static void connect_profile(struct call *c)
{
    g_autoptr(GVariant) secrets = g_variant_get_child_value(c->parameters, 1);
    struct stored_profile *p = find(c);

    if (!p)
        return;
    if (g_hash_table_contains(c->service->running, p->uuid) ||
        g_hash_table_size(c->service->running) >= TUNNELS_MAX)
        calls_refuse(c, "Busy", "It runs already, or too many do.");
    else if (take_secrets(c, secrets, p->profile))
        start(c, p);
    stored_profile_free(p);
}

/* The tunnel that the call names, if it is the caller's. */
static struct running *own_tunnel(struct call *c)
{
    const char *uuid;
    struct running *r;

    g_variant_get_child(c->parameters, 0, "&s", &uuid);
    r = g_hash_table_lookup(c->service->running, uuid);
    if (r && (c->uid == 0 || c->uid == r->uid))
        return r;
    calls_refuse(c, r ? "NotAuthorized" : "NotFound",
                 r ? "Another user has started it." : "It does not run.");
    return NULL;
}

static void disconnect_profile(struct call *c)
{
    struct running *r = own_tunnel(c);

    if (!r)
        return;
    tunnel_stop(r->tunnel, true);
    reply(c, NULL);
}

static const char *key_of(uint32_t need)
{
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (kinds[i].need == need)
            return kinds[i].name;
    return "";
}

static void provide_secrets(struct call *c)
{
    g_autoptr(GVariant) secrets = g_variant_get_child_value(c->parameters, 2);
    struct running *r = own_tunnel(c);
    const char *secret = NULL;
    guint32 request;

    if (!r)
        return;
    g_variant_get_child(c->parameters, 1, "u", &request);
    for (unsigned i = 0; i < r->n_needs; i++) {
        if (r->need[i] != request)
            continue;
        (void)g_variant_lookup(secrets, key_of(r->kind[i]), "&s", &secret);
        tunnel_answer(r->tunnel, request, secret,
                      secret ? MIN(strlen(secret), (size_t)SECRET_MAX) : 0);
        r->n_needs--;
        r->need[i] = r->need[r->n_needs];
        r->kind[i] = r->kind[r->n_needs];
        reply(c, NULL);
        return;
    }
    calls_refuse(c, "NotFound", "Nothing is asked by that number.");
}

void calls_sender_gone(struct service *s, const char *sender)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, s->running);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct running *r = value;

        if (!r->sender || strcmp(r->sender, sender) != 0)
            continue;
        g_clear_pointer(&r->sender, g_free);
        for (; r->n_needs > 0; r->n_needs--)
            tunnel_answer(r->tunnel, r->need[r->n_needs - 1], NULL, 0);
    }
}

void calls_end_all(struct service *s)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, s->running);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        tunnel_stop(((struct running *)value)->tunnel, false);
}

/* ---- what polkit is asked ---- */

static const char *action_connect(const struct call *c)
{
    (void)c;
    return "net.l2tpc.connect";
}

static const char *action_add(const struct call *c)
{
    const char *owner;

    g_variant_get_child(c->parameters, 1, "&s", &owner);
    return strcmp(owner, "own") == 0 ? "net.l2tpc.connect" : "net.l2tpc.manage-profiles";
}

static const char *action_change(const struct call *c)
{
    const char *uuid;
    struct stored_profile *p;
    gboolean own;

    g_variant_get_child(c->parameters, 0, "&s", &uuid);
    p = store_find(c->uid, uuid);
    own = p && p->own;
    stored_profile_free(p);
    return own ? NULL : "net.l2tpc.manage-profiles";
}

static const struct method methods[] = {
    {"ListProfiles", list_profiles, NULL},
    {"GetProfile", get_profile, NULL},
    {"AddProfile", add_profile, action_add},
    {"UpdateProfile", update_profile, action_change},
    {"RemoveProfile", remove_profile, action_change},
    {"Connect", connect_profile, action_connect},
    {"Disconnect", disconnect_profile, NULL},
    {"ProvideSecrets", provide_secrets, NULL},
};

const struct method *calls_find(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(methods); i++)
        if (strcmp(methods[i].name, name) == 0)
            return &methods[i];
    return NULL;
}
