/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The scan of a server that says anything. First byte: how deep, for which ways to authenticate,
 * when randomness fails. Then steps: datagrams as they are, payload chains behind a right header,
 * honest answers with some bytes changed, refusals, time, and what the driver may do.
 */
#include "fuzz.h"

#include "ike/v1/build.h"
#include "ike/v1/scan.h"

#include <string.h>

#define TRANSFORM_FIRST (ISAKMP_HEADER_LEN + 4 + 8 + 8) /* behind SA, DOI, situation, proposal */

struct world {
    struct fuzz_env env;
    struct scan *scan;
    struct endpoint at, stranger;
    struct mspan last_out; /* message 1 that is asked now */
    l2tpc_us now, last_sent;
    unsigned sent, accepted;
    bool over;
};

static void check_message(struct world *w, const struct msg *m)
{
    struct rd r = rd_of(span_of(m->bytes, m->n));
    struct span cookie;
    uint64_t theirs;
    uint8_t next;
    uint8_t version;
    uint8_t exchange;

    FUZZ_REQUIRE(!w->over && m->n <= 1232);
    FUZZ_REQUIRE(rd_bytes(&r, 8, &cookie) && rd_u64(&r, &theirs) && rd_u8(&r, &next) &&
                 rd_u8(&r, &version) && rd_u8(&r, &exchange));
    FUZZ_REQUIRE(theirs == 0 && next == PAYLOAD_SA && exchange == EXCHANGE_MAIN);
    FUZZ_REQUIRE(w->sent == 0 || w->now >= us_add(w->last_sent, SCAN_PACE));
    FUZZ_REQUIRE(++w->sent <= SCAN_MESSAGES_ALL);
    w->last_sent = w->now;
}

static void check_list(struct world *w)
{
    const struct scan_facts *f = scan_facts(w->scan);
    const struct scan_list *l = scan_items(w->scan);
    char text[SCAN_OFFER_MAX * (SCAN_SUITE_TEXT + 1)];
    enum scan_strength best;
    unsigned accepted = 0;
    unsigned asked = 0;

    for (unsigned i = 0; i < l->n; i++) {
        accepted += l->item[i].state == SCAN_ACCEPTED;
        asked += l->item[i].state != SCAN_NOT_ASKED;
    }
    FUZZ_REQUIRE(accepted == f->accepted && asked == f->asked && accepted >= w->accepted);
    FUZZ_REQUIRE(scan_offer(l, text, sizeof(text), &best) == (accepted > 0));
    w->accepted = accepted;
    for (unsigned i = 0; i < f->n_vendor_ids; i++)
        fuzz_check_text(f->vendor_ids[i], sizeof(f->vendor_ids[i]));
}

static void drain(struct world *w)
{
    struct scan_event e;
    struct msg m;

    while (scan_pop_out(w->scan, &m)) {
        check_message(w, &m);
        free(w->last_out.p);
        w->last_out = fuzz_copy(span_of(m.bytes, m.n));
        msg_done(&m);
    }
    while (scan_pop_event(w->scan, &e)) {
        if (e.type != SCAN_EVENT_OVER)
            continue;
        w->over = true;
        FUZZ_REQUIRE(scan_deadline(w->scan) == US_NEVER);
        FUZZ_REQUIRE((e.failure.id == FAILURE_NONE) == (scan_facts(w->scan)->accepted > 0) ||
                     e.failure.id == FAILURE_LOCAL_RANDOM);
        fuzz_check_failure(&e.failure);
    }
    check_list(w);
}

static void deliver(struct world *w, struct span m, uint8_t op)
{
    unsigned before = w->accepted;
    enum verdict v = scan_input(w->scan, op & 0x20 ? &w->stranger : &w->at, m, w->now);

    drain(w);
    FUZZ_REQUIRE(v == VERDICT_OK || w->accepted == before);
    FUZZ_REQUIRE(!(op & 0x20) || v == VERDICT_DROP);
}

/* The bytes behind a header that is right. */
static void chain(struct world *w, const struct fuzz_step *s, uint8_t exchange)
{
    struct rd r = rd_of(span_ro(s->bytes));
    struct build b;
    struct span out;
    uint8_t first;

    if (!w->last_out.p || !rd_u8(&r, &first))
        return;
    build_start(&b, w->last_out.p, (const uint8_t *)"COOKIE-R", exchange, 0, 0);
    wr_patch_u8(&b.w, b.next_at, first);
    wr_bytes(&b.w, rd_rest(&r));
    if (build_finish(&b, &out))
        deliver(w, out, s->op);
}

/* The n-th transform that was offered, from its number on; the last one when there are fewer. */
static struct span offered(const struct world *w, unsigned n)
{
    struct rd r = rd_of(span_ro(w->last_out));
    struct span t = SPAN_NONE;
    uint8_t more = 1;
    uint16_t length;

    FUZZ_REQUIRE(rd_skip(&r, TRANSFORM_FIRST));
    for (unsigned i = 0; i <= n && more; i++)
        FUZZ_REQUIRE(rd_u8(&r, &more) && rd_skip(&r, 1) && rd_u16(&r, &length) &&
                     rd_bytes(&r, length - 4u, &t));
    return t;
}

