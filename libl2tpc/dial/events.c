/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What each engine's events mean for the dial as a whole. */
#include "dial/internal.h"

#include "base/limits.h"
#include "base/secret.h"

#include <stdio.h>
#include <string.h>

void dial_emit(struct dial *d, enum dial_event_type type)
{
    struct dial_event e = {.type = type, .stage = d->facts.current};

    dial_events_push(&d->events, &e);
}

void dial_fail_now(struct dial *d, const struct failure *failure, l2tpc_us now)
{
    struct dial_event e = {.type = DIAL_EVENT_FAILED, .failure = *failure};

    if (d->closing != CLOSING_NOT)
        return;
    if (d->facts.ladder && !d->facts.up)
        e.failure = ladder_verdict(&d->ladder, failure);
    e.stage = e.failure.stage;
    d->facts.failure = e.failure;
    dial_events_push(&d->events, &e);
    dial_close(d, now);
}

/* Some servers end the call where others say that the login has failed. */
static enum failure_id early_end(const struct dial *d)
{
    if (d->facts.current == STAGE_PPP_AUTH && d->facts.ppp && d->facts.ppp->login_sent)
        return FAILURE_PPP_AUTH_ENDED;
    return d->facts.current >= STAGE_PPP_LCP ? FAILURE_PPP_TERMINATED : FAILURE_PEER_CLOSED;
}

static void fail_up(struct dial *d, enum failure_id id, const struct failure *words, l2tpc_us now)
{
    struct failure f = words && words->id != FAILURE_NONE ? *words : failure_make(id);

    if (!d->facts.up) {
        if (f.id == FAILURE_PEER_CLOSED)
            f.id = early_end(d);
        f.stage = d->facts.current;
    }
    dial_fail_now(d, &f, now);
}

/* ---- teardown: one step per engine, in order ---- */

static void down(struct dial *d, l2tpc_us now)
{
    d->closing = CLOSING_DONE;
    if (d->ike)
        ike_close(d->ike, now);
    d->facts.down = true;
    d->deadline.closing = US_NEVER;
    dial_emit(d, DIAL_EVENT_DOWN);
}

/* The next step, when the one before has been answered or has waited long enough. */
static void close_step(struct dial *d, l2tpc_us now)
{
    if (d->closing == CLOSING_PPP) {
        d->closing = CLOSING_L2TP;
        if (d->l2tp && !d->l2tp_over && d->data.now.out) {
            l2tp_close(d->l2tp, now);
            return;
        }
    }
    if (d->closing == CLOSING_L2TP)
        down(d, now);
}

void dial_close(struct dial *d, l2tpc_us now)
{
    if (d->closing != CLOSING_NOT)
        return;
    d->facts.closing = true;
    d->data.now.ip_open = d->data.now.dhcp_awaited = false;
    if (d->ike)
        ike_hold(d->ike);
    d->deadline = dial_no_deadlines;
    d->deadline.closing = us_add(now, 3 * CLOSE_WAIT);
    if (d->ip_wanted)
        dial_emit(d, DIAL_EVENT_RELEASE_IP);
    d->closing = CLOSING_PPP;
    if (d->ppp && !d->ppp_over && d->data.now.out && d->facts.ppp->lcp_up)
        ppp_close(d->ppp, now);
    else
        close_step(d, now);
    dial_pump(d, now);
}

/* ---- ike ---- */

void dial_start_l2tp(struct dial *d, l2tpc_us now)
{
    struct l2tp_config config = {
        .env = d->config.env,
        .crypto = d->config.crypto,
        .rtt = d->facts.ike->rtt,
        .has_secret = d->config.has_tunnel_secret,
        .secret = d->secrets->tunnel,
        .n_former = d->config.n_former,
    };

    memcpy(config.former, d->config.former, sizeof(config.former));
    (void)snprintf(config.host_name, sizeof(config.host_name), "%s", d->config.host_name);
    d->l2tp = l2tp_new(&config);
    secret_wipe(&config.secret);
    if (!d->l2tp) {
        struct failure f = failure_make(FAILURE_LOCAL_MEMORY);

        dial_fail_now(d, &f, now);
        return;
    }
    d->facts.l2tp = l2tp_facts(d->l2tp);
    climb_watch_l2tp(d, now);
    l2tp_start(d->l2tp, now);
}

