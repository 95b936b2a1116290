/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"
#include "l2tp/avp.h"
#include "l2tp/message.h"

#include <stdio.h>
#include <string.h>

/*
 * RFC 2661 4.3 has no worked example. These values were computed apart from this code, with
 * Python's hashlib, from the section's formulas: secret "tunnel secret", Random Vector 00..0f.
 */
#define SECRET "tunnel secret"
static const uint8_t vector[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const char called[] = "+49 30 1234567 extension forty-two, room 17";
#define HIDDEN_TUNNEL_ID "9b7ae82a933e83185d88b0ca46fc2612"
#define HIDDEN_SESSION_ID "372cbde4"
#define HIDDEN_CALLED                                                                              \
    "49aadfaebfa8943c31538c9419b369cbb2fb89e3b6b26d9461211eb2aa5ec3eff02e930b359f6a0cf16bb9c25e7a" \
    "d351"

static struct avp_key key_of(struct crypto *c)
{
    return (struct avp_key){c, span_str(SECRET), SPAN_ARRAY(vector)};
}

TEST(l2tp_avp_hides_as_the_rfc_says)
{
    static const uint8_t tunnel[] = {1, 1};
    static const uint8_t session[] = {2, 2};
    struct crypto *c = crypto_new();
    const struct avp_key key = key_of(c);
    uint8_t buf[AVP_VALUE_MAX];
    struct mspan out = {buf, sizeof(buf)};
    struct span hidden;

    CHECK(avp_hide(&key, 9, SPAN_ARRAY(tunnel), 12, out, &hidden));
    CHECK_HEX(hidden.p, hidden.n, HIDDEN_TUNNEL_ID);
    CHECK(avp_hide(&key, 14, SPAN_ARRAY(session), 0, out, &hidden));
    CHECK_HEX(hidden.p, hidden.n, HIDDEN_SESSION_ID);
    CHECK(avp_hide(&key, 21, span_str(called), 3, out, &hidden));
    CHECK_HEX(hidden.p, hidden.n, HIDDEN_CALLED);
    CHECK(!avp_hide(&key, 21, span_str(called), AVP_VALUE_MAX, out, &hidden));
    crypto_free(c);
}

TEST(l2tp_avp_unhides_as_the_rfc_says)
{
    struct crypto *c = crypto_new();
    const struct avp_key key = key_of(c);
    uint8_t buf[64];
    uint8_t clear[64];
    struct mspan out = {clear, sizeof(clear)};
    struct span value;
    size_t n = check_hex(buf, sizeof(buf), HIDDEN_TUNNEL_ID);

    CHECK(avp_unhide(&key, 9, span_of(buf, n), out, &value));
    CHECK_HEX(value.p, value.n, "0101");
    n = check_hex(buf, sizeof(buf), HIDDEN_CALLED);
    CHECK(avp_unhide(&key, 21, span_of(buf, n), out, &value));
    CHECK_MEM(value.p, value.n, called, sizeof(called) - 1);
    crypto_free(c);
}

/* C26: every inner length against every hidden length. */
TEST(l2tp_avp_inner_length_is_bounded)
{
    struct crypto *c = crypto_new();
    const struct avp_key key = key_of(c);
    static const uint8_t zeros[64];
    uint8_t buf[80];
    uint8_t clear[80];
    struct span hidden;
    struct span value;

    for (size_t outer = 2; outer <= 40; outer++) {
        CHECK(avp_hide(&key, 9, span_of(zeros, 0), outer - 2, (struct mspan){buf, sizeof(buf)},
                       &hidden));
        CHECK_INT(hidden.n, outer);
        /* The inner length stands in the first two bytes: flipping hidden bits flips its bits. */
        for (unsigned inner = 0; inner <= 70; inner++) {
            uint8_t changed[80];
            bool fits = inner <= outer - 2;

            memcpy(changed, buf, outer);
            changed[1] ^= (uint8_t)inner;
            CHECK_INT(avp_unhide(&key, 9, span_of(changed, outer),
                                 (struct mspan){clear, sizeof(clear)}, &value),
                      fits);
            if (fits)
                CHECK_INT(value.n, inner);
        }
    }
    CHECK(!avp_unhide(&key, 9, span_of(buf, 1), (struct mspan){clear, sizeof(clear)}, &value));
    CHECK(!avp_unhide(&key, 9, span_of(buf, 0), (struct mspan){clear, sizeof(clear)}, &value));
    CHECK(!avp_unhide(&key, 9, span_of(buf, 40), (struct mspan){clear, 39}, &value));
    crypto_free(c);
}

/* C25: 6 <= length <= rest before anything else, for every pair up to 64. */
TEST(l2tp_avp_every_length_against_every_rest)
{
    uint8_t buf[64];
    struct avp a;

    for (size_t rest = 0; rest <= sizeof(buf); rest++) {
        for (size_t len = 0; len <= sizeof(buf); len++) {
            struct rd r;
            bool want = len >= 6 && len <= rest;

            memset(buf, 0xee, sizeof(buf));
            buf[0] = 0x80;
            buf[1] = (uint8_t)len;
            r = rd_of(span_of(buf, rest));
            CHECK_INT(avp_read(&r, &a), want);
            CHECK_INT(rd_left(&r), want ? rest - len : rest);
            if (want)
                CHECK(a.m && !a.h && !a.reserved && a.value.n == len - 6);
        }
    }
}

static enum message_fault parse(struct message *m, struct crypto *c, const char *secret,
                                const char *hex)
{
    static uint8_t buf[2048];
    const struct avp_key key = {c, span_str(secret), SPAN_NONE};
    size_t n = check_hex(buf, sizeof(buf), hex);

    message_parse(span_of(buf, n), &key, m);
    return m->fault;
}

TEST(l2tp_avp_message_with_hidden_values)
{
    struct crypto *c = crypto_new();
    static const char rv[] = "8016 0000 0024 000102030405060708090a0b0c0d0e0f";
    char text[512];
    struct message m;

    /* Random Vector before it, and a secret: read. */
    (void)snprintf(text, sizeof(text), "800800000000000b %s c0160000000e%s", rv, HIDDEN_TUNNEL_ID);
    /* The hidden bytes belong to attribute 9: as 14 they must not come out as 0101. */
    CHECK(parse(&m, c, SECRET, text) == FAULT_MANDATORY ||
          message_u16(&m, AVP_ASSIGNED_SESSION_ID) != 0x0101);
    (void)snprintf(text, sizeof(text), "800800000000000b %s c00a0000000e%s", rv, HIDDEN_SESSION_ID);
    CHECK_INT(parse(&m, c, SECRET, text), FAULT_NONE);
    CHECK_INT(message_u16(&m, AVP_ASSIGNED_SESSION_ID), 0x0202);
    /* No secret, as an unknown AVP: by its M bit. */
    CHECK_INT(parse(&m, c, "", text), FAULT_MANDATORY);
    CHECK_INT(m.fault_attribute, 14);
    (void)snprintf(text, sizeof(text), "800800000000000b %s 400a0000000e%s", rv, HIDDEN_SESSION_ID);
    CHECK_INT(parse(&m, c, "", text), FAULT_NONE);
    CHECK(!message_has(&m, AVP_ASSIGNED_SESSION_ID));
    /* Random Vector behind it, none, hidden length below 8. */
    (void)snprintf(text, sizeof(text), "800800000000000b c00a0000000e%s %s", HIDDEN_SESSION_ID, rv);
    CHECK_INT(parse(&m, c, SECRET, text), FAULT_MANDATORY);
    (void)snprintf(text, sizeof(text), "800800000000000b c00a0000000e%s", HIDDEN_SESSION_ID);
    CHECK_INT(parse(&m, c, SECRET, text), FAULT_MANDATORY);
    (void)snprintf(text, sizeof(text), "800800000000000b %s c0070000000e37", rv);
    CHECK_INT(parse(&m, c, SECRET, text), FAULT_MANDATORY);
    (void)snprintf(text, sizeof(text), "800800000000000b %s c0060000000e", rv);
    CHECK_INT(parse(&m, c, SECRET, text), FAULT_MANDATORY);
    /* What may not be hidden is not unhidden: Message Type, Host Name. */
    CHECK_INT(parse(&m, c, SECRET, "c00800000000000b"), FAULT_MALFORMED);
    (void)snprintf(text, sizeof(text), "800800000000000b %s c00a00000007%s", rv, HIDDEN_SESSION_ID);
    CHECK_INT(parse(&m, c, SECRET, text), FAULT_MANDATORY);
    crypto_free(c);
}

/* Well hidden, but under an empty secret, without a Random Vector, or where 4.4 forbids hiding. */
TEST(l2tp_avp_hiding_has_its_conditions)
{
    static const struct {
        const char *secret;
        bool vector;
        unsigned attribute;
        enum message_fault fault;
    } cases[] = {{SECRET, true, 14, FAULT_NONE},
                 {SECRET, true, 7, FAULT_MANDATORY},
                 {SECRET, false, 14, FAULT_MANDATORY},
                 {"", true, 14, FAULT_MANDATORY}};
    static const uint8_t value[] = {2, 2};
    struct crypto *c = crypto_new();
    char text[256];
    struct message m;

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        const struct avp_key key = {c, span_str(cases[i].secret),
                                    cases[i].vector ? SPAN_ARRAY(vector) : SPAN_NONE};
        uint8_t buf[4];
        struct span h;

        CHECK(avp_hide(&key, (uint16_t)cases[i].attribute, SPAN_ARRAY(value), 0,
                       (struct mspan){buf, sizeof(buf)}, &h));
        (void)snprintf(text, sizeof(text), "800800000000000b %s c00a0000%04x%02x%02x%02x%02x",
                       cases[i].vector ? "8016 0000 0024 000102030405060708090a0b0c0d0e0f" : "",
                       cases[i].attribute, h.p[0], h.p[1], h.p[2], h.p[3]);
        CHECK_INT(parse(&m, c, cases[i].secret, text), cases[i].fault);
    }
    crypto_free(c);
}

