/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ike/v1/engine.h"

#include "ike/test_hooks.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- life ---- */
static void free_memory(struct ike *ike)
{
    vault_give(ike->cfg.env->vault, ike->secrets, sizeof(*ike->secrets));
    vault_give(ike->cfg.env->vault, ike->renewal.psk, sizeof(*ike->renewal.psk));
    wipe_free(ike, sizeof(*ike));
}

struct ike *ike_new(const struct ike_config *config)
{
    struct ike *ike = calloc(1, sizeof(*ike));

    if (!ike)
        return NULL;
    ike->cfg = *config;
    ike->secrets = vault_take(config->env->vault, sizeof(*ike->secrets));
    ike->renewal.psk = vault_take(config->env->vault, sizeof(*ike->renewal.psk));
    if (!ike->secrets || !ike->renewal.psk) {
        free_memory(ike);
        return NULL;
    }
    ike->quick = ike->secrets->quick;
    ike->facts.aggressive = config->aggressive;
    ike->facts.auth = config->credential ? config->credential->auth : IKE_AUTH_PSK;
    ike->cfg.policy.auth = ike->facts.auth;
    ike->root = ike;
    ike->renewal.due = ike->renewal.hard = ike->retire_at = US_NEVER;
    ike->pfs = config->policy.pfs != DH_NONE ? config->policy.pfs : config->pfs_first;
    ike->peer[IKE_PORT_500] = config->remote;
    ike->peer[IKE_PORT_4500] = config->remote;
    ike->peer[IKE_PORT_4500].port = config->remote_natt_port;
    return ike;
}

void ike_forget_keys(struct ike *ike)
{
    for (unsigned i = 0; i < IKE_QUICK_SLOTS; i++)
        quick_release(&ike->quick[i]);
    retransmit_stop(&ike->rtx);
    retransmit_stop(&ike->probe.rtx);
    dh_free(ike->dh);
    ike->dh = NULL;
    ike->has_keys = false;
    wipe(&ike->secrets->keys, sizeof(ike->secrets->keys));
    wipe(ike->secrets->gxy, sizeof(ike->secrets->gxy));
    if (ike->plain)
        wipe(ike->plain, IKE_MESSAGE_MAX);
    free(ike->fragments); /* as they were on the wire: nothing secret */
    ike->fragments = NULL;
}

void ike_free(struct ike *ike)
{
    if (!ike)
        return;
    renewal_drop_all(ike);
    ike_forget_keys(ike);
    free(ike->mm6);
    msgq_clear(&ike->out);
    ike_event_ring_clear(&ike->events);
    free_memory(ike);
}

void ike_start(struct ike *ike, l2tpc_us now)
{
    if (ike->state == P1_NEW)
        phase1_start(ike, now);
}

/* ---- outputs ---- */
void ike_push_event(struct ike *ike, const struct ike_event *ev)
{
    (void)ike_event_ring_push(&ike->root->events, ev);
}

void ike_push_stage(struct ike *ike, enum stage stage)
{
    struct ike_event ev = {.type = IKE_EVENT_STAGE, .stage = stage};

    /* The stages are those of the dial: a renewal is none. */
    if (ike->role == IKE_ROLE_ROOT && !ike->renewal.settled)
        ike_push_event(ike, &ev);
}

void ike_push_spi(struct ike *ike, enum ike_event_type type, uint32_t spi)
{
    struct ike_event ev = {.type = type, .spi = spi};

    ike_push_event(ike, &ev);
}

bool ike_pop_event(struct ike *ike, struct ike_event *out)
{
    return ike_event_ring_pop(&ike->events, out);
}

bool ike_pop_out(struct ike *ike, struct msg *out)
{
    return msgq_pop(&ike->out, out);
}

enum verdict ike_fail(struct ike *ike, const struct failure *f)
{
    struct ike_event ev = {.type = IKE_EVENT_FAILED, .stage = f->stage, .failure = *f};

    if (ike->role != IKE_ROLE_ROOT) {
        ike_log(ike, LOG_LEVEL_WARN, "renewal of phase 1 failed: %s", failure_code(f->id));
        ike_forget_keys(ike);
        ike->state = P1_CLOSED;
        return VERDICT_DROP;
    }
    ike_log(ike, LOG_LEVEL_ERROR, "failed: %s", failure_code(f->id));
    /* A server that keeps an IKE SA nobody uses may refuse the next one. */
    if (ike->state == P1_UP)
        info_send_deletes(ike, ike->live.last_out);
    ike_push_event(ike, &ev);
    renewal_drop_all(ike);
    ike_forget_keys(ike);
    ike->facts.established = false;
    ike->state = P1_CLOSED;
    return VERDICT_FATAL;
}

