/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The inside of a data path, which only the dial engine changes. */
#ifndef L2TPC_DIAL_DATA_PATH_H
#define L2TPC_DIAL_DATA_PATH_H

#include "base/clock.h"
#include "base/queue.h"
#include "base/tally.h"
#include "base/turns.h"
#include "dial/data.h"
#include "dial/packets.h"

/* The pair in use, its successor while both live, and one that a collision left behind. */
#define DATA_PAIRS_MAX 4

/* SPIs of quick modes under way; more than one only while phase 1 is renewed. */
#define DATA_OFFERED_MAX 4

/* Copies for others: the one in force, those of a turn under way, and a free one. */
#define DATA_BLOCKS 4
/* Pairs that wait for the end of a turn. */
#define DATA_GONE_MAX 8

struct data_pair {
    struct esp_in *in; /* NULL: the slot is free */
    struct esp_out *out;
    l2tpc_us installed;
    l2tpc_us expires; /* the negotiated lifetime; US_NEVER when none was stated */
    unsigned order;   /* rises with each pair */

    bool ready; /* the peer has it too */
    bool used;  /* a packet has come in on it */
    bool told;  /* its installation was told */
    l2tpc_us last_in;
    uint64_t packets_in; /* when last_in was noted */

    /* When to look for a successor. */
    l2tpc_us soft;
    l2tpc_us window; /* two pairs closer together than this come from a collision */
    uint64_t soft_bytes, hard_bytes, block_bytes; /* UINT64_MAX: no such limit */
    l2tpc_us rate_at;                             /* since then, and so many bytes at that time */
    uint64_t rate_from, rate;                     /* the rate is per second */
    bool worn;                                    /* one of them was passed */
    bool full;  /* hard_bytes was passed: the rest of its life is SA_GRACE */
    bool spent; /* its sequence numbers are used up: it is read, nothing is sent */

    /* When it has a successor. */
    l2tpc_us switch_at; /* take over although the peer was not seen on it; US_NEVER: no need to */
    l2tpc_us replaced;  /* 0: it is in use, or about to be */
    l2tpc_us delete_at; /* our Delete; US_NEVER: none, or it is out */
    bool deleted;       /* it is out: only what is under way is still read */
    bool spare;         /* of a collision */
};

/*
 * What was agreed, as far as moving packets takes it. The control side has a copy of its own
 * (`now`) to change; where others move the packets, they see a copy of that which never changes,
 * and each as a whole.
 */
struct data_params {
    struct esp_in *in[DATA_PAIRS_MAX];
    struct esp_out *out; /* the sender's; NULL: nothing may leave */
    bool udp_encapsulated;
    struct endpoint peer;
    uint16_t tunnel_id, session_id, peer_tunnel_id, peer_session_id;
    bool call_up; /* the ids are known */
    bool ip_open;
    bool dhcp_awaited; /* packets from port 67 to port 68 are looked at before others get them */
    uint16_t mtu;      /* of the link, for the MSS of what goes through it; 0: not known */
    bool pfc;          /* the peer may shorten the protocol field to one byte */
    uint32_t offered[DATA_OFFERED_MAX]; /* SPIs without keys yet */
    unsigned n_offered;
};

/* A copy for the others, and until when they may have it. */
struct data_block {
    struct data_params params;
    struct turns_mark left;
};

/* A pair that is in no block any more, and that a turn may still be using. */
struct data_gone {
    struct esp_in *in; /* NULL: the slot is free */
    struct esp_out *out;
    struct turns_mark left;
};

struct data_path {
    /* The control side's. */
    struct data_pair pair[DATA_PAIRS_MAX];
    struct data_pair *sender;
    unsigned n_installed;
    struct data_params now;
    struct esp_counters gone_in, gone_out; /* of pairs that were removed */
    struct packets early; /* what has come without keys, by SPI; what does not fit is lost */
    uint64_t early_lost;
    struct turns *turns; /* of the threads that move packets; NULL: it is this one */
    struct data_block block[DATA_BLOCKS];
    unsigned n_published;
    struct data_gone gone[DATA_GONE_MAX];

    /* The one pointer between both. NULL: `now` itself. */
    _Atomic(const struct data_params *) live;

    /* Of who receives. */
    atomic_bool sequenced; /* the last data message of the server had Ns */
    bool begun;            /* see data_has_begun() */
    tally ip_in, ip_in_bytes, unknown_spi, bad_l2tp, bad_ip, not_open_in, joined_in;

    /* Of who sends. */
    uint16_t ns;                   /* of our next message that has one */
    const struct data_params *run; /* of the run under way, NULL: in one thread nothing changes */
    bool run_sequenced;
    tally ip_out, ip_out_bytes, not_open_out, joined_out;
};

bool data_is_sequenced(const struct data_path *d);

/*
 * Installs a pair to read with; it sends when no other one does, or after data_switch(). NULL:
 * crypto or memory failed, nothing changed.
 */
struct data_pair *data_install(struct data_path *d, struct crypto *crypto, const struct env *env,
                               const struct sa_pair *sa, const struct inaddr *local,
                               const struct inaddr *remote, l2tpc_us now) MUST_USE;
/* From now on this pair sends; those that were ready before it are replaced. */
void data_switch(struct data_path *d, struct data_pair *p, l2tpc_us now);
struct data_pair *data_find_out(struct data_path *d, uint32_t spi_out);
/* Nothing more is sent on it: another one takes over, or none. */
void data_spend(struct data_path *d, struct data_pair *p, l2tpc_us now);
/* The server gives a pair less than was negotiated; it never gives more. UINT32_MAX, 0: not said.
 */
void data_shorten(struct data_path *d, uint32_t spi_out, uint32_t seconds, uint64_t bytes,
                  l2tpc_us now);
/* Removes the pair with this outbound SPI; false when there is none. */
bool data_remove(struct data_path *d, uint32_t spi_out);
/* Removes pairs that were replaced long ago or whose lifetime has run out; the next such time, or
 * US_NEVER. */
l2tpc_us data_expire(struct data_path *d, l2tpc_us now);
l2tpc_us data_next_expiry(const struct data_path *d);
void data_clear(struct data_path *d);
/* Keeps a copy of an ESP packet until its SA has keys. */
void data_keep_early(struct data_path *d, struct span packet);
/* From now on these SPIs are kept for; false when they are the same as before. */
bool data_offer(struct data_path *d, const uint32_t *spis, unsigned n);
bool data_is_offered(const struct data_path *d, uint32_t spi);
/* The pair that sends; NULL when none. */
const struct data_pair *data_current(const struct data_path *d);
void data_sum(const struct data_path *d, struct esp_counters *in, struct esp_counters *out);
/* Wraps and seals a PPP frame, or seals an L2TP control message, with the usual room around. */
bool data_seal_frame(struct data_path *d, struct mspan frame, struct mspan *packet) MUST_USE;
bool data_seal_control(struct data_path *d, struct mspan message, struct mspan *packet) MUST_USE;

#endif
