/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Life of a dial: birth, input, time, death. */
#include "dial/dial.h"

#include "base/secret.h"
#include "dial/internal.h"
#include "dial/test_hooks.h"
#include "wire/rd.h"

#include <stdio.h>
#include <stdlib.h>

/* RFC 6335: the dynamic port range, so that two clients behind one NAT differ. */
#define EPHEMERAL_FIRST 49152

static void free_memory(struct dial *d)
{
    inform_end(d);
    vault_give(d->config.env->vault, d->secrets, sizeof(*d->secrets));
    wipe_free(d, sizeof(*d));
}

struct dial *dial_new(const struct dial_config *config)
{
    struct dial *d = calloc(1, sizeof(*d));
    uint16_t random;

    if (!d)
        return NULL;
    d->config = *config;
    secret_wipe(&d->config.tunnel_secret);
    d->secrets = vault_take(config->env->vault, sizeof(*d->secrets));
    if (!d->secrets) {
        free_memory(d);
        return NULL;
    }
    d->secrets->tunnel = config->tunnel_secret;
    d->config.pushed = NULL;
    if (config->pushed) {
        d->pushed = malloc(sizeof(*d->pushed));
        if (!d->pushed) {
            free_memory(d);
            return NULL;
        }
        *d->pushed = *config->pushed;
    }
    d->deadline = dial_no_deadlines;
    d->inner_port = config->inner_port;
    if (d->inner_port == 0) {
        if (!env_rand_u16(config->env, &random)) {
            free_memory(d);
            return NULL;
        }
        d->inner_port = (uint16_t)(EPHEMERAL_FIRST + random % (65536 - EPHEMERAL_FIRST));
    }
    return d;
}

void dial_free(struct dial *d)
{
    if (!d)
        return;
    ppp_free(d->ppp);
    l2tp_free(d->l2tp);
    ike_free(d->ike);
    ike_free(d->leaving);
    data_clear(&d->data);
    packets_clear(&d->ip);
    dial_events_clear(&d->events);
    free_memory(d);
}

void dial_start(struct dial *d, l2tpc_us now)
{
    struct dial_event e;

    d->facts.started = now;
    if (d->config.timeout)
        d->deadline.whole = us_add(now, d->config.timeout);
    stage_begin(d, STAGE_RESOLVE, now);
    if (d->config.until == STAGE_UP)
        dial_events_push(&d->events, need_new(d, DIAL_NEED_TUN, &e));
    dial_events_push(&d->events, need_new(d, DIAL_NEED_RESOLVE, &e));
}

/* Sealed packets go where IKE knows the server to be (hostile.md H39). */
static void follow_peer(struct dial *d)
{
    if (d->ike && d->data.now.udp_encapsulated)
        d->data.now.peer = *ike_peer(d->ike, IKE_PORT_4500);
}

static enum verdict input_ike(struct dial *d, enum ike_port port, const struct endpoint *from,
                              struct span datagram, l2tpc_us now)
{
    enum verdict v = VERDICT_DROP;

    if (d->ike)
        v = ike_input(d->ike, port, from, datagram, now);
    if (v == VERDICT_OK && d->facts.current == STAGE_IKE_PHASE1)
        alive_note_progress(d, now);
    if (d->ike && d->facts.ike->received > 0)
        d->deadline.address = US_NEVER;
    dial_pump(d, now);
    follow_peer(d);
    early_follow(d);
    early_deliver(d, now);
    return v;
}

enum verdict dial_input_esp(struct dial *d, const struct endpoint *from, struct mspan packet,
                            l2tpc_us now)
{
    struct mspan inner;
    enum data_kind kind = data_open(&d->data, packet, &inner);

    if (kind == DATA_NOTHING)
        return VERDICT_DROP;
    dial_note_esp_in(d, from, now);
    if (kind != DATA_IP)
        return dial_input_inner(d, kind, span_ro(inner), now);
    (void)packets_push(&d->ip, 0, span_ro(inner));
    return VERDICT_OK;
}

enum verdict dial_input(struct dial *d, enum dial_path path, const struct endpoint *from,
                        struct mspan datagram, l2tpc_us now)
{
    struct rd r = rd_of(span_ro(datagram));
    uint32_t marker;

    if (d->facts.down)
        return VERDICT_DROP;
    switch (path) {
    case DIAL_PATH_IKE:
        return input_ike(d, IKE_PORT_500, from, span_ro(datagram), now);
    case DIAL_PATH_NATT:
        if (!rd_u32(&r, &marker)) /* a keepalive (RFC 3948 4), or rubbish */
            return VERDICT_DROP;
        if (marker == 0)
            return input_ike(d, IKE_PORT_4500, from, rd_rest(&r), now);
        return d->data.now.udp_encapsulated ? dial_input_esp(d, from, datagram, now) : VERDICT_DROP;
    case DIAL_PATH_ESP:
        return d->data.now.udp_encapsulated ? VERDICT_DROP : dial_input_esp(d, from, datagram, now);
    }
    return VERDICT_DROP;
}