enum verdict ike_fail_local(struct ike *ike, const char *what)
{
    struct failure f = failure_make(FAILURE_LOCAL_CRYPTO);

    failure_set_value(&f, span_str(what));
    return ike_fail(ike, &f);
}

static void send(struct ike *ike, enum ike_port port, struct span message, bool again, l2tpc_us now)
{
    if (!packet_send(ike, port, message, again))
        return;
    ike->live.last_out = ike->root->live.last_out = now;
    if (port != IKE_PORT_KEEPALIVE)
        ike->root->facts.sent++;
}

void ike_send(struct ike *ike, enum ike_port port, struct span message, l2tpc_us now)
{
    send(ike, port, message, false, now);
}

enum ike_port ike_own_port(const struct ike *ike)
{
    return ike->facts.floated ? IKE_PORT_4500 : IKE_PORT_500;
}

void ike_resend(struct ike *ike, struct retransmit *r, l2tpc_us cap, l2tpc_us now)
{
    send(ike, (enum ike_port)r->tag, span_of(r->bytes, r->n), true, now);
    ike->root->facts.resent++;
    retransmit_again(r, cap, now);
}

void ike_log(const struct ike *ike, enum log_level level, const char *fmt, ...)
{
    char line[256];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    env_log(ike->cfg.env, level, "ike", "%s", line);
}

void ike_note_hint(struct ike *ike, const struct failure *f, bool early, l2tpc_us now)
{
    struct ike_hint *h = &ike->hint;

    ike_log(ike, LOG_LEVEL_DEBUG, "hint: %s %s", failure_code(f->id), f->peer_text);
    if (h->set && (h->early || !early))
        return;
    *h = (struct ike_hint){.set = true, .early = early, .at = now, .failure = *f};
}

void ike_note_alive(struct ike *ike, l2tpc_us now)
{
    ike->live.last_in = ike->root->live.last_in = now;
}

void ike_note_proof(struct ike *ike, l2tpc_us now)
{
    ike->unproven = false;
    ike_note_alive(ike, now);
}

void ike_follow(struct ike *ike, const struct endpoint *peer)
{
    char text[ADDR_TEXT_MAX];

    if (endpoint_eq(peer, &ike->root->peer[IKE_PORT_4500]))
        return;
    ike_log(ike, LOG_LEVEL_INFO, "the server now is %s", endpoint_text(peer, text));
    ike->peer[IKE_PORT_4500] = ike->root->peer[IKE_PORT_4500] = *peer;
}

void ike_follow_peer(struct ike *ike, const struct ike_in *in)
{
    if (in->port == IKE_PORT_4500)
        ike_follow(ike, in->from);
}

/* ---- message ids ---- */
bool ike_ids_have(const struct ike_ids *ids, uint32_t message_id)
{
    unsigned n = ids->n < IKE_FINISHED_KEPT ? ids->n : IKE_FINISHED_KEPT;

    for (unsigned i = 0; i < n; i++)
        if (ids->id[i] == message_id)
            return true;
    return false;
}

void ike_ids_keep(struct ike_ids *ids, uint32_t message_id)
{
    if (!ike_ids_have(ids, message_id))
        ids->id[ids->n++ % IKE_FINISHED_KEPT] = message_id;
}

bool ike_is_finished(const struct ike *ike, uint32_t message_id)
{
    return ike_ids_have(&ike->finished, message_id);
}

void ike_set_finished(struct ike *ike, uint32_t message_id)
{
    ike_ids_keep(&ike->finished, message_id);
}

bool ike_new_message_id(struct ike *ike, uint32_t *out)
{
    uint32_t id;

    for (unsigned tries = 0; tries < 16; tries++) {
        if (!env_rand_u32(ike->cfg.env, &id))
            return false;
        if (id != 0 && !ike_is_finished(ike, id) && !quick_find(ike, id)) {
            *out = id;
            return true;
        }
    }
    return false;
}

/* ---- reading under an SA ---- */
bool ike_open(struct ike *ike, const struct ike_in *in, enum isakmp_message message, uint8_t *iv,
              struct chain *out)
{
    size_t block;
    struct mspan data = {.n = in->body.n};

