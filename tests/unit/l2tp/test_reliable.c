/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Windows and timers of the reliable channel: RFC 2661 section 5.8 and appendix A. */
#include "check.h"
#include "l2tp/reliable.h"
#include "rig.h"

struct channel {
    struct env env;
    struct l2tp_facts facts;
    struct msgq out;
    struct reliable r;
};

static void open_channel(struct channel *c, unsigned window)
{
    *c = (struct channel){.facts.peer_tunnel_id = 7};
    reliable_init(&c->r, &c->facts, &c->out, &c->env);
    reliable_set_window(&c->r, window);
}

static void close_channel(struct channel *c)
{
    reliable_clear(&c->r);
    msgq_clear(&c->out);
}

static bool fill(struct channel *c, unsigned n)
{
    static const uint8_t avps[8] = {0x80, 8, 0, 0, 0, 0, 0, HELLO};

    while (n > 0 && reliable_queue(&c->r, HELLO, 0, SPAN_ARRAY(avps)))
        n--;
    return n == 0;
}

static unsigned take_all(struct channel *c)
{
    unsigned n = 0;
    struct msg m;

    while (msgq_pop(&c->out, &m)) {
        msg_done(&m);
        n++;
    }
    return n;
}

static enum reliable_verdict acknowledge(struct channel *c, uint16_t nr, l2tpc_us now)
{
    const struct message_header zlb = {.tunnel_id = 1, .nr = nr};

    return reliable_receive(&c->r, &zlb, SPAN_NONE, now);
}

TEST(l2tp_reliable_slow_start_then_window)
{
    struct channel c;

    open_channel(&c, 4);
    CHECK(fill(&c, RELIABLE_QUEUE));
    CHECK(!fill(&c, 1));
    reliable_pump(&c.r, 0);
    CHECK_INT(take_all(&c), 1);
    CHECK_INT(acknowledge(&c, 1, 1), RELIABLE_ACK); /* each one taken opens the window by one */
    reliable_pump(&c.r, 1);
    CHECK_INT(take_all(&c), 2);
    (void)acknowledge(&c, 3, 2);
    reliable_pump(&c.r, 2);
    CHECK_INT(take_all(&c), 4);
    (void)acknowledge(&c, 7, 3); /* and never beyond the peer's */
    reliable_pump(&c.r, 3);
    CHECK_INT(take_all(&c), 4);
    close_channel(&c);
}

TEST(l2tp_reliable_timeout_halves_and_starts_from_one)
{
    struct channel c;

    open_channel(&c, 8);
    CHECK(fill(&c, 8));
    c.r.cwnd = 8;
    reliable_pump(&c.r, 0);
    CHECK_INT(take_all(&c), 8);
    CHECK_INT(reliable_deadline(&c.r), RTO_MIN);
    reliable_timer(&c.r, RTO_MIN - 1);
    CHECK_INT(take_all(&c), 0);
    reliable_timer(&c.r, RTO_MIN);
    CHECK_INT(take_all(&c), 1);
    CHECK_INT(c.r.ssthresh, 4);
    CHECK_INT(c.r.cwnd, 1);
    CHECK_INT(reliable_deadline(&c.r), RTO_MIN + 2 * RTO_MIN);
    /* All had arrived but the first: one acknowledgement takes everything, Karn takes no sample. */
    CHECK_INT(acknowledge(&c, 9, RTO_MIN + 1), RELIABLE_DROP); /* more than was sent */
    CHECK_INT(acknowledge(&c, 8, RTO_MIN + 1), RELIABLE_ACK);
    CHECK(reliable_idle(&c.r) && !c.r.measured);
    CHECK(reliable_deadline(&c.r) == US_NEVER);
    /* From the threshold on it grows by one a round trip: congestion avoidance. */
    CHECK_INT(c.r.cwnd, 5);
    close_channel(&c);
}

