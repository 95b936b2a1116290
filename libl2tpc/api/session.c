/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/internal.h"
#include "api/sized.h"
#include "base/secret.h"
#include "io/env.h"
#include "io/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IKE_LIFETIME_S 28800
#define ESP_LIFETIME_S 3600

static void on_secret(l2tpc_session *s, const struct dial_event *e, l2tpc_us now)
{
    bool psk = e->need == DIAL_NEED_PSK;
    const struct secret *known = psk ? &s->config.secrets->psk : &s->config.secrets->password;
    struct span span = secret_span(known);
    l2tpc_event *ask;

    if (psk ? s->config.has_psk : s->config.has_password) {
        if (psk)
            session_measure_psk(s, span);
        (void)runner_answer_secret(s->runner, e->need_id, &span, now);
        return;
    }
    ask = event_new(s, L2TPC_EVENT_NEED, e->stage);
    if (!ask) {
        (void)runner_answer_secret(s->runner, e->need_id, NULL, now);
        return;
    }
    ask->has_need = true;
    ask->need = need_make(s, psk ? L2TPC_NEED_PSK : L2TPC_NEED_PASSWORD);
    ask->need.id = e->need_id;
    *(psk ? &s->asked_psk : &s->asked_password) = e->need_id;
    event_queue(s, ask);
}

static void on_need(l2tpc_session *s, const struct dial_event *e, l2tpc_us now)
{
    switch (e->need) {
    case DIAL_NEED_PSK:
    case DIAL_NEED_PASSWORD:
        on_secret(s, e, now);
        break;
    case DIAL_NEED_TUN:
        serve_tun(s, e->need_id, now);
        break;
    case DIAL_NEED_APPLY_IP:
        serve_apply_ip(s, e, now);
        break;
    case DIAL_NEED_SIGN:
        session_sign(s, e);
        break;
    case DIAL_NEED_CERT_STATUS:
        session_judge(s, e);
        break;
    case DIAL_NEED_RESOLVE:
    case DIAL_NEED_SOCKETS:
        break; /* the runner's */
    }
}

static double stage_ms(const struct dial_stage_time *t)
{
    return t->done ? (double)(t->end - t->start) / 1000.0 : 0;
}

static void tell(l2tpc_session *s, l2tpc_event_type type, const struct dial_event *e)
{
    l2tpc_event *event = event_new(s, type, e->stage);

    if (!event)
        return;
    if (type == L2TPC_EVENT_STAGE_END)
        event->stage_ms = stage_ms(&runner_facts(s->runner)->stage[e->stage]);
    if (type == L2TPC_EVENT_RUNG)
        event->text = strdup(rung_name(runner_facts(s->runner)->ladder->now.rung));
    if (type == L2TPC_EVENT_FAILED || type == L2TPC_EVENT_WARNING) {
        event->has_error = true;
        event->error.failure = e->failure;
    }
    event_queue(s, event);
}

static void on_dial_event(void *user, const struct dial_event *e, l2tpc_us now)
{
    l2tpc_session *s = user;

    switch (e->type) {
    case DIAL_EVENT_NEED:
        on_need(s, e, now);
        break;
    case DIAL_EVENT_STAGE_BEGIN:
        if (e->stage == STAGE_IKE_PHASE1)
            observer_open(s);
        tell(s, L2TPC_EVENT_STAGE_BEGIN, e);
        break;
    case DIAL_EVENT_STAGE_END:
        tell(s, L2TPC_EVENT_STAGE_END, e);
        break;
    case DIAL_EVENT_SA_CHANGED:
        observer_follow(s);
        break;
    case DIAL_EVENT_REKEYED:
        tell(s, L2TPC_EVENT_REKEYED, e);
        break;
    case DIAL_EVENT_UP:
        runner_wall_clock(s->since);
        recovery_up(s, now);
        tell(s, L2TPC_EVENT_UP, e);
        break;
    case DIAL_EVENT_RELEASE_IP:
        if (!recovery_keeps_ip(s))
            serve_release_ip(s);
        break;
    case DIAL_EVENT_FAILED:
        if (!recovery_takes(s, &e->failure, now))
            tell(s, L2TPC_EVENT_FAILED, e);
        break;
    case DIAL_EVENT_RUNG:
        tell(s, L2TPC_EVENT_RUNG, e);
        break;
    case DIAL_EVENT_WARNING:
        tell(s, L2TPC_EVENT_WARNING, e);
        break;
    case DIAL_EVENT_LEARNED:
        learned_tell(s);
        break;
    case DIAL_EVENT_DOWN:
        observer_close(s);
        if (!recovery_waits(s, now))
            session_over(s, NULL);
        break;
    }
}