    if (!ike->has_keys || !isakmp_is_encrypted(message) ||
        !(in->header.flags & ISAKMP_FLAG_ENCRYPTION))
        return false;
    block = cipher_block(ike->secrets->keys.cipher);
    if (in->body.n == 0 || in->body.n % block != 0 || in->body.n > IKE_MESSAGE_MAX)
        return false;
    if (!ike->root->plain)
        ike->root->plain = malloc(IKE_MESSAGE_MAX);
    if (!ike->root->plain)
        return false;
    ike->root->decrypted++;
    data.p = ike->root->plain;
    memcpy(data.p, in->body.p, in->body.n);
    if (!cbc_crypt(ike->cfg.crypto, ike->secrets->keys.cipher,
                   span_of(ike->secrets->keys.ka, ike->secrets->keys.n_ka), span_of(iv, block),
                   false, data))
        return false;
    memcpy(iv, in->body.p + in->body.n - block, block);
    return isakmp_split(in->header.next_payload, span_ro(data), out) && isakmp_check(message, out);
}

bool ike_hash_matches(struct ike *ike, const struct ike_in *in, const struct chain *c,
                      struct span before)
{
    uint8_t want[HASH_MAX];
    struct span got;

    return chain_get(c, PAYLOAD_HASH, 0, &got) && got.n == ike->secrets->keys.n &&
           keymat_hash_exchange(ike->cfg.crypto, &ike->secrets->keys, in->header.message_id, before,
                                c->after_first, want) &&
           equal_ct(got.p, want, got.n);
}

/* ---- input ---- */
static bool cookies_fit(const struct ike *ike, const struct isakmp_header *h)
{
    static const uint8_t zero[ISAKMP_COOKIE_LEN];

    if (memcmp(h->cky_i, ike->cky_i, ISAKMP_COOKIE_LEN) != 0)
        return false;
    if (ike->state != P1_MM1_SENT && ike->state != P1_AM1_SENT)
        return memcmp(h->cky_r, ike->cky_r, ISAKMP_COOKIE_LEN) == 0;
    if (h->exchange == EXCHANGE_INFORMATIONAL)
        return true;
    return memcmp(h->cky_r, zero, ISAKMP_COOKIE_LEN) != 0 &&
           memcmp(h->cky_r, ike->cky_i, ISAKMP_COOKIE_LEN) != 0;
}

static enum verdict dispatch(struct ike *ike, const struct ike_in *in)
{
    bool encrypted = in->header.flags & ISAKMP_FLAG_ENCRYPTION;

    switch (in->header.exchange) {
    case EXCHANGE_MAIN:
        return in->header.message_id == 0 ? phase1_input(ike, in) : VERDICT_DROP;
    case EXCHANGE_AGGRESSIVE:
        return in->header.message_id == 0 ? aggressive_input(ike, in) : VERDICT_DROP;
    case EXCHANGE_QUICK:
        return encrypted ? quick_input(ike, in) : VERDICT_DROP;
    case EXCHANGE_INFORMATIONAL:
        return encrypted ? info_input(ike, in) : info_clear_input(ike, in);
    case EXCHANGE_TRANSACTION:
        /* Remembered for the error text: such a server may wait for it instead of quick mode. */
        ike->transaction_seen = true;
        return VERDICT_DROP;
    default:
        return VERDICT_DROP;
    }
}

enum verdict ike_input_sa(struct ike *ike, struct ike_in *in)
{
    bool from_peer = endpoint_eq(in->from, &ike->root->peer[in->port]);

    if (from_peer && in->port == IKE_PORT_4500 && ike->state == P1_MM5_SENT &&
        memcmp(in->header.cky_i, ike->probe.cky, ISAKMP_COOKIE_LEN) == 0)
        return phase1_probe_input(ike, in);
    if (!cookies_fit(ike, &in->header) || in->port != ike_own_port(ike))
        return VERDICT_DROP;
    /* A moved peer is heard only when what it says is proven by a key. */
    if (!from_peer && !(ike->facts.floated && in->header.flags & ISAKMP_FLAG_ENCRYPTION))
        return VERDICT_DROP;
    if (from_peer && in->port == IKE_PORT_4500)
        phase1_note_4500(ike);
    if (in->header.next_payload == PAYLOAD_FRAGMENT)
        /* Only a whole message can prove where it came from. */
        return from_peer ? packet_recv_fragment(ike, in) : VERDICT_DROP;
    return dispatch(ike, in);
}

