/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What only MS-CHAP and old gateways still need, and OpenSSL's default provider lacks. */
#include "base/secret.h"
#include "crypto/private.h"

#include <nettle/arcfour.h>
#include <nettle/des.h>
#include <string.h>

bool des_block_56(const uint8_t key7[7], const uint8_t in[8], uint8_t out[8])
{
    uint8_t key8[8];
    struct des_ctx des;
    uint64_t bits = 0;

    for (size_t i = 0; i < 7; i++)
        bits = bits << 8 | key7[i];
    for (size_t i = 0; i < 8; i++)
        key8[i] = (uint8_t)((bits >> (49 - 7 * i) & 0x7f) << 1);
    des_fix_parity(8, key8, key8);
    /* The key is a password's hash: a weak one must work like any other. */
    (void)des_set_key(&des, key8);
    des_encrypt(&des, 8, out, in);
    wipe(&des, sizeof(des));
    wipe(key8, sizeof(key8));
    wipe(&bits, sizeof(bits));
    return true;
}

/* Equal but for the parity bits. */
static bool des_key_eq(const uint8_t *a, const uint8_t *b)
{
    uint8_t diff = 0;

    for (size_t i = 0; i < 8; i++)
        diff = (uint8_t)(diff | ((a[i] ^ b[i]) & 0xfe));
    return diff == 0;
}

static bool des_part_is_weak(const uint8_t *key)
{
    /* Weak and semi-weak keys of RFC 2409 appendix A's reference, FIPS 74 3.6. */
    static const uint8_t weak[][8] = {
        {0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01},
        {0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe, 0xfe},
        {0x1f, 0x1f, 0x1f, 0x1f, 0x0e, 0x0e, 0x0e, 0x0e},
        {0xe0, 0xe0, 0xe0, 0xe0, 0xf1, 0xf1, 0xf1, 0xf1},
        {0x01, 0xfe, 0x01, 0xfe, 0x01, 0xfe, 0x01, 0xfe},
        {0xfe, 0x01, 0xfe, 0x01, 0xfe, 0x01, 0xfe, 0x01},
        {0x1f, 0xe0, 0x1f, 0xe0, 0x0e, 0xf1, 0x0e, 0xf1},
        {0xe0, 0x1f, 0xe0, 0x1f, 0xf1, 0x0e, 0xf1, 0x0e},
        {0x01, 0xe0, 0x01, 0xe0, 0x01, 0xf1, 0x01, 0xf1},
        {0xe0, 0x01, 0xe0, 0x01, 0xf1, 0x01, 0xf1, 0x01},
        {0x1f, 0xfe, 0x1f, 0xfe, 0x0e, 0xfe, 0x0e, 0xfe},
        {0xfe, 0x1f, 0xfe, 0x1f, 0xfe, 0x0e, 0xfe, 0x0e},
        {0x01, 0x1f, 0x01, 0x1f, 0x01, 0x0e, 0x01, 0x0e},
        {0x1f, 0x01, 0x1f, 0x01, 0x0e, 0x01, 0x0e, 0x01},
        {0xe0, 0xfe, 0xe0, 0xfe, 0xf1, 0xfe, 0xf1, 0xfe},
        {0xfe, 0xe0, 0xfe, 0xe0, 0xfe, 0xf1, 0xfe, 0xf1},
    };

    for (size_t i = 0; i < ARRAY_LEN(weak); i++)
        if (des_key_eq(key, weak[i]))
            return true;
    return false;
}

bool des_key_is_weak(struct span key)
{
    if (key.n == 8)
        return des_part_is_weak(key.p);
    if (key.n != 24)
        return true;
    /* Two equal neighbours cancel out and leave single DES (RFC 2451 2.3). */
    return des_part_is_weak(key.p) || des_part_is_weak(key.p + 8) || des_part_is_weak(key.p + 16) ||
           des_key_eq(key.p, key.p + 8) || des_key_eq(key.p + 8, key.p + 16);
}

bool rc4_crypt(struct span key, struct mspan data)
{
    struct arcfour_ctx rc4;

    if (key.n < ARCFOUR_MIN_KEY_SIZE || key.n > ARCFOUR_MAX_KEY_SIZE)
        return false;
    arcfour_set_key(&rc4, key.n, key.p);
    if (data.n > 0)
        arcfour_crypt(&rc4, data.n, data.p, data.p);
    wipe(&rc4, sizeof(rc4));
    return true;
}
