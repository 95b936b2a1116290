/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole logins against the scripted server, in virtual time, with and without loss. */
#include "server.h"

#include <stdio.h>
#include <string.h>

static bool dial(enum flavour flavour, enum ppp_auth method, const struct server *how,
                 struct server *s, struct rig *r)
{
    struct ppp_config c = rig_config();

    rig_init(r, &c);
    server_init(s, r, flavour);
    s->method = method;
    if (how) {
        s->lose = how->lose;
        s->lose_protocol = how->lose_protocol;
        s->lose_code = how->lose_code;
        s->lose_to_server = how->lose_to_server;
        s->wakes_at = how->wakes_at;
        s->first_at = how->first_at;
        s->percent = how->percent;
        s->seed = how->seed;
    }
    return server_run(s, PPP_EVENT_IP_UP, r->now + US_S(60));
}

TEST(ppp_dial_pppd_with_each_method)
{
    static const enum ppp_auth methods[] = {PPP_AUTH_PAP, PPP_AUTH_CHAP_MD5, PPP_AUTH_MSCHAPV2};

    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        struct server s;
        struct rig r;
        char text[ADDR_TEXT_MAX];

        CHECK(dial(SERVER_PPPD, methods[i], NULL, &s, &r));
        CHECK_INT(ppp_facts(r.ppp)->auth, methods[i]);
        CHECK_STR(inaddr_text(&ppp_facts(r.ppp)->local_ip, text), "192.168.30.10");
        CHECK_STR(inaddr_text(&ppp_facts(r.ppp)->peer_ip, text), "192.168.30.1");
        CHECK_STR(inaddr_text(&ppp_facts(r.ppp)->dns[1], text), "192.168.30.2");
        CHECK_INT(ppp_facts(r.ppp)->peer_mru, 1400);
        CHECK(r.now < US_S(100) + US_MS(250)); /* round trips alone, no timer */
        CHECK_INT(s.lcp_opened, 1);
        /* the first echo tells the round trip */
        CHECK(!server_run(&s, PPP_EVENT_FAILED, r.now + US_S(1)));
        CHECK_INT(ppp_facts(r.ppp)->rtt, US_MS(20));
        CHECK_INT(ppp_facts(r.ppp)->resent, 1); /* ours, when the server woke up */
        rig_free(&r);
    }
}

TEST(ppp_dial_softether_eap_first_slow_ipcp_no_dns2)
{
    struct server s;
    struct rig r;

    CHECK(dial(SERVER_SOFTETHER, PPP_AUTH_MSCHAPV2, NULL, &s, &r));
    CHECK_INT(ppp_facts(r.ppp)->auth, PPP_AUTH_MSCHAPV2);
    CHECK_INT(ppp_facts(r.ppp)->dns[0].family, 4);
    CHECK_INT(ppp_facts(r.ppp)->dns[1].family, 0);
    CHECK_INT(ppp_facts(r.ppp)->early_echoes, 1);
    CHECK(r.now > US_S(100) + 3 * US_MS(4200) && r.now < US_S(100) + 3 * US_MS(4200) + US_S(1));
    rig_free(&r);
}

TEST(ppp_dial_windows_with_its_extras)
{
    struct server s;
    struct rig r;

    CHECK(dial(SERVER_WINDOWS, PPP_AUTH_MSCHAPV2, NULL, &s, &r));
    CHECK(s.optional_rejected && s.asked == 1);
    CHECK(ppp_facts(r.ppp)->pfc);
    CHECK_INT(ppp_facts(r.ppp)->dropped, 1); /* the second Ack of our repeated request */
    rig_free(&r);
}

TEST(ppp_dial_request_of_the_peer_before_and_after_ours)
{
    static const l2tpc_us firsts[] = {0,         US_MS(5),  US_MS(9),  US_MS(10),
                                      US_MS(15), US_MS(25), US_MS(70), US_S(2)};

    for (size_t i = 0; i < ARRAY_LEN(firsts); i++) {
        struct server s;
        struct rig r;

        CHECK(
            dial(SERVER_PPPD, PPP_AUTH_MSCHAPV2, &(struct server){.first_at = firsts[i]}, &s, &r));
        CHECK_INT(s.lcp_opened, 1); /* the repetition never makes the server start over */
        CHECK(r.now <= US_S(100) + firsts[i] + US_MS(250));
        rig_free(&r);
    }
}

/* Its first packets come 90 ms after the start and it heard nothing before: no timer is waited
 * for. */
TEST(ppp_dial_server_that_wakes_up_late)
{
    struct server s;
    struct rig r;

    CHECK(dial(SERVER_PPPD, PPP_AUTH_MSCHAPV2,
               &(struct server){.first_at = US_MS(90), .wakes_at = US_MS(90)}, &s, &r));
    CHECK(r.now < US_S(100) + US_MS(300));
    CHECK_INT(s.lcp_opened, 1);
    rig_free(&r);
}

static const struct {
    uint16_t protocol;
    uint8_t code;
    bool to_server;
} messages[] = {
    {0xc021, 1, true},  {0xc021, 2, true},  {0xc021, 3, true},  {0xc021, 4, true},
    {0xc021, 1, false}, {0xc021, 2, false}, {0xc021, 4, false}, {0xc223, 1, false},
    {0xc223, 2, true},  {0xc223, 3, false}, {0xc023, 1, true},  {0xc023, 2, false},
    {0x8021, 1, true},  {0x8021, 2, true},  {0x8021, 4, true},  {0x8021, 1, false},
    {0x8021, 2, false}, {0x8021, 3, false}, {0x8021, 4, false},
};

