/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stands inside authentic packets: padding, next header, the UDP header and its checksum. */
#include "check.h"
#include "fixture.h"

#include <string.h>

static const struct esp_suite aes = {CIPHER_AES_CBC, 128, HASH_SHA1, false};
static const struct esp_suite gcm = {CIPHER_AES_GCM, 128, HASH_NONE, false};

/* server 1701 -> client 40001, length 12, no sum, 4 bytes */
#define UDP "06a5 9c41 000c 0000 61626364"
#define PAD_2 "0102 02 11"

struct inner_case {
    const char *plaintext;
    enum esp_verdict verdict;
};

static const struct inner_case cases[] = {
    {UDP PAD_2, ESP_OK},                                   /* 1 */
    {UDP "0202 02 11", ESP_MALFORMED},                     /* 2 */
    {UDP "0001 02 11", ESP_MALFORMED},                     /* 3 */
    {UDP "0102 03 11", ESP_MALFORMED},                     /* 4: 64 01 02 */
    {UDP "0102 0e 11", ESP_MALFORMED},                     /* 5 */
    {UDP "0102 0f 11", ESP_MALFORMED},                     /* 6 */
    {UDP "0102 ff 11", ESP_MALFORMED},                     /* 7 */
    {UDP "0102 02 06", ESP_MALFORMED},                     /* 8: TCP */
    {UDP "0102 02 04", ESP_MALFORMED},                     /* 9: tunnel mode */
    {UDP "0102 02 00", ESP_MALFORMED},                     /* 10 */
    {UDP "0102 02 3b", ESP_DUMMY},                         /* 11 */
    {"ffffffffffffffffffffffffffff ff 3b", ESP_DUMMY},     /* 12 */
    {"06a6 9c41 000c 0000 61626364" PAD_2, ESP_MALFORMED}, /* 13: ports */
    {"06a5 9c42 000c 0000 61626364" PAD_2, ESP_MALFORMED}, /* 14 */
    {"9c41 06a5 000c 0000 61626364" PAD_2, ESP_MALFORMED}, /* 15 */
    {"06a5 9c41 000d 0000 61626364" PAD_2, ESP_MALFORMED}, /* 16: length */
    {"06a5 9c41 ffff 0000 61626364" PAD_2, ESP_MALFORMED}, /* 17 */
    {"06a5 9c41 0007 0000 61626364" PAD_2, ESP_MALFORMED}, /* 18 */
    {"06a5 9c41 0000 0000 61626364" PAD_2, ESP_MALFORMED}, /* 19 */
    {"06a5 9c41 0008 0000 61626364" PAD_2, ESP_OK},        /* 20: empty */
    {"06a5 9c41 000c 0000 61626364 0000000000000000000000000000 00000102 0211", ESP_OK}, /* 21 */
    {"06a5 9c41 000c 0000 0102030405060708090a0b0c0d0e0f10111213141516 16 11", ESP_MALFORMED},
    {"06a5 9c41 0001 0203 0405060708090a0b 0c0d 0e 11", ESP_MALFORMED}, /* 23: header in padding */
    {"06a5 9c41 000c 00 01020304050607 07 11", ESP_MALFORMED},          /* 24: 7 bytes left */
};

static void run_case(struct ends *e, size_t i, uint32_t seq)
{
    uint8_t buffer[PACKET_MAX];
    uint8_t plain[256];
    size_t n = check_hex(plain, sizeof(plain), cases[i].plaintext);
    struct esp_counters before = esp_in_counters(e->client_in);
    struct esp_counters now;
    struct mspan packet = forge(e, buffer, seq, span_of(plain, n));
    struct mspan payload = {plain, 77};
    enum esp_verdict v = esp_open(e->client_in, packet, &payload);
    bool valid = v == ESP_OK || v == ESP_DUMMY;

    now = esp_in_counters(e->client_in);
    if (v != cases[i].verdict)
        check_fail(__FILE__, __LINE__, "case %zu: verdict %d", i + 1, v);
    if (v != ESP_OK && (payload.p != plain || payload.n != 77))
        check_fail(__FILE__, __LINE__, "case %zu: output touched", i + 1);
    if (now.malformed != before.malformed + (v == ESP_MALFORMED) ||
        now.packets != before.packets + valid || now.bytes != before.bytes + (valid ? packet.n : 0))
        check_fail(__FILE__, __LINE__, "case %zu: counters", i + 1);
    /* It was authentic: its number is spent whatever it held. */
    if (esp_open(e->client_in, forge(e, buffer, seq, span_of(plain, n)), &payload) != ESP_REPLAYED)
        check_fail(__FILE__, __LINE__, "case %zu: taken twice", i + 1);
}

