/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Putting IKE messages together. Steps of (op, bytes): bytes behind a good ISAKMP header (op bit 0
 * clear) or a datagram as it is; bits 4 to 7 of op let seconds pass before. The first byte of the
 * input gives the size of the pieces into which all of the rest is cut and put together again.
 */
#include "fuzz.h"

#include "ike/v1/fragment.h"

#include <string.h>

static struct fragment_set set;

static void check_set(void)
{
    size_t sum = 0;
    unsigned n = 0;

    if (set.n == 0)
        return;
    for (unsigned i = 0; i < IKE_FRAGMENTS_MAX; i++) {
        FUZZ_REQUIRE((size_t)set.slot[i].at + set.slot[i].n <= set.used);
        FUZZ_REQUIRE(set.slot[i].n == 0 || i < set.highest);
        sum += set.slot[i].n;
        n += set.slot[i].n > 0;
    }
    FUZZ_REQUIRE(sum == set.used && sum <= IKE_MESSAGE_MAX && n == set.n);
    FUZZ_REQUIRE(set.last == 0 || (set.last == set.highest && set.n < set.last));
}

static enum fragment_fate add(struct span datagram, l2tpc_us now, struct span *out)
{
    static uint8_t room[IKE_MESSAGE_MAX];
    struct isakmp_header h;
    struct isakmp_header inner;
    struct span body;
    struct span rest;
    enum fragment_fate fate;

    if (!isakmp_parse_header(datagram, &h, &body))
        return FRAGMENT_BAD;
    fate = fragment_add(&set, &h, body, now, room, out);
    check_set();
    if (fate != FRAGMENT_WHOLE)
        return fate;
    FUZZ_REQUIRE(set.n == 0 && isakmp_parse_header(*out, &inner, &rest));
    FUZZ_REQUIRE(inner.next_payload != PAYLOAD_FRAGMENT && inner.length == out->n);
    FUZZ_REQUIRE(inner.message_id == h.message_id && inner.exchange == h.exchange);
    FUZZ_REQUIRE(memcmp(inner.cky_i, h.cky_i, 8) == 0 && memcmp(inner.cky_r, h.cky_r, 8) == 0);
    return fate;
}

static void step(uint8_t op, struct span bytes, l2tpc_us now)
{
    uint8_t d[ISAKMP_HEADER_LEN + FUZZ_STEP_MAX] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    struct span out;

    if (op & 1) {
        (void)add(bytes, now, &out);
        return;
    }
    d[16] = PAYLOAD_FRAGMENT;
    d[17] = ISAKMP_VERSION;
    d[18] = EXCHANGE_MAIN;
    d[26] = (uint8_t)((bytes.n + ISAKMP_HEADER_LEN) >> 8);
    d[27] = (uint8_t)(bytes.n + ISAKMP_HEADER_LEN);
    if (bytes.n > 0)
        memcpy(d + ISAKMP_HEADER_LEN, bytes.p, bytes.n);
    (void)add(span_of(d, bytes.n + ISAKMP_HEADER_LEN), now, &out);
}

/* A message of these bytes, cut and put together backwards, is itself. */
static void there_and_back(struct mspan m, size_t piece)
{
    unsigned n = fragment_count(m.n, piece);
    struct span out = SPAN_NONE;

    if (m.n < ISAKMP_HEADER_LEN || n == 0 || m.p[16] == PAYLOAD_FRAGMENT)
        return;
    m.p[17] = ISAKMP_VERSION;
    m.p[24] = m.p[25] = 0;
    m.p[26] = (uint8_t)(m.n >> 8);
    m.p[27] = (uint8_t)m.n;
    for (unsigned i = n; i > 0; i--) {
        uint8_t room[FRAGMENT_ENVELOPE + 256];
        struct wr w = wr_of(room, sizeof(room));
        enum fragment_fate fate;
        struct span f;

        fragment_write(&w, span_ro(m), piece, i);
        FUZZ_REQUIRE(wr_finish(&w, &f) && f.n <= FRAGMENT_ENVELOPE + piece);
        fate = add(f, US_S(5000), &out);
        FUZZ_REQUIRE(fate == (i > 1 ? FRAGMENT_KEPT : FRAGMENT_WHOLE));
    }
    FUZZ_REQUIRE(span_eq(out, span_ro(m)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_of(span_of(data, size));
    struct fuzz_step s;
    struct mspan m;
    l2tpc_us now = US_S(1000);
    uint8_t piece;

    memset(&set, 0, sizeof(set));
    if (!rd_u8(&r, &piece))
        return 0;
    m = fuzz_copy(r.rest);
    for (unsigned i = 0; i < FUZZ_STEPS_MAX && fuzz_step_next(&r, &s); i++) {
        now = us_add(now, US_S(s.op >> 4));
        step(s.op, span_ro(s.bytes), now);
        fuzz_step_done(&s);
    }
    memset(&set, 0, sizeof(set));
    there_and_back(m, (size_t)piece + 1);
    free(m.p);
    return 0;
}
