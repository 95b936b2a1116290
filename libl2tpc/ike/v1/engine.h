/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of the IKEv1 engine share: its state and the few verbs that change it. */
#ifndef L2TPC_IKE_V1_ENGINE_H
#define L2TPC_IKE_V1_ENGINE_H

#include "ike/ike.h"
#include "ike/retransmit.h"
#include "ike/v1/build.h"
#include "ike/v1/fragment.h"
#include "ike/v1/keymat.h"
#include "ike/v1/parse.h"
#include "ike/v1/proposal.h"

#define IKE_EVENTS 24
#define IKE_PSK_NEED 1u
#define IKE_SIGN_NEED 2u
#define IKE_CERT_NEED 3u

/* A state is named for what has happened. */
enum phase1_state {
    P1_NEW,
    P1_MM1_SENT,
    P1_MM3_SENT,
    P1_PSK_ASKED,
    P1_SIGN_ASKED,
    P1_MM5_SENT,
    P1_CERT_ASKED, /* its signature is good; whose certificate it was is being looked at */
    P1_MM2_SENT,   /* as responder, to renew */
    P1_MM4_SENT,
    P1_UP,
    P1_DELETED,  /* by the peer: the keys live on to read late Deletes */
    P1_CLOSED,   /* closed or failed: nothing is taken, nothing is sent */
    P1_AM1_SENT, /* aggressive mode */
};

enum natt_flavour {
    NATT_NONE,
    NATT_DRAFT, /* drafts 02 and 03: payloads 130 and 131, encapsulation 61444 */
    NATT_RFC,   /* RFC 3947 */
};

/* Why it probably fails, from input that nobody vouches for. */
struct ike_hint {
    bool set;
    bool early;  /* fail after IKE_HINT_WAIT; else it only explains the timeout */
    l2tpc_us at; /* when the first early hint came */
    struct failure failure;
};

/* A fresh message 1 to port 4500: does anything come back from there? */
struct ike_probe {
    bool started, answered;
    uint8_t cky[ISAKMP_COOKIE_LEN];
    unsigned sends_then; /* sends of message 5 when the answer came */
    struct retransmit rtx;
};

enum quick_state {
    QUICK_FREE,
    QUICK_QM1_SENT, /* initiator */
    QUICK_QM2_SENT, /* responder */
    QUICK_COMMIT,   /* message 3 is sent, the peer's CONNECTED is awaited */
    QUICK_DONE,     /* kept to answer duplicates */
};

#define IKE_DIGEST_LEN 32

struct quick {
    enum quick_state state;
    uint32_t message_id;
    uint8_t iv[IKE_BLOCK_MAX]; /* the last block of this exchange */
    uint8_t ni[IKE_NONCE_MAX], nr[IKE_NONCE_MAX];
    size_t n_ni, n_nr;
    uint32_t spi_in;
    enum dh_group pfs; /* as initiator: what message 1 asks for */
    bool rekey;        /* a pair lives: failing ends nothing */
    struct dh *dh;
    struct sa_pair sa;
    struct retransmit rtx; /* our last message; on the timer while an answer is due */
    uint8_t last_in[IKE_DIGEST_LEN];
    unsigned resends;
    l2tpc_us since; /* of the state */
    l2tpc_us ready; /* QUICK_COMMIT: when the peer must have message 3 */
};

/* The last message ids of a kind. */
struct ike_ids {
    uint32_t id[IKE_FINISHED_KEPT];
    unsigned n; /* ever kept: the next slot, modulo */
};

/* A message 6, or 5 of a server that renews, whose signature is good. */
struct ike_mm6 {
    struct ike_peer_cert cert;
    struct identity id; /* its data stand in cert.id */
    uint8_t iv[IKE_BLOCK_MAX];
    uint8_t digest[IKE_DIGEST_LEN]; /* of the datagram */
    enum ike_port port;
    struct endpoint from;
};

struct ike_sa_record {
    uint32_t spi_in, spi_out;
    bool live;
};

