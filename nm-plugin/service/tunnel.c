/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "service/tunnel.h"

#include "service/shown.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#define ORPHAN_MS 300 /* without its broker a tunnel says good-bye, if that goes quickly */
/* A starter has forked within milliseconds; one that has not after this long will not. */
#define START_MS 10000
#define START_ENDING_MS 1500 /* and nobody waits for it any more */

struct tunnel {
    const struct tunnel_face *face;
    void *user;
    struct starter *starter;
    struct wanted wanted;
    struct adapter adapter;
    l2tpc_config *config; /* with the secrets, until the dial begins */
    l2tpc_context *context;
    l2tpc_session *session;
    struct shown *shown; /* NULL: there is no bus */
    l2tpc_host *watcher; /* of the network alone; changes nothing */
    struct network network;
    int report_fd;
    guint report_source, session_source, broker_source, network_source, timer_source, orphan_source;
    guint start_source; /* until the starter has said something */
    bool stopping, by_user, failed, ended, orphaned;
};

/* Whose sentences are being made; a translation gets no other argument than the sentence. */
static const tunnel *speaking;

static const char *translated(const char *msgid)
{
    return speaking && speaking->face->translate ? speaking->face->translate(speaking->user, msgid)
                                                 : msgid;
}

/* ---- failures ---- */

static void fill(const char *msgid, const char *value, char *out, size_t size)
{
    char **parts = g_strsplit(msgid, "{value}", -1);
    char *text = g_strjoinv(value, parts);

    g_strlcpy(out, text, size);
    g_free(text);
    g_strfreev(parts);
}

/* One that has no session to tell it. */
static void failure_make(struct tunnel_failure *out, const char *code, const char *value)
{
    l2tpc_explanation e = {.size = sizeof(e)};

    *out = (struct tunnel_failure){.code = "local.configure", .stage = "resolve"};
    if (l2tpc_explain(code, &e) != L2TPC_OK)
        return;
    out->code = e.code;
    out->stage = e.stage;
    fill(translated(e.sentence), value, out->message, sizeof(out->message));
    fill(translated(e.hint), value, out->hint, sizeof(out->hint));
}

static void tell_failure(tunnel *t, const struct tunnel_failure *f)
{
    if (t->failed)
        return;
    t->failed = true;
    t->face->on_failed(t->user, t, f);
}

static void fail(tunnel *t, const char *code, const char *value)
{
    struct tunnel_failure f;

    speaking = t;
    failure_make(&f, code, value);
    speaking = NULL;
    tell_failure(t, &f);
}

/* ---- from the profile to an order ---- */

static bool take_secret(tunnel *t, const l2tpc_profile_option *o)
{
    if (strcmp(o->name, "psk") == 0)
        return l2tpc_config_set_psk(t->config, o->value, o->value_len) == L2TPC_OK;
    if (strcmp(o->name, "password") == 0)
        return l2tpc_config_set_password(t->config, o->value, o->value_len) == L2TPC_OK;
    return l2tpc_config_set_key_passphrase(t->config, o->value, o->value_len) == L2TPC_OK;
}

/* The first error is the sentence; there may be more. */
static void fail_by_notes(const GPtrArray *notes, struct tunnel_failure *out)
{
    const l2tpc_profile_note *n = notes->len ? g_ptr_array_index(notes, 0) : NULL;
    char *text = n ? l2tpc_profile_note_text(n, translated(n->sentence)) : NULL;

    *out = (struct tunnel_failure){.code = n ? n->code : "", .stage = "resolve"};
    g_strlcpy(out->message, text ? text : "", sizeof(out->message));
    g_free(text);
}

static bool has_option(const GPtrArray *options, const char *name)
{
    for (guint i = 0; i < options->len; i++)
        if (strcmp(((l2tpc_profile_option *)g_ptr_array_index(options, i))->name, name) == 0)
            return true;
    return false;
}

static bool order_options(tunnel *t, const struct tunnel_wish *w, const GPtrArray *options)
{
    struct order *o = &t->wanted.order;
    char number[16];
    bool ok = order_add(o, "name", w->name);

    (void)snprintf(number, sizeof(number), "%u", (unsigned)w->owner);
    ok = ok && order_add(o, "owner", number);
    for (guint i = 0; ok && i < options->len; i++) {
        const l2tpc_profile_option *p = g_ptr_array_index(options, i);

        ok = p->is_secret ? take_secret(t, p) : order_add(o, p->name, p->value);
    }
    if ((w->flags & TUNNEL_RECONNECTS) && !has_option(options, "reconnect"))
        ok = ok && order_add(o, "reconnect", "on");
    if (w->timeout && !has_option(options, "timeout")) {
        (void)snprintf(number, sizeof(number), "%u", w->timeout);
        ok = ok && order_add(o, "timeout", number);
    }
    if (w->flags & TUNNEL_CONFIGURED_ELSEWHERE)
        ok = ok && order_add(o, "configured-elsewhere", "yes");
    return ok && (!(w->flags & TUNNEL_VERBOSE) || order_add(o, "verbose", "yes"));
}

