/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The splitting parser and the payload parsers, row by row of what a hostile peer may send. */
#include "check.h"
#include "rig.h"

#include <string.h>

static size_t header(uint8_t *m, uint8_t next, size_t total)
{
    memset(m, 0, 28);
    m[0] = 1;
    m[16] = next;
    m[17] = 0x10;
    m[18] = EXCHANGE_MAIN;
    m[24] = (uint8_t)(total >> 24);
    m[25] = (uint8_t)(total >> 16);
    m[26] = (uint8_t)(total >> 8);
    m[27] = (uint8_t)total;
    return 28;
}

TEST(h01_every_short_length)
{
    uint8_t m[64];
    struct isakmp_header h;
    struct span body;

    header(m, PAYLOAD_SA, 28);
    for (size_t n = 0; n < 28; n++)
        CHECK(!isakmp_parse_header(span_of(m, n), &h, &body));
    CHECK(isakmp_parse_header(span_of(m, 28), &h, &body) && body.n == 0);
    header(m, PAYLOAD_SA, 29);
    CHECK(!isakmp_parse_header(span_of(m, 28), &h, &body));
    header(m, PAYLOAD_SA, 27);
    CHECK(!isakmp_parse_header(span_of(m, 40), &h, &body));
    header(m, PAYLOAD_SA, 0xffffffff);
    CHECK(!isakmp_parse_header(span_of(m, 40), &h, &body));
}

TEST(h02_parser_ignores_the_tail)
{
    uint8_t m[64];
    struct isakmp_header h;
    struct span body;

    header(m, PAYLOAD_SA, 30);
    CHECK(isakmp_parse_header(span_of(m, 64), &h, &body) && body.n == 2);
}

TEST(h04_versions)
{
    uint8_t m[28];
    struct isakmp_header h;
    struct span body;

    for (unsigned v = 0; v < 256; v++) {
        header(m, PAYLOAD_SA, 28);
        m[17] = (uint8_t)v;
        CHECK_INT(isakmp_parse_header(SPAN_ARRAY(m), &h, &body), v >> 4 == 1);
    }
}

TEST(h10_payload_lengths)
{
    /* One payload of every length in a body of 16 bytes. */
    for (unsigned n = 0; n < 65536; n++) {
        uint8_t body[16] = {0, 0, (uint8_t)(n >> 8), (uint8_t)n};
        struct chain c;

        CHECK_INT(isakmp_split(PAYLOAD_SA, SPAN_ARRAY(body), &c), n >= 4 && n <= 16);
    }
}

TEST(h10_too_many_payloads)
{
    uint8_t body[4 * 80];
    struct chain c;

    for (unsigned type = 0; type < 2; type++) {
        uint8_t t = type ? PAYLOAD_VID : PAYLOAD_N;
        unsigned max = type ? IKE_VENDOR_IDS_MAX : IKE_PAYLOADS_MAX;

        for (unsigned n = 1; n <= 80; n++) {
            for (unsigned i = 0; i < n; i++) {
                memset(body + (size_t)i * 4, 0, 4);
                body[i * 4] = i + 1 < n ? t : PAYLOAD_NONE;
                body[i * 4 + 3] = 4;
            }
            CHECK_INT(isakmp_split(t, span_of(body, (size_t)n * 4), &c), n <= max);
        }
    }
}

TEST(h11_payload_types)
{
    static const uint8_t known[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 20, 21};

    for (unsigned t = 0; t < 256; t++) {
        uint8_t body[] = {0, 0, 0, 4};
        struct chain c;
        bool want = t >= 128;

        for (size_t i = 0; i < sizeof(known); i++)
            want = want || known[i] == t;
        CHECK_INT(isakmp_split((uint8_t)t, SPAN_ARRAY(body), &c), want);
    }
}

TEST(h11_private_payloads_are_passed_over)
{
    /* SA, then a private payload: main mode 2 is still complete. */
    uint8_t body[] = {200, 0, 0, 4, 0, 0, 0, 4};
    struct chain c;

    CHECK(isakmp_split(PAYLOAD_SA, SPAN_ARRAY(body), &c));
    CHECK(isakmp_check(MESSAGE_MM2, &c));
}

