/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The IKE engine: datagrams and an explicit `now` in, datagrams and events out. It ends in one or
 * more sa_pair events and then keeps the SA alive (keepalive, DPD, Delete). Knows no socket.
 */
#ifndef L2TPC_IKE_IKE_H
#define L2TPC_IKE_IKE_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/failure.h"
#include "base/limits.h"
#include "base/queue.h"
#include "base/sa.h"
#include "base/secret.h"
#include "base/suite.h"
#include "base/verdict.h"
#include "crypto/crypto.h"
#include "crypto/x509.h"
#include "ike/strength.h"
#include "ike/vendor.h"

/* Which of our sockets a datagram belongs to. */
enum ike_port {
    IKE_PORT_500,  /* plain ISAKMP */
    IKE_PORT_4500, /* behind the non-ESP marker, which the driver adds and strips (RFC 3948 2.2) */
    IKE_PORT_KEEPALIVE, /* out only: the single byte 0xff on 4500, no marker */
};

/* Our certificate as the signer shows it: all but the key. */
struct ike_credential {
    enum ike_auth auth;            /* the signature that goes with it */
    const struct cert_list *chain; /* sent, leaf first */
    uint8_t id_type;               /* what we call ourselves (RFC 2407 4.6.2.1) */
    struct span id;
    const struct cert_list *cas; /* DER names of the CAs that the server is asked to prove */
};

/* What the server proved its signature with. */
struct ike_peer_cert {
    struct cert_list chain;
    unsigned leaf; /* the one whose key verified the signature */
    uint8_t id_type;
    uint8_t id[IKE_IDENTITY_MAX];
    size_t n_id;
};

struct ike_config {
    const struct env *env; /* outlives the engine */
    struct crypto *crypto; /* outlives the engine */
    struct endpoint local; /* our address and the port our IKE socket is bound to */
    uint16_t local_natt_port;
    struct endpoint remote;    /* port 500 unless the user said otherwise */
    uint16_t remote_natt_port; /* 4500 */
    struct policy policy;      /* the ladder, strongest first; one SA proposal offers all of it */
    enum encapsulation encapsulation;
    uint16_t inner_port;                     /* our UDP port inside ESP: the quick mode selector */
    uint32_t ike_lifetime_s;                 /* 28800 */
    uint32_t esp_lifetime_s;                 /* 3600 */
    uint32_t esp_lifetime_kb;                /* offered beside the seconds; 0 = none */
    bool dpd;                                /* announce and use RFC 3706 */
    const struct ike_credential *credential; /* outlives the engine; NULL: a pre-shared key */
    bool fragmentation; /* announce IKE fragments, take them, and send them when the server did */
    uint16_t
        packet_max; /* of an IKE message with its IP header; 0 or more than it: IKE_PACKET_MAX */
    /* What the dial's ladder decides; all zero: the engine's own deadlines, failures are final. */
    bool quick_is_told; /* a first quick mode that failed is told: QUICK_FAILED, then quick_again */
    enum dh_group pfs_first; /* what the first quick mode asks for when the policy has none */
    unsigned mm1_sends;      /* message 1 is given up when so many brought nothing; 0: never */
    l2tpc_us mm1_wait, mm5_wait, quick_wait; /* 0: IKE_DEADLINE */
    l2tpc_us hint_wait, probe_wait;          /* 0: IKE_HINT_WAIT, IKE_PROBE_WAIT */
    enum strength floor_ike, floor_esp;      /* a weaker choice of the server's is IKE_DOWNGRADE */
    struct cert_id own_id;                   /* type 0: our address, or the certificate's subject */
    struct cert_id peer_id;  /* with a pre-shared key, what the server must be; type 0: anything */
    bool aggressive;         /* instead of main mode */
    bool aggressive_allowed; /* the consent, without which there is none */
};

