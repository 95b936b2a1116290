/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside the L2TP engine: what its files share. Nobody else includes this. */
#ifndef L2TPC_L2TP_ENGINE_H
#define L2TPC_L2TP_ENGINE_H

#include "l2tp/l2tp.h"
#include "l2tp/message.h"
#include "l2tp/reliable.h"
#include "l2tp/result.h"

#define L2TP_CHALLENGE_LEN 16

/*
 * The control connection, RFC 2661 7.2.1, originator's side: wait-ctl-reply is CONTROL_SCCRQ_SENT;
 * wait-ctl-conn belongs to the other side.
 */
enum control_state {
    CONTROL_IDLE,
    CONTROL_SCCRQ_SENT,
    CONTROL_ESTABLISHED,
    CONTROL_STOPCCN_SENT,
    CONTROL_CLOSED,
    CONTROL_FAILED,
    CONTROL_STATES,
};

/* The incoming call, 7.4.1, LAC's side: wait-reply is CALL_ICRQ_SENT. */
enum call_state {
    CALL_IDLE,
    CALL_ICRQ_SENT,
    CALL_ESTABLISHED,
    CALL_DOWN,
    CALL_STATES,
};

DEFINE_RING(l2tp_events, struct l2tp_event, 2, 8)

struct l2tp {
    struct l2tp_config config;
    const struct vault *vault; /* that this stands in; NULL: the heap */
    struct l2tp_facts facts;
    enum control_state control;
    enum call_state call;
    struct reliable reliable;
    struct msgq out;
    struct l2tp_events events;
    uint32_t call_serial;
    uint8_t challenge[L2TP_CHALLENGE_LEN];
    l2tpc_us stage_due; /* giving up on the tunnel, then on the call */
    l2tpc_us heard;     /* anything valid of the peer; the HELLO timer counts from here */
    l2tpc_us close_due;
    bool failed;             /* the failure has been told */
    struct l2tp_former left; /* the tunnel as it was given up; peer_tunnel_id 0: it was not */
    l2tpc_us former_due;
    unsigned former_sends;
};

/* l2tp.c */
void l2tp_emit(struct l2tp *l, enum l2tp_event_type type, bool by_peer,
               const struct failure *failure);
/* The end by our own decision: StopCCN if code is not 0, then silence. */
void l2tp_fail(struct l2tp *l, enum l2tp_event_type type, const struct failure *failure,
               uint16_t code, uint16_t error, l2tpc_us now);
/* L2TP_PROTOCOL, "<message>: <what>". */
struct failure l2tp_protocol_failure(uint16_t type, const char *what);
/* Starts the AVPs of a message into buf; key is the caller's and outlives the writer. */
struct l2tp_draft {
    uint8_t buf[512];
    uint8_t random_vector[AVP_RANDOM_VECTOR_LEN];
    struct avp_key key;
    struct avp_wr avps;
    uint16_t type, session_id;
};
void l2tp_draft(const struct l2tp *l, struct l2tp_draft *d, uint16_t type, uint16_t session_id);
bool l2tp_queue(struct l2tp *l, struct l2tp_draft *d) MUST_USE; /* wipes the draft */

/* control.c */
bool send_SCCRQ(struct l2tp *l) MUST_USE;
bool send_HELLO(struct l2tp *l) MUST_USE;
bool send_StopCCN(struct l2tp *l, uint16_t code, uint16_t error) MUST_USE;
void control_input(struct l2tp *l, const struct message_header *h, const struct message *m,
                   l2tpc_us now);

/* former.c */
void former_note(struct l2tp *l); /* before the queue is cleared */
void former_send(struct l2tp *l, l2tpc_us now);
/* True when the message is about a former tunnel. */
bool former_answered(struct l2tp *l, const struct message_header *h);

/* call.c */
void call_open(struct l2tp *l, l2tpc_us now); /* queues ICRQ */
bool send_CDN(struct l2tp *l, uint16_t session_id, uint16_t peer_session_id, uint16_t code,
              uint16_t error) MUST_USE;
void call_input(struct l2tp *l, const struct message_header *h, const struct message *m,
                l2tpc_us now);
/* A message of the call that must end it: unknown mandatory AVP (4.1). */
void call_clear(struct l2tp *l, const struct failure *failure, uint16_t code, uint16_t error);

#endif
