/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* l2tpc connect: one dial in the foreground, until it ends or is told to. */
#include "cli/cli.h"
#include "cli/on_bus.h"
#include "cli/processes.h"
#include "cli/room.h"
#include "cli/sandbox.h"
#include "cli/stored.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define CALLERS_MAX 8
#define QUESTIONS_MAX 2 /* each secret once */
#define ORPHAN_MS 300   /* without its broker a connection says good-bye, if that goes quickly */

struct connection {
    struct connect_options options;
    struct secret_bytes psk, password, passphrase;
    struct adapter adapter;
    struct processes_wish wish;
    struct processes processes;
    struct output output;
    struct control control;
    struct on_bus bus;   /* of nothing when there is none, or it is none of its business */
    l2tpc_host *watcher; /* beside a broker: of the network alone */
    struct network network;
    l2tpc_config *config;
    l2tpc_context *context;
    l2tpc_session *session;
    int signal_fd;
    struct control_request waiting[CALLERS_MAX]; /* callers of disconnect */
    unsigned n_waiting;
    struct prompt prompt;
    struct question {
        uint32_t need;
        uint32_t type;          /* enum l2tpc_need_type */
        char token[64];         /* whose PIN is asked for; empty: a key file's passphrase */
    } questions[QUESTIONS_MAX]; /* the first one is being asked */
    unsigned n_questions;
    bool was_up, stopping, forced, down, orphaned, interrupted;
    bool by_user; /* who wants it to end; a terminal that goes away is nobody */
    int exit_status;
    struct room *room; /* l2tpc run: where the command is, or NULL */
};

static void log_line(void *user, int level, const char *module, const char *line)
{
    (void)user;
    (void)fprintf(stderr, "%c %s: %s\n", "EWID"[level & 3], module, line);
}

/* What neither a file nor a descriptor gave, the profile may have. */
static void take_stored(struct secret_bytes *to, const struct connect_options *o, int kind)
{
    const struct secret_bytes *s = stored_secret(o->stored, kind);

    if (!to->given && s->given)
        *to = *s;
}

static bool read_secrets(struct connection *c)
{
    const struct connect_options *o = &c->options;

    if (o->secrets_fd >= 0 &&
        !secrets_from_fd(o->secrets_fd, &c->psk, &c->password, &c->passphrase))
        return false;
    if (o->psk_file && !secret_from_file(o->psk_file, _("pre-shared key"), &c->psk))
        return false;
    if (o->password_file && !secret_from_file(o->password_file, _("password"), &c->password))
        return false;
    if (o->passphrase_file &&
        !secret_from_file(o->passphrase_file, _("passphrase"), &c->passphrase))
        return false;
    take_stored(&c->psk, o, L2TPC_SECRET_PSK);
    take_stored(&c->password, o, L2TPC_SECRET_PASSWORD);
    take_stored(&c->passphrase, o, L2TPC_SECRET_KEY);
    stored_forget_secrets(o->stored);
    if (c->psk.given && c->psk.n == 0) {
        complain(_("The pre-shared key is empty."));
        return false;
    }
    return true;
}

/* This computer is in the way; says so and gives the exit status. */
static int refused(struct connection *c, const char *code, const char *value)
{
    output_refusal(&c->output, c->options.name, "failed", code, value);
    return EXIT_LOCAL;
}

static bool refuse(const char *option, const char *value)
{
    complain(_("--%s does not take '%s'. See: l2tpc connect --help"), option, value);
    return false;
}

static bool set_lists(l2tpc_config *config, const struct connect_options *o)
{
    for (unsigned i = 0; i < o->n_allow; i++)
        if (l2tpc_config_allow(config, o->allow[i]) != L2TPC_OK)
            return refuse("allow", o->allow[i]);
    for (unsigned i = 0; i < o->n_quirk; i++)
        if (l2tpc_config_set_quirk(config, o->quirk[i]) != L2TPC_OK)
            return refuse("quirk", o->quirk[i]);
    return true;
}

