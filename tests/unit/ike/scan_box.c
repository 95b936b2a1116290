/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scan_box.h"

#include "check.h"
#include "ike/vendor.h"
#include "wire/rd.h"

#include <stdlib.h>
#include <string.h>

static bool seeded_rand(void *ctx, uint8_t *out, size_t n)
{
    uint64_t *s = ctx;

    for (size_t i = 0; i < n; i++) {
        *s = *s * 6364136223846793005u + 1442695040888963407u;
        out[i] = (uint8_t)(*s >> 33);
    }
    return true;
}

const struct endpoint box_at = {.addr = {4, {198, 51, 100, 7}}, .port = 500};
const struct endpoint box_stranger = {.addr = {4, {198, 51, 100, 8}}, .port = 500};

static void fly(struct box *b, const struct wr *w, bool from_stranger)
{
    struct flight *f;

    if (b->n_flight == FLIGHTS || w->n > sizeof(f->bytes))
        abort();
    f = &b->flight[b->n_flight++];
    f->at = b->now + RTT;
    f->n = w->n;
    f->from_stranger = from_stranger;
    memcpy(f->bytes, w->p, w->n);
}

/* ---- what it says ---- */
static void header(struct wr *w, const uint8_t *cky_i, uint64_t cky_r, uint8_t next,
                   uint8_t exchange, uint32_t id)
{
    wr_bytes(w, span_of(cky_i, 8));
    wr_u32(w, (uint32_t)(cky_r >> 32));
    wr_u32(w, (uint32_t)cky_r);
    wr_u8(w, next);
    wr_u8(w, 0x10);
    wr_u8(w, exchange);
    wr_u8(w, 0);
    wr_u32(w, id);
    wr_u32(w, 0); /* patched */
}

static void put_payload(struct wr *w, uint8_t next, struct span body)
{
    wr_u8(w, next);
    wr_u8(w, 0);
    wr_u16(w, (uint16_t)(body.n + 4));
    wr_bytes(w, body);
}

void box_finish(struct box *b, struct wr *w, bool from_stranger)
{
    w->p[26] = (uint8_t)(w->n >> 8);
    w->p[27] = (uint8_t)w->n;
    fly(b, w, from_stranger);
}

void box_say_notify(struct box *b, const uint8_t *cky_i, uint16_t type)
{
    uint8_t bytes[128];
    struct wr w = wr_of(bytes, sizeof(bytes));

    header(&w, cky_i, 77, PAYLOAD_N, EXCHANGE_INFORMATIONAL, 5);
    wr_u32(&w, 12); /* no next, length */
    wr_u32(&w, 1);
    wr_u8(&w, 1);
    wr_u8(&w, 0);
    wr_u16(&w, type);
    box_finish(b, &w, false);
}

void box_write_mm2(struct wr *w, const uint8_t *cky_i, uint64_t cky_r, struct span transform)
{
    uint8_t sa[256];
    struct wr s = wr_of(sa, sizeof(sa));
    struct wr_box p;

    wr_u32(&s, 1);
    wr_u32(&s, 1);
    wr_u16(&s, 0);
    p = wr_open(&s, 2);
    wr_u8(&s, 1);
    wr_u8(&s, PROTOCOL_ISAKMP);
    wr_u8(&s, 0);
    wr_u8(&s, 1);
    wr_u16(&s, 0);
    wr_u16(&s, (uint16_t)(transform.n + 4));
    wr_bytes(&s, transform);
    wr_close(&s, p);
    header(w, cky_i, cky_r, PAYLOAD_SA, EXCHANGE_MAIN, 0);
    put_payload(w, PAYLOAD_VID, span_of(sa, s.n));
    put_payload(w, PAYLOAD_VID, vendor_bytes(VENDOR_RFC3947));
    put_payload(w, PAYLOAD_VID, vendor_bytes(VENDOR_DPD));
    put_payload(w, PAYLOAD_VID, vendor_bytes(VENDOR_STRONGSWAN));
    put_payload(w, PAYLOAD_NONE, span_str("a vendor nobody knows"));
}

