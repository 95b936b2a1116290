/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packets that our code did not make: opened, and made again bit for bit from their own IV. */
#include "check.h"
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE 4096

struct reader {
    struct crypto *crypto;
    char name[64];
    struct sa_pair sa; /* .in and .out both hold the one direction of the file */
    struct inaddr source, destination;
    const uint8_t *iv; /* what the next draw of randomness gives, repeated */
    size_t n_iv;
    unsigned packets;
};

static bool iv_rand(void *ctx, uint8_t *out, size_t n)
{
    const struct reader *r = ctx;

    for (size_t i = 0; i < n; i++)
        out[i] = r->iv[i % r->n_iv];
    return true;
}

static bool read_suite(struct esp_suite *s, const char *cipher, unsigned bits, const char *integ)
{
    static const struct {
        const char *name;
        int id;
        bool truncate_96;
    } ciphers[] = {{"des", CIPHER_DES_CBC, false},
                   {"3des", CIPHER_3DES_CBC, false},
                   {"aes", CIPHER_AES_CBC, false},
                   {"gcm", CIPHER_AES_GCM, false}},
      hashes[] = {{"md5", HASH_MD5, false},       {"sha1", HASH_SHA1, false},
                  {"sha256", HASH_SHA256, false}, {"sha256-96", HASH_SHA256, true},
                  {"sha384", HASH_SHA384, false}, {"sha512", HASH_SHA512, false},
                  {"none", HASH_NONE, false}};
    bool found[2] = {false, false};

    s->key_bits = (uint16_t)bits;
    for (size_t i = 0; i < ARRAY_LEN(ciphers); i++)
        if (strcmp(ciphers[i].name, cipher) == 0) {
            s->cipher = (enum cipher_id)ciphers[i].id;
            found[0] = true;
        }
    for (size_t i = 0; i < ARRAY_LEN(hashes); i++)
        if (strcmp(hashes[i].name, integ) == 0) {
            s->integ = (enum hash_id)hashes[i].id;
            s->truncate_96 = hashes[i].truncate_96;
            found[1] = true;
        }
    return found[0] && found[1];
}

static bool read_sa(struct reader *r, const char *line)
{
    char cipher[16], integ[16], key[128], mac[160], source[48], destination[48], sum[8];
    unsigned bits, spi, sport, dport;
    struct sa_keys *k = &r->sa.out;

    r->sa = (struct sa_pair){0};
    if (sscanf(line, "sa %63s %15s %u %15s %x %127s %159s %47s %47s %u %u %7s", r->name, cipher,
               &bits, integ, &spi, key, mac, source, destination, &sport, &dport, sum) != 12 ||
        !read_suite(&r->sa.suite, cipher, bits, integ) || !inaddr_parse(&r->source, source) ||
        !inaddr_parse(&r->destination, destination))
        return false;
    k->spi = spi;
    k->cipher_key_len = (uint8_t)check_hex(k->cipher_key, sizeof(k->cipher_key), key);
    k->integ_key_len = (uint8_t)check_hex(k->integ_key, sizeof(k->integ_key), mac);
    r->sa.in = *k;
    r->sa.local_port = (uint16_t)sport;
    r->sa.remote_port = (uint16_t)dport;
    r->sa.udp_encapsulated = strcmp(sum, "nosum") == 0;
    return true;
}

/* As the receiver sees it. */
static bool open_one(struct reader *r, struct span packet, struct span want)
{
    uint8_t buffer[PACKET_MAX];
    struct sa_pair sa = r->sa;
    struct mspan payload = {NULL, 0};
    struct esp_in *in;
    bool same;

    sa.local_port = r->sa.remote_port;
    sa.remote_port = r->sa.local_port;
    in = esp_in_new(r->crypto, &sa, &r->destination, &r->source);
    if (!in)
        return false;
    memcpy(buffer, packet.p, packet.n);
    same = esp_open(in, (struct mspan){buffer, packet.n}, &payload) == ESP_OK &&
           span_eq(span_ro(payload), want) && esp_in_counters(in).bad_udp_sum == 0 &&
           esp_in_counters(in).bytes == packet.n;
    same = same && !check_sabotaged();
    esp_in_free(in);
    return same;
}

/* As the sender made it. */
static bool seal_one(struct reader *r, struct span packet, struct span payload)
{
    uint8_t buffer[PACKET_MAX];
    struct env env = {.ctx = r, .rand = iv_rand};
    struct mspan sealed = {NULL, 0};
    struct esp_out *out = esp_out_new(r->crypto, &env, &r->sa, &r->source, &r->destination);
    uint32_t seq = 0;
    bool same;

    if (!out)
        return false;
    for (size_t i = 4; i < 8; i++)
        seq = seq << 8 | packet.p[i];
    r->iv = packet.p + ESP_HEADER;
    r->n_iv = out->key.sizes.iv;
    out->seq = seq - 1;
    memcpy(buffer + ESP_HEADROOM, payload.p, payload.n);
    same = esp_seal(out, (struct mspan){buffer + ESP_HEADROOM, payload.n}, &sealed) == ESP_OK &&
           span_eq(span_ro(sealed), packet) && esp_out_seq(out) == seq &&
           packet.n - payload.n == esp_overhead(&r->sa.suite, payload.n);
    esp_out_free(out);
    return same;
}

static bool read_packet(struct reader *r, const char *line)
{
    static char sealed[LINE], clear[LINE];
    uint8_t packet[PACKET_MAX], payload[PACKET_MAX];
    struct span p, c;

    if (sscanf(line, "packet %4095s %4095s", sealed, clear) != 2)
        return false;
    p = span_of(packet, check_hex(packet, sizeof(packet), sealed));
    c = span_of(payload, check_hex(payload, sizeof(payload), clear));
    r->packets++;
    return open_one(r, p, c) && seal_one(r, p, c);
}

/* All packets of the file with one back end; how many there were, 0 when it is not here. */
static unsigned read_file(enum esp_backend backend)
{
    FILE *f = fopen(VECTOR_DIR "/esp.txt", "r");
    struct reader r = {.crypto = crypto_new()};
    static char line[LINE];
    unsigned number = 0;

    if (!f || !r.crypto || !crypto_use_esp_backend(r.crypto, backend)) {
        if (f)
            fclose(f);
        crypto_free(r.crypto);
        return 0;
    }
    while (fgets(line, sizeof(line), f)) {
        bool ok = true;

        number++;
        if (strncmp(line, "sa ", 3) == 0)
            ok = read_sa(&r, line);
        else if (strncmp(line, "packet ", 7) == 0)
            ok = read_packet(&r, line);
        if (!ok)
            check_fail(VECTOR_DIR "/esp.txt", (int)number, "%s", r.name);
    }
    fclose(f);
    crypto_free(r.crypto);
    return r.packets;
}

TEST(esp_packets_of_others)
{
    CHECK_INT(read_file(ESP_BACKEND_AUTO), 131);
    CHECK_INT(read_file(ESP_BACKEND_OPENSSL), 131);
}

TEST(esp_packets_of_others_by_every_processor)
{
    unsigned n = 0;

    for (int b = ESP_BACKEND_SSE; b <= ESP_BACKEND_AVX512; b++) {
        unsigned packets = read_file((enum esp_backend)b);

        CHECK(packets == 0 || packets == 131);
        n += packets;
    }
    if (n == 0)
        SKIP("no ipsec-mb, or no processor for it");
}
