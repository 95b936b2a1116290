/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For test builds only (-Dtest_hooks=true): what a protocol analyser needs to read a capture, and
 * what must not be found in memory afterwards. */
#ifndef L2TPC_IKE_TEST_HOOKS_H
#define L2TPC_IKE_TEST_HOOKS_H

#include "ike/ike.h"

#if L2TPC_TEST_HOOKS
struct ike_test_key {
    uint8_t cky_i[8], cky_r[8];
    uint8_t key[32]; /* encrypts ISAKMP messages */
    size_t n;
    uint8_t skeyid[4][64]; /* SKEYID, _d, _a, _e: what a search for forgotten keys looks for */
    size_t n_skeyid;
};

/* Of every IKE SA, also of renewals, once; false when all are told. */
bool ike_test_next_key(struct ike *ike, struct ike_test_key *out_key);
#endif

#endif
