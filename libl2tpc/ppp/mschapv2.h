/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mathematics of MS-CHAPv2 (RFC 2759 section 8), without any state. */
#ifndef L2TPC_PPP_MSCHAPV2_H
#define L2TPC_PPP_MSCHAPV2_H

#include "crypto/crypto.h"

#define MSCHAPV2_CHALLENGE 16
#define MSCHAPV2_NT_RESPONSE 24
#define MSCHAPV2_PROOF 20

/* The part of a user name that is hashed: what stands behind DOMAIN\. */
struct span mschapv2_user(struct span name);

/* 8.2 ChallengeHash() */
bool mschapv2_challenge_hash(struct crypto *c, const uint8_t peer_challenge[MSCHAPV2_CHALLENGE],
                             const uint8_t authenticator_challenge[MSCHAPV2_CHALLENGE],
                             struct span user, uint8_t out[8]) MUST_USE;

/*
 * 8.3 NtPasswordHash() of a UTF-8 password. `raw_bytes` widens each byte with a zero instead of
 * converting to UTF-16, as some servers do; a password that is not UTF-8 is always taken so.
 */
bool mschapv2_password_hash(struct crypto *c, struct span password, bool raw_bytes,
                            uint8_t out[16]) MUST_USE;

/* 8.5 ChallengeResponse() */
bool mschapv2_challenge_response(const uint8_t challenge[8], const uint8_t password_hash[16],
                                 uint8_t out[MSCHAPV2_NT_RESPONSE]) MUST_USE;

/* 8.7 GenerateAuthenticatorResponse(), as bytes: the 40 hex digits behind S= say the same. */
bool mschapv2_authenticator_response(struct crypto *c, const uint8_t password_hash[16],
                                     const uint8_t nt_response[MSCHAPV2_NT_RESPONSE],
                                     const uint8_t challenge_hash[8],
                                     uint8_t out[MSCHAPV2_PROOF]) MUST_USE;

#endif
