/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Super-packets cut and put together, the MSS of SYNs, runs: the pure half of the data plane. */
#include "check.h"
#include "io/coalesce.h"
#include "io/fair.h"
#include "io/mss.h"
#include "io/run.h"
#include "io/segment.h"
#include "packets.h"
#include "wire/sum.h"

#include <stdlib.h>
#include <string.h>

#define ROOM 66000

/* A packet as the TUN gives it: the checksum is the kernel's first half of one. */
static struct vnet leave_sum(uint8_t *p, size_t n, const struct shape *s, uint8_t type, size_t size)
{
    size_t at = s->six ? 40 : 20;
    size_t field = at + (s->udp ? 6 : 16);
    uint16_t half = (uint16_t)~packet_sum(NULL, 0, packet_pseudo(p, n - at));

    p[field] = (uint8_t)(half >> 8);
    p[field + 1] = (uint8_t)half;
    return (struct vnet){.flags = VNET_NEEDS_CSUM,
                         .gso_type = type,
                         .hdr_len = (uint16_t)packet_header(s),
                         .gso_size = (uint16_t)size,
                         .csum_start = (uint16_t)at,
                         .csum_offset = s->udp ? 6 : 16};
}

static uint8_t type_of(const struct shape *s)
{
    return s->udp ? VNET_GSO_UDP_L4 : s->six ? VNET_GSO_TCPV6 : VNET_GSO_TCPV4;
}

TEST(sum_is_that_of_one_byte_after_the_other)
{
    uint8_t bytes[600];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 37 + (i >> 3));
    memset(bytes + 100, 0xff, 100);
    for (size_t n = 0; n <= sizeof(bytes); n++)
        CHECK_INT((uint16_t)~sum_fold(sum_add(0, span_of(bytes, n))), packet_sum(bytes, n, 0));
    for (size_t n = 0; n < 64; n += 2)
        CHECK_INT(
            (uint16_t)~sum_fold(sum_add(sum_add(0, span_of(bytes, n)), span_of(bytes + n, 101))),
            packet_sum(bytes, n + 101, 0));
    CHECK_INT(sum_fold(sum_add_u16(0, 0x1234)), 0x1234);
}

TEST(a_sum_that_copies_is_the_same)
{
    uint8_t bytes[600];
    uint8_t copy[sizeof(bytes) + 1];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 73 + (i >> 2));
    for (size_t n = 0; n <= sizeof(bytes); n++) {
        memset(copy, 0xa5, sizeof(copy));
        CHECK_INT(sum_fold(sum_copy(7, copy, span_of(bytes, n))),
                  sum_fold(sum_add(7, span_of(bytes, n))));
        CHECK_MEM(copy, n, bytes, n);
        CHECK_INT(copy[n], 0xa5); /* and nothing behind it */
    }
}

TEST(a_packet_that_is_none_gets_its_checksum)
{
    struct shape shape = {.port = 9, .payload = 33, .udp = true};
    uint8_t p[200];
    uint8_t want[200];
    uint8_t got[200];
    struct segments s;
    struct vnet vnet = {0};

    for (unsigned i = 0; i < 4; i++) {
        shape.six = i & 1;
        shape.udp = i & 2;
        size_t n = packet_make(want, &shape);

        memcpy(p, want, n);
        vnet = leave_sum(p, n, &shape, VNET_GSO_NONE, 0);
        CHECK(segments_of(&s, &vnet, (struct mspan){p, n}));
        CHECK_INT(s.n, 1);
        CHECK_INT(segment_length(&s, 0), n);
        CHECK(segment_write(&s, 0, got));
        CHECK_MEM(got, n, want, n);
    }
    vnet = (struct vnet){0};
    CHECK(segments_of(&s, &vnet, (struct mspan){p, 3})); /* nothing is known of it, nothing asked */
    CHECK(segment_write(&s, 0, got));
    vnet = (struct vnet){.flags = VNET_NEEDS_CSUM, .csum_start = 20, .csum_offset = 16};
    CHECK(!segments_of(&s, &vnet, (struct mspan){p, 37}));
    vnet.csum_start = 65535;
    CHECK(!segments_of(&s, &vnet, (struct mspan){p, 100}));
}

