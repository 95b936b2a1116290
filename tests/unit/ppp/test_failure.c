/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Each way that PPP can end, with its code and its arguments; timers to the microsecond. */
#include "rig.h"

#include <stdio.h>
#include <string.h>

/* Skips events up to the last one; its failure is in r->event. */
static enum failure_id end_of(struct rig *r)
{
    while (rig_event(r) >= 0)
        if (r->event.type == PPP_EVENT_FAILED || r->event.type == PPP_EVENT_TERMINATED)
            return r->event.failure.id;
    return FAILURE_NONE;
}

static void start(struct rig *r, unsigned auth)
{
    struct ppp_config c = rig_config();

    c.auth = auth;
    rig_init(r, &c);
    ppp_start(r->ppp, r->now);
    (void)rig_out(r);
}

TEST(ppp_failure_lcp_no_answer_after_30_sends)
{
    struct rig r;

    start(&r, PPP_AUTH_PAP);
    for (unsigned i = 1; i < 30; i++) {
        CHECK_INT(ppp_deadline(r.ppp), US_S(100) + i * PPP_RESTART);
        rig_until(&r, US_S(100) + i * PPP_RESTART);
        CHECK_STR(rig_out(&r), "c0210101000e01040578050611223344"); /* the same id */
        CHECK_STR(rig_out(&r), "");
    }
    rig_until(&r, US_S(130) - 1);
    CHECK_INT(rig_event(&r), -1);
    rig_until(&r, US_S(130));
    CHECK_INT(end_of(&r), FAILURE_PPP_LCP_NO_ANSWER);
    CHECK_STR(r.event.failure.waited_for, "Configure-Ack");
    CHECK_INT(r.event.failure.sends, 30);
    CHECK_INT(r.event.failure.stage, STAGE_PPP_LCP);
    CHECK(ppp_deadline(r.ppp) == US_NEVER);
    CHECK_INT(rig_in(&r, "c0210201000e01040578050611223344"), VERDICT_DROP);
    rig_free(&r);
}

TEST(ppp_failure_lcp_peer_asks_nothing)
{
    struct rig r;

    start(&r, PPP_AUTH_PAP);
    CHECK_INT(rig_in(&r, "c0210201000e01040578050611223344"), VERDICT_OK);
    CHECK_INT(rig_in(&r, "c0210201000e01040578050611223344"), VERDICT_DROP); /* a duplicate */
    rig_until(&r, US_S(101));
    CHECK_STR(rig_out(&r), "c0210102000e01040578050611223344"); /* TO+ in Ack-Rcvd: a new id */
    CHECK_INT(rig_in(&r, "c0210202000e01040578050611223344"), VERDICT_OK);
    rig_until(&r, US_S(130));
    CHECK_INT(end_of(&r), FAILURE_PPP_LCP_NO_ANSWER);
    rig_free(&r);
}

TEST(ppp_failure_loopback)
{
    struct rig r;

    start(&r, PPP_AUTH_PAP);
    CHECK_INT(rig_in(&r, "c0210101000e01040578050611223344"), VERDICT_FATAL);
    CHECK_INT(end_of(&r), FAILURE_PPP_LCP_LOOPBACK);
    rig_free(&r);
}

TEST(ppp_failure_auth_weak_names_the_method)
{
    static const struct {
        const char *option, *name;
        unsigned allowed;
    } cases[] = {
        {"0304c023", "pap", PPP_AUTH_MSCHAPV2 | PPP_AUTH_CHAP_MD5},
        {"0305c22305", "chap", PPP_AUTH_MSCHAPV2},
        {"0305c22380", "mschap", PPP_AUTH_MSCHAPV2},
        {"0304c227", "eap", PPP_AUTH_MSCHAPV2 | PPP_AUTH_PAP},
        {"0304c025", "0xc025", PPP_AUTH_MSCHAPV2},
        {"0305c22381", "mschapv2", PPP_AUTH_PAP},
        {"0304c023", "pap", PPP_AUTH_NONE_OK},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        unsigned naks = 0;
        unsigned rejects = 0;
        struct rig r;
        char hex[64];

        start(&r, cases[i].allowed);
        (void)rig_in(&r, "c0210201000e01040578050611223344");
        for (unsigned id = 1; id < 30 && end_of(&r) == FAILURE_NONE; id++) {
            const char *out;

            (void)snprintf(hex, sizeof(hex), "c02101%02x%04zx%s", id,
                           4 + strlen(cases[i].option) / 2, cases[i].option);
            (void)rig_in(&r, hex);
            while (*(out = rig_out(&r))) {
                naks += strncmp(out, "c02103", 6) == 0;
                rejects += strncmp(out, "c02104", 6) == 0;
                CHECK(strncmp(out, "c02102", 6) != 0);
            }
        }
        CHECK_INT(naks, cases[i].allowed == PPP_AUTH_NONE_OK ? 0 : PPP_NAKS_MAX);
        CHECK_INT(rejects, 1);
        CHECK_INT(r.event.failure.id, FAILURE_PPP_AUTH_WEAK);
        CHECK_STR(r.event.failure.value, cases[i].name);
        rig_free(&r);
    }
}

