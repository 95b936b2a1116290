/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Many servers in one process: bench-peers FIRST-ADDRESS COUNT. Each address is a peer of tests/sim
 * of its own, behind one pair of sockets that take what comes for any address. It says "ready", and
 * what they have seen together, as JSON, after SIGTERM. The peers send nothing by themselves.
 */
#include "peer.h"
#include "sim_env.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH 32
#define TIMERS_EVERY US_MS(20)

static volatile sig_atomic_t stopped;

struct farm {
    uint32_t first; /* address, host order */
    unsigned n;
    struct peer **peer;
    int fd[2]; /* PEER_UDP500, PEER_UDP4500 */
    uint64_t rounds;
};

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

static l2tpc_us clock_now(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (l2tpc_us)ts.tv_sec * 1000000u + (l2tpc_us)ts.tv_nsec / 1000u;
}

static int open_socket(uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int on = 1;
    int room = 8 << 20;

    if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) != 0 ||
        bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
        perror("bench-peers");
        exit(1);
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
    return fd;
}

/* What a peer has to say, from its own address. */
static void flush(struct farm *f, unsigned i)
{
    union {
        struct cmsghdr align;
        uint8_t bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
    } control;
    enum peer_port port;
    struct endpoint to;
    struct msg m;

    while (peer_pop_out(f->peer[i], &port, &to, &m)) {
        struct sockaddr_in a = {.sin_family = AF_INET,
                                .sin_port = htons(to.port),
                                .sin_addr.s_addr = htonl(inaddr_to_v4(&to.addr))};
        struct iovec iov = {m.bytes, m.n};
        struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(f->first + i)};
        struct msghdr h = {.msg_name = &a,
                           .msg_namelen = sizeof(a),
                           .msg_iov = &iov,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof(control)};

        memset(&control, 0, sizeof(control));
        control.align.cmsg_level = IPPROTO_IP;
        control.align.cmsg_type = IP_PKTINFO;
        control.align.cmsg_len = CMSG_LEN(sizeof(info));
        memcpy(CMSG_DATA(&control.align), &info, sizeof(info));
        if (port == PEER_UDP500 || port == PEER_UDP4500)
            (void)sendmsg(f->fd[port], &h, 0);
        msg_done(&m);
    }
}

/* The address a datagram was sent to; 0: unknown. */
static uint32_t sent_to(struct msghdr *h)
{
    struct in_pktinfo info;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            memcpy(&info, CMSG_DATA(c), sizeof(info));
            return ntohl(info.ipi_addr.s_addr);
        }
    }
    return 0;
}

static void receive(struct farm *f, enum peer_port port)
{
    static uint8_t bytes[BATCH][4096];
    static uint8_t control[BATCH][64];
    static struct sockaddr_in from[BATCH];
    struct mmsghdr m[BATCH] = {0};
    struct iovec iov[BATCH];
    int n;

    for (unsigned i = 0; i < BATCH; i++) {
        iov[i] = (struct iovec){bytes[i], sizeof(bytes[i])};
        m[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                       .msg_namelen = sizeof(from[i]),
                                       .msg_iov = &iov[i],
                                       .msg_iovlen = 1,
                                       .msg_control = control[i],
                                       .msg_controllen = sizeof(control[i])};
    }
    n = recvmmsg(f->fd[port], m, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++) {
        struct endpoint e = {.addr = inaddr_v4(ntohl(from[i].sin_addr.s_addr)),
                             .port = ntohs(from[i].sin_port)};
        uint32_t k = sent_to(&m[i].msg_hdr) - f->first;

        if (k >= f->n)
            continue;
        peer_input(f->peer[k], port, &e, span_of(bytes[i], m[i].msg_len), clock_now());
        flush(f, k);
    }
}

static void timers(struct farm *f, l2tpc_us now)
{
    for (unsigned i = 0; i < f->n; i++) {
        if (peer_deadline(f->peer[i]) > now)
            continue;
        peer_timer(f->peer[i], now);
        flush(f, i);
    }
}

static void serve(struct farm *f)
{
    l2tpc_us due = 0;

    while (!stopped) {
        struct pollfd p[2] = {{.fd = f->fd[0], .events = POLLIN},
                              {.fd = f->fd[1], .events = POLLIN}};
        l2tpc_us now;

        if (poll(p, 2, TIMERS_EVERY / 1000) > 0)
            for (unsigned i = 0; i < 2; i++)
                if (p[i].revents & POLLIN)
                    receive(f, (enum peer_port)i);
        now = clock_now();
        if (now < due)
            continue;
        timers(f, now);
        due = now + TIMERS_EVERY;
    }
}

static void tell(const struct farm *f)
{
    unsigned long long up = 0, in = 0, bad = 0, replayed = 0, echoed = 0, complaints = 0;
    const char *first = "";

    for (unsigned i = 0; i < f->n; i++) {
        const struct peer_facts *x = peer_facts(f->peer[i]);

        up += x->main_modes > 0;
        in += x->esp_in;
        bad += x->esp_bad;
        replayed += x->esp_replayed;
        echoed += x->ip_echoed;
        complaints += x->complaints;
        if (x->complaints && !*first)
            first = x->complaint;
    }
    printf("{\"dialed\": %llu, \"esp_in\": %llu, \"esp_bad\": %llu, \"replayed\": %llu,"
           " \"echoed\": %llu, \"complaints\": %llu, \"complaint\": \"%s\"}\n",
           up, in, bad, replayed, echoed, complaints, first);
}

int main(int argc, char **argv)
{
    struct peer_config config = {.psk = "Ng7x4tQzV9kWc2RfpM5bY8sD",
                                 .user = "alice",
                                 .password = "wonderland",
                                 .client_ip = inaddr_v4(0x0a630010),
                                 .server_ip = inaddr_v4(0x0a630001),
                                 .dns = {inaddr_v4(0x0a630001), inaddr_v4(0x0a630002)}};
    struct crypto *crypto = crypto_new();
    struct farm f = {0};
    struct sim_env env;
    struct inaddr first;

    if (argc < 3 || !crypto || !inaddr_parse(&first, argv[1]) || first.family != 4)
        return 2;
    f.first = inaddr_to_v4(&first);
    f.n = (unsigned)strtoul(argv[2], NULL, 10);
    f.peer = calloc(f.n, sizeof(struct peer *));
    f.fd[PEER_UDP500] = open_socket(500);
    f.fd[PEER_UDP4500] = open_socket(4500);
    (void)signal(SIGTERM, on_signal);
    (void)signal(SIGINT, on_signal);
    sim_env_init(&env, "peers", clock_now());
    for (unsigned i = 0; i < f.n; i++) {
        config.local = (struct endpoint){.addr = inaddr_v4(f.first + i), .port = 500};
        f.peer[i] = f.peer ? peer_new(&config, &env.env, crypto) : NULL;
        if (!f.peer[i])
            return 1;
    }
    printf("ready\n");
    (void)fflush(stdout);
    serve(&f);
    tell(&f);
    for (unsigned i = 0; i < f.n; i++)
        peer_free(f.peer[i]);
    free(f.peer);
    crypto_free(crypto);
    return 0;
}
