/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One HTTP answer, for a thread that may wait (io/work.h). */
#ifndef L2TPC_IO_FETCH_H
#define L2TPC_IO_FETCH_H

#include "base/clock.h"
#include "io/dns.h"
#include "io/http.h"
#include "io/ports.h"

struct fetch {
    const char *url;
    const char *type; /* of `body`, which is then posted; NULL: it is asked for with GET */
    struct span body;
    l2tpc_us deadline;
    struct port_options ports;  /* the mark keeps it out of the tunnel, whatever is up */
    struct dns_servers servers; /* to be asked past the tunnel; none: the system's resolver alone */
};

/*
 * The body, to be freed; false without one. Addresses of this computer and of the link alone are
 * not asked: a certificate must not make us talk to what only we can reach.
 */
bool fetch_http(const struct fetch *f, uint8_t **out, size_t *n) MUST_USE;

#endif
