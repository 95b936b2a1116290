/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The IKE engine in every state. First byte: how many exchanges go well first (0 to 5), NAT
 * traversal, a Commit bit, aggressive mode, when randomness fails. Then steps: datagrams as they
 * are, clear messages with right headers, payloads behind a right HASH under the real keys, honest
 * answers with some bytes changed, time, and what the driver may do.
 */
#include "responder.h"

#include "ike/v1/engine.h"

#include <string.h>

struct world {
    struct fuzz_env env, server_env;
    struct responder server;
    struct ike *ike;
    struct endpoint remote[2], stranger;
    struct mspan last_out; /* of the client, not answered yet */
    struct mspan last_in;  /* of the server, for duplicates */
    uint32_t need;
    bool over;
    l2tpc_us now;
};

static void check_sa(const struct sa_pair *sa)
{
    size_t n = cipher_key_len(sa->suite.cipher, sa->suite.key_bits) + cipher_salt(sa->suite.cipher);

    FUZZ_REQUIRE(sa->in.spi > 255 && sa->out.spi > 255);
    FUZZ_REQUIRE(sa->in.cipher_key_len == n && sa->out.cipher_key_len == n);
    FUZZ_REQUIRE(sa->in.integ_key_len == hash_size(sa->suite.integ));
    FUZZ_REQUIRE(sa->lifetime_s == 0 || sa->lifetime_s >= LIFE_MIN_S);
    FUZZ_REQUIRE(sa->remote_port == L2TP_PORT && sa->local_port == 40001);
}

static void check_event(struct world *w, const struct ike_event *e)
{
    FUZZ_REQUIRE(!w->over || e->type == IKE_EVENT_CLOSED);
    switch (e->type) {
    case IKE_EVENT_NEED_PSK:
        w->need = e->need;
        break;
    case IKE_EVENT_SA_PAIR:
        FUZZ_REQUIRE(ike_facts(w->ike)->established);
        check_sa(&e->sa);
        break;
    case IKE_EVENT_FAILED:
        FUZZ_REQUIRE(e->failure.id != FAILURE_NONE);
        w->over = true;
        break;
    default:
        break;
    }
    fuzz_check_failure(&e->failure);
}

static void drain(struct world *w)
{
    struct ike_event e;
    struct msg m;
    unsigned n = 0;

    FUZZ_REQUIRE(w->ike->out.overflow == 0 && w->ike->events.overflow == 0);
    while (ike_pop_out(w->ike, &m)) {
        FUZZ_REQUIRE(m.tag <= IKE_PORT_KEEPALIVE && m.n <= IKE_MESSAGE_MAX);
        FUZZ_REQUIRE(m.tag == IKE_PORT_KEEPALIVE ? m.n == 1 : m.n > ISAKMP_HEADER_LEN);
        if (m.n > ISAKMP_HEADER_LEN && m.bytes[18] == EXCHANGE_AGGRESSIVE &&
            m.bytes[19] & ISAKMP_FLAG_ENCRYPTION) {
            /* Nothing answers it, and quick mode 1 is right behind it. */
            struct mspan none = responder_answer(&w->server, span_of(m.bytes, m.n));

            free(none.p);
        } else if (m.tag != IKE_PORT_KEEPALIVE) {
            free(w->last_out.p);
            w->last_out = fuzz_copy(span_of(m.bytes, m.n));
        }
        msg_done(&m);
        n++;
    }
    FUZZ_REQUIRE(n <= MSGQ_SLOTS);
    while (ike_pop_event(w->ike, &e))
        check_event(w, &e);
    fuzz_check_text(ike_facts(w->ike)->peer_id, PEER_TEXT_MAX);
    for (unsigned i = 0; i < ike_facts(w->ike)->n_vendor_ids; i++)
        fuzz_check_text(ike_facts(w->ike)->vendor_ids[i], 48);
}

/* A timer that does not move on would spin its driver. */
static void run_timer(struct world *w)
{
    for (unsigned i = 0; i < 4 && ike_deadline(w->ike) <= w->now; i++) {
        ike_timer(w->ike, w->now);
        drain(w);
    }
    FUZZ_REQUIRE(ike_deadline(w->ike) > w->now);
}

static enum verdict deliver(struct world *w, struct mspan message, uint8_t op)
{
    enum ike_port port = w->ike->facts.floated ? IKE_PORT_4500 : IKE_PORT_500;
    enum verdict v;

    if (op & 0x10)
        port ^= 1;
    v = ike_input(w->ike, port, op & 0x20 ? &w->stranger : &w->remote[port], span_ro(message),
                  w->now);
    drain(w);
    return v;
}

static void answer_need(struct world *w)
{
    if (w->need)
        ike_answer_psk(w->ike, w->need, span_str(RESPONDER_PSK), w->now);
    w->need = 0;
    drain(w);
}

/* Delivers the server's answer to the client's last message; true when there was one. */
static bool honest(struct world *w, struct span patch)
{
    struct mspan answer;

    if (!w->last_out.p)
        return false;
    w->server.patch = patch;
    answer = responder_answer(&w->server, span_ro(w->last_out));
    w->server.patch = SPAN_NONE;
    free(w->last_out.p);
    w->last_out.p = NULL;
    free(w->last_in.p);
    w->last_in = answer;
    if (answer.n == 0)
        return false;
    (void)deliver(w, answer, 0);
    return true;
}

