/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A whole dial against a server that is honest until the script says otherwise. Bytes of the script
 * are sealed with the real keys of this dial, so they reach L2TP, PPP and the data path. First
 * byte: how far the dial goes first, NAT traversal, PAP, who answers needs; second byte: which
 * request for randomness fails (0: none).
 */
#include "server.h"

#include "dial/internal.h"
#include "ike/v1/engine.h"

#include <string.h>

struct world {
    struct fuzz_env env;
    struct server server;
    struct dial *dial;
    struct endpoint local, remote[3], stranger;
    uint32_t need[DIAL_NEEDS];
    bool keep_needs; /* the script answers */
    bool failed, down;
    bool own_sas; /* the script may have negotiated pairs that the server does not know */
    l2tpc_us now;
};

static const unsigned rounds[8] = {0, 1, 2, 3, 4, 8, 12, 40};

/* ---- the driver's part ---- */
static void answer(struct world *w, enum dial_need_type type, const struct failure *f)
{
    static const struct inaddr addresses[] = {{4, {198, 51, 100, 7}}, {4, {198, 51, 100, 9}}};
    const struct span secret = span_str(RESPONDER_PSK);
    uint32_t need = w->need[type];

    w->need[type] = 0;
    switch (type) {
    case DIAL_NEED_RESOLVE:
        dial_answer_resolve(w->dial, need, addresses, f ? 0 : 2, f, w->now);
        break;
    case DIAL_NEED_SOCKETS:
        dial_answer_sockets(w->dial, need, &w->local, 4500, f, w->now);
        break;
    case DIAL_NEED_PSK:
    case DIAL_NEED_PASSWORD:
        dial_answer_secret(w->dial, need, f ? NULL : &secret, w->now);
        break;
    case DIAL_NEED_TUN:
    case DIAL_NEED_APPLY_IP:
    case DIAL_NEED_CERT_STATUS:
        dial_answer_done(w->dial, need, f, w->now);
        break;
    case DIAL_NEED_SIGN:
        dial_answer_sign(w->dial, need, f ? NULL : &secret, w->now);
        break;
    }
}

static void take_event(struct world *w, const struct dial_event *e)
{
    if (w->down)
        (void)fprintf(stderr, "event %d of stage %s after DOWN\n", (int)e->type,
                      stage_name(e->stage));
    FUZZ_REQUIRE(!w->down);
    FUZZ_REQUIRE(e->stage < STAGE_COUNT);
    switch (e->type) {
    case DIAL_EVENT_NEED:
        w->need[e->need] = e->need_id;
        if (e->need == DIAL_NEED_APPLY_IP)
            FUZZ_REQUIRE(e->ip.local.family == 4 && e->ip.mtu >= 68 && e->ip.mtu <= 1500);
        break;
    case DIAL_EVENT_FAILED:
        FUZZ_REQUIRE(!w->failed && e->failure.id != FAILURE_NONE);
        w->failed = true;
        break;
    case DIAL_EVENT_DOWN:
        w->down = true;
        break;
    default:
        break;
    }
    fuzz_check_failure(&e->failure);
}

/* What leaves towards the server; the server demands that ESP of its pair opens. */
static bool send_one(struct world *w)
{
    enum dial_path path;
    struct endpoint to;
    struct msg m;
    bool esp;

    if (!dial_pop_out(w->dial, &path, &to, &m))
        return false;
    FUZZ_REQUIRE(m.n > 0 && m.n <= IKE_MESSAGE_MAX + 4u);
    esp = path == DIAL_PATH_ESP ||
          (path == DIAL_PATH_NATT && m.n > 4 && memcmp(m.bytes, (const uint8_t[4]){0}, 4) != 0);
    /* Once the script has made a pair of its own, the server's may be the wrong one. */
    FUZZ_REQUIRE(server_input(&w->server, path, span_of(m.bytes, m.n)) || w->own_sas);
    msg_done(&m);
    if (esp)
        dial_note_esp_out(w->dial, w->now);
    return true;
}

