/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Data threads at work: two ends over loopback, each with threads of its own, real ESP in between.
 * Traffic goes both ways while keys are renewed every few milliseconds, sessions come and go, and
 * another thread asks for counters. No packet may be lost, or overtake another one of its flow.
 * Built with -Db_sanitize=thread it also shows that nobody reads what another one writes.
 */
#include "check.h"
#include "crypto/crypto.h"
#include "dial/data_path.h"
#include "io/env.h"
#include "io/lanes.h"
#include "io/plane.h"
#include "io/thread.h"
#include "own_net.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SESSIONS 4
#define WINDOW 24 /* packets of a flow under way: as many as the sockets hold for certain */
#define PACKET 600
#define REKEY US_MS(3)
#define LIFE US_MS(120) /* of a session that comes and goes */

struct end;

/* One end of a session. */
struct side {
    struct end *end;
    struct data_path data;
    struct plane *plane;
    struct hub_member member;
    int tun[2]; /* the plane's, ours */
    tally sent, got, overtaken;
    uint32_t next; /* the number that comes next */
    unsigned controls;
};

struct session {
    struct side side[2];
    unsigned number;
    uint32_t generation;
    atomic_bool open; /* for traffic */
    l2tpc_us since;
};

/* A context. */
struct end {
    struct crypto *crypto;
    struct lanes *lanes;
    struct hub *hub;
};

/* The mutex is what the context's lock is: control side and API. */
struct world {
    pthread_mutex_t lock;
    struct loop *loop;
    struct env env;
    struct end end[2];
    struct session *session[SESSIONS];
    struct loop_timer timer;
    unsigned rekeys, lives, controls_sent, controls_got, asked;
    uint64_t lost, overtaken, moved;
    bool broken;
    atomic_bool over;
};

static const struct esp_suite suites[] = {
    {CIPHER_AES_GCM, 128, HASH_NONE, false},
    {CIPHER_AES_CBC, 256, HASH_SHA256, false},
};

/* ---- hooks ---- */

static void on_control(void *user, enum data_kind kind, struct span inner, l2tpc_us now)
{
    struct side *s = user;

    (void)now;
    s->controls += kind == DATA_CONTROL && inner.n == 20;
}

static void on_esp_in(void *user, const struct endpoint *from, l2tpc_us now)
{
    (void)user;
    (void)from;
    (void)now;
}

static void on_esp_out(void *user, l2tpc_us now)
{
    (void)user;
    (void)now;
}

static void on_gone(void *user, int os_error, l2tpc_us now)
{
    (void)user;
    (void)os_error;
    (void)now;
}

static bool owns_spi(void *user, uint32_t spi)
{
    return data_owns_spi(&((struct side *)user)->data, spi);
}

static void on_datagram(void *user, enum dial_path path, const struct endpoint *from,
                        const struct inaddr *to, struct mspan bytes, l2tpc_us now)
{
    (void)user;
    (void)path;
    (void)from;
    (void)to;
    (void)bytes;
    (void)now;
}

static void on_esp(void *user, enum dial_path path, const struct endpoint *from,
                   const struct mspan *packets, unsigned n, l2tpc_us now)
{
    (void)path;
    plane_input(((struct side *)user)->plane, packets, n, from, now);
}

static void on_esp_end(void *user, l2tpc_us now)
{
    plane_batch_end(((struct side *)user)->plane, now);
}

/* ---- sessions: under the lock ---- */

static void make_keys(struct sa_keys *k, const struct esp_suite *suite, uint32_t spi)
{
    k->spi = spi;
    k->cipher_key_len = (uint8_t)(suite->key_bits / 8 + (suite->cipher == CIPHER_AES_GCM ? 4 : 0));
    k->integ_key_len = (uint8_t)hash_size(suite->integ);
    for (unsigned i = 0; i < SA_CIPHER_KEY_MAX; i++)
        k->cipher_key[i] = (uint8_t)(spi * 7 + i * 13);
    for (unsigned i = 0; i < SA_INTEG_KEY_MAX; i++)
        k->integ_key[i] = (uint8_t)(spi * 11 + i * 5);
}

static uint32_t spi_of(const struct session *x, uint32_t generation, unsigned side)
{
    return 0x100000u + x->number * 0x10000u + generation * 2 + side;
}

