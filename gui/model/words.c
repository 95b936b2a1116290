/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "model/words.h"

#include <l2tpc.h>
#include <string.h>

static const struct {
    const char *word, *icon, *style;
} states[] = {
    [L2D_STATE_OFF] = {N_("Not connected"), "net.l2tpc.Dialer-off-symbolic", "dim-label"},
    [L2D_STATE_DIALING] = {N_("Connecting"), "net.l2tpc.Dialer-busy-symbolic", "accent"},
    [L2D_STATE_UP] = {N_("Connected"), "net.l2tpc.Dialer-on-symbolic", "success"},
    [L2D_STATE_RECONNECTING] = {N_("Reconnecting"), "net.l2tpc.Dialer-busy-symbolic", "warning"},
    [L2D_STATE_CLOSING] = {N_("Disconnecting"), "net.l2tpc.Dialer-busy-symbolic", "dim-label"},
    [L2D_STATE_FAILED] = {N_("Failed"), "net.l2tpc.Dialer-failed-symbolic", "error"},
};

const char *l2d_words_state(L2dState state)
{
    return _(states[state].word);
}

const char *l2d_words_state_icon(L2dState state)
{
    return states[state].icon;
}

const char *l2d_words_state_style(L2dState state)
{
    return states[state].style;
}

char *l2d_words_duration(gint64 s)
{
    if (s < 0)
        s = 0;
    return g_strdup_printf("%" G_GINT64_FORMAT ":%02d:%02d", s / 3600, (int)(s / 60 % 60),
                           (int)(s % 60));
}

char *l2d_words_remaining(gint64 s)
{
    if (s < 0)
        s = 0;
    /* TRANSLATORS: hours and minutes, then minutes and seconds, abbreviated. */
    return s >= 3600 ? g_strdup_printf(_("%d h %d min"), (int)(s / 3600), (int)(s / 60 % 60))
                     : g_strdup_printf(_("%d min %d s"), (int)(s / 60), (int)(s % 60));
}

/* Values that the status has one word for; each is looked up as it stands. */
/* TRANSLATORS: values in a table of facts about the tunnel: how good a key is, which way a dial
 * took, where a secret comes from. The English word is also the one of l2tpc status. */
static const char *const marked[] G_GNUC_UNUSED = {
    N_("unknown"), N_("none"),          N_("good"),          N_("weak"),       N_("very-weak"),
    N_("revoked"), N_("unreadable"),    N_("other-server"),  N_("used"),       N_("learned"),
    N_("asked"),   N_("one-ike-suite"), N_("one-esp-suite"), N_("whole-list"), N_("address"),
};

/* Words such as "yes", and sentences, are msgids; numbers and names come back as they are. */
static char *words_of_lines(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (guint i = 0; lines[i]; i++) {
        const char *said = *lines[i] ? _(lines[i]) : "";

        if (said != lines[i]) {
            char *old = lines[i];

            lines[i] = g_strdup(said);
            g_free(old);
        }
    }
    return g_strjoinv("\n", lines);
}

char *l2d_words_value(const L2dSnapshot *snapshot, const char *path)
{
    const char *text = l2d_snapshot_get(snapshot, path);
    const char *key = strrchr(path, '.');

    if (!*text)
        return g_strdup("");
    if (key && g_str_has_prefix(key, ".bytes_"))
        return g_format_size_full(l2d_snapshot_get_number(snapshot, path),
                                  G_FORMAT_SIZE_LONG_FORMAT);
    return words_of_lines(text);
}

char *l2d_words_bytes(guint64 bytes)
{
    return g_format_size(bytes);
}

char *l2d_words_rate(double rate)
{
    char *size = g_format_size(rate > 0 ? (guint64)rate : 0);
    /* TRANSLATORS: an amount of data in each second: "1.2 MB/s". */
    char *text = g_strdup_printf(_("%s/s"), size);

    g_free(size);
    return text;
}

char *l2d_words_time(double ms)
{
    /* TRANSLATORS: milliseconds and seconds, abbreviated. */
    return ms < 999.5 ? g_strdup_printf(_("%.0f ms"), ms) : g_strdup_printf(_("%.2f s"), ms / 1000);
}

/*
 * Reads the places of a template back from the English text that was made of it: each place takes
 * what stands before the next fixed piece. FALSE when the text was not made of this template.
 */
static gboolean places_of(const char *template, const char *english, GHashTable *out)
{
    while (*template) {
        const char *open = template;
        const char *close;
        const char *next;
        const char *found;
        char *fixed;

        if (*template != '{') {
            if (*template ++ != *english++)
                return FALSE;
            continue;
        }
        close = strchr(template, '}');
        if (!close)
            return FALSE;
        next = close + 1;
        fixed = g_strndup(next, strcspn(next, "{"));
        found = *fixed ? strstr(english, fixed) : english + strlen(english);
        if (found && !next[strlen(fixed)] && *fixed) /* the last piece ends the text */
            found =
                g_str_has_suffix(english, fixed) ? english + strlen(english) - strlen(fixed) : NULL;
        g_free(fixed);
        if (!found)
            return FALSE;
        g_hash_table_insert(out, g_strndup(open + 1, (gsize)(close - open - 1)),
                            g_strndup(english, (gsize)(found - english)));
        english = found;
        template = next;
    }
    return *english == '\0';
}

static char *fill(const char *template, GHashTable *places)
{
    GString *out = g_string_new(NULL);

    while (*template) {
        const char *close = *template == '{' ? strchr(template, '}') : NULL;

        if (close) {
            char *name = g_strndup(template + 1, (gsize)(close - template - 1));
            const char *value = g_hash_table_lookup(places, name);

            g_string_append(out, value ? value : "");
            g_free(name);
            template = close + 1;
        } else {
            g_string_append_c(out, *template ++);
        }
    }
    return g_string_free(out, FALSE);
}

/* A translation of one of these, or the text as it is: names of algorithms, addresses, numbers. */
char *l2d_words_evidence(const char *english)
{
    static const char *const templates[] = {
        N_("kernel {kernel}, engine {engine}"),
        N_("tunnel {tunnel}, session {session}"),
        N_("no observer"),
    };
    char *text = NULL;

    for (guint i = 0; !text && i < G_N_ELEMENTS(templates); i++) {
        GHashTable *places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

        if (places_of(templates[i], english, places))
            text = fill(_(templates[i]), places);
        g_hash_table_unref(places);
    }
    return text ? text : g_strdup(english);
}

char *l2d_words_failure(const char *code, gboolean hint, const char *english)
{
    l2tpc_explanation row = {.size = sizeof(row)};
    GHashTable *places;
    const char *msgid;
    char *text = NULL;

    if (l2tpc_explain(code, &row) != L2TPC_OK)
        return g_strdup(english);
    msgid = hint ? row.hint : row.sentence;
    if (!*msgid)
        return g_strdup(english);
    places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (places_of(msgid, english, places))
        text = fill(_(msgid), places);
    g_hash_table_unref(places);
    return text ? text : g_strdup(english);
}
