/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The fifth engine: wires ike, esp, l2tp and ppp into one dial, owns stages, deadlines and the
 * order of teardown. Still no I/O: what it cannot do it asks for as a need, which the driver
 * answers at any later time.
 */
#ifndef L2TPC_DIAL_DIAL_H
#define L2TPC_DIAL_DIAL_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/failure.h"
#include "base/queue.h"
#include "base/secret.h"
#include "base/suite.h"
#include "base/verdict.h"
#include "dial/data.h"
#include "dial/ladder.h"
#include "dial/path_mtu.h"
#include "dial/servers.h"
#include "ike/identity.h"
#include "ike/ike.h"
#include "ike/policy.h"
#include "l2tp/l2tp.h"
#include "ppp/dhcpinform.h"
#include "ppp/ppp.h"

#define DIAL_ADDRESSES_MAX 16

struct dial_config {
    const struct env *env;
    struct crypto *crypto;
    char server[256]; /* as dialed, for RESOLVE */
    uint16_t port;    /* 500 */
    struct policy policy;
    enum encapsulation encapsulation;
    uint32_t ike_lifetime_s, esp_lifetime_s;
    uint32_t esp_lifetime_kb; /* offered beside the seconds; 0 = none */
    uint16_t inner_port;      /* 0: random and ephemeral */
    char host_name[64];
    bool has_tunnel_secret;
    struct secret tunnel_secret;
    char user[PPP_USER_MAX];
    unsigned auth;           /* enum ppp_auth bits */
    bool nt_hash_utf8_bytes; /* quirk: MS-CHAPv2 hashes UTF-8 bytes, as SoftEther does */
    uint16_t mru;            /* 0: PPP_MRU */
    enum stage until;        /* STAGE_UP for a whole dial; end politely when this stage is done */
    l2tpc_us timeout;        /* for the whole dial; 0 = none */
    const struct ike_credential *credential; /* outlives the dial; NULL: a pre-shared key */
    bool no_fragmentation;         /* quirk: IKE fragments are neither announced nor sent */
    const struct servers *servers; /* outlives the dial; NULL: no server is known */
    bool has_learned;              /* of this very server */
    struct learned learned;
    struct cert_id own_id, peer_id; /* as in ike_config */
    bool aggressive, aggressive_allowed;
    struct inaddr want_ip;                      /* asked for first; family 0: any */
    struct l2tp_former former[L2TP_FORMER_MAX]; /* tunnels that the server may still hold */
    unsigned n_former;
    l2tpc_us
        patience; /* with a server that was heard and stops in the middle; 0: each stage's own */
    bool no_path_mtu; /* its discovery is off */
    bool impatient;   /* with the last address too: it is to be looked up again when it is silent */
    bool dhcpinform;  /* ask for routes behind IPCP */
    const struct dhcp_answer *pushed; /* by the dial before; NULL: nothing. In force until there is
                                         a new answer, so that its routes are never away */
    bool class_route;                 /* guess a route from the class of our address */
};

/* Which of the driver's sockets a datagram leaves from or came in on. */
enum dial_path {
    DIAL_PATH_IKE,  /* our port 500 or its stand-in */
    DIAL_PATH_NATT, /* our port 4500 or its stand-in: marker and ESP as on the wire */
    DIAL_PATH_ESP,  /* raw IP protocol 50: ESP packet without IP header */
};

enum dial_need_type {
    DIAL_NEED_RESOLVE, /* .name -> dial_answer_resolve() */
    DIAL_NEED_SOCKETS, /* .remote, .raw_esp -> dial_answer_sockets() */
    DIAL_NEED_PSK,     /* -> dial_answer_secret() */
    DIAL_NEED_PASSWORD,
    DIAL_NEED_TUN,         /* -> dial_answer_done() */
    DIAL_NEED_APPLY_IP,    /* .ip -> dial_answer_done() */
    DIAL_NEED_SIGN,        /* .digest -> dial_answer_sign() */
    DIAL_NEED_CERT_STATUS, /* dial_peer_cert() -> dial_answer_done() */
};

#define DIAL_NEEDS (DIAL_NEED_CERT_STATUS + 1)