static void on_sa_ready(struct dial *d, l2tpc_us now)
{
    if (d->l2tp || d->deadline.sccrq != US_NEVER)
        return;
    stage_end(d, STAGE_IKE_QUICK, now);
    if (d->closing != CLOSING_NOT)
        return;
    stage_begin(d, STAGE_ESP_CHECK, now);
    if (server_apply(d, SERVER_INSTALLS_LATE))
        d->deadline.sccrq = us_add(now, SCCRQ_HOLD);
    else
        dial_start_l2tp(d, now);
}

static void fail_closed(struct dial *d, l2tpc_us now)
{
    struct failure f = failure_make(FAILURE_PEER_CLOSED);

    failure_set_peer_text(&f, span_str("Delete of the IKE SA"));
    fail_up(d, f.id, &f, now);
}

/*
 * Some servers delete an IKE SA that they do not need at the moment: the ESP pairs live on while a
 * new one is made. A server that deletes both wants no more of us.
 */
static void on_ike_deleted(struct dial *d, l2tpc_us now)
{
    if (!d->facts.up || !data_current(&d->data))
        fail_closed(d, now);
}

static void on_sa_deleted(struct dial *d, uint32_t spi, l2tpc_us now)
{
    rekey_on_deleted(d, spi, now);
    if (!data_current(&d->data) && !d->facts.ike->established)
        fail_closed(d, now);
}

static void on_ike_stage(struct dial *d, enum stage s, l2tpc_us now)
{
    if (s == STAGE_IKE_AUTH) {
        (void)server_apply(d, SERVER_PORT_1701); /* before quick mode names the port */
        server_choose_port(d);                   /* before the first datagram leaves by it */
        stage_end(d, STAGE_IKE_PHASE1, now);
    }
    if (d->closing == CLOSING_NOT && s != STAGE_IKE_PHASE1)
        stage_begin(d, s, now);
}

static void on_ike(struct dial *d, struct ike_event *e, l2tpc_us now)
{
    struct dial_event need;

    switch (e->type) {
    case IKE_EVENT_STAGE:
        d->mm5 += e->stage == STAGE_IKE_AUTH && !d->facts.up;
        on_ike_stage(d, e->stage, now);
        break;
    case IKE_EVENT_NEED_PSK:
        /* Message 4 has come: whoever wants no more than phase 1 must not send message 5. */
        if (!d->config.aggressive)
            on_ike_stage(d, STAGE_IKE_AUTH, now);
        if (d->closing != CLOSING_NOT)
            break;
        /* In aggressive mode nothing was sent yet: an address has no time to answer in. */
        if (d->facts.ike->received == 0)
            d->deadline.address = US_NEVER;
        d->ike_need = e->need;
        if (d->secrets->psk.n > 0)
            ike_answer_psk(d->ike, e->need, secret_span(&d->secrets->psk), now);
        else
            dial_events_push(&d->events, need_new(d, DIAL_NEED_PSK, &need));
        break;
    case IKE_EVENT_NEED_SIGN:
        d->ike_need = e->need;
        if (d->closing == CLOSING_NOT) {
            need_new(d, DIAL_NEED_SIGN, &need);
            memcpy(need.digest, e->digest, sizeof(need.digest));
            need.n_digest = e->n_digest;
            dial_events_push(&d->events, &need);
        }
        break;
    case IKE_EVENT_NEED_CERT_STATUS:
        d->ike_need = e->need;
        if (d->closing == CLOSING_NOT)
            dial_events_push(&d->events, need_new(d, DIAL_NEED_CERT_STATUS, &need));
        break;
    case IKE_EVENT_AUTHENTICATED:
        d->facts.was_authenticated = true;
        climb_note_peer(d);
        stage_end(d, STAGE_IKE_AUTH, now);
        break;
    case IKE_EVENT_SA_PAIR:
#if L2TPC_TEST_HOOKS
        d->test_sas[d->n_test_sas++ % (sizeof(d->test_sas) / sizeof(d->test_sas[0]))] = e->sa;
#endif
        climb_on_pair(d, &e->sa, now);
        rekey_on_pair(d, &e->sa, now);
        break;
    case IKE_EVENT_SA_READY:
        rekey_on_ready(d, e->spi, e->proven, now);
        on_sa_ready(d, now);
        break;
    case IKE_EVENT_SA_DELETED:
        on_sa_deleted(d, e->spi, now);
        break;
    case IKE_EVENT_SA_LIFETIME:
        rekey_on_lifetime(d, &e->sa, e->spi, now);
        break;
    case IKE_EVENT_REKEY_FAILED:
        rekey_on_failed(d, now);
        break;
    case IKE_EVENT_IKE_DELETED:
        on_ike_deleted(d, now);
        break;
    case IKE_EVENT_CLOSED:
        if (e->by_peer)
            on_ike_deleted(d, now);
        break;
    case IKE_EVENT_PEER_DEAD:
        d->l2tp_over = d->ppp_over = true;
        fail_up(d, FAILURE_PEER_DEAD, &e->failure, now);
        break;
    case IKE_EVENT_FAILED:
        if (d->deadline.address != US_NEVER && d->facts.ike->received == 0) {
            d->facts.failure = e->failure;
            try_next_address(d, now);
        } else if (d->facts.up || !climb_on(d, &e->failure, now)) {
            dial_fail_now(d, &e->failure, now);
        }
        break;
    case IKE_EVENT_QUICK_FAILED:
        climb_on_quick_failed(d, &e->failure, now);
        break;
    }
}

