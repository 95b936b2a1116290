/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Why NetworkManager ends a connection: a kill switch is lifted by the user alone, not by a network
 * that went away, by secrets that nobody has, or by NetworkManager's own end. It says so in a
 * signal, which is sent before it asks the service to disconnect.
 */
#ifndef L2TPC_SERVICE_ENDING_H
#define L2TPC_SERVICE_ENDING_H

#include <gio/gio.h>

struct ending {
    GDBusConnection *bus;
    guint subscription;
    char *uuid;
    char *path;         /* of our active connection, once it is known */
    GHashTable *reason; /* by path; of connections that have ended */
};

void ending_open(struct ending *e, GDBusConnection *bus);
void ending_close(struct ending *e);
/* The connection that is being dialed now. */
void ending_expect(struct ending *e, const char *uuid);
/* NetworkManager is there, and has said that its user ends this connection, or removes it. */
gboolean ending_is_the_users(struct ending *e);

#endif
