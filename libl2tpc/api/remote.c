/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A session whose dial runs in another process: what is asked of it becomes a message, what that
 * process says becomes its events. The user's secrets for the signer go there and nowhere else.
 */
#include "api/remote_wire.h"
#include "api/signer_wire.h"
#include "io/channel.h"
#include "io/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STATUS_WAIT US_S(2) /* for an engine that is stopped: a caller of ours waits as well */
#define ROUND_MS 50

struct remote {
    l2tpc_session *s;
    struct channel *engine, *signer; /* NULL: gone */
    bool failed;                     /* the engine's end was told, or a reason for it */
    struct failure failure;
    uint32_t numbers;
    l2tpc_status *wanted; /* the reply that somebody waits for, and its number */
    uint32_t wanted_number;
    bool arrived;
    pthread_cond_t news;
    /* The question whose answer nobody waits for: its number, 0 when there is none; what the kernel
     * had counted before it; and the answer. */
    uint32_t later_number;
    struct kernel_counts later_before;
    l2tpc_status *later;
    struct remote_order order;
    uint8_t bytes[CHANNEL_MAX];
};

/* ---- the end ---- */

static void tell_end(struct remote *r, l2tpc_event_type type)
{
    l2tpc_event *e = event_new(r->s, type, STAGE_RESOLVE);

    if (!e)
        return;
    e->has_error = type == L2TPC_EVENT_FAILED;
    if (e->has_error)
        e->error.failure = r->failure;
    event_queue(r->s, e);
}

/* Told once, whatever comes of it. */
static void fail(struct remote *r, enum failure_id id)
{
    if (r->failed || r->s->down)
        return;
    r->failed = true;
    r->failure = failure_make(id);
    tell_end(r, L2TPC_EVENT_FAILED);
}

static void lose_engine(struct remote *r)
{
    channel_free(r->engine);
    r->engine = NULL;
    r->arrived = true; /* nobody answers any more */
    (void)pthread_cond_broadcast(&r->news);
    if (r->s->down)
        return;
    fail(r, FAILURE_LOCAL_ENGINE);
    r->s->down = true;
    tell_end(r, L2TPC_EVENT_DOWN);
}

/* ---- what the engine says ---- */

static l2tpc_event *event_from(l2tpc_session *s, struct rd rest)
{
    l2tpc_event read = {0};
    l2tpc_event *e = NULL;

    if (remote_event_read(rest, &read))
        e = event_new(s, read.type, read.stage);
    if (!e) {
        free(read.text);
        return NULL;
    }
    memcpy(read.session_name, e->session_name, sizeof(read.session_name));
    memcpy(read.error.server, e->error.server, sizeof(read.error.server));
    *e = read;
    return e;
}

static void on_event(struct remote *r, struct rd rest)
{
    l2tpc_session *s = r->s;
    l2tpc_event *e = event_from(s, rest);

    if (!e || s->down)
        goto drop;
    if (e->type == L2TPC_EVENT_NEED)
        *(e->need.type == L2TPC_NEED_PSK ? &s->asked_psk : &s->asked_password) = e->need.id;
    if (e->type == L2TPC_EVENT_FAILED && r->failed)
        goto drop;
    if (e->type == L2TPC_EVENT_FAILED) {
        r->failed = true;
        r->failure = e->error.failure;
    }
    s->down = e->type == L2TPC_EVENT_DOWN;
    event_queue(s, e);
    return;
drop:
    l2tpc_event_free(e);
}

/* A later answer is one to an earlier question as well: the engine owes the newest alone. */
static bool answers_later(const struct remote *r, uint32_t number)
{
    return r->later_number != 0 && !r->later && !r->s->down && number - r->later_number < 1u << 31;
}

static void on_status(struct remote *r, struct rd rest)
{
    l2tpc_status *st = calloc(1, sizeof(*st));
    uint32_t number = 0;
    bool ok = st && remote_status_read(rest, &number, st);

    if (ok && answers_later(r, number) && (r->later = l2tpc_status_copy(st)) != NULL)
        event_queue(r->s, event_new(r->s, L2TPC_EVENT_STATUS, STAGE_RESOLVE));
    if (ok && r->wanted && !r->arrived && number == r->wanted_number) {
        *r->wanted = *st; /* the texts go over */
        memset(st, 0, sizeof(*st));
        r->arrived = true;
        (void)pthread_cond_broadcast(&r->news);
    }
    l2tpc_status_free(st);
}

