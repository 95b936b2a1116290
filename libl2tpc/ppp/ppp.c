/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The phases of RFC 1661 section 3, and the engine's doors. */
#include "ppp/ppp.h"

#include "ppp/engine.h"

#include <stdlib.h>
#include <string.h>

/* ---- events and the end ---- */

void ppp_event(struct ppp *p, enum ppp_event_type type)
{
    struct ppp_event e = {.type = type};

    if (type == PPP_EVENT_PEER_DEAD)
        e.failure = failure_make(FAILURE_PEER_DEAD);
    (void)ppp_events_push(&p->events, &e);
}

/* The last event; no secret outlives it. */
static void finish(struct ppp *p, enum ppp_event_type type, const struct failure *f)
{
    struct ppp_event e = {.type = type};

    if (f)
        e.failure = *f;
    p->phase = PHASE_OVER;
    p->facts.ip_up = p->facts.lcp_up = false;
    auth_stop(p);
    echo_stop(p);
    (void)ppp_events_push(&p->events, &e);
}

void ppp_fail(struct ppp *p, struct failure f)
{
    if (p->phase == PHASE_OVER)
        return;
    env_log(p->config.env, LOG_LEVEL_ERROR, "ppp", "%s at %s", failure_code(f.id),
            stage_name(f.stage));
    if (p->lcp.heard && p->lcp.cp.state >= CP_REQ_SENT && !p->ending)
        ppp_send(p, PROTO_LCP, CODE_TERMINATE_REQUEST, ++p->lcp.cp.id, SPAN_NONE);
    p->failed = true;
    finish(p, PPP_EVENT_FAILED, &f);
}

void ppp_fail_value(struct ppp *p, enum failure_id id, const char *value)
{
    struct failure f = failure_make(id);

    failure_set_value(&f, span_str(value));
    ppp_fail(p, f);
}

void ppp_closed(struct ppp *p)
{
    if (p->closed)
        return;
    p->closed = true;
    finish(p, PPP_EVENT_CLOSED, NULL);
}

static enum stage stage_of(enum ppp_phase phase)
{
    return phase == PHASE_NETWORK        ? STAGE_PPP_IP
           : phase == PHASE_AUTHENTICATE ? STAGE_PPP_AUTH
                                         : STAGE_PPP_LCP;
}

/* The peer's Terminate-Request was acknowledged. */
void ppp_terminated(struct ppp *p, struct span text)
{
    struct failure f = failure_make(p->was_up ? FAILURE_PEER_CLOSED : FAILURE_PPP_TERMINATED);

    if (p->phase == PHASE_CLOSING) {
        ppp_closed(p);
        return;
    }
    if (!p->was_up && p->lcp.refused[0]) {
        ppp_fail_value(p, FAILURE_PPP_AUTH_WEAK, p->lcp.refused);
        return;
    }
    failure_set_peer_text(&f, text.n > 0 ? text : span_str("no reason given"));
    if (!p->was_up) {
        if (p->phase == PHASE_AUTHENTICATE && p->facts.login_sent)
            f.id = FAILURE_PPP_AUTH_ENDED;
        f.stage = stage_of(p->phase);
        ppp_fail(p, f);
        return;
    }
    env_log(p->config.env, LOG_LEVEL_INFO, "ppp", "terminated by the peer: %s", f.peer_text);
    finish(p, PPP_EVENT_TERMINATED, &f);
}

/* ---- phases ---- */

void ppp_authenticated(struct ppp *p)
{
    p->phase = PHASE_NETWORK;
    p->facts.authenticated = true;
    p->facts.auth = p->auth->method ? p->auth->method->auth : 0;
    env_log(p->config.env, LOG_LEVEL_INFO, "ppp", "authenticated with %s",
            p->auth->method ? p->auth->method->name : "nothing");
    ppp_event(p, PPP_EVENT_AUTHENTICATED);
    ipcp_start(p);
}