TEST(ppp_failure_auth_nak_offers_strongest_then_others)
{
    static const char *const want[] = {"c0210301 0009 0305c22381", "c0210302 0009 0305c22381",
                                       "c0210303 0008 0304c023", "c0210304 0008 0304c023",
                                       "c0210305 0009 0305c22381"};
    struct rig r;

    start(&r, PPP_AUTH_MSCHAPV2 | PPP_AUTH_PAP);
    (void)rig_in(&r, "c0210201000e01040578050611223344");
    for (unsigned i = 0; i < ARRAY_LEN(want); i++) {
        uint8_t bytes[32];
        size_t n = check_hex(bytes, sizeof(bytes), want[i]);
        char hex[80];
        char text[80];

        (void)snprintf(hex, sizeof(hex), "c02101%02x00080304c227", i + 1);
        CHECK_INT(rig_in(&r, hex), VERDICT_OK);
        text_hex(text, sizeof(text), span_of(bytes, n));
        CHECK_STR(rig_out(&r), text);
    }
    rig_free(&r);
}

TEST(ppp_failure_auth_weak_also_when_the_peer_terminates_over_it)
{
    struct rig r;

    start(&r, PPP_AUTH_CHAP_MD5);
    (void)rig_in(&r, "c021010000080304c227");
    (void)rig_in(&r, "c02105010004");
    CHECK_INT(end_of(&r), FAILURE_PPP_AUTH_WEAK);
    CHECK_STR(r.event.failure.value, "eap");
    rig_free(&r);
}

TEST(ppp_failure_auth_none)
{
    struct rig r;

    start(&r, PPP_AUTH_PAP);
    (void)rig_in(&r, "c0210201000e01040578050611223344");
    CHECK_INT(rig_in(&r, "c02101010004"), VERDICT_FATAL);
    CHECK_INT(end_of(&r), FAILURE_PPP_AUTH_NONE);
    rig_free(&r);

    start(&r, PPP_AUTH_PAP | PPP_AUTH_NONE_OK);
    (void)rig_in(&r, "c0210201000e01040578050611223344");
    CHECK_INT(rig_in(&r, "c02101010004"), VERDICT_OK);
    CHECK_INT(rig_event(&r), PPP_EVENT_LCP_UP);
    CHECK_INT(rig_event(&r), PPP_EVENT_AUTHENTICATED);
    CHECK_INT(ppp_facts(r.ppp)->auth, 0);
    rig_free(&r);
}