static void settle(struct world *w)
{
    struct dial_event e;
    struct msg ip;
    bool busy = true;

    for (unsigned i = 0; busy; i++) {
        busy = false;
        FUZZ_REQUIRE(i < 1000);
        FUZZ_REQUIRE(w->dial->events.overflow == 0 && w->dial->ip.overflow == 0);
        while (dial_pop_event(w->dial, &e)) {
            take_event(w, &e);
            if (e.type == DIAL_EVENT_NEED && !w->keep_needs)
                answer(w, e.need, NULL);
            busy = true;
        }
        while (send_one(w))
            busy = true;
        while (dial_pop_ip(w->dial, &ip)) {
            FUZZ_REQUIRE(ip.n >= 20 && w->dial->facts.ppp && w->dial->facts.ppp->ip_up);
            msg_done(&ip);
        }
    }
}

/* ---- the server's part ---- */
static bool deliver_answer(struct world *w)
{
    struct mspan copy;
    struct msg m;

    if (!msgq_pop(&w->server.answers, &m))
        return false;
    copy = fuzz_copy(span_of(m.bytes, m.n));
    (void)dial_input(w->dial, (enum dial_path)m.tag, &w->remote[m.tag], copy, w->now);
    free(copy.p);
    msg_done(&m);
    settle(w);
    return true;
}

static void deliver_all(struct world *w)
{
    for (unsigned i = 0; i < MSGQ_SLOTS && deliver_answer(w); i++)
        ;
}

static void sealed_ike(struct world *w, struct span s)
{
    struct rd r = rd_of(s);
    struct mspan m;
    uint8_t kind;
    uint8_t first;

    if (!rd_u8(&r, &kind) || !rd_u8(&r, &first))
        return;
    w->own_sas |= kind % RESPONDER_KINDS != RESPONDER_INFO;
    m = responder_seal(&w->server.ike, kind % RESPONDER_KINDS, true, first, rd_rest(&r));
    server_send_ike(&w->server, span_ro(m));
    free(m.p);
}

/* ---- steps ---- */
static void raw(struct world *w, const struct fuzz_step *s)
{
    enum dial_path path = (enum dial_path)((s->op >> 4) % 3);

    (void)dial_input(w->dial, path, s->op & 0x80 ? &w->stranger : &w->remote[path], s->bytes,
                     w->now);
}

static void pass_time(struct world *w, struct span s)
{
    struct rd r = rd_of(s);
    l2tpc_us until = w->now;
    uint16_t ticks;

    if (rd_u16(&r, &ticks))
        until += US_MS(10) * ticks;
    else if (dial_deadline(w->dial) != US_NEVER)
        until = us_max(until, dial_deadline(w->dial));
    for (unsigned i = 0; i < 200 && dial_deadline(w->dial) <= until; i++) {
        w->now = us_max(w->now, dial_deadline(w->dial));
        dial_timer(w->dial, w->now);
        settle(w);
        deliver_all(w);
    }
    w->now = us_max(w->now, until);
}

static void send_ip(struct world *w, struct span s)
{
    uint8_t *room = malloc(DATA_HEADROOM + s.n + DATA_TAILROOM);
    struct mspan packet;

    FUZZ_REQUIRE(room);
    if (s.n > 0)
        memcpy(room + DATA_HEADROOM, s.p, s.n);
    if (data_seal_ip(dial_data(w->dial), (struct mspan){room + DATA_HEADROOM, s.n}, &packet)) {
        FUZZ_REQUIRE(!w->dial->facts.closing && !w->down);
        dial_note_esp_out(w->dial, w->now);
    }
    free(room);
}

static void driver(struct world *w, const struct fuzz_step *s)
{
    uint8_t what = s->bytes.n ? s->bytes.p[0] : 0;
    struct failure f = failure_make(FAILURE_LOCAL_MEMORY);

    switch (what % 8) {
    case 0:
    case 1:
        answer(w, (enum dial_need_type)(what / 8 % ARRAY_LEN(w->need)), what & 1 ? &f : NULL);
        break;
    case 2:
        dial_close(w->dial, w->now);
        break;
    case 3:
        dial_fail(w->dial, &f, w->now);
        break;
    case 4:
        dial_note_unreachable(w->dial, what, w->now);
        break;
    case 5:
        send_ip(w, span_ro(s->bytes));
        break;
    case 6:
        w->server.mute = !w->server.mute;
        break;
    case 7:
        w->env.fail_at = w->env.calls + 1 + what / 8;
        break;
    }
}