static void cut(const struct shape *whole, size_t size)
{
    static uint8_t p[ROOM];
    static uint8_t got[ROOM];
    static uint8_t want[ROOM];
    struct shape one = *whole;
    struct segments s;
    size_t n = packet_make(p, whole);
    struct vnet vnet = leave_sum(p, n, whole, type_of(whole), size);
    size_t done = 0;

    CHECK(segments_of(&s, &vnet, (struct mspan){p, n}));
    CHECK_INT(s.n, (whole->payload + size - 1) / size);
    for (unsigned i = 0; i < s.n; i++) {
        one.payload = whole->payload - done < size ? whole->payload - done : size;
        one.seq = whole->seq + (uint32_t)done;
        one.id = (uint16_t)(whole->id + i);
        one.flags = whole->flags;
        if (i > 0)
            one.flags &= 0x7f; /* CWR: the first */
        if (i + 1 < s.n)
            one.flags &= 0xf6; /* FIN, PSH: the last */
        CHECK_INT(segment_length(&s, i), packet_make(want, &one));
        CHECK(segment_write(&s, i, got));
        CHECK_MEM(got, segment_length(&s, i), want, segment_length(&s, i));
        CHECK(packet_is_sound(got, segment_length(&s, i)));
        done += one.payload;
    }
    CHECK_INT(done, whole->payload);
}

TEST(a_super_packet_is_cut)
{
    struct shape shape = {.port = 9, .seq = 0xfffff000, .id = 0xfffe, .flags = 0x99, .options = 12};

    for (unsigned i = 0; i < 4; i++) {
        shape.six = i & 1;
        shape.udp = i & 2;
        shape.seq = shape.udp ? 0 : 0xfffff000;
        shape.payload = 64000;
        cut(&shape, 1348);
        shape.payload = 2696;
        cut(&shape, 1348);
        shape.payload = 1349;
        cut(&shape, 1348);
        shape.payload = 100;
        cut(&shape, 1);
        cut(&shape, 33);
    }
}

TEST(what_does_not_cut_is_refused)
{
    struct shape shape = {.port = 9, .payload = 3000};
    uint8_t p[4000];
    struct segments s;
    size_t n = packet_make(p, &shape);
    struct vnet good = leave_sum(p, n, &shape, VNET_GSO_TCPV4, 1000);
    struct vnet bad;

    CHECK(segments_of(&s, &good, (struct mspan){p, n}));
    for (unsigned type = 0; type < 256; type++) {
        bad = good;
        bad.gso_type = (uint8_t)type;
        /* Nothing to cut, TCP over IPv4, UDP: by their looks they all may be. */
        CHECK_INT(segments_of(&s, &bad, (struct mspan){p, n}),
                  (type & 0x7f) == 0 || (type & 0x7f) == 1 || (type & 0x7f) == 5);
        n = packet_make(p, &shape);
    }
    bad = good;
    bad.gso_size = 0;
    CHECK(!segments_of(&s, &bad, (struct mspan){p, n}));
    bad = good;
    bad.flags = 0;
    CHECK(!segments_of(&s, &bad, (struct mspan){p, n}));
    bad = good;
    bad.csum_start = 24;
    CHECK(!segments_of(&s, &bad, (struct mspan){p, n}));
    for (size_t cut = 0; cut < 40; cut++)
        CHECK(!segments_of(&s, &good, (struct mspan){p, cut}));
    p[32] = 0x40; /* a TCP header of 16 bytes */
    CHECK(!segments_of(&s, &good, (struct mspan){p, n}));
    p[32] = 0xf0; /* and one longer than the packet */
    CHECK(!segments_of(&s, &good, (struct mspan){p, 60}));
}

/* ---- putting together ---- */

struct got {
    unsigned n;
    struct vnet vnet[64];
    unsigned parts[64];
    size_t length[64];
    uint8_t bytes[64][ROOM];
};