/* ---- l2tp ---- */

/* SoftEther serves an address that is asked for without DHCP, which then knows nothing of it, and
 * asks its DHCP for the rest, whose answer goes to whom had the address before. */
static struct inaddr wanted_ip(struct dial *d)
{
    const struct inaddr any = {0};

    if (d->config.want_ip.family == 0 || server_apply(d, SERVER_ANY_ADDRESS))
        return any;
    return d->config.want_ip;
}

static void start_ppp(struct dial *d, l2tpc_us now)
{
    struct ppp_config config = {
        .env = d->config.env,
        .crypto = d->config.crypto,
        .mru = d->config.mru ? d->config.mru : inner_mtu_max(d),
        .auth = d->config.auth,
        .want_ip = wanted_ip(d),
        .want_dns = true,
        .nt_hash_utf8_bytes = d->config.nt_hash_utf8_bytes || server_apply(d, SERVER_UTF8),
    };

    (void)snprintf(config.user, sizeof(config.user), "%s", d->config.user);
    d->ppp = ppp_new(&config);
    if (!d->ppp) {
        struct failure f = failure_make(FAILURE_LOCAL_MEMORY);

        dial_fail_now(d, &f, now);
        return;
    }
    d->facts.ppp = ppp_facts(d->ppp);
    stage_begin(d, STAGE_PPP_LCP, now);
    ppp_start(d->ppp, now);
}

static void on_call_up(struct dial *d, l2tpc_us now)
{
    d->data.now.tunnel_id = d->facts.l2tp->tunnel_id;
    d->data.now.session_id = d->facts.l2tp->session_id;
    d->data.now.peer_tunnel_id = d->facts.l2tp->peer_tunnel_id;
    d->data.now.peer_session_id = d->facts.l2tp->peer_session_id;
    d->data.now.call_up = true;
    d->facts.was_call_up = true;
    stage_end(d, STAGE_L2TP_CALL, now);
    if (d->closing == CLOSING_NOT)
        start_ppp(d, now);
}

static void on_l2tp(struct dial *d, const struct l2tp_event *e, l2tpc_us now)
{
    switch (e->type) {
    case L2TP_EVENT_TUNNEL_UP:
        stage_end(d, STAGE_L2TP_TUNNEL, now);
        if (d->closing == CLOSING_NOT)
            stage_begin(d, STAGE_L2TP_CALL, now);
        break;
    case L2TP_EVENT_CALL_UP:
        on_call_up(d, now);
        break;
    case L2TP_EVENT_CALL_DOWN:
        d->ppp_over = true;
        fail_up(d, FAILURE_PEER_CLOSED, &e->failure, now);
        break;
    case L2TP_EVENT_CLOSED:
        d->l2tp_over = d->ppp_over = true;
        if (d->closing == CLOSING_L2TP)
            close_step(d, now);
        else if (d->closing == CLOSING_NOT)
            fail_up(d, FAILURE_PEER_CLOSED, &e->failure, now);
        break;
    case L2TP_EVENT_PEER_DEAD:
        d->l2tp_over = d->ppp_over = true;
        fail_up(d, FAILURE_PEER_DEAD, &e->failure, now);
        break;
    case L2TP_EVENT_FAILED:
        d->l2tp_over = d->ppp_over = true;
        dial_fail_now(d, &e->failure, now);
        break;
    }
}

/* ---- ppp ---- */