TEST(h12_doubles)
{
    static const struct {
        enum isakmp_message message;
        uint8_t types[8];
        bool ok;
    } rows[] = {
        {MESSAGE_MM2, {PAYLOAD_SA}, true},
        {MESSAGE_MM2, {PAYLOAD_SA, PAYLOAD_SA}, false},
        {MESSAGE_MM2, {PAYLOAD_SA, PAYLOAD_KE}, false},
        {MESSAGE_MM2, {PAYLOAD_VID}, false},
        {MESSAGE_MM4, {PAYLOAD_KE, PAYLOAD_NONCE}, true},
        {MESSAGE_MM4, {PAYLOAD_NONCE, PAYLOAD_KE, PAYLOAD_NAT_D, PAYLOAD_NAT_D}, true},
        {MESSAGE_MM4, {PAYLOAD_KE, PAYLOAD_KE, PAYLOAD_NONCE}, false},
        {MESSAGE_MM4, {PAYLOAD_KE, PAYLOAD_NONCE, PAYLOAD_NONCE}, false},
        {MESSAGE_MM4, {PAYLOAD_KE}, false},
        {MESSAGE_MM6, {PAYLOAD_ID, PAYLOAD_HASH}, true},
        {MESSAGE_MM6, {PAYLOAD_ID, PAYLOAD_HASH, PAYLOAD_N}, true},
        {MESSAGE_MM6, {PAYLOAD_ID, PAYLOAD_ID, PAYLOAD_HASH}, false},
        {MESSAGE_MM6, {PAYLOAD_ID, PAYLOAD_HASH, PAYLOAD_HASH}, false},
        {MESSAGE_MM6, {PAYLOAD_HASH}, false},
        {MESSAGE_QM1, {PAYLOAD_HASH, PAYLOAD_SA, PAYLOAD_NONCE}, true},
        {MESSAGE_QM1, {PAYLOAD_SA, PAYLOAD_HASH, PAYLOAD_NONCE}, false},
        {MESSAGE_QM1, {PAYLOAD_VID, PAYLOAD_HASH, PAYLOAD_SA, PAYLOAD_NONCE}, false},
        {MESSAGE_QM1, {PAYLOAD_HASH, PAYLOAD_SA, PAYLOAD_SA, PAYLOAD_NONCE}, false},
        {MESSAGE_QM1,
         {PAYLOAD_HASH, PAYLOAD_SA, PAYLOAD_NONCE, PAYLOAD_ID, PAYLOAD_ID, PAYLOAD_ID},
         false},
        {MESSAGE_QM1, {PAYLOAD_HASH, PAYLOAD_SA, PAYLOAD_NONCE, PAYLOAD_D}, false},
        {MESSAGE_QM3, {PAYLOAD_HASH}, true},
        {MESSAGE_QM3, {PAYLOAD_HASH, PAYLOAD_HASH}, false},
        {MESSAGE_INFO, {PAYLOAD_HASH, PAYLOAD_D, PAYLOAD_N, PAYLOAD_D}, true},
        {MESSAGE_INFO, {PAYLOAD_D, PAYLOAD_HASH}, false},
        {MESSAGE_INFO, {PAYLOAD_N}, false},
        {MESSAGE_INFO_CLEAR, {PAYLOAD_N}, true},
        {MESSAGE_INFO_CLEAR, {PAYLOAD_D}, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t body[32] = {0};
        unsigned n = 0;
        struct chain c;

        while (n < 8 && rows[i].types[n])
            n++;
        for (unsigned k = 0; k < n; k++) {
            body[k * 4] = k + 1 < n ? rows[i].types[k + 1] : 0;
            body[k * 4 + 3] = 4;
        }
        CHECK(isakmp_split(rows[i].types[0], span_of(body, (size_t)n * 4), &c));
        if (isakmp_check(rows[i].message, &c) != rows[i].ok)
            check_fail(__FILE__, __LINE__, "row %zu", i);
    }
}

TEST(h13_parser_ignores_reserved_and_padding)
{
    uint8_t body[] = {0, 0xff, 0, 8, 1, 2, 3, 4, 0xde, 0xad};
    struct chain c;
    struct span s;

    CHECK(isakmp_split(PAYLOAD_HASH, SPAN_ARRAY(body), &c));
    CHECK(chain_get(&c, PAYLOAD_HASH, 0, &s) && s.n == 4);
    CHECK_INT(c.after_first.n, 0);
}

/* ---- SA payloads ---- */
static const struct policy *legacy(void)
{
    static struct policy p;

    if (p.n_ike == 0 && !policy_named("legacy", &p))
        return NULL;
    return &p;
}

/* An answer: head, one transform with these attributes. */
static struct span sa_of(uint8_t *m, size_t cap, uint8_t protocol, uint8_t id, const char *attrs)
{
    struct wr w = wr_of(m, cap);
    uint8_t a[128];
    struct wr_box p, t;
    struct span out = SPAN_NONE;

    wr_u32(&w, 1);
    wr_u32(&w, 1);
    wr_u16(&w, 0);
    p = wr_open(&w, 2);
    wr_u8(&w, 1);
    wr_u8(&w, protocol);
    wr_u8(&w, protocol == PROTOCOL_ISAKMP ? 0 : 4);
    wr_u8(&w, 1);
    if (protocol != PROTOCOL_ISAKMP)
        wr_u32(&w, 0x1000);
    wr_u16(&w, 0);
    t = wr_open(&w, 2);
    wr_u8(&w, 1);
    wr_u8(&w, id);
    wr_u16(&w, 0);
    wr_bytes(&w, span_of(a, check_hex(a, sizeof(a), attrs)));
    wr_close(&w, t);
    wr_close(&w, p);
    return wr_finish(&w, &out) ? out : SPAN_NONE;
}

#define P1_GOOD "80010007 800e0100 80020004 80030001 8004000e"
#define P1_LIFE "800b0001 000c0004 00007080"

TEST(h15_phase_1_answers)
{
    static const struct {
        const char *attrs;
        enum offer_verdict want;
    } rows[] = {
        {P1_GOOD P1_LIFE, OFFER_OK},
        {P1_LIFE P1_GOOD, OFFER_OK},
        {P1_GOOD "800b0001 800c7080", OFFER_OK},
        {"80010007 80020004 80030001 8004000e 800e0100" P1_LIFE, OFFER_OK},
        {"80010007 800e00c0 80020004 80030001 8004000e" P1_LIFE, OFFER_MISMATCH}, /* key length */
        {"80010007 80020004 80030001 8004000e" P1_LIFE, OFFER_MISMATCH},          /* none */
        {"80010007 800e0100 80020004 80030001 80040001" P1_LIFE, OFFER_MISMATCH}, /* modp768 */
        {"80010007 800e0100 80020001 80030001 8004000e" P1_LIFE, OFFER_MISMATCH}, /* MD5 */
        {"80010001 80020004 80030001 8004000e" P1_LIFE, OFFER_MISMATCH},          /* DES */
        {"80010007 800e0100 80020004 8003fde9 8004000e" P1_LIFE, OFFER_MISMATCH}, /* XAUTH */
        {"80010007 800e0100 80020004 80030003 8004000e" P1_LIFE, OFFER_MISMATCH}, /* RSA */
        {P1_GOOD P1_LIFE "800d0001", OFFER_MISMATCH},                             /* PRF added */
        {P1_GOOD P1_LIFE "80630001", OFFER_MISMATCH},
        {P1_GOOD, OFFER_MISMATCH},                     /* no life */
        {P1_GOOD P1_LIFE "80010007", OFFER_MALFORMED}, /* H16: twice */
        {P1_GOOD P1_LIFE P1_LIFE, OFFER_MALFORMED},
        {"00010002 0007 800e0100 80020004 80030001 8004000e" P1_LIFE, OFFER_MALFORMED},
        {P1_GOOD "800b0001 000c0009 000000000000007080", OFFER_MALFORMED}, /* 9 bytes */
        {P1_GOOD "800b0001 000c0008 0000000000007080", OFFER_OK},
        {P1_GOOD "800b0001 000c0000", OFFER_MALFORMED},
        {P1_GOOD "000c0004 00007080 800b0001", OFFER_MALFORMED},
        {P1_GOOD "800b0001", OFFER_MALFORMED},
        {P1_GOOD P1_LIFE "80", OFFER_MALFORMED},
        {P1_GOOD P1_LIFE "00010005 01", OFFER_MALFORMED},
        {P1_GOOD "800b0001 800c0000", OFFER_POLICY}, /* H17 */
        {P1_GOOD "800b0001 800c0009", OFFER_POLICY},
        {P1_GOOD "800b0001 000c0008 ffffffffffffffff", OFFER_OK},
        {P1_GOOD P1_LIFE "800b0002 000c0004 00000001", OFFER_MISMATCH},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t m[256];
        struct phase1_choice choice = {0};
        struct span sa = sa_of(m, sizeof(m), PROTOCOL_ISAKMP, 1, rows[i].attrs);
        enum offer_verdict got = proposal_read_phase1(sa, legacy(), 28800, &choice);

        if (got != rows[i].want)
            check_fail(__FILE__, __LINE__, "row %zu: %d", i, got);
        if (got == OFFER_OK)
            CHECK_INT(choice.lifetime_s, 28800);
    }
}

#define P2_GOOD "80040004 80010001 00020004 00000e10 80060100 80050002"

TEST(h18_esp_answers)
{
    static const struct {
        const char *attrs;
        uint8_t protocol, id;
        enum offer_verdict want;
    } rows[] = {
        {P2_GOOD, PROTOCOL_ESP, 12, OFFER_OK},
        {P2_GOOD, PROTOCOL_AH, 12, OFFER_MISMATCH},
        {P2_GOOD, 4, 12, OFFER_MISMATCH},            /* IPCOMP */
        {P2_GOOD, PROTOCOL_ESP, 11, OFFER_MISMATCH}, /* NULL */
        {P2_GOOD, PROTOCOL_ESP, 2, OFFER_MISMATCH},  /* DES */
        {P2_GOOD, PROTOCOL_ESP, 3, OFFER_MISMATCH},
        {"80040001 80010001 80020e10 80060100 80050002", PROTOCOL_ESP, 12, OFFER_MISMATCH},
        {"80040003 80010001 80020e10 80060100 80050002", PROTOCOL_ESP, 12, OFFER_MISMATCH},
        {"80040002 80010001 80020e10 80060100 80050002", PROTOCOL_ESP, 12, OFFER_MISMATCH},
        {"80010001 80020e10 80060100 80050002", PROTOCOL_ESP, 12, OFFER_MISMATCH},
        {"80040004 80010001 80020e10 80060100", PROTOCOL_ESP, 12, OFFER_MISMATCH}, /* no MAC */
        {"80040004 80010001 80020e10 80060100 80050001", PROTOCOL_ESP, 12, OFFER_MISMATCH},
        {"80040004 80010001 80020e10 80060100", PROTOCOL_ESP, 20, OFFER_OK}, /* GCM */
        {P2_GOOD "80030002", PROTOCOL_ESP, 12, OFFER_MISMATCH}, /* a group nobody offered */
        {P2_GOOD "80010002 00020004 00000001", PROTOCOL_ESP, 12, OFFER_POLICY}, /* 1 kB */
        {P2_GOOD "80010002 00020004 0003d090", PROTOCOL_ESP, 12, OFFER_OK},     /* 250 MB */
        {"80040004 80010001 80020001 80060100 80050002", PROTOCOL_ESP, 12, OFFER_POLICY},
        {P2_GOOD "80060100", PROTOCOL_ESP, 12, OFFER_MALFORMED},
    };
    struct esp_offer offer = {.policy = legacy(), .encapsulation = 4, .lifetime_s = 3600};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t m[256];
        struct esp_choice choice = {0};
        struct span sa = sa_of(m, sizeof(m), rows[i].protocol, rows[i].id, rows[i].attrs);
        enum offer_verdict got = proposal_read_esp(sa, &offer, &choice);

        if (got != rows[i].want)
            check_fail(__FILE__, __LINE__, "row %zu: %d", i, got);
    }
}

