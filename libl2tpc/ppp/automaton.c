/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ppp/automaton.h"

#include "ppp/engine.h"
#include "wire/dict.h"
#include "wire/rd.h"

#include <string.h>

/* RFC 1661 4.1, row by row: { actions, next state }; columns Initial to Opened. */
#define NO                                                                                         \
    {                                                                                              \
        0, CP_ILLEGAL                                                                              \
    }

/* clang-format off */
static const struct cp_cell table[CP_EVENTS][CP_STATES] = {
    [CP_UP] = {{0, 2}, {CP_IRC | CP_SCR, 6}, NO, NO, NO, NO, NO, NO, NO, NO},
    [CP_DOWN] = {NO, NO, {0, 0}, {CP_TLS, 1}, {0, 0}, {0, 1}, {0, 1}, {0, 1}, {0, 1}, {CP_TLD, 1}},
    [CP_OPEN] = {{CP_TLS, 1}, {0, 1}, {CP_IRC | CP_SCR, 6}, {0, 3}, {0, 5}, {0, 5}, {0, 6}, {0, 7},
                 {0, 8}, {0, 9}},
    [CP_CLOSE] = {{0, 0}, {CP_TLF, 0}, {0, 2}, {0, 2}, {0, 4}, {0, 4}, {CP_IRC | CP_STR, 4},
                  {CP_IRC | CP_STR, 4}, {CP_IRC | CP_STR, 4}, {CP_TLD | CP_IRC | CP_STR, 4}},
    [CP_TO_PLUS] = {NO, NO, NO, NO, {CP_STR, 4}, {CP_STR, 5}, {CP_SCR, 6}, {CP_SCR, 6},
                    {CP_SCR, 8}, NO},
    [CP_TO_MINUS] = {NO, NO, NO, NO, {CP_TLF, 2}, {CP_TLF, 3}, {CP_TLF, 3}, {CP_TLF, 3},
                     {CP_TLF, 3}, NO},
    [CP_RCR_PLUS] = {NO, NO, {CP_STA, 2}, {CP_IRC | CP_SCR | CP_SCA, 8}, {0, 4}, {0, 5},
                     {CP_SCA, 8}, {CP_SCA | CP_TLU, 9}, {CP_SCA, 8}, {CP_TLD | CP_SCR | CP_SCA, 8}},
    [CP_RCR_MINUS] = {NO, NO, {CP_STA, 2}, {CP_IRC | CP_SCR | CP_SCN, 6}, {0, 4}, {0, 5},
                      {CP_SCN, 6}, {CP_SCN, 7}, {CP_SCN, 6}, {CP_TLD | CP_SCR | CP_SCN, 6}},
    [CP_RCA] = {NO, NO, {CP_STA, 2}, {CP_STA, 3}, {0, 4}, {0, 5}, {CP_IRC, 7}, {CP_SCR, 6},
                {CP_IRC | CP_TLU, 9}, {CP_TLD | CP_SCR, 6}},
    [CP_RCN] = {NO, NO, {CP_STA, 2}, {CP_STA, 3}, {0, 4}, {0, 5}, {CP_IRC | CP_SCR, 6},
                {CP_SCR, 6}, {CP_IRC | CP_SCR, 8}, {CP_TLD | CP_SCR, 6}},
    [CP_RTR] = {NO, NO, {CP_STA, 2}, {CP_STA, 3}, {CP_STA, 4}, {CP_STA, 5}, {CP_STA, 6},
                {CP_STA, 6}, {CP_STA, 6}, {CP_TLD | CP_ZRC | CP_STA, 5}},
    [CP_RTA] = {NO, NO, {0, 2}, {0, 3}, {CP_TLF, 2}, {CP_TLF, 3}, {0, 6}, {0, 6}, {0, 8},
                {CP_TLD | CP_SCR, 6}},
    [CP_RUC] = {NO, NO, {CP_SCJ, 2}, {CP_SCJ, 3}, {CP_SCJ, 4}, {CP_SCJ, 5}, {CP_SCJ, 6},
                {CP_SCJ, 7}, {CP_SCJ, 8}, {CP_SCJ, 9}},
    [CP_RXJ_PLUS] = {NO, NO, {0, 2}, {0, 3}, {0, 4}, {0, 5}, {0, 6}, {0, 6}, {0, 8}, {0, 9}},
    [CP_RXJ_MINUS] = {NO, NO, {CP_TLF, 2}, {CP_TLF, 3}, {CP_TLF, 2}, {CP_TLF, 3}, {CP_TLF, 3},
                      {CP_TLF, 3}, {CP_TLF, 3}, {CP_TLD | CP_IRC | CP_STR, 5}},
    [CP_RXR] = {NO, NO, {0, 2}, {0, 3}, {0, 4}, {0, 5}, {0, 6}, {0, 7}, {0, 8}, {CP_SER, 9}},
};
/* clang-format on */

