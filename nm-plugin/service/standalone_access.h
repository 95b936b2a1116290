/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a message to a call that may be served: who calls is asked of the bus, what that user may of
 * polkit, and no account has more than its share of what waits.
 */
#ifndef L2TPC_SERVICE_STANDALONE_ACCESS_H
#define L2TPC_SERVICE_STANDALONE_ACCESS_H

#include "service/starter.h"

#include <gio/gio.h>
#include <glib/gi18n.h>
#include <sys/types.h>

#define SERVICE_NAME "net.l2tpc.Service1"
#define SERVICE_PATH "/net/l2tpc/Service1"
/* A person's programs never come near them; together they bound memory. */
#define CALLS_OF_USER 16
#define CALLS_MAX 128
#define TUNNELS_OF_USER 4
#define TUNNELS_MAX 32

struct service {
    struct starter *starter;
    GDBusConnection *bus;
    GMainLoop *loop;
    GHashTable *running;   /* uuid: struct running */
    GHashTable *calls_of;  /* uid: how many calls of it wait */
    GHashTable *languages; /* sender: struct language */
    gboolean verbose, ending;
    guint idle_s, idle_source, n_calls;
    int exit_status;
};

struct call {
    struct service *service;
    GDBusMethodInvocation *invocation;
    GVariant *parameters;
    uid_t uid;
    gboolean counted; /* in calls_of */
    gboolean allowed; /* by polkit, of what the method's action asks */
};

/* Takes what the bus has delivered, and answers it in any case. */
void access_take(struct service *s, GDBusMethodInvocation *invocation, GVariant *parameters);
/* `sentence` is a msgid; what the error's name stands for is in the description of the interface.
 */
void calls_refuse(struct call *c, const char *error, const char *sentence);
const char *calls_sender(const struct call *c);

/* ---- standalone_language.c: sentences in the language of who reads them ---- */

void language_free(gpointer language);
/* The method: of the caller's end of the bus, until that is gone. */
void language_set(struct call *c);
/* Of `sender`; what gettext() says until language_leave() of the result is in it. */
locale_t language_enter(const struct service *s, const char *sender);
void language_leave(locale_t before);

/* standalone.c: nothing runs any more, or something does again. */
void standalone_look(struct service *s);

#endif