static void follow(struct side *s)
{
    uint32_t spis[DATA_PAIRS_MAX];
    unsigned n = 0;

    for (unsigned i = 0; i < DATA_PAIRS_MAX; i++)
        if (s->data.pair[i].in)
            spis[n++] = esp_in_spi(s->data.pair[i].in);
    data_publish(&s->data);
    (void)data_sweep(&s->data);
    hub_set_esp_spis(s->end->hub, &s->member, spis, n);
}

/* Both ends read with the pair of this generation. */
static bool install(struct world *w, struct session *x, uint32_t generation)
{
    struct inaddr home = inaddr_v4(0x7f000001);

    for (unsigned i = 0; i < 2; i++) {
        struct sa_pair sa = {.suite = suites[(x->number + generation) % ARRAY_LEN(suites)],
                             .udp_encapsulated = true,
                             .behind_nat = true,
                             .local_port = 1701,
                             .remote_port = 1701};
        struct data_pair *p;

        make_keys(&sa.out, &sa.suite, spi_of(x, generation, i));
        make_keys(&sa.in, &sa.suite, spi_of(x, generation, 1 - i));
        p = data_install(&x->side[i].data, w->end[i].crypto, &w->env, &sa, &home, &home, 0);
        if (!p)
            return false;
        p->ready = true;
        follow(&x->side[i]);
    }
    return true;
}

static bool side_open(struct world *w, struct side *s, struct end *end, unsigned i)
{
    struct plane_hooks hooks = {.user = s,
                                .control = on_control,
                                .esp_in = on_esp_in,
                                .esp_out = on_esp_out,
                                .tun_gone = on_gone};
    struct inaddr home = inaddr_v4(0x7f000001);
    struct failure f;

    s->end = end;
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, s->tun) != 0)
        return false;
    s->member = (struct hub_member){.user = s,
                                    .owns_spi = owns_spi,
                                    .datagram = on_datagram,
                                    .esp = on_esp,
                                    .esp_end = on_esp_end};
    if (end->lanes)
        data_set_turns(&s->data, lanes_turns(end->lanes));
    s->data.now.tunnel_id = s->data.now.session_id = (uint16_t)(1 + i);
    s->data.now.peer_tunnel_id = s->data.now.peer_session_id = (uint16_t)(2 - i);
    s->data.now.call_up = s->data.now.ip_open = true;
    s->plane = plane_new(w->loop, end->hub, &s->data, s->tun[0], &hooks);
    hub_join(end->hub, &s->member);
    if (!s->plane || !hub_open_udp(end->hub, &s->member, 4, &f))
        return false;
    plane_set_local(s->plane, &home);
    return true;
}

static struct session *session_open(struct world *w, unsigned number, l2tpc_us now)
{
    struct session *x = calloc(1, sizeof(*x));
    struct inaddr home = inaddr_v4(0x7f000001);
    bool ok = x != NULL;

    if (!x)
        return NULL;
    x->number = number;
    x->since = now;
    for (unsigned i = 0; i < 2; i++)
        ok = ok && side_open(w, &x->side[i], &w->end[i], i);
    for (unsigned i = 0; i < 2 && ok; i++)
        x->side[i].data.now.peer =
            (struct endpoint){home, hub_port(w->end[1 - i].hub, DIAL_PATH_NATT, 4), 0};
    ok = ok && install(w, x, 0);
    w->broken = w->broken || !ok;
    atomic_store(&x->open, ok);
    return x;
}

static void session_close(struct world *w, struct session *x)
{
    for (unsigned i = 0; i < 2; i++) {
        struct side *s = &x->side[i];

        hub_leave(s->end->hub, &s->member);
        plane_free(s->plane);
        data_clear(&s->data);
        w->lost += tally_read(&x->side[1 - i].sent) - tally_read(&s->got);
        w->overtaken += tally_read(&s->overtaken);
        w->moved += tally_read(&s->got);
        w->controls_got += s->controls;
        for (unsigned k = 0; k < 2; k++)
            (void)close(s->tun[k]);
    }
    free(x);
}

/* All that was sent has come. */
static bool is_quiet(const struct session *x)
{
    return tally_read(&x->side[0].sent) == tally_read(&x->side[1].got) &&
           tally_read(&x->side[1].sent) == tally_read(&x->side[0].got);
}

/* New keys to read with, then to send with; those before the last ones go. */
static void rekey(struct world *w, struct session *x)
{
    uint32_t next = x->generation + 1;

    if (!install(w, x, next)) {
        w->broken = true;
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        struct data_pair *p = data_find_out(&x->side[i].data, spi_of(x, next, i));

        data_switch(&x->side[i].data, p, 0);
        data_publish(&x->side[i].data);
    }
    x->generation = next;
    w->rekeys++;
}