static bool survives(enum flavour flavour, enum ppp_auth method, size_t m, unsigned times)
{
    struct server s;
    struct rig r;
    struct server how = {
        .lose = times,
        .lose_protocol = messages[m].protocol,
        .lose_code = messages[m].code,
        .lose_to_server = messages[m].to_server,
        .first_at = US_MS(5),
    };
    bool ok = dial(flavour, method, &how, &s, &r);

    if (!ok)
        check_fail(__FILE__, __LINE__, "flavour %d method %d: %04x code %u %s lost %u times: %s",
                   (int)flavour, (int)method, messages[m].protocol, messages[m].code,
                   messages[m].to_server ? "to the server" : "from the server", times,
                   failure_code(r.event.failure.id));
    rig_free(&r);
    return ok;
}

TEST(ppp_dial_survives_the_loss_of_each_message_one_to_five_times)
{
    for (size_t m = 0; m < ARRAY_LEN(messages); m++) {
        for (unsigned times = 1; times <= 5; times++) {
            CHECK(survives(SERVER_PPPD, PPP_AUTH_MSCHAPV2, m, times));
            CHECK(survives(SERVER_PPPD, PPP_AUTH_CHAP_MD5, m, times));
            CHECK(survives(SERVER_PPPD, PPP_AUTH_PAP, m, times));
            CHECK(survives(SERVER_WINDOWS, PPP_AUTH_MSCHAPV2, m, times));
        }
    }
}

/* Ten percent of everything, both ways: at most one dial in a hundred may need a second try. */
TEST(ppp_dial_survives_random_loss)
{
    static const enum flavour flavours[] = {SERVER_PPPD, SERVER_WINDOWS};
    unsigned up = 0;

    for (size_t i = 0; i < ARRAY_LEN(flavours); i++) {
        for (unsigned seed = 1; seed <= 500; seed++) {
            struct server how = {.percent = 10, .seed = seed, .first_at = US_MS(5)};
            struct server s;
            struct rig r;

            up += dial(flavours[i], PPP_AUTH_MSCHAPV2, &how, &s, &r);
            rig_free(&r);
        }
    }
    printf("    %u of 1000 up\n", up);
    CHECK(up >= 990);
}

TEST(ppp_dial_softether_survives_the_loss_of_each_message)
{
    for (size_t m = 0; m < ARRAY_LEN(messages); m++)
        for (unsigned times = 1; times <= 2; times++)
            CHECK(survives(SERVER_SOFTETHER, PPP_AUTH_MSCHAPV2, m, times));
}

/* Both ends at once, as pppd does it: our Ack to theirs is as good as theirs to ours. */
TEST(ppp_dial_close_crosses_that_of_the_peer)
{
    struct server s;
    struct rig r;

    CHECK(dial(SERVER_PPPD, PPP_AUTH_PAP, NULL, &s, &r));
    while (*rig_out(&r))
        ;
    ppp_close(r.ppp, r.now);
    CHECK(strncmp(rig_out(&r), "c02105", 6) == 0);
    CHECK_INT(rig_in(&r, "ff03c02105020010557365722072657175657374"), VERDICT_OK);
    CHECK_STR(rig_out(&r), "c02106020004");
    CHECK_INT(rig_event(&r), PPP_EVENT_CLOSED);
    CHECK_INT(rig_event(&r), -1);
    rig_free(&r);
}

TEST(ppp_dial_close_is_polite_and_bounded)
{
    struct server s;
    struct rig r;
    l2tpc_us begun;

    CHECK(dial(SERVER_PPPD, PPP_AUTH_PAP, NULL, &s, &r));
    begun = r.now;
    ppp_close(r.ppp, r.now);
    CHECK(server_run(&s, PPP_EVENT_CLOSED, r.now + US_S(5)));
    CHECK_INT(r.now - begun, US_MS(20));
    CHECK_INT(s.terminated, 1);
    CHECK(ppp_deadline(r.ppp) == US_NEVER);
    rig_free(&r);

    CHECK(dial(SERVER_PPPD, PPP_AUTH_PAP, NULL, &s, &r));
    begun = r.now;
    s.lose = 99;
    s.lose_protocol = 0xc021;
    s.lose_code = 6;
    ppp_close(r.ppp, r.now);
    CHECK(server_run(&s, PPP_EVENT_CLOSED, r.now + US_S(5)));
    CHECK_INT(r.now - begun, CLOSE_WAIT);
    CHECK_INT(s.terminated, 2);
    rig_free(&r);
}

TEST(ppp_dial_wrong_password)
{
    struct ppp_config c = rig_config();
    struct server s;
    struct rig r;

    rig_init(&r, &c);
    server_init(&s, &r, SERVER_SOFTETHER);
    CHECK(server_run(&s, PPP_EVENT_LCP_UP, r.now + US_S(1)));
    s.password = "right";
    CHECK(server_run(&s, PPP_EVENT_NEED_PASSWORD, r.now + US_S(1))); /* answers "right" */
    s.password = "changed since";
    CHECK(!server_run(&s, PPP_EVENT_IP_UP, r.now + US_S(20)));
    CHECK_INT(r.event.failure.id, FAILURE_PPP_AUTH_FAILED);
    CHECK_INT(r.event.failure.peer_code, 691);
    rig_free(&r);
}
