/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engines.h"

#include "wire/wr.h"

#include <stdlib.h>
#include <string.h>

static void send_out(struct engines *e, enum peer_port port, const struct endpoint *to,
                     struct span bytes)
{
    struct engines_wire *w;
    bool marker = port == PEER_UDP4500;

    if (e->queue_used == ARRAY_LEN(e->queue))
        abort();
    w = &e->queue[(e->queue_head + e->queue_used++) % ARRAY_LEN(e->queue)];
    *w = (struct engines_wire){.port = port, .from = e->config.local, .to = *to};
    w->from.port = marker ? 4500 : port == PEER_RAWESP ? 0 : e->config.local.port;
    w->m.bytes = malloc(bytes.n ? bytes.n : 1);
    if (!w->m.bytes)
        abort();
    memcpy(w->m.bytes, bytes.p, bytes.n);
    w->m.n = bytes.n;
}

static void seal(struct engines *e, struct span payload, l2tpc_us now)
{
    uint8_t b[ESP_HEADROOM + 2048 + ESP_TAILROOM];
    struct mspan in = {.p = b + ESP_HEADROOM, .n = payload.n}, packet;
    struct endpoint to;
    unsigned i = e->n_pairs;

    while (i > 0 && e->pair[i - 1].deleted)
        i--;
    if (i == 0 || payload.n > 2048)
        return;
    i--;
    memcpy(in.p, payload.p, payload.n);
    if (esp_seal(e->pair[i].out, in, &packet) != ESP_OK)
        return;
    to = *ike_peer(e->ike, IKE_PORT_4500);
    if (!e->pair[i].udp)
        to.port = 0;
    send_out(e, e->pair[i].udp ? PEER_UDP4500 : PEER_RAWESP, &to, span_ro(packet));
    ike_note_esp_out(e->ike, now);
}

static void send_frame(struct engines *e, struct mspan frame, l2tpc_us now)
{
    const struct l2tp_facts *f = l2tp_facts(e->l2tp);

    seal(e, span_ro(l2tp_data_wrap(f->peer_tunnel_id, f->peer_session_id, frame)), now);
}

void engines_ping(struct engines *e, uint16_t sequence, l2tpc_us now)
{
    const struct ppp_facts *f = ppp_facts(e->ppp);
    uint8_t b[64 + 32] = {0}, *ip = b + 64;
    struct wr w = wr_of(ip, 32);
    struct span out;
    uint32_t sum = 0;

    wr_u32(&w, 0x45000000 | 32);
    wr_u32(&w, 0);
    wr_u32(&w, 64u << 24 | 1 << 16);
    wr_u32(&w, inaddr_to_v4(&f->local_ip));
    wr_u32(&w, inaddr_to_v4(&f->peer_ip));
    wr_u32(&w, 0x08000000);
    wr_u16(&w, 0x1234);
    wr_u16(&w, sequence);
    wr_u32(&w, 0xfeedbeef);
    for (size_t i = 0; i < 20; i += 2)
        sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
    wr_patch_u16(&w, 10, (uint16_t) ~((sum >> 16) + sum));
    sum = 0;
    for (size_t i = 20; i < 32; i += 2)
        sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
    while (sum >> 16)
        sum = (sum >> 16) + (sum & 0xffff);
    wr_patch_u16(&w, 22, (uint16_t)~sum);
    if (wr_finish(&w, &out))
        send_frame(e, ppp_frame_wrap(PPP_PROTO_IP, (struct mspan){.p = ip, .n = 32}), now);
}

static void recv_data(struct engines *e, struct mspan message, l2tpc_us now)
{
    const struct l2tp_facts *f = l2tp_facts(e->l2tp);
    struct l2tp_data d;
    uint16_t protocol;
    struct mspan info;

    if (!l2tp_data_read(message, &d) || d.tunnel_id != f->tunnel_id ||
        d.session_id != f->session_id)
        return;
    l2tp_note_data(e->l2tp, now);
    if (ppp_frame_read(d.payload, ppp_facts(e->ppp)->pfc, &protocol, &info) &&
        protocol == PPP_PROTO_IP) {
        if (e->ip_up && info.n == 32 && info.p[9] == 1 && info.p[20] == 0)
            e->replies++;
        ppp_note_data(e->ppp, now);
        return;
    }
    (void)ppp_input(e->ppp, span_ro(d.payload), now);
}

