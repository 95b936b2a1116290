/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A whole dial in virtual time: the dial engine as its driver would run it, the simulated link and
 * our own server. Needs are answered at once or as scripted, time jumps from deadline to deadline,
 * and every step asserts what must hold in any dial whatever happens.
 */
#ifndef TESTS_SCENARIO_WORLD_H
#define TESTS_SCENARIO_WORLD_H

#include "dial/dial.h"
#include "ike/policy.h"
#include "sim.h"

#define WORLD_LINES 4096
#define WORLD_SEQ_MAX 4096
#define WORLD_NEEDS DIAL_NEEDS

enum world_answer {
    ANSWER_AT_ONCE,
    ANSWER_NEVER,
    ANSWER_FAILURE,
};

struct world_script {
    enum world_answer answer;
    l2tpc_us delay;
};

/* What a line of the waterfall tells. */
enum world_kind {
    LINE_OUT,   /* the client sent a message */
    LINE_IN,    /* one arrived at the client and was opened */
    LINE_EVENT, /* the dial said something */
    LINE_PEER,  /* the peer understood something that ends things */
};

struct world_line {
    l2tpc_us at;
    enum world_kind kind;
    char text[44];
};

struct world_config {
    struct peer_config peer;
    struct simlink_config link;
    struct dial_config dial;
    const char *policy;         /* by name; NULL: dial.policy as it is */
    const char *psk, *password; /* what the client's person types */
    struct endpoint local;
    unsigned outer_mtu;                        /* 0: unknown */
    struct inaddr address[DIAL_ADDRESSES_MAX]; /* what the name resolves to */
    unsigned n_address;
    struct world_script script[WORLD_NEEDS];
    bool whole_input; /* hand ESP to dial_input() instead of the way of the data plane */
    uint64_t seed;
    size_t carries;  /* UDP payloads beyond it are cut on the way to the peer, and lost with DF;
                        0: any length passes */
    bool no_servers; /* the client has no table of servers; else dial.servers or the built-in one */
};

struct world_wire {
    enum peer_port port;
    struct endpoint from, to;
    struct msg m;
};

struct world {
    struct world *next; /* worlds that a failed case has not freed */
    struct world_config config;
    struct sim sim;
    struct sim_env client_env, peer_env;
    struct crypto *crypto, *peer_crypto;
    struct dial *dial;
    struct servers *servers; /* its own built-in table */
    struct {
        bool open;
        uint32_t id;
        l2tpc_us due;
    } need[WORLD_NEEDS];
    struct world_wire queue[64]; /* IP packets that were sealed, on their way out */
    unsigned queue_head, queue_used;
    bool (*goal)(struct world *w);
    unsigned goal_lines; /* of world_has_lines() */

    /* What has happened. */
    bool up, failed, down, released;
    l2tpc_us up_at, failed_at, down_at;
    struct failure failure;
    enum stage failed_stage;
    unsigned needs[WORLD_NEEDS], sa_changes, rekeyed, elsewhere;
    struct endpoint asked_remote; /* of the last SOCKETS */
    struct dial_ip ip;            /* of the last APPLY_IP */
    unsigned rungs;
    unsigned cut, too_long; /* by config.carries: cut, and lost for its DF */
    struct failure warning; /* the last one */
    bool has_learned;
    struct learned learned;
    unsigned pings, refused, replies, strays;
    uint16_t next_seq;
    uint8_t answered[WORLD_SEQ_MAX];
    l2tpc_us stream_every, stream_due; /* 0: no stream of pings */

    /* The waterfall. */
    struct world_line line[WORLD_LINES];
    unsigned n_lines;
    unsigned main_sent;

    /* Invariants. */
    struct peer_facts seen;
    l2tpc_us second;
    unsigned timers, stuck;
    unsigned violations;
    char violation[160];
};

/* A server and a client that agree, without a NAT, 20 ms apart. */
void world_config_default(struct world_config *config);
/* NULL only when the config is unusable; the dial is started. */
struct world *world_new(const struct world_config *config);
void world_free(struct world *w);

/* Runs until the goal holds; false at now + limit, or when nothing more can happen. */
bool world_until(struct world *w, bool (*goal)(struct world *w), l2tpc_us limit);
void world_run(struct world *w, l2tpc_us duration);
bool world_is_up(struct world *w);   /* or has failed */
bool world_is_down(struct world *w); /* the end */
bool world_has_lines(struct world *w);

/* One ICMP echo request; false when the tunnel may not carry it. */
bool world_ping(struct world *w);
bool world_ping_answered(struct world *w); /* the last one */
/* From dial to an answered ping; true when all of it went well, else the reason is printed. */
bool world_dial(struct world *w, l2tpc_us limit);
/* Closes and waits for DOWN and the last words. */
bool world_close(struct world *w);

/* The index of the first line of this text at or behind `from`; -1 when there is none. */
int world_find(const struct world *w, enum world_kind kind, const char *text, unsigned from);
void world_print(const struct world *w);
/* True when no invariant was broken and the peer had nothing to complain about. */
bool world_clean(struct world *w);

/* world_events.c */
void world_take_event(struct world *w, const struct dial_event *e);
void world_answer_due(struct world *w);

/* world_watch.c */
void world_line_add(struct world *w, enum world_kind kind, const char *text);
void world_violation(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The name of what dial_pop_out() would give next; call it before. */
struct world_heads {
    unsigned ike, l2tp, ppp;
    char ike_text[44], l2tp_text[44], ppp_text[44];
};
void world_watch_heads(struct world *w, struct world_heads *out);
void world_watch_popped(struct world *w, const struct world_heads *before);
void world_watch_arrival(struct world *w, enum data_kind kind, struct span inner);
void world_watch_ike(struct world *w, struct span message);
void world_watch_peer(struct world *w);
void world_watch_queues(struct world *w);

#endif
