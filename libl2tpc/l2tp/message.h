/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Control messages of L2TPv2 (RFC 2661 sections 3.1 and 6): header and AVPs, checked once. */
#ifndef L2TPC_L2TP_MESSAGE_H
#define L2TPC_L2TP_MESSAGE_H

#include "base/limits.h"
#include "l2tp/avp.h"

#define MESSAGE_HEADER 12

/* Message types (RFC 2661 section 3.2); 5 and 13 are reserved. */
enum message_type {
    SCCRQ = 1,
    SCCRP = 2,
    SCCCN = 3,
    STOPCCN = 4,
    HELLO = 6,
    OCRQ = 7,
    OCRP = 8,
    OCCN = 9,
    ICRQ = 10,
    ICRP = 11,
    ICCN = 12,
    CDN = 14,
    WEN = 15,
    SLI = 16,
    MESSAGE_TYPES,
};

struct message_header {
    uint16_t tunnel_id, session_id, ns, nr;
    struct span avps; /* empty: a ZLB */
};

enum message_fault {
    FAULT_NONE,
    FAULT_MALFORMED,    /* AVPs do not add up, or the first is not Message Type */
    FAULT_UNKNOWN_TYPE, /* a message type that we do not know, M bit set (4.4.1) */
    FAULT_MANDATORY,    /* an AVP that we cannot understand, M bit set (4.1) */
};

/* A parsed message: values by attribute, lengths within their rules. First occurrence wins. */
struct message {
    uint16_t type; /* 0: unknown and not mandatory, to be ignored */
    enum message_fault fault;
    uint16_t fault_attribute; /* of FAULT_MANDATORY; the number of FAULT_UNKNOWN_TYPE */
    uint16_t fault_vendor;
    uint64_t present; /* bit n: attribute n */
    struct span value[AVP_NUMBERS];
    uint8_t clear[L2TP_MESSAGE_MAX]; /* unhidden values */
    size_t n_clear;
};

/* "SCCRQ"; "message" for a number without a row. */
const char *message_name(uint16_t type);
/* Whether the message is about a session, not the tunnel (section 3.2, call management). */
bool message_is_call(uint16_t type);

/* Rows H48: T, L and S set, version 2, 12 <= length <= bytes. What follows `length` is ignored. */
bool message_read_header(struct span bytes, struct message_header *out) MUST_USE;
/* Writes the header over the first 12 of n bytes; false only when n is out of range. */
bool message_write_header(struct mspan message, const struct message_header *h) MUST_USE;

/* Always fills out; faults are in out->fault. key: crypto and secret; secret may be empty. */
void message_parse(struct span avps, const struct avp_key *key, struct message *out);
void message_wipe(struct message *m);

static inline bool message_has(const struct message *m, enum avp_id id)
{
    return m->present >> id & 1;
}

/* 0 when absent: presence is checked where 0 has a meaning. */
uint16_t message_u16(const struct message *m, enum avp_id id);
uint32_t message_u32(const struct message *m, enum avp_id id);

#endif
