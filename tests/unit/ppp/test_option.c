/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the settings ask for, and how the peer's wishes change it. */
#include "rig.h"

#include <string.h>

TEST(ppp_option_mru_is_asked_lowered_or_dropped)
{
    struct ppp_config c = rig_config();
    struct rig r;

    c.mru = 1280;
    c.auth |= PPP_AUTH_NONE_OK;
    rig_init(&r, &c);
    ppp_start(r.ppp, r.now);
    CHECK_STR(rig_out(&r), "c0210101000e01040500050611223344");
    CHECK_INT(rig_in(&r, "c0210301000801040400"), VERDICT_OK);
    CHECK_STR(rig_out(&r), "c0210102000e01040400050611223344");
    CHECK_INT(rig_in(&r, "c0210302000801040010"), VERDICT_OK); /* 16: not with us */
    CHECK_STR(rig_out(&r), "c0210103000e01040400050611223344");
    CHECK_INT(rig_in(&r, "c021010100080104 0240"), VERDICT_OK);
    CHECK_STR(rig_out(&r), "c021020100080104"
                           "0240");
    CHECK_INT(rig_in(&r, "c0210203000e01040400050611223344"), VERDICT_OK);
    CHECK_INT(ppp_facts(r.ppp)->mru, 1024);
    CHECK_INT(ppp_facts(r.ppp)->peer_mru, 576);
    CHECK_INT(rig_in(&r, "c02101020004"), VERDICT_OK); /* it starts over, and rejects all */
    CHECK_STR(rig_out(&r), "802101010016030600000000810600000000830600000000");
    CHECK_STR(rig_out(&r), "c0210104000e01040400050611223344");
    CHECK_STR(rig_out(&r), "c02102020004");
    CHECK_INT(rig_in(&r, "c0210404000e01040400050611223344"), VERDICT_OK);
    CHECK_STR(rig_out(&r), "c02101050004");
    CHECK_INT(rig_in(&r, "c02102050004"), VERDICT_OK);
    CHECK_INT(ppp_facts(r.ppp)->mru, PPP_MRU_DEFAULT);
    CHECK_INT(ppp_facts(r.ppp)->peer_mru, PPP_MRU_DEFAULT);
    rig_free(&r);
}

TEST(ppp_option_nak_of_our_magic_takes_another)
{
    struct ppp_config c = rig_config();
    struct rig r;

    rig_init(&r, &c);
    ppp_start(r.ppp, r.now);
    (void)rig_out(&r);
    CHECK_INT(rig_in(&r, "c0210301000a0506deadbeef"), VERDICT_OK);
    CHECK(strncmp(rig_out(&r), "c0210102000e010405780506", 24) == 0);
    CHECK(strcmp(r.text + 24, "11223344") != 0 && strcmp(r.text + 24, "deadbeef") != 0);
    rig_free(&r);
}

TEST(ppp_option_fixed_address_without_dns)
{
    struct ppp_config c = rig_config();
    char text[ADDR_TEXT_MAX];
    struct rig r;

    c.want_dns = false;
    CHECK(inaddr_parse(&c.want_ip, "10.0.0.77"));
    rig_init(&r, &c);
    CHECK(rig_lcp_up(&r, "0304c023"));
    CHECK_INT(rig_event(&r), PPP_EVENT_NEED_PASSWORD);
    rig_password(&r, "");
    CHECK_STR(rig_out(&r), "c0230101000b05616c69636500");
    CHECK_INT(rig_in(&r, "c02302010004"), VERDICT_OK); /* an Ack without a message length */
    CHECK_STR(rig_out(&r), "80210101000a03060a00004d");
    CHECK_INT(rig_in(&r, "80210201000a03060a00004d"), VERDICT_OK);
    CHECK_INT(rig_in(&r, "80210101000a030600000000"), VERDICT_OK); /* it wants one from us */
    CHECK_STR(rig_out(&r), "80210401000a030600000000");
    CHECK_INT(rig_in(&r, "802101020004"), VERDICT_OK);
    CHECK_INT(rig_event(&r), PPP_EVENT_AUTHENTICATED);
    CHECK_INT(rig_event(&r), PPP_EVENT_IP_UP);
    CHECK_STR(inaddr_text(&ppp_facts(r.ppp)->local_ip, text), "10.0.0.77");
    CHECK_INT(ppp_facts(r.ppp)->peer_ip.family, 0);
    CHECK_INT(ppp_facts(r.ppp)->dns[0].family, 0);
    rig_free(&r);
}

/* The two readings of a password outside ASCII give different responses to one challenge. */
TEST(ppp_option_nt_hash_of_utf8_bytes)
{
    char text[2][256];

    for (unsigned quirk = 0; quirk < 2; quirk++) {
        struct ppp_config c = rig_config();
        struct rig r;

        c.nt_hash_utf8_bytes = quirk;
        rig_init(&r, &c);
        CHECK(rig_lcp_up(&r, "0305c22381"));
        CHECK_INT(rig_in(&r, "c22301070015 10 00112233445566778899aabbccddeeff"), VERDICT_OK);
        CHECK_INT(rig_event(&r), PPP_EVENT_NEED_PASSWORD);
        rig_password(&r, "p\xc3\xa4ssw\xc3\xb6rd");
        strcpy(text[quirk], rig_out(&r));
        rig_free(&r);
    }
    CHECK_INT(strlen(text[0]), strlen(text[1]));
    CHECK(strncmp(text[0], text[1], 12 + 2 + 32) == 0); /* the same peer challenge */
    CHECK(strcmp(text[0], text[1]) != 0);
}
