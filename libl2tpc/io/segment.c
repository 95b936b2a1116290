/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/segment.h"

#include "io/layout.h"
#include "wire/rd.h"
#include "wire/sum.h"
#include "wire/wr.h"

#include <string.h>

/* The checksum that the kernel left to us; its field holds the sum of the pseudo-header. */
static bool complete(const struct vnet *vnet, struct mspan packet)
{
    size_t at = (size_t)vnet->csum_start + vnet->csum_offset;
    struct wr w = wr_of(packet.p, packet.n);
    struct span done;
    uint16_t sum;

    if (!(vnet->flags & VNET_NEEDS_CSUM))
        return true;
    if (at + 2 > packet.n)
        return false;
    sum = (uint16_t)~sum_fold(
        sum_add(0, span_of(packet.p + vnet->csum_start, packet.n - vnet->csum_start)));
    if (sum == 0 && vnet->csum_offset == UDP_SUM)
        sum = 0xffff; /* RFC 768: zero would say that there is none */
    w.n = packet.n;
    wr_patch_u16(&w, at, sum);
    return wr_finish(&w, &done);
}

static bool read_ip(struct segments *s)
{
    struct rd r = rd_of(span_ro(s->packet));
    uint8_t version;

    if (!rd_u8(&r, &version) || version >> 4 != (s->six ? 6 : 4))
        return false;
    if (s->six)
        return s->at >= IPV6_HEADER;
    return (size_t)(version & 15) * 4 == s->at && s->at >= IPV4_HEADER && rd_skip(&r, 3) &&
           rd_u16(&r, &s->id);
}

static bool read_transport(struct segments *s)
{
    struct rd r = rd_of(span_ro(s->packet));
    uint8_t offset;

    if (!rd_skip(&r, s->at))
        return false;
    if (s->udp) {
        s->header = s->at + UDP_HEADER;
        return rd_skip(&r, UDP_HEADER);
    }
    if (!rd_skip(&r, TCP_SEQ) || !rd_u32(&r, &s->seq) || !rd_skip(&r, 4) || !rd_u8(&r, &offset) ||
        !rd_u8(&r, &s->flags))
        return false;
    s->header = s->at + (size_t)(offset >> 4) * 4;
    return s->header >= s->at + TCP_HEADER && s->header <= s->packet.n;
}

static void zero_u16(const struct segments *s, size_t at)
{
    memset(s->packet.p + at, 0, 2);
}

/* Once for all packets. The fields that each packet has of its own are zero while it is summed. */
static void sum_headers(struct segments *s)
{
    uint8_t *p = s->packet.p;

    s->inside_sum = sum_add_u16(0, s->udp ? PROTO_UDP : PROTO_TCP);
    if (s->six) {
        zero_u16(s, IPV6_LENGTH);
        s->inside_sum = sum_add(s->inside_sum, span_of(p + IPV6_ADDRESSES, 32));
    } else {
        zero_u16(s, IPV4_LENGTH);
        zero_u16(s, IPV4_ID);
        zero_u16(s, IPV4_SUM);
        s->ip_sum = sum_add(0, span_of(p, s->at));
        s->inside_sum = sum_add(s->inside_sum, span_of(p + IPV4_ADDRESSES, 8));
    }
    if (s->udp) {
        zero_u16(s, s->at + UDP_LENGTH);
        zero_u16(s, s->at + UDP_SUM);
    } else {
        memset(p + s->at + TCP_SEQ, 0, 4);
        p[s->at + TCP_FLAGS] = 0;
        zero_u16(s, s->at + TCP_SUM);
    }
    s->inside_sum = sum_add(s->inside_sum, span_of(p + s->at, s->header - s->at));
}

