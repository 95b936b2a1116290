/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Transport-mode ESP (RFC 4303), plain and slow: keys are scheduled for each packet. */
#include "peer_i.h"

#define ESP_MAX 4096
#define NEXT_UDP 17
#define NEXT_DUMMY 59

struct esp_pair *peer_esp_newest(struct peer *p)
{
    struct esp_pair *best = NULL;

    for (size_t i = 0; i < PEER_ESP_MAX; i++)
        if (p->esp[i].used && p->esp[i].out_on && (!best || p->esp[i].order > best->order))
            best = &p->esp[i];
    return best;
}

struct esp_pair *peer_esp_by_spi_out(struct peer *p, uint32_t spi)
{
    for (size_t i = 0; i < PEER_ESP_MAX; i++)
        if (p->esp[i].used && p->esp[i].spi_out == spi)
            return &p->esp[i];
    return NULL;
}

static struct esp_pair *by_spi_in(struct peer *p, uint32_t spi)
{
    for (size_t i = 0; i < PEER_ESP_MAX; i++)
        if (p->esp[i].used && p->esp[i].spi_in == spi)
            return &p->esp[i];
    return NULL;
}

/* KEYMAT of RFC 2409 5.5 for one direction. */
static bool keymat(struct peer *p, const struct ike_sa *sa, const struct quick *q, uint32_t spi,
                   uint8_t *out, size_t need)
{
    size_t n = hash_size(sa->suite.hash);
    uint8_t tail[5] = {3, (uint8_t)(spi >> 24), (uint8_t)(spi >> 16), (uint8_t)(spi >> 8),
                       (uint8_t)spi};
    uint8_t k[HASH_MAX];
    struct span parts[5] = {SPAN_NONE, peer_blob_span(&q->shared), SPAN_ARRAY(tail),
                            peer_blob_span(&q->ni), peer_blob_span(&q->nr)};

    for (size_t done = 0; done < need; done += n) {
        if (!peer_ike_prf(p, sa->suite.hash, span_of(sa->skeyid_d, n), parts, 5, k))
            return false;
        memcpy(out + done, k, need - done < n ? need - done : n);
        parts[0] = span_of(k, n);
    }
    return true;
}

static struct esp_pair *pair_new(struct peer *p)
{
    struct esp_pair *best = NULL;

    for (size_t i = 0; i < PEER_ESP_MAX; i++) {
        struct esp_pair *e = &p->esp[i];

        if (!e->used) {
            best = e;
            break;
        }
        if (!best || e->order < best->order)
            best = e;
    }
    memset(best, 0, sizeof(*best));
    best->order = ++p->order;
    return best;
}

bool peer_esp_install(struct peer *p, struct ike_sa *sa, const struct quick *q, l2tpc_us now)
{
    struct esp_pair *e = by_spi_in(p, q->spi_in);
    size_t integ, need = peer_esp_key_sizes(&q->suite, &integ) + integ;

    if (!e) {
        e = pair_new(p);
        if (!keymat(p, sa, q, q->spi_in, e->key_in, need) ||
            !keymat(p, sa, q, q->spi_out, e->key_out, need))
            return false;
        e->used = true;
        e->ike_generation = sa->generation;
        e->suite = q->suite;
        e->udp = q->encap != 2;
        e->nat = sa->nat;
        e->pfs = q->pfs;
        e->life_s = q->life_s;
        e->to = sa->to;
        e->client_port = q->client_port;
        e->spi_in = q->spi_in;
        e->spi_out = q->spi_out;
        e->usable_at = p->config.install_delay ? US_NEVER : now;
    }
    if (!q->done && !(p->config.send_early && !q->by_us))
        return true;
    if (!e->out_on)
        peer_renew_note_pair(p, e, now);
    e->out_on = true;
    e->usable_at = us_add(now, p->config.install_delay);
    return true;
}

static uint32_t sum_bytes(uint32_t sum, struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        sum += i % 2 ? s.p[i] : (uint32_t)s.p[i] << 8;
    return sum;
}

