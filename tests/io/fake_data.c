/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake_data.h"

#include <string.h>

bool data_owns_spi(const struct data_path *d, uint32_t spi)
{
    return d->spi_in == spi;
}

bool data_room(struct data_path *d, size_t ip_length, struct data_room *out)
{
    if (d->closed) {
        d->counters.not_open++;
        return false;
    }
    *out = (struct data_room){FAKE_HEADER, FAKE_HEADER + ip_length + FAKE_TRAILER};
    return true;
}

bool data_wrap_ip(struct data_path *d, struct mspan ip, struct mspan *message)
{
    (void)d;
    *message = ip;
    return true;
}

/* All the room that was measured is written, so that a sanitizer sees when it is not there. */
static struct mspan seal(const struct data_path *d, struct mspan ip)
{
    struct mspan packet = {ip.p - FAKE_HEADER, ip.n + FAKE_HEADER + FAKE_TRAILER};

    memset(packet.p, 0, FAKE_HEADER);
    memset(ip.p + ip.n, 0, FAKE_TRAILER);
    for (unsigned i = 0; i < 4; i++)
        packet.p[i] = (uint8_t)(d->spi_out >> (24 - 8 * i));
    packet.p[4] = DATA_IP;
    return packet;
}

size_t data_seal_batch(struct data_path *d, struct esp_packet *packets, size_t n)
{
    for (size_t i = 0; i < n; i++)
        packets[i] = (struct esp_packet){seal(d, packets[i].data), ESP_OK};
    d->counters.ip_out += n;
    return n;
}

void data_open_batch(struct data_path *d, struct esp_packet *packets, size_t n)
{
    (void)d;
    for (size_t i = 0; i < n; i++)
        packets[i].verdict = ESP_OK;
}

enum data_kind data_take(struct data_path *d, const struct esp_packet *opened, struct mspan *out)
{
    return data_open(d, opened->data, out);
}

uint16_t data_mtu(const struct data_path *d)
{
    return d->mtu;
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
    *packet = seal(d, ip);
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

void data_note_joined(struct data_path *d, uint64_t in, uint64_t out)
{
    d->counters.joined_in += in;
    d->counters.joined_out += out;
}

struct data_counters data_counters(const struct data_path *d)
{
    return d->counters;
}

void data_begin_run(struct data_path *d)
{
    (void)d;
}

bool data_has_begun(const struct data_path *d)
{
    (void)d;
    return false;
}
