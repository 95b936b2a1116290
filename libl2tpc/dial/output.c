/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the engines' messages become datagrams. IKE goes as it is; L2TP and PPP can only leave
 * through data_seal_*: there is no other path for them.
 */
#include "dial/internal.h"

#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

/* RFC 3948 2.2: IKE on 4500 stands behind four zero bytes. */
#define MARKER 4

static bool pop_ike(struct dial *d, enum dial_path *path, struct endpoint *to, struct msg *out)
{
    const struct ike *ike = d->leaving;
    struct msg m;
    uint8_t *marked;
    size_t n;

    if (d->leaving && !ike_pop_out(d->leaving, &m)) {
        ike_free(d->leaving);
        d->leaving = NULL;
    }
    if (!d->leaving) {
        ike = d->ike;
        if (!d->ike || !ike_pop_out(d->ike, &m))
            return false;
    }
    *path = m.tag == IKE_PORT_500 ? DIAL_PATH_IKE : DIAL_PATH_NATT;
    *to = *ike_peer(ike, m.tag == IKE_PORT_500 ? IKE_PORT_500 : IKE_PORT_4500);
    if (m.tag != IKE_PORT_4500) {
        *out = m;
        out->tag = 0;
        return true;
    }
    n = m.n + MARKER;
    marked = calloc(1, n);
    if (!marked) { /* as good as lost on the way: it is sent again */
        msg_done(&m);
        return false;
    }
    memcpy(marked + MARKER, m.bytes, m.n);
    msg_done(&m);
    *out = (struct msg){.bytes = marked, .n = n};
    return true;
}

enum kind {
    KIND_CONTROL, /* an L2TP message */
    KIND_FRAME,   /* a PPP frame */
    KIND_IP,      /* an IP packet */
};

static bool seal_kind(struct dial *d, enum kind kind, struct mspan inner, struct mspan *packet)
{
    if (kind == KIND_CONTROL)
        return data_seal_control(&d->data, inner, packet);
    if (kind == KIND_IP && !d->data.now.ip_open)
        return false;
    return data_seal_frame(&d->data, kind == KIND_IP ? ppp_frame_wrap(PPP_PROTO_IP, inner) : inner,
                           packet);
}

/* Seals a copy of the message with room around it; the packet takes the message's place. */
static bool seal(struct dial *d, struct msg *m, enum kind kind, struct msg *out)
{
    size_t cap = DATA_HEADROOM + m->n + DATA_TAILROOM;
    uint8_t *room = malloc(cap);
    struct mspan packet;
    struct mspan inner;
    bool ok = false;

    if (room) {
        inner = (struct mspan){room + DATA_HEADROOM, m->n};
        memcpy(inner.p, m->bytes, m->n);
        ok = seal_kind(d, kind, inner, &packet);
    }
    if (ok) {
        memmove(room, packet.p, packet.n);
        *out = (struct msg){.bytes = room, .n = packet.n};
    } else {
        wipe_free(room, room ? cap : 0);
    }
    msg_done(m);
    return ok;
}

static bool pop_sealed(struct dial *d, enum dial_path *path, struct endpoint *to, struct msg *out)
{
    struct msg m;

    while (d->l2tp && l2tp_pop_out(d->l2tp, &m)) {
        if (seal(d, &m, KIND_CONTROL, out))
            goto sealed;
    }
    while (d->ppp && ppp_pop_out(d->ppp, &m)) {
        bool whole = m.tag == PPP_OUT_WHOLE;

        if (!seal(d, &m, KIND_FRAME, out))
            continue;
        out->tag = whole ? DIAL_OUT_WHOLE : 0;
        goto sealed;
    }
    while (d->dhcpinform && dhcpinform_pop_out(d->dhcpinform, &m)) {
        if (seal(d, &m, KIND_IP, out))
            goto sealed;
    }
    return false;
sealed:
    *path = d->data.now.udp_encapsulated ? DIAL_PATH_NATT : DIAL_PATH_ESP;
    *to = d->data.now.peer;
    return true;
}

bool dial_pop_out(struct dial *d, enum dial_path *path, struct endpoint *to, struct msg *out)
{
    /* At the end the last L2TP words must go before the Deletes. */
    if (d->closing != CLOSING_NOT && pop_sealed(d, path, to, out))
        return true;
    return pop_ike(d, path, to, out) || pop_sealed(d, path, to, out);
}

bool dial_pop_ip(struct dial *d, struct msg *out)
{
    return packets_pop(&d->ip, out);
}
