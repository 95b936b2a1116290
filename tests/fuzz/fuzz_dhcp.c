/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers to a DHCPINFORM. First byte: the packet as it is, or options with the right head put in
 * front of them, so that they are read. */
#include "fuzz.h"

#include "ppp/dhcpinform.h"

#include <string.h>

#define HEAD (20 + 8 + 240 + 3)
#define LOCAL 0x0a090909u
#define OUTER 0xcb007105u

static void check_answer(const struct dhcp_answer *a)
{
    FUZZ_REQUIRE(a->n_routes <= DHCPINFORM_ROUTES_MAX && a->n_domains <= DHCPINFORM_DOMAINS_MAX);
    for (unsigned i = 0; i < a->n_routes; i++) {
        uint32_t d = a->route[i].destination;
        uint8_t len = a->route[i].prefix_len;

        FUZZ_REQUIRE(len >= DHCPINFORM_PREFIX_MIN && len <= 32);
        FUZZ_REQUIRE(len == 32 || (d & (UINT32_MAX >> len)) == 0);
        FUZZ_REQUIRE(d >> 24 != 0 && d >> 24 != 127 && d < 0xe0000000);
        FUZZ_REQUIRE(len != 32 || d != OUTER);
    }
    for (unsigned i = 0; i < a->n_domains; i++) {
        size_t n = strnlen(a->domain[i], DHCPINFORM_DOMAIN_MAX);

        FUZZ_REQUIRE(n > 0 && n < DHCPINFORM_DOMAIN_MAX);
        FUZZ_REQUIRE(strspn(a->domain[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789-_.") == n);
    }
    for (unsigned i = 0; i < 2; i++)
        FUZZ_REQUIRE(a->dns[i].family == 0 || a->dns[i].family == 4);
}

/* IPv4 without options, UDP without a checksum, BOOTP with our numbers. */
static void put_head(struct mspan m)
{
    uint32_t sum = 0;

    memset(m.p, 0, HEAD);
    memcpy(m.p, "\x45\0\0\0\0\0\0\0\x40\x11\0\0\x0a\x09\x09\x01\x0a\x09\x09\x09\0\x43\0\x44", 24);
    m.p[2] = (uint8_t)(m.n >> 8);
    m.p[3] = (uint8_t)m.n;
    m.p[24] = (uint8_t)((m.n - 20) >> 8);
    m.p[25] = (uint8_t)(m.n - 20);
    for (unsigned i = 0; i < 20; i += 2)
        sum += (uint32_t)m.p[i] << 8 | m.p[i + 1];
    sum = ~((sum & 0xffff) + (sum >> 16));
    m.p[10] = (uint8_t)(sum >> 8);
    m.p[11] = (uint8_t)sum;
    memcpy(m.p + 28, "\2\1\6\0\1\2\3\4", 8);
    m.p[28 + 28] = 2;
    memcpy(m.p + 28 + 236, "\x63\x82\x53\x63\x35\1\5", 7);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct dhcp_question q = {
        .xid = 0x01020304, .chaddr = {2}, .local = inaddr_v4(LOCAL), .outer = inaddr_v4(OUTER)};
    struct dhcp_answer a;
    struct mspan m;
    bool whole = size > 0 && (data[0] & 1);
    uint8_t room[4096] = {0};

    if (size < 1 || size > sizeof(room) - HEAD)
        return 0;
    memcpy(room + (whole ? 0 : HEAD), data + 1, size - 1);
    m = fuzz_copy(span_of(room, size - 1 + (whole ? 0 : HEAD)));
    if (!whole)
        put_head(m);
    memset(&a, 0xa5, sizeof(a));
    if (dhcp_answer_read(span_ro(m), &q, &a)) {
        FUZZ_REQUIRE(dhcp_answer_may_be(span_ro(m)));
        check_answer(&a);
    } else {
        FUZZ_REQUIRE(a.n_routes == 0xa5a5a5a5);
    }
    free(m.p);
    return 0;
}
