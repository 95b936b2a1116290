/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"
#include "wire/dict.h"
#include "wire/rd.h"
#include "wire/wr.h"

TEST(wire_reader_reads_in_network_order)
{
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    struct rd r = rd_of(SPAN_ARRAY(bytes));
    uint8_t a;
    uint16_t b;
    uint32_t c;
    uint64_t d;

    CHECK(rd_u8(&r, &a) && rd_u16(&r, &b) && rd_u32(&r, &c) && rd_u64(&r, &d));
    CHECK_INT(a, 1);
    CHECK_INT(b, 0x0203);
    CHECK_INT(c, 0x04050607);
    CHECK_INT(d, 0x08090a0b0c0d0e0fLL);
    CHECK(rd_end(&r));
}

TEST(wire_reader_leaves_output_untouched_when_short)
{
    static const uint8_t bytes[] = {1, 2, 3};
    struct rd r = rd_of(SPAN_ARRAY(bytes));
    uint32_t v = 77;
    struct rd sub = {.rest = {bytes, 1}};
    struct span s = {bytes, 2};

    CHECK(!rd_u32(&r, &v) && v == 77);
    CHECK(!rd_sub(&r, 4, &sub) && sub.rest.n == 1);
    CHECK(!rd_bytes(&r, SIZE_MAX, &s) && s.n == 2);
    CHECK_INT(rd_left(&r), 3);
    CHECK(rd_sub(&r, 2, &sub) && rd_left(&sub) == 2 && rd_left(&r) == 1);
    CHECK_INT(rd_rest(&r).n, 1);
    CHECK(rd_end(&r));
    r = rd_of(SPAN_NONE);
    CHECK(rd_bytes(&r, 0, &s) && s.n == 0);
}

TEST(wire_writer_is_sticky_and_patches_lengths)
{
    uint8_t buf[8];
    struct wr w = wr_of(buf, sizeof(buf));
    struct wr_box box;
    struct span out = SPAN_NONE;

    wr_u16(&w, 0xaabb);
    box = wr_open(&w, 2);
    wr_u8(&w, 9);
    wr_close(&w, box);
    CHECK(wr_finish(&w, &out));
    CHECK_HEX(out.p, out.n, "aabb 0005 09");
    wr_u32(&w, 1);
    CHECK(w.failed);
    wr_u8(&w, 1); /* would fit, but the error sticks */
    CHECK_INT(w.n, 5);
    CHECK(!wr_finish(&w, &out));
}

TEST(wire_dict_names)
{
    static const struct dict rows[] = {{1, "SCCRQ"}, {2, "SCCRP"}};

    CHECK_STR(DICT_NAME(rows, 2), "SCCRP");
    CHECK(DICT_NAME(rows, 3) == NULL);
}
