/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The ladder: from what has happened to a try, what is tried next, or that this was all. A pure
 * value; the dial owns it and does what it says.
 *
 * A try offers everything that the policy has and lets the server choose. What follows depends on
 * how that ends, and each of these is taken at most once (one suite at a time: LADDER_ONES times):
 *   message 1 refused, answered with nonsense, or silent   one suite in message 1
 *   500 answers, 4500 is silent behind message 5           no NAT traversal, raw ESP
 *   raw ESP goes out and nothing returns                   UDP encapsulation
 *   quick mode refused or silent                           source port 1701, then one suite
 *   the pair is there, L2TP behind it silent               source port 1701
 *
 * What holds in all of them: nothing follows a failure of authentication; at most LADDER_MM5_MAX
 * main modes get as far as message 5 (who is not the server can guess a bad key from it); no suite
 * is weaker than what this profile has used before; nothing begins behind LADDER_TIME.
 */
#ifndef L2TPC_DIAL_LADDER_H
#define L2TPC_DIAL_LADDER_H

#include "base/clock.h"
#include "base/failure.h"
#include "base/limits.h"
#include "dial/learned.h"
#include "ike/ike.h"

enum rung {
    RUNG_WHOLE,   /* everything that the policy has */
    RUNG_LEARNED, /* what worked the last time */
    RUNG_ONE_IKE, /* one suite in message 1 */
    RUNG_RAW_ESP, /* no NAT traversal */
    RUNG_UDP,     /* UDP encapsulation */
    RUNG_PORT,    /* source port 1701 in quick mode */
    RUNG_ONE_ESP, /* one suite in quick mode */
    RUNG_COUNT,
};

struct ladder_config {
    struct policy policy;
    enum encapsulation encapsulation; /* other than AUTO: the user's word */
    bool port_is_set;                 /* the inner source port is the user's word */
    bool aggressive; /* the one exchange that the user wanted, and no other behind it */
    const struct learned *learned; /* NULL: nothing; copied */
};

/* What a try is made of. */
struct ladder_try {
    enum rung rung;
    struct policy policy;
    enum encapsulation encapsulation;
    bool port_1701;
    bool one_ike, one_esp;
    unsigned mm1_sends;  /* unanswered message 1 before it is over; 0: mm1_wait */
    l2tpc_us mm1_wait;   /* 0: IKE_DEADLINE */
    l2tpc_us mm5_wait;   /* the same of message 5 */
    l2tpc_us quick_wait; /* for an answer to quick mode; 0: IKE_DEADLINE */
};

/* What has happened to it. */
struct ladder_end {
    struct failure failure;
    l2tpc_us now;
    enum ike_nat nat_local, nat_remote;
    bool udp_encapsulated; /* of the ESP pair, when there was one */
    unsigned mm5;          /* message 5 so far, each counted once */
};

enum ladder_step {
    LADDER_OVER,
    LADDER_IKE,   /* a new main mode */
    LADDER_QUICK, /* a new quick mode under the IKE SA that is there */
};

struct ladder_row {
    enum rung rung;
    enum failure_id why; /* what the one before ended with */
};

struct ladder {
    struct ladder_config config;
    struct learned learned; /* config.learned points here, or is NULL */
    struct ladder_try now;
    struct ladder_row row[LADDER_ROWS_MAX];
    unsigned n_rows;
    l2tpc_us started;
    bool authentication_failed;
    bool raw_tried, udp_tried, port_tried, last_ike, last_quick;
    /* Why it was left: not refused, but not answered at all. */
    bool ike_by_silence, esp_by_silence, port_by_silence;
    struct ike_suite one_ike[LADDER_ONES];
    struct esp_suite one_esp[LADDER_ONES];
    unsigned n_one_ike, n_one_esp, next_ike, next_esp;
    struct failure told; /* what is told when all has failed: the reason of the first rung */
};

void ladder_init(struct ladder *l, const struct ladder_config *config, l2tpc_us now);
/* A person has typed what was asked for: that time was not the server's. */
void ladder_note_person(struct ladder *l, l2tpc_us now);
/* The next try stands in l->now. */
enum ladder_step ladder_next(struct ladder *l, const struct ladder_end *end) MUST_USE;
/* Behind silence on port 4500, or of raw ESP, comes another encapsulation: then the wait is short.
 */
bool ladder_has_raw(const struct ladder *l, unsigned mm5);
bool ladder_has_udp(const struct ladder *l, unsigned mm5);
/* L2TP does not answer: true when source port 1701 is worth a quick mode; it then is in l->now. */
bool ladder_take_port(struct ladder *l, l2tpc_us now) MUST_USE;
/* What to tell when the last try has ended like this. */
struct failure ladder_verdict(const struct ladder *l, const struct failure *last);
/* Nothing below this is taken: what was used before, unless the profile itself has no better. */
enum strength ladder_floor_ike(const struct ladder *l);
enum strength ladder_floor_esp(const struct ladder *l);
/* What this try says about where the next dial begins. `lossy`: messages of it were lost, so that
 * silence says nothing about the server. */
void ladder_learn(const struct ladder *l, bool lossy, struct learned *out);
const char *rung_name(enum rung r); /* "one-ike-suite" */

#endif