static void recv_esp(struct engines *e, struct span packet, l2tpc_us now)
{
    uint8_t b[2048];
    struct mspan payload;
    bool control;

    if (packet.n > sizeof(b) || packet.n < 8)
        return;
    for (unsigned i = 0; i < e->n_pairs; i++) {
        uint32_t spi = (uint32_t)packet.p[0] << 24 | (uint32_t)packet.p[1] << 16 |
                       (uint32_t)packet.p[2] << 8 | packet.p[3];
        enum esp_verdict v;

        if (esp_in_spi(e->pair[i].in) != spi)
            continue;
        memcpy(b, packet.p, packet.n);
        v = esp_open(e->pair[i].in, (struct mspan){.p = b, .n = packet.n}, &payload);
        e->esp_opened += v == ESP_OK;
        e->esp_refused += v != ESP_OK && v != ESP_DUMMY;
        if (v != ESP_OK && v != ESP_DUMMY)
            return;
        ike_note_esp_in(e->ike, now);
        if (v == ESP_DUMMY || !l2tp_classify(span_ro(payload), &control))
            return;
        if (control)
            (void)l2tp_input(e->l2tp, span_ro(payload), now);
        else
            recv_data(e, payload, now);
        return;
    }
}

static void input(void *ctx, enum peer_port port, const struct endpoint *from, struct span bytes,
                  l2tpc_us now)
{
    static const uint8_t marker[4];
    struct engines *e = ctx;

    if (port == PEER_UDP500)
        (void)ike_input(e->ike, IKE_PORT_500, from, bytes, now);
    else if (port == PEER_RAWESP)
        recv_esp(e, bytes, now);
    else if (bytes.n >= 4 && memcmp(bytes.p, marker, 4) == 0)
        (void)ike_input(e->ike, IKE_PORT_4500, from, span_of(bytes.p + 4, bytes.n - 4), now);
    else
        recv_esp(e, bytes, now);
}

static void install(struct engines *e, const struct ike_event *ev)
{
    unsigned i = e->n_pairs;

    if (i == ENGINES_PAIRS)
        abort();
    e->pair[i].in = esp_in_new(e->crypto, &ev->sa, &e->config.local.addr, &e->config.remote.addr);
    e->pair[i].out =
        esp_out_new(e->crypto, &e->env.env, &ev->sa, &e->config.local.addr, &e->config.remote.addr);
    if (!e->pair[i].in || !e->pair[i].out)
        abort();
    e->pair[i].spi_out = ev->sa.out.spi;
    e->pair[i].udp = ev->sa.udp_encapsulated;
    e->n_pairs++;
}

static void fail(struct engines *e, const struct failure *f)
{
    if (!e->failed)
        e->failure = *f;
    e->failed = true;
}

static void ike_events(struct engines *e, l2tpc_us now)
{
    struct ike_event ev;

    while (ike_pop_event(e->ike, &ev)) {
        if (ev.type == IKE_EVENT_NEED_PSK)
            ike_answer_psk(e->ike, ev.need, span_str(e->config.psk), now);
        else if (ev.type == IKE_EVENT_STAGE)
            e->at[ev.stage] = now;
        else if (ev.type == IKE_EVENT_SA_PAIR)
            install(e, &ev);
        else if (ev.type == IKE_EVENT_FAILED)
            fail(e, &ev.failure);
        else if (ev.type == IKE_EVENT_CLOSED)
            e->closed = true;
        else if (ev.type == IKE_EVENT_PEER_DEAD)
            e->dead = true;
        else if (ev.type == IKE_EVENT_SA_READY && !e->l2tp_started) {
            e->l2tp_started = true;
            e->at[STAGE_L2TP_TUNNEL] = now;
            l2tp_start(e->l2tp, now);
        }
        for (unsigned i = 0; ev.type == IKE_EVENT_SA_DELETED && i < e->n_pairs; i++)
            e->pair[i].deleted |= e->pair[i].spi_out == ev.spi;
        wipe(&ev, sizeof(ev));
    }
}

