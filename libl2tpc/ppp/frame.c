/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 1661 section 2 without HDLC: address and control, protocol, information. */
#include "ppp/engine.h"
#include "wire/dict.h"
#include "wire/rd.h"

static const struct dict protocols[] = {
#define PPP_PROTOCOL(id, number, name) {number, name},
#include "ppp/option.def"
};

const char *ppp_protocol_name(uint16_t protocol)
{
    const char *name = DICT_NAME(protocols, protocol);

    return name ? name : "unknown protocol";
}

bool frame_split(struct span frame, bool pfc, uint16_t *out_protocol, struct span *out_info)
{
    struct rd r = rd_of(frame);
    struct rd ahead = r;
    uint16_t head;
    uint8_t hi;
    uint8_t lo = 0;

    if (rd_u16(&ahead, &head) && head == 0xff03)
        r = ahead;
    if (!rd_u8(&r, &hi))
        return false;
    /* The first octet of two is even, the last one odd; FF is never a protocol by itself. */
    if (hi & 1) {
        if (!pfc || hi == 0xff)
            return false;
    } else if (!rd_u8(&r, &lo) || !(lo & 1)) {
        return false;
    }
    *out_protocol = (uint16_t)(hi & 1 ? hi : hi << 8 | lo);
    *out_info = rd_rest(&r);
    return true;
}

bool ppp_frame_read(struct mspan frame, bool pfc, uint16_t *out_protocol, struct mspan *out_info)
{
    struct span info;

    if (!frame_split(span_ro(frame), pfc, out_protocol, &info))
        return false;
    *out_info = (struct mspan){frame.p + (frame.n - info.n), info.n};
    return true;
}

struct mspan ppp_frame_wrap(uint16_t protocol, struct mspan info)
{
    struct mspan frame = {info.p - PPP_FRAME_HEADER, info.n + PPP_FRAME_HEADER};

    frame.p[0] = 0xff;
    frame.p[1] = 0x03;
    frame.p[2] = (uint8_t)(protocol >> 8);
    frame.p[3] = (uint8_t)protocol;
    return frame;
}

size_t ppp_body_cap(const struct ppp *p)
{
    size_t mru = p->facts.peer_mru;

    return (mru < PPP_MRU_MAX ? mru : PPP_MRU_MAX) - 4;
}

static void send_packet(struct ppp *p, uint32_t tag, uint16_t protocol, struct span packet)
{
    uint8_t room[PPP_FRAME_MAX];
    struct wr w = wr_of(room, sizeof(room));
    struct span frame;

    wr_u16(&w, 0xff03);
    wr_u16(&w, protocol);
    wr_bytes(&w, packet);
    if (wr_finish(&w, &frame) && msgq_push(&p->out, tag, frame))
        p->facts.sent++;
    wipe(room, sizeof(room)); /* PAP carries the password */
}

void ppp_send_packet(struct ppp *p, uint16_t protocol, struct span packet)
{
    send_packet(p, 0, protocol, packet);
}

void ppp_send(struct ppp *p, uint16_t protocol, uint8_t code, uint8_t id, struct span body)
{
    ppp_send_tagged(p, 0, protocol, code, id, body);
}

void ppp_send_tagged(struct ppp *p, uint32_t tag, uint16_t protocol, uint8_t code, uint8_t id,
                     struct span body)
{
    uint8_t room[PPP_MRU_MAX];
    struct wr w = wr_of(room, ppp_body_cap(p) + 4);
    struct span packet;

    wr_u8(&w, code);
    wr_u8(&w, id);
    wr_u16(&w, (uint16_t)(body.n + 4));
    wr_bytes(&w, body);
    if (!wr_finish(&w, &packet))
        return;
    if (protocol == PROTO_LCP || protocol == PROTO_IPCP)
        env_log(p->config.env, LOG_LEVEL_DEBUG, "ppp", "send %s %s id %u, %zu bytes",
                ppp_protocol_name(protocol), cp_code_name(code), id, packet.n);
    send_packet(p, tag, protocol, packet);
}