static uint16_t udp_sum(const struct inaddr *from, const struct inaddr *to, struct span udp)
{
    uint32_t sum = NEXT_UDP + (uint32_t)udp.n;

    sum = sum_bytes(sum, span_of(from->bytes, inaddr_len(from)));
    sum = sum_bytes(sum, span_of(to->bytes, inaddr_len(to)));
    sum = sum_bytes(sum, udp);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static size_t icv_size(const struct esp_suite *s)
{
    if (s->cipher == CIPHER_AES_GCM)
        return 16;
    if (s->integ == HASH_MD5 || s->integ == HASH_SHA1 || s->truncate_96)
        return 12;
    return hash_size(s->integ) / 2;
}

static bool gcm(struct peer *p, const struct esp_pair *e, bool seal, uint8_t *packet,
                struct mspan data, uint8_t *tag)
{
    const uint8_t *key = seal ? e->key_out : e->key_in;
    size_t integ, n = peer_esp_key_sizes(&e->suite, &integ);
    struct cipher_ctx *ctx = cipher_ctx_new(p->crypto, CIPHER_AES_GCM, span_of(key, n - 4), seal);
    uint8_t nonce[12];
    bool ok;

    if (!ctx)
        return false;
    memcpy(nonce, key + n - 4, 4);
    memcpy(nonce + 4, packet + 8, 8);
    ok = seal ? cipher_ctx_gcm_seal(ctx, nonce, span_of(packet, 8), data, tag)
              : cipher_ctx_gcm_open(ctx, nonce, span_of(packet, 8), data, tag);
    cipher_ctx_free(ctx);
    return ok;
}

static bool icv_of(struct peer *p, const struct esp_pair *e, bool out, struct span s, uint8_t *icv)
{
    size_t integ, n = peer_esp_key_sizes(&e->suite, &integ);

    return hmac_parts(p->crypto, e->suite.integ, span_of((out ? e->key_out : e->key_in) + n, integ),
                      &s, 1, icv);
}

static void put_u32(uint8_t *at, uint32_t v)
{
    at[0] = (uint8_t)(v >> 24);
    at[1] = (uint8_t)(v >> 16);
    at[2] = (uint8_t)(v >> 8);
    at[3] = (uint8_t)v;
}

/* Seals `inner` into `packet`; returns the length of the packet, 0 on failure. */
static size_t seal(struct peer *p, struct esp_pair *e, uint8_t next, struct span inner,
                   uint8_t *packet)
{
    size_t iv = cipher_iv(e->suite.cipher), icv = icv_size(&e->suite);
    size_t block = e->suite.cipher == CIPHER_AES_GCM ? 4 : cipher_block(e->suite.cipher);
    size_t pad = (block - (inner.n + 2) % block) % block, n = 8 + iv;
    struct mspan data = {.p = packet + n, .n = inner.n + pad + 2};
    uint8_t full[HASH_MAX];

    if (inner.n > ESP_MAX - 256)
        return 0;
    put_u32(packet, e->spi_out);
    put_u32(packet + 4, ++e->seq_out);
    peer_rand(p, packet + 8, iv);
    if (inner.n)
        memcpy(data.p, inner.p, inner.n);
    for (size_t i = 0; i < pad; i++)
        data.p[inner.n + i] = (uint8_t)(i + 1);
    data.p[data.n - 2] = (uint8_t)pad;
    data.p[data.n - 1] = next;
    if (e->suite.cipher == CIPHER_AES_GCM)
        return gcm(p, e, true, packet, data, data.p + data.n) ? n + data.n + icv : 0;
    if (!cbc_crypt(p->crypto, e->suite.cipher,
                   span_of(e->key_out, cipher_key_len(e->suite.cipher, e->suite.key_bits)),
                   span_of(packet + 8, iv), true, data) ||
        !icv_of(p, e, true, span_of(packet, n + data.n), full))
        return 0;
    memcpy(data.p + data.n, full, icv);
    return n + data.n + icv;
}

static void transmit(struct peer *p, const struct esp_pair *e, uint8_t *packet, size_t n)
{
    enum peer_port port = e->udp ? PEER_UDP4500 : PEER_RAWESP;

    if (peer_bug(p, BUG_ESP_BAD_ICV | BUG_ESP_ALL_BAD_ICV)) {
        packet[n - 3] ^= 0x10;
        peer_send(p, port, &e->to, span_of(packet, n));
        packet[n - 3] ^= 0x10;
    }
    if (!peer_bug(p, BUG_ESP_ALL_BAD_ICV))
        peer_send(p, port, &e->to, span_of(packet, n));
    if (peer_bug(p, BUG_ESP_REPLAY))
        peer_send(p, port, &e->to, span_of(packet, n));
}

static void send_udp(struct peer *p, struct esp_pair *e, uint16_t to_port, struct span payload)
{
    uint8_t udp[ESP_MAX], packet[ESP_MAX + 256];
    size_t n = payload.n + 8;
    uint16_t sum;

    if (n > ESP_MAX - 256)
        return;
    put_u32(udp, (uint32_t)1701 << 16 | to_port);
    put_u32(udp + 4, (uint32_t)n << 16);
    memcpy(udp + 8, payload.p, payload.n);
    if (e->to.addr.family == 6 || !(e->udp || p->config.flavour == PEER_SOFTETHER)) {
        sum = udp_sum(&p->config.local.addr, &e->to.addr, span_of(udp, n));
        put_u32(udp + 4, (uint32_t)n << 16 | (sum ? sum : 0xffff));
    }
    n = seal(p, e, NEXT_UDP, span_of(udp, n), packet);
    if (n)
        transmit(p, e, packet, n);
}

void peer_esp_send(struct peer *p, const struct endpoint *client, uint16_t client_port,
                   struct span payload, l2tpc_us now)
{
    struct esp_pair *best = NULL;
    uint8_t packet[ESP_MAX];
    size_t n;

    for (size_t i = 0; i < PEER_ESP_MAX; i++) {
        struct esp_pair *e = &p->esp[i];

        if (e->used && e->out_on && e->usable_at <= now && e->client_port == client_port &&
            endpoint_eq(&e->to, client) && (!best || e->order > best->order))
            best = e;
    }
    if (!best)
        return;
    if (peer_bug(p, BUG_ESP_DUMMY) && (n = seal(p, best, NEXT_DUMMY, SPAN_NONE, packet)) > 0)
        transmit(p, best, packet, n);
    if (peer_bug(p, BUG_ESP_WRONG_PORTS))
        send_udp(p, best, client_port ^ 0x0101, payload);
    send_udp(p, best, client_port, payload);
}

static bool fresh(const struct esp_pair *e, uint32_t seq)
{
    if (seq == 0)
        return false;
    if (seq > e->seq_top)
        return true;
    return e->seq_top - seq < 64 && !(e->seq_seen >> (e->seq_top - seq) & 1);
}

static void mark(struct esp_pair *e, uint32_t seq)
{
    if (seq > e->seq_top) {
        uint32_t by = seq - e->seq_top;

        e->seq_seen = by < 64 ? e->seq_seen << by : 0;
        e->seq_top = seq;
    }
    e->seq_seen |= (uint64_t)1 << (e->seq_top - seq);
}

/* Decrypts in place; `data` is what the padding and the next header end. */
static bool open_packet(struct peer *p, const struct esp_pair *e, uint8_t *packet, size_t n,
                        struct mspan *data)
{
    size_t iv = cipher_iv(e->suite.cipher), icv = icv_size(&e->suite);
    size_t block = e->suite.cipher == CIPHER_AES_GCM ? 4 : cipher_block(e->suite.cipher);
    uint8_t full[HASH_MAX];

    if (n < 8 + iv + block + icv || (n - 8 - iv - icv) % block != 0)
        return false;
    *data = (struct mspan){.p = packet + 8 + iv, .n = n - 8 - iv - icv};
    if (e->suite.cipher == CIPHER_AES_GCM)
        return gcm(p, e, false, packet, *data, packet + n - icv);
    return icv_of(p, e, false, span_of(packet, n - icv), full) &&
           memcmp(full, packet + n - icv, icv) == 0 &&
           cbc_crypt(p->crypto, e->suite.cipher,
                     span_of(e->key_in, cipher_key_len(e->suite.cipher, e->suite.key_bits)),
                     span_of(packet + 8, iv), false, *data);
}

static bool strip_padding(struct peer *p, struct mspan *data, uint8_t *next)
{
    size_t pad = data->p[data->n - 2];

    *next = data->p[data->n - 1];
    if (pad + 2 > data->n) {
        peer_complain(p, "ESP pad length %zu", pad);
        return false;
    }
    for (size_t i = 0; i < pad; i++) {
        if (data->p[data->n - 2 - pad + i] == i + 1)
            continue;
        peer_complain(p, "ESP padding is not 1, 2, 3");
        return false;
    }
    data->n -= pad + 2;
    return true;
}

static void recv_udp(struct peer *p, struct esp_pair *e, struct span udp, l2tpc_us now)
{
    uint16_t src, dst, length, sum;
    struct rd r = rd_of(udp);

    if (!rd_u16(&r, &src) || !rd_u16(&r, &dst) || !rd_u16(&r, &length) || !rd_u16(&r, &sum) ||
        length != udp.n) {
        peer_complain(p, "inner UDP of %zu bytes", udp.n);
        return;
    }
    if (e->client_port == 0)
        e->client_port = src;
    if (dst != 1701 || src != e->client_port) {
        peer_complain(p, "inner UDP ports %u to %u", src, dst);
        return;
    }
    if (p->config.wants_1701 == PEER_1701_MUTE && src != 1701)
        return;
    if (sum == 0 && e->to.addr.family == 6)
        peer_complain(p, "inner UDP checksum 0 on IPv6");
    if (sum && !e->nat && udp_sum(&e->to.addr, &p->config.local.addr, udp) != 0) {
        peer_complain(p, "inner UDP checksum");
        return;
    }
    peer_l2tp_input(p, &e->to, src, rd_rest(&r), now);
}

static bool muted(struct peer *p)
{
    const struct tunnel *t = peer_tunnel_newest(p);

    return peer_silent(p, STAGE_ESP_CHECK) ||
           (t && t->ppp.on && t->ppp.ip_up && peer_silent(p, STAGE_UP));
}

static void follow(struct peer *p, struct esp_pair *e, const struct endpoint *from)
{
    struct endpoint old = e->to;

    if (!e->udp || endpoint_eq(&old, from))
        return;
    for (size_t i = 0; i < PEER_ESP_MAX; i++)
        if (p->esp[i].used && endpoint_eq(&p->esp[i].to, &old))
            p->esp[i].to = *from;
    for (size_t i = 0; i < PEER_IKE_MAX; i++)
        if (p->ike[i].state == IKE_UP && endpoint_eq(&p->ike[i].to, &old))
            p->ike[i].to = *from;
    for (size_t i = 0; i < PEER_TUNNEL_MAX; i++)
        if (p->tunnel[i].used && endpoint_eq(&p->tunnel[i].client, &old))
            p->tunnel[i].client = *from;
}

void peer_esp_input(struct peer *p, enum peer_port port, const struct endpoint *from,
                    struct span packet, l2tpc_us now)
{
    uint8_t copy[ESP_MAX], next;
    struct rd r = rd_of(packet);
    struct esp_pair *e;
    struct mspan data;
    uint32_t spi, seq;

    if (packet.n > sizeof(copy) || !rd_u32(&r, &spi) || !rd_u32(&r, &seq))
        return;
    e = by_spi_in(p, spi);
    if (!e || e->usable_at > now || e->udp != (port == PEER_UDP4500)) {
        p->facts.esp_unknown_spi++;
        return;
    }
    if (!fresh(e, seq)) {
        p->facts.esp_replayed++;
        return;
    }
    memcpy(copy, packet.p, packet.n);
    if (!open_packet(p, e, copy, packet.n, &data)) {
        p->facts.esp_bad++;
        return;
    }
    mark(e, seq);
    p->facts.esp_in++;
    follow(p, e, from);
    if (muted(p) || !strip_padding(p, &data, &next) || next == NEXT_DUMMY)
        return;
    if (next != NEXT_UDP) {
        peer_complain(p, "ESP next header %u", next);
        return;
    }
    recv_udp(p, e, span_ro(data), now);
}
