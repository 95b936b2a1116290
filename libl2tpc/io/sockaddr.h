/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between the kernel's socket addresses and ours. */
#ifndef L2TPC_IO_SOCKADDR_H
#define L2TPC_IO_SOCKADDR_H

#include "base/addr.h"

#include <netinet/in.h>
#include <sys/socket.h>

union sockaddr_any {
    struct sockaddr sa;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage storage;
};

/* Returns the length, 0 for an endpoint without a family. */
socklen_t sockaddr_from(union sockaddr_any *out, const struct endpoint *e);
/* False, with `out` untouched, for other families. */
bool sockaddr_read(const union sockaddr_any *in, struct endpoint *out) MUST_USE;

#endif
