/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/secret.h"
#include "esp/private.h"
#include "wire/rd.h"

#include <stdlib.h>
#include <string.h>

struct esp_in *esp_in_new(struct crypto *c, const struct sa_pair *sa, const struct inaddr *local,
                          const struct inaddr *remote)
{
    struct esp_in *i = calloc(1, sizeof(*i));

    if (!i)
        return NULL;
    if (!esp_key_init(&i->key, c, &sa->suite, &sa->in, false)) {
        esp_in_free(i);
        return NULL;
    }
    inner_flow_init(&i->flow, remote, local, sa->remote_port, sa->local_port);
    i->flow.without_sum = sa->behind_nat;
    return i;
}

void esp_in_free(struct esp_in *i)
{
    if (!i)
        return;
    esp_key_wipe(&i->key);
    wipe_free(i, sizeof(*i));
}

uint32_t esp_in_spi(const struct esp_in *i)
{
    return i->key.spi;
}

const struct esp_counters *esp_in_counters(const struct esp_in *i)
{
    return &i->counters;
}

/* Where the parts of a packet stand. */
struct parts {
    uint32_t seq;
    struct span header; /* SPI and sequence number */
    struct span iv;
    struct span covered; /* by the HMAC: all but the ICV */
    struct mspan body;   /* ciphertext, then plaintext */
    struct span icv;
};

static bool split(const struct esp_in *i, struct mspan packet, struct parts *out)
{
    const struct esp_sizes *s = &i->key.sizes;
    struct rd r = rd_of(span_ro(packet));
    struct rd header;
    struct span body;
    uint32_t spi;

    if (!rd_bytes(&r, ESP_HEADER, &out->header) || !rd_bytes(&r, s->iv, &out->iv) ||
        rd_left(&r) < s->align + s->icv || !rd_bytes(&r, rd_left(&r) - s->icv, &body) ||
        !rd_bytes(&r, s->icv, &out->icv))
        return false;
    header = rd_of(out->header);
    if (!rd_u32(&header, &spi) || !rd_u32(&header, &out->seq))
        return false;
    out->covered = span_of(packet.p, packet.n - s->icv);
    out->body = (struct mspan){packet.p + ESP_HEADER + s->iv, body.n};
    return spi == i->key.spi && body.n % s->align == 0;
}

/* With GCM this also decrypts: a wrong tag leaves rubbish in the packet, which is dropped. */
static bool authentic(struct esp_in *i, const struct parts *p)
{
    uint8_t tag[HASH_MAX];
    uint8_t nonce[ESP_GCM_NONCE];

    if (i->key.gcm) {
        memcpy(nonce, i->key.salt, ESP_GCM_SALT);
        memcpy(nonce + ESP_GCM_SALT, p->iv.p, p->iv.n);
        return cipher_ctx_gcm_open(i->key.cipher, nonce, p->header, p->body, p->icv.p);
    }
    return mac_ctx_run(i->key.mac, p->covered, tag) && equal_ct(tag, p->icv.p, p->icv.n);
}

/*
 * A peer that cuts SHA2-256 to 96 bits where 128 were agreed, or the reverse, sends nothing but
 * lengths that cannot be. Telling it from noise takes one HMAC, spent only on an SA on which no
 * packet has ever been good.
 */
static bool is_cut_otherwise(struct esp_in *i, struct span packet)
{
    const struct esp_sizes *s = &i->key.sizes;
    size_t icv = s->icv == ESP_ICV_96 ? ESP_ICV_128 : ESP_ICV_96;
    struct rd r = rd_of(packet);
    struct span covered;
    struct span sent;
    uint8_t tag[HASH_MAX];

    if (i->counters.packets > 0 || i->key.gcm || s->integ_key != hash_size(HASH_SHA256))
        return false;
    if (packet.n < ESP_HEADER + s->iv + s->align + icv || !rd_bytes(&r, packet.n - icv, &covered) ||
        !rd_bytes(&r, icv, &sent))
        return false;
    return mac_ctx_run(i->key.mac, covered, tag) && equal_ct(tag, sent.p, icv);
}

