/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What only a test build may see of a dial: the keys that tshark needs. */
#ifndef L2TPC_DIAL_TEST_HOOKS_H
#define L2TPC_DIAL_TEST_HOOKS_H

#if L2TPC_TEST_HOOKS

#include "dial/dial.h"
#include "ike/test_hooks.h"

/* ESP pairs and IKE SAs, each once; false when all are told. */
bool dial_test_next_sa(struct dial *d, struct sa_pair *out_sa);
bool dial_test_next_ike_key(struct dial *d, struct ike_test_key *out_key);

#endif
#endif