static const struct dict codes[] = {
#define PPP_CODE(id, number, name) {number, name},
#include "ppp/option.def"
};

const char *cp_code_name(uint8_t code)
{
    const char *name = DICT_NAME(codes, code);

    return name ? name : "unknown code";
}

const struct cp_cell *cp_cell(enum cp_state state, enum cp_event event)
{
    return &table[event][state];
}

void cp_init(struct cp *cp, const struct cp_ops *ops, struct ppp *p)
{
    *cp = (struct cp){
        .ops = ops,
        .ppp = p,
        .n_last = SIZE_MAX,
        .restart_at = US_NEVER,
        .give_up_at = US_NEVER,
    };
}

static bool timer_runs(enum cp_state s)
{
    return s >= CP_CLOSING && s <= CP_ACK_SENT;
}

/* ---- sending ---- */

/* RFC 1661 5.1: the id changes with the options and after a valid answer, else it stays. */
static void send_configure_request(struct cp *cp)
{
    struct ppp *p = cp->ppp;
    uint8_t room[CP_OPTIONS_MAX];
    struct wr w = wr_of(room, sizeof(room));
    struct span options;

    cp->ops->build(p, &w);
    if (!wr_finish(&w, &options))
        return;
    if (cp->sends == 0 || cp->answered || !span_eq(options, span_of(cp->options, cp->n_options))) {
        cp->id++;
        cp->sends = 0;
        cp->answered = false;
        cp->n_options = options.n;
        if (options.n > 0)
            memcpy(cp->options, options.p, options.n);
    }
    if (cp->give_up_at == US_NEVER)
        cp->give_up_at = us_add(p->now, PPP_DEADLINE);
    cp_resend_request(cp);
}

void cp_resend_request(struct cp *cp)
{
    struct ppp *p = cp->ppp;

    if (cp->sends++ > 0)
        p->facts.resent++;
    cp->restart_at = us_add(p->now, PPP_RESTART);
    ppp_send(p, cp->ops->protocol, CODE_CONFIGURE_REQUEST, cp->id,
             span_of(cp->options, cp->n_options));
}

static void send_configure_ack(struct cp *cp)
{
    cp->ops->accept(cp->ppp);
    cp->last_acked = true;
    cp->n_reacks = 0;
    ppp_send(cp->ppp, cp->ops->protocol, CODE_CONFIGURE_ACK, cp->reply_id, cp->reply);
}

static void send_terminate_request(struct cp *cp, bool anew)
{
    struct ppp *p = cp->ppp;

    if (anew) {
        cp->terminate_id = ++cp->id;
        cp->sends = 0;
        cp->give_up_at = us_add(p->now, CLOSE_WAIT);
    }
    if (cp->sends++ > 0)
        p->facts.resent++;
    cp->restart_at = us_add(p->now, PPP_RESTART);
    ppp_send(p, cp->ops->protocol, CODE_TERMINATE_REQUEST, cp->terminate_id, SPAN_NONE);
}

static void run_sends(struct cp *cp, unsigned actions)
{
    struct ppp *p = cp->ppp;

    if (actions & CP_SCR)
        send_configure_request(cp);
    if (actions & CP_SCA)
        send_configure_ack(cp);
    if (actions & CP_SCN)
        ppp_send(p, cp->ops->protocol, cp->reply_code, cp->reply_id, cp->reply);
    if (actions & CP_STR)
        send_terminate_request(cp, actions & CP_IRC);
    if (actions & CP_STA)
        ppp_send(p, cp->ops->protocol, CODE_TERMINATE_ACK, cp->reply_id, SPAN_NONE);
    if (actions & CP_SCJ)
        lcp_send_code_reject(p, cp, cp->reply);
}

