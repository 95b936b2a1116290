/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A simulated network between one client and the peer, in virtual time: delay, loss, duplication,
 * reordering, corruption, blocked ports, a NAT. The same seed and input give the same trace.
 */
#ifndef TESTS_SIM_LINK_H
#define TESTS_SIM_LINK_H

#include "peer.h"
#include "sim_env.h"

enum simlink_dir {
    SIMLINK_TO_PEER,
    SIMLINK_TO_CLIENT
};

enum simlink_fate {
    SIMLINK_SENT,
    SIMLINK_LOST,      /* by chance */
    SIMLINK_DROPPED,   /* by number, run or hook */
    SIMLINK_BLOCKED,   /* the port is blocked, or nothing maps there */
    SIMLINK_CORRUPTED, /* one bit flipped, delivered */
};

/* What the hook sees: each packet once, when it is sent, with what will become of it. */
struct simlink_packet {
    l2tpc_us at;
    unsigned number;     /* 0, 1, 2 .. over both directions */
    unsigned dir_number; /* the same within its direction */
    enum simlink_dir dir;
    enum peer_port port;
    struct endpoint from, to; /* as the sender wrote them */
    struct span bytes;
    enum simlink_fate fate;
};

/* May be NULL. True: drop this packet. */
typedef bool simlink_hook(void *ctx, const struct simlink_packet *packet);

struct simlink_config {
    uint64_t seed;
    l2tpc_us latency, jitter; /* one way; jitter alone never reorders */
    /* Chances in 1/10000. */
    unsigned loss, duplicate, reorder, corrupt;
    uint64_t drop_mask[4]; /* packets 0 to 255, both directions counted together */
    struct {
        bool on;
        enum simlink_dir dir;
        unsigned first, count; /* dir_number */
    } drop_run;
    bool blocked[PEER_PORTS][2]; /* by port and direction */
    size_t
        longest; /* UDP payloads beyond it travel as IP fragments, which the path drops; 0: none */
    bool nat;    /* the peer sees nat_addr and other ports */
    bool nat_passes_esp; /* raw ESP goes through, for the one client that is here */
    struct inaddr nat_addr;
    simlink_hook *hook;
    void *hook_ctx;
};

struct simlink_stats {
    unsigned sent[PEER_PORTS][2], lost, dropped, blocked, corrupted, duplicated, reordered;
    uint64_t trace; /* a hash over all packets: time, port, direction, bytes */
};

struct simlink;

struct simlink *simlink_new(const struct simlink_config *config);
void simlink_free(struct simlink *l);
struct simlink_config *simlink_config(struct simlink *l); /* may be changed at any time */
const struct simlink_stats *simlink_stats(const struct simlink *l);
void simlink_send(struct simlink *l, enum simlink_dir dir, enum peer_port port,
                  const struct endpoint *from, const struct endpoint *to, struct span bytes,
                  l2tpc_us now);
/* The next packet that has arrived by `now`; `from` and `to` as its receiver sees them. */
bool simlink_pop(struct simlink *l, l2tpc_us now, enum simlink_dir *dir, enum peer_port *port,
                 struct endpoint *from, struct endpoint *to, struct msg *out) MUST_USE;
l2tpc_us simlink_deadline(const struct simlink *l);
/* The NAT forgets: the next packet of the client gets another port. */
void simlink_rebind(struct simlink *l);

#endif