static void say_mm2(struct box *b, const uint8_t *cky_i, struct span transform)
{
    uint8_t bytes[512];
    struct wr w = wr_of(bytes, sizeof(bytes));

    box_write_mm2(&w, cky_i, 0x1122334455667788u + b->got, transform);
    box_finish(b, &w, false);
}

/* ---- what it reads ---- */
struct attrs {
    uint16_t value[17];
};

static bool read_attrs(struct span transform, struct attrs *out)
{
    struct rd r = rd_of(transform);
    uint16_t type;
    uint16_t value;

    memset(out, 0, sizeof(*out));
    if (!rd_skip(&r, 4))
        return false;
    while (rd_u16(&r, &type) && rd_u16(&r, &value)) {
        if (!(type & 0x8000))
            (void)!rd_skip(&r, value);
        else if ((type & 0x7fff) < 17)
            out->value[type & 0x7fff] = value;
    }
    return true;
}

static bool takes(const struct box *b, struct span transform)
{
    struct attrs a;

    if (!read_attrs(transform, &a) || (a.value[3] != 1 && a.value[3] != b->auth))
        return false;
    for (unsigned i = 0; i < b->policy.n_ike; i++) {
        const struct ike_suite *s = &b->policy.ike[i];

        if (isakmp_p1_cipher_number(s->cipher) == a.value[1] &&
            isakmp_p1_hash_number(s->hash) == a.value[2] && s->group == a.value[4] &&
            (s->cipher != CIPHER_AES_CBC || s->key_bits == a.value[14]))
            return true;
    }
    return b->accepts == NULL;
}

static bool has_room(struct box *b)
{
    unsigned live = 0;

    for (unsigned i = 0; i < b->n_born && i < ARRAY_LEN(b->born); i++)
        live += b->now < b->born[i] + b->half_open_life;
    return b->half_open == 0 || live < b->half_open;
}

static void choose(struct box *b, const uint8_t *cky_i, struct rd *transforms, unsigned n)
{
    struct span chosen = SPAN_NONE;
    struct span t;
    uint16_t length;

    for (unsigned i = 0; i < n; i++) {
        if (!rd_skip(transforms, 2) || !rd_u16(transforms, &length) ||
            !rd_bytes(transforms, length - 4u, &t)) {
            b->bad_message = true;
            return;
        }
        if (chosen.n == 0 && takes(b, t) && (i == 0 || !b->first_only))
            chosen = t;
    }
    if (b->lie)
        b->lie(b, cky_i, chosen.n ? chosen : t);
    if (chosen.n == 0 && !b->quiet)
        box_say_notify(b, cky_i, b->notify ? b->notify : NOTIFY_NO_PROPOSAL_CHOSEN);
    if (chosen.n == 0)
        return;
    b->born[b->n_born++ % 64] = b->now;
    say_mm2(b, cky_i, chosen);
}

static void receive(struct box *b, struct span m)
{
    struct rd r = rd_of(m);
    uint8_t cky_i[8];
    uint8_t next, exchange, n;
    struct span zero;

    b->got++;
    if (b->last_got && b->now - b->last_got < b->least_gap)
        b->least_gap = b->now - b->last_got;
    b->last_got = b->now;
    b->longest = m.n > b->longest ? m.n : b->longest;
    if (!rd_copy(&r, cky_i, 8) || !rd_bytes(&r, 8, &zero) || !rd_u8(&r, &next) || !rd_skip(&r, 1) ||
        !rd_u8(&r, &exchange) || !rd_skip(&r, 9 + 4 + 8 + 7) || !rd_u8(&r, &n) ||
        next != PAYLOAD_SA || exchange != EXCHANGE_MAIN ||
        !span_eq(zero, span_of((uint8_t[8]){0}, 8))) {
        b->bad_message = true;
        return;
    }
    memcpy(b->cookies[b->got % 256], cky_i, 8);
    b->most_offered = n > b->most_offered ? n : b->most_offered;
    if (b->mute || (b->lose && b->got % b->lose == 0) || (b->budget && b->got > b->budget) ||
        !has_room(b))
        return;
    b->answered++;
    if (b->most && n > b->most) {
        if (b->complains)
            box_say_notify(b, cky_i, b->complains);
        return;
    }
    choose(b, cky_i, &r, n);
}

