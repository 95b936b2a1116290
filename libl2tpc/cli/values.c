/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers and prefixes as people write them. */
#include "cli/cli.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

bool parse_number(const char *text, unsigned least, unsigned most, unsigned *out)
{
    unsigned long v;

    if (!*text || strlen(text) > 9 || strspn(text, "0123456789") != strlen(text))
        return false;
    v = strtoul(text, NULL, 10);
    if (v < least || v > most)
        return false;
    *out = (unsigned)v;
    return true;
}

bool route_parse(const char *text, struct connect_options *o)
{
    l2tpc_host_addr *r = &o->route[o->n_routes];
    const char *slash = strchr(text, '/');
    unsigned most;
    unsigned prefix;
    char host[64];

    if ((size_t)snprintf(host, sizeof(host), "%.*s",
                         slash ? (int)(slash - text) : (int)strlen(text), text) >= sizeof(host))
        return false;
    if (inet_pton(AF_INET, host, r->bytes) == 1)
        r->family = 4;
    else if (inet_pton(AF_INET6, host, r->bytes) == 1)
        r->family = 6;
    else
        return false;
    most = r->family == 4 ? 32 : 128;
    prefix = most;
    if (slash && !parse_number(slash + 1, 0, most, &prefix))
        return false;
    r->prefix_len = (unsigned char)prefix;
    for (unsigned bit = prefix; bit < most; bit++) /* 10.1.2.3/8 means 10.0.0.0/8 */
        r->bytes[bit / 8] &= (unsigned char)~(0x80u >> bit % 8);
    o->n_routes++;
    return true;
}
