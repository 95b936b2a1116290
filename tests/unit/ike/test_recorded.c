/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recorded dials with all their secrets: key material against values that others computed. */
#include "check.h"
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "name=hex" lines of a vector file. */
struct vectors {
    char *text;
};

static bool load(struct vectors *v, const char *name)
{
    char path[512];
    FILE *f;
    size_t n;

    (void)snprintf(path, sizeof(path), "%s/%s", VECTOR_DIR, name);
    f = fopen(path, "r");
    v->text = calloc(1, 65536);
    if (!f || !v->text)
        return false;
    n = fread(v->text, 1, 65535, f);
    (void)fclose(f);
    return n > 0;
}

static size_t get(const struct vectors *v, const char *name, uint8_t *out, size_t cap)
{
    char key[40];
    char line[4096];
    const char *at;
    size_t n;

    (void)snprintf(key, sizeof(key), "\n%s=", name);
    at = strstr(v->text, key);
    if (!at)
        abort();
    at += strlen(key);
    n = strcspn(at, "\n");
    if (n >= sizeof(line))
        abort();
    memcpy(line, at, n);
    line[n] = '\0';
    return check_hex(out, cap, line);
}

#define GET(v, name, buf) span_of((buf), get((v), (name), (buf), sizeof(buf)))
#define CHECK_VECTOR(v, name, got, n)                                                              \
    do {                                                                                           \
        uint8_t want_v[1024];                                                                      \
        size_t n_v = get((v), (name), want_v, sizeof(want_v));                                     \
        CHECK_MEM((got), (n), want_v, n_v);                                                        \
    } while (0)

/* The payload of a clear recorded message. */
static struct span payload_of(struct span message, uint8_t type)
{
    struct isakmp_header h;
    struct span body;
    struct chain c;
    struct span out;

    if (!isakmp_parse_header(message, &h, &body) || !isakmp_split(h.next_payload, body, &c) ||
        !chain_get(&c, type, 0, &out))
        abort();
    return out;
}

static void decrypt(struct crypto *c, const struct ike_keys *keys, uint8_t *iv, struct span message,
                    uint8_t *plain, struct chain *chain)
{
    struct isakmp_header h;
    struct span body;
    size_t block = cipher_block(keys->cipher);

    if (!isakmp_parse_header(message, &h, &body))
        abort();
    memcpy(plain, body.p, body.n);
    if (!cbc_crypt(c, keys->cipher, span_of(keys->ka, keys->n_ka), span_of(iv, block), false,
                   (struct mspan){plain, body.n}) ||
        !isakmp_split(h.next_payload, span_of(plain, body.n), chain))
        abort();
    memcpy(iv, body.p + body.n - block, block);
}

