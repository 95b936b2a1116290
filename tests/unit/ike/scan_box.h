/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A responder in virtual time that knows phase 1's first exchange and no more, and its habits. */
#ifndef TESTS_UNIT_IKE_SCAN_BOX_H
#define TESTS_UNIT_IKE_SCAN_BOX_H

#include "ike/policy.h"
#include "ike/v1/isakmp.h"
#include "ike/v1/scan.h"
#include "wire/wr.h"

#define RTT US_MS(30)
#define FLIGHTS 8

struct flight {
    l2tpc_us at;
    uint8_t bytes[512];
    size_t n;
    bool from_stranger;
};

/* What the responder is set to, and its habits. */
struct box {
    const char *accepts; /* a list as for --ike; NULL: everything; "": nothing */
    unsigned auth;       /* that it takes besides the pre-shared key */
    unsigned most;       /* transforms that it can take; 0: any number */
    uint16_t complains;  /* about more than that, with this notify; 0: in silence */
    bool first_only;     /* looks at the first transform */
    bool quiet;          /* silent where others refuse */
    bool mute;
    unsigned half_open; /* half-made SAs that it keeps, for half_open_life */
    l2tpc_us half_open_life;
    unsigned budget; /* messages that it answers, ever; 0: all */
    unsigned lose;   /* every so many-th message of ours is lost */
    uint16_t notify; /* of its refusals; 0: NO-PROPOSAL-CHOSEN */
    void (*lie)(struct box *b, const uint8_t *cky_i,
                struct span transform); /* before each answer */

    struct policy policy;
    struct scan_config config;
    struct scan *scan;
    uint64_t seed;
    l2tpc_us now, born[64];
    unsigned n_born;
    struct flight flight[FLIGHTS];
    unsigned n_flight;
    unsigned got, answered;
    l2tpc_us last_got, least_gap;
    size_t longest;
    unsigned most_offered;
    bool bad_message; /* not a message 1 of main mode */
    uint8_t cookies[256][8];
};

extern const struct endpoint box_at, box_stranger;

struct box *box_new(enum scan_depth depth, unsigned auths, const char *accepts);
/* Before it is started: another bound on the whole run. */
void box_set_timeout(struct box *b, l2tpc_us timeout);
void box_free(struct box *b);
/* Until the scan is over: its failure. */
struct failure box_run(struct box *b);
struct failure box_run_on(struct box *b); /* it was started */
enum scan_state box_state(const struct box *b, const char *suite, enum ike_auth auth);
unsigned box_count(const struct box *b, enum scan_state state);
/* What holds in every run: message 1s alone, never too fast, never too many, a cookie each. */
bool box_polite(const struct box *b);

/* What it says beside the truth. */
void box_say_notify(struct box *b, const uint8_t *cky_i, uint16_t type);
/* Message 2 around a transform as the client wrote it, from its number on. */
void box_write_mm2(struct wr *w, const uint8_t *cky_i, uint64_t cky_r, struct span transform);
void box_finish(struct box *b, struct wr *w, bool from_stranger);

#endif