/* As long as a packet may be under way on it, a pair stays: that of the flow's window. */
static bool may_rekey(struct world *w, struct session *x)
{
    static uint64_t mark[SESSIONS][2];
    static uint32_t marked[SESSIONS];

    (void)w;
    if (marked[x->number] != x->generation || x->generation == 0) {
        marked[x->number] = x->generation;
        for (unsigned i = 0; i < 2; i++)
            mark[x->number][i] = tally_read(&x->side[i].sent);
        return x->generation == 0;
    }
    return tally_read(&x->side[1].got) >= mark[x->number][0] &&
           tally_read(&x->side[0].got) >= mark[x->number][1];
}

/* An L2TP control message, as the engine sends one. */
static void send_control(struct world *w, struct session *x)
{
    uint8_t room[DATA_HEADROOM + 20 + DATA_TAILROOM] = {0};
    struct mspan message = {room + DATA_HEADROOM, 20};
    struct inaddr home = inaddr_v4(0x7f000001);
    struct side *s = &x->side[w->controls_sent % 2];
    struct mspan packet;

    message.p[0] = 0xc8; /* control, with length and sequence numbers; version 2 */
    message.p[1] = 2;
    message.p[3] = 20;
    if (!data_seal_control(&s->data, message, &packet) ||
        hub_send(s->end->hub, DIAL_PATH_NATT, &home, data_peer(&s->data), span_ro(packet)) != 0)
        w->broken = true;
    w->controls_sent++;
}

static void on_timer(void *user, l2tpc_us now)
{
    struct world *w = user;

    for (unsigned i = 0; i < SESSIONS; i++) {
        struct session *x = w->session[i];

        if (!x) {
            w->session[i] = session_open(w, i, now);
            continue;
        }
        if (may_rekey(w, x))
            rekey(w, x);
        if (i == 0)
            send_control(w, x);
        if (i == 0 || now < us_add(x->since, LIFE))
            continue;
        atomic_store(&x->open, false);
        if (now > us_add(x->since, LIFE + US_MS(20)) && is_quiet(x)) {
            w->session[i] = NULL;
            session_close(w, x);
            w->lives++;
        }
    }
    loop_timer_set(w->loop, &w->timer, us_add(now, REKEY));
}

/* ---- the three threads beside the data threads ---- */

