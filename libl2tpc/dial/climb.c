/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The dial on its ladder: what the next rung means for the engines, and what was learned on it. */
#include "dial/internal.h"

#include "base/secret.h"

#include <stdio.h>
#include <string.h>

void climb_begin(struct dial *d, l2tpc_us now)
{
    struct ladder_config c = {
        .policy = d->config.policy,
        .encapsulation = d->config.encapsulation,
        .port_is_set = d->config.inner_port != 0,
        .learned = d->config.has_learned ? &d->config.learned : NULL,
        .aggressive = d->config.aggressive,
    };

    ladder_init(&d->ladder, &c, now);
    d->facts.ladder = &d->ladder;
}

/* The table of servers may have said 1701 before the first quick mode. */
static void note_port(struct dial *d)
{
    d->ladder.port_tried = d->ladder.port_tried || d->inner_port == L2TP_PORT;
}

static uint16_t inner_port(const struct dial *d)
{
    return d->ladder.now.port_1701 ? L2TP_PORT : d->inner_port;
}

void climb_configure(const struct dial *d, struct ike_config *out)
{
    const struct ladder *l = &d->ladder;
    bool addresses_left = d->deadline.address != US_NEVER;

    out->policy = l->now.policy;
    out->encapsulation = l->now.encapsulation;
    out->inner_port = inner_port(d);
    out->quick_is_told = true;
    out->pfs_first = l->config.learned ? l->learned.pfs : DH_NONE;
    out->mm1_sends = addresses_left ? 0 : l->now.mm1_sends;
    out->mm1_wait = l->now.mm1_wait;
    out->mm5_wait = l->now.mm5_wait;
    out->quick_wait = l->now.quick_wait;
    if (d->config.aggressive)
        out->mm1_wait = 0;
    out->hint_wait = l->now.rung == RUNG_ONE_IKE ? LADDER_HINT_WAIT : 0;
    out->probe_wait = ladder_has_raw(l, d->mm5 + 1) ? LADDER_PROBE_WAIT : 0;
    out->floor_ike = ladder_floor_ike(l);
    out->floor_esp = ladder_floor_esp(l);
}

/* ---- rungs ---- */
static void tell_rung(struct dial *d)
{
    const struct ladder *l = &d->ladder;

    env_log(d->config.env, LOG_LEVEL_INFO, "dial", "%s: trying %s",
            failure_code(l->row[l->n_rows - 1].why), rung_name(l->now.rung));
    dial_emit(d, DIAL_EVENT_RUNG);
}

static void forget_tunnel(struct dial *d)
{
    ppp_free(d->ppp);
    l2tp_free(d->l2tp);
    d->ppp = NULL;
    d->l2tp = NULL;
    d->facts.ppp = NULL;
    d->facts.l2tp = NULL;
    d->data.now.call_up = false;
    d->need[DIAL_NEED_PASSWORD] = 0;
    d->deadline.sccrq = US_NEVER;
}

/* Everything of the try before goes; the server is told as far as it can hear. */
static void new_ike(struct dial *d, l2tpc_us now)
{
    forget_tunnel(d);
    if (d->ike)
        ike_close(d->ike, now);
    ike_free(d->leaving);
    d->leaving = d->ike;
    d->ike = NULL;
    d->facts.ike = NULL;
    data_clear(&d->data);
    d->data.n_installed = 0;
    d->facts.has_sa = false;
    d->facts.sa_pairs = 0;
    d->rekey.asked = false;
    d->rekey.tries = 0;
    d->quick_again = false;
    d->resent_before = 0;
    d->deadline.esp_check = d->deadline.port = d->deadline.no_sa = US_NEVER;
    d->wants_port_1701 = false;
    dial_emit(d, DIAL_EVENT_SA_CHANGED);
    need_sockets(d, d->ladder.now.encapsulation == ENCAPSULATION_ESP, now);
}

static bool new_quick(struct dial *d, l2tpc_us now)
{
    struct ike_quick_try t = {
        .policy = &d->ladder.now.policy,
        .inner_port = inner_port(d),
        .wait = d->ladder.now.quick_wait,
    };

    ike_set_quick(d->ike, &t);
    d->quick_again = ike_quick_again(d->ike, now);
    d->resent_before = d->facts.ike->resent;
    return d->quick_again;
}

