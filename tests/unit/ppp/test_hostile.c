/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rows H60 to H74 and rules C31 to C34: what a hostile or broken server can send. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void drain(struct rig *r)
{
    while (*rig_out(r))
        ;
}

/* Brings an engine to a phase: 0 asked, 1 CHAP, 2 PAP, 3 IPCP, 4 up. */
#define PHASES 5
static bool bring(struct rig *r, unsigned phase)
{
    struct ppp_config c = rig_config();

    rig_init(r, &c);
    if (phase == 0)
        ppp_start(r->ppp, r->now);
    else if (phase == 1)
        return rig_lcp_up(r, "0305c22381");
    else if (phase == 2)
        return rig_lcp_up(r, "0304c023");
    else if (phase == 4)
        return rig_up(r);
    if (phase == 3) {
        if (!rig_lcp_up(r, "0304c023") || rig_event(r) != PPP_EVENT_NEED_PASSWORD)
            return false;
        rig_password(r, "x");
        return rig_in(r, "c0230201000500") == VERDICT_OK;
    }
    return true;
}

/* Every code, every frame length and every length field around it (C31, H63). */
TEST(ppp_hostile_all_lengths_of_all_codes)
{
    static const uint16_t protocols[] = {0xc021, 0xc023, 0xc223, 0x8021};

    for (unsigned phase = 0; phase < PHASES; phase++) {
        for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
            for (unsigned code = 0; code < 16; code++) {
                struct rig r;

                CHECK(bring(&r, phase));
                for (unsigned n = 0; n <= 256; n++) {
                    uint8_t *f = calloc(1, n + 4);

                    f[0] = (uint8_t)(protocols[i] >> 8);
                    f[1] = (uint8_t)protocols[i];
                    f[2] = (uint8_t)code;
                    f[3] = 1;
                    for (unsigned k = 2; k < n; k++)
                        f[2 + k] = (uint8_t)(k & 3 ? n - k : 3);
                    for (int lie = -1; lie <= 1 && n >= 4; lie++) {
                        f[4] = (uint8_t)((int)n + lie > 255);
                        f[5] = (uint8_t)((int)n + lie);
                        (void)ppp_input(r.ppp, span_of(f, 2 + n), r.now);
                        drain(&r);
                        while (rig_event(&r) == PPP_EVENT_NEED_PASSWORD)
                            rig_password(&r, "pw");
                        if (r.event.type == PPP_EVENT_FAILED) {
                            rig_free(&r);
                            CHECK(bring(&r, phase));
                        }
                        r.now += US_S(11);
                    }
                    (void)ppp_input(r.ppp, span_of(f, n < 3 ? n : 3), r.now);
                    free(f);
                }
                rig_free(&r);
            }
        }
    }
}

TEST(ppp_hostile_short_and_lying_packets_drop)
{
    static const char *const bad[] = {
        "",
        "c0",
        "c021",
        "c02101",
        "c0210101",
        "c021010100",
        "c02101010003",
        "c02101010008 0104",
        "c02101010006 0101",
        "c02101010006 0100",
        "c02101010007 010405",
        "c02101010005 01",
        "c02103010006 0501",
        "2145",
        "c02000",
        "ffc021",
    };
    struct rig r;

    CHECK(bring(&r, 0));
    drain(&r);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK_INT(rig_in(&r, bad[i]), VERDICT_DROP);
    CHECK_STR(rig_out(&r), "c0210101000e01040578050611223344"); /* the first sign of life */
    CHECK_STR(rig_out(&r), "");
    CHECK_INT(ppp_facts(r.ppp)->dropped, ARRAY_LEN(bad));
    rig_free(&r);
}

TEST(ppp_hostile_data_before_and_after_up_is_not_ours)
{
    struct rig r;

    for (unsigned phase = 0; phase < PHASES; phase++) {
        CHECK(bring(&r, phase));
        drain(&r);
        CHECK_INT(rig_in(&r, "ff03002145000014"), VERDICT_DROP);
        CHECK_STR(rig_out(&r), "");
        rig_free(&r);
    }
}

