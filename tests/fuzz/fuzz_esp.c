/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ESP as the client opens it, for every suite. First byte: the suite; second: addresses and NAT.
 * Then steps: a packet as it is, one that the peer sealed, one that it sealed and the network
 * changed, one with right keys around any plaintext, one seen before.
 */
#include "fuzz.h"

#include "esp/private.h"

#include <string.h>

#define SPI_IN 0x1000beef

enum esp_op {
    OP_RAW,
    OP_SEALED,
    OP_SEALED_FLIPPED, /* first two bytes: which bit; then the payload */
    OP_PLAINTEXT, /* first four bytes: the sequence number; then padding, next header and all */
    OP_AGAIN,
    OP_SEAL, /* the client's own direction, opened by the peer */
    OP_COUNT,
};

static const struct esp_suite suites[] = {
    {CIPHER_AES_CBC, 128, HASH_SHA1, false},   {CIPHER_AES_CBC, 192, HASH_SHA1, false},
    {CIPHER_AES_CBC, 256, HASH_SHA256, false}, {CIPHER_AES_CBC, 256, HASH_SHA256, true},
    {CIPHER_AES_CBC, 128, HASH_SHA384, false}, {CIPHER_AES_CBC, 256, HASH_SHA512, false},
    {CIPHER_AES_CBC, 128, HASH_MD5, false},    {CIPHER_3DES_CBC, 0, HASH_SHA1, false},
    {CIPHER_3DES_CBC, 0, HASH_MD5, false},     {CIPHER_3DES_CBC, 0, HASH_SHA256, false},
    {CIPHER_DES_CBC, 0, HASH_SHA1, false},     {CIPHER_DES_CBC, 0, HASH_MD5, false},
    {CIPHER_AES_GCM, 128, HASH_NONE, false},   {CIPHER_AES_GCM, 192, HASH_NONE, false},
    {CIPHER_AES_GCM, 256, HASH_NONE, false},   {CIPHER_AES_CBC, 128, HASH_SHA256, false},
};

struct ends {
    struct esp_out *client_out, *server_out;
    struct esp_in *client_in, *server_in;
    struct mspan last; /* what the peer sent last */
};

static void fill_keys(struct fuzz_env *e, struct sa_keys *k, const struct esp_suite *s,
                      uint32_t spi)
{
    k->spi = spi;
    k->cipher_key_len = (uint8_t)(cipher_key_len(s->cipher, s->key_bits) + cipher_salt(s->cipher));
    k->integ_key_len = (uint8_t)hash_size(s->integ);
    FUZZ_REQUIRE(env_rand(&e->env, k->cipher_key, k->cipher_key_len));
    FUZZ_REQUIRE(env_rand(&e->env, k->integ_key, k->integ_key_len));
}

static void open_ends(struct ends *x, struct fuzz_env *e, const struct esp_suite *s, uint8_t how)
{
    struct inaddr client = inaddr_v4(0xc0000205);
    struct inaddr server = inaddr_v4(0xc6336407);
    struct sa_pair sa = {.suite = *s,
                         .udp_encapsulated = how & 1,
                         .behind_nat = how & 2,
                         .local_port = 40001,
                         .remote_port = 1701};
    struct sa_pair mirror;

    if (how & 4) {
        client = (struct inaddr){.family = 6, .bytes = {0x20, 1, 0x0d, 0xb8, [15] = 1}};
        server = (struct inaddr){.family = 6, .bytes = {0x20, 1, 0x0d, 0xb8, [15] = 2}};
    }
    fill_keys(e, &sa.in, s, SPI_IN);
    fill_keys(e, &sa.out, s, 0x20000bee);
    mirror = sa;
    mirror.in = sa.out;
    mirror.out = sa.in;
    mirror.local_port = sa.remote_port;
    mirror.remote_port = sa.local_port;
    *x = (struct ends){
        .client_out = esp_out_new(fuzz_crypto(), &e->env, &sa, &client, &server),
        .client_in = esp_in_new(fuzz_crypto(), &sa, &client, &server),
        .server_out = esp_out_new(fuzz_crypto(), &e->env, &mirror, &server, &client),
        .server_in = esp_in_new(fuzz_crypto(), &mirror, &server, &client),
    };
    FUZZ_REQUIRE(x->client_out && x->client_in && x->server_out && x->server_in);
}

/* Opens a copy of exactly its size. `sealed`: what was inside, if anything may come out. */
static enum esp_verdict deliver(struct esp_in *in, struct span packet, const struct span *sealed)
{
    struct esp_counters before = esp_in_counters(in);
    struct mspan copy = fuzz_copy(packet);
    struct mspan payload = {NULL, 0};
    enum esp_verdict v = esp_open(in, copy, &payload);
    struct esp_counters now = esp_in_counters(in);

    FUZZ_REQUIRE(v != ESP_EXHAUSTED && v != ESP_FAILED);
    if (v == ESP_OK) {
        FUZZ_REQUIRE(payload.p >= copy.p && payload.p + payload.n <= copy.p + copy.n);
        FUZZ_REQUIRE(!sealed || span_eq(span_ro(payload), *sealed));
    }
    FUZZ_REQUIRE((v == ESP_OK || v == ESP_DUMMY) == (now.packets == before.packets + 1));
    FUZZ_REQUIRE((v == ESP_BAD_ICV) == (now.bad_icv == before.bad_icv + 1));
    FUZZ_REQUIRE((v == ESP_REPLAYED) == (now.replayed == before.replayed + 1));
    free(copy.p);
    return v;
}