TEST(h18_spis)
{
    static const uint32_t spis[] = {0, 1, 255, 256, 0xffffffff};
    struct esp_offer offer = {.policy = legacy(), .encapsulation = 4, .lifetime_s = 3600};

    for (size_t i = 0; i < ARRAY_LEN(spis); i++) {
        uint8_t m[256];
        struct esp_choice choice;
        struct span sa = sa_of(m, sizeof(m), PROTOCOL_ESP, 12, P2_GOOD);
        struct wr w = wr_of(m + 16, 4);

        wr_u32(&w, spis[i]);
        CHECK_INT(proposal_read_esp(sa, &offer, &choice),
                  spis[i] > 255 ? OFFER_OK : OFFER_MISMATCH);
    }
}

TEST(h19_counts_and_lengths)
{
    uint8_t good[256];
    struct span sa = sa_of(good, sizeof(good), PROTOCOL_ISAKMP, 1, P1_GOOD P1_LIFE);
    struct phase1_choice choice;

    /* Every prefix is refused; every changed byte is refused or leaves one of our own offers. */
    for (size_t n = 0; n < sa.n; n++)
        CHECK(proposal_read_phase1(span_of(good, n), legacy(), 28800, &choice) != OFFER_OK);
    for (size_t at = 0; at < sa.n; at++) {
        for (unsigned v = 0; v < 256; v++) {
            uint8_t m[256];
            enum offer_verdict got;

            memcpy(m, good, sa.n);
            m[at] = (uint8_t)v;
            got = proposal_read_phase1(span_of(m, sa.n), legacy(), 28800, &choice);
            if (got == OFFER_OK)
                CHECK(choice.suite.group >= DH_MODP1024 && choice.lifetime_s >= LIFE_MIN_S);
        }
    }
    good[15] = 2; /* two transforms, says the proposal */
    CHECK(proposal_read_phase1(sa, legacy(), 28800, &choice) == OFFER_MISMATCH);
    good[15] = 0;
    CHECK(proposal_read_phase1(sa, legacy(), 28800, &choice) == OFFER_MALFORMED);
}

