/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the API share. Nothing here is clever: checks, copies, a lock. */
#ifndef L2TPC_API_INTERNAL_H
#define L2TPC_API_INTERNAL_H

#include "dial/dial.h"
#include "dial/reconnect.h"
#include "io/hub.h"
#include "io/loop.h"
#include "io/revocation.h"
#include "io/runner.h"
#include "io/token.h"
#include "io/work.h"
#include "l2tpc.h"

#include <pthread.h>

#define NAME_MAX_LEN 64
#define SERVER_MAX_LEN 255
#define SIGNER_NEED UINT32_MAX /* the dial counts its own needs from 1 */

struct l2tpc_context {
    pthread_mutex_t lock; /* held by whoever runs engines: the control thread or an API call */
    pthread_t thread;
    bool has_thread;
    bool quit; /* under the lock */
    struct loop *loop;
    struct hub *hub;
    struct crypto *crypto;
    struct servers *servers;
    struct env env;
    struct port_options ports;
    l2tpc_host_ops ops;
    void (*log)(void *user, int level, const char *module, const char *line);
    void *log_user;
    unsigned holders; /* the program and its sessions: the last one that lets go destroys */
};

/* The bytes of a file, on the heap; wiped. */
struct blob {
    size_t n;
    uint8_t *bytes;
};

struct secret_origin {
    int store; /* enum l2tpc_secret_store */
    char path[256], owner[64];
    unsigned mode;
};

#define SECRET_KINDS (L2TPC_SECRET_KEY + 1)

enum revocation_policy {
    REVOCATION_SOFT, /* ask; no answer is no reason to refuse */
    REVOCATION_OFF,  /* ask nobody */
    REVOCATION_HARD, /* no answer is a reason to refuse */
};

/* Whether the server's certificate was revoked: what is known, and who is being asked. */
struct revocation_check {
    bool known;
    enum revocation_state state;
    enum revocation_source source;
    uint32_t need;
    struct work *work;
    struct loop_timer timer;
};

struct l2tpc_config {
    char name[NAME_MAX_LEN + 1];
    char server[SERVER_MAX_LEN + 1]; /* without port and brackets */
    uint16_t port;
    char user[PPP_USER_MAX];
    bool has_psk, has_password, has_tunnel_secret;
    struct secret psk, password, tunnel_secret;
    struct policy policy;
    enum encapsulation encapsulation;
    unsigned auth;
    enum stage until;
    unsigned timeout_s;
    uint16_t mru;
    char interface_name[16];
    bool quirk_utf8_bytes;
    uint16_t inner_port;
    struct blob certificate, key, ca;
    bool has_passphrase;
    struct secret passphrase;
    bool quirk_no_fragmentation;
    struct secret_origin origin[SECRET_KINDS];
    char certificate_uri[TOKEN_URI_MAX], key_uri[TOKEN_URI_MAX]; /* on a token; empty: none */
    bool allow_cn, allow_sha1;                                   /* of the server's certificate */
    enum revocation_policy revocation;
    bool quirk_sha256_96;
    bool learned_given, learned_bad; /* it cannot be read */
    struct learned learned;
    char server_id[SERVER_MAX_LEN + 1]; /* as it was written */
    struct cert_id own_id, peer_id;     /* type 0: not set */
    bool aggressive, aggressive_allowed;
    bool reconnect;
};

struct l2tpc_error {
    struct failure failure;
    char server[SERVER_MAX_LEN + 1];
};

struct l2tpc_event {
    l2tpc_event_type type;
    enum stage stage;
    double stage_ms;
    bool has_need, has_error;
    l2tpc_need need;
    char session_name[NAME_MAX_LEN + 1];
    l2tpc_error error;
    char *text; /* heap, or NULL */
    unsigned wait_ms;
    struct l2tpc_event *next;
};

