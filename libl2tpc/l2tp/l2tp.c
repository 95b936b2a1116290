/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Timers of the engine, each recomputed from state by l2tp_deadline():
 *   retransmission   the reliable channel's own
 *   giving up        of the tunnel (until SCCCN is acknowledged), of the call (until ICRP), and of
 *                    an established tunnel whose peer acknowledges nothing
 *   HELLO            nothing heard for config.hello while nothing of ours is outstanding
 *   close            CLOSE_WAIT after l2tp_close()
 *   former           StopCCN again for tunnels that the peer may still hold
 */
#include "l2tp/l2tp.h"

#include "l2tp/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool random_id(const struct env *env, uint16_t *out)
{
    /* Zero means "not assigned"; a source that gives nothing else has failed. */
    for (int i = 0; i < 8; i++) {
        if (!env_rand_u16(env, out))
            return false;
        if (*out != 0)
            return true;
    }
    return false;
}

/* All of it, when there is a secret in it: it is small. */
static const struct vault *vault_of(const struct l2tp_config *config)
{
    return config->has_secret ? config->env->vault : NULL;
}

struct l2tp *l2tp_new(const struct l2tp_config *config)
{
    const struct vault *vault = vault_of(config);
    struct l2tp *l = vault_take(vault, sizeof(*l));

    if (!l)
        return NULL;
    l->config = *config;
    l->vault = vault;
    l->config.host_name[sizeof(l->config.host_name) - 1] = 0;
    if (l->config.host_name[0] == 0)
        (void)snprintf(l->config.host_name, sizeof(l->config.host_name), "l2tpc");
    if (l->config.hello == 0)
        l->config.hello = L2TP_HELLO;
    if (!config->has_secret || config->secret.n == 0) {
        secret_wipe(&l->config.secret);
        l->config.has_secret = false;
    }
    l->stage_due = l->close_due = l->former_due = US_NEVER;
    reliable_init(&l->reliable, &l->facts, &l->out, l->config.env);
    reliable_expect(&l->reliable, config->rtt);
    if (!random_id(config->env, &l->facts.tunnel_id) ||
        !random_id(config->env, &l->facts.session_id) ||
        !env_rand_u32(config->env, &l->call_serial) ||
        !env_rand(config->env, l->challenge, sizeof(l->challenge))) {
        l2tp_free(l);
        return NULL;
    }
    return l;
}

void l2tp_free(struct l2tp *l)
{
    if (!l)
        return;
    reliable_clear(&l->reliable);
    msgq_clear(&l->out);
    vault_give(l->vault, l, sizeof(*l));
}

void l2tp_emit(struct l2tp *l, enum l2tp_event_type type, bool by_peer,
               const struct failure *failure)
{
    struct l2tp_event e = {.type = type, .by_peer = by_peer};

    if (failure)
        e.failure = *failure;
    if (type == L2TP_EVENT_FAILED || type == L2TP_EVENT_PEER_DEAD)
        l->failed = true;
    (void)l2tp_events_push(&l->events, &e);
}

static void silence(struct l2tp *l, enum control_state state)
{
    former_note(l);
    reliable_clear(&l->reliable);
    l->facts.tunnel_up = false;
    l->facts.call_up = false;
    l->stage_due = l->close_due = l->former_due = US_NEVER;
    l->control = state;
}

void l2tp_fail(struct l2tp *l, enum l2tp_event_type type, const struct failure *failure,
               uint16_t code, uint16_t error, l2tpc_us now)
{
    /* Said once: the peer's own timers clean up when it is lost. */
    if (code != 0 && send_StopCCN(l, code, error))
        reliable_force(&l->reliable, now);
    l2tp_emit(l, type, false, failure);
    silence(l, CONTROL_FAILED);
}

struct failure l2tp_protocol_failure(uint16_t type, const char *what)
{
    struct failure f = failure_make(FAILURE_L2TP_PROTOCOL);
    char text[96];

    (void)snprintf(text, sizeof(text), "%s: %s", message_name(type), what);
    failure_set_value(&f, span_str(text));
    if (message_is_call(type))
        f.stage = STAGE_L2TP_CALL;
    return f;
}

void l2tp_draft(const struct l2tp *l, struct l2tp_draft *d, uint16_t type, uint16_t session_id)
{
    d->type = type;
    d->session_id = session_id;
    d->avps = (struct avp_wr){.w = wr_of(d->buf, sizeof(d->buf))};
    if (l->config.has_secret && l->config.hide_avps) {
        d->key = (struct avp_key){l->config.crypto, secret_span(&l->config.secret),
                                  SPAN_ARRAY(d->random_vector)};
        d->avps.key = &d->key;
        if (!env_rand(l->config.env, d->random_vector, sizeof(d->random_vector)))
            d->avps.w.failed = true;
    }
    avp_put_type(&d->avps, type);
}

