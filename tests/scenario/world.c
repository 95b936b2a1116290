/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "world.h"

#include "check.h"
#include "wire/rd.h"
#include "wire/wr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The engines' own timers are a dozen a second at their busiest. */
#define TIMERS_PER_SECOND 150
#define PING_LEN 32

void world_config_default(struct world_config *config)
{
    memset(config, 0, sizeof(*config));
    config->seed = 1;
    config->psk = "a shared secret";
    config->password = "wonderland";
    config->local = (struct endpoint){.addr = inaddr_v4(0x0a000002), .port = 500};
    config->peer = (struct peer_config){.psk = "a shared secret",
                                        .user = "alice",
                                        .password = "wonderland",
                                        .local = {.addr = inaddr_v4(0xc6336402), .port = 500},
                                        .client_ip = inaddr_v4(0x0a630010),
                                        .server_ip = inaddr_v4(0x0a630001),
                                        .dns = {inaddr_v4(0x0a630001), inaddr_v4(0x0a630002)}};
    config->link = (struct simlink_config){.latency = US_MS(20)};
    config->dial = (struct dial_config){.server = "vpn.example.com",
                                        .port = 500,
                                        .ike_lifetime_s = 28800,
                                        .esp_lifetime_s = 3600,
                                        .inner_port = 51701,
                                        .host_name = "client.example",
                                        .user = "alice",
                                        .auth = PPP_AUTH_MSCHAPV2,
                                        .until = STAGE_UP};
    config->policy = "legacy";
    config->address[0] = config->peer.local.addr;
    config->n_address = 1;
}

/* ---- the client's side of the link ---- */

static enum peer_port port_of(enum dial_path path)
{
    return path == DIAL_PATH_IKE    ? PEER_UDP500
           : path == DIAL_PATH_NATT ? PEER_UDP4500
                                    : PEER_RAWESP;
}

static struct endpoint own(const struct world *w, enum peer_port port)
{
    struct endpoint e = w->config.local;

    if (port != PEER_UDP500)
        e.port = port == PEER_UDP4500 ? 4500 : 0;
    return e;
}

static bool next_out(struct world *w, enum peer_port *port, struct endpoint *to, struct msg *out)
{
    struct world_heads heads;
    enum dial_path path;

    if (w->queue_used > 0) {
        struct world_wire *q = &w->queue[w->queue_head];

        *port = q->port;
        *to = q->to;
        *out = q->m;
        w->queue_head = (w->queue_head + 1) % ARRAY_LEN(w->queue);
        w->queue_used--;
        return true;
    }
    world_watch_heads(w, &heads);
    if (!dial_pop_out(w->dial, &path, to, out))
        return false;
    world_watch_popped(w, &heads);
    *port = port_of(path);
    return true;
}

static bool passes(struct world *w, const struct msg *m)
{
    if (w->config.carries == 0 || m->n <= w->config.carries)
        return true;
    if (m->tag != DIAL_OUT_WHOLE) {
        w->cut++;
        return true;
    }
    w->too_long++;
    return false;
}

static bool pop_out(void *ctx, enum peer_port *port, struct endpoint *from, struct endpoint *to,
                    struct msg *out)
{
    struct world *w = ctx;

    while (next_out(w, port, to, out)) {
        *from = own(w, *port);
        if (inaddr_eq(&to->addr, &w->config.peer.local.addr)) {
            if (passes(w, out))
                return true;
        } else {
            w->elsewhere++; /* another address of the name: nobody lives there */
        }
        msg_done(out);
    }
    return false;
}

static void recv_ip(struct world *w, struct span ip)
{
    struct rd r = rd_of(ip);
    uint8_t type;
    uint16_t seq;

    if (ip.n != PING_LEN || !rd_skip(&r, 20) || !rd_u8(&r, &type) || type != 0 || !rd_skip(&r, 5) ||
        !rd_u16(&r, &seq) || seq >= WORLD_SEQ_MAX) {
        w->strays++;
        return;
    }
    w->replies += w->answered[seq] == 0;
    if (w->answered[seq] < UINT8_MAX)
        w->answered[seq]++;
}

