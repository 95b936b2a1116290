/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Key material of IKEv1: pure functions of RFC 2409 sections 5 and 5.5 and appendix B. Encrypting
 * needs a `const struct ike_keys *`, which exists only after ike_keys_derive().
 */
#ifndef L2TPC_IKE_V1_KEYMAT_H
#define L2TPC_IKE_V1_KEYMAT_H

#include "base/addr.h"
#include "base/sa.h"
#include "crypto/crypto.h"
#include "ike/v1/isakmp.h"

#define IKE_KEY_MAX 32
#define IKE_BLOCK_MAX 16

struct ike_keys {
    enum hash_id hash;
    enum cipher_id cipher;
    size_t n; /* bytes of the prf's output */
    uint8_t skeyid[HASH_MAX], skeyid_d[HASH_MAX], skeyid_a[HASH_MAX], skeyid_e[HASH_MAX];
    uint8_t ka[IKE_KEY_MAX];
    size_t n_ka;
};

/* What both sides put into phase 1. */
struct phase1_inputs {
    struct span psk;
    struct span ni, nr; /* nonces, without their payload headers */
    struct span gxy;    /* dh_secret_size() bytes */
    const uint8_t *cky_i, *cky_r;
    bool signatures; /* instead of the psk */
};

/* False when a primitive fails or the key is a weak DES key. */
bool ike_keys_derive(struct crypto *c, const struct ike_suite *suite,
                     const struct phase1_inputs *in, struct ike_keys *out) MUST_USE;

/* HASH_I when `mine` is g^xi; HASH_R with the two sides swapped. */
bool keymat_hash_phase1(struct crypto *c, const struct ike_keys *keys, struct span g_mine,
                        struct span g_other, const uint8_t *cky_mine, const uint8_t *cky_other,
                        struct span sai_b, struct span id_b, uint8_t *out) MUST_USE;
/* The first IV of phase 1: hash(g^xi | g^xr). */
bool keymat_iv_phase1(struct crypto *c, const struct ike_keys *keys, struct span gxi,
                      struct span gxr, uint8_t *out) MUST_USE;
/* The first IV of a later exchange: hash(last phase 1 block | M-ID). */
bool keymat_iv_exchange(struct crypto *c, const struct ike_keys *keys, const uint8_t *last_block,
                        uint32_t message_id, uint8_t *out) MUST_USE;
/* prf(SKEYID_a, M-ID | a | b): HASH(1) and informational with a = what follows; HASH(2) with
 * a = Ni_b and b = what follows. */
bool keymat_hash_exchange(struct crypto *c, const struct ike_keys *keys, uint32_t message_id,
                          struct span a, struct span b, uint8_t *out) MUST_USE;
/* HASH(3) = prf(SKEYID_a, 0 | M-ID | Ni_b | Nr_b). */
bool keymat_hash3(struct crypto *c, const struct ike_keys *keys, uint32_t message_id,
                  struct span ni, struct span nr, uint8_t *out) MUST_USE;
/* The NAT-D hash of one end (RFC 3947 3.2). */
bool keymat_nat_d(struct crypto *c, enum hash_id hash, const uint8_t *cky_i, const uint8_t *cky_r,
                  const struct endpoint *end, uint8_t *out) MUST_USE;

struct quick_inputs {
    struct span gxy; /* empty without PFS */
    struct span ni, nr;
};

/* The keys of one direction; `spi` is its receiver's. False for a weak DES key too. */
bool keymat_esp(struct crypto *c, const struct ike_keys *keys, const struct esp_suite *suite,
                const struct quick_inputs *in, uint32_t spi, struct sa_keys *out) MUST_USE;

#endif