static void write_answer(struct wr *w, struct span transform)
{
    struct wr_box p;
    struct wr_box t;

    wr_u32(w, DOI_IPSEC);
    wr_u32(w, SITUATION_IDENTITY_ONLY);
    wr_u16(w, 0);
    p = wr_open(w, 2);
    wr_u8(w, 1);
    wr_u8(w, PROTOCOL_ISAKMP);
    wr_u8(w, 0);
    wr_u8(w, 1);
    wr_u16(w, 0);
    t = wr_open(w, 2);
    wr_bytes(w, transform);
    wr_close(w, t);
    wr_close(w, p);
}

/* First byte: which transform; then pairs of a place and what is added there. */
static void honest(struct world *w, const struct fuzz_step *s, bool patched)
{
    struct rd r = rd_of(span_ro(s->bytes));
    struct build b;
    struct wr_box box;
    struct span out;
    uint8_t which = 0;
    uint8_t at;
    uint8_t by;

    if (!w->last_out.p)
        return;
    (void)!rd_u8(&r, &which);
    build_start(&b, w->last_out.p, (const uint8_t *)"COOKIE-R", EXCHANGE_MAIN, 0, 0);
    box = build_payload(&b, PAYLOAD_SA);
    write_answer(&b.w, offered(w, which));
    wr_close(&b.w, box);
    if (!build_finish(&b, &out))
        return;
    while (patched && rd_u8(&r, &at) && rd_u8(&r, &by))
        b.bytes[at % out.n] = (uint8_t)(b.bytes[at % out.n] + by);
    deliver(w, out, s->op);
}

static void refuse(struct world *w, const struct fuzz_step *s)
{
    struct rd r = rd_of(span_ro(s->bytes));
    struct build b;
    struct wr_box box;
    struct span out;
    uint16_t type = NOTIFY_NO_PROPOSAL_CHOSEN;

    if (!w->last_out.p)
        return;
    (void)!rd_u16(&r, &type);
    build_start(&b, w->last_out.p, (const uint8_t *)"COOKIE-R", EXCHANGE_INFORMATIONAL, 0, 9);
    box = build_payload(&b, PAYLOAD_N);
    wr_u32(&b.w, DOI_IPSEC);
    wr_u8(&b.w, PROTOCOL_ISAKMP);
    wr_u8(&b.w, 0);
    wr_u16(&b.w, type);
    wr_bytes(&b.w, rd_rest(&r));
    wr_close(&b.w, box);
    if (build_finish(&b, &out))
        deliver(w, out, s->op);
}

static void pass_time(struct world *w, const struct fuzz_step *s)
{
    struct rd r = rd_of(span_ro(s->bytes));
    uint16_t ticks;

    if (rd_u16(&r, &ticks))
        w->now += US_MS(ticks);
    else if (scan_deadline(w->scan) != US_NEVER)
        w->now = us_max(w->now, scan_deadline(w->scan));
}

static void driver(struct world *w, const struct fuzz_step *s)
{
    uint8_t what = s->bytes.n ? s->bytes.p[0] : 0;

    switch (what % 4) {
    case 0:
        scan_close(w->scan);
        break;
    case 1:
        scan_note_unreachable(w->scan, what);
        break;
    case 2: /* the next address, as the driver does when nobody answered */
        if (w->over && scan_facts(w->scan)->end == SCAN_FAILED &&
            scan_facts(w->scan)->answers == 0 && w->now >= us_add(w->last_sent, SCAN_PACE)) {
            w->over = false;
            scan_start(w->scan, &w->at, what & 4, w->now);
        }
        break;
    case 3:
        w->env.fail_at = w->env.calls + 1 + what / 4;
        break;
    }
}

static void one_step(struct world *w, const struct fuzz_step *s)
{
    switch (s->op & 7) {
    case 0:
        deliver(w, span_ro(s->bytes), s->op);
        break;
    case 1:
        chain(w, s, EXCHANGE_MAIN);
        break;
    case 2:
        chain(w, s, EXCHANGE_INFORMATIONAL);
        break;
    case 3:
        honest(w, s, false);
        break;
    case 4:
        honest(w, s, true);
        break;
    case 5:
        refuse(w, s);
        break;
    case 6:
        pass_time(w, s);
        break;
    case 7:
        driver(w, s);
        break;
    }
    drain(w);
    /* A timer that does not move on would spin its driver. */
    for (unsigned i = 0; i < 4 && scan_deadline(w->scan) <= w->now; i++) {
        scan_timer(w->scan, w->now);
        drain(w);
    }
    FUZZ_REQUIRE(scan_deadline(w->scan) > w->now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_of(span_of(data, size));
    struct world w = {.now = US_S(1),
                      .at = {.addr = inaddr_v4(0xc6336407), .port = 500},
                      .stranger = {.addr = inaddr_v4(0xc6336408), .port = 500}};
    struct scan_config c = {.env = &w.env.env};
    struct fuzz_step s;
    uint8_t how;

    if (!rd_u8(&r, &how))
        return 0;
    fuzz_env_init(&w.env, 1);
    c.depth = (enum scan_depth)(how % 3);
    c.auths = how >> 2 & 7;
    w.env.fail_at = how >> 5;
    w.scan = scan_new(&c);
    FUZZ_REQUIRE(w.scan);
    scan_start(w.scan, &w.at, how & 0x80, w.now);
    drain(&w);
    for (unsigned i = 0; i < FUZZ_STEPS_MAX && fuzz_step_next(&r, &s); i++) {
        one_step(&w, &s);
        fuzz_step_done(&s);
    }
    scan_free(w.scan);
    free(w.last_out.p);
    return 0;
}