bool l2tp_queue(struct l2tp *l, struct l2tp_draft *d)
{
    struct span avps;
    bool ok =
        wr_finish(&d->avps.w, &avps) && reliable_queue(&l->reliable, d->type, d->session_id, avps);

    wipe(d, sizeof(*d));
    return ok;
}

void l2tp_start(struct l2tp *l, l2tpc_us now)
{
    struct failure f = failure_make(FAILURE_LOCAL_MEMORY);

    if (l->control != CONTROL_IDLE)
        return;
    l->heard = now;
    if (l->config.n_former > 0)
        former_send(l, now);
    if (!send_SCCRQ(l)) {
        f.stage = STAGE_L2TP_TUNNEL;
        l2tp_fail(l, L2TP_EVENT_FAILED, &f, 0, 0, now);
        return;
    }
    reliable_pump(&l->reliable, now);
    l->stage_due = us_add(now, L2TP_DEADLINE);
    l->control = CONTROL_SCCRQ_SENT;
}

static bool is_running(const struct l2tp *l)
{
    return l->control != CONTROL_IDLE && l->control != CONTROL_FAILED;
}

static void closed(struct l2tp *l)
{
    l2tp_emit(l, L2TP_EVENT_CLOSED, false, NULL);
    silence(l, CONTROL_CLOSED);
}

/* What waits for an acknowledgement. */
static void after_ack(struct l2tp *l, l2tpc_us now)
{
    if (!reliable_idle(&l->reliable))
        return;
    if (l->control == CONTROL_STOPCCN_SENT)
        closed(l);
    else if (l->control == CONTROL_ESTABLISHED && l->call == CALL_IDLE)
        call_open(l, now);
}

static void deliver(struct l2tp *l, const struct message_header *h, l2tpc_us now)
{
    const struct avp_key key = {l->config.crypto,
                                l->config.has_secret ? secret_span(&l->config.secret) : SPAN_NONE,
                                SPAN_NONE};
    struct message m;

    message_parse(h->avps, &key, &m);
    env_log(l->config.env, LOG_LEVEL_DEBUG, "l2tp", "received %s (type %u) session %u ns %u nr %u",
            message_name(m.type), m.type, h->session_id, h->ns, h->nr);
    control_input(l, h, &m, now);
    message_wipe(&m);
}

static enum verdict drop(struct l2tp *l)
{
    l->facts.dropped++;
    return VERDICT_DROP;
}

enum verdict l2tp_input(struct l2tp *l, struct span control_message, l2tpc_us now)
{
    struct message_header h;
    struct msg held;
    enum reliable_verdict fresh;
    bool failed_before = l->failed;

    if (!is_running(l) || !message_read_header(control_message, &h))
        return drop(l);
    if (h.tunnel_id != l->facts.tunnel_id)
        return former_answered(l, &h) ? VERDICT_OK : drop(l);
    fresh = reliable_receive(&l->reliable, &h, control_message, now);
    if (fresh == RELIABLE_DROP)
        return drop(l);
    l->heard = now;
    l->facts.received++;
    after_ack(l, now);
    if (fresh == RELIABLE_FRESH) {
        deliver(l, &h, now);
        while (l->control != CONTROL_FAILED && reliable_take_held(&l->reliable, &held)) {
            if (message_read_header(span_of(held.bytes, held.n), &h))
                deliver(l, &h, now);
            msg_done(&held);
        }
    }
    if (l->control != CONTROL_FAILED) {
        reliable_pump(&l->reliable, now);
        reliable_flush(&l->reliable, now);
    }
    return l->failed && !failed_before ? VERDICT_FATAL : VERDICT_OK;
}

static l2tpc_us hello_due(const struct l2tp *l)
{
    if (l->control != CONTROL_ESTABLISHED || !reliable_idle(&l->reliable))
        return US_NEVER;
    return us_add(l->heard, l->config.hello);
}

static l2tpc_us give_up_due(const struct l2tp *l)
{
    const struct reliable_msg *oldest = reliable_oldest(&l->reliable);

    if (l->control == CONTROL_SCCRQ_SENT)
        return l->stage_due;
    if (l->control != CONTROL_ESTABLISHED)
        return US_NEVER;
    if (l->call == CALL_IDLE || l->call == CALL_ICRQ_SENT)
        return l->stage_due;
    /* Data that still comes in proves that the peer lives, whatever its control channel does. */
    if (!oldest || oldest->sends == 0)
        return US_NEVER;
    return us_add(us_max(oldest->first, l->heard), L2TP_DEADLINE);
}