typedef int (*set_text)(l2tpc_config *, const char *);

static bool set_identity(l2tpc_config *config, const char *option, const char *id, set_text set)
{
    const char *fault = id ? l2tpc_identity_fault(id) : NULL;

    if (fault) {
        complain(_("--%s does not take '%s': %s"), option, id, _(fault));
        return false;
    }
    return !id || set(config, id) == L2TPC_OK || refuse(option, id);
}

static bool fill_config(l2tpc_config *config, const struct connect_options *o)
{
    if (l2tpc_config_set_server(config, o->server) != L2TPC_OK)
        return refuse("server", o->server);
    if (o->user && l2tpc_config_set_user(config, o->user, o->domain) != L2TPC_OK)
        return refuse("user", o->user);
    if (l2tpc_config_set_name(config, o->name) != L2TPC_OK)
        return refuse("name", o->name);
    if (o->ike_mode && l2tpc_config_set_ike_mode(config, o->ike_mode) != L2TPC_OK)
        return refuse("ike-mode", o->ike_mode);
    if (o->policy && l2tpc_config_set_policy(config, o->policy) != L2TPC_OK)
        return refuse("policy", o->policy);
    if (o->ike && l2tpc_config_set_ike(config, o->ike) != L2TPC_OK)
        return refuse("ike", o->ike);
    if (o->esp && l2tpc_config_set_esp(config, o->esp) != L2TPC_OK)
        return refuse("esp", o->esp);
    if (o->encapsulation && l2tpc_config_set_encapsulation(config, o->encapsulation) != L2TPC_OK)
        return refuse("encapsulation", o->encapsulation);
    if (o->until && l2tpc_config_set_until(config, o->until) != L2TPC_OK)
        return refuse("until", o->until);
    if (o->interface_name && l2tpc_config_set_interface(config, o->interface_name) != L2TPC_OK)
        return refuse("interface", o->interface_name);
    if (l2tpc_config_set_reconnect(config, o->reconnect) != L2TPC_OK)
        return refuse("reconnect", o->reconnect);
    if (l2tpc_config_set_server_routes(config, server_routes_wanted(o)) != L2TPC_OK)
        return refuse("server-routes", o->server_routes);
    (void)l2tpc_config_set_class_route(config, o->class_route ? "yes" : "no");
    return set_identity(config, "server-id", o->server_id, l2tpc_config_set_server_id) &&
           set_identity(config, "local-id", o->local_id, l2tpc_config_set_local_id) &&
           set_lists(config, o) && l2tpc_config_set_timeout(config, o->timeout) == L2TPC_OK &&
           l2tpc_config_set_mru(config, o->mru) == L2TPC_OK;
}

/* Where secrets lie and how good the key is: in the status always, for people at once too. */
static void judge_secrets(l2tpc_config *config, const struct connection *c)
{
    const struct connect_options *o = &c->options;
    const char *psk_file = o->psk_file ? o->psk_file : stored_path(o->stored);
    const char *password_file = o->password_file ? o->password_file : stored_path(o->stored);

    secret_tell_origin(config, L2TPC_SECRET_PSK, &c->psk, psk_file);
    secret_tell_origin(config, L2TPC_SECRET_PASSWORD, &c->password, password_file);
    key_tell_origin(config, o->key ? o->key : o->certificate, !o->json);
    if (o->json)
        return;
    secret_warn_readers(&c->psk, psk_file, _("pre-shared key"));
    secret_warn_readers(&c->password, password_file, _("password"));
    if (c->psk.given)
        psk_warn(c->psk.bytes, c->psk.n);
}

static bool set_secrets(l2tpc_config *config, const struct connection *c)
{
    return (!c->psk.given || l2tpc_config_set_psk(config, c->psk.bytes, c->psk.n) == L2TPC_OK) &&
           (!c->password.given ||
            l2tpc_config_set_password(config, c->password.bytes, c->password.n) == L2TPC_OK) &&
           (!c->passphrase.given || l2tpc_config_set_key_passphrase(config, c->passphrase.bytes,
                                                                    c->passphrase.n) == L2TPC_OK);
}

