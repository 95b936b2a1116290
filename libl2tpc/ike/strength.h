/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How strong a suite is, in the steps of the named policies, and its spelling as people write it.
 */
#ifndef L2TPC_IKE_STRENGTH_H
#define L2TPC_IKE_STRENGTH_H

#include "base/suite.h"

#define SUITE_SPELLING_MAX 48

/* A change within a step is no downgrade: a server may prefer one to the other any day. */
enum strength {
    STRENGTH_NONE,       /* nothing is known, or nothing is asked for */
    STRENGTH_BROKEN,     /* DES, MD5, modp768 */
    STRENGTH_LEGACY,     /* modp1024; 3DES with modp1536 */
    STRENGTH_FAIR,       /* 3DES, modp1536, SHA-2 cut to 96 bits */
    STRENGTH_COMPATIBLE, /* AES with HMAC-SHA1 */
    STRENGTH_STRONG,
    STRENGTH_COUNT,
};

enum strength ike_suite_strength(const struct ike_suite *s);
enum strength esp_suite_strength(const struct esp_suite *s);
/* The best that a policy has. */
enum strength policy_best_ike(const struct policy *p);
enum strength policy_best_esp(const struct policy *p);
const char *strength_name(enum strength s); /* "compatible"; "none" when out of range */
bool strength_parse(enum strength *out, const char *name) MUST_USE;

/* "aes256-sha256-modp2048", "aes256gcm": what policy_parse_ike() and policy_parse_esp() read. */
const char *ike_suite_spell(const struct ike_suite *s, char out[SUITE_SPELLING_MAX]);
const char *esp_suite_spell(const struct esp_suite *s, char out[SUITE_SPELLING_MAX]);
/* "modp2048", "none" for DH_NONE. */
const char *group_spell(enum dh_group group);
bool group_parse(enum dh_group *out, const char *name) MUST_USE;

bool ike_suite_eq(const struct ike_suite *a, const struct ike_suite *b);
bool esp_suite_eq(const struct esp_suite *a, const struct esp_suite *b);

#endif
