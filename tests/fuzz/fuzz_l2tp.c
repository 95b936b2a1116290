/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Control messages and data messages of a hostile server. The first byte picks the state of the
 * engine and whether it has a secret; then come messages, each behind a 16-bit length. Tunnel and
 * session IDs, Ns and Nr are put right for three messages of four, so that the parser behind them
 * is reached.
 */
#include "fuzz.h"

#include "l2tp/data.h"
#include "l2tp/l2tp.h"

#include <string.h>

static const uint8_t sccrp[] = {0xc8, 0x02, 0x00, 0x3b, 0x11, 0x11, 0, 0, 0,    0,    0,    1,
                                0x80, 0x08, 0,    0,    0,    0,    0, 2, 0x80, 0x08, 0,    0,
                                0,    2,    1,    0,    0x80, 0x0a, 0, 0, 0,    3,    0,    0,
                                0,    3,    0x80, 0x07, 0,    0,    0, 7, 'x',  0x80, 0x08, 0,
                                0,    0,    9,    1,    1,    0,    6, 0, 0,    0,    8};
static const uint8_t icrp[] = {0xc8, 0x02, 0x00, 0x1c, 0x11, 0x11, 0x11, 0x11, 0, 1,
                               0,    3,    0x80, 0x08, 0,    0,    0,    0,    0, 11,
                               0x80, 0x08, 0,    0,    0,    14,   2,    2};

static bool fixed_random(void *ctx, uint8_t *out, size_t n)
{
    (void)ctx;
    memset(out, 0x11, n);
    return true;
}

static void drain(struct l2tp *l)
{
    struct l2tp_event e;
    struct msg m;

    while (l2tp_pop_out(l, &m)) {
        if (m.n < 12 || m.n > L2TP_MESSAGE_MAX)
            abort();
        msg_done(&m);
    }
    while (l2tp_pop_event(l, &e))
        fuzz_check_failure(&e.failure);
}

static void fuzz_data(struct span s)
{
    struct mspan copy = fuzz_copy(s);
    struct l2tp_data d;
    bool control;

    if (l2tp_classify(s, &control) && !control && l2tp_data_read(copy, &d))
        FUZZ_REQUIRE(d.payload.p >= copy.p && d.payload.n <= s.n &&
                     (size_t)(d.payload.p - copy.p) <= s.n - d.payload.n);
    free(copy.p);
}

static void fuzz_control(struct l2tp *l, struct span s, unsigned count, uint16_t *ns, uint16_t nr,
                         l2tpc_us now)
{
    struct mspan m = fuzz_copy(s);
    uint8_t *copy = m.p;

    if (s.n >= 12 && count % 4 != 3) {
        copy[0] = 0xc8;
        copy[1] = 0x02;
        copy[2] = (uint8_t)(s.n >> 8);
        copy[3] = (uint8_t)s.n;
        copy[4] = copy[5] = 0x11;
        copy[8] = (uint8_t)(*ns >> 8);
        copy[9] = (uint8_t)*ns;
        copy[10] = (uint8_t)(nr >> 8);
        copy[11] = (uint8_t)nr;
    }
    if (l2tp_input(l, span_of(copy, s.n), now) != VERDICT_DROP && s.n > 12)
        (*ns)++;
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct env env = {.rand = fixed_random};
    struct l2tp_config config = {.env = &env, .host_name = "fuzz"};
    struct rd r = rd_of(span_of(data, size));
    struct l2tp *l;
    uint8_t how;
    uint16_t ns = 0;
    uint16_t nr = 1;
    l2tpc_us now = 0;

    if (!rd_u8(&r, &how))
        return 0;
    config.crypto = fuzz_crypto();
    config.has_secret = how & 4;
    config.hide_avps = how & 8;
    if (config.has_secret && !secret_set(&config.secret, span_str("secret")))
        abort();
    l = l2tp_new(&config);
    if (!l)
        abort();
    l2tp_start(l, now);
    if ((how & 3) >= 1 && !config.has_secret) {
        ns = l2tp_input(l, SPAN_ARRAY(sccrp), now) == VERDICT_OK;
        nr = 3;
    }
    if ((how & 3) >= 2 && !config.has_secret) {
        ns = (uint16_t)(ns + (l2tp_input(l, SPAN_ARRAY(icrp), now) == VERDICT_OK));
        nr = 4;
    }
    if ((how & 3) == 3)
        l2tp_close(l, now);
    drain(l);
    for (unsigned count = 0; count < 64 && !rd_end(&r); count++) {
        struct span s;
        uint16_t n;

        if (!rd_u16(&r, &n))
            break;
        if (n > rd_left(&r))
            n = (uint16_t)rd_left(&r);
        if (!rd_bytes(&r, n, &s))
            break;
        now += US_MS(n);
        fuzz_data(s);
        fuzz_control(l, s, count, &ns, nr, now);
        l2tp_timer(l, now);
        if (l2tp_deadline(l) < now)
            abort(); /* a timer that does not move on would spin its driver */
        drain(l);
    }
    l2tp_free(l);
    return 0;
}