static void replay_strongswan(const char *file, const struct ike_suite *suite,
                              const struct esp_suite *esp)
{
    struct crypto *c = crypto_new();
    struct vectors v;
    uint8_t m[10][1024];
    struct span msg[10];
    uint8_t psk[64], gxy[512], got[HASH_MAX], iv[16], qiv[16], plain[1024];
    uint8_t id[64], seed[128];
    struct chain chain;
    struct span gxi, gxr, ni, nr, sai, body, qni, qnr, s;
    struct ike_keys keys;
    struct phase1_inputs in;
    struct endpoint server = {.addr = inaddr_v4(0xc6336402), .port = 500};
    size_t n_id;
    uint32_t mid;
    struct quick_inputs qin;
    struct sa_keys k;

    CHECK(c && load(&v, file));
    for (unsigned i = 1; i <= 9; i++) {
        char name[12];

        (void)snprintf(name, sizeof(name), "message%u", i);
        msg[i] = span_of(m[i], get(&v, name, m[i], sizeof(m[i])));
    }
    gxi = payload_of(msg[3], PAYLOAD_KE);
    gxr = payload_of(msg[4], PAYLOAD_KE);
    ni = payload_of(msg[3], PAYLOAD_NONCE);
    nr = payload_of(msg[4], PAYLOAD_NONCE);
    sai = payload_of(msg[1], PAYLOAD_SA);
    in = (struct phase1_inputs){.psk = GET(&v, "psk", psk),
                                .ni = ni,
                                .nr = nr,
                                .gxy = GET(&v, "gxy", gxy),
                                .cky_i = m[3],
                                .cky_r = m[3] + 8};
    CHECK(ike_keys_derive(c, suite, &in, &keys));
    CHECK_VECTOR(&v, "skeyid", keys.skeyid, keys.n);
    CHECK_VECTOR(&v, "skeyid_d", keys.skeyid_d, keys.n);
    CHECK_VECTOR(&v, "skeyid_a", keys.skeyid_a, keys.n);
    CHECK_VECTOR(&v, "skeyid_e", keys.skeyid_e, keys.n);
    CHECK_VECTOR(&v, "ka", keys.ka, keys.n_ka);
    CHECK(keymat_nat_d(c, suite->hash, m[3], m[3] + 8, &server, got));
    CHECK_VECTOR(&v, "natd_hash", got, keys.n);
    CHECK(keymat_iv_phase1(c, &keys, gxi, gxr, iv));
    CHECK_VECTOR(&v, "iv", iv, cipher_block(suite->cipher));

    /* Messages 5 and 6, and both hashes. */
    decrypt(c, &keys, iv, msg[5], plain, &chain);
    CHECK(isakmp_check(MESSAGE_MM6, &chain) && chain_get(&chain, PAYLOAD_ID, 0, &body));
    n_id = body.n;
    memcpy(id, body.p, n_id);
    CHECK(keymat_hash_phase1(c, &keys, gxi, gxr, m[3], m[3] + 8, sai, span_of(id, n_id), got));
    CHECK_VECTOR(&v, "hash_i", got, keys.n);
    CHECK(chain_get(&chain, PAYLOAD_HASH, 0, &s));
    CHECK_MEM(s.p, s.n, got, keys.n);
    decrypt(c, &keys, iv, msg[6], plain, &chain);
    CHECK(chain_get(&chain, PAYLOAD_ID, 0, &body));
    CHECK(keymat_hash_phase1(c, &keys, gxr, gxi, m[3] + 8, m[3], sai, body, got));
    CHECK_VECTOR(&v, "hash_r", got, keys.n);

    /* Quick mode: the hashes and both directions' keys. */
    mid = (uint32_t)m[7][20] << 24 | (uint32_t)m[7][21] << 16 | (uint32_t)m[7][22] << 8 | m[7][23];
    CHECK(keymat_iv_exchange(c, &keys, iv, mid, qiv));
    decrypt(c, &keys, qiv, msg[7], plain, &chain);
    CHECK(isakmp_check(MESSAGE_QM1, &chain));
    CHECK(keymat_hash_exchange(c, &keys, mid, chain.after_first, SPAN_NONE, got));
    CHECK_VECTOR(&v, "hash1", got, keys.n);
    CHECK(chain_get(&chain, PAYLOAD_NONCE, 0, &s));
    memcpy(gxy, s.p, s.n);
    qni = span_of(gxy, s.n);
    decrypt(c, &keys, qiv, msg[8], plain, &chain);
    CHECK(isakmp_check(MESSAGE_QM1, &chain));
    CHECK(keymat_hash_exchange(c, &keys, mid, qni, chain.after_first, got));
    CHECK_VECTOR(&v, "hash2", got, keys.n);
    CHECK(chain_get(&chain, PAYLOAD_NONCE, 0, &qnr));
    CHECK(keymat_hash3(c, &keys, mid, qni, qnr, got));
    CHECK_VECTOR(&v, "hash3", got, keys.n);
    qin = (struct quick_inputs){.ni = qni, .nr = qnr};
    (void)get(&v, "seed_r", seed, sizeof(seed));
    CHECK(keymat_esp(
        c, &keys, esp, &qin,
        (uint32_t)seed[1] << 24 | (uint32_t)seed[2] << 16 | (uint32_t)seed[3] << 8 | seed[4], &k));
    CHECK_VECTOR(&v, "enc_r", k.cipher_key, k.cipher_key_len);
    CHECK_VECTOR(&v, "integ_r", k.integ_key, k.integ_key_len);
    (void)get(&v, "seed_i", seed, sizeof(seed));
    CHECK(keymat_esp(
        c, &keys, esp, &qin,
        (uint32_t)seed[1] << 24 | (uint32_t)seed[2] << 16 | (uint32_t)seed[3] << 8 | seed[4], &k));
    CHECK_VECTOR(&v, "enc_i", k.cipher_key, k.cipher_key_len);
    CHECK_VECTOR(&v, "integ_i", k.integ_key, k.integ_key_len);
    free(v.text);
    crypto_free(c);
}

TEST(recorded_strongswan_aes256_sha256)
{
    static const struct ike_suite suite = {CIPHER_AES_CBC, 256, HASH_SHA256, DH_MODP2048};
    static const struct esp_suite esp = {CIPHER_AES_CBC, 128, HASH_SHA1, false};

    replay_strongswan("ike-strongswan-aes256.txt", &suite, &esp);
}

/* SHA1 is shorter than a 3DES key: Ka is expanded. */
TEST(recorded_strongswan_3des_sha1)
{
    static const struct ike_suite suite = {CIPHER_3DES_CBC, 0, HASH_SHA1, DH_MODP1024};
    static const struct esp_suite esp = {CIPHER_3DES_CBC, 0, HASH_SHA1, false};

    replay_strongswan("ike-strongswan-3des.txt", &suite, &esp);
}

