/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/secret.h"
#include "esp/private.h"
#include "wire/wr.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(ESP_HEADROOM >= ESP_HEADER + ESP_IV_MAX + UDP_HEADER, "headroom");
_Static_assert(ESP_TAILROOM >= 15 + ESP_TRAILER + ESP_ICV_MAX, "tailroom");

struct esp_out *esp_out_new(struct crypto *c, const struct env *env, const struct sa_pair *sa,
                            const struct inaddr *local, const struct inaddr *remote)
{
    struct esp_out *o = calloc(1, sizeof(*o));

    if (!o)
        return NULL;
    if (!esp_key_init(&o->key, c, &sa->suite, &sa->out, true)) {
        esp_out_free(o);
        return NULL;
    }
    o->env = *env;
    inner_flow_init(&o->flow, local, remote, sa->local_port, sa->remote_port);
    /* Behind a NAT the server sees other addresses than we do; IPv6 has no "none". */
    o->flow.without_sum = local->family == 4 && (sa->udp_encapsulated || sa->behind_nat);
    return o;
}

void esp_out_free(struct esp_out *o)
{
    if (!o)
        return;
    esp_key_wipe(&o->key);
    wipe_free(o, sizeof(*o));
}

uint32_t esp_out_spi(const struct esp_out *o)
{
    return o->key.spi;
}

uint32_t esp_out_seq(const struct esp_out *o)
{
    return o->seq;
}

bool esp_out_is_worn(const struct esp_out *o)
{
    return o->seq >= ESP_SEQ_SOFT;
}

const struct esp_counters *esp_out_counters(const struct esp_out *o)
{
    return &o->counters;
}

/* CBC needs IVs that nobody can foresee (RFC 3602 3): drawn in bulk, each used once. */
static bool draw_iv(struct esp_out *o, uint8_t *iv)
{
    if (o->pool_left < o->key.sizes.iv) {
        if (!env_rand(&o->env, o->pool, sizeof(o->pool)))
            return false;
        o->pool_left = sizeof(o->pool);
    }
    o->pool_left -= o->key.sizes.iv;
    memcpy(iv, o->pool + o->pool_left, o->key.sizes.iv);
    return true;
}

/* Padding 1, 2, 3 and so on, its length, the next header (RFC 4303 2.4). */
static void write_trailer(struct wr *w, size_t align, size_t n)
{
    size_t pad = (align - (n + ESP_TRAILER) % align) % align;

    for (size_t i = 1; i <= pad; i++)
        wr_u8(w, (uint8_t)i);
    wr_u8(w, (uint8_t)pad);
    wr_u8(w, NEXT_HEADER_UDP);
}

/* The clear packet, its IV in place and room for the ICV behind it. */
static bool write_packet(struct esp_out *o, struct wr *w, struct span payload)
{
    const struct esp_sizes *s = &o->key.sizes;
    uint16_t length = (uint16_t)(UDP_HEADER + payload.n);
    uint8_t *iv;

    wr_u32(w, o->key.spi);
    wr_u32(w, o->seq);
    if (o->key.gcm) {
        /* RFC 4106 3.1: any value that never repeats under this key; the sequence does not. */
        wr_u64(w, o->seq);
    } else {
        iv = wr_room(w, s->iv);
        if (!iv || !draw_iv(o, iv))
            return false;
    }
    wr_u16(w, o->flow.source);
    wr_u16(w, o->flow.destination);
    wr_u16(w, length);
    wr_u16(w, o->flow.without_sum ? 0 : inner_sum(&o->flow, length, 0, payload));
    if (wr_room(w, payload.n) != payload.p)
        return false;
    write_trailer(w, s->align, length);
    return wr_room(w, s->icv) != NULL;
}

static bool protect(struct esp_out *o, struct mspan packet)
{
    const struct esp_sizes *s = &o->key.sizes;
    uint8_t *iv = packet.p + ESP_HEADER;
    uint8_t *icv = packet.p + packet.n - s->icv;
    struct mspan body = {iv + s->iv, packet.n - ESP_HEADER - s->iv - s->icv};
    uint8_t tag[HASH_MAX];
    uint8_t nonce[ESP_GCM_NONCE];

    if (o->key.gcm) {
        memcpy(nonce, o->key.salt, ESP_GCM_SALT);
        memcpy(nonce + ESP_GCM_SALT, iv, s->iv);
        return cipher_ctx_gcm_seal(o->key.cipher, nonce, span_of(packet.p, ESP_HEADER), body, icv);
    }
    if (!cipher_ctx_cbc(o->key.cipher, iv, body) ||
        !mac_ctx_run(o->key.mac, span_of(packet.p, packet.n - s->icv), tag))
        return false;
    memcpy(icv, tag, s->icv);
    return true;
}

enum esp_verdict esp_seal(struct esp_out *o, struct mspan payload, struct mspan *packet)
{
    size_t head = ESP_HEADER + o->key.sizes.iv + UDP_HEADER;
    struct span clear = SPAN_NONE;
    struct mspan sealed;
    struct wr w;

    if (o->seq == UINT32_MAX)
        return ESP_EXHAUSTED;
    if (payload.n > UDP_PAYLOAD_MAX)
        return ESP_MALFORMED;
    /* A number is spent even if the packet then fails: under GCM none may be used twice. */
    o->seq++;
    w = wr_of(payload.p - head, head + payload.n + ESP_TAILROOM);
    if (!write_packet(o, &w, span_ro(payload)) || !wr_finish(&w, &clear))
        return ESP_FAILED;
    sealed = (struct mspan){payload.p - head, clear.n};
    if (!protect(o, sealed))
        return ESP_FAILED;
    o->counters.packets++;
    o->counters.bytes += sealed.n;
    *packet = sealed;
    return ESP_OK;
}

size_t esp_seal_batch(struct esp_out *o, struct esp_packet *packets, size_t n)
{
    size_t sealed = 0;

    for (size_t k = 0; k < n; k++) {
        packets[k].verdict =
            n > ESP_BATCH_MAX ? ESP_FAILED : esp_seal(o, packets[k].data, &packets[k].data);
        sealed += packets[k].verdict == ESP_OK;
    }
    return sealed;
}

size_t esp_out_head(const struct esp_out *o)
{
    return ESP_HEADER + o->key.sizes.iv + UDP_HEADER;
}

size_t esp_out_size(const struct esp_out *o, size_t n)
{
    return esp_sealed_size(&o->key.sizes, n);
}