TEST(ppp_failure_chap_codes)
{
    static const struct {
        const char *message;
        enum failure_id id;
        int code;
        const char *words;
    } cases[] = {
        {"E=691 R=1 C=00112233445566778899AABBCCDDEEFF V=3 M=No such user", FAILURE_PPP_AUTH_FAILED,
         691, "No such user"},
        {"E=691 R=0 C=00 V=3", FAILURE_PPP_AUTH_FAILED, 691, ""},
        {"E=646 R=0 M=night", FAILURE_PPP_AUTH_RESTRICTED_HOURS, 646, "night"},
        {"E=647", FAILURE_PPP_AUTH_DISABLED, 647, ""},
        {" R=0 E=648 V=3", FAILURE_PPP_AUTH_PASSWORD_EXPIRED, 648, ""},
        {"E=649 R=0", FAILURE_PPP_AUTH_NO_PERMISSION, 649, ""},
        {"E=709", FAILURE_PPP_AUTH_FAILED, 709, ""},
        {"E=", FAILURE_PPP_AUTH_FAILED, -1, "E="},
        {"Go away\n", FAILURE_PPP_AUTH_FAILED, -1, "Go away\\x0a"},
        {"", FAILURE_PPP_AUTH_FAILED, -1, ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig r;
        char hex[300];
        size_t n = strlen(cases[i].message);
        struct ppp_config c = rig_config();

        rig_init(&r, &c);
        CHECK(rig_lcp_up(&r, "0305c22381"));
        CHECK_INT(rig_in(&r, "c223010700151000112233445566778899aabbccddeeff"), VERDICT_OK);
        CHECK_INT(rig_event(&r), PPP_EVENT_NEED_PASSWORD);
        rig_password(&r, "wrong");
        (void)snprintf(hex, sizeof(hex), "c2230407%04zx", n + 4);
        text_hex(hex + strlen(hex), 256, span_str(cases[i].message));
        CHECK_INT(rig_in(&r, hex), VERDICT_FATAL);
        CHECK_INT(end_of(&r), cases[i].id);
        CHECK_INT(r.event.failure.has_peer_code ? (int)r.event.failure.peer_code : -1,
                  cases[i].code);
        CHECK_STR(r.event.failure.peer_text, cases[i].words);
        /* the Terminate-Request that follows changes nothing */
        CHECK_INT(rig_in(&r, "c02105020004"), VERDICT_DROP);
        CHECK_INT(rig_event(&r), -1);
        rig_free(&r);
    }
}

TEST(ppp_failure_pap_nak)
{
    struct ppp_config c = rig_config();
    struct rig r;

    rig_init(&r, &c);
    CHECK(rig_lcp_up(&r, "0304c023"));
    CHECK_INT(rig_event(&r), PPP_EVENT_NEED_PASSWORD);
    CHECK_INT(rig_in(&r, "c02302010005 00"), VERDICT_DROP); /* nothing was asked yet */
    rig_password(&r, "x");
    CHECK_INT(rig_in(&r, "c02302020005 00"), VERDICT_DROP);             /* another id */
    CHECK_INT(rig_in(&r, "c0230301000a ff 6e6f70652e"), VERDICT_FATAL); /* length lies */
    CHECK_INT(end_of(&r), FAILURE_PPP_AUTH_FAILED);
    CHECK_STR(r.event.failure.peer_text, "nope.");
    rig_free(&r);
}

static void server_proof(const char *text, enum failure_id want)
{
    struct ppp_config c = rig_config();
    struct rig r;
    char hex[400];

    rig_init(&r, &c);
    r.n_script = check_hex(r.script, sizeof(r.script), "44332211 888b42ff7653009111919183e4fce89b");
    CHECK(rig_lcp_up(&r, "0305c22381"));
    CHECK_INT(rig_in(&r, "c22301020017105d5a48bf2c78d037adddf2b20cabbadb766d"), VERDICT_OK);
    CHECK_INT(rig_event(&r), PPP_EVENT_NEED_PASSWORD);
    rig_password(&r, "wonderland");
    (void)snprintf(hex, sizeof(hex), "c2230302%04zx", strlen(text) + 4);
    text_hex(hex + strlen(hex), 300, span_str(text));
    (void)rig_in(&r, hex);
    if (want == FAILURE_NONE)
        CHECK_INT(rig_event(&r), PPP_EVENT_AUTHENTICATED);
    else
        CHECK_INT(end_of(&r), want);
    rig_free(&r);
}

#define PROOF "6282C1BFD1DB75F4BA1CAFFEB47AB9F018F6CBCA"

TEST(ppp_failure_server_unverified)
{
    server_proof("S=" PROOF, FAILURE_NONE);
    server_proof("S=" PROOF " M=Welcome S=1", FAILURE_NONE);
    server_proof("xS=" PROOF, FAILURE_NONE);
    server_proof("\x01 hello S=0 S=" PROOF "\r\n", FAILURE_NONE);
    server_proof("S=6282c1bfd1db75f4ba1caffeb47ab9f018f6cbca", FAILURE_NONE);
    server_proof("S=6282C1BFD1DB75F4BA1CAFFEB47AB9F018F6CBCB", FAILURE_PPP_AUTH_SERVER_UNVERIFIED);
    server_proof("S=6282C1BFD1DB75F4BA1CAFFEB47AB9F018F6CBC", FAILURE_PPP_AUTH_SERVER_UNVERIFIED);
    server_proof(PROOF, FAILURE_PPP_AUTH_SERVER_UNVERIFIED);
    server_proof("M=Welcome", FAILURE_PPP_AUTH_SERVER_UNVERIFIED);
    server_proof("S", FAILURE_PPP_AUTH_SERVER_UNVERIFIED);
    server_proof("", FAILURE_PPP_AUTH_SERVER_UNVERIFIED);
}

TEST(ppp_failure_auth_timeouts)
{
    struct ppp_config c = rig_config();
    struct rig r;

    rig_init(&r, &c); /* no challenge ever */
    CHECK(rig_lcp_up(&r, "0305c22381"));
    rig_until(&r, US_S(130) - 1);
    CHECK_INT(rig_event(&r), -1);
    rig_until(&r, US_S(130));
    CHECK_INT(end_of(&r), FAILURE_PPP_AUTH_TIMEOUT);
    CHECK_STR(r.event.failure.waited_for, "Challenge");
    CHECK_INT(r.event.failure.sends, 0);
    rig_free(&r);

    rig_init(&r, &c); /* a person needs five minutes; then the server is silent */
    CHECK(rig_lcp_up(&r, "0304c023"));
    CHECK_INT(rig_event(&r), PPP_EVENT_NEED_PASSWORD);
    CHECK(ppp_deadline(r.ppp) == US_NEVER);
    rig_until(&r, US_S(400));
    rig_password(&r, "x");
    rig_until(&r, US_S(430) - 1);
    CHECK_INT(rig_event(&r), -1);
    rig_until(&r, US_S(430));
    CHECK_INT(end_of(&r), FAILURE_PPP_AUTH_TIMEOUT);
    CHECK_STR(r.event.failure.waited_for, "Authenticate-Ack");
    CHECK_INT(r.event.failure.sends, 30);
    rig_free(&r);

    rig_init(&r, &c); /* the response every 3 s */
    CHECK(rig_lcp_up(&r, "0305c22305"));
    CHECK_INT(rig_in(&r, "c22301070015100102030405060708090a0b0c0d0e0f10"), VERDICT_OK);
    CHECK_INT(rig_event(&r), PPP_EVENT_NEED_PASSWORD);
    rig_password(&r, "Alice-pw-1");
    CHECK_STR(rig_out(&r), "c2230207001a108f412ac7f65d5985ec7bdb1673ddb4a8616c696365");
    rig_until(&r, US_S(130));
    CHECK_INT(end_of(&r), FAILURE_PPP_AUTH_TIMEOUT);
    CHECK_STR(r.event.failure.waited_for, "Success");
    CHECK_INT(r.event.failure.sends, 10);
    rig_free(&r);
}

/* Logged in by PAP; the IPCP request is out. */
static void at_ipcp(struct rig *r)
{
    struct ppp_config c = rig_config();

    rig_init(r, &c);
    CHECK(rig_lcp_up(r, "0304c023"));
    CHECK_INT(rig_event(r), PPP_EVENT_NEED_PASSWORD);
    rig_password(r, "x");
    (void)rig_out(r);
    CHECK_INT(rig_in(r, "c02302010005 00"), VERDICT_OK);
    CHECK_INT(rig_event(r), PPP_EVENT_AUTHENTICATED);
    CHECK_STR(rig_out(r), "802101010016030600000000810600000000830600000000");
}

TEST(ppp_failure_ip_timeout)
{
    struct rig r;

    at_ipcp(&r);
    rig_until(&r, US_S(130));
    CHECK_INT(end_of(&r), FAILURE_PPP_IP_TIMEOUT);
    CHECK_STR(r.event.failure.waited_for, "Configure-Ack");
    CHECK_INT(r.event.failure.sends, 30);
    rig_free(&r);
}

/* SoftEther without DHCP: the reject comes 5 s later with the old id. */
TEST(ppp_failure_ip_refused_when_all_is_rejected)
{
    struct rig r;

    at_ipcp(&r);
    rig_until(&r, US_S(105));
    CHECK_INT(rig_in(&r, "802104010016030600000000810600000000830600000000"), VERDICT_FATAL);
    CHECK_INT(end_of(&r), FAILURE_PPP_IP_REFUSED);
    rig_free(&r);
}

TEST(ppp_failure_ip_bad_address)
{
    static const char *const bad[] = {"00000000", "7f000001", "e0000001", "ffffffff", "00000001"};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct rig r;
        char hex[64];

        at_ipcp(&r);
        (void)snprintf(hex, sizeof(hex), "80210301000a0306%s", bad[i]);
        CHECK_INT(rig_in(&r, hex), VERDICT_FATAL);
        CHECK_INT(end_of(&r), FAILURE_PPP_IP_BAD_ADDRESS);
        rig_free(&r);
    }
    struct rig r;

    at_ipcp(&r); /* our zeros acknowledged: there is no address */
    (void)rig_in(&r, "80210101000a0306c0a81e01");
    (void)rig_in(&r, "802102010016030600000000810600000000830600000000");
    CHECK_INT(end_of(&r), FAILURE_PPP_IP_BAD_ADDRESS);
    CHECK_STR(r.event.failure.value, "0.0.0.0");
    rig_free(&r);
}

