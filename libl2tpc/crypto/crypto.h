/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Our verbs over OpenSSL 3 (in a private library context) and nettle (hashes, HMAC, RC4, single
 * DES). No other folder includes either library. Every return value is must-use: a failed primitive
 * fails its exchange. A `struct crypto` may be shared by engines of one thread.
 */
#ifndef L2TPC_CRYPTO_CRYPTO_H
#define L2TPC_CRYPTO_CRYPTO_H

#include "base/env.h"
#include "base/suite.h"

struct crypto;

struct crypto *crypto_new(void); /* NULL when OpenSSL cannot give the basic algorithms */
void crypto_free(struct crypto *c);
/*
 * Does beforehand what the first ESP SA would otherwise wait for, some milliseconds: to be called
 * when there is nothing to do but to wait for the server.
 */
void crypto_prepare_esp(struct crypto *c);
/* Keys that last (dh, cipher_ctx, mac_ctx) are kept there from now on; it outlives them. */
void crypto_set_vault(struct crypto *c, const struct vault *vault);
/* For the whole process, and before OpenSSL has taken its first block; false: it is too late. */
bool crypto_set_memory(void *(*take)(size_t n, const char *file, int line),
                       void *(*change)(void *p, size_t n, const char *file, int line),
                       void (*give)(void *p, const char *file, int line)) MUST_USE;

/* ---- hashes and HMAC (the prf of IKEv1) ---- */
#define HASH_MAX 64
size_t hash_size(enum hash_id h);
const char *hash_name(enum hash_id h); /* "SHA2-256" */
bool hash_parts(struct crypto *c, enum hash_id h, const struct span *parts, size_t n_parts,
                uint8_t *out) MUST_USE;
bool hmac_parts(struct crypto *c, enum hash_id h, struct span key, const struct span *parts,
                size_t n_parts, uint8_t *out) MUST_USE;

/* ---- block ciphers, one shot: IKE messages and MS-CHAP ---- */
const char *cipher_name(enum cipher_id id); /* "AES-CBC" */
size_t cipher_block(enum cipher_id id);     /* 8 or 16; 1 for GCM */
size_t cipher_iv(enum cipher_id id);        /* bytes on the wire: 8 or 16; GCM 8 */
/* Bytes of the key alone, without a salt; 0 when not a valid pair (key_bits is 0 for DES, 3DES). */
size_t cipher_key_len(enum cipher_id id, unsigned key_bits);
/* Bytes of keying material behind the key: 4 for GCM (RFC 4106 8.1), else 0. */
size_t cipher_salt(enum cipher_id id);
/* In place; data.n is a multiple of the block, iv.n the block. */
bool cbc_crypt(struct crypto *c, enum cipher_id id, struct span key, struct span iv, bool encrypt,
               struct mspan data) MUST_USE;
/* One DES block with a 56-bit key spread as RFC 2759 8.6 says (parity bits inserted here). */
bool des_block_56(const uint8_t key7[7], const uint8_t in[8], uint8_t out[8]) MUST_USE;
/* Single DES key or 3DES key with a weak or degenerate part: must not be used (RFC 2409 app. B). */
bool des_key_is_weak(struct span key);
/* RC4, in place. */
bool rc4_crypt(struct span key, struct mspan data) MUST_USE;

/* ---- Diffie-Hellman ---- */
#define DH_MAX 1024 /* bytes of the longest public value or secret: modp 8192 */
struct dh;
size_t dh_public_size(enum dh_group g); /* bytes on the wire; 0 for an unknown group */
size_t
dh_secret_size(enum dh_group g);      /* modp: prime; ECP: x coordinate (RFC 5903 7); X25519: 32 */
const char *dh_name(enum dh_group g); /* "MODP2048" */
/* The private value comes from env, so that a seeded test repeats. NULL on failure. */
struct dh *dh_new(struct crypto *c, enum dh_group g, const struct env *env);
struct span dh_public(const struct dh *dh); /* borrowed from dh */
/*
 * `out` gets dh_secret_size() bytes. False for a bad public value: wrong length (a MODP value may
 * be shorter: some servers strip leading zeros), 0, 1, p-1, >= p, off the curve, our own value.
 */
bool dh_shared(const struct dh *dh, struct span peer, uint8_t *out) MUST_USE;
void dh_free(struct dh *dh); /* wipes */

/* ---- per-SA contexts for the data path: keyed once, only the IV or the message changes ---- */
struct cipher_ctx; /* one direction of one CBC or GCM key; not thread-safe */
struct mac_ctx;    /* one HMAC key; not thread-safe */

struct cipher_ctx *cipher_ctx_new(struct crypto *c, enum cipher_id id, struct span key,
                                  bool encrypt);
void cipher_ctx_free(struct cipher_ctx *ctx);
bool cipher_ctx_cbc(struct cipher_ctx *ctx, const uint8_t *iv, struct mspan data) MUST_USE;
/* GCM with a 12-byte nonce; data in place, tag 16 bytes. Open: false when the tag is wrong, and
 * then data is undefined. */
bool cipher_ctx_gcm_seal(struct cipher_ctx *ctx, const uint8_t nonce[12], struct span aad,
                         struct mspan data, uint8_t tag[16]) MUST_USE;
bool cipher_ctx_gcm_open(struct cipher_ctx *ctx, const uint8_t nonce[12], struct span aad,
                         struct mspan data, const uint8_t tag[16]) MUST_USE;

struct mac_ctx *mac_ctx_new(struct crypto *c, enum hash_id h, struct span key);
void mac_ctx_free(struct mac_ctx *ctx);
bool mac_ctx_run(struct mac_ctx *ctx, struct span data, uint8_t *out) MUST_USE; /* full length */

#endif