static void *control_main(void *user)
{
    struct world *w = user;

    while (!atomic_load(&w->over)) {
        struct pollfd p = {.fd = loop_fd(w->loop), .events = POLLIN};

        (void)poll(&p, 1, 20);
        (void)pthread_mutex_lock(&w->lock);
        (void)loop_dispatch(w->loop, 0);
        (void)pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

static void *api_main(void *user)
{
    struct world *w = user;

    while (!atomic_load(&w->over)) {
        (void)pthread_mutex_lock(&w->lock);
        for (unsigned i = 0; i < SESSIONS; i++) {
            struct session *x = w->session[i];
            struct esp_counters in;
            struct esp_counters out;

            for (unsigned k = 0; x && k < 2; k++) {
                struct data_counters d = data_counters(&x->side[k].data);

                data_sum(&x->side[k].data, &in, &out);
                if (check_sabotaged())
                    w->asked += x->side[k].data.begun; /* it is the data thread's */
                /* Read in another order than they are counted in, so not compared. */
                w->asked += d.ip_in + in.packets + plane_counters(x->side[k].plane).tun_full > 0;
            }
        }
        (void)hub_counters(w->end[0].hub);
        (void)pthread_mutex_unlock(&w->lock);
        (void)poll(NULL, 0, 1);
    }
    return NULL;
}

static void put(struct side *s, const struct side *other)
{
    uint8_t ip[PACKET] = {0x45, 0, PACKET >> 8, PACKET & 255, 0, 0, 0, 0, 64, 253};
    uint32_t number = (uint32_t)tally_read(&s->sent);

    while (number - (uint32_t)tally_read(&other->got) < WINDOW) {
        memcpy(ip + 20, &number, sizeof(number));
        if (send(s->tun[1], ip, sizeof(ip), MSG_DONTWAIT) != (ssize_t)sizeof(ip))
            return;
        number++;
        tally_add(&s->sent, 1);
    }
}

static unsigned take(struct side *s)
{
    uint8_t ip[PACKET + 1];
    unsigned n = 0;

    while (recv(s->tun[1], ip, sizeof(ip), MSG_DONTWAIT) == PACKET) {
        uint32_t number;

        memcpy(&number, ip + 20, sizeof(number));
        if (number != s->next)
            tally_add(&s->overtaken, 1);
        s->next = number + 1;
        tally_add(&s->got, 1);
        n++;
    }
    return n;
}

/* The world's programs: they write into TUNs and read from them. */
static void traffic(struct world *w, l2tpc_us until)
{
    while (io_now() < until) {
        unsigned moved = 0;

        for (unsigned i = 0; i < SESSIONS; i++) {
            struct session *x;

            (void)pthread_mutex_lock(&w->lock); /* so that nobody closes it under us */
            x = w->session[i];
            for (unsigned k = 0; x && k < 2; k++) {
                if (atomic_load(&x->open))
                    put(&x->side[k], &x->side[1 - k]);
                moved += take(&x->side[k]);
            }
            (void)pthread_mutex_unlock(&w->lock);
        }
        if (moved == 0)
            (void)poll(NULL, 0, 1);
    }
}

/* ---- the test ---- */

static bool world_open(struct world *w, unsigned threads)
{
    bool ok = true;

    *w = (struct world){.env = io_env_make(NULL, NULL)};
    (void)pthread_mutex_init(&w->lock, NULL);
    w->loop = loop_new();
    if (!w->loop)
        return false;
    for (unsigned i = 0; i < 2; i++) {
        w->end[i].crypto = crypto_new();
        if (!w->end[i].crypto)
            return false;
        crypto_prepare_esp(w->end[i].crypto);
        if (threads > 0)
            w->end[i].lanes = lanes_new(w->loop, threads);
        w->end[i].hub = hub_new(w->loop, w->end[i].lanes, NULL);
        ok = ok && w->end[i].hub && (w->end[i].lanes || threads == 0);
    }
    w->timer = (struct loop_timer){.fn = on_timer, .user = w};
    return ok;
}

static void world_close(struct world *w)
{
    for (unsigned i = 0; i < SESSIONS; i++)
        if (w->session[i])
            session_close(w, w->session[i]);
    for (unsigned i = 0; i < 2; i++) {
        hub_free(w->end[i].hub);
        lanes_free(w->end[i].lanes);
        crypto_free(w->end[i].crypto);
    }
    loop_timer_cancel(w->loop, &w->timer);
    loop_free(w->loop);
    (void)pthread_mutex_destroy(&w->lock);
}

/* What is under way arrives, or does not. */
static void drain(struct world *w)
{
    (void)pthread_mutex_lock(&w->lock);
    for (unsigned i = 0; i < SESSIONS; i++)
        if (w->session[i])
            atomic_store(&w->session[i]->open, false);
    loop_timer_cancel(w->loop, &w->timer);
    (void)pthread_mutex_unlock(&w->lock);
    traffic(w, us_add(io_now(), US_MS(300)));
}

static void run(unsigned threads)
{
    static struct world w;
    struct hub_counters h;
    pthread_t control;
    pthread_t api;

    (void)own_net();
    CHECK(world_open(&w, threads));
    loop_timer_set(w.loop, &w.timer, io_now());
    CHECK(thread_start(&control, NULL, control_main, &w));
    CHECK(thread_start(&api, NULL, api_main, &w));
    traffic(&w, us_add(io_now(), US_MS(30) * check_rounds(50)));
    drain(&w);
    atomic_store(&w.over, true);
    (void)pthread_join(control, NULL);
    (void)pthread_join(api, NULL);
    h = hub_counters(w.end[0].hub);
    for (unsigned i = 0; i < 2 && threads > 0; i++)
        CHECK_INT(lanes_lost(w.end[i].lanes), 0);
    world_close(&w);
    (void)printf("     %u threads: %llu packets, %u rekeys, %u sessions gone, %u control messages,"
                 " %u questions\n",
                 threads, (unsigned long long)w.moved, w.rekeys, w.lives, w.controls_sent, w.asked);
    CHECK(!w.broken);
    CHECK_INT(w.lost, 0);
    CHECK_INT(w.overtaken, check_sabotaged());
    CHECK_INT(w.controls_got, w.controls_sent);
    CHECK_INT(h.malformed, 0);
    CHECK(w.moved > 500 && w.rekeys > 20 && w.lives > 3 && w.asked > 20);
}

TEST(packets_in_the_dispatching_thread)
{
    run(0);
}

TEST(packets_in_a_thread_of_their_own)
{
    run(1);
}

TEST(packets_in_two_threads)
{
    run(2);
}
