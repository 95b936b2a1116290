/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SA payloads: what we offer, and whether an answer is one of the offers, attribute for attribute.
 * Attribute order and the form of a lifetime (basic or variable) may differ, nothing else.
 */
#ifndef L2TPC_IKE_V1_PROPOSAL_H
#define L2TPC_IKE_V1_PROPOSAL_H

#include "base/suite.h"
#include "ike/v1/isakmp.h"
#include "wire/wr.h"

enum offer_verdict {
    OFFER_OK,
    OFFER_MALFORMED, /* lengths, counts or attribute forms are broken */
    OFFER_MISMATCH,  /* not one of the offers */
    OFFER_POLICY,    /* a lifetime that cannot be lived with */
};

struct phase1_choice {
    struct ike_suite suite;
    uint32_t lifetime_s;
    uint8_t proposal, transform; /* their numbers in a peer's offer */
    struct span attributes;      /* as the peer wrote them: a responder echoes them */
};

struct esp_choice {
    struct esp_suite suite;
    uint32_t spi;
    uint32_t lifetime_s;
    uint64_t lifetime_bytes;
    uint16_t encapsulation;
    uint16_t group; /* group description as answered, 0 when absent */
    uint8_t transform_number;
    struct span attributes; /* as the peer wrote them: a responder echoes them */
};

struct esp_offer {
    const struct policy *policy;
    enum dh_group pfs;
    uint16_t encapsulation;
    uint32_t lifetime_s;
    uint32_t lifetime_kb; /* 0: none */
    uint32_t spi;
};

/* The bodies of SA payloads, DOI first. */
void proposal_write_phase1(struct wr *w, const struct policy *policy, uint32_t lifetime_s);
void proposal_write_esp(struct wr *w, const struct esp_offer *offer);
/* A responder's answer: one proposal, one transform, the attributes echoed. */
void proposal_write_esp_answer(struct wr *w, const struct esp_choice *choice, uint8_t proposal,
                               uint32_t spi);

enum offer_verdict proposal_read_phase1(struct span sa, const struct policy *policy,
                                        uint32_t lifetime_s, struct phase1_choice *out);
/* A peer's offer of phase 1: its first transform that is in our policy, and the answer to it. */
enum offer_verdict proposal_choose_phase1(struct span sa, const struct policy *policy,
                                          uint32_t lifetime_s, struct phase1_choice *out);
void proposal_write_phase1_answer(struct wr *w, const struct phase1_choice *choice);
/* `out->lifetime_s` is what was answered even when that is the reason of OFFER_POLICY. */
enum offer_verdict proposal_read_esp(struct span sa, const struct esp_offer *offer,
                                     struct esp_choice *out);
/* A peer's offer: its first transform that is in our policy. `out_number`: of its proposal. */
enum offer_verdict proposal_choose_esp(struct span sa, const struct esp_offer *ours,
                                       struct esp_choice *out, uint8_t *out_number);
/* RESPONDER-LIFETIME (RFC 2407 4.6.3.1): lowers, never raises. */
bool proposal_lower_lifetime(struct span attributes, uint32_t *seconds, uint64_t *bytes) MUST_USE;
/* The same of an IKE SA. RFC 2407 does not say whose attribute numbers count: both are read. */
bool proposal_lower_phase1_lifetime(struct span attributes, uint32_t *seconds) MUST_USE;

#endif
