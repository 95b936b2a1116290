/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the peer share; nobody else includes it. */
#ifndef TESTS_SIM_PEER_I_H
#define TESTS_SIM_PEER_I_H

#include "peer.h"

#include "base/secret.h"
#include "wire/rd.h"
#include "wire/wr.h"

#include <string.h>

#define PEER_IKE_MAX 24
#define PEER_QUICK_MAX 12
#define PEER_ESP_MAX 24
#define PEER_TUNNEL_MAX 8
#define PEER_MESSAGE_MAX 4096
#define PEER_UNACKED_MAX 16
#define PEER_KEYS_MAX 128
#define PEER_ID_MAX 700

/* A message that is sent again until something stops it. */
struct resend {
    uint8_t bytes[PEER_MESSAGE_MAX];
    size_t n;
    l2tpc_us due, step;
    unsigned left;
};

struct pl {
    uint8_t type;
    struct span body;  /* behind the generic header */
    struct span whole; /* with it */
};
#define PL_MAX 40
struct chain {
    struct pl pl[PL_MAX];
    size_t n;
    size_t used; /* bytes up to the end of the last payload */
};

struct blob {
    uint8_t bytes[DH_MAX];
    size_t n;
};

struct quick {
    bool used, by_us, done;
    uint32_t msgid;
    uint8_t iv[16];
    struct blob ni, nr, shared;
    struct dh *dh;
    enum dh_group pfs;
    struct esp_suite suite;
    uint16_t encap;
    uint32_t life_s, life_kb;
    uint32_t spi_in, spi_out;
    uint8_t idci[64], idcr[64]; /* bodies, in the order of the exchange */
    size_t idci_n, idcr_n;
    uint16_t client_port;
    struct resend resend;
    uint8_t last_in[32]; /* digest of the message that `resend` answers */
    l2tpc_us connected_due;
};

enum ike_state {
    IKE_FREE,
    IKE_SENT2,
    IKE_SENT4,
    IKE_SENT1, /* we began */
    IKE_SENT3,
    IKE_SENT5,
    IKE_AM2, /* aggressive mode, message 2 sent */
    IKE_UP,
    IKE_DEAD
};

struct ike_sa {
    bool mm5_came;
    enum ike_state state;
    unsigned generation;
    bool renewed; /* by a newer one: main_every is over */
    bool left;    /* a newer one is there, or on its way: only_newest */
    l2tpc_us up_at, delete_due;
    uint8_t cky_i[8], cky_r[8];
    struct endpoint to, from; /* where answers go; where the message in hand came from */
    enum peer_port port, from_port;
    struct ike_suite suite;
    uint32_t life_s;
    uint8_t sai_b[PEER_MESSAGE_MAX];
    size_t sai_n;
    unsigned natt; /* the one chosen flavour, enum peer_natt, or 0 */
    bool dpd, nat;
    bool fragments; /* the client takes them */
    struct blob ni, nr, gxi, gxr, gxy;
    struct dh *dh;
    uint8_t skeyid[HASH_MAX], skeyid_d[HASH_MAX], skeyid_a[HASH_MAX], skeyid_e[HASH_MAX];
    uint8_t key[32];
    size_t key_n;
    uint8_t idii[PEER_ID_MAX]; /* aggressive mode: of message 1 */
    size_t idii_n;
    uint8_t iv[16]; /* phase 1 chain; after message 6 the base of all phase 2 IVs */
    struct resend resend;
    uint8_t last_in[32];
    struct quick quick[PEER_QUICK_MAX];
    uint32_t dpd_seq_in, dpd_seq_out;
    l2tpc_us dpd_due, quick_due;
    l2tpc_us dead_at; /* IKE_DEAD: kept to read late Deletes */
};

#define PEER_FRAGMENTS_MAX 16
struct peer_fragments {
    uint8_t cky_r[8];
    uint32_t msgid;
    uint16_t id;
    unsigned last; /* 0: has not come */
    size_t n[PEER_FRAGMENTS_MAX];
    uint8_t bytes[PEER_FRAGMENTS_MAX][1280];
};

