/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "l2tp/data.h"

#include "wire/rd.h"
#include "wire/wr.h"

enum {
    FLAG_T = 0x8000,
    FLAG_L = 0x4000,
    FLAG_S = 0x0800,
    FLAG_O = 0x0200,
    VERSION_MASK = 0x000f,
    VERSION_2 = 2,
};

bool l2tp_classify(struct span message, bool *out_is_control)
{
    struct rd r = rd_of(message);
    uint16_t flags;

    /* RFC 2661 3.1: version 2, all others MUST be discarded. */
    if (!rd_u16(&r, &flags) || (flags & VERSION_MASK) != VERSION_2)
        return false;
    *out_is_control = flags & FLAG_T;
    return true;
}

bool l2tp_data_read(struct mspan message, struct l2tp_data *out)
{
    struct rd r = rd_of(span_ro(message));
    struct l2tp_data d;
    uint16_t flags;
    uint16_t length;
    uint16_t offset;
    size_t trailing = 0;
    size_t at;

    if (!rd_u16(&r, &flags) || (flags & FLAG_T) || (flags & VERSION_MASK) != VERSION_2)
        return false;
    if (flags & FLAG_L) {
        if (!rd_u16(&r, &length) || length > message.n)
            return false;
        trailing = message.n - length;
    }
    if (!rd_u16(&r, &d.tunnel_id) || !rd_u16(&r, &d.session_id))
        return false;
    /* Ns orders nothing here, as IP needs no order. The P bit needs no care. */
    d.sequenced = flags & FLAG_S;
    if (d.sequenced && !rd_skip(&r, L2TP_DATA_SEQUENCE))
        return false;
    if ((flags & FLAG_O) && (!rd_u16(&r, &offset) || !rd_skip(&r, offset)))
        return false;
    if (rd_left(&r) < trailing)
        return false; /* the length ends inside the header */
    at = message.n - rd_left(&r);
    d.payload = (struct mspan){message.p + at, rd_left(&r) - trailing};
    *out = d;
    return true;
}

static struct mspan wrap(uint16_t flags, size_t header, uint16_t peer_tunnel_id,
                         uint16_t peer_session_id, uint16_t ns, struct mspan payload)
{
    struct mspan message = {payload.p - header, payload.n + header};
    struct wr w = wr_of(message.p, header);

    wr_u16(&w, flags | FLAG_L | VERSION_2);
    wr_u16(&w, (uint16_t)message.n);
    wr_u16(&w, peer_tunnel_id);
    wr_u16(&w, peer_session_id);
    if (flags & FLAG_S) {
        wr_u16(&w, ns);
        wr_u16(&w, 0);
    }
    return message;
}

struct mspan l2tp_data_wrap(uint16_t peer_tunnel_id, uint16_t peer_session_id, struct mspan payload)
{
    return wrap(0, L2TP_DATA_HEADER, peer_tunnel_id, peer_session_id, 0, payload);
}

struct mspan l2tp_data_wrap_sequenced(uint16_t peer_tunnel_id, uint16_t peer_session_id,
                                      uint16_t ns, struct mspan payload)
{
    return wrap(FLAG_S, L2TP_DATA_HEADER + L2TP_DATA_SEQUENCE, peer_tunnel_id, peer_session_id, ns,
                payload);
}
