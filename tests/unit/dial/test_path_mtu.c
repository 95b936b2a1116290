/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 8899 by LCP echo: what is found on a way that carries so much and no more. */
#include "base/limits.h"
#include "check.h"
#include "dial/path_mtu.h"

#define RTT US_MS(20)

struct way {
    struct path_mtu m;
    l2tpc_us now;
    unsigned carries, probes;
    unsigned lose;     /* the first so many probes, whatever their length */
    l2tpc_us thinking; /* of the server, for an answer */
    l2tpc_us due;      /* of the answer that is under way; 0: none */
    uint8_t number;
};

static void send_probe(struct way *w)
{
    uint16_t length;
    uint8_t number;

    if (!path_mtu_pop(&w->m, &number, &length))
        return;
    CHECK(!path_mtu_pop(&w->m, &number, &length));
    w->probes++;
    if (w->probes <= w->lose || length > w->carries || w->due != 0)
        return;
    w->number = number;
    w->due = w->now + RTT + w->thinking;
}

/* Until nothing more is asked. */
static void settle(struct way *w)
{
    for (unsigned i = 0; i < 200 && w->m.state == PATH_MTU_SEARCHING; i++) {
        send_probe(w);
        if (w->due != 0 && w->due <= path_mtu_deadline(&w->m)) {
            w->now = w->due;
            w->due = 0;
            path_mtu_answered(&w->m, w->number, w->now);
        } else {
            w->now = path_mtu_deadline(&w->m);
            path_mtu_timer(&w->m, w->now);
        }
    }
}

static struct way way_that_carries(unsigned carries, unsigned lose)
{
    struct way w = {.carries = carries, .lose = lose, .now = US_S(5)};

    path_mtu_begin(&w.m, 480, 1400, RTT, w.now);
    settle(&w);
    return w;
}

TEST(path_mtu_of_every_way)
{
    for (unsigned carries = 480; carries <= 1500; carries++) {
        struct way w = way_that_carries(carries, 0);
        unsigned most = carries < 1400 ? carries : 1400;

        CHECK_INT(w.m.state, PATH_MTU_SEARCH_COMPLETE);
        CHECK(w.m.plpmtu <= most && w.m.plpmtu + PATH_MTU_CLOSE >= most);
        CHECK(carries < 1400 ? w.probes <= 30 : w.probes == 1);
        CHECK(w.now <= US_S(5) + US_S(11));
        CHECK(carries < 1400 ? path_mtu_deadline(&w.m) == w.now + PATH_MTU_RAISE
                             : path_mtu_deadline(&w.m) == US_NEVER);
    }
}

TEST(path_mtu_outlives_lost_probes)
{
    for (unsigned lose = 1; lose < PATH_MTU_MAX_PROBES; lose++) {
        struct way w = way_that_carries(1500, lose);

        CHECK_INT(w.m.plpmtu, 1400);
        CHECK_INT(w.probes, lose + 1);
    }
}

TEST(path_mtu_of_who_answers_nothing_long)
{
    struct way w = way_that_carries(100, 0);

    CHECK_INT(w.m.state, PATH_MTU_ERROR);
    CHECK(path_mtu_deadline(&w.m) == US_NEVER);
    path_mtu_again(&w.m, w.now);
    CHECK_INT(w.m.state, PATH_MTU_ERROR);
}

TEST(path_mtu_is_looked_for_again)
{
    struct way w = way_that_carries(900, 0);
    unsigned known;

    CHECK(w.m.plpmtu <= 900);
    w.carries = 1500;
    w.now = path_mtu_deadline(&w.m);
    path_mtu_timer(&w.m, w.now - 1);
    CHECK_INT(w.m.state, PATH_MTU_SEARCH_COMPLETE);
    path_mtu_timer(&w.m, w.now);
    settle(&w);
    CHECK_INT(w.m.plpmtu, 1400);
    w.carries = 1000;
    path_mtu_again(&w.m, w.now);
    settle(&w);
    CHECK(w.m.plpmtu <= 1000 && w.m.plpmtu + PATH_MTU_CLOSE >= 1000);
    known = w.m.plpmtu;
    w.carries = 0; /* for a while nothing passes */
    path_mtu_again(&w.m, w.now);
    settle(&w);
    CHECK_INT(w.m.state, PATH_MTU_SEARCH_COMPLETE);
    CHECK_INT(w.m.plpmtu, known);
}