static void clear_message(struct world *w, const struct fuzz_step *s)
{
    struct rd r = rd_of(span_ro(s->bytes));
    bool up = w->ike->state == P1_UP;
    struct build b;
    struct span out;
    struct mspan copy;
    uint8_t exchange;
    uint8_t first;
    enum verdict v;

    if (!rd_u8(&r, &exchange) || !rd_u8(&r, &first))
        return;
    build_start(&b, w->ike->cky_i, w->server.cky_r,
                !(exchange & 1)          ? EXCHANGE_INFORMATIONAL
                : w->ike->cfg.aggressive ? EXCHANGE_AGGRESSIVE
                                         : EXCHANGE_MAIN,
                0, exchange >> 1 & 3);
    wr_patch_u8(&b.w, b.next_at, first);
    wr_bytes(&b.w, rd_rest(&r));
    if (!build_finish(&b, &out))
        return;
    copy = fuzz_copy(out);
    v = deliver(w, copy, s->op);
    FUZZ_REQUIRE(!up || v == VERDICT_DROP); /* nothing clear counts under an SA */
    free(copy.p);
}

static void sealed_message(struct world *w, const struct fuzz_step *s)
{
    struct rd r = rd_of(span_ro(s->bytes));
    struct mspan m;
    uint8_t kind;
    uint8_t first;

    if (!rd_u8(&r, &kind) || !rd_u8(&r, &first))
        return;
    if (w->last_out.p && kind % RESPONDER_KINDS == RESPONDER_QM2) {
        m = responder_answer(&w->server, span_ro(w->last_out)); /* reads it; the lie goes out */
        free(m.p);
    }
    m = responder_seal(&w->server, kind % RESPONDER_KINDS, kind < 128, first, rd_rest(&r));
    if (m.n > 0)
        (void)deliver(w, m, s->op);
    if (m.n > 0 && kind & 0x40)
        (void)deliver(w, m, s->op); /* an exact duplicate */
    free(m.p);
}

static void pass_time(struct world *w, const struct fuzz_step *s)
{
    struct rd r = rd_of(span_ro(s->bytes));
    uint16_t ticks;

    if (rd_u16(&r, &ticks)) {
        w->now += US_MS(ticks);
    } else if (ike_deadline(w->ike) != US_NEVER) {
        w->now = us_max(w->now, ike_deadline(w->ike));
    }
}

static void driver(struct world *w, const struct fuzz_step *s)
{
    switch (s->bytes.n ? s->bytes.p[0] % 8 : 0) {
    case 0:
        answer_need(w);
        break;
    case 1:
        ike_note_esp_in(w->ike, w->now);
        break;
    case 2:
        ike_note_esp_out(w->ike, w->now);
        break;
    case 3:
        ike_close(w->ike, w->now);
        w->over = true;
        break;
    case 4:
        ike_note_unreachable(w->ike, s->bytes.p[0], w->now);
        break;
    case 5:
        ike_answer_psk(w->ike, s->bytes.p[0], span_ro(s->bytes), w->now);
        break;
    case 6:
        if (w->last_in.n > 0)
            (void)deliver(w, w->last_in, s->op);
        break;
    case 7:
        w->env.fail_at = w->env.calls + 1 + s->bytes.p[0] / 8;
        break;
    }
}

static void one_step(struct world *w, const struct fuzz_step *s)
{
    switch (s->op & 7) {
    case 0:
        (void)deliver(w, s->bytes, s->op);
        break;
    case 1:
        clear_message(w, s);
        break;
    case 2:
    case 3:
        sealed_message(w, s);
        break;
    case 4:
        (void)honest(w, SPAN_NONE);
        break;
    case 5:
        (void)honest(w, span_ro(s->bytes));
        break;
    case 6:
        pass_time(w, s);
        break;
    case 7:
        driver(w, s);
        break;
    }
    drain(w);
    run_timer(w);
}

static void set_up(struct world *w, uint8_t how)
{
    struct ike_config c = {.env = &w->env.env,
                           .crypto = fuzz_crypto(),
                           .local = {.addr = inaddr_v4(0xc0000205), .port = 500},
                           .local_natt_port = 4500,
                           .remote = {.addr = inaddr_v4(0xc6336407), .port = 500},
                           .remote_natt_port = 4500,
                           .inner_port = 40001,
                           .ike_lifetime_s = 28800,
                           .esp_lifetime_s = 3600,
                           .dpd = true,
                           .fragmentation = true};

    fuzz_env_init(&w->env, 1);
    fuzz_env_init(&w->server_env, 2);
    responder_policy(&c.policy);
    c.aggressive = c.aggressive_allowed = how & 32;
    responder_init(&w->server, &w->server_env.env, how & 8);
    w->server.commit = how & 16;
    w->remote[IKE_PORT_500] = w->remote[IKE_PORT_4500] = c.remote;
    w->remote[IKE_PORT_4500].port = 4500;
    w->stranger = (struct endpoint){.addr = inaddr_v4(0xc6336408), .port = 4501};
    if (how & 0xc0)
        w->env.fail_at = (how >> 6) + 3u * (how & 7);
    w->ike = ike_new(&c);
    FUZZ_REQUIRE(w->ike);
    ike_start(w->ike, w->now);
    drain(w);
    for (unsigned i = 0; i < (how & 7); i++) {
        w->now += US_MS(20);
        if (w->need)
            answer_need(w);
        else
            (void)honest(w, SPAN_NONE);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_of(span_of(data, size));
    struct world w = {.now = US_S(1)};
    struct fuzz_step s;
    uint8_t how;

    if (!rd_u8(&r, &how))
        return 0;
    set_up(&w, how);
    for (unsigned i = 0; i < FUZZ_STEPS_MAX && fuzz_step_next(&r, &s); i++) {
        one_step(&w, &s);
        fuzz_step_done(&s);
    }
    ike_free(w.ike);
    responder_free(&w.server);
    free(w.last_out.p);
    free(w.last_in.p);
    return 0;
}
