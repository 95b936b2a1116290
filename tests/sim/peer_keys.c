/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The peer's keys in the words of tshark 4.0, so that an independent reader can follow a dial. */
#include "peer_i.h"

static void hex(FILE *f, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fprintf(f, "%02x", p[i]);
}

static const char *cipher_words(const struct esp_suite *s)
{
    switch (s->cipher) {
    case CIPHER_DES_CBC:
        return "DES-CBC [RFC2405]";
    case CIPHER_3DES_CBC:
        return "TripleDES-CBC [RFC2451]";
    case CIPHER_AES_CBC:
        return "AES-CBC [RFC3602]";
    case CIPHER_AES_GCM:
        return "AES-GCM with 16 octet ICV [RFC4106]";
    case CIPHER_NONE:
    default:
        return "NULL";
    }
}

static const char *integ_words(const struct esp_suite *s)
{
    switch (s->integ) {
    case HASH_MD5:
        return "HMAC-MD5-96 [RFC2403]";
    case HASH_SHA1:
        return "HMAC-SHA-1-96 [RFC2404]";
    case HASH_SHA256:
        return s->truncate_96 ? "HMAC-SHA-256-96 [draft-ietf-ipsec-ciph-sha-256-00]"
                              : "HMAC-SHA-256-128 [RFC4868]";
    case HASH_SHA384:
        return "HMAC-SHA-384-192 [RFC4868]";
    case HASH_SHA512:
        return "HMAC-SHA-512-256 [RFC4868]";
    case HASH_NONE:
    case HASH_MD4:
    default:
        return "NULL";
    }
}

static void write_sa(FILE *f, const struct esp_pair *e, uint32_t spi, const uint8_t *keys)
{
    size_t integ, n = peer_esp_key_sizes(&e->suite, &integ);

    fprintf(f, "uat:esp_sa:\"%s\",\"*\",\"*\",\"0x%08x\",\"%s\",\"0x",
            e->to.addr.family == 6 ? "IPv6" : "IPv4", spi, cipher_words(&e->suite));
    hex(f, keys, n);
    fprintf(f, "\",\"%s\",\"", integ_words(&e->suite));
    if (integ) {
        fprintf(f, "0x");
        hex(f, keys + n, integ);
    }
    fprintf(f, "\"\n");
}

void peer_write_keys(struct peer *p, FILE *f)
{
    for (size_t i = 0; i < PEER_IKE_MAX; i++) {
        if (p->ike[i].state != IKE_UP && p->ike[i].state != IKE_DEAD)
            continue;
        fprintf(f, "uat:ikev1_decryption_table:");
        hex(f, p->ike[i].cky_i, 8);
        fprintf(f, ",");
        hex(f, p->ike[i].key, p->ike[i].key_n);
        fprintf(f, "\n");
    }
    for (size_t i = 0; i < PEER_ESP_MAX; i++) {
        if (!p->esp[i].used)
            continue;
        write_sa(f, &p->esp[i], p->esp[i].spi_in, p->esp[i].key_in);
        write_sa(f, &p->esp[i], p->esp[i].spi_out, p->esp[i].key_out);
    }
}
