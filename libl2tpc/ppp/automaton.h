/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The option negotiation automaton of RFC 1661 section 4, shared by LCP and IPCP. The table is the
 * RFC's figure; what a protocol adds are the handlers of `struct cp_ops`.
 */
#ifndef L2TPC_PPP_AUTOMATON_H
#define L2TPC_PPP_AUTOMATON_H

#include "base/clock.h"
#include "base/limits.h"
#include "base/verdict.h"
#include "wire/wr.h"

enum cp_state {
    CP_INITIAL,
    CP_STARTING,
    CP_CLOSED,
    CP_STOPPED,
    CP_CLOSING,
    CP_STOPPING,
    CP_REQ_SENT,
    CP_ACK_RCVD,
    CP_ACK_SENT,
    CP_OPENED,
    CP_STATES,
    CP_ILLEGAL = CP_STATES, /* a dash of the figure */
};

enum cp_event {
    CP_UP,
    CP_DOWN,
    CP_OPEN,
    CP_CLOSE,
    CP_TO_PLUS,
    CP_TO_MINUS,
    CP_RCR_PLUS,
    CP_RCR_MINUS,
    CP_RCA,
    CP_RCN,
    CP_RTR,
    CP_RTA,
    CP_RUC,
    CP_RXJ_PLUS,
    CP_RXJ_MINUS,
    CP_RXR,
    CP_EVENTS,
};

/* tls needs nothing here, and ser is done by LCP's own handler of the packet. */
enum cp_action {
    CP_TLD = 1 << 0,
    CP_IRC = 1 << 1,
    CP_ZRC = 1 << 2,
    CP_SCR = 1 << 3,
    CP_SCA = 1 << 4,
    CP_SCN = 1 << 5,
    CP_STR = 1 << 6,
    CP_STA = 1 << 7,
    CP_SCJ = 1 << 8,
    CP_SER = 1 << 9,
    CP_TLU = 1 << 10,
    CP_TLS = 1 << 11,
    CP_TLF = 1 << 12,
};

struct cp_cell {
    uint16_t actions; /* enum cp_action bits */
    uint8_t next;     /* enum cp_state, CP_ILLEGAL */
};

const struct cp_cell *cp_cell(enum cp_state state, enum cp_event event);

/* What we think of one option of the peer's Configure-Request, or of the peer's Nak of ours. */
enum cp_opinion {
    CP_ACK,
    CP_NAK,
    CP_REJECT
};

struct ppp;

struct cp_ops {
    uint16_t protocol;
    const char *name;
    bool is_lcp; /* codes 8 and up are LCP's own */
    /* Our options, for a new Configure-Request. */
    void (*build)(struct ppp *p, struct wr *w);
    /* A request of the peer: begin, judge each option (`w_nak` takes what we would like instead),
     * and accept when all were fine and the Ack goes out. */
    void (*begin)(struct ppp *p);
    enum cp_opinion (*judge)(struct ppp *p, uint8_t type, struct span value, struct wr *w_nak);
    void (*accept)(struct ppp *p);
    /* The peer's answers to our request: each of its options is one that we sent. */
    void (*naked)(struct ppp *p, uint8_t type, struct span value);
    void (*rejected)(struct ppp *p, uint8_t type);
    void (*up)(struct ppp *p);
    void (*down)(struct ppp *p);
    void (*finished)(struct ppp *p); /* the timer gave up, or the end is agreed */
    void (*disagreed)(struct ppp *p, const char *what); /* the negotiation cannot end well */
    void (*terminated)(struct ppp *p, struct span text);
    /* LCP's codes 8 to 11; `raw` is what follows the four-byte header. */
    enum verdict (*extra)(struct ppp *p, uint8_t code, uint8_t id, struct span raw);
};

#define CP_OPTIONS_MAX 64 /* of our own request, and of a peer's that is remembered */

struct cp {
    const struct cp_ops *ops;
    struct ppp *ppp;
    enum cp_state state;
    /* our outstanding Configure-Request: its options are kept to compare an Ack byte by byte */
    uint8_t id;
    bool answered; /* a valid answer to it was taken: further ones are duplicates */
    uint8_t options[CP_OPTIONS_MAX];
    size_t n_options;
    unsigned sends; /* of this very request, or of the Terminate-Request */
    unsigned naks;  /* that we sent since the last opening */
    unsigned rounds;
    uint8_t terminate_id;
    /* the peer's last request, to know a repetition of it */
    uint8_t last_id;
    uint8_t last[CP_OPTIONS_MAX];
    size_t n_last;     /* SIZE_MAX: none, or too long to be remembered */
    bool last_acked;   /* our answer was an Ack */
    bool repeated;     /* the request in hand is the last one again */
    unsigned n_reacks; /* repetitions acknowledged while open */
    /* the answer in the making */
    uint8_t reply_code, reply_id;
    struct span reply;
    /* timers */
    l2tpc_us restart_at, give_up_at;
};

void cp_init(struct cp *cp, const struct cp_ops *ops, struct ppp *p);
/* False when the event cannot happen in this state; then nothing was done. */
bool cp_event(struct cp *cp, enum cp_event event);
enum verdict cp_input(struct cp *cp, struct span packet);
void cp_timer(struct cp *cp);
l2tpc_us cp_deadline(const struct cp *cp);
void cp_resend_request(struct cp *cp); /* the same bytes under the same id */
/* The message that the automaton waits for, by its RFC name. */
const char *cp_waits_for(const struct cp *cp);
const char *cp_code_name(uint8_t code);

#endif
