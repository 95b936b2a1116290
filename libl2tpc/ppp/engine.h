/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inside of the PPP engine, shared by its files alone. */
#ifndef L2TPC_PPP_ENGINE_H
#define L2TPC_PPP_ENGINE_H

#include "ppp/automaton.h"
#include "ppp/mschapv2.h"
#include "ppp/ppp.h"

enum {
#define PPP_PROTOCOL(id, number, name) PROTO_##id = number,
#define PPP_CODE(id, number, name) CODE_##id = number,
#define CHAP_CODE(id, number, name) CHAP_##id = number,
#define PAP_CODE(id, number, name) PAP_##id = number,
#define LCP_OPTION(id, number, name, length, judge) LCP_##id = number,
#define IPCP_OPTION(id, number, name, length, judge) IPCP_##id = number,
#include "ppp/option.def"
};

enum ppp_phase {
    PHASE_DEAD, /* not started */
    PHASE_ESTABLISH,
    PHASE_AUTHENTICATE,
    PHASE_NETWORK,
    PHASE_CLOSING, /* ppp_close() was called */
    PHASE_OVER,    /* the last event is queued; nothing more happens */
};

/* A login method as LCP option 3 names it. */
struct ppp_method {
    enum ppp_auth auth; /* 0: one that we do not speak */
    uint16_t protocol;
    uint8_t algorithm; /* of CHAP */
    const char *name;
};

/* What the peer asks for in its LCP Configure-Request. */
struct lcp_peer {
    uint16_t mru;
    bool pfc;
    const struct ppp_method *method; /* NULL: no authentication */
};

struct lcp {
    struct cp cp;
    uint16_t mru;   /* ours; 0 = rejected by the peer */
    uint32_t magic; /* ours; 0 = rejected by the peer */
    struct lcp_peer offered, agreed;
    bool auth_rejected; /* an authentication option was rejected, after all Naks */
    char refused[16];   /* the name of the method that we refused last; "" = none pending */
    l2tpc_us reject_at; /* earliest next Code- or Protocol-Reject */
    uint8_t reject_id;
    bool heard;    /* an LCP packet of the peer came in */
    bool repeated; /* our first request, when the peer's first came */
};

struct echo {
    l2tpc_us due_at; /* US_NEVER: not running */
    l2tpc_us sent_at;
    uint8_t id;
    unsigned unanswered;
    bool ever_answered, dead;
};

/* The login, whatever the method. */
struct auth {
    const struct ppp_method *method;
    l2tpc_us resend_at, give_up_at;
    l2tpc_us left; /* of the deadline, when the peer challenged again; 0 = all of it */
    l2tpc_us sent_at;
    unsigned sends;
    uint32_t need;  /* number of the last NEED_PASSWORD; */
    bool need_open; /*   it was not answered yet */
    /* CHAP: the challenge that waits for a password or was answered */
    uint8_t challenge_id;
    uint8_t challenge[255];
    size_t n_challenge;
    l2tpc_us answered_at;
    l2tpc_us first_at;             /* our first login; 0: none yet */
    bool answered;                 /* `response` belongs to `challenge_id` and awaits its verdict */
    bool has_answered;             /* `response` belongs to it, with or without a verdict */
    uint8_t proof[MSCHAPV2_PROOF]; /* what the server must show; wiped when it has */
    uint8_t pap_id;
    uint8_t response[4 + 1 + 255 + 1 + 255]; /* the packet, for duplicates */
    size_t n_response;
};

struct ipcp {
    struct cp cp;
    uint32_t address; /* what we ask for or have */
    bool ask_address;
    uint32_t dns[2];
    bool ask_dns[2];
    uint32_t offered, peer; /* the peer's address, 0 = none */
    bool was_up;            /* before a renegotiation */
};

DEFINE_RING(ppp_events, struct ppp_event, 2, 16)

