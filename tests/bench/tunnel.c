/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One end of a tunnel whose keys, ids and addresses are given: the library's own loop, hub, plane
 * and data path, without a key exchange in front. Two of them are as fast a peer as one can be.
 *
 *   bench-tunnel TUN LOCAL REMOTE 0|1 SUITE udp|esp [REKEY-SECONDS [DATA-THREADS]]
 *
 * SUITE: gcm128, gcm256, cbc-sha1, cbc-sha256. It says "ready" when the TUN is there, and one JSON
 * object with its counters after SIGTERM. Both ends take time for new keys from the same clock.
 */
#include "count.h"

#include "dial/data_path.h"
#include "io/env.h"
#include "io/offload.h"
#include "io/plane.h"
#include "io/runner_hooks.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct end {
    struct loop *loop;
    struct lanes *lanes;
    unsigned threads;
    struct hub *hub;
    struct hub_member member;
    struct data_path data;
    struct plane *plane;
    struct crypto *crypto;
    struct env env;
    struct esp_suite suite;
    struct endpoint local, remote;
    bool first, udp;
    l2tpc_us rekey; /* 0: never */
    uint32_t epoch;
    struct loop_timer timer;
};

static struct loop *stopped;

static void on_signal(int number)
{
    (void)number;
    loop_quit(stopped);
}

static bool parse_suite(const char *name, struct esp_suite *out)
{
    static const struct {
        const char *name;
        struct esp_suite suite;
    } known[] = {
        {"gcm128", {CIPHER_AES_GCM, 128, HASH_NONE, false}},
        {"gcm256", {CIPHER_AES_GCM, 256, HASH_NONE, false}},
        {"cbc-sha1", {CIPHER_AES_CBC, 128, HASH_SHA1, false}},
        {"cbc-sha256", {CIPHER_AES_CBC, 256, HASH_SHA256, false}},
    };

    for (unsigned i = 0; i < ARRAY_LEN(known); i++) {
        if (strcmp(known[i].name, name) == 0) {
            *out = known[i].suite;
            return true;
        }
    }
    return false;
}

/* ---- keys ---- */

static void make_keys(struct sa_keys *k, const struct esp_suite *suite, uint32_t epoch, bool first)
{
    k->spi = 0x10000u + 2 * epoch + first;
    k->cipher_key_len = (uint8_t)(suite->key_bits / 8 + (suite->cipher == CIPHER_AES_GCM ? 4 : 0));
    k->integ_key_len = (uint8_t)hash_size(suite->integ);
    for (unsigned i = 0; i < SA_CIPHER_KEY_MAX; i++)
        k->cipher_key[i] = (uint8_t)(k->spi * 7 + i * 13);
    for (unsigned i = 0; i < SA_INTEG_KEY_MAX; i++)
        k->integ_key[i] = (uint8_t)(k->spi * 11 + i * 5);
}

/* As the runner does it for the engine. */
static void follow(struct end *e)
{
    uint32_t spis[DATA_PAIRS_MAX];
    unsigned n = 0;

    for (unsigned i = 0; i < DATA_PAIRS_MAX; i++)
        if (e->data.pair[i].in)
            spis[n++] = esp_in_spi(e->data.pair[i].in);
    data_publish(&e->data);
    (void)data_sweep(&e->data);
    hub_set_esp_spis(e->hub, &e->member, spis, n);
}

/* The pair of an epoch, to read with at once. */
static struct data_pair *install(struct end *e, uint32_t epoch, l2tpc_us now)
{
    struct sa_pair sa = {
        .suite = e->suite,
        .udp_encapsulated = e->udp,
        .behind_nat = e->udp,
        .local_port = 1701,
        .remote_port = 1701,
    };
    struct data_pair *p;

    make_keys(&sa.out, &sa.suite, epoch, e->first);
    make_keys(&sa.in, &sa.suite, epoch, !e->first);
    p = data_install(&e->data, e->crypto, &e->env, &sa, &e->local.addr, &e->remote.addr, now);
    if (p)
        p->ready = true;
    follow(e);
    return p;
}

/* New keys are read from the beginning of an epoch and sent with from its middle. */
static void on_rekey(void *user, l2tpc_us now)
{
    struct end *e = user;
    uint32_t epoch = (uint32_t)(now / e->rekey);
    l2tpc_us middle = (l2tpc_us)epoch * e->rekey + e->rekey / 2;
    struct data_pair *p;

    if (now < middle) {
        if (epoch != e->epoch)
            (void)install(e, epoch, now);
        e->epoch = epoch;
        loop_timer_set(e->loop, &e->timer, middle);
        return;
    }
    p = data_find_out(&e->data, 0x10000u + 2 * epoch + e->first);
    if (p)
        data_switch(&e->data, p, now);
    follow(e);
    loop_timer_set(e->loop, &e->timer, (l2tpc_us)(epoch + 1) * e->rekey);
}

/* ---- the plane's and the hub's hooks ---- */

static void on_control(void *user, enum data_kind kind, struct span inner, l2tpc_us now)
{
    (void)user;
    (void)kind;
    (void)inner;
    (void)now;
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
    struct end *e = user;

    (void)os_error;
    (void)now;
    loop_quit(e->loop);
}

static bool owns_spi(void *user, uint32_t spi)
{
    return data_owns_spi(&((struct end *)user)->data, spi);
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
    plane_input(((struct end *)user)->plane, packets, n, from, now);
}

static void on_esp_end(void *user, l2tpc_us now)
{
    plane_batch_end(((struct end *)user)->plane, now);
}

