/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ports of this computer that others have: who, in one sentence for both. */
#include "io/ports.h"
#include "api/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A second tunnel is what a person has asked for. */
#define OURS "l2tpc-engine "

static void warn(l2tpc_session *s, const char *text)
{
    struct failure f = failure_make(FAILURE_LOCAL_PORT_BUSY);
    l2tpc_event *e;

    f.os_error = EADDRINUSE;
    failure_set_value(&f, span_str(text));
    if (strcmp(text, s->busy.told) == 0)
        return;
    (void)snprintf(s->busy.told, sizeof(s->busy.told), "%s", text);
    env_log(&s->context->env, LOG_LEVEL_WARN, "session", "%s: %s", failure_code(f.id), f.value);
    e = strstr(text, OURS) ? NULL : event_new(s, L2TPC_EVENT_WARNING, f.stage);
    if (!e)
        return;
    e->has_error = true;
    e->error.failure = f;
    event_queue(s, e);
}

void ports_note(l2tpc_session *s, enum dial_path path, uint16_t port, const char *holder)
{
    char text[sizeof(s->busy.told)];
    char *ike = s->busy.ike;

    if (path == DIAL_PATH_IKE) {
        (void)snprintf(ike, sizeof(s->busy.ike), "%s", holder ? holder : "");
        return;
    }
    if (*ike && holder && strcmp(ike, holder) == 0) {
        (void)snprintf(text, sizeof(text), "%u, %u: %s", PORT_IKE, port, ike);
        warn(s, text);
    } else if (*ike) {
        (void)snprintf(text, sizeof(text), "%u: %s", PORT_IKE, ike);
        warn(s, text);
    } else if (holder) {
        (void)snprintf(text, sizeof(text), "%u: %s", port, holder);
        warn(s, text);
    }
    *ike = '\0';
}
