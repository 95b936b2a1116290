/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Batches against single packets: what one call makes of up to 64 packets is what one call for each
 * makes of them, by the back end of the processor against OpenSSL. First byte: the suite; then
 * entries: how the packet comes to be, 16 bits of a parameter, how many bytes follow, these.
 */
#include "fuzz.h"

#include "esp/private.h"

#include <string.h>

#define SPI_IN 0x1000beef

enum entry_kind {
    ENTRY_RAW,       /* as it is; parameter bit 0: with the SPI in front */
    ENTRY_SEALED,    /* around these bytes */
    ENTRY_FLIPPED,   /* the same, with the parameter's bit turned */
    ENTRY_PLAINTEXT, /* authentic around any plaintext */
    ENTRY_AGAIN,     /* the one before */
    ENTRY_JUMP,      /* sealed, after a jump of the numbers by the parameter */
    ENTRY_BACK,      /* the same backwards */
    ENTRY_KINDS
};

static const struct esp_suite suites[] = {
    {CIPHER_AES_GCM, 128, HASH_NONE, false},   {CIPHER_AES_GCM, 256, HASH_NONE, false},
    {CIPHER_AES_CBC, 128, HASH_SHA1, false},   {CIPHER_AES_CBC, 256, HASH_SHA256, false},
    {CIPHER_AES_CBC, 256, HASH_SHA256, true},  {CIPHER_AES_CBC, 192, HASH_SHA384, false},
    {CIPHER_AES_CBC, 256, HASH_SHA512, false}, {CIPHER_AES_CBC, 128, HASH_MD5, false},
    {CIPHER_3DES_CBC, 0, HASH_SHA1, false},
};

struct batch {
    struct esp_out *peer;
    struct esp_in *alone, *together;
    struct mspan packets[ESP_BATCH_MAX]; /* as they arrive */
    size_t n;
};

static struct crypto *openssl_only(void)
{
    static struct crypto *c;

    if (!c)
        c = crypto_new();
    FUZZ_REQUIRE(c && crypto_use_esp_backend(c, ESP_BACKEND_OPENSSL));
    return c;
}

static void batch_init(struct batch *b, struct fuzz_env *e, const struct esp_suite *s)
{
    struct inaddr client = inaddr_v4(0xc0000205);
    struct inaddr server = inaddr_v4(0xc6336407);
    struct sa_pair sa = {.suite = *s, .local_port = 1701, .remote_port = 40001};
    struct sa_pair mirror;
    struct sa_keys *k = &sa.out;

    k->spi = SPI_IN;
    k->cipher_key_len = (uint8_t)(cipher_key_len(s->cipher, s->key_bits) + cipher_salt(s->cipher));
    k->integ_key_len = (uint8_t)hash_size(s->integ);
    FUZZ_REQUIRE(env_rand(&e->env, k->cipher_key, k->cipher_key_len));
    FUZZ_REQUIRE(env_rand(&e->env, k->integ_key, k->integ_key_len));
    sa.in = sa.out;
    mirror = sa;
    mirror.local_port = sa.remote_port;
    mirror.remote_port = sa.local_port;
    *b = (struct batch){
        .peer = esp_out_new(openssl_only(), &e->env, &sa, &server, &client),
        .alone = esp_in_new(openssl_only(), &mirror, &client, &server),
        .together = esp_in_new(fuzz_crypto(), &mirror, &client, &server),
    };
    FUZZ_REQUIRE(b->peer && b->alone && b->together);
}

static void batch_free(struct batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        free(b->packets[i].p);
    esp_out_free(b->peer);
    esp_in_free(b->alone);
    esp_in_free(b->together);
}

static struct mspan sealed(struct batch *b, struct span payload)
{
    uint8_t room[ESP_HEADROOM + 256 + ESP_TAILROOM];
    struct mspan packet = {NULL, 0};

    if (payload.n > 0)
        memcpy(room + ESP_HEADROOM, payload.p, payload.n);
    FUZZ_REQUIRE(esp_seal(b->peer, (struct mspan){room + ESP_HEADROOM, payload.n}, &packet) ==
                 ESP_OK);
    return fuzz_copy(span_ro(packet));
}

