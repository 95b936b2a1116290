/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The L2TPv2 engine (RFC 2661), client side: one control connection with one incoming call. Input
 * is the payload of the inner UDP datagram that ESP has authenticated; output is consumed by esp
 * alone, so that L2TP has no way onto the network in the clear.
 */
#ifndef L2TPC_L2TP_L2TP_H
#define L2TPC_L2TP_L2TP_H

#include "base/clock.h"
#include "base/env.h"
#include "base/failure.h"
#include "base/limits.h"
#include "base/queue.h"
#include "base/secret.h"
#include "base/verdict.h"
#include "crypto/crypto.h"

/* A tunnel that ended without the peer's knowledge, and where its numbers stood. */
struct l2tp_former {
    uint16_t tunnel_id, peer_tunnel_id; /* the peer's is 0 when it is known to be closed */
    uint16_t ns_from, ns_to;            /* the peer expects one of these */
    uint16_t nr;
};

struct l2tp_config {
    const struct env *env; /* outlives the engine */
    struct crypto *crypto;
    char host_name[64]; /* our Host Name AVP */
    bool has_secret;    /* tunnel authentication and hidden AVPs (RFC 2661 5.1.1, 4.3) */
    struct secret secret;
    l2tpc_us hello; /* idle time before a HELLO; 0 = L2TP_HELLO */
    l2tpc_us rtt;   /* of the path, as far as it is known; 0 = not at all */
    bool hide_avps; /* with a secret: send every hideable AVP hidden */
    struct l2tp_former former[L2TP_FORMER_MAX]; /* to be closed before a new one is opened */
    unsigned n_former;
};

enum l2tp_event_type {
    L2TP_EVENT_TUNNEL_UP, /* SCCCN has been queued */
    L2TP_EVENT_CALL_UP,   /* ICRP came and ICCN has been queued: PPP may start at once, behind it */
    L2TP_EVENT_CALL_DOWN, /* CDN: .failure says why; the tunnel lives on */
    L2TP_EVENT_CLOSED, /* StopCCN acknowledged or given up after l2tp_close(), or sent by the peer
                        */
    L2TP_EVENT_PEER_DEAD, /* retransmission gave up on an established tunnel */
    L2TP_EVENT_FAILED,    /* .failure; nothing more will come */
};

struct l2tp_event {
    enum l2tp_event_type type;
    bool by_peer;
    struct failure failure;
};

struct l2tp_facts {
    uint16_t tunnel_id, peer_tunnel_id;
    uint16_t session_id, peer_session_id;
    char peer_hostname[PEER_TEXT_MAX]; /* escaped */
    char peer_vendor[PEER_TEXT_MAX];
    uint16_t peer_firmware;
    uint16_t peer_window;
    bool tunnel_up, call_up;
    l2tpc_us rtt;
    uint64_t sent, received, resent, duplicates, reordered, dropped;
    unsigned wen, sli;             /* WAN-Error-Notify and Set-Link-Info messages of the peer */
    uint32_t accm_send, accm_recv; /* of the last SLI; 0 when there was none */
};

struct l2tp;

struct l2tp *
l2tp_new(const struct l2tp_config *config);    /* copies; NULL: no memory or no randomness */
void l2tp_free(struct l2tp *l);                /* wipes */
void l2tp_start(struct l2tp *l, l2tpc_us now); /* queues SCCRQ */
enum verdict l2tp_input(struct l2tp *l, struct span control_message, l2tpc_us now);
void l2tp_timer(struct l2tp *l, l2tpc_us now);
l2tpc_us l2tp_deadline(const struct l2tp *l);
bool l2tp_pop_out(struct l2tp *l, struct msg *out) MUST_USE;
bool l2tp_pop_event(struct l2tp *l, struct l2tp_event *out) MUST_USE;
/* A valid data message of the call came in: as good as an acknowledged HELLO. */
void l2tp_note_data(struct l2tp *l, l2tpc_us now);
/* Asks at once whether the peer is there; what it must acknowledge anyway is as good as a HELLO. */
void l2tp_probe(struct l2tp *l, l2tpc_us now);
/* Polite end: CDN for the call, then StopCCN; CLOSED when acknowledged or after CLOSE_WAIT. */
void l2tp_close(struct l2tp *l, l2tpc_us now);
const struct l2tp_facts *l2tp_facts(const struct l2tp *l);
/* False when the peer knows that the tunnel is closed, or never had one that we know of. */
bool l2tp_get_former(const struct l2tp *l, struct l2tp_former *out) MUST_USE;
/* Those of the config that the peer has not acknowledged to be closed; returns how many. */
unsigned l2tp_formers_left(const struct l2tp *l, struct l2tp_former out[L2TP_FORMER_MAX]);

#endif