struct dial_ip {
    struct inaddr local, peer;
    struct inaddr dns[2];
    uint16_t mtu; /* inner: what fits without fragmenting the outer packet */
};

enum dial_event_type {
    DIAL_EVENT_NEED,
    DIAL_EVENT_STAGE_BEGIN, /* .stage */
    DIAL_EVENT_STAGE_END,
    DIAL_EVENT_SA_CHANGED, /* SPIs changed: observers and filters follow dial_facts() */
    DIAL_EVENT_REKEYED,    /* a further pair was negotiated and sends now */
    DIAL_EVENT_UP,
    DIAL_EVENT_RELEASE_IP, /* undo APPLY_IP: the tunnel goes away */
    DIAL_EVENT_FAILED,     /* .failure; DOWN follows */
    DIAL_EVENT_DOWN,       /* the end: nothing more will come */
    DIAL_EVENT_RUNG,       /* another try: dial_facts.ladder has it */
    DIAL_EVENT_WARNING,    /* .failure, which ends nothing */
    DIAL_EVENT_LEARNED,    /* dial_learned() is worth keeping */
};

struct dial_event {
    enum dial_event_type type;
    enum stage stage;
    enum dial_need_type need;
    uint32_t need_id;
    struct endpoint remote;
    bool raw_esp;
    struct dial_ip ip;
    struct failure failure;
    uint8_t digest[HASH_MAX];
    size_t n_digest;
};

struct dial_stage_time {
    bool begun, done;
    l2tpc_us start, end; /* absolute */
};

/* All that the status is made of; pointers are valid until the next call. */
struct dial_facts {
    struct dial_stage_time stage[STAGE_COUNT];
    l2tpc_us started;
    enum stage current;
    bool up, closing, down;
    bool was_authenticated, was_call_up; /* stay true when it has ended: what the dial has proven */
    l2tpc_us up_at;
    struct endpoint local, remote;
    uint16_t local_natt_port;
    const struct ike_facts *ike;   /* NULL before phase 1 has begun */
    const struct l2tp_facts *l2tp; /* NULL before the tunnel stage */
    const struct ppp_facts *ppp;   /* NULL before PPP */
    bool has_sa;
    struct esp_suite esp_suite;
    enum dh_group pfs;
    bool udp_encapsulated;
    uint32_t spi_in, spi_out;
    uint32_t esp_lifetime_s;
    unsigned sa_pairs;                   /* that have sent since the start; above 1: rekeyed */
    struct esp_counters esp_in, esp_out; /* summed over all SAs of this dial */
    struct data_counters data;
    struct dial_ip ip;
    struct failure failure; /* id NONE while all is well */
    struct server_verdict server;
    unsigned server_quirks;       /* enum server_quirk bits that the verdict has switched on */
    const struct ladder *ladder;  /* NULL before phase 1 has begun */
    bool peer_id_changed;         /* since the dial before */
    const char *esp_backend;      /* who computes full batches; NULL before the first SA */
    l2tpc_us esp_expires;         /* of the SA pair in use; US_NEVER or 0: nothing was said */
    enum path_mtu_state path_mtu; /* whether ip.mtu is known to pass the way to the server */
    const struct dhcpinform_facts *dhcpinform; /* NULL: nothing was asked */
    const struct dhcp_answer *pushed;          /* what is in force of it; NULL: nothing */
    bool has_class_route;
    struct dhcp_route class_route;
};

struct dial;

struct dial *dial_new(const struct dial_config *config);
void dial_free(struct dial *d);
/* Before the start: what dial_config.credential could not know yet. */
void dial_set_credential(struct dial *d, const struct ike_credential *credential);
void dial_start(struct dial *d, l2tpc_us now);
/* Computes ahead what the first SA will need; for the time in which the server thinks. */
void dial_prepare(struct dial *d);
/* A datagram as received; opened in place. IP packets wait for dial_pop_ip(). */
enum verdict dial_input(struct dial *d, enum dial_path path, const struct endpoint *from,
                        struct mspan datagram, l2tpc_us now);