/* The first packet that passed its ICV ends the check, before what is in it is acted on. */
static void note_esp_works(struct dial *d, l2tpc_us now)
{
    if (d->esp_seen)
        return;
    d->esp_seen = true;
    d->deadline.esp_check = d->deadline.port = US_NEVER;
    stage_end(d, STAGE_ESP_CHECK, now);
    if (d->closing == CLOSING_NOT)
        stage_begin(d, STAGE_L2TP_TUNNEL, now);
}

enum verdict dial_input_inner(struct dial *d, enum data_kind kind, struct span inner, l2tpc_us now)
{
    enum verdict v = VERDICT_DROP;

    if (d->facts.down)
        return v;
    if (kind == DATA_EARLY) {
        data_keep_early(&d->data, inner);
        early_deliver(d, now); /* its keys may have come meanwhile */
        return v;
    }
    note_esp_works(d, now);
    if (kind == DATA_CONTROL && d->l2tp)
        v = l2tp_input(d->l2tp, inner, now);
    else if (kind == DATA_PPP && d->ppp)
        v = ppp_input(d->ppp, inner, now);
    else if (kind == DATA_DHCP)
        v = inform_input(d, inner, now) || packets_push(&d->ip, 0, inner) ? VERDICT_OK
                                                                          : VERDICT_DROP;
    dial_pump(d, now);
    return v;
}

void dial_note_esp_in(struct dial *d, const struct endpoint *from, l2tpc_us now)
{
    if (d->facts.down)
        return;
    if (d->ike)
        ike_note_esp_in(d->ike, now);
    if (d->ike && d->data.now.udp_encapsulated)
        ike_follow(d->ike, from); /* the ICV proves the sender */
    follow_peer(d);
    note_esp_works(d, now);
    alive_note_in(d, now);
    rekey_tick(d, now);
    if (d->facts.up) {
        l2tp_note_data(d->l2tp, now);
        ppp_note_data(d->ppp, now);
    }
}

void dial_note_esp_out(struct dial *d, l2tpc_us now)
{
    if (d->ike)
        ike_note_esp_out(d->ike, now);
    alive_note_out(d, now);
    rekey_tick(d, now);
}

void dial_note_unreachable(struct dial *d, int os_error, l2tpc_us now)
{
    if (d->ike)
        ike_note_unreachable(d->ike, os_error, now);
    dial_pump(d, now);
}

/* What the dial was waiting for when its whole time ran out. */
static void fail_timeout(struct dial *d, l2tpc_us now)
{
    struct failure f = failure_timeout(FAILURE_LOCAL_TIMEOUT, stage_name(d->facts.current), 0);

    f.stage = d->facts.current;
    dial_fail_now(d, &f, now);
}

/* Nothing protected came back: were packets damaged on the way, or did none arrive at all? */
static void fail_esp_check(struct dial *d, l2tpc_us now)
{
    const struct dial_facts *facts = dial_facts(d);
    /* An ICV of another length is no packet at all to esp, but says more than silence. */
    uint64_t n_bad = facts->esp_in.bad_icv + facts->esp_in.cut_otherwise;
    bool damaged = n_bad > 0;
    struct failure f = failure_make(damaged ? FAILURE_ESP_BAD_ICV : FAILURE_ESP_NOTHING_BACK);

    if (damaged)
        (void)snprintf(f.value, sizeof(f.value), "%llu", (unsigned long long)n_bad);
    else
        (void)snprintf(f.value, sizeof(f.value), "%llu sent, 0 received",
                       (unsigned long long)facts->esp_out.packets);
    d->deadline.esp_check = US_NEVER;
    if (climb_on(d, &f, now))
        return;
    if (now < us_add(d->esp_check_from, ESP_CHECK_DEADLINE))
        d->deadline.esp_check = us_add(d->esp_check_from, ESP_CHECK_DEADLINE);
    else
        dial_fail_now(d, &f, now);
}

/* No keys are left: they have run out, or the server took them all away. */
static void fail_no_sa(struct dial *d, l2tpc_us now)
{
    bool gone = d->facts.up && !d->facts.ike->established;
    struct failure f = failure_make(gone ? FAILURE_PEER_CLOSED : FAILURE_SA_EXPIRED);

    dial_fail_now(d, &f, now);
}

