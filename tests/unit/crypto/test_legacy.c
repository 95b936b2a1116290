/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"
#include "crypto/crypto.h"

#include <string.h>

TEST(crypto_rc4_known_streams)
{
    /* RFC 6229 streams at offset 0, and a text of common use. */
    static const struct {
        const char *key, *data, *want;
    } v[] = {
        {"0102030405", "00000000000000000000000000000000", "b2396305f03dc027ccc3524a0a1118a8"},
        {"0102030405060708090a0b0c0d0e0f10", "00000000000000000000000000000000",
         "9ac7cc9a609d1ef7b2932899cde41b97"},
        {"4b6579", "506c61696e74657874", "bbf316e8d940af0ad3"},
    };

    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        uint8_t key[16];
        uint8_t data[16];
        size_t n_key = check_hex(key, sizeof(key), v[i].key);
        size_t n = check_hex(data, sizeof(data), v[i].data);

        CHECK(rc4_crypt(span_of(key, n_key), (struct mspan){data, n}));
        CHECK_HEX(data, n, v[i].want);
        CHECK(rc4_crypt(span_of(key, n_key), (struct mspan){data, n}));
        CHECK_HEX(data, n, v[i].data);
    }
    CHECK(!rc4_crypt(SPAN_NONE, (struct mspan){NULL, 0}));
}

/* RFC 2759 9.2: from the password to the response. */
TEST(crypto_mschapv2_steps_rfc2759)
{
    static const uint8_t utf16[] =
        "c\0l\0i\0e\0n\0t\0P\0a\0s\0s"; /* the last NUL is the string's */
    static const uint8_t challenge[] = {0xd0, 0x2e, 0x43, 0x86, 0xbc, 0xe9, 0x12, 0x26};
    struct span part = SPAN_ARRAY(utf16);
    uint8_t hash[21] = {0};
    uint8_t twice[16];
    uint8_t response[24];

    CHECK_INT(part.n, 20);
    CHECK(hash_parts(NULL, HASH_MD4, &part, 1, hash));
    CHECK_HEX(hash, 16, "44EBBA8D5312B8D611474411F56989AE");
    part = span_of(hash, 16);
    CHECK(hash_parts(NULL, HASH_MD4, &part, 1, twice));
    CHECK_HEX(twice, 16, "41C00C584BD2D91C4017A2A12FA59F3F");
    for (size_t i = 0; i < 3; i++)
        CHECK(des_block_56(hash + 7 * i, challenge, response + 8 * i));
    CHECK_HEX(response, 24, "82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF");
}

TEST(crypto_des_block_takes_weak_keys)
{
    static const uint8_t zeros[8];
    uint8_t out[8];

    CHECK(des_block_56(zeros, zeros, out));
    CHECK_HEX(out, 8, "8CA64DE9C1B123A7");
}

TEST(crypto_weak_des_keys)
{
    uint8_t key[24];

    CHECK(des_key_is_weak(span_of(key, check_hex(key, 24, "0101010101010101"))));
    CHECK(des_key_is_weak(span_of(key, check_hex(key, 24, "0000000000000000")))); /* parity aside */
    CHECK(des_key_is_weak(span_of(key, check_hex(key, 24, "e0fee0fef1fef1fe"))));
    CHECK(des_key_is_weak(span_of(key, check_hex(key, 24, "fffefffefffefffe"))));
    CHECK(!des_key_is_weak(span_of(key, check_hex(key, 24, "0123456789abcdef"))));
    check_hex(key, 24, "0123456789abcdef 23456789abcdef01 456789abcdef0123");
    CHECK(!des_key_is_weak(SPAN_ARRAY(key)));
    check_hex(key, 24, "0123456789abcdef 0022446688aaccee 456789abcdef0123");
    CHECK(des_key_is_weak(SPAN_ARRAY(key))); /* first two equal but for parity */
    check_hex(key, 24, "0123456789abcdef 456789abcdef0123 456789abcdef0123");
    CHECK(des_key_is_weak(SPAN_ARRAY(key)));
    check_hex(key, 24, "0123456789abcdef 1fe01fe00ef10ef1 456789abcdef0123");
    CHECK(des_key_is_weak(SPAN_ARRAY(key)));
    CHECK(des_key_is_weak(span_of(key, 16)));
    CHECK(des_key_is_weak(SPAN_NONE));
}
