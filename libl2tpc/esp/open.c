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

struct esp_counters esp_in_counters(const struct esp_in *i)
{
    return esp_counts_read(&i->counts);
}

bool esp_in_is_unused(const struct esp_in *i)
{
    return tally_read(&i->counts.packets) == 0;
}

/* What a packet says before anything is believed; the body's length goes into the job. */
static bool split(const struct esp_in *i, struct mspan packet, struct esp_job *job, uint32_t *seq)
{
    const struct esp_sizes *s = &i->key.sizes;
    struct rd r = rd_of(span_ro(packet));
    uint32_t spi;

    if (!rd_u32(&r, &spi) || !rd_u32(&r, seq) || !rd_skip(&r, s->iv) ||
        rd_left(&r) < s->align + s->icv)
        return false;
    job->packet = packet.p;
    job->body = rd_left(&r) - s->icv;
    return spi == i->key.spi && job->body % s->align == 0;
}

static struct mspan body_of(const struct esp_in *i, const struct esp_job *job)
{
    return (struct mspan){job->packet + ESP_HEADER + i->key.sizes.iv, job->body};
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

    if (!esp_in_is_unused(i) || i->key.gcm || s->integ_key != hash_size(HASH_SHA256))
        return false;
    if (packet.n < ESP_HEADER + s->iv + s->align + icv || !rd_bytes(&r, packet.n - icv, &covered) ||
        !rd_bytes(&r, icv, &sent))
        return false;
    return esp_crypt_hmac(i->key.crypt, covered, tag) && equal_ct(tag, sent.p, icv);
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
        tally_add(&i->counts.malformed, 1);
        return false;
    }
    if (sum != 0 && inner_sum(&i->flow, length, sum, *payload) != 0xffff) {
        tally_add(&i->counts.bad_udp_sum, 1);
        return i->flow.without_sum;
    }
    return true;
}

/* What an authentic packet holds. */
static enum esp_verdict accept(struct esp_in *i, struct mspan body, struct mspan *payload)
{
    struct span datagram = SPAN_NONE;
    struct span inner = SPAN_NONE;
    enum esp_verdict verdict = strip(span_ro(body), &datagram);

    if (verdict == ESP_MALFORMED)
        tally_add(&i->counts.malformed, 1);
    if (verdict != ESP_OK)
        return verdict;
    if (!open_udp(i, datagram, &inner))
        return ESP_MALFORMED;
    *payload = (struct mspan){body.p + UDP_HEADER, inner.n};
    return ESP_OK;
}

/* Whether the packet is worth its ICV: of the right shape, and new. Changes nothing. */
static enum esp_verdict look_at(const struct esp_in *i, struct mspan packet, struct esp_job *job)
{
    uint32_t seq;

    if (!split(i, packet, job, &seq))
        return ESP_MALFORMED;
    return window_check(&i->window, seq) ? ESP_OK : ESP_REPLAYED;
}

/* Counts what was not worth its ICV. */
static void refuse(struct esp_in *i, const struct esp_packet *packet)
{
    if (packet->verdict == ESP_REPLAYED) {
        tally_add(&i->counts.replayed, 1);
        return;
    }
    tally_add(&i->counts.malformed, 1);
    tally_add(&i->counts.cut_otherwise, is_cut_otherwise(i, span_ro(packet->data)));
}

/*
 * Behind the ICV, in the order of the batch. The window is asked again, as what stands before this
 * packet may have moved it; only what is new and authentic moves it on.
 */
static enum esp_verdict judge(struct esp_in *i, const struct esp_job *job,
                              struct esp_packet *packet)
{
    struct rd r = rd_of(span_of(job->packet, ESP_HEADER));
    size_t whole = packet->data.n;
    enum esp_verdict verdict;
    uint32_t spi;
    uint32_t seq;

    if (!rd_u32(&r, &spi) || !rd_u32(&r, &seq) || !window_check(&i->window, seq)) {
        tally_add(&i->counts.replayed, 1);
        return ESP_REPLAYED;
    }
    if (!job->ok) {
        tally_add(&i->counts.bad_icv, 1);
        return ESP_BAD_ICV;
    }
    window_mark(&i->window, seq);
    verdict = accept(i, body_of(i, job), &packet->data);
    if (verdict == ESP_OK || verdict == ESP_DUMMY) {
        tally_add(&i->counts.packets, 1);
        tally_add(&i->counts.bytes, whole);
    }
    return verdict;
}

/* `jobs` has room for n, which is at most a batch. */
static size_t open_all(struct esp_in *i, struct esp_packet *packets, struct esp_job *jobs, size_t n)
{
    size_t n_jobs = 0;
    size_t opened = 0;

    for (size_t k = 0; k < n; k++) {
        packets[k].verdict = look_at(i, packets[k].data, &jobs[n_jobs]);
        n_jobs += packets[k].verdict == ESP_OK;
    }
    esp_crypt_open(i->key.crypt, jobs, n_jobs);
    for (size_t k = 0, j = 0; k < n; k++) {
        if (packets[k].verdict == ESP_OK)
            packets[k].verdict = judge(i, &jobs[j++], &packets[k]);
        else
            refuse(i, &packets[k]);
        opened += packets[k].verdict == ESP_OK;
    }
    return opened;
}

enum esp_verdict esp_open(struct esp_in *i, struct mspan packet, struct mspan *payload)
{
    struct esp_packet one = {.data = packet};
    struct esp_job job;

    if (open_all(i, &one, &job, 1) == 1)
        *payload = one.data;
    return one.verdict;
}

size_t esp_open_batch(struct esp_in *i, struct esp_packet *packets, size_t n)
{
    struct esp_job jobs[ESP_BATCH_MAX];

    if (n <= ESP_BATCH_MAX)
        return open_all(i, packets, jobs, n);
    for (size_t k = 0; k < n; k++)
        packets[k].verdict = ESP_FAILED;
    return 0;
}
