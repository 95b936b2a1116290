/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A small LNS and a link in virtual time. The LNS shares no code with the engine: it has no
 * reordering queue, acknowledges each message at once and repeats its own every 300 ms.
 */
#ifndef TESTS_UNIT_L2TP_LNS_H
#define TESTS_UNIT_L2TP_LNS_H

#include "rig.h"

enum {
    TO_LNS,
    TO_CLIENT
};

struct packet {
    bool used;
    int to;
    l2tpc_us at;
    uint64_t order;
    size_t n;
    uint8_t bytes[512];
};

struct lns_msg {
    size_t n;
    uint16_t ns;
    uint8_t bytes[512];
};

struct world {
    struct rig rig;
    l2tpc_us now, delay;
    struct packet link[64];
    uint64_t order;
    /* what happens on the way; type 0 is a ZLB. True: lost. */
    bool (*lose)(struct world *w, int to, int type);
    l2tpc_us (*jitter)(struct world *w);
    bool duplicate;
    /* for the loss of one message */
    int lose_to, lose_type;
    unsigned lose_times, lost;
    uint64_t seed;
    unsigned loss_percent;
    /* the LNS */
    bool lns_mute;
    uint16_t window;
    uint16_t ns, nr, client_tunnel, client_session;
    struct lns_msg queue[16];
    unsigned queued;
    l2tpc_us lns_due;
    bool established, up, saw_cdn, saw_stop, out_of_place;
    unsigned hellos, lns_received;
    unsigned seen[2][20]; /* by direction and type: how often sent, lost ones included */
    l2tpc_us first_seen[2][20];
    /* events of the client */
    bool tunnel_up, call_up, call_down, closed, failed;
    struct failure failure;
    l2tpc_us call_up_at, end_at;
};

void world_init(struct world *w);
void world_start(struct world *w);
/* Until *flag, or `until` in virtual time; false when the time ran out first. */
bool world_run(struct world *w, const bool *flag, l2tpc_us until);
void world_free(struct world *w);
void lns_send(struct world *w, uint16_t session, const char *avps);
uint32_t world_random(struct world *w);

#endif