/* What brings a lost tunnel back; recovery.c. */
struct recovery {
    bool on;       /* the profile wants it */
    bool active;   /* the tunnel was lost and is not up again */
    bool again;    /* the present dial goes down, and another one follows */
    bool waiting;  /* no dial is there until the timer runs out */
    bool stopping; /* the user wants it to end */
    bool no_way;   /* to the server, when we last looked */
    bool was_up;   /* at least once: without a network the first dial waits for one, too */
    bool may_ask;  /* for the server's name again */
    bool kept;     /* addresses, routes and DNS of a dial that is gone are in force */
    struct reconnect policy;
    struct failure failure; /* the last one */
    l2tpc_us wait;
    unsigned count; /* how often it came back */
    struct loop_timer timer;
    int tun_fd; /* ours, beside the dial's */
    struct inaddr local_ip, server;
    struct inaddr others[DIAL_ADDRESSES_MAX]; /* that its name has beside it */
    unsigned n_others;
    bool has_learned; /* from the dial before, in this session */
    struct learned learned;
    l2tpc_us begun;
    struct l2tp_former former[L2TP_FORMER_MAX];
    unsigned n_former;
};

struct kernel_counts {
    bool known;
    uint64_t clear, esp_out, esp_in;
};

struct l2tpc_session {
    l2tpc_context *context;
    l2tpc_config config;
    struct runner *runner;
    bool started, down;
    int event_fd;
    l2tpc_event *first, *last;
    l2tpc_event *spare_failed, *spare_down; /* the end is told even when memory is short */
    char interface_name[16];
    l2tpc_us repaired_at; /* 0: never */
    bool configured;      /* the interface has, or had, its addresses */
    bool observed;
    struct inaddr observed_server;
    uint32_t observer;
    struct kernel_counts kernel_at_end;
    bool waits_for_passphrase;
    struct signer *signer; /* NULL: a pre-shared key */
    struct token *token;   /* while no thread has it */
    struct work *work;     /* the thread that does something for the signer */
    struct revocation_check revocation;
    bool asked[SECRET_KINDS];           /* a person, or a program, has answered a NEED */
    uint32_t asked_psk, asked_password; /* the need that was told; 0: none */
    bool psk_measured;
    unsigned psk_bits;
    char since[32]; /* when it came up: RFC 3339, UTC; empty before */
    struct recovery recovery;
};

/* context.c */
void context_drop(l2tpc_context *c);

/* event.c */
/* What the end of every session takes; false without memory. */
bool events_reserve(l2tpc_session *s);
/* Frees what was neither taken nor used. */
void events_forget(l2tpc_session *s);
l2tpc_event *event_new(l2tpc_session *s, l2tpc_event_type type, enum stage stage);
/* Hands the event over to the session's queue. */
void event_queue(l2tpc_session *s, l2tpc_event *e);

/* needs.c: what the host answers. All run under the context's lock. */
int host_serve(l2tpc_session *s, l2tpc_need *need, l2tpc_answer *answer); /* 1 served, 0 not */
l2tpc_need need_make(const l2tpc_session *s, l2tpc_need_type type);
int session_open_socket(void *user, enum dial_path path, uint8_t family, uint16_t port);
/* As runner_hooks.route. */
int session_route(void *user, const struct endpoint *remote, struct runner_route *out);
void serve_tun(l2tpc_session *s, uint32_t need_id, l2tpc_us now);
void serve_apply_ip(l2tpc_session *s, const struct dial_event *e, l2tpc_us now);
void serve_release_ip(l2tpc_session *s);
/* False with a failure when what others have taken away cannot be made again, or not for long. */
bool serve_repair_ip(l2tpc_session *s, l2tpc_us now, struct failure *out_failure);
void observer_open(l2tpc_session *s);
void observer_follow(l2tpc_session *s);
void observer_tell(l2tpc_session *s, const struct dial_facts *facts, const struct endpoint *peer);
struct kernel_counts observer_read(l2tpc_session *s);
void observer_close(l2tpc_session *s);
l2tpc_address address_of(const struct inaddr *a);

/* signer.c: who holds the key and knows the CAs, in this process. */
struct signer;
/* NULL with the failure; KEYFILE_PASSPHRASE alone is not one yet: `out_locked`. */
struct signer *signer_new(const l2tpc_session *s, const struct secret *passphrase, bool *out_locked,
                          struct failure *out_failure);
