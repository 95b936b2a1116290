/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ike/v1/scan.h"

#include "ike/v1/build.h"
#include "ike/v1/proposal.h"
#include "ike/v1/scan_state.h"
#include "ike/vendor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct scan *scan_new(const struct scan_config *config)
{
    struct scan *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->cfg = *config;
    if (s->cfg.auths == 0)
        s->cfg.auths = SCAN_AUTH_PSK;
    if (s->cfg.timeout == 0)
        s->cfg.timeout = SCAN_TIME;
    scan_list_fill(&s->list, s->cfg.depth, s->cfg.auths);
    s->until = s->due = US_NEVER;
    return s;
}

void scan_free(struct scan *s)
{
    if (!s)
        return;
    retransmit_stop(&s->rtx);
    msgq_clear(&s->out);
    free(s);
}

/* ---- the end ---- */
static struct failure why_not(const struct scan *s, enum scan_end how)
{
    struct failure f;

    if (how == SCAN_STOPPED)
        return failure_make(FAILURE_LOCAL_CANCELLED);
    if (s->no_proposal)
        return failure_make(FAILURE_IKE_NO_PROPOSAL);
    if (s->ever_refused) {
        const char *name = isakmp_notify_name(s->notify);

        f = failure_make(FAILURE_IKE_REFUSED);
        failure_set_peer_code(&f, s->notify);
        failure_set_peer_text(&f, span_str(name ? name : "?"));
        return f;
    }
    if (s->foreign) {
        f = failure_make(FAILURE_IKE_PROTOCOL);
        failure_set_value(&f, span_str("main mode 2 is none of our offers"));
        return f;
    }
    if (s->unreachable) {
        f = failure_make(FAILURE_IKE_UNREACHABLE);
        f.os_error = s->unreachable;
        failure_set_value(
            &f, span_str(s->unreachable == ECONNREFUSED ? "port unreachable" : "host unreachable"));
        return f;
    }
    return failure_timeout(FAILURE_IKE_NO_ANSWER, "main mode 2", s->facts.sent);
}

void scan_over(struct scan *s, enum scan_end how)
{
    retransmit_stop(&s->rtx);
    s->question = QUESTION_NONE;
    s->facts.resting = false;
    s->facts.end = how == SCAN_STOPPED || s->facts.answers > 0 ? how : SCAN_FAILED;
    s->failure = s->facts.accepted > 0 ? failure_make(FAILURE_NONE) : why_not(s, how);
    s->changed = true;
    env_log(s->cfg.env, LOG_LEVEL_INFO, "scan", "over after %u messages: %u of %u suites accepted",
            s->facts.sent, s->facts.accepted, s->facts.asked);
}

static void fail(struct scan *s, enum failure_id id)
{
    scan_over(s, SCAN_FAILED);
    s->failure = failure_make(id);
    s->failure.stage = STAGE_IKE_PHASE1;
}

/* ---- asking ---- */
static unsigned messages_max(const struct scan *s)
{
    return s->cfg.depth == SCAN_ALL ? SCAN_MESSAGES_ALL : SCAN_MESSAGES;
}

static void send(struct scan *s, struct span message, l2tpc_us now)
{
    if (!msgq_push(&s->out, 0, message))
        return;
    s->facts.sent++;
    s->last_sent = now;
    s->changed = true;
}

static bool build_mm1(struct scan *s, struct build *b, struct span *out)
{
    static const enum vendor_id announced[] = {VENDOR_RFC3947,  VENDOR_NATT_03,
                                               VENDOR_NATT_02N, VENDOR_NATT_02,
                                               VENDOR_DPD,      VENDOR_FRAGMENTATION};
    static const uint8_t no_cookie[ISAKMP_COOKIE_LEN];
    struct wr_box box;

    build_start(b, s->cky_i, no_cookie, EXCHANGE_MAIN, 0, 0);
    box = build_payload(b, PAYLOAD_SA);
    proposal_write_phase1(&b->w, &s->offer, SCAN_LIFETIME_S);
    wr_close(&b->w, box);
    /* Some servers say what they can only to who says the same; it is never put to use here. */
    for (size_t i = 0; i < ARRAY_LEN(announced); i++)
        build_bytes(b, PAYLOAD_VID, vendor_bytes(announced[i]));
    return build_finish(b, out);
}

