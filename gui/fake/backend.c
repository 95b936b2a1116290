/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/backend.h"
#include "fake/tunnel.h"

#define L2D_TYPE_FAKE_BACKEND (l2d_fake_backend_get_type())
G_DECLARE_FINAL_TYPE(L2dFakeBackend, l2d_fake_backend, L2D, FAKE_BACKEND, L2dBackend)

struct _L2dFakeBackend {
    L2dBackend parent;
    char *path;
    JsonNode *file;
};

/* One for each profile of the file, hung up on the profile. */
struct play {
    L2dFakeBackend *backend; /* no reference: the back end holds the profile */
    L2dProfile *profile;     /* no reference: it owns us */
    JsonObject *source;
    guint step, timer;
    L2dSecretRequest *request;
    l2tpc_profile *settings; /* since somebody stored them; before that, those of the recording */
};

G_DEFINE_TYPE(L2dFakeBackend, l2d_fake_backend, L2D_TYPE_BACKEND)

static void next_step(struct play *p);

static void play_free(gpointer data)
{
    struct play *p = data;

    g_clear_handle_id(&p->timer, g_source_remove);
    g_clear_object(&p->request);
    json_object_unref(p->source);
    l2tpc_profile_free(p->settings);
    g_free(p);
}

static struct play *play_of(L2dProfile *profile)
{
    return g_object_get_data(G_OBJECT(profile), "play");
}

static const char *text_of(JsonObject *o, const char *key)
{
    return json_object_get_string_member_with_default(o, key, "");
}

static L2dFakeTunnel *tunnel_of(struct play *p)
{
    if (!l2d_profile_get_tunnel(p->profile)) {
        JsonArray *rates = json_object_has_member(p->source, "rates")
                               ? json_object_get_array_member(p->source, "rates")
                               : NULL;
        g_autoptr(L2dFakeTunnel) t = l2d_fake_tunnel_new(rates);

        l2d_profile_set_tunnel(p->profile, L2D_TUNNEL(t));
    }
    return L2D_FAKE_TUNNEL(l2d_profile_get_tunnel(p->profile));
}

static void say_state(struct play *p, L2dState state)
{
    l2d_tunnel_take_snapshot(L2D_TUNNEL(tunnel_of(p)), l2d_snapshot_new_for_state(state));
}

static JsonObject *step_of(struct play *p)
{
    JsonArray *steps = json_object_has_member(p->source, "dial")
                           ? json_object_get_array_member(p->source, "dial")
                           : NULL;

    return steps && p->step < json_array_get_length(steps)
               ? json_array_get_object_element(steps, p->step)
               : NULL;
}

static void ask(struct play *p, JsonObject *wanted, const char *message);

static void on_answered(L2dSecretRequest *request, GHashTable *secrets, gboolean keep,
                        struct play *p)
{
    JsonObject *step = step_of(p);
    JsonObject *wanted = step ? json_object_get_object_member(step, "secrets") : NULL;
    JsonArray *fields = wanted ? json_object_get_array_member(wanted, "fields") : NULL;
    gboolean right = TRUE;

    (void)request;
    (void)keep;
    if (!secrets) {
        say_state(p, L2D_STATE_OFF);
        return;
    }
    for (guint i = 0; fields && i < json_array_get_length(fields); i++) {
        JsonObject *f = json_array_get_object_element(fields, i);
        const char *expected = text_of(f, "expect");

        if (*expected && g_strcmp0(g_hash_table_lookup(secrets, text_of(f, "key")), expected) != 0)
            right = FALSE;
    }
    if (right) {
        p->step++;
        next_step(p);
    } else {
        ask(p, wanted, text_of(wanted, "again"));
    }
}

static L2dSecretKind kind_named(const char *name)
{
    static const char *const names[] = {"password", "psk", "passphrase", "code", "new-password"};

    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_str_equal(name, names[i]))
            return (L2dSecretKind)i;
    return L2D_SECRET_OTHER;
}

static void ask(struct play *p, JsonObject *wanted, const char *message)
{
    JsonArray *fields = json_object_get_array_member(wanted, "fields");

    g_clear_object(&p->request);
    p->request = l2d_secret_request_new(message);
    for (guint i = 0; i < json_array_get_length(fields); i++) {
        JsonObject *f = json_array_get_object_element(fields, i);

        l2d_secret_request_add(p->request, text_of(f, "key"), kind_named(text_of(f, "kind")),
                               text_of(f, "label"),
                               json_object_get_boolean_member_with_default(f, "keep", TRUE));
    }
    g_signal_connect(p->request, "answered", G_CALLBACK(on_answered), p);
    (void)l2d_backend_want_secrets(L2D_BACKEND(p->backend), p->profile, p->request);
}

