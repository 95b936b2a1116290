/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers of a web server, and URIs out of certificates. First byte: which, and whether it ends. */
#include "fuzz.h"

#include "io/http.h"

#include <string.h>

static void url(struct span raw)
{
    struct http_url u;
    char text[1024];
    char head[HTTP_HEAD_MAX];
    size_t n = raw.n < sizeof(text) ? raw.n : sizeof(text) - 1;

    memcpy(text, raw.p, n);
    text[n] = '\0';
    if (!http_url_split(text, &u))
        return;
    FUZZ_REQUIRE(u.host[0] && u.port[0] && u.path[0] == '/');
    n = http_request(&u, NULL, 0, head);
    FUZZ_REQUIRE(n > 0 && n < sizeof(head) && strlen(head) == n);
    /* Nothing of a URI becomes a line of its own. */
    n = 0;
    for (const char *p = strstr(head, "\r\n"); p; p = strstr(p + 2, "\r\n"))
        n++;
    FUZZ_REQUIRE(n == 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span body = SPAN_NONE;
    struct mspan raw;

    if (size < 2)
        return 0;
    raw = fuzz_copy(span_of(data + 1, size - 1));
    if (data[0] & 2)
        url(span_ro(raw));
    else if (http_response(span_ro(raw), data[0] & 1, &body) == HTTP_DONE)
        FUZZ_REQUIRE(body.n <= HTTP_BODY_MAX &&
                     (body.n == 0 || (body.p >= raw.p && body.p + body.n <= raw.p + raw.n)));
    free(raw.p);
    return 0;
}
