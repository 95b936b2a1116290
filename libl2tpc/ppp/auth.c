/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What all login methods share: the need for a password, repetition, the end. */
#include "ppp/engine.h"

#include <string.h>

void auth_start(struct ppp *p)
{
    struct auth *a = p->auth;

    a->method = p->lcp.agreed.method;
    a->has_answered = a->answered = false;
    a->sends = 0;
    a->left = a->first_at = 0;
    a->resend_at = US_NEVER;
    a->give_up_at = us_add(p->now, PPP_DEADLINE);
    if (a->method->auth == PPP_AUTH_PAP)
        auth_need(p);
}

/* Keeps the count of needs alone: an answer to an old one must not match a new one. */
void auth_stop(struct ppp *p)
{
    uint32_t need = p->auth->need;
    uint8_t pap_id = p->auth->pap_id;

    wipe(p->auth, sizeof(*p->auth));
    p->auth->need = need;
    p->auth->pap_id = pap_id;
    p->auth->resend_at = p->auth->give_up_at = US_NEVER;
}

/* While a person types, no deadline runs: the dial has its own. */
void auth_need(struct ppp *p)
{
    struct ppp_event e = {.type = PPP_EVENT_NEED_PASSWORD};

    p->auth->give_up_at = p->auth->resend_at = US_NEVER;
    if (p->auth->need_open)
        return;
    p->auth->need_open = true;
    e.need = ++p->auth->need;
    (void)ppp_events_push(&p->events, &e);
}

static l2tpc_us resend_period(const struct ppp *p)
{
    return p->auth->method->auth == PPP_AUTH_PAP ? PPP_RESTART : PPP_CHAP_RESEND;
}

void auth_resend(struct ppp *p)
{
    struct auth *a = p->auth;

    if (a->sends++ > 0)
        p->facts.resent++;
    a->sent_at = p->now;
    env_log(p->config.env, LOG_LEVEL_DEBUG, "ppp", "send the login with %s", a->method->name);
    ppp_send_packet(p, a->method->protocol, span_of(a->response, a->n_response));
    if (p->phase == PHASE_AUTHENTICATE)
        a->resend_at = us_add(p->now, resend_period(p));
}

void auth_sent(struct ppp *p)
{
    p->auth->sends = 0;
    p->auth->answered = p->auth->has_answered = true;
    p->facts.login_sent = true;
    p->auth->answered_at = p->now;
    if (p->auth->first_at == 0)
        p->auth->first_at = p->now;
    auth_resend(p);
}

/* A server that only ever challenges again holds the dial no longer than one that is silent. */
void auth_alive(struct ppp *p)
{
    struct auth *a = p->auth;
    l2tpc_us longest = us_add(a->first_at, PPP_LOGIN_DEADLINE);

    if (a->answered && a->left == 0 && a->give_up_at != US_NEVER)
        a->give_up_at = us_max(a->give_up_at, us_min(longest, us_add(p->now, PPP_DEADLINE)));
}

void auth_hurry(struct ppp *p)
{
    if (p->phase == PHASE_AUTHENTICATE && p->auth->answered &&
        p->now >= us_add(p->auth->sent_at, PPP_RESTART))
        auth_resend(p);
}

void auth_password(struct ppp *p, struct span password)
{
    p->auth->need_open = false;
    if (p->phase == PHASE_AUTHENTICATE)
        p->auth->give_up_at = us_add(p->now, p->auth->left ? p->auth->left : PPP_DEADLINE);
    if (p->auth->method->protocol == PROTO_PAP)
        pap_password(p, password);
    else
        chap_password(p, password);
}

void auth_succeeded(struct ppp *p)
{
    struct auth *a = p->auth;

    a->answered = p->facts.login_sent = false;
    a->resend_at = a->give_up_at = US_NEVER;
    wipe(a->proof, sizeof(a->proof));
    if (a->method->auth == PPP_AUTH_PAP) {
        wipe(a->response, sizeof(a->response));
        a->n_response = 0;
    }
    if (p->phase == PHASE_AUTHENTICATE)
        ppp_authenticated(p);
}

/* Where `key` (two characters such as "E=") stands, at the start or after something that is no
 * letter; the text behind it. */
static bool find_field(struct span text, const char *key, struct span *out)
{
    for (size_t i = 0; text.n - i >= 2; i++) {
        if (memcmp(text.p + i, key, 2) != 0)
            continue;
        if (i > 0 && text.p[i - 1] >= 'A' && text.p[i - 1] <= 'z')
            continue;
        *out = span_of(text.p + i + 2, text.n - i - 2);
        return true;
    }
    return false;
}

static uint32_t decimal(struct span text)
{
    uint32_t v = 0;

    for (size_t i = 0; i < text.n && i < 6 && text.p[i] >= '0' && text.p[i] <= '9'; i++)
        v = v * 10 + (uint32_t)(text.p[i] - '0');
    return v;
}

/* RFC 2759 6: E= is the number of Windows, M= the words; every field may be missing. */
void auth_refused(struct ppp *p, struct span message)
{
    static const struct {
        uint32_t code;
        enum failure_id id;
    } map[] = {
        {646, FAILURE_PPP_AUTH_RESTRICTED_HOURS}, {647, FAILURE_PPP_AUTH_DISABLED},
        {648, FAILURE_PPP_AUTH_PASSWORD_EXPIRED}, {649, FAILURE_PPP_AUTH_NO_PERMISSION},
        {691, FAILURE_PPP_AUTH_FAILED},
    };
    bool coded = p->auth->method->auth != PPP_AUTH_PAP;
    struct failure f = failure_make(FAILURE_PPP_AUTH_FAILED);
    struct span digits = SPAN_NONE;
    struct span words = message;
    uint32_t code =
        coded && message.n >= 2 && find_field(message, "E=", &digits) ? decimal(digits) : 0;

    if (code != 0) {
        for (size_t i = 0; i < ARRAY_LEN(map); i++)
            if (map[i].code == code)
                f = failure_make(map[i].id);
        failure_set_peer_code(&f, code);
        if (!find_field(message, "M=", &words))
            words = SPAN_NONE;
    }
    failure_set_peer_text(&f, words);
    ppp_fail(p, f);
}

static const char *waits_for(const struct auth *a)
{
    if (a->method->auth == PPP_AUTH_PAP)
        return "Authenticate-Ack";
    return a->answered ? "Success" : "Challenge";
}

void auth_timer(struct ppp *p)
{
    struct auth *a = p->auth;

    if (p->now >= a->give_up_at)
        ppp_fail(p, failure_timeout(FAILURE_PPP_AUTH_TIMEOUT, waits_for(a), a->sends));
    else if (p->now >= a->resend_at)
        auth_resend(p);
}

l2tpc_us auth_deadline(const struct ppp *p)
{
    return us_min(p->auth->resend_at, p->auth->give_up_at);
}
