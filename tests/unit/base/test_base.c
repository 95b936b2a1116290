/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/addr.h"
#include "base/failure.h"
#include "base/queue.h"
#include "base/secret.h"
#include "base/text.h"
#include "check.h"

#include <string.h>

TEST(base_addr_text_and_parse)
{
    char text[ADDR_TEXT_MAX];
    struct inaddr a;
    struct endpoint e = {.port = 500};

    CHECK(inaddr_parse(&a, "192.0.2.1"));
    CHECK_INT(inaddr_to_v4(&a), 0xc0000201);
    CHECK_STR(inaddr_text(&a, text), "192.0.2.1");
    CHECK(inaddr_parse(&e.addr, "2001:db8::1"));
    CHECK_STR(endpoint_text(&e, text), "[2001:db8::1]:500");
    CHECK(!inaddr_parse(&a, "192.0.2.256"));
    CHECK(!inaddr_parse(&a, "vpn.example.com"));
    CHECK(inaddr_parse(&a, "::1") && inaddr_is_loopback(&a));
    CHECK(inaddr_parse(&a, "127.9.9.9") && inaddr_is_loopback(&a));
    CHECK(inaddr_parse(&a, "255.255.255.255") && inaddr_is_multicast(&a));
    CHECK(inaddr_parse(&a, "0.0.0.0") && inaddr_is_any(&a));
    CHECK(inaddr_parse(&a, "::ffff:127.0.0.1"));
    inaddr_unmap(&a);
    CHECK(a.family == 4 && inaddr_is_loopback(&a));
    CHECK(inaddr_parse(&a, "2001:db8::7f00:1"));
    inaddr_unmap(&a);
    CHECK_INT(a.family, 6);
    CHECK(!inaddr_from_bytes(&a, span_of("12345", 5)));
}

TEST(base_secret_compare_and_bounds)
{
    struct secret s = {0};
    uint8_t big[SECRET_MAX + 1] = {1};

    CHECK(equal_ct("abcd", "abcd", 4));
    CHECK(!equal_ct("abcd", "abce", 4));
    CHECK(secret_set(&s, span_str("psk")));
    CHECK_MEM(s.bytes, s.n, "psk", 3);
    CHECK(!secret_set(&s, span_of(big, sizeof(big))));
    CHECK_INT(s.n, 3);
    secret_wipe(&s);
    CHECK_INT(s.n, 0);
    CHECK_INT(s.bytes[0], 0);
}

TEST(base_text_escapes_what_a_peer_sends)
{
    char out[16];

    text_escape(out, sizeof(out), span_str("a\nb\\"));
    CHECK_STR(out, "a\\x0ab\\x5c");
    text_escape(out, sizeof(out), span_str("p\xc3\xa4ss"));
    CHECK_STR(out, "p\xc3\xa4ss");
    text_escape(out, sizeof(out), span_of("\xc3", 1));
    CHECK_STR(out, "\\xc3");
    text_escape(out, sizeof(out), span_of("\xc2\x9b", 2)); /* a C1 control: CSI */
    CHECK_STR(out, "\\xc2\\x9b");
    text_escape(out, 5, span_str("abc\xe2\x82\xac")); /* never cuts a character */
    CHECK_STR(out, "abc");
    CHECK(!text_is_utf8(span_of("\xed\xa0\x80", 3)));
    CHECK(!text_is_utf8(span_of("\xc0\x80", 2)));
    CHECK(text_is_utf8(span_str("\xf0\x9f\x94\x92")));
}

TEST(base_queue_is_bounded_and_ordered)
{
    struct msgq q = {0};
    struct msg m;

    for (unsigned i = 0; i < MSGQ_SLOTS; i++)
        CHECK(msgq_push(&q, i, span_of("x", 1)));
    CHECK(!msgq_push(&q, 99, span_of("x", 1)));
    CHECK_INT(q.overflow, 1);
    for (unsigned i = 0; i < MSGQ_SLOTS; i++) {
        CHECK(msgq_pop(&q, &m));
        CHECK_INT(m.tag, i);
        msg_done(&m);
    }
    CHECK(!msgq_pop(&q, &m));
}

DEFINE_RING(few_numbers, int, 3, 8)

TEST(base_ring_grows_and_shrinks_in_order)
{
    struct few_numbers r = {0};
    int in = 0;
    int out = 0;
    int v;

    for (unsigned round = 0; round < 20; round++) {
        for (; in - out < (int)(round % 2 ? 8 : 4); in++)
            CHECK(few_numbers_push(&r, &in));
        CHECK(r.more != NULL);
        for (unsigned n = 1 + round % 3; n > 0; n--, out++)
            CHECK(few_numbers_pop(&r, &v) && v == out);
    }
    while (in - out < 8)
        CHECK(few_numbers_push(&r, &in) && in++ >= 0);
    CHECK(!few_numbers_push(&r, &in));
    CHECK_INT(r.overflow, 1);
    for (; out < in; out++)
        CHECK(few_numbers_pop(&r, &v) && v == out);
    CHECK(!few_numbers_pop(&r, &v) && r.more == NULL && r.used == 0);
}

TEST(base_stages_and_failures_have_names)
{
    enum stage s;

    CHECK_INT(stage_exit_status(STAGE_RESOLVE), 3);
    CHECK_INT(stage_exit_status(STAGE_PPP_IP), 12);
    CHECK(stage_parse(&s, "ike-quick") && s == STAGE_IKE_QUICK);
    CHECK(!stage_parse(&s, "ike-slow"));
    for (int i = 1; i < FAILURE_COUNT; i++) {
        CHECK(strchr(failure_code((enum failure_id)i), '.') != NULL);
        for (int j = 1; j < i; j++)
            CHECK(strcmp(failure_code((enum failure_id)i), failure_code((enum failure_id)j)) != 0);
    }
}
