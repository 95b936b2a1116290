/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Ladders of suites: the named policies and the swan spelling "aes256-sha1-modp1024". */
#ifndef L2TPC_IKE_POLICY_H
#define L2TPC_IKE_POLICY_H

#include "base/suite.h"

/* "strong", "compatible", "legacy"; false for any other name. */
bool policy_named(const char *name, struct policy *out) MUST_USE;

/*
 * Replace one ladder by a list in the swan spellings: suites separated by ',' or ';', parts by '-',
 * an optional '!' at the end. Missing parts take the usual defaults (prf = integrity, AES = 128).
 * On false `bad` (if not NULL, at least 64 bytes) holds the part that was not understood.
 */
bool policy_parse_ike(const char *list, struct policy *inout, char *bad) MUST_USE;
bool policy_parse_esp(const char *list, struct policy *inout, char *bad) MUST_USE;

/* True when the suite is below what `compatible` offers: shown as a weakness. */
bool ike_suite_is_weak(const struct ike_suite *s);
bool esp_suite_is_weak(const struct esp_suite *s);

/* "AES-CBC-256", 24 bytes are enough. */
const char *suite_cipher_text(enum cipher_id id, unsigned key_bits, char out[24]);

#endif