static void keep(void *user, const struct vnet *vnet, struct iovec *part, unsigned n)
{
    struct got *g = user;
    size_t at = 0;

    CHECK(g->n < 64);
    for (unsigned i = 1; i <= n; i++) {
        memcpy(g->bytes[g->n] + at, part[i].iov_base, part[i].iov_len);
        at += part[i].iov_len;
    }
    g->vnet[g->n] = *vnet;
    g->parts[g->n] = n;
    g->length[g->n++] = at;
}

struct stream {
    struct coalesce c;
    struct got got;
    uint8_t p[80][1500];
    unsigned n;
};

static struct stream *stream(void)
{
    static struct stream s;

    memset(&s, 0, sizeof(s));
    s.c.udp = true;
    return &s;
}

static uint8_t *push(struct stream *s, const struct shape *shape)
{
    uint8_t *p = s->p[s->n++];
    size_t n = packet_make(p, shape);

    coalesce_add(&s->c, (struct mspan){p, n}, keep, &s->got);
    return p;
}

/* Cut again, what was put together must be what came in. */
static void same_again(struct stream *s, unsigned first, unsigned at)
{
    uint8_t want[1500];
    uint8_t out[1500];
    struct segments cut;

    CHECK(segments_of(&cut, &s->got.vnet[at], (struct mspan){s->got.bytes[at], s->got.length[at]}));
    CHECK_INT(cut.n, s->got.parts[at]);
    for (unsigned i = 0; i < cut.n; i++) {
        CHECK(segment_write(&cut, i, out));
        CHECK(packet_is_sound(out, segment_length(&cut, i)));
        if (i == 0)
            continue; /* its headers were changed in place */
        memcpy(want, s->p[first + i], segment_length(&cut, i));
        CHECK_MEM(out, segment_length(&cut, i), want, segment_length(&cut, i));
    }
}

static void together(bool six, bool udp)
{
    struct stream *s = stream();
    struct shape shape = {.six = six, .udp = udp, .port = 7, .payload = 1000, .options = 12};

    if (udp)
        shape.options = 0;
    for (unsigned i = 0; i < 10; i++) {
        shape.seq = i * 1000;
        shape.id = (uint16_t)(65530 + i);
        shape.payload = i == 9 ? 10 : 1000;
        (void)push(s, &shape);
    }
    CHECK_INT(s->got.n, 0);
    shape.seq = 9010; /* behind a shorter one nothing follows */
    shape.id++;
    (void)push(s, &shape);
    CHECK_INT(s->got.n, 1);
    coalesce_flush(&s->c, keep, &s->got);
    CHECK_INT(s->got.n, 2);
    CHECK_INT(s->got.parts[0], 10);
    CHECK_INT(s->got.parts[1], 1);
    CHECK_INT(s->got.vnet[0].gso_size, 1000);
    CHECK_INT(s->got.vnet[0].gso_type, type_of(&shape));
    CHECK_INT(s->got.vnet[1].gso_type, 0);
    CHECK_INT(s->got.vnet[1].flags, 0);
    same_again(s, 0, 0);
    CHECK(packet_is_sound(s->got.bytes[1], s->got.length[1]));
}

TEST(packets_of_a_flow_are_put_together)
{
    for (unsigned i = 0; i < 4; i++)
        together(i & 1, i & 2);
}

TEST(what_differs_stays_apart)
{
    /* Byte of the packet, what it is: anything but flow, length, place and PSH. */
    static const size_t bytes[] = {1, 6, 8, 28, 33, 34, 38, 40};

    for (unsigned i = 0; i < ARRAY_LEN(bytes) + 3; i++) {
        struct stream *s = stream();
        struct shape shape = {.port = 7, .payload = 100, .options = 4};
        uint8_t p[200];
        size_t n;

        (void)push(s, &shape);
        shape.seq = i == ARRAY_LEN(bytes) ? 101 : 100;
        shape.id = i == ARRAY_LEN(bytes) + 1 ? 2 : 1;
        n = packet_make(p, &shape);
        if (i < ARRAY_LEN(bytes)) {
            p[bytes[i]] ^= bytes[i] == 33 ? 0x40 : 1; /* ECE */
            p[10] = p[11] = p[36] = p[37] = 0;
            memcpy(p + 10,
                   (const uint8_t[]){(uint8_t)(packet_sum(p, 20, 0) >> 8),
                                     (uint8_t)packet_sum(p, 20, 0)},
                   2);
            uint16_t sum = packet_sum(p + 20, n - 20, packet_pseudo(p, n - 20));
            memcpy(p + 36, (const uint8_t[]){(uint8_t)(sum >> 8), (uint8_t)sum}, 2);
        }
        if (i == ARRAY_LEN(bytes) + 2)
            p[n - 1] ^= 1; /* a wrong checksum stays the end's to judge */
        coalesce_add(&s->c, (struct mspan){p, n}, keep, &s->got);
        coalesce_flush(&s->c, keep, &s->got);
        CHECK_INT(s->got.n, 2);
        CHECK_MEM(s->got.bytes[1], s->got.length[1], p, n);
        CHECK_INT(s->got.vnet[1].flags, 0);
    }
}

