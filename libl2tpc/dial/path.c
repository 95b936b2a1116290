/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Path MTU discovery within a dial: when it begins, how a probe leaves, what its result changes. */
#include "base/limits.h"
#include "dial/internal.h"

/* The inner packet whose outer one is as long as every way carries. */
static uint16_t least(const struct dial *d)
{
    bool six = d->facts.remote.addr.family == 6;

    return inner_mtu_of(d, six ? OUTER_MTU_MIN_IPV6 : OUTER_MTU_MIN_IPV4);
}

/* An echo has shown that the server answers such, and how long that takes. */
static void begin(struct dial *d, l2tpc_us now)
{
    if (d->path.state == PATH_MTU_DISABLED && !d->config.no_path_mtu && d->facts.up &&
        d->facts.ppp->echoes)
        path_mtu_begin(&d->path, least(d), inner_mtu(d), d->facts.ppp->rtt, now);
}

static void apply(struct dial *d, l2tpc_us now)
{
    uint16_t mtu = inner_mtu(d);

    if (mtu == d->facts.ip.mtu || d->need[DIAL_NEED_APPLY_IP] != 0)
        return;
    env_log(d->config.env, LOG_LEVEL_INFO, "dial",
            "the way to the server carries packets of %u bytes in one piece: the tunnel's MTU is "
            "%u now and was %u",
            mtu, mtu, d->facts.ip.mtu);
    need_apply_ip(d, now);
}

void path_follow(struct dial *d, l2tpc_us now)
{
    uint8_t number;
    uint16_t length;

    if (!d->facts.up || d->closing != CLOSING_NOT)
        return;
    begin(d, now);
    while (path_mtu_pop(&d->path, &number, &length))
        ppp_send_sized_echo(d->ppp, number, length, now);
    if (d->path.state == PATH_MTU_SEARCH_COMPLETE)
        apply(d, now);
    d->facts.path_mtu = d->path.state;
}

void path_on_echoed(struct dial *d, uint8_t number, l2tpc_us now)
{
    path_mtu_answered(&d->path, number, now);
}

void path_doubt(struct dial *d, l2tpc_us now)
{
    path_mtu_again(&d->path, now);
}
