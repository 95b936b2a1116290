/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One running tunnel on the GLib main loop: from a profile and its secrets to broker, engine and
 * signer, and back to events. It knows neither NetworkManager nor a bus; whoever shows it to one is
 * its face. Everything is called on the default main context, in one thread.
 */
#ifndef L2TPC_SERVICE_TUNNEL_H
#define L2TPC_SERVICE_TUNNEL_H

#include "service/starter.h"

#include <l2tpc-profile.h>
#include <l2tpc.h>

#define TUNNEL_USERS_MAX 16

typedef struct tunnel tunnel;

/* Why a tunnel came to nothing; texts are whole, in the language of the face. */
struct tunnel_failure {
    const char *code; /* of l2tpc explain */
    const char *stage;
    char message[512], hint[512];
};

struct tunnel_face {
    /*
     * STAGE_BEGIN, STAGE_END, NEED (to be answered by tunnel_answer(), at any time), IP_CONFIG, UP,
     * RUNG, WARNING, REKEYED, RECONNECTING; the event is gone afterwards.
     */
    void (*on_event)(void *user, tunnel *t, const l2tpc_event *event);
    /* Once at most; on_gone() follows. */
    void (*on_failed)(void *user, tunnel *t, const struct tunnel_failure *failure);
    /* The last call: all is undone on this computer, but a kill switch that stays. May free it. */
    void (*on_gone)(void *user, tunnel *t);
    /* A sentence of ours for whoever will read it; NULL: in English. */
    const char *(*translate)(void *user, const char *msgid);
};

enum tunnel_flags {
    TUNNEL_CONFIGURED_ELSEWHERE = 1, /* NetworkManager does addresses, routes and DNS */
    TUNNEL_RECONNECTS = 2,           /* unless the profile says no */
    TUNNEL_VERBOSE = 4,
};

struct tunnel_wish {
    const char *name;       /* as for l2tpc_host_name_valid(): the connection's UUID */
    l2tpc_profile *profile; /* with its secrets, as far as they are known */
    uid_t owner;            /* with whose rights its files are opened; 0: root's */
    uid_t starter;          /* who may see and end it, and so may */
    const uid_t *users;     /* those whose profile it is, TUNNEL_USERS_MAX at most */
    unsigned n_users;
    unsigned flags;   /* enum tunnel_flags */
    unsigned timeout; /* seconds for the whole dial; 0: the stages' own */
    const struct tunnel_face *face;
    void *user;
};

/* Starts at once; NULL with the reason. Copies what it needs of the wish. */
tunnel *tunnel_new(struct starter *starter, const struct tunnel_wish *wish,
                   struct tunnel_failure *out);
/* NULL bytes: there is none, and the dial fails for it. Wipe your own copy. */
void tunnel_answer(tunnel *t, uint32_t need, const void *secret, size_t len);
/* Politely, and without a starter that does not answer; repeating it is fine. `by_user`: who has
 * asked for it lifts the kill switch, too. */
void tunnel_stop(tunnel *t, bool by_user);
const char *tunnel_name(const tunnel *t);
/* Without politeness if it is still there; NULL is fine. */
void tunnel_free(tunnel *t);

#endif