struct ike_liveness {
    l2tpc_us last_in;          /* authenticated IKE or ESP */
    l2tpc_us last_out;         /* anything that refreshes a NAT */
    l2tpc_us unanswered_since; /* first ESP out that nothing came back for; 0 = none */
    bool waiting;              /* an R-U-THERE is unanswered */
    bool dead;
    uint32_t seq;
    unsigned tries;
    l2tpc_us sent_at;
    bool peer_seq_known;
    uint32_t peer_seq;
    l2tpc_us answers_from; /* start of the second in which answers are counted */
    unsigned answers;
};

/*
 * Renewal of phase 1: the engine that the driver holds is the root of a few others, one IKE SA
 * each. They share its queues, its ESP pairs and its secret. A new SA that has been authenticated
 * changes places with the root's, so that the root always is the SA in use.
 */
enum ike_role {
    IKE_ROLE_ROOT,
    IKE_ROLE_NEXT, /* our renewal, not yet up */
    IKE_ROLE_PEER, /* the server's, not yet up */
    IKE_ROLE_OLD,  /* replaced: read until it is deleted */
};

/* Of the root alone; it stays where it is when SAs change places. */
struct ike_renewal {
    struct ike *kin[IKE_KIN_MAX];
    struct secret *psk; /* in the vault */
    bool keep, held;
    bool settled;   /* a pair has been ready: from here on nothing of phase 2 is fatal */
    bool want_pair; /* a quick mode follows the next phase 1 */
    unsigned tries;
    l2tpc_us due;    /* the next phase 1; US_NEVER */
    l2tpc_us hard;   /* the end of the IKE SA; US_NEVER */
    l2tpc_us nudged; /* 0: never */
    uint8_t nudge[ISAKMP_COOKIE_LEN];
};

/* What lasts longer than a call and must not be known: in the vault of the env. */
struct ike_secrets {
    struct ike_keys keys;
    uint8_t gxy[DH_MAX];
    struct quick quick[IKE_QUICK_SLOTS];
};

DEFINE_RING(ike_event_ring, struct ike_event, 2, IKE_EVENTS)

struct ike {
    struct ike_config cfg;
    enum phase1_state state;
    struct msgq out;
    struct ike_event_ring events;
    struct ike_facts facts;
    struct endpoint peer[2]; /* by enum ike_port */

    /*
     * Deadlines, one per purpose; ike_deadline() is their minimum:
     *   rtx            the main mode message that waits for its answer
     *   stage_first    + IKE_DEADLINE: the stage
     *   hint.at        + IKE_HINT_WAIT: a refusal that nothing contradicts
     *   probe.rtx      the probe of port 4500, and its end
     *   quick[].rtx    quick mode 1 or 2;  quick[].since: the Commit wait
     *   live           keepalive, dead peer detection
     *   deleted_at     + IKE_DELETED_KEEP: the end of the keys
     *   renewal.due    the next phase 1;  renewal.hard: the end of this one
     *   retire_at      our Delete of an IKE SA that was replaced
     */
    struct ike *root; /* itself when it is the root */
    enum ike_role role;
    struct ike_renewal renewal;
    l2tpc_us retire_at;
    l2tpc_us up_at; /* when it was authenticated: lifetimes count from there */
    bool responder; /* of main mode */
    uint8_t last_in[IKE_DIGEST_LEN];
    struct retransmit rtx;
    l2tpc_us stage_first;
    struct ike_hint hint;
    struct ike_probe probe;
    struct ike_secrets *secrets;
    struct quick *quick; /* those of the secrets */
    enum dh_group pfs; /* what our quick modes ask for: the policy's, or what a server insists on */
    bool pfs_dropped;  /* what was remembered of it does not hold any more */
    struct ike_liveness live;
    l2tpc_us deleted_at;