TEST(ppp_hostile_protocol_rejects_are_bounded)
{
    struct rig r;

    CHECK(bring(&r, 2)); /* LCP open, not logged in: silence (RFC 1661 3.5) */
    drain(&r);
    CHECK_INT(rig_in(&r, "ff0380fd01010004"), VERDICT_DROP);
    CHECK_INT(rig_in(&r, "ff03802101010004"), VERDICT_DROP);
    CHECK_STR(rig_out(&r), "");
    rig_free(&r);

    CHECK(bring(&r, 4));
    CHECK_INT(rig_in(&r, "ff0380fd0101000a1206010000f0"), VERDICT_OK);
    CHECK_STR(rig_out(&r), "c0210801001080fd0101000a1206010000f0");
    for (unsigned i = 0; i < 100; i++) {
        (void)rig_in(&r, "ff03805301010004");
        (void)rig_in(&r, "ff03c02163010004"); /* an unknown code */
    }
    CHECK_STR(rig_out(&r), "");
    r.now += US_S(1);
    (void)rig_in(&r, "ff03805301010004");
    CHECK_STR(rig_out(&r), "c0210802000a805301010004");
    r.now += US_S(1);
    (void)rig_in(&r, "ff03c02163010004");
    CHECK_STR(rig_out(&r), "c0210703000863010004");
    CHECK_INT(ppp_facts(r.ppp)->protocol_rejects, 2);
    rig_free(&r);
}

/* A reject never outgrows the peer's MRU (C32). */
TEST(ppp_hostile_replies_fit_the_peers_mru)
{
    for (unsigned mru = 0; mru <= 0xffff; mru += mru < 200 ? 1 : 997) {
        struct ppp_config c = rig_config();
        struct rig r;
        char hex[64];
        uint8_t big[2000];
        unsigned limit = mru >= 128 && mru <= 2048 ? mru : 1500;

        c.auth |= PPP_AUTH_NONE_OK;
        rig_init(&r, &c);
        ppp_start(r.ppp, r.now);
        drain(&r);
        (void)rig_in(&r, "c0210201000e01040578050611223344");
        (void)snprintf(hex, sizeof(hex), "c021010100080104%04x", mru);
        (void)rig_in(&r, hex);
        drain(&r);
        if (limit != mru)
            (void)rig_in(&r, "c02101020004");
        drain(&r);
        memset(big, 0, sizeof(big));
        memcpy(big, "\xc0\x21\x09\x01\x07\xce", 6);
        (void)ppp_input(r.ppp, span_of(big, 2000), r.now);
        CHECK(strlen(rig_out(&r)) / 2 - 2 <= limit);
        memcpy(big, "\x80\xfd", 2);
        (void)ppp_input(r.ppp, span_of(big, 2000), r.now);
        CHECK(strlen(rig_out(&r)) / 2 - 2 <= limit);
        memcpy(big, "\x80\x21\x01\x01\x07\xce", 6);
        for (unsigned i = 6; i + 6 < sizeof(big); i += 6) {
            big[i] = 2;
            big[i + 1] = 6;
        }
        big[1998] = 2;
        big[1999] = 2;
        r.now += US_S(2);
        (void)ppp_input(r.ppp, span_of(big, 2000), r.now);
        CHECK(strlen(rig_out(&r)) / 2 - 2 <= limit);
        rig_free(&r);
    }
}

TEST(ppp_hostile_options_we_do_not_do_are_rejected_together)
{
    struct rig r;

    CHECK(bring(&r, 0));
    drain(&r);
    CHECK_INT(rig_in(&r,
                     "c02101050027 01040064 0506aabbccdd 0408c02500000064 0903 07 0d0306 1104064e "
                     "1305010203 6302"),
              VERDICT_OK);
    (void)rig_out(&r); /* ours again */
    CHECK_STR(rig_out(&r), "c0210405001d0408c025000000640903070d03061104064e13050102036302");
    CHECK_INT(rig_in(&r, "c0210106000801040064"), VERDICT_OK);
    CHECK_STR(rig_out(&r), "c02103060008010405dc");
    CHECK_INT(rig_in(&r, "c0210107000a050600000000"), VERDICT_OK);
    CHECK_STR(rig_out(&r), "c0210307000a0506eeddccbb");
    CHECK_INT(rig_in(&r, "c02101080007010305"), VERDICT_OK); /* an MRU of one byte */
    CHECK_STR(rig_out(&r), "c02104080007010305");
    rig_free(&r);
}