TEST(push_closes_and_shows)
{
    struct stream *s = stream();
    struct shape shape = {.port = 7, .payload = 100};

    for (unsigned i = 0; i < 5; i++) {
        shape.seq = i * 100;
        shape.id = (uint16_t)i;
        shape.flags = i == 2 ? 0x18 : 0x10;
        (void)push(s, &shape);
    }
    coalesce_flush(&s->c, keep, &s->got);
    CHECK_INT(s->got.n, 2);
    CHECK_INT(s->got.parts[0], 3);
    CHECK_INT(s->got.bytes[0][33], 0x18);
    CHECK_INT(s->got.bytes[1][33], 0x10);
    same_again(s, 0, 0);
}

TEST(order_stays_within_a_flow)
{
    struct stream *s = stream();
    struct shape a = {.port = 7, .payload = 100};
    struct shape b = {.port = 8, .payload = 100, .udp = true};
    uint8_t *fragment;

    for (unsigned i = 0; i < 3; i++) {
        a.seq = i * 100;
        a.id = b.id = (uint16_t)i;
        (void)push(s, &a);
        (void)push(s, &b);
    }
    a.seq = 300;
    a.flags = 0x11; /* FIN goes behind what came before it, and is not held */
    a.id = 3;
    (void)push(s, &a);
    CHECK_INT(s->got.n, 2);
    CHECK_INT(s->got.parts[0], 3);
    CHECK_INT(s->got.bytes[1][33], 0x11);
    /* Nobody knows the flow of a fragment: everything goes before it. */
    fragment = s->p[s->n++];
    (void)packet_make(fragment, &a);
    fragment[6] = 0x20;
    coalesce_add(&s->c, (struct mspan){fragment, 140}, keep, &s->got);
    CHECK_INT(s->got.n, 4);
    CHECK_INT(s->got.parts[2], 3);
    CHECK_INT(s->got.bytes[3][6], 0x20);
    s->c.udp = false;
    (void)push(s, &b);
    CHECK_INT(s->got.n, 5); /* the kernel takes no super-packets of UDP */
}

TEST(more_flows_than_places)
{
    struct stream *s = stream();
    struct shape shape = {.port = 1, .payload = 100};
    unsigned packets = 0;

    for (unsigned i = 0; i < 40; i++) {
        shape.port = (uint16_t)(1 + i % 10);
        shape.seq = i / 10 * 100;
        shape.id = (uint16_t)(i / 10);
        (void)push(s, &shape);
    }
    coalesce_flush(&s->c, keep, &s->got);
    for (unsigned i = 0; i < s->got.n; i++)
        packets += s->got.parts[i];
    CHECK_INT(packets, 40);
}

TEST(no_more_than_fits)
{
    struct stream *s = stream();
    struct shape shape = {.port = 7, .payload = 1400};

    for (unsigned i = 0; i < 70; i++) {
        shape.seq = i * 1400;
        shape.id = (uint16_t)i;
        (void)push(s, &shape);
    }
    coalesce_flush(&s->c, keep, &s->got);
    CHECK_INT(s->got.parts[0], 46); /* 40 + 46 * 1400 = 64440 */
    CHECK_INT(s->got.parts[1], 24);
    s = stream();
    shape.payload = 10;
    for (unsigned i = 0; i < 70; i++) {
        shape.seq = i * 10;
        shape.id = (uint16_t)i;
        (void)push(s, &shape);
    }
    coalesce_flush(&s->c, keep, &s->got);
    CHECK_INT(s->got.parts[0], COALESCE_PACKETS);
}

