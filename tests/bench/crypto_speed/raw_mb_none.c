/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Built without ipsec-mb. */
#include "bench.h"

static void *nobody(const struct cell *cell, const struct sa_pair *sa, struct ring *ring)
{
    (void)cell;
    (void)sa;
    (void)ring;
    return NULL;
}

const struct contender raw_mb_narrow = {"raw ipsec-mb SSE", nobody, NULL, NULL};
const struct contender raw_mb_wide = {"raw ipsec-mb widest", nobody, NULL, NULL};
