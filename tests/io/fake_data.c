/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake_data.h"

#include <string.h>

bool data_owns_spi(const struct data_path *d, uint32_t spi)
{
    return d->spi_in == spi;
}

enum data_kind data_open(struct data_path *d, struct mspan packet, struct mspan *out)
{
    if (packet.n < FAKE_HEADER + FAKE_TRAILER)
        return DATA_NOTHING;
    *out = (struct mspan){packet.p + FAKE_HEADER, packet.n - FAKE_HEADER - FAKE_TRAILER};
    if (packet.p[4] == DATA_IP)
        d->counters.ip_in++;
    return (enum data_kind)packet.p[4];
}

bool data_seal_ip(struct data_path *d, struct mspan ip, struct mspan *packet)
{
    if (d->closed) {
        d->counters.not_open++;
        return false;
    }
    /* All the room that is promised is written, so that a sanitizer sees when it is not there. */
    memset(ip.p - DATA_HEADROOM, 0, DATA_HEADROOM);
    memset(ip.p + ip.n, 0, DATA_TAILROOM);
    *packet = (struct mspan){ip.p - FAKE_HEADER, ip.n + FAKE_HEADER + FAKE_TRAILER};
    for (unsigned i = 0; i < 4; i++)
        packet->p[i] = (uint8_t)(d->spi_out >> (24 - 8 * i));
    packet->p[4] = DATA_IP;
    d->counters.ip_out++;
    return true;
}

bool data_udp_encapsulated(const struct data_path *d)
{
    return d->udp;
}

const struct endpoint *data_peer(const struct data_path *d)
{
    return &d->peer;
}

const struct data_counters *data_counters(const struct data_path *d)
{
    return &d->counters;
}
