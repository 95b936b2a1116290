/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dial/data.h"

#include "base/limits.h"
#include "dial/data_path.h"
#include "l2tp/data.h"
#include "ppp/dhcpinform.h"
#include "ppp/ppp.h"
#include "wire/rd.h"

#include <string.h>

_Static_assert(DATA_HEADROOM >=
                   ESP_HEADROOM + L2TP_DATA_HEADER + L2TP_DATA_SEQUENCE + PPP_FRAME_HEADER,
               "headroom");

/* Good until the caller's turn is over. */
static const struct data_params *params_of(const struct data_path *d)
{
    const struct data_params *live = atomic_load(&d->live);

    return live ? live : &d->now;
}

static struct esp_in *find_in(const struct data_params *p, uint32_t spi)
{
    for (unsigned i = 0; i < DATA_PAIRS_MAX; i++)
        if (p->in[i] && esp_in_spi(p->in[i]) == spi)
            return p->in[i];
    return NULL;
}

static bool is_offered(const struct data_params *p, uint32_t spi)
{
    for (unsigned i = 0; i < p->n_offered; i++)
        if (p->offered[i] == spi)
            return true;
    return false;
}

bool data_owns_spi(const struct data_path *d, uint32_t spi)
{
    const struct data_params *p = params_of(d);

    return find_in(p, spi) != NULL || is_offered(p, spi);
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

static enum data_kind open_frame(struct data_path *d, const struct data_params *p,
                                 struct mspan frame, struct mspan *out)
{
    uint16_t protocol;
    struct mspan info;

    if (!ppp_frame_read(frame, p->pfc, &protocol, &info) || protocol != PPP_PROTO_IP) {
        *out = frame; /* the PPP engine judges it, broken or not */
        return DATA_PPP;
    }
    if (!p->ip_open) {
        tally_add(&d->not_open_in, 1);
        return DATA_NOTHING;
    }
    if (!ip_is_sound(&info)) {
        tally_add(&d->bad_ip, 1);
        return DATA_NOTHING;
    }
    *out = info;
    if (p->dhcp_awaited && dhcp_answer_may_be(span_ro(info)))
        return DATA_DHCP;
    tally_add(&d->ip_in, 1);
    tally_add(&d->ip_in_bytes, info.n);
    return DATA_IP;
}

static enum data_kind open_message(struct data_path *d, struct mspan message, struct mspan *out)
{
    const struct data_params *p = params_of(d);
    struct l2tp_data data;
    bool is_control;

    if (!l2tp_classify(span_ro(message), &is_control)) {
        tally_add(&d->bad_l2tp, 1);
        return DATA_NOTHING;
    }
    if (is_control) {
        *out = message;
        return DATA_CONTROL;
    }
    if (!l2tp_data_read(message, &data) || !p->call_up || data.tunnel_id != p->tunnel_id ||
        data.session_id != p->session_id) {
        tally_add(&d->bad_l2tp, 1);
        return DATA_NOTHING;
    }
    /* RFC 2661 5.4: the LNS decides, at any time */
    atomic_store_explicit(&d->sequenced, data.sequenced, memory_order_relaxed);
    return open_frame(d, p, data.payload, out);
}

/* The SA of a packet; without one the verdict says whether it is worth being kept. */
static struct esp_in *sa_of(struct data_path *d, struct esp_packet *packet)
{
    const struct data_params *p = params_of(d);
    struct rd r = rd_of(span_ro(packet->data));
    struct esp_in *in = NULL;
    uint32_t spi;

    packet->verdict = ESP_FAILED;
    if (rd_u32(&r, &spi)) {
        in = find_in(p, spi);
        if (!in && is_offered(p, spi))
            packet->verdict = ESP_KEYLESS;
    }
    if (!in && packet->verdict == ESP_FAILED)
        tally_add(&d->unknown_spi, 1);
    return in;
}

void data_open_batch(struct data_path *d, struct esp_packet *packets, size_t n)
{
    size_t from = 0;

    d->begun = false;
    while (from < n) {
        struct esp_in *in = sa_of(d, &packets[from]);
        size_t to = from + 1;
        bool unused;

        if (!in) {
            from++;
            continue;
        }
        while (to < n && packets[to].data.n >= 4 &&
               memcmp(packets[to].data.p, packets[from].data.p, 4) == 0)
            to++; /* the same SPI: nearly always all of them */
        unused = esp_in_is_unused(in);
        (void)esp_open_batch(in, packets + from, to - from);
        d->begun = d->begun || (unused && !esp_in_is_unused(in));
        from = to;
    }
}

bool data_has_begun(const struct data_path *d)
{
    return d->begun;
}

enum data_kind data_take(struct data_path *d, const struct esp_packet *opened, struct mspan *out)
{
    if (opened->verdict == ESP_KEYLESS) {
        *out = opened->data;
        return DATA_EARLY;
    }
    return opened->verdict == ESP_OK ? open_message(d, opened->data, out) : DATA_NOTHING;
}

enum data_kind data_open(struct data_path *d, struct mspan packet, struct mspan *out)
{
    struct esp_packet one = {.data = packet, .verdict = ESP_FAILED};
    enum data_kind kind;

    turns_hold(d->turns);
    data_publish(d);
    data_open_batch(d, &one, 1);
    kind = data_take(d, &one, out);
    turns_let_go(d->turns);
    if (kind != DATA_EARLY)
        return kind;
    data_keep_early(d, span_ro(*out));
    return DATA_NOTHING;
}

bool data_is_sequenced(const struct data_path *d)
{
    return atomic_load_explicit(&d->sequenced, memory_order_relaxed);
}

void data_begin_run(struct data_path *d)
{
    d->run = atomic_load(&d->live);
    d->run_sequenced = data_is_sequenced(d);
}

/* Sizes that were measured hold for as long as a run: neither keys nor headers change in it. */
static const struct data_params *run_params(const struct data_path *d)
{
    return d->run ? d->run : &d->now;
}

static bool run_is_sequenced(const struct data_path *d)
{
    return d->run ? d->run_sequenced : data_is_sequenced(d);
}

static struct mspan wrap(struct data_path *d, const struct data_params *p, bool sequenced,
                         struct mspan frame)
{
    if (sequenced)
        return l2tp_data_wrap_sequenced(p->peer_tunnel_id, p->peer_session_id, d->ns++, frame);
    return l2tp_data_wrap(p->peer_tunnel_id, p->peer_session_id, frame);
}

/* The sender's number and its IVs belong to who sends: that one waits for so long. */
static bool seal_now(struct data_path *d, bool is_frame, struct mspan inner, struct mspan *packet)
{
    const struct data_params *p = &d->now;
    bool ok;

    turns_hold(d->turns);
    ok = p->out && (!is_frame || p->call_up) &&
         esp_seal(p->out, is_frame ? wrap(d, p, data_is_sequenced(d), inner) : inner, packet) ==
             ESP_OK;
    turns_let_go(d->turns);
    return ok;
}

bool data_seal_control(struct data_path *d, struct mspan message, struct mspan *packet)
{
    return seal_now(d, false, message, packet);
}

bool data_seal_frame(struct data_path *d, struct mspan frame, struct mspan *packet)
{
    return seal_now(d, true, frame, packet);
}

/* All headers inside ESP. */
static size_t envelope(const struct data_path *d)
{
    return L2TP_DATA_HEADER + (run_is_sequenced(d) ? L2TP_DATA_SEQUENCE : 0u) + PPP_FRAME_HEADER;
}

bool data_room(struct data_path *d, size_t ip_length, struct data_room *out)
{
    const struct data_params *p = run_params(d);
    size_t headers = envelope(d);

    if (!p->ip_open || !p->call_up || !p->out) {
        tally_add(&d->not_open_out, 1);
        return false;
    }
    out->front = esp_out_head(p->out) + headers;
    out->total = esp_out_size(p->out, headers + ip_length);
    return true;
}

bool data_wrap_ip(struct data_path *d, struct mspan ip, struct mspan *message)
{
    const struct data_params *p = run_params(d);

    /* IPV6CP is not spoken, so IPv6 has no way through the link. */
    if (!p->ip_open || !p->call_up || ip.n == 0 || ip.p[0] >> 4 != 4) {
        tally_add(&d->not_open_out, 1);
        return false;
    }
    *message = wrap(d, p, run_is_sequenced(d), ppp_frame_wrap(PPP_PROTO_IP, ip));
    return true;
}

size_t data_seal_batch(struct data_path *d, struct esp_packet *packets, size_t n)
{
    const struct data_params *p = run_params(d);
    uint64_t before[DATA_BATCH_MAX];
    uint64_t bytes = 0;
    size_t sealed;

    if (!p->out || n > DATA_BATCH_MAX) {
        for (size_t i = 0; i < n; i++)
            packets[i].verdict = ESP_FAILED;
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        before[i] = packets[i].data.n - envelope(d);
    sealed = esp_seal_batch(p->out, packets, n);
    for (size_t i = 0; i < n; i++)
        if (packets[i].verdict == ESP_OK)
            bytes += before[i];
    tally_add(&d->ip_out, sealed);
    tally_add(&d->ip_out_bytes, bytes);
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
    return params_of(d)->mtu;
}

bool data_udp_encapsulated(const struct data_path *d)
{
    return params_of(d)->udp_encapsulated;
}

const struct endpoint *data_peer(const struct data_path *d)
{
    return &params_of(d)->peer;
}

void data_note_joined(struct data_path *d, uint64_t in, uint64_t out)
{
    if (in > 0)
        tally_add(&d->joined_in, in);
    if (out > 0)
        tally_add(&d->joined_out, out);
}

struct data_counters data_counters(const struct data_path *d)
{
    return (struct data_counters){
        .ip_in = tally_read(&d->ip_in),
        .ip_in_bytes = tally_read(&d->ip_in_bytes),
        .ip_out = tally_read(&d->ip_out),
        .ip_out_bytes = tally_read(&d->ip_out_bytes),
        .unknown_spi = tally_read(&d->unknown_spi) + d->early_lost,
        .bad_l2tp = tally_read(&d->bad_l2tp),
        .not_open = tally_read(&d->not_open_in) + tally_read(&d->not_open_out),
        .bad_ip = tally_read(&d->bad_ip),
        .joined_in = tally_read(&d->joined_in),
        .joined_out = tally_read(&d->joined_out),
    };
}