/* The way of the data plane: open in place, note the batch, hand the rest to the engines. */
static void recv_esp(struct world *w, enum dial_path path, const struct endpoint *from,
                     struct mspan packet)
{
    struct data_path *data = dial_data(w->dial);
    struct mspan inner;
    enum data_kind kind;

    if (data_udp_encapsulated(data) != (path == DIAL_PATH_NATT))
        return;
    kind = data_open(data, packet, &inner);
    if (kind == DATA_NOTHING)
        return;
    world_watch_arrival(w, kind, span_ro(inner));
    dial_note_esp_in(w->dial, from, w->sim.now);
    if (kind == DATA_IP)
        recv_ip(w, span_ro(inner));
    else
        (void)dial_input_inner(w->dial, kind, span_ro(inner), w->sim.now);
}

static void take_ip(struct world *w)
{
    struct msg m;

    while (dial_pop_ip(w->dial, &m)) {
        recv_ip(w, span_of(m.bytes, m.n));
        msg_done(&m);
    }
}

static void input(void *ctx, enum peer_port port, const struct endpoint *from, struct span bytes,
                  l2tpc_us now)
{
    static const uint8_t marker[4];
    struct world *w = ctx;
    enum dial_path path = port == PEER_UDP500    ? DIAL_PATH_IKE
                          : port == PEER_UDP4500 ? DIAL_PATH_NATT
                                                 : DIAL_PATH_ESP;
    bool natt = path == DIAL_PATH_NATT;
    bool ike = path == DIAL_PATH_IKE || (natt && bytes.n >= 4 && !memcmp(bytes.p, marker, 4));
    struct mspan copy = {malloc(bytes.n + 1), bytes.n}; /* exact, so that ASan sees its end */

    if (!copy.p)
        abort();
    memcpy(copy.p, bytes.p, bytes.n);
    if (ike)
        world_watch_ike(w, natt ? span_of(bytes.p + 4, bytes.n - 4) : bytes);
    if (ike || w->config.whole_input || bytes.n < 8)
        (void)dial_input(w->dial, path, from, copy, now);
    else
        recv_esp(w, path, from, copy);
    take_ip(w);
    free(copy.p);
}

static l2tpc_us own_deadline(const struct world *w)
{
    l2tpc_us next = US_NEVER;

    for (unsigned i = 0; i < WORLD_NEEDS; i++)
        if (w->need[i].open)
            next = us_min(next, w->need[i].due);
    return w->stream_every ? us_min(next, w->stream_due) : next;
}

static l2tpc_us deadline(void *ctx)
{
    struct world *w = ctx;

    return us_min(dial_deadline(w->dial), own_deadline(w));
}

/* A deadline that stays in the past, or comes too often, is a busy loop in a real process. */
static void watch_timer(struct world *w, l2tpc_us now)
{
    if (now / US_S(1) != w->second) {
        w->second = now / US_S(1);
        w->timers = 0;
    }
    if (++w->timers == TIMERS_PER_SECOND)
        world_violation(w, "%u timers in second %llu", w->timers, (unsigned long long)w->second);
    if (dial_deadline(w->dial) > now)
        w->stuck = 0;
    else if (++w->stuck == 4)
        world_violation(w, "a deadline stays in the past at %llu us", (unsigned long long)now);
}

static void timer(void *ctx, l2tpc_us now)
{
    struct world *w = ctx;

    if (dial_deadline(w->dial) <= now) {
        dial_timer(w->dial, now);
        watch_timer(w, now);
    }
    world_answer_due(w);
    if (w->stream_every && w->stream_due <= now) {
        w->stream_due = us_add(now, w->stream_every);
        (void)world_ping(w);
    }
}

static bool done(void *ctx, l2tpc_us now)
{
    struct world *w = ctx;
    struct dial_event e;

    (void)now;
    while (dial_pop_event(w->dial, &e))
        world_take_event(w, &e);
    world_watch_peer(w);
    world_watch_queues(w);
    return w->goal && w->goal(w);
}

/* ---- IP ---- */

static uint16_t checksum(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < n; i += 2)
        sum += (uint32_t)(p[i] << 8 | p[i + 1]);
    while (sum >> 16)
        sum = (sum >> 16) + (sum & 0xffff);
    return (uint16_t)~sum;
}

