/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What only a test build may see of a dial: the keys that tshark needs. */
#ifndef L2TPC_DIAL_TEST_HOOKS_H
#define L2TPC_DIAL_TEST_HOOKS_H

#if L2TPC_TEST_HOOKS

#include "dial/dial.h"

const struct sa_pair *dial_test_last_sa(const struct dial *d);
/* NULL before there are keys. */
const uint8_t *dial_test_ike_key(const struct dial *d, size_t *n);

#endif
#endif
