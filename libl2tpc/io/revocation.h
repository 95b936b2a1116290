/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks about each certificate of a path, for a thread that may wait (io/work.h). */
#ifndef L2TPC_IO_REVOCATION_H
#define L2TPC_IO_REVOCATION_H

#include "base/clock.h"
#include "crypto/x509_revocation.h"
#include "io/dns.h"

/* Ends in a CA of the profile: whoever makes one has made sure of that (hostile.md C19). */
struct revocation_job {
    struct cert_list path;   /* leaf first */
    bool in_file[CERTS_MAX]; /* a list of the profile has answered for it */
    int64_t wall;            /* seconds since 1970 */
    l2tpc_us deadline;
    struct port_options ports;
    struct dns_servers servers;
    enum revocation_state state;
    enum revocation_source source; /* of the server's own certificate */
};

/* Fills in state and source. */
void revocation_run(void *job);

#endif
