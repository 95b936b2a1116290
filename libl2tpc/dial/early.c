/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ESP that is here before message 2 of its quick mode. Libreswan installs the outbound SA before it
 * sends message 2, and its kernel uses the newest SA at once: a few packets of every renewal come
 * on an SPI that we know and whose keys we do not. They wait until the keys are there.
 */
#include "dial/internal.h"

void early_follow(struct dial *d)
{
    uint32_t spis[DATA_OFFERED_MAX];
    unsigned n = 0;

    /* Before the first pair nobody has anything to send. */
    if (d->ike && d->facts.has_sa && d->closing == CLOSING_NOT)
        n = ike_offered_spis(d->ike, spis, DATA_OFFERED_MAX);
    if (data_offer(&d->data, spis, n))
        dial_emit(d, DIAL_EVENT_SA_CHANGED); /* the kernel's filter knows SPIs */
}

void early_deliver(struct dial *d, l2tpc_us now)
{
    struct msg m;

    for (unsigned n = d->data.early.used; n > 0 && packets_pop(&d->data.early, &m); n--) {
        if (data_is_offered(&d->data, m.tag))
            (void)packets_push(&d->data.early, m.tag, span_of(m.bytes, m.n));
        else
            (void)dial_input_esp(d, &d->data.now.peer, (struct mspan){m.bytes, m.n}, now);
        msg_done(&m);
    }
}
