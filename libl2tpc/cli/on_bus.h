/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tunnel of l2tpc connect on the system bus. */
#ifndef L2TPC_CLI_ON_BUS_H
#define L2TPC_CLI_ON_BUS_H

#include "bus/bus.h"

struct on_bus {
    struct bus_tunnel *tunnel; /* NULL: there is no bus */
    l2tpc_session *session;    /* NULL until there is one */
    bool *by_user;             /* set when somebody on the bus ends it */
};

/* Before rights are given up. `uuid` may be NULL. */
void on_bus_open(struct on_bus *b, const char *uuid, bool *by_user);
void on_bus_event(struct on_bus *b, const l2tpc_event *e);
/* For l2tpc_context_options; `user` is a struct on_bus. */
void on_bus_log(void *user, int level, const char *module, const char *line);

#endif