/* Where a secret comes from, for the status: not from a file of ours. */
static void tell_origin(tunnel *t)
{
    for (int kind = L2TPC_SECRET_PSK; kind <= L2TPC_SECRET_PASSWORD; kind++) {
        const l2tpc_secret_origin origin = {
            .size = sizeof(origin), .kind = kind, .store = L2TPC_STORE_NONE};

        (void)l2tpc_config_set_secret_origin(t->config, &origin);
    }
}

static bool prepare(tunnel *t, const struct tunnel_wish *w, struct tunnel_failure *out)
{
    GPtrArray *options = NULL;
    GPtrArray *notes = NULL;
    const char *wrong = NULL;
    bool ok = l2tpc_profile_get_dial(w->profile, &options, &notes) == L2TPC_PROFILE_OK;

    if (!ok) {
        fail_by_notes(notes, out);
    } else {
        wrong = order_options(t, w, options) ? wanted_read(&t->wanted) : "profile";
        if (!wrong)
            wrong = wanted_fill(&t->wanted, t->config);
        if (wrong)
            failure_make(out, "local.configure", wrong);
        tell_origin(t);
        g_ptr_array_unref(options);
    }
    g_ptr_array_unref(notes);
    return ok && !wrong;
}

/* ---- the end ---- */

static void drop_source(guint *source)
{
    if (*source)
        g_source_remove(*source);
    *source = 0;
}

/* The ends of the three processes are closed; they undo what they have done, and the starter's
 * report ends when that is over. */
static void let_go(tunnel *t)
{
    if (t->ended)
        return;
    t->ended = true;
    drop_source(&t->session_source);
    drop_source(&t->broker_source);
    drop_source(&t->network_source);
    drop_source(&t->timer_source);
    drop_source(&t->orphan_source);
    l2tpc_session_free(t->session);
    t->session = NULL;
    l2tpc_context_free(t->context);
    t->context = NULL;
    if (t->adapter.client)
        kill_switch_end(&t->adapter, t->by_user);
    l2tpc_host_free(t->watcher);
    t->watcher = NULL;
    l2tpc_host_client_free(t->adapter.client);
    t->adapter.client = NULL;
    l2tpc_config_free(t->config);
    t->config = NULL;
}

/* Nothing was done yet on this computer, and what the starter may still do ends with our end of the
 * report: its processes find nobody at theirs. */
static gboolean on_start_time(gpointer user)
{
    tunnel *t = user;

    t->start_source = 0;
    drop_source(&t->report_source);
    close(t->report_fd);
    t->report_fd = -1;
    if (!t->stopping)
        fail(t, "local.broker", "");
    let_go(t);
    t->face->on_gone(t->user, t);
    return G_SOURCE_REMOVE;
}

static void await_start(tunnel *t, guint ms)
{
    drop_source(&t->start_source);
    t->start_source = g_timeout_add(ms, on_start_time, t);
}

void tunnel_stop(tunnel *t, bool by_user)
{
    bool before = t->stopping;

    t->stopping = true;
    t->by_user = t->by_user || by_user;
    if (t->session)
        l2tpc_session_stop(t->session);
    else if (t->start_source && !before)
        await_start(t, START_ENDING_MS);
}

void tunnel_free(tunnel *t)
{
    if (!t)
        return;
    let_go(t); /* first: its threads write to the object on the bus */
    shown_free(t->shown);
    t->shown = NULL;
    drop_source(&t->start_source);
    drop_source(&t->report_source);
    if (t->report_fd >= 0)
        close(t->report_fd);
    g_free(t);
}

/* ---- events ---- */

static void on_failed(tunnel *t, const l2tpc_error *error)
{
    struct tunnel_failure f = {.code = l2tpc_error_get_code(error),
                               .stage = l2tpc_error_get_stage(error)};

    speaking = t;
    (void)l2tpc_error_message(error, translated, f.message, sizeof(f.message));
    (void)l2tpc_error_hint(error, translated, f.hint, sizeof(f.hint));
    speaking = NULL;
    tell_failure(t, &f);
}

static void tell_bus(tunnel *t)
{
    l2tpc_status *status = NULL;

    if (l2tpc_session_take_status(t->session, &status) == L2TPC_OK)
        shown_take(t->shown, status);
}

