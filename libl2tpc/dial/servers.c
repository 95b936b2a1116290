/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking a server up in the table. */
#include "dial/servers.h"

#include "base/text.h"
#include "dial/servers_builtin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct servers *servers_new(void)
{
    struct servers *s = calloc(1, sizeof(*s));
    struct servers_problem problem;

    if (!s)
        return NULL;
    s->built_in = servers_parse("built-in", span_of(servers_builtin, servers_builtin_n),
                                SERVERS_ROWS_MAX, &s->n_rows, &problem);
    if (!s->built_in) {
        free(s);
        return NULL;
    }
    return s;
}

void servers_rows_free(struct server_row *rows)
{
    while (rows) {
        struct server_row *next = rows->next;

        free(rows);
        rows = next;
    }
}

void servers_free(struct servers *s)
{
    if (!s)
        return;
    servers_rows_free(s->own);
    servers_rows_free(s->built_in);
    free(s);
}

bool servers_add(struct servers *s, const char *origin, struct span file,
                 struct servers_problem *out_problem)
{
    unsigned n = 0;
    struct server_row *rows;
    char safe[SERVER_NAME_MAX];

    text_escape(safe, sizeof(safe), span_str(origin));
    rows = servers_parse(safe, file, SERVERS_ROWS_MAX - s->n_rows, &n, out_problem);
    if (!rows)
        return false;
    if (s->own_last)
        s->own_last->next = rows;
    else
        s->own = rows;
    while (rows->next)
        rows = rows->next;
    s->own_last = rows;
    s->n_rows += n;
    return true;
}

static const struct server_row *first(const struct servers *s)
{
    return s->own ? s->own : s->built_in;
}

static const struct server_row *after(const struct servers *s, const struct server_row *row)
{
    return row == s->own_last ? s->built_in : row->next;
}

const struct server_row *servers_at(const struct servers *s, unsigned index)
{
    const struct server_row *row = first(s);

    while (row && index-- > 0)
        row = after(s, row);
    return row;
}

static bool bytes_hold(const struct server_condition *c, const uint8_t *p, size_t n, size_t kept)
{
    return (c->prefix ? n >= c->n : n == c->n) && c->n <= kept && memcmp(p, c->bytes, c->n) == 0;
}

static bool id_holds(const struct server_condition *c, const struct ike_vendor_bytes *id)
{
    return bytes_hold(c, id->bytes, id->n, sizeof(id->bytes));
}

static bool any_id_holds(const struct server_condition *c, const struct ike_facts *ike)
{
    for (unsigned i = 0; i < ike->n_vendor_ids; i++)
        if (id_holds(c, &ike->vendor_bytes[i]))
            return true;
    return false;
}

static bool text_holds(const struct server_condition *c, const char *text)
{
    size_t n = strlen(text);

    return bytes_hold(c, (const uint8_t *)text, n, n);
}

static bool holds(const struct server_condition *c, const struct ike_facts *ike,
                  const struct l2tp_facts *l2tp)
{
    switch (c->test) {
    case TEST_VENDOR_ID:
        return any_id_holds(c, ike);
    case TEST_NO_VENDOR_ID:
        return !any_id_holds(c, ike);
    case TEST_FIRST_VENDOR_ID:
        return ike->n_vendor_ids > 0 && id_holds(c, &ike->vendor_bytes[0]);
    case TEST_VENDOR_IDS_AT_MOST:
        return ike->n_vendor_ids <= c->number;
    case TEST_L2TP_VENDOR:
        return l2tp && text_holds(c, l2tp->peer_vendor);
    case TEST_L2TP_HOST:
        return l2tp && text_holds(c, l2tp->peer_hostname);
    case TEST_L2TP_FIRMWARE:
        return l2tp && l2tp->peer_firmware == c->number;
    }
    return false;
}

static bool row_holds(const struct server_row *row, const struct ike_facts *ike,
                      const struct l2tp_facts *l2tp)
{
    for (unsigned i = 0; i < row->n_conditions; i++)
        if (!holds(&row->condition[i], ike, l2tp))
            return false;
    return true;
}

struct server_verdict servers_judge(const struct servers *s, const struct ike_facts *ike,
                                    const struct l2tp_facts *l2tp)
{
    static const uint8_t no_cookie[sizeof(ike->cky_r)];
    struct server_verdict v = {NULL, NULL};

    if (!s || !ike || memcmp(ike->cky_r, no_cookie, sizeof(no_cookie)) == 0)
        return v; /* before message 2 nothing is known */
    if (l2tp && l2tp->peer_tunnel_id == 0)
        l2tp = NULL;
    for (const struct server_row *row = first(s); row; row = after(s, row)) {
        if (row->level == SERVER_BY_IKE && !v.ike && row_holds(row, ike, l2tp))
            v.ike = row;
        if (row->level == SERVER_BY_L2TP && l2tp && !v.l2tp && row_holds(row, ike, l2tp))
            v.l2tp = row;
    }
    return v;
}

unsigned server_verdict_quirks(const struct server_verdict *v)
{
    return (v->ike ? v->ike->quirks : 0) | (v->l2tp ? v->l2tp->quirks : 0);
}