void ppp_lcp_up(struct ppp *p)
{
    p->phase = PHASE_AUTHENTICATE;
    env_log(p->config.env, LOG_LEVEL_INFO, "ppp", "LCP is up: MRU %u, the peer's %u", p->facts.mru,
            p->facts.peer_mru);
    ppp_event(p, PPP_EVENT_LCP_UP);
    if (p->lcp.agreed.method)
        auth_start(p);
    else if (p->config.auth & PPP_AUTH_NONE_OK)
        ppp_authenticated(p);
    else if (p->lcp.refused[0])
        ppp_fail_value(p, FAILURE_PPP_AUTH_WEAK, p->lcp.refused);
    else
        ppp_fail(p, failure_make(FAILURE_PPP_AUTH_NONE));
}

bool ppp_reopened(struct ppp *p)
{
    l2tpc_us *oldest = &p->reopened_at[p->n_reopens % PPP_REOPENS_MAX];

    if (p->n_reopens >= PPP_REOPENS_MAX && p->now < us_add(*oldest, PPP_REOPEN_WINDOW)) {
        ppp_fail_value(p, FAILURE_PPP_LCP_FAILED, "reopened too often");
        return false;
    }
    *oldest = p->now;
    p->n_reopens++;
    return true;
}

/* Everything above LCP begins anew (RFC 1661 3.4). */
void ppp_lcp_down(struct ppp *p)
{
    p->facts.authenticated = false;
    p->facts.auth = 0;
    if (!p->ending && p->phase != PHASE_CLOSING) {
        if (!ppp_reopened(p))
            return;
        p->phase = PHASE_ESTABLISH;
    }
    auth_stop(p);
    echo_stop(p);
    (void)cp_event(&p->ipcp.cp, CP_DOWN);
}

/* ---- the doors ---- */

struct ppp *ppp_new(const struct ppp_config *config)
{
    struct ppp *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->auth = vault_take(config->env->vault, sizeof(*p->auth));
    if (!p->auth) {
        free(p);
        return NULL;
    }
    p->config = *config;
    p->config.user[PPP_USER_MAX - 1] = '\0';
    if (p->config.mru < PPP_MRU_MIN || p->config.mru > PPP_MRU_MAX)
        p->config.mru = PPP_MRU;
    if (p->config.echo == 0)
        p->config.echo = PPP_ECHO;
    p->facts.mru = p->config.mru;
    p->facts.peer_mru = PPP_MRU_DEFAULT;
    p->echo.due_at = p->echo.sent_at = US_NEVER;
    lcp_init(p);
    ipcp_init(p);
    auth_stop(p);
    return p;
}

void ppp_free(struct ppp *p)
{
    if (!p)
        return;
    msgq_clear(&p->out);
    ppp_events_clear(&p->events);
    vault_give(p->config.env->vault, p->auth, sizeof(*p->auth));
    wipe_free(p, sizeof(*p));
}

void ppp_start(struct ppp *p, l2tpc_us now)
{
    p->now = now;
    if (p->phase != PHASE_DEAD || !lcp_new_magic(p))
        return;
    p->phase = PHASE_ESTABLISH;
    (void)cp_event(&p->lcp.cp, CP_OPEN);
    (void)cp_event(&p->lcp.cp, CP_UP);
}

static enum verdict auth_input(struct ppp *p, uint16_t protocol, struct span info)
{
    if (!p->auth->method || p->auth->method->protocol != protocol || !p->facts.lcp_up)
        return VERDICT_DROP;
    return protocol == PROTO_PAP ? pap_input(p, info) : chap_input(p, info);
}

static enum verdict dispatch(struct ppp *p, uint16_t protocol, struct span info)
{
    if (protocol == PROTO_LCP)
        return lcp_input(p, info);
    if (p->phase == PHASE_CLOSING)
        return VERDICT_DROP;
    if (protocol == PROTO_PAP || protocol == PROTO_CHAP)
        return auth_input(p, protocol, info);
    if (p->phase != PHASE_NETWORK) {
        /* 3.5: discarded until the login is over, for the peer it already is. */
        if (protocol >= 0x8000 && protocol < 0xc000)
            auth_hurry(p);
        return VERDICT_DROP;
    }
    if (protocol == PROTO_IPCP)
        return cp_input(&p->ipcp.cp, info);
    if (protocol == PROTO_IPV4 || protocol == PROTO_EAP)
        return VERDICT_DROP;
    lcp_send_protocol_reject(p, protocol, info);
    return VERDICT_OK;
}