static void take_event(tunnel *t, const l2tpc_event *e)
{
    shown_on_event(t->shown, e);
    switch (l2tpc_event_get_type(e)) {
    case L2TPC_EVENT_FAILED:
        if (!t->orphaned) /* its consequence: the reason was told */
            on_failed(t, l2tpc_event_get_error(e));
        break;
    case L2TPC_EVENT_DOWN:
        let_go(t);
        break;
    case L2TPC_EVENT_STATUS:
        tell_bus(t);
        break;
    case L2TPC_EVENT_LEARNED:
        memory_save(&t->adapter, l2tpc_event_get_text(e));
        break;
    default:
        t->face->on_event(t->user, t, e);
    }
}

static gboolean on_session(gint fd, GIOCondition condition, gpointer user)
{
    tunnel *t = user;
    l2tpc_event *e;

    (void)fd;
    (void)condition;
    while (t->session && (e = l2tpc_session_next_event(t->session))) {
        take_event(t, e);
        l2tpc_event_free(e);
    }
    return t->ended ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

static gboolean on_orphan_time(gpointer user)
{
    tunnel *t = user;

    t->orphan_source = 0;
    let_go(t);
    return G_SOURCE_REMOVE;
}

/* The broker was killed: what it made is put right by the next start. */
static gboolean on_broker(gint fd, GIOCondition condition, gpointer user)
{
    tunnel *t = user;

    (void)fd;
    (void)condition;
    t->broker_source = 0;
    fail(t, "local.broker", "");
    t->orphaned = true;
    t->orphan_source = g_timeout_add(ORPHAN_MS, on_orphan_time, t);
    tunnel_stop(t, false);
    return G_SOURCE_REMOVE;
}

/* ---- changes of this computer's network ---- */

static gboolean on_network_time(gpointer user);

static void await_network(tunnel *t)
{
    int ms = network_timeout(&t->network);

    drop_source(&t->timer_source);
    if (ms >= 0)
        t->timer_source = g_timeout_add((guint)ms, on_network_time, t);
}

static gboolean on_network_time(gpointer user)
{
    tunnel *t = user;

    t->timer_source = 0;
    if (network_look(&t->network))
        l2tpc_session_check_host(t->session);
    if (network_changed(&t->network))
        l2tpc_session_network_changed(t->session);
    await_network(t);
    return G_SOURCE_REMOVE;
}

static gboolean on_network(gint fd, GIOCondition condition, gpointer user)
{
    tunnel *t = user;

    (void)fd;
    (void)condition;
    network_input(&t->network);
    await_network(t);
    return G_SOURCE_CONTINUE;
}

static void watch_network(tunnel *t)
{
    const l2tpc_host_options options = {
        .size = sizeof(options), .run_dir = run_dir(), .state_dir = state_dir()};

    if (l2tpc_host_new(&t->watcher, &options) != 0)
        return;
    network_open(&t->network, t->watcher);
    if (t->network.fd >= 0)
        t->network_source = g_unix_fd_add(t->network.fd, G_IO_IN, on_network, t);
}

/* ---- the start ---- */

static void log_line(void *user, int level, const char *module, const char *line)
{
    (void)user;
    (void)fprintf(stderr, "%c %s: %s\n", "EWID"[level & 3], module, line);
}

/* From the thread of the context. */
static void log_to_bus(void *user, int level, const char *module, const char *line)
{
    const tunnel *t = user;

    bus_tunnel_log(t->shown ? t->shown->bus : NULL, level, module, line);
}

static const char *begin(tunnel *t, const struct report *r)
{
    const l2tpc_remote_options remote = {
        .size = sizeof(remote), .engine_fd = r->engine_fd, .signer_fd = r->signer_fd};
    const l2tpc_host_ops ops = {.size = sizeof(ops), .user = &t->adapter, .serve = adapter_serve};
    l2tpc_context_options options = {.size = sizeof(options)};

    options.host_ops = &ops; /* what the kernel has counted */
    options.log = t->wanted.verbose ? log_line : NULL;
    options.engine_log = log_to_bus;
    options.engine_log_user = t;
    if (l2tpc_host_client_new(&t->adapter.client, r->broker_fd) != 0) {
        close(r->engine_fd);
        close(r->signer_fd);
        return "local.broker";
    }
    if (l2tpc_context_new(&t->context, &options) != L2TPC_OK) {
        close(r->engine_fd);
        close(r->signer_fd);
        return "local.memory";
    }
    if (l2tpc_session_new_remote(&t->session, t->context, t->config, &remote) != L2TPC_OK)
        return "local.memory";
    l2tpc_config_free(t->config); /* its secrets leave with the session's start */
    t->config = NULL;
    return l2tpc_session_start(t->session) == L2TPC_OK ? NULL : "local.memory";
}

static void on_started(tunnel *t, const struct report *r)
{
    const char *code = begin(t, r);

    if (code) {
        fail(t, code, "");
        let_go(t);
        return;
    }
    watch_network(t);
    t->session_source = g_unix_fd_add(l2tpc_session_get_fd(t->session), G_IO_IN, on_session, t);
    t->broker_source =
        g_unix_fd_add(l2tpc_host_client_fd(t->adapter.client), G_IO_HUP | G_IO_ERR, on_broker, t);
    if (t->stopping)
        l2tpc_session_stop(t->session);
}

static void take_report(tunnel *t, const struct report *r)
{
    drop_source(&t->start_source);
    switch (r->kind) {
    case REPORT_STARTED:
        on_started(t, r);
        break;
    case REPORT_REFUSED:
        fail(t, r->code, r->value);
        break;
    case REPORT_CRASHED:
        g_message("%s was ended: %s", tunnel_name(t), r->value);
        break;
    }
}

static gboolean on_report(gint fd, GIOCondition condition, gpointer user)
{
    tunnel *t = user;
    struct report r;
    int rc;

    (void)condition;
    while ((rc = starter_report(fd, &r)) > 0)
        take_report(t, &r);
    if (rc == 0)
        return G_SOURCE_CONTINUE;
    t->report_source = 0;
    drop_source(&t->start_source);
    if (!t->ended && !t->stopping)
        fail(t, "local.broker", "");
    let_go(t);
    t->face->on_gone(t->user, t);
    return G_SOURCE_REMOVE;
}

static bool ask_for_bus(void *user)
{
    tunnel *t = user;

    return t->session && l2tpc_session_ask_status(t->session) == L2TPC_OK;
}

static bool rekey_by_bus(void *user)
{
    tunnel *t = user;

    return t->session && l2tpc_session_rekey(t->session) == L2TPC_OK;
}

static void end_by_bus(void *user)
{
    tunnel_stop(user, true);
}

/* The one who activated NetworkManager's ends it there. */
static void show(tunnel *t, const struct tunnel_wish *w)
{
    bool elsewhere = (w->flags & TUNNEL_CONFIGURED_ELSEWHERE) != 0;
    struct bus_tunnel_options o = {.uuid = w->name,
                                   .started_by = elsewhere ? "networkmanager" : "service",
                                   .owner = w->starter,
                                   .ask = ask_for_bus,
                                   .rekey = rekey_by_bus,
                                   .disconnect = elsewhere ? NULL : end_by_bus,
                                   .user = t};

    for (; o.n_users < w->n_users && o.n_users < BUS_USERS_MAX; o.n_users++)
        o.users[o.n_users] = w->users[o.n_users];
    t->shown = shown_new(&o);
}

tunnel *tunnel_new(struct starter *starter, const struct tunnel_wish *wish,
                   struct tunnel_failure *out)
{
    tunnel *t = g_new0(tunnel, 1);

    t->face = wish->face;
    t->user = wish->user;
    t->starter = starter;
    t->report_fd = t->network.fd = t->adapter.broker_fd = -1;
    t->adapter.by_broker = true;
    t->adapter.options = &t->wanted.options;
    speaking = t;
    failure_make(out, "local.memory", "");
    if (l2tpc_config_new(&t->config) != L2TPC_OK || !prepare(t, wish, out)) {
        speaking = NULL;
        tunnel_free(t);
        return NULL;
    }
    t->report_fd = starter_order(starter, &t->wanted.order);
    if (t->report_fd < 0)
        failure_make(out, "local.broker", "");
    speaking = NULL;
    if (t->report_fd < 0) {
        tunnel_free(t);
        return NULL;
    }
    await_start(t, starter->patience_ms ? starter->patience_ms : START_MS);
    t->report_source = g_unix_fd_add(t->report_fd, G_IO_IN | G_IO_HUP, on_report, t);
    show(t, wish);
    return t;
}

void tunnel_answer(tunnel *t, uint32_t need, const void *secret, size_t len)
{
    const l2tpc_answer answer = {.size = sizeof(answer),
                                 .fd = -1,
                                 .status = secret ? 0 : -ENOENT,
                                 .secret = secret,
                                 .secret_len = len};

    if (t->session)
        (void)l2tpc_session_answer(t->session, need, &answer);
}

const char *tunnel_name(const tunnel *t)
{
    return t->wanted.options.name;
}