void session_over(l2tpc_session *s, const struct failure *f)
{
    struct dial_event e = {.stage = runner_facts(s->runner)->current};

    recovery_end(s);
    s->down = true;
    if (f) {
        e.failure = *f;
        tell(s, L2TPC_EVENT_FAILED, &e);
    }
    tell(s, L2TPC_EVENT_DOWN, &e);
}

static void fill_dial_config(const l2tpc_session *s, struct dial_config *out)
{
    const l2tpc_config *c = &s->config;

    *out = (struct dial_config){
        .env = &s->context->env,
        .crypto = s->context->crypto,
        .port = c->port,
        .policy = c->policy,
        .encapsulation = c->encapsulation,
        .ike_lifetime_s = IKE_LIFETIME_S,
        .esp_lifetime_s = ESP_LIFETIME_S,
        .inner_port = c->inner_port,
        .has_tunnel_secret = c->has_tunnel_secret,
        .tunnel_secret = c->secrets->tunnel_secret,
        .auth = c->auth,
        .nt_hash_utf8_bytes = c->quirk_utf8_bytes,
        .mru = c->mru,
        .until = c->until,
        .timeout = US_S(c->timeout_s),
        .no_fragmentation = c->quirk_no_fragmentation,
        .no_path_mtu = c->quirk_no_path_mtu,
        .servers = s->context->servers,
        .own_id = c->own_id,
        .peer_id = c->peer_id,
        .aggressive = c->aggressive,
        .aggressive_allowed = c->aggressive_allowed,
        .dhcpinform = c->server_routes,
        .pushed = s->pushed,
        .class_route = c->class_route,
    };
    for (unsigned i = 0; i < out->policy.n_esp; i++)
        if (c->quirk_sha256_96 && out->policy.esp[i].integ == HASH_SHA256)
            out->policy.esp[i].truncate_96 = true;
    out->has_learned = learned_holds(c);
    out->learned = c->learned;
    (void)snprintf(out->server, sizeof(out->server), "%s", c->server);
    (void)snprintf(out->user, sizeof(out->user), "%s", c->user);
    /* The tunnel's host name says nothing about this computer or its user. */
    (void)snprintf(out->host_name, sizeof(out->host_name), "l2tpc");
    recovery_fill_dial(s, out);
}

struct runner *session_runner(l2tpc_session *s)
{
    struct runner_hooks hooks = {.user = s,
                                 .event = on_dial_event,
                                 .open_socket = session_open_socket,
                                 .route = session_route,
                                 .resolve = session_resolve};
    l2tpc_context *c = s->context;
    struct dial_config dial;
    struct runner *runner;

    fill_dial_config(s, &dial);
    runner = runner_new(c->loop, c->hub, &c->ports, &dial, &hooks);
    wipe(&dial, sizeof(dial));
    return runner;
}

static bool copy_blob(struct blob *to, const struct blob *from, const struct vault *vault)
{
    return from->n == 0 || blob_set(to, vault, from->bytes, from->n);
}

/* Everything that the config holds elsewhere; its secrets go into the context's arena. */
static bool copy_config(l2tpc_config *to, const l2tpc_config *from, const struct vault *vault)
{
    to->secrets = vault_take(vault, sizeof(*to->secrets));
    if (!to->secrets)
        return false;
    *to->secrets = *from->secrets;
    return copy_blob(&to->certificate, &from->certificate, vault) &&
           copy_blob(&to->key, &from->key, vault) && copy_blob(&to->ca, &from->ca, NULL);
}

static void clear_config(l2tpc_config *c, const struct vault *vault)
{
    blob_clear(&c->certificate);
    blob_clear(&c->key);
    blob_clear(&c->ca);
    vault_give(vault, c->secrets, sizeof(*c->secrets));
}

