/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/internal.h"
#include "api/sized.h"
#include "doctor/catalogue.h"
#include "io/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool events_reserve(l2tpc_session *s)
{
    s->spare_failed = calloc(1, sizeof(*s->spare_failed));
    s->spare_down = calloc(1, sizeof(*s->spare_down));
    return s->spare_failed && s->spare_down;
}

void events_forget(l2tpc_session *s)
{
    l2tpc_event *e;

    while ((e = s->first)) {
        s->first = e->next;
        l2tpc_event_free(e);
    }
    l2tpc_event_free(s->spare_failed);
    l2tpc_event_free(s->spare_down);
}

static l2tpc_event *spare_take(l2tpc_event **spare)
{
    l2tpc_event *e = *spare;

    *spare = NULL;
    return e;
}

static l2tpc_event *event_alloc(l2tpc_session *s, l2tpc_event_type type)
{
    if (type == L2TPC_EVENT_FAILED && s->spare_failed)
        return spare_take(&s->spare_failed);
    if (type == L2TPC_EVENT_DOWN && s->spare_down)
        return spare_take(&s->spare_down);
    return calloc(1, sizeof(l2tpc_event));
}

l2tpc_event *event_new(l2tpc_session *s, l2tpc_event_type type, enum stage stage)
{
    l2tpc_event *e = event_alloc(s, type);

    if (!e)
        return NULL;
    e->type = type;
    e->stage = stage;
    memcpy(e->session_name, s->config.name, sizeof(e->session_name));
    memcpy(e->error.server, s->config.server, sizeof(e->error.server));
    return e;
}

void event_queue(l2tpc_session *s, l2tpc_event *e)
{
    if (!e)
        return;
    e->need.session_name = e->session_name;
    if (s->last)
        s->last->next = e;
    else
        s->first = e;
    s->last = e;
    notify_set(s->event_fd);
}

l2tpc_event *l2tpc_session_next_event(l2tpc_session *s)
{
    l2tpc_event *e;

    if (!s)
        return NULL;
    pthread_mutex_lock(&s->context->lock);
    e = s->first;
    if (e) {
        s->first = e->next;
        if (!s->first)
            s->last = NULL;
        e->next = NULL;
    }
    if (!s->first)
        notify_clear(s->event_fd);
    pthread_mutex_unlock(&s->context->lock);
    return e;
}

void l2tpc_event_free(l2tpc_event *e)
{
    if (e)
        free(e->text);
    free(e);
}

l2tpc_event_type l2tpc_event_get_type(const l2tpc_event *e)
{
    return e->type;
}

const char *l2tpc_event_get_stage(const l2tpc_event *e)
{
    return stage_name(e->stage);
}

double l2tpc_event_get_stage_ms(const l2tpc_event *e)
{
    return e->stage_ms;
}

unsigned l2tpc_event_get_wait_ms(const l2tpc_event *e)
{
    return e->wait_ms;
}

const l2tpc_need *l2tpc_event_get_need(const l2tpc_event *e)
{
    return e->has_need ? &e->need : NULL;
}

const l2tpc_error *l2tpc_event_get_error(const l2tpc_event *e)
{
    return e->has_error ? &e->error : NULL;
}

const char *l2tpc_event_get_text(const l2tpc_event *e)
{
    return e->text;
}

/* ---- errors ---- */

const char *l2tpc_error_get_code(const l2tpc_error *e)
{
    return failure_code(e->failure.id);
}

const char *l2tpc_error_get_stage(const l2tpc_error *e)
{
    return stage_name(e->failure.stage);
}

int l2tpc_error_get_peer_code(const l2tpc_error *e, uint32_t *out)
{
    if (!e->failure.has_peer_code)
        return 0;
    *out = e->failure.peer_code;
    return 1;
}

int l2tpc_error_get_windows_code(const l2tpc_error *e)
{
    const struct catalogue_row *row = catalogue_of(e->failure.id);

    return row ? row->windows : 0;
}

/* Trouble of this computer's own is no stage's fault. */
static int exit_status(enum failure_id id, enum stage stage)
{
    return strncmp(failure_code(id), "local.", 6) == 0 && id != FAILURE_LOCAL_TIMEOUT
               ? 1
               : stage_exit_status(stage);
}

int l2tpc_error_get_exit_status(const l2tpc_error *e)
{
    return exit_status(e->failure.id, e->failure.stage);
}

static size_t render(const l2tpc_error *e, const char *msgid, l2tpc_translate translate,
                     char *buffer, size_t size)
{
    return failure_render(translate ? translate(msgid) : msgid, &e->failure, e->server, buffer,
                          size);
}

size_t l2tpc_error_message(const l2tpc_error *e, l2tpc_translate translate, char *buffer,
                           size_t size)
{
    const struct catalogue_row *row = catalogue_of(e->failure.id);

    return render(e, row ? row->sentence : "", translate, buffer, size);
}

size_t l2tpc_error_hint(const l2tpc_error *e, l2tpc_translate translate, char *buffer, size_t size)
{
    const struct catalogue_row *row = catalogue_of(e->failure.id);

    return render(e, row ? row->hint : "", translate, buffer, size);
}

/* ---- the catalogue ---- */

static int explain(const struct catalogue_row *row, l2tpc_explanation *out)
{
    l2tpc_explanation e;

    if (!row)
        return L2TPC_ENOTFOUND;
    e = (l2tpc_explanation){
        .code = row->code,
        .stage = stage_name(row->stage),
        .sentence = row->sentence,
        .hint = row->hint,
        .windows_code = row->windows,
        .exit_status = exit_status(row->id, row->stage),
    };
    sized_write(out, &e, sizeof(e));
    return L2TPC_OK;
}

int l2tpc_explain(const char *code, l2tpc_explanation *out)
{
    if (!code || !sized_ok(out))
        return L2TPC_EINVAL;
    return explain(catalogue_find(code), out);
}

int l2tpc_explain_at(unsigned index, l2tpc_explanation *out)
{
    if (!sized_ok(out))
        return L2TPC_EINVAL;
    return explain(catalogue_at(index), out);
}

const char *l2tpc_stage_title(const char *stage)
{
    enum stage s;

    return stage && stage_parse(&s, stage) ? stage_title(s) : NULL;
}

const char *l2tpc_stage_at(unsigned index)
{
    return index < STAGE_COUNT ? stage_name((enum stage)index) : NULL;
}
