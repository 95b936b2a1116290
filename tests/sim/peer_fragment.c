/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * IKE fragments from the server's side, written from [MS-IKEE] 2.2.3.1: strict about what comes,
 * and as plain as strongSwan and Libreswan in what goes (ID 1, no Encryption flag).
 */
#include "peer_i.h"

#define FRAGMENT_HEAD 36

void peer_fragment_send(struct peer *p, const struct ike_sa *sa, struct span m)
{
    size_t size = p->config.fragment, n = (m.n + size - 1) / size;

    for (size_t k = 0; k < n; k++) {
        size_t i = p->config.fragments_backwards ? n - 1 - k : k;
        struct span piece = span_of(m.p + i * size, i + 1 < n ? size : m.n - i * size);
        uint8_t d[PEER_MESSAGE_MAX];
        struct wr w = wr_of(d, sizeof(d));
        struct span out;

        wr_bytes(&w, span_of(m.p, 16));
        wr_u8(&w, PL_FRAGMENT);
        wr_u8(&w, 0x10);
        wr_u8(&w, m.p[18]);
        wr_u8(&w, m.p[19] & 0xfe);
        wr_bytes(&w, span_of(m.p + 20, 4));
        wr_u32(&w, (uint32_t)(FRAGMENT_HEAD + piece.n));
        wr_u16(&w, 0);
        wr_u16(&w, (uint16_t)(8 + piece.n));
        wr_u16(&w, 1);
        wr_u8(&w, (uint8_t)(i + 1));
        wr_u8(&w, i + 1 == n);
        wr_bytes(&w, piece);
        if (wr_finish(&w, &out))
            peer_ike_datagram(p, sa, out);
        p->facts.fragments_out++;
    }
}

static bool complete(const struct peer_fragments *f, struct wr *w)
{
    for (unsigned i = 0; i < f->last; i++) {
        if (f->n[i] == 0)
            return false;
        wr_bytes(w, span_of(f->bytes[i], f->n[i]));
    }
    return f->last > 0;
}

bool peer_fragment_recv(struct peer *p, const struct isakmp *m, uint8_t room[PEER_MESSAGE_MAX],
                        struct span *out)
{
    struct peer_fragments *f = &p->fragments;
    struct rd r = rd_of(m->body);
    struct wr w = wr_of(room, PEER_MESSAGE_MAX);
    uint8_t next, reserved, number, flags;
    uint16_t length, id;
    struct span data;

    p->facts.fragments_in++;
    if (p->config.fragment == 0 && p->config.flavour != PEER_PPPD)
        peer_complain(p, "a fragment, which was not announced");
    if (!rd_u8(&r, &next) || !rd_u8(&r, &reserved) || !rd_u16(&r, &length) || !rd_u16(&r, &id) ||
        !rd_u8(&r, &number) || !rd_u8(&r, &flags) || next || reserved || length != m->body.n ||
        flags > 1 || number < 1 || number > PEER_FRAGMENTS_MAX || m->flags & ISAKMP_E ||
        rd_left(&r) == 0 || rd_left(&r) > sizeof(f->bytes[0])) {
        peer_complain(p, "malformed fragment");
        return false;
    }
    if (id != f->id || memcmp(f->cky_r, m->cky_r, 8) != 0 || m->msgid != f->msgid) {
        *f = (struct peer_fragments){.id = id, .msgid = m->msgid};
        memcpy(f->cky_r, m->cky_r, 8);
    }
    data = rd_rest(&r);
    if (f->n[number - 1] && !span_eq(data, span_of(f->bytes[number - 1], f->n[number - 1])))
        peer_complain(p, "fragment %u of %u differs from the one before", number, id);
    memcpy(f->bytes[number - 1], data.p, data.n);
    f->n[number - 1] = data.n;
    if (flags)
        f->last = number;
    if (!complete(f, &w) || !wr_finish(&w, out))
        return false;
    memset(f->n, 0, sizeof(f->n));
    f->last = 0;
    return true;
}
