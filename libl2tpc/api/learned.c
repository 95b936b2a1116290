/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was learned, on its way in and out: text at the border, a value inside. */
#include "api/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int l2tpc_config_set_learned(l2tpc_config *c, const void *bytes, size_t len)
{
    if (!c || (len > 0 && !bytes))
        return L2TPC_EINVAL;
    c->learned_given = len > 0;
    c->learned_bad = len > 0 && !learned_parse(span_of(bytes, len), &c->learned);
    if (!c->learned_given)
        c->learned = (struct learned){0};
    return L2TPC_OK;
}

bool learned_holds(const l2tpc_config *c)
{
    return c->learned_given && !c->learned_bad && learned_is_for(&c->learned, c->server, c->port);
}

const char *learned_state(const l2tpc_config *c)
{
    return !c->learned_given   ? "none"
           : c->learned_bad    ? "unreadable"
           : !learned_holds(c) ? "other-server"
                               : "used";
}

/* Pin and floor are gone with it: that is not to be found out by reading the status alone. */
void learned_warn(l2tpc_session *s)
{
    struct failure f = failure_make(FAILURE_LOCAL_LEARNED);
    l2tpc_event *e;

    if (!s->config.learned_bad)
        return;
    failure_set_value(&f, span_str(s->config.name));
    env_log(&s->context->env, LOG_LEVEL_WARN, "session", "%s: %s", failure_code(f.id), f.value);
    e = event_new(s, L2TPC_EVENT_WARNING, f.stage);
    if (!e)
        return;
    e->has_error = true;
    e->error.failure = f;
    event_queue(s, e);
}

/* Nothing is told when the next dial would begin where this one did. */
void learned_tell(l2tpc_session *s)
{
    char now[LEARNED_TEXT_MAX];
    char before[LEARNED_TEXT_MAX];
    struct learned l;
    l2tpc_event *e;

    if (!runner_learned(s->runner, &l) || learned_text(&l, now, sizeof(now)) == 0)
        return;
    if (learned_holds(&s->config) && learned_text(&s->config.learned, before, sizeof(before)) > 0 &&
        strcmp(now, before) == 0)
        return;
    e = event_new(s, L2TPC_EVENT_LEARNED, STAGE_UP);
    if (!e)
        return;
    e->text = strdup(now);
    event_queue(s, e);
}

size_t l2tpc_session_get_learned(l2tpc_session *s, char *buffer, size_t size)
{
    char text[LEARNED_TEXT_MAX] = "";
    struct learned l;
    size_t n = 0;

    if (!s || (size > 0 && !buffer))
        return 0;
    pthread_mutex_lock(&s->context->lock);
    if (s->runner && runner_learned(s->runner, &l))
        n = learned_text(&l, text, sizeof(text));
    pthread_mutex_unlock(&s->context->lock);
    if (size > 0)
        (void)snprintf(buffer, size, "%s", text);
    return n;
}