/* ---- aggressive mode: three messages, then the quick mode's first ---- */
TEST(recorded_strongswan_aggressive)
{
    static const struct ike_suite suite = {CIPHER_AES_CBC, 256, HASH_SHA256, DH_MODP2048};
    static const uint8_t group[] = {ID_TYPE_KEY_ID, 0, 0, 0, 'g', 'r', 'o', 'u', 'p'};
    struct endpoint server = {.addr = inaddr_v4(0xc6336402), .port = 4500};
    struct crypto *c = crypto_new();
    struct vectors v;
    uint8_t m[7][1024], psk[64], gxy[512], got[HASH_MAX], iv[16], qiv[16], plain[1024];
    struct span msg[7], gxi, gxr, sai, s;
    struct phase1_inputs in;
    struct ike_keys keys;
    struct chain chain;
    uint32_t mid;

    CHECK(c && load(&v, "ike-strongswan-aggressive.txt"));
    for (unsigned i = 1; i <= 6; i++) {
        char name[12];

        (void)snprintf(name, sizeof(name), "message%u", i);
        msg[i] = span_of(m[i], get(&v, name, m[i], sizeof(m[i])));
    }
    gxi = payload_of(msg[1], PAYLOAD_KE);
    gxr = payload_of(msg[2], PAYLOAD_KE);
    sai = payload_of(msg[1], PAYLOAD_SA);
    in = (struct phase1_inputs){.psk = GET(&v, "psk", psk),
                                .ni = payload_of(msg[1], PAYLOAD_NONCE),
                                .nr = payload_of(msg[2], PAYLOAD_NONCE),
                                .gxy = GET(&v, "gxy", gxy),
                                .cky_i = m[2],
                                .cky_r = m[2] + 8};
    CHECK(ike_keys_derive(c, &suite, &in, &keys));
    CHECK_VECTOR(&v, "skeyid", keys.skeyid, keys.n);
    CHECK_VECTOR(&v, "skeyid_d", keys.skeyid_d, keys.n);
    CHECK_VECTOR(&v, "skeyid_a", keys.skeyid_a, keys.n);
    CHECK_VECTOR(&v, "skeyid_e", keys.skeyid_e, keys.n);
    CHECK_VECTOR(&v, "ka", keys.ka, keys.n_ka);
    CHECK(keymat_iv_phase1(c, &keys, gxi, gxr, iv));
    CHECK_VECTOR(&v, "iv", iv, 16);
    CHECK(keymat_hash_phase1(c, &keys, gxr, gxi, m[2] + 8, m[2], sai,
                             payload_of(msg[2], PAYLOAD_ID), got));
    CHECK_VECTOR(&v, "hash_r", got, keys.n);
    s = payload_of(msg[2], PAYLOAD_HASH);
    CHECK_MEM(s.p, s.n, got, keys.n);
    s = payload_of(msg[1], PAYLOAD_ID);
    CHECK_MEM(s.p, s.n, group, sizeof(group));
    CHECK(keymat_hash_phase1(c, &keys, gxi, gxr, m[2], m[2] + 8, sai, s, got));
    CHECK_VECTOR(&v, "hash_i", got, keys.n);
    decrypt(c, &keys, iv, msg[3], plain, &chain);
    CHECK(chain_get(&chain, PAYLOAD_HASH, 0, &s));
    CHECK_MEM(s.p, s.n, got, keys.n);
    /* The server's NAT-D of itself is that of the port message 3 came to. */
    CHECK(keymat_nat_d(c, suite.hash, m[2], m[2] + 8, &server, got));
    CHECK_VECTOR(&v, "natd_dst", got, keys.n);
    CHECK(chain_get(&chain, PAYLOAD_NAT_D, 0, &s));
    CHECK_MEM(s.p, s.n, got, keys.n);
    mid = (uint32_t)m[4][20] << 24 | (uint32_t)m[4][21] << 16 | (uint32_t)m[4][22] << 8 | m[4][23];
    CHECK(keymat_iv_exchange(c, &keys, iv, mid, qiv));
    decrypt(c, &keys, qiv, msg[4], plain, &chain);
    CHECK(keymat_hash_exchange(c, &keys, mid, chain.after_first, SPAN_NONE, got));
    CHECK_VECTOR(&v, "hash1", got, keys.n);
    crypto_free(c);
    free(v.text);
}

/* ---- SoftEther: our engine takes the place of the recorded client ---- */
static struct ike *engine_at_message_4(struct rig *r, const struct vectors *v)
{
    struct ike *ike;
    uint8_t m3[1024];

