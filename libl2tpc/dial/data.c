/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dial/data.h"

#include "base/limits.h"
#include "dial/data_path.h"
#include "l2tp/data.h"
#include "ppp/ppp.h"
#include "wire/rd.h"

#include <string.h>

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

/* The SA of a packet; without one it is kept or counted. */
static struct esp_in *sa_of(struct data_path *d, struct span packet)
{
    struct rd r = rd_of(packet);
    struct esp_in *in;
    uint32_t spi;

    if (!rd_u32(&r, &spi)) {
        d->counters.unknown_spi++;
        return NULL;
    }
    in = find_in(d, spi);
    if (!in && !(data_is_offered(d, spi) && packets_push(&d->early, spi, packet)))
        d->counters.unknown_spi++;
    return in;
}

void data_open_batch(struct data_path *d, struct esp_packet *packets, size_t n)
{
    size_t from = 0;

    while (from < n) {
        struct esp_in *in = sa_of(d, span_ro(packets[from].data));
        size_t to = from + 1;

        if (!in) {
            packets[from++].verdict = ESP_FAILED;
            continue;
        }
        while (to < n && packets[to].data.n >= 4 &&
               memcmp(packets[to].data.p, packets[from].data.p, 4) == 0)
            to++; /* the same SPI: nearly always all of them */
        (void)esp_open_batch(in, packets + from, to - from);
        from = to;
    }
}

enum data_kind data_take(struct data_path *d, const struct esp_packet *opened, struct mspan *out)
{
    return opened->verdict == ESP_OK ? open_message(d, opened->data, out) : DATA_NOTHING;
}

enum data_kind data_open(struct data_path *d, struct mspan packet, struct mspan *out)
{
    struct esp_packet one = {.data = packet, .verdict = ESP_FAILED};

    data_open_batch(d, &one, 1);
    return data_take(d, &one, out);
}

bool data_seal_control(struct data_path *d, struct mspan message, struct mspan *packet)
{
    return d->out && esp_seal(d->out, message, packet) == ESP_OK;
}

static struct mspan wrap(struct data_path *d, struct mspan frame)
{
    if (d->sequenced)
        return l2tp_data_wrap_sequenced(d->peer_tunnel_id, d->peer_session_id, d->ns++, frame);
    return l2tp_data_wrap(d->peer_tunnel_id, d->peer_session_id, frame);
}

/* All headers inside ESP. */
static size_t envelope(const struct data_path *d)
{
    return L2TP_DATA_HEADER + (d->sequenced ? L2TP_DATA_SEQUENCE : 0u) + PPP_FRAME_HEADER;
}

bool data_seal_frame(struct data_path *d, struct mspan frame, struct mspan *packet)
{
    return d->call_up && data_seal_control(d, wrap(d, frame), packet);
}

bool data_room(struct data_path *d, size_t ip_length, struct data_room *out)
{
    if (!d->ip_open || !d->call_up || !d->out) {
        d->counters.not_open++;
        return false;
    }
    out->front = esp_out_head(d->out) + envelope(d);
    out->total = esp_out_size(d->out, envelope(d) + ip_length);
    return true;
}

bool data_wrap_ip(struct data_path *d, struct mspan ip, struct mspan *message)
{
    /* IPV6CP is not spoken, so IPv6 has no way through the link. */
    if (!d->ip_open || !d->call_up || ip.n == 0 || ip.p[0] >> 4 != 4) {
        d->counters.not_open++;
        return false;
    }
    *message = wrap(d, ppp_frame_wrap(PPP_PROTO_IP, ip));
    return true;
}

size_t data_seal_batch(struct data_path *d, struct esp_packet *packets, size_t n)
{
    uint64_t before[DATA_BATCH_MAX];
    size_t sealed;

    if (!d->out || n > DATA_BATCH_MAX) {
        for (size_t i = 0; i < n; i++)
            packets[i].verdict = ESP_FAILED;
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        before[i] = packets[i].data.n - envelope(d);
    sealed = esp_seal_batch(d->out, packets, n);
    d->counters.ip_out += sealed;
    for (size_t i = 0; i < n; i++)
        if (packets[i].verdict == ESP_OK)
            d->counters.ip_out_bytes += before[i];
    return sealed;
}

bool data_seal_ip(struct data_path *d, struct mspan ip, struct mspan *packet)
{
    struct esp_packet one = {.verdict = ESP_FAILED};

    if (!data_wrap_ip(d, ip, &one.data) || data_seal_batch(d, &one, 1) != 1)
        return false;
    *packet = one.data;
    return true;
}

uint16_t data_mtu(const struct data_path *d)
{
    return d->mtu;
}

bool data_udp_encapsulated(const struct data_path *d)
{
    return d->udp_encapsulated;
}

const struct endpoint *data_peer(const struct data_path *d)
{
    return &d->peer;
}

void data_note_joined(struct data_path *d, uint64_t in, uint64_t out)
{
    d->counters.joined_in += in;
    d->counters.joined_out += out;
}

const struct data_counters *data_counters(const struct data_path *d)
{
    return &d->counters;
}
