/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keys for tshark, in test builds only: one JSON line each, appended to the file that the
 * environment variable L2TPC_KEYLOG names, or to the descriptor "fd:N". Without it nothing is
 * written.
 */
#ifndef L2TPC_IO_KEYLOG_H
#define L2TPC_IO_KEYLOG_H

#if L2TPC_TEST_HOOKS

#include "base/addr.h"
#include "base/sa.h"
#include "base/span.h"

void keylog_ike(const uint8_t cky_i[8], const uint8_t cky_r[8], struct span cipher_key);
/* SKEYID or one of its three: only with L2TPC_KEYLOG_ALL, as protocol analysers do not know it. */
void keylog_skeyid(struct span skeyid);
/* One direction: `src` sends what these keys protect. */
void keylog_esp(const struct inaddr *src, const struct inaddr *dst, const struct esp_suite *suite,
                const struct sa_keys *keys);

#endif
#endif
