/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tunnels that users have started, and the table of methods. */
#include "service/standalone_calls.h"

#include "service/standalone_secrets.h"
#include "service/standalone_store.h"
#include "service/tunnel.h"

#include <string.h>

#define NEEDS_MAX 3

/* A tunnel, and the user's program that answers for it. */
struct running {
    struct service *service;
    char *uuid, *sender;
    uid_t starter;
    uid_t users[TUNNEL_USERS_MAX]; /* of the profile */
    unsigned n_users;
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

static void reply(struct call *c, GVariant *value)
{
    g_dbus_method_invocation_return_value(c->invocation, value);
}

void calls_signal(struct service *s, const char *to, const char *name, GVariant *value)
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

/* ---- what a tunnel says ---- */

static void on_need(struct running *r, const l2tpc_need *need)
{
    const char *kind = secrets_kind(need->type);

    if (r->n_needs == NEEDS_MAX || !r->sender) {
        tunnel_answer(r->tunnel, need->id, NULL, 0);
        return;
    }
    r->need[r->n_needs] = need->id;
    r->kind[r->n_needs++] = need->type;
    calls_signal(r->service, r->sender, "SecretsNeeded",
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
        calls_signal(s, r->sender, "Ended",
                     g_variant_new("(s(ssss))", r->uuid, f->stage ? f->stage : "",
                                   f->code ? f->code : "", f->message, f->hint));
    (void)g_hash_table_remove(s->running, r->uuid);
    standalone_look(s);
}

/* In the language of the program that will show it. */
static const char *translate(void *user, const char *msgid)
{
    const struct running *r = user;
    locale_t before = language_enter(r->service, r->sender);
    const char *text = *msgid ? _(msgid) : msgid;

    language_leave(before);
    return text;
}

static const struct tunnel_face face = {on_event, on_failed, on_gone, translate};

/* ---- methods ---- */

static void start(struct call *c, const struct stored_profile *p)
{
    struct tunnel_failure failure = {.code = ""};
    struct running *r = g_new0(struct running, 1);
    const struct tunnel_wish wish = {.name = p->uuid,
                                     .profile = p->profile,
                                     .owner = p->own ? p->owner : 0,
                                     .starter = c->uid,
                                     .users = r->users,
                                     .n_users = store_users(p, r->users, TUNNEL_USERS_MAX),
                                     .flags = c->service->verbose ? TUNNEL_VERBOSE : 0,
                                     .face = &face,
                                     .user = r};

    r->service = c->service;
    r->uuid = g_strdup(p->uuid);
    r->sender = g_strdup(calls_sender(c));
    r->starter = c->uid;
    r->n_users = wish.n_users;
    r->tunnel = tunnel_new(c->service->starter, &wish, &failure);
    if (!r->tunnel) {
        calls_refuse(c, "Failed", failure.message);
        running_free(r);
        return;
    }
    (void)g_hash_table_insert(c->service->running, g_strdup(p->uuid), r);
    reply(c, NULL);
}

static unsigned tunnels_of(const struct service *s, uid_t uid)
{
    GHashTableIter iter;
    gpointer value;
    unsigned n = 0;

    g_hash_table_iter_init(&iter, s->running);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        n += ((const struct running *)value)->starter == uid;
    return n;
}

static void connect_profile(struct call *c)
{
    g_autoptr(GVariant) secrets = g_variant_get_child_value(c->parameters, 1);
    struct stored_profile *p = profiles_find(c);

    if (!p)
        return;
    if (g_hash_table_contains(c->service->running, p->uuid))
        calls_refuse(c, "Busy", N_("This connection runs already."));
    else if (tunnels_of(c->service, c->uid) >= TUNNELS_OF_USER ||
             g_hash_table_size(c->service->running) >= TUNNELS_MAX)
        calls_refuse(c, "Busy", N_("Too many connections run at the same time."));
    else if (secrets_take(c, secrets, p->profile))
        start(c, p);
    stored_profile_free(p);
}

static gboolean is_of(const struct running *r, uid_t uid)
{
    for (unsigned i = 0; i < r->n_users; i++)
        if (r->users[i] == uid)
            return TRUE;
    return uid == 0 || uid == r->starter;
}

/* The tunnel that the call names, if the caller has started it or `or_user` of its profile. */
static struct running *own_tunnel(struct call *c, gboolean or_user)
{
    const char *uuid;
    struct running *r;

    g_variant_get_child(c->parameters, 0, "&s", &uuid);
    r = g_hash_table_lookup(c->service->running, uuid);
    if (r && (c->uid == 0 || c->uid == r->starter || (or_user && is_of(r, c->uid))))
        return r;
    if (r)
        calls_refuse(c, "NotAuthorized", N_("Another user has started it."));
    else
        calls_refuse(c, "NotFound", N_("It does not run."));
    return NULL;
}

static void disconnect_profile(struct call *c)
{
    struct running *r = own_tunnel(c, TRUE);

    if (!r)
        return;
    tunnel_stop(r->tunnel, true);
    reply(c, NULL);
}

static void answer(struct call *c, struct running *r, unsigned i)
{
    g_autoptr(GVariant) secrets = g_variant_get_child_value(c->parameters, 2);
    struct given_secret secret;

    if (!secrets_pick(c, secrets, r->kind[i], &secret))
        return; /* the question stays */
    tunnel_answer(r->tunnel, r->need[i], secret.bytes, secret.n);
    secrets_forget(&secret);
    r->n_needs--;
    r->need[i] = r->need[r->n_needs];
    r->kind[i] = r->kind[r->n_needs];
    reply(c, NULL);
}

static void provide_secrets(struct call *c)
{
    struct running *r = own_tunnel(c, FALSE);
    guint32 request;

    if (!r)
        return;
    g_variant_get_child(c->parameters, 1, "u", &request);
    for (unsigned i = 0; i < r->n_needs; i++)
        if (r->need[i] == request) {
            answer(c, r, i);
            return;
        }
    calls_refuse(c, "NotFound", N_("Nothing is asked by that number."));
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

static const char *action_connect(const struct call *c)
{
    (void)c;
    return "net.l2tpc.connect";
}

static const struct method methods[] = {
    {.name = "ListProfiles",
     .serve = profiles_list,
     .action = profiles_action_list,
     .lenient = TRUE},
    {.name = "GetProfile", .serve = profiles_get, .action = profiles_action_get},
    {.name = "AddProfile",
     .serve = profiles_add,
     .action = profiles_action_add,
     .has_secrets = TRUE},
    {.name = "AddProfileByFd",
     .serve = profiles_add,
     .action = profiles_action_add,
     .has_secrets = TRUE},
    {.name = "UpdateProfile",
     .serve = profiles_update,
     .action = profiles_action_change,
     .has_secrets = TRUE},
    {.name = "UpdateProfileByFd",
     .serve = profiles_update,
     .action = profiles_action_change,
     .has_secrets = TRUE},
    {.name = "RemoveProfile", .serve = profiles_remove, .action = profiles_action_change},
    {.name = "Connect", .serve = connect_profile, .action = action_connect, .has_secrets = TRUE},
    {.name = "ConnectByFd",
     .serve = connect_profile,
     .action = action_connect,
     .has_secrets = TRUE},
    {.name = "Disconnect", .serve = disconnect_profile},
    {.name = "ProvideSecrets", .serve = provide_secrets, .has_secrets = TRUE},
    {.name = "ProvideSecretsByFd", .serve = provide_secrets, .has_secrets = TRUE},
    {.name = "SetLocale", .serve = language_set},
};

const struct method *calls_find(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(methods); i++)
        if (strcmp(methods[i].name, name) == 0)
            return &methods[i];
    return NULL;
}
