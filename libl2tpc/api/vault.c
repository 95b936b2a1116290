/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a session says of the memory that holds its secrets. */
#include "api/internal.h"

const char *vault_state(const l2tpc_session *s)
{
    return arena_is_locked(s->context->arena) ? "locked" : "unlocked";
}

void vault_warn(l2tpc_session *s)
{
    struct failure f = failure_make(FAILURE_LOCAL_MEMORY_LOCK);
    char limit[ARENA_LIMIT_TEXT];
    l2tpc_event *e;

    if (s->context->told_unlocked || arena_is_locked(s->context->arena))
        return;
    s->context->told_unlocked = true;
    arena_limit_text(limit);
    failure_set_value(&f, span_str(limit));
    env_log(&s->context->env, LOG_LEVEL_WARN, "session", "%s: %s", failure_code(f.id), f.value);
    e = event_new(s, L2TPC_EVENT_WARNING, f.stage);
    if (!e)
        return;
    e->has_error = true;
    e->error.failure = f;
    event_queue(s, e);
}