bool cp_event(struct cp *cp, enum cp_event event)
{
    const struct cp_cell *cell = cp_cell(cp->state, event);
    struct ppp *p = cp->ppp;
    unsigned actions = cell->actions;

    if (cell->next == CP_ILLEGAL || p->phase == PHASE_OVER)
        return false;
    if (actions & CP_TLD) {
        cp->naks = cp->rounds = 0;
        cp->ops->down(p);
        if (p->phase == PHASE_OVER)
            return true;
    }
    if (actions & CP_IRC)
        cp->restart_at = us_add(p->now, PPP_RESTART);
    if (actions & CP_ZRC) /* one more period, then TO- (RFC 1661 4.4) */
        cp->restart_at = cp->give_up_at = us_add(p->now, PPP_RESTART);
    run_sends(cp, actions);
    cp->state = cell->next;
    if (!timer_runs(cp->state))
        cp->restart_at = cp->give_up_at = US_NEVER;
    if (actions & CP_TLU)
        cp->ops->up(p);
    if (actions & CP_TLF)
        cp->ops->finished(p);
    return true;
}

/* ---- receiving ---- */

/* The next option; false when the list is at its end or broken. */
static bool next_option(struct rd *r, uint8_t *type, struct span *value)
{
    uint8_t length;

    return rd_u8(r, type) && rd_u8(r, &length) && length >= 2 && rd_bytes(r, length - 2u, value);
}

/* RFC 1661 6: a broken option list invalidates the whole packet. */
static bool options_are_whole(struct span options)
{
    struct rd r = rd_of(options);
    struct span value;
    uint8_t type;

    while (!rd_end(&r))
        if (!next_option(&r, &type, &value))
            return false;
    return true;
}

static bool was_sent(const struct cp *cp, uint8_t type, const struct span *value)
{
    struct rd r = rd_of(span_of(cp->options, cp->n_options));
    struct span mine;
    uint8_t t;

    while (next_option(&r, &t, &mine))
        if (t == type && (!value || span_eq(*value, mine)))
            return true;
    return false;
}

static bool is_negotiating(const struct cp *cp)
{
    return cp->state >= CP_REQ_SENT && cp->state <= CP_OPENED;
}

/* One more round of Nak or Reject; false when the end will never come (hostile.md H64). */
static bool count_round(struct cp *cp)
{
    if (++cp->rounds <= PPP_ROUNDS_MAX)
        return true;
    cp->ops->disagreed(cp->ppp, "no agreement after many rounds");
    return false;
}

static void put_option(struct wr *w, uint8_t type, struct span value)
{
    if (w->cap - w->n < value.n + 2)
        return; /* the rest comes up in the peer's next request */
    wr_u8(w, type);
    wr_u8(w, (uint8_t)(value.n + 2));
    wr_bytes(w, value);
}

/* Naks and Rejects in the making. */
struct reply_room {
    uint8_t naks[PPP_MRU_MAX], rejects[PPP_MRU_MAX];
};

/* Judges every option; makes the reply, in `room`. False when the engine has failed meanwhile. */
static bool make_reply(struct cp *cp, uint8_t id, struct span options, struct reply_room *room,
                       enum cp_event *out_event)
{
    struct ppp *p = cp->ppp;
    size_t cap = ppp_body_cap(p);
    struct wr naks = wr_of(room->naks, cap);
    struct wr rejects = wr_of(room->rejects, cap);
    struct rd r = rd_of(options);
    struct span value;
    uint8_t type;

    cp->reply_id = id;
    cp->ops->begin(p);
    while (next_option(&r, &type, &value)) {
        struct wr before = naks;
        enum cp_opinion opinion = cp->ops->judge(p, type, value, &naks);

        if (p->phase == PHASE_OVER)
            return false;
        if (naks.failed) /* no room: nothing half-written may go out */
            naks = before;
        if (opinion == CP_NAK && cp->naks >= PPP_NAKS_MAX && !cp->repeated) {
            naks = before;
            opinion = CP_REJECT;
        }
        if (opinion == CP_REJECT)
            put_option(&rejects, type, value);
    }
    cp->reply = options;
    cp->reply_code = CODE_CONFIGURE_ACK;
    *out_event = CP_RCR_PLUS;
    if (rejects.n > 0 || naks.n > 0) {
        *out_event = CP_RCR_MINUS;
        cp->reply_code = rejects.n > 0 ? CODE_CONFIGURE_REJECT : CODE_CONFIGURE_NAK;
        if (!wr_finish(rejects.n > 0 ? &rejects : &naks, &cp->reply))
            return false;
    }
    return true;
}