enum ike_event_type {
    IKE_EVENT_STAGE,    /* .stage: IKE_PHASE1, IKE_AUTH (message 5 sent), IKE_QUICK has begun */
    IKE_EVENT_NEED_PSK, /* .need: answer with ike_answer_psk(); the exchange waits */
    IKE_EVENT_AUTHENTICATED, /* phase 1 is up */
    IKE_EVENT_SA_PAIR,    /* .sa: read with it now, send on it when nothing else is there; wiped by
                             the taker */
    IKE_EVENT_SA_READY,   /* .spi, .proven: the peer has it too, so send on it */
    IKE_EVENT_SA_DELETED, /* .spi: the pair with this outbound SPI is gone, by the peer's Delete or
                             because its quick mode came to nothing */
    IKE_EVENT_REKEY_FAILED, /* .failure: no new pair this time; the living ones go on */
    IKE_EVENT_IKE_DELETED,  /* by the peer, after ike_keep(): a new phase 1 follows, the pairs live
                             */
    IKE_EVENT_CLOSED,       /* the close is complete (ike_close), or the peer deleted the IKE SA */
    IKE_EVENT_PEER_DEAD,    /* DPD gave up */
    IKE_EVENT_FAILED,       /* .failure; nothing more will come */
    IKE_EVENT_NEED_SIGN,    /* .need, .digest: answer with ike_answer_sign(); the exchange waits */
    IKE_EVENT_NEED_CERT_STATUS, /* .need: judge ike_peer_cert(), then ike_answer_cert_status() */
    IKE_EVENT_SA_LIFETIME,  /* .spi, .sa: the server gives this pair so many seconds (UINT32_MAX:
                               nothing said) and bytes (0: nothing said) from its beginning on */
    IKE_EVENT_QUICK_FAILED, /* .failure; the IKE SA lives: ike_quick_again(), or the end of it all
                             */
};

struct ike_event {
    enum ike_event_type type;
    enum stage stage;
    uint32_t need;
    uint32_t spi;
    bool by_peer; /* CLOSED: the peer's Delete, not ours */
    bool proven;  /* SA_READY: by the peer itself; otherwise message 3 has had time to arrive */
    struct sa_pair sa;
    struct failure failure;
    uint8_t digest[HASH_MAX];
    size_t n_digest;
};

enum ike_nat {
    IKE_NAT_UNKNOWN,
    IKE_NAT_NO,
    IKE_NAT_YES,
};

/* What was negotiated and counted, for the status; never what the profile says. */
struct ike_facts {
    bool established;
    enum ike_auth auth;     /* how both sides prove who they are */
    struct ike_suite suite; /* the chosen one */
    uint32_t lifetime_s;
    uint8_t cky_i[8], cky_r[8];
    char peer_id_type[16];           /* "address", "fqdn", "user-fqdn", "dn", "key-id" */
    char peer_id[PEER_TEXT_MAX];     /* escaped */
    char peer_issuer[PEER_TEXT_MAX]; /* of its certificate; escaped */
    char vendor_ids[IKE_VENDOR_IDS_KEPT][VENDOR_TEXT_MAX]; /* known names, or hex of unknown ones */
    unsigned n_vendor_ids;
    enum ike_nat nat_local, nat_remote;
    bool natt;    /* the server offers NAT traversal */
    bool floated; /* on 4500 */
    bool dpd;     /* the server speaks RFC 3706 */
    l2tpc_us rtt; /* smoothed; 0 = none yet */
    uint64_t sent, received, resent, dropped;
    uint64_t dpd_sent, dpd_answered;
    unsigned ike_sas;   /* authenticated since the start; more than 1: phase 1 was renewed */
    bool fragmentation; /* both sides announced IKE fragments */
    uint64_t fragments_sent, fragments_received;
    struct ike_vendor_bytes vendor_bytes[IKE_VENDOR_IDS_KEPT]; /* of the same n_vendor_ids */
    bool aggressive;
    bool clear_identity; /* message 6 came in clear */
    l2tpc_us expires;    /* of the SA in use; 0 before it is established */
};

struct ike;

struct ike *ike_new(const struct ike_config *config); /* copies the config; NULL: no memory */
void ike_free(struct ike *ike);                       /* wipes everything */
void ike_start(struct ike *ike, l2tpc_us now);
/* `from` is the sender; `port` the socket it came in on, with the marker already stripped. */
enum verdict ike_input(struct ike *ike, enum ike_port port, const struct endpoint *from,
                       struct span datagram, l2tpc_us now);
