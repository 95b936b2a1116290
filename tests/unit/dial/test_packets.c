/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The queue of packets that wait inside a dial: order and bounds. */
#include "base/limits.h"
#include "check.h"
#include "dial/packets.h"

TEST(packets_come_out_as_they_went_in)
{
    static const uint8_t bytes[] = "abcdefgh";
    struct packets q = {0};
    struct msg m;

    CHECK(!packets_pop(&q, &m));
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 8; i++)
            CHECK(packets_push(&q, i, span_of(bytes, i)));
        for (uint32_t i = 0; i < 8; i++) {
            CHECK(packets_pop(&q, &m));
            CHECK_INT(m.tag, i);
            CHECK_MEM(m.bytes, m.n, bytes, i);
            msg_done(&m);
        }
        CHECK(!packets_pop(&q, &m) && q.used == 0 && q.bytes == 0 && q.overflow == 0);
    }
}

TEST(packets_are_bounded_by_number_and_by_bytes)
{
    static uint8_t large[EARLY_BYTES_MAX / 4 + 1];
    struct packets q = {0};
    struct msg m;

    for (unsigned i = 0; i < EARLY_PACKETS_MAX; i++)
        CHECK(packets_push(&q, i, span_of(large, 1)));
    CHECK(!packets_push(&q, 0, span_of(large, 0)));
    CHECK_INT(q.overflow, 1);
    CHECK(packets_pop(&q, &m));
    msg_done(&m);
    CHECK(packets_push(&q, 0, span_of(large, 1)));
    packets_clear(&q);
    CHECK(q.used == 0 && q.bytes == 0 && !packets_pop(&q, &m));
    for (unsigned i = 0; i < 3; i++)
        CHECK(packets_push(&q, i, SPAN_ARRAY(large)));
    CHECK(!packets_push(&q, 3, SPAN_ARRAY(large)));
    CHECK_INT(q.overflow, 2);
    CHECK(packets_push(&q, 3, span_of(large, EARLY_BYTES_MAX - q.bytes)));
    CHECK(!packets_push(&q, 4, span_of(large, 1)));
    CHECK(packets_push(&q, 4, span_of(large, 0)));
    packets_clear(&q);
}