/* ---- the run ---- */
struct box *box_new(enum scan_depth depth, unsigned auths, const char *accepts)
{
    struct box *b = calloc(1, sizeof(*b));
    static struct env env = {.rand = seeded_rand};
    struct scan_config c = {.env = &env, .depth = depth, .auths = auths};

    if (!b)
        abort();
    b->seed = 7;
    env.ctx = &b->seed;
    b->now = US_S(50);
    b->least_gap = US_NEVER;
    b->accepts = accepts;
    if (accepts && accepts[0] && !policy_parse_ike(accepts, &b->policy, NULL))
        abort();
    b->config = c;
    b->scan = scan_new(&c);
    if (!b->scan)
        abort();
    return b;
}

void box_set_timeout(struct box *b, l2tpc_us timeout)
{
    scan_free(b->scan);
    b->config.timeout = timeout;
    b->scan = scan_new(&b->config);
    if (!b->scan)
        abort();
}

static void deliver(struct box *b)
{
    unsigned n = b->n_flight;
    struct flight all[FLIGHTS];

    memcpy(all, b->flight, sizeof(all));
    b->n_flight = 0;
    for (unsigned i = 0; i < n; i++) {
        if (all[i].at <= b->now)
            (void)scan_input(b->scan, all[i].from_stranger ? &box_stranger : &box_at,
                             span_of(all[i].bytes, all[i].n), b->now);
        else
            b->flight[b->n_flight++] = all[i];
    }
}

struct failure box_run_on(struct box *b)
{
    struct scan_event e = {0};
    struct msg m;

    for (unsigned steps = 0; steps < 20000; steps++) {
        l2tpc_us at = scan_deadline(b->scan);

        while (scan_pop_out(b->scan, &m)) {
            receive(b, span_of(m.bytes, m.n));
            msg_done(&m);
        }
        while (scan_pop_event(b->scan, &e))
            if (e.type == SCAN_EVENT_OVER)
                return e.failure;
        for (unsigned i = 0; i < b->n_flight; i++)
            at = us_min(at, b->flight[i].at);
        at = us_min(at, scan_deadline(b->scan));
        b->now = us_max(b->now, at);
        deliver(b);
        scan_timer(b->scan, b->now);
    }
    return failure_make(FAILURE_LOCAL_TIMEOUT); /* it does not end */
}

struct failure box_run(struct box *b)
{
    scan_start(b->scan, &box_at, false, b->now);
    return box_run_on(b);
}

enum scan_state box_state(const struct box *b, const char *suite, enum ike_auth auth)
{
    const struct scan_list *l = scan_items(b->scan);
    char text[SCAN_SUITE_TEXT];

    for (unsigned i = 0; i < l->n; i++)
        if (l->item[i].auth == auth && strcmp(scan_suite_text(&l->item[i].suite, text), suite) == 0)
            return l->item[i].state;
    check_fail(__FILE__, __LINE__, "%s is not in the list", suite);
    return SCAN_NOT_ASKED;
}

unsigned box_count(const struct box *b, enum scan_state state)
{
    const struct scan_list *l = scan_items(b->scan);
    unsigned n = 0;

    for (unsigned i = 0; i < l->n; i++)
        n += l->item[i].state == state;
    return n;
}

bool box_polite(const struct box *b)
{
    const struct scan_facts *f = scan_facts(b->scan);
    bool fresh = true;

    for (unsigned i = 1; i <= b->got && i < 256; i++)
        for (unsigned k = 1; k < i; k++)
            fresh = fresh && (memcmp(b->cookies[i], b->cookies[k], 8) != 0 || f->resent > 0);
    return !b->bad_message && fresh && b->got == f->sent && b->least_gap >= SCAN_PACE &&
           b->longest <= 1232 && b->now <= US_S(50) + us_max(SCAN_TIME, b->config.timeout) &&
           scan_deadline(b->scan) == US_NEVER && scan_facts(b->scan)->end != SCAN_RUNNING;
}

void box_free(struct box *b)
{
    scan_free(b->scan);
    free(b);
}
