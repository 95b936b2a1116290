/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dial/data.h"

#include "base/limits.h"
#include "dial/data_path.h"
#include "l2tp/data.h"
#include "ppp/ppp.h"
#include "wire/rd.h"

_Static_assert(DATA_HEADROOM >=
                   ESP_HEADROOM + L2TP_DATA_HEADER + L2TP_DATA_SEQUENCE + PPP_FRAME_HEADER,
               "headroom");

static struct esp_in *find_in(const struct data_path *d, uint32_t spi)
{
    for (unsigned i = 0; i < DATA_PAIRS_MAX; i++)
        if (d->pair[i].in && esp_in_spi(d->pair[i].in) == spi)
            return d->pair[i].in;
    return NULL;
}

bool data_owns_spi(const struct data_path *d, uint32_t spi)
{
    return find_in(d, spi) != NULL || data_is_offered(d, spi);
}

/* An inner packet must be what it says (hostile.md H75); bytes behind its own length are cut off.
 */
static bool ip_is_sound(struct mspan *ip)
{
    struct rd r = rd_of(span_ro(*ip));
    uint8_t version;
    uint16_t length;

    if (!rd_u8(&r, &version))
        return false;
    if (version >> 4 == 4) {
        if ((version & 15) < 5 || !rd_skip(&r, 1) || !rd_u16(&r, &length))
            return false;
        if (length < (version & 15) * 4 || length > ip->n)
            return false;
        ip->n = length;
        return true;
    }
    if (version >> 4 != 6 || !rd_skip(&r, 3) || !rd_u16(&r, &length))
        return false;
    if (ip->n < 40 || length > ip->n - 40)
        return false;
    ip->n = (size_t)length + 40;
    return true;
}

static enum data_kind open_frame(struct data_path *d, struct mspan frame, struct mspan *out)
{
    uint16_t protocol;
    struct mspan info;

    if (!ppp_frame_read(frame, d->pfc, &protocol, &info) || protocol != PPP_PROTO_IP) {
        *out = frame; /* the PPP engine judges it, broken or not */
        return DATA_PPP;
    }
    if (!d->ip_open) {
        d->counters.not_open++;
        return DATA_NOTHING;
    }
    if (!ip_is_sound(&info)) {
        d->counters.bad_ip++;
        return DATA_NOTHING;
    }
    d->counters.ip_in++;
    d->counters.ip_in_bytes += info.n;
    *out = info;
    return DATA_IP;
}

static enum data_kind open_message(struct data_path *d, struct mspan message, struct mspan *out)
{
    struct l2tp_data data;
    bool is_control;

    if (!l2tp_classify(span_ro(message), &is_control)) {
        d->counters.bad_l2tp++;
        return DATA_NOTHING;
    }
    if (is_control) {
        *out = message;
        return DATA_CONTROL;
    }
    if (!l2tp_data_read(message, &data) || !d->call_up || data.tunnel_id != d->tunnel_id ||
        data.session_id != d->session_id) {
        d->counters.bad_l2tp++;
        return DATA_NOTHING;
    }
    d->sequenced = data.sequenced; /* RFC 2661 5.4: the LNS decides, at any time */
    return open_frame(d, data.payload, out);
}

enum data_kind data_open(struct data_path *d, struct mspan packet, struct mspan *out)
{
    struct rd r = rd_of(span_ro(packet));
    struct mspan message;
    struct esp_in *in;
    uint32_t spi;

    if (!rd_u32(&r, &spi)) {
        d->counters.unknown_spi++;
        return DATA_NOTHING;
    }
    in = find_in(d, spi);
    if (!in && data_is_offered(d, spi) && packets_push(&d->early, spi, span_ro(packet)))
        return DATA_NOTHING;
    if (!in) {
        d->counters.unknown_spi++;
        return DATA_NOTHING;
    }
    if (esp_open(in, packet, &message) != ESP_OK)
        return DATA_NOTHING;
    return open_message(d, message, out);
}

bool data_seal_control(struct data_path *d, struct mspan message, struct mspan *packet)
{
    return d->out && esp_seal(d->out, message, packet) == ESP_OK;
}

bool data_seal_frame(struct data_path *d, struct mspan frame, struct mspan *packet)
{
    struct mspan message;

    if (!d->call_up)
        return false;
    message = d->sequenced
                  ? l2tp_data_wrap_sequenced(d->peer_tunnel_id, d->peer_session_id, d->ns++, frame)
                  : l2tp_data_wrap(d->peer_tunnel_id, d->peer_session_id, frame);
    return data_seal_control(d, message, packet);
}

bool data_seal_ip(struct data_path *d, struct mspan ip, struct mspan *packet)
{
    /* IPV6CP is not spoken, so IPv6 has no way through the link. */
    if (!d->ip_open || ip.n == 0 || ip.p[0] >> 4 != 4) {
        d->counters.not_open++;
        return false;
    }
    if (!data_seal_frame(d, ppp_frame_wrap(PPP_PROTO_IP, ip), packet))
        return false;
    d->counters.ip_out++;
    d->counters.ip_out_bytes += ip.n;
    return true;
}

bool data_udp_encapsulated(const struct data_path *d)
{
    return d->udp_encapsulated;
}

const struct endpoint *data_peer(const struct data_path *d)
{
    return &d->peer;
}

const struct data_counters *data_counters(const struct data_path *d)
{
    return &d->counters;
}