bool segments_of(struct segments *s, const struct vnet *vnet, struct mspan packet)
{
    uint8_t type = vnet->gso_type & (uint8_t)~VNET_GSO_ECN;

    *s = (struct segments){.n = 1, .packet = packet};
    if (type == VNET_GSO_NONE) {
        s->header = s->size = packet.n;
        return packet.n > 0 && complete(vnet, packet);
    }
    if (packet.n == 0 || vnet->gso_size == 0 || !(vnet->flags & VNET_NEEDS_CSUM))
        return false;
    s->udp = type == VNET_GSO_UDP_L4;
    s->six = type == VNET_GSO_TCPV6 || (s->udp && packet.p[0] >> 4 == 6);
    s->at = vnet->csum_start;
    s->size = vnet->gso_size;
    if ((type != VNET_GSO_TCPV4 && type != VNET_GSO_TCPV6 && !s->udp) || !read_ip(s) ||
        !read_transport(s) || s->header + s->size > UINT16_MAX)
        return false;
    if (packet.n > s->header)
        s->n = (unsigned)((packet.n - s->header + s->size - 1) / s->size);
    sum_headers(s);
    return true;
}

size_t segment_length(const struct segments *s, unsigned i)
{
    size_t payload = s->packet.n - s->header;
    size_t before = i * s->size;
    size_t left = payload > before ? payload - before : 0;

    return s->header + (left < s->size ? left : s->size);
}

/* Length, identification and checksum of IP. */
static void write_ip(const struct segments *s, struct wr *w, unsigned i)
{
    uint16_t id = (uint16_t)(s->id + i);
    uint64_t sum;

    if (s->six) {
        wr_patch_u16(w, IPV6_LENGTH, (uint16_t)(w->n - IPV6_HEADER));
        return;
    }
    sum = sum_add_u16(sum_add_u16(s->ip_sum, (uint16_t)w->n), id);
    wr_patch_u16(w, IPV4_LENGTH, (uint16_t)w->n);
    wr_patch_u16(w, IPV4_ID, id);
    wr_patch_u16(w, IPV4_SUM, (uint16_t)~sum_fold(sum));
}

/* `payload` is the sum of what stands behind all headers, as if it began at an even place. */
static void write_transport(const struct segments *s, struct wr *w, unsigned i, uint64_t payload)
{
    uint16_t inside = (uint16_t)(w->n - s->at);
    uint64_t sum = sum_add_u16(s->inside_sum + payload, inside);
    uint32_t seq = s->seq + (uint32_t)(i * s->size);
    uint8_t flags = s->flags;
    uint16_t folded;

    if (s->udp) {
        folded = (uint16_t)~sum_fold(sum_add_u16(sum, inside));
        wr_patch_u16(w, s->at + UDP_LENGTH, inside);
        wr_patch_u16(w, s->at + UDP_SUM, folded == 0 ? 0xffff : folded);
        return;
    }
    if (i + 1 < s->n)
        flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    if (i > 0)
        flags &= (uint8_t)~TCP_CWR;
    sum = sum_add_u16(sum_add_u16(sum, (uint16_t)(seq >> 16)), (uint16_t)seq);
    wr_patch_u32(w, s->at + TCP_SEQ, seq);
    wr_patch_u8(w, s->at + TCP_FLAGS, flags);
    wr_patch_u16(w, s->at + TCP_SUM, (uint16_t)~sum_fold(sum_add_u16(sum, flags)));
}

bool segment_write(const struct segments *s, unsigned i, uint8_t *out)
{
    size_t n = segment_length(s, i);
    struct span payload = span_of(s->packet.p + s->header + i * s->size, n - s->header);
    struct wr w = wr_of(out, n);
    struct span done;
    uint8_t *room;
    uint64_t sum;

    wr_bytes(&w, span_of(s->packet.p, s->header));
    room = wr_room(&w, payload.n);
    if (!room)
        return false;
    if (s->at == 0) { /* a whole packet, its own checksum */
        if (payload.n > 0)
            memcpy(room, payload.p, payload.n);
        return wr_finish(&w, &done);
    }
    sum = sum_copy(0, room, payload);
    write_ip(s, &w, i);
    write_transport(s, &w, i, sum);
    return wr_finish(&w, &done);
}