/* ---- life ---- */

static void open_data(struct end *e)
{
    e->data.now.udp_encapsulated = e->udp;
    e->data.now.peer = e->remote;
    e->data.now.tunnel_id = e->data.now.session_id = (uint16_t)(e->first ? 0x1111 : 0x2222);
    e->data.now.peer_tunnel_id = e->data.now.peer_session_id =
        (uint16_t)(e->first ? 0x2222 : 0x1111);
    e->data.now.call_up = e->data.now.ip_open = true;
}

static bool start(struct end *e, const char *tun_name)
{
    struct plane_hooks hooks = {
        .user = e,
        .control = on_control,
        .esp_in = on_esp_in,
        .esp_out = on_esp_out,
        .tun_gone = on_gone,
    };
    char name[TUN_NAME_MAX];
    struct failure f;
    l2tpc_us now = io_now();
    int tun = port_open_tun(tun_name, name, &f);

    e->env = io_env_make(NULL, NULL);
    e->crypto = crypto_new();
    e->loop = loop_new();
    if (e->loop && e->threads > 0)
        e->lanes = lanes_new(e->loop, e->threads);
    if (e->loop && (e->lanes || e->threads == 0))
        e->hub = hub_new(e->loop, e->lanes, NULL);
    if (tun < 0 || !e->crypto || !e->hub)
        return false;
    runner_test_backend(e->crypto);
    e->member = (struct hub_member){
        .user = e,
        .remote = e->remote,
        .owns_spi = owns_spi,
        .datagram = on_datagram,
        .esp = on_esp,
        .esp_end = on_esp_end,
    };
    hub_join(e->hub, &e->member);
    if (!hub_open_udp(e->hub, &e->member, e->remote.addr.family, &f) ||
        (!e->udp && !hub_open_esp(e->hub, &e->member, e->remote.addr.family, &f)))
        return false;
    if (e->lanes)
        data_set_turns(&e->data, lanes_turns(e->lanes));
    open_data(e);
    e->epoch = e->rekey ? (uint32_t)(now / e->rekey) : 0;
    e->plane = plane_new(e->loop, e->hub, &e->data, tun, &hooks);
    if (!e->plane || !install(e, e->epoch, now))
        return false;
    plane_set_local(e->plane, &e->local.addr);
    e->timer = (struct loop_timer){.fn = on_rekey, .user = e};
    if (e->rekey)
        on_rekey(e, now);
    return true;
}

static void print_result(const struct end *e)
{
    const struct data_counters d = data_counters(&e->data);
    const struct plane_counters p = plane_counters(e->plane);
    const struct hub_counters h = hub_counters(e->hub);
    struct esp_counters in;
    struct esp_counters out;

    data_sum(&e->data, &in, &out);
    printf("{\"ip_in\": %llu, \"ip_out\": %llu, \"esp_in\": %llu, \"esp_out\": %llu,"
           " \"replayed\": %llu, \"bad_icv\": %llu, \"malformed\": %llu, \"unknown_spi\": %llu,"
           " \"not_open\": %llu, \"tun_full\": %llu, \"tun_down\": %llu, \"too_long\": %llu,"
           " \"lost\": %llu, \"refused\": %llu, \"unowned\": %llu, \"allocations\": %llu}\n",
           (unsigned long long)d.ip_in, (unsigned long long)d.ip_out,
           (unsigned long long)in.packets, (unsigned long long)out.packets,
           (unsigned long long)in.replayed, (unsigned long long)in.bad_icv,
           (unsigned long long)in.malformed, (unsigned long long)d.unknown_spi,
           (unsigned long long)d.not_open, (unsigned long long)p.tun_full,
           (unsigned long long)p.tun_down, (unsigned long long)p.too_long,
           (unsigned long long)h.lost, (unsigned long long)h.refused, (unsigned long long)h.unowned,
           (unsigned long long)count_allocations());
}

int main(int argc, char **argv)
{
    static struct end e;
    struct sigaction action = {.sa_handler = on_signal};

    if (argc < 7 || !inaddr_parse(&e.local.addr, argv[2]) ||
        !inaddr_parse(&e.remote.addr, argv[3]) || !parse_suite(argv[5], &e.suite)) {
        (void)fprintf(stderr,
                      "usage: %s TUN LOCAL REMOTE 0|1 SUITE udp|esp [REKEY-SECONDS"
                      " [DATA-THREADS]]\n",
                      argv[0]);
        return 2;
    }
    e.first = strcmp(argv[4], "0") == 0;
    e.udp = strcmp(argv[6], "esp") != 0;
    e.remote.port = PORT_NATT;
    e.rekey = argc > 7 ? US_S(strtoul(argv[7], NULL, 10)) : 0;
    e.threads = argc > 8 ? (unsigned)strtoul(argv[8], NULL, 10) : 0;
    if (offload_wanted().batch) /* as processes.c does it for the engine */
        (void)setpriority(PRIO_PROCESS, 0, -10);
    if (!start(&e, argv[1])) {
        perror(argv[1]);
        return 1;
    }
    stopped = e.loop;
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    printf("ready\n");
    (void)fflush(stdout);
    count_begin();
    loop_run(e.loop);
    print_result(&e);
    plane_free(e.plane);
    hub_leave(e.hub, &e.member);
    data_clear(&e.data);
    hub_free(e.hub);
    lanes_free(e.lanes);
    loop_free(e.loop);
    crypto_free(e.crypto);
    return 0;
}