/* An answer that comes when its round is over says nothing of another's probe; nor does an invented
 * one. */
TEST(path_mtu_late_and_invented_answers)
{
    struct path_mtu m;
    uint16_t length;
    uint8_t number;
    uint8_t old;
    l2tpc_us now = US_S(1);

    path_mtu_begin(&m, 480, 1400, RTT, now);
    path_mtu_answered(&m, m.number, now); /* it was not even sent */
    CHECK_INT(m.state, PATH_MTU_SEARCHING);
    CHECK(path_mtu_pop(&m, &old, &length));
    CHECK_INT(length, 1400);
    CHECK(!path_mtu_pop(&m, &number, &length));
    for (unsigned i = 0; i < PATH_MTU_MAX_PROBES; i++) {
        now = path_mtu_deadline(&m);
        path_mtu_timer(&m, now);
        CHECK(i + 1 == PATH_MTU_MAX_PROBES || path_mtu_pop(&m, &number, &length));
    }
    CHECK_INT(m.length, 480);
    path_mtu_answered(&m, (uint8_t)(old + 2), now);
    path_mtu_answered(&m, 255, now);
    CHECK(m.state == PATH_MTU_SEARCHING && m.plpmtu == 0 && m.length == 480);
    path_mtu_answered(&m, m.number, now);
    CHECK_INT(m.state, PATH_MTU_SEARCHING); /* that one was not sent either */
    CHECK(path_mtu_pop(&m, &number, &length));
    path_mtu_answered(&m, number, now);
    CHECK_INT(m.plpmtu, 480);
    path_mtu_answered(&m, number, now); /* twice: it was sent twice, perhaps */
    CHECK(m.plpmtu == 480 && m.lost == 1400 && m.length == 940);
}

/* Longer than the timer, and one after the other: no shorter length is taken for that. */
TEST(path_mtu_of_a_server_that_takes_its_time)
{
    for (unsigned ms = 0; ms <= 1600; ms += 50) {
        struct way w = {.carries = 1500, .now = US_S(5), .thinking = US_MS(ms)};

        path_mtu_begin(&w.m, 480, 1400, RTT, w.now);
        settle(&w);
        CHECK_INT(w.m.state, PATH_MTU_SEARCH_COMPLETE);
        CHECK_INT(w.m.plpmtu, 1400);
        w.carries = 1000;
        path_mtu_again(&w.m, w.now);
        settle(&w);
        CHECK(w.m.plpmtu <= 1000 && w.m.plpmtu + PATH_MTU_CLOSE >= 1000);
    }
}

/* Numbers go round, and a search of many rounds is none the worse for it. */
TEST(path_mtu_numbers_go_round)
{
    struct way w = way_that_carries(700, 0);

    for (unsigned i = 0; i < 200; i++) {
        w.carries = 500 + i * 4;
        path_mtu_again(&w.m, w.now);
        settle(&w);
        CHECK(w.m.plpmtu <= w.carries && w.m.plpmtu + PATH_MTU_CLOSE >= w.carries);
        CHECK(w.m.number < PATH_MTU_NUMBERS);
    }
}

TEST(path_mtu_of_one_length_only)
{
    struct way w = {.carries = 1000};

    path_mtu_begin(&w.m, 1300, 1200, RTT, 0);
    settle(&w);
    CHECK_INT(w.m.state, PATH_MTU_ERROR);
    w.carries = 1200;
    path_mtu_begin(&w.m, 1300, 1200, RTT, w.now);
    settle(&w);
    CHECK_INT(w.m.plpmtu, 1200);
}
