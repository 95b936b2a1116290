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

/*
 * SoftEther tells its clients apart by address and port and answers PPP in the first of a client's
 * tunnels alone: a tunnel that died with our process keeps the next one from being served for 60 s.
 * One whose IDs we know is closed by a StopCCN instead, which is heard from the old port only.
 */
void server_choose_port(struct dial *d)
{
    if (d->config.n_former == 0)
        (void)server_apply(d, SERVER_OWN_PORT);
}

bool dial_wants_own_port(const struct dial *d)
{
    return (d->facts.server_quirks & SERVER_OWN_PORT) != 0;
}

void dial_set_natt_port(struct dial *d, uint16_t port)
{
    d->facts.local_natt_port = port;
    if (d->ike)
        ike_set_natt_port(d->ike, port);
}
