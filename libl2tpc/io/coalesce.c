/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/coalesce.h"

#include "io/layout.h"
#include "wire/rd.h"
#include "wire/sum.h"
#include "wire/wr.h"

#include <string.h>

/* ---- reading ---- */

static bool read_ipv4(struct rd *r, struct coalesce_view *v, uint8_t version, uint8_t *protocol)
{
    uint16_t fragment;

    if ((version & 15) * 4 != IPV4_HEADER || !rd_skip(r, 3) || !rd_u16(r, &v->id) ||
        !rd_u16(r, &fragment) || !rd_skip(r, 1) || !rd_u8(r, protocol) || !rd_skip(r, 10))
        return false;
    v->df = fragment & IPV4_DF;
    v->at = IPV4_HEADER;
    return (fragment & IPV4_FRAGMENT) == 0;
}

static bool read_ipv6(struct rd *r, struct coalesce_view *v, uint8_t *protocol)
{
    v->six = v->df = true; /* no identification to count on */
    v->at = IPV6_HEADER;
    return rd_skip(r, 5) && rd_u8(r, protocol) && rd_skip(r, 33);
}

/* Protocol and addresses of the pseudo-header. */
static uint64_t pseudo_sum(const struct coalesce_view *v)
{
    uint64_t sum = sum_add_u16(0, v->udp ? PROTO_UDP : PROTO_TCP);

    return v->six ? sum_add_words(sum, v->ip.p + IPV6_ADDRESSES, 8)
                  : sum_add_words(sum, v->ip.p + IPV4_ADDRESSES, 2);
}

/* Both checksums, since both are made anew. */
static bool is_right(const struct coalesce_view *v)
{
    uint64_t sum = sum_add_u16(pseudo_sum(v), (uint16_t)(v->ip.n - v->at));

    if (!v->six && sum_fold(sum_add_words(0, v->ip.p, IPV4_HEADER / 4)) != 0xffff)
        return false;
    return sum_fold(sum_add(sum, span_of(v->ip.p + v->at, v->ip.n - v->at))) == 0xffff;
}

static bool read_tcp(struct rd r, struct coalesce_view *v)
{
    uint8_t offset;
    uint8_t flags;

    if (!rd_skip(&r, 4) || !rd_u32(&r, &v->seq) || !rd_skip(&r, 4) || !rd_u8(&r, &offset) ||
        !rd_u8(&r, &flags))
        return false;
    v->header = v->at + (size_t)(offset >> 4) * 4;
    v->push = flags & TCP_PSH;
    return offset >> 4 >= 5 && v->ip.n > v->header && (flags & ~TCP_PSH) == TCP_ACK;
}

static bool read_udp(struct rd r, struct coalesce_view *v)
{
    uint16_t length;
    uint16_t sum;

    if (!rd_skip(&r, 4) || !rd_u16(&r, &length) || !rd_u16(&r, &sum))
        return false;
    v->header = v->at + UDP_HEADER;
    return length == v->ip.n - v->at && v->ip.n > v->header && sum != 0;
}

/* True when the packet belongs to a flow; only what `joins` may go into a super-packet. */
static bool view_of(struct coalesce_view *v, struct mspan ip, bool udp)
{
    struct rd r = rd_of(span_ro(ip));
    uint8_t version;
    uint8_t protocol;

    *v = (struct coalesce_view){.ip = ip};
    if (!rd_u8(&r, &version))
        return false;
    if (version >> 4 == 6 ? !read_ipv6(&r, v, &protocol) : !read_ipv4(&r, v, version, &protocol))
        return false;
    v->udp = protocol == PROTO_UDP;
    if ((protocol != PROTO_TCP && !v->udp) || rd_left(&r) < UDP_HEADER)
        return false;
    v->joins = (v->udp ? udp && read_udp(r, v) : read_tcp(r, v)) && is_right(v);
    return true;
}

/* ---- comparing ---- */

/* Always inline: with a length that is known it is one or two compares, not a call. */
static inline __attribute__((always_inline)) bool
same(const struct coalesce_view *a, const struct coalesce_view *b, size_t at, size_t n)
{
    return memcmp(a->ip.p + at, b->ip.p + at, n) == 0;
}

static bool same_flow(const struct coalesce_view *a, const struct coalesce_view *b)
{
    if (a->six != b->six || a->udp != b->udp || !same(a, b, a->at, 4))
        return false;
    return a->six ? same(a, b, IPV6_ADDRESSES, 32) : same(a, b, IPV4_ADDRESSES, 8);
}

/* All that the packets of a super-packet have in common besides their flow. */
static bool same_headers(const struct coalesce_view *a, const struct coalesce_view *b)
{
    if (a->header != b->header)
        return false;
    if (a->six ? !same(a, b, 0, 4) || !same(a, b, 6, 2) : !same(a, b, 0, 2) || !same(a, b, 6, 4))
        return false;
    /* TCP: acknowledgement, window, urgent pointer, options. */
    return a->udp ||
           (same(a, b, a->at + 8, 4) && same(a, b, a->at + 14, 2) && same(a, b, a->at + 18, 2) &&
            (a->header == a->at + TCP_HEADER ||
             same(a, b, a->at + TCP_HEADER, a->header - a->at - TCP_HEADER)));
}