struct ppp {
    struct ppp_config config;
    struct ppp_facts facts;
    enum ppp_phase phase;
    l2tpc_us now; /* of the call in progress */
    struct lcp lcp;
    struct auth *auth; /* in the vault of the env: a PAP packet holds the password */
    struct echo echo;
    struct ipcp ipcp;
    bool ending; /* the peer terminates: closing layers make no events */
    bool was_up; /* when it did */
    bool failed;
    bool closed; /* CLOSED was queued */
    l2tpc_us reopened_at[PPP_REOPENS_MAX];
    unsigned n_reopens;
    struct msgq out;
    struct ppp_events events;
};

/* ppp.c */
void ppp_event(struct ppp *p, enum ppp_event_type type);
void ppp_fail(struct ppp *p, struct failure f);
void ppp_fail_value(struct ppp *p, enum failure_id id, const char *value);
void ppp_lcp_up(struct ppp *p);
void ppp_lcp_down(struct ppp *p);
void ppp_authenticated(struct ppp *p);
void ppp_terminated(struct ppp *p, struct span text);
void ppp_closed(struct ppp *p);
void ppp_echoed(struct ppp *p, uint8_t number);
bool ppp_reopened(struct ppp *p); /* false: too often, and the engine has failed */

/* frame.c */
bool frame_split(struct span frame, bool pfc, uint16_t *out_protocol,
                 struct span *out_info) MUST_USE;
/* A control packet: code, id, length, body; what does not fit the peer's MRU is not sent. */
void ppp_send(struct ppp *p, uint16_t protocol, uint8_t code, uint8_t id, struct span body);
void ppp_send_tagged(struct ppp *p, uint32_t tag, uint16_t protocol, uint8_t code, uint8_t id,
                     struct span body);
void ppp_send_packet(struct ppp *p, uint16_t protocol, struct span packet);
size_t ppp_body_cap(const struct ppp *p); /* room for a body after the four-byte header */
const char *ppp_protocol_name(uint16_t protocol);

/* lcp.c */
extern const struct cp_ops lcp_ops;
void lcp_init(struct ppp *p);
bool lcp_new_magic(struct ppp *p); /* false: the engine has failed */
enum verdict lcp_input(struct ppp *p, struct span packet);
void lcp_send_protocol_reject(struct ppp *p, uint16_t protocol, struct span info);
void lcp_send_code_reject(struct ppp *p, const struct cp *cp, struct span packet);

/* lcp_option.c */
enum cp_opinion lcp_judge(struct ppp *p, uint8_t type, struct span value, struct wr *w_nak);

/* echo.c */
void echo_start(struct ppp *p);
void echo_stop(struct ppp *p);
void echo_alive(struct ppp *p); /* something came from the peer */
void echo_probe(struct ppp *p);
void echo_timer(struct ppp *p);
void echo_recv_request(struct ppp *p, uint8_t id, struct span raw);
void echo_recv_reply(struct ppp *p, uint8_t id, struct span raw);
void echo_send_sized(struct ppp *p, uint8_t number, uint16_t length);

/* auth.c */
void auth_start(struct ppp *p);
void auth_stop(struct ppp *p);
void auth_need(struct ppp *p);
void auth_sent(struct ppp *p); /* our answer to a need is ready in `response` */
void auth_succeeded(struct ppp *p);
void auth_refused(struct ppp *p, struct span message);
void auth_hurry(struct ppp *p);
void auth_alive(struct ppp *p); /* the peer is further on: its verdict was lost */
void auth_resend(struct ppp *p);
void auth_timer(struct ppp *p);
l2tpc_us auth_deadline(const struct ppp *p);
void auth_password(struct ppp *p, struct span password);

/* pap.c */
void pap_password(struct ppp *p, struct span password);
enum verdict pap_input(struct ppp *p, struct span packet);

/* chap.c */
void chap_password(struct ppp *p, struct span password);
enum verdict chap_input(struct ppp *p, struct span packet);

/* ipcp.c */
extern const struct cp_ops ipcp_ops;
void ipcp_init(struct ppp *p);
void ipcp_start(struct ppp *p);

#endif
