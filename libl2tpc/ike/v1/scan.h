/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which phase 1 proposals a server accepts: message 1 of main mode with many transforms, the one
 * that the server takes leaves the offer, and so on until it refuses. Never message 3, so that no
 * secret is near; a fresh cookie for every question; slow, and few. Refusals are not authenticated:
 * all of this is a hint. Datagrams and `now` in, datagrams and events out, as in every engine.
 */
#ifndef L2TPC_IKE_V1_SCAN_H
#define L2TPC_IKE_V1_SCAN_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/failure.h"
#include "base/limits.h"
#include "base/queue.h"
#include "base/suite.h"
#include "base/verdict.h"
#include "ike/vendor.h"

enum scan_depth {
    SCAN_USUAL, /* what servers for L2TP are known to be set to */
    SCAN_QUICK, /* one answer per policy */
    SCAN_ALL,   /* every combination */
};

/* One bit each; SCAN_AUTH_ECDSA stands for the three of RFC 4754. */
enum scan_auth {
    SCAN_AUTH_PSK = 1,
    SCAN_AUTH_RSA = 2,
    SCAN_AUTH_ECDSA = 4,
};

enum scan_state {
    SCAN_NOT_ASKED,
    SCAN_ACCEPTED,
    SCAN_REFUSED,
    SCAN_UNANSWERED, /* silence, from a server that answers other offers */
};

/* How far a suite is from what ought to be in use; weaker is larger. */
enum scan_strength {
    SCAN_STRONG,
    SCAN_COMPATIBLE,
    SCAN_LEGACY,
    SCAN_BROKEN, /* in no policy: DES, MD5, 768 bits */
};

struct scan_item {
    struct ike_suite suite;
    enum ike_auth auth;
    enum scan_state state;
    uint32_t lifetime_s; /* as answered; never longer than what was offered */
    uint8_t set;         /* offered together */
};

struct scan_list {
    struct scan_item item[SCAN_ITEMS_MAX];
    unsigned n, n_sets;
};

struct scan_config {
    const struct env *env; /* outlives the engine */
    enum scan_depth depth;
    unsigned auths;   /* of enum scan_auth; 0: the pre-shared key */
    l2tpc_us timeout; /* of the whole run; 0: SCAN_TIME */
};

enum scan_end {
    SCAN_RUNNING,
    SCAN_COMPLETE,
    SCAN_LIMIT,       /* as many messages as we allow ourselves */
    SCAN_TIME_IS_UP,  /* the same of time */
    SCAN_FELL_SILENT, /* the server answered and then no longer did, also after a rest */
    SCAN_FAILED,      /* it never answered, or not in a way that tells anything */
    SCAN_STOPPED,     /* by scan_close() */
};

struct scan_facts {
    enum scan_end end;
    bool resting;              /* the server fell silent: we wait once */
    unsigned accepted, asked;  /* suites */
    unsigned sent, resent;     /* messages; resent ones are among sent */
    unsigned answers;          /* messages 2 and refusals that counted */
    unsigned dropped;          /* what was no answer to our offer */
    bool one_by_one;           /* it cannot take many transforms at once */
    bool natt, dpd, fragments; /* the server's vendor IDs say so */
    char vendor_ids[IKE_VENDOR_IDS_KEPT][VENDOR_TEXT_MAX];
    struct ike_vendor_bytes vendor_bytes[IKE_VENDOR_IDS_KEPT];
    unsigned n_vendor_ids;
    l2tpc_us rtt;
};

enum scan_event_type {
    SCAN_EVENT_PROGRESS, /* facts or items have changed */
    SCAN_EVENT_OVER,     /* .failure: id 0 when something was accepted; nothing more will come */
};

struct scan_event {
    enum scan_event_type type;
    struct failure failure;
};

struct scan;

struct scan *scan_new(const struct scan_config *config); /* copies the config; NULL: no memory */
void scan_free(struct scan *s);
/*
 * At this address. When it never answered, the engine may be started again at the next one; with
 * `more` it is given up soon. The run's time goes on.
 */
void scan_start(struct scan *s, const struct endpoint *remote, bool more, l2tpc_us now);
enum verdict scan_input(struct scan *s, const struct endpoint *from, struct span datagram,
                        l2tpc_us now);
void scan_timer(struct scan *s, l2tpc_us now);
l2tpc_us scan_deadline(const struct scan *s); /* absolute; US_NEVER = none */
bool scan_pop_out(struct scan *s, struct msg *out) MUST_USE;
bool scan_pop_event(struct scan *s, struct scan_event *out) MUST_USE;
/* A network error (ICMP): a hint for the error text. */
void scan_note_unreachable(struct scan *s, int os_error);
/* Ends it where it is; what is known stays. */
void scan_close(struct scan *s);
bool scan_owns_cookie(const struct scan *s, const uint8_t cky_i[8]);
const struct scan_facts *scan_facts(const struct scan *s);
const struct scan_list *scan_items(const struct scan *s);

/* ---- scan_list.c ---- */
void scan_list_fill(struct scan_list *out, enum scan_depth depth, unsigned auths);

/* ---- scan_verdict.c ---- */
enum scan_strength scan_strength(const struct ike_suite *s);
bool scan_same_suite(const struct ike_suite *a, const struct ike_suite *b);
/* "aes256-sha256-modp2048", as --ike takes it. */
const char *scan_suite_text(const struct ike_suite *s, char out[SCAN_SUITE_TEXT]);
/* The strictest policy that offers something accepted ("compatible"), or NULL; certificates and
 * keys alike. */
const char *scan_policy(const struct scan_list *l);
/* The accepted suites of the best strength there is, as a list for --ike; its strength through
 * `out_best`. False when nothing was accepted. */
bool scan_offer(const struct scan_list *l, char *out, size_t cap, enum scan_strength *out_best);

#endif
