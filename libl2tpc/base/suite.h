/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Neutral names of algorithms: what a suite is made of, whoever negotiated it. No wire numbers. */
#ifndef L2TPC_BASE_SUITE_H
#define L2TPC_BASE_SUITE_H

#include "base/span.h"

enum cipher_id {
    CIPHER_NONE,
    CIPHER_DES_CBC,
    CIPHER_3DES_CBC,
    CIPHER_AES_CBC,
    CIPHER_AES_GCM, /* 16-byte ICV; ESP only */
};

enum hash_id {
    HASH_NONE,
    HASH_MD5,
    HASH_SHA1,
    HASH_SHA256,
    HASH_SHA384,
    HASH_SHA512,
    HASH_MD4, /* MS-CHAP only; never negotiated */
};

/* Values are the IANA group numbers of RFC 2409, 3526, 5903 and 8031. */
enum dh_group {
    DH_NONE = 0,
    DH_MODP768 = 1,
    DH_MODP1024 = 2,
    DH_MODP1536 = 5,
    DH_MODP2048 = 14,
    DH_MODP3072 = 15,
    DH_MODP4096 = 16,
    DH_MODP6144 = 17,
    DH_MODP8192 = 18,
    DH_ECP256 = 19,
    DH_ECP384 = 20,
    DH_ECP521 = 21,
    DH_X25519 = 31,
};

/* How phase 1 proves who is who. Values are those of RFC 2409 appendix A and RFC 4754 5. */
enum ike_auth {
    IKE_AUTH_DEFAULT = 0, /* the pre-shared key */
    IKE_AUTH_PSK = 1,
    IKE_AUTH_RSA = 3,
    IKE_AUTH_ECDSA_256 = 9,
    IKE_AUTH_ECDSA_384 = 10,
    IKE_AUTH_ECDSA_521 = 11,
};

/* One phase 1 suite. */
struct ike_suite {
    enum cipher_id cipher;
    uint16_t key_bits; /* 128, 192, 256 for AES; 0 for DES and 3DES */
    enum hash_id hash; /* integrity and prf */
    enum dh_group group;
};

/* One ESP suite. */
struct esp_suite {
    enum cipher_id cipher;
    uint16_t key_bits;
    enum hash_id integ; /* HASH_NONE with AES-GCM */
    bool truncate_96;   /* SHA2-256 cut to 96 bits, the quirk of old peers */
};

#define IKE_SUITES_MAX 32
#define ESP_SUITES_MAX 24

/* What a profile allows, strongest first: the order of the offer. */
struct policy {
    struct ike_suite ike[IKE_SUITES_MAX];
    unsigned n_ike;
    struct esp_suite esp[ESP_SUITES_MAX];
    unsigned n_esp;
    enum dh_group pfs;  /* DH_NONE: no PFS asked for */
    enum ike_auth auth; /* of every phase 1 suite: what our credential can do */
};

enum encapsulation {
    ENCAPSULATION_AUTO, /* UDP whenever the server offers NAT traversal */
    ENCAPSULATION_UDP,  /* insist */
    ENCAPSULATION_ESP,  /* raw protocol 50: announce no NAT traversal */
};

#endif