/* H64: a peer that never agrees gets five Naks, then Rejects, and an end after twenty rounds. */
TEST(ppp_hostile_ping_pong_is_bounded)
{
    unsigned naks = 0;
    unsigned rejects = 0;
    unsigned requests = 0;
    struct rig r;
    char hex[64];

    CHECK(bring(&r, 0));
    drain(&r);
    for (unsigned i = 0; i < 100; i++) {
        const char *out;

        (void)snprintf(hex, sizeof(hex), "c02101%02x00080104%04x", i, i & 1 ? 1 : 0xffff);
        (void)rig_in(&r, hex);
        while (*(out = rig_out(&r))) {
            naks += strncmp(out, "c02103", 6) == 0;
            rejects += strncmp(out, "c02104", 6) == 0;
        }
    }
    CHECK_INT(naks, 5);
    CHECK_INT(rejects, 15);
    CHECK_INT(rig_event(&r), PPP_EVENT_FAILED);
    CHECK_INT(r.event.failure.id, FAILURE_PPP_LCP_FAILED);
    rig_free(&r);

    CHECK(bring(&r, 0)); /* and one that Naks ours for ever */
    drain(&r);
    for (unsigned i = 1; i < 100; i++) {
        const char *out;

        (void)snprintf(hex, sizeof(hex), "c02103%02x00080104%04x", i, i & 1 ? 200 : 300);
        (void)rig_in(&r, hex);
        while (*(out = rig_out(&r)))
            requests += strncmp(out, "c02101", 6) == 0;
    }
    CHECK_INT(requests, 20);
    CHECK_INT(rig_event(&r), PPP_EVENT_FAILED);
    CHECK_INT(r.event.failure.id, FAILURE_PPP_LCP_FAILED);
    rig_free(&r);

    CHECK(bring(&r, 3));
    drain(&r);
    while (rig_event(&r) >= 0)
        ;
    for (unsigned i = 1; i < 100; i++) {
        (void)snprintf(hex, sizeof(hex), "802103%02x000a03060a0000%02x", i, i & 1 ? 7 : 9);
        (void)rig_in(&r, hex);
        drain(&r);
    }
    CHECK_INT(rig_event(&r), PPP_EVENT_FAILED);
    CHECK_INT(r.event.failure.id, FAILURE_PPP_IP_REFUSED);
    rig_free(&r);
}

/* H65 */
TEST(ppp_hostile_answers_that_do_not_fit_drop)
{
    static const char *const bad[] = {
        "c0210202000e01040578050611223344", /* another id */
        "c0210201000e01040579050611223344", /* changed */
        "c02102010008 01040578",            /* shortened */
        "c02104010008 01040579",            /* a Reject of what was not sent */
        "c02104010006 0702",
        "c02104010004",
        "c02103010004",
        "c02103010008 0304c023", /* a Nak of what was not sent */
    };
    struct rig r;

    CHECK(bring(&r, 0));
    drain(&r);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK_INT(rig_in(&r, bad[i]), VERDICT_DROP);
    CHECK_STR(rig_out(&r), "");
    CHECK_INT(rig_in(&r, "c0210201000e01040578050611223344"), VERDICT_OK);
    rig_free(&r);
}

/* H67: paused, logged in again, and not for ever. */
TEST(ppp_hostile_lcp_reopened_in_a_live_session)
{
    struct rig r;
    char hex[64];

    CHECK(bring(&r, 4));
    for (unsigned i = 0; i < 3; i++) {
        (void)snprintf(hex, sizeof(hex), "c02101%02x00080304c023", 10 + i);
        CHECK_INT(rig_in(&r, hex), VERDICT_OK);
        CHECK_INT(rig_event(&r), PPP_EVENT_IP_DOWN);
        CHECK(!ppp_facts(r.ppp)->ip_up && !ppp_facts(r.ppp)->authenticated);
        (void)snprintf(hex, sizeof(hex), "c02102%02x000e01040578050611223344", 2 + i);
        CHECK_INT(rig_in(&r, hex), VERDICT_OK);
        CHECK_INT(rig_event(&r), PPP_EVENT_LCP_UP);
        CHECK_INT(rig_event(&r), PPP_EVENT_NEED_PASSWORD);
        CHECK_INT(r.event.need, 2 + i);
        rig_password(&r, "secret");
        (void)snprintf(hex, sizeof(hex), "c02302%02x000500", 2 + i);
        CHECK_INT(rig_in(&r, hex), VERDICT_OK);
        CHECK_INT(rig_event(&r), PPP_EVENT_AUTHENTICATED);
        (void)snprintf(hex, sizeof(hex), "802102%02x0016 03060a000002 81060a000001 83060a000001",
                       3 + i);
        CHECK_INT(rig_in(&r, hex), VERDICT_OK);
        (void)snprintf(hex, sizeof(hex), "802101%02x000a 03060a0000%02x", 20 + i, i == 2 ? 9 : 1);
        CHECK_INT(rig_in(&r, hex), VERDICT_OK);
        CHECK_INT(rig_event(&r), i == 2 ? PPP_EVENT_IP_CHANGED : PPP_EVENT_IP_UP);
        drain(&r);
        r.now += US_S(10);
    }
    CHECK_INT(rig_in(&r, "c021012000080304c023"), VERDICT_FATAL);
    CHECK_INT(rig_event(&r), PPP_EVENT_FAILED);
    CHECK_INT(r.event.failure.id, FAILURE_PPP_LCP_FAILED);
    rig_free(&r);
}

