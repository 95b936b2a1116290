/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The PPP engine under arbitrary frames in each of its phases. Input: a phase, a byte of settings,
 * then records: a length and as many bytes of frame (without FF03), or one of the lengths from 0xf0
 * up, which let time pass, run the timers, give a password, note data or close.
 */
#include "ppp/ppp.h"
#include "wire/rd.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bench {
    struct env env;
    struct ppp *ppp;
    l2tpc_us now;
    uint32_t need;
    bool over;
};

static struct crypto *crypto;

static bool bench_rand(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    memset(out, 0x42, n); /* the magic number is the same in any byte order */
    return true;
}

/* What must hold after every step: bounded answers, whole frames, an end that is the end. */
static void settle(struct bench *b)
{
    struct ppp_event e;
    struct msg m;
    unsigned n = 0;

    while (ppp_pop_out(b->ppp, &m)) {
        uint16_t protocol;
        struct mspan info;

        if (m.n > PPP_FRAME_MAX ||
            !ppp_frame_read((struct mspan){m.bytes, m.n}, false, &protocol, &info) || info.n < 4 ||
            (size_t)(info.p[2] << 8 | info.p[3]) != info.n)
            abort();
        msg_done(&m);
        n++;
    }
    if (n > 4)
        abort();
    while (ppp_pop_event(b->ppp, &e)) {
        if (b->over && e.type != PPP_EVENT_CLOSED)
            abort();
        b->over |= e.type == PPP_EVENT_FAILED || e.type == PPP_EVENT_TERMINATED ||
                   e.type == PPP_EVENT_CLOSED;
        if (e.type == PPP_EVENT_NEED_PASSWORD)
            b->need = e.need;
        if (e.type == PPP_EVENT_IP_UP && !ppp_facts(b->ppp)->authenticated)
            abort();
    }
    if (b->over && ppp_deadline(b->ppp) != US_NEVER)
        abort();
}

static void feed(struct bench *b, struct span frame)
{
    uint8_t *exact = malloc(frame.n ? frame.n : 1);

    if (!exact)
        abort();
    if (frame.n > 0)
        memcpy(exact, frame.p, frame.n);
    (void)ppp_input(b->ppp, span_of(exact, frame.n), b->now);
    free(exact);
    settle(b);
}

#define FEED(b, s) feed((b), span_of((s), sizeof(s) - 1))

static void password(struct bench *b)
{
    ppp_answer_password(b->ppp, b->need, span_str("secret"), b->now);
    settle(b);
}

/* 0 LCP asked, 1 to 3 login by PAP, CHAP-MD5, MS-CHAPv2, 4 IPCP, 5 up. */
static void bring(struct bench *b, unsigned phase)
{
    ppp_start(b->ppp, b->now);
    settle(b);
    if (phase == 0)
        return;
    FEED(b, "\xc0\x21\x02\x01\x00\x0e\x01\x04\x05\x78\x05\x06\x42\x42\x42\x42");
    if (phase == 2)
        FEED(b, "\xc0\x21\x01\x01\x00\x09\x03\x05\xc2\x23\x05");
    else if (phase == 3)
        FEED(b, "\xc0\x21\x01\x01\x00\x09\x03\x05\xc2\x23\x81");
    else
        FEED(b, "\xc0\x21\x01\x01\x00\x08\x03\x04\xc0\x23");
    if (phase < 4)
        return;
    password(b);
    FEED(b, "\xc0\x23\x02\x01\x00\x05\x00");
    if (phase < 5)
        return;
    FEED(b, "\x80\x21\x01\x01\x00\x0a\x03\x06\x0a\x00\x00\x01");
    FEED(b, "\x80\x21\x03\x01\x00\x16\x03\x06\x0a\x00\x00\x02\x81\x06\x0a\x00\x00\x01\x83\x06\x0a"
            "\x00\x00\x01");
    FEED(b, "\x80\x21\x02\x02\x00\x16\x03\x06\x0a\x00\x00\x02\x81\x06\x0a\x00\x00\x01\x83\x06\x0a"
            "\x00\x00\x01");
    if (!ppp_facts(b->ppp)->ip_up)
        abort();
}

static void step(struct bench *b, struct rd *r)
{
    struct span frame;
    uint8_t op;

    if (!rd_u8(r, &op))
        return;
    if (op < 0xf0) {
        feed(b, rd_bytes(r, op, &frame) ? frame : rd_rest(r));
        return;
    }
    if (op < 0xf8)
        b->now += US_MS(250) << (op - 0xf0);
    else if (op < 0xfa)
        password(b);
    else if (op == 0xfa)
        ppp_note_data(b->ppp, b->now);
    else if (op == 0xfb)
        ppp_close(b->ppp, b->now);
    else if (ppp_deadline(b->ppp) != US_NEVER)
        b->now = us_max(b->now, ppp_deadline(b->ppp));
    ppp_timer(b->ppp, b->now);
    settle(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_of(span_of(data, size));
    struct bench b = {.now = US_S(1)};
    struct ppp_config c = {.env = &b.env, .user = "LAB\\alice", .want_dns = true};
    uint8_t phase;
    uint8_t settings;

    if (!rd_u8(&r, &phase) || !rd_u8(&r, &settings))
        return 0;
    if (!crypto && !(crypto = crypto_new()))
        abort();
    b.env = (struct env){.ctx = &b, .rand = bench_rand};
    c.crypto = crypto;
    c.auth = PPP_AUTH_PAP | PPP_AUTH_CHAP_MD5 | PPP_AUTH_MSCHAPV2;
    if (phase % 6 == 0)
        c.auth = settings & (PPP_AUTH_NONE_OK | 7);
    c.nt_hash_utf8_bytes = settings & 8;
    b.ppp = ppp_new(&c);
    if (!b.ppp)
        abort();
    bring(&b, phase % 6);
    while (!rd_end(&r))
        step(&b, &r);
    ppp_free(b.ppp);
    return 0;
}