static void give_up(struct l2tp *l, l2tpc_us now)
{
    const unsigned *sends = l->reliable.sends;
    const struct reliable_msg *oldest = reliable_oldest(&l->reliable);
    struct failure f;

    if (l->control == CONTROL_SCCRQ_SENT) {
        f = failure_timeout(FAILURE_L2TP_NO_ANSWER, "SCCRP", sends[SCCRQ]);
        l2tp_fail(l, L2TP_EVENT_FAILED, &f, 0, 0, now);
    } else if (l->call == CALL_IDLE) {
        f = failure_timeout(FAILURE_L2TP_NO_ANSWER, "ZLB", sends[SCCCN]);
        l2tp_fail(l, L2TP_EVENT_FAILED, &f, STOPCCN_SHUT_DOWN, ERROR_NONE, now);
    } else if (l->call == CALL_ICRQ_SENT) {
        f = failure_timeout(FAILURE_L2TP_CALL_NO_ANSWER, "ICRP", sends[ICRQ]);
        l2tp_fail(l, L2TP_EVENT_FAILED, &f, STOPCCN_SHUT_DOWN, ERROR_NONE, now);
    } else {
        f = failure_timeout(FAILURE_PEER_DEAD, "ZLB", oldest ? oldest->sends : 0);
        l2tp_fail(l, L2TP_EVENT_PEER_DEAD, &f, 0, 0, now);
    }
}

void l2tp_timer(struct l2tp *l, l2tpc_us now)
{
    if (!is_running(l))
        return;
    if (now >= l->close_due) {
        closed(l);
        return;
    }
    if (now >= give_up_due(l)) {
        give_up(l, now);
        return;
    }
    if (now >= l->former_due)
        former_send(l, now);
    if (now >= hello_due(l)) {
        if (!send_HELLO(l))
            l->heard = now; /* no memory: try again an interval later */
        reliable_pump(&l->reliable, now);
    }
    reliable_timer(&l->reliable, now);
    if (l->control == CONTROL_STOPCCN_SENT)
        reliable_force(&l->reliable, now); /* too little time left to start from a window of one */
    reliable_flush(&l->reliable, now);
}

void l2tp_probe(struct l2tp *l, l2tpc_us now)
{
    if (l->control != CONTROL_ESTABLISHED || !is_running(l))
        return;
    if (reliable_idle(&l->reliable) && send_HELLO(l))
        reliable_pump(&l->reliable, now);
    reliable_flush(&l->reliable, now);
}

l2tpc_us l2tp_deadline(const struct l2tp *l)
{
    if (!is_running(l))
        return US_NEVER;
    return us_min(us_min(us_min(reliable_deadline(&l->reliable), give_up_due(l)), l->former_due),
                  us_min(hello_due(l), l->close_due));
}

bool l2tp_pop_out(struct l2tp *l, struct msg *out)
{
    return msgq_pop(&l->out, out);
}

bool l2tp_pop_event(struct l2tp *l, struct l2tp_event *out)
{
    return l2tp_events_pop(&l->events, out);
}

void l2tp_note_data(struct l2tp *l, l2tpc_us now)
{
    l->heard = us_max(l->heard, now);
}

void l2tp_close(struct l2tp *l, l2tpc_us now)
{
    bool unanswered = l->control == CONTROL_SCCRQ_SENT;
    bool in_call = l->call == CALL_ICRQ_SENT || l->call == CALL_ESTABLISHED;

    if (l->control == CONTROL_IDLE) {
        closed(l);
        return;
    }
    if (!unanswered && l->control != CONTROL_ESTABLISHED)
        return;
    /* A CDN that finds no memory is made up for by the StopCCN behind it. */
    if (in_call)
        (void)!send_CDN(l, l->facts.session_id, l->facts.peer_session_id, CDN_CARRIER_LOST,
                        ERROR_NONE);
    if (!send_StopCCN(l, STOPCCN_SHUT_DOWN, ERROR_NONE)) {
        closed(l);
        return;
    }
    /* Behind an unanswered SCCRQ as well: the peer may hold a tunnel already. */
    reliable_force(&l->reliable, now);
    l->facts.tunnel_up = l->facts.call_up = false;
    l->call = l->call == CALL_IDLE ? CALL_IDLE : CALL_DOWN;
    l->close_due = us_add(now, CLOSE_WAIT);
    l->control = CONTROL_STOPCCN_SENT;
}

const struct l2tp_facts *l2tp_facts(const struct l2tp *l)
{
    return &l->facts;
}
