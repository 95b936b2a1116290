/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An engine and a scripted responder in virtual time, with a network that a test can cut. */
#ifndef TESTS_UNIT_IKE_RIG_H
#define TESTS_UNIT_IKE_RIG_H

#include "ike/policy.h"
#include "ike/v1/engine.h"

#define RIG_RTT US_MS(20)
#define RIG_EVENTS 64
#define RIG_FLIGHT 64
#define RIG_SENT 256

/* What the responder does otherwise than a good server. */
struct server_habits {
    unsigned transform, esp_transform; /* which of the offered it takes */
    bool no_natt, draft_natt, no_dpd;
    bool late_dpd;           /* announces DPD in message 4 */
    int natd_extra;          /* NAT-D payloads more than two, or fewer */
    unsigned natd_cut;       /* bytes missing from each */
    bool natd_true;          /* says the truth about the client's address */
    const char *psk;         /* NULL: the client's */
    bool garbles_on_psk;     /* answers a wrong key with an informational under its own keys */
    bool commit;             /* sets the Commit bit and sends CONNECTED */
    bool commit_silent;      /* sets it and never sends CONNECTED */
    bool no_ke;              /* takes a PFS offer and sends no KE */
    struct span id;          /* the body of IDir instead of its address */
    bool wrong_hash_r;       /* a well-formed message 6 with a wrong HASH_R */
    uint16_t id_port;        /* narrows the client's selector in quick mode 2 to that port */
    unsigned esp_life;       /* answers that lifetime in seconds */
    enum dh_group own_pfs;   /* in the quick modes that it starts */
    struct inaddr nat_oa[2]; /* in quick mode 2, as many as are set */
    uint16_t refuse_mm1;     /* answers message 1 with that notify in clear */
    uint16_t refuse_qm1;     /* answers quick mode 1 with that notify */
    bool needs_pfs;          /* refuses a quick mode without a KE */
    uint32_t responder_lifetime;
    uint32_t mm6_lifetime; /* RESPONDER-LIFETIME in message 6 */
    bool new_cookie_each;  /* another SA for every message 1 */
    /* With certificates. */
    const struct credential *credential; /* whose key signs */
    const struct cert_list *certs;       /* sent instead of its chain */
    bool one_more;                       /* the last of them twice: more than a list can hold */
    bool pkcs7;                          /* sends them in one bag, which `bag` is */
    struct span bag;
    struct span request; /* the body of a CERTREQ in message 4 */
    bool bad_signature;
    bool refuse_mm5;       /* answers message 5 with AUTHENTICATION-FAILED under the keys */
    size_t fragment;       /* announces fragments and sends what is longer in pieces of that size */
    bool fragment_unasked; /* sends them to a client that has not announced them too */
};

struct server {
    struct crypto *c;
    struct env env;
    struct server_habits habits;
    struct endpoint at, client;
    uint8_t cky_i[8], cky_r[8];
    struct dh *dh;
    struct ike_suite suite;
    uint8_t sai_b[2048];
    size_t n_sai_b;
    uint8_t gxi[DH_MAX], gxr[DH_MAX], gxy[DH_MAX];
    size_t n_gxi, n_gxr, n_gxy;
    uint8_t ni[256], nr[16];
    size_t n_ni;
    bool has_keys, up;
    struct ike_keys keys;
    uint8_t iv[16];
    uint8_t mm4[2048], mm6[8192];
    size_t n_mm4, n_mm6;
    /* one quick mode */
    uint32_t mid;
    uint8_t qm_iv[16];
    struct dh *qm_dh;
    uint8_t qm_ni[256], qm_nr[256];
    size_t n_qm_ni, n_qm_nr;
    uint8_t qm2[2048], last_qm1[2048];
    size_t n_qm2, n_last_qm1;
    uint32_t spi_in, spi_out; /* the server's view */
    struct sa_keys in, out;
    struct esp_suite esp;
    bool qm_done;
    unsigned mm1s, mm5s, qm3s, deletes, acks, r_u_theres, errors;
    bool client_fragments; /* announced */
    unsigned fragments;    /* received */
    uint8_t piece[16][2048];
    size_t n_piece[16];
    uint16_t last_error;
};

struct flight {
    l2tpc_us at;
    enum ike_port port;
    struct endpoint from;
    uint8_t bytes[8192];
    size_t n;
};

struct sent {
    l2tpc_us at;
    enum ike_port port;
    uint8_t exchange;
    bool lost;
};

struct rig {
    struct crypto *c;
    struct env env;
    uint64_t seed;
    struct ike_config cfg;
    struct ike *ike;
    struct server server;
    l2tpc_us now;
    struct flight flight[RIG_FLIGHT];
    unsigned n_flight;
    struct ike_event event[RIG_EVENTS];
    unsigned n_events;
    struct sent sent[RIG_SENT];
    unsigned n_sent;
    const char *psk; /* answer to NEED_PSK; NULL: not answered */
    /* True: the datagram is lost. */
    bool (*lose)(struct rig *r, bool to_server, enum ike_port port, struct span bytes);
    unsigned lose_count;
    /* Sees every datagram for the engine before it is delivered; may be NULL. */
    void (*before)(struct rig *r, const struct flight *f);
    struct span before_wanted;
    /* With certificates: who answers the engine's needs. */
    const struct credential *signer;
    const struct trust *trust;
    const char *name;
    int64_t clock;
    enum cert_verdict verdict;
    char detail[CERT_TEXT_MAX];
    bool keep_cert_status; /* leaves NEED_CERT_STATUS unanswered */
    struct ike_credential shown;
    struct cert_list cas;
};

/* A rig with the policy "legacy", AUTO encapsulation and DPD; change r->cfg, then rig_start(). */
struct rig *rig_new(void);
/* Both sides with certificates: the client signs with `own` and trusts `trust`. */
void rig_use_certificates(struct rig *r, const struct credential *own, const struct trust *trust,
                          const struct credential *server);
void rig_start(struct rig *r);
/* Takes the events that are there and answers what they ask; nothing is delivered. */
void rig_answer(struct rig *r);
void rig_run(struct rig *r, l2tpc_us until);
void rig_free(struct rig *r);
/* The index-th event of that type, or NULL. */
const struct ike_event *rig_event(const struct rig *r, enum ike_event_type type, unsigned index);
const struct failure *rig_failure(const struct rig *r);

/* What the server sends on its own; each goes into flight. */
void server_send(struct rig *r, enum ike_port port, struct span bytes);
enum verdict server_inject(struct rig *r, struct span bytes); /* at once, past the network */
bool server_build_info(struct rig *r, uint8_t payload, struct span body, uint32_t mid,
                       struct span *out, struct build *b);
void server_send_notify(struct rig *r, uint16_t type, struct span spi, struct span data);
/* RESPONDER-LIFETIME in an informational; spi 0: of the IKE SA. */
void server_send_lifetime(struct rig *r, uint32_t spi, const uint32_t *attributes, unsigned n);
void server_send_dpd(struct rig *r, uint16_t type, uint32_t seq);
void server_send_delete_esp(struct rig *r, uint32_t spi);
void server_send_delete_ike(struct rig *r);
/* Server-started quick mode; `suite` is offered alone. */
void server_start_quick(struct rig *r, const struct esp_suite *suite, uint32_t mid);
void server_recv(struct rig *r, enum ike_port port, struct span bytes);

#endif