static struct mspan authentic(struct batch *b, uint16_t parameter, struct span plain)
{
    const struct esp_sizes *s = &b->peer->key.sizes;
    size_t head = ESP_HEADER + s->iv;
    uint8_t packet[ESP_HEADER + ESP_IV_MAX + 256 + ESP_ICV_MAX] = {0x10, 0x00, 0xbe, 0xef};
    struct esp_job job = {.packet = packet, .body = plain.n - plain.n % s->align};

    packet[6] = (uint8_t)(parameter >> 8);
    packet[7] = (uint8_t)parameter;
    if (job.body > 0)
        memcpy(packet + head, plain.p, job.body);
    esp_crypt_seal(b->peer->key.crypt, &job, 1);
    FUZZ_REQUIRE(job.ok);
    return fuzz_copy(span_of(packet, head + job.body + s->icv));
}

static struct mspan make(struct batch *b, uint8_t how, uint16_t parameter, struct span bytes)
{
    struct mspan packet;

    switch ((enum entry_kind)(how % ENTRY_KINDS)) {
    case ENTRY_RAW:
        packet = fuzz_copy(bytes);
        if (parameter & 1 && packet.n >= 4)
            memcpy(packet.p, (const uint8_t[]){0x10, 0x00, 0xbe, 0xef}, 4);
        return packet;
    case ENTRY_FLIPPED:
        packet = sealed(b, bytes);
        packet.p[parameter / 8 % packet.n] ^= (uint8_t)(1u << parameter % 8);
        return packet;
    case ENTRY_PLAINTEXT:
        return authentic(b, parameter, bytes);
    case ENTRY_AGAIN:
        return b->n ? fuzz_copy(span_ro(b->packets[b->n - 1])) : fuzz_copy(bytes);
    case ENTRY_JUMP:
        b->peer->seq += parameter;
        return sealed(b, bytes);
    case ENTRY_BACK:
        b->peer->seq -= parameter < b->peer->seq ? parameter : b->peer->seq;
        return sealed(b, bytes);
    case ENTRY_SEALED:
    case ENTRY_KINDS:
        break;
    }
    return sealed(b, bytes);
}

static void open_both(struct batch *b)
{
    struct esp_packet packets[ESP_BATCH_MAX];
    struct mspan came[ESP_BATCH_MAX];
    size_t opened = 0;
    size_t n;

    for (size_t i = 0; i < b->n; i++)
        packets[i].data = came[i] = fuzz_copy(span_ro(b->packets[i]));
    n = esp_open_batch(b->together, packets, b->n);
    for (size_t i = 0; i < b->n; i++) {
        struct mspan copy = fuzz_copy(span_ro(b->packets[i]));
        struct mspan payload = {NULL, 0};
        enum esp_verdict v = esp_open(b->alone, copy, &payload);

        FUZZ_REQUIRE(packets[i].verdict == v);
        FUZZ_REQUIRE(v != ESP_OK || span_eq(span_ro(packets[i].data), span_ro(payload)));
        FUZZ_REQUIRE(v == ESP_OK || packets[i].data.p == came[i].p);
        opened += v == ESP_OK;
        free(copy.p);
        free(came[i].p);
    }
    FUZZ_REQUIRE(n == opened);
    FUZZ_REQUIRE(memcmp(&b->alone->window, &b->together->window, sizeof(b->alone->window)) == 0);
    FUZZ_REQUIRE(memcmp(&b->alone->counts, &b->together->counts, sizeof(b->alone->counts)) == 0);
    for (size_t i = 0; i < b->n; i++)
        free(b->packets[i].p);
    b->n = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_of(span_of(data, size < 4096 ? size : 4096));
    struct fuzz_env env;
    struct batch b;
    struct span bytes;
    uint16_t parameter;
    uint8_t suite;
    uint8_t how;
    uint8_t n;

    if (!rd_u8(&r, &suite))
        return 0;
    fuzz_env_init(&env, 7);
    batch_init(&b, &env, &suites[suite % ARRAY_LEN(suites)]);
    while (rd_u8(&r, &how) && rd_u16(&r, &parameter) && rd_u8(&r, &n) && rd_bytes(&r, n, &bytes)) {
        b.packets[b.n] = make(&b, how, parameter, bytes);
        b.n++;
        if (b.n == ESP_BATCH_MAX || how & 0x80)
            open_both(&b);
    }
    open_both(&b);
    batch_free(&b);
    return 0;
}