    r->cfg.local.addr = inaddr_v4(0x0a630103);
    r->cfg.remote.addr = inaddr_v4(0x0a630101);
    r->cfg.inner_port = 1701;
    ike = ike_new(&r->cfg);
    if (!ike)
        abort();
    (void)get(v, "message3", m3, sizeof(m3));
    memcpy(ike->cky_i, m3, 8);
    memcpy(ike->cky_r, m3 + 8, 8);
    ike->n_sai_b = get(v, "sai_b", ike->sai_b, sizeof(ike->sai_b));
    ike->n_gxi = get(v, "gxi", ike->gxi, sizeof(ike->gxi));
    ike->n_gxr = get(v, "gxr", ike->gxr, sizeof(ike->gxr));
    ike->n_gxy = get(v, "gxy", ike->secrets->gxy, sizeof(ike->secrets->gxy));
    (void)get(v, "ni", ike->ni, sizeof(ike->ni));
    ike->n_nr = get(v, "nr", ike->nr, sizeof(ike->nr));
    ike->facts.suite = (struct ike_suite){CIPHER_AES_CBC, 256, HASH_SHA256, DH_MODP2048};
    ike->natt = NATT_RFC;
    ike->n_ni = IKE_NONCE_LEN;
    ike->state = P1_PSK_ASKED;
    return ike;
}

TEST(recorded_softether_replay)
{
    struct rig *r = rig_new();
    struct vectors v;
    struct ike *ike;
    struct quick *q;
    uint8_t psk[64], m[1024];
    struct msg out;
    struct ike_event ev;
    struct span s;
    uint32_t spi;

    CHECK(load(&v, "ike-softether.txt"));
    r->ike = ike = engine_at_message_4(r, &v);
    ike->psk_asked_at = r->now;
    ike_answer_psk(ike, IKE_PSK_NEED, GET(&v, "psk", psk), r->now);
    CHECK_VECTOR(&v, "skeyid_a", ike->secrets->keys.skeyid_a, ike->secrets->keys.n);
    CHECK_VECTOR(&v, "ekey", ike->secrets->keys.ka, ike->secrets->keys.n_ka);
    CHECK(ike_pop_out(ike, &out));
    CHECK_INT(out.tag, IKE_PORT_4500);
    CHECK_VECTOR(&v, "message5", out.bytes, out.n);
    msg_done(&out);

    s = GET(&v, "message6", m);
    CHECK_INT(ike_input(ike, IKE_PORT_4500, &ike->peer[IKE_PORT_4500], s, r->now), VERDICT_OK);
    CHECK(ike_facts(ike)->established);
    CHECK_STR(ike_facts(ike)->peer_id, "10.99.1.1");
    CHECK(ike_pop_out(ike, &out));
    msg_done(&out);

    /* The recorded message 7 in the place of ours. */
    q = &ike->quick[0];
    s = GET(&v, "message7", m);
    q->message_id = (uint32_t)m[20] << 24 | (uint32_t)m[21] << 16 | (uint32_t)m[22] << 8 | m[23];
    memcpy(q->iv, s.p + s.n - 16, 16);
    q->n_ni = get(&v, "qm_ni", q->ni, sizeof(q->ni));
    CHECK_INT(get(&v, "spi_in", m, 4), 4);
    q->spi_in = (uint32_t)m[0] << 24 | (uint32_t)m[1] << 16 | (uint32_t)m[2] << 8 | m[3];
    CHECK_INT(get(&v, "spi_out", m, 4), 4);
    spi = (uint32_t)m[0] << 24 | (uint32_t)m[1] << 16 | (uint32_t)m[2] << 8 | m[3];
    s = GET(&v, "message8", m);
    CHECK_INT(ike_input(ike, IKE_PORT_4500, &ike->peer[IKE_PORT_4500], s, r->now), VERDICT_OK);
    CHECK(ike_pop_out(ike, &out));
    CHECK_VECTOR(&v, "message9", out.bytes, out.n);
    msg_done(&out);
    do {
        CHECK(ike_pop_event(ike, &ev));
    } while (ev.type != IKE_EVENT_SA_PAIR);
    CHECK_INT(ev.sa.out.spi, spi);
    memcpy(m, ev.sa.in.cipher_key, 32);
    memcpy(m + 32, ev.sa.in.integ_key, 20);
    CHECK_VECTOR(&v, "keymat_in", m, 52);
    memcpy(m, ev.sa.out.cipher_key, 32);
    memcpy(m + 32, ev.sa.out.integ_key, 20);
    CHECK_VECTOR(&v, "keymat_out", m, 52);
    free(v.text);
    rig_free(r);
}
