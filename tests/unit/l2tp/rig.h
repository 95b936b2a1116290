/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An engine with known randomness, and messages made by hand around it. */
#ifndef TESTS_UNIT_L2TP_RIG_H
#define TESTS_UNIT_L2TP_RIG_H

#include "base/env.h"
#include "l2tp/l2tp.h"

#define RIG_TUNNEL 0x6367
#define RIG_SESSION 0x8d91
#define RIG_PEER_TUNNEL 0x0101
#define RIG_PEER_SESSION 0x0202

struct rig {
    struct env env;
    unsigned drawn; /* numbers given out so far */
    uint64_t seed;
    uint16_t ids[2]; /* tunnel and session: RIG_TUNNEL, RIG_SESSION unless changed */
    bool random_ids; /* from the seed instead */
    bool no_random;
    struct crypto *crypto;
    struct l2tp_config config;
    struct l2tp *l;
    uint16_t ns, nr; /* of the messages that rig_send() makes */
};

void rig_init(struct rig *rig); /* config may be changed before rig_start() */
void rig_start(struct rig *rig, l2tpc_us now);
void rig_free(struct rig *rig);

/* A control message to our tunnel; `avps` as hex. rig_send() counts Ns up and takes the verdict. */
size_t rig_build(uint8_t *out, size_t cap, uint16_t tunnel, uint16_t session, uint16_t ns,
                 uint16_t nr, const char *avps);
enum verdict rig_send(struct rig *rig, uint16_t session, const char *avps, l2tpc_us now);
enum verdict rig_raw(struct rig *rig, const char *hex, l2tpc_us now);
/* The next message that the engine wants sent: its type (0 a ZLB, -1 none), bytes in *out. */
int rig_pop(struct rig *rig, uint8_t *out, size_t cap, size_t *n);
int rig_pop_type(struct rig *rig);
void rig_drain(struct rig *rig);
/* The next event's type, or -1. */
int rig_event(struct rig *rig, struct l2tp_event *e);

/* Plain states, reached with a friendly peer at time `now`; queues are empty then. */
void rig_to_tunnel(struct rig *rig, l2tpc_us now); /* SCCCN and ICRQ are out, unacknowledged */
void rig_to_call(struct rig *rig, l2tpc_us now);   /* everything acknowledged */

uint16_t rig_u16(const uint8_t *p);

#define AVPS_SCCRP                                                                                 \
    "8008 0000 0000 0002  8008 0000 0002 0100  800a 0000 0003 00000003  8008 0000 0007 766d"       \
    "800a 0000 0008 4c325450  8008 0000 0009 0101  8008 0000 000a 0010"
#define AVPS_ICRP "8008 0000 0000 000b  8008 0000 000e 0202"
#define AVPS_STOPCCN(result) "8008 0000 0000 0004  8008 0000 0009 0101 " result
#define AVPS_CDN(result) "8008 0000 0000 000e  8008 0000 000e 0202 " result

#endif
