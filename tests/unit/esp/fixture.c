/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixture.h"

#include <string.h>

#define CBC(cipher, bits)                                                                          \
    {cipher, bits, HASH_MD5, false}, {cipher, bits, HASH_SHA1, false},                             \
        {cipher, bits, HASH_SHA256, false}, {cipher, bits, HASH_SHA256, true},                     \
        {cipher, bits, HASH_SHA384, false},                                                        \
    {                                                                                              \
        cipher, bits, HASH_SHA512, false                                                           \
    }

const struct esp_suite all_suites[] = {
    CBC(CIPHER_DES_CBC, 0),
    CBC(CIPHER_3DES_CBC, 0),
    CBC(CIPHER_AES_CBC, 128),
    CBC(CIPHER_AES_CBC, 192),
    CBC(CIPHER_AES_CBC, 256),
    {CIPHER_AES_GCM, 128, HASH_NONE, false},
    {CIPHER_AES_GCM, 192, HASH_NONE, false},
    {CIPHER_AES_GCM, 256, HASH_NONE, false},
};
const size_t n_all_suites = ARRAY_LEN(all_suites);

static bool step_rand(void *ctx, uint8_t *out, size_t n)
{
    uint32_t *x = ctx;

    for (size_t i = 0; i < n; i++) {
        *x = *x * 1664525u + 1013904223u;
        out[i] = (uint8_t)(*x >> 24);
    }
    return true;
}

struct env ends_env(struct ends *e)
{
    return (struct env){.ctx = &e->seed, .rand = step_rand};
}

static void fill_keys(struct sa_keys *k, const struct esp_suite *suite, uint32_t *seed)
{
    k->spi = *seed ^ 0x70001234u;
    k->cipher_key_len =
        (uint8_t)(cipher_key_len(suite->cipher, suite->key_bits) + cipher_salt(suite->cipher));
    k->integ_key_len = (uint8_t)hash_size(suite->integ);
    (void)step_rand(seed, k->cipher_key, k->cipher_key_len);
    (void)step_rand(seed, k->integ_key, k->integ_key_len);
}

void ends_init(struct ends *e, const struct esp_suite *suite)
{
    *e = (struct ends){.seed = 11};
    e->client = inaddr_v4(0xc0000205);
    e->server = inaddr_v4(0xc6336407);
    e->sa.suite = *suite;
    e->sa.udp_encapsulated = true;
    e->sa.local_port = 40001;
    e->sa.remote_port = 1701;
    fill_keys(&e->sa.in, suite, &e->seed);
    fill_keys(&e->sa.out, suite, &e->seed);
}

bool ends_open(struct ends *e)
{
    struct env env = ends_env(e);
    struct sa_pair mirror = e->sa;

    mirror.in = e->sa.out;
    mirror.out = e->sa.in;
    mirror.local_port = e->sa.remote_port;
    mirror.remote_port = e->sa.local_port;
    e->crypto = crypto_new();
    if (!e->crypto || !crypto_use_esp_backend(e->crypto, e->backend))
        return false;
    e->client_out = esp_out_new(e->crypto, &env, &e->sa, &e->client, &e->server);
    e->client_in = esp_in_new(e->crypto, &e->sa, &e->client, &e->server);
    e->server_out = esp_out_new(e->crypto, &env, &mirror, &e->server, &e->client);
    e->server_in = esp_in_new(e->crypto, &mirror, &e->server, &e->client);
    return e->client_out && e->client_in && e->server_out && e->server_in;
}

void ends_close(struct ends *e)
{
    esp_out_free(e->client_out);
    esp_in_free(e->client_in);
    esp_out_free(e->server_out);
    esp_in_free(e->server_in);
    crypto_free(e->crypto);
}

enum esp_verdict seal_bytes(struct esp_out *o, uint8_t buffer[PACKET_MAX], size_t n, uint8_t first,
                            struct mspan *packet)
{
    struct mspan payload = {buffer + ESP_HEADROOM, n};

    for (size_t i = 0; i < n; i++)
        payload.p[i] = (uint8_t)(first + i);
    return esp_seal(o, payload, packet);
}

struct mspan forge(struct ends *e, uint8_t buffer[PACKET_MAX], uint32_t seq, struct span plaintext)
{
    struct esp_key *k = &e->server_out->key;
    size_t body = ESP_HEADER + k->sizes.iv;
    struct esp_job job = {.packet = buffer, .body = plaintext.n};

    for (size_t i = 0; i < 4; i++) {
        buffer[i] = (uint8_t)(k->spi >> (24 - 8 * i));
        buffer[4 + i] = (uint8_t)(seq >> (24 - 8 * i));
    }
    memset(buffer + ESP_HEADER, 0x77, k->sizes.iv);
    memcpy(buffer + body, plaintext.p, plaintext.n);
    esp_crypt_seal(k->crypt, &job, 1);
    return job.ok ? (struct mspan){buffer, body + plaintext.n + k->sizes.icv}
                  : (struct mspan){NULL, 0};
}
