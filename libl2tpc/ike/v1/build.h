/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Building of ISAKMP messages: the payload chain is linked as it grows, lengths are patched. */
#ifndef L2TPC_IKE_V1_BUILD_H
#define L2TPC_IKE_V1_BUILD_H

#include "base/addr.h"
#include "base/limits.h"
#include "ike/v1/isakmp.h"
#include "ike/v1/keymat.h"
#include "wire/wr.h"

struct build {
    struct wr w;
    size_t next_at; /* where the type of the next payload is to be written */
    uint8_t bytes[IKE_MESSAGE_MAX];
};

void build_start(struct build *b, const uint8_t *cky_i, const uint8_t *cky_r, uint8_t exchange,
                 uint8_t flags, uint32_t message_id);
/* Links a payload of that type to the chain; close it with wr_close(). */
struct wr_box build_payload(struct build *b, uint8_t type);
void build_bytes(struct build *b, uint8_t type, struct span body);
/* Identification of one address. */
void build_identity(struct build *b, uint8_t protocol, uint16_t port, const struct inaddr *addr);
void build_nat_oa(struct build *b, uint8_t type, const struct inaddr *addr);
/* An empty HASH payload; returns where its value stands, for build_hash_fill(). */
size_t build_hash(struct build *b, size_t n);
void build_hash_fill(struct build *b, size_t at, struct span value);
/* What stands behind the HASH payload: the part of the message that the HASH covers. */
struct span build_behind(const struct build *b, size_t hash_at, size_t n);
/* The clear message. */
bool build_finish(struct build *b, struct span *out) MUST_USE;
/* Pads, encrypts; `iv` is used and becomes the last block. */
bool build_seal(struct build *b, struct crypto *c, const struct ike_keys *keys, uint8_t *iv,
                struct span *out) MUST_USE;

#endif