static void on_log(const l2tpc_context *c, struct rd rest)
{
    struct remote_line line;

    if (c->engine_log && remote_log_read(rest, &line))
        c->engine_log(c->engine_log_user, (int)line.level, line.module, line.text);
}

static void on_report(void *user, const struct span *message, l2tpc_us now)
{
    struct remote *r = user;
    uint32_t type;
    struct rd rest;

    (void)now;
    if (!message) {
        lose_engine(r);
        return;
    }
    if (!remote_report_type(*message, &type, &rest))
        return;
    if (type == REMOTE_EVENT)
        on_event(r, rest);
    else if (type == REMOTE_STATUS_IS)
        on_status(r, rest);
    else if (type == REMOTE_LOG)
        on_log(r->s->context, rest);
}

/* ---- what is said to it ---- */

static void order(struct remote *r, uint32_t type)
{
    struct span message;

    r->order.type = type;
    if (r->engine && (!remote_order_write(&r->order, r->bytes, sizeof(r->bytes), &message) ||
                      !channel_send(r->engine, message)))
        lose_engine(r);
    wipe(&r->order, sizeof(r->order));
    wipe(r->bytes, 4 * SECRET_MAX);
}

/* ---- the signer ---- */

static void on_question(void *user, const struct span *message, l2tpc_us now)
{
    struct remote *r = user;
    l2tpc_session *s = r->s;
    char label[TOKEN_LABEL_MAX];
    l2tpc_event *ask;

    (void)now;
    if (!message) {
        channel_free(r->signer);
        r->signer = NULL;
        fail(r, FAILURE_LOCAL_SIGNER);
        order(r, REMOTE_STOP);
        return;
    }
    ask = !s->down && signer_question_read(*message, label)
              ? event_new(s, L2TPC_EVENT_NEED, STAGE_RESOLVE)
              : NULL;
    if (!ask)
        return;
    s->waits_for_passphrase = true;
    ask->has_need = true;
    ask->need = need_make(s, L2TPC_NEED_PASSPHRASE);
    ask->need.id = SIGNER_NEED;
    memcpy(ask->need.token_label, label, sizeof(label));
    event_queue(s, ask);
}

static void tell_signer(struct remote *r, const struct secret *passphrase)
{
    struct span message;

    if (r->signer && (!signer_answer_write(passphrase, r->bytes, sizeof(r->bytes), &message) ||
                      !channel_send(r->signer, message)))
        fail(r, FAILURE_LOCAL_SIGNER);
    wipe(r->bytes, 2 * SECRET_MAX);
}

/* ---- verbs ---- */

/* The secrets are where they are used from here on, and no longer here. */
int remote_start(l2tpc_session *s)
{
    struct remote *r = s->remote;
    l2tpc_config *c = &s->config;

    if (c->has_psk)
        session_measure_psk(s, secret_span(&c->secrets->psk));
    if (c->has_passphrase)
        tell_signer(r, &c->secrets->passphrase);
    r->order.has_psk = c->has_psk;
    r->order.has_password = c->has_password;
    r->order.psk = c->secrets->psk;
    r->order.password = c->secrets->password;
    order(r, REMOTE_START);
    secret_wipe(&c->secrets->psk);
    secret_wipe(&c->secrets->password);
    secret_wipe(&c->secrets->passphrase);
    return L2TPC_OK;
}

void remote_stop(l2tpc_session *s)
{
    order(s->remote, REMOTE_STOP);
}

void remote_network_changed(l2tpc_session *s)
{
    order(s->remote, REMOTE_NETWORK_CHANGED);
}

void remote_check_host(l2tpc_session *s)
{
    order(s->remote, REMOTE_CHECK_HOST);
}

void remote_rekey(l2tpc_session *s)
{
    order(s->remote, REMOTE_REKEY);
}

bool remote_answer(l2tpc_session *s, uint32_t need, const struct span *secret)
{
    struct remote *r = s->remote;
    struct secret passphrase = {0};
    bool ok = true;

    if (need == SIGNER_NEED) {
        ok = s->waits_for_passphrase;
        s->waits_for_passphrase = false;
        if (ok)
            tell_signer(r, secret && secret_set(&passphrase, *secret) ? &passphrase : NULL);
        secret_wipe(&passphrase);
        return ok;
    }
    if (need == 0 || (need != s->asked_psk && need != s->asked_password))
        return false;
    r->order.need = need;
    r->order.has_secret = secret && secret_set(&r->order.secret, *secret);
    order(r, REMOTE_ANSWER);
    return true;
}