static void own_deadlines(struct dial *d, l2tpc_us now)
{
    if (d->deadline.whole <= now)
        fail_timeout(d, now);
    if (d->deadline.sccrq <= now) {
        d->deadline.sccrq = US_NEVER;
        if (d->closing == CLOSING_NOT)
            dial_start_l2tp(d, now);
    }
    if (d->deadline.port <= now)
        climb_try_port(d, now);
    if (d->deadline.esp_check <= now)
        fail_esp_check(d, now);
    if (d->deadline.address <= now) {
        struct failure silent = failure_timeout(FAILURE_IKE_NO_ANSWER, "main mode 2", 0);

        d->deadline.address = US_NEVER;
        d->facts.failure = silent;
        try_next_address(d, now);
    }
    if (d->deadline.closing <= now)
        dial_close_overdue(d, now);
    if (d->deadline.no_sa <= now)
        fail_no_sa(d, now);
    alive_timer(d, now);
    if (data_next_expiry(&d->data) <= now) {
        if (!rekey_expire(d, now))
            fail_no_sa(d, now);
    }
    rekey_tick(d, now);
}

void dial_timer(struct dial *d, l2tpc_us now)
{
    if (d->facts.down)
        return;
    own_deadlines(d, now);
    if (d->ike && ike_deadline(d->ike) <= now)
        ike_timer(d->ike, now);
    if (d->l2tp && l2tp_deadline(d->l2tp) <= now)
        l2tp_timer(d->l2tp, now);
    path_mtu_timer(&d->path, now);
    if (d->ppp && ppp_deadline(d->ppp) <= now)
        ppp_timer(d->ppp, now);
    inform_timer(d, now);
    dial_pump(d, now);
}

void dial_woke(struct dial *d, l2tpc_us now)
{
    if (d->closing == CLOSING_NOT)
        alive_woke(d, now);
}

l2tpc_us dial_deadline(const struct dial *d)
{
    l2tpc_us next = US_NEVER;

    if (d->facts.down)
        return US_NEVER;
    next = us_min(next, d->deadline.whole);
    next = us_min(next, d->deadline.address);
    next = us_min(next, d->deadline.esp_check);
    next = us_min(next, d->deadline.sccrq);
    next = us_min(next, d->deadline.no_sa);
    next = us_min(next, d->deadline.closing);
    next = us_min(next, d->deadline.port);
    next = us_min(next, data_next_expiry(&d->data));
    next = us_min(next, rekey_deadline(d));
    next = us_min(next, alive_deadline(d));
    next = us_min(next, path_mtu_deadline(&d->path));
    next = us_min(next, inform_deadline(d));
    if (d->ike)
        next = us_min(next, ike_deadline(d->ike));
    if (d->l2tp)
        next = us_min(next, l2tp_deadline(d->l2tp));
    if (d->ppp)
        next = us_min(next, ppp_deadline(d->ppp));
    return next;
}

bool dial_pop_event(struct dial *d, struct dial_event *out)
{
    return dial_events_pop(&d->events, out);
}

void dial_fail(struct dial *d, const struct failure *failure, l2tpc_us now)
{
    struct failure f = *failure;

    /* What fails before the dial has begun has the stage of its row. */
    if (d->facts.started)
        f.stage = d->facts.current;
    dial_fail_now(d, &f, now);
    dial_pump(d, now);
}

struct data_path *dial_data(struct dial *d)
{
    return &d->data;
}

unsigned dial_inbound_spis(const struct dial *d, uint32_t *out, unsigned max)
{
    unsigned n = 0;

    for (unsigned i = 0; i < DATA_PAIRS_MAX && n < max; i++)
        if (d->data.pair[i].in)
            out[n++] = esp_in_spi(d->data.pair[i].in);
    for (unsigned i = 0; i < d->data.now.n_offered && n < max; i++)
        out[n++] = d->data.now.offered[i];
    return n;
}

const char *dial_server(const struct dial *d)
{
    return d->config.server;
}

bool dial_owns_cookie(const struct dial *d, const uint8_t cky_i[8])
{
    return d->ike && ike_owns_cookie(d->ike, cky_i);
}

void dial_prepare(struct dial *d)
{
    crypto_prepare_esp(d->config.crypto);
}

const struct dial_facts *dial_facts(struct dial *d)
{
    const struct data_pair *pair = data_current(&d->data);

    data_sum(&d->data, &d->facts.esp_in, &d->facts.esp_out);
    d->facts.data = data_counters(&d->data);
    d->facts.esp_expires = d->facts.has_sa && pair ? pair->expires : 0;
    return &d->facts;
}

#if L2TPC_TEST_HOOKS
bool dial_test_next_sa(struct dial *d, struct sa_pair *out_sa)
{
    const unsigned room = sizeof(d->test_sas) / sizeof(d->test_sas[0]);
    struct sa_pair *told;

    if (d->test_sas_told == d->n_test_sas)
        return false;
    if (d->n_test_sas - d->test_sas_told > room)
        d->test_sas_told = d->n_test_sas - room;
    told = &d->test_sas[d->test_sas_told++ % room];
    *out_sa = *told;
    wipe(told, sizeof(*told));
    return true;
}

bool dial_test_next_ike_key(struct dial *d, struct ike_test_key *out_key)
{
    return d->ike && ike_test_next_key(d->ike, out_key);
}
#endif