static void on_ip_up(struct dial *d, bool changed, l2tpc_us now)
{
    struct failure f = failure_make(FAILURE_PPP_IP_BAD_ADDRESS);
    char text[ADDR_TEXT_MAX];

    /* As our own address the server's would pull the tunnel's packets into itself (H73). */
    if (inaddr_eq(&d->facts.ppp->local_ip, &d->facts.remote.addr)) {
        failure_set_value(&f, span_str(inaddr_text(&d->facts.remote.addr, text)));
        dial_fail_now(d, &f, now);
        return;
    }
    d->data.now.pfc = d->facts.ppp->pfc;
    d->data.now.ip_open = true;
    if (changed || !d->ip_wanted) {
        inform_begin(d, now);
        need_apply_ip(d, now);
    }
}

static void on_ppp(struct dial *d, const struct ppp_event *e, l2tpc_us now)
{
    struct dial_event need;

    switch (e->type) {
    case PPP_EVENT_LCP_UP:
        stage_end(d, STAGE_PPP_LCP, now);
        if (d->closing == CLOSING_NOT)
            stage_begin(d, STAGE_PPP_AUTH, now);
        break;
    case PPP_EVENT_NEED_PASSWORD:
        d->ppp_need = e->need;
        if (d->closing == CLOSING_NOT)
            dial_events_push(&d->events, need_new(d, DIAL_NEED_PASSWORD, &need));
        break;
    case PPP_EVENT_AUTHENTICATED:
        stage_end(d, STAGE_PPP_AUTH, now);
        if (d->closing == CLOSING_NOT)
            stage_begin(d, STAGE_PPP_IP, now);
        break;
    case PPP_EVENT_IP_UP:
        on_ip_up(d, false, now);
        break;
    case PPP_EVENT_IP_DOWN:
        d->data.now.ip_open = false;
        break;
    case PPP_EVENT_IP_CHANGED:
        on_ip_up(d, true, now);
        break;
    case PPP_EVENT_CLOSED:
        if (d->closing == CLOSING_PPP)
            close_step(d, now);
        break;
    case PPP_EVENT_TERMINATED:
        d->ppp_over = true;
        fail_up(d, FAILURE_PEER_CLOSED, &e->failure, now);
        break;
    case PPP_EVENT_PEER_DEAD:
        d->ppp_over = true;
        fail_up(d, FAILURE_PEER_DEAD, &e->failure, now);
        break;
    case PPP_EVENT_FAILED:
        d->ppp_over = true;
        dial_fail_now(d, &e->failure, now);
        break;
    case PPP_EVENT_ECHOED:
        path_on_echoed(d, (uint8_t)e->need, now);
        break;
    }
}

void dial_pump(struct dial *d, l2tpc_us now)
{
    struct ike_event ike;
    struct l2tp_event l2tp;
    struct ppp_event ppp;
    bool busy;

    /* DOWN is the last word: what was under way behind it is only emptied. */
    do {
        busy = false;
        while (d->ike && ike_pop_event(d->ike, &ike)) {
            if (!d->facts.down)
                on_ike(d, &ike, now);
            wipe(&ike, sizeof(ike));
            busy = true;
        }
        while (d->l2tp && l2tp_pop_event(d->l2tp, &l2tp)) {
            if (!d->facts.down)
                on_l2tp(d, &l2tp, now);
            busy = true;
        }
        while (d->ppp && ppp_pop_event(d->ppp, &ppp)) {
            if (!d->facts.down)
                on_ppp(d, &ppp, now);
            busy = true;
        }
    } while (busy);
    if (!d->facts.up)
        server_look(d);
    path_follow(d, now);
}

void dial_close_overdue(struct dial *d, l2tpc_us now)
{
    if (d->closing != CLOSING_DONE)
        down(d, now);
}

void dial_end(struct dial *d, l2tpc_us now)
{
    dial_close(d, now);
    dial_close_overdue(d, now);
    dial_pump(d, now);
}

unsigned dial_former(const struct dial *d, struct l2tp_former out[L2TP_FORMER_MAX])
{
    struct l2tp_former before[L2TP_FORMER_MAX];
    unsigned n_before = d->config.n_former;
    unsigned n = 0;

    memcpy(before, d->config.former, sizeof(before));
    if (d->l2tp) {
        n = l2tp_get_former(d->l2tp, &out[0]);
        n_before = l2tp_formers_left(d->l2tp, before);
    }
    /* One that came up is served: nothing of before stands in its way. */
    for (unsigned i = 0; i < n_before && n < L2TP_FORMER_MAX && !d->facts.up; i++)
        out[n++] = before[i];
    return n;
}
