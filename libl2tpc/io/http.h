/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * As much of HTTP as it takes to ask a CA about a certificate: one request, one answer, no TLS
 * (what comes is signed), no redirects, no coding of its own. Text in, text out; io/fetch.h has the
 * sockets.
 */
#ifndef L2TPC_IO_HTTP_H
#define L2TPC_IO_HTTP_H

#include "base/span.h"

#define HTTP_HOST_MAX 254
#define HTTP_PATH_MAX 512
#define HTTP_HEAD_MAX 8192
#define HTTP_BODY_MAX (1u << 20)

struct http_url {
    char host[HTTP_HOST_MAX]; /* without brackets */
    char port[6];
    char path[HTTP_PATH_MAX]; /* with the query */
};

/* False for another scheme, a user name in it, or anything but printable ASCII. */
bool http_url_split(const char *url, struct http_url *out) MUST_USE;
/* The head of a GET, or of a POST of `n_body` bytes of that type; its length. */
size_t http_request(const struct http_url *url, const char *type, size_t n_body,
                    char out[HTTP_HEAD_MAX]);

enum http_result {
    HTTP_MORE, /* so far so good */
    HTTP_DONE, /* `body` is there */
    HTTP_BAD,  /* not 200, or not understood, or too much */
};

/* `end`: nothing more will come. */
enum http_result http_response(struct span raw, bool end, struct span *body);

#endif
