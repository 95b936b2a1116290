/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "doctor/catalogue.h"

#include <stdio.h>
#include <string.h>

#define N_(s) s

static const struct catalogue_row rows[] = {
#define FAILURE(id, code, stage, windows, sentence, hint)                                          \
    {FAILURE_##id, code, STAGE_##stage, windows, sentence, hint},
#include "base/failure.def"
#undef FAILURE
};

const struct catalogue_row *catalogue_at(unsigned index)
{
    return index < ARRAY_LEN(rows) ? &rows[index] : NULL;
}

const struct catalogue_row *catalogue_find(const char *code)
{
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        if (strcmp(rows[i].code, code) == 0)
            return &rows[i];
    return NULL;
}

const struct catalogue_row *catalogue_of(enum failure_id id)
{
    return id == FAILURE_NONE ? NULL : catalogue_at((unsigned)id - 1);
}

/* The text of one placeholder, or NULL when the name is not one of ours. */
static const char *argument(struct span name, const struct failure *f, const char *server,
                            char number[16])
{
    if (span_eq(name, span_str("server")))
        return server;
    if (span_eq(name, span_str("waited_for")))
        return f->waited_for;
    if (span_eq(name, span_str("peer_text")))
        return f->peer_text[0] ? f->peer_text : "-";
    if (span_eq(name, span_str("value")))
        return f->value;
    if (span_eq(name, span_str("expected")))
        return f->expected[0] ? f->expected : server;
    if (span_eq(name, span_str("sends")))
        (void)snprintf(number, 16, "%u", f->sends);
    else if (span_eq(name, span_str("peer_code")))
        (void)snprintf(number, 16, "%u", f->peer_code);
    else
        return NULL;
    return number;
}

struct sink {
    char *out;
    size_t cap, need;
};

static void put(struct sink *s, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++, s->need++)
        if (s->need + 1 < s->cap)
            s->out[s->need] = text[i];
}

size_t failure_render(const char *template_text, const struct failure *f, const char *server,
                      char *out, size_t cap)
{
    struct sink s = {.out = out, .cap = cap};

    for (const char *t = template_text; *t;) {
        const char *end = *t == '{' ? strchr(t, '}') : NULL;
        char number[16];
        const char *value = NULL;

        if (end)
            value = argument(span_of(t + 1, (size_t)(end - t - 1)), f, server, number);
        if (value) {
            put(&s, value, strlen(value));
            t = end + 1;
        } else {
            put(&s, t++, 1);
        }
    }
    if (cap > 0)
        out[s.need < cap ? s.need : cap - 1] = '\0';
    return s.need;
}
