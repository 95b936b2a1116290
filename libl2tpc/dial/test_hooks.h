/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What only a test build may see of a dial: the keys that tshark needs. */
#ifndef L2TPC_DIAL_TEST_HOOKS_H
#define L2TPC_DIAL_TEST_HOOKS_H

#if L2TPC_TEST_HOOKS

#include "dial/dial.h"

const struct sa_pair *dial_test_last_sa(const struct dial *d);
const struct ike *dial_test_ike(const struct dial *d);

#endif
#endif
