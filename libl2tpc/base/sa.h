/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The neutral product of a key exchange: a pair of ESP security associations. */
#ifndef L2TPC_BASE_SA_H
#define L2TPC_BASE_SA_H

#include "base/addr.h"
#include "base/clock.h"
#include "base/suite.h"

#define SA_CIPHER_KEY_MAX 36 /* AES-256 key and the 4-byte GCM salt behind it (RFC 4106 8.1) */
#define SA_INTEG_KEY_MAX 64

/* One direction. */
struct sa_keys {
    uint32_t spi; /* host order; chosen by the receiver of this direction */
    uint8_t cipher_key[SA_CIPHER_KEY_MAX];
    uint8_t cipher_key_len; /* with the salt for GCM */
    uint8_t integ_key[SA_INTEG_KEY_MAX];
    uint8_t integ_key_len;
};

struct sa_pair {
    struct esp_suite suite;
    struct sa_keys in, out;
    bool udp_encapsulated;   /* RFC 3948, else raw IP protocol 50 */
    bool behind_nat;         /* either side; inner UDP checksums cannot be relied on */
    uint16_t local_port;     /* our UDP port inside ESP, from the quick mode selectors */
    uint16_t remote_port;    /* the server's: 1701 */
    uint32_t lifetime_s;     /* negotiated; 0 = none stated */
    uint64_t lifetime_bytes; /* negotiated; 0 = none */
    bool by_peer;            /* the peer started this quick mode */
    enum dh_group pfs;       /* what really happened, not what was asked for */
};

#endif