static void l2tp_events(struct engines *e, l2tpc_us now)
{
    struct l2tp_event ev;

    while (l2tp_pop_event(e->l2tp, &ev)) {
        if (ev.type == L2TP_EVENT_CALL_UP) {
            e->at[STAGE_PPP_LCP] = now;
            e->ppp_started = true;
            ppp_start(e->ppp, now);
        } else if (ev.type == L2TP_EVENT_FAILED || ev.type == L2TP_EVENT_CALL_DOWN) {
            fail(e, &ev.failure);
        } else if (ev.type == L2TP_EVENT_PEER_DEAD) {
            e->dead = true;
        } else if (ev.type == L2TP_EVENT_CLOSED) {
            ike_close(e->ike, now);
        }
    }
}

static void ppp_events(struct engines *e, l2tpc_us now)
{
    struct ppp_event ev;

    while (ppp_pop_event(e->ppp, &ev)) {
        if (ev.type == PPP_EVENT_NEED_PASSWORD) {
            ppp_answer_password(e->ppp, ev.need, span_str(e->config.password), now);
        } else if (ev.type == PPP_EVENT_LCP_UP) {
            e->at[STAGE_PPP_AUTH] = now;
        } else if (ev.type == PPP_EVENT_AUTHENTICATED) {
            e->at[STAGE_PPP_IP] = now;
        } else if (ev.type == PPP_EVENT_IP_UP) {
            e->ip_up = true;
            e->at[STAGE_UP] = now;
            e->ping_due = us_add(now, US_S(1));
            engines_ping(e, 1, now);
        } else if (ev.type == PPP_EVENT_IP_DOWN) {
            e->ip_up = false;
        } else if (ev.type == PPP_EVENT_FAILED || ev.type == PPP_EVENT_TERMINATED) {
            fail(e, &ev.failure);
        } else if (ev.type == PPP_EVENT_PEER_DEAD) {
            e->dead = true;
        } else if (ev.type == PPP_EVENT_CLOSED) {
            l2tp_close(e->l2tp, now);
        }
    }
}

static bool done(void *ctx, l2tpc_us now)
{
    struct engines *e = ctx;

    ike_events(e, now);
    l2tp_events(e, now);
    ppp_events(e, now);
    switch (e->goal) {
    case GOAL_SA:
        return e->n_pairs > 0 || e->failed;
    case GOAL_IP:
        return e->ip_up || e->failed;
    case GOAL_PING:
        return e->replies > 0 || e->failed;
    case GOAL_CLOSED:
        return e->closed;
    case GOAL_DEAD:
        return e->dead;
    case GOAL_FAILED:
    default:
        return e->failed;
    }
}

/* Turns what the engines want to say into packets: L2TP and PPP have no way but ESP. */
static void collect(struct engines *e, l2tpc_us now)
{
    uint8_t b[64 + 2048];
    struct msg m;

    while (ike_pop_out(e->ike, &m)) {
        uint8_t d[4 + IKE_MESSAGE_MAX] = {0};
        bool bare = m.tag != IKE_PORT_4500;

        memcpy(d + 4, m.bytes, m.n);
        send_out(e, m.tag == IKE_PORT_500 ? PEER_UDP500 : PEER_UDP4500,
                 ike_peer(e->ike, m.tag == IKE_PORT_500 ? IKE_PORT_500 : IKE_PORT_4500),
                 bare ? span_of(m.bytes, m.n) : span_of(d, m.n + 4));
        msg_done(&m);
    }
    while (l2tp_pop_out(e->l2tp, &m)) {
        seal(e, span_of(m.bytes, m.n), now);
        msg_done(&m);
    }
    while (ppp_pop_out(e->ppp, &m)) {
        memcpy(b + 64, m.bytes, m.n < 2048 ? m.n : 2048);
        send_frame(e, (struct mspan){.p = b + 64, .n = m.n < 2048 ? m.n : 2048}, now);
        msg_done(&m);
    }
}

static bool pop_out(void *ctx, enum peer_port *port, struct endpoint *from, struct endpoint *to,
                    struct msg *out)
{
    struct engines *e = ctx;
    struct engines_wire *w = &e->queue[e->queue_head];