/* The same request again means that our Ack was lost; not for ever either. */
TEST(ppp_hostile_repeated_request_in_a_live_session)
{
    struct rig r;

    CHECK(bring(&r, 4));
    for (unsigned i = 0; i < PPP_NAKS_MAX; i++) {
        CHECK_INT(rig_in(&r, "c021010500080304c023"), VERDICT_OK);
        CHECK_STR(rig_out(&r), "c021020500080304c023");
        CHECK_INT(rig_in(&r, "80210107000a03060a000001"), VERDICT_OK);
        CHECK_STR(rig_out(&r), "80210207000a03060a000001");
    }
    CHECK_INT(rig_event(&r), -1);
    CHECK(ppp_facts(r.ppp)->ip_up);
    CHECK_INT(rig_in(&r, "c021010500080304c023"), VERDICT_OK);
    CHECK_INT(rig_event(&r), PPP_EVENT_IP_DOWN);
    rig_free(&r);
}

/* H69 */
TEST(ppp_hostile_chap)
{
    static const char *const bad[] = {
        "c22301070004",
        "c22301070005 00",
        "c22301070014 0f 00112233445566778899aabbccddee",
        "c22301070016 11 00112233445566778899aabbccddeeff 00",
        "c22301070006 10aa",
        "c22302070004",
        "c22303070004",
        "c22304070004",
        "c22305070004",
        "c02301010004",
        "c02302010004",
    };
    struct rig r;

    CHECK(bring(&r, 1));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK_INT(rig_in(&r, bad[i]), VERDICT_DROP);
    CHECK_INT(rig_event(&r), -1);
    CHECK_INT(rig_in(&r, "c22301070015 10 00112233445566778899aabbccddeeff"), VERDICT_OK);
    CHECK_INT(rig_event(&r), PPP_EVENT_NEED_PASSWORD);
    CHECK_INT(rig_in(&r, "c22303070004"), VERDICT_DROP); /* Success before our Response */
    /* repeated while a person types: one need */
    CHECK_INT(rig_in(&r, "c22301080015 10 00112233445566778899aabbccddeeff"), VERDICT_OK);
    CHECK_INT(rig_event(&r), -1);
    ppp_answer_password(r.ppp, 77, span_str("pw"), r.now); /* not what was asked */
    CHECK_STR(rig_out(&r), "");
    ppp_answer_password(r.ppp, 1, span_str("pw"), r.now);
    {
        char first[256];

        (void)snprintf(first, sizeof(first), "%s", rig_out(&r));
        CHECK(strncmp(first, "c2230208003b31", 14) == 0);
        CHECK_INT(rig_in(&r, "c22301080015 10 00112233445566778899aabbccddeeff"), VERDICT_OK);
        CHECK_STR(rig_out(&r), first);
    }
    /* new challenges are answered every 10 s at most */
    for (unsigned i = 9; i < 200; i++) {
        char hex[64];

        (void)snprintf(hex, sizeof(hex), "c22301%02x0015 10 00112233445566778899aabbccddeeff", i);
        (void)rig_in(&r, hex);
        r.now += US_MS(100);
        if (rig_event(&r) == PPP_EVENT_NEED_PASSWORD)
            rig_password(&r, "pw");
    }
    {
        unsigned n = 0;

        while (*rig_out(&r))
            n++;
        CHECK_INT(n, 1);
    }
    rig_free(&r);
}

