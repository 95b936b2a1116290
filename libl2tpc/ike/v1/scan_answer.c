/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a server's answers to a scan mean, and what its silence does. */
#include "ike/v1/parse.h"
#include "ike/v1/proposal.h"
#include "ike/v1/scan_state.h"
#include "ike/vendor.h"

#include <stdio.h>
#include <string.h>

static void close_question(struct scan *s, l2tpc_us now)
{
    s->question = QUESTION_NONE;
    s->due = us_max(now, us_add(s->last_sent, SCAN_PACE));
    s->changed = true;
}

static void mark(struct scan *s, const unsigned *items, unsigned n, enum scan_state state)
{
    for (unsigned i = 0; i < n; i++) {
        struct scan_item *item = &s->list.item[items[i]];

        if (item->state == SCAN_ACCEPTED || item->state == state)
            continue;
        s->facts.asked += item->state == SCAN_NOT_ASKED;
        s->facts.asked -= state == SCAN_NOT_ASKED;
        s->facts.accepted += state == SCAN_ACCEPTED;
        item->state = state;
    }
}

static void go_one_by_one(struct scan *s)
{
    s->facts.one_by_one = true;
    for (unsigned i = 0; i < s->list.n; i++)
        if (s->list.item[i].state != SCAN_NOT_ASKED)
            mark(s, &i, 1, SCAN_NOT_ASKED);
}

/* The control question was answered: silence is this server's way to say no, unless it can refuse
 * aloud, for then many transforms are what it cannot take. */
static void settle_silence(struct scan *s)
{
    if (s->n_silent > 1 && s->ever_refused)
        s->facts.one_by_one = true;
    else
        mark(s, s->silent, s->n_silent, SCAN_UNANSWERED);
    s->n_silent = 0;
}

static void answered(struct scan *s, l2tpc_us at)
{
    rtt_sample(&s->facts.rtt, retransmit_answered(&s->rtx, at));
    s->facts.answers++;
    if (s->question == QUESTION_CONTROL)
        settle_silence(s);
    if (s->question == QUESTION_TRIAL && s->mute)
        s->facts.one_by_one = true;
}

static void accept(struct scan *s, const struct phase1_choice *choice, l2tpc_us now)
{
    enum question question = s->question;
    unsigned which = 0;

    for (unsigned i = 0; i < s->n_asked; i++)
        if (scan_same_suite(&s->list.item[s->asked[i]].suite, &choice->suite))
            which = s->asked[i];
    answered(s, now);
    if (question == QUESTION_TRIAL)
        go_one_by_one(s);
    mark(s, &which, 1, SCAN_ACCEPTED);
    s->list.item[which].lifetime_s = choice->lifetime_s;
    if (s->cfg.depth == SCAN_QUICK)
        s->set_done[s->list.item[which].set] = true;
    close_question(s, now);
}

/* Refusals that speak of the message's form and not of what it offers. */
static bool is_about_form(uint16_t notify)
{
    return notify == NOTIFY_PAYLOAD_MALFORMED || notify == NOTIFY_BAD_PROPOSAL_SYNTAX ||
           notify == NOTIFY_INVALID_PAYLOAD_TYPE || notify == NOTIFY_UNEQUAL_PAYLOAD_LENGTHS;
}

void scan_settle_refusal(struct scan *s, l2tpc_us now)
{
    bool form = is_about_form(s->notify) && s->n_asked > 1;

    answered(s, s->refused_at);
    s->ever_refused = true;
    s->no_proposal = s->no_proposal || s->notify == NOTIFY_NO_PROPOSAL_CHOSEN;
    if (form)
        s->facts.one_by_one = true;
    else
        mark(s, s->asked, s->n_asked, SCAN_REFUSED);
    close_question(s, now);
}

/* It may count our messages, or our half-made SAs: one rest, long enough for those to be forgotten.
 */
static void rest(struct scan *s, l2tpc_us now)
{
    s->n_silent = 0;
    if (s->rested || us_add(now, SCAN_REST) >= s->until) {
        scan_over(s, SCAN_FELL_SILENT);
        return;
    }
    s->rested = s->facts.resting = true;
    s->due = us_add(now, SCAN_REST);
    env_log(s->cfg.env, LOG_LEVEL_INFO, "scan", "the server fell silent after %u answers: resting",
            s->facts.answers);
}

