/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Many tunnels in one context of the library, through its public functions alone, with a socket in
 * place of each TUN: bench-sessions FIRST-ADDRESS COUNT SECONDS [SUITE [IDLE-SECONDS]]. Session i
 * dials the i-th address. All of them send pings of 1300 bytes for SECONDS, a window of them each;
 * then all stand still for IDLE-SECONDS, and end. Says what that took as one JSON object.
 */
#include "count.h"

#include <arpa/inet.h>
#include <errno.h>
#include <l2tpc.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define AT_ONCE 64 /* dials under way */
#define WINDOW 4   /* pings under way in each tunnel */
#define PING 1300
#define FEW 16 /* tunnels after which the first measurement of memory is taken */
#define PATIENCE 120.0

struct tunnel {
    l2tpc_session *session;
    int pair[2]; /* ours; the library's until it has taken it */
    struct in_addr local;
    bool up, down, failed;
    unsigned under_way;
    unsigned long answers, answers_before;
};

static struct tunnel *tunnels;
static unsigned n_tunnels, n_up, n_down, n_failed;
static struct in_addr inner_server;
static int poller;

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double cpu(void)
{
    struct rusage u;

    (void)getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

/* Of all threads; those that ended have no part in it. */
static long wake_ups(void)
{
    struct rusage u;

    (void)getrusage(RUSAGE_SELF, &u);
    return u.ru_nvcsw;
}

/* KB that nobody else has. */
static long private_dirty(void)
{
    FILE *f = fopen("/proc/self/smaps_rollup", "r");
    char line[256];
    long kb = -1;

    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "Private_Dirty: %ld", &kb) == 1)
            break;
    if (f)
        (void)fclose(f);
    return kb;
}

/* ---- what the library needs ---- */

static int serve(void *user, const l2tpc_need *need, l2tpc_answer *answer)
{
    unsigned i = (unsigned)strtoul(need->session_name + 1, NULL, 10);
    struct tunnel *t = &tunnels[i];

    (void)user;
    switch (need->type) {
    case L2TPC_NEED_TUN:
        answer->fd = t->pair[1];
        t->pair[1] = -1;
        return 1;
    case L2TPC_NEED_APPLY_IP:
        memcpy(&t->local, need->local.bytes, sizeof(t->local));
        return 1;
    case L2TPC_NEED_RELEASE_IP:
        return 1;
    default:
        return 0;
    }
}

/* ---- pings ---- */

static uint32_t sum_of(const void *bytes, size_t n)
{
    const uint8_t *p = bytes;
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < n; i += 2)
        sum += (uint32_t)p[i] << 8 | p[i + 1];
    while (sum >> 16)
        sum = (sum >> 16) + (sum & 0xffff);
    return sum;
}

static void ping(struct tunnel *t)
{
    struct {
        struct iphdr ip;
        struct icmphdr icmp;
        uint8_t filling[PING - sizeof(struct iphdr) - sizeof(struct icmphdr)];
    } p;

    memset(&p, 0, sizeof(p));
    p.ip.version = 4;
    p.ip.ihl = 5;
    p.ip.ttl = 64;
    p.ip.protocol = IPPROTO_ICMP;
    p.ip.tot_len = htons(PING);
    p.ip.saddr = t->local.s_addr;
    p.ip.daddr = inner_server.s_addr;
    p.ip.check = htons((uint16_t)~sum_of(&p.ip, sizeof(p.ip)));
    p.icmp.type = ICMP_ECHO;
    p.icmp.checksum = htons((uint16_t)~sum_of(&p.icmp, sizeof(p.icmp)));
    if (send(t->pair[0], &p, PING, MSG_DONTWAIT) == PING)
        t->under_way++;
}

static void take(struct tunnel *t, bool again)
{
    uint8_t bytes[2048];

    while (recv(t->pair[0], bytes, sizeof(bytes), MSG_DONTWAIT) > 0) {
        if (bytes[9] != IPPROTO_ICMP || bytes[20] != ICMP_ECHOREPLY)
            continue;
        t->answers++;
        if (t->under_way > 0)
            t->under_way--;
        if (again)
            ping(t);
    }
}

