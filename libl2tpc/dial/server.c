/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the table of servers changes about a dial. */
#include "dial/internal.h"

void server_look(struct dial *d)
{
    d->facts.server = servers_judge(d->config.servers, d->facts.ike, d->facts.l2tp);
}

unsigned server_apply(struct dial *d, unsigned quirks)
{
    server_look(d);
    quirks &= server_verdict_quirks(&d->facts.server);
    if (d->config.inner_port != 0) /* a person has chosen */
        quirks &= ~(unsigned)SERVER_PORT_1701;
    /* Aggressive mode ends in the message that says who it is: a quick mode has named the port
     * already, and 1701 is left to the ladder. */
    if (d->facts.ike && d->facts.ike->established)
        quirks &= ~(unsigned)SERVER_PORT_1701;
    if (d->config.nt_hash_utf8_bytes)
        quirks &= ~(unsigned)SERVER_UTF8;
    if (quirks & SERVER_PORT_1701) {
        d->inner_port = L2TP_PORT;
        ike_set_inner_port(d->ike, L2TP_PORT);
    }
    d->facts.server_quirks |= quirks;
    return quirks;
}
