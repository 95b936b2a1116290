/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LCP echo. Some servers never answer: silence counts only after a first answer was seen. One echo
 * goes out when IP comes up, to learn that and the round trip. Identifiers from PATH_MTU_NUMBERS on
 * are those of probes of the path.
 */
#include "ppp/engine.h"
#include "wire/rd.h"

static l2tpc_us interval(const struct ppp *p)
{
    return p->config.echo;
}

static void send_echo(struct ppp *p, l2tpc_us again)
{
    uint8_t room[4];
    struct wr w = wr_of(room, sizeof(room));
    struct span magic;

    wr_u32(&w, p->lcp.magic);
    if (!wr_finish(&w, &magic))
        return;
    p->echo.id = (uint8_t)((p->echo.id + 1) % PATH_MTU_NUMBERS);
    p->echo.sent_at = p->now;
    p->echo.unanswered++;
    p->echo.due_at = us_add(p->now, again);
    ppp_send(p, PROTO_LCP, CODE_ECHO_REQUEST, p->echo.id, magic);
}

void echo_start(struct ppp *p)
{
    p->echo.unanswered = 0;
    send_echo(p, interval(p));
}

void echo_stop(struct ppp *p)
{
    p->echo.due_at = US_NEVER;
}

void echo_alive(struct ppp *p)
{
    if (p->echo.due_at == US_NEVER)
        return;
    p->echo.unanswered = 0;
    p->echo.due_at = us_add(p->now, interval(p));
}

void echo_probe(struct ppp *p)
{
    unsigned unanswered = p->echo.unanswered;
    l2tpc_us due = p->echo.due_at;

    if (due == US_NEVER)
        return;
    send_echo(p, interval(p));
    p->echo.unanswered = unanswered;
    p->echo.due_at = due;
}

void echo_timer(struct ppp *p)
{
    if (p->now < p->echo.due_at)
        return;
    if (p->echo.unanswered < PPP_ECHO_TRIES) {
        send_echo(p, us_min(PPP_ECHO_RETRY, interval(p)));
        return;
    }
    p->echo.unanswered = 0;
    if (p->echo.ever_answered && !p->echo.dead) {
        p->echo.dead = true;
        echo_stop(p);
        ppp_event(p, PPP_EVENT_PEER_DEAD);
        return;
    }
    p->echo.due_at = us_add(p->now, interval(p));
}

void echo_recv_request(struct ppp *p, uint8_t id, struct span raw)
{
    uint8_t room[PPP_MRU_MAX];
    struct wr w = wr_of(room, ppp_body_cap(p));
    struct rd r = rd_of(raw);
    struct span data;
    struct span body;
    uint32_t magic;

    if (!rd_u32(&r, &magic) || (magic != 0 && magic == p->lcp.magic))
        return; /* too short, or our own on a looped link */
    data = rd_rest(&r);
    wr_u32(&w, p->lcp.magic);
    wr_bytes(&w, span_of(data.p, data.n < w.cap - w.n ? data.n : w.cap - w.n));
    if (wr_finish(&w, &body))
        ppp_send(p, PROTO_LCP, CODE_ECHO_REPLY, id, body);
}

void echo_recv_reply(struct ppp *p, uint8_t id, struct span raw)
{
    if (raw.n < 4 || p->echo.due_at == US_NEVER)
        return;
    p->echo.ever_answered = p->facts.echoes = true;
    if (id >= PATH_MTU_NUMBERS)
        ppp_echoed(p, id % PATH_MTU_NUMBERS);
    if (id != p->echo.id || p->echo.sent_at == US_NEVER)
        return;
    p->facts.rtt = p->now - p->echo.sent_at;
    p->echo.sent_at = US_NEVER;
}

void echo_send_sized(struct ppp *p, uint8_t number, uint16_t length)
{
    uint8_t room[PPP_MRU_MAX];
    struct wr w = wr_of(room, ppp_body_cap(p));
    struct span body;

    wr_u32(&w, p->lcp.magic);
    for (size_t n = w.n + 4; n < length; n++) /* the LCP header is four bytes as well */
        wr_u8(&w, 0);
    if (wr_finish(&w, &body))
        ppp_send_tagged(p, PPP_OUT_WHOLE, PROTO_LCP, CODE_ECHO_REQUEST,
                        (uint8_t)(PATH_MTU_NUMBERS + number), body);
}