static void remember_request(struct cp *cp, uint8_t id, struct span options)
{
    cp->repeated = cp->n_last != SIZE_MAX && cp->last_id == id &&
                   span_eq(options, span_of(cp->last, cp->n_last));
    if (cp->repeated)
        return;
    cp->last_acked = false;
    cp->last_id = id;
    cp->n_last = SIZE_MAX;
    if (options.n > sizeof(cp->last))
        return;
    cp->n_last = options.n;
    if (options.n > 0)
        memcpy(cp->last, options.p, options.n);
}

/*
 * A repetition of the request that was acknowledged last means that our Ack was lost, or the packet
 * doubled: the peer does not start over, so neither do we. A bounded number of times, because a
 * peer that does start over without a magic number looks the same.
 */
static bool is_lost_ack(struct cp *cp)
{
    return cp->state == CP_OPENED && cp->repeated && cp->last_acked &&
           cp->n_reacks++ < PPP_NAKS_MAX;
}

static enum verdict recv_configure_request(struct cp *cp, uint8_t id, struct span options)
{
    struct ppp *p = cp->ppp;
    struct reply_room room;
    enum cp_event event;
    bool done;

    if (!options_are_whole(options))
        return VERDICT_DROP;
    remember_request(cp, id, options);
    if (is_lost_ack(cp)) {
        ppp_send(p, cp->ops->protocol, CODE_CONFIGURE_ACK, id, options);
        return VERDICT_OK;
    }
    if (!is_negotiating(cp) && cp->state != CP_STOPPED) {
        cp->reply_id = id;
        return cp_event(cp, CP_RCR_PLUS) ? VERDICT_OK : VERDICT_DROP;
    }
    if (!make_reply(cp, id, options, &room, &event))
        return p->phase == PHASE_OVER ? VERDICT_FATAL : VERDICT_DROP;
    if (event == CP_RCR_PLUS && options.n > ppp_body_cap(p))
        return VERDICT_DROP;
    if (event == CP_RCR_MINUS) {
        if (!count_round(cp))
            return VERDICT_FATAL;
        if (cp->reply_code == CODE_CONFIGURE_NAK && !cp->repeated)
            cp->naks++;
    }
    done = cp_event(cp, event);
    cp->reply = SPAN_NONE; /* it stood in `room` */
    return done ? VERDICT_OK : VERDICT_DROP;
}

static bool is_fresh_answer(const struct cp *cp, uint8_t id)
{
    return id == cp->id && cp->sends > 0 && !cp->answered;
}

static enum verdict recv_configure_ack(struct cp *cp, uint8_t id, struct span options)
{
    if (is_negotiating(cp)) {
        if (!is_fresh_answer(cp, id) || !span_eq(options, span_of(cp->options, cp->n_options)))
            return VERDICT_DROP;
        cp->answered = true;
    }
    cp->reply_id = id;
    return cp_event(cp, CP_RCA) ? VERDICT_OK : VERDICT_DROP;
}

/* A Reject holds options exactly as we sent them, a Nak at least one of ours. */
static bool answers_ours(const struct cp *cp, bool reject, struct span options)
{
    struct rd r = rd_of(options);
    struct span value;
    uint8_t type;
    bool any = false;

    while (next_option(&r, &type, &value)) {
        bool ours = was_sent(cp, type, reject ? &value : NULL);

        if (reject && !ours)
            return false;
        any |= ours;
    }
    return any;
}

static enum verdict recv_configure_nak_or_reject(struct cp *cp, uint8_t code, uint8_t id,
                                                 struct span options)
{
    struct ppp *p = cp->ppp;
    bool reject = code == CODE_CONFIGURE_REJECT;
    struct rd r = rd_of(options);
    struct span value;
    uint8_t type;

