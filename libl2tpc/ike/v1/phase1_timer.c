/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What silence means in main mode: when to send again, when to probe port 4500, how it ends. */
#include "ike/v1/engine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *waited_for(const struct ike *ike)
{
    return ike->state == P1_MM1_SENT   ? "main mode 2"
           : ike->state == P1_AM1_SENT ? "aggressive mode 2"
           : ike->state == P1_MM3_SENT ? "main mode 4"
                                       : "main mode 6";
}

static struct failure timeout(const struct ike *ike, enum failure_id id)
{
    return failure_timeout(id, waited_for(ike), ike->rtx.sends);
}

static struct failure unreachable(const struct ike *ike)
{
    struct failure f = timeout(ike, FAILURE_IKE_UNREACHABLE);
    char text[32];

    switch (ike->unreachable) {
    case ECONNREFUSED:
        (void)snprintf(text, sizeof(text), "port unreachable");
        break;
    case EHOSTUNREACH:
        (void)snprintf(text, sizeof(text), "host unreachable");
        break;
    case ENETUNREACH:
        (void)snprintf(text, sizeof(text), "network unreachable");
        break;
    case EACCES:
    case EPERM:
        (void)snprintf(text, sizeof(text), "administratively prohibited");
        break;
    default:
        (void)snprintf(text, sizeof(text), "error %d", ike->unreachable);
        break;
    }
    failure_set_value(&f, span_str(text));
    f.os_error = ike->unreachable;
    return f;
}

/* It went as one message that the network had to cut, and much of the network drops the pieces. */
static bool is_too_long(const struct ike *ike)
{
    return packet_is_long(ike, (enum ike_port)ike->rtx.tag, ike->rtx.n) &&
           !ike->facts.fragmentation;
}

static struct failure too_long(const struct ike *ike)
{
    struct failure f = timeout(ike, FAILURE_IKE_AUTH_CERT_LENGTH);
    char text[16];

    (void)snprintf(text, sizeof(text), "%zu", ike->rtx.n);
    failure_set_value(&f, span_str(text));
    return f;
}

/* The stage's time is over: the most telling reason there is. */
static struct failure reason_of_silence(const struct ike *ike)
{
    if (ike->hint.set) {
        struct failure f = ike->hint.failure;

        (void)snprintf(f.waited_for, sizeof(f.waited_for), "%s", waited_for(ike));
        f.sends = ike->rtx.sends;
        return f;
    }
    switch (ike->state) {
    case P1_MM1_SENT:
    case P1_AM1_SENT:
        return ike->unreachable ? unreachable(ike) : timeout(ike, FAILURE_IKE_NO_ANSWER);
    case P1_MM3_SENT:
        return timeout(ike, FAILURE_IKE_CUT_OFF);
    default:
        break;
    }
    if (ike->cfg.credential && !(ike->facts.floated && !ike->probe.answered))
        return is_too_long(ike) ? too_long(ike) : timeout(ike, FAILURE_IKE_AUTH_CERT_TIMEOUT);
    if (!ike->facts.floated)
        return timeout(ike, FAILURE_IKE_AUTH_TIMEOUT);
    return timeout(ike, ike->probe.answered ? FAILURE_IKE_AUTH_PSK : FAILURE_IKE_PORT_4500);
}

/*
 * A server that cannot read message 5 stays silent, and so does a port 4500 that somebody closed. A
 * fresh message 1 to port 4500 tells the two apart: any answer means that the port is open.
 */
static void start_probe(struct ike *ike, l2tpc_us now)
{
    struct ike_probe *p = &ike->probe;
    struct build b;
    struct span mm1;

    if (!env_rand(ike->cfg.env, p->cky, sizeof(p->cky)) ||
        !phase1_build_mm1(ike, p->cky, &b, &mm1) ||
        !retransmit_start(&p->rtx, IKE_PORT_4500, mm1, RTO_FIRST, now))
        return;
    p->started = true;
    ike_send(ike, IKE_PORT_4500, mm1, now);
    ike_log(ike, LOG_LEVEL_DEBUG, "no answer to main mode 5: probing port 4500");
}

void phase1_note_4500(struct ike *ike)
{
    struct ike_probe *p = &ike->probe;

    if (ike->state != P1_MM5_SENT || !ike->facts.floated || p->answered)
        return;
    p->answered = true;
    p->sends_then = ike->rtx.sends;
    retransmit_stop(&p->rtx);
    ike_log(ike, LOG_LEVEL_DEBUG, "port 4500 is open");
}