static enum verdict input(struct ike *ike, struct ike_in *in)
{
    enum verdict v;

    if (ike->state == P1_NEW || ike->state == P1_CLOSED || in->port > IKE_PORT_4500)
        return VERDICT_DROP;
    if (!isakmp_parse_header(in->datagram, &in->header, &in->body))
        return VERDICT_DROP;
    if (ike->facts.ike_sas == 0 || memcmp(in->header.cky_i, ike->cky_i, ISAKMP_COOKIE_LEN) == 0)
        v = ike_input_sa(ike, in);
    else
        v = renewal_input(ike, in);
    renewal_settle(ike, in->now);
    return v;
}

enum verdict ike_input(struct ike *ike, enum ike_port port, const struct endpoint *from,
                       struct span datagram, l2tpc_us now)
{
    struct ike_in in = {.datagram = datagram, .port = port, .from = from, .now = now};
    enum verdict v = input(ike, &in);

    if (ike->plain) /* most of the time there is nothing to read */
        wipe_free(ike->plain, IKE_MESSAGE_MAX);
    ike->plain = NULL;
    ike->facts.received++;
    if (v == VERDICT_DROP)
        ike->facts.dropped++;
    return v;
}

/* ---- time ---- */
void ike_timer_sa(struct ike *ike, l2tpc_us now)
{
    switch (ike->state) {
    case P1_MM1_SENT:
    case P1_MM3_SENT:
    case P1_MM5_SENT:
    case P1_AM1_SENT:
        phase1_timer(ike, now);
        return;
    case P1_UP:
        aggressive_timer(ike, now);
        quick_timer(ike, now);
        if (ike->state == P1_UP && ike->role == IKE_ROLE_ROOT)
            liveness_timer(ike, now);
        return;
    case P1_DELETED:
        if (now >= us_add(ike->deleted_at, IKE_DELETED_KEEP)) {
            ike_forget_keys(ike);
            if (!ike->renewal.keep)
                ike->state = P1_CLOSED;
        }
        return;
    case P1_SIGN_ASKED:
    case P1_CERT_ASKED:
        if (ike->responder)
            phase1_peer_timer(ike, now);
        else if (ike->role != IKE_ROLE_ROOT && now >= us_add(ike->stage_first, IKE_RENEW_DEADLINE))
            ike->state = P1_CLOSED; /* nobody signs: the next try asks again */
        return;
    case P1_MM2_SENT:
    case P1_MM4_SENT:
        phase1_peer_timer(ike, now);
        return;
    case P1_NEW:
    case P1_PSK_ASKED:
    case P1_CLOSED:
        return;
    }
}

void ike_timer(struct ike *ike, l2tpc_us now)
{
    ike_timer_sa(ike, now);
    renewal_timer(ike, now);
    renewal_settle(ike, now);
}

l2tpc_us ike_deadline_sa(const struct ike *ike)
{
    switch (ike->state) {
    case P1_MM1_SENT:
    case P1_MM3_SENT:
    case P1_MM5_SENT:
    case P1_AM1_SENT:
        return phase1_deadline(ike);
    case P1_UP:
        return us_min(us_min(quick_deadline(ike), aggressive_deadline(ike)),
                      ike->role == IKE_ROLE_ROOT ? liveness_deadline(ike) : US_NEVER);
    case P1_DELETED:
        return ike->has_keys ? us_add(ike->deleted_at, IKE_DELETED_KEEP) : US_NEVER;
    case P1_MM2_SENT:
    case P1_MM4_SENT:
        return phase1_peer_deadline(ike);
    case P1_SIGN_ASKED:
    case P1_CERT_ASKED:
        if (ike->responder)
            return phase1_peer_deadline(ike);
        return ike->role != IKE_ROLE_ROOT ? us_add(ike->stage_first, IKE_RENEW_DEADLINE) : US_NEVER;
    case P1_NEW:
    case P1_PSK_ASKED:
    case P1_CLOSED:
        break;
    }
    return US_NEVER;
}

l2tpc_us ike_deadline(const struct ike *ike)
{
    return us_min(ike_deadline_sa(ike), renewal_deadline(ike));
}

/* ---- the driver's other verbs ---- */
void ike_answer_psk(struct ike *ike, uint32_t need, struct span psk, l2tpc_us now)
{
    if (ike->state == P1_PSK_ASKED && need == IKE_PSK_NEED)
        phase1_answer_psk(ike, psk, now);
}

