/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The other end of an IKE exchange, just honest enough to reach every state of the client with real
 * keys: one suite (AES-128, SHA2-256, X25519; ESP AES-128, SHA1). It trusts the client; what it
 * says can be patched before it is sealed, so that a lie carries a right HASH.
 */
#ifndef TESTS_FUZZ_RESPONDER_H
#define TESTS_FUZZ_RESPONDER_H

#include "fuzz.h"

#include "base/sa.h"
#include "ike/v1/build.h"

#define RESPONDER_PSK "fuzz-psk"

struct responder {
    const struct env *env;
    bool natt;         /* offer NAT traversal */
    bool commit;       /* quick mode 2 with the Commit bit */
    struct span patch; /* <16-bit offset> <byte>: changes of the next answer's payloads */
    uint8_t cky_i[8], cky_r[8];
    uint8_t sai[2048];
    size_t n_sai;
    uint8_t gxi[64], gxr[64];
    size_t n_gxi, n_gxr;
    struct dh *dh;
    uint8_t ni[256], nr[32];
    size_t n_ni;
    bool has_keys, am3_seen;
    struct ike_keys keys;
    uint8_t iv[IKE_BLOCK_MAX]; /* the last block of phase 1 */
    struct {
        uint32_t message_id;
        uint8_t iv[IKE_BLOCK_MAX];
        uint8_t qm1_iv[IKE_BLOCK_MAX]; /* behind message 1 */
        uint8_t ni[256], nr[32];
        size_t n_ni;
    } quick; /* the client's exchange */
    struct {
        uint32_t message_id;
        uint8_t iv[IKE_BLOCK_MAX];
        uint8_t ni[256];
        size_t n_ni;
    } own; /* the exchange that we began */
    bool has_sa;
    struct sa_pair sa; /* as this end sees it */
};

/* Suites of the one policy both ends know. */
void responder_policy(struct policy *out);
void responder_init(struct responder *r, const struct env *env, bool natt);
void responder_free(struct responder *r);
/* The answer to a message of the client (without marker), on the heap; n == 0: there is none. */
struct mspan responder_answer(struct responder *r, struct span message);

enum responder_exchange {
    RESPONDER_INFO, /* a new informational */
    RESPONDER_QM2,  /* the client's quick mode, message 2 */
    RESPONDER_QM1,  /* a quick mode of ours */
    RESPONDER_MM6,  /* main mode, without a HASH in front */
    RESPONDER_KINDS,
};

/* Payloads of the caller's making, behind a right HASH when `hash`; n == 0 before there are keys.
 */
struct mspan responder_seal(struct responder *r, enum responder_exchange kind, bool hash,
                            uint8_t first, struct span chain);

#endif