TEST(parse_peer_offers)
{
    uint8_t m[2048];
    struct wr w = wr_of(m, sizeof(m));
    struct esp_offer theirs = {
        .policy = legacy(), .encapsulation = 4, .lifetime_s = 600, .spi = 999};
    struct esp_offer ours = {.policy = legacy(), .encapsulation = 4, .lifetime_s = 3600};
    struct esp_choice choice;
    struct span sa;
    uint8_t number;

    proposal_write_esp(&w, &theirs);
    CHECK(wr_finish(&w, &sa));
    CHECK_INT(proposal_choose_esp(sa, &ours, &choice, &number), OFFER_OK);
    CHECK_INT(choice.spi, 999);
    CHECK_INT(choice.lifetime_s, 600);
    CHECK_INT(number, 1);
    ours.encapsulation = 2;
    CHECK_INT(proposal_choose_esp(sa, &ours, &choice, &number), OFFER_MISMATCH);
    for (size_t n = 0; n < sa.n; n++)
        CHECK(proposal_choose_esp(span_of(m, n), &ours, &choice, &number) != OFFER_OK);
}

/* ---- identities, Deletes, NAT-OA ---- */
TEST(c06_256_types_and_600_lengths)
{
    uint8_t body[4 + 600] = {0};
    struct identity id;

    for (unsigned type = 0; type < 256; type++) {
        for (size_t n = 0; n <= 600; n++) {
            bool want;

            memset(body + 4, 'a', 600);
            body[0] = (uint8_t)type;
            want = type == 1                                            ? n == 4
                   : type == 5                                          ? n == 16
                   : type == 4 || type == 7                             ? n == 8
                   : type == 6 || type == 8                             ? n == 32
                   : type == 2 || type == 3 || type == 10 || type == 11 ? n > 0 && n <= 512
                                                                        : false;
            if (isakmp_parse_identity(span_of(body, 4 + n), &id) != want) {
                check_fail(__FILE__, __LINE__, "type %u length %zu", type, n);
                return;
            }
        }
    }
    memcpy(body,
           "\x02\x00\x00\x00"
           "a\0b",
           7);
    CHECK(!isakmp_parse_identity(span_of(body, 7), &id));
    memcpy(body,
           "\x02\x00\x00\x00"
           "a\nb",
           7);
    CHECK(!isakmp_parse_identity(span_of(body, 7), &id));
}

