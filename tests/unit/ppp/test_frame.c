/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"
#include "ppp/ppp.h"

#include <string.h>

static bool reads(const char *hex, bool pfc, uint16_t *protocol, size_t *n)
{
    uint8_t bytes[64];
    struct mspan info;

    if (!ppp_frame_read((struct mspan){bytes, check_hex(bytes, sizeof(bytes), hex)}, pfc, protocol,
                        &info))
        return false;
    *n = info.n;
    return true;
}

TEST(ppp_frame_header_forms)
{
    uint16_t protocol = 7;
    size_t n = 7;

    CHECK(!reads("", true, &protocol, &n));
    CHECK(!reads("21", false, &protocol, &n));
    CHECK(!reads("ff", true, &protocol, &n));
    CHECK(!reads("ff03", true, &protocol, &n));
    CHECK(!reads("ff0300", true, &protocol, &n));
    CHECK(!reads("ff0321aa", false, &protocol, &n)); /* one byte without PFC */
    CHECK(!reads("ff030020", true, &protocol, &n));  /* even */
    CHECK(protocol == 7 && n == 7);
    CHECK(reads("ff03002145", false, &protocol, &n) && protocol == 0x21 && n == 1);
    CHECK(reads("002145", false, &protocol, &n) && protocol == 0x21 && n == 1);
    CHECK(reads("ff032145", true, &protocol, &n) && protocol == 0x21 && n == 1);
    CHECK(reads("2145", true, &protocol, &n) && protocol == 0x21 && n == 1);
    CHECK(reads("c021", true, &protocol, &n) && protocol == 0xc021 && n == 0);
}

TEST(ppp_frame_wrap_puts_the_header_in_front)
{
    uint8_t room[8];
    struct mspan f;

    memset(room, 0x55, sizeof(room));
    f = ppp_frame_wrap(PPP_PROTO_IP, (struct mspan){room + 4, 4});
    CHECK(f.p == room);
    CHECK_HEX(f.p, f.n, "ff030021 55555555");
}
