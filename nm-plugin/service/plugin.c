/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NetworkManager's VPN service, one connection a process. NetworkManager asks which secrets are
 * missing, hands over the connection, waits for addresses and sets them; a secret that turns out to
 * be needed, or wrong, is asked for while the connection waits.
 */
#include "service/plugin.h"

#include "service/addresses.h"
#include "service/connection.h"
#include "service/ending.h"
#include "service/tunnel.h"

#include <glib/gi18n.h>
#include <string.h>

#define DIAL_S 50       /* libnm gives up after 60, with a reason of its own */
#define QUESTIONS_MAX 3 /* one of each kind */
#define WRONG_MAX 3     /* times a secret may be wrong */

struct _Plugin {
    NMVpnServicePlugin parent;
    struct starter *starter;
    gboolean verbose;
    NMConnection *connection;
    tunnel *tunnel;
    gboolean interactive; /* secrets can be asked for */
    gboolean again;       /* a new dial waits until nothing is left of the last one */
    gboolean failing;     /* libnm disconnects by itself */
    gboolean up;
    unsigned wrong; /* secrets so far */
    uid_t users[TUNNEL_USERS_MAX];
    l2tpc_need ip; /* the newest addresses; size 0: none yet */
    struct {
        uint32_t id, type;
    } question[QUESTIONS_MAX];
    unsigned n_questions;
    const char *ask; /* key of the secret that was wrong, once the dial is over */
    struct tunnel_failure failure;
    guint failure_source;
    struct ending ending;
    void (*on_idle)(gpointer user);
    gpointer idle_user;
};

G_DEFINE_TYPE(Plugin, plugin, NM_TYPE_VPN_SERVICE_PLUGIN)

/* ---- failures ---- */

static gboolean begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* The closest of the three reasons that NetworkManager knows. */
static NMVpnPluginFailure reason_of(const struct tunnel_failure *f)
{
    if (begins(f->code, "ppp.auth.") || begins(f->code, "ike.auth.") ||
        begins(f->code, "l2tp.auth") || begins(f->code, "local.secret") ||
        begins(f->code, "local.token-"))
        return NM_VPN_PLUGIN_FAILURE_LOGIN_FAILED;
    return begins(f->code, "ppp.ip") ? NM_VPN_PLUGIN_FAILURE_BAD_IP_CONFIG
                                     : NM_VPN_PLUGIN_FAILURE_CONNECT_FAILED;
}

static void emit(Plugin *self, const char *signal, guint32 value)
{
    g_autoptr(GDBusConnection) bus =
        nm_vpn_service_plugin_get_connection(NM_VPN_SERVICE_PLUGIN(self));

    if (bus)
        (void)g_dbus_connection_emit_signal(bus, NULL, NM_VPN_DBUS_PLUGIN_PATH,
                                            NM_VPN_DBUS_PLUGIN_INTERFACE, signal,
                                            g_variant_new("(u)", value), NULL);
}

/*
 * While it is starting, libnm overwrites the reason by CONNECT_FAILED: NetworkManager hears it, and
 * the end, from here first.
 */
static void fail(Plugin *self, const struct tunnel_failure *f)
{
    NMVpnPluginFailure reason = reason_of(f);

    g_message("%s: %s %s", f->code, f->message, f->hint);
    self->failing = TRUE;
    emit(self, "Failure", reason);
    emit(self, "StateChanged", NM_VPN_SERVICE_STATE_STOPPED);
    nm_vpn_service_plugin_failure(NM_VPN_SERVICE_PLUGIN(self), reason);
}

static gboolean fail_now(gpointer user)
{
    Plugin *self = user;

    self->failure_source = 0;
    fail(self, &self->failure);
    return G_SOURCE_REMOVE;
}

/* Inside a method of libnm's: it would say that the service has stopped unexpectedly. */
static void fail_soon(Plugin *self, const struct tunnel_failure *f)
{
    self->failure = *f;
    if (self->failure_source == 0)
        self->failure_source = g_idle_add(fail_now, self);
}

/* ---- secrets ---- */

static const char *key_of(uint32_t need)
{
    return need == L2TPC_NEED_PSK          ? "ipsec-psk"
           : need == L2TPC_NEED_PASSPHRASE ? "machine-certpass"
                                           : "password";
}

/* Of a failure that another secret may put right; NULL: of none. */
static const char *wrong_secret(const struct tunnel_failure *f)
{
    return strcmp(f->code, "ppp.auth.failed") == 0            ? "password"
           : strcmp(f->code, "ppp.auth.ended") == 0           ? "password"
           : strcmp(f->code, "ike.auth.cert-passphrase") == 0 ? "machine-certpass"
                                                              : NULL;
}

static void ask(Plugin *self, const char *key, const char *message)
{
    const char *hints[] = {key, NULL};

    nm_vpn_service_plugin_secrets_required(NM_VPN_SERVICE_PLUGIN(self), message, hints);
}