static void ask(struct scan *s, enum question question, l2tpc_us now)
{
    l2tpc_us wait = s->facts.rtt ? us_max(rtt_rto(s->facts.rtt), SCAN_WAIT_MIN) : SCAN_WAIT_FIRST;
    struct build b;
    struct span mm1;

    s->question = question;
    s->refused = false;
    s->offer = (struct policy){.n_ike = s->n_asked, .auth = s->list.item[s->asked[0]].auth};
    for (unsigned i = 0; i < s->n_asked; i++)
        s->offer.ike[i] = s->list.item[s->asked[i]].suite;
    if (!env_rand(s->cfg.env, s->cky_i, sizeof(s->cky_i))) {
        fail(s, FAILURE_LOCAL_RANDOM);
        return;
    }
    if (!build_mm1(s, &b, &mm1) || !retransmit_start(&s->rtx, 0, mm1, wait, now)) {
        fail(s, FAILURE_LOCAL_MEMORY);
        return;
    }
    send(s, mm1, now);
}

static bool is_wanted(const struct scan *s, const struct scan_item *item)
{
    return item->state == SCAN_NOT_ASKED && !s->set_done[item->set];
}

/* The items that are to be asked next; false when there are none. */
static bool choose(struct scan *s, unsigned most)
{
    s->n_asked = 0;
    for (unsigned i = 0; i < s->list.n && s->n_asked < most; i++) {
        if (s->n_asked > 0 && s->list.item[i].set != s->list.item[s->asked[0]].set)
            break;
        if (is_wanted(s, &s->list.item[i]))
            s->asked[s->n_asked++] = i;
    }
    return s->n_asked > 0;
}

static bool choose_trial(struct scan *s)
{
    static const struct ike_suite common[] = {
        {CIPHER_AES_CBC, 256, HASH_SHA1, DH_MODP2048},
        {CIPHER_3DES_CBC, 0, HASH_SHA1, DH_MODP1024},
        {CIPHER_AES_CBC, 256, HASH_SHA256, DH_MODP2048},
        {CIPHER_AES_CBC, 128, HASH_SHA1, DH_MODP1024},
    };

    while (s->trial < ARRAY_LEN(common)) {
        const struct ike_suite *suite = &common[s->trial++];

        for (unsigned i = 0; i < s->list.n; i++) {
            if (!scan_same_suite(&s->list.item[i].suite, suite))
                continue;
            s->asked[0] = i;
            s->n_asked = 1;
            return true;
        }
    }
    return false;
}

static bool choose_control(struct scan *s)
{
    for (unsigned i = 0; i < s->list.n; i++) {
        if (s->list.item[i].state != SCAN_ACCEPTED)
            continue;
        s->asked[0] = i;
        s->n_asked = 1;
        return true;
    }
    return false;
}

static void go_on(struct scan *s, l2tpc_us now)
{
    if (s->facts.sent >= messages_max(s)) {
        scan_over(s, SCAN_LIMIT);
        return;
    }
    s->facts.resting = false;
    if (s->n_silent > 0 && choose_control(s)) {
        ask(s, QUESTION_CONTROL, now);
    } else if (s->tried && !s->facts.one_by_one) {
        if (choose_trial(s))
            ask(s, QUESTION_TRIAL, now);
        else
            scan_over(s, SCAN_COMPLETE);
    } else if (choose(s, s->facts.one_by_one ? 1 : SCAN_SET_MAX)) {
        ask(s, s->facts.one_by_one ? QUESTION_SINGLE : QUESTION_SET, now);
    } else if (s->facts.accepted == 0 && !s->tried) {
        /* It may have looked at the first transform only. */
        s->tried = true;
        go_on(s, now);
    } else {
        scan_over(s, SCAN_COMPLETE);
    }
}

