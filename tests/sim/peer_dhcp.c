/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The DHCP server behind the peer, or somebody who poses as it: answers a DHCPINFORM (RFC 2131). */
#include "peer_i.h"

#include <stdio.h>

#define BOOTP 28 /* behind the IP and the UDP header */

static unsigned word(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static uint16_t ones(const uint8_t *p, size_t n, uint32_t sum)
{
    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void put(uint8_t *p, size_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* What RFC 2131 table 5 and RFC 1542 2.1 want of a DHCPINFORM. */
static const char *fault(const struct peer *p, const uint8_t *b, size_t n)
{
    static const uint8_t start[] = {0x63, 0x82, 0x53, 0x63, 53, 1, 8};

    if (n < BOOTP + 300 || word(b + 24) != n - 20)
        return "too short";
    if (ones(b, 20, 0) != 0 || ones(b + 12, n - 12, 17 + (uint32_t)(n - 20)) != 0)
        return "checksum";
    if (memcmp(b + 16, "\xff\xff\xff\xff", 4) != 0 || word(b + 20) != 68)
        return "not from port 68 to all";
    if (b[BOOTP] != 1 || memcmp(b + BOOTP + 12, p->config.client_ip.bytes, 4) != 0)
        return "ciaddr";
    return memcmp(b + BOOTP + 236, start, sizeof(start)) == 0 ? NULL : "message type";
}

void peer_recv_dhcp(struct peer *p, struct tunnel *t, struct span packet, l2tpc_us now)
{
    const struct peer_config *c = &p->config;
    const char *why = fault(p, packet.p, packet.n);
    uint8_t b[1500] = {0x45};
    size_t n = BOOTP + 240 + 3 + c->dhcp_options.n + 1;

    if (why) {
        peer_complain(p, "DHCPINFORM: %s", why);
        return;
    }
    if (p->facts.dhcp_informs++ < c->dhcp_deaf || c->dhcp_options.n == 0 || n > sizeof(b))
        return;
    b[8] = 64;
    b[9] = 17;
    memcpy(b + 12, c->server_ip.bytes, 4);
    memcpy(b + 16, c->client_ip.bytes, 4);
    put(b + 20, 67);
    put(b + 22, 68);
    put(b + 2, n);
    put(b + 24, n - 20);
    memcpy(b + BOOTP, packet.p + BOOTP, 44);
    b[BOOTP] = 2;
    if (c->dhcp_lies)
        b[BOOTP + 4] ^= 1; /* the answer to another question */
    memcpy(b + BOOTP + 236, "\x63\x82\x53\x63\x35\x01\x05", 7);
    memcpy(b + BOOTP + 243, c->dhcp_options.p, c->dhcp_options.n);
    b[n - 1] = 255;
    put(b + 10, ones(b, 20, 0));
    put(b + 26, ones(b + 12, n - 12, 17 + (uint32_t)(n - 20)));
    peer_ppp_frame(p, t, PROTO_IP, span_of(b, n), now);
}
