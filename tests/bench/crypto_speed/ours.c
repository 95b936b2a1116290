/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Our own contenders: the table of back ends, and ESP as a whole on top of it. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

struct ours {
    const struct cell *cell;
    struct ring *ring;
    struct crypto *crypto;
    struct esp_crypt *crypt;
    struct esp_out *out;
    struct esp_in *in;
    struct esp_job jobs[RING];
    struct esp_packet packets[RING];
    size_t head;
};

static void ours_free(void *self)
{
    struct ours *o = self;

    esp_crypt_free(o->crypt);
    esp_out_free(o->out);
    esp_in_free(o->in);
    crypto_free(o->crypto);
    free(o);
}

static struct ours *ours_new(const struct cell *cell, struct ring *ring, enum esp_backend backend)
{
    struct ours *o = calloc(1, sizeof(*o));

    if (!o)
        abort();
    o->cell = cell;
    o->ring = ring;
    o->crypto = crypto_new();
    if (o->crypto && crypto_use_esp_backend(o->crypto, backend))
        return o;
    ours_free(o);
    return NULL;
}

static void *table_new(const struct cell *cell, const struct sa_pair *sa, struct ring *ring,
                       enum esp_backend backend)
{
    struct ours *o = ours_new(cell, ring, backend);
    size_t n_key = cipher_key_len(sa->suite.cipher, sa->suite.key_bits);
    struct esp_sizes sizes;
    struct esp_crypt_config config = {
        .cipher = sa->suite.cipher,
        .key = span_of(sa->out.cipher_key, n_key),
        .integ = sa->suite.integ,
        .integ_key = span_of(sa->out.integ_key, sa->out.integ_key_len),
        .seal = cell->seal,
    };

    if (!o || !esp_sizes_of(&sa->suite, &sizes))
        abort();
    config.icv = sizes.icv;
    memcpy(config.salt, sa->out.cipher_key + n_key, cipher_salt(sa->suite.cipher));
    o->crypt = esp_crypt_new(o->crypto, &config);
    if (!o->crypt)
        abort();
    return o;
}

static void *table_openssl_new(const struct cell *cell, const struct sa_pair *sa, struct ring *ring)
{
    return table_new(cell, sa, ring, ESP_BACKEND_OPENSSL);
}

static void *table_auto_new(const struct cell *cell, const struct sa_pair *sa, struct ring *ring)
{
    return table_new(cell, sa, ring, ESP_BACKEND_AUTO);
}

static void table_run(void *self)
{
    struct ours *o = self;

    for (size_t i = 0; i < RING; i += o->cell->batch) {
        struct esp_job *jobs = o->jobs + i;

        for (size_t k = 0; k < o->cell->batch; k++)
            jobs[k] = (struct esp_job){o->ring->bytes[i + k], o->ring->body, false};
        if (o->cell->seal)
            esp_crypt_seal(o->crypt, jobs, o->cell->batch);
        else
            esp_crypt_open(o->crypt, jobs, o->cell->batch);
        for (size_t k = 0; k < o->cell->batch; k++)
            if (!jobs[k].ok)
                abort();
    }
}

/* As fast as the kernel's generator would be at best: it is not what is measured. */
static bool no_cost_rand(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    memset(out, 0x5a, n);
    return true;
}

static void *packet_new(const struct cell *cell, const struct sa_pair *sa, struct ring *ring,
                        enum esp_backend backend)
{
    struct ours *o = ours_new(cell, ring, backend);
    struct env env = {.rand = no_cost_rand};
    struct inaddr a = inaddr_v4(0xc0000205);
    struct inaddr b = inaddr_v4(0xc6336407);
    struct sa_pair mirror = *sa;

    if (!o) /* no null cipher in a release */
        return NULL;
    mirror.in = sa->out;
    mirror.local_port = sa->remote_port;
    mirror.remote_port = sa->local_port;
    o->out = esp_out_new(o->crypto, &env, sa, &a, &b);
    o->in = esp_in_new(o->crypto, &mirror, &b, &a);
    if (!o->out || !o->in)
        abort();
    o->head = esp_out_head(o->out);
    return o;
}

static void *packet_openssl_new(const struct cell *cell, const struct sa_pair *sa,
                                struct ring *ring)
{
    return packet_new(cell, sa, ring, ESP_BACKEND_OPENSSL);
}

static void *packet_auto_new(const struct cell *cell, const struct sa_pair *sa, struct ring *ring)
{
    return packet_new(cell, sa, ring, ESP_BACKEND_AUTO);
}

static void *packet_null_new(const struct cell *cell, const struct sa_pair *sa, struct ring *ring)
{
#if L2TPC_TEST_HOOKS
    /* What is sealed for the others is no packet for it: it takes part in sealing alone. */
    return cell->seal ? packet_new(cell, sa, ring, ESP_BACKEND_NULL) : NULL;
#else
    (void)cell;
    (void)sa;
    (void)ring;
    return NULL;
#endif
}

static void packet_run(void *self)
{
    struct ours *o = self;
    size_t n = o->cell->batch;

    memset(&o->in->window, 0, sizeof(o->in->window));
    for (size_t i = 0; i < RING; i += n) {
        struct esp_packet *p = o->packets + i;

        for (size_t k = 0; k < n; k++)
            p[k].data = o->cell->seal
                            ? (struct mspan){o->ring->bytes[i + k] + o->head, o->cell->payload}
                            : (struct mspan){o->ring->bytes[i + k], o->ring->packet};
        if ((o->cell->seal ? esp_seal_batch(o->out, p, n) : esp_open_batch(o->in, p, n)) != n)
            abort();
    }
}

const struct contender ours_openssl = {"back end OpenSSL", table_openssl_new, table_run, ours_free};
const struct contender ours_auto = {"back end chosen", table_auto_new, table_run, ours_free};
const struct contender packet_openssl = {"ESP, OpenSSL", packet_openssl_new, packet_run, ours_free};
const struct contender packet_auto = {"ESP, chosen", packet_auto_new, packet_run, ours_free};
const struct contender packet_null = {"ESP, null", packet_null_new, packet_run, ours_free};

bool ring_make(struct ring *ring, const struct cell *cell, const struct sa_pair *sa)
{
    struct ours *o = packet_openssl_new(cell, sa, ring);
    struct cell sealing = *cell;
    struct esp_sizes sizes;

    if (!o || !esp_sizes_of(&sa->suite, &sizes))
        return false;
    ring->packet = esp_out_size(o->out, cell->payload);
    ring->body = ring->packet - ESP_HEADER - sizes.iv - sizes.icv;
    sealing.seal = true;
    o->cell = &sealing;
    packet_run(o);
    memcpy(ring->sealed, ring->bytes, sizeof(ring->sealed));
    ours_free(o);
    return ring->packet <= SLOT;
}

void ring_reset(struct ring *ring, const struct cell *cell)
{
    if (!cell->seal) /* what is sealed may be anything */
        for (size_t i = 0; i < RING; i++)
            memcpy(ring->bytes[i], ring->sealed[i], ring->packet);
}