void scan_settle_no_answer(struct scan *s, l2tpc_us now)
{
    enum question question = s->question;

    retransmit_stop(&s->rtx);
    close_question(s, now);
    if (s->facts.answers == 0 && (s->more || (s->tried && s->trial >= SCAN_TRIALS))) {
        scan_over(s, SCAN_FAILED);
    } else if (s->facts.answers == 0) {
        s->tried = s->mute = true; /* is it that it cannot take so many? */
    } else if (question == QUESTION_CONTROL) {
        rest(s, now);
    } else if (question != QUESTION_TRIAL) {
        memcpy(s->silent, s->asked, s->n_asked * sizeof(s->asked[0]));
        s->n_silent = s->n_asked;
        if (s->facts.accepted == 0)
            rest(s, now);
    }
}

/* ---- input ---- */
static void keep_vendor(struct scan *s, struct span id)
{
    struct scan_facts *f = &s->facts;
    enum vendor_id known = vendor_find(id);

    f->natt = f->natt || known == VENDOR_RFC3947 || known == VENDOR_NATT_03 ||
              known == VENDOR_NATT_02N || known == VENDOR_NATT_02;
    f->dpd = f->dpd || known == VENDOR_DPD;
    f->fragments = f->fragments || known == VENDOR_FRAGMENTATION;
    vendor_keep(f->vendor_ids, f->vendor_bytes, &f->n_vendor_ids, id);
}

static enum verdict recv_mm2(struct scan *s, const struct isakmp_header *h, struct span body,
                             l2tpc_us now)
{
    static const uint8_t no_cookie[ISAKMP_COOKIE_LEN];
    struct chain c;
    struct span sa;
    struct phase1_choice choice;

    if (h->message_id != 0 || h->flags & ISAKMP_FLAG_ENCRYPTION ||
        memcmp(h->cky_r, no_cookie, sizeof(no_cookie)) == 0 ||
        memcmp(h->cky_r, h->cky_i, sizeof(h->cky_i)) == 0 ||
        !isakmp_split(h->next_payload, body, &c) || !isakmp_check(MESSAGE_MM2, &c) ||
        !chain_get(&c, PAYLOAD_SA, 0, &sa))
        return VERDICT_DROP;
    switch (proposal_read_phase1(sa, &s->offer, SCAN_LIFETIME_S, &choice)) {
    case OFFER_MALFORMED:
        return VERDICT_DROP;
    case OFFER_MISMATCH:
        s->foreign = true;
        return VERDICT_DROP;
    case OFFER_POLICY: /* a lifetime that a dial would not take; the suite is accepted */
    case OFFER_OK:
        break;
    }
    for (unsigned i = 0; i < c.n_vid; i++)
        keep_vendor(s, c.vid[i]);
    accept(s, &choice, now);
    return VERDICT_OK;
}

static enum verdict recv_info(struct scan *s, const struct isakmp_header *h, struct span body,
                              l2tpc_us now)
{
    struct chain c;
    struct span payload;
    struct notify n;

    if (h->flags & ISAKMP_FLAG_ENCRYPTION || !isakmp_split(h->next_payload, body, &c) ||
        !isakmp_check(MESSAGE_INFO_CLEAR, &c) || !chain_get(&c, PAYLOAD_N, 0, &payload) ||
        !isakmp_parse_notify(payload, &n) || n.type >= NOTIFY_STATUS_FIRST)
        return VERDICT_DROP;
    if (s->refused)
        return VERDICT_OK;
    s->refused = true;
    s->notify = n.type;
    s->refused_at = now;
    return VERDICT_OK;
}

enum verdict scan_input(struct scan *s, const struct endpoint *from, struct span datagram,
                        l2tpc_us now)
{
    struct isakmp_header h;
    struct span body;
    enum verdict v = VERDICT_DROP;

    if (s->question != QUESTION_NONE && endpoint_eq(from, &s->remote) &&
        isakmp_parse_header(datagram, &h, &body) &&
        memcmp(h.cky_i, s->cky_i, sizeof(s->cky_i)) == 0) {
        if (h.exchange == EXCHANGE_MAIN)
            v = recv_mm2(s, &h, body, now);
        else if (h.exchange == EXCHANGE_INFORMATIONAL)
            v = recv_info(s, &h, body, now);
    }
    s->facts.dropped += v == VERDICT_DROP;
    return v;
}
