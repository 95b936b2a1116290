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
    size_t pool_size = sa->suite.cipher == CIPHER_AES_GCM ? 0 : ESP_IV_POOL;
    struct esp_out *o = calloc(1, sizeof(*o) + pool_size);

    if (!o)
        return NULL;
    o->pool_size = pool_size;
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
    wipe_free(o, sizeof(*o) + o->pool_size);
}

size_t esp_out_head(const struct esp_out *o)
{
    return ESP_HEADER + o->key.sizes.iv + UDP_HEADER;
}

size_t esp_out_size(const struct esp_out *o, size_t n)
{
    return esp_sealed_size(&o->key.sizes, n);
}

const char *esp_out_backend(const struct esp_out *o)
{
    return esp_crypt_backend(o->key.crypt);
}

uint32_t esp_out_spi(const struct esp_out *o)
{
    return o->key.spi;
}

uint32_t esp_out_seq(const struct esp_out *o)
{
    return atomic_load_explicit(&o->seq, memory_order_relaxed);
}

bool esp_out_is_worn(const struct esp_out *o)
{
    return esp_out_seq(o) >= ESP_SEQ_SOFT;
}

struct esp_counters esp_out_counters(const struct esp_out *o)
{
    return esp_counts_read(&o->counts);
}

/* CBC needs IVs that nobody can foresee (RFC 3602 3): drawn in bulk, each used once. */
static bool draw_iv(struct esp_out *o, uint8_t *iv)
{
    if (o->pool_left < o->key.sizes.iv) {
        if (!env_rand(&o->env, o->pool, o->pool_size))
            return false;
        o->pool_left = o->pool_size;
    }
    o->pool_left -= o->key.sizes.iv;
    memcpy(iv, o->pool + o->pool_left, o->key.sizes.iv);
    return true;
}

/* Padding 1, 2, 3 and so on, its length, the next header (RFC 4303 2.4). */
static bool write_trailer(struct wr *w, size_t align, size_t n)
{
    static const uint8_t pads[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    size_t pad = (align - (n + ESP_TRAILER) % align) % align;
    uint8_t *p = wr_room(w, pad + ESP_TRAILER);

    if (!p || pad > sizeof(pads))
        return false;
    memcpy(p, pads, pad);
    p[pad] = (uint8_t)pad;
    p[pad + 1] = NEXT_HEADER_UDP;
    return true;
}

/* The clear packet, its IV in place and room for the ICV behind it. */
static bool write_packet(struct esp_out *o, struct wr *w, struct span payload)
{
    const struct esp_sizes *s = &o->key.sizes;
    uint16_t length = (uint16_t)(UDP_HEADER + payload.n);
    uint8_t *iv;

    wr_u32(w, o->key.spi);
    wr_u32(w, esp_out_seq(o));
    if (o->key.gcm) {
        /* RFC 4106 3.1: any value that never repeats under this key; the sequence does not. */
        wr_u64(w, esp_out_seq(o));
    } else {
        iv = wr_room(w, s->iv);
        if (!iv || !draw_iv(o, iv))
            return false;
    }
    wr_u16(w, o->flow.source);
    wr_u16(w, o->flow.destination);
    wr_u16(w, length);
    wr_u16(w, o->flow.without_sum ? 0 : inner_sum(&o->flow, length, 0, payload));
    return wr_room(w, payload.n) == payload.p && write_trailer(w, s->align, length) &&
           wr_room(w, s->icv) != NULL;
}

/* Gives the packet its number and makes all of it but the protection. */
static enum esp_verdict prepare(struct esp_out *o, struct mspan payload, struct esp_job *job)
{
    const struct esp_sizes *s = &o->key.sizes;
    size_t head = esp_out_head(o);
    struct span clear = SPAN_NONE;
    struct wr w;

    if (esp_out_seq(o) == UINT32_MAX)
        return ESP_EXHAUSTED;
    if (payload.n > UDP_PAYLOAD_MAX)
        return ESP_MALFORMED;
    /* A number is spent even if the packet then fails: under GCM none may be used twice. */
    atomic_store_explicit(&o->seq, esp_out_seq(o) + 1, memory_order_relaxed);
    w = wr_of(payload.p - head, esp_sealed_size(s, payload.n));
    if (!write_packet(o, &w, span_ro(payload)) || !wr_finish(&w, &clear))
        return ESP_FAILED;
    job->packet = payload.p - head;
    job->body = clear.n - ESP_HEADER - s->iv - s->icv;
    return ESP_OK;
}

/* `jobs` has room for n, which is at most a batch. */
static size_t seal_all(struct esp_out *o, struct esp_packet *packets, struct esp_job *jobs,
                       size_t n)
{
    size_t around = ESP_HEADER + o->key.sizes.iv + o->key.sizes.icv;
    size_t n_jobs = 0;
    size_t sealed = 0;
    uint64_t bytes = 0;

    for (size_t i = 0; i < n; i++) {
        packets[i].verdict = prepare(o, packets[i].data, &jobs[n_jobs]);
        n_jobs += packets[i].verdict == ESP_OK;
    }
    esp_crypt_seal(o->key.crypt, jobs, n_jobs);
    for (size_t i = 0, k = 0; i < n; i++) {
        const struct esp_job *job;

        if (packets[i].verdict != ESP_OK)
            continue;
        job = &jobs[k++];
        if (!job->ok) {
            packets[i].verdict = ESP_FAILED;
            continue;
        }
        packets[i].data = (struct mspan){job->packet, around + job->body};
        bytes += around + job->body;
        sealed++;
    }
    tally_add(&o->counts.packets, sealed);
    tally_add(&o->counts.bytes, bytes);
    return sealed;
}

enum esp_verdict esp_seal(struct esp_out *o, struct mspan payload, struct mspan *packet)
{
    struct esp_packet one = {.data = payload};
    struct esp_job job;

    if (seal_all(o, &one, &job, 1) == 1)
        *packet = one.data;
    return one.verdict;
}

size_t esp_seal_batch(struct esp_out *o, struct esp_packet *packets, size_t n)
{
    struct esp_job jobs[ESP_BATCH_MAX];

    if (n <= ESP_BATCH_MAX)
        return seal_all(o, packets, jobs, n);
    for (size_t i = 0; i < n; i++)
        packets[i].verdict = ESP_FAILED;
    return 0;
}
