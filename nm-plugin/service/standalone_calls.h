/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The methods of net.l2tpc.Service1, once the bus and polkit have said who calls and may. */
#ifndef L2TPC_SERVICE_STANDALONE_CALLS_H
#define L2TPC_SERVICE_STANDALONE_CALLS_H

#include "service/starter.h"

#include <gio/gio.h>
#include <sys/types.h>

#define SERVICE_NAME "net.l2tpc.Service1"
#define SERVICE_PATH "/net/l2tpc/Service1"
#define CALLS_MAX 32
#define TUNNELS_MAX 16

struct service {
    struct starter *starter;
    GDBusConnection *bus;
    GMainLoop *loop;
    GHashTable *running; /* uuid: struct running */
    gboolean verbose, ending;
    guint idle_s, idle_source, n_calls;
    int exit_status;
};

struct call {
    struct service *service;
    GDBusMethodInvocation *invocation;
    GVariant *parameters;
    uid_t uid;
};

struct method {
    const char *name;
    void (*serve)(struct call *c);
    /* What polkit is to be asked, or NULL; may depend on what the call is about. */
    const char *(*action)(const struct call *c);
};

/* NULL: there is none of this name. */
const struct method *calls_find(const char *name);
void calls_refuse(struct call *c, const char *error, const char *sentence);
/* The uuids of tunnels, "as". */
GVariant *calls_running(struct service *s);
void running_free(gpointer running);
/* All of them end, politely. */
void calls_end_all(struct service *s);
/* Its owner's end of the bus is gone: nobody answers for it. */
void calls_sender_gone(struct service *s, const char *sender);
/* standalone.c: nothing runs any more, or something does again. */
void standalone_look(struct service *s);

#endif