struct esp_pair {
    bool used, out_on;
    unsigned order, ike_generation;
    struct esp_suite suite;
    bool udp, nat;
    enum dh_group pfs;
    uint32_t life_s;
    struct endpoint to;
    uint16_t client_port;
    uint32_t spi_in, spi_out;
    uint8_t key_in[PEER_KEYS_MAX], key_out[PEER_KEYS_MAX]; /* cipher, then integrity */
    uint32_t seq_out, seq_top;
    uint64_t seq_seen; /* bit k: seq_top - k was received */
    l2tpc_us usable_at;
    bool renewed;
    l2tpc_us up_at, delete_due; /* 0: none */
};

struct unacked {
    uint8_t *bytes;
    size_t n;
    uint16_t ns;
    l2tpc_us due, step;
    unsigned sends;
};

enum ppp_due {
    DUE_LCP_REQ,  /* our Configure-Request, first and again */
    DUE_AUTH,     /* CHAP challenge, first and again */
    DUE_IPCP_REQ, /* ours */
    DUE_IPCP_ANSWER,
    DUE_ECHO,
    DUE_KINDS,
};

struct ppp_peer {
    bool on;
    l2tpc_us due[DUE_KINDS];
    uint8_t id; /* of the next request of ours */
    uint8_t lcp_id, ipcp_id, chap_id, echo_id;
    l2tpc_us verdict_at; /* of a login that waits for a person; 0: none came yet */
    bool lcp_ours_acked, lcp_theirs_acked, authenticated, ipcp_ours_acked, ipcp_theirs_acked;
    bool auth_begun, ip_up, refused, ended;
    unsigned lcp_options; /* bit n: our request carries option n */
    l2tpc_us attached_at; /* PPPD: frames before are lost */
    unsigned auth_at;     /* index into config.auth */
    uint32_t magic;
    bool client_pfc, client_acfc;
    uint8_t challenge[16];
    uint8_t success[64]; /* CHAP answer for a repeated Response */
    size_t success_n;
    uint8_t ipcp_req[256]; /* a request whose answer waits */
    size_t ipcp_req_n;
    unsigned naks, sends;
};

struct tunnel {
    bool used, up, stopping;
    struct endpoint client;
    uint16_t client_port;
    uint16_t id, peer_id, ns, nr, peer_window;
    struct unacked unacked[PEER_UNACKED_MAX];
    unsigned n_unacked;
    uint8_t challenge[16];
    bool challenged;
    bool session, session_up;
    uint16_t session_id, peer_session_id;
    l2tpc_us hello_due, gone_at;
    struct ppp_peer ppp;
};

struct outgoing {
    struct outgoing *next;
    enum peer_port port;
    struct endpoint to;
    size_t n;
    uint8_t bytes[];
};

struct peer {
    struct peer_config config;
    const struct env *env;
    struct crypto *crypto;
    struct peer_facts facts;
    struct outgoing *out, **out_tail;
    struct ike_sa ike[PEER_IKE_MAX];
    struct esp_pair esp[PEER_ESP_MAX];
    struct tunnel tunnel[PEER_TUNNEL_MAX];
    struct peer_fragments fragments;
    struct esp_pair last_pair; /* the last one that was deleted */
    unsigned generation, order;
    uint16_t last_tunnel_id, last_session_id;
};

static inline bool peer_bug(const struct peer *p, uint64_t bug)
{
    return (p->config.bugs & bug) != 0;
}

static inline bool peer_silent(const struct peer *p, enum stage s)
{
    return p->config.silent_from != STAGE_RESOLVE && s >= p->config.silent_from;
}