void signer_free(struct signer *g);
const struct ike_credential *signer_credential(const struct signer *g);
void signer_sign(l2tpc_session *s, const struct dial_event *e, l2tpc_us now);
void signer_judge(l2tpc_session *s, const struct dial_event *e, l2tpc_us now);
/* The signature was made by the key of our certificate. */
bool signer_owns(const struct signer *g, struct span hash, struct span signature);
void signer_ask_passphrase(l2tpc_session *s, const char *token_label);
/* Loads what the config names and starts the dial, or asks for the passphrase first. */
void session_begin(l2tpc_session *s, const struct secret *passphrase, l2tpc_us now);
/* The same, once the token is there. */
void session_begin_signer(l2tpc_session *s, const struct secret *passphrase, l2tpc_us now);

/* signer_token.c: the key on a token */
bool token_is_used(const l2tpc_config *c);
const char *token_uri(const l2tpc_config *c); /* of the key, as far as it is known */
struct token_wish token_wish_of(const char *certificate, const char *key);
struct failure token_failure(enum token_result r, const char *uri);
void token_begin(l2tpc_session *s, const struct secret *pin, l2tpc_us now);
void token_ask_signature(l2tpc_session *s, const struct dial_event *e, l2tpc_us now);
void token_end(l2tpc_session *s);

/* psk.c: the estimate alone is kept. */
void session_measure_psk(l2tpc_session *s, struct span psk);

/* signer_revocation.c: answers the need, at once or when a CA has. */
void revocation_begin(l2tpc_session *s, const struct trust *trust, const struct cert_list *path,
                      uint32_t need, l2tpc_us now);
void revocation_end(l2tpc_session *s);
/* learned.c */
/* What was given is for the server that is dialed. */
bool learned_holds(const l2tpc_config *c);
const char *learned_state(const l2tpc_config *c);
void learned_warn(l2tpc_session *s);
void learned_tell(l2tpc_session *s);

/* session.c */
struct runner *session_runner(l2tpc_session *s); /* a dial that has not begun; NULL: no memory */
/* The end: DOWN, and FAILED before it unless NULL. */
void session_over(l2tpc_session *s, const struct failure *f);

/* recovery.c */
void recovery_init(l2tpc_session *s);
void recovery_keep_tun(l2tpc_session *s, int fd);
int recovery_tun(const l2tpc_session *s); /* a descriptor for the next dial, or -1 */
void recovery_up(l2tpc_session *s, l2tpc_us now);
/* True: the failure is not the session's end. */
bool recovery_takes(l2tpc_session *s, const struct failure *f, l2tpc_us now);
/* True: what the dial wants to be released stays. */
bool recovery_keeps_ip(l2tpc_session *s);
void recovery_applied(l2tpc_session *s);
/* The dial is down. True: another one follows. */
bool recovery_waits(l2tpc_session *s, l2tpc_us now);
void recovery_end(l2tpc_session *s);
/* True: the end needs nothing of the dial. */
bool recovery_stop(l2tpc_session *s, l2tpc_us now);
void recovery_network_changed(l2tpc_session *s, l2tpc_us now);
void recovery_fill_dial(const l2tpc_session *s, struct dial_config *out);
void recovery_keep_secret(l2tpc_session *s, uint32_t need, const struct span *secret);

/* certificate.c */
bool blob_set(struct blob *b, const void *bytes, size_t n);
void blob_clear(struct blob *b);
struct span blob_span(const struct blob *b);

/* status.c */
struct evidence {
    const char *code, *sentence, *observer;
    char value[96];
    bool ok;
};

#define EVIDENCE_MAX 8

/* Judges whether this is L2TP inside IPsec; returns how many items were written. */
unsigned proof_judge(const struct dial_facts *f, const struct kernel_counts *kernel,
                     struct evidence out[EVIDENCE_MAX], bool *out_verdict);

#endif