TEST(ppp_failure_terminated_at_each_stage)
{
    struct ppp_config c = rig_config();
    struct rig r;

    rig_init(&r, &c);
    ppp_start(r.ppp, r.now);
    (void)rig_out(&r);
    CHECK_INT(rig_in(&r, "c02105090007627965"), VERDICT_FATAL);
    CHECK_STR(rig_out(&r), "c02106090004");
    CHECK_STR(rig_out(&r), "");
    CHECK_INT(end_of(&r), FAILURE_PPP_TERMINATED);
    CHECK_INT(r.event.failure.stage, STAGE_PPP_LCP);
    CHECK_STR(r.event.failure.peer_text, "bye");
    rig_free(&r);

    rig_init(&r, &c);
    CHECK(rig_lcp_up(&r, "0304c023"));
    CHECK_INT(rig_in(&r, "c02105090007627965"), VERDICT_FATAL);
    CHECK_STR(rig_out(&r), "c02106090004");
    CHECK_INT(end_of(&r), FAILURE_PPP_TERMINATED);
    CHECK_INT(r.event.failure.stage, STAGE_PPP_AUTH);
    rig_free(&r);

    at_ipcp(&r);
    CHECK_INT(rig_in(&r, "c02105090007627965"), VERDICT_FATAL);
    CHECK_INT(end_of(&r), FAILURE_PPP_TERMINATED);
    CHECK_INT(r.event.failure.stage, STAGE_PPP_IP);
    rig_free(&r);

    at_ipcp(&r);
    CHECK_INT(rig_in(&r, "802105090007627965"), VERDICT_FATAL);
    CHECK_INT(end_of(&r), FAILURE_PPP_IP_REFUSED);
    CHECK_STR(r.event.failure.value, "bye");
    rig_free(&r);
}

