/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/on_bus.h"

#include "cli/processes.h"

static bool ask(void *user)
{
    const struct on_bus *b = user;

    return b->session && l2tpc_session_ask_status(b->session) == L2TPC_OK;
}

static bool rekey(void *user)
{
    const struct on_bus *b = user;

    return b->session && l2tpc_session_rekey(b->session) == L2TPC_OK;
}

static void end(void *user)
{
    const struct on_bus *b = user;

    *b->by_user = true;
    l2tpc_session_stop(b->session);
}

void on_bus_open(struct on_bus *b, const char *uuid, bool *by_user)
{
    const struct bus_tunnel_options o = {.uuid = uuid,
                                         .started_by = "command",
                                         .owner = privileges_owner(),
                                         .ask = ask,
                                         .disconnect = end,
                                         .rekey = rekey,
                                         .user = b};

    b->by_user = by_user;
    b->tunnel = bus_tunnel_open(&o);
}

void on_bus_event(struct on_bus *b, const l2tpc_event *e)
{
    l2tpc_status *status = NULL;

    bus_tunnel_on_event(b->tunnel, e);
    if (l2tpc_event_get_type(e) == L2TPC_EVENT_STATUS &&
        l2tpc_session_take_status(b->session, &status) == L2TPC_OK)
        bus_tunnel_take(b->tunnel, status);
}

void on_bus_log(void *user, int level, const char *module, const char *line)
{
    bus_tunnel_log(((const struct on_bus *)user)->tunnel, level, module, line);
}