/* ---- events ---- */

static void hear(struct tunnel *t)
{
    l2tpc_event *e;

    while ((e = l2tpc_session_next_event(t->session))) {
        switch (l2tpc_event_get_type(e)) {
        case L2TPC_EVENT_UP:
            t->up = true;
            n_up++;
            break;
        case L2TPC_EVENT_FAILED:
            if (n_failed++ == 0)
                (void)fprintf(stderr, "bench-sessions: %s\n",
                              l2tpc_error_get_code(l2tpc_event_get_error(e)));
            t->failed = true;
            break;
        case L2TPC_EVENT_DOWN:
            t->down = true;
            n_down++;
            break;
        default:
            break;
        }
        l2tpc_event_free(e);
    }
}

/* An even number is a session's events, an odd one its packets. */
static void listen_to(unsigned i, int fd, bool packets)
{
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = 2 * i + packets};

    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e) != 0) {
        perror("bench-sessions");
        exit(1);
    }
}

static void round_of_events(int wait_ms, bool again)
{
    static struct epoll_event e[256];
    int n = epoll_wait(poller, e, 256, wait_ms);

    for (int i = 0; i < n; i++) {
        struct tunnel *t = &tunnels[e[i].data.u32 / 2];

        if (e[i].data.u32 % 2)
            take(t, again);
        else
            hear(t);
    }
}

/* ---- a life ---- */

static void start_one(l2tpc_context *context, l2tpc_config *config, uint32_t first, unsigned i)
{
    struct tunnel *t = &tunnels[i];
    struct in_addr server = {htonl(first + i)};
    char name[16];
    char text[INET_ADDRSTRLEN];

    (void)snprintf(name, sizeof(name), "s%u", i);
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, t->pair) != 0 ||
        l2tpc_config_set_name(config, name) != 0 ||
        l2tpc_config_set_server(config, inet_ntop(AF_INET, &server, text, sizeof(text))) != 0 ||
        l2tpc_session_new(&t->session, context, config) != 0) {
        perror("bench-sessions");
        exit(1);
    }
    listen_to(i, l2tpc_session_get_fd(t->session), false);
    listen_to(i, t->pair[0], true);
    if (l2tpc_session_start(t->session) != 0)
        exit(1);
}

/* Up to `until` tunnels; how long that took. */
static double dial_all(l2tpc_context *context, l2tpc_config *config, uint32_t first, unsigned from,
                       unsigned until)
{
    double begin = now();
    unsigned started = from;

    while (n_up + n_failed < until && now() < begin + PATIENCE) {
        while (started < until && started - n_up - n_failed < AT_ONCE)
            start_one(context, config, first, started++);
        round_of_events(1000, false);
    }
    return now() - begin;
}

/* A window for whoever has heard nothing for a while: all at once may be more than a queue holds.
 */
static void fill_windows(void)
{
    for (unsigned i = 0; i < n_tunnels; i++) {
        struct tunnel *t = &tunnels[i];

        if (t->answers == t->answers_before)
            t->under_way = 0;
        t->answers_before = t->answers;
        while (t->up && t->under_way < WINDOW) {
            unsigned before = t->under_way;

            ping(t);
            if (t->under_way == before)
                break;
        }
    }
}

static double transfer(double seconds)
{
    double begin = now();
    double due = begin;

    while (now() < begin + seconds) {
        if (now() >= due) {
            fill_windows();
            due += 1;
        }
        round_of_events(100, true);
    }
    return now() - begin;
}

static void still(double seconds)
{
    double end = now() + seconds;

    while (now() < end)
        round_of_events((int)((end - now()) * 1000) + 1, false);
}

static void tell_transfer(double seconds, double used)
{
    unsigned long answers = 0, least = ~0ul, most = 0;
    unsigned served = 0;

    for (unsigned i = 0; i < n_tunnels; i++) {
        unsigned long a = tunnels[i].answers;

        answers += a;
        served += a > 0;
        least = a < least ? a : least;
        most = a > most ? a : most;
    }
    printf("\"served\": %u, \"packets\": %lu, \"least\": %lu, \"most\": %lu, \"seconds\": %.2f,"
           " \"gbps_each_way\": %.3f, \"cpu\": %.2f, ",
           served, answers, least, most, seconds, (double)answers * PING * 8e-9 / seconds, used);
}