TEST(ppp_failure_core_code_and_protocol_rejects)
{
    struct rig r;

    start(&r, PPP_AUTH_PAP);
    CHECK_INT(rig_in(&r, "c02107010008 01010004"), VERDICT_FATAL);
    CHECK_INT(end_of(&r), FAILURE_PPP_LCP_FAILED);
    rig_free(&r);

    start(&r, PPP_AUTH_PAP); /* before LCP is open: discarded */
    CHECK_INT(rig_in(&r, "c02108010006 c021"), VERDICT_DROP);
    rig_free(&r);

    {
        struct ppp_config c = rig_config();

        rig_init(&r, &c);
        CHECK(rig_up(&r));
        CHECK_INT(rig_in(&r, "c02108010006 80fd"), VERDICT_OK);
        CHECK_INT(rig_in(&r, "c02107010008 0c010004"), VERDICT_OK);
        CHECK_INT(rig_in(&r, "c02108010006 8021"), VERDICT_FATAL);
        CHECK_INT(end_of(&r), FAILURE_PPP_IP_REFUSED);
        rig_free(&r);
        rig_init(&r, &c);
        CHECK(rig_up(&r));
        CHECK_INT(rig_in(&r, "c02108010006 c021"), VERDICT_FATAL);
        CHECK_INT(end_of(&r), FAILURE_PPP_LCP_FAILED);
        rig_free(&r);
    }
}

TEST(ppp_failure_random_source)
{
    struct ppp_config c = rig_config();
    struct rig r;

    rig_init(&r, &c);
    r.rand_fails = true;
    ppp_start(r.ppp, r.now);
    CHECK_INT(end_of(&r), FAILURE_LOCAL_RANDOM);
    CHECK_STR(rig_out(&r), "");
    rig_free(&r);
}

TEST(ppp_failure_password_too_long_for_pap)
{
    struct ppp_config c = rig_config();
    char password[257];
    struct rig r;

    memset(password, 'x', 256);
    password[256] = '\0';
    rig_init(&r, &c);
    CHECK(rig_lcp_up(&r, "0304c023"));
    CHECK_INT(rig_event(&r), PPP_EVENT_NEED_PASSWORD);
    rig_password(&r, password);
    CHECK_INT(end_of(&r), FAILURE_LOCAL_SECRET);
    rig_free(&r);
}

TEST(ppp_failure_protocol_reject_of_the_login)
{
    struct ppp_config c = rig_config();
    struct rig r;

    rig_init(&r, &c);
    CHECK(rig_lcp_up(&r, "0304c023"));
    CHECK_INT(rig_in(&r, "c02108010006c023"), VERDICT_FATAL);
    CHECK_INT(end_of(&r), FAILURE_PPP_AUTH_FAILED);
    CHECK_STR(r.event.failure.peer_text, "Protocol-Reject");
    rig_free(&r);
}