typedef int (*set_bytes)(l2tpc_config *, const void *, size_t);

static bool set_file(l2tpc_config *config, const char *option, const char *path, set_bytes set)
{
    struct file_bytes f = {0};
    bool ok = true;

    if (!path)
        return true;
    if (!file_read(path, &f))
        return false;
    if (set(config, f.bytes, f.n) != L2TPC_OK)
        ok = refuse(option, path);
    file_forget(&f);
    return ok;
}

/* A file, or a URI of something on a token. */
static bool set_place(l2tpc_config *config, const char *option, const char *place, set_bytes set,
                      int (*set_uri)(l2tpc_config *, const char *))
{
    if (!is_token_uri(place))
        return set_file(config, option, place, set);
    if (!token_uri_is_discreet(place))
        return false;
    return set_uri(config, place) == L2TPC_OK || refuse(option, place);
}

/* Root's rights are to be given away; a command in a room has none. */
static bool is_divided(const struct connection *c)
{
    return !c->room && geteuid() == 0;
}

/* Where the key lies, for the status of a process that does not have it. */
static bool name_token(l2tpc_config *config, const struct connect_options *o)
{
    return (!o->certificate || !is_token_uri(o->certificate) ||
            l2tpc_config_set_certificate_uri(config, o->certificate) == L2TPC_OK) &&
           (!o->key || !is_token_uri(o->key) ||
            l2tpc_config_set_key_uri(config, o->key) == L2TPC_OK);
}

static bool set_certificate(l2tpc_config *config, const struct connect_options *o)
{
    bool ok = set_place(config, "certificate", o->certificate, l2tpc_config_set_certificate,
                        l2tpc_config_set_certificate_uri) &&
              set_place(config, "key", o->key, l2tpc_config_set_key, l2tpc_config_set_key_uri) &&
              set_file(config, "ca", o->ca, l2tpc_config_set_ca);

    if (ok && o->server_id && l2tpc_config_set_server_id(config, o->server_id) != L2TPC_OK)
        ok = refuse("server-id", o->server_id);
    if (ok && o->revocation && l2tpc_config_set_revocation(config, o->revocation) != L2TPC_OK)
        ok = refuse("revocation", o->revocation);
    return ok;
}

static int open_divided(struct connection *c);

/* Everything that was asked for is judged before anything of this computer is touched. */
static int open_config(struct connection *c)
{
    int status = 0;
    bool ok;

    if (l2tpc_config_new(&c->config) != L2TPC_OK)
        return refused(c, "local.memory", "");
    ok = fill_config(c->config, &c->options);
    /* Nothing in it is secret yet; the signer reads its key into it. */
    if (ok && is_divided(c))
        status = l2tpc_config_keep_on_fork(c->config) == L2TPC_OK ? open_divided(c)
                                                                  : refused(c, "local.memory", "");
    else
        ok = ok && set_certificate(c->config, &c->options);
    if (status != 0)
        return status;
    ok = ok && read_secrets(c) && set_secrets(c->config, c);
    if (ok)
        judge_secrets(c->config, c);
    secret_forget(&c->psk);
    secret_forget(&c->password);
    secret_forget(&c->passphrase);
    return ok ? 0 : EXIT_USAGE;
}

/* Inside its room a command needs nothing of this computer but a socket. */
static int open_context_of_room(struct connection *c)
{
    l2tpc_host_ops ops = {.size = sizeof(ops), .user = c->room, .serve = room_serve};
    l2tpc_context_options options = {
        .size = sizeof(options), .host_ops = &ops, .data_threads = c->options.data_threads};

    options.log = c->options.verbose ? log_line : NULL;
    return l2tpc_context_new(&c->context, &options) == L2TPC_OK ? 0
                                                                : refused(c, "local.memory", "");
}

