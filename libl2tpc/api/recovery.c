/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A tunnel that was up and is lost is dialed again. The session lives on meanwhile with what it has
 * changed on the computer - TUN, addresses, routes, rules, DNS - so that nothing leaves beside the
 * tunnel that is not there. Each try is a dial of its own, one at a time.
 */
#include "api/internal.h"
#include "base/env.h"
#include "io/env.h"
#include "io/ports.h"

#include <errno.h>
#include <string.h>

static struct recovery *of(l2tpc_session *s)
{
    return &s->recovery;
}

static void on_timer(void *user, l2tpc_us now);

void recovery_init(l2tpc_session *s)
{
    struct recovery *r = of(s);

    r->on = s->config.reconnect && s->config.until == STAGE_UP;
    r->tun_fd = -1;
    r->timer = (struct loop_timer){.fn = on_timer, .user = s};
}

/* The TUN has to outlive the dial that runs it. */
void recovery_keep_tun(l2tpc_session *s, int fd)
{
    struct recovery *r = of(s);

    if (!r->on || fd < 0)
        return;
    port_close(r->tun_fd);
    r->tun_fd = port_keep(fd);
}

int recovery_tun(const l2tpc_session *s)
{
    return port_keep(s->recovery.tun_fd);
}

static void drop_tun(struct recovery *r)
{
    port_close(r->tun_fd);
    r->tun_fd = -1;
}

void recovery_up(l2tpc_session *s, l2tpc_us now)
{
    struct recovery *r = of(s);
    const struct dial_facts *f = runner_facts(s->runner);

    if (!r->on)
        return;
    if (r->active && r->was_up)
        r->count++;
    r->active = r->no_way = false;
    r->was_up = true;
    r->has_learned = runner_learned(s->runner, &r->learned);
    r->n_others = runner_addresses(s->runner, r->others);
    r->local_ip = f->ip.local;
    r->server = f->remote.addr;
    r->may_ask = s->link || !runner_way_told(s->runner);
    reconnect_up(&r->policy, now);
}

static void tell_reconnecting(l2tpc_session *s)
{
    l2tpc_event *e = event_new(s, L2TPC_EVENT_RECONNECTING, s->recovery.failure.stage);

    if (!e)
        return;
    e->has_error = true;
    e->error.failure = s->recovery.failure;
    e->wait_ms = (unsigned)(s->recovery.wait / 1000);
    event_queue(s, e);
}

static void forget_tun(l2tpc_session *s)
{
    struct recovery *r = of(s);

    if (r->kept)
        serve_release_ip(s);
    r->kept = false;
    drop_tun(r);
}

static bool is_no_network(int why)
{
    return why == ENETUNREACH || why == EHOSTUNREACH || why == ENETDOWN || why == EADDRNOTAVAIL;
}

/* True when packets to the server have no way out of this computer. */
static bool has_no_way(l2tpc_session *s)
{
    const struct dial_facts *f = runner_facts(s->runner);
    struct endpoint server = {.addr = s->recovery.server, .port = s->config.port};
    struct runner_route way;

    if (f->remote.addr.family != 0)
        server = f->remote;
    if (server.addr.family == 0)
        return !runner_has_network(s->runner);
    if (runner_find_way(s->runner, &server, &way) || !is_no_network(errno))
        return false;
    /* An address of the other family only is a mistake that waiting does not cure. */
    return s->recovery.was_up || !runner_has_network(s->runner);
}

static bool is_about_the_way(const struct failure *f)
{
    return f->id == FAILURE_IKE_UNREACHABLE || f->stage == STAGE_RESOLVE;
}

/* The first dial waits for no longer than the user does. */
static bool may_wait(const l2tpc_session *s, l2tpc_us now)
{
    const struct recovery *r = &s->recovery;

    return r->was_up || s->config.timeout_s == 0 ||
           us_add(now, RECONNECT_NO_WAY) < us_add(r->begun, US_S(s->config.timeout_s));
}

/* No network is no failure of anybody's: nothing is sent until there is one. */
static bool waits_for_network(l2tpc_session *s, const struct failure *f, l2tpc_us now)
{
    struct recovery *r = of(s);
    const struct dial_facts *facts = runner_facts(s->runner);
    bool known = r->no_way;

    r->no_way = is_about_the_way(f) && may_wait(s, now) && has_no_way(s);
    if (!r->no_way)
        return false;
    if (r->server.family == 0) {
        r->server = facts->remote.addr;
        r->may_ask = s->link || !runner_way_told(s->runner);
        r->n_others = runner_addresses(s->runner, r->others);
    }
    r->wait = 0; /* nobody knows how long that will be */
    r->again = r->active = true;
    if (!known)
        tell_reconnecting(s);
    r->wait = RECONNECT_NO_WAY;
    return true;
}

/* A server that does not give us the address of before gives us another one. */
static void judge_wish(struct recovery *r, const struct failure *f)
{
    if (r->active && f->stage == STAGE_PPP_IP)
        r->local_ip = (struct inaddr){0};
}

bool recovery_takes(l2tpc_session *s, const struct failure *f, l2tpc_us now)
{
    struct recovery *r = of(s);
    uint32_t random = 0;

    if (r->active && r->was_up && r->stopping && f->id == FAILURE_LOCAL_CANCELLED)
        return true; /* the end that was asked for is no failure */
    r->again = false;
    if (!r->on || r->stopping)
        return false;
    r->failure = *f;
    if (waits_for_network(s, f, now))
        return true;
    if (!r->was_up)
        return false;
    judge_wish(r, f);
    if (!env_rand_u32(&s->context->env, &random))
        random = UINT32_MAX / 2;
    r->again = r->active = reconnect_next(&r->policy, f, now, random, &r->wait);
    if (!r->again)
        return false;
    if (f->id == FAILURE_TUN_GONE)
        forget_tun(s); /* its routes went with it: the next dial makes everything anew */
    tell_reconnecting(s);
    return true;
}

