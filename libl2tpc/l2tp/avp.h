/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attribute-value pairs of L2TP control messages (RFC 2661 section 4). */
#ifndef L2TPC_L2TP_AVP_H
#define L2TPC_L2TP_AVP_H

#include "crypto/crypto.h"
#include "wire/rd.h"
#include "wire/wr.h"

#define AVP_HEADER 6
#define AVP_VALUE_MAX 1017 /* the length field has ten bits and counts the header */
#define AVP_RANDOM_VECTOR_LEN 16
#define AVP_NUMBERS 64 /* above every attribute of avp.def: one bit each in a 64-bit set */

enum avp_id {
#define AVP(id, attribute, name, min, max, m, h) AVP_##id = (attribute),
#include "l2tp/avp.def"
#undef AVP
};

/* One AVP as it stands on the wire. */
struct avp {
    bool m, h;
    bool reserved; /* a reserved bit is set: not to be understood (4.1) */
    uint16_t vendor, attribute;
    struct span value;
};

struct avp_rule {
    const char *name; /* NULL: no such attribute */
    uint16_t min, max;
    bool m, h;
};

/* What hides and unhides a value (4.3). */
struct avp_key {
    struct crypto *crypto;
    struct span secret;
    struct span random_vector;
};

/* False when the rest does not hold `6 <= length <= rest`: the message is malformed. */
bool avp_read(struct rd *r, struct avp *out) MUST_USE;
/* The row of an IETF attribute; NULL when there is none. */
const struct avp_rule *avp_rule(uint16_t attribute);

/*
 * Hides value, with `pad` bytes behind it, into out; *hidden is the part of out that was used.
 * False: does not fit, or the hash failed.
 */
bool avp_hide(const struct avp_key *key, uint16_t attribute, struct span value, size_t pad,
              struct mspan out, struct span *hidden) MUST_USE;
/* The reverse; *value lies inside out. False: the hidden length is not possible. */
bool avp_unhide(const struct avp_key *key, uint16_t attribute, struct span hidden, struct mspan out,
                struct span *value) MUST_USE;

/* Builds the AVPs of one message; errors stick to w. */
struct avp_wr {
    struct wr w;
    const struct avp_key *key; /* NULL: nothing is hidden */
};

/* The first AVP of every message. */
void avp_put_type(struct avp_wr *a, uint16_t message_type);
void avp_put(struct avp_wr *a, enum avp_id id, struct span value);
void avp_put_u16(struct avp_wr *a, enum avp_id id, uint16_t value);
void avp_put_u32(struct avp_wr *a, enum avp_id id, uint32_t value);

#endif
