/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"
#include "l2tp/data.h"

#include <string.h>

static bool read_hex(const char *hex, struct l2tp_data *d)
{
    static uint8_t buf[256];

    return l2tp_data_read((struct mspan){buf, check_hex(buf, sizeof(buf), hex)}, d);
}

TEST(l2tp_data_classify)
{
    bool control;
    uint8_t b[2];

    for (unsigned flags = 0; flags <= 0xffff; flags++) {
        b[0] = (uint8_t)(flags >> 8);
        b[1] = (uint8_t)flags;
        CHECK_INT(l2tp_classify(SPAN_ARRAY(b), &control), (flags & 15) == 2);
        if ((flags & 15) == 2)
            CHECK_INT(control, flags >> 15);
    }
    CHECK(!l2tp_classify(span_of(b, 1), &control));
    CHECK(!l2tp_classify(SPAN_NONE, &control));
}

TEST(l2tp_data_every_form_of_header)
{
    struct l2tp_data d;

    CHECK(read_hex("0002 0001 0002 ff03c021", &d));
    CHECK(d.tunnel_id == 1 && d.session_id == 2);
    CHECK_HEX(d.payload.p, d.payload.n, "ff03c021");
    CHECK(read_hex("4002 000c 0001 0002 ff03c021", &d));
    CHECK_HEX(d.payload.p, d.payload.n, "ff03c021");
    CHECK(read_hex("4002 000a 0001 0002 ff03 c021", &d)); /* bytes behind the length: not ours */
    CHECK_HEX(d.payload.p, d.payload.n, "ff03");
    CHECK(read_hex("0802 0001 0002 0005 0006 ff03", &d));
    CHECK_HEX(d.payload.p, d.payload.n, "ff03");
    CHECK(read_hex("0202 0001 0002 0000 ff03", &d));
    CHECK_HEX(d.payload.p, d.payload.n, "ff03");
    CHECK(read_hex("0202 0001 0002 0003 aabbcc ff03", &d));
    CHECK_HEX(d.payload.p, d.payload.n, "ff03");
    CHECK(read_hex("4b02 0013 0001 0002 0005 0006 0003 aabbcc ff03", &d));
    CHECK_HEX(d.payload.p, d.payload.n, "ff03");
    CHECK(read_hex("0102 0001 0002 ff03", &d)); /* P */
    CHECK_HEX(d.payload.p, d.payload.n, "ff03");
}

/* H49 */
TEST(l2tp_data_refuses_what_does_not_fit)
{
    struct l2tp_data d;

    CHECK(!read_hex("c802 000c 0001 0002 0000 0000", &d)); /* control */
    CHECK(!read_hex("0003 0001 0002 ff03", &d));           /* version */
    CHECK(!read_hex("4002 000d 0001 0002 ff03c021", &d));  /* longer than what came */
    CHECK(!read_hex("4002 0007 0001 0002 ff03", &d));      /* ends inside the header */
    CHECK(!read_hex("4802 000a 0001 0002 0000 0000 ff03", &d));
    CHECK(!read_hex("0202 0001 0002 0003 aabb", &d)); /* offset beyond the end */
    CHECK(!read_hex("4202 000b 0001 0002 0003 aabbcc ff03", &d));
    CHECK(!read_hex("0202 0001 0002 ffff aabb", &d));
    CHECK(!read_hex("0002 0001 00", &d));
    CHECK(!read_hex("", &d));
}

TEST(l2tp_data_every_length_of_every_form)
{
    uint8_t buf[32];
    struct l2tp_data d;

    for (unsigned flags = 0; flags < 32; flags++) {
        for (size_t n = 0; n <= sizeof(buf); n++) {
            for (unsigned length = 0; length <= 40; length++) {
                memset(buf, 0, sizeof(buf));
                buf[0] = (uint8_t)((flags & 1) << 6 | (flags & 2) << 2 | (flags & 4) >> 1 |
                                   (flags & 8) >> 3);
                buf[1] = 2;
                buf[3] = (uint8_t)length;
                if (l2tp_data_read((struct mspan){buf, n}, &d))
                    CHECK(d.payload.p >= buf && d.payload.p + d.payload.n <= buf + n);
            }
        }
    }
}

TEST(l2tp_data_wrap_is_what_servers_take)
{
    uint8_t buf[L2TP_DATA_HEADER + 4] = {[L2TP_DATA_HEADER] = 0xff, 0x03, 0xc0, 0x21};
    struct mspan m = l2tp_data_wrap(0x1234, 0x5678, (struct mspan){buf + L2TP_DATA_HEADER, 4});
    struct l2tp_data d;

    CHECK_HEX(m.p, m.n, "4002 000c 1234 5678 ff03c021");
    CHECK(l2tp_data_read(m, &d) && d.tunnel_id == 0x1234 && d.session_id == 0x5678);
}