bool world_ping(struct world *w)
{
    uint8_t b[DATA_HEADROOM + PING_LEN + DATA_TAILROOM] = {0};
    struct mspan ip = {b + DATA_HEADROOM, PING_LEN};
    struct mspan packet;
    struct wr h = wr_of(ip.p, PING_LEN);
    struct world_wire *q;
    struct span out;

    wr_u32(&h, 0x45000000 | PING_LEN);
    wr_u32(&h, 0);
    wr_u32(&h, 64u << 24 | 1 << 16);
    wr_u32(&h, inaddr_to_v4(&w->ip.local));
    wr_u32(&h, inaddr_to_v4(&w->config.peer.server_ip));
    wr_u32(&h, 0x08000000);
    wr_u16(&h, 0x1234);
    wr_u16(&h, w->next_seq);
    wr_u32(&h, 0xfeedbeef);
    wr_patch_u16(&h, 10, checksum(ip.p, 20));
    wr_patch_u16(&h, 22, checksum(ip.p + 20, 12));
    if (!wr_finish(&h, &out) || w->queue_used == ARRAY_LEN(w->queue))
        abort();
    if (!data_seal_ip(dial_data(w->dial), ip, &packet)) {
        w->refused++;
        return false;
    }
    w->answered[w->next_seq] = 0; /* of the round before */
    w->next_seq = (uint16_t)((w->next_seq + 1) % WORLD_SEQ_MAX);
    w->pings++;
    q = &w->queue[(w->queue_head + w->queue_used++) % ARRAY_LEN(w->queue)];
    q->port = data_udp_encapsulated(dial_data(w->dial)) ? PEER_UDP4500 : PEER_RAWESP;
    q->to = *data_peer(dial_data(w->dial));
    q->m = (struct msg){.bytes = malloc(packet.n), .n = packet.n};
    if (!q->m.bytes)
        abort();
    memcpy(q->m.bytes, packet.p, packet.n);
    world_line_add(w, LINE_OUT, "IP");
    dial_note_esp_out(w->dial, w->sim.now);
    return true;
}

/* ---- life ---- */

/* A case that fails leaves its world behind: that must not look like a leak of the client's. */
static struct world *live;

static void free_leftovers(void)
{
    while (live)
        world_free(live);
}

/* Nothing of L2TP may be on the wire by itself. */
static bool watch_link(void *ctx, const struct simlink_packet *k)
{
    struct world *w = ctx;

    if (k->port == PEER_CLEAR1701 || k->from.port == 1701 || k->to.port == 1701)
        world_violation(w, "a packet on UDP port 1701");
    return false;
}

struct world *world_new(const struct world_config *config)
{
    struct world *w = calloc(1, sizeof(*w));
    struct simlink_config link = config->link;

    if (!w)
        abort();
    if (!live)
        (void)atexit(free_leftovers);
    w->next = live;
    live = w;
    w->config = *config;
    sim_env_init(&w->client_env, "client", config->seed);
    sim_env_init(&w->peer_env, "peer", config->seed ^ 0x5eed);
    w->crypto = crypto_new();
    w->peer_crypto = crypto_new();
    link.seed = config->seed;
    if (!link.hook) {
        link.hook = watch_link;
        link.hook_ctx = w;
    }
    w->sim.link = simlink_new(&link);
    w->sim.peer = peer_new(&w->config.peer, &w->peer_env.env, w->peer_crypto);
    w->sim.peer_addr = w->config.peer.local;
    w->sim.peer_natt_port = 4500;
    w->sim.now = US_S(1000); /* no engine may take zero for the beginning */
    w->sim.client = (struct sim_client){.ctx = w,
                                        .pop_out = pop_out,
                                        .input = input,
                                        .timer = timer,
                                        .deadline = deadline,
                                        .done = done};
    if (config->policy && !policy_named(config->policy, &w->config.dial.policy))
        abort();
    w->config.dial.env = &w->client_env.env;
    w->config.dial.crypto = w->crypto;
    if (!config->dial.servers && !config->no_servers)
        w->config.dial.servers = w->servers = servers_new();
    w->dial = dial_new(&w->config.dial);
    if (!w->crypto || !w->peer_crypto || !w->sim.link || !w->sim.peer || !w->dial)
        abort();
    if (check_sabotaged() && w->config.psk && w->config.psk[0])
        w->config.psk = "a shared secres"; /* the last bit of a right key */
    dial_start(w->dial, w->sim.now);
    return w;
}

