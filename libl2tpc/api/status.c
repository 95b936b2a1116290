/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Snapshots: taking, reading, freeing. */
#include "api/status.h"
#include "api/sized.h"

#include <stdlib.h>
#include <string.h>

#define N_(s) s

const struct status_field status_fields[STATUS_COUNT] = {
#define STATUS(group, key, kind, title)                                                            \
    [STATUS_##group##_##key] = {#group, #key, #group "." #key, title, STATUS_##kind},
#include "api/status.def"
#undef STATUS
};

static const struct {
    const char *group, *title;
} status_groups[] = {
#define GROUP(group, title) {#group, title},
#define DETAIL(key, title)
#include "api/groups.def"
#undef GROUP
#undef DETAIL
};

const struct status_detail_field status_detail_fields[STATUS_DETAILS] = {
#define GROUP(group, title)
#define DETAIL(key, title) [STATUS_DETAIL_##key] = {#key, "details." #key, title},
#include "api/groups.def"
#undef GROUP
#undef DETAIL
};

static const char *group_title(const char *group)
{
    for (unsigned i = 0; i < ARRAY_LEN(status_groups); i++)
        if (strcmp(status_groups[i].group, group) == 0)
            return status_groups[i].title;
    return "";
}

const char *const status_kinds[] = {"text", "uint", "real", "bool", "list"};

int l2tpc_status_field_at(unsigned index, l2tpc_status_field *out)
{
    l2tpc_status_field field = {.size = sizeof(field)};

    if (!sized_ok(out))
        return L2TPC_EINVAL;
    if (index < STATUS_DETAILS) {
        field.path = status_detail_fields[index].path;
        field.title = status_detail_fields[index].title;
        field.group = "details";
        field.kind = status_kinds[STATUS_TEXT];
    } else if (index - STATUS_DETAILS < STATUS_COUNT) {
        const struct status_field *f = &status_fields[index - STATUS_DETAILS];

        field.path = f->path;
        field.title = f->title;
        field.group = f->group;
        field.kind = status_kinds[f->kind];
    } else {
        return L2TPC_ENOTFOUND;
    }
    field.group_title = group_title(field.group);
    sized_write(out, &field, sizeof(field));
    return L2TPC_OK;
}

int l2tpc_session_get_status(l2tpc_session *s, l2tpc_status **out)
{
    l2tpc_status *st;

    if (!s || !out)
        return L2TPC_EINVAL;
    st = calloc(1, sizeof(*st));
    if (!st)
        return L2TPC_ENOMEM;
    pthread_mutex_lock(&s->context->lock);
    if (s->remote)
        remote_status(s, st);
    else
        status_fill(st, s);
    pthread_mutex_unlock(&s->context->lock);
    *out = st;
    return L2TPC_OK;
}

int l2tpc_session_ask_status(l2tpc_session *s)
{
    bool ok;

    if (!s)
        return L2TPC_EINVAL;
    pthread_mutex_lock(&s->context->lock);
    ok = s->started && !s->down && (!s->remote || remote_ask_status(s));
    if (ok && !s->remote)
        event_queue(s, event_new(s, L2TPC_EVENT_STATUS, runner_facts(s->runner)->current));
    pthread_mutex_unlock(&s->context->lock);
    return ok ? L2TPC_OK : L2TPC_ESTATE;
}

int l2tpc_session_take_status(l2tpc_session *s, l2tpc_status **out)
{
    l2tpc_status *st = NULL;

    if (!s || !out)
        return L2TPC_EINVAL;
    pthread_mutex_lock(&s->context->lock);
    if (s->remote) {
        st = remote_take_status(s);
    } else {
        st = calloc(1, sizeof(*st));
        if (st)
            status_fill(st, s);
    }
    pthread_mutex_unlock(&s->context->lock);
    *out = st;
    return st ? L2TPC_OK : L2TPC_ENOTFOUND;
}

l2tpc_status *l2tpc_status_copy(const l2tpc_status *st)
{
    l2tpc_status *copy = st ? malloc(sizeof(*copy)) : NULL;
    bool ok = copy != NULL;

    if (!ok)
        return NULL;
    *copy = *st;
    copy->json = NULL;
    for (unsigned i = 0; i < STATUS_COUNT; i++) {
        copy->value[i].text = st->value[i].text ? strdup(st->value[i].text) : NULL;
        ok = ok && (copy->value[i].text || !st->value[i].text);
    }
    if (ok)
        return copy;
    l2tpc_status_free(copy);
    return NULL;
}

void l2tpc_status_free(l2tpc_status *st)
{
    if (!st)
        return;
    for (unsigned i = 0; i < STATUS_COUNT; i++)
        free(st->value[i].text);
    free(st->json);
    free(st);
}

const char *l2tpc_status_to_json(l2tpc_status *st)
{
    if (!st->json)
        st->json = status_json(st);
    return st->json;
}

int l2tpc_status_row_at(const l2tpc_status *st, unsigned index, l2tpc_status_row *out)
{
    l2tpc_status_row row = {.size = sizeof(row)};

    if (!st || !sized_ok(out))
        return L2TPC_EINVAL;
    if (index < STATUS_DETAILS) {
        const struct status_detail_field *d = &status_detail_fields[index];

        row = (l2tpc_status_row){sizeof(row), d->path, d->title, st->detail[index]};
        sized_write(out, &row, sizeof(row));
        return L2TPC_OK;
    }
    index -= STATUS_DETAILS;
    if (index >= STATUS_COUNT)
        return L2TPC_ENOTFOUND;
    row = (l2tpc_status_row){sizeof(row), status_fields[index].path, status_fields[index].title,
                             st->value[index].known && st->value[index].text ? st->value[index].text
                                                                             : ""};
    sized_write(out, &row, sizeof(row));
    return L2TPC_OK;
}

const char *l2tpc_status_get(const l2tpc_status *st, const char *path)
{
    if (!st || !path)
        return NULL;
    if (strcmp(path, "state") == 0)
        return st->state;
    if (strcmp(path, "name") == 0)
        return st->name;
    if (strcmp(path, "interface") == 0)
        return st->interface_name;
    if (strcmp(path, "since") == 0)
        return st->since;
    for (unsigned i = 0; i < STATUS_DETAILS; i++)
        if (strcmp(status_detail_fields[i].path, path) == 0)
            return st->detail[i];
    for (unsigned i = 0; i < STATUS_COUNT; i++)
        if (strcmp(status_fields[i].path, path) == 0)
            return st->value[i].known && st->value[i].text ? st->value[i].text : "";
    return NULL;
}

int l2tpc_status_is_l2tp_in_ipsec(const l2tpc_status *st)
{
    return st && st->is_l2tp_in_ipsec;
}

int l2tpc_status_evidence_at(const l2tpc_status *st, unsigned index, l2tpc_evidence *out)
{
    const struct evidence *e;
    l2tpc_evidence copy;

    if (!st || !sized_ok(out))
        return L2TPC_EINVAL;
    if (index >= st->n_evidence)
        return L2TPC_ENOTFOUND;
    e = &st->evidence[index];
    copy = (l2tpc_evidence){sizeof(copy), e->code, e->sentence, e->value, e->observer, e->ok};
    sized_write(out, &copy, sizeof(copy));
    return L2TPC_OK;
}

int l2tpc_status_stage_at(const l2tpc_status *st, unsigned index, const char **out_stage,
                          double *out_ms)
{
    if (!st || !out_stage || !out_ms)
        return L2TPC_EINVAL;
    if (index >= st->n_stages)
        return L2TPC_ENOTFOUND;
    *out_stage = stage_name(st->stages[index].stage);
    *out_ms = st->stages[index].ms;
    return L2TPC_OK;
}
