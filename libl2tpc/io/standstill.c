/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/standstill.h"

#include "base/limits.h"

l2tpc_us standstill_look(struct standstill *s, l2tpc_us boottime, l2tpc_us monotonic, l2tpc_us due)
{
    l2tpc_us slept = boottime > monotonic ? boottime - monotonic : 0;
    l2tpc_us more = s->looked && slept > s->slept ? slept - s->slept : 0;
    l2tpc_us late = boottime > due ? boottime - due : 0;

    *s = (struct standstill){.looked = true, .slept = slept};
    if (late < STANDSTILL_LATE)
        late = 0;
    if (more < STANDSTILL_SLEPT)
        more = 0;
    return us_max(late, more);
}
