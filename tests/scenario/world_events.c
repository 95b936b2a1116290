/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the dial asks and says: the driver's answers, and what is remembered of the rest. */
#include "world.h"

#include <stdio.h>

/* ---- needs ---- */

static void answer(struct world *w, enum dial_need_type need, uint32_t id)
{
    struct world_config *c = &w->config;
    static const enum failure_id why[] = {[DIAL_NEED_RESOLVE] = FAILURE_RESOLVE_NOT_FOUND,
                                          [DIAL_NEED_SOCKETS] = FAILURE_LOCAL_SOCKET,
                                          [DIAL_NEED_TUN] = FAILURE_LOCAL_TUN,
                                          [DIAL_NEED_APPLY_IP] = FAILURE_LOCAL_CONFIGURE};
    struct failure f = failure_make(why[need]);
    const struct failure *failure = c->script[need].answer == ANSWER_FAILURE ? &f : NULL;
    const char *text = need == DIAL_NEED_PSK ? c->psk : c->password;
    struct span secret = span_str(text ? text : "");
    l2tpc_us now = w->sim.now;

    failure_set_value(&f, span_str("scripted"));
    switch (need) {
    case DIAL_NEED_RESOLVE:
        dial_answer_resolve(w->dial, id, c->address, c->n_address, failure, now);
        break;
    case DIAL_NEED_SOCKETS:
        dial_set_outer_mtu(w->dial, c->outer_mtu);
        dial_answer_sockets(w->dial, id, &c->local, 4500, failure, now);
        break;
    case DIAL_NEED_PSK:
    case DIAL_NEED_PASSWORD:
        dial_answer_secret(w->dial, id, failure ? NULL : &secret, now);
        break;
    case DIAL_NEED_TUN:
    case DIAL_NEED_APPLY_IP:
    case DIAL_NEED_CERT_STATUS:
        dial_answer_done(w->dial, id, failure, now);
        break;
    case DIAL_NEED_SIGN: /* its dials have no certificate */
        dial_answer_sign(w->dial, id, NULL, now);
        break;
    }
}

static void on_need(struct world *w, const struct dial_event *e)
{
    const struct world_script *s = &w->config.script[e->need];

    w->needs[e->need]++;
    if (e->need == DIAL_NEED_SOCKETS)
        w->asked_remote = e->remote;
    if (e->need == DIAL_NEED_APPLY_IP)
        w->ip = e->ip;
    if (s->answer == ANSWER_NEVER)
        return;
    if (s->delay == 0) {
        answer(w, e->need, e->need_id);
        return;
    }
    w->need[e->need].open = true;
    w->need[e->need].id = e->need_id;
    w->need[e->need].due = us_add(w->sim.now, s->delay);
}

void world_answer_due(struct world *w)
{
    for (unsigned i = 0; i < WORLD_NEEDS; i++) {
        if (w->need[i].open && w->need[i].due <= w->sim.now) {
            w->need[i].open = false;
            answer(w, (enum dial_need_type)i, w->need[i].id);
        }
    }
}

/* ---- events ---- */

static void on_failed(struct world *w, const struct dial_event *e)
{
    if (w->failed)
        world_violation(w, "failed twice");
    w->failed = true;
    w->failed_at = w->sim.now;
    w->failure = e->failure;
    w->failed_stage = e->stage;
}

void world_take_event(struct world *w, const struct dial_event *e)
{
    char text[44] = "";

    if (w->down)
        world_violation(w, "event %d behind DOWN", (int)e->type);
    switch (e->type) {
    case DIAL_EVENT_NEED:
        snprintf(text, sizeof(text), "need %d", (int)e->need);
        break;
    case DIAL_EVENT_STAGE_BEGIN:
    case DIAL_EVENT_STAGE_END:
        snprintf(text, sizeof(text), "%s %s", stage_name(e->stage),
                 e->type == DIAL_EVENT_STAGE_BEGIN ? "begins" : "done");
        break;
    case DIAL_EVENT_SA_CHANGED:
        w->sa_changes++;
        snprintf(text, sizeof(text), "SA changed");
        break;
    case DIAL_EVENT_REKEYED:
        w->rekeyed++;
        snprintf(text, sizeof(text), "rekeyed");
        break;
    case DIAL_EVENT_UP:
        w->up = true;
        w->up_at = w->sim.now;
        snprintf(text, sizeof(text), "UP");
        break;
    case DIAL_EVENT_RELEASE_IP:
        w->released = true;
        snprintf(text, sizeof(text), "release IP");
        break;
    case DIAL_EVENT_FAILED:
        on_failed(w, e);
        snprintf(text, sizeof(text), "FAILED %s", failure_code(e->failure.id));
        break;
    case DIAL_EVENT_RUNG:
        w->rungs++;
        snprintf(text, sizeof(text), "rung %s", rung_name(dial_facts(w->dial)->ladder->now.rung));
        break;
    case DIAL_EVENT_WARNING:
        w->warning = e->failure;
        snprintf(text, sizeof(text), "warning %s", failure_code(e->failure.id));
        break;
    case DIAL_EVENT_LEARNED:
        w->has_learned = dial_learned(w->dial, &w->learned);
        snprintf(text, sizeof(text), "learned");
        break;
    case DIAL_EVENT_DOWN:
        w->down = true;
        w->down_at = w->sim.now;
        snprintf(text, sizeof(text), "DOWN");
        break;
    }
    world_line_add(w, LINE_EVENT, text);
    if (e->type == DIAL_EVENT_NEED)
        on_need(w, e);
}
