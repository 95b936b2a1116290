/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/sockaddr.h"

#include <arpa/inet.h>
#include <string.h>

socklen_t sockaddr_from(union sockaddr_any *out, const struct endpoint *e)
{
    memset(out, 0, sizeof(*out));
    if (e->addr.family == 4) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(e->port);
        memcpy(&out->v4.sin_addr, e->addr.bytes, 4);
        return sizeof(out->v4);
    }
    if (e->addr.family == 6) {
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = htons(e->port);
        out->v6.sin6_scope_id = e->scope;
        memcpy(&out->v6.sin6_addr, e->addr.bytes, 16);
        return sizeof(out->v6);
    }
    return 0;
}

bool sockaddr_read(const union sockaddr_any *in, struct endpoint *out)
{
    if (in->sa.sa_family == AF_INET) {
        *out = (struct endpoint){.addr.family = 4, .port = ntohs(in->v4.sin_port)};
        memcpy(out->addr.bytes, &in->v4.sin_addr, 4);
        return true;
    }
    if (in->sa.sa_family == AF_INET6) {
        *out = (struct endpoint){.addr.family = 6, .port = ntohs(in->v6.sin6_port)};
        memcpy(out->addr.bytes, &in->v6.sin6_addr, 16);
        if (IN6_IS_ADDR_LINKLOCAL(&in->v6.sin6_addr))
            out->scope = in->v6.sin6_scope_id;
        return true;
    }
    return false;
}