static int refused_by_host(struct connection *c, int rc)
{
    return refused(c,
                   rc == -ENOMEM                   ? "local.memory"
                   : rc == -EPIPE                  ? "local.broker"
                   : rc == -EPERM || rc == -EACCES ? "local.rights"
                                                   : "local.configure",
                   strerror(-rc));
}

static l2tpc_host_options host_options(void)
{
    return (l2tpc_host_options){
        .size = sizeof(l2tpc_host_options), .run_dir = run_dir(), .state_dir = state_dir()};
}

/* What runs in the other processes. */

static int in_signer(void *user)
{
    struct connection *c = user;

    return set_certificate(c->config, &c->options) ? 0 : EXIT_USAGE;
}

static void in_engine(void *user, int broker_fd, l2tpc_host_ops *out)
{
    struct connection *c = user;

    c->adapter.broker_fd = broker_fd;
    out->user = &c->adapter;
    out->serve = adapter_serve;
}

static void with_context(void *user, l2tpc_context *context)
{
    struct connection *c = user;

    servers_load(context, c->options.servers_dir);
}

static void in_broker(void *user)
{
    struct connection *c = user;

    l2tpc_config_free(c->config); /* wipes its secrets */
}

static void at_end(void *user)
{
    struct connection *c = user;

    control_remove(&c->control);
}

static void make_wish(struct connection *c)
{
    const struct connect_options *o = &c->options;

    c->wish =
        (struct processes_wish){.user = c,
                                .config = c->config,
                                .in_signer = in_signer,
                                .uses_token = (o->certificate && is_token_uri(o->certificate)) ||
                                              (o->key && is_token_uri(o->key)),
                                .in_engine = in_engine,
                                .with_context = with_context,
                                .log = o->verbose ? log_line : NULL,
                                .data_threads = o->data_threads,
                                .in_broker = in_broker,
                                .at_end = at_end,
                                .lock_fd = -1,
                                .run_dir = run_dir(),
                                .state_dir = state_dir(),
                                .policy = connect_policy(o)};
}

/*
 * Signer and engine, before any secret is read. What was learned only root may read, and only root
 * may watch the network before a filter is closed; this host changes nothing.
 */
static int open_divided(struct connection *c)
{
    l2tpc_host_options host = host_options();
    int rc = l2tpc_host_new(&c->watcher, &host);

    if (rc != 0)
        return refused_by_host(c, rc);
    c->adapter.host = c->watcher;
    memory_load(&c->adapter, c->config);
    c->adapter.host = NULL; /* requests are the broker's */
    c->adapter.by_broker = true;
    make_wish(c);
    rc = processes_start(&c->processes, &c->wish);
    if (rc < 0)
        return refused(c, "local.memory", "");
    if (rc == 0 && !name_token(c->config, &c->options))
        rc = EXIT_USAGE;
    return rc;
}

/* As root, which alone may have such a name there; what it brings is served by what is left. */
static void show_on_bus(struct connection *c)
{
    on_bus_open(&c->bus, stored_uuid(c->options.stored), &c->by_user);
}

/* Root's rights go to the broker, and this process has none from here on. */
static int open_broker(struct connection *c)
{
    int fd = c->processes.broker_fd;
    int rc;

    network_open(&c->network, c->watcher);
    c->wish.lock_fd = c->control.lock_fd;
    if (!processes_start_broker(&c->processes, &c->wish))
        return refused(c, "local.memory", "");
    c->control.is_brokers = true;
    prompt_reserve(&c->prompt);
    show_on_bus(c);
    sandbox_prepare();
    if (!privileges_drop())
        return refused(c, "local.rights", strerror(errno));
    c->processes.broker_fd = -1;
    rc = l2tpc_host_client_new(&c->adapter.client, fd);
    return rc == 0 ? 0 : refused_by_host(c, rc);
}

