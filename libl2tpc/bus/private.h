/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inside of an object on the bus. */
#ifndef L2TPC_BUS_PRIVATE_H
#define L2TPC_BUS_PRIVATE_H

#include "bus/bus.h"

#include <systemd/sd-bus.h>

#define TUNNEL_PATH "/net/l2tpc/Tunnel1"
#define TUNNEL_INTERFACE "net.l2tpc.Tunnel1"
#define TUNNEL_PREFIX TUNNEL_INTERFACE ".u"

#define SENDER_SIZE 64
#define CALLERS_MAX 16  /* whose rights are known */
#define WAITING_MAX 32  /* calls whose caller is being looked up */
#define ROUND_MAX 16    /* messages at a time: the dial comes first */
#define FRESH_US 100000 /* a snapshot is as good as a new one */
#define RIGHTS_US 30000000
#define ASK_US 5000000 /* the bus and polkit have an answer by then */
#define LOG_LINES 256

extern const char bus_introspection[];

/* Who calls. A unique name is never given twice, so its user stays. */
struct caller {
    char sender[SENDER_SIZE];
    uid_t uid;
    bool sees;         /* whose tunnel it is */
    uint64_t until_us; /* what polkit said is good for a while */
};

/* A call that waits for the bus to say who it is from, and for polkit to say what that means. */
struct waiting {
    struct bus_tunnel *tunnel;
    sd_bus_message *message;
    sd_bus_slot *slot;
    uid_t uid;
};

struct log_line {
    uint64_t number;
    uint32_t level;
    char text[192];
};

struct bus_tunnel {
    struct bus_tunnel_options options;
    char uuid[BUS_UUID_SIZE];
    sd_bus *bus;
    sd_bus_slot *object, *name;
    char stage[24], state[16];
    /* Whole, and without what tells whose it is; made on demand. */
    struct {
        l2tpc_status *status;
        uint64_t at_us;
    } snapshot[2];
    struct caller callers[CALLERS_MAX];
    unsigned next_caller;
    struct waiting waiting[WAITING_MAX];
    struct log_line log[LOG_LINES];
    uint64_t n_log;
};

uint64_t bus_now(void); /* microseconds */

/* access.c: NULL when it is not known (any more). */
const struct caller *access_known(struct bus_tunnel *t, sd_bus_message *m);
/* Finds out, then calls serve_call(). Negative when it cannot. */
int access_ask(struct bus_tunnel *t, sd_bus_message *m);
void access_forget(struct bus_tunnel *t);
/* Who may end it, and see whose it is. */
bool access_owns(const struct bus_tunnel *t, uid_t uid);

/* serve.c: the answer to a call whose caller is known. */
int serve_call(struct bus_tunnel *t, sd_bus_message *m, const struct caller *caller);
/* A snapshot for these eyes; NULL without memory or status. Belongs to the tunnel. */
l2tpc_status *serve_snapshot(struct bus_tunnel *t, bool sees);

/* properties.c: as a{sv}; or one as a variant: -ENOENT when there is none of this name. */
int properties_append_all(struct bus_tunnel *t, sd_bus_message *reply, bool sees);
int properties_append(struct bus_tunnel *t, sd_bus_message *reply, const char *name, bool sees);

#endif
