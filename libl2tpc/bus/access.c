/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who calls, and what that user may see. The bus says who, polkit what; neither is waited for. */
#include "bus/private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char action[] = "net.l2tpc.view-details";

bool access_owns(const struct bus_tunnel *t, uid_t uid)
{
    for (unsigned i = 0; i < t->options.n_users; i++)
        if (t->options.users[i] == uid)
            return true;
    return uid == 0 || uid == t->options.owner;
}

const struct caller *access_known(struct bus_tunnel *t, sd_bus_message *m)
{
    const char *sender = sd_bus_message_get_sender(m);

    for (unsigned i = 0; sender && i < CALLERS_MAX; i++)
        if (t->callers[i].sender[0] && strcmp(t->callers[i].sender, sender) == 0 &&
            t->callers[i].until_us > bus_now())
            return &t->callers[i];
    return NULL;
}

static const struct caller *remember(struct waiting *w, bool sees)
{
    struct bus_tunnel *t = w->tunnel;
    struct caller *c = &t->callers[t->next_caller++ % CALLERS_MAX];

    *c = (struct caller){.uid = w->uid, .sees = sees, .until_us = bus_now() + RIGHTS_US};
    (void)snprintf(c->sender, sizeof(c->sender), "%s", sd_bus_message_get_sender(w->message));
    return c;
}

static void forget(struct waiting *w)
{
    sd_bus_slot_unref(w->slot);
    sd_bus_message_unref(w->message);
    *w = (struct waiting){0};
}

static int answer(struct waiting *w, bool sees)
{
    struct bus_tunnel *t = w->tunnel;
    sd_bus_message *m = sd_bus_message_ref(w->message);
    const struct caller *c = remember(w, sees);
    int rc;

    forget(w);
    rc = serve_call(t, m, c);
    if (rc < 0)
        (void)sd_bus_reply_method_errno(m, rc, NULL);
    sd_bus_message_unref(m);
    return 0;
}

/* No polkit, no answer in time, or one that makes no sense: not allowed. */
static int on_polkit(sd_bus_message *reply, void *user, sd_bus_error *error)
{
    int allowed = 0;
    int challenge = 0;

    (void)error;
    if (sd_bus_message_is_method_error(reply, NULL) ||
        sd_bus_message_enter_container(reply, 'r', "bba{ss}") <= 0 ||
        sd_bus_message_read(reply, "bb", &allowed, &challenge) <= 0)
        allowed = 0;
    return answer(user, allowed != 0);
}

static int ask_polkit(struct waiting *w)
{
    sd_bus_message *q = NULL;
    int rc = sd_bus_message_new_method_call(
        w->tunnel->bus, &q, "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
        "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization");

    if (rc >= 0)
        rc = sd_bus_message_append(q, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s",
                                   sd_bus_message_get_sender(w->message), action, 0, 0u, "");
    if (rc >= 0)
        rc = sd_bus_call_async(w->tunnel->bus, &w->slot, q, on_polkit, w, ASK_US);
    sd_bus_message_unref(q);
    return rc;
}

static int on_user(sd_bus_message *reply, void *user, sd_bus_error *error)
{
    struct waiting *w = user;
    uint32_t uid;

    (void)error;
    w->slot = sd_bus_slot_unref(w->slot);
    if (sd_bus_message_is_method_error(reply, NULL) || sd_bus_message_read(reply, "u", &uid) <= 0) {
        forget(w); /* it is gone already: nobody waits for the answer */
        return 0;
    }
    w->uid = uid;
    if (access_owns(w->tunnel, uid))
        return answer(w, true);
    return ask_polkit(w) < 0 ? answer(w, false) : 0;
}

int access_ask(struct bus_tunnel *t, sd_bus_message *m)
{
    const char *sender = sd_bus_message_get_sender(m);
    struct waiting *w = NULL;
    int rc;

    for (unsigned i = 0; i < WAITING_MAX && !w; i++)
        if (!t->waiting[i].message)
            w = &t->waiting[i];
    if (!w || !sender || strlen(sender) >= SENDER_SIZE)
        return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                          "too many calls at the same time");
    *w = (struct waiting){.tunnel = t, .message = sd_bus_message_ref(m), .uid = (uid_t)-1};
    rc = sd_bus_call_method_async(t->bus, &w->slot, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                  "org.freedesktop.DBus", "GetConnectionUnixUser", on_user, w, "s",
                                  sender);
    if (rc < 0)
        forget(w);
    return rc;
}

void access_forget(struct bus_tunnel *t)
{
    for (unsigned i = 0; i < WAITING_MAX; i++)
        if (t->waiting[i].message)
            forget(&t->waiting[i]);
}
