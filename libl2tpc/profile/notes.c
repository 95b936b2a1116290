/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Notes: what people are told of a profile, by stable codes. */
#include "profile/internal.h"

#include <string.h>

#define VALUE_SHOWN 200 /* bytes; a hostile value may be a megabyte */

static const struct {
    const char *code;
    int severity;
    const char *sentence;
} rows[] = {
#define NOTE(id, code, severity, sentence) {code, L2TPC_PROFILE_##severity, sentence},
#include "profile/notes.def"
#undef NOTE
};

gboolean l2tpc_profile_note_at(unsigned index, l2tpc_profile_note *out)
{
    if (index >= N_NOTES || !out)
        return FALSE;
    *out = (l2tpc_profile_note){.code = rows[index].code,
                                .severity = rows[index].severity,
                                .sentence = rows[index].sentence};
    return TRUE;
}

const char *l2tpc_profile_severity_name(int severity)
{
    static const char *const names[] = {[L2TPC_PROFILE_ERROR] = "error",
                                        [L2TPC_PROFILE_WEAKNESS] = "weakness",
                                        [L2TPC_PROFILE_LOSS] = "loss",
                                        [L2TPC_PROFILE_DIFFERENCE] = "difference"};

    return severity >= 0 && (gsize)severity < G_N_ELEMENTS(names) ? names[severity] : "";
}

/* Fit for one line of a terminal: valid UTF-8, no control characters, not endless. */
static char *shown(const char *text)
{
    gsize n = text ? strnlen(text, VALUE_SHOWN + 1) : 0;
    bool cut = n > VALUE_SHOWN;
    char *part, *valid;
    GString *out;

    if (!text)
        return g_strdup("");
    part = g_strndup(text, MIN(n, VALUE_SHOWN));
    valid = g_utf8_make_valid(part, -1);
    g_free(part);
    out = g_string_new(NULL);
    for (const char *c = valid; *c; c = g_utf8_next_char(c)) {
        gunichar u = g_utf8_get_char(c);

        g_string_append_unichar(out, g_unichar_isprint(u) ? u : '?');
    }
    g_free(valid);
    if (cut)
        g_string_append(out, "...");
    return g_string_free(out, FALSE);
}

l2tpc_profile_note *note_new(enum note_id id, const char *key, const char *value)
{
    l2tpc_profile_note *n = g_new0(l2tpc_profile_note, 1);

    n->code = rows[id].code;
    n->severity = rows[id].severity;
    n->sentence = rows[id].sentence;
    n->key = shown(key);
    n->value = shown(value);
    return n;
}

void l2tpc_profile_note_free(l2tpc_profile_note *n)
{
    if (!n)
        return;
    g_free(n->key);
    g_free(n->value);
    g_free(n);
}

static void free_note(void *note)
{
    l2tpc_profile_note_free(note);
}

GPtrArray *notes_new(void)
{
    return g_ptr_array_new_with_free_func(free_note);
}

static bool same(const l2tpc_profile_note *a, const l2tpc_profile_note *b)
{
    return a->code == b->code && strcmp(a->key, b->key) == 0 && strcmp(a->value, b->value) == 0;
}

/* A note more than once says nothing new; a file may try to fill the memory with them. */
void notes_take(GPtrArray *notes, l2tpc_profile_note *note)
{
    const guint most = 200;

    for (guint i = 0; note && i < notes->len; i++)
        if (same(g_ptr_array_index(notes, i), note) || i + 1 == most) {
            l2tpc_profile_note_free(note);
            return;
        }
    if (note)
        g_ptr_array_add(notes, note);
}

void notes_add(GPtrArray *notes, enum note_id id, const char *key, const char *value)
{
    notes_take(notes, note_new(id, key, value));
}

bool notes_have_error(const GPtrArray *notes)
{
    for (guint i = 0; i < notes->len; i++)
        if (((const l2tpc_profile_note *)g_ptr_array_index(notes, i))->severity ==
            L2TPC_PROFILE_ERROR)
            return true;
    return false;
}

void notes_sort(GPtrArray *notes)
{
    for (guint i = 1; i < notes->len; i++) /* stable, and short lists */
        for (guint j = i; j > 0; j--) {
            l2tpc_profile_note *a = g_ptr_array_index(notes, j - 1);
            l2tpc_profile_note *b = g_ptr_array_index(notes, j);

            if (a->severity <= b->severity)
                break;
            notes->pdata[j - 1] = b;
            notes->pdata[j] = a;
        }
}

char *l2tpc_profile_note_text(const l2tpc_profile_note *note, const char *translated)
{
    GString *out = g_string_new(NULL);
    const char *at = translated ? translated : note->sentence;

    while (*at) {
        if (strncmp(at, "{key}", 5) == 0) {
            g_string_append(out, note->key);
            at += 5;
        } else if (strncmp(at, "{value}", 7) == 0) {
            g_string_append(out, note->value);
            at += 7;
        } else {
            g_string_append_c(out, *at++);
        }
    }
    return g_string_free(out, FALSE);
}