/* A key in a file cannot go with a certificate on a token, nor a key on a token without any. */
static bool token_fits(const l2tpc_config *c)
{
    return !token_is_used(c) ||
           (c->key.n == 0 && (c->certificate.n > 0) != (c->certificate_uri[0] != '\0'));
}

/* With a runner of its own, unless the dial is to be in another process. */
static int session_new(l2tpc_session **out, l2tpc_context *context, const l2tpc_config *config,
                       bool runs_here)
{
    bool ok;
    l2tpc_session *s;

    if (!out || !context || !config || !config->server[0] || (runs_here && !token_fits(config)))
        return L2TPC_EINVAL;
    /* A child process: the secrets have stayed behind. */
    if (arena_is_lost(context->arena) || arena_is_lost(config->arena))
        return L2TPC_ESTATE;
    s = calloc(1, sizeof(*s));
    if (!s)
        return L2TPC_ENOMEM;
    s->context = context;
    s->config = *config;
    s->config.certificate = s->config.key = s->config.ca = (struct blob){0};
    s->config.secrets = NULL;
    s->config.arena = NULL;
    s->event_fd = notify_open();
    recovery_init(s);
    pthread_mutex_lock(&context->lock);
    ok = s->event_fd >= 0 && events_reserve(s) &&
         copy_config(&s->config, config, arena_vault(context->arena));
    if (ok && runs_here)
        s->runner = session_runner(s);
    ok = ok && (s->runner || !runs_here);
    if (ok)
        context->holders++;
    pthread_mutex_unlock(&context->lock);
    if (!ok) {
        events_forget(s);
        notify_close(s->event_fd);
        clear_config(&s->config, arena_vault(context->arena));
        wipe_free(s, sizeof(*s));
        return L2TPC_ENOMEM;
    }
    *out = s;
    return L2TPC_OK;
}

int l2tpc_session_new(l2tpc_session **out, l2tpc_context *context, const l2tpc_config *config)
{
    return session_new(out, context, config, true);
}

int l2tpc_session_new_remote(l2tpc_session **out, l2tpc_context *context,
                             const l2tpc_config *config, const l2tpc_remote_options *options)
{
    l2tpc_session *s = NULL;
    l2tpc_remote_options o;
    int result;

    if (!options || !sized_read(&o, sizeof(o), options) || o.engine_fd < 0)
        return L2TPC_EINVAL;
    result = session_new(&s, context, config, false);
    if (result != L2TPC_OK)
        return result;
    pthread_mutex_lock(&context->lock);
    s->remote = remote_new(s, o.engine_fd, o.signer_fd);
    pthread_mutex_unlock(&context->lock);
    if (!s->remote) {
        l2tpc_session_free(s);
        return L2TPC_ENOMEM;
    }
    *out = s;
    return L2TPC_OK;
}

void l2tpc_session_free(l2tpc_session *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->context->lock);
    remote_free(s->remote);
    if (s->runner && s->started && !s->down) {
        serve_release_ip(s);
        observer_close(s);
    }
    s->recovery.kept = false;
    recovery_end(s);
    runner_free(s->runner);
    session_drop_signer(s);
    session_forget_routes(s);
    clear_config(&s->config, arena_vault(s->context->arena));
    pthread_mutex_unlock(&s->context->lock);
    context_drop(s->context);
    events_forget(s);
    notify_close(s->event_fd);
    wipe_free(s, sizeof(*s));
}

int session_start(l2tpc_session *s)
{
    if (s->started)
        return L2TPC_EBUSY;
    s->started = true;
    vault_warn(s);
    if (s->remote)
        return remote_start(s);
    s->recovery.begun = io_now();
    learned_warn(s);
    session_begin(s, s->config.has_passphrase ? &s->config.secrets->passphrase : NULL);
    return L2TPC_OK;
}

int l2tpc_session_start(l2tpc_session *s)
{
    int result;

    if (!s)
        return L2TPC_EINVAL;
    pthread_mutex_lock(&s->context->lock);
    result = arena_is_lost(s->context->arena) ? L2TPC_ESTATE : session_start(s);
    pthread_mutex_unlock(&s->context->lock);
    return result;
}

