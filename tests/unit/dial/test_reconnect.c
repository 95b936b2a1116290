/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When a lost tunnel is dialed again, in virtual time. */
#include "base/limits.h"
#include "check.h"
#include "dial/reconnect.h"

#include <string.h>

#define MIDDLE 0x80000000u /* no jitter, but for rounding */

static bool lose(struct reconnect *r, enum failure_id id, l2tpc_us now, uint32_t random,
                 l2tpc_us *out)
{
    struct failure f = failure_make(id);

    return reconnect_next(r, &f, now, random, out);
}

TEST(waits_grow_from_at_once_to_a_minute)
{
    static const unsigned seconds[] = {0, 1, 2, 4, 8, 16, 32, 60, 60, 60};
    struct reconnect r = {0};
    l2tpc_us now = US_S(1000);
    l2tpc_us wait;

    reconnect_up(&r, now);
    now += US_S(3600);
    CHECK(lose(&r, FAILURE_PEER_DEAD, now, MIDDLE, &wait));
    CHECK_INT(wait, 0);
    for (unsigned i = 1; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
        CHECK(lose(&r, FAILURE_IKE_NO_ANSWER, now, MIDDLE, &wait));
        CHECK_INT((wait + 1000) / US_S(1), seconds[i]);
        now += wait;
    }
}

TEST(jitter_is_a_quarter)
{
    struct reconnect r = {.tries = 30};
    l2tpc_us least;
    l2tpc_us most;

    CHECK(lose(&r, FAILURE_IKE_NO_ANSWER, 0, 0, &least));
    CHECK(lose(&r, FAILURE_IKE_NO_ANSWER, 0, UINT32_MAX, &most));
    CHECK_INT(least, US_S(45));
    CHECK_INT(most, US_S(75));
}

TEST(a_good_tunnel_starts_anew_and_a_short_one_does_not)
{
    struct reconnect r = {0};
    l2tpc_us now = US_S(1);
    l2tpc_us wait;

    for (unsigned i = 0; i < 4; i++) {
        reconnect_up(&r, now);
        now += US_S(5);
        CHECK(lose(&r, FAILURE_SA_EXPIRED, now, MIDDLE, &wait));
        CHECK_INT((wait + 1000) / US_S(1), i == 0 ? 0 : 1 << (i - 1));
    }
    reconnect_up(&r, now);
    now += RECONNECT_GOOD;
    CHECK(lose(&r, FAILURE_PEER_DEAD, now, MIDDLE, &wait));
    CHECK_INT(wait, 0);
}

TEST(a_server_that_closed_it_is_given_a_moment)
{
    struct reconnect r = {0};
    l2tpc_us wait;

    CHECK(lose(&r, FAILURE_PEER_CLOSED, 0, 0, &wait));
    CHECK_INT(wait, RECONNECT_CLOSED);
    r.tries = 20;
    CHECK(lose(&r, FAILURE_PEER_CLOSED, 0, MIDDLE, &wait));
    CHECK_INT((wait + 1000) / US_S(1), 60);
}

TEST(never_overflows)
{
    struct reconnect r = {.tries = UINT32_MAX};
    l2tpc_us wait;

    for (unsigned i = 0; i < 3; i++) {
        CHECK(lose(&r, FAILURE_IKE_NO_ANSWER, US_NEVER, UINT32_MAX, &wait));
        CHECK(wait <= US_S(75));
    }
}

TEST(a_refused_login_or_certificate_is_final)
{
    static const enum failure_id final[] = {
        FAILURE_PPP_AUTH_FAILED,
        FAILURE_PPP_AUTH_DISABLED,
        FAILURE_PPP_AUTH_WEAK,
        FAILURE_PPP_AUTH_SERVER_UNVERIFIED,
        FAILURE_PPP_AUTH_NO_PERMISSION,
        FAILURE_PPP_AUTH_PASSWORD_EXPIRED,
        FAILURE_IKE_AUTH_PEER,
        FAILURE_IKE_AUTH_REFUSED,
        FAILURE_IKE_AUTH_CERT_REVOKED,
        FAILURE_IKE_AUTH_CERT_EXPIRED,
        FAILURE_L2TP_AUTH,
        FAILURE_LOCAL_RIGHTS,
        FAILURE_LOCAL_SECRET,
        FAILURE_LOCAL_CANCELLED,
        FAILURE_RESOLVE_BAD_NAME,
    };
    l2tpc_us wait;

    for (unsigned i = 0; i < sizeof(final) / sizeof(final[0]); i++) {
        struct reconnect r = {0};

        CHECK(!lose(&r, final[i], 0, MIDDLE, &wait));
    }
}

TEST(silence_and_the_network_are_no_refusal)
{
    static const enum failure_id curable[] = {
        FAILURE_PEER_DEAD,         FAILURE_PEER_CLOSED,      FAILURE_SA_EXPIRED,
        FAILURE_TUN_GONE,          FAILURE_IKE_NO_ANSWER,    FAILURE_IKE_AUTH_TIMEOUT,
        FAILURE_IKE_PORT_4500,     FAILURE_PPP_AUTH_TIMEOUT, FAILURE_PPP_LCP_NO_ANSWER,
        FAILURE_RESOLVE_TEMPORARY, FAILURE_IKE_UNREACHABLE,  FAILURE_LOCAL_SOCKET,
        FAILURE_L2TP_BUSY,
    };
    l2tpc_us wait;

    for (unsigned i = 0; i < sizeof(curable) / sizeof(curable[0]); i++) {
        struct reconnect r = {0};

        for (unsigned tries = 0; tries < 100; tries++)
            CHECK(lose(&r, curable[i], 0, MIDDLE, &wait));
    }
}

/* A server that dies between two messages looks like one that does not know the key. */
TEST(a_wrong_key_is_final_the_second_time)
{
    struct reconnect r = {0};
    l2tpc_us wait;

    CHECK(lose(&r, FAILURE_IKE_AUTH_PSK, 0, MIDDLE, &wait));
    CHECK(lose(&r, FAILURE_IKE_NO_ANSWER, 0, MIDDLE, &wait));
    CHECK(lose(&r, FAILURE_IKE_AUTH_PSK, 0, MIDDLE, &wait));
    CHECK(!lose(&r, FAILURE_IKE_AUTH_PSK, 0, MIDDLE, &wait));
}

TEST(who_is_told_to_stay_away_does)
{
    struct reconnect r = {0};
    struct failure f = failure_make(FAILURE_PEER_CLOSED);
    l2tpc_us wait;

    f.stay_away = true;
    CHECK(!reconnect_next(&r, &f, 0, MIDDLE, &wait));
}

TEST(the_known_address_comes_first)
{
    struct reconnect r = {0};
    l2tpc_us wait;
    unsigned asked = 0;

    for (unsigned i = 0; i < 9; i++) {
        CHECK(lose(&r, FAILURE_IKE_NO_ANSWER, 0, MIDDLE, &wait));
        CHECK(i != 0 || !reconnect_resolves(&r));
        asked += reconnect_resolves(&r);
    }
    CHECK_INT(asked, 3);
}