/* peer.c */
void peer_send(struct peer *p, enum peer_port port, const struct endpoint *to, struct span bytes);
void peer_complain(struct peer *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void peer_rand(struct peer *p, void *out, size_t n);
uint32_t peer_rand_u32(struct peer *p);
void peer_resend_arm(struct resend *r, struct span message, l2tpc_us now, l2tpc_us step,
                     unsigned times);

/* peer_isakmp.c: framing, chains, protection */
struct isakmp {
    uint8_t cky_i[8], cky_r[8];
    uint8_t next, version, exchange, flags;
    uint32_t msgid;
    struct span body;
};
#define ISAKMP_E 0x01
#define ISAKMP_C 0x02
#define EXCH_MAIN 2
#define EXCH_AGGRESSIVE 4
#define EXCH_INFO 5
#define EXCH_QUICK 32
enum {
    PL_SA = 1,
    PL_P = 2,
    PL_T = 3,
    PL_KE = 4,
    PL_ID = 5,
    PL_HASH = 8,
    PL_NONCE = 10,
    PL_N = 11,
    PL_D = 12,
    PL_VID = 13,
    PL_NATD = 20,
    PL_NATOA = 21,
    PL_NATD_DRAFT = 130,
    PL_FRAGMENT = 132,
    PL_NATOA_DRAFT = 131,
};
struct build {
    uint8_t bytes[PEER_MESSAGE_MAX];
    struct wr w;
    size_t np_at;
};
bool peer_isakmp_read(struct span message, struct isakmp *out) MUST_USE;
bool peer_chain_split(struct span body, uint8_t first, struct chain *out) MUST_USE;
const struct pl *peer_chain_find(const struct chain *c, uint8_t type, unsigned nth);
void peer_build_start(struct build *b, const struct ike_sa *sa, uint8_t exchange, uint8_t flags,
                      uint32_t msgid);
struct wr_box peer_build_open(struct build *b, uint8_t type);
void peer_build_payload(struct build *b, uint8_t type, struct span body);
size_t peer_build_hash_room(struct build *b, size_t n); /* offset of the value */
bool peer_build_seal(struct peer *p, struct build *b, const struct ike_sa *sa, uint8_t iv[16],
                     struct span *out) MUST_USE; /* pads, encrypts, moves iv on */
bool peer_build_done(struct build *b, struct span *out) MUST_USE;
bool peer_ike_decrypt(struct peer *p, const struct ike_sa *sa, uint8_t iv[16], struct span body,
                      uint8_t *out) MUST_USE; /* moves iv on */
void peer_ike_phase2_iv(struct peer *p, const struct ike_sa *sa, uint32_t msgid, uint8_t iv[16]);
bool peer_ike_prf(struct peer *p, enum hash_id h, struct span key, const struct span *parts,
                  size_t n, uint8_t *out) MUST_USE;
void peer_ike_send(struct peer *p, const struct ike_sa *sa, struct span message);
void peer_digest(struct peer *p, struct span s, uint8_t out[32]);
struct span peer_blob_span(const struct blob *b);
bool peer_blob_set(struct blob *b, struct span s) MUST_USE;

/* peer_proposal.c */
unsigned peer_proposal_count(struct span sa_body);
bool peer_proposal_pick_ike(struct peer *p, struct span sa_body, struct ike_suite *out,
                            uint32_t *life_s, struct build *answer) MUST_USE;
struct esp_choice {
    struct esp_suite suite;
    enum dh_group pfs;
    uint16_t encap;
    uint32_t life_s, life_kb, spi;
    uint8_t proposal, transform, transform_id;
    struct span attributes; /* of the chosen transform, echoed */
};
bool peer_proposal_pick_esp(struct peer *p, const struct ike_sa *sa, struct span sa_body,
                            struct esp_choice *out) MUST_USE;
void peer_proposal_write_esp(struct build *b, const struct esp_choice *c, uint32_t spi,
                             uint64_t bugs);
void peer_proposal_offer_esp(struct build *b, const struct esp_suite *suite, enum dh_group pfs,
                             uint16_t encap, uint32_t life_s, uint32_t spi);
void peer_proposal_offer_ike(struct build *b, const struct ike_suite *suite, uint32_t life_s);
size_t peer_esp_key_sizes(const struct esp_suite *s, size_t *integ);

/* peer_fragment.c */
void peer_ike_datagram(struct peer *p, const struct ike_sa *sa, struct span m);
void peer_fragment_send(struct peer *p, const struct ike_sa *sa, struct span m);
/* True: that was the last missing piece, `out` is the message. */
bool peer_fragment_recv(struct peer *p, const struct isakmp *m, uint8_t room[PEER_MESSAGE_MAX],
                        struct span *out) MUST_USE;

/* peer_ike.c, peer_quick.c, peer_info.c */
void peer_ike_input(struct peer *p, enum peer_port port, const struct endpoint *from,
                    struct span message, l2tpc_us now);
void peer_ike_timer(struct peer *p, l2tpc_us now);
struct ike_sa *peer_ike_sa_new(struct peer *p);
void peer_read_vendors(const struct peer *p, const struct chain *c, struct ike_sa *sa);
void peer_write_vendors(const struct peer *p, struct build *b);
void peer_read_natd(struct peer *p, struct ike_sa *sa, const struct chain *c);
void peer_write_natd(struct peer *p, struct ike_sa *sa, struct build *b);
bool peer_derive(struct peer *p, struct ike_sa *sa) MUST_USE;
bool peer_auth_hash(struct peer *p, const struct ike_sa *sa, bool of_initiator, struct span id,
                    uint8_t *out) MUST_USE;
/* The body of our ID payload. */
struct span peer_own_id(const struct peer *p, uint8_t body[PEER_ID_MAX]);
void peer_note_id(struct peer *p, struct span body);

/* peer_aggressive.c */
void peer_recv_am1(struct peer *p, enum peer_port port, const struct endpoint *from,
                   const struct isakmp *m, struct span message, l2tpc_us now);
void peer_recv_am3(struct peer *p, struct ike_sa *sa, enum peer_port port,
                   const struct endpoint *from, const struct isakmp *m, l2tpc_us now);
l2tpc_us peer_ike_deadline(const struct peer *p);
void peer_ike_sa_drop(struct peer *p, struct ike_sa *sa);
/* A HASH has proven the sender of the message in hand: follow it if a NAT moved it. */
void peer_ike_proven(struct peer *p, struct ike_sa *sa);
struct ike_sa *peer_ike_newest(struct peer *p);
void peer_recv_quick(struct peer *p, struct ike_sa *sa, const struct isakmp *m, struct span message,
                     l2tpc_us now);
void peer_quick_start(struct peer *p, struct ike_sa *sa, l2tpc_us now);
void peer_quick_timer(struct peer *p, struct ike_sa *sa, struct quick *q, l2tpc_us now);
l2tpc_us peer_quick_deadline(const struct quick *q);
void peer_quick_drop(struct quick *q);
void peer_recv_info(struct peer *p, struct ike_sa *sa, const struct isakmp *m, l2tpc_us now);
void peer_send_notify(struct peer *p, struct ike_sa *sa, uint8_t protocol, struct span spi,
                      uint16_t type, struct span data);
void peer_send_clear_notify(struct peer *p, const struct ike_sa *sa, uint16_t type);
void peer_send_delete_esp(struct peer *p, struct ike_sa *sa, uint32_t spi);
void peer_send_delete_ike(struct peer *p, struct ike_sa *sa);
void peer_send_dpd(struct peer *p, struct ike_sa *sa);

/* peer_renew.c: what we begin ourselves, and when */
void peer_renew_timer(struct peer *p, l2tpc_us now);
l2tpc_us peer_renew_deadline(const struct peer *p);
void peer_renew_note_pair(struct peer *p, struct esp_pair *e, l2tpc_us now);
void peer_renew_note_ike(struct peer *p, struct ike_sa *sa, l2tpc_us now);

/* peer_esp.c */
bool peer_esp_install(struct peer *p, struct ike_sa *sa, const struct quick *q,
                      l2tpc_us now) MUST_USE;
void peer_esp_input(struct peer *p, enum peer_port port, const struct endpoint *from,
                    struct span packet, l2tpc_us now);
/* Inner UDP payload to the client of this tunnel, over the newest pair. */
void peer_esp_send(struct peer *p, const struct endpoint *client, uint16_t client_port,
                   struct span payload, l2tpc_us now);
struct esp_pair *peer_esp_newest(struct peer *p);
struct esp_pair *peer_esp_by_spi_out(struct peer *p, uint32_t spi);

/* peer_l2tp.c, peer_avp.c */
void peer_l2tp_input(struct peer *p, const struct endpoint *client, uint16_t client_port,
                     struct span message, l2tpc_us now);
void peer_l2tp_timer(struct peer *p, l2tpc_us now);
l2tpc_us peer_l2tp_deadline(const struct peer *p);
void peer_l2tp_send_ppp(struct peer *p, struct tunnel *t, struct span frame, l2tpc_us now);
void peer_l2tp_send_cdn(struct peer *p, struct tunnel *t, uint16_t result, uint16_t error,
                        const char *text, l2tpc_us now);
void peer_tunnel_drop(struct tunnel *t);
struct tunnel *peer_tunnel_newest(struct peer *p);
void peer_avp_put(struct wr *w, uint16_t type, bool mandatory, struct span value);
void peer_avp_put_u16(struct wr *w, uint16_t type, uint16_t v);
bool peer_avp_put_hidden(struct peer *p, struct wr *w, uint16_t type, struct span value,
                         struct span vector) MUST_USE;
bool peer_avp_unhide(struct peer *p, uint16_t type, struct span vector, struct span hidden,
                     uint8_t *out, size_t *out_n) MUST_USE;
bool peer_avp_challenge_response(struct peer *p, uint8_t message_type, struct span challenge,
                                 uint8_t out[16]) MUST_USE;

/* peer_ppp.c, peer_auth.c, peer_ipcp.c */
void peer_ppp_begin(struct peer *p, struct tunnel *t, l2tpc_us now);
void peer_ppp_input(struct peer *p, struct tunnel *t, struct span frame, l2tpc_us now);
void peer_ppp_timer(struct peer *p, struct tunnel *t, l2tpc_us now);
l2tpc_us peer_ppp_deadline(const struct ppp_peer *ppp);
/* Any frame; peer_ppp_send() makes a packet with code and id. */
void peer_ppp_frame(struct peer *p, struct tunnel *t, uint16_t protocol, struct span info,
                    l2tpc_us now);
void peer_ppp_send(struct peer *p, struct tunnel *t, uint16_t protocol, uint8_t code, uint8_t id,
                   struct span data, l2tpc_us now);
void peer_ppp_end(struct peer *p, struct tunnel *t, const char *text, l2tpc_us now);
void peer_auth_begin(struct peer *p, struct tunnel *t, l2tpc_us now);
void peer_auth_challenge(struct peer *p, struct tunnel *t, l2tpc_us now);
void peer_recv_pap(struct peer *p, struct tunnel *t, uint8_t code, uint8_t id, struct span data,
                   l2tpc_us now);
void peer_recv_chap(struct peer *p, struct tunnel *t, uint8_t code, uint8_t id, struct span data,
                    l2tpc_us now);
/* `bytewise`: SoftEther's NT hash, from the bytes zero-extended instead of from UTF-16. */
bool peer_mschapv2_response(struct crypto *c, struct span password, bool bytewise, struct span user,
                            const uint8_t auth_challenge[16], const uint8_t peer_challenge[16],
                            uint8_t response[24], char proof[43]) MUST_USE;
void peer_ipcp_request(struct peer *p, struct tunnel *t, l2tpc_us now);
void peer_recv_ipcp(struct peer *p, struct tunnel *t, uint8_t code, uint8_t id, struct span data,
                    l2tpc_us now);
void peer_ipcp_answer(struct peer *p, struct tunnel *t, l2tpc_us now);
void peer_recv_dhcp(struct peer *p, struct tunnel *t, struct span packet, l2tpc_us now);
void peer_recv_ip(struct peer *p, struct tunnel *t, struct span packet, l2tpc_us now);

#define PROTO_IP 0x0021
#define PROTO_IPCP 0x8021
#define PROTO_LCP 0xc021
#define PROTO_PAP 0xc023
#define PROTO_CHAP 0xc223
#define PROTO_EAP 0xc227

#endif