/* C27: only vendor 0 is IETF. */
TEST(l2tp_avp_vendor_sweep)
{
    char text[128];
    struct message m;

    for (unsigned vendor = 0; vendor <= 0xffff; vendor++) {
        (void)snprintf(text, sizeof(text), "8008000000000002 0008%04x00020200", vendor);
        CHECK_INT(parse(&m, NULL, "", text), FAULT_NONE);
        CHECK_INT(message_has(&m, AVP_PROTOCOL_VERSION), vendor == 0);
        (void)snprintf(text, sizeof(text), "8008000000000002 8008%04x00020200", vendor);
        CHECK_INT(parse(&m, NULL, "", text), vendor == 0 ? FAULT_NONE : FAULT_MANDATORY);
    }
}

TEST(l2tp_avp_attribute_and_flag_sweep)
{
    char text[128];
    struct message m;

    /* Every attribute with an impossible length: M set is a fault, M clear is not. */
    for (unsigned attribute = 0; attribute <= 0xffff; attribute++) {
        const struct avp_rule *rule = avp_rule((uint16_t)attribute);
        bool fits = rule && rule->min <= 1 && rule->max >= 1;

        (void)snprintf(text, sizeof(text), "8008000000000006 80070000%04x41", attribute);
        CHECK_INT(parse(&m, NULL, "", text), fits ? FAULT_NONE : FAULT_MANDATORY);
        (void)snprintf(text, sizeof(text), "8008000000000006 00070000%04x41", attribute);
        CHECK_INT(parse(&m, NULL, "", text), FAULT_NONE);
        CHECK_INT(m.type, 6);
    }
    /* 4.1: reserved bits make it unrecognized. */
    for (unsigned bits = 1; bits < 16; bits++) {
        (void)snprintf(text, sizeof(text), "8008000000000006 %04x000000090101",
                       0x8000u | bits << 10 | 8);
        CHECK_INT(parse(&m, NULL, "", text), FAULT_MANDATORY);
        (void)snprintf(text, sizeof(text), "8008000000000006 %04x000000090101", bits << 10 | 8);
        CHECK_INT(parse(&m, NULL, "", text), FAULT_NONE);
        CHECK(!message_has(&m, AVP_ASSIGNED_TUNNEL_ID));
    }
}