/* Once logged in, servers may challenge again. */
TEST(ppp_hostile_challenge_in_a_live_session)
{
    struct ppp_config c = rig_config();
    struct rig r;

    rig_init(&r, &c);
    CHECK(rig_lcp_up(&r, "0305c22305"));
    CHECK_INT(rig_in(&r, "c22301070005 01 aa"), VERDICT_DROP); /* length lies */
    CHECK_INT(rig_in(&r, "c22301070006 01 aa"), VERDICT_OK);
    CHECK_INT(rig_event(&r), PPP_EVENT_NEED_PASSWORD);
    rig_password(&r, "pw");
    CHECK_INT(rig_in(&r, "c22303070004"), VERDICT_OK);
    CHECK_INT(rig_event(&r), PPP_EVENT_AUTHENTICATED);
    CHECK_INT(rig_in(&r, "c22303070004"), VERDICT_DROP);
    CHECK_INT(rig_in(&r, "c22304070004"), VERDICT_DROP);
    drain(&r);
    r.now += US_S(20);
    CHECK_INT(rig_in(&r, "c22301090006 01 bb"), VERDICT_OK);
    CHECK_INT(rig_event(&r), PPP_EVENT_NEED_PASSWORD);
    rig_password(&r, "pw");
    CHECK(strncmp(rig_out(&r), "c2230209", 8) == 0);
    CHECK_INT(rig_in(&r, "c22303090004"), VERDICT_OK);
    CHECK_INT(rig_event(&r), -1);
    rig_free(&r);
}

/* H74 */
TEST(ppp_hostile_dns_that_cannot_be)
{
    struct rig r;

    CHECK(bring(&r, 3));
    while (rig_event(&r) >= 0)
        ;
    drain(&r);
    CHECK_INT(rig_in(&r, "802103010016 03060a000002 81067f000035 830600000000"), VERDICT_OK);
    CHECK_STR(rig_out(&r), "80210102000a03060a000002");
    CHECK_INT(rig_in(&r, "80210202000a03060a000002"), VERDICT_OK);
    CHECK_INT(rig_in(&r, "802101010010 0206002d0f01 03060a000001"), VERDICT_OK); /* VJ */
    CHECK_STR(rig_out(&r), "80210401000a0206002d0f01");
    CHECK_INT(rig_in(&r, "80210102000a 03060a000001"), VERDICT_OK);
    CHECK_INT(rig_event(&r), PPP_EVENT_IP_UP);
    CHECK_INT(ppp_facts(r.ppp)->dns[0].family, 0);
    CHECK_INT(ppp_facts(r.ppp)->dns[1].family, 0);
    rig_free(&r);
}

TEST(ppp_echo_never_answered_is_not_dead)
{
    struct rig r;

    CHECK(bring(&r, 4));
    rig_until(&r, r.now + US_S(3600));
    CHECK_INT(rig_event(&r), -1);
    rig_free(&r);
}

TEST(ppp_echo_dead_30_s_after_the_last_sign)
{
    struct rig r;
    l2tpc_us last;

    CHECK(bring(&r, 4));
    r.now += US_MS(30);
    CHECK_INT(rig_in(&r, "c0210a01000800000000"), VERDICT_OK);
    CHECK_INT(ppp_facts(r.ppp)->rtt, US_MS(30));
    r.now += US_S(7);
    ppp_note_data(r.ppp, r.now); /* traffic postpones the echo */
    last = r.now;
    CHECK_INT(ppp_deadline(r.ppp), last + PPP_ECHO);
    rig_until(&r, last + PPP_ECHO);
    CHECK_STR(rig_out(&r), "c0210902000811223344");
    for (unsigned i = 1; i < PPP_ECHO_TRIES; i++) {
        CHECK_INT(ppp_deadline(r.ppp), last + PPP_ECHO + i * PPP_ECHO_RETRY);
        rig_until(&r, last + PPP_ECHO + i * PPP_ECHO_RETRY);
        CHECK(strncmp(rig_out(&r), "c02109", 6) == 0);
    }
    rig_until(&r, last + US_S(30) - 1);
    CHECK_INT(rig_event(&r), -1);
    rig_until(&r, last + US_S(30));
    CHECK_INT(rig_event(&r), PPP_EVENT_PEER_DEAD);
    CHECK_INT(r.event.failure.id, FAILURE_PEER_DEAD);
    ppp_close(r.ppp, r.now);
    rig_until(&r, r.now + CLOSE_WAIT);
    CHECK_INT(rig_event(&r), PPP_EVENT_CLOSED);
    rig_free(&r);
}

TEST(ppp_close_in_each_phase_ends)
{
    for (unsigned phase = 0; phase < PHASES; phase++) {
        struct rig r;
        bool closed = false;

        CHECK(bring(&r, phase));
        ppp_close(r.ppp, r.now);
        rig_until(&r, r.now + CLOSE_WAIT);
        while (rig_event(&r) >= 0)
            closed |= r.event.type == PPP_EVENT_CLOSED;
        CHECK(closed);
        CHECK(ppp_deadline(r.ppp) == US_NEVER);
        rig_free(&r);
    }
}