/* Takes the trailer off; `datagram` is what stands before the padding. */
static enum esp_verdict strip(struct span body, struct span *datagram)
{
    size_t pad = body.p[body.n - 2];
    struct rd r = rd_of(body);
    uint8_t v;

    /* RFC 4303 2.6: nothing else of a dummy packet need be well-formed. */
    if (body.p[body.n - 1] == NEXT_HEADER_NONE)
        return ESP_DUMMY;
    if (body.p[body.n - 1] != NEXT_HEADER_UDP || body.n < pad + ESP_TRAILER ||
        !rd_bytes(&r, body.n - pad - ESP_TRAILER, datagram))
        return ESP_MALFORMED;
    for (size_t i = 1; i <= pad; i++)
        if (!rd_u8(&r, &v) || v != i)
            return ESP_MALFORMED;
    return ESP_OK;
}

/* Bytes behind the UDP length are traffic flow confidentiality (RFC 4303 2.7): ignored. */
static bool open_udp(struct esp_in *i, struct span datagram, struct span *payload)
{
    struct rd r = rd_of(datagram);
    uint16_t source;
    uint16_t destination;
    uint16_t length;
    uint16_t sum;

    if (!rd_u16(&r, &source) || !rd_u16(&r, &destination) || !rd_u16(&r, &length) ||
        !rd_u16(&r, &sum) || source != i->flow.source || destination != i->flow.destination ||
        length < UDP_HEADER || !rd_bytes(&r, (size_t)(length - UDP_HEADER), payload)) {
        i->counters.malformed++;
        return false;
    }
    if (sum != 0 && inner_sum(&i->flow, length, sum, *payload) != 0xffff) {
        i->counters.bad_udp_sum++;
        return i->flow.without_sum;
    }
    return true;
}

/* What an authentic packet holds. */
static enum esp_verdict accept(struct esp_in *i, const struct parts *p, struct mspan *payload)
{
    struct span datagram = SPAN_NONE;
    struct span inner = SPAN_NONE;
    enum esp_verdict verdict;

    if (!i->key.gcm && !cipher_ctx_cbc(i->key.cipher, p->iv.p, p->body))
        return ESP_FAILED;
    verdict = strip(span_ro(p->body), &datagram);
    if (verdict == ESP_MALFORMED)
        i->counters.malformed++;
    if (verdict != ESP_OK)
        return verdict;
    if (!open_udp(i, datagram, &inner))
        return ESP_MALFORMED;
    *payload = (struct mspan){p->body.p + UDP_HEADER, inner.n};
    return ESP_OK;
}

enum esp_verdict esp_open(struct esp_in *i, struct mspan packet, struct mspan *payload)
{
    struct parts p;
    enum esp_verdict verdict;

    if (!split(i, packet, &p)) {
        i->counters.malformed++;
        i->counters.cut_otherwise += is_cut_otherwise(i, span_ro(packet));
        return ESP_MALFORMED;
    }
    if (!window_check(&i->window, p.seq)) {
        i->counters.replayed++;
        return ESP_REPLAYED;
    }
    if (!authentic(i, &p)) {
        i->counters.bad_icv++;
        return ESP_BAD_ICV;
    }
    window_mark(&i->window, p.seq);
    verdict = accept(i, &p, payload);
    if (verdict == ESP_OK || verdict == ESP_DUMMY) {
        i->counters.packets++;
        i->counters.bytes += packet.n;
    }
    return verdict;
}

size_t esp_open_batch(struct esp_in *i, struct esp_packet *packets, size_t n)
{
    size_t opened = 0;

    for (size_t k = 0; k < n; k++) {
        packets[k].verdict =
            n > ESP_BATCH_MAX ? ESP_FAILED : esp_open(i, packets[k].data, &packets[k].data);
        opened += packets[k].verdict == ESP_OK;
    }
    return opened;
}
