/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DHCPINFORM beside a dial: the dial never waits for it, and takes a late answer as IPCP's change.
 */
#include "dial/internal.h"

static void follow(struct dial *d)
{
    d->data.now.dhcp_awaited = d->dhcpinform && dhcpinform_waits(d->dhcpinform);
}

void inform_begin(struct dial *d, l2tpc_us now)
{
    d->facts.has_class_route =
        d->config.class_route && dhcp_class_route(&d->facts.ppp->local_ip, &d->facts.class_route);
    if (!d->facts.pushed)
        d->facts.pushed = d->pushed;
    if (!d->config.dhcpinform || d->config.until != STAGE_UP)
        return;
    if (d->dhcpinform && d->facts.pushed != d->pushed)
        d->facts.pushed = d->pushed; /* it goes with what it was asked for */
    dhcpinform_free(d->dhcpinform);
    d->dhcpinform = dhcpinform_new(d->config.env, &d->facts.ppp->local_ip, &d->facts.remote.addr);
    d->facts.dhcpinform = d->dhcpinform ? dhcpinform_facts(d->dhcpinform) : NULL;
    if (d->dhcpinform)
        dhcpinform_start(d->dhcpinform, now);
    follow(d);
}

bool inform_input(struct dial *d, struct span ip_packet, l2tpc_us now)
{
    if (!d->dhcpinform || dhcpinform_input(d->dhcpinform, ip_packet, now) != VERDICT_OK)
        return false;
    follow(d);
    d->facts.pushed = &d->facts.dhcpinform->answer;
    d->pushed_untried = true;
    if (d->ip_wanted && d->closing == CLOSING_NOT)
        need_apply_ip(d, now);
    return true;
}

void inform_timer(struct dial *d, l2tpc_us now)
{
    if (!d->dhcpinform || d->closing != CLOSING_NOT || dhcpinform_deadline(d->dhcpinform) > now)
        return;
    dhcpinform_timer(d->dhcpinform, now);
    follow(d);
}

l2tpc_us inform_deadline(const struct dial *d)
{
    return d->dhcpinform && d->closing == CLOSING_NOT ? dhcpinform_deadline(d->dhcpinform)
                                                      : US_NEVER;
}

void inform_end(struct dial *d)
{
    dhcpinform_free(d->dhcpinform);
    free(d->pushed);
}