TEST(esp_inner_table)
{
    static const struct esp_suite *const suites[] = {&aes, &gcm};

    for (size_t s = 0; s < ARRAY_LEN(suites); s++) {
        struct ends e;

        ends_init(&e, suites[s]);
        CHECK(ends_open(&e));
        for (size_t i = 0; i < ARRAY_LEN(cases); i++)
            if (check_hex((uint8_t[256]){0}, 256, cases[i].plaintext) % 16 == 0 || s == 1)
                run_case(&e, i, (uint32_t)i + 1);
        ends_close(&e);
    }
}

/* One packet from the server with a right sum, then the same with a wrong one. */
static void sums(bool encapsulated, bool nat, bool ipv6)
{
    uint8_t buffer[PACKET_MAX];
    uint8_t plain[32];
    struct ends e;
    struct mspan payload = {NULL, 0};
    struct inner_flow flow;
    uint16_t sum;

    ends_init(&e, &aes);
    e.sa.udp_encapsulated = encapsulated;
    e.sa.behind_nat = nat;
    if (ipv6) {
        CHECK(inaddr_parse(&e.client, "2001:db8::5"));
        CHECK(inaddr_parse(&e.server, "2001:db8:1::7"));
    }
    CHECK(ends_open(&e));
    inner_flow_init(&flow, &e.server, &e.client, 1701, 40001);
    check_hex(plain, sizeof(plain), UDP PAD_2);
    sum = inner_sum(&flow, 12, 0, span_of(plain + 8, 4));
    plain[6] = (uint8_t)(sum >> 8);
    plain[7] = (uint8_t)sum;
    CHECK_INT(esp_open(e.client_in, forge(&e, buffer, 1, span_of(plain, 16)), &payload), ESP_OK);
    CHECK_INT(esp_in_counters(e.client_in).bad_udp_sum, 0);
    plain[9] ^= 0x40;
    CHECK_INT(esp_open(e.client_in, forge(&e, buffer, 2, span_of(plain, 16)), &payload),
              nat ? ESP_OK : ESP_MALFORMED);
    CHECK_INT(esp_in_counters(e.client_in).bad_udp_sum, 1);
    CHECK_INT(esp_in_counters(e.client_in).malformed, 0);
    CHECK_INT(esp_in_counters(e.client_in).packets, nat ? 2 : 1);
    ends_close(&e);
}

TEST(esp_udp_sum_is_binding_without_nat_only)
{
    for (unsigned i = 0; i < 8; i++)
        sums(i & 1, i & 2, i & 4);
}

/* Against the plain definition of RFC 768 and 1071, byte by byte. */
static uint16_t plain_sum(const uint8_t *bytes, size_t n)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i++) {
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum == 0 ? 0xffff : (uint16_t)~sum;
}

TEST(esp_udp_sum_matches_the_definition)
{
    struct inaddr from = inaddr_v4(0x0a4d0114);
    struct inaddr to = inaddr_v4(0xc6336402);
    uint8_t whole[12 + 8 + 300] = {10, 77, 1, 20, 198, 51,   100,  2,
                                   0,  17, 0, 0,  6,   0xa5, 0x9c, 0x41};
    struct inner_flow flow;
    uint32_t x = 9;

    inner_flow_init(&flow, &from, &to, 1701, 40001);
    for (size_t n = 0; n <= 300; n++) {
        whole[10] = whole[16] = (uint8_t)((n + 8) >> 8);
        whole[11] = whole[17] = (uint8_t)(n + 8);
        for (size_t i = 0; i < n; i++) {
            x = x * 1664525u + 1013904223u;
            whole[20 + i] = n % 3 == 0 ? 0xff : (uint8_t)(x >> 24);
        }
        uint16_t sum = inner_sum(&flow, (uint16_t)(n + 8), 0, span_of(whole + 20, n));

        CHECK_INT(sum, plain_sum(whole, 20 + n));
        CHECK_INT(inner_sum(&flow, (uint16_t)(n + 8), sum, span_of(whole + 20, n)), 0xffff);
        CHECK(inner_sum(&flow, (uint16_t)(n + 8), (uint16_t)(sum + 1), span_of(whole + 20, n)) !=
              0xffff);
    }
}

/* A sum that comes out as zero goes out as 0xffff, for zero says "none". */
TEST(esp_udp_sum_is_never_zero)
{
    struct inaddr any = inaddr_v4(0);
    struct inner_flow flow;
    uint8_t payload[2];

    inner_flow_init(&flow, &any, &any, 0, 0);
    payload[0] = (uint8_t)((0xffff - 17 - 20) >> 8);
    payload[1] = (uint8_t)(0xffff - 17 - 20);
    CHECK_INT(inner_sum(&flow, 10, 0, SPAN_ARRAY(payload)), 0xffff);
    payload[1]--;
    CHECK_INT(inner_sum(&flow, 10, 0, SPAN_ARRAY(payload)), 1);
}
