/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The PPP engine (RFC 1661), client side: LCP, authentication, IPCP, echo, polite termination.
 * Frames carry no HDLC framing; on output they start with FF 03 and a two-byte protocol, on input
 * FF 03 is optional and a one-byte protocol is taken where PFC was agreed.
 */
#ifndef L2TPC_PPP_PPP_H
#define L2TPC_PPP_PPP_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/failure.h"
#include "base/limits.h"
#include "base/queue.h"
#include "base/secret.h"
#include "base/verdict.h"
#include "crypto/crypto.h"

enum ppp_auth {
    PPP_AUTH_PAP = 1 << 0,
    PPP_AUTH_CHAP_MD5 = 1 << 1,
    PPP_AUTH_MSCHAPV2 = 1 << 2,
    PPP_AUTH_NONE_OK = 1 << 7, /* the server may ask for no authentication at all */
};

#define PPP_USER_MAX 256

struct ppp_config {
    const struct env *env; /* outlives the engine */
    struct crypto *crypto;
    uint16_t mru;  /* ours, 0 = PPP_MRU */
    unsigned auth; /* allowed methods, enum ppp_auth bits; strongest is offered in a Nak */
    char user[PPP_USER_MAX]; /* UTF-8, as sent; may hold DOMAIN\user */
    struct inaddr want_ip;   /* family 0: ask 0.0.0.0 */
    bool want_dns;
    l2tpc_us echo; /* LCP echo interval when idle; 0 = PPP_ECHO */
    /* Quirk: the NT hash is made of the password's UTF-8 bytes, each widened with a zero byte. */
    bool nt_hash_utf8_bytes;
};

enum ppp_event_type {
    PPP_EVENT_LCP_UP,        /* authentication phase begins */
    PPP_EVENT_NEED_PASSWORD, /* .need: answer with ppp_answer_password() */
    PPP_EVENT_AUTHENTICATED, /* with the server's proof verified where the method has one */
    PPP_EVENT_IP_UP,         /* facts hold addresses; IP may flow */
    PPP_EVENT_IP_DOWN,       /* LCP or IPCP was reopened: IP must stop until IP_UP */
    PPP_EVENT_IP_CHANGED,    /* renegotiated with other addresses */
    PPP_EVENT_CLOSED,        /* Terminate-Ack came or the wait is over, after ppp_close() */
    PPP_EVENT_TERMINATED,    /* the peer terminated: .failure holds its words */
    PPP_EVENT_PEER_DEAD,     /* LCP echo gave up (only when the peer answered echoes before) */
    PPP_EVENT_FAILED,        /* .failure; nothing more will come */
    PPP_EVENT_ECHOED,        /* .need: the number of a sized echo that was answered */
};

struct ppp_event {
    enum ppp_event_type type;
    uint32_t need;
    struct failure failure;
};

struct ppp_facts {
    enum ppp_auth auth; /* the method that succeeded; 0 before, or when the peer asked for none */
    uint16_t mru;       /* ours, as acknowledged */
    uint16_t peer_mru;  /* what we may send */
    struct inaddr local_ip, peer_ip;
    struct inaddr dns[2]; /* family 0 when not given */
    bool lcp_up, authenticated, ip_up;
    l2tpc_us rtt; /* of the last LCP echo */
    uint64_t sent, received, resent, dropped, protocol_rejects;
    bool pfc;              /* the peer asked for protocol field compression and has it */
    uint64_t early_echoes; /* LCP Echo-Requests that came before LCP was open */
    bool login_sent;       /* name and proof are out, without a verdict so far */
    bool echoes;           /* the peer answers echoes */
};

struct ppp;

struct ppp *ppp_new(const struct ppp_config *config);
void ppp_free(struct ppp *p); /* wipes */
void ppp_start(struct ppp *p, l2tpc_us now);
enum verdict ppp_input(struct ppp *p, struct span frame, l2tpc_us now);
void ppp_timer(struct ppp *p, l2tpc_us now);
l2tpc_us ppp_deadline(const struct ppp *p);
bool ppp_pop_out(struct ppp *p, struct msg *out) MUST_USE;
bool ppp_pop_event(struct ppp *p, struct ppp_event *out) MUST_USE;
void ppp_answer_password(struct ppp *p, uint32_t need, struct span password, l2tpc_us now);
void ppp_note_data(struct ppp *p, l2tpc_us now); /* IP came in: no echo is due */
/* The server is there, whatever it waits for: a login that is under way may take longer. */
void ppp_note_alive(struct ppp *p, l2tpc_us now);
void ppp_probe(struct ppp *p, l2tpc_us now); /* an echo at once, which counts for nothing else */
/* The tag of a message that no fragments may be made of on its way. */
#define PPP_OUT_WHOLE 1
/* An echo as long as an IP packet of `length`, tagged so; `number` is below PATH_MTU_NUMBERS. */
void ppp_send_sized_echo(struct ppp *p, uint8_t number, uint16_t length, l2tpc_us now);
/* Polite end: Terminate-Request; CLOSED on its Ack or after CLOSE_WAIT. */
void ppp_close(struct ppp *p, l2tpc_us now);
const struct ppp_facts *ppp_facts(const struct ppp *p);

/*
 * The protocol of a frame for the data path, and its information field; false = drop. FF 03 is
 * optional; a one-byte protocol counts only when `pfc`.
 */
bool ppp_frame_read(struct mspan frame, bool pfc, uint16_t *out_protocol,
                    struct mspan *out_info) MUST_USE;
/* FF 03 and two bytes of protocol: what ppp_frame_wrap() puts in front. */
#define PPP_FRAME_HEADER 4
#define PPP_PROTO_IP 0x0021
#define PPP_PROTO_IPV6 0x0057
struct mspan ppp_frame_wrap(uint16_t protocol, struct mspan info);

#endif