/* What data_open() called CONTROL or PPP. */
enum verdict dial_input_inner(struct dial *d, enum data_kind kind, struct span inner, l2tpc_us now);
/* After a batch for which data_open() returned anything but NOTHING; `from` is its sender. */
void dial_note_esp_in(struct dial *d, const struct endpoint *from, l2tpc_us now);
void dial_note_esp_out(struct dial *d, l2tpc_us now);
void dial_note_unreachable(struct dial *d, int os_error, l2tpc_us now);
void dial_timer(struct dial *d, l2tpc_us now);
/* This computer or this process stood still for seconds: is the server still there? Before the
 * first dial_timer() and dial_input() behind it. */
void dial_woke(struct dial *d, l2tpc_us now);
l2tpc_us dial_deadline(const struct dial *d);
/* The tag of a datagram that leaves with DF: whether it arrives in one piece is what it asks. */
#define DIAL_OUT_WHOLE 1
bool dial_pop_out(struct dial *d, enum dial_path *path, struct endpoint *to,
                  struct msg *out) MUST_USE;
bool dial_pop_ip(struct dial *d, struct msg *out) MUST_USE;
bool dial_pop_event(struct dial *d, struct dial_event *out) MUST_USE;

void dial_answer_resolve(struct dial *d, uint32_t need, const struct inaddr *addresses, unsigned n,
                         const struct failure *failure, l2tpc_us now);
/* The local address towards the remote, and the ports the two UDP sockets are bound to. */
void dial_answer_sockets(struct dial *d, uint32_t need, const struct endpoint *local,
                         uint16_t local_natt_port, const struct failure *failure, l2tpc_us now);
/* The MTU of the way to the server, 0 when unknown (1500 is assumed); before dial_answer_sockets().
 */
void dial_set_outer_mtu(struct dial *d, unsigned mtu);
/* False for a need that was answered, is none, or has gone with the end of the dial. */
bool dial_need_is_open(const struct dial *d, uint32_t need);
/* NULL secret: none is to be had. */
void dial_answer_secret(struct dial *d, uint32_t need, const struct span *secret, l2tpc_us now);
/* NULL: the key could not sign. */
void dial_answer_sign(struct dial *d, uint32_t need, const struct span *signature, l2tpc_us now);
/* What CERT_STATUS asks about; NULL when nothing is asked. */
const struct ike_peer_cert *dial_peer_cert(const struct dial *d);
void dial_answer_done(struct dial *d, uint32_t need, const struct failure *failure, l2tpc_us now);

/* Polite end in order: PPP Terminate, CDN, StopCCN, Delete; DOWN follows within a few CLOSE_WAIT.
 */
void dial_close(struct dial *d, l2tpc_us now);
/* Tries once to have new ESP keys before their time; false when the tunnel is not up. */
bool dial_rekey(struct dial *d, l2tpc_us now);
/* A failure of the driver's own (TUN gone, cancelled): ends the dial with it, politely. */
void dial_fail(struct dial *d, const struct failure *failure, l2tpc_us now);
/* Ends the polite end: DOWN follows at once, Deletes leave before. */
void dial_end(struct dial *d, l2tpc_us now);
/* All addresses of the name; returns how many. */
unsigned dial_addresses(const struct dial *d, struct inaddr out[DIAL_ADDRESSES_MAX]);
/* What the server may still hold of this dial and of those before it; the newest come first. */
unsigned dial_former(const struct dial *d, struct l2tp_former out[L2TP_FORMER_MAX]);

/*
 * Asked when the first datagram leaves by DIAL_PATH_NATT: true where it should do so by a port that
 * nobody has used with this server lately. What is behind it the dial is told; that is optional.
 */
bool dial_wants_own_port(const struct dial *d) MUST_USE;
void dial_set_natt_port(struct dial *d, uint16_t port);
struct data_path *dial_data(struct dial *d);
/* What is known of the server now that the dial is up; false before. */
bool dial_learned(const struct dial *d, struct learned *out) MUST_USE;
/* All inbound SPIs; returns how many (at most max). */
unsigned dial_inbound_spis(const struct dial *d, uint32_t *out, unsigned max);
/* The name that was dialed: the argument of RESOLVE. */
const char *dial_server(const struct dial *d);
bool dial_owns_cookie(const struct dial *d, const uint8_t cky_i[8]);
const struct dial_facts *dial_facts(struct dial *d);

#endif