    /* phase 1 */
    uint8_t cky_i[ISAKMP_COOKIE_LEN], cky_r[ISAKMP_COOKIE_LEN];
    uint8_t sai_b[2048];
    size_t n_sai_b;
    enum natt_flavour natt;
    struct dh *dh;
    uint8_t gxi[DH_MAX], gxr[DH_MAX];
    size_t n_gxi, n_gxr, n_gxy;
    uint8_t ni[IKE_NONCE_MAX], nr[IKE_NONCE_MAX];
    size_t n_ni, n_nr;
    bool psk_asked;
    struct ike_mm6 *mm6;              /* heap, only while its certificate is judged */
    char other_issuer[PEER_TEXT_MAX]; /* whose certificates the server asks for, if not ours */
    l2tpc_us psk_asked_at;
    int unreachable; /* errno of the first ICMP hint */

    bool has_keys;
    uint8_t iv[IKE_BLOCK_MAX]; /* the last block of phase 1 */
    /* A message 6 came whose proof was not accepted: phase 1 ended with this block for the server.
     */
    bool mm6_refused;
    uint8_t mm6_iv[IKE_BLOCK_MAX];
    struct cert_id peer_id; /* what the server has proven to be */
    bool unproven;          /* aggressive: nothing shows yet that message 3 has arrived */
    unsigned wrong_hashes;  /* aggressive: messages 2 with another HASH_R */

    /* phase 2 */
    bool transaction_seen; /* XAUTH or mode config, which we do not speak */
    struct ike_sa_record sas[IKE_SAS_MAX];
    unsigned n_sas;          /* ever made: the next slot, modulo */
    struct ike_ids finished; /* exchanges of either side that are over */
    struct ike_ids own;      /* informationals of ours: who sends one back is a mirror */

    /* Of the root: the message being read, decrypted, IKE_MESSAGE_MAX of room while it is read. */
    uint8_t *plain;
    unsigned decrypted;             /* messages, of the root too */
    struct fragment_set *fragments; /* heap, from the first fragment on */
#if L2TPC_TEST_HOOKS
    uint8_t test_told[2 * ISAKMP_COOKIE_LEN]; /* the SA whose key is in the key log */
#endif
};

/* One message on its way through the engine. */
struct ike_in {
    struct isakmp_header header;
    struct span body;     /* behind the header, as received */
    struct span datagram; /* for duplicate detection */
    enum ike_port port;
    const struct endpoint *from;
    l2tpc_us now;
};