static int open_own_host(struct connection *c)
{
    l2tpc_host_options host = host_options();
    int rc = l2tpc_host_new(&c->adapter.host, &host);

    if (rc != 0)
        return refused_by_host(c, rc);
    network_open(&c->network, c->adapter.host);
    return 0;
}

static int open_context(struct connection *c)
{
    l2tpc_host_ops ops = {.size = sizeof(ops), .user = &c->adapter, .serve = adapter_serve};
    l2tpc_context_options options = {.size = sizeof(options)};
    int rc = is_divided(c) ? open_broker(c) : open_own_host(c);

    if (rc != 0)
        return rc;
    options.host_ops = &ops; /* of a dial in the engine: what the kernel has counted */
    if (!c->adapter.by_broker)
        options.log = c->options.verbose ? log_line : NULL;
    options.engine_log = on_bus_log;
    options.engine_log_user = &c->bus;
    rc = l2tpc_context_new(&c->context, &options);
    if (rc != L2TPC_OK)
        return refused(c, "local.memory", "");
    if (!c->adapter.by_broker)
        servers_load(c->context, c->options.servers_dir);
    return 0;
}

/* The dial is in the engine; from here on this process can open nothing. */
static int open_remote(struct connection *c)
{
    l2tpc_remote_options options = {.size = sizeof(options),
                                    .engine_fd = c->processes.engine_fd,
                                    .signer_fd = c->processes.signer_fd};

    c->processes.engine_fd = c->processes.signer_fd = -1;
    if (l2tpc_session_new_remote(&c->session, c->context, c->config, &options) != L2TPC_OK)
        return refused(c, "local.memory", "");
    l2tpc_config_free(c->config); /* its secrets leave with the session's start */
    c->config = NULL;
    if (!sandbox_close(SANDBOX_FRONT))
        return refused(c, "local.rights", strerror(errno));
    return l2tpc_session_start(c->session) == L2TPC_OK ? 0 : refused(c, "local.memory", "");
}

static int open_session(struct connection *c)
{
    if (c->adapter.by_broker)
        return open_remote(c);
    memory_load(&c->adapter, c->config);
    if (l2tpc_session_new(&c->session, c->context, c->config) != L2TPC_OK)
        return refused(c, "local.memory", "");
    /* The session has a copy: one of each secret is enough. */
    l2tpc_config_free(c->config);
    c->config = NULL;
    if (l2tpc_session_start(c->session) != L2TPC_OK)
        return refused(c, "local.memory", "");
    return 0;
}

static const char *name_of(const struct question *q)
{
    return q->type == L2TPC_NEED_PSK          ? _("pre-shared key")
           : q->type == L2TPC_NEED_PASSPHRASE ? _("passphrase")
                                              : _("password");
}

static bool ask(struct prompt *p, const struct question *q)
{
    char text[160];

    if (q->token[0]) {
        (void)snprintf(text, sizeof(text), _("PIN of the token %s: "), q->token);
        return prompt_open(p, text);
    }
    return prompt_open(p, q->type == L2TPC_NEED_PSK          ? _("Pre-shared key: ")
                          : q->type == L2TPC_NEED_PASSPHRASE ? _("Passphrase of the private key: ")
                                                             : _("Password: "));
}

/* Asks until something can be waited for; what cannot be asked is answered with nothing. */
static void ask_next(struct connection *c)
{
    while (c->n_questions > 0 && c->prompt.fd < 0) {
        const l2tpc_answer nothing = {.size = sizeof(nothing), .fd = -1, .status = -ENOENT};
        const struct question q = c->questions[0];

        output_clear_line(&c->output);
        if (ask(&c->prompt, &q))
            return;
        c->n_questions--;
        c->questions[0] = c->questions[1];
        (void)l2tpc_session_answer(c->session, q.need, &nothing);
    }
}