static void on_need(Plugin *self, const l2tpc_need *need)
{
    g_autofree char *message = NULL;

    if (!self->interactive || self->n_questions == QUESTIONS_MAX) {
        tunnel_answer(self->tunnel, need->id, NULL, 0);
        return;
    }
    self->question[self->n_questions].id = need->id;
    self->question[self->n_questions++].type = need->type;
    if (need->token_label[0])
        message = g_strdup_printf(_("PIN of the token %s: "), need->token_label);
    ask(self, key_of(need->type),
        message                               ? message
        : need->type == L2TPC_NEED_PSK        ? _("The server asks for the pre-shared key.")
        : need->type == L2TPC_NEED_PASSPHRASE ? _("The private key is locked by a passphrase.")
                                              : _("The server asks for the password."));
}

static void answer(Plugin *self, uint32_t id, uint32_t type, const char *secret)
{
    gsize n = secret ? strlen(secret) : 0;
    char *psk = secret && type == L2TPC_NEED_PSK ? l2tpc_profile_decode_psk(secret, &n) : NULL;

    tunnel_answer(self->tunnel, id, type == L2TPC_NEED_PSK ? psk : secret, n);
    if (psk)
        explicit_bzero(psk, n);
    g_free(psk);
}

/* Those that are still missing the user has refused. */
static void answer_all(Plugin *self)
{
    l2tpc_profile *p = connection_read(self->connection);

    for (unsigned i = 0; i < self->n_questions; i++) {
        const char *secret =
            l2tpc_profile_get(p, L2TPC_PROFILE_SECRETS, key_of(self->question[i].type));

        answer(self, self->question[i].id, self->question[i].type, secret);
    }
    self->n_questions = 0;
    l2tpc_profile_free(p);
}

/* ---- the tunnel's events ---- */

static void push_addresses(Plugin *self)
{
    NMVpnServicePlugin *plugin = NM_VPN_SERVICE_PLUGIN(self);

    nm_vpn_service_plugin_set_config(plugin, addresses_config(&self->ip));
    nm_vpn_service_plugin_set_ip4_config(plugin, addresses_ip4(&self->ip));
}

static void on_reconnecting(Plugin *self, const l2tpc_event *e)
{
    const l2tpc_error *error = l2tpc_event_get_error(e);
    char message[512] = "";

    (void)l2tpc_error_message(error, NULL, message, sizeof(message));
    g_message("%s: %s The next dial begins in %u ms.", l2tpc_error_get_code(error), message,
              l2tpc_event_get_wait_ms(e));
    /* Its route to the server stays on the uplink that is gone until it hears of addresses. */
    if (self->up && strcmp(l2tpc_error_get_code(error), "up.network-changed") == 0)
        push_addresses(self);
}

static void on_event(void *user, tunnel *t, const l2tpc_event *e)
{
    Plugin *self = user;

    (void)t;
    switch (l2tpc_event_get_type(e)) {
    case L2TPC_EVENT_NEED:
        on_need(self, l2tpc_event_get_need(e));
        break;
    case L2TPC_EVENT_IP_CONFIG:
        self->ip = *l2tpc_event_get_need(e);
        self->ip.session_name = NULL;
        if (self->up)
            push_addresses(self);
        break;
    case L2TPC_EVENT_UP:
        if (!self->up && self->ip.size)
            push_addresses(self);
        self->up = TRUE;
        g_message("up");
        break;
    case L2TPC_EVENT_STAGE_END:
        if (self->verbose)
            g_message("%s: %.0f ms", l2tpc_event_get_stage(e), l2tpc_event_get_stage_ms(e));
        break;
    case L2TPC_EVENT_RECONNECTING:
        on_reconnecting(self, e);
        break;
    default:
        break;
    }
}

static void on_failed(void *user, tunnel *t, const struct tunnel_failure *f)
{
    Plugin *self = user;

    (void)t;
    self->n_questions = 0;
    if (self->interactive && !self->up && wrong_secret(f) && self->wrong < WRONG_MAX) {
        g_message("%s: %s It is asked for again.", f->code, f->message);
        self->wrong++;
        self->ask = wrong_secret(f); /* once the server has forgotten this dial */
        self->failure = *f;
        return;
    }
    fail(self, f);
}

static void start(Plugin *self);

static void on_gone(void *user, tunnel *t)
{
    Plugin *self = user;
    const char *key = self->ask;

    tunnel_free(t);
    self->tunnel = NULL;
    self->ask = NULL;
    self->ip.size = 0;
    self->up = FALSE;
    if (self->again)
        start(self);
    else if (key)
        ask(self, key, self->failure.message);
    else if (self->on_idle)
        self->on_idle(self->idle_user);
}

/* In the system's language: NetworkManager's agents show it as it is. */
static const char *translate(void *user, const char *msgid)
{
    (void)user;
    return *msgid ? _(msgid) : msgid;
}

static const struct tunnel_face face = {on_event, on_failed, on_gone, translate};

/* ---- the start ---- */

