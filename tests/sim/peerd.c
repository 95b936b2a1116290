/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The peer on real sockets, for tests of whole programs in a namespace and for clients that are not
 * ours: sim-peerd ADDRESS SECONDS [flavour=..] [psk=..] [user=..] [password=..] [secret=..]
 * [bugs=HEX] [silent=STAGE] [seed=N]. Ends after SECONDS with its facts, one "name value" a line.
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
#include <unistd.h>

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
    (void)sig;
    stopped = 1;
}

static l2tpc_us clock_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (l2tpc_us)ts.tv_sec * 1000000u + (l2tpc_us)ts.tv_nsec / 1000u;
}

static struct sockaddr_in to_sockaddr(const struct endpoint *e)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(e->port),
                                .sin_addr.s_addr = htonl(inaddr_to_v4(&e->addr))};
}

static int open_socket(enum peer_port port, const struct endpoint *local)
{
    struct sockaddr_in a = to_sockaddr(local);
    bool raw = port == PEER_RAWESP;
    int fd = socket(AF_INET, (raw ? SOCK_RAW : SOCK_DGRAM) | SOCK_CLOEXEC, raw ? 50 : 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
        fprintf(stderr, "sim-peerd: port %u: %s\n", local->port, strerror(errno));
        exit(1);
    }
    return fd;
}

static void receive(struct peer *p, enum peer_port port, int fd)
{
    uint8_t b[4096];
    struct sockaddr_in a;
    socklen_t a_n = sizeof(a);
    ssize_t n = recvfrom(fd, b, sizeof(b), 0, (struct sockaddr *)&a, &a_n);
    struct endpoint from = {.addr = inaddr_v4(ntohl(a.sin_addr.s_addr)),
                            .port = port == PEER_RAWESP ? 0 : ntohs(a.sin_port)};
    struct span s;

    if (n < 0)
        return;
    s = span_of(b, (size_t)n);
    if (port == PEER_RAWESP) { /* the kernel hands over the IP header */
        size_t head = (size_t)(b[0] & 15) * 4;

        if (head > s.n)
            return;
        s = span_of(b + head, s.n - head);
    }
    peer_input(p, port, &from, s, clock_now());
}

static void flush(struct peer *p, const int fd[PEER_PORTS])
{
    enum peer_port port;
    struct endpoint to;
    struct msg m;

    while (peer_pop_out(p, &port, &to, &m)) {
        struct sockaddr_in a = to_sockaddr(&to);

        if (port == PEER_RAWESP)
            a.sin_port = 0;
        (void)sendto(fd[port], m.bytes, m.n, 0, (struct sockaddr *)&a, sizeof(a));
        msg_done(&m);
    }
}

static bool stage_of(const char *name, struct peer_config *c)
{
    return stage_parse(&c->silent_from, name);
}

static bool flavour_of(const char *name, struct peer_config *c)
{
    static const char *const names[] = {"plain", "softether", "pppd", "windows"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], name) != 0)
            continue;
        c->flavour = (enum peer_flavour)i;
        return true;
    }
    return false;
}

static bool option(const char *arg, struct peer_config *c, uint64_t *seed)
{
    if (strncmp(arg, "flavour=", 8) == 0)
        return flavour_of(arg + 8, c);
    if (strncmp(arg, "silent=", 7) == 0)
        return stage_of(arg + 7, c);
    if (strncmp(arg, "psk=", 4) == 0)
        c->psk = arg + 4;
    else if (strncmp(arg, "user=", 5) == 0)
        c->user = arg + 5;
    else if (strncmp(arg, "password=", 9) == 0)
        c->password = arg + 9;
    else if (strncmp(arg, "secret=", 7) == 0)
        c->tunnel_secret = arg + 7;
    else if (strncmp(arg, "bugs=", 5) == 0)
        c->bugs = strtoull(arg + 5, NULL, 16);
    else if (strncmp(arg, "seed=", 5) == 0)
        *seed = strtoull(arg + 5, NULL, 10);
    else if (strcmp(arg, "auth=pap") == 0)
        c->auth[c->n_auth++ % 4] = PEER_AUTH_PAP;
    else if (strcmp(arg, "auth=chap") == 0)
        c->auth[c->n_auth++ % 4] = PEER_AUTH_CHAP_MD5;
    else if (strcmp(arg, "auth=mschapv2") == 0)
        c->auth[c->n_auth++ % 4] = PEER_AUTH_MSCHAPV2;
    else
        return false;
    return true;
}

