/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "io/mss.h"

#include "io/layout.h"
#include "wire/rd.h"
#include "wire/wr.h"

enum {
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTION_MSS = 2,
    OPTION_MSS_LENGTH = 4,
};

/* The TCP segment of a packet that is whole, or at least has its beginning; false when none. */
static bool find_tcp(struct span ip, struct rd *out, size_t *out_header)
{
    struct rd r = rd_of(ip);
    uint16_t fragment;
    uint8_t version;
    uint8_t protocol;

    if (!rd_u8(&r, &version))
        return false;
    if (version >> 4 == 6) {
        *out_header = IPV6_HEADER;
        if (!rd_skip(&r, 5) || !rd_u8(&r, &protocol))
            return false;
    } else {
        *out_header = (size_t)(version & 15) * 4;
        if (version >> 4 != 4 || *out_header < IPV4_HEADER || !rd_skip(&r, 5) ||
            !rd_u16(&r, &fragment) || (fragment & IPV4_FRAGMENT) || !rd_skip(&r, 1) ||
            !rd_u8(&r, &protocol))
            return false;
    }
    *out = rd_of(ip);
    return protocol == PROTO_TCP && rd_skip(out, *out_header);
}

/* Where the value of the option stands behind the fixed header; false when there is none. */
static bool find_option(struct rd options, size_t *out_at, uint16_t *out_mss)
{
    size_t whole = rd_left(&options);
    uint8_t kind;
    uint8_t length;

    while (rd_u8(&options, &kind) && kind != OPTION_END) {
        if (kind == OPTION_NOP)
            continue;
        if (!rd_u8(&options, &length) || length < 2)
            return false;
        *out_at = whole - rd_left(&options);
        if (kind == OPTION_MSS)
            return length == OPTION_MSS_LENGTH && rd_u16(&options, out_mss);
        if (!rd_skip(&options, length - 2u))
            return false;
    }
    return false;
}

/* RFC 1624 for one field; at an odd place its bytes count the other way round. */
static uint16_t adjusted(uint16_t sum, uint16_t before, uint16_t after, bool odd)
{
    uint32_t total;

    if (odd) {
        before = (uint16_t)(before << 8 | before >> 8);
        after = (uint16_t)(after << 8 | after >> 8);
    }
    total = (uint32_t)(uint16_t)~sum + (uint16_t)~before + after;
    total = (total & 0xffff) + (total >> 16);
    total = (total & 0xffff) + (total >> 16);
    return (uint16_t)~total;
}

bool mss_clamp(struct mspan ip, uint16_t mtu)
{
    struct span done;
    struct rd tcp;
    struct rd options;
    size_t header;
    size_t at;
    uint8_t offset;
    uint8_t flags;
    uint16_t sum;
    uint16_t mss;
    uint16_t most;
    struct wr w;

    if (!find_tcp(span_ro(ip), &tcp, &header) || !rd_skip(&tcp, 12) || !rd_u8(&tcp, &offset) ||
        !rd_u8(&tcp, &flags) || !(flags & TCP_SYN) || !rd_skip(&tcp, 2) || !rd_u16(&tcp, &sum) ||
        !rd_skip(&tcp, 2))
        return false;
    if (offset >> 4 < 5 || !rd_sub(&tcp, (size_t)(offset >> 4) * 4 - TCP_HEADER, &options) ||
        !find_option(options, &at, &mss) || mtu <= header + TCP_HEADER)
        return false;
    most = (uint16_t)(mtu - header - TCP_HEADER);
    if (mss <= most)
        return false;
    w = wr_of(ip.p, ip.n);
    w.n = ip.n;
    wr_patch_u16(&w, header + TCP_HEADER + at, most);
    wr_patch_u16(&w, header + TCP_SUM, adjusted(sum, mss, most, at & 1));
    return wr_finish(&w, &done);
}