static bool wish_make(Plugin *self, struct tunnel_wish *w)
{
    *w = (struct tunnel_wish){.name = nm_connection_get_uuid(self->connection),
                              .profile = connection_read(self->connection),
                              .flags = TUNNEL_CONFIGURED_ELSEWHERE | TUNNEL_RECONNECTS |
                                       (self->verbose ? TUNNEL_VERBOSE : 0u),
                              .timeout = DIAL_S,
                              .face = &face,
                              .users = self->users,
                              .user = self};
    /* Of several users the files are opened with the rights of the first; who has started it
     * NetworkManager does not say. */
    if (!connection_users(self->connection, self->users, &w->n_users))
        return false;
    w->owner = w->n_users > 0 ? self->users[0] : 0;
    return true;
}

static void start(Plugin *self)
{
    struct tunnel_failure f = {.code = "local.rights", .stage = "resolve"};
    struct tunnel_wish wish;

    self->again = self->failing = FALSE;
    if (wish_make(self, &wish))
        self->tunnel = tunnel_new(self->starter, &wish, &f);
    else
        g_strlcpy(f.message, _("The user whose connection this is is not known here."),
                  sizeof(f.message));
    l2tpc_profile_free(wish.profile);
    if (!self->tunnel)
        fail_soon(self, &f);
}

static void begin(Plugin *self, NMConnection *connection, gboolean interactive)
{
    g_set_object(&self->connection, connection);
    self->interactive = interactive;
    self->n_questions = 0;
    ending_expect(&self->ending, nm_connection_get_uuid(connection));
    if (self->tunnel)
        self->again = TRUE;
    else
        start(self);
}

static gboolean service_connect(NMVpnServicePlugin *plugin, NMConnection *connection,
                                GError **error)
{
    (void)error;
    L2TPC_PLUGIN(plugin)->wrong = 0;
    begin(L2TPC_PLUGIN(plugin), connection, FALSE);
    return TRUE;
}

static gboolean service_connect_interactive(NMVpnServicePlugin *plugin, NMConnection *connection,
                                            GVariant *details, GError **error)
{
    (void)details;
    (void)error;
    L2TPC_PLUGIN(plugin)->wrong = 0;
    begin(L2TPC_PLUGIN(plugin), connection, TRUE);
    return TRUE;
}

/* Either the dial waits for them, or it has ended by a wrong one. */
static gboolean service_new_secrets(NMVpnServicePlugin *plugin, NMConnection *connection,
                                    GError **error)
{
    Plugin *self = L2TPC_PLUGIN(plugin);

    (void)error;
    if (self->tunnel && self->n_questions > 0) {
        g_set_object(&self->connection, connection);
        answer_all(self);
    } else {
        begin(self, connection, TRUE);
    }
    return TRUE;
}

static gboolean service_need_secrets(NMVpnServicePlugin *plugin, NMConnection *connection,
                                     const char **setting, GError **error)
{
    (void)plugin;
    (void)error;
    *setting = NM_SETTING_VPN_SETTING_NAME;
    return connection_lacks(connection) != NULL;
}

static gboolean service_disconnect(NMVpnServicePlugin *plugin, GError **error)
{
    Plugin *self = L2TPC_PLUGIN(plugin);

    (void)error;
    self->again = FALSE;
    self->ask = NULL;
    self->n_questions = 0;
    if (self->tunnel)
        tunnel_stop(self->tunnel, !self->failing && ending_is_the_users(&self->ending));
    return TRUE;
}

/* ---- the object ---- */

static void plugin_init(Plugin *self)
{
    (void)self;
}

static void plugin_dispose(GObject *object)
{
    Plugin *self = L2TPC_PLUGIN(object);

    g_clear_handle_id(&self->failure_source, g_source_remove);
    g_clear_pointer(&self->tunnel, tunnel_free);
    g_clear_object(&self->connection);
    ending_close(&self->ending);
    G_OBJECT_CLASS(plugin_parent_class)->dispose(object);
}

static void plugin_class_init(PluginClass *klass)
{
    NMVpnServicePluginClass *c = NM_VPN_SERVICE_PLUGIN_CLASS(klass);

    c->connect = service_connect;
    c->connect_interactive = service_connect_interactive;
    c->need_secrets = service_need_secrets;
    c->new_secrets = service_new_secrets;
    c->disconnect = service_disconnect;
    G_OBJECT_CLASS(klass)->dispose = plugin_dispose;
}

Plugin *plugin_new(struct starter *starter, const char *bus_name, gboolean watch_peer,
                   gboolean verbose, GError **error)
{
    Plugin *self =
        g_initable_new(PLUGIN_TYPE, NULL, error, NM_VPN_SERVICE_PLUGIN_DBUS_SERVICE_NAME, bus_name,
                       NM_VPN_SERVICE_PLUGIN_DBUS_WATCH_PEER, watch_peer, NULL);

    if (self) {
        g_autoptr(GDBusConnection) bus =
            nm_vpn_service_plugin_get_connection(NM_VPN_SERVICE_PLUGIN(self));

        self->starter = starter;
        self->verbose = verbose;
        ending_open(&self->ending, bus);
    }
    return self;
}

gboolean plugin_is_idle(Plugin *self)
{
    return self->tunnel == NULL;
}

void plugin_on_idle(Plugin *self, void (*on_idle)(gpointer user), gpointer user)
{
    self->on_idle = on_idle;
    self->idle_user = user;
    if (plugin_is_idle(self))
        on_idle(user);
}