TEST(l2tp_reliable_backoff_is_capped)
{
    static const unsigned ms[] = {200, 400, 800, 1600, 3200, 6400, 8000, 8000, 8000};
    struct channel c;
    l2tpc_us now = 0;

    open_channel(&c, 4);
    CHECK(fill(&c, 1));
    reliable_pump(&c.r, now);
    for (unsigned i = 0; i < ARRAY_LEN(ms); i++) {
        CHECK_INT(reliable_deadline(&c.r) - now, US_MS(ms[i]));
        now = reliable_deadline(&c.r);
        reliable_timer(&c.r, now);
        CHECK_INT(take_all(&c), i == 0 ? 2 : 1);
    }
    CHECK(reliable_oldest(&c.r) == &c.r.queue[0]);
    CHECK_INT(c.r.queue[0].sends, ARRAY_LEN(ms) + 1);
    CHECK_INT(c.facts.resent, ARRAY_LEN(ms));
    close_channel(&c);
}

TEST(l2tp_reliable_rto_follows_the_round_trip)
{
    static const struct {
        unsigned rtt_ms, rto_ms;
    } cases[] = {{1, 200}, {50, 200}, {80, 320}, {200, 800}, {400, 1000}, {3000, 1000}};

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct channel c;
        l2tpc_us now = US_MS(cases[i].rtt_ms);

        open_channel(&c, 4);
        CHECK(fill(&c, 2));
        reliable_pump(&c.r, 0);
        (void)acknowledge(&c, 1, now);
        reliable_pump(&c.r, now);
        CHECK_INT(c.facts.rtt, now);
        CHECK_INT(reliable_deadline(&c.r) - now, US_MS(cases[i].rto_ms));
        close_channel(&c);
    }
}

TEST(l2tp_reliable_acknowledgement_waits_for_a_full_queue)
{
    static const uint8_t avps[8] = {0x80, 8, 0, 0, 0, 0, 0, HELLO};
    const struct message_header hello = {.tunnel_id = 1, .avps = SPAN_ARRAY(avps)};
    struct channel c;

    open_channel(&c, 4);
    CHECK_INT(reliable_receive(&c.r, &hello, SPAN_ARRAY(avps), 0), RELIABLE_FRESH);
    for (unsigned i = 0; i < 100; i++) { /* duplicates, and a driver that does not drain */
        CHECK_INT(reliable_receive(&c.r, &hello, SPAN_ARRAY(avps), 0), RELIABLE_ACK);
        reliable_flush(&c.r, 0);
    }
    CHECK_INT(c.out.overflow, 0);
    CHECK_INT(take_all(&c), MSGQ_SLOTS);
    reliable_flush(&c.r, 0);
    CHECK_INT(take_all(&c), 1);
    close_channel(&c);
}

/* 5.8: a ZLB carries the Ns of the next message to be sent, and does not use it up. */
TEST(l2tp_reliable_zlb_numbers)
{
    static const uint8_t avps[8] = {0x80, 8, 0, 0, 0, 0, 0, HELLO};
    const struct message_header hello = {.tunnel_id = 1, .avps = SPAN_ARRAY(avps)};
    struct channel c;
    struct msg m;

    open_channel(&c, 4);
    CHECK(fill(&c, 3));
    reliable_pump(&c.r, 0);
    CHECK_INT(take_all(&c), 1); /* Ns 0; 1 and 2 wait */
    for (unsigned i = 0; i < 2; i++) {
        CHECK_INT(reliable_receive(&c.r, &hello, SPAN_ARRAY(avps), 0),
                  i == 0 ? RELIABLE_FRESH : RELIABLE_ACK);
        reliable_flush(&c.r, 0);
        CHECK(msgq_pop(&c.out, &m));
        CHECK_HEX(m.bytes, m.n, "c802 000c 0007 0000 0001 0001");
        msg_done(&m);
    }
    close_channel(&c);
}
