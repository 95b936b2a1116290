/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the dial engine share. */
#ifndef L2TPC_DIAL_INTERNAL_H
#define L2TPC_DIAL_INTERNAL_H

#include "dial/alive.h"
#include "dial/data_path.h"
#include "dial/dial.h"

DEFINE_RING(dial_events, struct dial_event, 6, 64)

/* The order of teardown; each step is skipped when its engine was never there. */
enum closing {
    CLOSING_NOT,
    CLOSING_PPP,  /* Terminate-Request is out */
    CLOSING_L2TP, /* CDN and StopCCN are out */
    CLOSING_DONE, /* Deletes are queued; DOWN follows */
};

/* One deadline per purpose; those of the engines are their own. */
struct dial_deadlines {
    l2tpc_us whole;     /* the user's --timeout */
    l2tpc_us address;   /* this address has not answered while others are left */
    l2tpc_us esp_check; /* nothing protected has come back */
    l2tpc_us sccrq;     /* the server has had the time to install its SA pair */
    l2tpc_us no_sa;     /* every SA was deleted */
    l2tpc_us closing;   /* the polite end has taken long enough */
    l2tpc_us port;      /* L2TP stays silent: the next rung is source port 1701 */
};

static const struct dial_deadlines dial_no_deadlines = {US_NEVER, US_NEVER, US_NEVER, US_NEVER,
                                                        US_NEVER, US_NEVER, US_NEVER};

struct dial_secrets {
    struct secret psk;    /* for the next rung; wiped when the dial is up */
    struct secret tunnel; /* that of the config is not kept */
};

struct dial {
    struct dial_config config;
    struct dial_facts facts;
    struct dial_deadlines deadline;
    struct data_path data;
    struct ike *ike;
    struct ike *leaving; /* the one of the rung before: only its last words are still sent */
    struct l2tp *l2tp;
    struct ppp *ppp;
    struct dhcpinform *dhcpinform; /* NULL: nothing is asked */
    struct dhcp_answer *pushed;    /* of the dial before */
    uint16_t inner_port;
    uint16_t outer_mtu;

    struct inaddr address[DIAL_ADDRESSES_MAX];
    unsigned n_addresses, next_address;

    uint32_t next_need;
    uint32_t need[DIAL_NEEDS];   /* the open need of each kind, 0 = none */
    uint32_t ike_need, ppp_need; /* the engines' own numbers for the open secrets */
    bool tun_ready, ip_wanted, ip_applied;

    enum closing closing;
    bool ppp_over, l2tp_over; /* nothing polite is left to be said there */
    bool esp_seen;
    struct {
        bool asked;     /* a quick mode of ours is under way */
        bool wanted;    /* by a person, before its time */
        unsigned tries; /* that came to nothing */
        l2tpc_us next;  /* not before */
    } rekey;
    struct ladder ladder;
    struct dial_secrets *secrets; /* in the vault of the env */
    unsigned mm5;                 /* sent before it was up */
    bool quick_again;             /* this IKE SA has had a further quick mode */
    uint64_t resent_before;       /* messages that IKE had sent again when this try began */
    bool wants_port_1701;         /* its quick mode is under way beside a silent pair */
    struct alive alive;
    struct path_mtu path;
    bool changes_only;       /* the open APPLY_IP keeps the address of a tunnel that is up */
    bool pushed_untried;     /* ... and is the first one with what DHCP has brought */
    l2tpc_us esp_check_from; /* when L2TP first had a pair to send on */
    bool until_reached;
    struct dial_events events;
    struct packets ip;
#if L2TPC_TEST_HOOKS
    struct sa_pair test_sas[4]; /* for the key log: the last ones */
    unsigned n_test_sas, test_sas_told;
#endif
};

/* early.c */
/* After what may have begun or ended a quick mode. */
void early_follow(struct dial *d);
void early_deliver(struct dial *d, l2tpc_us now);

/* dial.c */
enum verdict dial_input_esp(struct dial *d, const struct endpoint *from, struct mspan packet,
                            l2tpc_us now);

/* stages.c */
void stage_begin(struct dial *d, enum stage s, l2tpc_us now);
/* Ends s; when the user asked to go no further, starts the polite end. */
void stage_end(struct dial *d, enum stage s, l2tpc_us now);

