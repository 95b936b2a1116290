/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* OpenSSL alone, used as well as it can be: one context per key, only the IV changes. */
#include "bench.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct evp {
    const struct cell *cell;
    struct ring *ring;
    struct esp_sizes sizes;
    uint8_t salt[4];
    EVP_CIPHER_CTX *cipher;
    EVP_MAC_CTX *mac;
};

static void evp_free(void *self)
{
    struct evp *e = self;

    EVP_CIPHER_CTX_free(e->cipher);
    EVP_MAC_CTX_free(e->mac);
    free(e);
}

static const char *cipher_of(const struct esp_suite *s)
{
    static const char *const names[2][3] = {{"AES-128-CBC", "AES-192-CBC", "AES-256-CBC"},
                                            {"AES-128-GCM", "AES-192-GCM", "AES-256-GCM"}};

    if (s->cipher == CIPHER_3DES_CBC)
        return "DES-EDE3-CBC";
    return names[s->cipher == CIPHER_AES_GCM][s->key_bits / 64 - 2];
}

static const char *hash_of(enum hash_id h)
{
    switch (h) {
    case HASH_MD5:
        return "MD5";
    case HASH_SHA1:
        return "SHA1";
    case HASH_SHA256:
        return "SHA256";
    case HASH_SHA384:
        return "SHA384";
    default:
        return "SHA512";
    }
}

static bool key_mac(struct evp *e, const struct sa_pair *sa)
{
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    char name[16];
    OSSL_PARAM params[2];
    bool ok;

    strncpy(name, hash_of(sa->suite.integ), sizeof(name) - 1);
    name[sizeof(name) - 1] = 0;
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0);
    params[1] = OSSL_PARAM_construct_end();
    e->mac = EVP_MAC_CTX_new(hmac);
    ok = e->mac && EVP_MAC_init(e->mac, sa->out.integ_key, sa->out.integ_key_len, params) == 1;
    EVP_MAC_free(hmac);
    return ok;
}

static void *evp_new(const struct cell *cell, const struct sa_pair *sa, struct ring *ring)
{
    struct evp *e = calloc(1, sizeof(*e));
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, cipher_of(&sa->suite), NULL);
    size_t n_key = cipher_key_len(sa->suite.cipher, sa->suite.key_bits);
    bool ok;

    if (!e)
        abort();
    e->cell = cell;
    e->ring = ring;
    memcpy(e->salt, sa->out.cipher_key + n_key, cipher_salt(sa->suite.cipher));
    e->cipher = EVP_CIPHER_CTX_new();
    ok = cipher && e->cipher && esp_sizes_of(&sa->suite, &e->sizes) &&
         EVP_CipherInit_ex2(e->cipher, cipher, sa->out.cipher_key, NULL, cell->seal, NULL) == 1 &&
         EVP_CIPHER_CTX_set_padding(e->cipher, 0) == 1 &&
         (sa->suite.cipher == CIPHER_AES_GCM || key_mac(e, sa));
    EVP_CIPHER_free(cipher);
    if (ok)
        return e;
    evp_free(e);
    return NULL;
}

static void gcm(struct evp *e, uint8_t *packet)
{
    uint8_t *body = packet + ESP_HEADER + e->sizes.iv;
    uint8_t *icv = body + e->ring->body;
    uint8_t nonce[12];
    int n = 0;

    memcpy(nonce, e->salt, 4);
    memcpy(nonce + 4, packet + ESP_HEADER, 8);
    EVP_CipherInit_ex2(e->cipher, NULL, NULL, nonce, -1, NULL);
    if (!e->cell->seal)
        EVP_CIPHER_CTX_ctrl(e->cipher, EVP_CTRL_AEAD_SET_TAG, 16, icv);
    EVP_CipherUpdate(e->cipher, NULL, &n, packet, ESP_HEADER);
    EVP_CipherUpdate(e->cipher, body, &n, body, (int)e->ring->body);
    if (EVP_CipherFinal_ex(e->cipher, nonce, &n) != 1)
        abort();
    if (e->cell->seal)
        EVP_CIPHER_CTX_ctrl(e->cipher, EVP_CTRL_AEAD_GET_TAG, 16, icv);
}

static void cbc(struct evp *e, uint8_t *packet)
{
    uint8_t *body = packet + ESP_HEADER + e->sizes.iv;
    size_t covered = ESP_HEADER + e->sizes.iv + e->ring->body;
    uint8_t tag[64];
    size_t n_tag = 0;
    int n = 0;

    if (e->cell->seal) {
        EVP_CipherInit_ex2(e->cipher, NULL, NULL, packet + ESP_HEADER, -1, NULL);
        EVP_CipherUpdate(e->cipher, body, &n, body, (int)e->ring->body);
    }
    EVP_MAC_init(e->mac, NULL, 0, NULL);
    EVP_MAC_update(e->mac, packet, covered);
    EVP_MAC_final(e->mac, tag, &n_tag, sizeof(tag));
    if (e->cell->seal) {
        memcpy(packet + covered, tag, e->sizes.icv);
        return;
    }
    if (memcmp(tag, packet + covered, e->sizes.icv) != 0)
        abort();
    EVP_CipherInit_ex2(e->cipher, NULL, NULL, packet + ESP_HEADER, -1, NULL);
    EVP_CipherUpdate(e->cipher, body, &n, body, (int)e->ring->body);
}

static void evp_run(void *self)
{
    struct evp *e = self;

    for (size_t i = 0; i < RING; i++)
        if (e->mac)
            cbc(e, e->ring->bytes[i]);
        else
            gcm(e, e->ring->bytes[i]);
}

const struct contender raw_evp = {"raw EVP", evp_new, evp_run, evp_free};