/* A DN of every length is a SEQUENCE of that length, or broken. */
TEST(h22_broken_distinguished_names)
{
    static const struct {
        const char *hex;
        bool sound;
    } rows[] = {
        {"3000", true},
        {"300c310a300806035504030c0161", true},
        {"300c310a30080603550403130161", true},
        {"300d310b300906035504031e020061", true},    /* BMPString */
        {"30819030818d", false},                     /* longer than it is */
        {"300c310a300806035504030c0100", false},     /* NUL in a name */
        {"300c310a300806035504030c010a", false},     /* newline */
        {"300c310a300806035504030c016100", false},   /* something behind it */
        {"300c310a300806035504030c0261", false},     /* a string beyond its pair */
        {"300e310c300a06035504030c01610500", false}, /* three in a pair */
        {"300a3108300606000c026162", false},         /* no type */
        {"30023100", false},                         /* an empty set */
        {"310c310a300806035504030c0161", false},
        {"3080310a300806035504030c01610000", false}, /* BER */
    };
    uint8_t body[4 + 600] = {ID_TYPE_DER_ASN1_DN};
    struct identity id;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t n = check_hex(body + 4, sizeof(body) - 4, rows[i].hex);

        if (isakmp_parse_identity(span_of(body, 4 + n), &id) != rows[i].sound)
            check_fail(__FILE__, __LINE__, "%s", rows[i].hex);
        for (size_t cut = 1; rows[i].sound && cut < n; cut++)
            CHECK(!isakmp_parse_identity(span_of(body, 4 + cut), &id));
    }
    for (size_t n = 0; n <= 600; n++) {
        memset(body + 4, 'a', 600);
        CHECK(!isakmp_parse_identity(span_of(body, 4 + n), &id));
    }
}

