/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/redaction.h"

#include <string.h>

/* Of IPv4, IPv6, Ethernet and mail, in this order. */
#define ADDRESS                                                                                    \
    "(?<![\\w.])(?:[0-9]{1,3}\\.){3}[0-9]{1,3}(?![\\w])"                                           \
    "|(?<![\\w:])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![\\w:])"                                     \
    "|(?<![\\w:])(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6})?::"                                      \
    "(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6})?(?![\\w:])"                                          \
    "|(?<![\\w:])(?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?![\\w:])"                                         \
    "|[\\w.+-]+@[\\w-]+(?:\\.[\\w-]+)+"

struct L2dRedaction {
    GHashTable *labels; /* word in one case -> what stands in its place */
    GHashTable *counts; /* kind -> how many */
    GPtrArray *words;   /* as they were given */
};

L2dRedaction *l2d_redaction_new(void)
{
    L2dRedaction *r = g_new0(L2dRedaction, 1);

    r->labels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    r->counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    r->words = g_ptr_array_new_with_free_func(g_free);
    return r;
}

void l2d_redaction_free(L2dRedaction *r)
{
    if (!r)
        return;
    g_hash_table_unref(r->labels);
    g_hash_table_unref(r->counts);
    g_ptr_array_unref(r->words);
    g_free(r);
}

static const char *label_of(L2dRedaction *r, const char *kind, const char *word)
{
    char *key = g_utf8_casefold(word, -1);
    char *label = g_hash_table_lookup(r->labels, key);
    guint n;

    if (label) {
        g_free(key);
        return label;
    }
    n = GPOINTER_TO_UINT(g_hash_table_lookup(r->counts, kind)) + 1;
    g_hash_table_insert(r->counts, g_strdup(kind), GUINT_TO_POINTER(n));
    label = g_strdup_printf("[%s %u]", kind, n);
    g_hash_table_insert(r->labels, key, label);
    return label;
}

void l2d_redaction_add(L2dRedaction *r, const char *kind, const char *text)
{
    g_auto(GStrv) items = g_strsplit(text, "\n", -1);

    for (guint i = 0; items[i]; i++) {
        if (!*g_strstrip(items[i]) || !g_utf8_validate(items[i], -1, NULL))
            continue;
        (void)label_of(r, kind, items[i]);
        g_ptr_array_add(r->words, g_strdup(items[i]));
    }
}

/* What holds another word goes first. */
static int by_length(gconstpointer a, gconstpointer b)
{
    gsize left = strlen(*(const char *const *)a);
    gsize right = strlen(*(const char *const *)b);

    return left < right ? 1 : left > right ? -1 : 0;
}

static gboolean put(const GMatchInfo *match, GString *out, gpointer user)
{
    g_autofree char *word = g_match_info_fetch(match, 0);

    g_string_append(out, label_of(user, "address", word));
    return FALSE;
}

char *l2d_redaction_apply(L2dRedaction *r, const char *text)
{
    g_autoptr(GString) pattern = g_string_new(NULL);
    g_autoptr(GRegex) regex = NULL;
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    char *out;

    g_ptr_array_sort(r->words, by_length);
    for (guint i = 0; i < r->words->len; i++) {
        g_autofree char *word = g_regex_escape_string(g_ptr_array_index(r->words, i), -1);

        g_string_append_printf(pattern, "(?<!\\w)%s(?!\\w)|", word);
    }
    g_string_append(pattern, ADDRESS);
    regex = g_regex_new(pattern->str, G_REGEX_CASELESS, 0, NULL);
    out = regex ? g_regex_replace_eval(regex, valid, -1, 0, 0, put, r, NULL) : NULL;
    return out ? out : g_strdup(""); /* rather nothing than what nobody has looked through */
}
