/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The state of a scan, and what its two files share. */
#ifndef L2TPC_IKE_V1_SCAN_STATE_H
#define L2TPC_IKE_V1_SCAN_STATE_H

#include "ike/retransmit.h"
#include "ike/v1/isakmp.h"
#include "ike/v1/scan.h"

#define SCAN_LIFETIME_S 28800 /* what Windows clients offer */
#define SCAN_SETS_MAX 48

enum question {
    QUESTION_NONE,
    QUESTION_SET,     /* many at once: the server picks one */
    QUESTION_SINGLE,  /* the same one by one */
    QUESTION_TRIAL,   /* one that servers commonly take: is it the number that it chokes on? */
    QUESTION_CONTROL, /* one that it took before: does it still answer at all? */
};

struct scan {
    struct scan_config cfg;
    struct scan_list list;
    struct scan_facts facts;
    struct msgq out;
    struct endpoint remote;
    bool more; /* addresses are left */
    bool started;

    /* The question that is open; its cookie is its identity. */
    enum question question;
    struct policy offer;
    unsigned asked[SCAN_SET_MAX]; /* items */
    unsigned n_asked;
    uint8_t cky_i[ISAKMP_COOKIE_LEN];
    struct retransmit rtx;
    bool refused; /* nobody vouches for it: it waits for what belies it */
    uint16_t notify;
    l2tpc_us refused_at;

    /* What silence may mean is found out by a control question; this is what it is about. */
    unsigned silent[SCAN_SET_MAX];
    unsigned n_silent;
    bool rested;

    bool set_done[SCAN_SETS_MAX]; /* SCAN_QUICK: one answer is enough */
    unsigned trial;
    bool tried, mute; /* mute: it was tried because a set got no answer at all */
    bool ever_refused, no_proposal, foreign;
    int unreachable;

    l2tpc_us due; /* of the next question */
    l2tpc_us until;
    l2tpc_us last_sent;
    bool changed, told;
    struct failure failure;
};

/* ---- scan.c ---- */
void scan_over(struct scan *s, enum scan_end how);

/* ---- scan_answer.c ---- */
void scan_settle_refusal(struct scan *s, l2tpc_us now);
/* The open question was sent as often as it should. */
void scan_settle_no_answer(struct scan *s, l2tpc_us now);

#endif