static l2tpc_config *config_make(const char *suite)
{
    l2tpc_config *c = NULL;

    if (l2tpc_config_new(&c) == 0 && l2tpc_config_set_user(c, "alice", NULL) == 0 &&
        l2tpc_config_set_psk(c, "Ng7x4tQzV9kWc2RfpM5bY8sD", 24) == 0 &&
        l2tpc_config_set_password(c, "wonderland", 10) == 0 &&
        l2tpc_config_set_encapsulation(c, "udp") == 0 &&
        (!suite || l2tpc_config_set_esp(c, suite) == 0))
        return c;
    (void)fprintf(stderr, "bench-sessions: the config is not taken\n");
    exit(1);
}

int main(int argc, char **argv)
{
    l2tpc_host_ops ops = {.size = sizeof(ops), .serve = serve};
    l2tpc_context_options options = {.size = sizeof(options), .host_ops = &ops};
    struct rlimit files = {65536, 65536};
    l2tpc_context *context = NULL;
    l2tpc_config *config;
    struct in_addr first;
    double seconds, took, used, idle;
    long empty, few, all, after, woken;
    unsigned n_few;

    if (argc < 4 || !inet_aton(argv[1], &first))
        return 2;
    n_tunnels = (unsigned)strtoul(argv[2], NULL, 10);
    seconds = strtod(argv[3], NULL);
    idle = argc > 5 ? strtod(argv[5], NULL) : 2;
    tunnels = calloc(n_tunnels, sizeof(*tunnels));
    poller = epoll_create1(EPOLL_CLOEXEC);
    (void)setrlimit(RLIMIT_NOFILE, &files);
    (void)inet_aton("10.99.0.1", &inner_server);
    config = config_make(argc > 4 ? argv[4] : NULL);
    if (!tunnels || poller < 0 || l2tpc_context_new(&context, &options) != 0)
        return 1;
    memset(tunnels, 1, n_tunnels * sizeof(*tunnels)); /* ours is there before it is measured */
    memset(tunnels, 0, n_tunnels * sizeof(*tunnels));
    empty = private_dirty();
    n_few = n_tunnels < FEW ? n_tunnels : FEW;
    (void)dial_all(context, config, ntohl(first.s_addr), 0, n_few);
    still(2);
    few = private_dirty();
    used = cpu();
    took = dial_all(context, config, ntohl(first.s_addr), n_few, n_tunnels);
    printf("{\"up\": %u, \"failed\": %u, \"dial_seconds\": %.2f, \"dial_cpu\": %.2f, ", n_up,
           n_failed, took, cpu() - used);
    still(2);
    all = private_dirty();
    used = cpu();
    count_begin();
    took = transfer(seconds);
    used = cpu() - used;
    printf("\"allocations\": %llu, ", (unsigned long long)count_allocations());
    still(2);
    tell_transfer(took, used);
    after = private_dirty();
    woken = wake_ups();
    used = cpu();
    still(idle);
    printf("\"idle_seconds\": %.1f, \"idle_wake_ups\": %ld, \"idle_cpu\": %.3f, ", idle,
           wake_ups() - woken, cpu() - used);
    printf("\"kb_empty\": %ld, \"kb_few\": %ld, \"few\": %u, \"kb_all\": %ld, \"kb_after\": %ld, ",
           empty, few, n_few, all, after);
    took = now();
    for (unsigned i = 0; i < n_tunnels; i++)
        l2tpc_session_stop(tunnels[i].session);
    while (n_down < n_tunnels && now() < took + 30)
        round_of_events(1000, false);
    printf("\"down\": %u, \"end_seconds\": %.2f}\n", n_down, now() - took);
    for (unsigned i = 0; i < n_tunnels; i++) {
        l2tpc_session_free(tunnels[i].session);
        (void)close(tunnels[i].pair[0]);
    }
    l2tpc_config_free(config);
    l2tpc_context_free(context);
    free(tunnels);
    return 0;
}
