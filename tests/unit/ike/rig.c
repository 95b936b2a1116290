/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

static bool seeded_rand(void *ctx, uint8_t *out, size_t n)
{
    uint64_t *s = ctx;

    for (size_t i = 0; i < n; i++) {
        *s = *s * 6364136223846793005u + 1442695040888963407u;
        out[i] = (uint8_t)(*s >> 33);
    }
    return true;
}

/* One for all rigs: making it takes longer than a dial, and memcheck half a second. */
static struct crypto *shared;

static void free_shared(void)
{
    crypto_free(shared);
}

struct rig *rig_new(void)
{
    struct rig *r = calloc(1, sizeof(*r));

    if (!shared) {
        shared = crypto_new();
        (void)atexit(free_shared);
    }
    if (!r || !shared)
        abort();
    r->c = shared;
    r->seed = 1;
    r->env = (struct env){.ctx = &r->seed, .rand = seeded_rand};
    r->now = US_S(100);
    r->psk = "the key";
    r->cfg = (struct ike_config){
        .env = &r->env,
        .crypto = r->c,
        .local = {.addr = inaddr_v4(0x0a000002), .port = 500},
        .local_natt_port = 4500,
        .remote = {.addr = inaddr_v4(0xc6336402), .port = 500},
        .remote_natt_port = 4500,
        .encapsulation = ENCAPSULATION_AUTO,
        .inner_port = 41701,
        .ike_lifetime_s = 28800,
        .esp_lifetime_s = 3600,
        .dpd = true,
    };
    if (!policy_named("legacy", &r->cfg.policy))
        abort();
    r->server.c = r->c;
    r->server.env = r->env;
    return r;
}

void rig_start(struct rig *r)
{
    r->server.at = r->cfg.remote;
    r->server.client = r->cfg.local;
    r->ike = ike_new(&r->cfg);
    if (!r->ike)
        abort();
    ike_start(r->ike, r->now);
}

void rig_free(struct rig *r)
{
    ike_free(r->ike);
    dh_free(r->server.dh);
    dh_free(r->server.qm_dh);
    free(r);
}

static void drain_out(struct rig *r)
{
    struct msg m;

    while (ike_pop_out(r->ike, &m)) {
        bool lost = r->lose && r->lose(r, true, (enum ike_port)m.tag, span_of(m.bytes, m.n));

        if (r->n_sent < RIG_SENT)
            r->sent[r->n_sent++] = (struct sent){.at = r->now,
                                                 .port = (enum ike_port)m.tag,
                                                 .exchange = m.n > 18 ? m.bytes[18] : 0,
                                                 .lost = lost};
        if (!lost && m.tag != IKE_PORT_KEEPALIVE)
            server_recv(r, (enum ike_port)m.tag, span_of(m.bytes, m.n));
        msg_done(&m);
    }
}

void rig_use_certificates(struct rig *r, const struct credential *own, const struct trust *trust,
                          const struct credential *server)
{
    const struct cert_id *id = credential_id(own);

    trust_names(trust, &r->cas);
    r->signer = own;
    r->trust = trust;
    r->name = "vpn.example.com";
    r->clock = INT64_C(1767225600);
    r->shown = (struct ike_credential){.auth = credential_auth(own),
                                       .chain = credential_chain(own),
                                       .id_type = id->type,
                                       .id = span_of(id->bytes, id->n),
                                       .cas = &r->cas};
    r->cfg.credential = &r->shown;
    r->server.habits.credential = server;
}

static void answer_certificates(struct rig *r, const struct ike_event *ev)
{
    const struct ike_peer_cert *pc = ike_peer_cert(r->ike);
    struct failure f;
    uint8_t sig[SIGN_MAX];
    size_t n;

    if (ev->type == IKE_EVENT_NEED_SIGN) {
        if (!credential_sign(r->signer, span_of(ev->digest, ev->n_digest), sig, &n))
            n = 0;
        ike_answer_sign(r->ike, ev->need, span_of(sig, n), r->now);
    }
    if (ev->type == IKE_EVENT_NEED_CERT_STATUS && !r->keep_cert_status) {
        struct cert_question q = {.chain = &pc->chain,
                                  .leaf = pc->leaf,
                                  .id_type = pc->id_type,
                                  .id = span_of(pc->id, pc->n_id),
                                  .name = r->name,
                                  .now = r->clock};

        r->verdict = cert_judge(r->c, r->trust, &q, r->detail);
        f = cert_failure(r->verdict, r->detail);
        ike_answer_cert_status(r->ike, ev->need, r->verdict == CERT_GOOD ? NULL : &f, r->now);
    }
}

static bool take_events(struct rig *r)
{
    struct ike_event ev;
    bool any = false;

    while (ike_pop_event(r->ike, &ev)) {
        any = true;
        if (r->n_events < RIG_EVENTS)
            r->event[r->n_events++] = ev;
        answer_certificates(r, &ev);
        if (ev.type == IKE_EVENT_NEED_PSK && r->psk)
            ike_answer_psk(r->ike, ev.need, span_str(r->psk), r->now);
    }
    return any;
}

void rig_answer(struct rig *r)
{
    while (take_events(r))
        continue;
}

static void drain(struct rig *r)
{
    do
        drain_out(r);
    while (take_events(r));
}

static struct flight *next_flight(struct rig *r)
{
    struct flight *best = NULL;

    for (unsigned i = 0; i < r->n_flight; i++)
        if (!best || r->flight[i].at < best->at)
            best = &r->flight[i];
    return best;
}

static void deliver(struct rig *r, struct flight *slot)
{
    struct flight f = *slot;

    *slot = r->flight[--r->n_flight];
    if (r->lose && r->lose(r, false, f.port, span_of(f.bytes, f.n)))
        return;
    if (r->before)
        r->before(r, &f);
    (void)ike_input(r->ike, f.port, &f.from, span_of(f.bytes, f.n), r->now);
}

void rig_run(struct rig *r, l2tpc_us until)
{
    for (;;) {
        struct flight *f;
        l2tpc_us due;

        drain(r);
        f = next_flight(r);
        due = us_min(ike_deadline(r->ike), f ? f->at : US_NEVER);
        if (due > until)
            break;
        r->now = us_max(r->now, due);
        if (f && f->at <= r->now)
            deliver(r, f);
        else
            ike_timer(r->ike, r->now);
    }
    r->now = us_max(r->now, until);
}

const struct ike_event *rig_event(const struct rig *r, enum ike_event_type type, unsigned index)
{
    for (unsigned i = 0; i < r->n_events; i++)
        if (r->event[i].type == type && index-- == 0)
            return &r->event[i];
    return NULL;
}

const struct failure *rig_failure(const struct rig *r)
{
    static const struct failure none;
    const struct ike_event *ev = rig_event(r, IKE_EVENT_FAILED, 0);

    return ev ? &ev->failure : &none;
}
