/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The little HTTP that asks a CA: URIs of certificates, and answers of anybody. */
#include "check.h"
#include "io/fetch.h"
#include "io/http.h"

#include <stdlib.h>
#include <string.h>

TEST(http_urls)
{
    static const struct {
        const char *url, *host, *port, *path; /* host NULL: refused */
    } rows[] = {
        {"http://ca.example.com/a?b=c#d", "ca.example.com", "80", "/a?b=c"},
        {"HTTP://ca.example.com:8080", "ca.example.com", "8080", "/"},
        {"http://[2001:db8::1]:81/x", "2001:db8::1", "81", "/x"},
        {"http://[2001:db8::1]", "2001:db8::1", "80", "/"},
        {"http://ca.example.com?q", "ca.example.com", "80", "/?q"},
        {"https://ca.example.com/", NULL, NULL, NULL},
        {"ldap://ca.example.com/", NULL, NULL, NULL},
        {"file:///etc/passwd", NULL, NULL, NULL},
        {"http://user:pw@ca.example.com/", NULL, NULL, NULL},
        {"http:///x", NULL, NULL, NULL},
        {"http://ca.example.com:/", NULL, NULL, NULL},
        {"http://ca.example.com:0/", NULL, NULL, NULL},
        {"http://ca.example.com:x/", NULL, NULL, NULL},
        {"http://ca.example.com:123456/", NULL, NULL, NULL},
        {"http://[2001:db8::1/", NULL, NULL, NULL},
        {"http://ca.example.com/a b", NULL, NULL, NULL},
        {"http://ca.example.com/\r\nX: y", NULL, NULL, NULL},
        {"http://ca.\xc3\xa4.com/", NULL, NULL, NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_url u;

        CHECK_INT(http_url_split(rows[i].url, &u), rows[i].host != NULL);
        if (!rows[i].host)
            continue;
        CHECK_STR(u.host, rows[i].host);
        CHECK_STR(u.port, rows[i].port);
        CHECK_STR(u.path, rows[i].path);
    }
}

TEST(http_requests)
{
    struct http_url u;
    char head[HTTP_HEAD_MAX];
    size_t n;

    CHECK(http_url_split("http://[2001:db8::1]:81/x", &u));
    n = http_request(&u, NULL, 0, head);
    CHECK_INT(n, strlen(head));
    CHECK_STR(head, "GET /x HTTP/1.0\r\nHost: [2001:db8::1]:81\r\nConnection: close\r\n\r\n");
    CHECK(http_request(&u, "application/ocsp-request", 77, head) > 0);
    CHECK(strstr(head, "POST /x HTTP/1.0\r\n"));
    CHECK(strstr(head, "\r\nContent-Length: 77\r\n"));
}

TEST(http_answers)
{
    static const struct {
        const char *raw;
        bool end;
        enum http_result want;
        const char *body;
    } rows[] = {
        {"HTTP/1.0 200 OK\r\n\r\nhello", true, HTTP_DONE, "hello"},
        {"HTTP/1.1 200\n\nhello", true, HTTP_DONE, "hello"},
        {"HTTP/1.0 200 OK\r\n\r\nhello", false, HTTP_MORE, NULL},
        {"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello", false, HTTP_DONE, "hello"},
        {"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nhello", false, HTTP_DONE, "hell"},
        {"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello", false, HTTP_MORE, NULL},
        {"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello", true, HTTP_BAD, NULL},
        {"HTTP/1.0 200 OK\r\nContent-Length: 1048577\r\n\r\n", false, HTTP_BAD, NULL},
        {"HTTP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n", false, HTTP_BAD, NULL},
        {"HTTP/1.0 200 OK\r\nContent-Length: 99999999999\r\n\r\n", false, HTTP_BAD, NULL},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello", true, HTTP_BAD, NULL},
        {"HTTP/1.0 302 Found\r\nLocation: http://evil/\r\n\r\n", true, HTTP_BAD, NULL},
        {"HTTP/1.0 2000 OK\r\n\r\n", true, HTTP_BAD, NULL},
        {"HTTP/2.0 200 OK\r\n\r\n", true, HTTP_BAD, NULL},
        {"ICY 200 OK\r\n\r\n", false, HTTP_BAD, NULL},
        {"HTTP/1.0 200 OK\r\n", false, HTTP_MORE, NULL},
        {"HTTP/1.0 200 OK\r\n", true, HTTP_BAD, NULL},
        {"", false, HTTP_MORE, NULL},
        {"", true, HTTP_BAD, NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span body = SPAN_NONE;

        CHECK_INT(http_response(span_str(rows[i].raw), rows[i].end, &body), rows[i].want);
        if (rows[i].body)
            CHECK_MEM(body.p, body.n, rows[i].body, strlen(rows[i].body));
    }
}

TEST(http_bounds)
{
    static const char head[] = "HTTP/1.0 200 OK\r\n\r\n";
    size_t n = sizeof(head) - 1 + HTTP_BODY_MAX + 1;
    uint8_t *raw = malloc(n);
    struct span body;

    CHECK(raw);
    memset(raw, 'x', n);
    CHECK_INT(http_response(span_of(raw, HTTP_HEAD_MAX), false, &body), HTTP_MORE);
    CHECK_INT(http_response(span_of(raw, HTTP_HEAD_MAX + 1), false, &body), HTTP_BAD);
    memcpy(raw, head, sizeof(head) - 1);
    CHECK_INT(http_response(span_of(raw, n - 1), true, &body), HTTP_DONE);
    CHECK_INT(body.n, HTTP_BODY_MAX);
    CHECK_INT(http_response(span_of(raw, n), false, &body), HTTP_BAD);
    free(raw);
}

/* A certificate must not make us talk to this computer or to what only the link reaches. */
TEST(http_fetch_keeps_away_from_this_computer)
{
    static const char *const urls[] = {"http://127.0.0.1:80/",
                                       "http://localhost/",
                                       "http://[::1]/",
                                       "http://0.0.0.0/",
                                       "http://169.254.169.254/latest/meta-data",
                                       "http://[fe80::1]/",
                                       "http://224.0.0.1/",
                                       "http://[::ffff:127.0.0.1]/"};

    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct fetch f = {.url = urls[i], .deadline = US_NEVER};
        uint8_t *out = NULL;
        size_t n;

        CHECK(!fetch_http(&f, &out, &n));
        CHECK(!out);
    }
}