void session_stop(l2tpc_session *s)
{
    if (!s->started || s->down)
        return;
    if (s->remote)
        remote_stop(s);
    else if (!recovery_stop(s, io_now()))
        runner_stop(s->runner, io_now());
}

void l2tpc_session_stop(l2tpc_session *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->context->lock);
    session_stop(s);
    pthread_mutex_unlock(&s->context->lock);
}

void session_network_changed(l2tpc_session *s)
{
    if (!s->started || s->down)
        return;
    if (s->remote)
        remote_network_changed(s);
    else
        recovery_network_changed(s, io_now());
}

void l2tpc_session_network_changed(l2tpc_session *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->context->lock);
    session_network_changed(s);
    pthread_mutex_unlock(&s->context->lock);
}

void session_check_host(l2tpc_session *s)
{
    struct failure f;

    if (!s->started || s->down)
        return;
    if (s->remote)
        remote_check_host(s);
    else if (s->configured && runner_facts(s->runner)->up && !runner_facts(s->runner)->closing &&
             !serve_repair_ip(s, io_now(), &f))
        runner_fail(s->runner, &f, io_now());
}

void l2tpc_session_check_host(l2tpc_session *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->context->lock);
    session_check_host(s);
    pthread_mutex_unlock(&s->context->lock);
}

/* The engine in another process decides for itself. */
bool session_rekey(l2tpc_session *s)
{
    if (!s->started || s->down)
        return false;
    if (!s->remote)
        return runner_rekey(s->runner, io_now());
    remote_rekey(s);
    return true;
}

int l2tpc_session_rekey(l2tpc_session *s)
{
    bool ok;

    if (!s)
        return L2TPC_EINVAL;
    pthread_mutex_lock(&s->context->lock);
    ok = session_rekey(s);
    pthread_mutex_unlock(&s->context->lock);
    return ok ? L2TPC_OK : L2TPC_ESTATE;
}

int l2tpc_session_get_fd(const l2tpc_session *s)
{
    return s ? s->event_fd : -1;
}

static void answer_passphrase(l2tpc_session *s, const struct span *secret, l2tpc_us now)
{
    struct failure f = failure_make(FAILURE_LOCAL_SECRET);
    struct secret passphrase = {0};

    s->waits_for_passphrase = false;
    if (secret && secret_set(&passphrase, *secret)) {
        session_begin(s, &passphrase);
    } else {
        failure_set_value(&f, span_str("passphrase"));
        runner_fail(s->runner, &f, now);
    }
    secret_wipe(&passphrase);
}

/* What is answered now is stored nowhere by us. */
static void note_answer(l2tpc_session *s, uint32_t need, const struct span *secret)
{
    bool psk = need != 0 && need == s->asked_psk;

    if (!secret || need == SIGNER_NEED || !(psk || (need != 0 && need == s->asked_password)))
        return;
    s->asked[psk ? L2TPC_SECRET_PSK : L2TPC_SECRET_PASSWORD] = true;
    if (psk)
        session_measure_psk(s, *secret);
}

bool session_answer(l2tpc_session *s, uint32_t need, const struct span *secret)
{
    bool taken;

    note_answer(s, need, secret);
    if (s->remote)
        return remote_answer(s, need, secret);
    taken = need == SIGNER_NEED && s->waits_for_passphrase;
    if (taken)
        answer_passphrase(s, secret, io_now());
    else
        taken = runner_answer_secret(s->runner, need, secret, io_now());
    if (taken && secret)
        recovery_keep_secret(s, need, secret);
    return taken;
}

int l2tpc_session_answer(l2tpc_session *s, uint32_t need, const l2tpc_answer *answer)
{
    l2tpc_answer a;
    struct span secret;
    bool taken;

    if (!s || !answer || !sized_read(&a, sizeof(a), answer) || a.secret_len > SECRET_MAX)
        return L2TPC_EINVAL;
    secret = span_of(a.secret, a.secret ? a.secret_len : 0);
    pthread_mutex_lock(&s->context->lock);
    taken = session_answer(s, need, a.status == 0 ? &secret : NULL);
    pthread_mutex_unlock(&s->context->lock);
    return taken ? L2TPC_OK : L2TPC_ENOTFOUND;
}
