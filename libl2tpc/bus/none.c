/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Built without sd-bus: no tunnel is on any bus. */
#include "bus/bus.h"

#include <errno.h>
#include <stddef.h>

struct bus_tunnel *bus_tunnel_open(const struct bus_tunnel_options *options)
{
    (void)options;
    return NULL;
}

void bus_tunnel_close(struct bus_tunnel *t)
{
    (void)t;
}

int bus_tunnel_fd(const struct bus_tunnel *t)
{
    (void)t;
    return -1;
}

short bus_tunnel_events(const struct bus_tunnel *t)
{
    (void)t;
    return 0;
}

int bus_tunnel_timeout(const struct bus_tunnel *t, int otherwise)
{
    (void)t;
    return otherwise;
}

void bus_tunnel_dispatch(struct bus_tunnel *t)
{
    (void)t;
}

void bus_tunnel_on_event(struct bus_tunnel *t, const l2tpc_event *event)
{
    (void)t;
    (void)event;
}

void bus_tunnel_take(struct bus_tunnel *t, l2tpc_status *status)
{
    (void)t;
    l2tpc_status_free(status);
}

void bus_tunnel_log(struct bus_tunnel *t, int level, const char *module, const char *line)
{
    (void)t;
    (void)level;
    (void)module;
    (void)line;
}

unsigned bus_list(struct bus_found *out, unsigned room)
{
    (void)out;
    (void)room;
    return 0;
}

void bus_list_free(struct bus_found *found, unsigned n)
{
    (void)found;
    (void)n;
}

int bus_disconnect(const char *uuid)
{
    (void)uuid;
    return -ENOENT;
}