static bool follows(const struct coalesce_group *g, const struct coalesce_view *v)
{
    size_t payload = v->ip.n - v->header;

    if (g->closed || !v->joins || g->n == COALESCE_PACKETS || payload > g->size ||
        g->length + payload > UINT16_MAX || !same_headers(&g->first, v))
        return false;
    if (!v->df && v->id != (uint16_t)(g->first.id + g->n))
        return false;
    return v->udp || v->seq == g->first.seq + (uint32_t)(g->length - g->first.header);
}

/* ---- handing on ---- */

/* The first packet's headers become those of the super-packet; its checksum is the kernel's. */
static void become_super(struct coalesce_group *g)
{
    const struct coalesce_view *v = &g->first;
    size_t inside = g->length - v->at;
    struct wr w = wr_of(v->ip.p, v->ip.n);

    w.n = v->ip.n;
    if (v->six) {
        wr_patch_u16(&w, IPV6_LENGTH, (uint16_t)(g->length - IPV6_HEADER));
    } else {
        wr_patch_u16(&w, IPV4_LENGTH, (uint16_t)g->length);
        wr_patch_u16(&w, IPV4_SUM, 0);
        wr_patch_u16(&w, IPV4_SUM, (uint16_t)~sum_fold(sum_add(0, span_of(v->ip.p, v->at))));
    }
    if (v->udp)
        wr_patch_u16(&w, v->at + UDP_LENGTH, (uint16_t)inside);
    else
        wr_patch_u8(&w, v->at + TCP_FLAGS, TCP_ACK | (v->push ? TCP_PSH : 0));
    wr_patch_u16(&w, v->at + (v->udp ? UDP_SUM : TCP_SUM),
                 sum_fold(sum_add_u16(pseudo_sum(v), (uint16_t)inside)));
    g->vnet = (struct vnet){
        .flags = VNET_NEEDS_CSUM,
        .gso_type = v->udp   ? VNET_GSO_UDP_L4
                    : v->six ? VNET_GSO_TCPV6
                             : VNET_GSO_TCPV4,
        .hdr_len = (uint16_t)v->header,
        .gso_size = (uint16_t)g->size,
        .csum_start = (uint16_t)v->at,
        .csum_offset = v->udp ? UDP_SUM : TCP_SUM,
    };
}

static void hand_on(struct coalesce_group *g, coalesce_fn fn, void *user)
{
    unsigned n = g->n;

    if (n == 0)
        return;
    g->n = 0;
    g->vnet = (struct vnet){0};
    if (n > 1)
        become_super(g);
    fn(user, &g->vnet, g->part, n);
}

static void hand_on_alone(struct mspan ip, coalesce_fn fn, void *user)
{
    struct iovec part[2] = {{0}, {ip.p, ip.n}};
    struct vnet vnet = {0};

    fn(user, &vnet, part, 1);
}

static void begin(struct coalesce_group *g, const struct coalesce_view *v)
{
    g->first = *v;
    g->n = 1;
    g->length = v->ip.n;
    g->size = v->ip.n - v->header;
    g->closed = v->push;
    g->part[1] = (struct iovec){v->ip.p, v->ip.n};
}

static void append(struct coalesce_group *g, const struct coalesce_view *v)
{
    size_t payload = v->ip.n - v->header;

    g->part[++g->n] = (struct iovec){v->ip.p + v->header, payload};
    g->length += payload;
    g->first.push = g->first.push || v->push;
    g->closed = v->push || payload < g->size;
}

static struct coalesce_group *take_slot(struct coalesce *c, coalesce_fn fn, void *user)
{
    struct coalesce_group *g;

    for (unsigned i = 0; i < COALESCE_FLOWS; i++)
        if (c->group[i].n == 0)
            return &c->group[i];
    g = &c->group[c->oldest];
    c->oldest = (c->oldest + 1) % COALESCE_FLOWS;
    hand_on(g, fn, user);
    return g;
}

void coalesce_add(struct coalesce *c, struct mspan ip, coalesce_fn fn, void *user)
{
    struct coalesce_group *g = NULL;
    struct coalesce_view v;

    if (!view_of(&v, ip, c->udp)) { /* its flow is not known: fragments, other protocols */
        coalesce_flush(c, fn, user);
        hand_on_alone(ip, fn, user);
        return;
    }
    for (unsigned i = 0; i < COALESCE_FLOWS && !g; i++)
        if (c->group[i].n > 0 && same_flow(&c->group[i].first, &v))
            g = &c->group[i];
    if (g && follows(g, &v)) {
        append(g, &v);
        return;
    }
    if (g)
        hand_on(g, fn, user);
    if (!v.joins) {
        hand_on_alone(ip, fn, user);
        return;
    }
    begin(g ? g : take_slot(c, fn, user), &v);
}

void coalesce_flush(struct coalesce *c, coalesce_fn fn, void *user)
{
    for (unsigned i = 0; i < COALESCE_FLOWS; i++)
        hand_on(&c->group[i], fn, user);
    c->oldest = 0;
}