static gboolean on_step(gpointer user)
{
    struct play *p = user;
    JsonObject *step = step_of(p);

    p->timer = 0;
    if (json_object_has_member(step, "secrets")) {
        JsonObject *wanted = json_object_get_object_member(step, "secrets");

        ask(p, wanted, text_of(wanted, "message"));
        return G_SOURCE_REMOVE;
    }
    if (json_object_has_member(step, "blocked"))
        l2d_backend_set_blocked(L2D_BACKEND(p->backend), text_of(step, "blocked"));
    l2d_fake_tunnel_say(tunnel_of(p), json_object_get_object_member(step, "status"), -1);
    p->step++;
    next_step(p);
    return G_SOURCE_REMOVE;
}

static void next_step(struct play *p)
{
    JsonObject *step = step_of(p);

    if (step)
        p->timer = g_timeout_add(
            (guint)json_object_get_int_member_with_default(step, "after_ms", 0), on_step, p);
}

static void done(GTask *task)
{
    g_task_return_boolean(task, TRUE);
    g_object_unref(task);
}

static void fake_connect(L2dBackend *b, L2dProfile *profile, GTask *task)
{
    struct play *p = play_of(profile);

    (void)b;
    g_clear_handle_id(&p->timer, g_source_remove);
    p->step = 0;
    say_state(p, L2D_STATE_DIALING);
    next_step(p);
    done(task);
}

static void fake_disconnect(L2dBackend *b, L2dProfile *profile, GTask *task)
{
    struct play *p = play_of(profile);

    (void)b;
    g_clear_handle_id(&p->timer, g_source_remove);
    if (p->request)
        l2d_secret_request_refuse(p->request);
    say_state(p, L2D_STATE_OFF);
    done(task);
}

static void profile_free(gpointer data)
{
    l2tpc_profile_free(data);
}

static l2tpc_profile *copy_of(const l2tpc_profile *settings)
{
    l2tpc_profile *copy =
        l2tpc_profile_new_from_tables(l2tpc_profile_get_table(settings, L2TPC_PROFILE_DATA),
                                      l2tpc_profile_get_table(settings, L2TPC_PROFILE_SECRETS),
                                      l2tpc_profile_get_table(settings, L2TPC_PROFILE_USER));

    l2tpc_profile_set_id(copy, l2tpc_profile_get_id(settings));
    return copy;
}

static void fake_load(L2dBackend *b, L2dProfile *profile, GTask *task)
{
    struct play *p = play_of(profile);
    l2tpc_profile *settings = p->settings ? copy_of(p->settings) : l2tpc_profile_new();
    JsonObject *o = p->source;

    (void)b;
    if (p->settings) {
        g_task_return_pointer(task, settings, profile_free);
        g_object_unref(task);
        return;
    }
    l2tpc_profile_set_id(settings, l2d_profile_get_name(profile));
    l2tpc_profile_set(settings, L2TPC_PROFILE_DATA, "gateway", l2d_profile_get_server(profile));
    l2tpc_profile_set(settings, L2TPC_PROFILE_DATA, "user", l2d_profile_get_user(profile));
    if (json_object_has_member(o, "psk"))
        l2tpc_profile_set(settings, L2TPC_PROFILE_SECRETS, "ipsec-psk", text_of(o, "psk"));
    g_task_return_pointer(task, settings, profile_free);
    g_object_unref(task);
}

static L2dProfile *insert(L2dFakeBackend *b, JsonObject *o)
{
    L2dProfile *profile = l2d_profile_new(text_of(o, "uuid"), text_of(o, "name"),
                                          text_of(o, "server"), text_of(o, "user"));
    struct play *p = g_new0(struct play, 1);

    p->backend = b;
    p->profile = profile;
    p->source = json_object_ref(o);
    g_object_set_data_full(G_OBJECT(profile), "play", p, play_free);
    if (json_object_has_member(o, "stored"))
        l2d_profile_set_stored(profile, json_object_get_boolean_member(o, "stored"));
    if (json_object_has_member(o, "history")) {
        JsonArray *history = json_object_get_array_member(o, "history");

        for (guint i = 0; i < json_array_get_length(history); i++) {
            JsonArray *r = json_array_get_array_element(history, i);

            l2d_tunnel_add_rate(L2D_TUNNEL(tunnel_of(p)),
                                (L2dRate){json_array_get_double_element(r, 0),
                                          json_array_get_double_element(r, 1)});
        }
    }
    if (json_object_has_member(o, "log")) {
        JsonArray *log = json_object_get_array_member(o, "log");

        for (guint i = 0; i < json_array_get_length(log); i++) {
            JsonArray *line = json_array_get_array_element(log, i);

            l2d_tunnel_add_log(
                L2D_TUNNEL(tunnel_of(p)), i + 1, (guint)json_array_get_int_element(line, 0),
                json_array_get_string_element(line, 1), json_array_get_string_element(line, 2));
        }
    }
    if (json_object_has_member(o, "now"))
        l2d_fake_tunnel_say(tunnel_of(p), json_object_get_object_member(o, "now"),
                            json_object_get_int_member_with_default(o, "since_ago_s", -1));
    l2d_backend_insert(L2D_BACKEND(b), profile);
    return profile;
}