    if (e->queue_used == 0)
        return false;
    *port = w->port;
    *from = w->from;
    *to = w->to;
    *out = w->m;
    e->queue_head = (e->queue_head + 1) % ARRAY_LEN(e->queue);
    e->queue_used--;
    return true;
}

static bool step(void *ctx, l2tpc_us now)
{
    bool ended = done(ctx, now);

    collect(ctx, now);
    return ended;
}

static l2tpc_us ping_deadline(const struct engines *e)
{
    return e->goal == GOAL_PING && e->ip_up && e->replies == 0 ? e->ping_due : US_NEVER;
}

static void timer(void *ctx, l2tpc_us now)
{
    struct engines *e = ctx;

    if (ike_deadline(e->ike) <= now)
        ike_timer(e->ike, now);
    if (l2tp_deadline(e->l2tp) <= now)
        l2tp_timer(e->l2tp, now);
    if (ppp_deadline(e->ppp) <= now)
        ppp_timer(e->ppp, now);
    if (ping_deadline(e) <= now) {
        e->ping_due = us_add(now, US_S(1));
        engines_ping(e, 1, now);
    }
}

static l2tpc_us deadline(void *ctx)
{
    const struct engines *e = ctx;

    return us_min(us_min(ike_deadline(e->ike), l2tp_deadline(e->l2tp)),
                  us_min(ppp_deadline(e->ppp), ping_deadline(e)));
}

struct sim_client engines_client(struct engines *e)
{
    return (struct sim_client){.ctx = e,
                               .pop_out = pop_out,
                               .input = input,
                               .timer = timer,
                               .deadline = deadline,
                               .done = step};
}

bool engines_init(struct engines *e, const struct engines_config *config, uint64_t seed)
{
    struct ike_config ike = {.local = config->local,
                             .local_natt_port = 4500,
                             .remote = config->remote,
                             .remote_natt_port = 4500,
                             .encapsulation = config->encapsulation,
                             .inner_port = config->inner_port,
                             .ike_lifetime_s = 28800,
                             .esp_lifetime_s = 3600,
                             .dpd = !config->no_dpd};
    struct l2tp_config l2tp = {.host_name = "client.example"};
    struct ppp_config ppp = {
        .auth = config->auth, .want_dns = true, .nt_hash_utf8_bytes = config->utf8_bytes};

    memset(e, 0, sizeof(*e));
    e->config = *config;
    sim_env_init(&e->env, "client", seed);
    e->crypto = crypto_new();
    if (!e->crypto || !policy_named(config->policy, &ike.policy))
        return false;
    if ((config->ike_suites && !policy_parse_ike(config->ike_suites, &ike.policy, NULL)) ||
        (config->esp_suites && !policy_parse_esp(config->esp_suites, &ike.policy, NULL)))
        return false;
    ike.policy.pfs = config->pfs;
    ike.env = l2tp.env = ppp.env = &e->env.env;
    ike.crypto = l2tp.crypto = ppp.crypto = e->crypto;
    if (config->tunnel_secret) {
        l2tp.has_secret = true;
        if (!secret_set(&l2tp.secret, span_str(config->tunnel_secret)))
            return false;
    }
    strncpy(ppp.user, config->user, sizeof(ppp.user) - 1);
    e->ike = ike_new(&ike);
    e->l2tp = l2tp_new(&l2tp);
    e->ppp = ppp_new(&ppp);
    return e->ike && e->l2tp && e->ppp;
}

void engines_start(struct engines *e, l2tpc_us now)
{
    ike_start(e->ike, now);
}

void engines_close_ppp(struct engines *e, l2tpc_us now)
{
    e->goal = GOAL_CLOSED;
    ppp_close(e->ppp, now);
}

void engines_wipe(struct engines *e)
{
    struct endpoint from, to;
    enum peer_port port;
    struct msg m;

    for (unsigned i = 0; i < e->n_pairs; i++) {
        esp_in_free(e->pair[i].in);
        esp_out_free(e->pair[i].out);
    }
    while (pop_out(e, &port, &from, &to, &m))
        msg_done(&m);
    ike_free(e->ike);
    l2tp_free(e->l2tp);
    ppp_free(e->ppp);
    crypto_free(e->crypto);
    memset(e, 0, sizeof(*e));
}