bool recovery_keeps_ip(l2tpc_session *s)
{
    struct recovery *r = of(s);

    r->kept = r->again && r->tun_fd >= 0;
    return r->kept;
}

void recovery_applied(l2tpc_session *s)
{
    s->recovery.kept = false; /* the present dial says when it is to be released */
}

bool recovery_waits(l2tpc_session *s, l2tpc_us now)
{
    struct recovery *r = of(s);

    if (!r->again)
        return false;
    r->again = false;
    r->waiting = true;
    loop_timer_set(s->context->loop, &r->timer, us_add(now, r->wait));
    return true;
}

void recovery_end(l2tpc_session *s)
{
    struct recovery *r = of(s);

    loop_timer_cancel(s->context->loop, &r->timer);
    r->waiting = r->active = false;
    forget_tun(s);
}

static void dial_again(l2tpc_session *s, l2tpc_us now)
{
    struct recovery *r = of(s);
    struct runner *old = s->runner;
    struct runner *next;
    struct failure f = failure_make(FAILURE_LOCAL_MEMORY);
    struct inaddr others[DIAL_ADDRESSES_MAX];
    unsigned n;

    if (!session_signer_ready(
            s)) { /* a token is still asked for a signature that nobody needs any more */
        loop_timer_set(s->context->loop, &r->timer, us_add(now, RECONNECT_TOKEN));
        return;
    }
    r->waiting = false;
    r->n_former = runner_former(old, r->former);
    n = runner_addresses(old, others);
    if (n > 0) { /* what was looked up for a dial that failed is tried again behind the last good */
        memcpy(r->others, others, n * sizeof(others[0]));
        r->n_others = n;
    }
    next = session_runner(s);
    if (!next) {
        session_over(s, &f);
        return;
    }
    s->runner = next;
    runner_free(old);
    s->kernel_at_end = (struct kernel_counts){0};
    runner_know_address(next, &r->server,
                        r->may_ask && (s->link || reconnect_resolves(&r->policy)));
    runner_know_others(next, r->others, r->n_others);
    session_show_credential(s);
    runner_start(next, now);
}

static void on_timer(void *user, l2tpc_us now)
{
    l2tpc_session *s = user;

    if (s->recovery.stopping)
        runner_end(s->runner, now);
    else if (s->recovery.waiting)
        dial_again(s, now);
}

bool recovery_stop(l2tpc_session *s, l2tpc_us now)
{
    struct recovery *r = of(s);
    struct failure cancelled = failure_make(FAILURE_LOCAL_CANCELLED);
    bool again = r->again;

    r->again = false;
    if (!r->active) {
        r->on = false; /* no way back from a polite end that fails */
        return false;
    }
    r->stopping = true;
    if (r->waiting) {
        session_over(s, r->was_up ? NULL : &cancelled);
        return true;
    }
    loop_timer_set(s->context->loop, &r->timer, us_add(now, RECONNECT_STOP));
    return again; /* the lost dial is saying goodbye already */
}

void recovery_fill_dial(const l2tpc_session *s, struct dial_config *out)
{
    const struct recovery *r = &s->recovery;

    out->want_ip = r->local_ip;
    if (r->active && r->was_up) {
        out->patience = REDIAL_PATIENCE;
        out->impatient = r->may_ask && r->policy.tries == 1;
    }
    if (r->has_learned) {
        out->has_learned = true;
        out->learned = r->learned;
    }
    memcpy(out->former, r->former, sizeof(out->former));
    out->n_former = r->n_former;
}

/* Gives the present dial up for one from another address; nobody hears a goodbye from the old one.
 */
static void move(l2tpc_session *s, const struct inaddr *local, l2tpc_us now)
{
    struct failure f = failure_make(FAILURE_NETWORK_CHANGED);
    char text[ADDR_TEXT_MAX];

    failure_set_value(&f, span_str(inaddr_text(local, text)));
    runner_fail(s->runner, &f, now);
    runner_end(s->runner, now);
}

void recovery_network_changed(l2tpc_session *s, l2tpc_us now)
{
    struct recovery *r = of(s);
    const struct dial_facts *f = runner_facts(s->runner);
    struct runner_route way;

    if (!r->on || r->stopping)
        return;
    if (r->waiting && r->no_way) {
        if (!has_no_way(s))
            loop_timer_set(s->context->loop, &r->timer, now);
        return;
    }
    if (f->remote.addr.family == 0 || f->local.addr.family == 0)
        return;
    if (!runner_find_way(s->runner, &f->remote, &way))
        return; /* a link that flaps may be back before anybody has missed it */
    if (r->waiting) {
        if (!inaddr_eq(&way.local, &f->local.addr) || r->failure.id == FAILURE_IKE_UNREACHABLE)
            loop_timer_set(s->context->loop, &r->timer, now);
        return;
    }
    if ((f->up || r->active) && !f->closing && !inaddr_eq(&way.local, &f->local.addr))
        move(s, &way.local, now);
}

/* A secret that was typed is kept for the next dial; the config is wiped with the session. */
void recovery_keep_secret(l2tpc_session *s, uint32_t need, const struct span *secret)
{
    struct recovery *r = of(s);
    l2tpc_config *c = &s->config;

    if (!r->on || !secret || need == 0)
        return;
    if (need == s->asked_psk)
        c->has_psk = secret_set(&c->secrets->psk, *secret);
    if (need == s->asked_password)
        c->has_password = secret_set(&c->secrets->password, *secret);
}