/* ---- time ---- */
static unsigned sends_max(const struct scan *s)
{
    if (s->more && s->facts.answers == 0)
        return SCAN_SENDS_MORE;
    return s->question == QUESTION_CONTROL || s->question == QUESTION_TRIAL ? SCAN_SENDS_CONTROL
                                                                            : SCAN_SENDS;
}

static void look_after_question(struct scan *s, l2tpc_us now)
{
    if (s->refused) {
        if (now >= us_add(s->refused_at, SCAN_HINT))
            scan_settle_refusal(s, now);
        return;
    }
    if (now < retransmit_due(&s->rtx))
        return;
    if (s->rtx.sends >= sends_max(s)) {
        scan_settle_no_answer(s, now);
    } else if (s->facts.sent >= messages_max(s)) {
        scan_over(s, SCAN_LIMIT);
    } else {
        send(s, span_of(s->rtx.bytes, s->rtx.n), now);
        s->facts.resent++;
        retransmit_again(&s->rtx, IKE_BACKOFF_CAP, now);
    }
}

void scan_timer(struct scan *s, l2tpc_us now)
{
    if (!s->started || s->facts.end != SCAN_RUNNING)
        return;
    if (now >= s->until)
        scan_over(s, SCAN_TIME_IS_UP);
    else if (s->question != QUESTION_NONE)
        look_after_question(s, now);
    if (s->facts.end == SCAN_RUNNING && s->question == QUESTION_NONE && now >= s->due)
        go_on(s, now);
}

l2tpc_us scan_deadline(const struct scan *s)
{
    if (!s->started || s->facts.end != SCAN_RUNNING)
        return US_NEVER;
    if (s->question == QUESTION_NONE)
        return us_min(s->until, s->due);
    return us_min(s->until,
                  s->refused ? us_add(s->refused_at, SCAN_HINT) : retransmit_due(&s->rtx));
}

/* ---- life ---- */
void scan_start(struct scan *s, const struct endpoint *remote, bool more, l2tpc_us now)
{
    if (!s->started)
        s->until = us_add(now, s->cfg.timeout);
    s->started = true;
    s->remote = *remote;
    s->more = more;
    s->facts.end = SCAN_RUNNING;
    s->told = s->tried = s->mute = false;
    s->trial = 0;
    if (now >= s->until)
        scan_over(s, SCAN_TIME_IS_UP);
    else
        go_on(s, now);
}

void scan_close(struct scan *s)
{
    if (s->facts.end == SCAN_RUNNING)
        scan_over(s, SCAN_STOPPED);
}

void scan_note_unreachable(struct scan *s, int os_error)
{
    if (s->facts.answers == 0)
        s->unreachable = os_error;
}

bool scan_pop_out(struct scan *s, struct msg *out)
{
    return msgq_pop(&s->out, out);
}

bool scan_pop_event(struct scan *s, struct scan_event *out)
{
    if (s->changed) {
        s->changed = false;
        *out = (struct scan_event){.type = SCAN_EVENT_PROGRESS};
        return true;
    }
    if (s->facts.end == SCAN_RUNNING || s->told)
        return false;
    s->told = true;
    *out = (struct scan_event){.type = SCAN_EVENT_OVER, .failure = s->failure};
    return true;
}

bool scan_owns_cookie(const struct scan *s, const uint8_t cky_i[8])
{
    return s->question != QUESTION_NONE && memcmp(cky_i, s->cky_i, sizeof(s->cky_i)) == 0;
}

const struct scan_facts *scan_facts(const struct scan *s)
{
    return &s->facts;
}

const struct scan_list *scan_items(const struct scan *s)
{
    return &s->list;
}