static void on_need(struct connection *c, const l2tpc_need *need)
{
    struct question *q;

    if (c->n_questions == QUESTIONS_MAX)
        return;
    q = &c->questions[c->n_questions++];
    *q = (struct question){.need = need->id, .type = need->type};
    (void)snprintf(q->token, sizeof(q->token), "%s", need->token_label);
    ask_next(c);
}

static void on_typed(struct connection *c)
{
    l2tpc_answer answer = {.size = sizeof(answer), .fd = -1, .status = -ENOENT};
    struct secret_bytes secret = {0};
    const struct question q = c->questions[0];

    c->n_questions--;
    c->questions[0] = c->questions[1];
    if (prompt_take(&c->prompt, name_of(&q), &secret) &&
        (secret.n > 0 || q.type != L2TPC_NEED_PSK)) {
        answer.status = 0;
        answer.secret = secret.bytes;
        answer.secret_len = secret.n;
        if (q.type == L2TPC_NEED_PSK && !c->options.json)
            psk_warn(secret.bytes, secret.n);
    }
    (void)l2tpc_session_answer(c->session, q.need, &answer);
    secret_forget(&secret);
    ask_next(c);
}

static void show_status(struct connection *c)
{
    l2tpc_status *status;

    if (l2tpc_session_get_status(c->session, &status) != L2TPC_OK)
        return;
    if (c->options.until && !c->was_up)
        output_reached(&c->output, c->options.until, status);
    if (c->output.json || c->was_up)
        output_status(&c->output, status);
    l2tpc_status_free(status);
}

static void advise(struct connection *c)
{
    l2tpc_status *status;

    if (l2tpc_session_get_status(c->session, &status) != L2TPC_OK)
        return;
    output_server_advice(&c->output, status);
    l2tpc_status_free(status);
}

static void on_down(struct connection *c)
{
    c->down = true;
    if (c->output.json || (c->options.until && !c->was_up && c->exit_status == 0))
        show_status(c);
}

/* Its network is there: the command can begin. */
static void start_command(struct connection *c)
{
    if (room_start(c->room, c->options.command))
        return;
    complain(_("The command cannot be run: %s."), c->room->error);
    c->exit_status = EXIT_NOT_RUN;
    c->stopping = true;
    l2tpc_session_stop(c->session);
}

static void on_up(struct connection *c)
{
    bool again = c->was_up;
    l2tpc_status *status;

    c->was_up = true;
    if (again && l2tpc_session_get_status(c->session, &status) == L2TPC_OK) {
        output_back(&c->output, status);
        l2tpc_status_free(status);
    }
    if (again)
        return;
    if (c->room)
        start_command(c);
    else
        show_status(c);
}

static void on_event(struct connection *c, const l2tpc_event *e)
{
    switch (l2tpc_event_get_type(e)) {
    case L2TPC_EVENT_STAGE_BEGIN:
        output_stage_begin(&c->output, l2tpc_event_get_stage(e));
        break;
    case L2TPC_EVENT_STAGE_END:
        output_stage_end(&c->output, l2tpc_event_get_stage(e), l2tpc_event_get_stage_ms(e));
        break;
    case L2TPC_EVENT_NEED:
        on_need(c, l2tpc_event_get_need(e));
        break;
    case L2TPC_EVENT_UP:
        on_up(c);
        break;
    case L2TPC_EVENT_RECONNECTING:
        output_reconnecting(&c->output, l2tpc_event_get_error(e), l2tpc_event_get_wait_ms(e));
        break;
    case L2TPC_EVENT_FAILED:
        prompt_close(&c->prompt);
        if (c->orphaned) /* the reason was told, and this is its consequence */
            break;
        c->exit_status = l2tpc_error_get_exit_status(l2tpc_event_get_error(e));
        output_failure(&c->output, l2tpc_event_get_error(e));
        advise(c);
        break;
    case L2TPC_EVENT_DOWN:
        on_down(c);
        break;
    case L2TPC_EVENT_WARNING:
        output_warning(&c->output, l2tpc_event_get_error(e));
        break;
    case L2TPC_EVENT_LEARNED:
        memory_save(&c->adapter, l2tpc_event_get_text(e));
        break;
    case L2TPC_EVENT_RUNG:
        output_rung(&c->output, l2tpc_event_get_text(e));
        break;
    case L2TPC_EVENT_STATUS: /* the bus's */
    case L2TPC_EVENT_IP_CONFIG:
    case L2TPC_EVENT_REKEYED:
        break;
    }
}