void world_free(struct world *w)
{
    if (!w)
        return;
    for (struct world **at = &live; *at; at = &(*at)->next) {
        if (*at == w) {
            *at = w->next;
            break;
        }
    }
    while (w->queue_used > 0) {
        msg_done(&w->queue[w->queue_head].m);
        w->queue_head = (w->queue_head + 1) % ARRAY_LEN(w->queue);
        w->queue_used--;
    }
    dial_free(w->dial);
    servers_free(w->servers);
    peer_free(w->sim.peer);
    simlink_free(w->sim.link);
    crypto_free(w->peer_crypto);
    crypto_free(w->crypto);
    free(w);
}

bool world_until(struct world *w, bool (*goal)(struct world *w), l2tpc_us limit)
{
    l2tpc_us until = us_add(w->sim.now, limit);
    bool reached;

    w->goal = goal;
    reached = sim_run(&w->sim, until);
    w->goal = NULL;
    if (!reached && w->sim.now < until)
        world_violation(w, "the loop gave up at %llu us", (unsigned long long)w->sim.now);
    return reached;
}

static bool never(struct world *w)
{
    (void)w;
    return false;
}

void world_run(struct world *w, l2tpc_us duration)
{
    (void)world_until(w, never, duration);
}

bool world_is_up(struct world *w)
{
    return w->up || w->failed || w->down;
}

bool world_is_down(struct world *w)
{
    return w->down;
}

bool world_has_lines(struct world *w)
{
    return w->n_lines >= w->goal_lines || w->down;
}

bool world_ping_answered(struct world *w)
{
    return w->answered[(w->next_seq + WORLD_SEQ_MAX - 1) % WORLD_SEQ_MAX] > 0 || w->down;
}

static bool say(struct world *w, const char *what)
{
    printf("    %s at %.3f s (seed %llu): %s at %s; %s%s\n", what,
           (double)(w->sim.now - US_S(1000)) / 1e6, (unsigned long long)w->config.seed,
           w->failed ? failure_code(w->failure.id) : "no failure",
           stage_name(dial_facts(w->dial)->current), w->violation,
           peer_facts(w->sim.peer)->complaint);
    if (getenv("L2TPC_SIM_WATERFALL"))
        world_print(w);
    return false;
}

bool world_dial(struct world *w, l2tpc_us limit)
{
    if (!world_until(w, world_is_up, limit) || !w->up)
        return say(w, "not up");
    for (unsigned i = 0; i < 30; i++) { /* the network may lose pings too */
        if (w->down)
            return say(w, "down again");
        if (world_ping(w) && world_until(w, world_ping_answered, US_S(1)))
            return world_clean(w) || say(w, "unclean");
    }
    return say(w, "no ping answered");
}

bool world_close(struct world *w)
{
    dial_close(w->dial, w->sim.now);
    if (!world_until(w, world_is_down, US_S(10)))
        return say(w, "not down");
    world_run(w, US_S(2)); /* the last words arrive */
    return world_clean(w) || say(w, "unclean at the end");
}

bool world_clean(struct world *w)
{
    if (peer_facts(w->sim.peer)->clear_1701 ||
        simlink_stats(w->sim.link)->sent[PEER_CLEAR1701][SIMLINK_TO_PEER])
        world_violation(w, "L2TP in the clear");
    return w->violations == 0 && peer_facts(w->sim.peer)->complaints == 0;
}

int world_find(const struct world *w, enum world_kind kind, const char *text, unsigned from)
{
    for (unsigned i = from; i < w->n_lines; i++)
        if (w->line[i].kind == kind && strcmp(w->line[i].text, text) == 0)
            return (int)i;
    return -1;
}

void world_print(const struct world *w)
{
    static const char *const mark[] = {"->", "<-", "==", "  (peer)"};

    for (unsigned i = 0; i < w->n_lines; i++)
        printf("    %10.3f ms %s %s\n", (double)(w->line[i].at - US_S(1000)) / 1e3,
               mark[w->line[i].kind], w->line[i].text);
}