/* Under the lock, which the thread that reads the reply needs as well. */
static void wait_for_reply(struct remote *r, l2tpc_us until)
{
    l2tpc_context *c = r->s->context;
    struct timespec t = {.tv_sec = (time_t)(until / 1000000),
                         .tv_nsec = (long)(until % 1000000) * 1000};

    while (!r->arrived && r->engine && io_now() < until)
        if (!c->has_thread)
            (void)loop_dispatch(c->loop, ROUND_MS);
        else if (pthread_cond_clockwait(&r->news, &c->lock, CLOCK_MONOTONIC, &t) != 0)
            break;
}

/* The engine's claims lie between two readings of the kernel's counts, which the engine has no part
 * in. */
static void judge(l2tpc_session *s, l2tpc_status *out, const struct kernel_counts *before)
{
    struct kernel_counts after = {0};

    if (before->known)
        (void)kernel_read(s, 0, &after);
    remote_status_judge(out, before, &after);
}

/* What the engine has said, or has not, and what this side knows better. */
static void complete(l2tpc_session *s, l2tpc_status *out, const struct kernel_counts *before)
{
    const struct remote *r = s->remote;

    if (!out->state) { /* the engine is gone, or does not answer */
        out->state = s->down ? "down" : "dialing";
        status_set_text(out, STATUS_server_name, s->config.server);
        for (out->n_evidence = 0; out->n_evidence < proof_items(); out->n_evidence++)
            proof_words(out->n_evidence, false, &out->evidence[out->n_evidence]);
    } else {
        judge(s, out, before);
    }
    memcpy(out->name, s->config.name, sizeof(out->name));
    if (r->failed) { /* what was told to people, wherever it was found */
        out->state = "failed";
        out->failed = true;
        out->error.failure = r->failure;
    }
    memcpy(out->error.server, s->config.server, sizeof(out->error.server));
    status_fill_secrets(out, s);
    status_advise_psk(out);
    status_fill_details(out);
}

void remote_status(l2tpc_session *s, l2tpc_status *out)
{
    struct remote *r = s->remote;
    struct kernel_counts before = {0};

    if (r->engine && !r->wanted) {
        (void)kernel_read(s, 0, &before);
        r->wanted = out;
        r->arrived = false;
        r->wanted_number = r->order.number = ++r->numbers;
        order(r, REMOTE_STATUS);
        wait_for_reply(r, us_add(io_now(), STATUS_WAIT));
        r->wanted = NULL;
        r->wanted_number = 0;
    }
    complete(s, out, &before);
}

/* Never a second question to an engine that has not answered: they would fill its socket. */
bool remote_ask_status(l2tpc_session *s)
{
    struct remote *r = s->remote;

    if (!r->engine)
        return false;
    if (r->later_number != 0)
        return true;
    r->later_before = (struct kernel_counts){0};
    (void)kernel_read(s, 0, &r->later_before);
    if (++r->numbers == 0)
        r->numbers = 1;
    r->later_number = r->order.number = r->numbers;
    order(r, REMOTE_STATUS);
    return r->engine != NULL;
}

l2tpc_status *remote_take_status(l2tpc_session *s)
{
    struct remote *r = s->remote;
    l2tpc_status *st = r->later;

    if (!st)
        return NULL;
    r->later = NULL;
    r->later_number = 0;
    complete(s, st, &r->later_before);
    return st;
}

/* ---- life ---- */

struct remote *remote_new(l2tpc_session *s, int engine_fd, int signer_fd)
{
    struct loop *loop = s->context->loop;
    struct remote *r = calloc(1, sizeof(*r));
    struct channel *engine = channel_new(loop, engine_fd, on_report, r);
    struct channel *signer = signer_fd >= 0 ? channel_new(loop, signer_fd, on_question, r) : NULL;

    if (!r || !engine || (signer_fd >= 0 && !signer)) {
        channel_free(engine);
        channel_free(signer);
        free(r);
        return NULL;
    }
    r->s = s;
    r->engine = engine;
    r->signer = signer;
    (void)pthread_cond_init(&r->news, NULL);
    return r;
}

void remote_free(struct remote *r)
{
    if (!r)
        return;
    channel_free(r->engine);
    channel_free(r->signer);
    (void)pthread_cond_destroy(&r->news);
    l2tpc_status_free(r->later);
    wipe_free(r, sizeof(*r));
}