static void on_caller(struct connection *c)
{
    struct control_request r;
    l2tpc_status *status = NULL;
    char *text = NULL;
    size_t n = 0;
    FILE *f;

    if (!control_accept(&c->control, &r))
        return;
    if (r.verb == CONTROL_DISCONNECT) {
        if (c->n_waiting < CALLERS_MAX)
            c->waiting[c->n_waiting++] = r; /* answered by hanging up, when all is done */
        else
            control_reply(&r, "");
        c->by_user = true;
        l2tpc_session_stop(c->session);
        return;
    }
    f = open_memstream(&text, &n);
    if (f && l2tpc_session_get_status(c->session, &status) == L2TPC_OK) {
        struct output o = {.json = r.verb == CONTROL_STATUS_JSON, .out = f};

        output_status(&o, status);
        l2tpc_status_free(status);
    }
    if (f)
        (void)fclose(f);
    control_reply(&r, text ? text : "");
    free(text);
}

/* True when the signal was the command's business. */
static bool signal_of_command(struct connection *c, const struct signalfd_siginfo *info)
{
    int signal = (int)info->ssi_signo;
    int status;

    if (!c->room || !c->was_up || !room_lives(c->room))
        return signal == SIGCHLD;
    /* Ctrl-C comes from the terminal, and has reached the command by itself. */
    if (signal == SIGTERM || signal == SIGHUP || (signal == SIGINT && info->ssi_code != SI_KERNEL))
        (void)kill(c->room->pid, c->interrupted && signal == SIGINT ? SIGTERM : signal);
    c->interrupted = c->interrupted || signal == SIGINT; /* it may not care: the next one is firm */
    if (signal == SIGCHLD && room_ended(c->room, &status)) {
        c->exit_status = status;
        c->stopping = true;
        l2tpc_session_stop(c->session);
    }
    return true;
}

static void on_signal(struct connection *c)
{
    struct signalfd_siginfo info;

    if (read(c->signal_fd, &info, sizeof(info)) != sizeof(info) || signal_of_command(c, &info))
        return;
    c->by_user = c->by_user || info.ssi_signo != SIGHUP;
    /* Asked for a second time, politeness is over. */
    if (c->n_waiting == 0 && c->exit_status == 0 && !c->stopping) {
        c->stopping = true;
        l2tpc_session_stop(c->session);
    } else {
        c->forced = true;
    }
}

/* The broker was killed: what it made is put right by the next start. */
static void on_orphaned(struct connection *c)
{
    prompt_close(&c->prompt);
    c->orphaned = true;
    c->exit_status = refused(c, "local.broker", "");
    c->stopping = true;
    l2tpc_session_stop(c->session);
}

static void take_events(struct connection *c)
{
    l2tpc_event *e;

    while ((e = l2tpc_session_next_event(c->session))) {
        on_event(c, e);
        on_bus_event(&c->bus, e);
        l2tpc_event_free(e);
    }
}