static void fake_add(L2dBackend *b, const l2tpc_profile *settings, GTask *task)
{
    g_autoptr(JsonObject) o = json_object_new();
    g_autofree char *uuid =
        g_key_file_get_string(l2tpc_profile_get_settings(settings), "connection", "uuid", NULL);
    g_autofree char *random = g_uuid_string_random();
    g_autoptr(L2dProfile) profile = NULL;
    const char *server = l2tpc_profile_get(settings, L2TPC_PROFILE_DATA, "gateway");
    const char *user = l2tpc_profile_get(settings, L2TPC_PROFILE_DATA, "user");

    json_object_set_string_member(o, "uuid", uuid ? uuid : random);
    json_object_set_string_member(o, "name", l2tpc_profile_get_id(settings));
    json_object_set_string_member(o, "server", server ? server : "");
    json_object_set_string_member(o, "user", user ? user : "");
    profile = insert(L2D_FAKE_BACKEND(b), o);
    play_of(profile)->settings = copy_of(settings);
    done(task);
}

static void fake_replace(L2dBackend *b, L2dProfile *profile, const l2tpc_profile *settings,
                         GTask *task)
{
    struct play *p = play_of(profile);

    (void)b;
    l2tpc_profile_free(p->settings);
    p->settings = copy_of(settings);
    l2d_profile_set_texts(profile, l2tpc_profile_get_id(settings),
                          l2tpc_profile_get(settings, L2TPC_PROFILE_DATA, "gateway"),
                          l2tpc_profile_get(settings, L2TPC_PROFILE_DATA, "user"));
    done(task);
}

static void fake_remove(L2dBackend *b, L2dProfile *profile, GTask *task)
{
    l2d_backend_drop(b, profile);
    done(task);
}

static void fake_unblock(L2dBackend *b, GTask *task)
{
    JsonObject *o = json_node_get_object(L2D_FAKE_BACKEND(b)->file);

    if (json_object_has_member(o, "unblock-fails")) {
        g_task_return_new_error(task, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED, "%s",
                                text_of(o, "unblock-fails"));
        g_object_unref(task);
        return;
    }
    l2d_backend_set_blocked(b, NULL);
    done(task);
}

static void fake_start(L2dBackend *b)
{
    L2dFakeBackend *self = L2D_FAKE_BACKEND(b);
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) error = NULL;
    JsonObject *o;
    JsonArray *profiles;

    if (!json_parser_load_from_file(parser, self->path, &error)) {
        l2d_backend_set_trouble(b, error->message);
        return;
    }
    self->file = json_parser_steal_root(parser);
    o = json_node_get_object(self->file);
    profiles = json_object_get_array_member(o, "profiles");
    for (guint i = 0; i < json_array_get_length(profiles); i++)
        g_object_unref(insert(self, json_array_get_object_element(profiles, i)));
    if (json_object_has_member(o, "blocked"))
        l2d_backend_set_blocked(b, text_of(o, "blocked"));
    l2d_backend_set_trouble(b, json_object_has_member(o, "trouble") ? text_of(o, "trouble") : NULL);
}

static void l2d_fake_backend_finalize(GObject *object)
{
    L2dFakeBackend *self = L2D_FAKE_BACKEND(object);

    g_free(self->path);
    g_clear_pointer(&self->file, json_node_unref);
    G_OBJECT_CLASS(l2d_fake_backend_parent_class)->finalize(object);
}

static void l2d_fake_backend_class_init(L2dFakeBackendClass *class)
{
    L2dBackendClass *b = L2D_BACKEND_CLASS(class);

    G_OBJECT_CLASS(class)->finalize = l2d_fake_backend_finalize;
    b->title = "Recording";
    b->start = fake_start;
    b->connect = fake_connect;
    b->disconnect = fake_disconnect;
    b->load = fake_load;
    b->add = fake_add;
    b->replace = fake_replace;
    b->remove = fake_remove;
    b->unblock = fake_unblock;
    b->desktop_switch = TRUE;
}

static void l2d_fake_backend_init(L2dFakeBackend *self)
{
    (void)self;
}

L2dBackend *l2d_fake_backend_new(const char *path)
{
    L2dFakeBackend *self = g_object_new(L2D_TYPE_FAKE_BACKEND, NULL);

    self->path = g_strdup(path);
    return L2D_BACKEND(self);
}