TEST(h30_delete_counts_and_sizes)
{
    struct delete_payload d;
    uint8_t body[8 + 32] = {0, 0, 0, 1, PROTOCOL_ESP};

    for (unsigned size = 0; size < 256; size++) {
        for (unsigned count = 0; count < 300; count++) {
            body[5] = (uint8_t)size;
            body[6] = (uint8_t)(count >> 8);
            body[7] = (uint8_t)count;
            CHECK_INT(isakmp_parse_delete(SPAN_ARRAY(body), &d), size > 0 && size * count == 32);
        }
    }
    body[6] = body[7] = 0xff;
    body[5] = 4;
    CHECK(!isakmp_parse_delete(SPAN_ARRAY(body), &d));
}

TEST(h35_nat_oa_forms)
{
    uint8_t v4[] = {1, 0, 0, 0, 10, 0, 0, 1};
    struct inaddr a;

    CHECK(isakmp_parse_nat_oa(SPAN_ARRAY(v4), &a) && inaddr_to_v4(&a) == 0x0a000001);
    v4[0] = 5;
    CHECK(!isakmp_parse_nat_oa(SPAN_ARRAY(v4), &a));
    for (size_t n = 0; n < sizeof(v4); n++)
        CHECK(!isakmp_parse_nat_oa(span_of(v4, n), &a));
}

TEST(c08_number_tables)
{
    CHECK_STR(isakmp_notify_name(14), "NO-PROPOSAL-CHOSEN");
    CHECK(!isakmp_notify_name(40));
    CHECK_STR(isakmp_exchange_name(32), "quick mode");
    for (unsigned n = 0; n < 65536; n++) {
        enum cipher_id c = isakmp_p1_cipher(n);
        enum hash_id h = isakmp_p1_hash(n);

        CHECK(c == CIPHER_NONE || isakmp_p1_cipher_number(c) == n);
        CHECK(h == HASH_NONE || isakmp_p1_hash_number(h) == n);
        CHECK(isakmp_esp_auth(n) == HASH_NONE || isakmp_esp_auth_number(isakmp_esp_auth(n)) == n);
        CHECK(h != HASH_MD4 && c != CIPHER_AES_GCM);
    }
}
