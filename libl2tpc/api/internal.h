/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the API share. Nothing here is clever: checks, copies, a lock. */
#ifndef L2TPC_API_INTERNAL_H
#define L2TPC_API_INTERNAL_H

#include "api/signer.h"
#include "dial/dial.h"
#include "dial/reconnect.h"
#include "io/arena.h"
#include "io/hub.h"
#include "io/lanes.h"
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
    struct lanes *lanes; /* NULL: packets move where engines run */
    struct hub *hub;
    struct crypto *crypto;
    struct arena *arena; /* keys and passwords of all sessions */
    bool told_unlocked;
    struct servers *servers;
    struct env env;
    struct port_options ports;
    l2tpc_host_ops ops;
    void (*log)(void *user, int level, const char *module, const char *line);
    void *log_user;
    void (*engine_log)(void *user, int level, const char *module, const char *line);
    void *engine_log_user;
    /* In the engine: to the front, which has a log of its own. */
    void (*relay)(void *user, int level, const char *module, const char *line);
    void *relay_user;
    unsigned holders; /* the program and its sessions: the last one that lets go destroys */
};

/* The bytes of a file, on the heap, or in a vault when there may be a key in it; wiped. */
struct blob {
    size_t n;
    uint8_t *bytes;
    const struct vault *vault;
};

