/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Splitting and checking of ISAKMP messages, before anything acts on them: the header, the chain of
 * payloads with its bounds, then one table row per message with what it must and may hold.
 */
#ifndef L2TPC_IKE_V1_PARSE_H
#define L2TPC_IKE_V1_PARSE_H

#include "base/addr.h"
#include "base/limits.h"
#include "ike/v1/isakmp.h"

struct isakmp_header {
    uint8_t cky_i[ISAKMP_COOKIE_LEN], cky_r[ISAKMP_COOKIE_LEN];
    uint8_t next_payload;
    uint8_t version;
    uint8_t exchange;
    uint8_t flags;
    uint32_t message_id;
    uint32_t length;
};

struct payload {
    uint8_t type;
    struct span body; /* behind the generic header */
};

/* The payloads of one message; vendor IDs apart, as a peer may send many. */
struct chain {
    struct payload at[IKE_PAYLOADS_MAX];
    unsigned n;
    struct span vid[IKE_VENDOR_IDS_MAX];
    unsigned n_vid;
    uint8_t first;           /* the type of the very first payload, vendor IDs included */
    struct span after_first; /* from the second payload's header to the last payload's end */
};

/* One row of the table of messages. */
enum isakmp_message {
    MESSAGE_MM2,        /* main mode 2: clear */
    MESSAGE_MM4,        /* main mode 4: clear */
    MESSAGE_MM6,        /* main mode 6: encrypted */
    MESSAGE_QM1,        /* quick mode 1 or 2: encrypted, HASH first */
    MESSAGE_QM3,        /* quick mode 3 or 4: encrypted, HASH first */
    MESSAGE_INFO,       /* informational under an SA: encrypted, HASH first */
    MESSAGE_INFO_CLEAR, /* informational before there is an SA: a hint at most */
    MESSAGE_MM6_SIG,    /* main mode 6 with a signature: encrypted */
    MESSAGE_AM2,        /* aggressive mode 2: clear */
};

/* `body` gets what follows the header, cut at the header's length. */
bool isakmp_parse_header(struct span datagram, struct isakmp_header *out,
                         struct span *body) MUST_USE;
/* Splits the whole chain; false for any broken length, unknown payload below 128, too many. */
bool isakmp_split(uint8_t first, struct span body, struct chain *out) MUST_USE;
/* The chain holds what this message must and nothing that it may not. */
bool isakmp_check(enum isakmp_message message, const struct chain *c) MUST_USE;
/* True when messages of this row are encrypted. */
bool isakmp_is_encrypted(enum isakmp_message message);

/* The index-th payload of that type; false when there are not so many. */
bool chain_get(const struct chain *c, uint8_t type, unsigned index, struct span *out) MUST_USE;
unsigned chain_count(const struct chain *c, uint8_t type);

/* ---- small payloads ---- */
struct notify {
    uint32_t doi;
    uint8_t protocol;
    uint16_t type;
    struct span spi;
    struct span data;
};

struct delete_payload {
    uint32_t doi;
    uint8_t protocol;
    uint8_t spi_size;
    uint16_t n_spis;
    struct span spis; /* spi_size x n_spis bytes, exactly */
};

/* A tagged union: the length fits the type, or the parser said false. */
struct identity {
    uint8_t type;
    uint8_t protocol;
    uint16_t port;
    struct inaddr addr; /* types with an address; the network's for a subnet */
    struct span data;
};

bool isakmp_parse_notify(struct span body, struct notify *out) MUST_USE;
bool isakmp_parse_delete(struct span body, struct delete_payload *out) MUST_USE;
bool isakmp_parse_identity(struct span body, struct identity *out) MUST_USE;
/* RFC 3947 5.2: type, three reserved bytes, address. */
bool isakmp_parse_nat_oa(struct span body, struct inaddr *out) MUST_USE;

#endif
