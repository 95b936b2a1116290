/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The methods of net.l2tpc.Service1, once the bus and polkit have said who calls and may. */
#ifndef L2TPC_SERVICE_STANDALONE_CALLS_H
#define L2TPC_SERVICE_STANDALONE_CALLS_H

#include "service/standalone_access.h"

#include <sys/types.h>

struct method {
    const char *name;
    void (*serve)(struct call *c);
    /* What polkit is to be asked, or NULL; may depend on what the call is about. */
    const char *(*action)(const struct call *c);
    gboolean lenient;     /* it is served in any case, and then looks at call.allowed */
    gboolean has_secrets; /* its strings are wiped when it is over */
};

/* NULL: there is none of this name. */
const struct method *calls_find(const char *name);
/* The uuids of tunnels, "as". */
GVariant *calls_running(struct service *s);
void running_free(gpointer running);
/* All of them end, politely. */
void calls_end_all(struct service *s);
/* Its owner's end of the bus is gone: nobody answers for it. */
void calls_sender_gone(struct service *s, const char *sender);
/* To `to`, or to everybody. */
void calls_signal(struct service *s, const char *to, const char *name, GVariant *value);

/* standalone_profiles.c */
void profiles_list(struct call *c);
void profiles_get(struct call *c);
void profiles_add(struct call *c);
void profiles_update(struct call *c);
void profiles_remove(struct call *c);
const char *profiles_action_list(const struct call *c);
const char *profiles_action_get(const struct call *c);
const char *profiles_action_add(const struct call *c);
const char *profiles_action_change(const struct call *c);
/* That the call names; NULL after an error. */
struct stored_profile *profiles_find(struct call *c);

#endif