    cp->reply_id = id;
    if (!is_negotiating(cp))
        return cp_event(cp, CP_RCN) ? VERDICT_OK : VERDICT_DROP;
    if (!options_are_whole(options) || !is_fresh_answer(cp, id) ||
        !answers_ours(cp, reject, options))
        return VERDICT_DROP;
    if (!count_round(cp))
        return VERDICT_FATAL;
    while (p->phase != PHASE_OVER && next_option(&r, &type, &value)) {
        if (reject)
            cp->ops->rejected(p, type);
        else if (was_sent(cp, type, NULL))
            cp->ops->naked(p, type, value);
    }
    if (p->phase == PHASE_OVER)
        return VERDICT_FATAL;
    cp->answered = true;
    return cp_event(cp, CP_RCN) ? VERDICT_OK : VERDICT_DROP;
}

static enum verdict recv_code_reject(struct cp *cp, struct span body)
{
    struct rd r = rd_of(body);
    uint8_t code;

    if (!rd_u8(&r, &code))
        return VERDICT_DROP;
    if (code < CODE_CONFIGURE_REQUEST || code > CODE_CODE_REJECT || !is_negotiating(cp))
        return cp_event(cp, CP_RXJ_PLUS) ? VERDICT_OK : VERDICT_DROP;
    cp->ops->disagreed(cp->ppp, "Code-Reject of a code that every PPP has");
    return VERDICT_FATAL;
}

static enum verdict recv_terminate_request(struct cp *cp, uint8_t id, struct span text)
{
    struct ppp *p = cp->ppp;

    cp->reply_id = id;
    p->ending = true;
    p->was_up = p->facts.ip_up;
    if (!cp_event(cp, CP_RTR))
        return VERDICT_DROP;
    cp->ops->terminated(p, text);
    return VERDICT_OK;
}

static enum verdict recv_unknown(struct cp *cp, struct span packet)
{
    cp->reply = packet;
    return cp_event(cp, CP_RUC) ? VERDICT_OK : VERDICT_DROP;
}

enum verdict cp_input(struct cp *cp, struct span packet)
{
    struct rd r = rd_of(packet);
    struct span body;
    uint8_t code;
    uint8_t id;
    uint16_t length;

    if (!rd_u8(&r, &code) || !rd_u8(&r, &id) || !rd_u16(&r, &length) || length < 4 ||
        !rd_bytes(&r, length - 4u, &body))
        return VERDICT_DROP;
    if (cp->state == CP_INITIAL || cp->state == CP_STARTING)
        return VERDICT_DROP;
    env_log(cp->ppp->config.env, LOG_LEVEL_DEBUG, "ppp", "recv %s %s id %u, %u bytes",
            cp->ops->name, cp_code_name(code), id, length);
    switch (code) {
    case CODE_CONFIGURE_REQUEST:
        return recv_configure_request(cp, id, body);
    case CODE_CONFIGURE_ACK:
        return recv_configure_ack(cp, id, body);
    case CODE_CONFIGURE_NAK:
    case CODE_CONFIGURE_REJECT:
        return recv_configure_nak_or_reject(cp, code, id, body);
    case CODE_TERMINATE_REQUEST:
        return recv_terminate_request(cp, id, body);
    case CODE_TERMINATE_ACK:
        return cp_event(cp, CP_RTA) ? VERDICT_OK : VERDICT_DROP;
    case CODE_CODE_REJECT:
        return recv_code_reject(cp, body);
    default:
        if (cp->ops->is_lcp && code <= CODE_TIME_REMAINING && code != 0)
            return cp->ops->extra(cp->ppp, code, id, body);
        return recv_unknown(cp, span_of(packet.p, length));
    }
}

/* ---- time ---- */

void cp_timer(struct cp *cp)
{
    l2tpc_us now = cp->ppp->now;

    if (now >= cp->give_up_at)
        (void)cp_event(cp, CP_TO_MINUS);
    else if (now >= cp->restart_at)
        (void)cp_event(cp, CP_TO_PLUS);
}

l2tpc_us cp_deadline(const struct cp *cp)
{
    return us_min(cp->restart_at, cp->give_up_at);
}

const char *cp_waits_for(const struct cp *cp)
{
    if (cp->state == CP_CLOSING || cp->state == CP_STOPPING)
        return "Terminate-Ack";
    return cp->state == CP_ACK_RCVD ? "Configure-Request" : "Configure-Ack";
}
