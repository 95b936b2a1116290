/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A session for somebody in another process, who starts, answers and ends it over `fd`. */
#include "api/remote_wire.h"
#include "base/secret.h"
#include "io/channel.h"
#include "io/env.h"

#include <stdio.h>
#include <stdlib.h>

#define PUMP_AGAIN US_MS(100) /* the other end has not read for a while */
#define LOG_LINES_A_SECOND 100
#define GOODBYE US_MS(300) /* for the server, when the other end is gone */

struct serving {
    l2tpc_session *s;
    struct channel *front; /* NULL: gone */
    struct loop_timer pump, goodbye;
    bool over;
    uint32_t owed; /* number of the status that found no room; 0: none */
    l2tpc_us log_since;
    unsigned log_lines;
    struct remote_order order;
    uint8_t bytes[CHANNEL_MAX];
};

/* False: there was no room for it. */
static bool tell_status(struct serving *v, uint32_t number)
{
    l2tpc_status *st = calloc(1, sizeof(*st));
    struct span message;
    bool sent = true;

    if (!st)
        return false;
    status_fill(st, v->s);
    if (remote_status_write(st, number, v->bytes, sizeof(v->bytes), &message))
        sent = channel_send(v->front, message);
    l2tpc_status_free(st);
    return sent;
}

/* An event leaves the queue when it has left this process. */
static void pump(struct serving *v, l2tpc_us now)
{
    l2tpc_session *s = v->s;
    l2tpc_event *e;
    struct span message;

    while (v->front && (e = s->first)) {
        if (remote_event_write(e, v->bytes, sizeof(v->bytes), &message) &&
            !channel_send(v->front, message)) {
            loop_timer_set(s->context->loop, &v->pump, us_add(now, PUMP_AGAIN));
            return;
        }
        s->first = e->next;
        if (!s->first)
            s->last = NULL;
        l2tpc_event_free(e);
    }
    if (!v->front || v->owed == 0)
        return;
    if (tell_status(v, v->owed))
        v->owed = 0;
    else
        loop_timer_set(s->context->loop, &v->pump, us_add(now, PUMP_AGAIN));
}

/* A server that makes the engine write must not make the front read without an end. */
static void relay(void *user, int level, const char *module, const char *line)
{
    struct serving *v = user;
    l2tpc_us now = io_now();
    uint8_t bytes[512];
    char text[sizeof(((struct remote_line *)NULL)->text)];
    struct span message;

    if (now >= us_add(v->log_since, US_S(1))) {
        v->log_since = now;
        v->log_lines = 0;
    }
    (void)snprintf(text, sizeof(text), "%s", line);
    if (v->front && v->log_lines++ < LOG_LINES_A_SECOND &&
        remote_log_write((uint32_t)level, module, text, bytes, sizeof(bytes), &message))
        (void)channel_send(v->front, message);
}

static void on_pump(void *user, l2tpc_us now)
{
    pump(user, now);
}

static void on_goodbye(void *user, l2tpc_us now)
{
    struct serving *v = user;

    (void)now;
    v->over = true;
}

static void start(struct serving *v)
{
    l2tpc_config *c = &v->s->config;
    struct remote_order *o = &v->order;

    if (v->s->started)
        return;
    c->has_psk = o->has_psk;
    c->has_password = o->has_password;
    c->secrets->psk = o->psk;
    c->secrets->password = o->password;
    (void)session_start(v->s);
}

static void obey(struct serving *v)
{
    struct span secret = secret_span(&v->order.secret);

    switch (v->order.type) {
    case REMOTE_START:
        start(v);
        break;
    case REMOTE_STOP:
        session_stop(v->s);
        break;
    case REMOTE_ANSWER:
        (void)session_answer(v->s, v->order.need, v->order.has_secret ? &secret : NULL);
        break;
    case REMOTE_NETWORK_CHANGED:
        session_network_changed(v->s);
        break;
    case REMOTE_CHECK_HOST:
        session_check_host(v->s);
        break;
    case REMOTE_REKEY:
        (void)session_rekey(v->s);
        break;
    default: /* who asked is told the newest, when there is room */
        v->owed = v->order.number;
        break;
    }
    wipe(&v->order, sizeof(v->order));
}

static void on_order(void *user, const struct span *message, l2tpc_us now)
{
    struct serving *v = user;

    if (message && remote_order_read(*message, &v->order)) {
        obey(v);
        return;
    }
    channel_free(v->front);
    v->front = NULL;
    session_stop(v->s);
    loop_timer_set(v->s->context->loop, &v->goodbye, us_add(now, GOODBYE));
}

int l2tpc_session_serve(l2tpc_session *s, int fd)
{
    struct serving *v;
    struct loop *loop;

    if (!s || fd < 0)
        return L2TPC_EINVAL;
    if (s->context->has_thread || s->started || s->remote)
        return L2TPC_ESTATE;
    loop = s->context->loop;
    v = calloc(1, sizeof(*v));
    if (!v)
        return L2TPC_ENOMEM;
    v->s = s;
    v->pump = (struct loop_timer){.fn = on_pump, .user = v};
    v->goodbye = (struct loop_timer){.fn = on_goodbye, .user = v};
    v->front = channel_new(loop, fd, on_order, v);
    pthread_mutex_lock(&s->context->lock);
    s->context->relay = relay;
    s->context->relay_user = v;
    while (v->front ? !v->over : !v->over && s->started && !s->down) {
        if (!loop_dispatch(loop, -1))
            break;
        pump(v, io_now());
    }
    loop_timer_cancel(loop, &v->pump);
    loop_timer_cancel(loop, &v->goodbye);
    channel_free(v->front);
    s->context->relay = NULL;
    pthread_mutex_unlock(&s->context->lock);
    wipe_free(v, sizeof(*v));
    return L2TPC_OK;
}
