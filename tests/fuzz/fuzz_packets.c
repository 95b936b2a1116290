/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inner packets as the plane handles them: put together, cut, their MSS clamped. Steps are packets
 * of any form, packets of a few flows that go on where the last one ended, super-packets with any
 * header of the TUN, and SYNs. What was put together must cut again into as many sound packets.
 */
#include "fuzz.h"

#include "../io/packets.h"
#include "io/coalesce.h"
#include "io/mss.h"
#include "io/segment.h"

#include <string.h>

#define FLOWS 4

struct world {
    struct coalesce c;
    unsigned in, out;
    uint32_t seq[FLOWS];
    uint16_t id[FLOWS];
    unsigned kept;
    struct mspan keep[FUZZ_STEPS_MAX]; /* packets stay where they are until they were handed on */
    uint8_t whole[70000];
};

static void cut(const struct vnet *vnet, struct mspan packet, unsigned want)
{
    struct segments s;
    size_t total = 0;

    if (!segments_of(&s, vnet, packet)) {
        FUZZ_REQUIRE(want == 0);
        return;
    }
    FUZZ_REQUIRE(want == 0 || s.n == want);
    for (unsigned i = 0; i < s.n && i < 200; i++) {
        size_t n = segment_length(&s, i);
        uint8_t *out = malloc(n);

        FUZZ_REQUIRE(out && n <= packet.n);
        FUZZ_REQUIRE(segment_write(&s, i, out));
        FUZZ_REQUIRE(want <= 1 || packet_is_sound(out, n));
        total += n - s.header;
        free(out);
    }
    FUZZ_REQUIRE(s.n > 200 || total == packet.n - s.header);
}

static void taken(void *user, const struct vnet *vnet, struct iovec *part, unsigned n)
{
    struct world *w = user;
    size_t at = 0;

    FUZZ_REQUIRE(n >= 1 && n <= COALESCE_PACKETS);
    w->out += n;
    for (unsigned i = 1; i <= n; i++) {
        FUZZ_REQUIRE(at + part[i].iov_len <= sizeof(w->whole));
        memcpy(w->whole + at, part[i].iov_base, part[i].iov_len);
        at += part[i].iov_len;
    }
    FUZZ_REQUIRE((n > 1) == (vnet->gso_type != VNET_GSO_NONE));
    FUZZ_REQUIRE(n == 1 || at <= UINT16_MAX + 40);
    if (at > 0)
        cut(vnet, (struct mspan){w->whole, at}, n);
}

static void flush(struct world *w)
{
    coalesce_flush(&w->c, taken, w);
    FUZZ_REQUIRE(w->in == w->out);
    for (unsigned i = 0; i < w->kept; i++)
        free(w->keep[i].p);
    w->kept = 0;
}

static void add(struct world *w, struct span bytes)
{
    struct mspan packet = fuzz_copy(bytes);

    w->keep[w->kept++] = packet;
    w->in++;
    (void)mss_clamp(packet, 1200);
    coalesce_add(&w->c, packet, taken, w);
}

/* Four bytes say what the next packet of a flow looks like. */
static void add_next(struct world *w, struct rd r, uint8_t op)
{
    uint8_t packet[2048];
    uint8_t flow = 0;
    uint8_t flags = 0;
    uint16_t length = 0;
    struct shape shape;

    if (!rd_u8(&r, &flow) || !rd_u8(&r, &flags) || !rd_u16(&r, &length))
        return;
    flow %= FLOWS;
    shape = (struct shape){
        .six = op & 8,
        .udp = op & 16,
        .port = (uint16_t)(flow + 1),
        .seq = op & 16 ? 0 : w->seq[flow],
        .id = w->id[flow]++,
        .flags = op & 32 ? flags : 0x10,
        .options = op & 16 ? 0 : flags & 12u,
        .payload = length % 1400,
    };
    w->seq[flow] += (uint32_t)shape.payload + (op & 64 ? flags : 0);
    add(w, span_of(packet, packet_make(packet, &shape)));
}

static void one_step(struct world *w, const struct fuzz_step *s)
{
    struct rd r = rd_of(span_ro(s->bytes));
    struct vnet vnet = {0};
    struct mspan copy;

    switch (s->op & 7) {
    case 0:
        /* The data path hands over nothing that is not at least a header. */
        if (s->bytes.n > 0)
            add(w, span_ro(s->bytes));
        break;
    case 1:
    case 2:
    case 3:
    case 4:
        add_next(w, r, s->op);
        break;
    case 5:
        if (!rd_copy(&r, &vnet, sizeof(vnet)))
            break;
        copy = fuzz_copy(rd_rest(&r));
        cut(&vnet, copy, 0);
        free(copy.p);
        break;
    case 6:
        (void)mss_clamp(s->bytes, (uint16_t)(s->op * 40));
        break;
    case 7:
        w->c.udp = !w->c.udp;
        flush(w);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    struct rd r = rd_of(span_of(data, size));
    struct fuzz_step s;

    memset(&w, 0, sizeof(w));
    w.c.udp = true;
    for (unsigned i = 0; i < FUZZ_STEPS_MAX && fuzz_step_next(&r, &s); i++) {
        one_step(&w, &s);
        fuzz_step_done(&s);
    }
    flush(&w);
    return 0;
}