/* ---- engine.c ---- */
void ike_push_event(struct ike *ike, const struct ike_event *ev);
void ike_push_stage(struct ike *ike, enum stage stage);
void ike_push_spi(struct ike *ike, enum ike_event_type type, uint32_t spi);
/* Queues the failure, forgets all keys; always VERDICT_FATAL. */
enum verdict ike_fail(struct ike *ike, const struct failure *f);
enum verdict ike_fail_local(struct ike *ike, const char *what);
void ike_send(struct ike *ike, enum ike_port port, struct span message, l2tpc_us now);
/* Where ISAKMP messages go now: 4500 after the float. */
enum ike_port ike_own_port(const struct ike *ike);
void ike_resend(struct ike *ike, struct retransmit *r, l2tpc_us cap, l2tpc_us now);
void ike_note_hint(struct ike *ike, const struct failure *f, bool early, l2tpc_us now);
void ike_note_alive(struct ike *ike, l2tpc_us now);
/* A HASH under this very SA has proven its sender: alive, and phase 1 is complete at both ends. */
void ike_note_proof(struct ike *ike, l2tpc_us now);
void ike_log(const struct ike *ike, enum log_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A fresh proof that the peer is there: follow its address. */
void ike_follow_peer(struct ike *ike, const struct ike_in *in);
/* Decrypts into the root's plain, splits and checks; `iv` is used and becomes the last block. */
bool ike_open(struct ike *ike, const struct ike_in *in, enum isakmp_message message, uint8_t *iv,
              struct chain *out) MUST_USE;
/* The HASH payload equals prf(SKEYID_a, M-ID | before | what follows it), in constant time. */
bool ike_hash_matches(struct ike *ike, const struct ike_in *in, const struct chain *c,
                      struct span before) MUST_USE;
bool ike_ids_have(const struct ike_ids *ids, uint32_t message_id);
void ike_ids_keep(struct ike_ids *ids, uint32_t message_id);
bool ike_is_finished(const struct ike *ike, uint32_t message_id);
void ike_set_finished(struct ike *ike, uint32_t message_id);
/* Not 0, not in use. */
bool ike_new_message_id(struct ike *ike, uint32_t *out) MUST_USE;
void ike_forget_keys(struct ike *ike);

/* ---- packet.c ---- */
/* Queues a message, in fragments when it has to be; `again`: it was sent before. */
bool packet_send(struct ike *ike, enum ike_port port, struct span message, bool again) MUST_USE;
/* Too long for one packet of the size that every path carries. */
bool packet_is_long(const struct ike *ike, enum ike_port port, size_t message);
/* The message that a fragment completes goes the way of any other. */
enum verdict packet_recv_fragment(struct ike *ike, const struct ike_in *in);

/* ---- renewal.c ---- */
/* Phase 1 is up: when to renew it. */
void renewal_plan(struct ike *ike, l2tpc_us now);
/* RESPONDER-LIFETIME for this IKE SA (RFC 2407 4.6.3.1); false: too short to be lived with. */
bool renewal_lower(struct ike *ike, struct span attributes) MUST_USE;
/* Not the root's cookies: another SA of the family, or a main mode that the server begins. */
enum verdict renewal_input(struct ike *root, struct ike_in *in);
/* Looks after what an input or a timer has changed. */
void renewal_settle(struct ike *root, l2tpc_us now);
void renewal_timer(struct ike *root, l2tpc_us now);
l2tpc_us renewal_deadline(const struct ike *root);
/* The IKE SA of the root has gone without us; true when another one or a new one takes over. */
bool renewal_survives(struct ike *root, l2tpc_us now);
void renewal_drop_all(struct ike *root);
/* What one engine alone does. */
enum verdict ike_input_sa(struct ike *ike, struct ike_in *in);
void ike_timer_sa(struct ike *ike, l2tpc_us now);
l2tpc_us ike_deadline_sa(const struct ike *ike);

/* ---- phase1_peer.c: main mode that the server began, to renew ---- */
/* A message 1 that we could answer. */
bool phase1_mm1_fits(struct ike *ike, const struct ike_in *in);
enum verdict phase1_recv_mm1(struct ike *ike, const struct ike_in *in);
enum verdict phase1_peer_input(struct ike *ike, const struct ike_in *in);
/* Message 6 with our signature. */
void phase1_peer_mm6_ready(struct ike *ike, struct span mm6, l2tpc_us now);
void phase1_peer_timer(struct ike *ike, l2tpc_us now);
l2tpc_us phase1_peer_deadline(const struct ike *ike);

/* ---- phase1.c ---- */
void phase1_start(struct ike *ike, l2tpc_us now);
enum verdict phase1_input(struct ike *ike, const struct ike_in *in);
/* The key that was asked for behind message 4, however late. */
void phase1_answer_psk(struct ike *ike, struct span psk, l2tpc_us now);
void phase1_send_mm5(struct ike *ike, struct span psk, l2tpc_us now);
struct phase1_said {
    enum natt_flavour natt; /* what can be used */
    bool offers_natt;
    bool dpd;
    bool fragments; /* takes IKE fragments in main mode */
};
struct phase1_said phase1_read_vendors(const struct chain *c);
void phase1_keep_vendors(struct ike *ike, const struct chain *c);
bool phase1_new_cookie(struct ike *ike, uint8_t *out) MUST_USE;
/* What both modes announce in message 1. */
void phase1_write_vendors(const struct ike *ike, struct build *b);
/* The SA payload of our offer, in ike->sai_b; false when the policy offers nothing. */
bool phase1_offer(struct ike *ike) MUST_USE;
bool phase1_derive(struct ike *ike, struct span psk) MUST_USE;
bool phase1_hash_i(struct ike *ike, struct span id, uint8_t *out) MUST_USE;
bool phase1_hash_r(struct ike *ike, struct span id, uint8_t *out) MUST_USE;
/* Message 1 with that cookie. */
bool phase1_build_mm1(struct ike *ike, const uint8_t *cky_i, struct build *b,
                      struct span *out) MUST_USE;

/* What both ways to authenticate share. */
void phase1_mm5_sent(struct ike *ike, struct span mm5, l2tpc_us now);
/* Message 6 has proven what it had to, all of it. */
void phase1_note_answer(struct ike *ike, l2tpc_us now);
void phase1_note_mm6(struct ike *ike, const struct ike_in *in, const struct identity *id);
enum verdict phase1_up(struct ike *ike, l2tpc_us now);
/* The notifies of message 6; false: its RESPONDER-LIFETIME leaves too little. */
bool phase1_keep_lifetime(struct ike *ike, const struct chain *c) MUST_USE;
enum verdict phase1_fail_lifetime(struct ike *ike);

/* ---- phase1_cert.c ---- */
void cert_write_requests(const struct ike *ike, struct build *b);
/* Behind message 4: keys, and the digest that is to be signed. */
enum verdict cert_ask_signature(struct ike *ike, const struct chain *mm4);
/* Message 6, or 5 when the server renews: its signature, then the question whose it is. */
enum verdict cert_recv_proof(struct ike *ike, const struct ike_in *in);
/* A Delete for a server whose message 6 was refused; nothing when there was none. */
void cert_say_goodbye(struct ike *ike, l2tpc_us now);
/* Nobody of the family waits for a signature or a verdict. */
bool cert_may_ask(const struct ike *root);

/* ---- phase1_timer.c ---- */
void phase1_timer(struct ike *ike, l2tpc_us now);
l2tpc_us phase1_deadline(const struct ike *ike);
enum verdict phase1_probe_input(struct ike *ike, const struct ike_in *in);
/* Something came from port 4500: it is open. */
void phase1_note_4500(struct ike *ike);

/* ---- aggressive.c ---- */
/* Asks for the key, or fails for want of consent. */
void aggressive_start(struct ike *ike, l2tpc_us now);
void aggressive_answer_psk(struct ike *ike, struct span psk, l2tpc_us now);
enum verdict aggressive_input(struct ike *ike, const struct ike_in *in);
/* Message 3 again, until something shows that the server has it. */
void aggressive_timer(struct ike *ike, l2tpc_us now);
l2tpc_us aggressive_deadline(const struct ike *ike);
/* Main mode 6 in clear, as some servers send it: taken with the consent to aggressive mode alone,
 * as both show the same. */
bool aggressive_open_clear(const struct ike *ike, const struct ike_in *in,
                           struct chain *out) MUST_USE;

/* ---- natt.c ---- */
/* What the NAT-D payloads of message 4 say. False: the message is broken. `out_usable`: NAT
 * traversal can go on. */
bool natt_read(struct ike *ike, const struct chain *c, bool *out_usable) MUST_USE;
bool natt_write(struct ike *ike, struct build *b, const uint8_t *cky_r, enum natt_flavour flavour,
                enum hash_id hash) MUST_USE;
uint8_t natt_d_payload(enum natt_flavour flavour);
uint8_t natt_oa_payload(enum natt_flavour flavour);
uint16_t natt_encapsulation_mode(const struct ike *ike);

/* ---- identity.c ---- */
void identity_text(const struct identity *id, char *out, size_t cap);
/* Keeps an accepted one, for the status and for renewals. */
void identity_note(struct ike *ike, const struct identity *id);
/* The body of our own ID payload; returns its length, 0 when there is none. */
size_t identity_own(const struct ike *ike, uint8_t out[4 + CERT_ID_MAX]);
/*
 * A body that a HASH or a signature has proven: can it be read, is it what the profile asks for,
 * and in a renewal whoever was authenticated before? False with the failure, which tells got and
 * expected. With certificates the profile's identity is the certificate's to carry.
 */
bool identity_accept(struct ike *ike, struct span body, struct identity *out,
                     struct failure *out_failure) MUST_USE;

/* ---- quick.c, quick_peer.c, quick_common.c ---- */
void quick_start(struct ike *ike, l2tpc_us now);
enum verdict quick_input(struct ike *ike, const struct ike_in *in);
void quick_timer(struct ike *ike, l2tpc_us now);
l2tpc_us quick_deadline(const struct ike *ike);
bool quick_is_pending(const struct ike *ike); /* our own, unanswered */
/* After a refusal: again, with PFS, when that was not asked for yet; false when it was. */
bool quick_try_pfs(struct ike *ike, l2tpc_us now);
/* The choice is weaker than what this profile has had. */
struct failure downgrade_ike(const struct ike *ike, const struct ike_suite *suite);
struct failure downgrade_esp(const struct ike *ike, const struct esp_suite *suite);
/* CONNECTED, or ESP that only a peer with the SA can have sent. */
void quick_connected(struct ike *ike, struct quick *q, bool proven);
struct quick *quick_find(struct ike *ike, uint32_t message_id);
void quick_release(struct quick *q);

struct quick *quick_new(struct ike *ike, uint32_t message_id, l2tpc_us now);
void quick_set(struct quick *q, enum quick_state state, l2tpc_us now);
bool quick_digest(struct ike *ike, struct span datagram, uint8_t *out) MUST_USE;
bool quick_nonce_ok(struct span nonce, struct span ours);
bool quick_new_spi(struct ike *ike, uint32_t *out) MUST_USE;
/* Protocol and port fit what this SA is for; 0 is a wider selector that fits too. */
bool quick_id_fits(const struct identity *id, uint16_t port);
struct esp_offer quick_offer(const struct ike *ike, uint32_t spi, enum dh_group pfs);
/* Ends this exchange without a pair: fatal for the first one, an event for a later one. */
enum verdict quick_fail(struct ike *ike, struct quick *q, const struct failure *f);
/* Takes back a pair that was handed out before its exchange had ended. */
void quick_forget(struct ike *ike, struct quick *q);
/* The peer began one and has not ended it. */
bool quick_peer_is_busy(const struct ike *ike);
/* A pair has come under this IKE SA: what was asked under the one before is asked no more. */
void quick_stop_older(struct ike *ike);
/* Keys of both directions into q->sa. */
bool quick_fill_sa(struct ike *ike, struct quick *q, const struct esp_choice *choice,
                   struct span gxy) MUST_USE;
/* Hands the pair out and remembers its SPIs. */
void quick_install(struct ike *ike, struct quick *q);
void quick_build_start(struct ike *ike, struct quick *q, struct build *b);
/* Fills HASH at `at` with prf(SKEYID_a, M-ID | before | behind), seals. */
bool quick_seal(struct ike *ike, struct quick *q, struct build *b, size_t at, struct span before,
                struct span *out) MUST_USE;
/* quick_peer.c: the peer as initiator. */
enum verdict quick_recv_qm1(struct ike *ike, const struct ike_in *in);
/* The peer has our message 2, as its message 3 or its ESP shows. */
void quick_peer_done(struct ike *ike, struct quick *q);
enum verdict quick_recv_qm3(struct ike *ike, struct quick *q, const struct ike_in *in);

/* ---- informational.c ---- */
enum verdict info_input(struct ike *ike, const struct ike_in *in);
enum verdict info_clear_input(struct ike *ike, const struct ike_in *in);
void info_send_deletes(struct ike *ike, l2tpc_us now);
void info_send_delete_esp(struct ike *ike, uint32_t spi_in, l2tpc_us now);
void info_send_delete_ike(struct ike *ike, l2tpc_us now);
void info_send_notify(struct ike *ike, uint8_t protocol, struct span spi, uint16_t type,
                      struct span data, l2tpc_us now);

/* ---- liveness.c ---- */
void liveness_timer(struct ike *ike, l2tpc_us now);
void liveness_probe(struct ike *ike, l2tpc_us now); /* R-U-THERE */
l2tpc_us liveness_deadline(const struct ike *ike);
void liveness_note_unreachable(struct ike *ike, l2tpc_us now);
enum verdict liveness_recv_r_u_there(struct ike *ike, const struct notify *n,
                                     const struct ike_in *in);
enum verdict liveness_recv_ack(struct ike *ike, const struct notify *n, const struct ike_in *in);

#endif
