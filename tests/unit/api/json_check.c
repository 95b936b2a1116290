/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "json_check.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>

#define DEPTH_MAX 16

static const char *value(const char *p, unsigned depth);

static const char *space(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

static const char *string(const char *p)
{
    if (*p++ != '"')
        return NULL;
    for (; *p != '"'; p++) {
        if ((unsigned char)*p < 0x20)
            return NULL;
        if (*p != '\\')
            continue;
        p++;
        if (*p == 'u') {
            for (unsigned i = 1; i <= 4; i++)
                if (!isxdigit((unsigned char)p[i]))
                    return NULL;
            p += 4;
        } else if (*p == '\0' || !strchr("\"\\/bfnrt", *p)) {
            return NULL;
        }
    }
    return p + 1;
}

static const char *digits(const char *p)
{
    size_t n = strspn(p, "0123456789");

    return n ? p + n : NULL;
}

static const char *number(const char *p)
{
    if (*p == '-')
        p++;
    if (p[0] == '0' && isdigit((unsigned char)p[1]))
        return NULL;
    p = digits(p);
    if (p && *p == '.')
        p = digits(p + 1);
    if (p && (*p == 'e' || *p == 'E'))
        p = digits(p + 1 + (p[1] == '+' || p[1] == '-'));
    return p;
}

/* The items of an object or array, from behind its bracket to behind the other one. */
static const char *items(const char *p, bool object, unsigned depth)
{
    char end = object ? '}' : ']';

    p = space(p);
    if (*p == end)
        return p + 1;
    for (;;) {
        if (object) {
            p = string(space(p));
            if (!p || *(p = space(p)) != ':')
                return NULL;
            p++;
        }
        p = value(space(p), depth + 1);
        if (!p)
            return NULL;
        p = space(p);
        if (*p == end)
            return p + 1;
        if (*p++ != ',')
            return NULL;
    }
}

static const char *value(const char *p, unsigned depth)
{
    static const char *const words[] = {"true", "false", "null"};

    if (depth > DEPTH_MAX)
        return NULL;
    if (*p == '{' || *p == '[')
        return items(p + 1, *p == '{', depth);
    if (*p == '"')
        return string(p);
    for (unsigned i = 0; i < 3; i++)
        if (strncmp(p, words[i], strlen(words[i])) == 0)
            return p + strlen(words[i]);
    return number(p);
}

bool json_is_valid(const char *text)
{
    const char *end = text ? value(space(text), 0) : NULL;

    return end && *space(end) == '\0' && text_is_utf8(span_str(text));
}
