/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inside of an object on the bus. */
#ifndef L2TPC_BUS_PRIVATE_H
#define L2TPC_BUS_PRIVATE_H

#include "bus/bus.h"

#include <pthread.h>
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
#define LOG_LINES 512
/* An engine that is well answers within milliseconds. After this long its callers are told what is
 * known, with its age, and until it answers again nobody waits for it. */
#define SILENT_US 400000
#define STALE_US 10000000 /* and what is older than this is not known any more */

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

/* A call that waits for a snapshot. */
struct parked {
    sd_bus_message *message;
    struct caller caller;
};

struct log_line {
    uint64_t number;
    uint32_t level;
    char module[16], text[256];
};

struct bus_tunnel {
    struct bus_tunnel_options options;
    char uuid[BUS_UUID_SIZE];
    sd_bus *bus;
    sd_bus_slot *object, *name;
    char stage[24], state[16];
    /* The newest: without what tells whose it is, and whole; NULL before the first. */
    l2tpc_status *snapshot[2];
    uint64_t snapshot_us, asked_us; /* when it came; since when one is waited for, 0: none is */
    struct parked parked[WAITING_MAX];
    struct caller callers[CALLERS_MAX];
    unsigned next_caller;
    struct waiting waiting[WAITING_MAX];
    pthread_mutex_t log_lock; /* the engine's lines come from another thread */
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

/* snapshot.c: for these eyes; NULL when nothing is known. Belongs to the tunnel. */
l2tpc_status *snapshot_of(const struct bus_tunnel *t, bool sees);
/* Milliseconds; 0 when there is none. */
uint64_t snapshot_age_ms(const struct bus_tunnel *t);
/* True: the call is served by serve_call() once more when there is a snapshot, or none will come.
 */
bool snapshot_await(struct bus_tunnel *t, sd_bus_message *m, const struct caller *caller);
/* Serves who has waited long enough; when the next one has, UINT64_MAX without any. */
void snapshot_tick(struct bus_tunnel *t);
uint64_t snapshot_deadline(const struct bus_tunnel *t);
void snapshot_forget(struct bus_tunnel *t);
/* Those that wait are not answered any more. */
void snapshot_leave(struct bus_tunnel *t);

/* properties.c: as a{sv}; or one as a variant: -ENOENT when there is none of this name. */
int properties_append_all(struct bus_tunnel *t, sd_bus_message *reply, bool sees);
int properties_append(struct bus_tunnel *t, sd_bus_message *reply, const char *name, bool sees);

#endif