static void print_facts(struct peer *p)
{
    const struct peer_facts *f = peer_facts(p);

    printf("main_modes %u\nquick_modes %u\nmm5_failed %u\nike_established %u\nesp_pairs %u\n",
           f->main_modes, f->quick_modes, f->mm5_failed, f->ike_established, f->esp_pairs);
    printf("udp_encapsulated %d\npfs %d\nspi_in %08x\nspi_out %08x\n", f->udp_encapsulated, f->pfs,
           f->spi_in, f->spi_out);
    printf("tunnel_up %d\nsession_up %d\nip_up %d\nuser %s\nauth %d\n", f->tunnel_up, f->session_up,
           f->ip_up, f->user, (int)f->auth);
    printf("esp_in %u\nesp_bad %u\nip_in %u\nip_echoed %u\nclear_1701 %u\n", f->esp_in, f->esp_bad,
           f->ip_in, f->ip_echoed, f->clear_1701);
    printf("deletes_esp %u\ndeletes_ike %u\nstopccns %u\ncdns %u\nterminates %u\n", f->deletes_esp,
           f->deletes_ike, f->stopccns, f->cdns, f->terminates);
    printf("dpd_answers %u\ndpd_probes %u\ncomplaints %u\ncomplaint %s\n", f->dpd_answers,
           f->dpd_probes, f->complaints, f->complaint);
}

static void serve(struct peer *p, const int fd[PEER_PORTS], l2tpc_us end)
{
    while (!stopped && clock_now() < end) {
        struct pollfd pf[PEER_PORTS];
        l2tpc_us now = clock_now(), next = us_min(peer_deadline(p), end);

        for (size_t i = 0; i < PEER_PORTS; i++)
            pf[i] = (struct pollfd){.fd = fd[i], .events = POLLIN};
        if (poll(pf, PEER_PORTS, next > now ? (int)((next - now) / 1000u + 1) : 0) > 0)
            for (size_t i = 0; i < PEER_PORTS; i++)
                if (pf[i].revents & POLLIN)
                    receive(p, (enum peer_port)i, fd[i]);
        if (peer_deadline(p) <= clock_now())
            peer_timer(p, clock_now());
        flush(p, fd);
    }
}

int main(int argc, char **argv)
{
    struct peer_config config = {.psk = "Ng7x4tQzV9kWc2RfpM5bY8sD",
                                 .user = "alice",
                                 .password = "wonderland",
                                 .client_ip = inaddr_v4(0x0a630010),
                                 .server_ip = inaddr_v4(0x0a630001),
                                 .dns = {inaddr_v4(0x0a630001), inaddr_v4(0x0a630002)}};
    static const uint16_t ports[PEER_PORTS] = {500, 4500, 0, 1701};
    uint64_t seed = clock_now();
    int fd[PEER_PORTS];
    struct crypto *crypto = crypto_new();
    struct sim_env env;
    struct peer *p;

    if (argc < 3 || !crypto || !inaddr_parse(&config.local.addr, argv[1]) ||
        config.local.addr.family != 4)
        return 2;
    for (int i = 3; i < argc; i++) {
        if (option(argv[i], &config, &seed))
            continue;
        fprintf(stderr, "sim-peerd: what is %s?\n", argv[i]);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    sim_env_init(&env, "peerd", seed);
    for (size_t i = 0; i < PEER_PORTS; i++) {
        struct endpoint e = {.addr = config.local.addr, .port = ports[i]};

        fd[i] = open_socket((enum peer_port)i, &e);
    }
    config.local.port = 500;
    p = peer_new(&config, &env.env, crypto);
    if (!p)
        return 1;
    printf("ready\n");
    serve(p, fd, clock_now() + US_S(strtoul(argv[2], NULL, 10)));
    print_facts(p);
    peer_free(p);
    crypto_free(crypto);
    return 0;
}
