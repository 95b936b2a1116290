/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looks names up past a tunnel that is up or was lost, by the name servers that were there before
 * it, over sockets that carry the mark of the outer packets; for a thread that may wait. The
 * system's own resolver would ask the servers of the tunnel, through it.
 */
#ifndef L2TPC_IO_DNS_H
#define L2TPC_IO_DNS_H

#include "base/clock.h"
#include "io/ports.h"

#define DNS_SERVERS_MAX 3

struct dns_servers {
    struct inaddr at[DNS_SERVERS_MAX];
    unsigned n;
};

/* Those of /etc/resolv.conf; of systemd-resolved, when that is the only one there, those that it
 * asks itself. */
void dns_servers_read(struct dns_servers *out);
/* How many addresses; 0: nobody knows one, or nobody has answered in time. Does nothing unless
 * `ports` can open marked sockets. */
unsigned dns_look_up(const struct dns_servers *servers, const struct port_options *ports,
                     const char *name, l2tpc_us deadline, struct inaddr *out, unsigned cap);

#endif
