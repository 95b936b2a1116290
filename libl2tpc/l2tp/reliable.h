/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reliable delivery of control messages (RFC 2661 section 5.8 and appendix A): Ns and Nr, the
 * peer's window, slow start and congestion avoidance, retransmission, and a queue that puts
 * messages of the peer back into order.
 */
#ifndef L2TPC_L2TP_RELIABLE_H
#define L2TPC_L2TP_RELIABLE_H

#include "l2tp/l2tp.h"
#include "l2tp/message.h"

#define RELIABLE_QUEUE 12        /* of ours; a whole call takes seven */
#define RELIABLE_WINDOW_UNSAID 4 /* RFC 2661 4.4.3: when the peer sends no Receive Window Size */

struct reliable_msg {
    uint8_t *bytes; /* heap: room for the header, then the AVPs */
    size_t n;
    uint16_t type, session_id, ns;
    unsigned sends;
    l2tpc_us first, last; /* sent at */
};

struct reliable_held {
    uint8_t *bytes; /* heap: a whole message of the peer that is ahead of its turn */
    size_t n;
};

struct reliable {
    struct l2tp_facts *facts; /* counters, peer_tunnel_id */
    struct msgq *out;
    const struct env *env;
    uint16_t ns;                               /* of the next message to be queued */
    uint16_t high;                             /* of the next message never sent yet */
    uint16_t nr;                               /* expected of the peer next */
    struct reliable_msg queue[RELIABLE_QUEUE]; /* unacknowledged, oldest at head */
    unsigned head, used;
    unsigned flight; /* the first so many of them are under way */
    unsigned window; /* the peer's */
    unsigned cwnd, ssthresh, credit;
    bool measured;
    l2tpc_us srtt, rto;
    l2tpc_us due; /* the retransmission timer */
    bool ack_due;
    struct reliable_held held[L2TP_WINDOW]; /* by Ns modulo the window */
    unsigned sends[MESSAGE_TYPES];          /* of the newest message of each type */
};

enum reliable_verdict {
    RELIABLE_DROP,  /* not for us to look at: nothing changed */
    RELIABLE_ACK,   /* a ZLB, a duplicate, or ahead of its turn: Nr was taken, no more to do */
    RELIABLE_FRESH, /* next in order: process it */
};

void reliable_init(struct reliable *r, struct l2tp_facts *facts, struct msgq *out,
                   const struct env *env);
/* A round trip measured by others on this path: how long the first answer may take. */
void reliable_expect(struct reliable *r, l2tpc_us rtt);
void reliable_clear(struct reliable *r); /* drops both queues, stops the timer */

/* Queues a message; Ns is given here. False: no room or no memory. */
bool reliable_queue(struct reliable *r, uint16_t type, uint16_t session_id,
                    struct span avps) MUST_USE;
void reliable_set_window(struct reliable *r, unsigned window);
void reliable_pump(struct reliable *r, l2tpc_us now);   /* sends what the windows allow */
void reliable_force(struct reliable *r, l2tpc_us now);  /* sends all: the last words */
void reliable_repeat(struct reliable *r, l2tpc_us now); /* sends the oldest again, right now */
void reliable_flush(struct reliable *r, l2tpc_us now);  /* ZLB when an acknowledgement is owed */

/* `bytes` is the whole message that h was read from. */
enum reliable_verdict reliable_receive(struct reliable *r, const struct message_header *h,
                                       struct span bytes, l2tpc_us now);
/* The held message whose turn has come; the caller frees out with msg_done(). */
bool reliable_take_held(struct reliable *r, struct msg *out) MUST_USE;

void reliable_timer(struct reliable *r, l2tpc_us now);
l2tpc_us reliable_deadline(const struct reliable *r);

static inline bool reliable_idle(const struct reliable *r)
{
    return r->used == 0;
}

/* The oldest unacknowledged message; NULL when there is none. */
static inline const struct reliable_msg *reliable_oldest(const struct reliable *r)
{
    return r->used > 0 ? &r->queue[r->head] : NULL;
}

#endif