void ike_set_inner_port(struct ike *ike, uint16_t port)
{
    if (!ike->facts.established)
        ike->cfg.inner_port = port;
}

void ike_set_natt_port(struct ike *ike, uint16_t port)
{
    ike->cfg.local_natt_port = port;
}

void ike_note_esp_in(struct ike *ike, l2tpc_us now)
{
    ike->live.unanswered_since = 0;
    ike_note_alive(ike, now);
    /* Of a later pair it says nothing, as long as the one before is there too. */
    for (unsigned i = 0; i < IKE_QUICK_SLOTS; i++)
        if (ike->quick[i].state == QUICK_COMMIT && !ike->quick[i].rekey)
            quick_connected(ike, &ike->quick[i], true);
}

void ike_note_esp_out(struct ike *ike, l2tpc_us now)
{
    ike->live.last_out = now;
    if (ike->live.unanswered_since == 0)
        ike->live.unanswered_since = now;
}

const struct endpoint *ike_peer(const struct ike *ike, enum ike_port port)
{
    return &ike->peer[port == IKE_PORT_500 ? IKE_PORT_500 : IKE_PORT_4500];
}

void ike_close(struct ike *ike, l2tpc_us now)
{
    struct ike_event ev = {.type = IKE_EVENT_CLOSED};

    if (ike->state == P1_CLOSED)
        return;
    if (ike->state == P1_UP)
        info_send_deletes(ike, now);
    else
        cert_say_goodbye(ike, now);
    renewal_drop_all(ike);
    ike_forget_keys(ike);
    ike->facts.established = false;
    ike->state = P1_CLOSED;
    ike_push_event(ike, &ev);
}

void ike_note_unreachable(struct ike *ike, int os_error, l2tpc_us now)
{
    if (ike->unreachable == 0)
        ike->unreachable = os_error;
    if (ike->state == P1_UP)
        liveness_note_unreachable(ike, now);
}

bool ike_owns_cookie(const struct ike *ike, const uint8_t cky_i[8])
{
    if (memcmp(ike->cky_i, cky_i, ISAKMP_COOKIE_LEN) == 0)
        return true;
    for (unsigned i = 0; i < IKE_KIN_MAX; i++)
        if (ike->renewal.kin[i] && ike_owns_cookie(ike->renewal.kin[i], cky_i))
            return true;
    return ike->probe.started && memcmp(ike->probe.cky, cky_i, ISAKMP_COOKIE_LEN) == 0;
}

const struct ike_facts *ike_facts(const struct ike *ike)
{
    return &ike->facts;
}

#if L2TPC_TEST_HOOKS
static bool test_tell_key(struct ike *ike, struct ike_test_key *out_key)
{
    uint8_t cookies[2 * ISAKMP_COOKIE_LEN];

    memcpy(cookies, ike->cky_i, ISAKMP_COOKIE_LEN);
    memcpy(cookies + ISAKMP_COOKIE_LEN, ike->cky_r, ISAKMP_COOKIE_LEN);
    if (!ike->has_keys || ike->secrets->keys.n_ka > sizeof(out_key->key) ||
        memcmp(cookies, ike->test_told, sizeof(cookies)) == 0)
        return false;
    memcpy(ike->test_told, cookies, sizeof(cookies));
    memcpy(out_key->cky_i, ike->cky_i, ISAKMP_COOKIE_LEN);
    memcpy(out_key->cky_r, ike->cky_r, ISAKMP_COOKIE_LEN);
    memcpy(out_key->key, ike->secrets->keys.ka, ike->secrets->keys.n_ka);
    out_key->n = ike->secrets->keys.n_ka;
    out_key->n_skeyid = ike->secrets->keys.n;
    memcpy(out_key->skeyid[0], ike->secrets->keys.skeyid, HASH_MAX);
    memcpy(out_key->skeyid[1], ike->secrets->keys.skeyid_d, HASH_MAX);
    memcpy(out_key->skeyid[2], ike->secrets->keys.skeyid_a, HASH_MAX);
    memcpy(out_key->skeyid[3], ike->secrets->keys.skeyid_e, HASH_MAX);
    return true;
}

bool ike_test_next_key(struct ike *ike, struct ike_test_key *out_key)
{
    if (test_tell_key(ike, out_key))
        return true;
    for (unsigned i = 0; i < IKE_KIN_MAX; i++)
        if (ike->renewal.kin[i] && test_tell_key(ike->renewal.kin[i], out_key))
            return true;
    return false;
}
#endif
