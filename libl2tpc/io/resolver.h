/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looks up a server's addresses without blocking the loop: getaddrinfo() in a thread of its own.
 * The answer comes in the loop's thread, always later, never from inside resolve_start().
 */
#ifndef L2TPC_IO_RESOLVER_H
#define L2TPC_IO_RESOLVER_H

#include "base/addr.h"
#include "base/failure.h"
#include "io/dns.h"
#include "io/work.h"

/* Addresses in the system's order, without duplicates, at most DIAL_ADDRESSES_MAX; or n is 0 and
 * `failure` says why. The request is over when this is called. */
typedef void (*resolve_fn)(void *user, const struct inaddr *addresses, unsigned n,
                           const struct failure *failure);

/*
 * A name (international ones in UTF-8), or a literal with or without brackets. NULL: no memory or
 * no thread; a literal needs none. To be ended by work_cancel() unless the answer has come; the
 * thread may go on for as long as the system's resolver takes.
 */
struct work *resolve_start(struct loop *loop, const char *name, resolve_fn fn, void *user);

/* The same past a tunnel: `servers` are asked first, the system's resolver when that brings
 * nothing.
 */
struct work *resolve_start_past(struct loop *loop, const char *name,
                                const struct dns_servers *servers, const struct port_options *ports,
                                resolve_fn fn, void *user);

#endif