void ike_timer(struct ike *ike, l2tpc_us now);
/* Another UDP port inside ESP than the config's; while phase 1 is not up. */
void ike_set_inner_port(struct ike *ike, uint16_t port);
/* Our port of the 4500 path, when it became another before anything left by it. */
void ike_set_natt_port(struct ike *ike, uint16_t port);
l2tpc_us ike_deadline(const struct ike *ike); /* absolute; US_NEVER = none */
void ike_answer_psk(struct ike *ike, uint32_t need, struct span psk, l2tpc_us now);
/* An empty signature: the key could not sign. */
void ike_answer_sign(struct ike *ike, uint32_t need, struct span signature, l2tpc_us now);
/* NULL: the certificate is the server's and good. Nothing is sent under ESP before that. */
void ike_answer_cert_status(struct ike *ike, uint32_t need, const struct failure *failure,
                            l2tpc_us now);
/* The failure that stands for a verdict other than GOOD. */
struct failure cert_failure(enum cert_verdict verdict, const char *detail);
/* Until NEED_CERT_STATUS is answered; else NULL. */
const struct ike_peer_cert *ike_peer_cert(const struct ike *ike);
/* The tag of a popped message is its enum ike_port. */
bool ike_pop_out(struct ike *ike, struct msg *out) MUST_USE;
bool ike_pop_event(struct ike *ike, struct ike_event *out) MUST_USE;
/* Authenticated ESP came in: a sign of life, and for the first pair a proof that the peer has it.
 */
void ike_note_esp_in(struct ike *ike, l2tpc_us now);
/* Authenticated ESP came in on this pair for the first time: its peer has it. */
void ike_note_pair_used(struct ike *ike, uint32_t spi_out, l2tpc_us now);
/*
 * A further pair is wanted: starts a quick mode, behind a new phase 1 when there is no IKE SA. True
 * when it is under way: SA_PAIR or REKEY_FAILED follows. False: the server's own is under way, or
 * the engine is held.
 */
bool ike_rekey(struct ike *ike, l2tpc_us now);
/* What the next quick mode offers, beside what the config says of it. */
struct ike_quick_try {
    const struct policy *policy; /* its ESP suites */
    uint16_t inner_port;
    l2tpc_us wait; /* 0: IKE_DEADLINE */
};

void ike_set_quick(struct ike *ike, const struct ike_quick_try *t);
/* Another quick mode under the IKE SA in use, in place of the first one; false when there is no
 * such SA. */
bool ike_quick_again(struct ike *ike, l2tpc_us now) MUST_USE;
/* Tells the server that we are done with this pair. */
void ike_delete_pair(struct ike *ike, uint32_t spi_out, l2tpc_us now);
/* The dial is up: when the server deletes the IKE SA alone, a new one is made. */
void ike_keep(struct ike *ike);
/* The dial is ending: nothing new is negotiated from now on, by neither side. */
void ike_hold(struct ike *ike);
/* We sent ESP: keepalives are not due, and unanswered traffic starts DPD. */
void ike_note_esp_out(struct ike *ike, l2tpc_us now);
/* Where the server is: follows NAT rebinding that a HASH or an ICV has proven. */
const struct endpoint *ike_peer(const struct ike *ike, enum ike_port port);
/* An ICV has proven that the server's port 4500 is there now. */
void ike_follow(struct ike *ike, const struct endpoint *peer);
/* Polite end: Delete for each ESP SA, then for the IKE SA; CLOSED follows at once, as nobody
 * answers. */
void ike_close(struct ike *ike, l2tpc_us now);
/* A network error (ICMP) seen on the socket: a hint for the error text, never fatal. */
void ike_note_unreachable(struct ike *ike, int os_error, l2tpc_us now);
/* True when a message with this initiator cookie belongs here: the exchange's own or a probe's. */
bool ike_owns_cookie(const struct ike *ike, const uint8_t cky_i[8]);
/* Our inbound SPIs in quick modes that wait for message 2: the peer may use them before it is here.
 */
unsigned ike_offered_spis(const struct ike *ike, uint32_t *out, unsigned max);
const struct ike_facts *ike_facts(const struct ike *ike);

#endif