/* ---- MSS ---- */

static size_t syn(uint8_t *p, bool six, const char *options, size_t n)
{
    struct shape shape = {.six = six, .port = 7, .flags = 0x02, .options = (n + 3) / 4 * 4};
    size_t at = six ? 40 : 20;
    size_t length = packet_make(p, &shape);
    uint16_t sum;

    memcpy(p + at + 20, options, n);
    p[at + 16] = p[at + 17] = 0;
    sum = packet_sum(p + at, length - at, packet_pseudo(p, length - at));
    p[at + 16] = (uint8_t)(sum >> 8);
    p[at + 17] = (uint8_t)sum;
    return length;
}

TEST(mss_of_a_syn_is_clamped)
{
    static const char options[] = "\x01\x03\x03\x07\x02\x04\x05\xb4";
    static const char odd[] = "\x01\x02\x04\x05\xb4\x01\x01";

    for (unsigned i = 0; i < 4; i++) {
        bool six = i & 1;
        size_t at = (six ? 60u : 40u) + (i & 2 ? 3 : 6);
        uint8_t p[120];
        size_t n = syn(p, six, i & 2 ? odd : options, i & 2 ? 7 : 8);

        CHECK(packet_is_sound(p, n));
        CHECK(!mss_clamp((struct mspan){p, n}, 0));
        CHECK(!mss_clamp((struct mspan){p, n}, 1520)); /* it asks for no more than that */
        CHECK(mss_clamp((struct mspan){p, n}, 1400));
        CHECK(packet_is_sound(p, n));
        CHECK_INT(p[at] << 8 | p[at + 1], 1400 - (six ? 60 : 40));
        CHECK(!mss_clamp((struct mspan){p, n}, 1400));
        p[(six ? 40 : 20) + 13] = 0x10; /* no SYN */
        CHECK(!mss_clamp((struct mspan){p, n}, 500));
    }
}

TEST(mss_in_broken_packets_stays)
{
    static const char *const bad[] = {"\x02\x03\x05\xb4", "\x03\x00\x02\x04", "\x01\x01\x02\x04",
                                      "\x00\x02\x04\x05", "\x03\xff\x02\x04"};
    uint8_t p[120];
    size_t n;

    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        n = syn(p, false, bad[i], 4);
        CHECK(!mss_clamp((struct mspan){p, n}, 600));
    }
    n = syn(p, false, "\x02\x04\x05\xb4", 4);
    for (size_t cut = 0; cut < n; cut++)
        CHECK(!mss_clamp((struct mspan){p, cut}, 600));
    p[7] = 1; /* not the first fragment */
    CHECK(!mss_clamp((struct mspan){p, n}, 600));
}

/* ---- runs ---- */

static void add_to_run(struct run *r, size_t n, bool ok)
{
    uint8_t *at = run_room(r, n);

    run_add(r, n, (struct mspan){at, n});
    r->packet[r->n - 1].verdict = ok ? ESP_OK : ESP_FAILED;
}

TEST(runs_of_equal_packets)
{
    static struct run r;
    static const size_t sizes[] = {100, 100, 100, 60, 100, 100, 120, 120};
    static const unsigned parts[] = {4, 2, 2};
    struct run_part part;
    unsigned next = 0;

    run_clear(&r);
    CHECK(!run_part(&r, &next, 64, &part));
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++)
        add_to_run(&r, sizes[i], true);
    for (unsigned i = 0; i < ARRAY_LEN(parts); i++) {
        CHECK(run_part(&r, &next, 64, &part));
        CHECK_INT(part.n, parts[i]);
    }
    CHECK(!run_part(&r, &next, 64, &part));
    next = 0;
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        CHECK(run_part(&r, &next, 1, &part));
        CHECK_INT(part.bytes.n, sizes[i]);
    }
    run_clear(&r);
    for (unsigned i = 0; i < 5; i++)
        add_to_run(&r, 100, i != 2);
    next = 0;
    CHECK(run_part(&r, &next, 64, &part) && part.n == 2);
    CHECK(run_part(&r, &next, 64, &part) && part.n == 2);
    CHECK(part.bytes.p == r.room + 300);
}

