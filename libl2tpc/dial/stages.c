/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dial/internal.h"

void stage_begin(struct dial *d, enum stage s, l2tpc_us now)
{
    struct dial_event e = {.type = DIAL_EVENT_STAGE_BEGIN, .stage = s};
    struct dial_stage_time *t = &d->facts.stage[s];

    if (t->begun)
        return;
    t->begun = true;
    t->start = now;
    d->facts.current = s;
    alive_note_progress(d, now);
    dial_events_push(&d->events, &e);
}

void stage_end(struct dial *d, enum stage s, l2tpc_us now)
{
    struct dial_event e = {.type = DIAL_EVENT_STAGE_END, .stage = s};
    struct dial_stage_time *t = &d->facts.stage[s];

    if (!t->begun || t->done)
        return;
    t->done = true;
    t->end = now;
    dial_events_push(&d->events, &e);
    if (s == d->config.until && s != STAGE_UP) {
        d->until_reached = true;
        dial_close(d, now);
    }
}
