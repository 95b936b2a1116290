/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is to be dialed, as pairs of texts: the options of l2tpc connect, by name, that a profile
 * stands for. It crosses a socket to the starter; both ends then fill in a config from it. There is
 * no secret in it.
 */
#ifndef L2TPC_SERVICE_ORDER_H
#define L2TPC_SERVICE_ORDER_H

#include "cli/cli.h"

#include <sys/types.h>

#define ORDER_MAX 32768 /* bytes; one packet of a local socket */

struct order {
    size_t n;
    char bytes[ORDER_MAX];
};

/* False when it is full. */
bool order_add(struct order *o, const char *name, const char *value);

/* One order as this process understands it; texts point into the order. */
struct wanted {
    struct order order;
    struct connect_options options;
    uid_t owner; /* whose files and token it uses; 0: nobody's in particular */
    bool verbose;
};

/* Reads `w->order`. NULL, or the name of the option that cannot be understood. */
const char *wanted_read(struct wanted *w);
/* Everything but secrets, certificates and keys. NULL, or the name of what libl2tpc refuses. */
const char *wanted_fill(const struct wanted *w, l2tpc_config *config);

#endif
