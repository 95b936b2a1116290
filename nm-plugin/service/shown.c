/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "service/shown.h"

/* The descriptor, what is wanted of it and when: all of it may change by each message. */
static void follow(struct shown *s)
{
    int fd = bus_tunnel_fd(s->bus);

    if (s->tag && fd != s->fd) {
        g_source_remove_unix_fd(&s->source, s->tag);
        s->tag = NULL;
    }
    if (fd < 0)
        return;
    if (!s->tag)
        s->tag = g_source_add_unix_fd(&s->source, fd, G_IO_IN);
    s->fd = fd;
    g_source_modify_unix_fd(&s->source, s->tag,
                            (GIOCondition)bus_tunnel_events(s->bus) | G_IO_HUP | G_IO_ERR);
}

static gboolean prepare(GSource *source, gint *timeout)
{
    struct shown *s = (struct shown *)source;

    follow(s);
    *timeout = bus_tunnel_timeout(s->bus, -1);
    return *timeout == 0;
}

static gboolean check(GSource *source)
{
    struct shown *s = (struct shown *)source;

    return bus_tunnel_timeout(s->bus, -1) == 0 ||
           (s->tag && g_source_query_unix_fd(source, s->tag) != 0);
}

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer user)
{
    struct shown *s = (struct shown *)source;

    (void)callback;
    (void)user;
    bus_tunnel_dispatch(s->bus);
    follow(s);
    return G_SOURCE_CONTINUE;
}

struct shown *shown_new(const struct bus_tunnel_options *options)
{
    static GSourceFuncs functions = {.prepare = prepare, .check = check, .dispatch = dispatch};
    struct bus_tunnel *bus = bus_tunnel_open(options);
    struct shown *s;

    if (!bus)
        return NULL;
    s = (struct shown *)g_source_new(&functions, sizeof(*s));
    s->bus = bus;
    s->tag = NULL;
    s->fd = -1;
    g_source_attach(&s->source, NULL);
    return s;
}

void shown_on_event(struct shown *s, const l2tpc_event *event)
{
    if (s)
        bus_tunnel_on_event(s->bus, event);
}

void shown_take(struct shown *s, l2tpc_status *status)
{
    bus_tunnel_take(s ? s->bus : NULL, status);
}

void shown_free(struct shown *s)
{
    if (!s)
        return;
    g_source_destroy(&s->source);
    bus_tunnel_close(s->bus);
    g_source_unref(&s->source);
}
