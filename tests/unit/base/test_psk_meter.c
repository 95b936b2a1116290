/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/psk_meter.h"
#include "base/secret.h"
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned bits(const char *psk)
{
    return psk_measure(span_str(psk)).bits;
}

/* What people use, and what an attacker tries first. */
TEST(psk_meter_known_keys)
{
    static const struct {
        const char *psk;
        unsigned least, most;
    } rows[] = {
        {"", 0, 0},
        {"a", 1, 5},
        {"password", 1, 3},
        {"Passw0rd", 1, 8},
        {"P@ssw0rd123!", 5, 24},
        {"12345678", 1, 10},
        {"87654321", 1, 10},
        {"aaaaaaaaaaaaaaaaaaaaaaaa", 1, 16},
        {"abcabcabcabcabcabc", 5, 24},
        {"qwertyuiop", 1, 16},
        {"1qaz2wsx", 4, 16},
        {"Summer2024", 5, 20},
        {"labpsk123", 5, 40},
        {"vpn", 1, 10},
        {"correct horse battery staple", 20, 63},
        {"Wednesday-Elephant-7", 20, 63},
        {"tr0ub4dor&3", 15, 63},
        {"xK7#qP2$", 40, 63},     /* 8 characters of four classes: fine once, not today */
        {"kx9w2vb7tq4z", 50, 63}, /* 12 of 36 */
        {"Zr8kT3vQx9Lm", 64, 72}, /* 12 of 62 */
        {"3a8fK2mQ9xR7vL4wT6nB", 110, 120},
        {"Ng7x4tQzV9kWc2RfpM5bY8sD", 120, 143},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned got = bits(rows[i].psk);

        if (got < rows[i].least || got > rows[i].most) {
            printf("    '%s': %u bits, not %u to %u\n", rows[i].psk, got, rows[i].least,
                   rows[i].most);
            CHECK(false);
        }
    }
}

TEST(psk_meter_grows_with_what_nobody_guesses)
{
    static const char random[] = "3a8fK2mQ9xR7vL4wT6nBd5YgH9sJc2Pz";
    unsigned before = 0;

    for (size_t n = 1; n < sizeof(random); n++) {
        unsigned now = psk_measure(span_of(random, n)).bits;

        CHECK(now >= before);
        before = now;
    }
    /* In front of or behind a word it adds what it would add alone, at least nearly. */
    CHECK(bits("passwordR7vL4wT6") >= bits("R7vL4wT6"));
    CHECK(bits("R7vL4wT6password") >= bits("R7vL4wT6"));
}

/* Said twice it is hardly more than said once. */
TEST(psk_meter_counts_repeats_once)
{
    CHECK(bits("R7vL4wT6R7vL4wT6") <= bits("R7vL4wT6") + 12);
    CHECK(bits("R7vL4wT6R7vL4wT6R7vL4wT6") <= bits("R7vL4wT6") + 20);
}

TEST(psk_meter_old_rules)
{
    CHECK(psk_measure(span_str("Passw0rd")).old_rules);
    CHECK(!psk_measure(span_str("Passw0r")).old_rules);
    CHECK(!psk_measure(span_str("passw0rd")).old_rules);
    CHECK_INT(psk_measure(span_str("aA1!")).classes, 4);
    CHECK_INT(psk_measure(span_str("a\xc3\xa4")).classes, 2);
    CHECK(psk_measure(span_str("!abc")).odd_ends && psk_measure(span_str("abc ")).odd_ends);
    CHECK(!psk_measure(span_str("a!c")).odd_ends);
}

TEST(psk_meter_takes_any_bytes)
{
    static uint8_t bytes[SECRET_MAX + 88];
    uint32_t x = 1;

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)((x = x * 1664525u + 1013904223u) >> 24);
    for (size_t n = 0; n <= sizeof(bytes); n += 13)
        CHECK(psk_measure(span_of(bytes, n)).bits <= 8 * n);
    memset(bytes, 0, sizeof(bytes));
    CHECK(psk_measure(SPAN_ARRAY(bytes)).bits < 24);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t) "open sesame "[i % 12];
    CHECK(psk_measure(SPAN_ARRAY(bytes)).bits < PSK_BITS_WEAK);
    CHECK_INT(psk_measure(SPAN_NONE).bits, 0);
}

static int by_text(const void *a, const void *b)
{
    return memcmp(a, b, PSK_GENERATED_LEN + 1);
}

#define KEYS 100000

TEST(psk_generated_keys)
{
    char(*keys)[PSK_GENERATED_LEN + 1] = calloc(KEYS, sizeof(*keys));
    unsigned least = 1000;
    unsigned low = 0;
    uint64_t x = 88172645463325252u;

    CHECK(keys != NULL);
    for (size_t i = 0; i < KEYS; i++) {
        uint8_t random[64];
        struct psk_strength s;

        for (size_t k = 0; k < sizeof(random); k++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            random[k] = (uint8_t)(x >> 24);
        }
        CHECK(psk_generate(SPAN_ARRAY(random), keys[i]));
        CHECK_INT(strlen(keys[i]), PSK_GENERATED_LEN);
        CHECK(!strpbrk(keys[i], "0Oo1lIi"));
        if (i % 10 == 0) {
            s = psk_measure(span_str(keys[i]));
            least = s.bits < least ? s.bits : least;
            low += s.bits < PSK_BITS_GENERATED;
            CHECK(!s.odd_ends);
        }
    }
    printf("    the least of them has %u bits, %u have less than %d\n", least, low,
           PSK_BITS_GENERATED);
    CHECK(least >= 80 && low < KEYS / 10 / 5);
    qsort(keys, KEYS, sizeof(*keys), by_text);
    for (size_t i = 1; i < KEYS; i++)
        CHECK(memcmp(keys[i - 1], keys[i], sizeof(keys[i])) != 0);
    free(keys);
}

TEST(psk_generate_refuses_too_little_randomness)
{
    static const uint8_t refused[64] = {255, 255}; /* the rest gives 'a' */
    uint8_t all[64];
    char key[PSK_GENERATED_LEN + 1];

    memset(all, 255, sizeof(all));
    CHECK(!psk_generate(SPAN_ARRAY(all), key));
    CHECK(!psk_generate(span_of(refused, 25), key));
    CHECK(psk_generate(span_of(refused, 26), key));
}
