/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pcap.h"

#include "wire/wr.h"

#include <stdio.h>
#include <stdlib.h>

#define LINKTYPE_RAW 101
#define PROTO_UDP 17
#define PROTO_ESP 50

struct sim_pcap {
    FILE *file;
};

static void put(struct sim_pcap *c, const struct wr *w)
{
    struct span s;

    if (wr_finish(w, &s))
        fwrite(s.p, 1, s.n, c->file);
}

struct sim_pcap *sim_pcap_open(const char *path)
{
    struct sim_pcap *c = calloc(1, sizeof(*c));
    uint8_t b[24];
    struct wr w = wr_of(b, sizeof(b));

    if (!c)
        return NULL;
    c->file = fopen(path, "we");
    if (!c->file) {
        free(c);
        return NULL;
    }
    wr_u32(&w, 0xa1b2c3d4);
    wr_u32(&w, 2 << 16 | 4);
    wr_zeros(&w, 8);
    wr_u32(&w, 65535);
    wr_u32(&w, LINKTYPE_RAW);
    put(c, &w);
    return c;
}

static uint16_t ip_sum(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < n; i += 2)
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void ip_header(struct wr *w, const struct simlink_packet *k, size_t n, uint8_t protocol)
{
    size_t at = w->n, len = inaddr_len(&k->from.addr);

    if (k->from.addr.family == 6) {
        wr_u32(w, 6u << 28);
        wr_u16(w, (uint16_t)n);
        wr_u8(w, protocol);
        wr_u8(w, 64);
    } else {
        wr_u16(w, 0x4500);
        wr_u16(w, (uint16_t)(20 + n));
        wr_u32(w, k->number << 16);
        wr_u8(w, 64);
        wr_u8(w, protocol);
        wr_u16(w, 0);
    }
    wr_bytes(w, span_of(k->from.addr.bytes, len));
    wr_bytes(w, span_of(k->to.addr.bytes, len));
    if (k->from.addr.family != 6 && !w->failed)
        wr_patch_u16(w, at + 10, ip_sum(w->p + at, 20));
}

void sim_pcap_packet(struct sim_pcap *c, const struct simlink_packet *k)
{
    uint8_t b[8192 + 128];
    struct wr w = wr_of(b, sizeof(b));
    bool udp = k->port != PEER_RAWESP;
    size_t n = k->bytes.n + (udp ? 8 : 0);
    size_t whole = n + (k->from.addr.family == 6 ? 40 : 20);

    wr_u32(&w, (uint32_t)(k->at / 1000000u));
    wr_u32(&w, (uint32_t)(k->at % 1000000u));
    wr_u32(&w, (uint32_t)whole);
    wr_u32(&w, (uint32_t)whole);
    ip_header(&w, k, n, udp ? PROTO_UDP : PROTO_ESP);
    if (udp) {
        wr_u16(&w, k->from.port);
        wr_u16(&w, k->to.port);
        wr_u16(&w, (uint16_t)n);
        wr_u16(&w, 0); /* none: not what is to be judged */
    }
    wr_bytes(&w, k->bytes);
    put(c, &w);
}

void sim_pcap_close(struct sim_pcap *c)
{
    if (!c)
        return;
    fclose(c->file);
    free(c);
}