static struct mspan seal(struct esp_out *out, struct span payload)
{
    struct mspan room = {malloc(ESP_HEADROOM + payload.n + ESP_TAILROOM), payload.n};
    struct mspan packet;
    struct mspan exact;

    FUZZ_REQUIRE(room.p);
    if (payload.n > 0)
        memcpy(room.p + ESP_HEADROOM, payload.p, payload.n);
    FUZZ_REQUIRE(esp_seal(out, (struct mspan){room.p + ESP_HEADROOM, payload.n}, &packet) ==
                 ESP_OK);
    exact = fuzz_copy(span_ro(packet));
    free(room.p);
    return exact;
}

/* An authentic packet around any plaintext: what a peer that holds the keys could send. */
static struct mspan forge(struct esp_out *out, uint32_t seq, struct span plaintext)
{
    struct esp_key *k = &out->key;
    size_t body = ESP_HEADER + k->sizes.iv;
    size_t n = plaintext.n - plaintext.n % cipher_block(k->gcm ? CIPHER_AES_GCM : CIPHER_AES_CBC);
    struct mspan packet = {calloc(1, body + n + HASH_MAX), body + n + k->sizes.icv};
    struct esp_job job = {.packet = packet.p, .body = n};
    struct mspan exact;

    FUZZ_REQUIRE(packet.p);
    for (unsigned i = 0; i < 4; i++) {
        packet.p[i] = (uint8_t)(SPI_IN >> (24 - 8 * i));
        packet.p[4 + i] = (uint8_t)(seq >> (24 - 8 * i));
    }
    memset(packet.p + ESP_HEADER, 0x77, k->sizes.iv);
    if (n > 0)
        memcpy(packet.p + body, plaintext.p, n);
    esp_crypt_seal(k->crypt, &job, 1);
    FUZZ_REQUIRE(job.ok);
    exact = fuzz_copy(span_ro(packet));
    free(packet.p);
    return exact;
}

static void remember(struct ends *x, struct mspan packet)
{
    free(x->last.p);
    x->last = packet;
}

static void flipped(struct ends *x, struct span s)
{
    struct rd r = rd_of(s);
    struct mspan packet;
    uint16_t bit;

    if (!rd_u16(&r, &bit))
        return;
    packet = seal(x->server_out, rd_rest(&r));
    bit = (uint16_t)(bit % (packet.n * 8));
    packet.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    FUZZ_REQUIRE(deliver(x->client_in, span_ro(packet), NULL) != ESP_OK);
    remember(x, packet);
}

static void any_plaintext(struct ends *x, struct span s)
{
    struct rd r = rd_of(s);
    struct mspan packet;
    uint32_t seq;

    if (!rd_u32(&r, &seq))
        return;
    packet = forge(x->server_out, seq, rd_rest(&r));
    (void)deliver(x->client_in, span_ro(packet), NULL);
    remember(x, packet);
}

static void one_step(struct ends *x, const struct fuzz_step *s)
{
    struct span bytes = span_ro(s->bytes);
    struct mspan packet;

    switch ((enum esp_op)(s->op % OP_COUNT)) {
    case OP_RAW:
        if (bytes.n >= 4 && s->op & 0x80)
            memcpy(s->bytes.p, (const uint8_t[]){0x10, 0x00, 0xbe, 0xef}, 4);
        FUZZ_REQUIRE(deliver(x->client_in, bytes, NULL) != ESP_OK);
        break;
    case OP_SEALED:
        packet = seal(x->server_out, bytes);
        (void)deliver(x->client_in, span_ro(packet), &bytes);
        remember(x, packet);
        break;
    case OP_SEALED_FLIPPED:
        flipped(x, bytes);
        break;
    case OP_PLAINTEXT:
        any_plaintext(x, bytes);
        break;
    case OP_AGAIN:
        if (x->last.p)
            FUZZ_REQUIRE(deliver(x->client_in, span_ro(x->last), NULL) != ESP_OK);
        break;
    case OP_SEAL:
        packet = seal(x->client_out, bytes);
        FUZZ_REQUIRE(deliver(x->server_in, span_ro(packet), &bytes) == ESP_OK);
        free(packet.p);
        break;
    case OP_COUNT:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_of(span_of(data, size));
    struct fuzz_env env;
    struct fuzz_step s;
    struct ends x;
    uint8_t suite;
    uint8_t how;

    if (!rd_u8(&r, &suite) || !rd_u8(&r, &how))
        return 0;
    fuzz_env_init(&env, 7);
    open_ends(&x, &env, &suites[suite % ARRAY_LEN(suites)], how);
    for (unsigned i = 0; i < FUZZ_STEPS_MAX && fuzz_step_next(&r, &s); i++) {
        one_step(&x, &s);
        fuzz_step_done(&s);
    }
    free(x.last.p);
    esp_out_free(x.client_out);
    esp_out_free(x.server_out);
    esp_in_free(x.client_in);
    esp_in_free(x.server_in);
    return 0;
}