static void run(struct connection *c)
{
    struct pollfd p[] = {
        {.fd = l2tpc_session_get_fd(c->session), .events = POLLIN},
        {.fd = c->signal_fd, .events = POLLIN},
        {.fd = c->control.listen_fd, .events = POLLIN},
        {.fd = -1, .events = POLLIN},
        {.fd = c->adapter.client ? l2tpc_host_client_fd(c->adapter.client) : -1},
        {.fd = c->network.fd, .events = POLLIN},
        {.fd = -1},
    };
    int n;

    c->bus.session = c->session;
    while (!c->down && !c->forced) {
        p[3].fd = c->prompt.fd;
        p[6].fd = bus_tunnel_fd(c->bus.tunnel);
        p[6].events = bus_tunnel_events(c->bus.tunnel);
        n = poll(p, sizeof(p) / sizeof(p[0]),
                 c->orphaned ? ORPHAN_MS
                             : bus_tunnel_timeout(c->bus.tunnel, network_timeout(&c->network)));
        if (n < 0)
            continue; /* nothing but EINTR can happen to these seven */
        if (n == 0 && c->orphaned)
            c->forced = true;
        if (p[4].revents) {
            p[4].fd = -1;
            on_orphaned(c);
        }
        if (p[3].revents)
            on_typed(c);
        take_events(c);
        if (p[1].revents)
            on_signal(c);
        if (p[2].revents)
            on_caller(c);
        if (p[5].revents)
            network_input(&c->network);
        bus_tunnel_dispatch(c->bus.tunnel);
        if (network_look(&c->network))
            l2tpc_session_check_host(c->session);
        if (network_changed(&c->network))
            l2tpc_session_network_changed(c->session);
    }
    take_events(c);
    if (!c->down)
        on_down(c);
    if (c->forced && !c->was_up && c->exit_status == 0)
        c->exit_status = EXIT_LOCAL;
}

/* What ends a connection politely comes as a descriptor, from before any thread starts. */
static int open_signals(void)
{
    sigset_t set;

    (void)signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* By a signal of the kernel's, when one did what its filter forbids; or somebody's. */
static void end_processes(struct connection *c)
{
    const char *who;
    int number;

    if (c->adapter.by_broker && processes_end(&c->processes, &who, &number) && !c->forced)
        complain(_("%s was ended by signal %d (%s)."), who, number, strsignal(number));
}

static int dial(struct connection *c)
{
    char value[256];
    const char *code;
    int status;

    c->signal_fd = open_signals();
    code = control_open(&c->control, c->options.name, value);
    if (code) {
        end_processes(c);
        return refused(c, code, value);
    }
    status = c->room ? open_context_of_room(c) : open_context(c);
    if (status == 0)
        status = open_session(c);
    if (status == 0) {
        run(c);
        status = c->exit_status;
    }
    prompt_close(&c->prompt);
    l2tpc_session_free(c->session);
    l2tpc_context_free(c->context); /* its thread writes to the object on the bus */
    bus_tunnel_close(c->bus.tunnel);
    kill_switch_end(&c->adapter, c->by_user);
    l2tpc_host_free(c->watcher);
    l2tpc_host_free(c->adapter.host);
    l2tpc_host_client_free(c->adapter.client);
    end_processes(c);
    control_close(&c->control);
    /* Nothing is left of it: the name can be dialed again by whoever waited for that. */
    for (unsigned i = 0; i < c->n_waiting; i++)
        control_reply(&c->waiting[i], "");
    return status;
}

int connect_with(const struct connect_options *options, struct room *room)
{
    static struct connection c;
    FILE *out = room ? stderr : stdout; /* the command's own output is what people want of it */
    int status;

    process_protect();
    c.options = *options;
    c.room = room;
    c.output =
        (struct output){.json = c.options.json, .terminal = isatty(fileno(out)) != 0, .out = out};
    if (c.options.json) /* programs get English, also where the system words the reason */
        (void)setlocale(LC_MESSAGES, "C");
    c.adapter.options = &c.options;
    c.prompt.fd = c.network.fd = c.adapter.broker_fd = -1;
    status = open_config(&c);
    if (status == 0)
        status = dial(&c);
    else
        end_processes(&c);
    l2tpc_config_free(c.config);
    return status;
}

int cmd_connect(int argc, char **argv)
{
    struct connect_options options;
    int status = connect_options_parse(argc, argv, false, &options);

    if (status == 0)
        status = connect_with(&options, NULL);
    stored_free(options.stored);
    return status < 0 ? 0 : status;
}