TEST(l2tp_message_type_comes_first_and_sums_must_fit)
{
    char text[256];
    struct message m;

    CHECK_INT(parse(&m, NULL, "", "8008000000090101 8008000000000002"), FAULT_MALFORMED);
    CHECK_INT(parse(&m, NULL, "", "80070000000002"), FAULT_MALFORMED);
    CHECK_INT(parse(&m, NULL, "", "8009000000000000"), FAULT_MALFORMED);
    CHECK_INT(parse(&m, NULL, "", "8009000000000000 02"), FAULT_MALFORMED);
    CHECK_INT(parse(&m, NULL, "", "8008000000000006 00"), FAULT_MALFORMED);
    CHECK_INT(parse(&m, NULL, "", "8008000000000006 8006000000"), FAULT_MALFORMED);
    CHECK_INT(parse(&m, NULL, "", "8008000000000006 0000000000000000"), FAULT_MALFORMED);
    for (unsigned type = 0; type <= 0xffff; type++) {
        bool known = type > 0 && type <= 16 && type != 5 && type != 13;

        (void)snprintf(text, sizeof(text), "800800000000%04x", type);
        CHECK_INT(parse(&m, NULL, "", text), known ? FAULT_NONE : FAULT_UNKNOWN_TYPE);
        CHECK_INT(m.type, known ? type : 0);
        (void)snprintf(text, sizeof(text), "000800000000%04x", type);
        CHECK_INT(parse(&m, NULL, "", text), FAULT_NONE);
        CHECK_INT(m.type, known ? type : 0);
    }
    CHECK_INT(parse(&m, NULL, "", "8008006300000002"), FAULT_UNKNOWN_TYPE);
    CHECK_INT(parse(&m, NULL, "", "0008006300000002"), FAULT_NONE);
    CHECK_INT(m.type, 0);
}