enum verdict phase1_probe_input(struct ike *ike, const struct ike_in *in)
{
    if (!ike->probe.started || in->header.exchange == 0)
        return VERDICT_DROP;
    phase1_note_4500(ike);
    return VERDICT_OK;
}

static l2tpc_us probe_wait(const struct ike *ike)
{
    return ike->cfg.probe_wait ? ike->cfg.probe_wait : IKE_PROBE_WAIT;
}

static bool psk_seems_wrong(const struct ike *ike, l2tpc_us now)
{
    /* With signatures the server can read message 5 whatever we sign: it may be busy with CRLs. */
    return !ike->cfg.credential && ike->probe.answered &&
           ike->rtx.sends >= ike->probe.sends_then + IKE_PROBE_MORE &&
           now >= us_add(ike->stage_first, IKE_PSK_SILENCE);
}

static bool port_seems_closed(const struct ike *ike, l2tpc_us now)
{
    return ike->probe.started && !ike->probe.answered &&
           now >= us_add(ike->stage_first, probe_wait(ike));
}

static l2tpc_us patience(const struct ike *ike)
{
    if (ike->role == IKE_ROLE_ROOT && ike->state == P1_MM1_SENT && ike->cfg.mm1_wait)
        return ike->cfg.mm1_wait;
    if (ike->role == IKE_ROLE_ROOT && ike->state == P1_MM5_SENT && ike->cfg.mm5_wait)
        return ike->cfg.mm5_wait;
    return ike->role == IKE_ROLE_ROOT ? IKE_DEADLINE : IKE_RENEW_DEADLINE;
}

static l2tpc_us hint_wait(const struct ike *ike)
{
    return ike->cfg.hint_wait && ike->state == P1_MM1_SENT ? ike->cfg.hint_wait : IKE_HINT_WAIT;
}

/* The next rung of the ladder is worth more than the next repetition; but who is said to be
 * unreachable may be starting up. */
static bool is_given_up(const struct ike *ike, l2tpc_us now)
{
    return ike->role == IKE_ROLE_ROOT && ike->state == P1_MM1_SENT && ike->cfg.mm1_sends > 0 &&
           ike->unreachable == 0 && ike->rtx.sends >= ike->cfg.mm1_sends &&
           now >= retransmit_due(&ike->rtx);
}

/* Returns true when the exchange is over. */
static bool judge_silence(struct ike *ike, l2tpc_us now)
{
    bool over = ike->hint.set && ike->hint.early && now >= us_add(ike->hint.at, hint_wait(ike));

    over = over || now >= us_add(ike->stage_first, patience(ike)) || is_given_up(ike, now);
    if (ike->state == P1_MM5_SENT && ike->facts.floated) {
        over = over || port_seems_closed(ike, now);
        over = over || (now >= retransmit_due(&ike->rtx) && psk_seems_wrong(ike, now));
    }
    if (over) {
        struct failure f = reason_of_silence(ike);

        cert_say_goodbye(ike, now);
        (void)ike_fail(ike, &f);
    }
    return over;
}

void phase1_timer(struct ike *ike, l2tpc_us now)
{
    if (judge_silence(ike, now))
        return;
    if (now >= retransmit_due(&ike->rtx)) {
        if (ike->role == IKE_ROLE_ROOT && ike->state == P1_MM5_SENT && ike->facts.floated &&
            !ike->probe.started && !ike->probe.answered && ike->rtx.sends >= IKE_PROBE_AFTER)
            start_probe(ike, now);
        ike_resend(ike, &ike->rtx, IKE_BACKOFF_CAP, now);
    }
    if (now >= retransmit_due(&ike->probe.rtx))
        ike_resend(ike, &ike->probe.rtx, IKE_BACKOFF_CAP, now);
}

l2tpc_us phase1_deadline(const struct ike *ike)
{
    l2tpc_us at = us_add(ike->stage_first, patience(ike));

    at = us_min(at, retransmit_due(&ike->rtx));
    at = us_min(at, retransmit_due(&ike->probe.rtx));
    if (ike->hint.set && ike->hint.early)
        at = us_min(at, us_add(ike->hint.at, hint_wait(ike)));
    if (ike->probe.started && !ike->probe.answered)
        at = us_min(at, us_add(ike->stage_first, probe_wait(ike)));
    return at;
}