/* In an arena: the config's own, or that of the session's context. */
struct config_secrets {
    struct secret psk, password, tunnel_secret, passphrase;
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

struct l2tpc_config {
    char name[NAME_MAX_LEN + 1];
    char server[SERVER_MAX_LEN + 1]; /* without port and brackets */
    uint16_t port;
    char user[PPP_USER_MAX];
    bool has_psk, has_password, has_tunnel_secret;
    struct config_secrets *secrets;
    struct arena *arena; /* NULL: the secrets are in the context's */
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
    bool quirk_no_fragmentation;
    bool quirk_no_path_mtu;
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
    bool server_routes, server_domains_only, class_route;
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
    struct inaddr server; /* whose packets; family 0: not told */
};

/* Who has the ports that a dial begins from; a person is told once. */
struct busy_ports {
    char ike[136];  /* "": nobody */
    char told[160]; /* the last that was */
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
    struct signer *signer;    /* in this process, or */
    struct signer_link *link; /* in another */
    struct remote *remote;    /* the whole dial is in another process: no runner here */
    struct revocation_verdict revocation;
    bool asked[SECRET_KINDS];           /* a person, or a program, has answered a NEED */
    uint32_t asked_psk, asked_password; /* the need that was told; 0: none */
    bool psk_measured;
    unsigned psk_bits;
    char since[32]; /* when it came up: RFC 3339, UTC; empty before */
    struct recovery recovery;
    struct busy_ports busy;
    struct dhcp_answer *pushed; /* by the server, in this session; heap, NULL: nothing */
    char *routes;               /* into the tunnel, with their origin: text of the status; heap */
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
/* ports.c: `port` was asked for, and `holder` (NULL: nobody) has it. Those of IKE and of NAT
 * traversal come in this order. */
void ports_note(l2tpc_session *s, enum dial_path path, uint16_t port, const char *holder);
/* As runner_hooks.route. */
int session_route(void *user, const struct endpoint *remote, struct runner_route *out);
void serve_tun(l2tpc_session *s, uint32_t need_id, l2tpc_us now);
void serve_apply_ip(l2tpc_session *s, const struct dial_event *e, l2tpc_us now);
void serve_release_ip(l2tpc_session *s);
/* addresses.c: what APPLY_IP is told beside IPCP's addresses, and what of it the status shows. */
void need_add_pushed(const l2tpc_session *s, l2tpc_need *need, const struct dial_facts *facts);
void session_keep_pushed(l2tpc_session *s, const struct dial_facts *facts);
void session_keep_routes(l2tpc_session *s, const l2tpc_need *need, const char *told);
void session_forget_routes(l2tpc_session *s);
/* False with a failure when what others have taken away cannot be made again, or not for long. */
bool serve_repair_ip(l2tpc_session *s, l2tpc_us now, struct failure *out_failure);
void observer_open(l2tpc_session *s);
void observer_follow(l2tpc_session *s);
void observer_tell(l2tpc_session *s, const struct dial_facts *facts, const struct endpoint *peer);
struct kernel_counts observer_read(l2tpc_session *s);
/* What the host has counted; observer 0: the present one of this tunnel, whoever opened it. False:
 * no answer, and `out` as it was. */
bool kernel_read(l2tpc_session *s, uint32_t observer, struct kernel_counts *out);
void observer_close(l2tpc_session *s);
l2tpc_address address_of(const struct inaddr *a);

/* signing.c: a session and its signer, in this process or in another. */
/* Opens what the config names, then starts the dial; or asks for the passphrase first. */
void session_begin(l2tpc_session *s, const struct secret *passphrase);
void session_sign(l2tpc_session *s, const struct dial_event *e);
void session_judge(l2tpc_session *s, const struct dial_event *e);
/* As runner_hooks.resolve. */
bool session_resolve(void *user, uint32_t need);
/* The dial is over, and another one begins: false while a token is still at work for the old one.
 */
bool session_signer_ready(l2tpc_session *s);
void session_show_credential(l2tpc_session *s);
void session_drop_signer(l2tpc_session *s);

/* signer_token.c */
bool token_is_used(const l2tpc_config *c);
const char *token_uri(const l2tpc_config *c); /* of the key, as far as it is known */
struct token_wish token_wish_of(const char *certificate, const char *key);
struct failure token_failure(enum token_result r, const char *uri);

/* psk.c: the estimate alone is kept. */
void session_measure_psk(l2tpc_session *s, struct span psk);

/* vault.c */
/* Says once that what is secret may be swapped out. */
void vault_warn(l2tpc_session *s);
const char *vault_state(const l2tpc_session *s);

/* learned.c */
/* What was given is for the server that is dialed. */
bool learned_holds(const l2tpc_config *c);
const char *learned_state(const l2tpc_config *c);
void learned_warn(l2tpc_session *s);
void learned_tell(l2tpc_session *s);

/* session.c: each under the lock, as the API's function of that name without it. */
int session_start(l2tpc_session *s);
void session_stop(l2tpc_session *s);
void session_network_changed(l2tpc_session *s);
void session_check_host(l2tpc_session *s);
bool session_rekey(l2tpc_session *s);
bool session_answer(l2tpc_session *s, uint32_t need, const struct span *secret);
struct runner *session_runner(l2tpc_session *s); /* a dial that has not begun; NULL: no memory */
/* The end: DOWN, and FAILED before it unless NULL. */
void session_over(l2tpc_session *s, const struct failure *f);

/* remote.c: the same for a session whose dial is in another process. */
int remote_start(l2tpc_session *s);
void remote_stop(l2tpc_session *s);
void remote_network_changed(l2tpc_session *s);
void remote_check_host(l2tpc_session *s);
bool remote_answer(l2tpc_session *s, uint32_t need, const struct span *secret);
struct l2tpc_status;
void remote_status(l2tpc_session *s, struct l2tpc_status *out);
/* Owns the descriptors; signer_fd may be -1. NULL: no memory. */
bool remote_ask_status(l2tpc_session *s);
struct l2tpc_status *remote_take_status(l2tpc_session *s); /* NULL: none has come */
void remote_rekey(l2tpc_session *s);
struct remote *remote_new(l2tpc_session *s, int engine_fd, int signer_fd);
void remote_free(struct remote *r); /* NULL is fine */

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
bool blob_set(struct blob *b, const struct vault *vault, const void *bytes, size_t n);
void blob_clear(struct blob *b);
struct span blob_span(const struct blob *b);

/* status.c */
struct evidence {
    const char *code, *sentence, *observer;
    char value[96];
    bool ok;
};

#define EVIDENCE_MAX 8

/* What an engine says of its own packets, in its own words or over a channel. */
struct proof_claims {
    uint64_t out, joined_out, in, joined_in;
};

struct proof_claims proof_claims_of(const struct dial_facts *f);
/* The items that the kernel is the observer of, the first ones: its counts from before the claims
 * were made and from after them. Returns how many. */
unsigned proof_judge_kernel(const struct proof_claims *engine, const struct kernel_counts *before,
                            const struct kernel_counts *after, struct evidence out[EVIDENCE_MAX]);
/* Judges whether this is L2TP inside IPsec; returns how many items were written. */
unsigned proof_judge(const struct dial_facts *f, const struct kernel_counts *kernel,
                     struct evidence out[EVIDENCE_MAX], bool *out_verdict);
/* How many items a verdict has, and the words of each: all but what was seen. */
unsigned proof_items(void);
unsigned proof_kernel_items(void);
void proof_words(unsigned i, bool certificate, struct evidence *out);

#endif