/* H48 */
TEST(l2tp_message_header_sweep)
{
    uint8_t buf[64] = {0xc8, 0x02, 0, 20, 0, 1, 0, 2, 0, 3, 0, 4, 0x80, 8, 0, 0, 0, 0, 0, 6};
    struct message_header h;

    CHECK(message_read_header(span_of(buf, 20), &h));
    CHECK(h.tunnel_id == 1 && h.session_id == 2 && h.ns == 3 && h.nr == 4 && h.avps.n == 8);
    CHECK(message_read_header(span_of(buf, 40), &h) && h.avps.n == 8);
    for (size_t n = 0; n < 20; n++)
        CHECK(!message_read_header(span_of(buf, n), &h));
    for (unsigned flags = 0; flags <= 0xffff; flags++) {
        bool want = (flags & 0xc800) == 0xc800 && !(flags & 0x0200) && (flags & 15) == 2;

        buf[0] = (uint8_t)(flags >> 8);
        buf[1] = (uint8_t)flags;
        CHECK_INT(message_read_header(span_of(buf, 20), &h), want);
    }
    buf[0] = 0xc8;
    buf[1] = 2;
    for (unsigned length = 0; length < 64; length++) {
        buf[3] = (uint8_t)length;
        CHECK_INT(message_read_header(span_of(buf, 20), &h), length >= 12 && length <= 20);
    }
}