enum verdict ppp_input(struct ppp *p, struct span frame, l2tpc_us now)
{
    uint16_t protocol;
    struct span info;
    enum verdict v = VERDICT_DROP;

    p->now = now;
    if (p->phase != PHASE_DEAD && p->phase != PHASE_OVER) {
        p->facts.received++;
        if (frame_split(frame, p->facts.pfc, &protocol, &info)) {
            echo_alive(p);
            v = dispatch(p, protocol, info);
            if (p->failed)
                v = VERDICT_FATAL;
            if (v == VERDICT_DROP)
                env_log(p->config.env, LOG_LEVEL_DEBUG, "ppp", "drop %s, %zu bytes",
                        ppp_protocol_name(protocol), info.n);
        }
    }
    if (v == VERDICT_DROP)
        p->facts.dropped++;
    return v;
}

void ppp_timer(struct ppp *p, l2tpc_us now)
{
    p->now = now;
    if (p->phase != PHASE_OVER)
        cp_timer(&p->lcp.cp);
    if (p->phase != PHASE_OVER)
        auth_timer(p);
    if (p->phase != PHASE_OVER)
        cp_timer(&p->ipcp.cp);
    if (p->phase != PHASE_OVER)
        echo_timer(p);
}

l2tpc_us ppp_deadline(const struct ppp *p)
{
    if (p->phase == PHASE_DEAD || p->phase == PHASE_OVER)
        return US_NEVER;
    return us_min(us_min(cp_deadline(&p->lcp.cp), auth_deadline(p)),
                  us_min(cp_deadline(&p->ipcp.cp), p->echo.due_at));
}

bool ppp_pop_out(struct ppp *p, struct msg *out)
{
    return msgq_pop(&p->out, out);
}

bool ppp_pop_event(struct ppp *p, struct ppp_event *out)
{
    return ppp_events_pop(&p->events, out);
}

void ppp_answer_password(struct ppp *p, uint32_t need, struct span password, l2tpc_us now)
{
    p->now = now;
    if (p->phase != PHASE_OVER && p->auth->need_open && p->auth->need == need)
        auth_password(p, password);
}

void ppp_note_data(struct ppp *p, l2tpc_us now)
{
    p->now = now;
    echo_alive(p);
}

void ppp_note_alive(struct ppp *p, l2tpc_us now)
{
    p->now = now;
    if (p->phase == PHASE_AUTHENTICATE)
        auth_alive(p);
}

void ppp_probe(struct ppp *p, l2tpc_us now)
{
    p->now = now;
    echo_probe(p);
}

void ppp_echoed(struct ppp *p, uint8_t number)
{
    struct ppp_event e = {.type = PPP_EVENT_ECHOED, .need = number};

    (void)ppp_events_push(&p->events, &e);
}

void ppp_send_sized_echo(struct ppp *p, uint8_t number, uint16_t length, l2tpc_us now)
{
    p->now = now;
    if (p->lcp.cp.state == CP_OPENED)
        echo_send_sized(p, number, length);
}

void ppp_close(struct ppp *p, l2tpc_us now)
{
    p->now = now;
    if (p->phase == PHASE_CLOSING)
        return;
    if (p->phase == PHASE_DEAD || p->phase == PHASE_OVER || !p->lcp.heard) {
        ppp_closed(p);
        return;
    }
    p->phase = PHASE_CLOSING;
    p->facts.ip_up = false;
    auth_stop(p);
    echo_stop(p);
    cp_init(&p->ipcp.cp, &ipcp_ops, p);
    (void)cp_event(&p->lcp.cp, CP_CLOSE);
}

const struct ppp_facts *ppp_facts(const struct ppp *p)
{
    return &p->facts;
}
