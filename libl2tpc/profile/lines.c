/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts line by line. */
#include "profile/internal.h"

#include <string.h>

char *line_next(struct lines *l)
{
    const char *begin = l->at;
    const char *end;

    if (!*begin)
        return NULL;
    end = begin + strcspn(begin, "\n");
    l->at = end + (*end == '\n');
    while (begin < end && g_ascii_isspace(*begin))
        begin++;
    while (end > begin && g_ascii_isspace(end[-1]))
        end--;
    return secret_dup(begin, (gsize)(end - begin));
}

bool has_prefix_ci(const char *text, const char *prefix)
{
    return g_ascii_strncasecmp(text, prefix, strlen(prefix)) == 0;
}

bool contains_ci(const char *text, const char *needle)
{
    return strcasestr(text, needle) != NULL;
}

bool text_has_line(const char *text, const char *beginning)
{
    for (const char *at = text; *at;) {
        at += strspn(at, " \t\r\n");
        if (has_prefix_ci(at, beginning))
            return true;
        at += strcspn(at, "\n");
    }
    return false;
}

char **line_words(const char *line)
{
    char **words = NULL;

    return g_shell_parse_argv(line, NULL, &words, NULL) ? words : NULL;
}

void words_free(char **words)
{
    for (gsize i = 0; words && words[i]; i++)
        secret_free(words[i]);
    g_free(words);
}
