/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/http.h"

#include "wire/rd.h"

#include <stdio.h>
#include <string.h>

/* ---- requests ---- */

static bool is_printable(const char *s)
{
    for (; *s; s++)
        if (*s <= ' ' || *s >= 0x7f)
            return false;
    return true;
}

static bool copy(char *out, size_t cap, const char *from, size_t n)
{
    if (n == 0 || n >= cap)
        return false;
    memcpy(out, from, n);
    out[n] = '\0';
    return true;
}

static bool port_ok(const char *port)
{
    return strspn(port, "0123456789") == strlen(port) && strcmp(port, "0") != 0;
}

/* "host", "host:port", "[v6]:port" */
static bool split_authority(const char *at, size_t n, struct http_url *out)
{
    bool six = n > 0 && at[0] == '[';
    const char *end = six ? memchr(at, ']', n) : memchr(at, ':', n);
    const char *rest;

    if (memchr(at, '@', n) || (six && !end))
        return false;
    if (!end)
        end = at + n;
    rest = six ? end + 1 : end;
    if (!copy(out->host, sizeof(out->host), at + six, (size_t)(end - at) - six))
        return false;
    if (rest == at + n)
        return copy(out->port, sizeof(out->port), "80", 2);
    return *rest == ':' &&
           copy(out->port, sizeof(out->port), rest + 1, (size_t)(at + n - rest) - 1) &&
           port_ok(out->port);
}

bool http_url_split(const char *url, struct http_url *out)
{
    static const char scheme[] = "http://";
    const char *at = url + sizeof(scheme) - 1;
    size_t n;

    if (strncasecmp(url, scheme, sizeof(scheme) - 1) != 0 || !is_printable(url))
        return false;
    n = strcspn(at, "/?#");
    if (!split_authority(at, n, out))
        return false;
    at += n;
    n = strcspn(at, "#"); /* a fragment is the reader's business */
    if (at[0] == '/')
        return copy(out->path, sizeof(out->path), at, n);
    if (n + 2 > sizeof(out->path))
        return false;
    (void)snprintf(out->path, sizeof(out->path), "/%.*s", (int)n, at);
    return true;
}

size_t http_request(const struct http_url *u, const char *type, size_t n_body,
                    char out[HTTP_HEAD_MAX])
{
    bool six = strchr(u->host, ':') != NULL;
    char more[128] = "";
    int n;

    if (type)
        (void)snprintf(more, sizeof(more), "Content-Type: %s\r\nContent-Length: %zu\r\n", type,
                       n_body);
    n = snprintf(
        out, HTTP_HEAD_MAX, "%s %s HTTP/1.0\r\nHost: %s%s%s:%s\r\nConnection: close\r\n%s\r\n",
        type ? "POST" : "GET", u->path, six ? "[" : "", u->host, six ? "]" : "", u->port, more);
    return n > 0 && n < HTTP_HEAD_MAX ? (size_t)n : 0;
}

/* ---- answers ---- */

/* The bytes up to the next line feed, without it and a carriage return before it. */
static bool next_line(struct rd *r, struct span *out)
{
    struct rd at = *r;
    struct span all = rd_rest(&at);
    const uint8_t *end = all.n > 0 ? memchr(all.p, '\n', all.n) : NULL;

    if (!end || !rd_bytes(r, (size_t)(end - all.p) + 1, out))
        return false;
    out->n--;
    if (out->n > 0 && out->p[out->n - 1] == '\r')
        out->n--;
    return true;
}

/* "HTTP/1.x 200 ..." */
static bool is_success(struct span line)
{
    static const char form[] = "HTTP/1.? 200";

    if (line.n < sizeof(form) - 1 || (line.n > sizeof(form) - 1 && line.p[sizeof(form) - 1] != ' '))
        return false;
    for (size_t i = 0; i < sizeof(form) - 1; i++)
        if (form[i] != '?' && line.p[i] != (uint8_t)form[i])
            return false;
    return true;
}

/* The value of a header of that name, or nothing. */
static struct span value_of(struct span line, const char *name)
{
    size_t n = strlen(name);

    if (line.n <= n || strncasecmp((const char *)line.p, name, n) != 0 || line.p[n] != ':')
        return SPAN_NONE;
    line = span_of(line.p + n + 1, line.n - n - 1);
    while (line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t'))
        line = span_of(line.p + 1, line.n - 1);
    return line;
}

static bool read_number(struct span text, size_t *out)
{
    size_t n = 0;

    if (text.n == 0 || text.n > 9)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        n = 10 * n + (size_t)(text.p[i] - '0');
    }
    *out = n;
    return true;
}

enum http_result http_response(struct span raw, bool end, struct span *body)
{
    struct rd r = rd_of(raw);
    size_t length = SIZE_MAX;
    bool first = true;
    struct span line;

    for (;;) {
        if (!next_line(&r, &line))
            return end || raw.n > HTTP_HEAD_MAX ? HTTP_BAD : HTTP_MORE;
        if (raw.n - rd_left(&r) > HTTP_HEAD_MAX || (first && !is_success(line)))
            return HTTP_BAD;
        first = false;
        if (line.n == 0)
            break;
        if (value_of(line, "Transfer-Encoding").n > 0 || value_of(line, "Content-Encoding").n > 0 ||
            (value_of(line, "Content-Length").n > 0 &&
             !read_number(value_of(line, "Content-Length"), &length)))
            return HTTP_BAD;
    }
    if (rd_left(&r) > HTTP_BODY_MAX || (length != SIZE_MAX && length > HTTP_BODY_MAX))
        return HTTP_BAD;
    if (length == SIZE_MAX && !end)
        return HTTP_MORE;
    if (length != SIZE_MAX && length > rd_left(&r))
        return end ? HTTP_BAD : HTTP_MORE;
    return rd_bytes(&r, length == SIZE_MAX ? rd_left(&r) : length, body) ? HTTP_DONE : HTTP_BAD;
}
