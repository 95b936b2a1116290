/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For test builds only (-Dtest_hooks=true): what a protocol analyser needs to read a capture. */
#ifndef L2TPC_IKE_TEST_HOOKS_H
#define L2TPC_IKE_TEST_HOOKS_H

#include "ike/ike.h"

#if L2TPC_TEST_HOOKS
/* The key that encrypts ISAKMP messages; NULL before there is one. */
const uint8_t *ike_test_enc_key(const struct ike *ike, size_t *n);
#endif

#endif