/* needs.c */
struct dial_event *need_new(struct dial *d, enum dial_need_type type, struct dial_event *e);
void need_sockets(struct dial *d, bool raw_esp, l2tpc_us now);
/* Largest IP packet whose outer packet is no longer than `outer`. */
uint16_t inner_mtu_of(const struct dial *d, size_t outer);
/* Largest IP packet whose outer packet still leaves in one piece. */
uint16_t inner_mtu_max(const struct dial *d);
/* What of it the server takes and the way is known to carry. */
uint16_t inner_mtu(const struct dial *d);
void need_apply_ip(struct dial *d, l2tpc_us now);
/* Starts IKE towards the next address; the last failure stands when none is left. */
void try_next_address(struct dial *d, l2tpc_us now);

/* server.c */
/* Looks at what the server has said so far. */
void server_look(struct dial *d);
/* Switches on what the verdict allows of these bits; returns what of them is on. */
unsigned server_apply(struct dial *d, unsigned quirks);
void server_choose_port(struct dial *d);

/* climb.c */
void climb_begin(struct dial *d, l2tpc_us now);
/* The next rung after this failure is under way; false: there is none. */
bool climb_on(struct dial *d, const struct failure *failure, l2tpc_us now) MUST_USE;
/* What the IKE engine of this try is to know. */
void climb_configure(const struct dial *d, struct ike_config *out);
/* L2TP has begun on a pair. */
void climb_watch_l2tp(struct dial *d, l2tpc_us now);
void climb_try_port(struct dial *d, l2tpc_us now);
/* A pair is about to come. */
void climb_on_pair(struct dial *d, const struct sa_pair *sa, l2tpc_us now);
void climb_on_quick_failed(struct dial *d, const struct failure *failure, l2tpc_us now);
void climb_note_peer(struct dial *d);
void climb_note_up(struct dial *d);

/* path.c */
/* After whatever has happened: begins, sends what is due, applies what was found. */
void path_follow(struct dial *d, l2tpc_us now);
void path_on_echoed(struct dial *d, uint8_t number, l2tpc_us now);
/* Much was sent and nothing came back: was it too long? */
void path_doubt(struct dial *d, l2tpc_us now);

/* rekey.c */
void rekey_on_pair(struct dial *d, struct sa_pair *sa, l2tpc_us now);
void rekey_on_ready(struct dial *d, uint32_t spi_out, bool proven, l2tpc_us now);
void rekey_on_deleted(struct dial *d, uint32_t spi_out, l2tpc_us now);
void rekey_on_lifetime(struct dial *d, const struct sa_pair *said, uint32_t spi_out, l2tpc_us now);
void rekey_on_failed(struct dial *d, l2tpc_us now);
/* Looks at the limits of the pairs, and at which of them the server uses. */
void rekey_tick(struct dial *d, l2tpc_us now);
/* Forgets what has run out; false when nothing is left to send with that was there before. */
bool rekey_expire(struct dial *d, l2tpc_us now);
l2tpc_us rekey_deadline(const struct dial *d);

/* events.c */
void dial_pump(struct dial *d, l2tpc_us now); /* drains the engines' events until all are quiet */
void dial_emit(struct dial *d, enum dial_event_type type);
/* The SA pair is there at both ends: the tunnel inside it can begin. */
void dial_start_l2tp(struct dial *d, l2tpc_us now);
/* Records the failure, tells it, and starts the polite end of whatever is there. */
void dial_fail_now(struct dial *d, const struct failure *failure, l2tpc_us now);
/* Ends the polite end: nobody answers any more. */
void dial_close_overdue(struct dial *d, l2tpc_us now);

/* inform.c: IPCP is up, with these addresses for the first time. */
void inform_begin(struct dial *d, l2tpc_us now);
/* False: it is somebody else's packet. */
bool inform_input(struct dial *d, struct span ip_packet, l2tpc_us now);
void inform_timer(struct dial *d, l2tpc_us now);
l2tpc_us inform_deadline(const struct dial *d);
void inform_end(struct dial *d);

#endif
