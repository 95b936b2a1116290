/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "packets.h"

#include <string.h>

static void put16(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static size_t get16(const uint8_t *p)
{
    return (size_t)p[0] << 8 | p[1];
}

uint16_t packet_sum(const uint8_t *p, size_t n, uint32_t sum)
{
    for (size_t i = 0; i < n; i++)
        sum += (uint32_t)p[i] << (i & 1 ? 0 : 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

uint32_t packet_pseudo(const uint8_t *p, size_t inside)
{
    bool six = p[0] >> 4 == 6;
    const uint8_t *address = p + (six ? 8 : 12);
    uint32_t sum = (uint32_t)inside + (six ? p[6] : p[9]);

    for (size_t i = 0; i < (six ? 32u : 8u); i += 2)
        sum += (uint32_t)get16(address + i);
    return sum;
}

size_t packet_header(const struct shape *s)
{
    return (s->six ? 40u : 20u) + (s->udp ? 8u : 20u + s->options);
}

size_t packet_make(uint8_t *p, const struct shape *s)
{
    size_t at = s->six ? 40 : 20;
    size_t n = packet_header(s) + s->payload;
    uint8_t *t = p + at;

    memset(p, 0, packet_header(s));
    if (s->six) {
        p[0] = 0x60;
        put16(p + 4, n - 40);
        p[6] = s->udp ? 17 : 6;
        p[7] = 64;
        memcpy(p + 8, "\x20\x01\x0d\xb8 one client 1\x20\x01\x0d\xb8 one server", 32);
    } else {
        p[0] = 0x45;
        put16(p + 2, n);
        put16(p + 4, s->id);
        p[8] = 64;
        p[9] = s->udp ? 17 : 6;
        memcpy(p + 12, "\x0a\0\0\1\x0a\0\0\2", 8);
        put16(p + 10, packet_sum(p, 20, 0));
    }
    put16(t, s->port);
    put16(t + 2, 443);
    for (size_t i = 0; i < s->payload; i++)
        p[packet_header(s) + i] = (uint8_t)((s->seq + i) * 7 >> 3);
    if (s->udp) {
        put16(t + 4, n - at);
    } else {
        put16(t + 4, s->seq >> 16);
        put16(t + 6, s->seq & 0xffff);
        t[12] = (uint8_t)((20 + s->options) / 4 << 4);
        t[13] = s->flags ? s->flags : 0x10;
        put16(t + 14, 500);
        memset(t + 20, 1, s->options);
    }
    put16(t + (s->udp ? 6 : 16), packet_sum(t, n - at, packet_pseudo(p, n - at)));
    return n;
}

bool packet_is_sound(const uint8_t *p, size_t n)
{
    bool six = p[0] >> 4 == 6;
    size_t at = six ? 40 : 20;

    if (six ? get16(p + 4) != n - 40 : get16(p + 2) != n || packet_sum(p, 20, 0) != 0)
        return false;
    return packet_sum(p + at, n - at, packet_pseudo(p, n - at)) == 0;
}
