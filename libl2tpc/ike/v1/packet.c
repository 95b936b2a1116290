/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A message on its way through datagrams: whole, or in fragments when both sides announced them. */
#include "ike/v1/engine.h"

#include <stdlib.h>
#include <string.h>

#define IPV4_HEADER_LEN 20
#define IPV6_HEADER_LEN 40
#define UDP_HEADER_LEN 8
#define NON_ESP_MARKER_LEN 4 /* RFC 3948 2.2 */

/* What one datagram to that port carries of ISAKMP. */
static size_t room_of(const struct ike *ike, enum ike_port port)
{
    size_t least = ike->cfg.remote.addr.family == 6 ? OUTER_MTU_MIN_IPV6 : OUTER_MTU_MIN_IPV4;
    size_t packet = ike->cfg.packet_max ? ike->cfg.packet_max : IKE_PACKET_MAX;
    size_t around = UDP_HEADER_LEN;

    if (packet > IKE_PACKET_MAX)
        packet = IKE_PACKET_MAX;
    if (packet < least)
        packet = least;
    around += ike->cfg.remote.addr.family == 6 ? IPV6_HEADER_LEN : IPV4_HEADER_LEN;
    if (port == IKE_PORT_4500)
        around += NON_ESP_MARKER_LEN;
    return packet - around;
}

bool packet_is_long(const struct ike *ike, enum ike_port port, size_t message)
{
    return port != IKE_PORT_KEEPALIVE && message > room_of(ike, port);
}

/*
 * Encrypted messages go in fragments from the first time on, as strongSwan's do. Clear ones fit
 * most paths whole, and Windows expects no fragments of them, so that they do when they are sent
 * again. A first message never does: the server has no SA yet to collect them for.
 */
static bool in_fragments(const struct ike *ike, enum ike_port port, struct span message, bool again)
{
    static const uint8_t no_cookie[ISAKMP_COOKIE_LEN];
    struct isakmp_header h;
    struct span body;

    return ike->facts.fragmentation && packet_is_long(ike, port, message.n) &&
           isakmp_parse_header(message, &h, &body) &&
           memcmp(h.cky_r, no_cookie, sizeof(no_cookie)) != 0 &&
           (again || (h.flags & ISAKMP_FLAG_ENCRYPTION));
}

bool packet_send(struct ike *ike, enum ike_port port, struct span message, bool again)
{
    size_t room = room_of(ike, port);
    size_t piece = room - FRAGMENT_ENVELOPE;
    unsigned n = fragment_count(message.n, piece);
    uint8_t bytes[IKE_PACKET_MAX];
    bool sent = true;

    if (n == 0 || !in_fragments(ike, port, message, again))
        return msgq_push(&ike->root->out, port, message);
    for (unsigned i = 1; i <= n && sent; i++) {
        struct wr w = wr_of(bytes, room);
        struct span out;

        fragment_write(&w, message, piece, i);
        sent = wr_finish(&w, &out) && msgq_push(&ike->root->out, port, out);
    }
    ike->root->facts.fragments_sent += n;
    return sent;
}

enum verdict packet_recv_fragment(struct ike *ike, const struct ike_in *in)
{
    struct ike_in whole = *in;
    uint8_t room[IKE_MESSAGE_MAX];

    if (!ike->cfg.fragmentation)
        return VERDICT_DROP;
    if (!ike->fragments)
        ike->fragments = calloc(1, sizeof(*ike->fragments));
    if (!ike->fragments)
        return VERDICT_DROP;
    switch (fragment_add(ike->fragments, &in->header, in->body, in->now, room, &whole.datagram)) {
    case FRAGMENT_KEPT:
        ike->root->facts.fragments_received++;
        return VERDICT_OK;
    case FRAGMENT_WHOLE:
        ike->root->facts.fragments_received++;
        if (!isakmp_parse_header(whole.datagram, &whole.header, &whole.body))
            return VERDICT_DROP;
        return ike_input_sa(ike, &whole);
    case FRAGMENT_BAD:
    case FRAGMENT_AGAIN:
    case FRAGMENT_ANEW:
        break;
    }
    return VERDICT_DROP;
}
