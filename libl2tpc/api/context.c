/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/internal.h"
#include "api/sized.h"
#include "io/env.h"
#include "io/notify.h"
#include "io/thread.h"

#include <stdlib.h>
#include <string.h>

#include "io/record.h" /* last, as in runner.c */

#define STRINGIFY_(x) #x
#define STRINGIFY(x) STRINGIFY_(x)

const char *l2tpc_version(void)
{
    return STRINGIFY(L2TPC_VERSION_MAJOR) "." STRINGIFY(L2TPC_VERSION_MINOR) "." STRINGIFY(
        L2TPC_VERSION_MICRO);
}

static void log_line(void *ctx, enum log_level level, const char *module, const char *line)
{
    l2tpc_context *c = ctx;

    if (c->log)
        c->log(c->log_user, (int)level, module, line);
    if (c->relay)
        c->relay(c->relay_user, (int)level, module, line);
}

static void dispatch(l2tpc_context *c)
{
    pthread_mutex_lock(&c->lock);
    (void)loop_dispatch(c->loop, 0);
    pthread_mutex_unlock(&c->lock);
}

static bool must_quit(l2tpc_context *c)
{
    bool quit;

    pthread_mutex_lock(&c->lock);
    quit = c->quit;
    pthread_mutex_unlock(&c->lock);
    return quit;
}

/* Waits without the lock, works with it, so that API calls never wait for the network. */
static void *control_thread(void *arg)
{
    l2tpc_context *c = arg;

    while (!must_quit(c)) {
        notify_wait(loop_fd(c->loop));
        dispatch(c);
    }
    return NULL;
}

static bool read_options(l2tpc_context *c, const l2tpc_context_options *options, uint32_t *flags,
                         unsigned *data_threads)
{
    l2tpc_context_options o;

    if (!sized_read(&o, sizeof(o), options) || (o.flags & ~(uint32_t)L2TPC_CONTEXT_CALLER_LOOP) ||
        o.data_threads > TURNS_MAX ||
        (o.host_ops && !sized_read(&c->ops, sizeof(c->ops), o.host_ops)))
        return false;
    *flags = o.flags;
    *data_threads = record_is_on() ? 0 : o.data_threads; /* a recording is one dial in one thread */
    c->log = o.log;
    c->log_user = o.log_user;
    c->engine_log = o.engine_log;
    c->engine_log_user = o.engine_log_user;
    c->ports = (struct port_options){.has_mark = o.mark != 0, .mark = o.mark};
    return true;
}

int l2tpc_context_new(l2tpc_context **out, const l2tpc_context_options *options)
{
    l2tpc_context *c;
    uint32_t flags = 0;
    unsigned data_threads = 0;

    if (!out)
        return L2TPC_EINVAL;
    c = calloc(1, sizeof(*c));
    if (!c)
        return L2TPC_ENOMEM;
    if (options && !read_options(c, options, &flags, &data_threads)) {
        free(c);
        return L2TPC_EINVAL;
    }
    pthread_mutex_init(&c->lock, NULL);
    c->holders = 1;
    c->env = io_env_make(log_line, c);
    c->crypto = crypto_new();
    c->arena = arena_new();
    if (c->crypto && c->arena) {
        c->env.vault = arena_vault(c->arena);
        crypto_set_vault(c->crypto, c->env.vault);
    }
    c->servers = servers_new();
    c->loop = loop_new();
    if (c->loop && data_threads > 0)
        c->lanes = lanes_new(c->loop, data_threads);
    if (c->loop && (c->lanes || data_threads == 0))
        c->hub = hub_new(c->loop, c->lanes, &c->ports);
    if (!c->crypto || !c->arena || !c->servers || !c->hub) {
        l2tpc_context_free(c);
        return L2TPC_ENOMEM;
    }
    if (!(flags & L2TPC_CONTEXT_CALLER_LOOP)) {
        c->has_thread = thread_start(&c->thread, NULL, control_thread, c);
        if (!c->has_thread) {
            l2tpc_context_free(c);
            return L2TPC_ENOMEM;
        }
    }
    *out = c;
    return L2TPC_OK;
}

static void context_destroy(l2tpc_context *c)
{
    if (c->hub)
        hub_free(c->hub);
    lanes_free(c->lanes);
    if (c->loop)
        loop_free(c->loop);
    crypto_free(c->crypto);
    arena_free(c->arena);
    servers_free(c->servers);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

void context_drop(l2tpc_context *c)
{
    bool last;

    pthread_mutex_lock(&c->lock);
    last = --c->holders == 0;
    pthread_mutex_unlock(&c->lock);
    if (last)
        context_destroy(c);
}

void l2tpc_context_free(l2tpc_context *c)
{
    if (!c)
        return;
    if (c->has_thread) {
        pthread_mutex_lock(&c->lock);
        c->quit = true;
        pthread_mutex_unlock(&c->lock);
        loop_quit(c->loop); /* wakes the thread */
        pthread_join(c->thread, NULL);
    }
    context_drop(c);
}

int l2tpc_context_get_fd(const l2tpc_context *c)
{
    return c && !c->has_thread ? loop_fd(c->loop) : -1;
}

int l2tpc_context_dispatch(l2tpc_context *c)
{
    if (!c)
        return L2TPC_EINVAL;
    if (c->has_thread)
        return L2TPC_ESTATE;
    dispatch(c);
    return L2TPC_OK;
}