TEST(a_run_is_full)
{
    static struct run r;
    struct run_part part;
    unsigned next = 0;
    unsigned total = 0;

    run_clear(&r);
    while (run_room(&r, 1456))
        add_to_run(&r, 1456, true);
    CHECK(r.n >= RUN_FULL && r.n <= RUN_PACKETS);
    CHECK(r.used <= RUN_ROOM);
    while (run_part(&r, &next, RUN_SEGMENTS, &part)) {
        CHECK(part.n <= RUN_SEGMENTS && part.bytes.n <= RUN_BYTES);
        total += part.n;
    }
    CHECK_INT(total, r.n);
    run_clear(&r);
    while (run_room(&r, 40))
        add_to_run(&r, 40, true);
    CHECK_INT(r.n, RUN_PACKETS);
}

/* ---- turns ---- */

static int put_slot(struct fair *f, uint32_t flow, size_t length)
{
    int slot = fair_take(f);

    if (slot >= 0)
        fair_add(f, slot, flow, length);
    return slot;
}

/* The next one, given back at once. */
static int serve_slot(struct fair *f)
{
    int slot = fair_next(f);

    if (slot >= 0)
        fair_give_back(f, slot);
    return slot;
}

TEST(order_stays_within_a_turn)
{
    static struct fair f;
    int slot[FAIR_SLOTS];

    fair_init(&f);
    CHECK_INT(fair_next(&f), -1);
    for (unsigned i = 0; i < FAIR_SLOTS; i++) {
        slot[i] = put_slot(&f, 5, 65000);
        CHECK(slot[i] >= 0);
    }
    CHECK_INT(put_slot(&f, 5, 1), -1);
    CHECK_INT(f.waiting, FAIR_SLOTS);
    for (unsigned i = 0; i < FAIR_SLOTS; i++)
        CHECK_INT(serve_slot(&f), slot[i]);
    CHECK_INT(fair_next(&f), -1);
    CHECK_INT(f.waiting, 0);
}

TEST(a_new_flow_does_not_wait_behind_a_bulk_flow)
{
    static struct fair f;
    int ping;

    fair_init(&f);
    for (unsigned i = 0; i < 50; i++)
        (void)put_slot(&f, 1, 65000);
    for (unsigned i = 0; i < 3; i++)
        (void)serve_slot(&f);
    ping = put_slot(&f, 2, 84);
    CHECK_INT(serve_slot(&f), ping);
    CHECK(serve_slot(&f) != ping);
    /* It is a flow like the others now: what it has in its turn it sends, and no more. */
    for (unsigned i = 0; i < 30; i++)
        (void)put_slot(&f, 2, 65000);
    for (unsigned i = 0, first = 0; i < 20; i++) {
        int slot = serve_slot(&f);

        CHECK(slot >= 0);
        first += slot < 50;
        if (i == 19)
            CHECK(first >= 6 && first <= 14);
    }
}

TEST(flows_are_told_apart)
{
    struct shape shape = {.port = 1, .payload = 10};
    uint32_t seen[40];
    uint8_t p[200];
    unsigned n = 0;

    for (unsigned i = 0; i < 40; i++) {
        shape.six = i & 1;
        shape.udp = i & 2;
        shape.port = (uint16_t)(i / 4 + 1);
        seen[i] = fair_flow_of(span_of(p, packet_make(p, &shape)));
        shape.payload = 20;
        CHECK_INT(fair_flow_of(span_of(p, packet_make(p, &shape))), seen[i]);
        for (unsigned k = 0; k < i; k++)
            n += seen[k] == seen[i];
    }
    CHECK_INT(n, 0);
    p[0] = 0x45;
    p[6] = 0x20; /* fragments of all ports are one flow: only the first has any */
    n = fair_flow_of(span_of(p, 28));
    p[21]++;
    CHECK_INT(fair_flow_of(span_of(p, 28)), n);
    for (size_t cut = 0; cut < 40; cut++)
        (void)fair_flow_of(span_of(p, cut));
}