static struct ladder_end how_it_ended(const struct dial *d, const struct failure *f, l2tpc_us now)
{
    struct ladder_end end = {
        .failure = *f,
        .now = now,
        .udp_encapsulated = d->facts.has_sa && d->facts.udp_encapsulated,
        .mm5 = d->mm5,
    };

    if (d->facts.ike) {
        end.nat_local = d->facts.ike->nat_local;
        end.nat_remote = d->facts.ike->nat_remote;
    }
    return end;
}

/*
 * Some servers delete the IKE SA behind the quick mode that they refused. The next one is then
 * under way already, and has not been judged.
 */
static bool is_late_delete(const struct dial *d, const struct failure *f)
{
    return d->quick_again && f->id == FAILURE_IKE_QUICK_REFUSED && !f->has_peer_code &&
           d->mm5 < LADDER_MM5_MAX;
}

bool climb_on(struct dial *d, const struct failure *failure, l2tpc_us now)
{
    struct ladder_end end = how_it_ended(d, failure, now);
    enum ladder_step step;

    if (d->closing != CLOSING_NOT || d->facts.up || !d->facts.ladder)
        return false;
    if (is_late_delete(d, failure)) {
        if (d->config.aggressive)
            return false;
        new_ike(d, now);
        return true;
    }
    note_port(d);
    step = ladder_next(&d->ladder, &end);
    if (step == LADDER_OVER)
        return false;
    if (step == LADDER_QUICK && new_quick(d, now)) {
        tell_rung(d);
        return true;
    }
    if (step == LADDER_QUICK && (d->mm5 >= LADDER_MM5_MAX || d->config.aggressive))
        return false;
    tell_rung(d);
    new_ike(d, now);
    return true;
}

/* Port 1701 came to nothing: what is negotiated and remembered from here on has the port before. */
static void leave_port(struct dial *d)
{
    struct ike_quick_try t = {
        .policy = &d->ladder.now.policy,
        .inner_port = d->inner_port,
    };

    d->wants_port_1701 = d->ladder.now.port_1701 = false;
    ike_set_quick(d->ike, &t);
}

void climb_on_quick_failed(struct dial *d, const struct failure *failure, l2tpc_us now)
{
    /* Beside a pair that is there it was only a try: the pair goes on. */
    if (d->wants_port_1701 && data_current(&d->data)) {
        leave_port(d);
        return;
    }
    if (!climb_on(d, failure, now))
        dial_fail_now(d, failure, now);
}

/* ---- source port 1701 ---- */
void climb_watch_l2tp(struct dial *d, l2tpc_us now)
{
    const struct ladder *l = &d->ladder;
    bool short_wait = !d->facts.udp_encapsulated && ladder_has_udp(l, d->mm5);

    note_port(d);
    if (d->deadline.esp_check == US_NEVER) {
        d->esp_check_from = now;
        d->deadline.esp_check = us_add(now, short_wait ? LADDER_ESP_WAIT : ESP_CHECK_DEADLINE);
    }
    if (!l->config.port_is_set && !l->port_tried && !l->now.port_1701)
        d->deadline.port = us_add(now, us_max(LADDER_PORT_WAIT, 4 * d->facts.ike->rtt));
}

void climb_try_port(struct dial *d, l2tpc_us now)
{
    d->deadline.port = US_NEVER;
    if (d->closing != CLOSING_NOT || d->esp_seen || !d->ike || !ladder_take_port(&d->ladder, now))
        return;
    d->wants_port_1701 = new_quick(d, now);
    if (d->wants_port_1701)
        tell_rung(d);
    else
        leave_port(d);
}

/* The pair for port 1701 takes the place of the silent one, and L2TP begins anew inside it. */
void climb_on_pair(struct dial *d, const struct sa_pair *sa, l2tpc_us now)
{
    if (!d->wants_port_1701 || sa->by_peer)
        return;
    d->wants_port_1701 = false;
    forget_tunnel(d);
    for (unsigned i = 0; i < DATA_PAIRS_MAX; i++) {
        uint32_t spi;

        if (!d->data.pair[i].in)
            continue;
        spi = esp_out_spi(d->data.pair[i].out);
        ike_delete_pair(d->ike, spi, now);
        (void)data_remove(&d->data, spi);
    }
    d->facts.sa_pairs = 0;
}