static void one_step(struct world *w, const struct fuzz_step *s)
{
    struct span bytes = span_ro(s->bytes);

    switch (s->op & 15) {
    case 0:
        raw(w, s);
        break;
    case 1:
    case 2:
        server_send_control(&w->server, bytes);
        break;
    case 3:
        server_send_udp(&w->server, bytes);
        break;
    case 4:
    case 5:
    case 6:
        server_send_ppp(&w->server, bytes);
        break;
    case 7:
    case 8:
        sealed_ike(w, bytes);
        break;
    case 9:
        (void)deliver_answer(w);
        break;
    case 10:
        w->server.ike.patch = bytes;
        w->own_sas |= bytes.n > 0; /* another nonce than the server's own gives other keys */
        deliver_all(w);
        w->server.ike.patch = SPAN_NONE;
        break;
    case 11:
    case 12:
        pass_time(w, bytes);
        break;
    default:
        driver(w, s);
        break;
    }
    settle(w);
    if ((s->op & 15) < 9 && !(s->op & 0x40))
        deliver_all(w);
}

static void set_up(struct world *w, uint8_t how, uint8_t fail_at)
{
    struct dial_config c = {.env = &w->env.env,
                            .crypto = fuzz_crypto(),
                            .server = "vpn.example",
                            .port = 500,
                            .ike_lifetime_s = 28800,
                            .esp_lifetime_s = 3600,
                            .host_name = "client",
                            .user = "alice",
                            .auth = PPP_AUTH_NONE_OK | PPP_AUTH_PAP | PPP_AUTH_MSCHAPV2,
                            .until = STAGE_UP,
                            .timeout = how & 0x80 ? US_S(120) : 0};

    fuzz_env_init(&w->env, 1);
    w->env.fail_at = fail_at;
    responder_policy(&c.policy);
    server_init(&w->server, how & 8, how & 16);
    w->server.ike.commit = how & 64;
    w->local = (struct endpoint){.addr = w->server.client, .port = 500};
    for (unsigned i = 0; i < 3; i++)
        w->remote[i] = (struct endpoint){.addr = w->server.local, .port = 500};
    w->remote[DIAL_PATH_NATT].port = 4500;
    w->remote[DIAL_PATH_ESP].port = 0;
    w->stranger = (struct endpoint){.addr = inaddr_v4(0xc6336408), .port = 4501};
    w->dial = dial_new(&c);
    if (!w->dial)
        return;
    dial_start(w->dial, w->now);
    settle(w);
    for (unsigned i = 0; i < rounds[how & 7]; i++) {
        w->now += US_MS(5);
        (void)deliver_answer(w);
    }
    w->keep_needs = how & 32;
}

/* Whatever happened: a dial that is told to end does end, in time and without anybody's help. */
static void end(struct world *w)
{
    l2tpc_us limit = w->now + US_S(10);

    w->server.mute = true;
    w->env.fail_at = 0;
    dial_close(w->dial, w->now);
    settle(w);
    for (unsigned i = 0; i < 200 && !w->down; i++) {
        FUZZ_REQUIRE(dial_deadline(w->dial) <= limit);
        w->now = us_max(w->now, dial_deadline(w->dial));
        dial_timer(w->dial, w->now);
        settle(w);
    }
    FUZZ_REQUIRE(w->down);
    (void)dial_facts(w->dial);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_of(span_of(data, size));
    struct world w = {.now = US_S(1)};
    struct fuzz_step s;
    uint8_t how;
    uint8_t fail_at;

    if (!rd_u8(&r, &how) || !rd_u8(&r, &fail_at))
        return 0;
    set_up(&w, how, fail_at);
    for (unsigned i = 0; w.dial && i < FUZZ_STEPS_MAX && fuzz_step_next(&r, &s); i++) {
        one_step(&w, &s);
        fuzz_step_done(&s);
    }
    if (w.dial)
        end(&w);
    dial_free(w.dial);
    server_free(&w.server);
    return 0;
}
