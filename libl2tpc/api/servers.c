/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of servers: adding to it, reading it, and what it says in a status. */
#include "api/sized.h"
#include "api/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int l2tpc_context_add_servers(l2tpc_context *c, const char *name, const void *bytes, size_t len,
                              l2tpc_servers_problem *problem)
{
    struct servers_problem p = {0};
    l2tpc_servers_problem told = {.size = sizeof(told)};
    bool ok;

    if (!c || !name || !name[0] || (len > 0 && !bytes) || (problem && !sized_ok(problem)))
        return L2TPC_EINVAL;
    pthread_mutex_lock(&c->lock);
    ok = servers_add(c->servers, name, span_of(bytes, len), &p);
    pthread_mutex_unlock(&c->lock);
    if (ok)
        return L2TPC_OK;
    told.line = p.line;
    told.sentence = p.sentence;
    if (problem)
        sized_write(problem, &told, sizeof(told));
    return L2TPC_EINVAL;
}

/* A list is text with a newline behind each item. What does not fit is left out, whole. */
static void add_item(char *list, size_t cap, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add_item(char *list, size_t cap, const char *format, ...)
{
    size_t at = strlen(list);
    va_list ap;
    int n;

    va_start(ap, format);
    n = vsnprintf(list + at, cap - at, format, ap);
    va_end(ap);
    if (n < 0 || at + (size_t)n + 1 >= cap) {
        list[at] = '\0';
        return;
    }
    list[at + (size_t)n] = '\n';
    list[at + (size_t)n + 1] = '\0';
}

static void add_conditions(char *list, size_t cap, const struct server_row *row)
{
    for (unsigned i = 0; i < row->n_conditions; i++)
        add_item(list, cap, "%s", row->condition[i].text);
}

int l2tpc_servers_at(l2tpc_context *c, unsigned index, l2tpc_server_kind *out)
{
    l2tpc_server_kind k = {.size = sizeof(k)};
    const struct server_row *row;

    if (!c || !sized_ok(out))
        return L2TPC_EINVAL;
    pthread_mutex_lock(&c->lock);
    row = servers_at(c->servers, index);
    pthread_mutex_unlock(&c->lock);
    if (!row) /* rows are never changed and live as long as the context */
        return L2TPC_ENOTFOUND;
    k.name = row->name;
    k.origin = row->origin;
    k.line = row->line;
    k.note = row->note;
    k.source = row->source;
    add_conditions(k.conditions, sizeof(k.conditions), row);
    for (unsigned bit = 1; server_quirk_name(bit); bit <<= 1)
        if (row->quirks & bit)
            add_item(k.quirks, sizeof(k.quirks), "%s", server_quirk_name(bit));
    for (unsigned i = 0; i < row->n_suggestions; i++)
        add_item(k.suggestions, sizeof(k.suggestions), "%s", row->suggest[i]);
    sized_write(out, &k, sizeof(k));
    return L2TPC_OK;
}

/* ---- the status ---- */

#define LIST_MAX 2048

static void fill_kind(l2tpc_status *st, const struct server_row *const rows[2])
{
    char kind[LIST_MAX] = "";
    char evidence[LIST_MAX] = "";

    for (unsigned i = 0; i < 2; i++) {
        if (!rows[i])
            continue;
        if (i == 0 || !rows[0] || strcmp(rows[0]->name, rows[1]->name) != 0)
            add_item(kind, sizeof(kind), "%s", rows[i]->name);
        add_conditions(evidence, sizeof(evidence), rows[i]);
    }
    status_set_text(st, STATUS_server_kind, kind[0] ? kind : "unknown\n");
    status_set_text(st, STATUS_server_evidence, evidence);
}

static void fill_quirks(l2tpc_status *st, const l2tpc_session *s, const struct dial_facts *f,
                        const struct server_row *const rows[2])
{
    char quirks[LIST_MAX] = "";

    for (unsigned bit = 1; server_quirk_name(bit); bit <<= 1)
        for (unsigned i = 0; i < 2; i++)
            if (f->server_quirks & bit && rows[i] && rows[i]->quirks & bit)
                add_item(quirks, sizeof(quirks), "%s (%s: %s)", server_quirk_name(bit),
                         rows[i]->origin, rows[i]->name);
    if (s->config.inner_port == L2TP_PORT)
        add_item(quirks, sizeof(quirks), "%s (option)", server_quirk_name(SERVER_PORT_1701));
    if (s->config.quirk_utf8_bytes)
        add_item(quirks, sizeof(quirks), "%s (option)", server_quirk_name(SERVER_UTF8));
    if (s->config.quirk_no_fragmentation)
        add_item(quirks, sizeof(quirks), "no-fragmentation (option)");
    if (s->config.quirk_no_path_mtu)
        add_item(quirks, sizeof(quirks), "no-path-mtu (option)");
    status_set_text(st, STATUS_server_quirks, quirks);
}

void status_fill_server(l2tpc_status *st, const l2tpc_session *s, const struct dial_facts *f)
{
    static const uint8_t no_cookie[sizeof(f->ike->cky_r)];
    const struct server_row *const rows[2] = {f->server.ike, f->server.l2tp};
    char suggestions[LIST_MAX] = "";
    char notes[LIST_MAX] = "";

    if (!f->ike || memcmp(f->ike->cky_r, no_cookie, sizeof(no_cookie)) == 0)
        return; /* it has not said anything yet */
    fill_kind(st, rows);
    fill_quirks(st, s, f, rows);
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned k = 0; rows[i] && k < rows[i]->n_suggestions; k++)
            add_item(suggestions, sizeof(suggestions), "%s", rows[i]->suggest[k]);
        if (rows[i] && rows[i]->note[0])
            add_item(notes, sizeof(notes), "%s", rows[i]->note);
    }
    status_set_text(st, STATUS_server_suggestions, suggestions);
    status_set_text(st, STATUS_server_notes, notes);
}