/* ---- memory ---- */
static void warn(struct dial *d, const struct failure *f)
{
    struct dial_event e = {.type = DIAL_EVENT_WARNING, .stage = f->stage, .failure = *f};

    env_log(d->config.env, LOG_LEVEL_WARN, "dial", "%s: %s", failure_code(f->id), f->value);
    dial_events_push(&d->events, &e);
}

/* How much of it leaves room for the other one, in whole characters. */
static int half_of(const char *id)
{
    int n = (int)strnlen(id, PEER_TEXT_MAX / 2 - 8);

    while (n > 0 && ((unsigned char)id[n] & 0xc0) == 0x80)
        n--;
    return n;
}

/* With a pre-shared key any identity is taken, but not in silence; a certificate is proof enough.
 */
void climb_note_peer(struct dial *d)
{
    const struct learned *l = &d->config.learned;
    const struct ike_facts *i = d->facts.ike;
    struct failure f = failure_make(FAILURE_IKE_PEER_ID_CHANGED);

    if (!d->config.has_learned || d->config.credential || !l->peer_id[0] ||
        (strcmp(l->peer_id, i->peer_id) == 0 && strcmp(l->peer_id_type, i->peer_id_type) == 0))
        return;
    if (d->facts.peer_id_changed) /* said on an earlier rung */
        return;
    d->facts.peer_id_changed = true;
    (void)snprintf(f.value, sizeof(f.value), "%.*s (%.*s before)", half_of(i->peer_id), i->peer_id,
                   half_of(l->peer_id), l->peer_id);
    warn(d, &f);
}

static enum strength stronger(enum strength a, enum strength b)
{
    return a > b ? a : b;
}

/* Since this try began. */
static bool is_lossy(const struct dial *d)
{
    return d->facts.ike->resent > d->resent_before || d->facts.l2tp->resent > 0;
}

/* What the table of servers makes of it, or made of it the last time. */
static void name_make(const struct dial *d, struct learned *out)
{
    const struct server_verdict *v = &d->facts.server;
    char text[2 * SERVER_NAME_MAX + 4];

    (void)snprintf(text, sizeof(text), "%s%s%s", v->ike ? v->ike->name : "",
                   v->ike && v->l2tp ? ", " : "", v->l2tp ? v->l2tp->name : "");
    if (!text[0] && d->config.has_learned)
        (void)snprintf(text, sizeof(text), "%s", d->config.learned.fingerprint);
    text_escape(out->fingerprint, sizeof(out->fingerprint), span_str(text));
}

bool dial_learned(const struct dial *d, struct learned *out)
{
    const struct ike_facts *i = d->facts.ike;
    char text[ADDR_TEXT_MAX];

    if (!d->facts.up || !i || !d->facts.has_sa)
        return false;
    *out = (struct learned){
        .port = d->config.port,
        .has_ike = true,
        .has_esp = true,
        .ike = i->suite,
        .esp = d->facts.esp_suite,
        .pfs = d->facts.pfs,
        .auth = i->auth,
    };
    (void)snprintf(out->server, sizeof(out->server), "%s", d->config.server);
    ladder_learn(&d->ladder, is_lossy(d), out);
    out->floor_ike = stronger(out->floor_ike, ike_suite_strength(&i->suite));
    out->floor_esp = stronger(out->floor_esp, esp_suite_strength(&d->facts.esp_suite));
    if (!d->config.credential) {
        (void)snprintf(out->peer_id_type, sizeof(out->peer_id_type), "%s", i->peer_id_type);
        (void)snprintf(out->peer_id, sizeof(out->peer_id), "%s", i->peer_id);
    }
    name_make(d, out);
    (void)snprintf(out->address, sizeof(out->address), "%s",
                   inaddr_text(&d->facts.remote.addr, text));
    return true;
}

void climb_note_up(struct dial *d)
{
    secret_wipe(&d->secrets->psk);
    dial_emit(d, DIAL_EVENT_LEARNED);
}
